// Package jobs runs what goes on without anybody asking: leaves into the log and receipts back,
// permits to hosts after a crash, cancels after a brake, and clearing away what is over. Each loop
// is one call into app, made again and again; none decides anything.
package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
)

// Pauses between passes that found nothing to do.
const (
	sequencePause = 20 * time.Millisecond
	workPause     = 500 * time.Millisecond
	watchPause    = time.Minute
	clearPause    = 10 * time.Minute
	failurePause  = time.Second
	tellPause     = 10 * time.Minute // between two log lines about one failure that lasts
	jobLease      = 30 * time.Second
)

// Run starts every loop and returns when ctx is done and all of them have stopped.
func Run(ctx context.Context, a *app.App, log *slog.Logger) {
	loops := map[string]loop{
		"sequence":  {a.Sequence, sequencePause},
		"release":   {func(ctx context.Context) (bool, error) { return work(ctx, a, app.JobRelease, release(a)) }, workPause},
		"cancel":    {func(ctx context.Context) (bool, error) { return work(ctx, a, app.JobCancel, a.Cancel) }, workPause},
		"watch":     {func(ctx context.Context) (bool, error) { return work(ctx, a, app.JobWatch, a.WatchCharges) }, watchPause},
		"rollback":  {func(ctx context.Context) (bool, error) { return work(ctx, a, app.JobRollback, rollBack(a)) }, workPause},
		"failures":  {func(ctx context.Context) (bool, error) { return work(ctx, a, app.JobFailures, a.ReportFailures) }, workPause},
		"photos":    {func(ctx context.Context) (bool, error) { return work(ctx, a, app.JobPhotos, a.ReportPhotos) }, watchPause},
		"door":      {func(ctx context.Context) (bool, error) { return work(ctx, a, app.JobDoorCall, a.AnswerDoorCall) }, workPause},
		"clear":     {func(ctx context.Context) (bool, error) { return false, a.Clear(ctx) }, clearPause},
		"suspend":   {func(ctx context.Context) (bool, error) { return work(ctx, a, app.JobSuspendBadge, a.SuspendBadge) }, workPause},
		"statement": {func(ctx context.Context) (bool, error) { return work(ctx, a, app.JobStatement, a.TakeStatement) }, workPause},
	}
	loops["settlement"] = loop{func(ctx context.Context) (bool, error) { return work(ctx, a, app.JobSettlement, a.ReportSettlement) }, workPause}
	loops["clock"] = loop{func(ctx context.Context) (bool, error) { return work(ctx, a, app.JobTicketClock, a.LookAtClock) }, workPause}
	for _, r := range a.Receivers {
		// Two at a time: a receiver that is slow must not outlast the lease of what waits behind it.
		loops["notice "+r.Name] = loop{func(ctx context.Context) (bool, error) {
			return batch(ctx, a, app.JobNotice(r.Name), 2, a.Deliver(r.Name))
		}, workPause}
	}
	for id := range a.Organisations {
		loops["organisation "+id] = loop{func(ctx context.Context) (bool, error) { return a.Feed(ctx, id) }, sequencePause}
	}
	var wg sync.WaitGroup
	for name, l := range loops {
		wg.Go(func() { l.run(ctx, &teller{log: log.With("loop", name)}) })
	}
	wg.Wait()
}

type loop struct {
	pass  func(context.Context) (busy bool, err error)
	pause time.Duration
}

func (l loop) run(ctx context.Context, tell *teller) {
	for ctx.Err() == nil {
		busy, err := l.pass(ctx)
		pause := l.pause
		if ctx.Err() == nil {
			tell.passed(err, time.Now())
		}
		switch {
		case err != nil && ctx.Err() == nil:
			pause = failurePause
		case busy:
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// teller writes a loop's failures to the log. A pass is made again each second, and whoever is away may be away for
// days: a line for each pass would fill the disk, so a failure is told when it begins, when its code changes, each ten
// minutes while it lasts, and when it is over.
type teller struct {
	log    *slog.Logger
	code   string // of the failure that lasts; empty while all is well
	told   time.Time
	passes int // that failed since all was well
}

func (t *teller) passed(err error, now time.Time) {
	if err == nil {
		if t.code != "" {
			t.log.Info("pass goes on", "code", t.code, "failed_passes", t.passes)
		}
		t.code, t.passes = "", 0
		return
	}
	t.passes++
	code := fault.CodeOf(err)
	if code == t.code && now.Sub(t.told) < tellPause {
		return
	}
	t.code, t.told = code, now
	t.log.Warn("pass failed", "code", code, "failed_passes", t.passes, "error", err.Error())
}

func release(a *app.App) func(context.Context, string, string) error {
	return func(ctx context.Context, visitID, permit string) error {
		_, err := a.Release(ctx, visitID, permit)
		return err
	}
}

func rollBack(a *app.App) func(context.Context, string, string) error {
	return func(ctx context.Context, visitID, _ string) error { return a.RollBackDue(ctx, visitID) }
}

// work leases due jobs of a kind and carries them out. A job that fails comes again later; one whose
// attempts are used up is dead and shown to the operator.
func work(ctx context.Context, a *app.App, kind string, do func(ctx context.Context, visitID, permit string) error) (bool, error) {
	return batch(ctx, a, kind, 8, do)
}

func batch(ctx context.Context, a *app.App, kind string, most int, do func(ctx context.Context, payload, key string) error) (bool, error) {
	var leased []store.Job
	err := a.Store.Write(ctx, func(tx *store.Tx) error {
		var err error
		leased, err = tx.LeaseJobs(ctx, kind, most, a.Now(), jobLease)
		return err
	})
	if err != nil {
		return false, err
	}
	for _, job := range leased {
		failed := do(ctx, string(job.Payload), job.Key)
		err := a.Store.Write(ctx, func(tx *store.Tx) error {
			if failed == nil {
				return tx.CompleteJob(ctx, job, a.Now())
			}
			return tx.FailJob(ctx, job, fault.CodeOf(failed), a.Now())
		})
		if err != nil {
			return true, err
		}
	}
	return len(leased) > 0, nil
}
