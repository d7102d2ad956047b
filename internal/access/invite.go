package access

import "slices"

// invites says whom a role may let in to the pages of its own organisation. Signing in reads; nobody
// signs anything before the organisation itself has enrolled a key of his. Merchants come by their
// acquirer's link and code, hosts and organisations by tokens.
var invites = map[Role][]Role{
	Approver:   {Approver, Risk},
	Dispatcher: {Dispatcher, Technician},
	Supervisor: {Supervisor},
	Regulator:  {Regulator},
	Operations: {Operations},
}

// Invites lists the roles that a role may let in, none for most.
func Invites(role Role) []Role { return slices.Clone(invites[role]) }

// RequireInvite is whether role may let invited in to its own organisation's pages: access_denied unless it may.
func RequireInvite(role, invited Role) error {
	if !slices.Contains(invites[role], invited) {
		return errDenied.At("invite")
	}
	return nil
}
