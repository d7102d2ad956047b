package evidence

import (
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Lost is the time in which the shop could not take money because of a visit, and who answers for it
// by the sheet's responsibility table. The zero value is no time lost.
type Lost struct {
	From         time.Time
	Until        time.Time // when it could again: or the time of the ask, while Open
	Minutes      int       // whole minutes, begun ones counted
	Open         bool      // it still cannot
	Cause        string    // old_terminal_dead, keys_ended or device_under_trial
	Step         string    // of the responsibility table, "" where it has no line for this
	Organisation string    // who answers: the step's, else the acquirer itself
}

// Causes of lost time.
const (
	LostDead  = "old_terminal_dead"
	LostEnded = "keys_ended"
	LostTrial = "device_under_trial"
)

// Lost is what the visit cost the shop up to the ask.
func (r Report) Lost() Lost { return r.lost }

// OldMarked says whether the terminal that a swap takes over from is marked lost or quarantined.
func (r Report) OldMarked() bool { return r.oldMarked }

// OldLost says whether the terminal that is to leave is lost, signed so by somebody whose word counts for that.
func (r Report) OldLost() bool { return r.oldLost }

// lost counts from the moment when the shop could not take money until it can (design §1): a loaner, the
// live terminal or the old one gives it back.
func (b *builder) lost() Lost {
	l := b.stopped()
	if l.Cause == "" {
		return Lost{}
	}
	until, again := b.takesMoneyAgain(l)
	if !again {
		until, l.Open = b.now, true
	}
	if !until.After(l.From) {
		return Lost{}
	}
	l.Until = until
	l.Minutes = int((until.Sub(l.From) + time.Minute - time.Nanosecond) / time.Minute)
	l.Step, l.Organisation = answersFor(b.facts.Agreement.Value, b.order.Value)
	return l
}

// stopped finds the first moment at which the old terminal took no money, before a new one was live.
func (b *builder) stopped() Lost {
	if k := b.order.Value.Kind; k == visit.Removal || k == visit.Install {
		return Lost{} // the shop wanted it so, or had none
	}
	old := b.old()
	var first Lost
	take := func(at time.Time, err error, cause string) {
		if err == nil && (first.Cause == "" || at.Before(first.From)) {
			first = Lost{From: at, Cause: cause}
		}
	}
	for _, r := range b.state.Terminals() {
		at, err := r.Body.At.Parse()
		if r.Body.Serial != old.Serial || r.Body.State == visit.TerminalLive {
			continue
		}
		cause := LostDead
		if r.Body.State == visit.TerminalEnded {
			cause = LostEnded
		}
		take(at, err, cause)
	}
	for _, o := range b.state.Outcomes() {
		at, err := o.Body.At.Parse()
		d, _ := b.state.Permit(o.Body.Permit)
		switch {
		case o.Body.Outcome == visit.KeysEnded:
			take(at, err, LostEnded)
		case o.Body.Outcome == visit.Loaded && d.Body.Ask == visit.AskTrial && o.Body.Serial == old.Serial:
			take(at, err, LostTrial)
		}
	}
	if live, ok := b.liveAt(); ok && !first.From.Before(live) {
		return Lost{} // the new terminal took over first
	}
	return first
}

func (b *builder) liveAt() (time.Time, bool) {
	for _, o := range b.state.Outcomes() {
		d, _ := b.state.Permit(o.Body.Permit)
		if at, err := o.Body.At.Parse(); err == nil && o.Body.Outcome == visit.Loaded && d.Body.Ask == visit.AskLive {
			return at, true
		}
	}
	return time.Time{}, false
}

// takesMoneyAgain is when a loaner, the live terminal or the old one took over, whichever was first.
func (b *builder) takesMoneyAgain(l Lost) (time.Time, bool) {
	at, ok := b.liveAt()
	take := func(t time.Time, err error) {
		if err == nil && t.After(l.From) && (!ok || t.Before(at)) {
			at, ok = t, true
		}
	}
	for _, it := range b.inVisit(visit.TypeOutageAccepted) {
		var o visit.OutageAccepted
		if b.merchant().signed(it.claims.Header) && it.signed.Body(visit.TypeOutageAccepted, &o) == nil && o.Loaner != "" {
			take(it.received, nil)
		}
	}
	old := b.old()
	for _, r := range b.state.Terminals() { // a repair that opened nothing may bring it back to life
		if r.Body.Serial == old.Serial && r.Body.State == visit.TerminalLive {
			take(r.Body.At.Parse())
		}
	}
	for _, it := range b.inVisit(visit.TypeBrake) { // the host takes its trial keys back: what was there before works again
		if l.Cause == LostTrial && b.state.Stage() == visit.RolledBack && it.event.Verb == visit.RollBack {
			take(it.received, nil)
		}
	}
	return at, ok
}

// answersFor finds the responsible organisation: the table's line for this kind of work, else its line for
// mounting; where it has neither, the acquirer, who may not pass its duty on (条例 art. 21).
func answersFor(a agreement.Verified, o visit.Order) (step, organisation string) {
	if a.OK() {
		for _, want := range []string{o.Kind, "mount"} {
			for _, r := range a.Sheet().Responsibility {
				if r.Step == want {
					return r.Step, r.Organisation
				}
			}
		}
	}
	return "", o.Acquirer
}
