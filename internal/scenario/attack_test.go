package scenario

import (
	"errors"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/gate"
)

// TestTheTableOfAttacks looks at the table itself and plays a part of it; the tests of package evidence
// play all of it.
func TestTheTableOfAttacks(t *testing.T) {
	seen := map[string]bool{}
	honest := 0
	for i, a := range Attacks() {
		if a.Name == "" || seen[a.Name] || a.Zh == "" || a.En == "" {
			t.Errorf("%q: named twice, or without its sentences", a.Name)
		}
		seen[a.Name] = true
		if len(a.Refused) == 0 {
			honest++
		}
		if (a.Run == nil) != (len(a.Refused) == 1 && a.Refused[0].By == ByTrustFile) {
			t.Errorf("%s: only a trust file that cannot be read leaves nothing to play", a.Name)
		}
		for _, r := range a.Refused {
			if r.Code == "" || r.By == "" {
				t.Errorf("%s: refused without reason or place", a.Name)
			}
		}
		if i%12 != 0 {
			continue
		}
		if ran := a.InMemory(t.Context(), began); !ran.AsExpected() {
			t.Errorf("%s: got %q by %q, want %v: %v", a.Name, ran.Refusal.Code, ran.Refusal.By, a.Refused, ran.Err)
		}
	}
	if honest < 5 || honest == len(seen) {
		t.Errorf("%d of %d are honest", honest, len(seen))
	}
}

func TestAnAttackThatEndsOtherwiseIsNotAsExpected(t *testing.T) {
	wanted := Attack{Name: "x", Refused: by("place-matches", "place_outside")}
	denied := &Denied{Ask: "admit", Answer: Answer{Code: "place_outside", By: "technician-admitted", Failing: map[string]string{"place-matches": "place_outside"}}}
	for name, r := range map[string]struct {
		ran  Ran
		want bool
	}{
		"it succeeded":                 {wanted.ended(nil), false},
		"for another reason":           {wanted.ended(&Refusal{Code: "not_opened", By: "place-matches"}), false},
		"by another":                   {wanted.ended(&Refusal{Code: "place_outside", By: ByHost}), false},
		"as expected":                  {wanted.ended(&Refusal{Code: "place_outside", By: "place-matches"}), true},
		"earlier, at intake":           {wanted.ended(&Refusal{Code: "place_outside", By: ByIntake}), true},
		"beside an earlier condition":  {wanted.ended(denied), true},
		"an honest one that passes":    {Attack{}.ended(nil), true},
		"an honest one that is denied": {Attack{}.ended(denied), false},
	} {
		if got := r.ran.AsExpected(); got != r.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A server refuses some attacks before a judge sees them, and freezes a visit over a contradiction.
func TestWhatIsExpectedOfAServer(t *testing.T) {
	frozen := Refusal{"visit_frozen", gate.NothingOpen}
	contradicts := Attack{Name: "x", Refused: by(gate.TechnicianAdmitted, "kb_nonce")}
	beside := func(code string) error {
		return &Denied{Answer: Answer{Failing: map[string]string{gate.NothingOpen: "visit_frozen", gate.TechnicianAdmitted: code}}}
	}
	for name, c := range map[string]struct {
		ran  Ran
		want bool
	}{
		"sooner":                           {Ran{Attack: Attack{Name: "clerk-confirms"}, Refusal: Refusal{"access_denied", ByIntake}, Err: errors.New("x")}, true},
		"sooner, otherwise":                {Ran{Attack: Attack{Name: "clerk-confirms"}, Refusal: Refusal{"visit_not_found", ByIntake}, Err: errors.New("x")}, false},
		"frozen, and its own reason":       {Ran{Attack: contradicts, Refusal: frozen, Err: beside("kb_nonce")}, true},
		"frozen, and some other reason":    {Ran{Attack: contradicts, Refusal: frozen, Err: beside("kb_audience")}, false},
		"frozen, and nobody asked a judge": {Ran{Attack: contradicts, Refusal: frozen, Err: errors.New("x")}, false},
	} {
		if got := c.ran.AsExpectedOfServer(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What publishes for everybody spoils the deployment for the next attack.
func TestAttacksThatPublishPlayAlone(t *testing.T) {
	for _, a := range Attacks() {
		if strings.Contains(a.Name, "course-published") && !a.Alone && !a.Liar {
			t.Errorf("%s shares a server", a.Name)
		}
	}
}
