package access

import (
	"slices"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
)

// Every role at every role: the field side lets in nobody of the acquirer's, and nobody lets in the platform.
func TestWhoLetsWhomIn(t *testing.T) {
	allowed := map[Role][]Role{Approver: {Approver, Risk}, Dispatcher: {Dispatcher, Technician}, Supervisor: {Supervisor}, Regulator: {Regulator}, Operations: {Operations}}
	for _, by := range append(Roles(), "", "king") {
		for _, whom := range append(Roles(), "", "king") {
			err := RequireInvite(by, whom)
			if want := slices.Contains(allowed[by], whom); (err == nil) != want {
				t.Errorf("%s lets in %s: %v", by, whom, err)
			}
			if err != nil && fault.CodeOf(err) != "access_denied" {
				t.Error(err)
			}
		}
		if !slices.Equal(Invites(by), allowed[by]) {
			t.Errorf("%s: %v", by, Invites(by))
		}
	}
}
