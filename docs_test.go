package menshen_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/cli"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/notify"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// block is one fenced block of a document.
type block struct {
	doc   string // path of the document
	line  int    // of the opening fence, from 1
	lang  string // first word after the fence
	rest  string // what follows it: for an example, file and part
	text  string // without the fences
	start int    // byte offset of text
}

func (b block) String() string { return fmt.Sprintf("%s:%d", b.doc, b.line) }

// documents are the files that people read: the README in both languages and everything below docs.
func documents() ([]string, error) {
	docs, err := filepath.Glob("README*.md")
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir("docs", func(p string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".md") {
			docs = append(docs, filepath.ToSlash(p))
		}
		return err
	})
	slices.Sort(docs)
	return docs, err
}

// blocks takes a document's fenced blocks apart.
func blocks(doc, text string) []block {
	var found []block
	var open *block
	line, offset := 0, 0
	for l := range strings.Lines(text) {
		line++
		fence, isFence := strings.CutPrefix(strings.TrimSpace(l), "```")
		switch {
		case isFence && open == nil:
			lang, rest, _ := strings.Cut(fence, " ")
			open = &block{doc: doc, line: line, lang: lang, rest: rest, start: offset + len(l)}
		case isFence:
			open.text = text[open.start:offset]
			found = append(found, *open)
			open = nil
		}
		offset += len(l)
	}
	if open != nil {
		open.text = text[open.start:]
		found = append(found, *open)
	}
	return found
}

// isExample says whether a block shows a part of a file of docs/examples.
func (b block) isExample() bool { return strings.HasPrefix(b.rest, "examples/") }

// shown renders what an example block must hold. "examples/FILE" is the file, byte for byte, with a
// newline after it; "examples/FILE#body/POINTER" is a part of it, spread over lines so that people
// can read it: taking the white space out again gives the bytes.
func shown(ref string) (string, error) {
	name, part, isPart := strings.Cut(ref, "#")
	data, err := os.ReadFile(path.Join("docs", name))
	if err != nil {
		return "", err
	}
	if !isPart {
		return strings.TrimSuffix(string(data), "\n") + "\n", nil
	}
	part, pointer, _ := strings.Cut(part, "/")
	if data, err = partOf(data, part); err != nil {
		return "", err
	}
	for _, step := range strings.FieldsFunc(pointer, func(r rune) bool { return r == '/' }) {
		if data, err = child(data, step); err != nil {
			return "", fmt.Errorf("%s: %w", ref, err)
		}
	}
	var out bytes.Buffer
	err = json.Indent(&out, data, "", "  ")
	return out.String() + "\n", err
}

// partOf takes the payload or body out of a statement, or a token's header, payload or disclosures
// apart; "" is the document itself.
func partOf(data []byte, part string) ([]byte, error) {
	token := strings.Split(string(data), "~")
	switch part {
	case "":
		return data, nil
	case "body", "payload":
		c, err := statement.Parse(data)
		if err != nil || part == "payload" {
			return c.Payload(), err
		}
		predicate, err := child(c.Payload(), "predicate")
		if err != nil {
			return nil, err
		}
		return child(predicate, "body")
	case "assertion":
		envelope, err := child(data, "signatures")
		if err != nil {
			return nil, err
		}
		first, err := child(envelope, "0")
		if err != nil {
			return nil, err
		}
		return decodedMember(first, "sig")
	case "proof":
		body, err := partOf(data, "body")
		if err != nil {
			return nil, err
		}
		return decodedMember(body, "proof")
	case "quote":
		proof, err := partOf(data, "proof")
		if err != nil {
			return nil, err
		}
		return decodedMember(proof, "quote")
	case "header", "claims":
		return jwtPart(token[0], part)
	case "kb-header", "kb-claims":
		return jwtPart(token[len(token)-1], strings.TrimPrefix(part, "kb-"))
	case "disclosures":
		var all []json.RawMessage
		for _, d := range token[1 : len(token)-1] {
			raw, err := statement.Base64URL(d)
			if err != nil {
				return nil, err
			}
			all = append(all, raw)
		}
		return json.Marshal(all)
	}
	return nil, fmt.Errorf("no part %q", part)
}

func jwtPart(token, part string) ([]byte, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("%d parts of a token", len(parts))
	}
	return statement.Base64URL(parts[map[string]int{"header": 0, "claims": 1}[part]])
}

// decodedMember gives the bytes that a member holds in base64.
func decodedMember(data []byte, name string) ([]byte, error) {
	raw, err := child(data, name)
	if err != nil {
		return nil, err
	}
	text, err := strconv.Unquote(string(raw))
	if err != nil {
		return nil, err
	}
	return statement.Base64(text)
}

// child gives a member of an object or an element of a list, as it is written.
func child(data []byte, step string) ([]byte, error) {
	if at, err := strconv.Atoi(step); err == nil {
		var list []json.RawMessage
		if err := json.Unmarshal(data, &list); err != nil {
			return nil, err
		}
		if at >= len(list) {
			return nil, fmt.Errorf("no element %d", at)
		}
		return list[at], nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, err
	}
	found, ok := object[step]
	if !ok {
		return nil, fmt.Errorf("no member %q", step)
	}
	return found, nil
}

// rewriteDocuments puts the files' parts into the example blocks.
func rewriteDocuments() error {
	docs, err := documents()
	if err != nil {
		return err
	}
	for _, doc := range docs {
		data, err := os.ReadFile(doc)
		if err != nil {
			return err
		}
		text := string(data)
		for _, b := range slices.Backward(blocks(doc, text)) {
			if !b.isExample() {
				continue
			}
			want, err := shown(b.rest)
			if err != nil {
				return fmt.Errorf("%s: %w", b, err)
			}
			text = text[:b.start] + want + text[b.start+len(b.text):]
		}
		if text == string(data) {
			continue
		}
		if err := os.WriteFile(doc, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// docBlocks reads every fenced block of every document.
func docBlocks(t *testing.T) []block {
	t.Helper()
	docs, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	for _, doc := range docs {
		all = append(all, blocks(doc, read(t, doc))...)
	}
	if len(all) == 0 {
		t.Fatal("the documents hold no fenced block: the search is broken")
	}
	return all
}

// link is a Markdown link or picture to a file of the tree; source is a file or folder named in code.
var (
	link   = regexp.MustCompile(`\]\(([^)#:\s]*)(#[^)\s]*)?\)`)
	source = regexp.MustCompile("`((?:cmd|evidence|internal|docs|script|examples)/[A-Za-z0-9_./*-]*|[a-z_]+\\.(?:go|md))`")
)

// anchors gives what a document's headings can be linked by, as GitHub makes it of their words.
func anchors(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
		out = append(out, "#"+strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
				return r
			}
			return -1
		}, words))
	}
	return out
}

func TestLinksAndNamedFilesExist(t *testing.T) {
	docs, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range docs {
		text := read(t, doc)
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target := doc
			if m[1] != "" {
				target = path.Join(path.Dir(doc), m[1])
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", doc, target)
			} else if m[2] != "" && !slices.Contains(anchors(read(t, target)), m[2]) {
				t.Errorf("%s links to %s, which has no heading %s", doc, target, m[2])
			}
		}
		for _, m := range source.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(m[1], "/") {
				continue // a file beside one that was named with its folder
			}
			if found, err := filepath.Glob(m[1]); err != nil || len(found) == 0 {
				t.Errorf("%s names %s, which is not there", doc, m[1])
			}
		}
	}
}

func TestExampleBlocksAreTheirFiles(t *testing.T) {
	count := 0
	for _, b := range docBlocks(t) {
		if !b.isExample() {
			continue
		}
		count++
		want, err := shown(b.rest)
		if err != nil {
			t.Errorf("%s: %v", b, err)
			continue
		}
		if b.text != want {
			t.Errorf("%s does not show %s: run go test . -update", b, b.rest)
		}
	}
	if count < 20 {
		t.Errorf("only %d examples in the documents", count)
	}
}

func TestBlocksAreTakenApart(t *testing.T) {
	text := "a\n```sh\nmake run\n```\nb\n```json examples/x.json#body/items\n{}\n[]\n```\n"
	found := blocks("x.md", text)
	if len(found) != 2 || found[0].lang != "sh" || found[0].text != "make run\n" || found[0].isExample() {
		t.Fatalf("%+v", found)
	}
	b := found[1]
	if b.line != 6 || b.text != "{}\n[]\n" || !b.isExample() || b.rest != "examples/x.json#body/items" || text[b.start:b.start+3] != "{}\n" {
		t.Errorf("%+v", b)
	}
	if _, err := shown("examples/trust.json#/log/nothing"); err == nil {
		t.Error("a part that is not there was shown")
	}
}

// word is a name of the program as documents write it: in code marks, with an underscore.
var word = regexp.MustCompile("`([a-z0-9]+(?:_[a-z0-9]+)+)`")

// What the documents call by name still has that name: a refusal, a verb, a type, a role, a field.
func TestNamesInDocumentsExist(t *testing.T) {
	known := map[string]bool{}
	for _, part := range []any{cli.Config{}, cli.LogConfig{}, cli.WitnessConfig{}, cli.HostConfig{}, cli.ReceiverConfig{}, cli.HookConfig{}, cli.MailConfig{}} {
		for f := range reflect.TypeOf(part).Fields() {
			known[f.Tag.Get("yaml")] = true
		}
	}
	for _, codes := range faultCodes(t) {
		for _, code := range codes {
			known[code] = true
		}
	}
	for _, r := range visit.Table() {
		known[r.Verb], known[r.Type] = true, true
		for _, role := range r.Roles {
			known[role] = true
		}
	}
	for _, kind := range slices.Concat(notify.Kinds(), app.TicketKinds) {
		known[kind] = true
	}
	for _, name := range []string{visit.KeysEnded, string(visit.RolledBack), access.SettleDeadLetter, "sd_hash", "jwks_uri"} { // the last two are of RFC 9901 and RFC 7517
		known[name] = true
	}
	for _, form := range append(slices.Collect(maps.Values(bodies)), app.Package{}, app.Issued{}, httpapi.DoorResult{}, httpapi.DoorAnswerRequest{}, evidence.WitnessTrust{}) {
		for _, l := range namesOf(reflect.TypeOf(form), "", false) {
			for _, part := range strings.FieldsFunc(l.name, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
				known[part] = true
			}
		}
	}
	docs, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range docs {
		if doc == formats { // held to the code name by name, elsewhere
			continue
		}
		for _, m := range word.FindAllStringSubmatch(read(t, doc), -1) {
			if !known[m[1]] {
				t.Errorf("%s speaks of %s, which is no name of the program", doc, m[1])
			}
		}
	}
}
