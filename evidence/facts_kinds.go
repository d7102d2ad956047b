package evidence

import (
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// KindAddress is the commitment kind of a shop's address.
const KindAddress = "address"

// rollbackAfter is how long after its first trial permit a visit may take to go live; then the old
// terminal takes over again. Three trials of half an hour fit. A rule, not a parameter.
const rollbackAfter = 2 * time.Hour

var (
	errStateEarly  = fault.New(fault.Refused, "old_terminal_state_stale", "主机说旧机状态的时候，人还没到店。", "The host spoke of the old terminal before anybody was at the door.")
	errAddressKind = fault.New(fault.Refused, "opening_other_kind", "打开的内容不是地址。", "The opening of an address is of another kind.")
)

// old is the terminal that the visit takes over from, as the order names it.
func (b *builder) old() visit.OldTerminal {
	o := b.order.Value
	if o.Kind == visit.Swap {
		if o.Old == nil {
			return visit.OldTerminal{}
		}
		return *o.Old
	}
	return visit.OldTerminal{Serial: b.state.Dispatched().Serial, Terminal: o.Terminal}
}

// kinds computes what only some kinds of visit ask.
func (b *builder) kinds() {
	b.facts.Ended = b.ended()
	b.facts.OldState = b.oldState()
	b.facts.Returned = b.returned()
	b.facts.Places = b.places()
	b.facts.EndConsent = bodyFact[visit.EndConsent](b, visit.TypeEndConsent, b.merchant(), 0)
	b.facts.Outage = bodyFact[visit.OutageAccepted](b, visit.TypeOutageAccepted, b.merchant(), 0)
	b.facts.Work = bodyFact[visit.DeviceWork](b, visit.TypeDeviceWork, b.technician(), 0)
	b.facts.Rollback, _ = b.state.RollbackAt().Parse() // "" before the first trial: no timer yet
	b.facts.Opened = b.opened()
	if b.order.Value.Kind == visit.Swap {
		b.facts.OldMarks = b.marks(b.old().Serial)
	}
}

// ended is the host's word that the old terminal's keys are gone.
func (b *builder) ended() gate.Fact[gate.Ended] {
	old := b.old()
	e, ok := b.state.Ended(old.Serial, old.Terminal)
	if !ok {
		return gate.Fact[gate.Ended]{}
	}
	return gate.Known(gate.Ended{Serial: old.Serial, Terminal: old.Terminal}, e.Statement.Digest())
}

// oldState is the host's last word about the old terminal since somebody was at the door; that its
// keys are gone is such a word too.
func (b *builder) oldState() gate.Fact[visit.TerminalState] {
	old := b.old()
	reports := b.state.Terminals()
	var last *visit.Recorded[visit.TerminalState]
	for i, r := range reports {
		if r.Body.Serial == old.Serial {
			last = &reports[i]
		}
	}
	if e, ok := b.state.Ended(old.Serial, old.Terminal); ok {
		return gate.Known(visit.TerminalState{Visit: b.visitID, Serial: old.Serial, Terminal: old.Terminal, State: visit.TerminalEnded}, e.Statement.Digest())
	}
	if last == nil {
		return gate.Fact[visit.TerminalState]{}
	}
	digest := last.Event.Statement.Digest()
	if door, ok := b.firstDoor(); !ok || last.Event.Number < door.event.Number {
		return gate.Unknown[visit.TerminalState](errStateEarly, digest)
	}
	return gate.Known(last.Body, digest)
}

// returned reads the chain of the device that a swap or a removal takes away.
func (b *builder) returned() gate.Fact[gate.Returned] {
	if k := b.order.Value.Kind; k != visit.Swap && k != visit.Removal {
		return gate.Fact[gate.Returned]{}
	}
	transfers := b.of(visit.StreamDevice+"/"+b.old().Serial, custody.TypeTransfer)
	var signed []statement.Verified
	var from []string
	out := gate.Returned{Lost: b.lostFor(b.old().Serial)}
	ended, isEnded := b.state.Ended(b.old().Serial, b.old().Terminal)
	for _, it := range transfers {
		signed, from = append(signed, it.signed), append(from, it.signed.Digest())
		var t custody.Transfer
		if it.signed.Body(custody.TypeTransfer, &t) == nil && b.merchant().signed(it.claims.Header) && t.Notice.Tracking == b.order.Value.Order {
			out.Given, out.Early = true, !isEnded || it.received.Before(ended.ReceivedAt)
		}
	}
	if len(signed) == 0 {
		return gate.Fact[gate.Returned]{}
	}
	var err error
	if out.Chain, err = custody.Verify(signed, nil); err != nil {
		return gate.Unknown[gate.Returned](err, from...)
	}
	return gate.Known(out, from...)
}

// lostFor says whether a device's loss is signed by the merchant whose it was, or by the acquirer's risk desk.
func (b *builder) lostFor(serial string) bool {
	stream := b.deviceStream(serial)
	return slices.ContainsFunc(visit.OpenMarks(stream), func(m visit.Mark) bool {
		i := slices.IndexFunc(stream, func(v statement.Verified) bool { return v.Digest() == m.Statement })
		h := stream[i].Header()
		return m.Reason == visit.MarkLost && (b.merchant().signed(h) || h.Role == visit.RoleRisk && h.Organisation == b.order.Value.Acquirer)
	})
}

// places compares a relocation's two addresses: two commitments differ by their salts alone.
func (b *builder) places() gate.Fact[gate.Places] {
	o := b.order.Value
	if o.Kind != visit.Relocation || o.Old == nil {
		return gate.Fact[gate.Places]{}
	}
	before, okB := b.openings.get(o.Old.Address)
	after, okA := b.openings.get(o.Items.Address)
	switch {
	case !okB || !okA:
		return gate.Known(gate.Places{Unopened: true})
	case before.Kind != KindAddress || after.Kind != KindAddress:
		return gate.Unknown[gate.Places](errAddressKind)
	}
	return gate.Known(gate.Places{Same: plainAddress(before.Value) == plainAddress(after.Value)})
}

// plainAddress leaves out what two spellings of one address differ by.
func plainAddress(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), "")) }

// opened says whether a repair's device is no longer what it was: somebody said so, and nobody can un-say
// it; it left the shop; trial keys were asked for; or it attests other software than when it went live.
func (b *builder) opened() bool {
	if b.order.Value.Kind != visit.Repair {
		return false
	}
	for _, it := range b.inVisit(visit.TypeDeviceWork) {
		var w visit.DeviceWork
		spoke := b.technician().signed(it.claims.Header) || b.merchant().signed(it.claims.Header)
		if spoke && (it.signed.Body(visit.TypeDeviceWork, &w) != nil || w.Touched()) {
			return true
		}
	}
	_, tried := b.state.Decision(visit.AskTrial)
	return tried || b.leftShop() || b.changed()
}

// leftShop says whether anybody but the merchant held the device since this order's visit was opened.
func (b *builder) leftShop() bool {
	booked := b.inVisit(visit.TypeOpened)
	return slices.ContainsFunc(b.of(visit.StreamDevice+"/"+b.state.Dispatched().Serial, custody.TypeTransfer), func(it item) bool {
		return len(booked) > 0 && b.merchant().signed(it.claims.Header) && !it.received.Before(booked[0].received)
	})
}

// changed says whether the device attests another key or other software than the register holds of the
// day when it went live, or gave an answer that does not stand. One that is silent may just be dead.
func (b *builder) changed() bool {
	if b.facts.Quotes.Err != nil {
		return true
	}
	x := b.facts.Extract.Value.Binding
	for _, q := range b.facts.Quotes.Value {
		if (x.DeviceKey != "" && q.Quote.Key() != x.DeviceKey) || (x.Firmware != "" && q.Quote.Firmware() != x.Firmware) {
			return true
		}
	}
	return false
}

// addresses are the commitments to addresses that the gate reads.
func addresses(o visit.Order) []string {
	if o.Kind != visit.Relocation || o.Old == nil {
		return nil
	}
	return []string{o.Items.Address, o.Old.Address}
}
