package scenario

import "testing"

// Every attack on a kind of visit is refused for its own reason, and every honest one of them passes.
func TestKindAttacks(t *testing.T) {
	for _, a := range kindAttacks {
		t.Run(a.Name, func(t *testing.T) {
			if ran := a.InMemory(t.Context(), began); !ran.AsExpected() {
				t.Errorf("got %q by %q, want %v: %v", ran.Refusal.Code, ran.Refusal.By, a.Refused, ran.Err)
			}
		})
	}
}
