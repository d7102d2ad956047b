package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

// Whoever runs the deployment reads how it does: what waits, what is dead and why, whom nobody reaches, how old the
// backup is. Nobody else reads it, also not under the same role of another organisation.
func TestOperationsSeesHowTheDeploymentDoes(t *testing.T) {
	d, p := deploy(t)
	ctx := t.Context()
	ops := app.Actor{Person: "ning", Organisation: d.App.Operator, Role: app.RoleOperations}
	for _, who := range []app.Actor{as(d.Cast.Risk), as(d.Cast.Association), {Person: "x", Organisation: d.Cast.Other.ID, Role: app.RoleOperations}} {
		if _, err := d.App.Operations(ctx, who); fault.CodeOf(err) != "access_denied" {
			t.Errorf("%s of %s: %v", who.Role, who.Organisation, err)
		}
	}
	before, err := d.App.Operations(ctx, ops)
	if err != nil || !before.BackupAt.IsZero() || len(before.Reached) == 0 || !before.Reached[0].AnsweredAt.IsZero() || before.Conflicts.Count != 0 {
		t.Fatalf("%+v, %v", before, err)
	}
	if err := scenario.Run(ctx, p.Install()); err != nil {
		t.Fatal(err)
	}
	now := d.App.Now()
	err = d.Store.Write(ctx, func(tx *store.Tx) error {
		for key, due := range map[string]time.Time{"late": now.Add(-time.Hour), "gone": now.Add(-2 * time.Hour)} {
			if _, err := tx.EnqueueJob(ctx, app.JobNotice("desk"), key, []byte("{}"), now, due, map[string]int{"late": 24, "gone": 1}[key]); err != nil {
				return err
			}
		}
		leased, err := tx.LeaseJobs(ctx, app.JobNotice("desk"), 1, now, time.Minute)
		if err != nil {
			return err
		}
		if err := tx.FailJob(ctx, leased[0], "hook_unreachable", now); err != nil {
			return err
		}
		return tx.PutPhoneUnsent(ctx, store.PhoneUnsent{Visit: p.ID, Technician: "lan", Statements: 3, Photos: 2, HeardAt: store.At(now)})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.App.NoteBackup(ctx); err != nil {
		t.Fatal(err)
	}
	o, err := d.App.Operations(ctx, ops)
	if err != nil {
		t.Fatal(err)
	}
	var desk app.Queue
	for _, q := range o.Queues {
		if q.Kind == app.JobNotice("desk") {
			desk = q
		}
	}
	if desk.Ready != 1 || desk.Dead != 1 || !desk.Late || len(o.Dead) != 1 || o.Dead[0].Code != "hook_unreachable" {
		t.Errorf("%+v, %+v", desk, o.Dead)
	}
	if o.Phones != 1 || o.Unsent.Statements != 3 || o.Unsent.Photos != 2 || o.BackupAt.IsZero() || o.Log.State != "" || o.LogWhy != "" {
		t.Errorf("%+v", o)
	}
	if r := o.Reached[0]; r.Kind != app.CallsHost || r.Name != d.Cast.Acquirer.ID || r.AnsweredAt.IsZero() || r.Code != "" {
		t.Errorf("%+v", o.Reached)
	}
}

// A host that does not answer shows as that, with the code; what it refuses in its own words is an answer.
func TestAHostThatIsAwayShows(t *testing.T) {
	d, p := deploy(t)
	ctx := t.Context()
	if err := scenario.Run(ctx, scenario.Until(p.Install(), "release trial")); err != nil {
		t.Fatal(err)
	}
	work := func() app.Work {
		w, err := d.App.Work(ctx, as(d.Cast.Technician), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	host, before := d.App.Hosts[d.Cast.Acquirer.ID], work()
	d.App.Hosts[d.Cast.Acquirer.ID] = gone{}
	if _, err := d.App.ReleasePermit(ctx, as(d.Cast.Dispatcher), p.ID); fault.CodeOf(err) != "host_unreachable" {
		t.Fatal(err)
	}
	o, err := d.App.Operations(ctx, app.Actor{Person: "ning", Organisation: d.App.Operator, Role: app.RoleOperations})
	if err != nil || o.Reached[0].Code != "host_unreachable" || o.Reached[0].FailedAt.IsZero() {
		t.Errorf("%+v, %v", o.Reached, err)
	}
	// The technician is told since when, however often it is tried; once it answers, no more of it.
	silent := work()
	if before.SilentAt != "" || silent.SilentAt != statement.At(o.Reached[0].SilentAt) || silent.Tag == before.Tag {
		t.Errorf("before %q, then %q of %v", before.SilentAt, silent.SilentAt, o.Reached[0].SilentAt)
	}
	if _, err := d.App.ReleasePermit(ctx, as(d.Cast.Dispatcher), p.ID); fault.CodeOf(err) != "host_unreachable" || work().SilentAt != silent.SilentAt {
		t.Errorf("tried again: %q, %v", work().SilentAt, err)
	}
	d.App.Hosts[d.Cast.Acquirer.ID] = host
	if _, err := d.App.ReleasePermit(ctx, as(d.Cast.Dispatcher), p.ID); err != nil || work().SilentAt != "" || !d.App.HostSilentAt(d.Cast.Acquirer.ID).IsZero() {
		t.Errorf("it answered: %q, %v", work().SilentAt, err)
	}
}

// gone is a host that is away.
type gone struct{ app.Host }

func (gone) Release(context.Context, string, []byte) ([]byte, error) {
	return nil, fault.New(fault.Unavailable, "host_unreachable", "主机没有回答。", "The host does not answer.")
}
