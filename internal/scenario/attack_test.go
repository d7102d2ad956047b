package scenario

import "testing"

func TestEveryAttackIsRefusedForItsOwnReason(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range Attacks() {
		if seen[a.Name] || a.Zh == "" || a.En == "" {
			t.Errorf("%s: named twice, or without its sentences", a.Name)
		}
		seen[a.Name] = true
		t.Run(a.Name, func(t *testing.T) {
			ran := a.InMemory(t.Context(), began)
			if !ran.AsExpected() {
				t.Errorf("%s\n got %q by %q\nwant %v\n%v", a.En, ran.Refusal.Code, ran.Refusal.By, a.Refused, ran.Err)
			}
		})
	}
	t.Logf("%d attacks", len(seen))
}
