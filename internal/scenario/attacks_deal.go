package scenario

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/json"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// signAs signs an agreement's body as it is given, in somebody's name.
func (p *Play) signAs(ctx context.Context, who *Actor, body any) error {
	return p.fileAs(ctx, who, visit.Agree, p.OrderStream(), agreement.TypeAgreement, body)
}

// dearer is the play's sheet with another line on it.
func (p *Play) dearer() agreement.Sheet {
	s := p.Sheet
	s.Items = append([]agreement.Item{{Code: agreement.ItemService, Label: "服务费", AmountFen: 29900, Per: agreement.PerYear, When: agreement.WhenLive, PaidTo: p.Cast.Acquirer.ID}}, s.Items...)
	return s
}

// dealAttacks are about what the shop agreed to pay.
var dealAttacks = []Attack{
	{
		Name: "sheet-changed-before-dispatch", Zh: "店主签完，价目单多了一行", En: "The approver signs a dearer sheet after the merchant signed.",
		Refused: by(gate.AgreementSigned, "sheet_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "dispatch", func(ctx context.Context) error { return p.AgreeApprover(ctx, p.dearer()) })
		},
	},
	{
		Name: "sheet-changed-after-trial", Zh: "机具装好了，价目单才改", En: "The sheet is changed between trial and live.",
		Refused: by(gate.AgreementSigned, "sheet_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask live", func(ctx context.Context) error { return p.AgreeApprover(ctx, p.dearer()) })
		},
	},
	{
		Name: "amount-in-another-spelling", Zh: "价目单里金额字段换成大写字母开头", En: "The sheet holds Amount_Fen, which a loose reader takes for amount_fen.",
		Refused: by(gate.AgreementSigned, "json_case_variant"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "agree", func(ctx context.Context) error {
				body, err := statement.Canonical(agreement.Accept(p.Order.Order, p.Sheet, nil, agreement.None, p.Cast.Acquirer.ID))
				if err != nil {
					return err
				}
				return p.signAs(ctx, p.Cast.Merchant, replaced(body, `"amount_fen":`, `"Amount_Fen":`))
			})
		},
	},
	{
		Name: "amount-not-whole", Zh: "金额写成小数", En: "An amount that is not a whole number of fen.",
		Refused: by(ByEvidence, "json_not_integer"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "agree", func(ctx context.Context) error {
				key := p.Cast.Merchant.Public()
				payload, err := statement.Unsigned{Type: agreement.TypeAgreement, Subject: p.OrderStream(), Header: p.Cast.Merchant.header(p.Now()),
					Body: agreement.Accept(p.Order.Order, p.Sheet, nil, agreement.None, p.Cast.Acquirer.ID)}.Payload(key)
				if err != nil {
					return err
				}
				return p.signBytes(ctx, p.Cast.Merchant, p.OrderStream(), visit.Agree, replaced(payload, `29900`, `29900.0`))
			})
		},
	},
	{
		Name: "sign-in-used-as-agreement", Zh: "拿登录时的通行密钥签名当签字", En: "A passkey's sign-in assertion is put under the price sheet.",
		Refused: by(ByEvidence, "assertion_other_purpose"),
		Run: func(ctx context.Context, p *Play) error {
			return p.withPasskey(ctx, func(a *Assertion) { a.Challenge = []byte("sign-in challenge of today 123456") })
		},
	},
	{
		Name: "assertion-of-another-site", Zh: "在冒充的网站上骗来的通行密钥签名", En: "The assertion was made on a look-alike site.",
		Refused: by(ByEvidence, "assertion_origin"),
		Run: func(ctx context.Context, p *Play) error {
			return p.withPasskey(ctx, func(a *Assertion) { a.Origin = "https://menshen.example.evil.example" })
		},
	},
	{
		Name: "assertion-without-the-person", Zh: "没有确认本人的通行密钥签名", En: "The assertion lacks user verification.",
		Refused: by(ByEvidence, "assertion_user_absent"),
		Run: func(ctx context.Context, p *Play) error {
			return p.withPasskey(ctx, func(a *Assertion) { a.Flags = 0x01 })
		},
	},
	{
		Name: "trap-not-ticked", Zh: "价目单里有陷阱，店主没打勾", En: "A flagged clause that the merchant never ticked.",
		Refused: by(gate.AgreementSigned, "clause_not_acknowledged"),
		Run: func(ctx context.Context, p *Play) error {
			p.Sheet.Clauses = append(p.Sheet.Clauses, agreement.Clause{Code: agreement.FlagRenewal, Text: "到期自动续一年"})
			return p.instead(ctx, "agree", func(ctx context.Context) error {
				return p.signAs(ctx, p.Cast.Merchant, agreement.Accept(p.Order.Order, p.Sheet, nil, agreement.None, p.Cast.Acquirer.ID))
			})
		},
	},
	{
		Name: "company-changes-unseen", Zh: "店主以为还是原来那家打款", En: "The merchant expects another company to pay him than the sheet says.",
		Refused: by(gate.AgreementSigned, "payer_after_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "agree", func(ctx context.Context) error {
				return p.signAs(ctx, p.Cast.Merchant, agreement.Accept(p.Order.Order, p.Sheet, nil, p.Cast.Other.ID, p.Cast.Other.ID))
			})
		},
	},
	{
		Name: "sheet-of-another-provider", Zh: "价目单上收钱的服务商不是来装机的那家", En: "The sheet names another provider, so that money paid to it raises no flag.",
		Refused: by(gate.AgreementSigned, "agreement_other_provider"),
		Run: func(ctx context.Context, p *Play) error {
			p.Sheet.Provider = p.Cast.Rival.ID
			p.Sheet.Items = append(p.Sheet.Items, agreement.Item{Code: agreement.ItemService, Label: "服务费", AmountFen: 19900, Per: agreement.PerOnce, When: agreement.WhenLive, PaidTo: p.Cast.Rival.ID})
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "agreement-of-another-order", Zh: "店主签的是另一张订单", En: "The merchant's signature is on another order's sheet.",
		Refused: by(gate.AgreementSigned, "agreement_other_subject"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "agree", func(ctx context.Context) error {
				return p.signAs(ctx, p.Cast.Merchant, agreement.Accept("o-elsewhere", p.Sheet, nil, agreement.None, p.Cast.Acquirer.ID))
			})
		},
	},
	{
		Name: "agreement-by-another-merchant", Zh: "别的店主替这家签了价目单", En: "Another merchant of the same acquirer signs the sheet.",
		Refused: by(gate.AgreementSigned, "signer_not_party"),
		Run: func(ctx context.Context, p *Play) error {
			neighbour := NewActor("zhao", p.Cast.Acquirer.ID, visit.RoleMerchant)
			if err := p.enrol(ctx, p.Cast.Acquirer, neighbour, p.Now()); err != nil {
				return err
			}
			return p.instead(ctx, "agree", func(ctx context.Context) error {
				return p.signAs(ctx, neighbour, agreement.Accept(p.Order.Order, p.Sheet, nil, agreement.None, p.Cast.Acquirer.ID))
			})
		},
	},
	{
		Name: "old-agreement-recorded-again", Zh: "改价之后，把双方以前签的贵单子又登记一遍", En: "After both sides signed a cheaper sheet, the server records their old signatures once more.", Liar: true,
		Refused: by(ByEvidence, "statement_doubled"),
		Run: func(ctx context.Context, p *Play) error {
			var old []Recorded
			return Run(ctx, Before(Before(p.scenes(), "offer", func(ctx context.Context) error {
				if err := p.AgreeApprover(ctx, p.dearer()); err != nil {
					return err
				}
				if err := p.AgreeMerchant(ctx, p.dearer()); err != nil {
					return err
				}
				old = p.ledger().Stream(p.OrderStream())[1:]
				return nil
			}), "dispatch", func(context.Context) error {
				for _, r := range old {
					if _, err := p.ledger().Append(p.OrderStream(), visit.Agree, r.Envelope); err != nil {
						return err
					}
				}
				return nil
			}))
		},
	},
	{
		Name: "agreements-recorded-out-of-order", Zh: "把双方先签的贵单子扣下，等便宜的登记完再登记", En: "The server keeps back the dearer sheet that both signed first, and records it after the cheaper one.", Liar: true,
		Refused: by(ByEvidence, "signer_chain_broken"),
		Run: func(ctx context.Context, p *Play) error {
			hold := func(who *Actor, body any) []byte {
				return who.Sign(Draft{Stream: p.OrderStream(), Type: agreement.TypeAgreement, At: p.Now(), Body: body})
			}
			var held [][]byte
			return Run(ctx, Before(Before(p.scenes(), "offer", func(context.Context) error {
				held = append(held, hold(p.Cast.Approver, agreement.Offer(p.Order.Order, p.dearer())),
					hold(p.Cast.Merchant, agreement.Accept(p.Order.Order, p.dearer(), nil, agreement.None, p.Cast.Acquirer.ID)))
				return nil
			}), "dispatch", func(context.Context) error {
				for _, envelope := range held {
					if _, err := p.ledger().Append(p.OrderStream(), visit.Agree, envelope); err != nil {
						return err
					}
				}
				return nil
			}))
		},
	},
}

// replaced changes bytes that must be there.
func replaced(data []byte, from, to string) json.RawMessage {
	if !bytes.Contains(data, []byte(from)) {
		panic("nothing to replace: " + from)
	}
	return bytes.ReplaceAll(data, []byte(from), []byte(to))
}

// signBytes signs payload bytes as they are, past every check that Sign makes.
func (p *Play) signBytes(ctx context.Context, who *Actor, stream, verb string, payload []byte) error {
	return p.Venue.File(ctx, who, Filing{Stream: stream, Verb: verb, Envelope: sealed(who.Key, who.Public(), payload)})
}

func sealed(priv *ecdsa.PrivateKey, key statement.Key, payload []byte) []byte {
	sig, err := statement.SignES256(priv, statement.PAE(statement.PayloadType, payload))
	must(err)
	envelope, err := statement.Seal(payload, key, sig)
	must(err)
	return envelope
}
