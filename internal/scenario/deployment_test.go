package scenario

import (
	"context"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/store/storetest"
	"github.com/menshen-project/menshen/internal/visit"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func newDeployment(t *testing.T, c DeploymentConfig) *Deployment {
	t.Helper()
	c.Dir = t.TempDir()
	if c.Now == nil {
		c.Now = time.Now
	}
	d, err := NewDeployment(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// verified downloads a visit's bundle over HTTP and checks it as anybody would.
func verified(t *testing.T, d *Deployment, p *Play, by *Actor) evidence.Result {
	t.Helper()
	data, err := d.Venue.Bundle(context.Background(), by, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	b, err := evidence.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	return evidence.Verify(b, d.Trust)
}

func TestHonestVisitsOverHTTP(t *testing.T) {
	for _, e := range storetest.Engines() {
		t.Run(e.Name, func(t *testing.T) { honestVisits(t, newDeployment(t, DeploymentConfig{Database: e.DSN(t)})) })
	}
}

func honestVisits(t *testing.T, d *Deployment) {
	ctx := t.Context()
	install := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	if err := install.OpenCity(ctx); err != nil {
		t.Fatal("city: ", err)
	}
	if err := Run(ctx, install.Install()); err != nil {
		t.Fatal("install: ", err)
	}
	if r := verified(t, d, install, d.Cast.Merchant); !r.Accepted() || r.Stage != string(visit.Closed) || r.NotOpened != 0 {
		t.Fatalf("install: refused %v, stage %s, %d not opened", r.Refusal, r.Stage, r.NotOpened)
	}
	inspect := d.Play(visit.Inspection, 0, "v2", install.Device.Serial, "W1489724")
	if err := Run(ctx, inspect.Inspect()); err != nil {
		t.Fatal("inspect: ", err)
	}
	if r := verified(t, d, inspect, d.Cast.Approver); !r.Accepted() || r.Stage != string(visit.Closed) {
		t.Fatalf("inspect: refused %v, stage %s", r.Refusal, r.Stage)
	}
}
