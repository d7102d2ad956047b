package app

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/acquirer"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/transparency"
)

// RoleOperations is who runs the deployment.
const RoleOperations = string(access.Operations)

// Operations is how the deployment does, for whoever runs it. It names organisations and codes, no visit, no person
// and no value of anybody.
type Operations struct {
	At        time.Time
	Log       transparency.Status
	LogWhy    string // code of why nothing is sequenced or receipted, "" when all is well
	Outbox    Waiting
	Queues    []Queue
	Dead      []DeadLetter    // oldest first, without those that were set aside
	DeadActs  []DeadLetterAct // newest first
	Reached   []Reached       // by kind and name
	BackupAt  time.Time       // zero for none that menshen knows of
	Unsent    Unsent          // of all phones together
	Phones    int64           // that have anything unsent
	Conflicts Waiting         // that nobody has settled
}

// Waiting is how much waits and since when.
type Waiting struct {
	Count int64
	Since time.Time // zero for nothing
}

// Queue is one kind of job.
type Queue struct {
	Kind  string
	Ready int64
	Dead  int64
	DueAt time.Time // of the one that is due longest, zero for none
	Late  bool      // it was due a good while ago: its loop stands, or whom it calls is away
	Tries int64     // of the one that was tried most
}

// Kinds of what a deployment calls.
const (
	CallsHost    = "host"
	CallsService = "organisation"
)

// Reached is when a host or an organisation's service answered last, as this process saw it.
type Reached struct {
	Kind, Name string
	AnsweredAt time.Time // zero for not since the start
	FailedAt   time.Time // zero for never
	SilentAt   time.Time // of the first call since which none was answered, zero if the last was
	Code       string    // of the last call, "" if it was answered
}

// Bounds of the page.
const (
	mostQueues  = 200
	mostDead    = 50
	mostActs    = 20
	lateAfter   = 2 * time.Minute
	settingBack = "last_backup_at"
)

// Operations says how the deployment does. Fault: access_denied.
func (a *App) Operations(ctx context.Context, actor Actor) (Operations, error) {
	if err := a.runsIt(actor, access.ReadOperations); err != nil {
		return Operations{}, err
	}
	o := Operations{At: a.Now(), LogWhy: a.LogStanding().Why, Reached: a.reached.list()}
	if l, ok := a.Log.(interface{ Status() transparency.Status }); ok {
		o.Log = l.Status()
	}
	for _, kind := range []struct {
		name string
		of   []string
	}{{CallsHost, slices.Collect(maps.Keys(a.Hosts))}, {CallsService, slices.Collect(maps.Keys(a.Organisations))}} {
		for _, name := range kind.of {
			if !slices.ContainsFunc(o.Reached, func(r Reached) bool { return r.Kind == kind.name && r.Name == name }) {
				o.Reached = append(o.Reached, Reached{Kind: kind.name, Name: name})
			}
		}
	}
	slices.SortFunc(o.Reached, func(a, b Reached) int { return strings.Compare(a.Kind+"/"+a.Name, b.Kind+"/"+b.Name) })
	err := a.Store.Read(ctx, func(tx *store.Tx) error { return o.read(ctx, tx) })
	return o, err
}

func (o *Operations) read(ctx context.Context, tx *store.Tx) error {
	var oldest store.Instant
	var err error
	if o.Outbox.Count, oldest, err = tx.OutboxInAll(ctx); err != nil {
		return err
	}
	o.Outbox.Since = sinceOf(oldest)
	if o.Conflicts.Count, oldest, err = tx.OpenConflictsInAll(ctx); err != nil {
		return err
	}
	o.Conflicts.Since = sinceOf(oldest)
	if o.Phones, o.Unsent.Statements, o.Unsent.Photos, err = tx.UnsentInAll(ctx); err != nil {
		return err
	}
	waiting, err := tx.JobsWaiting(ctx, mostQueues)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		o.queue(w)
	}
	dead, err := tx.DeadJobs(ctx, mostDead)
	if err != nil {
		return err
	}
	for _, j := range dead {
		o.Dead = append(o.Dead, deadLetterOf(j))
	}
	acts, err := tx.DeadLetterActs(ctx, mostActs)
	if err != nil {
		return err
	}
	for _, d := range acts {
		o.DeadActs = append(o.DeadActs, DeadLetterAct{Kind: d.Kind, Code: d.Code, Outcome: d.Outcome, Reason: d.Reason, By: d.ActedBy, At: d.ActedAt.Time()})
	}
	text, err := tx.Setting(ctx, settingBack)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err == nil {
		o.BackupAt, err = time.Parse(time.RFC3339, text)
	}
	return err
}

func (o *Operations) queue(w store.JobsWaiting) {
	i := slices.IndexFunc(o.Queues, func(q Queue) bool { return q.Kind == w.Kind })
	if i < 0 {
		i = len(o.Queues)
		o.Queues = append(o.Queues, Queue{Kind: w.Kind})
	}
	q := &o.Queues[i]
	q.Tries = max(q.Tries, w.MostAttempts)
	if w.State == store.JobDead {
		q.Dead = w.Jobs
		return
	}
	q.Ready, q.DueAt = w.Jobs, w.OldestRunAt.Time()
	q.Late = o.At.Sub(q.DueAt) > lateAfter
}

func sinceOf(at store.Instant) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return at.Time()
}

// NoteBackup remembers that a backup was made, for whoever asks how old the newest is.
func (a *App) NoteBackup(ctx context.Context) error {
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		return tx.SetSetting(ctx, settingBack, a.Now().UTC().Format(time.RFC3339))
	})
}

// reachedList remembers what this process's calls came to. The zero value is ready.
type reachedList struct {
	mu   sync.Mutex
	kept map[[2]string]Reached
}

// note keeps how a call ended. What was refused in its own words was answered.
func (l *reachedList) note(kind, name string, now time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept == nil {
		l.kept = map[[2]string]Reached{}
	}
	r := l.kept[[2]string{kind, name}]
	r.Kind, r.Name, r.Code = kind, name, ""
	if k := fault.KindOf(err); err != nil && (k == fault.Unavailable || k == fault.Internal) {
		r.Code, r.FailedAt = fault.CodeOf(err), now
		if r.SilentAt.IsZero() {
			r.SilentAt = now
		}
	} else {
		r.AnsweredAt, r.SilentAt = now, time.Time{}
	}
	l.kept[[2]string{kind, name}] = r
}

func (l *reachedList) list() []Reached {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Values(l.kept))
}

// HostSilentAt is since when an acquirer's host has answered none of this process's calls; zero while it answers.
func (a *App) HostSilentAt(acquirer string) time.Time {
	a.reached.mu.Lock()
	defer a.reached.mu.Unlock()
	return a.reached.kept[[2]string{CallsHost, acquirer}].SilentAt
}

// notedHost is a host whose answers are remembered.
type notedHost struct {
	Host
	app  *App
	name string
}

func (h notedHost) note(err error) { h.app.reached.note(CallsHost, h.name, h.app.Now(), err) }

func (h notedHost) Release(ctx context.Context, permit string, bundle []byte) ([]byte, error) {
	out, err := h.Host.Release(ctx, permit, bundle)
	h.note(err)
	return out, err
}

func (h notedHost) Cancel(ctx context.Context, permit, visitID string) ([]byte, error) {
	out, err := h.Host.Cancel(ctx, permit, visitID)
	h.note(err)
	return out, err
}

func (h notedHost) Charges(ctx context.Context, q acquirer.Query) ([]byte, error) {
	out, err := h.Host.Charges(ctx, q)
	h.note(err)
	return out, err
}
