package scenario

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/httpapi"
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
	checkDetail(t, d, install.ID)
	if n, err := d.App.PhotosMissing(ctx, install.ID); err != nil || n != 0 {
		t.Errorf("%d photos were signed for and not brought, %v", n, err)
	}
	inspect := d.Play(visit.Inspection, 0, "v2", install.Device.Serial, "W1489724")
	if err := Run(ctx, inspect.Inspect()); err != nil {
		t.Fatal("inspect: ", err)
	}
	if r := verified(t, d, inspect, d.Cast.Approver); !r.Accepted() || r.Stage != string(visit.Closed) {
		t.Fatalf("inspect: refused %v, stage %s", r.Refusal, r.Stage)
	}
}

// checkDetail reads the visit's page of the API after an honest installation.
func checkDetail(t *testing.T, d *Deployment, id string) {
	t.Helper()
	var v httpapi.VisitDetail
	if err := d.Venue.Read(t.Context(), d.Cast.Merchant, "/v1/visits/"+id, &v); err != nil {
		t.Fatal(err)
	}
	var asks []string
	for _, r := range v.Decisions {
		asks = append(asks, r.Ask)
		if power := r.Ask == visit.AskTrial || r.Ask == visit.AskLive; r.Permit != power || (r.Until != "") != power || len(r.Statement) != 64 {
			t.Errorf("decision %+v", r)
		}
	}
	if want := []string{visit.AskDispatch, visit.AskAdmit, visit.AskTrial, visit.AskLive, visit.AskClose}; !slices.Equal(asks, want) {
		t.Errorf("decisions at %v", asks)
	}
	if v.State != string(visit.Closed) || v.Ask != "" || len(v.Open) != 0 || len(v.Outcomes) != 2 || v.Outcomes[1].Outcome != visit.Loaded {
		t.Errorf("state %s, next ask %q, open %v, outcomes %+v", v.State, v.Ask, v.Open, v.Outcomes)
	}
	if len(v.Cosigned) != 2 || v.LogSize == 0 || v.Serial != "00005704280117028119" || v.Events[0].LeafIndex < 0 || !v.Events[0].Receipted {
		t.Errorf("cosigned %v, log size %d, serial %s, first event %+v", v.Cosigned, v.LogSize, v.Serial, v.Events[0])
	}
}

// A phone whose answer from menshen was lost brings the device's answer again: it is one answer.
func TestOneAnswerOfADeviceIsRecordedOnce(t *testing.T) {
	d := newDeployment(t, DeploymentConfig{})
	ctx := t.Context()
	p := d.Play(visit.Install, 0, "v1", "00005704280117028119", "W1489724")
	if err := p.OpenCity(ctx); err != nil {
		t.Fatal(err)
	}
	if err := Run(ctx, Until(p.Install(), "attest")); err != nil {
		t.Fatal(err)
	}
	ch, err := p.Venue.Challenge(ctx, p.Cast.Technician, p.ID, visit.PurposeDevice)
	if err != nil {
		t.Fatal(err)
	}
	answer := p.Device.Attestation(ch.Digest, visit.PurposeDevice, ch.Nonce)
	for range 2 {
		if err := d.Venue.AttestAs(ctx, p.Cast.Technician, p.ID, answer); err != nil {
			t.Fatal(err)
		}
	}
	if err := Run(ctx, From(p.Install(), "ask trial")); err != nil {
		t.Fatal(err)
	}
}

// An acquirer enrols many merchants at once, all in its one stream: nobody is turned away as busy.
func TestManyAreEnrolledAtOnce(t *testing.T) {
	fast := httpapi.Rate{PerSecond: 1e6, Burst: 1e6}
	d := newDeployment(t, DeploymentConfig{API: httpapi.Config{PerToken: fast, PerAddress: fast}})
	p := d.Play(visit.Install, 0, "v1", "00005704280117028119", "W1489724")
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for n := range 64 {
		all.Go(func() {
			owner := NewActor(fmt.Sprintf("owner-%d", n), d.Cast.Acquirer.ID, visit.RoleMerchant)
			if err := p.Enrol(t.Context(), owner); err != nil {
				t.Errorf("%s: %v", owner.ID, err)
			}
		})
	}
	all.Wait()
}
