package scenario

import (
	"context"
	"slices"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// decided runs the honest visit while the platform changes its decisions at one ask; whatever it
// changes, the host must find.
func (p *Play) decided(ctx context.Context, ask string, edit func(*visit.Decision)) error {
	p.ledger().Decide = func(d *visit.Decision) {
		if d.Ask == ask {
			edit(d)
		}
	}
	return Run(ctx, p.scenes())
}

// toHost hands the host the visit's last permit with everything the server has.
func (p *Play) toHost(ctx context.Context, permit string, edit func(*evidence.Bundle)) error {
	return p.atHost(ctx, p.bundled(edit), permit)
}

// looked runs the honest visit while the register lies at one ask.
func (p *Play) looked(ctx context.Context, edit func(*registry.Extract)) error {
	p.ledger().Extract = edit
	return Run(ctx, p.scenes())
}

// liarAttacks are the server's own.
var liarAttacks = []Attack{
	{
		Name: "permit-without-evidence", Zh: "平台凭空签了一张许可，什么证据都没有", En: "A truly signed, logged and cosigned permit with nothing behind it.", Liar: true,
		Refused: by(ByHost, "trust_list_absent"),
		Run: func(ctx context.Context, p *Play) error {
			if err := p.until(ctx, "door"); err != nil {
				return err
			}
			permit, err := p.forge(visit.AskTrial, func(d *visit.Decision) { d.Heads, d.Evidence = []visit.Head{}, []string{} })
			if err != nil {
				return err
			}
			return p.toHost(ctx, permit, nil)
		},
	},
	{
		Name: "permit-without-the-door", Zh: "没核对过人，平台就签了许可", En: "Everything is there but the door check; the platform decides all the same.", Liar: true,
		Refused: by(ByHost, "decision_not_supported"),
		Run: func(ctx context.Context, p *Play) error {
			scenes := Instead(Without(p.scenes(), "door"), "ask admit", p.forged(visit.AskAdmit, nil))
			if err := Run(ctx, Until(Instead(scenes, "ask trial", p.forged(visit.AskTrial, nil)), "release trial")); err != nil {
				return err
			}
			_, permit, err := p.lastPermit()
			if err != nil {
				return err
			}
			return p.toHost(ctx, permit, nil)
		},
	},
	{
		Name: "frozen-and-decided", Zh: "店主按了停，平台照样签上线许可", En: "The platform signs a live permit on a visit that is frozen.", Liar: true,
		Refused: by(ByHost, "decision_not_supported"),
		Run: func(ctx context.Context, p *Play) error {
			if err := p.until(ctx, "ask live"); err != nil {
				return err
			}
			if err := p.Freeze(ctx, p.Cast.Merchant, "asked_for_money"); err != nil {
				return err
			}
			if err := p.forged(visit.AskLive, nil)(ctx); err != nil {
				return err
			}
			return p.toHost(ctx, p.lastDecided(), nil)
		},
	},
	{
		Name: "decision-that-looks-away", Zh: "店主说不能用，平台当没看见，按前一条签许可", En: "The merchant said that it does not work; the decision stops one event before that.", Liar: true,
		Refused: by(ByHost, "decision_skips_event"),
		Run: func(ctx context.Context, p *Play) error {
			if err := p.until(ctx, "ask live"); err != nil {
				return err
			}
			if err := p.ledger().publishExtract(p.ID, visit.AskLive); err != nil {
				return err
			}
			heads, _ := p.ledger().named(p.ID)
			if err := p.Confirm(ctx, func(c *visit.Confirmation) { c.Works = false }); err != nil {
				return err
			}
			permit, err := p.forge(visit.AskLive, func(d *visit.Decision) { d.Heads = heads })
			if err != nil {
				return err
			}
			return p.toHost(ctx, permit, nil)
		},
	},
	{
		Name: "deal-that-looks-away", Zh: "价目单改过，平台按改之前的签许可", En: "The sheet was changed; the decision stops before that in the order's stream.", Liar: true,
		Refused: by(ByHost, "decision_skips_event"),
		Run: func(ctx context.Context, p *Play) error {
			// At the trial nobody beside the server can see that the order went on. At live the host can.
			scenes := Before(p.scenes(), "ask trial", func(ctx context.Context) error { return p.AgreeApprover(ctx, p.dearer()) })
			scenes = Before(Instead(scenes, "ask trial", p.forged(visit.AskTrial, func(d *visit.Decision) {
				i := slices.IndexFunc(d.Heads, func(h visit.Head) bool { return h.Stream == p.OrderStream() })
				before := p.ledger().Stream(p.OrderStream())[d.Heads[i].Number-2]
				d.Heads[i].Number, d.Heads[i].Event = d.Heads[i].Number-1, statement.Digest(before.Event)
			})), "ask live", func(ctx context.Context) error { return p.AgreeApprover(ctx, p.Sheet) })
			return Run(ctx, scenes)
		},
	},
	{
		Name: "admission-kept-warm", Zh: "早上就核对过人，平台把结果扣到下午才登记，好显得新鲜", En: "The server keeps the merchant's verdict back for three hours, so that it looks fresh in the fifth.", Liar: true, Waits: true,
		Refused: by(gate.TechnicianAdmitted, "admission_too_old"),
		Run: func(ctx context.Context, p *Play) error {
			return Run(ctx, Before(Instead(p.scenes(), "door", func(ctx context.Context) error {
				d, err := p.HonestDoor(ctx)
				if err != nil {
					return err
				}
				shown, err := d.Present(p)
				if err != nil {
					return err
				}
				envelope := p.Cast.Merchant.Sign(Draft{Stream: p.VisitStream(), Type: visit.TypeAdmission, Answers: d.Challenge.Digest, At: p.Now(),
					Body: visit.Admission{Challenge: d.Challenge.Digest, Answer: statement.Digest([]byte(shown)), Presentation: shown, Genuine: true, SameFace: true, Mode: "online"}})
				p.Wait(3 * time.Hour)
				return p.Venue.File(ctx, p.Cast.Merchant, Filing{Stream: p.VisitStream(), Verb: visit.Admit, Envelope: envelope, Openings: d.positions})
			}), "ask trial", func(context.Context) error { p.Wait(2 * time.Hour); return nil }))
		},
	},
	{
		Name: "permit-for-another-key", Zh: "许可里换成另一台机具的密钥", En: "The permit names another device key than the evidence does.", Liar: true,
		Refused: by(ByHost, "decision_differs"),
		Run: func(ctx context.Context, p *Play) error {
			other := p.Foundry.Make(p.Device.Serial, p.Now())
			err := p.decided(ctx, visit.AskTrial, func(d *visit.Decision) { d.Permit.DeviceKey = other.Thumbprint() })
			return err
		},
	},
	{
		Name: "permit-with-a-higher-cap", Zh: "把一分钱的试用改成一千块", En: "The trial permit's cap is raised.", Liar: true,
		Refused: by(ByHost, "decision_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.decided(ctx, visit.AskTrial, func(d *visit.Decision) { d.Permit.CapFen = 100000 })
		},
	},
	{
		Name: "permit-that-lasts", Zh: "把半小时的许可改成一天", En: "The trial permit's time is stretched.", Liar: true,
		Refused: by(ByHost, "decision_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.decided(ctx, visit.AskTrial, func(d *visit.Decision) { d.Permit.Until = statement.At(p.Now().Add(24 * time.Hour)) })
		},
	},
	{
		Name: "parameters-misnamed", Zh: "决定写的不是实际用的参数表", En: "The decision names other parameters than it was made under.", Liar: true,
		Refused: by(ByHost, "decision_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.decided(ctx, visit.AskTrial, func(d *visit.Decision) { d.Parameters = statement.Digest([]byte("other")) })
		},
	},
	{
		Name: "condition-left-out", Zh: "决定里少写一项条件", En: "The decision leaves a condition out.", Liar: true,
		Refused: by(ByHost, "decision_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.decided(ctx, visit.AskTrial, func(d *visit.Decision) { d.Conditions = d.Conditions[1:] })
		},
	},
	{
		Name: "basis-embellished", Zh: "把“登记说的”写成“重新验过”", En: "The decision says re-run where it was only attested.", Liar: true,
		Refused: by(ByHost, "decision_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.decided(ctx, visit.AskTrial, func(d *visit.Decision) {
				for i := range d.Conditions {
					d.Conditions[i].Basis = gate.Rerun
				}
			})
		},
	},
	{
		Name: "unknown-rules", Zh: "决定用的是没公布过的规则", En: "The decision was made under rules that nobody published.", Liar: true,
		Refused: by(ByHost, "rules_version_unknown"),
		Run: func(ctx context.Context, p *Play) error {
			return p.decided(ctx, visit.AskTrial, func(d *visit.Decision) { d.Rules = "menshen-rules-0" })
		},
	},
	{
		Name: "evidence-above-the-permit", Zh: "证据进日志比许可还晚", En: "A piece of evidence lies above the log size that the permit names.", Liar: true,
		Refused: by(ByHost, "receipt_above_log_size"),
		Run: func(ctx context.Context, p *Play) error {
			return p.decided(ctx, visit.AskTrial, func(d *visit.Decision) { d.LogSize-- })
		},
	},
	{
		Name: "permit-below-itself", Zh: "许可把自己也算进依据的范围", En: "The permit names a log size that lies above itself.", Liar: true,
		Refused: by(ByHost, "decision_out_of_order"),
		Run: func(ctx context.Context, p *Play) error {
			return p.decided(ctx, visit.AskTrial, func(d *visit.Decision) { d.LogSize++ })
		},
	},
	{
		Name: "decision-backdated", Zh: "把许可的时间往前写", En: "The permit is dated before its evidence came in.", Liar: true, Waits: true,
		Refused: by(ByHost, "decision_not_supported"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "ask trial", func(ctx context.Context) error {
				p.Wait(20 * time.Minute)
				return p.forged(visit.AskTrial, func(d *visit.Decision) {
					d.DecidedAt = statement.At(p.Now().Add(-10 * time.Minute))
					d.Permit.Until = statement.At(p.Now().Add(20 * time.Minute))
				})(ctx)
			})
		},
	},
	{
		Name: "decision-from-the-past", Zh: "旧的许可隔了五分钟才进日志", En: "The permit was cosigned five minutes after the time it claims.", Liar: true, Waits: true,
		Refused: by(ByHost, "receipt_other_time"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "release trial", func(context.Context) error { p.Wait(5 * time.Minute); return nil })
		},
	},
	{
		Name: "dispatch-decision-backdated", Zh: "把派人的决定往前写四分钟", En: "The dispatch decision claims a time four minutes before it was recorded.", Liar: true, Waits: true,
		Refused: by(ByHost, "decision_time_differs"),
		Run: func(ctx context.Context, p *Play) error {
			p.Wait(10 * time.Minute)
			return p.decided(ctx, visit.AskDispatch, func(d *visit.Decision) { d.DecidedAt = statement.At(p.Now().Add(-4 * time.Minute)) })
		},
	},
	{
		Name: "openings-kept-from-the-host", Zh: "人不在店里，平台把位置藏起来不给主机看", En: "The phone was elsewhere; the server keeps the positions from the host.", Liar: true,
		Refused: by(ByHost, "openings_withheld"),
		Run: func(ctx context.Context, p *Play) error {
			scenes := Instead(p.scenes(), "door", func(ctx context.Context) error {
				d, err := p.HonestDoor(ctx)
				if err != nil {
					return err
				}
				d.PhoneAt = Elsewhere
				return p.Answer(ctx, d)
			})
			scenes = Instead(Instead(scenes, "ask admit", p.forged(visit.AskAdmit, nil)), "ask trial", p.forged(visit.AskTrial, nil))
			if err := Run(ctx, Until(scenes, "release trial")); err != nil {
				return err
			}
			_, permit, err := p.lastPermit()
			if err != nil {
				return err
			}
			return p.toHost(ctx, permit, withoutOpenings)
		},
	},
	{
		Name: "permit-changed-where-unopened", Zh: "趁位置没打开，把许可换成另一把密钥", En: "To a reader without the openings, a permit for another key is shown.", Liar: true,
		Refused: by(ByVerifier, "decision_differs"),
		Run: func(ctx context.Context, p *Play) error {
			other := p.Foundry.Make(p.Device.Serial, p.Now())
			p.ledger().Decide = func(d *visit.Decision) {
				if d.Permit != nil {
					d.Permit.DeviceKey = other.Thumbprint()
				}
			}
			if err := p.until(ctx, "release trial"); err != nil {
				return err
			}
			_, err := Check(p.bundled(withoutOpenings), p.Trust)
			return err
		},
	},
	{
		Name: "decision-by-the-provider", Zh: "服务商自己签“同意”", En: "The provider signs a decision in the platform's role.", Liar: true,
		Refused: by(ByHost, "signer_role_differs"),
		Run: func(ctx context.Context, p *Play) error {
			if err := p.until(ctx, "ask trial"); err != nil {
				return err
			}
			if err := p.ledger().publishExtract(p.ID, visit.AskTrial); err != nil {
				return err
			}
			honest := p.Cast.Platform
			p.Cast.Platform = NewActor(p.Cast.Provider.ID, p.Cast.Provider.ID, visit.RolePlatform)
			p.Cast.Platform.Key = p.Cast.Provider.Key
			permit, err := p.forge(visit.AskTrial, nil)
			p.Cast.Platform = honest
			if err != nil {
				return err
			}
			return p.toHost(ctx, permit, nil)
		},
	},
	{
		Name: "extract-of-another-visit", Zh: "拿别的上门的登记摘录来用", En: "The register extract is about another visit.", Liar: true,
		Refused: by(ByEvidence, "statement_other_visit"),
		Run: func(ctx context.Context, p *Play) error {
			return p.looked(ctx, func(x *registry.Extract) { x.Visit = "v9" })
		},
	},
	{
		Name: "extract-of-another-ask", Zh: "拿为别的一步查的登记摘录来用", En: "The register extract was made for another ask.", Liar: true,
		Refused: by(gate.NothingOpen, "extract_absent"),
		Run: func(ctx context.Context, p *Play) error {
			return p.looked(ctx, func(x *registry.Extract) { x.Ask = visit.AskClose })
		},
	},
	{
		Name: "extract-too-old", Zh: "登记摘录是十一分钟前查的", En: "The register was looked at eleven minutes ago.", Liar: true,
		Refused: by(gate.NothingOpen, "extract_too_old"),
		Run: func(ctx context.Context, p *Play) error {
			return p.looked(ctx, func(x *registry.Extract) { x.LookedAt = statement.At(p.Now().Add(-11 * time.Minute)) })
		},
	},
	{
		Name: "extract-that-overlooks-a-person", Zh: "登记没有查其中一个人", En: "The register did not look at everyone with a duty.", Liar: true,
		Refused: by(gate.DutiesSeparated, "person_not_looked_up"),
		Run: func(ctx context.Context, p *Play) error {
			return p.looked(ctx, func(x *registry.Extract) { x.People = x.People[1:] })
		},
	},
	{
		Name: "extract-that-overlooks-the-device", Zh: "登记没有查这台机具", En: "The register did not look at this serial.", Liar: true,
		Refused: by(gate.BindingUnique, "binding_not_looked_up"),
		Run: func(ctx context.Context, p *Play) error {
			return p.looked(ctx, func(x *registry.Extract) { x.Binding = registry.BindingLook{} })
		},
	},
	{
		Name: "extract-that-overlooks-a-photo", Zh: "登记没有查其中一张照片", En: "The register did not look at one of the photos.", Liar: true,
		Refused: by(gate.StepsComplete, "photo_not_looked_up"),
		Run: func(ctx context.Context, p *Play) error {
			return p.looked(ctx, func(x *registry.Extract) { x.Photos = nonNil(x.Photos[:max(0, len(x.Photos)-1)]) })
		},
	},
	{
		Name: "extract-that-overlooks-a-list", Zh: "登记没有写信任名单的期号", En: "The register does not number the trust list.", Liar: true,
		Refused: by(gate.NothingOpen, "list_not_looked_up"),
		Run: func(ctx context.Context, p *Play) error {
			return p.looked(ctx, func(x *registry.Extract) { x.Lists = x.Lists[1:] })
		},
	},
	{
		Name: "one-identity-many-terminals", Zh: "一证多机", En: "One identity already stands behind as many terminals as it may.", Liar: true,
		Refused: by(gate.MerchantVerified, "identity_used_too_often"),
		Run: func(ctx context.Context, p *Play) error {
			return p.looked(ctx, func(x *registry.Extract) { x.Identity.Terminals = 5 })
		},
	},
	{
		Name: "outcome-by-the-platform", Zh: "平台自己签“已装载”", En: "The platform signs the host's outcome.", Liar: true,
		Refused: by(ByIntake, "role_not_allowed"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "release trial", func(ctx context.Context) error { return p.loadedBy(ctx, p.Cast.Platform, nil) })
		},
	},
	{
		Name: "outcome-by-a-forged-host", Zh: "平台冒充主机的身份签“已装载”", En: "The platform signs the outcome in the host's role.", Liar: true,
		Refused: by(ByEvidence, "signer_role_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "release live", func(ctx context.Context) error {
				mask := NewActor(p.Cast.Host.ID, p.Cast.Acquirer.ID, visit.RoleHost)
				mask.Key = p.Cast.Platform.Key
				return p.loadedBy(ctx, mask, nil)
			})
		},
	},
	{
		Name: "outcome-by-another-acquirers-host", Zh: "别家收单机构的主机说“已装载”", En: "Another acquirer's host says loaded, and the visit is closed on it.", Liar: true,
		Refused: by(ByIntake, "signer_of_another_acquirer"),
		Run: func(ctx context.Context, p *Play) error {
			foreign := NewActor("host-linjiang", p.Cast.Other.ID, visit.RoleHost)
			if err := p.enrol(ctx, p.Cast.Other, foreign, p.Now()); err != nil {
				return err
			}
			return p.instead(ctx, "release live", func(ctx context.Context) error { return p.loadedBy(ctx, foreign, nil) })
		},
	},
	{
		Name: "outcome-for-another-device", Zh: "主机说装到了另一台机具上", En: "The host's outcome says that another device was loaded.", Liar: true,
		Refused: by(ByEvidence, "stage_not_fitting"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "release live", func(ctx context.Context) error {
				return p.loadedBy(ctx, p.Cast.Host, func(o *visit.Outcome) { o.Serial = "00005704280117020000" })
			})
		},
	},
	{
		Name: "trust-list-older-than-before", Zh: "最后的决定用回旧一期的名单", En: "The last decision goes back to an older trust list than an earlier one used.", Liar: true,
		Refused: by(ByHost, "host_list_newer"),
		Run: func(ctx context.Context, p *Play) error {
			p.host().MinList = 2
			scenes := Before(p.scenes(), "ask dispatch", func(ctx context.Context) error { return p.PublishTrustList(ctx, p.Cast.TrustList(p.Now())) })
			return Run(ctx, Instead(scenes, "ask trial", func(ctx context.Context) error {
				l := p.ledger()
				l.Hide = func(e Told) bool { return e.Type == credential.TypeTrustList && e.Number == 2 }
				l.Extract = func(x *registry.Extract) { x.Lists[0].Number = 1 }
				defer func() { l.Hide = nil }()
				return p.MustAsk(ctx, visit.AskTrial)
			}))
		},
	},
}

func withoutOpenings(b *evidence.Bundle) { b.Openings = []statement.Opening{} }

func nonNil[T any](list []T) []T { return append([]T{}, list...) }

// loadedBy records an outcome that the play's host did not make.
func (p *Play) loadedBy(ctx context.Context, who *Actor, edit func(*visit.Outcome)) error {
	permit, digest, err := p.lastPermit()
	if err != nil {
		return err
	}
	o := visit.Outcome{Visit: p.ID, Permit: digest, Outcome: visit.Loaded, Serial: permit.Serial, DeviceKey: permit.DeviceKey, At: statement.At(p.Now())}
	if edit != nil {
		edit(&o)
	}
	return p.Venue.File(ctx, who, Filing{Stream: p.VisitStream(), Verb: visit.ReleasePermit,
		Envelope: who.Forge(Draft{Stream: p.VisitStream(), Type: visit.TypeOutcome, At: p.Now(), Body: o})})
}
