package scenario

import (
	"context"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
	"github.com/menshen-project/menshen/internal/visit"
)

// onAWatch is a deployment whose clock the play moves, with a shop whose terminal is live.
func onAWatch(t *testing.T) (*Deployment, *Play, *Watch) { return onAWatchIn(t, "") }

// onAWatchIn is the same in a database.
func onAWatchIn(t *testing.T, database string) (*Deployment, *Play, *Watch) {
	t.Helper()
	w := NewWatch(time.Now())
	fast := httpapi.Rate{PerSecond: 1e6, Burst: 1e6}
	d := newDeployment(t, DeploymentConfig{Now: w.Now, Database: database, API: httpapi.Config{PerToken: fast, PerAddress: fast}})
	p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	p.Wait = w.Advance
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), append(p.Install(), Scene{"settle", p.Settle})); err != nil {
		t.Fatal(err)
	}
	w.Advance(time.Hour)
	return d, p, w
}

// One shop's terminal through every kind of visit, against the server as it ships: each closes, and its
// bundle verifies offline.
func TestEveryKindOverHTTP(t *testing.T) {
	for _, e := range storetest.Engines() {
		t.Run(e.Name, func(t *testing.T) { everyKindOverHTTP(t, e.DSN(t)) })
	}
}

func everyKindOverHTTP(t *testing.T, database string) {
	d, p, w := onAWatchIn(t, database)
	ctx := t.Context()
	for _, k := range []struct {
		name, kind string
		scenes     func(*Play) []Scene
	}{
		{"inspection", visit.Inspection, (*Play).InspectAgain},
		{"repair, untouched", visit.Repair, (*Play).RepairUntouched},
		{"repair, opened", visit.Repair, (*Play).Repair},
		{"relocation", visit.Relocation, (*Play).Relocate},
		{"swap", visit.Swap, func(p *Play) []Scene { return append(p.Swap(), Scene{"settle", p.Settle}) }},
		{"removal", visit.Removal, (*Play).Remove},
	} {
		q := p.Next(k.kind, k.kind+"-"+p.ID, secondSerial, secondTerminal)
		if err := Run(ctx, k.scenes(q)); err != nil {
			t.Fatalf("%s: %v", k.name, err)
		}
		r := verified(t, d, q, d.Cast.Merchant)
		if !r.Accepted() || r.Stage != string(visit.Closed) || r.NotOpened != 0 || r.Kind != k.kind {
			t.Fatalf("%s: refused %v, stage %s, %d not opened", k.name, r.Refusal, r.Stage, r.NotOpened)
		}
		for _, c := range r.Last().Conditions {
			if c.Verdict != "holds" {
				t.Errorf("%s: %s %s", k.name, c.Name, c.Code)
			}
		}
		w.Advance(time.Hour)
		p = q
	}
	regulator := app.Actor{Person: d.Cast.Association.ID, Organisation: d.Cast.Association.ID, Role: visit.RoleRegulator}
	if page, err := d.App.OpenedLeaves(ctx, regulator, -1, 500); err != nil || len(page.Items) < 150 || page.Next+1 != int64(len(page.Items)) {
		t.Errorf("%d leaves are opened up to %d: %v", len(page.Items), page.Next, err)
	}
	for serial, want := range map[string]string{"00005704280117028119": store.BindingEnded, secondSerial: store.BindingEnded} {
		if b := bindingOf(t, d, serial); b.State != want || b.DeviceKey == "" || b.Firmware == "" {
			t.Errorf("%s: %+v", serial, b)
		}
	}
}

func bindingOf(t *testing.T, d *Deployment, serial string) store.Binding {
	t.Helper()
	var b store.Binding
	err := d.Store.Read(context.Background(), func(tx *store.Tx) error {
		var err error
		b, err = tx.Binding(context.Background(), serial)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A swap that is not live when its timer runs out goes back by itself: the host takes the trial keys back, the
// old terminal stays, and the new device and its code are free again.
func TestTheTimerRollsASwapBack(t *testing.T) {
	d, p, w := onAWatch(t)
	ctx := t.Context()
	q := p.Next(visit.Swap, "v2", secondSerial, secondTerminal)
	if err := Run(ctx, Until(q.Swap(), "acceptance")); err != nil {
		t.Fatal(err)
	}
	if err := d.App.RollBackDue(ctx, q.ID); err != nil || stageOf(t, d, q) != visit.Trial {
		t.Fatalf("before its time: %v, %s", err, stageOf(t, d, q))
	}
	w.Advance(2*time.Hour + time.Second)
	soon(t, func() bool { return stageOf(t, d, q) == visit.RolledBack })
	soon(t, func() bool { return len(q.Host.(*InMemory).Core.trialsOver(q.ID)) == 1 })
	if b := bindingOf(t, d, secondSerial); b.State != store.BindingEnded {
		t.Errorf("the new device is %s", b.State)
	}
	if b := bindingOf(t, d, p.Device.Serial); b.State != store.BindingOpen {
		t.Errorf("the old device is %s", b.State)
	}
	if _, live := d.Host.live[p.Device.Serial]; !live {
		t.Error("the host lost the old terminal")
	}
	if err := q.MustAsk(ctx, visit.AskLive); fault.CodeOf(err) == "" && err == nil {
		t.Error("live after the roll-back")
	}
	again := p.Next(visit.Swap, "v3", "00005704280117028143", "W1489732")
	if err := Run(ctx, again.Swap()); err != nil {
		t.Errorf("the next visit: %v", err)
	}
}

func stageOf(t *testing.T, d *Deployment, p *Play) visit.Stage {
	t.Helper()
	var v httpapi.VisitDetail
	if err := d.Venue.Read(context.Background(), d.Cast.Merchant, "/v1/visits/"+p.ID, &v); err != nil {
		t.Fatal(err)
	}
	return visit.Stage(v.State)
}

// soon waits for what a loop does within its pause.
func soon(t *testing.T, done func() bool) {
	t.Helper()
	for range 200 {
		if done() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("it never came")
}

// An inspection whose device does not prove itself closes all the same, and opens an incident against the device; a
// removal passes, any other order does not.
func TestAFailedInspectionOpensAnIncident(t *testing.T) {
	d, p, w := onAWatch(t)
	ctx := t.Context()
	q := p.Next(visit.Inspection, "v2", "", "")
	if err := Run(ctx, Without(q.Inspect(), "attest")); err != nil {
		t.Fatal(err)
	}
	var incident string
	soon(t, func() bool {
		var v httpapi.VisitDetail
		if err := d.Venue.Read(ctx, d.Cast.Approver, "/v1/visits/"+q.ID, &v); err != nil || len(v.Open) == 0 {
			return false
		}
		incident = v.Open[0]
		return true
	})
	w.Advance(time.Hour)
	other := p.Next(visit.Relocation, "v3", "", "")
	if err := Run(ctx, other.Relocate()); RefusalOf(err) != (Refusal{Code: "matter_open", By: "nothing-open"}) {
		t.Errorf("an order with no reason: %v", err)
	}
	because := p.Next(visit.Removal, "v4", "", "")
	because.Order.Reason = incident
	if err := Run(ctx, because.Remove()); err != nil {
		t.Fatalf("because of the incident: %v", err)
	}
	if r := verified(t, d, because, d.Cast.Merchant); !r.Accepted() || r.Stage != string(visit.Closed) {
		t.Errorf("%v, %s", r.Refusal, r.Stage)
	}
}

// Lost minutes: the old terminal is dead from half an hour before the new one is live.
func TestLostMinutesAreCounted(t *testing.T) {
	p, l := settled(t, 0)
	q := p.Next(visit.Swap, "v2", secondSerial, secondTerminal)
	ctx := t.Context()
	scenes := Instead(q.Swap(), "old state", func(ctx context.Context) error {
		if err := q.Dead(p.Device.Serial); err != nil {
			return err
		}
		if err := q.ReportOld(ctx); err != nil {
			return err
		}
		p.Wait(10 * time.Minute)
		return q.AcceptOutage(ctx, "")
	})
	if err := Run(ctx, Until(scenes, "ask live")); err != nil {
		t.Fatal(err)
	}
	p.Wait(time.Minute)
	if err := Run(ctx, From(scenes, "ask live")); err != nil {
		t.Fatal(err)
	}
	bundle, err := l.Bundle(ctx, p.Cast.Merchant, q.ID)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Check(bundle, p.Trust)
	if err != nil {
		t.Fatal(err)
	}
	lost := r.Last().Lost()
	if lost.Minutes != 11 || lost.Open || lost.Cause != evidence.LostDead || lost.Step != visit.Swap || lost.Organisation != p.Cast.Provider.ID {
		t.Errorf("%+v", lost)
	}
}
