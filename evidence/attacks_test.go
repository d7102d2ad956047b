package evidence_test

import (
	"testing"

	"github.com/menshen-project/menshen/internal/scenario"
)

// The whole attack table is this package's test: each attack is refused by the judge, the host or
// the verifier that is meant to refuse it, for its own reason; what only looks like one passes.
func TestEveryAttackIsRefusedForItsOwnReason(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range scenario.Attacks() {
		if seen[a.Name] || a.Zh == "" || a.En == "" {
			t.Errorf("%s: named twice, or without its sentences", a.Name)
		}
		seen[a.Name] = true
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			ran := a.InMemory(t.Context(), began)
			if !ran.AsExpected() {
				t.Errorf("%s\n got %q by %q\nwant %v\n%v", a.En, ran.Refusal.Code, ran.Refusal.By, a.Refused, ran.Err)
			}
		})
	}
	t.Logf("%d attacks", len(seen))
}
