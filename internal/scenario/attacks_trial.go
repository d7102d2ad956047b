package scenario

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// reported runs the visit with the host's acceptance report edited before the host signs it.
func (p *Play) reported(ctx context.Context, edit func(*agreement.Acceptance)) error {
	p.Host.(*InMemory).Edit = edit
	return Run(ctx, p.scenes())
}

// trialAttacks are about the trial, its report and its charges.
var trialAttacks = []Attack{
	{
		Name: "live-on-a-cancelled-trial", Zh: "试用已经被风控撤销，还拿它上线", En: "The risk desk cancels the trial; live is asked for on it all the same.",
		Refused: or(by(gate.AcceptancePassed, "trial_cancelled"), gate.DeviceGenuine, "trial_cancelled"),
		Run:     cancelsTrial,
	},
	{
		Name: "acceptance-of-another-device", Zh: "验收报告说的是另一台机具", En: "The acceptance report is about another device.", Liar: true,
		Refused: by(gate.AcceptancePassed, "acceptance_other_device"),
		Run: func(ctx context.Context, p *Play) error {
			return p.reported(ctx, func(a *agreement.Acceptance) { a.Serial = "00005704280117020000" })
		},
	},
	{
		Name: "acceptance-over-another-key", Zh: "验收时机具用的是另一把密钥", En: "The acceptance was run over another device key.", Liar: true,
		Refused: by(gate.AcceptancePassed, "acceptance_other_device_key"),
		Run: func(ctx context.Context, p *Play) error {
			return p.reported(ctx, func(a *agreement.Acceptance) { a.DeviceKey = p.Cast.Merchant.Public().Thumbprint() })
		},
	},
	{
		Name: "wrong-mac-accepted", Zh: "篡改过的报文机具也收了", En: "The terminal accepted a message with a wrong MAC.", Liar: true,
		Refused: by(gate.AcceptancePassed, "acceptance_step_failed"),
		Run: func(ctx context.Context, p *Play) error {
			return p.reported(ctx, func(a *agreement.Acceptance) { a.Steps[3].Result = agreement.ResultFailed })
		},
	},
	{
		Name: "acceptance-step-left-out", Zh: "退款密码那一步没试", En: "The refund without its password was never tried.", Liar: true,
		Refused: by(gate.AcceptancePassed, "acceptance_step_missing"),
		Run: func(ctx context.Context, p *Play) error {
			return p.reported(ctx, func(a *agreement.Acceptance) { a.Steps = append(a.Steps[:5], a.Steps[6:]...) })
		},
	},
	{
		Name: "trial-over-its-cap", Zh: "试交易刷了不止一分钱", En: "The trial moved more than 0.01 yuan.", Liar: true,
		Refused: by(gate.AcceptancePassed, "acceptance_over_cap"),
		Run: func(ctx context.Context, p *Play) error {
			return p.reported(ctx, func(a *agreement.Acceptance) { a.Steps[1].AmountFen = 69900 })
		},
	},
	{
		Name: "slip-of-another-shop", Zh: "小票上印的是别的店", En: "The slip prints another shop's name.", Liar: true,
		Refused: by(gate.AcceptancePassed, "acceptance_slip_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.reported(ctx, func(a *agreement.Acceptance) { a.Slip.MerchantName = Hide("merchant_name", "别的店").Commitment })
		},
	},
	{
		Name: "acceptance-of-another-permit", Zh: "拿上一次试用的验收报告来用", En: "The report is over another trial permit.", Liar: true,
		Refused: by(gate.AcceptancePassed, "acceptance_other_permit"),
		Run: func(ctx context.Context, p *Play) error {
			return p.reported(ctx, func(a *agreement.Acceptance) { a.Permit = statement.Digest([]byte("another")) })
		},
	},
	{
		Name: "no-acceptance", Zh: "没有验收就要上线", En: "Live is asked for without an acceptance report.",
		Refused: by(gate.AcceptancePassed, "evidence_absent"),
		Run:     func(ctx context.Context, p *Play) error { return p.without(ctx, "acceptance") },
	},
	{
		Name: "acceptance-by-another-acquirers-host", Zh: "别家收单机构的主机签的验收", En: "Another acquirer's host signs the acceptance.", Liar: true,
		Refused: by(gate.AcceptancePassed, "acceptance_other_acquirer"),
		Run: func(ctx context.Context, p *Play) error {
			foreign := NewActor("host-linjiang", p.Cast.Other.ID, visit.RoleHost)
			if err := p.enrol(ctx, p.Cast.Other, foreign, p.Now()); err != nil {
				return err
			}
			return p.instead(ctx, "acceptance", func(ctx context.Context) error {
				p.host().Actor = foreign
				defer func() { p.host().Actor = p.Cast.Host }()
				report, err := p.Host.RunAcceptance(ctx, p, "")
				if err != nil {
					return err
				}
				return p.Venue.File(ctx, foreign, Filing{Stream: p.VisitStream(), Verb: visit.ReportAcceptance, Envelope: report})
			})
		},
	},
	{
		Name: "acceptance-by-the-platform", Zh: "平台自己签验收报告", En: "The platform signs the acceptance report itself.", Liar: true,
		Refused: by(ByIntake, "role_not_allowed"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "acceptance", func(ctx context.Context) error {
				p.host().Actor = p.Cast.Platform
				defer func() { p.host().Actor = p.Cast.Host }()
				report, err := p.Host.RunAcceptance(ctx, p, "")
				if err != nil {
					return err
				}
				return p.Venue.File(ctx, p.Cast.Platform, Filing{Stream: p.VisitStream(), Verb: visit.ReportAcceptance, Envelope: report})
			})
		},
	},
	{
		Name: "acceptance-before-the-trial", Zh: "试用密钥还没装，验收报告先有了", En: "The report's steps were run before any trial key was loaded.", Liar: true,
		Refused: by(gate.AcceptancePassed, "acceptance_before_trial"),
		Run: func(ctx context.Context, p *Play) error {
			return p.reported(ctx, func(a *agreement.Acceptance) { shift(a, -time.Hour) })
		},
	},
	{
		Name: "acceptance-after-the-trial", Zh: "试用密钥到期以后才试", En: "The report's steps were run when the trial keys' half hour was over.", Liar: true, Waits: true,
		Refused: by(gate.AcceptancePassed, "acceptance_outside_permit"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "acceptance", func(ctx context.Context) error {
				if _, err := p.Host.RunAcceptance(ctx, p, ""); err != nil {
					return err
				}
				p.Wait(31 * time.Minute)
				late, err := p.host().Acceptance(p.ID, p.Order.Name, func(a *agreement.Acceptance) {
					listed := a.ListedAt
					shift(a, 31*time.Minute)
					a.ListedAt = listed
				})
				if err != nil {
					return err
				}
				return p.FileReport(ctx, late)
			})
		},
	},
	{
		Name: "trial-keys-kept", Zh: "试用密钥到期了还想接着试", En: "The terminal goes on with its trial keys after their half hour.", Waits: true,
		Refused: by(ByIntake, "trial_not_loaded"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "acceptance", func(context.Context) error { p.Wait(31 * time.Minute); return nil })
		},
	},
	{
		Name: "activation-swipe", Zh: "试机时多刷了一笔“激活费”", En: "An activation fee is swiped beside the script.", Liar: true,
		Refused: by(gate.FeesWithinSheet, "fees_outside_sheet"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "acceptance", func(context.Context) error {
				return p.host().Charge(p.Order.Terminal, agreement.Charge{At: statement.At(p.Now()), Code: "activation", AmountFen: 200000, Kind: agreement.ChargeOther, Reference: "x-1"})
			})
		},
	},
	{
		Name: "deposit-taken-twice", Zh: "押金扣了两次", En: "The deposit is taken twice.", Liar: true,
		Refused: by(gate.FeesWithinSheet, "fees_outside_sheet"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "acceptance", func(context.Context) error {
				for _, reference := range []string{"d-1", "d-2"} {
					if err := p.host().Charge(p.Order.Terminal, agreement.Charge{At: statement.At(p.Now()), Code: agreement.ItemDeposit, AmountFen: 29900, Kind: agreement.ChargeSheet, Reference: reference}); err != nil {
						return err
					}
				}
				return nil
			})
		},
	},
	{
		Name: "live-without-trial", Zh: "跳过试用直接上线", En: "Live is asked for straight after the door.",
		Refused: by(ByEvidence, "stage_not_fitting"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "ask trial", func(ctx context.Context) error { return p.MustAsk(ctx, visit.AskLive) })
		},
	},
	{
		Name: "fourth-trial", Zh: "试了三次不过，再要第四次", En: "A fourth trial permit is asked for.",
		Refused: or(by(ByEvidence, "trials_used_up"), ByIntake, "trials_used_up"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "release trial", func(ctx context.Context) error {
				for range visit.MaxTrials { // each time the last permit is taken back: one that stands is the answer itself
					if err := p.fileAs(ctx, p.Cast.Approver, visit.Cancel, p.VisitStream(), visit.TypeBrake, visit.Brake{Visit: p.ID, Reason: "once_more"}); err != nil {
						return err
					}
					if err := p.MustAsk(ctx, visit.AskTrial); err != nil {
						return err
					}
				}
				return nil
			})
		},
	},
}

// cancelsTrial has the risk desk cancel the trial that is loaded, after everything else is signed.
func cancelsTrial(ctx context.Context, p *Play) error {
	return p.before(ctx, "ask live", func(ctx context.Context) error {
		return p.fileAs(ctx, p.Cast.Risk, visit.Cancel, p.VisitStream(), visit.TypeBrake, visit.Brake{Visit: p.ID, Reason: "in_doubt"})
	})
}

// shift moves everything that the report dates.
func shift(a *agreement.Acceptance, by time.Duration) {
	move := func(t *statement.Time) {
		at, err := t.Parse()
		must(err)
		*t = statement.At(at.Add(by))
	}
	for i := range a.Steps {
		move(&a.Steps[i].At)
	}
	for i := range a.Charges {
		move(&a.Charges[i].At)
	}
	move(&a.ListedAt)
}

func failedStep(a *agreement.Acceptance) { a.Steps[4].Result = agreement.ResultFailed }
