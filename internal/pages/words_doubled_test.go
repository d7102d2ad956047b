package pages

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// opaque is what of a script may look like a brace or a key and is none: comments, texts, and expressions behind
	// what cannot end a value.
	opaque = regexp.MustCompile(`(?s)^(?://[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')`)
	regExp = regexp.MustCompile(`^/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/`)
	jsKey  = regexp.MustCompile(`^\s*(?:([A-Za-z_$][\w$]*)|"([^"]*)")\s*:`)
)

// doubledKeys lists the keys that an object literal of a script has twice: the first is lost without a word.
func doubledKeys(script string) []string {
	var found []string
	type scope struct {
		opened byte
		keys   map[string]bool
	}
	scopes := []scope{{}}
	inText := func() bool { return scopes[len(scopes)-1].opened == '`' }
	before := byte('(') // the last that was no space
	for i := 0; i < len(script); {
		rest, c := script[i:], script[i]
		if inText() {
			switch {
			case c == '\\':
				i++
			case c == '`':
				scopes, before = scopes[:len(scopes)-1], '`'
			case strings.HasPrefix(rest, "${"):
				scopes, before = append(scopes, scope{opened: '$'}), '('
				i++
			}
			i++
			continue
		}
		if m := opaque.FindString(rest); m != "" {
			if m[0] != '/' {
				before = '"'
			}
			i += len(m)
			continue
		}
		if strings.IndexByte("(,=:[!&|?{};>`", before) >= 0 && c == '/' {
			if m := regExp.FindString(rest); m != "" {
				i, before = i+len(m), '"'
				continue
			}
		}
		switch c {
		case '{', '(', '[', '`':
			scopes = append(scopes, scope{opened: c, keys: map[string]bool{}})
		case '}', ')', ']':
			if len(scopes) > 1 {
				scopes = scopes[:len(scopes)-1]
			}
		}
		if top := &scopes[len(scopes)-1]; top.opened == '{' && (c == '{' || c == ',') {
			if m := jsKey.FindStringSubmatch(script[i+1:]); m != nil {
				if key := m[1] + m[2]; top.keys[key] {
					found = append(found, key)
				} else {
					top.keys[key] = true
				}
			}
		}
		if !strings.ContainsRune(" \n\t", rune(c)) {
			before = c
		}
		i++
	}
	return found
}

func TestNoTableOfAScriptHasAKeyTwice(t *testing.T) {
	a := loadAssets()
	for _, name := range a.names() {
		if ext := path.Ext(name); (ext == ".mjs" || ext == ".js") && !strings.HasPrefix(name, "vendor/") {
			if found := doubledKeys(string(a.files[name].data)); len(found) > 0 {
				t.Errorf("%s: doubled %q", name, found)
			}
		}
	}
	for script, want := range map[string]string{
		`x = { a: 1, b: { a: 2 }, "a": 3 }`: "a", `x = { a: [1, 2], b: f(a, b), a: 1 }`: "a", "x = { a: `{ b: ${ { b: 1, b: 2 }.b }, b: }`, c: \"a: , a:\" }": "b",
		`x = { a: /[,{] b: "/, b: 1, /* a: , */ c: 2 } // , a: `: "", `({ a: 1 }, { a: 1 })`: "", `x = { a: y ? b : c, d: y / 2, e: 4 / z, d: 1 }`: "d",
	} {
		if got := strings.Join(doubledKeys(script), " "); got != want {
			t.Errorf("%s: %q, want %q", script, got, want)
		}
	}
}

// Tables that are copied into one another must not meet either; within one the compiler sees to it.
func TestNoWordIsSaidTwice(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	copied, keys := []string{"words"}, map[string][]string{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Copy" && len(n.Args) == 2 && nameOf(n.Args[0]) == "words" {
					copied = append(copied, nameOf(n.Args[1]))
				}
			case *ast.ValueSpec:
				for i, v := range n.Values {
					keys[n.Names[i].Name] = literalKeys(v)
				}
			}
			return true
		})
	}
	seen := map[string]string{}
	for _, table := range copied {
		for _, key := range keys[table] {
			if of := seen[key]; of != "" {
				t.Errorf("%s stands in %s and in %s", key, of, table)
			}
			seen[key] = table
		}
	}
	if len(copied) < 5 || len(seen) < 200 || !slices.Contains(keys["appWords"], `"carry.title"`) {
		t.Errorf("only %q with %d keys were seen", copied, len(seen))
	}
}

func nameOf(e ast.Expr) string {
	if id, ok := e.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// literalKeys are the keys of texts(map[string]both{…}) that stand there as texts.
func literalKeys(e ast.Expr) (keys []string) {
	call, ok := e.(*ast.CallExpr)
	if !ok || nameOf(call.Fun) != "texts" {
		return nil
	}
	for _, pair := range call.Args[0].(*ast.CompositeLit).Elts {
		if key, ok := pair.(*ast.KeyValueExpr).Key.(*ast.BasicLit); ok {
			keys = append(keys, key.Value)
		}
	}
	return keys
}
