package scenario

import (
	"context"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/visit"
)

func newPlay(t *testing.T, kind string, risk int) (*Play, *Ledger) {
	t.Helper()
	clock := func() time.Time { return time.Now().Truncate(time.Second) }
	c := NewCast()
	c.Parameters = c.AcquirerParameters(clock())
	f := NewFoundry(c.Maker.ID, clock())
	l, err := NewLedger(c, f, clock)
	if err != nil {
		t.Fatal(err)
	}
	p := &Play{Cast: c, Venue: l, Now: clock, Host: &InMemory{Core: l.Host}, Device: f.Make("00005704280117028119", clock()), ID: "v1"}
	p.NewOrder(kind, risk)
	l.Host.Records[p.Order.Order] = HostRow{MerchantCode: p.Order.Items.MerchantCode, Terminal: p.Order.Terminal}
	if err := p.OpenCity(context.Background()); err != nil {
		t.Fatal(err)
	}
	return p, l
}

func TestAnHonestInstallGoesLiveAndVerifies(t *testing.T) {
	p, l := newPlay(t, visit.Install, 1)
	ctx := context.Background()
	if err := Run(ctx, p.Install()); err != nil {
		t.Fatal(err)
	}
	data, err := l.Bundle(ctx, p.Cast.Merchant, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	b, err := evidence.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	r := evidence.Verify(b, l.Trust)
	if !r.Accepted() || r.Stage != string(visit.Closed) {
		t.Fatalf("refused: %v, stage %s", r.Refusal, r.Stage)
	}
	t.Logf("%d bytes, %d entries, %d decisions", len(data), len(b.Entries), len(r.Decisions))
}
