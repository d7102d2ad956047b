package scenario

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Offline makes a door check one without signal: the page's own nonce, and a transcript by lists that
// it fetched an hour ago.
func (p *Play) Offline() *Door {
	now := p.Now()
	salt := Salt()
	return &Door{Challenge: Challenge{Nonce: b64(salt[:])}, Holder: p.Cast.Technician, Badge: p.Badge, Genuine: true, SameFace: true, Signer: p.Cast.Merchant,
		Position: p.counter(), PhoneAt: p.counter(), Mode: visit.ModeOffline, SignedAt: now,
		Transcript: &visit.Transcript{Nonce: b64(salt[:]), MadeAt: statement.At(now), AnsweredAt: statement.At(now), Dispatch: p.assigned, TrustList: p.Cast.TrustNumber,
			TrustListAt: statement.At(now.Add(-time.Hour)), StatusListAt: statement.At(now.Add(-time.Hour))}}
}

// withoutSignal runs the honest visit with its door check made without signal, and changed.
func (p *Play) withoutSignal(ctx context.Context, edit func(*Door)) error {
	return p.instead(ctx, "door", func(ctx context.Context) error {
		d := p.Offline()
		edit(d)
		return p.Answer(ctx, d)
	})
}

// LetIn has the merchant let a clerk's phone in, for door and till.
func (p *Play) LetIn(ctx context.Context, clerk *Actor) error {
	return p.fileAs(ctx, p.Cast.Merchant, visit.Enrol, visit.StreamPerson+"/"+p.Cast.Merchant.ID, statement.TypeEnrolment, Enrolment(clerk, p.Now()))
}

// clerk is a clerk of the play's merchant, whom nobody let in yet.
func (p *Play) clerk(name string) *Actor {
	return NewActor(p.Cast.Merchant.ID+"."+name, p.Cast.Acquirer.ID, visit.RoleClerk)
}

// offlineAttacks are tried where no signal is, or with a clerk's phone.
var offlineAttacks = []Attack{
	{
		Name: "door-without-signal", Zh: "地下室没信号，店主的手机自己核对（诚实）", En: "Honest: the merchant's page checks without signal.",
		Run: func(ctx context.Context, p *Play) error { return p.withoutSignal(ctx, func(*Door) {}) },
	},
	{
		Name: "transcript-written-at-home", Zh: "上门人员在家里自己写一份核对过程", En: "The technician writes a transcript at home and signs it himself.",
		Refused: or(by(ByEvidence, "signer_role_differs"), ByIntake, "actor_not_signer"),
		Run: func(ctx context.Context, p *Play) error {
			return p.withoutSignal(ctx, func(d *Door) { d.Signer, d.As = p.Cast.Technician, visit.RoleMerchant })
		},
	},
	{
		Name: "staff-key-as-merchant", Zh: "派单员用自己的密钥冒充店主签核对过程", En: "The dispatcher signs a transcript as the merchant.",
		Refused: or(by(ByEvidence, "signer_role_differs"), ByIntake, "actor_not_signer"),
		Run: func(ctx context.Context, p *Play) error {
			return p.withoutSignal(ctx, func(d *Door) { d.Signer, d.As = p.Cast.Dispatcher, visit.RoleMerchant })
		},
	},
	{
		Name: "transcript-replayed", Zh: "同一份没信号的核对交两次", En: "One nonce of the page stands in two transcripts.",
		Refused: by(ByIntake, "challenge_nonce_reused"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "door", func(ctx context.Context) error {
				d := p.Offline()
				d.SameFace = false
				if err := p.Answer(ctx, d); err != nil {
					return err
				}
				d.SameFace = true
				return p.Answer(ctx, d)
			})
		},
	},
	{
		Name: "transcript-of-a-sister-visit", Zh: "把另一次上门没信号时的回答拿来用", En: "An answer that was given without signal at another visit.",
		Refused: by(gate.TechnicianAdmitted, "kb_audience"),
		Run: func(ctx context.Context, p *Play) error {
			sister := p.Another("v2", "00005704280117028127", "W1489725")
			if err := sister.until(ctx, "door"); err != nil {
				return err
			}
			seen := sister.Offline()
			shown, err := seen.Present(sister)
			if err != nil {
				return err
			}
			return p.withoutSignal(ctx, func(d *Door) { d.Replay, d.Transcript.Nonce = shown, seen.Challenge.Nonce })
		},
	},
	{
		Name: "transcript-with-an-old-answer", Zh: "没信号时拿出早先录下的回答", En: "A recorded answer to another nonce, without signal.",
		Refused: by(gate.TechnicianAdmitted, "kb_nonce"),
		Run: func(ctx context.Context, p *Play) error {
			return p.withoutSignal(ctx, func(d *Door) { d.Nonce = b64(make([]byte, 16)) })
		},
	},
	{
		Name: "transcript-with-an-old-trust-list", Zh: "手机上的信任名单一天多没更新，却说核对过了", En: "The page's trust list was over 24 hours old, and it claims more than weak.",
		Refused: by(gate.TechnicianAdmitted, "offline_trust_list_old"),
		Run: func(ctx context.Context, p *Play) error {
			return p.withoutSignal(ctx, func(d *Door) { d.Transcript.TrustListAt = statement.At(p.Now().Add(-25 * time.Hour)) })
		},
	},
	{
		Name: "transcript-with-an-old-status-list", Zh: "手机上的停用名单是前天的，却说核对过了", En: "The page's status list was over 24 hours old.",
		Refused: by(gate.TechnicianAdmitted, "offline_status_list_old"),
		Run: func(ctx context.Context, p *Play) error {
			return p.withoutSignal(ctx, func(d *Door) { d.Transcript.StatusListAt = statement.At(p.Now().Add(-25 * time.Hour)) })
		},
	},
	{
		Name: "transcript-with-lists-of-tomorrow", Zh: "核对过程里的名单比核对的时候还新", En: "The lists of a transcript are from after the check.",
		Refused: by(gate.TechnicianAdmitted, "offline_lists_ahead"),
		Run: func(ctx context.Context, p *Play) error {
			return p.withoutSignal(ctx, func(d *Door) { d.Transcript.TrustListAt = statement.At(p.Now().Add(time.Hour)) })
		},
	},
	{
		Name: "transcript-with-an-invented-trust-list", Zh: "核对过程写了一期还没有的信任名单", En: "A transcript names a trust list that does not exist yet.",
		Refused: by(gate.TechnicianAdmitted, "offline_trust_list_unknown"),
		Run: func(ctx context.Context, p *Play) error {
			return p.withoutSignal(ctx, func(d *Door) { d.Transcript.TrustList += 1000 })
		},
	},
	{
		Name: "transcript-of-another-dispatch", Zh: "没信号时核对的是已经改派的派工单", En: "A transcript was made with another dispatch than the last.",
		Refused: by(gate.TechnicianAdmitted, "offline_other_dispatch"),
		Run: func(ctx context.Context, p *Play) error {
			return p.withoutSignal(ctx, func(d *Door) { d.Transcript.Dispatch = statement.Digest([]byte("reassigned")) })
		},
	},
	{
		Name: "transcript-signed-later", Zh: "先拿到回答，一小时以后才签是同一个人", En: "The face was answered an hour after the badge.", Waits: true,
		Refused: by(gate.TechnicianAdmitted, "offline_signed_apart"),
		Run: func(ctx context.Context, p *Play) error {
			return p.withoutSignal(ctx, func(*Door) { p.Wait(time.Hour) })
		},
	},
	{
		Name: "transcript-without-times", Zh: "核对过程的时间写得不对", En: "A transcript whose answer precedes its challenge.",
		Refused: by(gate.TechnicianAdmitted, "offline_times_malformed"),
		Run: func(ctx context.Context, p *Play) error {
			return p.withoutSignal(ctx, func(d *Door) { d.Transcript.AnsweredAt = statement.At(p.Now().Add(-time.Minute)) })
		},
	},
	{
		Name: "transcript-with-a-short-nonce", Zh: "核对过程的随机数太短，猜得到", En: "The page's nonce is short enough to guess.",
		Refused: by(gate.TechnicianAdmitted, "challenge_text_malformed"),
		Run: func(ctx context.Context, p *Play) error {
			return p.withoutSignal(ctx, func(d *Door) { d.Transcript.Nonce = "MTIzNA==" })
		},
	},
	{
		Name: "offline-without-a-transcript", Zh: "说是没信号核对的，却没有过程", En: "A check that claims to be offline and has no transcript.",
		Refused: by(ByIntake, "admission_transcript"),
		Run: func(ctx context.Context, p *Play) error {
			return p.atTheDoor(ctx, func(d *Door) { d.Mode = visit.ModeOffline })
		},
	},
	{
		Name: "dismissed-this-morning", Zh: "早上被辞退，没信号的手机还不知道", En: "The badge was revoked; the merchant's phone without signal could not know.",
		Refused: by(gate.TechnicianAdmitted, "badge_revoked"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "door", func(ctx context.Context) error {
				if err := p.RevokeBadge(ctx, p.Cast.Technician, 7); err != nil {
					return err
				}
				return p.Answer(ctx, p.Offline())
			})
		},
	},
	{
		Name: "badge-of-another-name", Zh: "工作证上的人和派工单上的不是同一个名字", En: "The badge commits to another name than the dispatch.",
		Refused: by(gate.TechnicianAdmitted, "badge_name_differs"),
		Run: func(ctx context.Context, p *Play) error {
			_, photo := p.Cast.Likeness(p.Cast.Technician)
			return p.badgeCommits(ctx, Hide("name", "别人").Commitment, photo.Commitment)
		},
	},
	{
		Name: "badge-of-another-face", Zh: "工作证上的照片和店主看到的不是同一张", En: "The badge commits to another photo than the merchant is shown.",
		Refused: by(gate.TechnicianAdmitted, "badge_photo_differs"),
		Run: func(ctx context.Context, p *Play) error {
			name, _ := p.Cast.Likeness(p.Cast.Technician)
			_, other := p.Cast.Likeness(p.Cast.Stranger)
			return p.badgeCommits(ctx, name.Commitment, other.Commitment)
		},
	},
	{
		Name: "clerk-at-the-door", Zh: "店主让店员的手机也能核对（诚实）", En: "Honest: a clerk whom the merchant let in checks at the door.",
		Run: func(ctx context.Context, p *Play) error {
			anna := p.clerk("anna")
			if err := p.LetIn(ctx, anna); err != nil {
				return err
			}
			return p.atTheDoor(ctx, func(d *Door) { d.Signer = anna })
		},
	},
	{
		Name: "clerk-nobody-let-in", Zh: "店主没有同意，店员自己来签", En: "A clerk whom nobody let in signs at the door.",
		Refused: by(ByEvidence, "key_not_enrolled"),
		Run: func(ctx context.Context, p *Play) error {
			return p.atTheDoor(ctx, func(d *Door) { d.Signer = p.clerk("anna") })
		},
	},
	{
		Name: "clerk-signs-the-price", Zh: "店员替店主在价目单上签字", En: "A clerk signs the price.",
		Refused: by(ByEvidence, "role_not_allowed"),
		Run: func(ctx context.Context, p *Play) error {
			anna := p.clerk("anna")
			if err := p.LetIn(ctx, anna); err != nil {
				return err
			}
			p.Cast.Merchant, anna = anna, p.Cast.Merchant
			return p.instead(ctx, "agree", func(ctx context.Context) error {
				err := p.AgreeMerchant(ctx, p.Sheet)
				p.Cast.Merchant = anna
				return err
			})
		},
	},
	{
		Name: "clerk-confirms", Zh: "店员替店主确认装好了", En: "A clerk confirms in the owner's place.",
		Refused: by(ByIntake, "role_not_allowed"),
		Run: func(ctx context.Context, p *Play) error {
			anna := p.clerk("anna")
			if err := p.LetIn(ctx, anna); err != nil {
				return err
			}
			return p.instead(ctx, "confirm", func(ctx context.Context) error {
				return p.fileAs(ctx, anna, visit.Confirm, p.VisitStream(), visit.TypeConfirmation,
					visit.Confirmation{Visit: p.ID, Works: true, StaffShown: true, RefundsProtected: true, PaidNothingBeside: true})
			})
		},
	},
	{
		Name: "clerk-of-another-shop", Zh: "别家店的店员来签", En: "A clerk of another shop signs at the door.",
		Refused: by(gate.TechnicianAdmitted, "signer_not_party"),
		Run: func(ctx context.Context, p *Play) error {
			owner := NewActor("he", p.Cast.Acquirer.ID, visit.RoleMerchant)
			clerk := NewActor("he.bo", p.Cast.Acquirer.ID, visit.RoleClerk)
			if err := p.enrol(ctx, p.Cast.Acquirer, owner, p.Now()); err != nil {
				return err
			}
			if err := p.fileAs(ctx, owner, visit.Enrol, visit.StreamPerson+"/he", statement.TypeEnrolment, Enrolment(clerk, p.Now())); err != nil {
				return err
			}
			return p.atTheDoor(ctx, func(d *Door) { d.Signer = clerk })
		},
	},
	{
		Name: "clerk-let-in-by-the-provider", Zh: "服务商给店里登记了一个店员", En: "The provider lets a clerk in.",
		Refused: by(ByEvidence, "enroller_not_entitled"),
		Run: func(ctx context.Context, p *Play) error {
			anna := p.clerk("anna")
			body := Enrolment(anna, p.Now())
			body.Organisation = p.Cast.Provider.ID
			if err := p.fileAs(ctx, p.Cast.Provider, visit.Enrol, visit.StreamOrganisation+"/"+p.Cast.Provider.ID, statement.TypeEnrolment, body); err != nil {
				return err
			}
			return p.atTheDoor(ctx, func(d *Door) { d.Signer = anna })
		},
	},
	{
		Name: "merchant-lets-in-an-approver", Zh: "店主给自己登记了一个审批人", En: "A merchant enrols a key as an approver's.",
		Refused: by(ByEvidence, "enroller_not_entitled"),
		Run: func(ctx context.Context, p *Play) error {
			friend := NewActor("friend", p.Cast.Acquirer.ID, visit.RoleApprover)
			if err := p.LetIn(ctx, friend); err != nil {
				return err
			}
			p.Cast.Approver = friend
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "clerk-let-in-elsewhere", Zh: "在别人的名下登记店员", En: "A merchant lets a clerk in in another person's stream.",
		Refused: by(ByEvidence, "stream_of_another"),
		Run: func(ctx context.Context, p *Play) error {
			anna := p.clerk("anna")
			if err := p.fileAs(ctx, p.Cast.Merchant, visit.Enrol, visit.StreamPerson+"/"+p.Cast.Technician.ID, statement.TypeEnrolment, Enrolment(anna, p.Now())); err != nil {
				return err
			}
			return p.atTheDoor(ctx, func(d *Door) { d.Signer = anna })
		},
	},
	{
		Name: "clerk-let-out", Zh: "店员已经离职，手机还在", En: "A clerk whose phone the merchant let out signs at the door.",
		Refused: by(ByEvidence, "statement_before_or_after_key"),
		Run: func(ctx context.Context, p *Play) error {
			anna := p.clerk("anna")
			if err := p.LetIn(ctx, anna); err != nil {
				return err
			}
			end := statement.EnrolmentEnd{Key: anna.Public().Thumbprint(), From: statement.At(p.Now()), Reason: "left"}
			if err := p.fileAs(ctx, p.Cast.Merchant, visit.EndEnrolment, visit.StreamPerson+"/"+p.Cast.Merchant.ID, statement.TypeEnrolmentEnd, end); err != nil {
				return err
			}
			return p.atTheDoor(ctx, func(d *Door) { d.Signer = anna })
		},
	},
}

// badgeCommits runs the honest visit with a recorded badge that commits to another likeness.
func (p *Play) badgeCommits(ctx context.Context, name, photo string) error {
	return p.instead(ctx, "badge", func(ctx context.Context) error {
		badge, err := p.badgeOf(p.Cast.Technician, p.Cast.BadgeKey, 7, p.Now(), name, photo)
		if err != nil {
			return err
		}
		p.Badge = badge
		return p.RecordBadge(ctx, p.Cast.Technician, 7, p.Now())
	})
}
