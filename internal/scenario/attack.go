package scenario

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/visit"
)

// Attack is one way to make a terminal live that nobody should, or to make a reader believe that it
// went live rightly; and who must refuse it for which reason of its own. Some are honest visits that
// look like an attack: those must pass.
//
// The same table runs against any Venue. Where the attacker is the server itself (Liar), only a
// Ledger can play it: there the acquirer's host or an offline verifier is the one to refuse.
type Attack struct {
	Name    string // for tests and the demonstration
	Zh, En  string // what is tried
	Kind    string // of visit; "" is an installation
	Risk    int
	Liar    bool                      // the server is the attacker, or the ledger's registers are set up first
	Waits   bool                      // needs a clock that can be moved
	Alone   bool                      // publishes what binds everybody: it needs a server of its own
	Trust   func(*evidence.TrustFile) // what the readers believe instead; nil for the ordinary file
	Refused []Refusal                 // any of these; none: it must pass
	Run     func(context.Context, *Play) error
}

// Attacks is the whole table.
func Attacks() []Attack {
	return slices.Concat(doorAttacks, phoneAttacks, offlineAttacks, badgeAttacks, peopleAttacks, keeperAttacks, alone(courseAttacks), listAttacks, dealAttacks, deviceAttacks, workAttacks, trialAttacks,
		conflictAttacks, powerAttacks, hostAttacks, liarAttacks, bundleAttacks, logAttacks, kindAttacks, honestLookalikes)
}

// alone marks attacks that publish what binds everybody.
func alone(list []Attack) []Attack {
	out := slices.Clone(list)
	for i := range out {
		out[i].Alone = true
	}
	return out
}

// by makes the answers that an attack may get: one reason at one place.
func by(place, code string) []Refusal { return []Refusal{{Code: code, By: place}} }

// or adds another place that may be the first to refuse.
func or(list []Refusal, place, code string) []Refusal {
	return append(list, Refusal{Code: code, By: place})
}

// Ran is how an attack ended.
type Ran struct {
	Attack  Attack
	Refusal Refusal // zero if nobody refused
	Err     error
}

// AsExpected says whether an attack was refused for its own reason by whom it should be, or passed
// where it is honest. A server that refuses earlier, at intake, for the same reason is as good.
func (r Ran) AsExpected() bool {
	if len(r.Attack.Refused) == 0 || r.Err == nil {
		return len(r.Attack.Refused) == 0 && r.Err == nil
	}
	return slices.ContainsFunc(r.Attack.Refused, func(want Refusal) bool {
		if want.Code != r.Refusal.Code {
			return false
		}
		var denied *Denied
		if errors.As(r.Err, &denied) && denied.Answer.Failing[want.By] == want.Code {
			return true // an earlier condition fails for the same reason
		}
		return want.By == r.Refusal.By || r.Refusal.By == ByIntake
	})
}

// InMemory runs an attack against a ledger of its own, in a city that is open.
func (a Attack) InMemory(ctx context.Context, began time.Time) Ran {
	kind := a.Kind
	if kind == "" {
		kind = visit.Install
	}
	p, err := InMemoryPlay(kind, a.Risk, began, a.Trust)
	if err != nil {
		return a.ended(&Refusal{Code: RefusalOf(err).Code, By: ByTrustFile})
	}
	if err := p.OpenCity(ctx); err != nil {
		return a.ended(err)
	}
	return a.ended(a.Run(ctx, p))
}

func (a Attack) ended(err error) Ran {
	if err == nil {
		return Ran{Attack: a}
	}
	return Ran{Attack: a, Err: err, Refusal: RefusalOf(err)}
}

// scenes are the honest scenes of the play's kind.
func (p *Play) scenes() []Scene {
	switch p.Order.Kind {
	case visit.Inspection:
		return p.Inspect()
	case visit.Swap:
		return p.Swap()
	case visit.Relocation:
		return p.Relocate()
	case visit.Repair:
		return p.Repair()
	case visit.Removal:
		return p.Remove()
	}
	return p.Install()
}

// instead runs the honest visit with one scene acted differently.
func (p *Play) instead(ctx context.Context, name string, act func(context.Context) error) error {
	return Run(ctx, Instead(p.scenes(), name, act))
}

// before runs the honest visit with another act before a scene.
func (p *Play) before(ctx context.Context, name string, act func(context.Context) error) error {
	return Run(ctx, Before(p.scenes(), name, act))
}

// without runs the honest visit without a scene.
func (p *Play) without(ctx context.Context, name string) error {
	return Run(ctx, Without(p.scenes(), name))
}

// until runs the honest visit up to a scene.
func (p *Play) until(ctx context.Context, name string) error {
	return Run(ctx, Until(p.scenes(), name))
}

// atTheDoor runs the honest visit with the door check changed.
func (p *Play) atTheDoor(ctx context.Context, edit func(*Door)) error {
	return p.instead(ctx, "door", func(ctx context.Context) error {
		d, err := p.HonestDoor(ctx)
		if err != nil {
			return err
		}
		edit(d)
		return p.Answer(ctx, d)
	})
}

// whole runs scenes and then reads the bundle as a verifier does.
func (p *Play) whole(ctx context.Context, scenes []Scene) error {
	if err := Run(ctx, scenes); err != nil {
		return err
	}
	bundle, err := p.Venue.Bundle(ctx, p.Cast.Merchant, p.ID)
	if err != nil {
		return err
	}
	_, err = Check(bundle, p.Trust)
	return err
}
