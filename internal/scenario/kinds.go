package scenario

import (
	"context"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// NewPlace and NewAddress are where the corner shop moves to.
const (
	NewPlace   = "+31.23900/+121.48200"
	NewAddress = "示例路 18 号"
)

// Next is a later visit of the same people to the same shop. On a swap serial and terminal are the new
// device's; every other kind is about the device that is there, and they are not read.
func (p *Play) Next(kind, id, serial, terminal string) *Play {
	q := &Play{Cast: p.Cast, Venue: p.Venue, Now: p.Now, Wait: p.Wait, Tell: p.Tell, Host: p.Host, Foundry: p.Foundry, Trust: p.Trust, Apart: p.Apart,
		Device: p.Device, ID: p.apart(id), Shop: p.Shop, Earlier: p, transfers: p.transfers}
	switch kind {
	case visit.Swap:
		q.Device, q.transfers = p.Foundry.Make(p.apart(serial), p.Now()), nil
		q.Device.Model, q.Device.Hardware, q.Device.Firmware = p.Device.Model, p.Device.Hardware, p.Device.Firmware
		q.Shop.Terminal = p.apart(terminal)
	case visit.Relocation:
		q.Shop.Address, q.Shop.Position = NewAddress, NewPlace
	}
	q.NewOrder(kind, p.Order.Risk)
	return q
}

// takesOver names what the order takes over from, if there was an earlier visit.
func (p *Play) takesOver(kind string, hide func(kind, value string) string) *visit.OldTerminal {
	if p.Earlier == nil || (kind != visit.Swap && kind != visit.Relocation) {
		return nil
	}
	old := &visit.OldTerminal{Serial: p.Earlier.Device.Serial, Terminal: p.Earlier.Order.Terminal}
	if kind == visit.Relocation {
		old.Address = hide("address", p.Earlier.Shop.Address)
	}
	return old
}

// Old is the terminal that the visit takes over from, or takes away.
func (p *Play) Old() visit.OldTerminal {
	if p.Order.Old != nil {
		return visit.OldTerminal{Serial: p.Order.Old.Serial, Terminal: p.Order.Old.Terminal}
	}
	return visit.OldTerminal{Serial: p.Device.Serial, Terminal: p.Order.Terminal}
}

// Swap lists the scenes of an honest swap: the old terminal works until the new one does.
func (p *Play) Swap() []Scene {
	return append(append(p.toTheDoor(),
		Scene{"arrive", func(ctx context.Context) error { return p.Arrive(ctx, p.Notice(p.Order.Order)) }},
		Scene{"old state", p.ReportOld}), append(p.tryAndGoLive(),
		append(p.endKeys(),
			Scene{"hand back", p.HandBack},
			p.closes())...)...)
}

// Relocate lists the scenes of an honest relocation: the keys end at the old place before the trial at
// the new one.
func (p *Play) Relocate() []Scene {
	scenes := append(p.toTheDoor(),
		Scene{"hand over to move", p.HandBack},
		Scene{"arrive", func(ctx context.Context) error { return p.Arrive(ctx, p.Notice(p.Order.Order)) }})
	scenes = append(append(scenes, p.endKeys()...), Scene{"outage", func(ctx context.Context) error { return p.AcceptOutage(ctx, "") }})
	return append(append(scenes, p.tryAndGoLive()...), p.closes(), Scene{"settle", p.Settle})
}

// Repair lists the scenes of an honest repair in which the device was opened or changed.
func (p *Play) Repair() []Scene {
	return append(append(p.toTheDoor(),
		Scene{"device work", func(ctx context.Context) error { return p.WorkOnDevice(ctx, true, false) }},
		Scene{"old state", p.ReportOld}), append(p.tryAndGoLive(), p.closes())...)
}

// RepairUntouched lists the scenes of an honest repair that opened and changed nothing: no sheet, no keys.
func (p *Play) RepairUntouched() []Scene {
	scenes := Without(Without(p.toTheDoor(), "offer"), "agree")
	return append(scenes, append([]Scene{{"device work", func(ctx context.Context) error { return p.WorkOnDevice(ctx, false, true) }},
		{"attest", p.AttestDevice}}, p.withoutScript()...)...)
}

// Remove lists the scenes of an honest removal: the keys are gone before the device leaves.
func (p *Play) Remove() []Scene {
	scenes := append(append(p.toTheDoor(), Scene{"nothing to keep", p.NothingToKeep}), p.endKeys()...)
	return append(append(scenes, Scene{"hand back", p.HandBack}), p.withoutScript()...)
}

// InspectAgain lists the scenes of an honest inspection of a device that menshen saw go live.
func (p *Play) InspectAgain() []Scene { return p.Inspect() }

func (p *Play) closes() Scene {
	return Scene{"ask close", func(ctx context.Context) error { return p.MustAsk(ctx, visit.AskClose) }}
}

// endKeys has the merchant consent, the gate decide and the host end the old terminal's keys.
func (p *Play) endKeys() []Scene {
	return []Scene{
		{"consent", p.ConsentToEnd},
		{"ask end", func(ctx context.Context) error { return p.MustAsk(ctx, visit.AskEnd) }},
		{"release end", p.mustEnd},
	}
}

// tryAndGoLive is what every kind with an acceptance script has in common.
func (p *Play) tryAndGoLive() []Scene {
	whole := p.Install()
	return Until(From(whole, "nothing to keep"), "ask close")
}

// withoutScript is the end of every kind without one.
func (p *Play) withoutScript() []Scene { return From(p.Inspect(), "work") }

// Settle hands a device over to the merchant, whose it is to keep from then on.
func (p *Play) Settle(ctx context.Context) error {
	return p.HandOver(ctx, p.Cast.Technician, p.Cast.Merchant, p.Notice(p.Order.Order), nil)
}

// HandBack has the merchant sign the old device over to the technician, for this order.
func (p *Play) HandBack(ctx context.Context) error {
	holder := p
	if p.Order.Kind == visit.Swap {
		holder = p.Earlier
	}
	err := holder.HandOver(ctx, p.Cast.Merchant, p.Cast.Technician, holder.Notice(p.Order.Order), nil)
	if err == nil {
		p.tell("店主 "+p.Cast.Merchant.ID, "把机具 …%s 签字交给上门人员", lastSix(holder.Device.Serial))
	}
	return err
}

func lastSix(serial string) string { return serial[max(0, len(serial)-6):] }

// ReportOld files the host's own word about the old terminal.
func (p *Play) ReportOld(ctx context.Context) error {
	envelope, err := p.Host.TerminalState(ctx, p, p.Old().Serial)
	if err != nil {
		return err
	}
	return p.Venue.File(ctx, p.Cast.Host, Filing{Stream: p.VisitStream(), Verb: visit.ReportTerminal, Envelope: envelope})
}

// AcceptOutage is the merchant's signature for a time without the old terminal, or with a loaner.
func (p *Play) AcceptOutage(ctx context.Context, loaner string) error {
	_, err := p.file(ctx, p.Cast.Merchant, visit.Confirm, Draft{Stream: p.VisitStream(), Type: visit.TypeOutageAccepted,
		Body: visit.OutageAccepted{Visit: p.ID, Serial: p.Old().Serial, Loaner: loaner}})
	return err
}

// ConsentToEnd is the merchant's signature that the old terminal's keys may end.
func (p *Play) ConsentToEnd(ctx context.Context) error {
	old := p.Old()
	_, err := p.file(ctx, p.Cast.Merchant, visit.Confirm, Draft{Stream: p.VisitStream(), Type: visit.TypeEndConsent,
		Body: visit.EndConsent{Visit: p.ID, Serial: old.Serial, Terminal: old.Terminal}})
	return err
}

// WorkOnDevice is the technician's word about what a repair did to the device.
func (p *Play) WorkOnDevice(ctx context.Context, opened, sealsIntact bool) error {
	_, err := p.file(ctx, p.Cast.Technician, visit.RecordStep, Draft{Stream: p.VisitStream(), Type: visit.TypeDeviceWork,
		Body: visit.DeviceWork{Visit: p.ID, Serial: p.Device.Serial, Opened: opened, SealsIntact: sealsIntact}})
	return err
}

// mustEnd releases an end permit; the old terminal needs no session, it may be dead.
func (p *Play) mustEnd(ctx context.Context) error {
	outcome, err := p.Venue.Release(ctx, p.Cast.Technician, p.ID)
	if err != nil {
		return err
	}
	if outcome != visit.KeysEnded {
		return hostRefused(outcome)
	}
	p.tell("收单主机", "自己重新核对了全部证据，作废旧密钥 …%s", lastSix(p.Old().Serial))
	return nil
}

// Dead marks a terminal as one that does not answer its host any more, in the host's own books.
func (p *Play) Dead(serial string) error {
	return p.Host.(interface{ MarkDead(string) error }).MarkDead(serial)
}

// terminalState is what the host signs about a terminal of its own books.
func (h *HostCore) terminalState(visitID, serial, terminal string) []byte {
	state := visit.TerminalEnded
	if live, ok := h.live[serial]; ok {
		state, terminal = visit.TerminalLive, live
		if h.dead[serial] {
			state = visit.TerminalDead
		}
	}
	return h.sign(visitID, visit.TypeTerminalState, visit.TerminalState{Visit: visitID, Serial: serial, Terminal: terminal, State: state, At: statement.At(h.now())})
}

// TerminalState signs what the host knows of a terminal: live and answering, dead, or without keys.
func (h *HostCore) TerminalState(visitID, order, serial string) ([]byte, error) {
	row, ok := h.record(order)
	if !ok {
		return nil, errTerminalNone
	}
	terminal := row.Terminal
	if serial == row.OldSerial {
		terminal = row.OldTerminal
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.terminalState(visitID, serial, terminal), nil
}

// MarkDead notes that a terminal does not answer any more.
func (h *HostCore) MarkDead(serial string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.commit(change{Kind: changeDead, Serial: serial})
}

// EndKeys ends a terminal's keys on the acquirer's own decision: that needs nobody's permit.
func (h *HostCore) EndKeys(serial string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.commit(change{Kind: changeEnded, Serial: serial})
}

// MarkDead lets the play's host hear nothing more from a terminal.
func (m *InMemory) MarkDead(serial string) error { return m.Core.MarkDead(serial) }

// TerminalState gives the host's signed word about a terminal.
func (m *InMemory) TerminalState(_ context.Context, p *Play, serial string) ([]byte, error) {
	return m.Core.TerminalState(p.ID, p.Order.Order, serial)
}

// RowOf is what the acquirer's own books say about an order.
func RowOf(o visit.Order) HostRow {
	row := HostRow{MerchantCode: o.Items.MerchantCode, Terminal: o.Terminal}
	if o.Kind == visit.Swap && o.Old != nil {
		row.OldSerial, row.OldTerminal = o.Old.Serial, o.Old.Terminal
	}
	return row
}

var errShopStranded = fault.New(fault.Refused, "shop_stranded", "店里没有一台能用的机具，店主也没有签字同意。", "The shop has no terminal that takes money, and the merchant did not sign for that.")

// shopIsServed is the invariant of every visit to a shop that has a terminal: in the host's own books one
// is live, or the merchant signed for the outage, or that the keys may end.
func (p *Play) shopIsServed(l *Ledger) error {
	l.Host.mu.Lock()
	live := len(l.Host.live)
	for serial := range l.Host.live {
		if l.Host.dead[serial] {
			live--
		}
	}
	l.Host.mu.Unlock()
	if live > 0 {
		return nil
	}
	for _, r := range l.Stream(p.VisitStream()) {
		c, err := statement.Parse(r.Envelope)
		if err == nil && (c.Type == visit.TypeOutageAccepted || c.Type == visit.TypeEndConsent) {
			return nil
		}
	}
	return errShopStranded
}
