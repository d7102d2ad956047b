package gate_test

import (
	_ "embed"
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/visit"
)

//go:embed testdata/table.txt
var tableFile string

// kindNames are the table's columns as the code names them.
var kindNames = map[string]string{"install": visit.Install, "swap": visit.Swap, "relocation": visit.Relocation, "repair": visit.Repair,
	"removal": visit.Removal, "inspection": visit.Inspection, "untouched": "repair_untouched"}

var (
	askLetters = "DATLC"
	asks       = []string{visit.AskDispatch, visit.AskAdmit, visit.AskTrial, visit.AskLive, visit.AskClose}
)

// wantedTable reads the hand-written table: condition names in order, and kind → condition → cell.
func wantedTable(t *testing.T) (conditions []string, cells map[string]map[string]string) {
	t.Helper()
	var columns []string
	cells = map[string]map[string]string{}
	for line := range strings.Lines(tableFile) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if columns == nil {
			for _, name := range fields {
				columns = append(columns, kindNames[name])
				cells[kindNames[name]] = map[string]string{}
			}
			continue
		}
		if len(fields) != len(columns)+1 {
			t.Fatalf("line %q", line)
		}
		conditions = append(conditions, fields[0])
		for i, cell := range fields[1:] {
			cells[columns[i]][fields[0]] = cell
		}
	}
	if len(conditions) != 21 || len(columns) != 7 || cells[""] != nil {
		t.Fatalf("%d conditions, %d kinds", len(conditions), len(columns))
	}
	return conditions, cells
}

// wanted says whether a cell is asked at an ask.
func wanted(condition, cell, ask string) bool {
	at := slices.Index(asks, ask)
	first := strings.Index(askLetters, cell[:1])
	switch {
	case cell == "r":
		return ask == visit.AskClose
	case first < 0:
		return false
	case ask == visit.AskClose:
		return strings.Contains(cell, "C") || condition == gate.NothingOpen
	}
	return first <= at
}

// Every kind, every ask, every condition.
func TestTheTableIsTheWrittenOne(t *testing.T) {
	conditions, cells := wantedTable(t)
	for kind := range cells {
		for _, ask := range asks {
			var want []gate.Question
			for _, c := range conditions {
				cell := cells[kind][c]
				if wanted(c, cell, ask) {
					again := strings.Contains(cell[1:], askLetters[slices.Index(asks, ask):][:1])
					want = append(want, gate.Question{Condition: c, ReportOnly: cell == "r", Again: again})
				}
			}
			if got := gate.Asked(kind, ask); !slices.Equal(got, want) {
				t.Errorf("%s at %s:\n got %v\nwant %v", kind, ask, got, want)
			}
		}
	}
}

// End asks what admit asks, and for the merchant's signature; it is put by the kinds that end keys.
func TestEndAsksTheFirstRowsAndTheMerchant(t *testing.T) {
	ends := []string{visit.Swap, visit.Relocation, visit.Removal}
	for kind := range kindNames {
		kind = kindNames[kind]
		want := append(gate.Asked(kind, visit.AskAdmit), gate.Question{Condition: gate.MerchantConfirmed})
		if !slices.Contains(ends, kind) {
			want = nil
		}
		if got := gate.Asked(kind, visit.AskEnd); !slices.Equal(got, want) || gate.Puts(kind, visit.AskEnd) != (want != nil) {
			t.Errorf("%s at end asks %v", kind, got)
		}
	}
}

func TestEveryConditionHasATitle(t *testing.T) {
	conditions, _ := wantedTable(t)
	seen := map[string]bool{}
	for _, c := range conditions {
		title := gate.Title(c)
		if title.Zh == "" || title.En == "" || seen[title.Zh] || seen[title.En] {
			t.Errorf("%s: %q %q", c, title.Zh, title.En)
		}
		seen[title.Zh], seen[title.En] = true, true
	}
	if title := gate.Title("wave"); title.Zh != "" || title.En != "" {
		t.Errorf("an unknown condition is called %q", title.Zh)
	}
}

func TestWhatIsUnknownIsNotAsked(t *testing.T) {
	for _, c := range [][2]string{{"", ""}, {visit.Install, ""}, {"", visit.AskTrial}, {"wave", visit.AskTrial}, {visit.Install, "wave"}, {visit.Install, visit.AskEnd}} {
		if got := gate.Asked(c[0], c[1]); got != nil {
			t.Errorf("%q at %q asks %v", c[0], c[1], got)
		}
		if got := gate.Findings(gate.Facts{Kind: c[0]}, c[1], noon); got != nil {
			t.Errorf("%q at %q finds %v", c[0], c[1], got)
		}
	}
}
