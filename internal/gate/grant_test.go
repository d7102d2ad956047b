package gate

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/visit"
)

// Deny is the last line: an ask of which nothing is asked grants nothing.
func TestNothingAskedGrantsNothing(t *testing.T) {
	d := Decision{ask: visit.AskTrial}.grant()
	if d.Granted() || fault.CodeOf(d.Refusal()) != "nothing_asked" {
		t.Errorf("granted %v, %v", d.Granted(), d.Refusal())
	}
	d = Decision{findings: []Finding{{Condition: NothingOpen, Verdict: Holds}}}.grant()
	if !d.Granted() {
		t.Error("all that was asked holds, and yet it is not granted")
	}
	for _, verdict := range []Verdict{"", Fails, NotOpened, "wave"} {
		d = Decision{findings: []Finding{{Verdict: Holds, Blocks: true}, {Verdict: verdict, Blocks: true}}}.grant()
		if d.Granted() {
			t.Errorf("granted on %q", verdict)
		}
	}
}

// A rule that says nothing, such as one that forgot to answer, holds nothing: neither has a condition without one.
func TestARuleThatSaysNothingFails(t *testing.T) {
	got := judge(&Facts{}, Question{Condition: "unheard of"}, time.Time{})
	if got.Verdict != Fails || got.Code != "condition_without_rule" || got.Basis != Rerun || !got.Blocks {
		t.Errorf("%+v", got)
	}
}

// Every condition that a kind asks has a rule of its own, and every condition is asked by some kind.
func TestEveryKindHasAllItsRules(t *testing.T) {
	used := map[string]bool{}
	for _, kind := range columns {
		for _, ask := range asked {
			for _, q := range Asked(kind, ask) {
				used[q.Condition] = true
				if rule(&Facts{}, q, time.Time{}).basis == "" {
					t.Errorf("%s at %s asks %s, which has no rule", kind, ask, q.Condition)
				}
			}
		}
	}
	for condition := range titles {
		if !used[condition] {
			t.Errorf("nothing asks %s", condition)
		}
	}
}
