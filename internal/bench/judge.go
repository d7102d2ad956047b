package bench

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// errNot says that something honest did not hold while it was measured: a figure of it means nothing.
var errNot = errors.New("bench: an honest check did not hold")

// honest says no to a check that did not hold.
func honest(holds bool) error {
	if !holds {
		return errNot
	}
	return nil
}

// Deciding measures what decides, in memory: gate, badge, judge and verifier.
func Deciding(ctx context.Context, budget time.Duration) ([]Figure, error) {
	var out []Figure
	for _, measure := range []func(context.Context, time.Duration) ([]Figure, error){gateDecision, badgeCheck, judging} {
		figures, err := measure(ctx, budget/3)
		if err != nil {
			return nil, err
		}
		out = append(out, figures...)
	}
	return out, nil
}

// played is an honest installation in memory, with the dossier of its last granted ask as it was when
// the ask was decided.
type played struct {
	*scenario.Play
	dossier evidence.Dossier
}

// installation plays one up to a scene, "" for all.
func installation(ctx context.Context, until string) (*played, error) {
	p, err := scenario.InMemoryPlay(visit.Install, 1, time.Now().UTC().Truncate(time.Second), nil)
	if err != nil {
		return nil, err
	}
	out := &played{Play: p}
	if l, ok := p.Venue.(*scenario.Ledger); ok {
		l.Decide = func(*visit.Decision) { out.dossier = l.Dossier(p.ID, l.Log.Size()) }
	}
	if err := p.OpenCity(ctx); err != nil {
		return nil, err
	}
	scenes := p.Install()
	if until != "" {
		scenes = scenario.Until(scenes, until)
	}
	return out, scenario.Run(ctx, scenes)
}

// gateDecision is the live ask, which asks the most conditions, over facts that hold.
func gateDecision(ctx context.Context, budget time.Duration) ([]Figure, error) {
	p, err := installation(ctx, "release live")
	if err != nil {
		return nil, err
	}
	r := evidence.Judge(p.dossier, p.Trust, visit.AskLive, p.Now())
	if !r.Granted {
		return nil, errors.Join(errNot, r.Refusal)
	}
	best, err := turns(ctx, budget, func() error { return honest(r.Regate()) })
	if err != nil {
		return nil, err
	}
	return []Figure{figure("gate_decision", "门禁做一次决定", "one decision of the gate (live, all conditions)", micro(best[0]), "µs").Aimed(Aim{Bound: 10})}, nil
}

// badgeCheck is a presented badge beside the two signatures in it.
func badgeCheck(ctx context.Context, budget time.Duration) ([]Figure, error) {
	p, err := installation(ctx, "door")
	if err != nil {
		return nil, err
	}
	door, err := p.HonestDoor(ctx)
	if err != nil {
		return nil, err
	}
	presented, err := door.Present(p.Play)
	if err != nil {
		return nil, err
	}
	want := credential.Expectation{Issuer: p.Cast.BadgeKey.Public(), IssuerID: p.Cast.Provider.ID, Audience: evidence.DoorAudience(p.ID),
		Nonce: door.Challenge.Nonce, Order: p.Order.Order, AskedAt: door.SignedAt, AnsweredAt: door.SignedAt}
	badge, binding := presented[:strings.Index(presented, "~")], presented[strings.LastIndex(presented, "~")+1:]
	first, err := bareJWS(badge, p.Cast.BadgeKey)
	if err != nil {
		return nil, err
	}
	second, err := bareJWS(binding, p.Cast.Technician)
	if err != nil {
		return nil, err
	}
	best, err := turns(ctx, budget,
		func() error { _, err := credential.VerifyPresentation([]byte(presented), want); return err },
		func() error { return honest(first() && second()) })
	if err != nil {
		return nil, err
	}
	return []Figure{figure("badge_check", "核对工作证和它的回答", "badge and key binding verified", micro(best[0]), "µs").
		Beside(micro(best[1]), "只验两个签名", "its two ES256 signatures alone").Aimed(Aim{Bound: 1.25, OfRatio: true})}, nil
}

// bareJWS verifies the signature of a compact token and nothing else.
func bareJWS(token string, by *scenario.Actor) (func() bool, error) {
	cut := strings.LastIndex(token, ".")
	sig, err := statement.Base64URL(token[cut+1:])
	return func() bool { return statement.VerifyES256(&by.Key.PublicKey, []byte(token[:cut]), sig) }, err
}

// judging is a whole visit judged and verified, beside its bare signatures and hashes.
func judging(ctx context.Context, budget time.Duration) ([]Figure, error) {
	p, err := installation(ctx, "")
	if err != nil {
		return nil, err
	}
	data, err := p.Venue.Bundle(ctx, p.Cast.Merchant, p.ID)
	if err != nil {
		return nil, err
	}
	opened, err := evidence.Open(data)
	if err != nil {
		return nil, err
	}
	checks := scenario.BareChecks(opened, p.Trust, p.Cast)
	best, err := turns(ctx, budget,
		func() error { return honest(evidence.Judge(p.dossier, p.Trust, visit.AskClose, p.Now()).Granted) },
		func() error {
			b, err := evidence.Open(data)
			if err != nil {
				return err
			}
			return honest(evidence.Verify(b, p.Trust).Accepted())
		},
		func() error {
			for _, c := range checks {
				if !c() {
					return errNot
				}
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	bare := func(f Figure) Figure {
		return f.Beside(milli(best[2]), "只验签名和散列", "its distinct signatures and hashes alone")
	}
	return []Figure{
		bare(figure("judge", "判一次整个卷宗", "a whole dossier judged", milli(best[0]), "ms")).Aimed(Aim{Bound: 1.5, OfRatio: true}),
		bare(figure("verify_bundle", "核对整个证据包（5 个决定逐一重判）", "a bundle verified, its 5 decisions judged again", milli(best[1]), "ms")),
		figure("bundle_size", "证据包大小", "size of a bundle", float64(len(data))/1000, "kB"),
	}, nil
}

// ThreeSignatures is how often a second all cores together verify three ES256 signatures and do nothing else.
func ThreeSignatures(ctx context.Context, budget time.Duration) (float64, error) {
	by := scenario.NewActor("bench", "bench", visit.RoleTechnician)
	message := []byte("bench")
	sig, err := statement.SignES256(by.Key, message)
	if err != nil {
		return 0, err
	}
	rate, _, err := Loop(ctx, runtime.GOMAXPROCS(0), budget, func(context.Context, int) error {
		for range 3 {
			if !statement.VerifyES256(&by.Key.PublicKey, message, sig) {
				return errNot
			}
		}
		return nil
	})
	return rate, err
}

func micro(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
func milli(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
