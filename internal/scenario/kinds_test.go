package scenario

import (
	"context"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/visit"
)

// settled is a shop whose terminal is live and handed over.
func settled(t *testing.T, risk int) (*Play, *Ledger) {
	t.Helper()
	p, l := newPlay(t, visit.Install, risk)
	if err := Run(t.Context(), append(p.Install(), Scene{"settle", p.Settle})); err != nil {
		t.Fatal(err)
	}
	p.Wait(time.Hour)
	return p, l
}

const secondSerial, secondTerminal = "00005704280117028135", "W1489731"

// kindsAfter are the honest visits to a shop that has a terminal.
var kindsAfter = []struct {
	name, kind string
	scenes     func(*Play) []Scene
}{
	{"swap", visit.Swap, (*Play).Swap},
	{"relocation", visit.Relocation, (*Play).Relocate},
	{"repair, opened", visit.Repair, (*Play).Repair},
	{"repair, untouched", visit.Repair, (*Play).RepairUntouched},
	{"removal", visit.Removal, (*Play).Remove},
	{"inspection", visit.Inspection, (*Play).InspectAgain},
}

// After every scene of every honest kind the shop can take money, or its merchant signed that it cannot;
// at the end the bundle verifies offline.
func TestEveryKindClosesAndVerifies(t *testing.T) {
	for _, k := range kindsAfter {
		for risk := range 3 {
			t.Run(k.name, func(t *testing.T) {
				p, l := settled(t, risk)
				q := p.Next(k.kind, "v2", secondSerial, secondTerminal)
				for _, s := range k.scenes(q) {
					if err := s.Run(t.Context()); err != nil {
						t.Fatalf("%s: %v", s.Name, err)
					}
					if err := q.shopIsServed(l); err != nil {
						t.Fatalf("after %s: %v", s.Name, err)
					}
				}
				bundle, err := l.Bundle(context.Background(), p.Cast.Merchant, q.ID)
				if err != nil {
					t.Fatal(err)
				}
				r, err := Check(bundle, p.Trust)
				if err != nil || r.Stage != string(visit.Closed) || r.Kind != k.kind {
					t.Fatalf("%v, stage %s, kind %s", err, r.Stage, r.Kind)
				}
				for _, c := range r.Last().Conditions {
					if c.Verdict != string(gate.Holds) {
						t.Errorf("%s: %s", c.Name, c.Code)
					}
				}
			})
		}
	}
}
