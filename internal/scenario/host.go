package scenario

import (
	"context"
	"encoding/base64"
	"fmt"
	"sync"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// A host's own reasons to refuse, beside those of the evidence.
var (
	errNothingToRelease = fault.New(fault.Conflict, "nothing_to_release", "最后一个决定不是许可。", "The visit's last decision is not a permit.")
	errPermitOther      = fault.New(fault.Refused, "permit_not_in_bundle", "证据包里最后的许可不是要执行的那一张。", "The bundle's last permit is not the one to act on.")
	errPermitLate       = fault.New(fault.Refused, "permit_expired", "许可过期了。", "The permit's time is over.")
	errPermitEarly      = fault.New(fault.Refused, "permit_from_future", "许可的时间比主机的钟还晚。", "The permit was decided after the host's now.")
	errOwnRecords       = fault.New(fault.Refused, "host_records_differ", "和主机自己的记录对不上。", "The permit does not fit the host's own records.")
	errOwnList          = fault.New(fault.Refused, "host_list_newer", "主机手里的名单比证据包里的新。", "The host has a newer trust list than the bundle.")
	errNoSession        = fault.New(fault.Refused, "device_session_absent", "这台机具没有用许可里的密钥连上主机。", "No session is open in which the permit's device key signed the host's nonce.")
	errSessionKey       = fault.New(fault.Refused, "device_session_key", "机具在会话里签名用的是另一把密钥。", "The device signed the session with another key.")
	errNotLoaded        = fault.New(fault.Conflict, "trial_not_loaded", "还没有装载试用密钥。", "No trial keys are loaded for this visit.")
)

// sessionHolds is how long a device's session with the host lasts.
const sessionHolds = 5 * time.Minute

// HostCore is an acquirer's host: it judges for itself, with its own trust file and records, and
// signs what it did. The process in cmd wraps it; nothing here knows of HTTP.
type HostCore struct {
	Actor         *Actor
	Trust         evidence.Trust
	Now           Clock
	MinList       int                // number of the newest trust list it has seen
	MinParameters int                // number of its own acquirer's newest parameters
	Records       map[string]HostRow // order → what its own books say; an order it does not know is refused

	mu       sync.Mutex
	outcomes map[string][]byte    // permit → signed outcome: one load, always the same answer
	cancels  map[string]bool      // permits cancelled before they came
	sessions map[string]hostState // serial → session
	loads    map[string]int       // permit → how often keys were loaded, for tests: never over 1
	trials   map[string]evidenceTrial
	charges  map[string][]agreement.Charge // terminal → everything charged
}

// HostRow is what an acquirer's own books say about an order.
type HostRow struct {
	MerchantCode string
	Terminal     string
}

type hostState struct {
	key    string // thumbprint that signed the nonce
	nonce  string
	opened time.Time
}

type evidenceTrial struct {
	permit visit.Permit
	digest string
}

// NewHostCore makes a host with empty books.
func NewHostCore(a *Actor, t evidence.Trust, now Clock) *HostCore {
	return &HostCore{Actor: a, Trust: t, Now: now, Records: map[string]HostRow{}, outcomes: map[string][]byte{}, cancels: map[string]bool{},
		sessions: map[string]hostState{}, loads: map[string]int{}, trials: map[string]evidenceTrial{}, charges: map[string][]agreement.Charge{}}
}

// Nonce starts a session for a serial.
func (h *HostCore) Nonce(serial string) string {
	salt := Salt()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sessions[serial] = hostState{nonce: b64(salt[:])}
	return h.sessions[serial].nonce
}

// Session completes it: the device's key must have signed the host's nonce.
func (h *HostCore) Session(serial string, key statement.Key, sig []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.sessions[serial]
	pub, err := key.Public()
	if !ok || err != nil || s.nonce == "" {
		return errNoSession
	}
	if !statement.VerifyES256(pub, SessionMessage(serial, s.nonce), sig) {
		return errSessionKey
	}
	h.sessions[serial] = hostState{key: key.Thumbprint(), opened: h.Now()}
	return nil
}

// Release judges the bundle and, only if everything holds, loads keys into the device whose session
// is open. The same permit always gets the same signed answer.
func (h *HostCore) Release(bundle []byte, permit string) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if signed, done := h.outcomes[permit]; done {
		return signed, nil
	}
	p, visitID, err := h.judge(bundle, permit)
	if visitID == "" {
		return nil, err // unreadable: there is not even a visit to answer about
	}
	outcome, session := visit.Loaded, ""
	switch {
	case h.cancels[permit]:
		outcome = visit.OutcomeCanceled
	case err != nil:
		outcome = visit.OutcomeRefused
	default:
		session = h.sessions[p.Serial].nonce
		h.loads[permit]++
		if p.CapFen > 0 {
			h.trials[visitID] = evidenceTrial{permit: p, digest: permit}
		}
	}
	signed := h.sign(visitID, visit.TypeOutcome, visit.Outcome{Visit: visitID, Permit: permit, Outcome: outcome, Reason: fault.CodeOf(err),
		Serial: p.Serial, DeviceKey: p.DeviceKey, Session: session, At: statement.At(h.Now())})
	h.outcomes[permit] = signed
	return signed, nil
}

// judge is the host's own decision: the public evidence package, then its clock, records and session.
func (h *HostCore) judge(bundle []byte, permit string) (visit.Permit, string, error) {
	b, err := evidence.Open(bundle)
	if err != nil {
		return visit.Permit{}, "", err
	}
	r := evidence.Verify(b, h.Trust)
	if !r.Accepted() {
		return visit.Permit{}, b.Visit, r.Refusal
	}
	p, digest, ok := r.Permit()
	if !ok || digest != permit {
		return visit.Permit{}, b.Visit, errPermitOther
	}
	return p, b.Visit, h.ownChecks(r, p)
}

func (h *HostCore) ownChecks(r evidence.Result, p visit.Permit) error {
	until, err := p.Until.Parse()
	now := h.Now()
	row, known := h.Records[p.Order]
	session := h.sessions[p.Serial]
	switch {
	case err != nil || !now.Before(until):
		return errPermitLate
	case r.Last().Now.After(now.Add(2 * time.Minute)):
		return errPermitEarly
	case r.TrustListNumber() < h.MinList:
		return errOwnList
	case !known || row.MerchantCode != p.Items.MerchantCode || row.Terminal != p.Terminal:
		return errOwnRecords
	case session.key == "" || now.Sub(session.opened) > sessionHolds:
		return errNoSession
	case session.key != p.DeviceKey:
		return errSessionKey
	}
	return nil
}

// Cancel takes a permit's power away. A permit that was already acted on keeps its stored outcome.
func (h *HostCore) Cancel(visitID, permit string) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	if signed, done := h.outcomes[permit]; done {
		return signed
	}
	h.cancels[permit] = true
	signed := h.sign(visitID, visit.TypeOutcome, visit.Outcome{Visit: visitID, Permit: permit, Outcome: visit.OutcomeCanceled, Reason: "cancelled", At: statement.At(h.Now())})
	h.outcomes[permit] = signed
	return signed
}

// Loads says how often keys were loaded for a permit.
func (h *HostCore) Loads(permit string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.loads[permit]
}

// Charge puts something on a terminal's list: a hostile host, or a person at it.
func (h *HostCore) Charge(terminal string, c agreement.Charge) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.charges[terminal] = append(h.charges[terminal], c)
}

// Pretend makes a bad host hold a trial for loaded that it never loaded.
func (h *HostCore) Pretend(visitID string, p visit.Permit, digest string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trials[visitID] = evidenceTrial{permit: p, digest: digest}
}

// Acceptance runs the whole script over the visit's loaded trial keys, with the acquirer's test
// card, and signs the report. edit lets a play make it a bad one.
func (h *HostCore) Acceptance(visitID, merchantName string, edit func(*agreement.Acceptance)) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, ok := h.trials[visitID]
	if !ok {
		return nil, errNotLoaded
	}
	now := statement.At(h.Now())
	a := agreement.Acceptance{Permit: t.digest, Serial: t.permit.Serial, DeviceKey: t.permit.DeviceKey, Terminal: t.permit.Terminal,
		MerchantCode: t.permit.Items.MerchantCode, ListedAt: now, Charges: []agreement.Charge{}}
	for i, name := range agreement.Script() {
		step := agreement.AcceptanceStep{Name: name, Result: agreement.ResultPassed, Reference: fmt.Sprintf("%s-%d", visitID, i+1), At: now}
		if name == agreement.StepApprovedSale || name == agreement.StepRefundWithPassword {
			step.AmountFen = agreement.TrialCapFen
		}
		if name == agreement.StepApprovedSale {
			h.charges[a.Terminal] = append(h.charges[a.Terminal], agreement.Charge{At: now, Code: name, AmountFen: agreement.TrialCapFen, Kind: agreement.ChargeScript, Reference: step.Reference})
		}
		a.Steps = append(a.Steps, step)
	}
	a.Slip = agreement.Slip{MerchantName: merchantName, MerchantCode: a.MerchantCode, Terminal: a.Terminal, Reference: a.Steps[1].Reference}
	a.Charges = append(a.Charges, h.charges[a.Terminal]...)
	if edit != nil {
		edit(&a)
	}
	return h.sign(visitID, agreement.TypeAcceptance, a), nil
}

// ChargeList signs everything charged on a terminal.
func (h *HostCore) ChargeList(visitID, serial, terminal, merchantCode string, since time.Time) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := agreement.ChargeList{Visit: visitID, Serial: serial, Terminal: terminal, MerchantCode: merchantCode, Since: statement.At(since), ListedAt: statement.At(h.Now()), Charges: []agreement.Charge{}}
	for _, c := range h.charges[terminal] {
		if at, err := c.At.Parse(); err == nil && !at.Before(since) {
			list.Charges = append(list.Charges, c)
		}
	}
	return h.sign(visitID, agreement.TypeChargeList, list)
}

func (h *HostCore) sign(visitID, kind string, body any) []byte {
	return h.Actor.Sign(Draft{Stream: visit.StreamVisit + "/" + visitID, Type: kind, At: h.Now(), Body: body})
}

// OutcomeOf reads a signed outcome's word.
func OutcomeOf(envelope []byte) string {
	c, err := statement.Parse(envelope)
	var o visit.Outcome
	if err != nil || c.UntrustedBody(&o) != nil {
		return ""
	}
	if o.Outcome == visit.OutcomeRefused {
		return o.Outcome + ": " + o.Reason
	}
	return o.Outcome
}

// InMemory is the host as a play in memory uses it.
type InMemory struct {
	Core *HostCore
	Edit func(*agreement.Acceptance) // makes the next report a bad one; nil is honest
}

// OpenSession lets the device prove its key.
func (m *InMemory) OpenSession(_ context.Context, d *Device) error {
	nonce := m.Core.Nonce(d.Serial)
	return m.Core.Session(d.Serial, statement.KeyOf(&d.Key.PublicKey), d.OpenSession(nonce))
}

// RunAcceptance runs the script for the play's visit.
func (m *InMemory) RunAcceptance(_ context.Context, p *Play, _ string) ([]byte, error) {
	return m.Core.Acceptance(p.ID, p.Order.Name, m.Edit)
}

// ListCharges lists what was charged since the order's window opened.
func (m *InMemory) ListCharges(_ context.Context, p *Play) ([]byte, error) {
	since, err := p.Order.WindowFrom.Parse()
	if err != nil {
		return nil, err
	}
	return m.Core.ChargeList(p.ID, p.Device.Serial, p.Order.Terminal, p.Order.Items.MerchantCode, since), nil
}

func b64(raw []byte) string { return base64.StdEncoding.EncodeToString(raw) }

// AnswerOf condenses a report.
func AnswerOf(r evidence.Report) Answer {
	a := Answer{Granted: r.Granted, Failing: map[string]string{}, Holding: map[string]string{}}
	if r.Refusal != nil {
		a.Code = fault.CodeOf(r.Refusal)
	}
	for _, c := range r.Conditions {
		if c.Verdict == "holds" {
			a.Holding[c.Name] = c.Basis
			continue
		}
		a.Failing[c.Name] = c.Code
		if a.Code == "" && c.Blocks {
			a.Code, a.By = c.Code, c.Name
		}
	}
	return a
}
