//go:build attacks

package scenario

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// badLine is a venue as phones with a bad signal use it: what people sign comes late, in another order than
// it was signed in, though each signer's own in his order, and twice.
type badLine struct {
	*Ledger
	kept []func(context.Context) error
	by   []string
	rng  *rand.Rand
}

// File keeps the evidence of a visit until something must be answered; the rest goes at once, twice.
func (b *badLine) File(ctx context.Context, by *Actor, f Filing) error {
	send := func(ctx context.Context) error { return b.Ledger.File(ctx, by, f) }
	kind, _, _ := strings.Cut(f.Stream, "/")
	claims, err := statement.Parse(f.Envelope)
	if err != nil {
		return err
	}
	if by.Role == visit.RoleSupervisor { // signs off what he sees recorded: an earlier signature does not count
		if err := b.deliver(ctx); err != nil {
			return err
		}
	}
	if row, ok := visit.Find(kind, f.Verb, claims.Type); ok && kind == visit.StreamVisit && row.Sort == visit.BringsEvidence {
		b.kept, b.by = append(b.kept, send), append(b.by, by.ID)
		return nil
	}
	if err := send(ctx); err != nil {
		return err
	}
	return send(ctx)
}

// deliver sends everything that was kept, and each once more after all others.
func (b *badLine) deliver(ctx context.Context) error {
	again := b.kept
	for len(b.kept) > 0 {
		i := b.rng.IntN(len(b.kept))
		for j := range i { // nobody's second before his first
			if b.by[j] == b.by[i] {
				i = j
				break
			}
		}
		if err := b.kept[i](ctx); err != nil {
			return err
		}
		again = append(again, b.kept[i])
		b.kept = append(append([]func(context.Context) error{}, b.kept[:i]...), b.kept[i+1:]...)
		b.by = append(append([]string{}, b.by[:i]...), b.by[i+1:]...)
	}
	for _, send := range again {
		if err := send(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (b *badLine) Challenge(ctx context.Context, by *Actor, visitID, purpose string) (Challenge, error) {
	if err := b.deliver(ctx); err != nil {
		return Challenge{}, err
	}
	return b.Ledger.Challenge(ctx, by, visitID, purpose)
}

func (b *badLine) Ask(ctx context.Context, by *Actor, visitID, ask string) (Answer, error) {
	if err := b.deliver(ctx); err != nil {
		return Answer{}, err
	}
	return b.Ledger.Ask(ctx, by, visitID, ask)
}

func (b *badLine) Release(ctx context.Context, by *Actor, visitID string) (string, error) {
	if err := b.deliver(ctx); err != nil {
		return "", err
	}
	return b.Ledger.Release(ctx, by, visitID)
}

// everyKind gives an honest visit of every kind, each in a city of its own.
func everyKind(t *testing.T, play func(name string, p *Play, l *Ledger, scenes []Scene)) {
	t.Helper()
	p, l := newPlay(t, visit.Install, 1)
	play(visit.Install, p, l, p.Install())
	for _, k := range kindsAfter {
		p, l := settled(t, 1)
		q := p.Next(k.kind, "v2", secondSerial, secondTerminal)
		play(k.name, q, l, k.scenes(q))
	}
}

// TestHonestMessagesLateDoubledReordered plays every kind over a bad line: all close, and their bundles hold.
func TestHonestMessagesLateDoubledReordered(t *testing.T) {
	rounds, honest, wrong := 3, 0, 0
	if *full {
		rounds = 30
	}
	for round := range rounds {
		everyKind(t, func(name string, p *Play, l *Ledger, scenes []Scene) {
			p.Venue = &badLine{Ledger: l, rng: rand.New(rand.NewPCG(uint64(round), 1))}
			if err := p.whole(t.Context(), scenes); err != nil {
				wrong++
				t.Errorf("%s, round %d: a false refusal: %v", name, round, err)
			}
			honest++
		})
	}
	t.Logf("false refusals %d of %d honest visits", wrong, honest)
}

// TestVerbsOutOfOrderAndDoubled acts every scene at every earlier place, and every scene twice. An act that
// comes too early is refused or is evidence that waits; whatever happens, a visit that closes is one whose
// bundle an offline verifier accepts, and the shop is served or its merchant signed that it is not.
func TestVerbsOutOfOrderAndDoubled(t *testing.T) {
	tried, tooEarly, refused, closed := 0, 0, 0, 0
	chosen := rand.New(rand.NewPCG(7, 7))
	for kind := -1; kind < len(kindsAfter); kind++ {
		for at := 0; at < 40; at++ {
			for early := at; early < 40; early++ {
				if !*full && early != at && chosen.IntN(160) != 0 || !*full && early == at && chosen.IntN(12) != 0 {
					continue
				}
				p, l, scenes := ofKind(t, kind)
				if early >= len(scenes) {
					continue
				}
				tried++
				err := Run(t.Context(), scenes[:at])
				if err != nil {
					t.Fatalf("the honest beginning: %v", err)
				}
				if early == at {
					err = Run(t.Context(), scenes[at:at+1]) // and once more, below
				} else if err = Run(t.Context(), scenes[early:early+1]); err != nil {
					tooEarly++
					err = nil
				}
				if err == nil {
					err = Run(t.Context(), scenes[at:])
				}
				if err != nil {
					refused++
					if served := p.shopIsServed(l); served != nil && kind >= 0 { // who waits for the first terminal has none
						t.Errorf("%s at %s: %v", scenes[early].Name, scenes[at].Name, served)
					}
					continue
				}
				closed++
				bundle, err := l.Bundle(t.Context(), p.Cast.Merchant, p.ID)
				if err == nil {
					_, err = Check(bundle, p.Trust)
				}
				if err != nil {
					t.Errorf("%s at %s closes and does not verify: %v", scenes[early].Name, scenes[at].Name, err)
				}
			}
		}
	}
	t.Logf("%d orders tried: %d acts refused as too early, %d visits refused later, %d closed and verified offline", tried, tooEarly, refused, closed)
	if tried == 0 || tooEarly == 0 || closed == 0 {
		t.Error("nothing was tried")
	}
}

// ofKind is one honest visit's play, ready to begin: -1 is an installation.
func ofKind(t *testing.T, kind int) (*Play, *Ledger, []Scene) {
	t.Helper()
	if kind < 0 {
		p, l := newPlay(t, visit.Install, 1)
		return p, l, p.Install()
	}
	p, l := settled(t, 1)
	q := p.Next(kindsAfter[kind].kind, "v2", secondSerial, secondTerminal)
	return q, l, kindsAfter[kind].scenes(q)
}
