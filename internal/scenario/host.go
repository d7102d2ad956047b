package scenario

import (
	"errors"
	"sync"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
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
	errOwnParameters    = fault.New(fault.Refused, "host_parameters_newer", "主机手里的参数表比证据包里的新。", "The host has newer parameters of its own acquirer than the bundle.")
	errOwnBinding       = fault.New(fault.Refused, "host_binding_differs", "主机账上，这个终端号在另一台机具上，或者这台机具是另一个终端号。", "In the host's own books this terminal code is live on another device, or this device under another code.")
	errUnopened         = fault.New(fault.Refused, "openings_withheld", "证据包里有没打开的承诺，主机不能照别人的话装密钥。", "A commitment that the gate reads was not opened to the host, which loads on nobody's word.")
	errOwnList          = fault.New(fault.Refused, "host_list_newer", "主机手里的名单比证据包里的新。", "The host has a newer trust list than the bundle.")
	errNoSession        = fault.New(fault.Refused, "device_session_absent", "这台机具没有用许可里的密钥连上主机。", "No session is open in which the permit's device key signed the host's nonce.")
	errSessionKey       = fault.New(fault.Refused, "device_session_key", "机具在会话里签名用的是另一把密钥。", "The device signed the session with another key.")
	errNewNotLive       = fault.New(fault.Refused, "host_new_terminal_not_live", "主机账上新机还没上线，旧机的密钥不能作废。", "In the host's own books the new terminal is not live: the old one's keys stay.")
	errSessionsMany     = fault.New(fault.TooMany, "device_sessions_too_many", "同时要连主机的机具太多了，请稍后再试。", "Too many devices ask for a session at once; try again later.")
	errNotLoaded        = fault.New(fault.Conflict, "trial_not_loaded", "还没有装载试用密钥。", "No trial keys are loaded for this visit.")
	errPermitName       = fault.New(fault.Invalid, "permit_digest_malformed", "许可的编号格式不对。", "A permit is named by its statement's digest.")
)

// sessionHolds is how long a device's session with the host lasts, and how long its nonce waits.
const sessionHolds = 5 * time.Minute

// maxNonces bounds the sessions that were asked for and not opened.
const maxNonces = 10_000

// HostCore is an acquirer's host: it judges for itself, with its own trust file and records, and
// signs what it did. Package simhost wraps it into a process; nothing here knows of HTTP or files.
//
// What it loads is simulated. No terminal key, PIN or card number exists here: a "session key" is a
// random number that MACs the messages of one demonstration trial and opens nothing.
type HostCore struct {
	Actor         *Actor
	Trust         evidence.Trust
	Now           Clock
	MinList       int                // number of the newest trust list it has seen
	MinParameters int                // number of its own acquirer's newest parameters
	Records       map[string]HostRow // order → what its own books say; an order it does not know is refused

	reader func() *evidence.Reader // of Trust; remembers which bytes it has proven: the live release repeats most of the trial's

	mu       sync.Mutex
	journal  Journal              // nil keeps nothing beyond the process
	outcomes map[string][]byte    // permit → signed outcome: one load, always the same answer
	nonces   map[string]hostNonce // serial → session asked for; a crash only costs a new ask
	sessions map[string]hostState // serial → session
	loads    map[string]int       // permit → how often keys were loaded, for tests: never over 1
	permits  map[string]*trial    // trial permit → its load
	trials   map[string]*trial    // visit → its last load
	devices  map[string]*trial    // serial → its last load
	live     map[string]string    // serial → terminal code, while its live keys are loaded
	dead     map[string]bool      // serials that are live and do not answer
	entered  map[string]time.Time // order → when it came into the books
	lived    map[string]string    // live permit → the serial that it loaded
	number   int                  // of trial loads so far
	charges  map[string][]agreement.Charge
	reports  map[string]signedReport // visit → the report that still says everything
}

// HostRow is what an acquirer's own books say about an order.
type HostRow struct {
	MerchantCode string `json:"merchant_code"`
	Terminal     string `json:"terminal"`
	OldSerial    string `json:"old_serial,omitempty"` // that a swap replaces
	OldTerminal  string `json:"old_terminal,omitempty"`
}

// terminal is the terminal code that a permit at an ask must name for a serial.
func (r HostRow) terminal(ask, serial string) string {
	if ask == visit.AskEnd && r.OldSerial != "" {
		if serial != r.OldSerial {
			return ""
		}
		return r.OldTerminal
	}
	return r.Terminal
}

type hostNonce struct {
	value string
	asked time.Time
}

type hostState struct {
	key    statement.Key // that signed the nonce
	nonce  string
	opened time.Time
}

// NewHostCore makes a host with empty books that keeps everything in memory.
func NewHostCore(a *Actor, t evidence.Trust, now Clock) *HostCore {
	return &HostCore{Actor: a, Trust: t, Now: now, Records: map[string]HostRow{}, outcomes: map[string][]byte{}, nonces: map[string]hostNonce{},
		sessions: map[string]hostState{}, loads: map[string]int{}, permits: map[string]*trial{}, trials: map[string]*trial{}, devices: map[string]*trial{},
		charges: map[string][]agreement.Charge{}, reports: map[string]signedReport{}, live: map[string]string{}, dead: map[string]bool{},
		entered: map[string]time.Time{}, lived: map[string]string{},
		reader: sync.OnceValue(func() *evidence.Reader { return evidence.NewReader(t) })}
}

// now is the host's clock in whole seconds: what is signed and what is remembered agree.
func (h *HostCore) now() time.Time { return h.Now().UTC().Truncate(time.Second) }

// PutRecord writes an order into the host's own books.
func (h *HostCore) PutRecord(order string, row HostRow) error {
	if err := identifier.CheckID(order); err != nil {
		return fault.At(err, "order")
	}
	if _, err := identifier.ParseMerchantCode(row.MerchantCode); err != nil {
		return fault.At(err, "merchant_code")
	}
	if err := identifier.CheckTerminalCode(row.Terminal); err != nil {
		return fault.At(err, "terminal")
	}
	if row.OldSerial != "" || row.OldTerminal != "" {
		_, errSerial := identifier.ParseSerial(row.OldSerial)
		if err := errors.Join(errSerial, identifier.CheckTerminalCode(row.OldTerminal)); err != nil {
			return fault.At(err, "old_terminal")
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.Records[order] == row {
		return nil
	}
	return h.commit(change{Kind: changeRecord, Order: order, Row: &row})
}

// Nonce starts a session for a serial. A session that is open stays open until the next is signed.
func (h *HostCore) Nonce(serial string) (string, error) {
	if _, err := identifier.ParseSerial(serial); err != nil {
		return "", err
	}
	salt := Salt()
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	if len(h.nonces) >= maxNonces {
		for s, n := range h.nonces {
			if now.Sub(n.asked) > sessionHolds {
				delete(h.nonces, s)
			}
		}
	}
	if len(h.nonces) >= maxNonces {
		return "", errSessionsMany
	}
	h.nonces[serial] = hostNonce{value: b64(salt[:]), asked: now}
	return h.nonces[serial].value, nil
}

// Session completes it: the device's key must have signed the host's nonce, which then is used up.
func (h *HostCore) Session(serial string, key statement.Key, sig []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	n, ok := h.nonces[serial]
	pub, err := key.Public()
	if !ok || err != nil || key.Kind != statement.ES256 || h.now().Sub(n.asked) > sessionHolds {
		return errNoSession
	}
	if !statement.VerifyES256(pub, SessionMessage(serial, n.value), sig) {
		return errSessionKey
	}
	if err := h.commit(change{Kind: changeSession, Serial: serial, Nonce: n.value, Key: &key}); err != nil {
		return err
	}
	delete(h.nonces, serial)
	return nil
}

// Outcome gives the signed answer to a permit, if there was one.
func (h *HostCore) Outcome(permit string) ([]byte, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	signed, done := h.outcomes[permit]
	return signed, done
}

// Release judges the bundle and, only if everything holds, loads keys into the device whose session
// is open. The same permit always gets the same signed answer, a refusal too. An error means that
// nothing was decided: the bundle cannot be read, or the host cannot keep what it would answer.
func (h *HostCore) Release(bundle []byte, permit string) ([]byte, error) {
	if !statement.IsDigest(permit) {
		return nil, errPermitName
	}
	if signed, done := h.Outcome(permit); done {
		return signed, nil
	}
	v := h.judge(bundle, permit) // takes its time, so without the lock
	if v.visit == "" {
		return nil, v.refusal // there is not even a visit to answer about
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if signed, done := h.outcomes[permit]; done {
		return signed, nil
	}
	if v.refusal == nil {
		v.refusal = h.ownChecks(v)
	}
	return h.act(v, permit)
}

// verdict is what the evidence alone says.
type verdict struct {
	visit   string // "" when the bundle cannot be read
	ask     string
	permit  visit.Permit
	decided time.Time
	list    int // numbers of the trust list and parameters that it was decided under
	params  int
	refusal error
}

// judge asks the public evidence package, as every reader of the bundle does.
func (h *HostCore) judge(bundle []byte, permit string) verdict {
	b, err := evidence.Open(bundle)
	if err == nil {
		err = fault.At(identifier.CheckID(b.Visit), "visit")
	}
	if err != nil {
		return verdict{refusal: err}
	}
	v := verdict{visit: b.Visit}
	r := h.reader().Verify(b)
	if !r.Accepted() {
		v.refusal = r.Refusal
		return v
	}
	if r.NotOpened > 0 {
		v.refusal = errUnopened
		return v
	}
	p, digest, ok := r.Permit()
	if !ok || digest != permit {
		v.refusal = errPermitOther
		return v
	}
	v.permit, v.ask, v.decided, v.list = p, r.Last().Ask, r.Last().Now, r.TrustListNumber()
	v.params = r.ParametersNumber()
	return v
}

// ownChecks compares with what only the host has: its clock, its books and the device's session.
// Ending keys needs no session: the old terminal may be dead.
func (h *HostCore) ownChecks(v verdict) error {
	p, now := v.permit, h.now()
	until, err := p.Until.Parse()
	row, known := h.Records[p.Order]
	session := h.sessions[p.Serial]
	switch {
	case err != nil || !now.Before(until):
		return errPermitLate
	case v.decided.After(now.Add(2 * time.Minute)):
		return errPermitEarly
	case v.list < h.MinList:
		return errOwnList
	case v.params < h.MinParameters:
		return errOwnParameters
	case !known || row.MerchantCode != p.Items.MerchantCode || row.terminal(v.ask, p.Serial) != p.Terminal:
		return errOwnRecords
	case v.ask == visit.AskEnd:
		return h.mayEnd(row, p)
	case h.boundElsewhere(p):
		return errOwnBinding
	case session.nonce == "" || now.Sub(session.opened) > sessionHolds:
		return errNoSession
	case session.key.Thumbprint() != p.DeviceKey:
		return errSessionKey
	}
	return nil
}

// mayEnd says whether the host's own books let a terminal's keys end: never another's, and on a swap
// not before the new terminal is live in them.
func (h *HostCore) mayEnd(row HostRow, p visit.Permit) error {
	if live, ok := h.live[p.Serial]; ok && live != p.Terminal {
		return errOwnBinding
	}
	if row.OldSerial == "" {
		return nil
	}
	for serial, terminal := range h.live {
		if terminal == row.Terminal && serial != row.OldSerial {
			return nil
		}
	}
	return errNewNotLive
}

// boundElsewhere says whether the host's own live terminals contradict a permit: one device under two
// terminal codes, or one code on two devices (银发〔2021〕259号).
func (h *HostCore) boundElsewhere(p visit.Permit) bool {
	for serial, terminal := range h.live {
		if (serial == p.Serial) != (terminal == p.Terminal) {
			return true
		}
	}
	return false
}

// act loads, or does not, and remembers the signed answer before anyone hears it.
func (h *HostCore) act(v verdict, permit string) ([]byte, error) {
	c := change{Kind: changeOutcome, Visit: v.visit, Permit: permit}
	o := visit.Outcome{Visit: v.visit, Permit: permit, Outcome: visit.OutcomeRefused, Reason: fault.CodeOf(v.refusal),
		Serial: v.permit.Serial, DeviceKey: v.permit.DeviceKey, At: statement.At(h.now())}
	if v.refusal == nil {
		o.Outcome = visit.Loaded
		if v.ask == visit.AskEnd {
			o.Outcome = visit.KeysEnded
		} else {
			o.Session = h.sessions[v.permit.Serial].nonce
		}
		c.Ask, c.Body = v.ask, &v.permit
	}
	if c.Ask == visit.AskTrial {
		c.Word = newWord()
	}
	signed := h.sign(v.visit, visit.TypeOutcome, o)
	c.Envelope = b64(signed)
	if err := h.commit(c); err != nil {
		return nil, err
	}
	return signed, nil
}

// Cancel takes a permit's power away. A permit that was already acted on keeps its stored outcome,
// and trial keys that were loaded on it work no longer; live keys of a swap's new device go back only
// while the old terminal is still live, so that nobody takes both from a shop.
func (h *HostCore) Cancel(visitID, permit string) ([]byte, error) {
	if err := identifier.CheckID(visitID); err != nil {
		return nil, fault.At(err, "visit")
	}
	if !statement.IsDigest(permit) {
		return nil, errPermitName
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if signed, done := h.outcomes[permit]; done {
		if t := h.permits[permit]; (t != nil && !t.over) || h.fallsBack(permit) {
			if err := h.commit(change{Kind: changeOver, Permit: permit}); err != nil {
				return nil, err
			}
		}
		return signed, nil
	}
	signed := h.sign(visitID, visit.TypeOutcome, visit.Outcome{Visit: visitID, Permit: permit, Outcome: visit.OutcomeCanceled, Reason: "cancelled", At: statement.At(h.now())})
	if err := h.commit(change{Kind: changeOutcome, Visit: visitID, Permit: permit, Envelope: b64(signed)}); err != nil {
		return nil, err
	}
	return signed, nil
}

// fallsBack says whether a live permit's device has an old terminal to give way to.
func (h *HostCore) fallsBack(permit string) bool {
	serial, ok := h.lived[permit]
	if !ok {
		return false
	}
	for _, row := range h.Records {
		if row.OldSerial == "" || row.Terminal != h.live[serial] {
			continue
		}
		if old, live := h.live[row.OldSerial]; live && old == row.OldTerminal {
			return true
		}
	}
	return false
}

// Loads says how often keys were loaded for a permit.
func (h *HostCore) Loads(permit string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.loads[permit]
}

// sign signs in the host's name. A host keeps its order by permit, so its statements name no
// predecessor: one that was never fetched leaves no gap.
func (h *HostCore) sign(visitID, kind string, body any) []byte {
	return h.Actor.Forge(Draft{Stream: visit.StreamVisit + "/" + visitID, Type: kind, At: h.now(), Body: body})
}
