// Package access decides who may ask for what: role × verb × relation, one table, pure (design §2,
// §14). What the table does not name is denied; so is every role, verb or relation it has never
// heard of, and the zero value of Decision.
//
// Asking is not signing. A verb that is allowed here still needs a statement of the right type by an
// enrolled key in the right role, from the right stage (packages visit and evidence): a technician
// asks for a permit or for the day's badge, the platform or the employer's key signs it.
//
// Two rules come from the law (条例 art. 21–22): the field role never approves a merchant and never
// signs for the institution. One comes from the merchant's way in (design §6): no provider role
// ever sees the order link.
package access

import (
	"slices"

	"github.com/menshen-project/menshen/internal/fault"
)

// Role is what somebody is enrolled as.
type Role string

// Roles.
const (
	Merchant     Role = "merchant"
	Clerk        Role = "clerk" // the owner's help at the till: door and till only
	Technician   Role = "technician"
	Dispatcher   Role = "dispatcher"
	Approver     Role = "approver"
	Supervisor   Role = "supervisor"
	Host         Role = "host"
	Risk         Role = "risk"
	Regulator    Role = "regulator"
	Platform     Role = "platform"
	Maker        Role = "maker"
	CourseIssuer Role = "course_issuer"
	Custodian    Role = "custodian"
	Organisation Role = "organisation"
	Operations   Role = "operations" // runs the deployment: sees how it does, nobody's visits and nobody's values
)

// Relation is how the actor stands to the order, visit or stream that is asked about. The caller
// finds it from records, never from what the actor says.
type Relation string

// Relations.
const (
	Self            Relation = "self"             // his own person or organisation stream, the device he holds; for the platform, its own deployment
	OwnOrganisation Relation = "own_organisation" // his organisation is the order's acquirer, provider or supervisor, the person's employer, the device's holder, or has mandated the organisation
	Assigned        Relation = "assigned"         // the technician, or supervisor, whom the visit's dispatch names
	PartyMerchant   Relation = "party_merchant"   // the merchant of the order
	PartyClerk      Relation = "party_clerk"      // a clerk whom that merchant let in
	None            Relation = "none"             // nothing of these
)

// Decision is the answer. The zero value denies.
type Decision int

// Decisions.
const (
	Deny Decision = iota
	Allow
)

// Allowed is true only for Allow.
func (d Decision) Allowed() bool { return d == Allow }

var errDenied = fault.New(fault.Forbidden, "access_denied", "您没有权限做这件事。", "You may not do this here.")

// Decide answers for one role, verb and relation. Verbs that mean two things on two streams are
// told apart by On.
func Decide(role Role, verb string, relation Relation) Decision {
	for _, g := range table[verb] {
		if g.role == role && slices.Contains(g.relations, relation) {
			return Allow
		}
	}
	return Deny
}

// Require is Decide as an error: access_denied, at the verb, unless allowed.
func Require(role Role, verb string, relation Relation) error {
	if !Decide(role, verb, relation).Allowed() {
		// An unknown verb came from outside and is not repeated.
		if _, known := table[verb]; known {
			return errDenied.At(verb)
		}
		return errDenied
	}
	return nil
}
