package registry_test

import (
	"testing"

	"github.com/menshen-project/menshen/internal/registry"
)

// A look remembers whose an ended terminal was by both codes, or not at all.
func TestWhatIsGone(t *testing.T) {
	for look, want := range map[*registry.BindingLook]bool{nil: false, {}: false, {LastAcquirer: "1"}: false, {LastMerchant: "1"}: false, {LastAcquirer: "1", LastMerchant: "2"}: true} {
		if look.Gone() != want {
			t.Errorf("%+v: %v", look, !want)
		}
	}
}
