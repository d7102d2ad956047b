package scenario

import (
	"context"
	"errors"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// contradict has two phones of the technician's sign another thing for one place. The first is recorded, the second
// refused and kept for a person; the ruling that it gives says that the first one counts.
func (p *Play) contradict(ctx context.Context) (visit.Ruling, error) {
	lan := p.Cast.Technician
	say := func(step string) Filing {
		return Filing{Stream: p.VisitStream(), Verb: visit.RecordStep, Envelope: lan.Forge(Draft{Stream: p.VisitStream(), Type: visit.TypeStep, At: p.Now(),
			Body: visit.Step{Visit: p.ID, Step: step, Done: true, Photos: []visit.Photo{}}})}
	}
	first, late := say("unpack"), say("unpack_again")
	if err := p.Venue.File(ctx, lan, first); err != nil {
		return visit.Ruling{}, err
	}
	lan.accept(first.Stream, first.Envelope)
	if err := p.Venue.File(ctx, lan, late); fault.CodeOf(err) != "signer_chain_broken" {
		return visit.Ruling{}, errors.Join(errors.New("a contradiction was not kept aside"), err)
	}
	return visit.Ruling{Visit: p.ID, Signer: lan.ID, Stands: statement.Digest(first.Envelope), Late: statement.Digest(late.Envelope), Outcome: visit.RuledStands, Reason: "two_phones"}, nil
}

func (p *Play) rule(ctx context.Context, by *Actor, r visit.Ruling) error {
	return p.fileAs(ctx, by, visit.Settle, p.VisitStream(), visit.TypeRuling, r)
}

// ruled runs the honest visit in which the technician contradicts himself before the trial, and somebody rules on it.
func (p *Play) ruled(ctx context.Context, by ...*Actor) error {
	return p.whole(ctx, Before(p.scenes(), "attest", func(ctx context.Context) error {
		r, err := p.contradict(ctx)
		for _, who := range by {
			if err == nil {
				err = p.rule(ctx, who, r)
			}
			r.Outcome = visit.RuledLate
		}
		return err
	}))
}

// conflictAttacks settle two statements that contradict each other, who should not.
var conflictAttacks = []Attack{
	{
		Name: "contradiction-ruled-on", Zh: "两部手机说法不一，派单员问过后签字处理（诚实）", En: "Honest: two phones contradict each other, the dispatcher asks and signs which one counts.",
		Run: func(ctx context.Context, p *Play) error { return p.ruled(ctx, p.Cast.Dispatcher) },
	},
	{
		Name: "ruled-on-by-the-technician", Zh: "上门人员自己处理自己的矛盾", En: "The technician rules on his own contradiction.",
		Refused: by(ByIntake, "role_not_allowed"),
		Run:     func(ctx context.Context, p *Play) error { return p.ruled(ctx, p.Cast.Technician) },
	},
	{
		Name: "ruled-on-by-the-technician-at-the-desk", Zh: "上门人员换成派单员的身份，处理自己的矛盾", En: "The technician is a dispatcher, too, and rules on his own contradiction.",
		Refused: by(ByIntake, "ruling_on_own_statements"),
		Run: func(ctx context.Context, p *Play) error {
			desk := NewActor(p.Cast.Technician.ID, p.Cast.Provider.ID, visit.RoleDispatcher)
			if err := p.enrol(ctx, p.Cast.Provider, desk, p.Now()); err != nil {
				return err
			}
			return p.ruled(ctx, desk)
		},
	},
	{
		Name: "ruled-on-by-another-acquirer", Zh: "别家收单机构的风控来处理", En: "Another acquirer's risk desk rules.",
		Refused: by(ByIntake, "signer_of_another_acquirer"),
		Run: func(ctx context.Context, p *Play) error {
			foreign := NewActor("jin", p.Cast.Other.ID, visit.RoleRisk)
			if err := p.enrol(ctx, p.Cast.Other, foreign, p.Now()); err != nil {
				return err
			}
			return p.ruled(ctx, foreign)
		},
	},
	{
		Name: "ruled-on-by-another-provider", Zh: "别家服务商的调度来处理", En: "Another provider's dispatcher rules.",
		Refused: by(ByIntake, "signer_of_another_provider"),
		Run: func(ctx context.Context, p *Play) error {
			foreign := NewActor("mo", p.Cast.Rival.ID, visit.RoleDispatcher)
			if err := p.enrol(ctx, p.Cast.Rival, foreign, p.Now()); err != nil {
				return err
			}
			return p.ruled(ctx, foreign)
		},
	},
	{
		Name: "ruled-on-twice", Zh: "派单员处理过了，风控又改成另一份算数", En: "The dispatcher ruled, and the risk desk rules the other way.",
		Refused: by(ByIntake, "ruling_given_before"),
		Run:     func(ctx context.Context, p *Play) error { return p.ruled(ctx, p.Cast.Dispatcher, p.Cast.Risk) },
	},
}
