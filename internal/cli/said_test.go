package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/examples/city"
)

// A technician who is put on the roll without what his badge carries can be given no badge; it is said at once and not on
// his first day. Anybody else needs neither.
func TestATechnicianWithoutCommitmentsIsTold(t *testing.T) {
	org, half, whole := filepath.Join(t.TempDir(), "org"), strings.Repeat("0a", 32), strings.Repeat("0b", 32)
	at(t, exitDone, "organisation", "init", "--dir", org, "--organisation", "qingluo", "--name", "青萝", "--kind", "provider")
	put := func(more ...string) string {
		return at(t, exitDone, append([]string{"organisation", "put", "--dir", org, "--holder", "lan"}, more...)...)
	}
	if said := put("--role", "technician"); !strings.Contains(said, "发不了工作证") || !strings.Contains(said, "--photo-commitment") {
		t.Errorf("it says %q", said)
	}
	for _, more := range [][]string{{"--role", "dispatcher"}, {"--role", "technician", "--name-commitment", half, "--photo-commitment", whole}} {
		if said := put(more...); said != "" {
			t.Errorf("%v: it says %q", more, said)
		}
	}
}

// Programs read lists: none is an empty one.
func TestAnImportWithoutProblemsListsNone(t *testing.T) {
	w := theatre(t)
	sheets := filepath.Join(w.dir, "sheets")
	if err := os.CopyFS(sheets, city.Files); err != nil {
		t.Fatal(err)
	}
	said := at(t, exitDone, "import", "--json", "--config", w.config, "--dir", sheets)
	var done map[string]json.RawMessage
	if err := json.Unmarshal([]byte(said), &done); err != nil || string(done["problems"]) != "[]" {
		t.Errorf("%v: problems are %s", err, done["problems"])
	}
}

// Which file is missing is what the refusal is called.
func TestAMissingTrustFileIsNamed(t *testing.T) {
	w := theatre(t)
	missing := filepath.Join(w.dir, "none.json")
	said := at(t, exitInvalid, "monitor", "--once", "--trust", missing, "--log", w.dir, "--state", filepath.Join(w.dir, "state"))
	if !strings.Contains(said, "trust_file_unreadable") || !strings.Contains(said, missing) {
		t.Errorf("it says %s", said)
	}
}
