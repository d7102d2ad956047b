package cli

import "testing"

// A provider's and a supervisors' service that start at once once drew one port.
func TestNoAddressIsDrawnTwice(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		a := anyAddress()
		if seen[a] {
			t.Fatalf("%s twice", a)
		}
		seen[a] = true
	}
}
