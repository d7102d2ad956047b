package app

import (
	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/visit"
)

// Relation says how an actor stands to an order and its visit.
func Relation(a Actor, o visit.Order, d visit.Dispatch) access.Relation {
	switch a.Role {
	case visit.RolePlatform:
		return access.Self
	case visit.RoleMerchant:
		if a.Person == o.Merchant {
			return access.PartyMerchant
		}
	case visit.RoleClerk:
		if a.Organisation == o.Acquirer && visit.ClerkOf(a.Person) == o.Merchant {
			return access.PartyClerk
		}
	case visit.RoleTechnician:
		if a.Person == d.Technician {
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
