package app

import (
	"context"
	"slices"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// firmware is what the device's last answer in this visit names. The live decision that is being recorded has
// just proven that answer.
func (w *writing) firmware(ctx context.Context, tx *store.Tx) (string, error) {
	claims, err := w.app.gather(ctx, tx).stream(visit.StreamVisit, w.id)
	for _, c := range slices.Backward(claims) {
		var a attest.Attestation
		if err == nil && c.Type == attest.TypeAttestation {
			err = c.UntrustedBody(&a)
			return attest.ClaimedFirmware(a), err
		}
	}
	return "", err
}

// queueRollback plans the timer that the first trial permit set; later ones name the same time.
func (w *writing) queueRollback(ctx context.Context, tx *store.Tx, p visit.Permit) error {
	at, err := p.RollbackAt.Parse()
	if err != nil {
		return err
	}
	_, err = tx.EnqueueJob(ctx, JobRollback, w.id, []byte(w.id), w.now, at, 0)
	return err
}

// timerReason is why the platform rolls a visit back: nobody asked for it, the time is over.
const timerReason = "timer"

// RollBackDue takes a visit back to the old terminal when its timer has run out and it is not live. Nobody
// has to trust this loop: the permits of such a visit end with the timer, and the host has its own clock.
func (a *App) RollBackDue(ctx context.Context, visitID string) error {
	s, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return err
	}
	at, err := s.state.RollbackAt().Parse()
	stage := s.state.Stage()
	if err != nil || a.Now().Before(at) || stage.Ended() || stage == visit.Live {
		return err
	}
	return a.recordOwn(ctx, visit.StreamVisit+"/"+visitID, visit.RollBack, visit.TypeBrake, "", visit.Brake{Visit: visitID, Reason: timerReason})
}

// rolledBack frees what the visit reserved, and tells the host to take back what it loaded: the old terminal
// is the shop's again.
func (w *writing) rolledBack(ctx context.Context, tx *store.Tx) error {
	if !w.after.Stage().Ended() || w.after.Stage() == visit.Closed {
		return nil
	}
	if err := tx.EndReservation(ctx, w.after.Dispatched().Serial, w.id, w.now); err != nil {
		return err
	}
	if w.after.Stage() != visit.RolledBack {
		return nil
	}
	for _, d := range w.after.Decisions() {
		if d.Body.Permit == nil || d.Body.Ask == visit.AskEnd {
			continue
		}
		if _, err := tx.EnqueueJob(ctx, JobCancel, d.Event.Statement.Digest(), []byte(w.id), w.now, w.now, 0); err != nil {
			return err
		}
	}
	return nil
}

// takesBack says whether a permit that was acted on is still to be taken back at the host.
func (a *App) takesBack(ctx context.Context, visitID, permit string) bool {
	s, err := a.visitStanding(ctx, visitID)
	if err != nil || s.state.Stage() != visit.RolledBack {
		return false
	}
	o, ok := s.state.Outcome(permit)
	return ok && o.Body.Outcome == visit.Loaded
}

// queueFailures plans the incident for what failed at close without blocking it.
func (w *writing) queueFailures(ctx context.Context, tx *store.Tx, d visit.Decision) error {
	if !failed(d) {
		return nil
	}
	_, err := tx.EnqueueJob(ctx, JobFailures, w.claims.Digest(), []byte(w.id), w.now, w.now, 0)
	return err
}

func failed(d visit.Decision) bool {
	for _, c := range d.Conditions {
		if c.Verdict != string(gate.Holds) {
			return true
		}
	}
	return false
}

// incidentDevice is the kind of incident that the platform reports when a device that is in use does not
// prove itself at an inspection or a repair.
const incidentDevice = "device"

// ReportFailures opens an incident, once, for what a close decision found and did not block (design §5): it
// freezes nothing that could still give power, and stands against the device until the risk desk answers it.
func (a *App) ReportFailures(ctx context.Context, visitID, decision string) error {
	s, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return err
	}
	d, ok := s.state.Decision(visit.AskClose)
	if !ok || d.Event.Statement.Digest() != decision || s.state.Frozen() {
		return nil
	}
	return a.recordOwn(ctx, visit.StreamVisit+"/"+visitID, visit.ReportIncident, visit.TypeIncident, decision, visit.Incident{Visit: visitID, Kind: incidentDevice})
}

// indexTerminal ends a binding when the acquirer ended the keys by itself.
func (w *writing) indexTerminal(ctx context.Context, tx *store.Tx) error {
	t, err := body[visit.TerminalState](w)
	if err != nil || t.State != visit.TerminalEnded {
		return err
	}
	return w.endBinding(ctx, tx, t.Serial)
}

// endBinding ends the binding of a terminal whose keys are gone, if it is of this order's acquirer.
func (w *writing) endBinding(ctx context.Context, tx *store.Tx, serial string) error {
	b, err := tx.Binding(ctx, serial)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return nil
	case err != nil || b.Acquirer != w.before.order.Items.AcquirerCode:
		return err
	}
	return tx.EndBinding(ctx, serial, w.now)
}

// Lost is the time that a visit cost the shop so far.
func (a *App) Lost(ctx context.Context, visitID string) (evidence.Lost, error) {
	d, err := a.settled(ctx, visitID, false)
	if err != nil {
		return evidence.Lost{}, err
	}
	return a.Examine(d, a.Now()).Lost(), nil
}

// NextAsk says what a visit is asked next, "" for nothing.
func NextAsk(o visit.Order, s visit.State) string {
	old := visit.OldTerminal{Serial: s.Dispatched().Serial, Terminal: o.Terminal}
	if o.Kind == visit.Swap && o.Old != nil {
		old = *o.Old
	}
	_, ended := s.Ended(old.Serial, old.Terminal)
	column := o.Kind
	if _, tried := s.Decision(visit.AskTrial); o.Kind == visit.Repair && !s.Touched() && !tried {
		column = gate.RepairUntouched
	}
	first := func(asks ...string) string {
		for _, ask := range asks {
			if gate.Puts(column, ask) && (ask != visit.AskEnd || !ended) {
				return ask
			}
		}
		return ""
	}
	switch s.Stage() {
	case visit.Booked:
		return visit.AskDispatch
	case visit.Dispatched:
		return visit.AskAdmit
	case visit.Admitted:
		if o.Kind == visit.Swap { // its end comes after live
			return visit.AskTrial
		}
		return first(visit.AskEnd, visit.AskTrial, visit.AskClose)
	case visit.Trial:
		return visit.AskLive
	case visit.Live:
		if o.Kind == visit.Relocation { // its end came before the trial
			return visit.AskClose
		}
		return first(visit.AskEnd, visit.AskClose)
	}
	return ""
}
