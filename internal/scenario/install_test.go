package scenario

import (
	"context"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/visit"
)

// began is when the plays of these tests begin.
var began = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func newPlay(t *testing.T, kind string, risk int) (*Play, *Ledger) {
	t.Helper()
	p, err := InMemoryPlay(kind, risk, began, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p, p.Venue.(*Ledger)
}

func TestHonestVisitsCloseAndVerify(t *testing.T) {
	for _, kind := range []string{visit.Install, visit.Inspection} {
		for risk := range 3 {
			p, l := newPlay(t, kind, risk)
			ctx := context.Background()
			scenes := p.Install()
			if kind == visit.Inspection {
				scenes = p.Inspect()
				l.Bound[p.Device.Serial] = boundTo(p.Order)
			}
			if err := Run(ctx, scenes); err != nil {
				t.Fatalf("%s at risk %d: %v", kind, risk, err)
			}
			bundle, err := l.Bundle(ctx, p.Cast.Merchant, p.ID)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Check(bundle, p.Trust)
			if err != nil || r.Stage != string(visit.Closed) {
				t.Errorf("%s at risk %d: %v, stage %s", kind, risk, err, r.Stage)
			}
		}
	}
}
