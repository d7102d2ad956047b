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

// A rule that says nothing, such as one that forgot to answer, holds nothing.
func TestARuleThatSaysNothingFails(t *testing.T) {
	rules["forgotten"] = func(*Facts, time.Time, bool) finding { return finding{} }
	defer delete(rules, "forgotten")
	for _, condition := range []string{"forgotten", "unheard of"} {
		got := judge(&Facts{}, Question{Condition: condition}, time.Time{})
		if got.Verdict != Fails || got.Code != "condition_without_rule" || got.Basis != Rerun || !got.Blocks {
			t.Errorf("%s: %+v", condition, got)
		}
	}
}

// Every condition that a kind asks has a rule, and no rule is for nothing.
func TestEveryKindHasAllItsRules(t *testing.T) {
	used := map[string]bool{}
	for _, kind := range columns {
		for _, ask := range asked {
			for _, q := range Asked(kind, ask) {
				used[q.Condition] = true
				if rules[q.Condition] == nil {
					t.Errorf("%s at %s asks %s, which has no rule", kind, ask, q.Condition)
				}
			}
		}
	}
	for condition := range rules {
		if !used[condition] {
			t.Errorf("nothing asks %s", condition)
		}
	}
}
