package scenario

import (
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario/iso8583"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

var (
	errChangeKind   = fault.New(fault.Invalid, "host_change_unknown", "主机的记录里有不认识的一条。", "The host's journal holds a change that this version does not know.")
	errChangeBroken = fault.New(fault.Invalid, "host_change_malformed", "主机的记录里有一条读不出来。", "A change in the host's journal cannot be read.")
)

// Journal keeps what a host must never forget. Append returns nil only when the change would
// survive the loss of power; after an error the journal takes nothing more.
type Journal interface {
	Append(change []byte) error
}

// Kinds of change.
const (
	changeRecord  = "record"  // the books: order, row
	changeSession = "session" // serial, key, nonce
	changeOutcome = "outcome" // the signed answer to a permit; with ask and body when it was acted on
	changeOver    = "over"    // a trial permit's keys were taken back
	changeKey     = "key"     // a device collected its simulated session key
	changeMessage = "message" // a terminal's request whose MAC held
	changeCharge  = "charge"  // terminal, charge
	changeReport  = "report"  // the signed acceptance report
	changeDead    = "dead"    // a terminal does not answer any more: serial
	changeEnded   = "ended"   // the acquirer ended a terminal's keys by itself: serial
)

// change is one thing that happened at the host. Applying the same changes in order gives the same
// host, whatever the day.
type change struct {
	Kind     string            `json:"kind"`
	At       statement.Time    `json:"at"`
	Order    string            `json:"order,omitempty"`
	Row      *HostRow          `json:"row,omitempty"`
	Serial   string            `json:"serial,omitempty"`
	Key      *statement.Key    `json:"key,omitempty"`
	Nonce    string            `json:"nonce,omitempty"`
	Visit    string            `json:"visit,omitempty"`
	Permit   string            `json:"permit,omitempty"`
	Ask      string            `json:"ask,omitempty"`
	Body     *visit.Permit     `json:"body,omitempty"`
	Word     string            `json:"word,omitempty"`
	Secret   string            `json:"secret,omitempty"`   // base64 of a simulated session key
	Asked    string            `json:"asked,omitempty"`    // base64 of the device's point
	Answered string            `json:"answered,omitempty"` // base64 of the host's point
	Message  string            `json:"message,omitempty"`  // base64
	Terminal string            `json:"terminal,omitempty"`
	Charge   *agreement.Charge `json:"charge,omitempty"`
	Name     string            `json:"name,omitempty"`     // the slip's commitment
	Envelope string            `json:"envelope,omitempty"` // base64 of what was signed
}

// commit remembers a change and then applies it. The caller holds the lock.
func (h *HostCore) commit(c change) error {
	c.At = statement.At(h.now())
	if h.journal != nil {
		data, err := statement.Canonical(c)
		if err != nil {
			return err
		}
		if err := h.journal.Append(data); err != nil {
			return err
		}
	}
	return h.apply(c)
}

// Recover brings a new host to where its journal ends, and has it go on writing there.
func (h *HostCore) Recover(changes [][]byte, j Journal) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, data := range changes {
		var c change
		if err := statement.Decode(data, &c); err != nil {
			return fault.Of(err).Atf("change %d", i+1)
		}
		if err := h.apply(c); err != nil {
			return fault.Of(err).Atf("change %d", i+1)
		}
	}
	h.journal = j
	return nil
}

// apply is the only writer of what the host remembers.
func (h *HostCore) apply(c change) error {
	at, err := c.At.Parse()
	if err != nil {
		return err
	}
	switch {
	case c.Kind == changeRecord && c.Row != nil:
		h.Records[c.Order] = *c.Row
		if _, known := h.entered[c.Order]; !known {
			h.entered[c.Order] = at
		}
	case c.Kind == changeDead:
		h.dead[c.Serial] = true
	case c.Kind == changeEnded:
		delete(h.live, c.Serial)
	case c.Kind == changeOver && h.lived[c.Permit] != "":
		delete(h.live, h.lived[c.Permit])
	case c.Kind == changeSession && c.Key != nil:
		h.sessions[c.Serial] = hostState{key: *c.Key, nonce: c.Nonce, opened: at}
	case c.Kind == changeOutcome:
		return h.applyOutcome(c)
	case c.Kind == changeOver && h.permits[c.Permit] != nil:
		h.permits[c.Permit].over = true
	case c.Kind == changeKey && h.permits[c.Permit] != nil:
		return h.applyKey(c)
	case c.Kind == changeMessage && h.permits[c.Permit] != nil:
		return h.applyMessage(c)
	case c.Kind == changeCharge && c.Charge != nil:
		h.charges[c.Terminal] = append(h.charges[c.Terminal], *c.Charge)
		clear(h.reports)
	case c.Kind == changeReport:
		signed, err := statement.Base64(c.Envelope)
		h.reports[c.Visit] = signedReport{name: c.Name, envelope: signed}
		return err
	default:
		return errChangeKind.At(c.Kind)
	}
	return nil
}

// applyOutcome stores the signed answer and, when the host acted, what it did to the device.
func (h *HostCore) applyOutcome(c change) error {
	signed, err := statement.Base64(c.Envelope)
	if err != nil || len(signed) == 0 {
		return errChangeBroken.At("envelope")
	}
	h.outcomes[c.Permit] = signed
	if c.Body == nil {
		return nil
	}
	if c.Ask != visit.AskEnd {
		h.loads[c.Permit]++
	}
	if last := h.devices[c.Body.Serial]; last != nil {
		last.over = true // whatever comes next replaces the trial's keys, or ends them
	}
	switch c.Ask {
	case visit.AskLive:
		h.live[c.Body.Serial], h.lived[c.Permit] = c.Body.Terminal, c.Body.Serial
		delete(h.dead, c.Body.Serial)
	case visit.AskEnd:
		delete(h.live, c.Body.Serial)
	}
	if c.Ask != visit.AskTrial {
		return nil
	}
	at, _ := c.At.Parse() // apply parsed it
	h.number++
	t := &trial{permit: *c.Body, digest: c.Permit, visit: c.Visit, number: h.number, word: c.Word, loaded: at,
		booked: map[string]agreement.Charge{}, answers: map[string][]byte{}, traces: map[string]bool{}}
	h.permits[c.Permit], h.trials[c.Visit], h.devices[c.Body.Serial] = t, t, t
	delete(h.reports, c.Visit)
	return nil
}

func (h *HostCore) applyKey(c change) error {
	secret, errSecret := statement.Base64(c.Secret)
	answered, errAnswered := statement.Base64(c.Answered)
	if errSecret != nil || errAnswered != nil || len(secret) == 0 {
		return errChangeBroken.At("secret")
	}
	t := h.permits[c.Permit]
	t.key, t.asked, t.answered = secret, c.Asked, answered
	return nil
}

func (h *HostCore) applyMessage(c change) error {
	t := h.permits[c.Permit]
	raw, err := statement.Base64(c.Message)
	if err != nil {
		return errChangeBroken.At("message").Because(err)
	}
	m, err := iso8583.Open(raw, t.key)
	if err != nil {
		return errChangeBroken.At("message").Because(err)
	}
	at, _ := c.At.Parse() // apply parsed it
	t.take(raw, m, at)
	clear(h.reports)
	return nil
}
