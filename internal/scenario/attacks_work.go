package scenario

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// workWith records the ordinary steps with one of them edited; false leaves it out.
func (p *Play) workWith(ctx context.Context, step string, edit func(*visit.Step) bool) error {
	return p.instead(ctx, "work", func(ctx context.Context) error {
		for _, rule := range p.Cast.Parameters.StepsFor(p.Order.Kind) {
			by, body := p.Cast.Technician, visit.Step{Visit: p.ID, Step: rule.Step, Done: true, Photos: []visit.Photo{}}
			if rule.By == visit.RoleMerchant {
				by = p.Cast.Merchant
			}
			for range rule.Photos {
				body.Photos = append(body.Photos, p.Shot(rule.Step))
			}
			if rule.Step == step && !edit(&body) {
				continue
			}
			if err := p.fileAs(ctx, by, visit.RecordStep, p.VisitStream(), visit.TypeStep, body); err != nil {
				return err
			}
		}
		return nil
	})
}

// confirmWith has the merchant answer otherwise at the end.
func (p *Play) confirmWith(ctx context.Context, edit func(*visit.Confirmation)) error {
	return p.instead(ctx, "confirm", func(ctx context.Context) error { return p.Confirm(ctx, edit) })
}

// workAttacks are about what is done in the shop.
var workAttacks = []Attack{
	{
		Name: "step-skipped", Zh: "少做一步", En: "A required step is skipped.",
		Refused: by(gate.StepsComplete, "step_missing"),
		Run: func(ctx context.Context, p *Play) error {
			return p.workWith(ctx, "counter", func(*visit.Step) bool { return false })
		},
	},
	{
		Name: "step-not-done", Zh: "写明没做，也算一步", En: "A step is recorded as not done.",
		Refused: by(gate.StepsComplete, "step_missing"),
		Run: func(ctx context.Context, p *Play) error {
			return p.workWith(ctx, "counter", func(s *visit.Step) bool { s.Done = false; return true })
		},
	},
	{
		Name: "step-without-photo", Zh: "没拍照", En: "A step lacks its photo.",
		Refused: by(gate.StepsComplete, "step_photos_missing"),
		Run: func(ctx context.Context, p *Play) error {
			return p.workWith(ctx, "counter", func(s *visit.Step) bool { s.Photos = []visit.Photo{}; return true })
		},
	},
	{
		Name: "photo-used-before", Zh: "用别的店拍过的照片", En: "A photo from another visit is used again.", Liar: true,
		Refused: by(gate.StepsComplete, "photo_reused"),
		Run: func(ctx context.Context, p *Play) error {
			p.ledger().Photos[p.Shot("counter").Digest] = "v0"
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "one-photo-for-two-steps", Zh: "一张照片顶两步", En: "One photo stands for two steps.",
		Refused: by(gate.StepsComplete, "photo_reused"),
		Run: func(ctx context.Context, p *Play) error {
			return p.workWith(ctx, "counter", func(s *visit.Step) bool { s.Photos[0] = p.Shot("mount"); return true })
		},
	},
	{
		Name: "photo-from-the-gallery", Zh: "从相册里选的照片", En: "A photo that the page's camera did not take.",
		Refused: by(gate.StepsComplete, "photo_not_from_camera"),
		Run: func(ctx context.Context, p *Play) error {
			return p.workWith(ctx, "counter", func(s *visit.Step) bool { s.Photos[0].Source = "gallery"; return true })
		},
	},
	{
		Name: "photo-of-yesterday", Zh: "昨天拍的照片", En: "A photo taken the day before.",
		Refused: by(gate.StepsComplete, "photo_other_time"),
		Run: func(ctx context.Context, p *Play) error {
			return p.workWith(ctx, "counter", func(s *visit.Step) bool {
				s.Photos[0].TakenAt = statement.At(p.Now().Add(-24 * time.Hour))
				return true
			})
		},
	},
	{
		Name: "work-by-somebody-else", Zh: "干活的是没被派来的人", En: "A colleague who was not sent records the work.",
		Refused: by(gate.StepsComplete, "step_missing"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "work", func(ctx context.Context) error {
				sent := p.Cast.Technician
				p.Cast.Technician = p.Cast.Stranger
				defer func() { p.Cast.Technician = sent }()
				return p.Work(ctx)
			})
		},
	},
	{
		Name: "merchants-step-by-the-technician", Zh: "该店主按的一步，上门人员替他按了", En: "The technician records the step that is the merchant's.",
		Refused: by(gate.StepsComplete, "step_missing"),
		Run: func(ctx context.Context, p *Play) error {
			return Run(ctx, Before(Instead(p.scenes(), "work", func(context.Context) error { return nil }), "sign off", func(ctx context.Context) error {
				for _, rule := range p.Cast.Parameters.StepsFor(p.Order.Kind) {
					var photos []visit.Photo
					for range rule.Photos {
						photos = append(photos, p.Shot(rule.Step))
					}
					if err := p.Step(ctx, p.Cast.Technician, rule.Step, photos...); err != nil {
						return err
					}
				}
				return nil
			}))
		},
	},
	{
		Name: "steps-before-the-door", Zh: "人还没到店，就把不用拍照的步骤都签成做完了", En: "The technician signs the steps that need no photo an hour before anybody lets him in.", Waits: true,
		Refused: by(gate.StepsComplete, "signed_too_early"),
		Run: func(ctx context.Context, p *Play) error {
			early := func(ctx context.Context) error {
				defer p.Wait(time.Hour)
				return p.stepsWith(ctx, false)
			}
			return Run(ctx, Instead(Before(p.scenes(), "door", early), "work", func(ctx context.Context) error { return p.stepsWith(ctx, true) }))
		},
	},
	{
		Name: "backup-before-the-door", Zh: "人还没到店，就签字说备份好了", En: "The technician signs a proven backup an hour before anybody lets him in.", Waits: true,
		Refused: by(gate.DataBackedUp, "signed_too_early"),
		Run: func(ctx context.Context, p *Play) error {
			return Run(ctx, Without(Before(p.scenes(), "door", func(ctx context.Context) error {
				defer p.Wait(time.Hour)
				all := statement.Digest([]byte("all"))
				return p.fileAs(ctx, p.Cast.Technician, visit.BackUp, p.VisitStream(), visit.TypeBackup, visit.Backup{Visit: p.ID, Manifest: all, Restored: all})
			}), "nothing to keep"))
		},
	},
	{
		Name: "backup-of-words", Zh: "备份写的不是摘要，只是两个一样的字", En: "A backup is proven by two equal words instead of digests.",
		Refused: by(ByIntake, "backup_malformed"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "nothing to keep", func(ctx context.Context) error {
				return p.fileAs(ctx, p.Cast.Technician, visit.BackUp, p.VisitStream(), visit.TypeBackup, visit.Backup{Visit: p.ID, Manifest: "all", Restored: "all"})
			})
		},
	},
	{
		Name: "photo-without-a-digest", Zh: "照片没有摘要，等于没拍", En: "A step names its photo by an empty text.",
		Refused: by(ByIntake, "step_photo_malformed"),
		Run: func(ctx context.Context, p *Play) error {
			return p.workWith(ctx, "counter", func(s *visit.Step) bool { s.Photos[0].Digest = ""; return true })
		},
	},
	{
		Name: "backup-not-restored", Zh: "备份没有恢复过", En: "The backup was never proven by a restore.",
		Refused: by(gate.DataBackedUp, "backup_not_proven"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "nothing to keep", func(ctx context.Context) error {
				return p.fileAs(ctx, p.Cast.Technician, visit.BackUp, p.VisitStream(), visit.TypeBackup,
					visit.Backup{Visit: p.ID, Manifest: statement.Digest([]byte("all")), Restored: statement.Digest([]byte("half"))})
			})
		},
	},
	{
		Name: "nothing-backed-up", Zh: "没备份，店主也没说不用备份", En: "No backup, and no word of the merchant.",
		Refused: by(gate.DataBackedUp, "evidence_absent"),
		Run:     func(ctx context.Context, p *Play) error { return p.without(ctx, "nothing to keep") },
	},
	{
		Name: "supervisor-absent", Zh: "监督人员没有签字", En: "The supervisor never signed off.", Risk: 1,
		Refused: by(gate.Supervised, "supervisor_not_signed"),
		Run:     func(ctx context.Context, p *Play) error { return p.without(ctx, "sign off") },
	},
	{
		Name: "supervisor-only-remote", Zh: "要求到场监督，只看了视频", En: "The highest risk needs the supervisor present; he only watched.", Risk: 2,
		Refused: by(gate.Supervised, "supervisor_not_present"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "sign off", func(ctx context.Context) error { return p.SignOff(ctx, registry.WatchedRemotely, true) })
		},
	},
	{
		Name: "supervisor-not-satisfied", Zh: "监督人员不认可", En: "The supervisor is not satisfied.", Risk: 1,
		Refused: by(gate.Supervised, "supervisor_not_satisfied"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "sign off", func(ctx context.Context) error { return p.SignOff(ctx, registry.WatchedRemotely, false) })
		},
	},
	{
		Name: "signed-off-before-the-work", Zh: "活还没干，监督人员先签了字", En: "The supervisor signs off before anything was done.", Risk: 1,
		Refused: by(gate.Supervised, "signed_too_early"),
		Run: func(ctx context.Context, p *Play) error {
			return Run(ctx, Without(Before(p.scenes(), "ask trial", func(ctx context.Context) error {
				return p.SignOff(ctx, registry.WatchedRemotely, true)
			}), "sign off"))
		},
	},
	{
		Name: "confirmed-at-the-door", Zh: "一进门就让店主把最后的确认签了", En: "The merchant is made to confirm before the trial.",
		Refused: by(gate.MerchantConfirmed, "signed_too_early"),
		Run: func(ctx context.Context, p *Play) error {
			return Run(ctx, Without(Before(p.scenes(), "ask trial", func(ctx context.Context) error { return p.Confirm(ctx, nil) }), "confirm"))
		},
	},
	{
		Name: "refunds-unprotected", Zh: "退款没设密码", En: "Refunds are not protected by a password.",
		Refused: by(gate.MerchantConfirmed, "refunds_without_password"),
		Run: func(ctx context.Context, p *Play) error {
			return p.confirmWith(ctx, func(c *visit.Confirmation) { c.RefundsProtected = false })
		},
	},
	{
		Name: "does-not-work", Zh: "店主说不能用", En: "The merchant says that it does not work.",
		Refused: by(gate.MerchantConfirmed, "merchant_says_not_working"),
		Run: func(ctx context.Context, p *Play) error {
			return p.confirmWith(ctx, func(c *visit.Confirmation) { c.Works = false })
		},
	},
	{
		Name: "staff-not-shown", Zh: "店员没学会", En: "The staff were not shown how.",
		Refused: by(gate.MerchantConfirmed, "staff_not_shown"),
		Run: func(ctx context.Context, p *Play) error {
			return p.confirmWith(ctx, func(c *visit.Confirmation) { c.StaffShown = false })
		},
	},
	{
		Name: "cash-beside-the-sheet", Zh: "私下收了钱", En: "The merchant says that something was paid beside the sheet.",
		Refused: by(gate.FeesWithinSheet, "merchant_paid_beside"),
		Run: func(ctx context.Context, p *Play) error {
			return p.confirmWith(ctx, func(c *visit.Confirmation) { c.PaidNothingBeside = false })
		},
	},
	{
		Name: "inspection-that-costs", Zh: "巡检还扣钱", En: "Money is taken during an inspection.", Kind: visit.Inspection, Liar: true,
		Refused: by(gate.FeesWithinSheet, "charge_without_sheet"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "charges", func(context.Context) error {
				return p.host().Charge(p.Order.Terminal, agreement.Charge{At: statement.At(p.Now()), Code: "inspection", AmountFen: 9900, Kind: agreement.ChargeOther, Reference: "x-1"})
			})
		},
	},
	{
		Name: "charges-of-another-time", Zh: "主机的扣款清单只管上门以前", En: "The host's charge list ends before the technician came.", Kind: visit.Inspection, Liar: true, Waits: true,
		Refused: by(gate.FeesWithinSheet, "charge_list_other_time"),
		Run: func(ctx context.Context, p *Play) error {
			early, err := p.Host.ListCharges(ctx, p)
			if err != nil {
				return err
			}
			p.Wait(time.Minute)
			return p.instead(ctx, "charges", func(ctx context.Context) error { return p.FileReport(ctx, early) })
		},
	},
}

// host is the simulated host itself, where a play makes it a bad one.
func (p *Play) host() *HostCore { return p.Host.(*InMemory).Core }

// stepsWith signs the steps that need photos, or those that need none.
func (p *Play) stepsWith(ctx context.Context, photos bool) error {
	for _, rule := range p.Cast.Parameters.StepsFor(p.Order.Kind) {
		by, shots := p.Cast.Technician, []visit.Photo{}
		if rule.By == visit.RoleMerchant {
			by = p.Cast.Merchant
		}
		for range rule.Photos {
			shots = append(shots, p.Shot(rule.Step))
		}
		if photos != (rule.Photos > 0) {
			continue
		}
		body := visit.Step{Visit: p.ID, Step: rule.Step, Done: true, Photos: shots}
		if err := p.fileAs(ctx, by, visit.RecordStep, p.VisitStream(), visit.TypeStep, body); err != nil {
			return err
		}
	}
	return nil
}
