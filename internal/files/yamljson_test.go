package files_test

import (
	"encoding/json"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
)

// A body that people write as YAML reaches the strict reader as what they meant.
func TestYAMLBecomesJSON(t *testing.T) {
	for _, r := range []struct{ yaml, want, code string }{
		{"provider: qingluo\nfrom: 2026-05-22T01:00:00Z\n", `{"provider":"qingluo","from":"2026-05-22T01:00:00Z"}`, ""},
		{"day: 2026-05-22\nregions: ['*', \"31\"]\n", `{"day":"2026-05-22","regions":["*","31"]}`, ""},
		{"number: 12\nleast: -3\nhex: 0x10\non: true\nyes: \"yes\"\n", `{"number":12,"least":-3,"hex":16,"on":true,"yes":"yes"}`, ""},
		{`{"key": {"kind": "es256", "x": "A-_"}, "list": [], "none": {}}`, `{"key":{"kind":"es256","x":"A-_"},"list":[],"none":{}}`, ""},
		{"name: |\n  two\n  lines\n", `{"name":"two\nlines\n"}`, ""},
		{"text: \"\\u0001\"\n", `{"text":"\u0001"}`, ""},

		{"a: 1\na: 2\n", "", "yaml_unreadable"},
		{"a: {b: 1, b: 2}\n", "", "yaml_unreadable"},
		{"a: &x 1\nb: *x\n", "", "yaml_form"},
		{"&n a: 1\n", "", "yaml_form"},
		{"a: 1.5\n", "", "yaml_form"},
		{"a: ~\n", "", "yaml_form"},
		{"a:\n", "", "yaml_form"},
		{"a: 99999999999999999999\n", "", "yaml_form"},
		{"a: !mine 1\n", "", "yaml_form"},
		{"1: a\n", "", "yaml_form"},
		{"[a, b]: c\n", "", "yaml_form"},
		{"<<: {a: 1}\n", "", "yaml_form"},
		{"a: 1\n---\nb: 2\n", "", "yaml_second_document"},
		{"", "", "yaml_empty"},
		{"a: [\n", "", "yaml_unreadable"},
		{"a: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\n", "", "yaml_form"},
	} {
		got, err := files.JSON([]byte(r.yaml))
		if string(got) != r.want || fault.CodeOf(err) != r.code {
			t.Errorf("%q:\n got %s, %v\nwant %s, %s", r.yaml, got, err, r.want, r.code)
		}
	}
}

func FuzzYAMLBecomesJSON(f *testing.F) {
	f.Add([]byte("a: {b: [1, two, 2026-01-01]}\n"))
	f.Add([]byte("a: &x [*x]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := files.JSON(data)
		if err == nil && !json.Valid(out) {
			t.Errorf("%q gave %q", data, out)
		}
	})
}
