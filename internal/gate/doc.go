// Package gate decides. It takes facts, which package evidence recomputes from verified statements
// at every ask, and answers with every condition's verdict and reason. Pure; deny is the zero value
// and the last line.
//
// The table in table.go is the whole of "what is asked when"; conditions.go and its neighbours are
// the whole of "what holds". There is no other place where a visit gains power.
package gate

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/visit"
)

// Verdict is what one condition came to. The zero value fails.
type Verdict string

// Verdicts. Only Holds is green.
const (
	Fails     Verdict = "fails"
	NotOpened Verdict = "not_opened" // committed, and the opening is absent or erased
	Holds     Verdict = "holds"
)

// Bases of a verdict (design §5).
const (
	Rerun    = "re-run"   // from signatures of others
	Attested = "attested" // a signed register extract says so
	Unopened = "not opened"
)

// Conditions, by name.
const (
	InstitutionLicensed = "institution-licensed"
	ProviderFiled       = "provider-filed"
	TechnicianTrained   = "technician-trained"
	AgreementSigned     = "agreement-signed"
	MerchantVerified    = "merchant-verified"
	DutiesSeparated     = "duties-separated"
	NothingOpen         = "nothing-open"
	TechnicianAdmitted  = "technician-admitted"
	PlaceMatches        = "place-matches"
	ModelApproved       = "model-approved"
	CustodyUnbroken     = "custody-unbroken"
	BindingUnique       = "binding-unique"
	DeviceGenuine       = "device-genuine"
	DataBackedUp        = "data-backed-up"
	RollbackReady       = "rollback-ready"
	StepsComplete       = "steps-complete"
	Supervised          = "supervised"
	AcceptancePassed    = "acceptance-passed"
	FeesWithinSheet     = "fees-within-sheet"
	MerchantConfirmed   = "merchant-confirmed"
	KeysEnded           = "keys-ended"
)

// Fact is a value that a verifier made, or why it could not. The zero value is neither, and every
// condition that needs it fails.
type Fact[T any] struct {
	Value T
	Err   error
	From  []string // digests of the statements it rests on
	known bool
}

// Known wraps a value that a verifier made.
func Known[T any](v T, from ...string) Fact[T] { return Fact[T]{Value: v, From: from, known: true} }

// Unknown wraps the reason why there is none.
func Unknown[T any](err error, from ...string) Fact[T] { return Fact[T]{Err: err, From: from} }

var (
	errAbsent     = fault.New(fault.Refused, "evidence_absent", "还没有这一项的证据。", "There is no evidence for this yet.")
	errUnverified = fault.New(fault.Refused, "evidence_unverified", "这一项的证据没有核对过。", "The evidence for this was never verified.")
)

// get gives the value, or the reason why the condition fails.
func (f *Fact[T]) get() (T, error) { return f.or(errAbsent) }

// or is get with a condition's own word for "there is none".
func (f *Fact[T]) or(absent *fault.Fault) (T, error) {
	if f.known && f.Err == nil {
		return f.Value, nil
	}
	var zero T
	if f.Err != nil {
		return zero, f.Err
	}
	return zero, absent
}

// Party is one person with a duty, as keys and enrolments show it.
type Party struct {
	Holder       string
	Organisation string
	Key          string // thumbprint
}

// Admission is the door check as it was verified again.
type Admission struct {
	At           time.Time // when the merchant signed the verdict, or when it was received if that was earlier
	Genuine      bool
	SameFace     bool
	Mode         string
	BadgeKey     string // thumbprint that the badge binds: the technician's own, or one that lives for a day
	BadgeFor     string // for whom its issuer recorded it, "" for a badge without a record
	StaffOf      string // organisation that issued the badge
	Name         string // commitment on the badge
	Photo        string // commitment on the badge
	Status       error  // nil while the badge is valid by the newest list and no revocation is known
	TechnicianIn error  // nil while the technician's own enrolment is in force
}

// Reading is one distance from the shop.
type Reading struct {
	Source string // role whose device it was read on
	Metres int    // rounded up
}

// Place is every reading that could be opened, and how many could not.
type Place struct {
	Readings []Reading
	Unopened int
}

// Attestation is one verified device quote with the times of its nonce.
type Attestation struct {
	Quote    attest.Verified
	AskedAt  time.Time
	AnswerAt time.Time
	Number   int // of the challenge's event in the visit's stream
}

// Mandate is the acquirer's mandate of the provider as it was found.
type Mandate struct {
	SignedBy string // organisation whose key signed it
	Span     registry.Span
}

// Backup says how the shop's data is safe.
type Backup struct {
	Restored      bool // a restore gave back what was backed up
	NothingToKeep bool // the merchant signed so
}

// Acceptance is the host's report with the number of the event that brought it.
type Acceptance struct {
	Report  agreement.AcceptanceVerified
	Earlier []agreement.TrialVerified // of this visit's trials before the last
	Number  int
}

// StepDone is one recorded step.
type StepDone struct {
	Step   visit.Step
	Role   string
	Digest string
	Stray  error // why a photo of it cannot be of this visit, nil if all can
}

// Facts is everything the conditions read. Package evidence builds it; nothing else does.
type Facts struct {
	Kind         string
	Opened       bool // a repair's device was opened or changed
	Stage        visit.Stage
	Frozen       bool
	Open         []string
	Marks        []visit.Mark // of the dispatched device, from its own stream: lost or quarantined
	OldMarks     []visit.Mark // of the terminal that a swap takes over from
	Order        Fact[visit.Order]
	Assigned     visit.Dispatch
	Trust        Fact[credential.Trust]
	Parameters   Fact[registry.Parameters]
	Mandate      Fact[Mandate]
	Certificates Fact[[]registry.Certificate] // of the technician, signed by enrolled course issuers
	Uncounted    map[string]error             // by course: why his certificate of it does not count
	Agreement    Fact[agreement.Verified]
	Merchant     Fact[Party] // the key that the acquirer enrolled
	Approver     Fact[Party]
	Approved     []Party // whoever else signed for the acquirer: the sheet, the visit
	Technician   Fact[Party]
	Supervisor   Fact[Party]
	Extract      Fact[registry.Extract]
	Admission    Fact[Admission]
	Place        Fact[Place]
	Custody      Fact[custody.Verified]
	Quotes       Fact[[]Attestation]
	Backup       Fact[Backup]
	Steps        Fact[[]StepDone]
	SignOff      Fact[visit.SignOff]
	TrialPermit  Fact[visit.Recorded[visit.Decision]] // the last trial permit that the host loaded
	Acceptance   Fact[Acceptance]
	Confirmation Fact[visit.Confirmation]
	Charges      Fact[agreement.ChargeList] // the host's list, for visits without a script
	Work         Fact[visit.DeviceWork]     // the technician's own word about a repaired device
	OldState     Fact[visit.TerminalState]  // the host's last word about the old terminal
	Ended        Fact[Ended]
	EndConsent   Fact[visit.EndConsent]
	Outage       Fact[visit.OutageAccepted]
	Returned     Fact[Returned]
	Places       Fact[Places]
	Rollback     time.Time // when the timer runs out; zero before the first trial permit sets it
	Demo         bool      // the trust file calls itself a demonstration

	ask string // which is being judged
}

// Ended is a terminal whose keys are gone, as its host says.
type Ended struct {
	Serial   string
	Terminal string
}

// Returned is the chain of the device that a swap or removal takes away.
type Returned struct {
	Chain custody.Verified
	Given bool // the merchant signed it over for this order
	Lost  bool // the merchant or the acquirer's risk desk signed that it is lost, and nobody lifted that
	Early bool // before the host said that its keys were gone
}

// Places are a relocation's two addresses, as far as they could be opened.
type Places struct {
	Same     bool
	Unopened bool
}

// Finding is one condition's answer.
type Finding struct {
	Condition string
	Verdict   Verdict
	Basis     string
	Code      string // the reason's stable code, "" when it holds
	Text      fault.Text
	Evidence  []string // digests
	Blocks    bool     // false: a failure opens an incident but does not block
}

// Decision is the whole answer to an ask. The zero value denies.
type Decision struct {
	ask      string
	findings []Finding
	refusal  error
	granted  bool
}

// Granted is true only if every blocking condition of the ask holds.
func (d Decision) Granted() bool { return d.granted }

// Ask is what was asked.
func (d Decision) Ask() string { return d.ask }

// Findings are all conditions of the ask, in the table's order.
func (d Decision) Findings() []Finding {
	out := slices.Clone(d.findings)
	for i := range out {
		out[i].Evidence = slices.Clone(out[i].Evidence)
	}
	return out
}

// Refusal is why the ask was not judged by conditions at all, nil if it was.
func (d Decision) Refusal() error { return d.refusal }
