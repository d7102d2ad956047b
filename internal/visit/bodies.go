package visit

import "github.com/menshen-project/menshen/internal/statement"

// Statement types of this package.
const (
	TypeOrder         = "order"
	TypeOpened        = "visit_opened"
	TypeDispatch      = "dispatch"
	TypeChallenge     = "challenge"
	TypeAdmission     = "admission"
	TypeRefusal       = "refusal"
	TypeStep          = "step"
	TypeBackup        = "backup"
	TypeNothingToKeep = "nothing_to_keep"
	TypeSignOff       = "sign_off"
	TypeConfirmation  = "confirmation"
	TypeDecision      = "decision"
	TypeIntent        = "release_intent"
	TypeOutcome       = "outcome"
	TypeBrake         = "brake"
	TypeIncident      = "incident"
	TypeResumption    = "resumption"
	TypeRuling        = "ruling"
	TypeReview        = "review"
	TypeSuspension    = "suspension"
	TypeReinstatement = "reinstatement"
)

// Order is what an acquirer's approver booked. The approver's signature carries the acquirer's
// acceptance of the merchant (条例 art. 22: the institution itself, never the field role).
type Order struct {
	Order       string         `json:"order"`
	Kind        string         `json:"kind"`
	Acquirer    string         `json:"acquirer"`
	Provider    string         `json:"provider"`
	Merchant    string         `json:"merchant"` // holder id of the merchant's key
	Shop        string         `json:"shop"`
	Province    string         `json:"province"` // GB/T 2260, two digits
	Business    string         `json:"business"` // what the licence must cover
	Risk        int            `json:"risk"`
	WindowFrom  statement.Time `json:"window_from"`
	WindowUntil statement.Time `json:"window_until"`
	Model       string         `json:"model"`
	Terminal    string         `json:"terminal"` // terminal code
	Items       FiveItems      `json:"items"`
	Name        string         `json:"merchant_name"` // commitment of the name that slips must print
	Position    string         `json:"position"`      // commitment of the shop's position
	Identity    IdentityCheck  `json:"identity"`
	Reason      string         `json:"reason,omitempty"` // digest of the incident that caused the order
	Old         *OldTerminal   `json:"old,omitempty"`    // what a swap replaces or a relocation moves
}

// FiveItems is what 银发〔2021〕259号 binds a serial to. Codes are public; the other three are
// commitments. A merchant without a unified social credit code (小微商户) stands there by his principal's
// resident number; exactly one of the two is given.
type FiveItems struct {
	AcquirerCode string `json:"acquirer_code"`
	MerchantCode string `json:"merchant_code"`
	CreditCode   string `json:"credit_code,omitempty"`
	Principal    string `json:"principal,omitempty"` // the order's identity.principal
	Account      string `json:"account"`
	Address      string `json:"address"`
}

// Items that say whose a serial is, as register extracts name them.
const (
	ItemCreditCode = "credit_code"
	ItemPrincipal  = "principal"
)

// Whose names the item that says who the merchant is, "" where none or both are given.
func (f FiveItems) Whose() string {
	switch {
	case f.CreditCode != "" && f.Principal == "":
		return ItemCreditCode
	case f.CreditCode == "" && f.Principal != "":
		return ItemPrincipal
	}
	return ""
}

// IdentityCheck is the acquirer's own acceptance of who the merchant is.
type IdentityCheck struct {
	CheckedAt statement.Time `json:"checked_at"`
	Method    string         `json:"method"` // in_person, video or records
	Principal string         `json:"principal"`
	Accepted  bool           `json:"accepted"`
}

// Opened starts a visit's stream and names the order it carries out.
type Opened struct {
	Visit string `json:"visit"`
	Order string `json:"order"`
	Basis string `json:"basis"` // digest of the order statement
}

// Dispatch names who goes, with which device, and what the merchant will compare.
type Dispatch struct {
	Visit      string         `json:"visit"`
	Technician string         `json:"technician"`
	Issuer     string         `json:"issuer"` // organisation whose badge he carries
	Serial     string         `json:"serial"`
	Supervisor string         `json:"supervisor,omitempty"`
	From       statement.Time `json:"from"`
	Until      statement.Time `json:"until"`
	Shop       string         `json:"shop"`  // commitment
	Name       string         `json:"name"`  // commitment
	Photo      string         `json:"photo"` // commitment
}

// Challenge is a nonce that menshen made, to be used once.
type Challenge struct {
	Visit   string         `json:"visit"`
	Purpose string         `json:"purpose"` // door or device
	Nonce   string         `json:"nonce"`   // base64, 16 bytes
	Until   statement.Time `json:"until"`
	Root    string         `json:"root"` // digest of the latest witnessed checkpoint, "" for none yet
}

// Purposes of a challenge.
const (
	PurposeDoor   = "door"
	PurposeDevice = "device"
)

// Admission is the merchant's own signature under the door check's verdict and the face answer.
type Admission struct {
	Challenge    string      `json:"challenge"` // digest of the challenge statement, "" offline
	Answer       string      `json:"answer"`    // digest of the presentation
	Presentation string      `json:"presentation"`
	Genuine      bool        `json:"genuine"`
	SameFace     bool        `json:"same_face"`
	Mode         string      `json:"mode"`               // online, offline or weak
	Position     string      `json:"position,omitempty"` // commitment of where the merchant's page was
	Offline      *Transcript `json:"offline,omitempty"`  // with mode offline, and only then
}

// Modes of a door check. Any other never admits anybody.
const (
	ModeOnline  = "online"
	ModeOffline = "offline"
)

// Transcript is what the merchant's page did without signal, for everybody to judge again. Its times
// are the page's clock.
type Transcript struct {
	Nonce        string         `json:"nonce"` // base64, 16 bytes, made by the page
	MadeAt       statement.Time `json:"made_at"`
	AnsweredAt   statement.Time `json:"answered_at"`
	Dispatch     string         `json:"dispatch"`       // digest of the dispatch statement that the page had
	TrustList    int            `json:"trust_list"`     // number of the trust list that it had
	TrustListAt  statement.Time `json:"trust_list_at"`  // when it fetched that
	StatusListAt statement.Time `json:"status_list_at"` // when the status list that it had was signed
}

// Refusal is a merchant, or a technician before unsafe premises, saying no.
type Refusal struct {
	Visit  string `json:"visit"`
	Reason string `json:"reason"` // a code
}

// Step is one required piece of work with its evidence.
type Step struct {
	Visit    string  `json:"visit"`
	Step     string  `json:"step"`
	Done     bool    `json:"done"`
	Photos   []Photo `json:"photos"`
	Position string  `json:"position,omitempty"` // commitment
}

// Photo is a picture taken inside the page, named by its digest.
type Photo struct {
	Digest  string         `json:"digest"`
	TakenAt statement.Time `json:"taken_at"`
	Source  string         `json:"source"` // page_camera; anything else does not count
}

// PageCamera is the only source of a photo that counts.
const PageCamera = "page_camera"

// Backup is an encrypted copy, proven by a restore.
type Backup struct {
	Visit    string `json:"visit"`
	Manifest string `json:"manifest"` // digest of what was backed up
	Restored string `json:"restored"` // digest of what a test restore gave back
}

// NothingToKeep is the merchant's word that the shop has no data to back up.
type NothingToKeep struct {
	Visit string `json:"visit"`
}

// SignOff is a supervisor's answer.
type SignOff struct {
	Visit     string `json:"visit"`
	Mode      string `json:"mode"` // remote or present
	Satisfied bool   `json:"satisfied"`
}

// Confirmation is the merchant's answer at the end.
type Confirmation struct {
	Visit             string `json:"visit"`
	Works             bool   `json:"works"`
	StaffShown        bool   `json:"staff_shown"`
	RefundsProtected  bool   `json:"refunds_protected"`
	PaidNothingBeside bool   `json:"paid_nothing_beside"`
}

// Intent records that menshen is about to call the host with a permit.
type Intent struct {
	Visit  string `json:"visit"`
	Permit string `json:"permit"` // digest of the decision statement
}

// Outcome is the host's signed answer to a release or a cancel.
type Outcome struct {
	Visit     string         `json:"visit"`
	Permit    string         `json:"permit"`
	Outcome   string         `json:"outcome"`
	Reason    string         `json:"reason"` // a code; "" when loaded
	Serial    string         `json:"serial"`
	DeviceKey string         `json:"device_key"`
	Session   string         `json:"session"` // the host's session nonce that the device signed, "" when none
	At        statement.Time `json:"at"`
}

// What a host may answer.
const (
	Loaded          = "loaded"
	OutcomeRefused  = "refused"
	OutcomeCanceled = "cancelled"
	KeysEnded       = "keys_ended" // to an end permit; loaded to every other
)

// Brake is the body of every verb that takes power away: freeze, cancel, roll_back, abort.
type Brake struct {
	Visit  string `json:"visit"`
	Reason string `json:"reason"` // a code
	Permit string `json:"permit,omitempty"`
}

// Incident is a report by a party to the order.
type Incident struct {
	Visit string `json:"visit"`
	Kind  string `json:"kind"` // a code: wrong_person, asked_for_money, device, charged_outside, other
	Note  string `json:"note"` // commitment of the free text, or ""
}

// Resumption lifts a freeze; it carries the reason and the way to appeal (反诈法 art. 32).
type Resumption struct {
	Visit  string   `json:"visit"`
	Reason string   `json:"reason"`
	Appeal string   `json:"appeal"`
	Closes []string `json:"closes"` // digests of the freezes and incidents it answers
}

// Ruling is a person's answer to two statements of one signer that contradict each other: one is recorded, the
// other came later and is kept aside (decisions 38 and 64). Both stay as they are.
type Ruling struct {
	Visit   string `json:"visit"`
	Signer  string `json:"signer"`  // whose two statements they are
	Stands  string `json:"stands"`  // digest of the recorded one
	Late    string `json:"late"`    // digest of the one that is kept aside
	Outcome string `json:"outcome"` // which says what was so: stands or late
	Reason  string `json:"reason"`  // a code
}

// What a ruling may say.
const (
	RuledStands = "stands" // what is recorded stands
	RuledLate   = "late"   // the late statement says what was so; what follows is done anew
)

// Review is one party's judgement of a closed visit.
type Review struct {
	Visit string `json:"visit"`
	Stars int    `json:"stars"`
	Text  string `json:"text"` // commitment or ""
}
