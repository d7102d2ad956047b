package scenario

import (
	"cmp"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/scenario/iso8583"
	"github.com/menshen-project/menshen/internal/statement"
)

var (
	errCollected     = fault.New(fault.Conflict, "trial_key_collected", "这一次装载的密钥已经取走了。", "This load's key was already collected.")
	errExchange      = fault.New(fault.Invalid, "key_exchange_malformed", "机具送来的交换公钥格式不对。", "The device's point for the key exchange is malformed.")
	errChargesMany   = fault.New(fault.TooLarge, "charges_too_many", "这台终端的扣款记录太多了。", "The terminal has more charges than the host lists.")
	errChargeInvalid = fault.New(fault.Invalid, "charge_not_listable", "这笔扣款写得不对，不能列入清单。", "This charge could not stand in a signed list.")
	errTerminalNone  = fault.New(fault.NotFound, "order_unknown_to_host", "主机的账上没有这张订单。", "The host's books have no such order.")

	// ErrSilence says that no answer came. The terminal cannot know whether the host acted.
	ErrSilence = fault.New(fault.Unavailable, "host_silent", "主机没有回答。", "No answer came from the host.")
)

// maxHostCharges bounds what desk and trials may put on one terminal's list.
const maxHostCharges = 512

// Handover is what a device needs to take part in its trial: the host's point, from which it derives
// the simulated session key, and the codes to write into its messages.
type Handover struct {
	Permit       string
	Visit        string
	Terminal     string
	MerchantCode string
	Point        []byte // of the host, uncompressed P-256
}

// TrialView is what the acquirer's tester sees of a visit's last trial. The word is typed into the
// terminal at the one refund that must work.
type TrialView struct {
	Permit string
	Word   string
	Over   bool
	Steps  []agreement.AcceptanceStep // so far
}

// signedReport is a report that was signed and that nothing has happened since.
type signedReport struct {
	name     string
	envelope []byte
}

// newWord makes a one-time word for a trial's refund: nobody's password, and no use afterwards.
func newWord() string {
	salt := Salt()
	return strings.ToLower(base32.StdEncoding.EncodeToString(salt[:5]))
}

// Collect gives a device the key of its last trial load, once: its session must still be open, and
// the signature ties the exchange to the same key. The same ask gets the same answer.
func (h *HostCore) Collect(serial string, point, sig []byte) (Handover, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, session := h.devices[serial], h.sessions[serial]
	if t == nil || t.usable(h.now()) != nil {
		return Handover{}, errNotLoaded
	}
	pub, err := session.key.Public()
	if err != nil || h.now().Sub(session.opened) > sessionHolds {
		return Handover{}, errNoSession
	}
	if session.key.Thumbprint() != t.permit.DeviceKey || !statement.VerifyES256(pub, CollectMessage(serial, session.nonce, point), sig) {
		return Handover{}, errSessionKey
	}
	if t.key != nil && t.asked != b64(point) {
		return Handover{}, errCollected
	}
	if t.key == nil {
		if err := h.exchange(t, serial, point); err != nil {
			return Handover{}, err
		}
	}
	return Handover{Permit: t.digest, Visit: t.visit, Terminal: t.permit.Terminal, MerchantCode: t.permit.Items.MerchantCode, Point: t.answered}, nil
}

func (h *HostCore) exchange(t *trial, serial string, point []byte) error {
	theirs, err := ecdh.P256().NewPublicKey(point)
	if err != nil {
		return errExchange.Because(err)
	}
	ours, err := ecdh.P256().GenerateKey(rand.Reader)
	must(err) // only a machine without randomness
	key, err := SessionKey(ours, theirs, t.digest, serial)
	if err != nil {
		return err
	}
	return h.commit(change{Kind: changeKey, Permit: t.digest, Asked: b64(point), Answered: b64(ours.PublicKey().Bytes()), Secret: b64(key)})
}

// SessionKey derives one load's simulated session key on either side of the exchange.
func SessionKey(ours *ecdh.PrivateKey, theirs *ecdh.PublicKey, permit, serial string) ([]byte, error) {
	secret, err := ours.ECDH(theirs)
	if err != nil {
		return nil, errExchange.Because(err)
	}
	return hkdf.Key(sha256.New, secret, []byte(permit), "menshen-simulated-session-key-v1\n"+serial, 32)
}

// Send takes one message from a terminal and gives the answer; ErrSilence when there is none. A
// message under a wrong MAC is answered as refused and changes nothing; the same bytes sent again
// get the same answer.
func (h *HostCore) Send(serial string, message []byte) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.devices[serial]
	if t == nil || t.key == nil {
		return nil, errNotLoaded
	}
	name := statement.Digest(message)
	if answer, seen := t.answers[name]; seen {
		return spoken(answer)
	}
	if err := t.usable(h.now()); err != nil {
		return nil, err
	}
	m, err := iso8583.Parse(message)
	if err != nil {
		return nil, err
	}
	if err := t.check(m); err != nil {
		return nil, err
	}
	if _, err := iso8583.Open(message, t.key); err != nil {
		return t.answer(m, -1, AnswerMAC), nil
	}
	if err := h.commit(change{Kind: changeMessage, Permit: t.digest, Message: b64(message)}); err != nil {
		return nil, err
	}
	return spoken(t.answers[name])
}

func spoken(answer []byte) ([]byte, error) {
	if answer == nil {
		return nil, ErrSilence
	}
	return answer, nil
}

// Trial shows the visit's last trial to the acquirer's tester.
func (h *HostCore) Trial(visitID string) (TrialView, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.trials[visitID]
	if t == nil {
		return TrialView{}, errNotLoaded
	}
	return TrialView{Permit: t.digest, Word: t.word, Over: t.over, Steps: slices.Clone(t.steps)}, nil
}

// Acceptance signs the report of the visit's last trial: what truly happened at each step, and
// everything charged on the terminal. While nothing new happens the same name gets the same bytes.
// edit lets a play make it a lying one.
func (h *HostCore) Acceptance(visitID, merchantName string, edit func(*agreement.Acceptance)) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.trials[visitID]
	if t == nil {
		return nil, errNotLoaded
	}
	if r, ok := h.reports[visitID]; ok && r.name == merchantName && edit == nil {
		return r.envelope, nil
	}
	a := t.report(merchantName, h.now())
	// What an earlier visit was charged stands on its own report: this one begins with its order.
	a.Charges = h.charged(a.Terminal, h.entered[t.permit.Order], true)
	if edit != nil {
		edit(&a)
		return h.sign(visitID, agreement.TypeAcceptance, a), nil
	}
	signed := h.sign(visitID, agreement.TypeAcceptance, a)
	if err := h.commit(change{Kind: changeReport, Visit: visitID, Name: merchantName, Envelope: b64(signed)}); err != nil {
		return nil, err
	}
	return signed, nil
}

// Charge puts something on a terminal's list: a hostile host, or a person at it.
func (h *HostCore) Charge(terminal string, c agreement.Charge) error {
	if err := identifier.CheckTerminalCode(terminal); err != nil {
		return fault.At(err, "terminal")
	}
	kinds := []string{agreement.ChargeSheet, agreement.ChargeScript, agreement.ChargeOther}
	_, err := c.At.Parse()
	if err != nil || identifier.CheckID(c.Code) != nil || identifier.CheckID(c.Reference) != nil || !slices.Contains(kinds, c.Kind) ||
		c.AmountFen < 0 || c.AmountFen > agreement.MaxAmountFen {
		return errChargeInvalid
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.charges[terminal]) >= maxHostCharges {
		return errChargesMany
	}
	return h.commit(change{Kind: changeCharge, Terminal: terminal, Charge: &c})
}

// ChargeOrder is Charge, on the terminal that the host's own books hold for an order.
func (h *HostCore) ChargeOrder(order string, c agreement.Charge) error {
	row, ok := h.record(order)
	if !ok {
		return errTerminalNone
	}
	return h.Charge(row.Terminal, c)
}

func (h *HostCore) record(order string) (HostRow, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	row, ok := h.Records[order]
	return row, ok
}

// charged lists what was put on a terminal's account since a time, in order of time. An acceptance
// report accounts for its test sale; elsewhere what was given back is not a charge.
func (h *HostCore) charged(terminal string, since time.Time, givenBackToo bool) []agreement.Charge {
	out := []agreement.Charge{}
	all := slices.Clone(h.charges[terminal])
	for _, t := range h.permits {
		if t.permit.Terminal == terminal {
			all = append(all, t.charges(givenBackToo)...)
		}
	}
	for _, c := range all {
		if at, err := c.At.Parse(); err == nil && !at.Before(since) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b agreement.Charge) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Reference, b.Reference))
	})
	return out
}

// Asked is what a list of charges is about.
type Asked struct {
	Visit  string
	Order  string // whose terminal and merchant the host's own books name
	Serial string
	Since  time.Time
}

// ChargesOf signs everything charged on the terminal that the host's own books hold for an order.
func (h *HostCore) ChargesOf(a Asked) ([]byte, error) {
	if err := identifier.CheckID(a.Visit); err != nil {
		return nil, fault.At(err, "visit")
	}
	if _, err := identifier.ParseSerial(a.Serial); err != nil {
		return nil, err
	}
	row, ok := h.record(a.Order)
	if !ok {
		return nil, errTerminalNone
	}
	return h.ChargeList(a.Visit, a.Serial, row.Terminal, row.MerchantCode, a.Since), nil
}

// ChargeList signs everything charged on a terminal and not given back.
func (h *HostCore) ChargeList(visitID, serial, terminal, merchantCode string, since time.Time) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sign(visitID, agreement.TypeChargeList, agreement.ChargeList{Visit: visitID, Serial: serial, Terminal: terminal,
		MerchantCode: merchantCode, Since: statement.At(since), ListedAt: statement.At(h.now()), Charges: h.charged(terminal, since, false)})
}
