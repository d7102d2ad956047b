package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// installed is a shop whose terminal went live an hour ago and is the shop's own; the test moves the clock.
func installed(t *testing.T) (*scenario.Deployment, *scenario.Play, *scenario.Watch) {
	t.Helper()
	w := scenario.NewWatch(time.Now())
	d, err := scenario.NewDeployment(t.Context(), scenario.DeploymentConfig{Dir: t.TempDir(), Now: w.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	p.Wait = w.Advance
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := scenario.Run(t.Context(), append(p.Install(), scenario.Scene{Name: "settle", Run: p.Settle})); err != nil {
		t.Fatal(err)
	}
	w.Advance(time.Hour)
	return d, p, w
}

// after plays a visit and asks for its work after each of the named scenes.
func after(t *testing.T, d *scenario.Deployment, p *scenario.Play, scenes []scenario.Scene, names ...string) []app.Work {
	t.Helper()
	var out []app.Work
	for _, s := range scenes {
		if err := s.Run(t.Context()); err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		if len(out) < len(names) && s.Name == names[len(out)] {
			w, err := d.App.Work(t.Context(), actor(p.Cast.Technician), p.ID)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, w)
		}
	}
	if len(out) != len(names) {
		t.Fatalf("%d of the scenes %v were played", len(out), names)
	}
	return out
}

func TestWorkOfASwap(t *testing.T) {
	d, p, _ := installed(t)
	q := p.Next(visit.Swap, "v2", "00005704280117028127", "W1489730")
	w := after(t, d, q, q.Swap(), "ask admit", "old state", "release trial", "consent", "release end", "hand back", "ask close")
	for _, at := range w {
		if at.Old == nil || at.Old.Serial != p.Device.Serial || at.Old.Terminal != p.Order.Terminal || at.Said != nil || at.Charges {
			t.Fatalf("%+v", at)
		}
	}
	if w[0].Old.State != "" || w[1].Old.State != visit.TerminalLive || w[1].RollbackAt != "" {
		t.Errorf("before the trial: %+v, %+v", w[0].Old, w[1])
	}
	if w[2].RollbackAt == "" || w[2].Lost != nil {
		t.Errorf("on trial: %+v", w[2])
	}
	if w[3].Ask != visit.AskEnd || !w[3].Old.Consent || w[3].Old.Ended || w[4].Ask != visit.AskClose || !w[4].Old.Ended || w[4].Old.Returned {
		t.Errorf("at the end: %+v, %+v", w[3].Old, w[4].Old)
	}
	if !w[5].Old.Returned || w[5].Old.Parcel.Notice.Tracking != q.Order.Order || w[6].Stage != string(visit.Closed) {
		t.Errorf("afterwards: %+v", w[6])
	}
}

// The old terminal is dead: the shop loses time until the new one is live, and somebody answers for it.
func TestWorkOfASwapOfADeadTerminal(t *testing.T) {
	d, p, clock := installed(t)
	if err := p.Dead(p.Device.Serial); err != nil {
		t.Fatal(err)
	}
	q := p.Next(visit.Swap, "v2", "00005704280117028127", "W1489730")
	scenes := scenario.Before(q.Swap(), "nothing to keep", func(ctx context.Context) error {
		clock.Advance(90 * time.Second)
		return q.AcceptOutage(ctx, "")
	})
	w := after(t, d, q, scenes, "old state", "before nothing to keep", "release live")
	if w[0].Old.State != visit.TerminalDead || w[0].Old.Accepted || !w[1].Old.Accepted {
		t.Errorf("%+v, %+v", w[0].Old, w[1].Old)
	}
	if l := w[1].Lost; l == nil || !l.Open || l.Cause != "old_terminal_dead" || l.Answers == "" || l.Minutes != 2 {
		t.Errorf("lost %+v", l)
	}
	if l := w[2].Lost; l != nil && l.Open {
		t.Errorf("the new one is live: %+v", l)
	}
}

func TestWorkOfTheOtherKinds(t *testing.T) {
	d, p, clock := installed(t)
	minute := func(context.Context) error { clock.Advance(time.Minute); return nil }
	q := p.Next(visit.Repair, "v2", "", "")
	w := after(t, d, q, q.RepairUntouched(), "ask admit", "device work", "charges")
	if w[0].Said != nil || w[1].Said == nil || *w[1].Said != (app.WorkSaid{SealsIntact: true}) || w[1].Touched || w[1].Ask != visit.AskClose || w[1].Charges || !w[2].Charges {
		t.Errorf("repair, untouched: %+v", w[2])
	}
	clock.Advance(time.Hour)
	q = p.Next(visit.Repair, "v3", "", "")
	if w = after(t, d, q, scenario.Before(q.Repair(), "acceptance", minute), "device work", "before acceptance"); !w[0].Touched || w[0].Ask != visit.AskTrial || !w[0].Said.Opened || w[1].Old.Serial != p.Device.Serial || w[1].Lost == nil {
		t.Errorf("repair, opened: %+v", w)
	}
	clock.Advance(time.Hour)
	q = p.Next(visit.Relocation, "v4", "", "")
	w = after(t, d, q, scenario.Before(q.Relocate(), "nothing to keep", minute), "hand over to move", "release end", "before nothing to keep", "ask close")
	if !w[0].Old.Returned || w[0].Ask != visit.AskEnd || !w[1].Old.Ended || !w[2].Old.Accepted || w[2].Lost == nil || w[2].Lost.Cause != "keys_ended" || w[3].Lost.Open {
		t.Errorf("relocation: %+v", w[3].Lost)
	}
	clock.Advance(time.Hour)
	q = q.Next(visit.Removal, "v5", "", "")
	if w = after(t, d, q, q.Remove(), "nothing to keep", "hand back", "ask close"); w[0].Ask != visit.AskEnd || w[0].Old.Consent || !w[1].Old.Returned || w[2].Lost != nil {
		t.Errorf("removal: %+v", w[1].Old)
	}
	clock.Advance(time.Hour)
	q = q.Next(visit.Inspection, "v6", "", "")
	if w = after(t, d, q, scenario.Until(q.InspectAgain(), "badge"), "ask dispatch"); w[0].Old != nil {
		t.Errorf("inspection: %+v", w[0].Old)
	}
}
