package scenario

import (
	"context"
	"strings"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/visit"
)

// receipted plays an honest visit and swaps the receipt of its last decision.
func (p *Play) receipted(ctx context.Context, receipt func(l *Ledger, r Recorded) string) error {
	return p.reclosed(ctx, func(b *evidence.Bundle) {
		l := p.ledger()
		last := l.lastDecision(p.VisitStream())
		b.Entries[p.at(b, p.VisitStream(), last)].Receipt = receipt(l, l.Stream(p.VisitStream())[last-1])
	})
}

// ownLog is a second log under the same name with keys that the operator made himself.
func (p *Play) ownLog() *MemoryLog {
	return NewMemoryLog(p.ledger().Log.Origin, p.Now, "witness-a", "witness-b")
}

// logAttacks are about the log, its witnesses and receipts.
var logAttacks = []Attack{
	{
		Name: "receipt-without-witnesses", Zh: "没有公证人的回执", En: "A receipt that only the log itself signed.", Liar: true,
		Refused: by(ByVerifier, "receipt_quorum_missing"),
		Run: func(ctx context.Context, p *Play) error {
			return p.receipted(ctx, func(l *Ledger, r Recorded) string { return l.Log.ReceiptBy(r.Index) })
		},
	},
	{
		Name: "receipt-with-one-witness", Zh: "两家公证，只来了一家", En: "A receipt with one witness where two are needed.", Liar: true,
		Refused: by(ByVerifier, "receipt_quorum_missing"),
		Run: func(ctx context.Context, p *Play) error {
			return p.receipted(ctx, func(l *Ledger, r Recorded) string { return l.Log.ReceiptBy(r.Index, l.Log.Witnesses[0]) })
		},
	},
	{
		Name: "one-witness-counted-twice", Zh: "一家公证当两家算", En: "One witness's cosignature stands there twice.", Liar: true,
		Refused: by(ByVerifier, "witness_counted_twice"),
		Run: func(ctx context.Context, p *Play) error {
			return p.receipted(ctx, func(l *Ledger, r Recorded) string {
				return l.Log.ReceiptBy(r.Index, l.Log.Witnesses[0], l.Log.Witnesses[0])
			})
		},
	},
	{
		Name: "witness-of-nobody", Zh: "不认识的公证人", En: "A cosignature by a key that the trust file does not name.", Liar: true,
		Refused: by(ByVerifier, "receipt_unknown_signature"),
		Run: func(ctx context.Context, p *Play) error {
			return p.receipted(ctx, func(l *Ledger, r Recorded) string {
				return l.Log.ReceiptBy(r.Index, l.Log.Witnesses[0], NewLogKey("witness-b", "witness-b"))
			})
		},
	},
	{
		Name: "receipt-of-another-log", Zh: "回执来自自己另开的日志", En: "The receipt comes from a second log of the operator's own.", Liar: true,
		Refused: by(ByVerifier, "receipt_log_signature"),
		Run: func(ctx context.Context, p *Play) error {
			return p.receipted(ctx, func(l *Ledger, r Recorded) string {
				own := p.ownLog()
				return own.Receipt(own.Add(l.leaf(r)))
			})
		},
	},
	{
		Name: "receipt-of-another-leaf", Zh: "拿别的记录的回执来充数", En: "The receipt proves another leaf of the same log.", Liar: true,
		Refused: by(ByVerifier, "receipt_not_included"),
		Run: func(ctx context.Context, p *Play) error {
			return p.receipted(ctx, func(l *Ledger, r Recorded) string { return l.Log.Receipt(r.Index - 1) })
		},
	},
	{
		Name: "receipt-at-another-place", Zh: "回执里的位置改小", En: "The receipt claims a lower place in the log.", Liar: true,
		Refused: by(ByVerifier, "receipt_not_included"),
		Run: func(ctx context.Context, p *Play) error {
			return p.receipted(ctx, func(l *Ledger, r Recorded) string {
				lines := strings.SplitN(l.Log.Receipt(r.Index), "\n", 3)
				return lines[0] + "\nindex 1\n" + lines[2]
			})
		},
	},
	{
		Name: "receipt-absent", Zh: "证据没有回执", En: "An entry has no receipt.", Liar: true,
		Refused: by(ByVerifier, "receipt_absent"),
		Run: func(ctx context.Context, p *Play) error {
			return p.receipted(ctx, func(*Ledger, Recorded) string { return "" })
		},
	},
	{
		Name: "receipt-from-a-fork", Zh: "给主机看的日志和给别人看的不是一条", En: "The receipts come from a forked tree, each with its own past.", Liar: true,
		Refused: by(ByVerifier, "receipt_not_included"),
		Run: func(ctx context.Context, p *Play) error {
			return p.receipted(ctx, func(l *Ledger, r Recorded) string {
				fork := l.Log.Fork()
				fork.Add([]byte("another leaf"))
				other := fork.Receipt(fork.Size() - 1) // under witnesses that did not check
				mine := l.Log.Receipt(r.Index)
				head, _, _ := strings.Cut(mine, "\n\n")
				_, checkpoint, _ := strings.Cut(other, "\n\n")
				return head + "\n\n" + checkpoint
			})
		},
	},
	{
		Name: "quorum-of-one-key", Zh: "信任文件把同一把公证密钥算成两家", En: "The trust file counts one witness key as two witnesses.",
		Trust:   func(f *evidence.TrustFile) { f.Witnesses[1].Key = f.Witnesses[0].Key },
		Refused: by(ByTrustFile, "policy_key_repeated"),
	},
	{
		Name: "quorum-of-one-party", Zh: "信任文件把同一家的两把密钥算成两家", En: "The trust file's quorum could be met by one party alone.",
		Trust:   func(f *evidence.TrustFile) { f.Witnesses[1].Party = f.Witnesses[0].Party },
		Refused: by(ByTrustFile, "policy_quorum_unreachable"),
	},
	{
		Name: "operator-as-witness", Zh: "日志的运营方给自己公证", En: "The trust file lets the log's operator witness its own log.",
		Trust:   func(f *evidence.TrustFile) { f.Witnesses[1].Party = f.Log.Operator },
		Refused: by(ByTrustFile, "policy_operator_witnesses"),
	},
	{
		Name: "no-quorum", Zh: "信任文件不要公证", En: "The trust file asks for no witness.",
		Trust:   func(f *evidence.TrustFile) { f.Quorum = 0 },
		Refused: by(ByTrustFile, "policy_quorum_zero"),
	},
}

// honestLookalikes resemble an attack and must pass.
var honestLookalikes = []Attack{
	{
		Name: "merchant-without-a-credit-code", Zh: "小微商户没有信用代码，按负责人证件登记，装机上线", En: "A merchant without a credit code is bound by the principal whom the acquirer checked, and goes live.", Liar: true,
		Run: func(ctx context.Context, p *Play) error {
			p.withoutCode(visit.ItemPrincipal)
			return p.whole(ctx, p.scenes())
		},
	},
	{
		Name: "second-till", Zh: "同一家店装第二台，五要素相同", En: "A second till with the same five items, its own serial and terminal code.",
		Run: func(ctx context.Context, p *Play) error {
			if err := Run(ctx, p.scenes()); err != nil {
				return err
			}
			second := p.Another("v2", "00005704280117028127", "W1489725")
			return second.whole(ctx, second.scenes())
		},
	},
	{
		Name: "lost-device-found-and-cleared", Zh: "报过丢失，风控查验过、签字解除，再装上线", En: "A device was reported lost, the acquirer's risk desk looked into it and signed so, and it goes live.",
		Run: func(ctx context.Context, p *Play) error {
			return p.wholeWith(ctx, "ask trial", func(ctx context.Context) error {
				mark, err := p.Mark(ctx, p.Cast.Dispatcher, visit.MarkLost)
				if err != nil {
					return err
				}
				if err := p.Lift(ctx, p.Cast.Risk, mark); err != nil {
					return err
				}
				return p.MustAsk(ctx, visit.AskTrial)
			})
		},
	},
	{
		Name: "permit-asked-again", Zh: "主机的回答半路丢了，再问一次", En: "The host's answer was lost and the permit is asked for again: one load, the same answer.", Liar: true,
		Run: func(ctx context.Context, p *Play) error {
			return p.wholeWith(ctx, "release trial", func(ctx context.Context) error {
				if err := p.Host.OpenSession(ctx, p.Device); err != nil {
					return err
				}
				bundle, err := p.Venue.Bundle(ctx, p.Cast.Host, p.ID)
				if err != nil {
					return err
				}
				_, permit, err := p.lastPermit()
				if err != nil {
					return err
				}
				lost, err := p.host().Release(bundle, permit)
				if err != nil {
					return err
				}
				if err := p.released(p.Venue.Release(ctx, p.Cast.Technician, p.ID)); err != nil {
					return err
				}
				again, err := p.host().Release(bundle, permit)
				if err != nil || string(again) != string(lost) || p.host().Loads(permit) != 1 {
					return &Refusal{Code: "answered_otherwise", By: ByHost}
				}
				return p.released(p.Venue.Release(ctx, p.Cast.Technician, p.ID))
			})
		},
	},
	{
		Name: "late-evidence-while-frozen", Zh: "停着的时候，先前拍的步骤才传上来", En: "A step made before the freeze arrives during it; it is received, and after the risk desk's answer the visit goes on.",
		Run: func(ctx context.Context, p *Play) error {
			return p.wholeWith(ctx, "work", func(ctx context.Context) error {
				freeze, err := p.freeze(ctx, p.Cast.Merchant)
				if err != nil {
					return err
				}
				if err := p.Work(ctx); err != nil {
					return err
				}
				return p.resume(ctx, p.Cast.Risk, freeze)
			})
		},
	},
	{
		Name: "merchant-with-a-passkey", Zh: "店主用通行密钥签字", En: "The merchant signs everything with a passkey.",
		Run: func(ctx context.Context, p *Play) error {
			p.Cast.Merchant = NewActor("wei-2", p.Cast.Acquirer.ID, visit.RoleMerchant)
			p.Cast.Merchant.Passkey = true
			p.Order.Merchant = p.Cast.Merchant.ID
			if err := p.enrol(ctx, p.Cast.Acquirer, p.Cast.Merchant, p.Now()); err != nil {
				return err
			}
			return p.whole(ctx, p.scenes())
		},
	},
	{
		Name: "second-trial", Zh: "第一次试交易没过，再试一次", En: "The first trial fails and the second passes.", Liar: true,
		Run: func(ctx context.Context, p *Play) error {
			return p.wholeWith(ctx, "acceptance", func(ctx context.Context) error {
				memory := p.Host.(*InMemory)
				memory.Edit = failedStep
				if err := p.Accept(ctx); err != nil {
					return err
				}
				memory.Edit = nil
				return Run(ctx, []Scene{{"ask trial", func(ctx context.Context) error { return p.MustAsk(ctx, visit.AskTrial) }},
					{"release trial", p.mustLoad}, {"acceptance", p.Accept}})
			})
		},
	},
	{
		Name: "door-checked-again", Zh: "中午休息后再核对一次人", En: "After four hours the door check is done again.", Waits: true,
		Run: func(ctx context.Context, p *Play) error {
			return p.wholeWith(ctx, "arrive", func(ctx context.Context) error {
				p.Wait(4*60*60*1e9 + 60*1e9)
				if err := p.CheckDoor(ctx); err != nil {
					return err
				}
				return p.Arrive(ctx, p.Notice(p.Order.Order))
			})
		},
	},
	{
		Name: "reassigned", Zh: "换一个人来", En: "The dispatcher sends another technician instead, who is trained and has his own badge.",
		Run: func(ctx context.Context, p *Play) error {
			for _, course := range []string{SecurityCourse, p.Cast.Family()} {
				if err := p.Train(ctx, p.Cast.Stranger, course, p.Now().AddDate(1, 0, 0)); err != nil {
					return err
				}
			}
			return p.whole(ctx, Instead(Before(p.scenes(), "badge", func(ctx context.Context) error {
				p.Dispatch.Technician = p.Cast.Stranger.ID
				name, photo := p.Cast.Likeness(p.Cast.Stranger)
				p.Dispatch.Name, p.Dispatch.Photo = name.Commitment, photo.Commitment
				if err := p.HandOver(ctx, p.Cast.Technician, p.Cast.Stranger, p.Notice(p.Order.Order), nil); err != nil {
					return err
				}
				p.Cast.Technician = p.Cast.Stranger
				if err := p.fileAs(ctx, p.Cast.Dispatcher, visit.Reassign, p.VisitStream(), visit.TypeDispatch, p.Dispatch); err != nil {
					return err
				}
				return p.MustAsk(ctx, visit.AskDispatch)
			}), "badge", func(ctx context.Context) error { return p.IssueBadge(ctx, p.Cast.Stranger, 8, p.Now()) }))
		},
	},
}

func (p *Play) wholeWith(ctx context.Context, name string, act func(context.Context) error) error {
	return p.whole(ctx, Instead(p.scenes(), name, act))
}
