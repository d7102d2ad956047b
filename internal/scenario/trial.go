package scenario

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario/iso8583"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Test cards of the simulated acquirer: names, never numbers. Each makes the host behave in one way.
const (
	CardApprove = "TEST-APPROVE" // says yes
	CardDecline = "TEST-DECLINE" // says no
	CardBadMAC  = "TEST-BADMAC"  // says yes under a wrong MAC
	CardSilent  = "TEST-SILENT"  // books the sale and never answers
)

// Answers in field 39, as terminals in China know them.
const (
	AnswerYes         = "00"
	AnswerNotNow      = "12" // this step was tried before or the trial is over
	AnswerAmount      = "13"
	AnswerNoCard      = "14"
	AnswerPoor        = "51"
	AnswerPassword    = "55"
	AnswerOverCap     = "61"
	AnswerRepeated    = "94" // the terminal used a trace number twice
	AnswerOutOfTotals = "95"
	AnswerMAC         = "A0"
)

// Why a terminal reverses, in a reversal's field 39.
const (
	ReversedSilence = "98" // no answer came
	ReversedMAC     = "A0" // an answer came under a wrong MAC
)

// maxMessages bounds a trial; the script needs eleven.
const maxMessages = 64

var (
	errTrialOver   = fault.New(fault.Conflict, "trial_over", "试用密钥已经到期或收回了。", "The trial keys are past their time or were taken back.")
	errTrialNoisy  = fault.New(fault.TooMany, "trial_too_many_messages", "这一次试机的报文太多了。", "The terminal sent more messages than a trial may have.")
	errTrialOther  = fault.New(fault.Refused, "trial_other_terminal", "报文里的终端号或商户号不是这一次试机的。", "The message names another terminal or merchant than the trial's.")
	errNotRequest  = fault.New(fault.Invalid, "message_not_request", "终端只能发请求。", "A terminal sends requests only.")
	errMessageBare = fault.New(fault.Invalid, "message_field_missing", "报文少了一个域。", "The message lacks a field that its type needs.")
)

// trial is the host's side of one load of trial keys: what the terminal did at each step of the
// script, by the messages that came. Feeding it the same messages gives the same trial.
type trial struct {
	permit   visit.Permit
	digest   string // of the permit's statement
	visit    string
	number   int // of this load at this host, so that references are the host's own
	word     string
	key      []byte // simulated; nil until the device has collected it
	asked    string // base64 of the device's point in the key exchange
	answered []byte // the host's point
	loaded   time.Time
	over     bool
	next     int // step of the script that comes next
	steps    []agreement.AcceptanceStep
	pending  *pending
	booked   map[string]agreement.Charge // by reference: what stands on the terminal's account
	returned string                      // reference of the sale that was given back, "" for none
	answers  map[string][]byte           // digest of a request → its answer; nil for silence
	traces   map[string]bool
	totals   totals
}

// pending is a sale that the terminal must reverse.
type pending struct {
	step   int
	trace  string
	reason string
}

// totals is what the terminal must know to have happened when it settles.
type totals struct {
	sales, refunds       int
	saleFen, refundedFen int64
}

func (t totals) String() string {
	return fmt.Sprintf("%012d%03d%012d%03d", t.saleFen, t.sales, t.refundedFen, t.refunds)
}

// reference is the host's own number for a step of this trial, 12 digits as field 37 has them.
func (t *trial) reference(step int) string { return fmt.Sprintf("%08d%04d", t.number, step+1) }

// usable refuses messages outside the trial's time.
func (t *trial) usable(now time.Time) error {
	switch {
	case t.over || now.Sub(t.loaded) > agreement.TrialTime:
		return errTrialOver
	case len(t.answers) >= maxMessages:
		return errTrialNoisy
	}
	return nil
}

// check reads a request; what it refuses changes nothing.
func (t *trial) check(m iso8583.Message) error {
	needs, ok := needed[m.Type]
	if !ok {
		return errNotRequest
	}
	for _, n := range needs {
		if m.Fields[n] == "" {
			return errMessageBare.At(strconv.Itoa(n))
		}
	}
	if m.Fields[iso8583.Terminal] != t.permit.Terminal || m.Fields[iso8583.Merchant] != t.permit.Items.MerchantCode {
		return errTrialOther
	}
	return nil
}

var needed = map[string][]int{
	iso8583.SignIn:     {iso8583.Trace},
	iso8583.Sale:       {iso8583.Trace, iso8583.Amount, iso8583.Card},
	iso8583.Reversal:   {iso8583.Trace, iso8583.Amount, iso8583.Response},
	iso8583.Refund:     {iso8583.Trace, iso8583.Amount, iso8583.Reference},
	iso8583.Settlement: {iso8583.Trace, iso8583.Totals},
}

// take carries out one request whose MAC holds and gives the answer's bytes, nil for silence.
func (t *trial) take(raw []byte, m iso8583.Message, now time.Time) []byte {
	code, step := t.perform(m, now)
	answer := t.answer(m, step, code)
	switch {
	case m.Type == iso8583.Sale && m.Fields[iso8583.Card] == CardSilent && code == AnswerYes:
		answer = nil
	case m.Type == iso8583.Sale && m.Fields[iso8583.Card] == CardBadMAC && code == AnswerYes:
		answer[len(answer)-1] ^= 0xff
	}
	t.answers[statement.Digest(raw)] = answer
	t.traces[m.Fields[iso8583.Trace]] = true
	return answer
}

func (t *trial) answer(m iso8583.Message, step int, code string) []byte {
	kind := m.Type[:2] + "10"
	if m.Type == iso8583.Refund {
		kind = iso8583.RefundAnswer
	}
	fields := map[int]string{iso8583.Trace: m.Fields[iso8583.Trace], iso8583.Terminal: t.permit.Terminal,
		iso8583.Merchant: t.permit.Items.MerchantCode, iso8583.Response: code}
	if step >= 0 {
		fields[iso8583.Reference] = t.reference(step)
	}
	if amount, ok := m.Fields[iso8583.Amount]; ok {
		fields[iso8583.Amount] = amount
	}
	answer, err := iso8583.Message{Type: kind, Fields: fields}.Seal(t.key)
	must(err) // every field comes from a message that was read, or from a permit whose codes fit
	return answer
}

// stepOf says which step of the script a request tries, -1 for none.
func (t *trial) stepOf(m iso8583.Message) int {
	name := ""
	switch m.Type {
	case iso8583.SignIn:
		name = agreement.StepSignIn
	case iso8583.Sale:
		name = map[string]string{CardApprove: agreement.StepApprovedSale, CardDecline: agreement.StepDeclinedSale,
			CardBadMAC: agreement.StepWrongMAC, CardSilent: agreement.StepReversal}[m.Fields[iso8583.Card]]
	case iso8583.Refund:
		name = agreement.StepRefundWithoutPassword
		if m.Fields[iso8583.Proof] != "" {
			name = agreement.StepRefundWithPassword
		}
	case iso8583.Settlement:
		name = agreement.StepSettlement
	}
	return slices.Index(agreement.Script(), name)
}

// perform does what a request asks, if it is its turn. A step is tried once: what comes late is
// refused, and what was passed over has failed.
func (t *trial) perform(m iso8583.Message, now time.Time) (code string, step int) {
	if m.Type == iso8583.Reversal {
		return t.reverse(m, now)
	}
	if t.traces[m.Fields[iso8583.Trace]] {
		return AnswerRepeated, -1
	}
	step = t.stepOf(m)
	if step < 0 {
		return AnswerNoCard, -1
	}
	if step < t.next {
		return AnswerNotNow, -1
	}
	for t.next < step {
		t.finish(agreement.ResultFailed, 0, now)
	}
	switch m.Type {
	case iso8583.SignIn:
		t.finish(agreement.ResultPassed, 0, now)
		return AnswerYes, step
	case iso8583.Sale:
		return t.sell(m, step, now), step
	case iso8583.Refund:
		return t.refund(m, step, now), step
	default:
		return t.settle(m, now), step
	}
}

// finish closes the step whose turn it is. A sale still to be reversed was not.
func (t *trial) finish(result string, amountFen int64, now time.Time) {
	if t.pending != nil && result == agreement.ResultFailed {
		if c, ok := t.booked[t.reference(t.next)]; ok {
			amountFen = c.AmountFen
		}
	}
	t.pending = nil
	t.steps = append(t.steps, agreement.AcceptanceStep{Name: agreement.Script()[t.next], Result: result, AmountFen: amountFen,
		Reference: t.reference(t.next), At: statement.At(now)})
	t.next++
}

func (t *trial) sell(m iso8583.Message, step int, now time.Time) string {
	amount := amountOf(m)
	name := agreement.Script()[step]
	switch {
	case amount > t.permit.CapFen:
		t.finish(agreement.ResultFailed, 0, now)
		return AnswerOverCap
	case amount == 0:
		t.finish(agreement.ResultFailed, 0, now)
		return AnswerAmount
	}
	switch name {
	case agreement.StepApprovedSale:
		t.book(step, amount, now)
		t.totals.sales, t.totals.saleFen = t.totals.sales+1, t.totals.saleFen+amount
		t.finish(agreement.ResultPassed, amount, now)
	case agreement.StepDeclinedSale:
		t.finish(agreement.ResultPassed, 0, now)
		return AnswerPoor
	case agreement.StepWrongMAC: // only said to be approved: the terminal must not believe it
		t.pending = &pending{step: step, trace: m.Fields[iso8583.Trace], reason: ReversedMAC}
	case agreement.StepReversal:
		t.book(step, amount, now)
		t.pending = &pending{step: step, trace: m.Fields[iso8583.Trace], reason: ReversedSilence}
	}
	return AnswerYes
}

func (t *trial) book(step int, amountFen int64, now time.Time) {
	t.booked[t.reference(step)] = agreement.Charge{At: statement.At(now), Code: agreement.Script()[step], AmountFen: amountFen,
		Kind: agreement.ChargeScript, Reference: t.reference(step)}
}

// reverse undoes the sale that waits for it. A terminal that gives another reason did not notice
// what it had to notice: the sale is undone, the step has failed.
func (t *trial) reverse(m iso8583.Message, now time.Time) (string, int) {
	p := t.pending
	if p == nil || p.trace != m.Fields[iso8583.Trace] {
		return AnswerNotNow, -1
	}
	delete(t.booked, t.reference(p.step))
	result := agreement.ResultPassed
	if m.Fields[iso8583.Response] != p.reason {
		result = agreement.ResultFailed
	}
	t.finish(result, 0, now)
	return AnswerYes, p.step
}

// refund gives the approved sale back, and only to somebody who typed the trial's word.
func (t *trial) refund(m iso8583.Message, step int, now time.Time) string {
	proof := m.Fields[iso8583.Proof]
	if proof == "" {
		t.finish(agreement.ResultPassed, 0, now)
		return AnswerPassword
	}
	if !hmac.Equal([]byte(proof), []byte(RefundProof(t.key, t.word))) {
		t.finish(agreement.ResultFailed, 0, now)
		return AnswerPassword
	}
	sale := t.booked[m.Fields[iso8583.Reference]]
	amount := amountOf(m)
	if sale.Code != agreement.StepApprovedSale || sale.AmountFen != amount {
		t.finish(agreement.ResultFailed, 0, now)
		return AnswerAmount
	}
	t.totals.refunds, t.totals.refundedFen = t.totals.refunds+1, t.totals.refundedFen+amount
	t.returned = sale.Reference
	t.finish(agreement.ResultPassed, amount, now)
	return AnswerYes
}

// settle compares the terminal's totals with the host's: a terminal that took a refusal for a sale,
// or forgot one, shows here.
func (t *trial) settle(m iso8583.Message, now time.Time) string {
	if m.Fields[iso8583.Totals] != t.totals.String() {
		t.finish(agreement.ResultFailed, 0, now)
		return AnswerOutOfTotals
	}
	t.finish(agreement.ResultPassed, 0, now)
	return AnswerYes
}

// RefundProof is what a terminal sends when somebody typed the trial's refund word into it.
func RefundProof(key []byte, word string) string {
	h := hmac.New(sha256.New, key)
	fmt.Fprintf(h, "menshen-refund-word-v1\n%s", word)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// report is what truly happened, step by step; what was never tried has failed.
func (t *trial) report(merchantName string, now time.Time) agreement.Acceptance {
	a := agreement.Acceptance{Permit: t.digest, Serial: t.permit.Serial, DeviceKey: t.permit.DeviceKey, Terminal: t.permit.Terminal,
		MerchantCode: t.permit.Items.MerchantCode, Steps: slices.Clone(t.steps), ListedAt: statement.At(now), Charges: []agreement.Charge{}}
	for i := len(t.steps); i < len(agreement.Script()); i++ {
		step := agreement.AcceptanceStep{Name: agreement.Script()[i], Result: agreement.ResultFailed, Reference: t.reference(i), At: statement.At(now)}
		if c, ok := t.booked[step.Reference]; ok { // a lost sale that nobody reversed
			step.AmountFen = c.AmountFen
		}
		a.Steps = append(a.Steps, step)
	}
	a.Slip = agreement.Slip{MerchantName: merchantName, MerchantCode: a.MerchantCode, Terminal: a.Terminal, Reference: t.reference(1)}
	return a
}

// charges is what the trial put on the terminal's account, in order of its references; with or
// without the sale that was given back.
func (t *trial) charges(givenBackToo bool) []agreement.Charge {
	out := []agreement.Charge{}
	for i := range agreement.Script() {
		if c, ok := t.booked[t.reference(i)]; ok && (givenBackToo || c.Reference != t.returned) {
			out = append(out, c)
		}
	}
	return out
}

// amountOf reads field 4; Parse held it to twelve digits.
func amountOf(m iso8583.Message) int64 {
	n, _ := strconv.ParseInt(m.Fields[iso8583.Amount], 10, 64)
	return n
}
