package app_test

import (
	"context"
	"encoding/base64"
	"sync"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// employer notes what it is asked, and signs nothing.
type employer struct {
	app.Organisation
	mu    sync.Mutex
	ended []orgapi.BadgeEnd
	told  chan struct{}
}

func (e *employer) EndBadges(_ context.Context, end orgapi.BadgeEnd) (orgapi.Answer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended = append(e.ended, end); len(e.ended) == 1 {
		close(e.told)
	}
	return orgapi.Answer{Statements: []orgapi.Signed{}}, nil
}

func (e *employer) Statements(ctx context.Context, _ int64, _ time.Duration) (orgapi.Answer, error) {
	<-ctx.Done() // never anything new
	return orgapi.Answer{}, ctx.Err()
}

func (e *employer) asked() []orgapi.BadgeEnd {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]orgapi.BadgeEnd{}, e.ended...)
}

// A merchant's report reaches the technician's employer by itself, and no new badge is to be had before the
// risk desk has decided.
func TestAReportReachesTheBadgeList(t *testing.T) {
	boss := &employer{told: make(chan struct{})}
	d, err := scenario.NewDeployment(t.Context(), scenario.DeploymentConfig{Dir: t.TempDir(), Now: time.Now,
		Organisations: func(c *scenario.Cast) (map[string]app.Organisation, error) {
			return map[string]app.Organisation{c.Provider.ID: boss}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := scenario.Run(t.Context(), scenario.Until(p.Install(), "arrive")); err != nil {
		t.Fatal(err)
	}
	key := statement.KeyOf(&scenario.NewActor("x", "x", "x").Key.PublicKey)
	request := base64.StdEncoding.EncodeToString(d.Cast.Technician.Sign(scenario.Draft{Stream: "person/" + d.Cast.Technician.ID, Type: registry.TypeBadgeRequest, At: time.Now(),
		Body: registry.BadgeRequest{Key: key}}))

	incident := d.Cast.Merchant.Sign(scenario.Draft{Stream: p.VisitStream(), Type: visit.TypeIncident, At: time.Now(), Body: visit.Incident{Visit: p.ID, Kind: "asked_for_money"}})
	if err := p.Venue.File(t.Context(), d.Cast.Merchant, scenario.Filing{Stream: p.VisitStream(), Verb: visit.ReportIncident, Envelope: incident}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.App.IssueBadge(t.Context(), as(d.Cast.Technician), key, request); fault.CodeOf(err) != "badge_held" {
		t.Errorf("a fresh badge after a report: %v", err)
	}
	select {
	case <-boss.told:
	case <-t.Context().Done():
	}
	if got := boss.asked(); len(got) != 1 || got[0].Holder != d.Cast.Technician.ID || got[0].Reason != "suspended" {
		t.Errorf("the employer was asked %+v", got)
	}
	resumption := d.Cast.Risk.Sign(scenario.Draft{Stream: p.VisitStream(), Type: visit.TypeResumption, At: time.Now(),
		Body: visit.Resumption{Visit: p.ID, Reason: "misunderstanding", Appeal: "write to the risk desk", Closes: []string{statement.Digest(incident)}}})
	if err := p.Venue.File(t.Context(), d.Cast.Risk, scenario.Filing{Stream: p.VisitStream(), Verb: visit.Resume, Envelope: resumption}); err != nil {
		t.Fatal(err)
	}
	if err := d.App.StoppedBadge(t.Context(), d.Cast.Technician.ID); err != nil {
		t.Errorf("after the decision: %v", err)
	}
}

// An employer without a service here is nobody to ask, and that is no failure.
func TestAnEmployerWithoutAService(t *testing.T) {
	d, _ := deploy(t)
	if err := d.App.SuspendBadge(t.Context(), `{"issuer":"svc-anzhuang","holder":"lan"}`, "k"); err != nil {
		t.Error(err)
	}
	if err := d.App.SuspendBadge(t.Context(), `{`, "k"); fault.CodeOf(err) != "json_syntax" {
		t.Error(err)
	}
}
