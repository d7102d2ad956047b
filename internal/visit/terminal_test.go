package visit_test

import (
	"testing"

	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// A host's word about a terminal counts in the visit that it names, and in no other.
func TestAHostsWordAboutAnotherVisitsTerminal(t *testing.T) {
	s := at(t, visit.Admitted)
	word := visit.TerminalState{Visit: "v2", Serial: serial, Terminal: "W1489724", State: visit.TerminalDead, At: statement.At(noon)}
	wantCode(t, s.try(host, visit.ReportTerminal, visit.TypeTerminalState, word), "statement_other_visit")
	word.Visit = visitID
	if err := s.try(host, visit.ReportTerminal, visit.TypeTerminalState, word); err != nil {
		t.Error(err)
	}
}
