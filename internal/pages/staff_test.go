package pages

import (
	"bytes"
	"encoding/csv"
	"net/url"
	"strings"
	"testing"
)

// What a spreadsheet would run stays a text; what it would not is left alone.
func TestExportedCellsAreNoFormulas(t *testing.T) {
	for in, want := range map[string]string{"=1+1": "'=1+1", "+86": "'+86", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "＝1": "'＝1", "o-1": "o-1", "": "", "门": "门"} {
		if got := plainCell(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	var b bytes.Buffer
	if err := writeCSV(&b, [][]string{{"v1", `=cmd|"x"`, "a\"b,c\n", "", "", "", "", "", "", "", "", "", ""}}); err != nil {
		t.Fatal(err)
	}
	text, marked := strings.CutPrefix(b.String(), "\ufeff")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || !marked || len(rows) != 2 || rows[1][1] != `'=cmd|"x"` || rows[1][2] != "a\"b,c\n" {
		t.Errorf("%q, %v", rows, err)
	}
}

// A list's address says the same after a round; what it cannot say is left out.
func TestABoardsAddress(t *testing.T) {
	for in, want := range map[string]string{
		"": "/staff/visits", "day=today&stage=booked&kind=install&frozen=1&q=o-1&open=v1": "/staff/visits?day=today&frozen=1&kind=install&open=v1&q=o-1&stage=booked",
		"day=yesterday&stage=king&kind=x&frozen=yes&open=../..": "/staff/visits", "day=2026-11-28": "/staff/visits?day=2026-11-28",
	} {
		values, err := url.ParseQuery(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(boardQuery(values).href(boardPath)); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if q := boardQuery(url.Values{"q": {"张三"}}); q.Sound || q.Search != "" {
		t.Errorf("%+v", q)
	}
}
