package app

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// Kinds of job.
const (
	JobRelease  = "release_permit"  // key: permit digest, payload: visit
	JobCancel   = "cancel"          // key: permit digest, payload: visit
	JobRollback = "roll_back"       // key: visit, payload: visit
	JobFailures = "report_failures" // key: decision digest, payload: visit
	JobWatch    = "watch_charges"   // key: visit#day, payload: visit
	JobPhotos   = "report_photos"   // key: step digest, payload: visit

	JobSettlement = "report_settlement" // key: visit#file, payload: visit
)

// releaseGrace is how long a permit waits for somebody to ask for its release before menshen does.
const releaseGrace = 20 * time.Second

var (
	errNoPermit  = fault.New(fault.Conflict, "nothing_to_release", "最后一个决定不是许可。", "The visit's last decision is not a permit.")
	errNoHost    = fault.New(fault.Unavailable, "host_not_configured", "没有配置这家收单机构的主机。", "No host is configured for this acquirer.")
	errUnfit     = fault.New(fault.Internal, "permit_not_supported", "重新判断不支持这张许可，没有呼叫主机。", "Judging again does not support the permit; the host was not called.")
	errWithdrawn = fault.New(fault.Refused, "permit_withdrawn", "上门已停止、改变或过期，许可已收回。", "The visit is frozen, changed or late; the permit was withdrawn.")
)

// ReleasePermit has the acquirer's host act on the visit's last permit and gives its signed outcome.
// It may be called again: one load, the same answer.
func (a *App) ReleasePermit(ctx context.Context, actor Actor, visitID string) (visit.Outcome, error) {
	if err := a.mayDo(ctx, actor, visitID, visit.RequestPermit); err != nil {
		return visit.Outcome{}, err
	}
	s, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return visit.Outcome{}, err
	}
	decisions := s.state.Decisions()
	if len(decisions) == 0 || decisions[len(decisions)-1].Body.Permit == nil {
		return visit.Outcome{}, errNoPermit
	}
	return a.Release(ctx, visitID, decisions[len(decisions)-1].Event.Statement.Digest())
}

// Release carries a permit to the host: wait for its receipt, judge once more, record the intent,
// call, record the outcome. Each part can be done again after a crash.
func (a *App) Release(ctx context.Context, visitID, permit string) (visit.Outcome, error) {
	leave, err := a.calling.take(ctx, permit)
	if err != nil {
		return visit.Outcome{}, err
	}
	defer leave()
	if o, ok, err := a.outcome(ctx, visitID, permit); err != nil || ok {
		return o, err
	}
	bundle, err := a.export(ctx, visitID, visit.RoleHost, true)
	if err != nil {
		return visit.Outcome{}, err
	}
	host, acquirer, err := a.hostOf(ctx, visitID)
	if err != nil {
		return visit.Outcome{}, err
	}
	if err := a.supported(bundle, permit); err != nil {
		return visit.Outcome{}, err
	}
	if err := a.intend(ctx, visitID, permit); err != nil {
		if fault.CodeOf(err) != errWithdrawn.Code {
			return visit.Outcome{}, err
		}
		return a.cancel(ctx, host, visitID, permit)
	}
	data, err := bundle.Bytes()
	if err != nil {
		return visit.Outcome{}, err
	}
	answer, err := host.Release(ctx, permit, data)
	if err != nil {
		return visit.Outcome{}, fault.At(err, acquirer)
	}
	return a.answered(ctx, visitID, permit, answer)
}

// supported holds the permit to the bundle that is about to be sent: what the host will judge, the
// server judged first, with the same function. Its reader remembers what it proved at the asks before, and
// each verdict with all that it was given on (decision 0055).
func (a *App) supported(b *evidence.Bundle, permit string) error {
	r := a.reader.Verify(b)
	if _, digest, ok := r.Permit(); !ok || digest != permit {
		return errUnfit.Because(r.Refusal)
	}
	return nil
}

// intend re-reads the visit in the transaction that records the intent: frozen, changed or expired
// means no call.
func (a *App) intend(ctx context.Context, visitID, permit string) error {
	s, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return err
	}
	d, ok := s.state.Permit(permit)
	if !ok {
		return errNoPermit
	}
	until, err := d.Body.Permit.Until.Parse()
	if err != nil {
		return err
	}
	last, _ := s.state.Decision(d.Body.Ask)
	if s.state.Frozen() || s.state.Stage().Ended() || !a.Now().Before(until) || last.Event.Digest != d.Event.Digest {
		return errWithdrawn
	}
	if d.Body.Ask != visit.AskEnd || s.order.Kind != visit.Removal { // a removal only takes power away
		if err := a.unmarked(ctx, s.state.Dispatched().Serial); err != nil {
			return err
		}
	}
	stream := visit.StreamVisit + "/" + visitID
	err = a.recordOwn(ctx, stream, visit.ReleasePermit, visit.TypeIntent, "", visit.Intent{Visit: visitID, Permit: permit})
	if code := fault.CodeOf(err); code == "visit_frozen" || code == "stage_not_fitting" {
		return errWithdrawn.Because(err)
	}
	return err
}

// unmarked withdraws a permit for a device that was marked lost or quarantined since.
func (a *App) unmarked(ctx context.Context, serial string) error {
	return a.Store.Read(ctx, func(tx *store.Tx) error {
		marks, err := marksOf(ctx, tx, serial)
		if err == nil && len(marks) > 0 {
			err = errWithdrawn.At("device")
		}
		return err
	})
}

// cancel takes a permit back; the host's answer is "cancelled" or what it did before.
func (a *App) cancel(ctx context.Context, host Host, visitID, permit string) (visit.Outcome, error) {
	answer, err := host.Cancel(ctx, permit, visitID)
	if err != nil {
		return visit.Outcome{}, err
	}
	return a.answered(ctx, visitID, permit, answer)
}

// Cancel is the job that a brake queues.
func (a *App) Cancel(ctx context.Context, visitID, permit string) error {
	if _, done, err := a.outcome(ctx, visitID, permit); err != nil || (done && !a.takesBack(ctx, visitID, permit)) {
		return err
	}
	host, _, err := a.hostOf(ctx, visitID)
	if err != nil {
		return err
	}
	_, err = a.cancel(ctx, host, visitID, permit)
	return err
}

// answered records the host's signed outcome. Its signature and enrolment are proven by intake.
func (a *App) answered(ctx context.Context, visitID, permit string, envelope []byte) (visit.Outcome, error) {
	claims, err := statement.Parse(envelope)
	if err != nil {
		return visit.Outcome{}, err
	}
	in := Submission{Stream: visit.StreamVisit + "/" + visitID, Verb: visit.ReleasePermit, Envelope: envelope}
	if _, err := a.record(ctx, nil, in, claims); err != nil {
		return visit.Outcome{}, err
	}
	o, ok, err := a.outcome(ctx, visitID, permit)
	if err == nil && !ok {
		err = errUnfit
	}
	return o, err
}

// outcome finds what the host already answered.
func (a *App) outcome(ctx context.Context, visitID, permit string) (visit.Outcome, bool, error) {
	s, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return visit.Outcome{}, false, err
	}
	o, ok := s.state.Outcome(permit)
	return o.Body, ok, nil
}

func (a *App) hostOf(ctx context.Context, visitID string) (Host, string, error) {
	s, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return nil, "", err
	}
	h := a.Hosts[s.order.Acquirer]
	if h == nil {
		return nil, "", errNoHost.At(s.order.Acquirer)
	}
	return notedHost{h, a, s.order.Acquirer}, s.order.Acquirer, nil
}
