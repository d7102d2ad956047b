package evidence_test

import (
	"testing"

	"github.com/menshen-project/menshen/internal/scenario"
)

// The whole table of attacks runs here, where most of them are refused.
func TestEveryAttackIsRefusedForItsOwnReason(t *testing.T) {
	attacks := scenario.Attacks()
	for _, a := range attacks {
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			ran := a.InMemory(t.Context(), began)
			if !ran.AsExpected() {
				t.Errorf("%s\n got %q by %q\nwant %v\n%v", a.En, ran.Refusal.Code, ran.Refusal.By, a.Refused, ran.Err)
			}
		})
	}
	if len(attacks) < 265 {
		t.Errorf("only %d attacks", len(attacks))
	}
}
