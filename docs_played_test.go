package menshen_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	testNamed = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")
	testMade  = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(`)
)

// Every row of a table that says which test plays it names one, and every test that the page names exists.
func TestWhatOperationsSaysIsPlayed(t *testing.T) {
	there := map[string]bool{}
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range testMade.FindAllSubmatch(source, -1) {
			there[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	tables, rows, played := 0, 0, false
	for _, line := range strings.Split(string(page), "\n") {
		switch {
		case !strings.HasPrefix(line, "|"):
			played = false
		case strings.HasSuffix(line, "| test |"):
			played = true
			tables++
		case played && !strings.HasPrefix(line, "|---"):
			cells := strings.Split(strings.TrimSuffix(line, "|"), "|")
			if rows++; !testNamed.MatchString(cells[len(cells)-1]) {
				t.Errorf("no test is named for: %s", line)
			}
		}
		for _, m := range testNamed.FindAllStringSubmatch(line, -1) {
			if !there[m[1]] {
				t.Errorf("%s does not exist", m[1])
			}
		}
	}
	if tables < 2 || rows < 15 {
		t.Errorf("%d tables, %d rows: the page is read wrongly", tables, rows)
	}
}
