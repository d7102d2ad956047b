package files_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
)

type shop struct {
	Name  string `yaml:"name"`
	Tills int    `yaml:"tills"`
	Owner struct {
		Name string `yaml:"name"`
	} `yaml:"owner"`
}

// One document, every name known and once; what is wrong is told by line, and no value is shown.
func TestYAMLIsOneDocumentOfKnownNames(t *testing.T) {
	for _, r := range []struct{ name, text, code, where string }{
		{"whole", "name: wei\ntills: 2\nowner: {name: wei}\n", "", ""},
		{"begun and ended", "---\nname: wei\n...\n", "", ""},
		{"empty", "", "yaml_empty", "empty"},
		{"only a comment", "# hunter2\n", "yaml_empty", "empty"},
		{"unknown name", "name: wei\nhunter: hunter2\n", "yaml_unreadable", "line 2: unknown name hunter"},
		{"unknown name below", "owner:\n  hunter: hunter2\n", "yaml_unreadable", "line 2: unknown name hunter"},
		{"a name that is a sentence", "\"hunter2 was here\": x\n", "yaml_unreadable", "line 1: unknown name"},
		{"other case", "Name: hunter2\n", "yaml_unreadable", "line 1: unknown name Name"},
		{"twice", "name: wei\ntills: 2\nname: hunter2\n", "yaml_unreadable", "line 3: name is there already, in line 1"},
		{"twice below", "owner:\n  name: wei\n  name: hunter2\n", "yaml_unreadable", "line 3: name is there already, in line 2"},
		{"wrong type", "tills: hunter2\n", "yaml_unreadable", "line 1: another kind of value is wanted"},
		{"several", "hunter: x\ntills: hunter2\n", "yaml_unreadable", "line 1: unknown name hunter; line 2: another kind of value is wanted"},
		{"a list", "- hunter2\n", "yaml_unreadable", "line 1: another kind of value is wanted"},
		{"no YAML", "name: wei\n\t- hunter2: [\n", "yaml_unreadable", "line 2: not YAML"},
		{"not text", "name: \xff\xfe\n", "yaml_unreadable", "not YAML"},
		{"second document", "name: wei\n---\nname: hunter2\n", "yaml_second_document", "line 2: a second document"},
		{"second document that is none", "name: wei\n---\n\t[hunter2\n", "yaml_unreadable", "line 3: not YAML"},
		{"refers to nothing", "name: *hunter2\n", "yaml_unreadable", "not YAML"},
		{"thousand unknown names", many(1000), "yaml_unreadable", "line 20: unknown name n20; … 980"},
	} {
		var s shop
		err := files.YAML([]byte(r.text), &s)
		if fault.CodeOf(err) != r.code {
			t.Errorf("%s: %v, want %q", r.name, err, r.code)
			continue
		}
		if err == nil {
			if s.Name != "wei" {
				t.Errorf("%s: read %+v", r.name, s)
			}
			continue
		}
		if where := fault.Of(err).Where; !strings.HasSuffix(where, r.where) || strings.Contains(where, "hunter2") || strings.Contains(where, "files_test") {
			t.Errorf("%s: told as %q", r.name, where)
		}
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "n%d: 1\n", i+1)
	}
	return b.String()
}
