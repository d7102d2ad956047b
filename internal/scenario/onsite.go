package scenario

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// ShipDevice hands the device from maker to warehouse to technician.
func (p *Play) ShipDevice(ctx context.Context) error {
	c := p.Cast
	origin := &custody.Origin{Model: p.Device.Model, Hardware: p.Device.Hardware, Firmware: p.Device.Firmware, DeviceKey: p.Device.Thumbprint()}
	if err := p.HandOver(ctx, c.Maker, c.Custodian, p.Notice("SF1000000001"), origin); err != nil {
		return err
	}
	if err := p.HandOver(ctx, c.Custodian, c.Technician, p.Notice(p.Order.Order), nil); err != nil {
		return err
	}
	p.tell("厂家、仓库、上门人员", "一手一手签收了机具 …%s", p.Device.Serial[len(p.Device.Serial)-6:])
	return nil
}

// Notice is what a sender announces about the parcel.
func (p *Play) Notice(tracking string) custody.Notice {
	return custody.Notice{Tracking: tracking, BagSeal: "B7300112", BoxSerial: "X" + p.Device.Serial, DeviceSerial: p.Device.Serial}
}

// HandOver signs one transfer.
func (p *Play) HandOver(ctx context.Context, from, to *Actor, n custody.Notice, first *custody.Origin) error {
	answers := ""
	if len(p.transfers) > 0 {
		answers = p.transfers[len(p.transfers)-1]
	}
	digest, err := p.file(ctx, from, visit.Transfer, Draft{Stream: p.DeviceStream(), Type: custody.TypeTransfer, Answers: answers,
		Body: custody.Transfer{Serial: p.Device.Serial, FromHolder: from.ID, ToHolder: to.ID, ToOrganisation: to.Organisation, Notice: n, First: first, SealsIntact: true}})
	if err == nil {
		p.transfers = append(p.transfers, digest)
	}
	return err
}

// Handed tells the play of a hand-over that somebody signed elsewhere, by the statement's digest.
func (p *Play) Handed(transfer string) { p.transfers = append(p.transfers, transfer) }

// IssueBadge has the provider issue the day's badge to a technician's key and record it.
func (p *Play) IssueBadge(ctx context.Context, to *Actor, index int, from time.Time) error {
	badge, err := p.MakeBadge(to, p.Cast.BadgeKey, index, from)
	if err != nil {
		return err
	}
	p.Badge = badge
	return p.RecordBadge(ctx, to, index, from)
}

// MakeBadge issues a badge token under an issuer's key.
func (p *Play) MakeBadge(to, issuer *Actor, index int, from time.Time) ([]byte, error) {
	name, photo := p.Cast.Likeness(to)
	return p.badgeOf(to, issuer, index, from, name.Commitment, photo.Commitment)
}

// badgeOf is a badge that commits to any name and photo.
func (p *Play) badgeOf(to, issuer *Actor, index int, from time.Time, name, photo string) ([]byte, error) {
	return credential.Issue(issuer.Key, credential.BadgeClaims{Issuer: issuer.ID, StaffNumber: "A-" + to.ID,
		NameCommitment: name, PhotoCommitment: photo, Holder: to.Public(),
		IssuedAt: from, ExpiresAt: from.Add(12 * time.Hour), StatusURI: p.Cast.StatusURI, StatusIndex: index})
}

// RecordBadge logs that the badge was issued.
func (p *Play) RecordBadge(ctx context.Context, to *Actor, index int, from time.Time) error {
	_, err := p.file(ctx, p.Cast.Provider, visit.IssueBadge, Draft{Stream: visit.StreamPerson + "/" + to.ID, Type: registry.TypeBadgeIssued,
		Body: registry.BadgeIssued{Holder: to.ID, Key: to.Public().Thumbprint(), Badge: statement.Digest(p.Badge), StatusURI: p.Cast.StatusURI,
			StatusIndex: index, From: statement.At(from), Until: statement.At(from.Add(12 * time.Hour))}})
	return err
}

// RevokeBadge has the provider revoke it, in the list and as an event.
func (p *Play) RevokeBadge(ctx context.Context, of *Actor, index int) error {
	c := p.Cast
	_, err := p.file(ctx, c.Provider, visit.RevokeBadge, Draft{Stream: visit.StreamPerson + "/" + of.ID, Type: registry.TypeBadgeRevoked,
		Body: registry.BadgeRevoked{Holder: of.ID, StatusURI: c.StatusURI, StatusIndex: index, Reason: "left", From: statement.At(p.Now())}})
	if err != nil {
		return err
	}
	c.Statuses[index] = credential.Invalid
	return p.PublishStatus(ctx)
}

// Door is one door check as both sides carry it out; an attack changes a field.
type Door struct {
	Challenge  Challenge
	Holder     *Actor // who answers
	Badge      []byte
	Nonce      string // "" for the challenge's
	Order      string // "" for the play's
	SignedAt   time.Time
	Genuine    bool
	SameFace   bool
	Signer     *Actor // who signs as the merchant
	As         string // role the signer claims
	Position   string // of the merchant's page
	PhoneAt    string // of the technician's phone
	Replay     string // a presentation to show again, instead of a fresh one
	Mode       string
	Transcript *visit.Transcript // of a check without signal
	presented  string
	positions  []statement.Opening
}

// HonestDoor asks for a challenge and prepares the honest answer to it.
func (p *Play) HonestDoor(ctx context.Context) (*Door, error) {
	ch, err := p.Venue.Challenge(ctx, p.Cast.Merchant, p.ID, visit.PurposeDoor)
	if err != nil {
		return nil, err
	}
	return &Door{Challenge: ch, Holder: p.Cast.Technician, Badge: p.Badge, Genuine: true, SameFace: true, Signer: p.Cast.Merchant,
		Position: p.counter(), PhoneAt: p.counter(), Mode: "online", SignedAt: p.Now()}, nil
}

// SaysNo is a check of an honest badge that the merchant ends with "not the same person".
func (p *Play) SaysNo(ctx context.Context) (*Door, error) {
	d, err := p.HonestDoor(ctx)
	if err != nil {
		return nil, err
	}
	d.SameFace = false
	return d, p.Answer(ctx, d)
}

// Present makes the technician's answer.
func (d *Door) Present(p *Play) (string, error) {
	phone := Hide(evidence.KindPosition, d.PhoneAt)
	d.positions = append(d.positions, phone.Opening)
	if d.Replay != "" {
		d.presented = d.Replay
		return d.presented, nil
	}
	nonce, order := d.Nonce, d.Order
	if nonce == "" {
		nonce = d.Challenge.Nonce
	}
	if order == "" {
		order = p.Order.Order
	}
	out, err := credential.Present(d.Holder.Key, d.Badge, credential.Binding{Audience: evidence.DoorAudience(p.ID), Nonce: nonce, Order: order, Position: phone.Commitment, At: d.SignedAt})
	d.presented = string(out)
	return d.presented, err
}

// Answer has the technician answer and the merchant sign the verdict.
func (p *Play) Answer(ctx context.Context, d *Door) error {
	send, err := p.signs(d)
	if err != nil {
		return err
	}
	return send(ctx)
}

// signs is Answer on a phone that keeps what it signed until it has signal, and then sends it.
func (p *Play) signs(d *Door) (send func(context.Context) error, err error) {
	if _, err := d.Present(p); err != nil {
		return nil, err
	}
	page := Hide(evidence.KindPosition, d.Position)
	answers := d.Challenge.Digest
	if d.Transcript != nil {
		answers = d.Transcript.Dispatch
	}
	draft := Draft{Stream: p.VisitStream(), Type: visit.TypeAdmission, Answers: answers, As: d.As, At: p.Now(),
		Body: visit.Admission{Challenge: d.Challenge.Digest, Answer: statement.Digest([]byte(d.presented)), Presentation: d.presented,
			Genuine: d.Genuine, SameFace: d.SameFace, Mode: d.Mode, Position: page.Commitment, Offline: d.Transcript}}
	openings := append(d.positions, page.Opening)
	envelope := d.Signer.Forge(draft)
	return func(ctx context.Context) error {
		if err := p.Venue.File(ctx, d.Signer, Filing{Stream: draft.Stream, Verb: visit.Admit, Envelope: envelope, Openings: openings}); err != nil {
			return err
		}
		d.Signer.accept(draft.Stream, envelope)
		return nil
	}, nil
}

// counter is a position a few metres inside the shop.
func (p *Play) counter() string {
	shop, err := identifier.ParsePosition(p.Shop.Position)
	must(err)
	here, err := identifier.NewPosition(shop.Lat()+0.0001, shop.Lon()-0.0001)
	must(err)
	return here.String()
}

// CheckDoor is the honest door check.
func (p *Play) CheckDoor(ctx context.Context) error {
	d, err := p.HonestDoor(ctx)
	if err != nil {
		return err
	}
	if err := p.Answer(ctx, d); err != nil {
		return err
	}
	p.tell("店主 "+p.Cast.Merchant.ID, "用自己的手机核对了上门的人：工作证真、是同一张脸")
	return nil
}

// Arrive scans the parcel at the counter against the last notice.
func (p *Play) Arrive(ctx context.Context, n custody.Notice) error {
	sent := "" // by whom, when nobody has shipped anything yet
	if len(p.transfers) > 0 {
		sent = p.transfers[len(p.transfers)-1]
	}
	_, err := p.file(ctx, p.Cast.Technician, visit.RecordStep, Draft{Stream: p.VisitStream(), Type: custody.TypeArrival, Answers: sent,
		Body: custody.Arrival{Serial: p.Device.Serial, Notice: n, SealsIntact: true}})
	return err
}

// Step records one step; photos name what the page's camera took.
func (p *Play) Step(ctx context.Context, by *Actor, step string, photos ...visit.Photo) error {
	if photos == nil {
		photos = []visit.Photo{}
	}
	here := Hide(evidence.KindPosition, p.counter())
	_, err := p.file(ctx, by, visit.RecordStep, Draft{Stream: p.VisitStream(), Type: visit.TypeStep,
		Body: visit.Step{Visit: p.ID, Step: step, Done: true, Photos: photos, Position: here.Commitment}}, here.Opening)
	if err != nil {
		return err
	}
	return p.bring(ctx, by, photos)
}

// Work records the kind's ordinary steps.
func (p *Play) Work(ctx context.Context) error {
	for _, rule := range p.Cast.Parameters.StepsFor(p.Order.Kind) {
		by := p.Cast.Technician
		var photos []visit.Photo
		if rule.By == visit.RoleMerchant {
			by = p.Cast.Merchant
		}
		for range rule.Photos {
			photos = append(photos, p.Shot(rule.Step))
		}
		if err := p.Step(ctx, by, rule.Step, photos...); err != nil {
			return err
		}
	}
	return nil
}

// NothingToKeep is the merchant's word that there is no data to back up.
func (p *Play) NothingToKeep(ctx context.Context) error {
	_, err := p.file(ctx, p.Cast.Merchant, visit.BackUp, Draft{Stream: p.VisitStream(), Type: visit.TypeNothingToKeep, Body: visit.NothingToKeep{Visit: p.ID}})
	return err
}

// AttestDevice has the device answer a fresh nonce.
func (p *Play) AttestDevice(ctx context.Context) error {
	ch, err := p.Venue.Challenge(ctx, p.Cast.Technician, p.ID, visit.PurposeDevice)
	if err != nil {
		return err
	}
	if err := p.Venue.Attest(ctx, p.ID, p.Device, ch); err != nil {
		return err
	}
	p.tell("机具", "用出厂密钥回答了门神的随机数")
	return nil
}

// SignOff is the supervisor's answer.
func (p *Play) SignOff(ctx context.Context, mode string, satisfied bool) error {
	_, err := p.file(ctx, p.Cast.Supervisor, visit.SignOffVerb, Draft{Stream: p.VisitStream(), Type: visit.TypeSignOff, Body: visit.SignOff{Visit: p.ID, Mode: mode, Satisfied: satisfied}})
	return err
}

// Confirm is the merchant's answer at the end.
func (p *Play) Confirm(ctx context.Context, edit func(*visit.Confirmation)) error {
	body := visit.Confirmation{Visit: p.ID, Works: true, StaffShown: true, RefundsProtected: true, PaidNothingBeside: true}
	if edit != nil {
		edit(&body)
	}
	_, err := p.file(ctx, p.Cast.Merchant, visit.Confirm, Draft{Stream: p.VisitStream(), Type: visit.TypeConfirmation, Body: body})
	return err
}

// Freeze stops the visit.
func (p *Play) Freeze(ctx context.Context, by *Actor, reason string) error {
	_, err := p.file(ctx, by, visit.Freeze, Draft{Stream: p.VisitStream(), Type: visit.TypeBrake, Body: visit.Brake{Visit: p.ID, Reason: reason}})
	return err
}

// ReleasePermit has menshen call the host, while the device holds a session with it.
func (p *Play) ReleasePermit(ctx context.Context) (string, error) {
	if err := p.Host.OpenSession(ctx, p.Device); err != nil {
		return "", err
	}
	return p.Venue.Release(ctx, p.Cast.Technician, p.ID)
}

// FileReport files a report that the host signed.
func (p *Play) FileReport(ctx context.Context, envelope []byte) error {
	return p.Venue.File(ctx, p.Cast.Host, Filing{Stream: p.VisitStream(), Verb: visit.ReportAcceptance, Envelope: envelope})
}
