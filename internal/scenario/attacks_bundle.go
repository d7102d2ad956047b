package scenario

import (
	"context"
	"crypto/elliptic"
	"math/big"
	"slices"
	"strings"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// forwarded plays an honest visit to its end and hands a verifier the bundle with an edit that its
// carrier made: he holds no key of the platform.
func (p *Play) forwarded(ctx context.Context, edit func(*evidence.Bundle)) error {
	return p.carried(ctx, false, edit)
}

// reclosed is forwarded by the platform itself, which closes what it edited.
func (p *Play) reclosed(ctx context.Context, edit func(*evidence.Bundle)) error {
	return p.carried(ctx, true, edit)
}

func (p *Play) carried(ctx context.Context, reclose bool, edit func(*evidence.Bundle)) error {
	if err := Run(ctx, p.scenes()); err != nil {
		return err
	}
	data, err := p.Venue.Bundle(ctx, p.Cast.Merchant, p.ID)
	if err != nil {
		return err
	}
	_, err = Check(p.reopened(data, reclose, edit), p.Trust)
	return err
}

// at finds the entry of an event.
func (p *Play) at(b *evidence.Bundle, stream string, number int) int {
	return slices.IndexFunc(b.Entries, func(e evidence.Entry) bool {
		_, event := p.ledger().event(e)
		return event.Stream == stream && event.Number == number
	})
}

// bundleAttacks change what a verifier reads. All of them need the whole bundle in hand, so they run
// against a ledger; a file edited with any tool is the same.
var bundleAttacks = []Attack{
	{
		Name: "event-removed", Zh: "从证据包里抽走一条", En: "An event in the middle of the visit is removed.", Liar: true,
		Refused: by(ByVerifier, "chain_gap"),
		Run: func(ctx context.Context, p *Play) error {
			return p.forwarded(ctx, func(b *evidence.Bundle) {
				i := p.at(b, p.VisitStream(), 6)
				b.Entries = slices.Delete(b.Entries, i, i+1)
			})
		},
	},
	{
		Name: "first-event-removed", Zh: "抽走第一条", En: "The visit's first event is removed.", Liar: true,
		Refused: by(ByVerifier, "event_missing"),
		Run: func(ctx context.Context, p *Play) error {
			return p.forwarded(ctx, func(b *evidence.Bundle) {
				i := p.at(b, p.VisitStream(), 1)
				b.Entries = slices.Delete(b.Entries, i, i+1)
			})
		},
	},
	{
		Name: "enrolment-removed", Zh: "抽走一条密钥登记", En: "An enrolment that a decision names is removed.", Liar: true,
		Refused: by(ByVerifier, "event_missing"),
		Run: func(ctx context.Context, p *Play) error {
			return p.forwarded(ctx, func(b *evidence.Bundle) {
				i := slices.IndexFunc(b.Entries, func(e evidence.Entry) bool {
					_, event := p.ledger().event(e)
					return event.Verb == visit.Enrol
				})
				b.Entries = slices.Delete(b.Entries, i, i+1)
			})
		},
	},
	{
		Name: "event-inserted", Zh: "往证据包里塞一条别处的记录", En: "A genuine event of another stream is put in.", Liar: true,
		Refused: by(ByVerifier, "entry_unnamed"),
		Run: func(ctx context.Context, p *Play) error {
			var spare evidence.Entry
			return p.forwardedWith(ctx, func(ctx context.Context) error {
				if err := p.Train(ctx, p.Cast.Stranger, SecurityCourse, p.Now().AddDate(1, 0, 0)); err != nil {
					return err
				}
				entries := p.ledger().Dossier(p.ID, 0).Entries
				spare = entries[slices.IndexFunc(entries, func(e evidence.Entry) bool {
					_, event := p.ledger().event(e)
					return event.Stream == visit.StreamPerson+"/"+p.Cast.Stranger.ID
				})]
				return nil
			}, func(b *evidence.Bundle) {
				i := slices.IndexFunc(b.Entries, func(e evidence.Entry) bool {
					_, event := p.ledger().event(e)
					return strings.HasPrefix(event.Stream, visit.StreamPerson+"/")
				})
				b.Entries = slices.Insert(b.Entries, i, spare)
			})
		},
	},
	{
		Name: "event-doubled", Zh: "同一条放两遍", En: "An entry is there twice.", Liar: true,
		Refused: by(ByVerifier, "event_doubled"),
		Run: func(ctx context.Context, p *Play) error {
			return p.forwarded(ctx, func(b *evidence.Bundle) {
				i := p.at(b, p.VisitStream(), 6)
				b.Entries = slices.Insert(b.Entries, i, b.Entries[i])
			})
		},
	},
	{
		Name: "events-reordered", Zh: "把前后两条对调", En: "Two events change places.", Liar: true,
		Refused: by(ByVerifier, "entries_out_of_order"),
		Run: func(ctx context.Context, p *Play) error {
			return p.forwarded(ctx, func(b *evidence.Bundle) {
				i := p.at(b, p.VisitStream(), 6)
				b.Entries[i], b.Entries[i+1] = b.Entries[i+1], b.Entries[i]
			})
		},
	},
	{
		Name: "event-edited", Zh: "改一条记录的收到时间", En: "The time at which an event was received is edited.", Liar: true,
		Refused: by(ByVerifier, "receipt_not_included"),
		Run: func(ctx context.Context, p *Play) error {
			return p.forwarded(ctx, func(b *evidence.Bundle) {
				i := p.at(b, p.VisitStream(), 6)
				data, event := p.ledger().event(b.Entries[i])
				from := string(event.ReceivedAt)
				b.Entries[i].Event = b64(replaced(data, from, string(statement.At(p.Now().AddDate(0, 0, -1)))))
			})
		},
	},
	{
		Name: "statement-swapped", Zh: "换掉一条记录里的签名文件", En: "The statement beside an event is swapped for another genuine one.", Liar: true,
		Refused: by(ByVerifier, "event_statement_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.forwarded(ctx, func(b *evidence.Bundle) {
				i := p.at(b, p.VisitStream(), 6)
				b.Entries[i].Statement = b.Entries[i+1].Statement
			})
		},
	},
	{
		Name: "salt-swapped", Zh: "换掉一条记录的盐", En: "An entry's salt is changed.", Liar: true,
		Refused: by(ByVerifier, "receipt_not_included"),
		Run: func(ctx context.Context, p *Play) error {
			return p.forwarded(ctx, func(b *evidence.Bundle) { salt := Salt(); b.Entries[0].Salt = b64(salt[:]) })
		},
	},
	{
		Name: "end-cut-off", Zh: "把最后的结果剪掉", En: "The bundle's last events are cut off.", Liar: true,
		Refused: by(ByVerifier, "closing_differs"),
		Run: func(ctx context.Context, p *Play) error {
			// The close decision and the host's last word before it.
			return p.forwarded(ctx, func(b *evidence.Bundle) {
				b.Entries = b.Entries[:p.at(b, p.VisitStream(), p.ledger().lastDecision(p.VisitStream())-2)]
			})
		},
	},
	{
		Name: "opening-dropped", Zh: "拿走一个承诺的原文", En: "An opening is dropped.", Liar: true,
		Refused: by(ByVerifier, "closing_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.forwarded(ctx, func(b *evidence.Bundle) { b.Openings = b.Openings[1:] })
		},
	},
	{
		Name: "opening-of-nothing", Zh: "塞进一段谁也没承诺过的个人资料", En: "An opening that no statement commits to is put in.", Liar: true,
		Refused: by(ByVerifier, "opening_unnamed"),
		Run: func(ctx context.Context, p *Play) error {
			return p.reclosed(ctx, func(b *evidence.Bundle) { b.Openings = append(b.Openings, Hide("address", "别人家").Opening) })
		},
	},
	{
		Name: "opening-twice", Zh: "同一个承诺打开两次", En: "One commitment is opened twice.", Liar: true,
		Refused: by(ByVerifier, "opening_doubled"),
		Run: func(ctx context.Context, p *Play) error {
			return p.reclosed(ctx, func(b *evidence.Bundle) { b.Openings = append(b.Openings, b.Openings[0]) })
		},
	},
	{
		Name: "closing-of-another-visit", Zh: "用另一次上门的封口签名", En: "Another visit's closing is put under this bundle.", Liar: true,
		Refused: by(ByVerifier, "closing_differs"),
		Run: func(ctx context.Context, p *Play) error {
			sister := p.Another("v2", "00005704280117028127", "W1489725")
			if err := Run(ctx, sister.scenes()); err != nil {
				return err
			}
			data, err := p.Venue.Bundle(ctx, p.Cast.Merchant, sister.ID)
			if err != nil {
				return err
			}
			other, err := evidence.Open(data)
			if err != nil {
				return err
			}
			return p.forwarded(ctx, func(b *evidence.Bundle) { b.Closing = other.Closing })
		},
	},
	{
		Name: "closing-by-the-provider", Zh: "服务商自己封口", En: "The provider closes the bundle.", Liar: true,
		Refused: by(ByVerifier, "closing_signer"),
		Run: func(ctx context.Context, p *Play) error {
			return p.forwarded(ctx, func(b *evidence.Bundle) {
				body, err := b.ClosingFor(visit.RoleHost, p.ledger().Log.Size())
				must(err)
				b.Closing = b64(p.Cast.Provider.Forge(Draft{Stream: p.VisitStream(), Type: evidence.TypeClosing, At: p.Now(), As: visit.RolePlatform, Body: body}))
			})
		},
	},
	{
		Name: "closing-in-its-second-form", Zh: "把封口签名换成另一种写法", En: "The closing's signature (r, s) is written as (r, n−s), which verifies too.", Liar: true,
		Refused: by(ByVerifier, "closing_second_form"),
		Run: func(ctx context.Context, p *Play) error {
			return p.forwarded(ctx, func(b *evidence.Bundle) { b.Closing = secondForm(b.Closing) })
		},
	},
	{
		Name: "closing-that-saw-less", Zh: "封口说日志比实际小", En: "The closing names a log that is smaller than the bundle's own leaves.", Liar: true,
		Refused: by(ByVerifier, "closing_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.forwarded(ctx, func(b *evidence.Bundle) {
				body, err := b.ClosingFor(visit.RoleHost, 3)
				must(err)
				b.Closing = b64(p.Cast.Platform.Forge(Draft{Stream: p.VisitStream(), Type: evidence.TypeClosing, At: p.Now(), Body: body}))
			})
		},
	},
	{
		Name: "not-closed", Zh: "证据包没有封口", En: "The bundle lacks its closing.", Liar: true,
		Refused: by(ByVerifier, "closing_absent"),
		Run: func(ctx context.Context, p *Play) error {
			return p.forwarded(ctx, func(b *evidence.Bundle) { b.Closing = "" })
		},
	},
	{
		Name: "event-after-the-last-decision", Zh: "最后的决定之后又塞进一条", En: "The platform exports an event that no decision ever saw.", Liar: true,
		Refused: by(ByVerifier, "event_after_last_decision"),
		Run: func(ctx context.Context, p *Play) error {
			var late evidence.Entry
			return p.reclosedWith(ctx, func(ctx context.Context) error {
				err := p.fileAs(ctx, p.Cast.Merchant, visit.ReviewVerb, p.VisitStream(), visit.TypeReview, visit.Review{Visit: p.ID, Stars: 5})
				entries := p.ledger().Dossier(p.ID, 0).Entries
				late = entries[len(entries)-1]
				return err
			}, func(b *evidence.Bundle) { b.Entries = append(b.Entries, late) })
		},
	},
	{
		Name: "bundle-under-another-name", Zh: "把证据包改名说成另一次上门", En: "The bundle is said to be another visit's.", Liar: true,
		Refused: by(ByVerifier, "decision_absent"),
		Run: func(ctx context.Context, p *Play) error {
			return p.reclosed(ctx, func(b *evidence.Bundle) { b.Visit = "v9" })
		},
	},
}

func (p *Play) forwardedWith(ctx context.Context, prepare func(context.Context) error, edit func(*evidence.Bundle)) error {
	return p.carriedWith(ctx, false, prepare, edit)
}

func (p *Play) reclosedWith(ctx context.Context, prepare func(context.Context) error, edit func(*evidence.Bundle)) error {
	return p.carriedWith(ctx, true, prepare, edit)
}

func (p *Play) carriedWith(ctx context.Context, reclose bool, prepare func(context.Context) error, edit func(*evidence.Bundle)) error {
	if err := Run(ctx, p.scenes()); err != nil {
		return err
	}
	data, err := p.Venue.Bundle(ctx, p.Cast.Merchant, p.ID)
	if err != nil {
		return err
	}
	if err := prepare(ctx); err != nil {
		return err
	}
	_, err = Check(p.reopened(data, reclose, edit), p.Trust)
	return err
}

// secondForm rewrites an envelope's ES256 signature (r, s) as (r, n−s): other bytes that verify too.
func secondForm(encoded string) string {
	envelope, err := statement.Base64(encoded)
	must(err)
	const before = `"sig":"`
	start := strings.Index(string(envelope), before) + len(before)
	end := start + strings.IndexByte(string(envelope[start:]), '"')
	sig, err := statement.Base64(string(envelope[start:end]))
	must(err)
	s := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(sig[32:]))
	s.FillBytes(sig[32:])
	return b64([]byte(string(envelope[:start]) + b64(sig) + string(envelope[end:])))
}
