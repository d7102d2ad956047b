package scenario

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/statement"
)

// phoneAttacks are tried between phones: two in the shop, two visits at once, and the time that passes between one scan and
// the next.
var phoneAttacks = []Attack{
	{
		Name: "yes-that-overtakes-a-no", Zh: "店主刚说不是同一个人，店员手机上早些时候没信号存下的“是”才送到", En: "The owner says that the face differs; a yes that a clerk's phone made without signal before arrives after it.", Waits: true,
		Refused: by(gate.TechnicianAdmitted, "door_other_face"),
		Run: func(ctx context.Context, p *Play) error {
			anna := p.clerk("anna")
			if err := p.LetIn(ctx, anna); err != nil {
				return err
			}
			return p.instead(ctx, "door", func(ctx context.Context) error {
				yes := p.Offline()
				yes.Signer = anna
				send, err := p.signs(yes)
				if err != nil {
					return err
				}
				p.Wait(10 * time.Minute)
				if _, err := p.SaysNo(ctx); err != nil {
					return err
				}
				return send(ctx)
			})
		},
	},
	{
		Name: "two-phones-two-answers", Zh: "店主手机上说不是，店员拿同一个核对码说是", En: "The owner says no to an answer, and a clerk yes to the same one.",
		Refused: by(ByIntake, "challenge_answered_before"),
		Run: func(ctx context.Context, p *Play) error {
			anna := p.clerk("anna")
			if err := p.LetIn(ctx, anna); err != nil {
				return err
			}
			return p.instead(ctx, "door", func(ctx context.Context) error {
				d, err := p.SaysNo(ctx)
				if err != nil {
					return err
				}
				d.SameFace, d.Signer = true, anna
				return p.Answer(ctx, d)
			})
		},
	},
	{
		Name: "transcript-over-the-servers-nonce", Zh: "有信号时核对没通过，再拿同一个码说是没信号时核对的", En: "A check with signal ended in no; the same nonce comes again as one without signal.",
		Refused: by(ByIntake, "challenge_nonce_reused"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "door", func(ctx context.Context) error {
				no, err := p.SaysNo(ctx)
				if err != nil {
					return err
				}
				yes := p.Offline()
				yes.Replay, yes.Transcript.Nonce = no.presented, no.Challenge.Nonce
				return p.Answer(ctx, yes)
			})
		},
	},
	{
		Name: "answers-crossed-between-visits", Zh: "同一家店同时有两次上门，把这一单的回答交给那一单", En: "Two visits at one shop at once: the answer for one is given to the other's challenge.",
		Refused: by(gate.TechnicianAdmitted, "kb_audience"),
		Run: func(ctx context.Context, p *Play) error {
			sister := p.Another("v2", "00005704280117028127", "W1489725")
			if err := sister.until(ctx, "door"); err != nil {
				return err
			}
			return p.atTheDoor(ctx, func(d *Door) {
				other := *d
				shown, err := other.Present(sister)
				must(err)
				d.Replay = shown
			})
		},
	},
	{
		Name: "face-answered-an-hour-later", Zh: "工作证核对过了，一小时以后才有人点“是同一个人”", En: "The badge was answered; an hour later somebody says that the face is the same.", Waits: true,
		Refused: by(gate.TechnicianAdmitted, "door_signed_apart"),
		Run: func(ctx context.Context, p *Play) error {
			return p.atTheDoor(ctx, func(*Door) { p.Wait(time.Hour) })
		},
	},
	{
		Name: "code-read-an-hour-later", Zh: "没信号时，回答摆了一小时才被扫进来", En: "Without signal, the page reads an answer an hour after it asked.", Waits: true,
		Refused: by(gate.TechnicianAdmitted, "offline_answer_late"),
		Run: func(ctx context.Context, p *Play) error {
			return p.withoutSignal(ctx, func(d *Door) {
				p.Wait(time.Hour)
				d.Transcript.AnsweredAt = statement.At(p.Now())
			})
		},
	},
	{
		Name: "refused-then-worked-at-home", Zh: "在门口被拒以后，先把步骤签成做完了，再去敲门", En: "Refused at the door, the technician signs the steps that need no photo; only then does the shop let him in.", Waits: true,
		Refused: by(gate.StepsComplete, "signed_too_early"),
		Run: func(ctx context.Context, p *Play) error {
			return Run(ctx, Instead(Instead(p.scenes(), "door", func(ctx context.Context) error {
				if _, err := p.SaysNo(ctx); err != nil {
					return err
				}
				p.Wait(10 * time.Minute)
				if err := p.stepsWith(ctx, false); err != nil {
					return err
				}
				p.Wait(10 * time.Minute)
				return p.CheckDoor(ctx)
			}), "work", func(ctx context.Context) error { return p.stepsWith(ctx, true) }))
		},
	},
	{
		Name: "no-then-yes-again", Zh: "第一次点错了“不是”，重新核对一次（诚实）", En: "Honest: the owner said no by mistake, and checks again.", Waits: true,
		Run: func(ctx context.Context, p *Play) error {
			return p.wholeWith(ctx, "door", func(ctx context.Context) error {
				if _, err := p.SaysNo(ctx); err != nil {
					return err
				}
				p.Wait(time.Minute)
				return p.CheckDoor(ctx)
			})
		},
	},
}
