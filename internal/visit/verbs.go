package visit

import (
	"slices"

	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
)

// Sort says what a verb does with power. What takes power away and what only brings evidence is
// never refused for the stage or a freeze, only recorded. A review alone waits, for the close that
// it is about.
type Sort int

// Sorts of verb. The zero value gives power, so that a forgotten entry is held to the strictest rule.
const (
	GivesPower Sort = iota
	BringsEvidence
	TakesPower
)

// Row is one line of the verb table.
type Row struct {
	Stream string // kind of stream
	Verb   string // as in page, API, log and docs
	Type   string // statement type
	Roles  []string
	From   []Stage // stages it may be used from; nil means any, for evidence and brakes
	Sort   Sort
}

// Kinds of stream.
const (
	StreamVisit        = "visit"
	StreamOrder        = "order"
	StreamDevice       = "device"
	StreamPerson       = "person"
	StreamOrganisation = "organisation"
)

// Verbs, one name each.
const (
	Book             = "book"
	Agree            = "agree"
	DispatchVerb     = "dispatch"
	Reassign         = "reassign"
	ChallengeVerb    = "challenge"
	Admit            = "admit"
	Refuse           = "refuse"
	Transfer         = "transfer"
	BackUp           = "back_up"
	RecordStep       = "record_step"
	AttestDevice     = "attest_device"
	SignOffVerb      = "sign_off"
	ReportAcceptance = "report_acceptance"
	ReportTerminal   = "report_terminal"
	Confirm          = "confirm"
	Train            = "train"
	TakeTest         = "take_test"
	Enrol            = "enrol"
	EndEnrolment     = "end_enrolment"
	IssueBadge       = "issue_badge"
	RevokeBadge      = "revoke_badge"
	Publish          = "publish"
	RequestPermit    = "request_permit"
	ReleasePermit    = "release_permit"
	Freeze           = "freeze"
	Cancel           = "cancel"
	RollBack         = "roll_back"
	Abort            = "abort"
	Close            = "close"
	ReviewVerb       = "review"
	ReportIncident   = "report_incident"
	Resume           = "resume"
	Settle           = "settle"
)

func roles(r ...string) []string { return r }
func from(s ...Stage) []Stage    { return s }

var parties = roles(RoleMerchant, RoleClerk, RoleTechnician, RoleDispatcher, RoleApprover, RoleSupervisor, RoleRisk, RoleRegulator)

// table is the one list of what can be recorded. A (stream, verb, type) that is not here is refused.
// Types of the packages beside this one (agreement, custody, attest, credential) stand as words,
// since peers do not import each other; a test in package evidence holds them equal.
var table = []Row{
	{StreamOrder, Book, TypeOrder, roles(RoleApprover), nil, GivesPower},
	{StreamOrder, Agree, "agreement", roles(RoleMerchant, RoleApprover), nil, BringsEvidence},

	{StreamVisit, Book, TypeOpened, roles(RoleApprover), from(None), GivesPower},
	{StreamVisit, DispatchVerb, TypeDispatch, roles(RoleDispatcher), from(Booked), GivesPower},
	{StreamVisit, Reassign, TypeDispatch, roles(RoleDispatcher), from(Booked, Dispatched), GivesPower},
	{StreamVisit, DispatchVerb, TypeDecision, roles(RolePlatform), from(Booked), GivesPower},
	{StreamVisit, Publish, registry.TypeExtract, roles(RolePlatform), nil, BringsEvidence},
	{StreamVisit, ChallengeVerb, TypeChallenge, roles(RolePlatform), nil, BringsEvidence},
	{StreamVisit, Admit, TypeAdmission, roles(RoleMerchant, RoleClerk), nil, BringsEvidence},
	{StreamVisit, Admit, TypeDecision, roles(RolePlatform), from(Dispatched), GivesPower},
	{StreamVisit, Refuse, TypeRefusal, roles(RoleMerchant, RoleClerk, RoleTechnician), nil, TakesPower},
	{StreamVisit, RecordStep, TypeStep, roles(RoleTechnician, RoleMerchant), nil, BringsEvidence},
	{StreamVisit, RecordStep, "arrival", roles(RoleTechnician), nil, BringsEvidence},
	{StreamVisit, RecordStep, TypeDeviceWork, roles(RoleTechnician, RoleMerchant), nil, BringsEvidence},
	{StreamVisit, BackUp, TypeBackup, roles(RoleTechnician), nil, BringsEvidence},
	{StreamVisit, BackUp, TypeNothingToKeep, roles(RoleMerchant), nil, BringsEvidence},
	{StreamVisit, AttestDevice, "attestation", roles(RolePlatform), nil, BringsEvidence},
	{StreamVisit, SignOffVerb, TypeSignOff, roles(RoleSupervisor), nil, BringsEvidence},
	{StreamVisit, ReportAcceptance, "acceptance", roles(RoleHost), nil, BringsEvidence},
	{StreamVisit, ReportAcceptance, "charge_list", roles(RoleHost), nil, BringsEvidence},
	{StreamVisit, ReportTerminal, TypeTerminalState, roles(RoleHost), nil, BringsEvidence},
	{StreamVisit, Confirm, TypeConfirmation, roles(RoleMerchant), nil, BringsEvidence},
	{StreamVisit, Confirm, TypeEndConsent, roles(RoleMerchant), nil, BringsEvidence},
	{StreamVisit, Confirm, TypeOutageAccepted, roles(RoleMerchant), nil, BringsEvidence},
	{StreamVisit, RequestPermit, TypeDecision, roles(RolePlatform), from(Admitted, Trial, Live), GivesPower},
	{StreamVisit, ReleasePermit, TypeIntent, roles(RolePlatform), from(Admitted, Trial, Live), GivesPower},
	{StreamVisit, ReleasePermit, TypeOutcome, roles(RoleHost), nil, BringsEvidence},
	{StreamVisit, Close, TypeDecision, roles(RolePlatform), from(Admitted, Live), GivesPower},
	{StreamVisit, Freeze, TypeBrake, parties, nil, TakesPower},
	{StreamVisit, Cancel, TypeBrake, roles(RolePlatform, RoleDispatcher, RoleApprover, RoleRisk), nil, TakesPower},
	{StreamVisit, RollBack, TypeBrake, roles(RoleTechnician, RoleMerchant, RoleDispatcher, RoleApprover, RoleRisk, RolePlatform), nil, TakesPower},
	{StreamVisit, Abort, TypeBrake, roles(RoleMerchant, RoleTechnician, RoleDispatcher, RoleApprover, RoleRisk), nil, TakesPower},
	{StreamVisit, ReportIncident, TypeIncident, append(roles(RolePlatform), parties...), nil, TakesPower},
	{StreamVisit, Resume, TypeResumption, roles(RoleRisk), nil, GivesPower},
	{StreamVisit, Settle, TypeRuling, roles(RoleDispatcher, RoleRisk), nil, BringsEvidence},
	{StreamVisit, ReviewVerb, TypeReview, roles(RoleMerchant, RoleTechnician, RoleDispatcher, RoleApprover, RoleSupervisor), from(Closed), BringsEvidence},

	{StreamDevice, Transfer, "transfer", roles(RoleMaker, RoleCustodian, RoleTechnician, RoleMerchant, RoleDispatcher), nil, BringsEvidence},
	{StreamDevice, Freeze, TypeSuspension, roles(RoleMaker, RoleCustodian, RoleTechnician, RoleMerchant, RoleDispatcher, RoleApprover, RoleRisk, RoleRegulator), nil, TakesPower},
	{StreamDevice, Resume, TypeReinstatement, roles(RoleRisk, RoleRegulator), nil, GivesPower},

	{StreamPerson, Train, registry.TypeCertificate, roles(RoleCourseIssuer), nil, BringsEvidence},
	{StreamPerson, TakeTest, registry.TypeAttempt, roles(RoleTechnician, RoleMerchant, RoleClerk), nil, BringsEvidence},
	{StreamPerson, IssueBadge, registry.TypeBadgeIssued, roles(RoleOrganisation), nil, BringsEvidence},
	{StreamPerson, RevokeBadge, registry.TypeBadgeRevoked, roles(RoleOrganisation), nil, TakesPower},
	// A merchant lets in his own clerks, in his own stream; nobody else's keys are his to vouch for.
	{StreamPerson, Enrol, statement.TypeEnrolment, roles(RoleMerchant), nil, BringsEvidence},
	{StreamPerson, EndEnrolment, statement.TypeEnrolmentEnd, roles(RoleMerchant), nil, TakesPower},

	{StreamPerson, Freeze, TypeSuspension, roles(RoleRisk, RoleRegulator), nil, TakesPower},
	{StreamPerson, Resume, TypeReinstatement, roles(RoleRisk, RoleRegulator), nil, GivesPower},

	{StreamOrganisation, Freeze, TypeSuspension, roles(RoleRisk, RoleRegulator), nil, TakesPower},
	{StreamOrganisation, Resume, TypeReinstatement, roles(RoleRisk, RoleRegulator), nil, GivesPower},
	{StreamOrganisation, Publish, "trust_list", roles(RoleRegulator), nil, BringsEvidence},
	{StreamOrganisation, Publish, registry.TypeParameters, roles(RoleOrganisation), nil, BringsEvidence},
	{StreamOrganisation, Publish, registry.TypeCourse, roles(RoleCourseIssuer), nil, BringsEvidence},
	{StreamOrganisation, Publish, registry.TypeMandate, roles(RoleOrganisation), nil, BringsEvidence},
	{StreamOrganisation, Publish, registry.TypeStatusList, roles(RoleOrganisation), nil, BringsEvidence},
	{StreamOrganisation, Enrol, statement.TypeEnrolment, roles(RoleOrganisation), nil, BringsEvidence},
	{StreamOrganisation, EndEnrolment, statement.TypeEnrolmentEnd, roles(RoleOrganisation), nil, TakesPower},
}

// Table gives a copy of the verb table, for the API and the docs.
func Table() []Row {
	out := make([]Row, 0, len(table))
	for _, r := range table {
		out = append(out, r.clone())
	}
	return out
}

// clone keeps a caller from writing into the table.
func (r Row) clone() Row {
	r.Roles, r.From = slices.Clone(r.Roles), slices.Clone(r.From)
	return r
}

// Find gives the row of a statement type under a verb in a kind of stream.
func Find(stream, verb, statementType string) (Row, bool) {
	for _, r := range table {
		if r.Stream == stream && r.Verb == verb && r.Type == statementType {
			return r.clone(), true
		}
	}
	return Row{}, false
}

// Allows says whether a role may sign this row's statement.
func (r Row) Allows(role string) bool { return slices.Contains(r.Roles, role) }
