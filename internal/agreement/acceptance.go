package agreement

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// TypeAcceptance is the statement type of the host's acceptance report.
const TypeAcceptance = "acceptance"

// TrialCapFen is the most that any step of the trial may move, in fen (design §8).
const TrialCapFen = 1

// TrialTime is how long trial keys live; the script must fit.
const TrialTime = 30 * time.Minute

const maxCharges = 512

// Results of a step: whether the terminal and host behaved as the step asks. A declined sale that
// was declined has passed.
const (
	ResultPassed = "passed"
	ResultFailed = "failed"
)

// The script's steps.
const (
	StepSignIn                = "sign_in"
	StepApprovedSale          = "approved_sale"
	StepDeclinedSale          = "declined_sale"
	StepWrongMAC              = "wrong_mac_refused"
	StepReversal              = "reversal_after_lost_answer"
	StepRefundWithoutPassword = "refund_without_password_refused"
	StepRefundWithPassword    = "refund_with_password"
	StepSettlement            = "settlement"
)

var script = []string{StepSignIn, StepApprovedSale, StepDeclinedSale, StepWrongMAC, StepReversal,
	StepRefundWithoutPassword, StepRefundWithPassword, StepSettlement}

// Script lists the acceptance steps in their order.
func Script() []string { return slices.Clone(script) }

// takesMoney says which steps move the test amount; the others must move nothing.
func takesMoney(step string) bool {
	return step == StepApprovedSale || step == StepReversal || step == StepRefundWithPassword
}

var (
	errAcceptanceUnverified = fault.New(fault.Refused, "acceptance_unverified", "试机报告没有核对过。", "This acceptance report was never verified.")
	errNotHost              = fault.New(fault.Refused, "acceptance_not_host", "试机报告不是收单机构的主机签的。", "The acceptance report is not signed in the role of a host.")
	errHostOther            = fault.New(fault.Refused, "acceptance_other_acquirer", "签试机报告的主机不是这家收单机构的。", "The host that signed belongs to another acquirer.")
	errOtherPermit          = fault.New(fault.Refused, "acceptance_other_permit", "试机报告不是这一次试机的。", "The report is for another trial permit.")
	errOtherDevice          = fault.New(fault.Refused, "acceptance_other_device", "试机报告说的不是这台机器。", "The report is for another device.")
	errOtherDeviceKey       = fault.New(fault.Refused, "acceptance_other_device_key", "试机时用的不是这台机器的密钥。", "The report is over another device key.")
	errOtherTerminal        = fault.New(fault.Refused, "acceptance_other_terminal", "试机报告上的终端号不对。", "The report is for another terminal code.")
	errOtherMerchant        = fault.New(fault.Refused, "acceptance_other_merchant", "试机报告上的商户号不对。", "The report is for another merchant code.")
	errWantIncomplete       = fault.New(fault.Refused, "acceptance_expectation_incomplete", "没说清试机报告该对上什么。", "What the report must match was not said in full.")
	errStepMalformed        = fault.New(fault.Invalid, "acceptance_step_malformed", "试机报告里有一步写得不完整。", "A step of the report is malformed.")
	errStepUnknown          = fault.New(fault.Invalid, "acceptance_step_unknown", "试机报告里有不认识的一步。", "The report holds a step that is not in the script.")
	errScriptStepRepeated   = fault.New(fault.Invalid, "acceptance_step_repeated", "试机报告里同一步写了两次。", "A step is in the report twice.")
	errStepMissing          = fault.New(fault.Refused, "acceptance_step_missing", "试机少做了一步。", "A step of the script is missing.")
	errOrder                = fault.New(fault.Refused, "acceptance_order", "试机的步骤顺序不对。", "The steps are not in the script's order.")
	errStepFailed           = fault.New(fault.Refused, "acceptance_step_failed", "试机有一步没通过。", "A step of the script failed.")
	errOverCap              = fault.New(fault.Refused, "acceptance_over_cap", "试机的金额超过了 0.01 元。", "A trial step was over 0.01 yuan.")
	errSaleEmpty            = fault.New(fault.Refused, "acceptance_sale_empty", "试机那一笔没有金额，等于没试。", "The approved sale moved nothing and so proves nothing.")
	errNotReturned          = fault.New(fault.Refused, "acceptance_not_returned", "试机的钱没有原数退回。", "The refund is not the amount of the sale.")
	errReferenceRepeated    = fault.New(fault.Refused, "acceptance_reference_repeated", "试机报告里两步用了同一个流水号。", "Two steps carry the same reference.")
	errEarlierOther         = fault.New(fault.Refused, "acceptance_earlier_other", "前几次试机不是这台机器、这家店的。", "An earlier trial is of another device, terminal or merchant.")
	errTimes                = fault.New(fault.Refused, "acceptance_time", "试机报告里的时间前后对不上。", "The times in the report run backwards.")
	errTooLong              = fault.New(fault.Refused, "acceptance_too_long", "试机超过了 30 分钟。", "The trial took longer than 30 minutes.")
	errSlip                 = fault.New(fault.Refused, "acceptance_slip_differs", "小票上印的和订单对不上。", "The slip does not match the order.")
	errTooManyCharges       = fault.New(fault.TooLarge, "acceptance_too_many_charges", "扣款记录太多了。", "The charge list is over its bound.")
)

// Acceptance is the body that the acquirer's host signs after it ran the script (design §8).
type Acceptance struct {
	Permit       string           `json:"permit"`        // digest of the trial permit's statement
	Serial       string           `json:"serial"`        // of the device
	DeviceKey    string           `json:"device_key"`    // thumbprint of the key in whose session it was run
	Terminal     string           `json:"terminal"`      // terminal code (TID)
	MerchantCode string           `json:"merchant_code"` // (MID)
	Steps        []AcceptanceStep `json:"steps"`
	Slip         Slip             `json:"slip"`
	Charges      []Charge         `json:"charges"`   // everything taken from this merchant on this terminal
	ListedAt     statement.Time   `json:"listed_at"` // the charge list is complete up to here
}

// AcceptanceStep is one step as the host saw it.
type AcceptanceStep struct {
	Name      string         `json:"name"`
	Result    string         `json:"result"`
	AmountFen int64          `json:"amount_fen"`
	Reference string         `json:"reference"` // the host's own; unique in the report
	At        statement.Time `json:"at"`
}

// Slip is what the approved sale's slip printed.
type Slip struct {
	MerchantName string `json:"merchant_name"` // the order's commitment, repeated when the print matches its opening
	MerchantCode string `json:"merchant_code"`
	Terminal     string `json:"terminal"`
	Reference    string `json:"reference"` // of the approved sale
}

// WantAcceptance is what the report must be about; an empty field refuses.
type WantAcceptance struct {
	Permit       string // digest of the visit's last trial permit, answered loaded
	Acquirer     string // organisation id whose host signs
	Serial       string
	DeviceKey    string
	Terminal     string
	MerchantCode string
	MerchantName string // the order's commitment of the name on the slip; VerifyTrial does without
}

// TrialVerified is a trial that the wanted host says it ran, however it ended. Only VerifyTrial makes
// one; the zero value refuses.
type TrialVerified struct {
	body      Acceptance
	statement string
	ok        bool
}

// AcceptanceVerified is a passed acceptance. Only VerifyAcceptance makes one; the zero value refuses.
type AcceptanceVerified struct {
	trial TrialVerified
	ok    bool
}

// VerifyTrial checks that a host of the wanted acquirer signed the report, over the wanted permit,
// device, key and codes, and that it is well formed and within the cap. A trial that failed is one
// too: its test amounts stand in later charge lists. want.MerchantName is not needed here.
//
// Not checked: that the key is enrolled as that acquirer's host.
func VerifyTrial(v statement.Verified, want WantAcceptance) (TrialVerified, error) {
	var a Acceptance
	if err := v.Body(TypeAcceptance, &a); err != nil {
		return TrialVerified{}, err
	}
	if v.Header().Role != roleHost {
		return TrialVerified{}, errNotHost
	}
	if err := want.matches(v.Header().Organisation, a); err != nil {
		return TrialVerified{}, err
	}
	if err := a.checkForm(); err != nil {
		return TrialVerified{}, err
	}
	return TrialVerified{body: a, statement: v.Digest(), ok: true}, nil
}

// VerifyAcceptance is VerifyTrial, and the whole script passed, in order and time, the test amount
// came back and the slip is the order's. The charges are checked for form only; Verified.Covers judges
// them.
//
// Not checked: that the trial lay inside the permit's time (StartedAt and ListedAt are for that).
func VerifyAcceptance(v statement.Verified, want WantAcceptance) (AcceptanceVerified, error) {
	trial, err := VerifyTrial(v, want)
	if err != nil {
		return AcceptanceVerified{}, err
	}
	if err := trial.body.checkPassed(want.MerchantName, v.Header().Time()); err != nil {
		return AcceptanceVerified{}, err
	}
	return AcceptanceVerified{trial: trial, ok: true}, nil
}

func (w WantAcceptance) matches(organisation string, a Acceptance) error {
	for _, pair := range []struct {
		name, want, got string
		differs         *fault.Fault
	}{
		{"acquirer", w.Acquirer, organisation, errHostOther},
		{"permit", w.Permit, a.Permit, errOtherPermit},
		{"serial", w.Serial, a.Serial, errOtherDevice},
		{"device_key", w.DeviceKey, a.DeviceKey, errOtherDeviceKey},
		{"terminal", w.Terminal, a.Terminal, errOtherTerminal},
		{"merchant_code", w.MerchantCode, a.MerchantCode, errOtherMerchant},
	} {
		if pair.want == "" { // an empty wish would be met by an empty report
			return errWantIncomplete.At(pair.name)
		}
		if pair.want != pair.got {
			return pair.differs.At(pair.name)
		}
	}
	return nil
}

// checkForm: known steps, each at most once, within the cap; no reference twice; charges well formed.
func (a Acceptance) checkForm() error {
	names, references := map[string]bool{}, map[string]bool{}
	for i, s := range a.Steps {
		if !slices.Contains(script, s.Name) {
			return errStepUnknown.At(place("steps", i))
		}
		if names[s.Name] {
			return errScriptStepRepeated.At(s.Name)
		}
		if err := s.validate(); err != nil {
			return fault.At(err, s.Name)
		}
		if references[s.Reference] {
			return errReferenceRepeated.At(s.Name)
		}
		names[s.Name], references[s.Reference] = true, true
	}
	if len(a.Charges) > maxCharges {
		return errTooManyCharges
	}
	for i, c := range a.Charges {
		if err := c.validate(); err != nil {
			return fault.At(err, place("charges", i))
		}
	}
	return nil
}

// checkPassed asks of a well-formed report whether it is a passed acceptance.
func (a Acceptance) checkPassed(merchantName string, signed time.Time) error {
	if err := a.checkScript(); err != nil {
		return err
	}
	// The rest looks steps up by their place in the script.
	if err := a.checkResults(); err != nil {
		return err
	}
	if err := a.checkMoney(); err != nil {
		return err
	}
	if err := a.checkSlip(merchantName); err != nil {
		return err
	}
	return a.checkTimes(signed)
}

// checkScript: every step, in order.
func (a Acceptance) checkScript() error {
	for _, name := range script {
		if !slices.ContainsFunc(a.Steps, func(s AcceptanceStep) bool { return s.Name == name }) {
			return errStepMissing.At(name)
		}
	}
	for i, name := range script {
		if a.Steps[i].Name != name {
			return errOrder.At(name)
		}
	}
	return nil
}

func (s AcceptanceStep) validate() error {
	if s.Result != ResultPassed && s.Result != ResultFailed {
		return errStepMalformed.At("result")
	}
	if s.AmountFen < 0 {
		return errStepMalformed.At("amount_fen")
	}
	if s.AmountFen > TrialCapFen {
		return errOverCap
	}
	if !isID(s.Reference) {
		return errStepMalformed.At("reference")
	}
	if _, err := s.At.Parse(); err != nil {
		return errStepMalformed.At("at").Because(err)
	}
	return nil
}

func (a Acceptance) checkResults() error {
	for _, s := range a.Steps {
		if s.Result != ResultPassed {
			return errStepFailed.At(s.Name)
		}
	}
	return nil
}

// checkMoney: the test sale moved something, and it came back.
func (a Acceptance) checkMoney() error {
	if a.step(StepApprovedSale).AmountFen == 0 {
		return errSaleEmpty.At(StepApprovedSale)
	}
	if a.step(StepRefundWithPassword).AmountFen != a.step(StepApprovedSale).AmountFen {
		return errNotReturned.At(StepRefundWithPassword)
	}
	return nil
}

// step finds a step of a report that checkScript accepted.
func (a Acceptance) step(name string) AcceptanceStep { return a.Steps[slices.Index(script, name)] }

func (a Acceptance) checkSlip(merchantName string) error {
	if merchantName == "" {
		return errWantIncomplete.At("merchant_name")
	}
	for _, pair := range []struct{ name, got, want string }{
		{"slip.merchant_name", a.Slip.MerchantName, merchantName},
		{"slip.merchant_code", a.Slip.MerchantCode, a.MerchantCode},
		{"slip.terminal", a.Slip.Terminal, a.Terminal},
		{"slip.reference", a.Slip.Reference, a.step(StepApprovedSale).Reference},
	} {
		if pair.got != pair.want {
			return errSlip.At(pair.name)
		}
	}
	return nil
}

// checkTimes: steps follow each other within TrialTime, the charges were listed after them, the
// report was signed after that. One host's clock made all of them.
func (a Acceptance) checkTimes(signed time.Time) error {
	listed, err := a.ListedAt.Parse()
	if err != nil {
		return fault.At(err, "listed_at")
	}
	first, _ := a.Steps[0].At.Parse() // checkForm parsed them all
	last := first
	for _, s := range a.Steps {
		at, _ := s.At.Parse()
		if at.Before(last) {
			return errTimes.At(s.Name)
		}
		last = at
	}
	for i, c := range a.Charges {
		if at, _ := c.At.Parse(); at.After(listed) {
			return errTimes.At(place("charges", i))
		}
	}
	if listed.Before(last) || signed.Before(listed) {
		return errTimes.At("listed_at")
	}
	if last.Sub(first) > TrialTime {
		return errTooLong
	}
	return nil
}

// OK is false for the zero value.
func (v TrialVerified) OK() bool { return v.ok }

// Statement is the digest of the host's statement, "" for the zero value.
func (v TrialVerified) Statement() string { return v.statement }

// Report is a copy of what the host signed.
func (v TrialVerified) Report() Acceptance {
	a := v.body
	a.Steps = slices.Clone(a.Steps)
	a.Charges = slices.Clone(a.Charges)
	return a
}

// OK is false for the zero value.
func (v AcceptanceVerified) OK() bool { return v.ok }

// Trial is the trial that passed; the zero value's refuses.
func (v AcceptanceVerified) Trial() TrialVerified { return v.trial }

// Permit is the digest of the trial permit that the report names, "" for the zero value.
func (v AcceptanceVerified) Permit() string { return v.trial.body.Permit }

// StartedAt is the time of the first step, on the host's clock; the zero time for the zero value.
func (v AcceptanceVerified) StartedAt() time.Time {
	if !v.ok {
		return time.Time{}
	}
	t, _ := v.trial.body.Steps[0].At.Parse() // checkForm parsed it
	return t
}

// ListedAt is the time up to which the charge list is complete; the zero time for the zero value.
func (v AcceptanceVerified) ListedAt() time.Time {
	t, _ := v.trial.body.ListedAt.Parse() // checkTimes parsed it
	return t
}
