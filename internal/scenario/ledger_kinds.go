package scenario

import (
	"context"

	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// bind keeps the binding register: a live terminal is bound, one whose keys are gone is not.
func (l *Ledger) bind(visitID string, d visit.Decision, outcome string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := d.Permit
	switch {
	case outcome == visit.Loaded && d.Ask == visit.AskLive:
		l.Bound[p.Serial] = registry.BindingLook{Serial: p.Serial, Terminal: p.Terminal, SerialBoundTo: p.Order, BoundAcquirer: p.Items.AcquirerCode,
			BoundMerchant: p.Items.MerchantCode, DeviceKey: p.DeviceKey, Firmware: l.attested[visitID].Firmware}
	case outcome == visit.KeysEnded:
		b := l.Bound[p.Serial]
		l.Bound[p.Serial] = registry.BindingLook{Serial: p.Serial, DeviceKey: b.DeviceKey, Firmware: b.Firmware,
			LastAcquirer: b.BoundAcquirer, LastMerchant: b.BoundMerchant}
	}
}

// lookAtTerminals says which serial has the order's terminal code, and looks at a swap's old terminal.
func (l *Ledger) lookAtTerminals(x *registry.Extract, o visit.Order) {
	on := func(terminal string) string {
		for serial, b := range l.Bound {
			if b.Terminal == terminal && b.SerialBoundTo != "" {
				return serial
			}
		}
		return ""
	}
	x.Binding.TerminalOn = on(x.Binding.Terminal)
	if o.Kind != visit.Swap || o.Old == nil {
		return
	}
	old := l.Bound[o.Old.Serial]
	old.Serial, old.Terminal, old.TerminalOn = o.Old.Serial, o.Old.Terminal, on(o.Old.Terminal)
	x.Old = &old
}

// reportFailures opens an incident for what failed at close without blocking it, as the server does.
func (l *Ledger) reportFailures(visitID string, d visit.Decision) error {
	for _, c := range d.Conditions {
		if d.Ask == visit.AskClose && c.Verdict != string(gate.Holds) {
			stream := visit.StreamVisit + "/" + visitID
			_, err := l.Append(stream, visit.ReportIncident, l.platform(Draft{Stream: stream, Type: visit.TypeIncident, At: l.Now(),
				Body: visit.Incident{Visit: visitID, Kind: "device"}}))
			return err
		}
	}
	return nil
}

// RollBackDue does what the server's timer does: a visit whose time is over goes back to the old terminal,
// and the host takes its trial keys back.
func (l *Ledger) RollBackDue(ctx context.Context, visitID string) (bool, error) {
	state, err := l.reader.Stand(l.Dossier(visitID, 0), l.Now())
	if err != nil {
		return false, err
	}
	at, err := state.RollbackAt().Parse()
	if err != nil || l.Now().Before(at) || state.Stage().Ended() || state.Stage() == visit.Live {
		return false, nil
	}
	stream := visit.StreamVisit + "/" + visitID
	brake := l.platform(Draft{Stream: stream, Type: visit.TypeBrake, At: l.Now(), Body: visit.Brake{Visit: visitID, Reason: "timer"}})
	if err := l.File(ctx, l.Cast.Platform, Filing{Stream: stream, Verb: visit.RollBack, Envelope: brake}); err != nil {
		return false, err
	}
	for _, d := range state.Decisions() {
		if d.Body.Permit == nil {
			continue
		}
		signed, err := l.Host.Cancel(visitID, d.Event.Statement.Digest())
		if err != nil {
			return false, err
		}
		if err := l.File(ctx, l.Cast.Host, Filing{Stream: stream, Verb: visit.ReleasePermit, Envelope: signed}); err != nil {
			return false, err
		}
	}
	return true, nil
}

// oldSerial reads which device an order takes over from, "" for none.
func (l *Ledger) oldSerial(order string) string {
	for _, r := range l.streams[visit.StreamOrder+"/"+order] {
		c, err := statement.Parse(r.Envelope)
		var o visit.Order
		if err == nil && c.Type == visit.TypeOrder && c.UntrustedBody(&o) == nil && o.Old != nil {
			return o.Old.Serial
		}
	}
	return ""
}

// trialsOver lists the permits of a visit whose trial keys were taken back.
func (h *HostCore) trialsOver(visitID string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for digest, t := range h.permits {
		if t.visit == visitID && t.over {
			out = append(out, digest)
		}
	}
	return out
}
