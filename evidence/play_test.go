package evidence_test

import (
	"context"
	"encoding/base64"
	"sync"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// began is when the plays of these tests begin.
var began = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// played is one honest visit that several tests read; none of them writes into it.
type played struct {
	play   *scenario.Play
	ledger *scenario.Ledger
	bundle []byte
}

// open starts a play in a city that is open.
func open(tb testing.TB, kind string, risk int) *scenario.Play {
	tb.Helper()
	p, err := scenario.InMemoryPlay(kind, risk, began, nil)
	if err != nil {
		tb.Fatal(err)
	}
	if err := p.OpenCity(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return p
}

func run(tb testing.TB, p *scenario.Play, scenes []scenario.Scene) *played {
	tb.Helper()
	ctx := context.Background()
	if err := scenario.Run(ctx, scenes); err != nil {
		tb.Fatal(err)
	}
	l := p.Venue.(*scenario.Ledger)
	data, err := l.Bundle(ctx, p.Cast.Merchant, p.ID)
	if err != nil {
		tb.Fatal(err)
	}
	return &played{play: p, ledger: l, bundle: data}
}

var (
	once   sync.Once
	closed *played
)

// install is an honest installation, closed.
func install(tb testing.TB) *played {
	tb.Helper()
	once.Do(func() {
		p := open(tb, visit.Install, 1)
		closed = run(tb, p, p.Install())
	})
	if closed == nil {
		tb.Fatal("the honest installation failed in another test")
	}
	return closed
}

// opened is a copy of the installation's bundle that a test may spoil.
func (p *played) opened(tb testing.TB) *evidence.Bundle {
	tb.Helper()
	b, err := evidence.Open(p.bundle)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func closingDraft(p *played, body evidence.Closing) scenario.Draft {
	return scenario.Draft{Stream: visit.StreamVisit + "/" + p.play.ID, Type: evidence.TypeClosing, At: p.play.Now(), Body: body}
}

func decoded(tb testing.TB, s string) []byte {
	tb.Helper()
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}
