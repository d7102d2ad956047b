package menshen_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// goFile is one parsed file of the module.
type goFile struct {
	path   string // slashes, from the module's root
	pkg    string // its folder, "." for the root
	test   bool
	source string
	syntax *ast.File
}

// builtFolders are made by the Makefile and ignored by git.
var builtFolders = []string{"bin", "bin-tools", "out", "tmp", "node_modules"}

// allFiles lists every file of the tree that git keeps or would keep, with slashes, from the root.
func allFiles(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(".", func(p string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || slices.Contains(builtFolders, entry.Name())):
			return filepath.SkipDir
		case entry.Type().IsRegular() && !ignored(entry.Name()):
			found = append(found, filepath.ToSlash(p))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 10 {
		t.Fatalf("only %d files: this is not the module's root", len(found))
	}
	return found
}

// ignored are the file names that .gitignore names, and git's own file in a work tree.
func ignored(name string) bool {
	return name == ".git" || strings.HasSuffix(name, ".test") || strings.HasSuffix(name, ".prof") ||
		strings.HasPrefix(name, "coverage") && strings.HasSuffix(name, ".txt")
}

func goFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	for _, p := range allFiles(t) {
		if strings.HasSuffix(p, ".go") && !strings.Contains(p, "testdata/") {
			files = append(files, parse(t, p, read(t, p)))
		}
	}
	return files
}

func parse(t *testing.T, p, source string) goFile {
	t.Helper()
	syntax, err := parser.ParseFile(token.NewFileSet(), p, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return goFile{path: p, pkg: path.Dir(p), test: strings.HasSuffix(p, "_test.go"), source: source, syntax: syntax}
}

func read(t *testing.T, p string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.FromSlash(p))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// packages lists the folders that hold shipped Go code.
func packages(t *testing.T) []string {
	t.Helper()
	found := map[string]bool{}
	for _, f := range goFiles(t) {
		if !f.test {
			found[f.pkg] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
