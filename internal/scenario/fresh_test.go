package scenario

import "testing"

func TestTheFirstTableNamesAttacksThatExist(t *testing.T) {
	if got := len(FirstAttacks()); got != len(first) {
		known := map[string]bool{}
		for _, a := range Attacks() {
			known[a.Name] = true
		}
		for _, name := range first {
			if !known[name] {
				t.Errorf("no attack is named %s", name)
			}
		}
		t.Errorf("%d of %d attacks of the first table exist", got, len(first))
	}
}
