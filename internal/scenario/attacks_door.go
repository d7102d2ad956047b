package scenario

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// doorAttacks are tried in front of the shop.
var doorAttacks = []Attack{
	{
		Name: "badge-replayed", Zh: "把刚才录下的工作证回答再放一遍", En: "An answer to an earlier door check is shown again.",
		Refused: by(gate.TechnicianAdmitted, "kb_nonce"),
		Run: func(ctx context.Context, p *Play) error {
			var seen string
			return Run(ctx, Instead(Before(p.scenes(), "door", func(ctx context.Context) error {
				d, err := p.HonestDoor(ctx)
				if err != nil {
					return err
				}
				seen, err = d.Present(p)
				return err
			}), "door", func(ctx context.Context) error {
				d, err := p.HonestDoor(ctx)
				if err != nil {
					return err
				}
				d.Replay = seen
				return p.Answer(ctx, d)
			}))
		},
	},
	{
		Name: "badge-for-another-order", Zh: "拿回答别的订单的工作证来用", En: "The badge's answer is for another order.",
		Refused: by(gate.TechnicianAdmitted, "kb_order_other"),
		Run: func(ctx context.Context, p *Play) error {
			return p.atTheDoor(ctx, func(d *Door) { d.Order = "o-elsewhere" })
		},
	},
	{
		Name: "badge-lent", Zh: "没被派来的人拿着同事的工作证", En: "Somebody who was not sent shows a colleague's badge and signs with his own key.",
		Refused: by(gate.TechnicianAdmitted, "kb_signature"),
		Run: func(ctx context.Context, p *Play) error {
			return p.atTheDoor(ctx, func(d *Door) { d.Holder = p.Cast.Stranger })
		},
	},
	{
		Name: "answer-made-at-home", Zh: "提前做好回答，到门口再拿出来", En: "The answer was made before the merchant asked.",
		Refused: by(gate.TechnicianAdmitted, "kb_too_old"),
		Run: func(ctx context.Context, p *Play) error {
			return p.atTheDoor(ctx, func(d *Door) { d.SignedAt = p.Now().Add(-time.Minute) })
		},
	},
	{
		Name: "answer-too-late", Zh: "核对码过了九十秒才回答", En: "The challenge is answered after its ninety seconds.", Waits: true,
		Refused: by(gate.TechnicianAdmitted, "kb_too_late"),
		Run: func(ctx context.Context, p *Play) error {
			return p.atTheDoor(ctx, func(d *Door) {
				p.Wait(2 * time.Minute)
				d.SignedAt = p.Now()
			})
		},
	},
	{
		Name: "challenge-of-a-sister-visit", Zh: "用另一次上门的核对码", En: "The door check answers a challenge of another visit.",
		Refused: or(by(gate.TechnicianAdmitted, "challenge_unknown"), ByIntake, "challenge_unknown"),
		Run: func(ctx context.Context, p *Play) error {
			sister := p.Another("v2", "00005704280117028127", "W1489725")
			if err := sister.until(ctx, "door"); err != nil {
				return err
			}
			other, err := sister.HonestDoor(ctx)
			if err != nil {
				return err
			}
			return p.atTheDoor(ctx, func(d *Door) { d.Challenge = other.Challenge })
		},
	},
	{
		Name: "device-challenge-at-the-door", Zh: "用给机具的随机数冒充上门核对码", En: "A device's nonce stands in for a door challenge.",
		Refused: by(gate.TechnicianAdmitted, "challenge_other_purpose"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "door", func(ctx context.Context) error {
				d, err := p.HonestDoor(ctx)
				if err != nil {
					return err
				}
				if d.Challenge, err = p.Venue.Challenge(ctx, p.Cast.Technician, p.ID, visit.PurposeDevice); err != nil {
					return err
				}
				return p.Answer(ctx, d)
			})
		},
	},
	{
		Name: "challenge-answered-twice", Zh: "同一个核对码回答第二次", En: "One challenge is answered a second time.",
		Refused: by(ByIntake, "challenge_answered_before"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "door", func(ctx context.Context) error {
				d, err := p.SaysNo(ctx)
				if err != nil {
					return err
				}
				d.SameFace = true
				return p.Answer(ctx, d)
			})
		},
	},
	{
		Name: "technician-signs-as-merchant", Zh: "上门人员冒充店主签字", En: "The technician signs the door check as the merchant.",
		Refused: or(by(ByEvidence, "signer_role_differs"), ByIntake, "actor_not_signer"), // a server with tokens sees it first
		Run: func(ctx context.Context, p *Play) error {
			return p.atTheDoor(ctx, func(d *Door) { d.Signer, d.As = p.Cast.Technician, visit.RoleMerchant })
		},
	},
	{
		Name: "other-face", Zh: "店主说来的人不是照片上的人", En: "The merchant says that the face differs.",
		Refused: by(gate.TechnicianAdmitted, "door_other_face"),
		Run: func(ctx context.Context, p *Play) error {
			return p.atTheDoor(ctx, func(d *Door) { d.SameFace = false })
		},
	},
	{
		Name: "verdict-not-genuine", Zh: "核对结果是假的，还想往下办", En: "The door check said that the badge is not genuine.",
		Refused: by(gate.TechnicianAdmitted, "door_not_genuine"),
		Run: func(ctx context.Context, p *Play) error {
			return p.atTheDoor(ctx, func(d *Door) { d.Genuine = false })
		},
	},
	{
		Name: "weak-door", Zh: "只对了六位数字，就当核对过了", En: "A weak check stands in for a real one.",
		Refused: by(gate.TechnicianAdmitted, "door_only_weak"),
		Run: func(ctx context.Context, p *Play) error {
			return p.atTheDoor(ctx, func(d *Door) { d.Mode = "weak" })
		},
	},
	{
		Name: "verdict-over-another-answer", Zh: "店主签的回答和附上的回答不是一份", En: "The merchant signed the digest of another answer than the one beside it.",
		Refused: by(gate.TechnicianAdmitted, "answer_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "door", func(ctx context.Context) error {
				d, err := p.HonestDoor(ctx)
				if err != nil {
					return err
				}
				shown, err := d.Present(p)
				if err != nil {
					return err
				}
				return p.admit(ctx, visit.Admission{Challenge: d.Challenge.Digest, Answer: statement.Digest([]byte("another")),
					Presentation: shown, Genuine: true, SameFace: true, Mode: "online"})
			})
		},
	},
	{
		Name: "admitted-in-the-morning", Zh: "早上核对，下午才装机", En: "The door check is more than four hours old.", Waits: true,
		Refused: by(gate.TechnicianAdmitted, "admission_too_old"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask trial", func(context.Context) error { p.Wait(4*time.Hour + time.Minute); return nil })
		},
	},
	{
		Name: "phone-elsewhere", Zh: "人不在店里：上门人员的手机在四公里外", En: "The technician's phone is four kilometres away.",
		Refused: by(gate.PlaceMatches, "place_outside"),
		Run: func(ctx context.Context, p *Play) error {
			return p.atTheDoor(ctx, func(d *Door) { d.PhoneAt = Elsewhere })
		},
	},
	{
		Name: "page-elsewhere", Zh: "店主的页面不在店里", En: "The merchant's page is four kilometres away.",
		Refused: by(gate.PlaceMatches, "place_outside"),
		Run: func(ctx context.Context, p *Play) error {
			return p.atTheDoor(ctx, func(d *Door) { d.Position = Elsewhere })
		},
	},
	{
		Name: "opening-swapped", Zh: "真位置在别处，打开承诺时换成店里的", En: "The position that was committed to is elsewhere; its opening is swapped for one in the shop.",
		Refused: by(gate.PlaceMatches, "not_opened"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "door", func(ctx context.Context) error {
				return p.answerPlaced(ctx, func(page *Hidden) { page.Opening.Value = p.counter() }, evidence.KindPosition, Elsewhere)
			})
		},
	},
	{
		Name: "opening-of-another-kind", Zh: "把别的内容当位置打开", En: "What is opened as a position was committed to as something else.",
		Refused: by(gate.PlaceMatches, "opening_other_kind"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "door", func(ctx context.Context) error {
				return p.answerPlaced(ctx, nil, "address", p.counter())
			})
		},
	},
}

// admit has the merchant sign a door check's verdict as it is given.
func (p *Play) admit(ctx context.Context, a visit.Admission, openings ...statement.Opening) error {
	_, err := p.file(ctx, p.Cast.Merchant, visit.Admit, Draft{Stream: p.VisitStream(), Type: visit.TypeAdmission, Answers: a.Challenge, Body: a}, openings...)
	return err
}

// answerPlaced is an honest door check but for where the merchant's page says it is: a commitment of
// some kind and value, whose opening may be swapped afterwards.
func (p *Play) answerPlaced(ctx context.Context, swap func(*Hidden), kind, value string) error {
	d, err := p.HonestDoor(ctx)
	if err != nil {
		return err
	}
	shown, err := d.Present(p)
	if err != nil {
		return err
	}
	page := Hide(kind, value)
	if swap != nil {
		swap(&page)
	}
	return p.admit(ctx, visit.Admission{Challenge: d.Challenge.Digest, Answer: statement.Digest([]byte(shown)), Presentation: shown,
		Genuine: true, SameFace: true, Mode: "online", Position: page.Commitment}, append(d.positions, page.Opening)...)
}
