package access

import (
	"maps"
	"slices"
)

// Verbs that only read.
const (
	ReadVisit     = "read_visit"      // the visit page; each role sees its own fields
	ReadBundle    = "read_bundle"     // dossier with receipts
	ReadOpenings  = "read_openings"   // the personal values behind commitments, with purpose, recorded
	ReadOrderLink = "read_order_link" // see or resend the address of the merchant's page
	ListVisits    = "list_visits"
	ReadRoll      = "read_roll"    // who of one's own organisation has a key and who lacks one
	ReadPhotos    = "read_photos"  // the pictures that steps name, with purpose, recorded
	ReadTickets   = "read_tickets" // after-sales service; notes are opened, and the look recorded
	ReadDoor      = "read_door"    // the result of a door check, with the likeness of who was sent
	ReadPackage   = "read_package" // what a phone keeps of an order for checking without signal
	AnswerDoor    = "answer_door"  // show one's badge to a door challenge

	ReadFeed       = "read_feed"       // the opened leaves that concern one's organisation, for its monitor; the regulator's opens all
	ReadRegistry   = "read_registry"   // an acquirer's own merchants, shops, orders and terminals; personal values masked
	DraftSheet     = "draft_sheet"     // write price sheets that nobody has signed yet
	CompareCharges = "compare_charges" // lay a settlement against the signed sheets, and say how a difference was set right
	ReadCharges    = "read_charges"    // what a shop was charged beyond its sheet
	ReadUnsent     = "read_unsent"     // what technicians' phones say that they have not sent
	ReadOperations = "read_operations" // how the deployment does: log, witnesses, queues, backups; no personal value
	ImportSheets   = "import_sheets"   // bring sheets of one's own institution's merchants, shops, orders and staff
)

// SettleDeadLetter returns a job whose attempts are used up to its queue, or sets it aside, with a reason.
const SettleDeadLetter = "settle_dead_letter"

// Carry is a dispatcher bringing what his technician's phone could not send: statements count for
// their own signatures, pictures for their digests (decision 0019).
const Carry = "carry"

// Verbs of a person's or organisation's stream whose words mean another thing on a visit's.
const (
	PublishOrganisation = "publish_organisation" // lists, parameters, mandates; on a visit: register extracts
	FreezeOrganisation  = "freeze_organisation"  // a provider, merchant or person as a whole
	ResumeOrganisation  = "resume_organisation"

	FreezeDevice = "freeze_device" // mark a device lost or quarantined
	ResumeDevice = "resume_device" // lift such a mark
)

// grant lets a role ask under any of the relations.
type grant struct {
	role      Role
	relations []Relation
}

func to(role Role, relations ...Relation) grant { return grant{role, relations} }

// What is granted again and again.
var (
	merchant   = to(Merchant, PartyMerchant)
	clerk      = to(Clerk, PartyClerk)
	technician = to(Technician, Assigned)
	dispatcher = to(Dispatcher, OwnOrganisation)
	approver   = to(Approver, OwnOrganisation)
	supervisor = to(Supervisor, OwnOrganisation, Assigned)
	host       = to(Host, OwnOrganisation)
	risk       = to(Risk, OwnOrganisation)
	regulator  = to(Regulator, None) // party to nothing, watches everything
	platform   = to(Platform, Self)

	// On people and organisations every regulator stands where he stands to everything.
	regulatorOf = to(Regulator, OwnOrganisation, None)
)

// table is the whole of it, by verb. testdata/access.txt says the same by role; a test holds them
// equal.
var table = map[string][]grant{
	// order
	"book":  {approver},
	"agree": {merchant, approver},

	// door; a clerk alone at the counter can also pull the brake
	"dispatch":  {dispatcher, platform},
	"reassign":  {dispatcher},
	"challenge": {merchant, clerk, technician, platform},
	"admit":     {merchant, clerk, platform},
	"refuse":    {merchant, clerk, technician},

	// work
	"record_step":       {merchant, clerk, technician},
	"back_up":           {merchant, technician},
	"attest_device":     {technician, platform},
	"sign_off":          {supervisor},
	"report_acceptance": {host},
	"report_terminal":   {host},
	"confirm":           {merchant},
	"publish":           {platform},
	"transfer": {to(Merchant, PartyMerchant, Self), to(Technician, Assigned, Self), to(Dispatcher, OwnOrganisation, Self),
		to(Maker, OwnOrganisation, Self), to(Custodian, OwnOrganisation, Self)},

	// power
	"request_permit": {technician, dispatcher, approver, platform},
	"release_permit": {host, platform},

	// brakes
	"freeze":          {merchant, clerk, technician, dispatcher, approver, supervisor, risk, regulator},
	"report_incident": {merchant, clerk, technician, dispatcher, approver, supervisor, risk, regulator, platform},
	"cancel":          {dispatcher, approver, risk, platform},
	"roll_back":       {merchant, technician, dispatcher, approver, risk, platform},
	"abort":           {merchant, technician, dispatcher, approver, risk},
	"resume":          {risk},
	"settle":          {dispatcher, risk}, // two statements of a technician's that contradict each other

	// after
	"close":  {technician, dispatcher, approver, platform},
	"review": {merchant, technician, dispatcher, approver, supervisor},

	// people and organisations; whoever froze an organisation, only risk desk or regulator lift it
	"train":             {to(CourseIssuer, OwnOrganisation, None)}, // those it trains work elsewhere
	"take_test":         {to(Technician, Self), to(Merchant, Self), to(Clerk, Self)},
	"issue_badge":       {to(Technician, Self), to(Organisation, OwnOrganisation)},
	"revoke_badge":      {to(Technician, Self), dispatcher, to(Organisation, OwnOrganisation)},
	"enrol":             {to(Merchant, Self), to(Organisation, Self, OwnOrganisation)}, // a merchant lets in his clerks
	"end_enrolment":     {to(Merchant, Self), to(Technician, Self), dispatcher, approver, risk, to(Organisation, Self, OwnOrganisation)},
	PublishOrganisation: {to(Regulator, Self), to(CourseIssuer, Self), to(Organisation, Self)},
	// Any acquirer's risk desk, for its own orders; visit.SuspendsFor says for whose it counts.
	FreezeOrganisation: {to(Risk, OwnOrganisation, None), regulatorOf},
	ResumeOrganisation: {to(Risk, OwnOrganisation, None), regulatorOf},
	// Whoever holds a device, and the acquirer that it is bound to or on its way for, can say that it is lost. The holder
	// gains by its use, so the acquirer's risk desk lifts it; visit.MayLiftMark says whose mark.
	FreezeDevice: {to(Merchant, Self), to(Technician, Self), to(Dispatcher, OwnOrganisation, Self), to(Maker, OwnOrganisation, Self), to(Custodian, OwnOrganisation, Self),
		approver, risk, regulatorOf},
	ResumeDevice: {risk, regulatorOf},

	// after-sales service: the shop says when it is well again, whoever repairs says when he has done it
	"open_ticket":     {merchant, clerk, dispatcher, approver, risk},
	"answer_ticket":   {dispatcher, approver, risk},
	"pause_ticket":    {dispatcher, approver},
	"continue_ticket": {dispatcher, approver},
	"resolve_ticket":  {dispatcher, approver, risk},
	"reopen_ticket":   {merchant, approver, risk},
	"close_ticket":    {merchant, approver, risk},

	// reading
	ReadTickets: {merchant, clerk, dispatcher, approver, risk, regulator},
	ReadVisit:   {merchant, clerk, technician, dispatcher, approver, supervisor, host, risk, regulator, platform, to(Organisation, OwnOrganisation)},
	ReadBundle: {merchant, technician, dispatcher, approver, supervisor, host, risk, regulator, platform,
		to(Organisation, OwnOrganisation)},
	ReadOpenings:     {merchant, approver, host, risk},
	ReadOrderLink:    {merchant, approver}, // the acquirer sends it; provider roles never see it
	ReadPhotos:       {merchant, technician, dispatcher, approver, supervisor, risk},
	Carry:            {dispatcher},
	ReadDoor:         {merchant, clerk},
	ReadPackage:      {merchant, clerk, technician},
	AnswerDoor:       {technician},
	ReadRegistry:     {approver, risk},
	ReadOperations:   {to(Operations, OwnOrganisation)},
	SettleDeadLetter: {to(Operations, OwnOrganisation)},
	ReadFeed:         {dispatcher, risk, regulator, to(Organisation, OwnOrganisation)},
	DraftSheet:       {approver},
	ImportSheets:     {approver},
	CompareCharges:   {approver, risk},
	ReadCharges:      {merchant},
	ReadUnsent:       {technician, dispatcher, approver, to(Supervisor, Assigned), risk, regulator},
	ReadRoll:         {dispatcher, approver, risk, to(Supervisor, OwnOrganisation), to(Organisation, OwnOrganisation)},
	ListVisits:       {merchant, clerk, technician, dispatcher, approver, supervisor, risk, regulator, platform, to(Organisation, OwnOrganisation)},
}

// streams says which verbs a kind of stream has.
var streams = map[string][]string{
	"order": {"book", "agree"},
	"visit": {"book", "dispatch", "reassign", "challenge", "admit", "refuse", "record_step", "back_up", "attest_device", "sign_off",
		"report_acceptance", "report_terminal", "confirm", "publish", "request_permit", "release_permit", "freeze", "cancel", "roll_back",
		"report_incident", "resume", "settle", "abort", "close", "review"},
	"device":       {"transfer", "freeze", "resume"},
	"person":       {"train", "take_test", "issue_badge", "revoke_badge", "enrol", "end_enrolment", "freeze", "resume"},
	"organisation": {"publish", "enrol", "end_enrolment", "freeze", "resume"},
}

// On names the verb of a kind of stream as Decide knows it: publish, freeze and resume are other
// powers on an organisation or a device than on a visit. A verb that the stream does not have is "", which
// Decide denies.
func On(stream, verb string) string {
	if !slices.Contains(streams[stream], verb) {
		return ""
	}
	if (stream == "organisation" || stream == "person") && slices.Contains([]string{"publish", "freeze", "resume"}, verb) {
		return verb + "_organisation"
	}
	if stream == "device" && verb != "transfer" {
		return verb + "_device"
	}
	return verb
}

// Verbs lists every verb that Decide knows, sorted.
func Verbs() []string { return slices.Sorted(maps.Keys(table)) }

// Roles lists every role.
func Roles() []Role {
	return []Role{Merchant, Clerk, Technician, Dispatcher, Approver, Supervisor, Host, Risk, Regulator, Platform, Maker,
		CourseIssuer, Custodian, Organisation, Operations}
}

// Relations lists every relation.
func Relations() []Relation {
	return []Relation{Self, OwnOrganisation, Assigned, PartyMerchant, PartyClerk, None}
}
