package app

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// Answer is the gate's answer to an ask, with every condition.
type Answer struct {
	Report   evidence.Report
	Decision string // digest of the decision statement, "" when refused
	Took     time.Duration
}

var errAskUnknown = fault.New(fault.Invalid, "ask_unknown", "没有这一步。", "There is no such ask.")

// Ask puts an ask to the gate. Granted, the decision is signed and recorded; refused, nothing is
// recorded but the look into the registers. Asked again after it was granted, because the answer was lost, it is
// answered with the decision that stands, and nothing is recorded (decision 53).
func (a *App) Ask(ctx context.Context, actor Actor, visitID, ask string) (Answer, error) {
	began := a.Now()
	answer, err := a.ask(ctx, actor, visitID, ask)
	answer.Took = a.Now().Sub(began)
	return answer, err
}

func (a *App) ask(ctx context.Context, actor Actor, visitID, ask string) (Answer, error) {
	verb := visit.VerbOf(ask)
	if verb == "" {
		return Answer{}, errAskUnknown
	}
	if err := a.mayDo(ctx, actor, visitID, verb); err != nil {
		return Answer{}, err
	}
	if answer, stands, err := a.standingDecision(ctx, visitID, ask); err != nil || stands {
		return answer, err
	}
	if err := a.publishExtract(ctx, visitID, ask); err != nil {
		return Answer{}, err
	}
	for range retries {
		answer, again, err := a.decide(ctx, visitID, ask)
		if answer.Decision != "" {
			return answer, err
		}
		// Two may ask at once: the other was granted it while this one was being judged.
		if other, stands, failed := a.standingDecision(ctx, visitID, ask); stands && failed == nil {
			return other, nil
		}
		if err != nil || !again {
			return answer, err
		}
	}
	return Answer{}, errBusy
}

// standingDecision finds the decision that an ask was granted with and that still stands (visit.Stands), with the
// report that it rested on.
func (a *App) standingDecision(ctx context.Context, visitID, ask string) (Answer, bool, error) {
	s, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return Answer{}, false, err
	}
	d, stands := s.state.Stands(ask, a.Now())
	if !stands {
		return Answer{}, false, nil
	}
	if ask == visit.AskTrial {
		if another, err := a.trialFailed(ctx, visitID); err != nil || another {
			return Answer{}, false, err
		}
	}
	dossier, err := a.named(ctx, visitID, false)
	if err != nil {
		return Answer{}, false, err
	}
	if dossier.Openings, err = a.positions(ctx, dossier.Entries, a.Operator); err != nil {
		return Answer{}, false, err
	}
	digest := d.Event.Statement.Digest()
	report := a.reader.Recall(dossier, digest)
	return Answer{Report: report, Decision: digest}, true, report.Refusal
}

// trialFailed says whether the host reported that the last trial failed: who asks then wants another one.
func (a *App) trialFailed(ctx context.Context, visitID string) (bool, error) {
	d, err := a.settled(ctx, visitID, false)
	if err != nil {
		return false, err
	}
	return a.reader.TrialFailed(d, a.Now())
}

// mayDo asks access for a visit's verb. A visit that the actor has no part in does not exist for him.
func (a *App) mayDo(ctx context.Context, actor Actor, visitID, verb string) error {
	s, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return err
	}
	rel := Relation(actor, s.order, s.state.Dispatched())
	if access.Decide(access.Role(actor.Role), access.ReadVisit, rel) != access.Allow {
		return errNoVisit
	}
	return access.Require(access.Role(actor.Role), access.On(visit.StreamVisit, verb), rel)
}

func (a *App) visitStanding(ctx context.Context, visitID string) (cachedState, error) {
	var s cachedState
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		var err error
		s, err = a.standing(ctx, tx, visitID)
		return err
	})
	if err == nil && s.state.Number() == 0 {
		err = errNoVisit
	}
	return s, err
}

// decide judges once and records the decision. again is true when somebody wrote to the visit in
// between: the dossier is then another one.
func (a *App) decide(ctx context.Context, visitID, ask string) (answer Answer, again bool, err error) {
	needsReceipts := ask != visit.AskDispatch && ask != visit.AskAdmit
	d, err := a.settled(ctx, visitID, needsReceipts)
	if err != nil {
		return Answer{}, false, err
	}
	now := a.Now().Truncate(time.Second)
	if needsReceipts {
		if err := a.reader.InStep(d, now); err != nil {
			return Answer{}, false, err
		}
	}
	answer.Report = a.reader.Judge(d, ask, now)
	if !answer.Report.Granted {
		return answer, false, nil
	}
	done, err := a.recordDecision(ctx, visitID, ask, answer.Report.Decision())
	switch fault.CodeOf(err) {
	case "":
		answer.Decision = done.Statement
	case codeHeadMoved:
		return answer, true, nil
	}
	return answer, false, err
}

const codeHeadMoved = "visit_head_moved"

var errHeadMoved = fault.New(fault.Conflict, codeHeadMoved, "判断的时候又有新的记录进来了。", "Something was recorded while the ask was being judged.")

// recordDecision signs and records a decision, only if the visit's stream still ends where the
// decision's dossier ended.
func (a *App) recordDecision(ctx context.Context, visitID, ask string, d visit.Decision) (Accepted, error) {
	stream := visit.StreamVisit + "/" + visitID
	envelope, err := a.sign(stream, visit.TypeDecision, "", d)
	if err != nil {
		return Accepted{}, err
	}
	claims, err := statement.Parse(envelope)
	if err != nil {
		return Accepted{}, err
	}
	head := ""
	for _, h := range d.Heads {
		if h.Stream == stream {
			head = h.Event
		}
	}
	w := &writing{app: a, in: Submission{Stream: stream, Verb: visit.VerbOf(ask), Envelope: envelope}, claims: claims, kind: visit.StreamVisit, id: visitID, now: a.Now()}
	if err := w.prepare(ctx); err != nil {
		return Accepted{}, err
	}
	if w.entry.Previous != head {
		return Accepted{}, errHeadMoved
	}
	err = a.Store.Write(ctx, func(tx *store.Tx) error { return w.commit(ctx, tx) })
	if fault.CodeOf(err) == "stream_conflict" {
		return Accepted{}, errHeadMoved
	}
	if err != nil {
		return Accepted{}, err
	}
	a.states.put(visitID, cachedState{state: w.after, order: w.before.order})
	return w.done, nil
}

// settled gathers the dossier and, where receipts are needed, waits until the log and its witnesses
// have given one for every event in it.
func (a *App) settled(ctx context.Context, visitID string, receipts bool) (evidence.Dossier, error) {
	d, err := a.unopened(ctx, visitID, receipts)
	if err != nil {
		return evidence.Dossier{}, err
	}
	d.Openings, err = a.positions(ctx, d.Entries, a.Operator)
	return d, err
}

// unopened gathers the dossier without what it only commits to.
func (a *App) unopened(ctx context.Context, visitID string, receipts bool) (d evidence.Dossier, err error) {
	err = a.awaited(ctx, receipts, func(tx *store.Tx) (g *gather, err error) {
		if d, g, err = a.dossierFor(ctx, tx, visitID); err == nil && receipts {
			d.LogSize, _ = g.logSize()
		}
		return g, err
	})
	return d, err
}

// awaited gathers and, where receipts are needed, gathers again when those that lacked theirs have them,
// until none lacks one.
func (a *App) awaited(ctx context.Context, receipts bool, read func(*store.Tx) (*gather, error)) error {
	patience, cancel := context.WithTimeout(ctx, a.Patience)
	defer cancel()
	for {
		news := a.news.wait() // taken before reading, so that no news is missed in between
		var missing []string
		err := a.Store.Read(ctx, func(tx *store.Tx) error {
			g, err := read(tx)
			if err == nil && receipts {
				_, missing = g.logSize()
			}
			return err
		})
		if err == nil && len(missing) > 0 {
			if err = a.receipted(ctx, patience, missing, news); err == nil {
				continue
			}
		}
		return err
	}
}

// receipted waits until all of these events have their receipts. With every checkpoint all who wait look
// whether theirs came: at one row each, where gathering a dossier again is dozens.
func (a *App) receipted(ctx, patience context.Context, missing []string, news <-chan struct{}) error {
	for {
		if err := a.LogTrouble(); err != nil {
			return errPaused.Because(err) // no waiting helps
		}
		select {
		case <-news:
		case <-patience.Done():
			return errNotReady.Because(patience.Err())
		}
		news = a.news.wait()
		err := a.Store.Read(ctx, func(tx *store.Tx) error {
			for n := len(missing); n > 0; n-- {
				e, err := tx.EventByDigest(ctx, missing[n-1])
				if err != nil || e.Receipt == "" {
					return err
				}
				missing = missing[:n-1]
			}
			return nil
		})
		if err != nil || len(missing) == 0 {
			return err
		}
	}
}

// Preview judges an ask without recording anything and without receipts, for pages.
func (a *App) Preview(ctx context.Context, actor Actor, visitID, ask string) (evidence.Report, error) {
	if err := a.maySee(ctx, actor, visitID, access.ReadVisit); err != nil {
		return evidence.Report{}, err
	}
	d, err := a.settled(ctx, visitID, false)
	if err != nil {
		return evidence.Report{}, err
	}
	return a.reader.Preview(d, ask, a.Now().Truncate(time.Second)), nil
}

// maySee asks access for a reading verb; what may not be seen does not exist.
func (a *App) maySee(ctx context.Context, actor Actor, visitID, verb string) error {
	s, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return err
	}
	rel := Relation(actor, s.order, s.state.Dispatched())
	if access.Decide(access.Role(actor.Role), verb, rel) != access.Allow {
		return errNoVisit
	}
	return nil
}
