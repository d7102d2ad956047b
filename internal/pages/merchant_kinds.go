package pages

import (
	"strings"

	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// What the merchant does on kinds that take over from a terminal, beside what every kind asks of him.
const (
	NextOutage   = "outage"    // the old terminal does not work: sign for the time without it
	NextConsent  = "consent"   // its keys may end
	NextHandBack = "hand_back" // the device goes to the technician
	NextClosing  = "closing"   // live; the technician finishes
)

// ShopOld is the terminal that a visit takes over from or takes away, as its merchant needs it.
type ShopOld struct {
	Replaced              bool // by another device: a swap
	Serial, Terminal      string
	Lost                  LostView // the time in which the shop could take no money
	State                 string   // the host's last word, "" before it spoke
	Consent, Outage, Back bool     // what the merchant has signed about it
	Marked, Missing       bool     // lost or quarantined; lost, and signed so: nobody can hand it back
	// Parcel is the hand-over that his own follows; LastBy and LastKey are his own last one, which the next names.
	Parcel          string
	LastBy, LastKey string
	Notice          custody.Notice
	To              string // who takes it, and of which organisation
	ToOrganisation  string
}

// LastSix are the digits that the merchant compares with the device's back.
func (o ShopOld) LastSix() string { return last(o.Serial, 6) }

// suspect says whether the terminal would take money and is no way back all the same.
func (o ShopOld) suspect() bool { return o.Marked && o.State == visit.TerminalLive }

// confirmKey is the key of a question of the confirmation: after a removal there is no terminal to take payments with.
func confirmKey(o ShopOrder, question string) string {
	if o.Kind == visit.Removal && !strings.HasPrefix(question, "paid_nothing_beside") {
		return "confirm." + question + ".removal"
	}
	return "confirm." + question
}

// oldOf begins what the merchant's page knows of the old terminal; nil for kinds that have none.
func (m ShopMaterial) oldOf() *ShopOld {
	answers := m.Report.Lost().Organisation
	shown := oldOf(Material{Report: m.Report, Names: map[string]string{answers: m.firm(answers).Name}})
	if shown == nil {
		return nil
	}
	d := m.Report.State().Dispatched()
	return &ShopOld{Replaced: shown.Replaced, Lost: shown.Lost, Serial: shown.Serial, Terminal: shown.Terminal, State: shown.State, Marked: m.Report.OldMarked(), Missing: m.Report.OldLost(), To: d.Technician, ToOrganisation: d.Issuer}
}

// takeOld reads what was signed about the old terminal; a later statement stands for an earlier one.
func (h *heard) takeOld(c statement.Claims, order string) error {
	if h.old == nil {
		return nil
	}
	mine := c.Header.Role == visit.RoleMerchant
	switch c.Type {
	case visit.TypeEndConsent:
		var b visit.EndConsent
		err := c.UntrustedBody(&b)
		h.old.Consent = h.old.Consent || mine && b.Serial == h.old.Serial && b.Terminal == h.old.Terminal
		return err
	case visit.TypeOutageAccepted:
		var b visit.OutageAccepted
		err := c.UntrustedBody(&b)
		h.old.Outage = h.old.Outage || mine && b.Serial == h.old.Serial
		return err
	case custody.TypeTransfer:
		var t custody.Transfer
		if err := c.UntrustedBody(&t); err != nil || t.Serial != h.old.Serial {
			return err
		}
		h.old.Parcel, h.old.Notice = c.Digest(), t.Notice
		if mine {
			h.old.LastBy, h.old.LastKey = c.Digest(), c.Header.Key
			h.old.Back = h.old.Back || t.Notice.Tracking == order
		}
	}
	return nil
}

// withOld is the merchant's next act about the old terminal at a stage, "" for none.
func (h *heard) withOld(stage visit.Stage, kind string) string {
	old := h.old
	if old == nil {
		return ""
	}
	gone, dead := old.State == visit.TerminalEnded, old.State == visit.TerminalDead || old.suspect()
	switch {
	case kind == visit.Relocation && stage == visit.Admitted && !old.Back:
		return NextHandBack
	case kind == visit.Relocation && stage == visit.Admitted && !gone && !old.Consent, kind == visit.Removal && !gone && !old.Consent,
		kind == visit.Swap && stage == visit.Live && !gone && !old.Consent:
		return NextConsent
	case kind != visit.Removal && stage == visit.Admitted && (gone || dead) && !old.Outage:
		return NextOutage
	case kind == visit.Removal && !gone: // consent is there: the host ends the keys next
		return NextWork
	case gone && !old.Back && !old.Missing && (kind == visit.Removal || kind == visit.Swap && stage == visit.Live):
		return NextHandBack
	}
	return ""
}

// byKind prefers a text's own words for a kind of visit.
func byKind(key, kind string) Text {
	if t := say(key + "." + kind); t.Zh != key+"."+kind {
		return t
	}
	return say(key)
}

// nextWord is the answer at the top of the order page.
func (o ShopOrder) nextWord() Text { return byKind("next."+o.Next, o.variant()) }

// variant is which words an act's page prefers: those of the visit's kind, or of an old terminal under suspicion.
func (o ShopOrder) variant() string {
	if o.Next == NextOutage && o.Old != nil && o.Old.suspect() {
		return "suspect"
	}
	return o.Kind
}

func outageBody(o ShopOrder) string {
	return signable(visit.OutageAccepted{Visit: o.Visit, Serial: o.Old.Serial})
}

func consentBody(o ShopOrder) string {
	return signable(visit.EndConsent{Visit: o.Visit, Serial: o.Old.Serial, Terminal: o.Old.Terminal})
}

// handBackBody names the order as what the device is handed over for, and keeps box and seals as they were announced.
func handBackBody(o ShopOrder) string {
	n := o.Old.Notice
	n.Tracking = o.Order
	return signable(custody.Transfer{Serial: o.Old.Serial, FromHolder: o.Person, ToHolder: o.Old.To, ToOrganisation: o.Old.ToOrganisation, Notice: n, SealsIntact: true})
}

// oldSerial names the device stream that a hand-back goes into.
func (o ShopOrder) oldSerial() string {
	if o.Old == nil {
		return ""
	}
	return o.Old.Serial
}

// outageWhy is why the shop has to go without its terminal.
func outageWhy(o ShopOrder) string {
	if o.Old.suspect() {
		return "outage.why.suspect"
	}
	return "outage.why"
}
