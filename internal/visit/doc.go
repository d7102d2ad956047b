// Package visit is the life of one visit: the verbs, who may use them, from which stage, and what
// they change. Pure: Decide says whether a statement may be recorded, Fold replays what was.
//
// Glossary (one word, one meaning; design §3):
//
//	order      what is to be done at a shop, by when, for which price, at which risk
//	visit      one carrying-out of an order
//	stage      where a visit stands: booked, dispatched, admitted, trial, live, closed, or an end
//	frozen     a flag, not a stage: what gives power stops, evidence is still received
//	statement  bytes that somebody signed
//	verb       what a statement asks for
//	event      menshen's numbered record, in one stream, that a statement was received under a verb
//	ask        what the gate is asked: dispatch, admit, trial, live, end, close
//	decision   the gate's positive answer; a permit is a decision at trial, live or end
//	release    the acquirer's host acting on a permit
//	outcome    what the host signed: loaded, keys_ended, refused or cancelled
package visit

// Stage is where a visit stands. The zero value is a visit nobody booked.
type Stage string

// Stages, in the order of an honest visit, then the ends.
const (
	None       Stage = ""
	Booked     Stage = "booked"
	Dispatched Stage = "dispatched"
	Admitted   Stage = "admitted"
	Trial      Stage = "trial"
	Live       Stage = "live"
	Closed     Stage = "closed"
	Refused    Stage = "refused"
	Aborted    Stage = "aborted"
	RolledBack Stage = "rolled_back"
)

// Ended says whether nothing more can gain power on this visit.
func (s Stage) Ended() bool {
	return s == Closed || s == Refused || s == Aborted || s == RolledBack
}

// Kinds of visit.
const (
	Install    = "install"
	Swap       = "swap"
	Relocation = "relocation"
	Repair     = "repair"
	Removal    = "removal"
	Inspection = "inspection"
)

// Asks, in the order in which an honest visit puts them.
const (
	AskDispatch = "dispatch"
	AskAdmit    = "admit"
	AskTrial    = "trial"
	AskLive     = "live"
	AskEnd      = "end"
	AskClose    = "close"
)

// Roles that sign statements. Organisation keys sign as "organisation" or as their kind.
const (
	RoleMerchant     = "merchant"
	RoleClerk        = "clerk" // let in by the merchant, for door and till only
	RoleTechnician   = "technician"
	RoleDispatcher   = "dispatcher"
	RoleApprover     = "approver"
	RoleSupervisor   = "supervisor"
	RoleHost         = "host"
	RoleRisk         = "risk"
	RoleRegulator    = "regulator"
	RolePlatform     = "platform"
	RoleMaker        = "maker"
	RoleCourseIssuer = "course_issuer"
	RoleCustodian    = "custodian"
	RoleOrganisation = "organisation"
)
