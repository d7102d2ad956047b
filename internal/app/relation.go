package app

import (
	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/visit"
)

// Relation says how an actor stands to an order and its visit. A name alone is nobody, as in package evidence: another
// organisation may call somebody of its own by it (decision 74). A supervisor's is not in the dispatch; who signs in by
// it is whoever has it on file.
func Relation(a Actor, o visit.Order, d visit.Dispatch) access.Relation {
	switch a.Role {
	case visit.RolePlatform:
		return access.Self
	case visit.RoleMerchant:
		if a.Person == o.Merchant && a.Organisation == o.Acquirer {
			return access.PartyMerchant
		}
	case visit.RoleClerk:
		if a.Organisation == o.Acquirer && visit.ClerkOf(a.Person) == o.Merchant {
			return access.PartyClerk
		}
	case visit.RoleTechnician:
		if a.Person == d.Technician && a.Organisation == o.Provider {
			return access.Assigned
		}
	case visit.RoleSupervisor:
		if a.Person == d.Supervisor {
			return access.Assigned
		}
	case visit.RoleDispatcher, visit.RoleCustodian:
		if a.Organisation == o.Provider {
			return access.OwnOrganisation
		}
	case visit.RoleApprover, visit.RoleRisk, visit.RoleHost:
		if a.Organisation == o.Acquirer {
			return access.OwnOrganisation
		}
	}
	return access.None
}
