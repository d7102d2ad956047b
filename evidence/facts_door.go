package evidence

import (
	"errors"
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/door"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Bounds of a transcript's own times.
const (
	answeredWithin = 90 * time.Second // how long a challenge may be answered
	signedWithin   = 10 * time.Minute // how long after the answer the merchant may have looked at the face and signed
	pageLeeway     = 5 * time.Second
)

var (
	errTranscriptTimes = fault.New(fault.Invalid, "offline_times_malformed", "没信号时的核对过程，时间写得不对。", "The transcript's times are malformed or out of order.")
	errDispatchOther   = fault.New(fault.Refused, "offline_other_dispatch", "没信号时核对用的不是最后一张派工单。", "The check without signal was made with another dispatch than the last.")
	errSignedApart     = fault.New(fault.Refused, "offline_signed_apart", "没信号时的核对，签字的时间和回答的时间对不上。", "The check without signal was signed before its answer, or long after it.")
	errFaceLate        = fault.New(fault.Refused, "door_signed_apart", "工作证核对以后隔了十多分钟，才签是不是同一个人。请再核对一次。", "The face was answered over ten minutes after the badge; check again.")
	errTrustAhead      = fault.New(fault.Refused, "offline_trust_list_unknown", "手机上的信任名单编号比最新的还大。", "The transcript names a newer trust list than there is.")
	errTrustSuperseded = fault.New(fault.Refused, "offline_trust_list_superseded", "手机上的信任名单早就有了更新的一期。", "A newer trust list had been published for over 24 hours when the check was made.")
)

// atDoor says whether the shop's own hand signed: the order's merchant, or a clerk whom that merchant
// let in. Who is sent to the shop is nobody's clerk.
func (b *builder) atDoor(h statement.Header) bool {
	if b.merchant().signed(h) {
		return true
	}
	m := b.merchant()
	return h.Role == visit.RoleClerk && h.Organisation == m.organisation && visit.ClerkOf(h.Signer) == m.holder && h.Signer != b.technician().holder
}

// lastDoor is the verdict at the door that counts: the last that the shop signed. A yes that waited on one phone for
// signal does not overtake a no that was said on another since; whoever wants in is checked again.
func (b *builder) lastDoor() (item, error) {
	var last *item
	err := error(errNoDoor)
	for _, it := range slices.Backward(b.inVisit(visit.TypeAdmission)) {
		switch {
		case !b.atDoor(it.claims.Header):
			err = errNotParty
		case last == nil:
			last = &it
		case !letsIn(it) && saidAt(it).After(saidAt(*last)):
			return it, nil
		}
	}
	if last == nil {
		return item{}, err
	}
	return *last, nil
}

// saidAt is when a verdict was signed; a signer's clock that is ahead of the server's gains nothing.
func saidAt(it item) time.Time {
	if signed := it.claims.Header.Time(); signed.Before(it.received) { // made without signal, or kept back by the server
		return signed
	}
	return it.received
}

// letsIn says whether a verdict lets somebody in by the shop's own word. What it cannot read lets nobody in.
func letsIn(it item) bool {
	var body visit.Admission
	return it.signed.Body(visit.TypeAdmission, &body) == nil && body.Genuine && body.SameFace
}

// asking is what an answer at the door must repeat, and when it was asked and came in.
type asking struct {
	nonce           string
	asked, answered time.Time
}

// presentation verifies badge and key binding against what was asked: by the server's challenge or, for
// a check without signal, by the page's own, whose transcript is judged here a second time.
func (b *builder) presentation(it item, body visit.Admission) (credential.Presentation, error) {
	var ask asking
	var err error
	if body.Offline != nil {
		ask, err = b.transcript(it, *body.Offline)
	} else {
		ask, err = b.challenged(it, body)
	}
	if err == nil && body.Answer != statement.Digest([]byte(body.Presentation)) {
		err = errAnswerDiffers
	}
	if err != nil {
		return credential.Presentation{}, err
	}
	return b.shownFor(body.Presentation, ask)
}

// shownFor verifies a presentation against what was asked of the one who was sent.
func (b *builder) shownFor(presentation string, ask asking) (credential.Presentation, error) {
	issuer := b.state.Dispatched().Issuer
	key, err := b.keys.trust.BadgeKey(issuer)
	if err != nil {
		return credential.Presentation{}, err
	}
	want := credential.Expectation{
		Issuer: key, IssuerID: issuer, Audience: DoorAudience(b.visitID), Nonce: ask.nonce,
		Order: b.order.Value.Order, AskedAt: ask.asked, AnsweredAt: ask.answered,
	}
	id := shown{presentation: presentation, issuer: issuer, key: key.Kind + " " + key.Thumbprint(), audience: want.Audience, nonce: want.Nonce,
		order: want.Order, asked: want.AskedAt, answered: want.AnsweredAt}
	return b.r.shown.Get(id, memoBound, func() (credential.Presentation, error) {
		return b.r.badges.VerifyPresentation([]byte(presentation), want)
	})
}

func (b *builder) challenged(it item, body visit.Admission) (asking, error) {
	challenge, ok := b.state.Challenge(body.Challenge)
	switch {
	case !ok || it.claims.Header.Answers != body.Challenge:
		return asking{}, errChallengeNone
	case challenge.Body.Purpose != visit.PurposeDoor:
		return asking{}, errChallengeUse
	case it.claims.Header.Time().Sub(challenge.Event.ReceivedAt) > answeredWithin+signedWithin:
		return asking{}, errFaceLate
	}
	return asking{nonce: challenge.Body.Nonce, asked: challenge.Event.ReceivedAt, answered: it.received}, nil
}

// transcript judges a check without signal again. The page's clock made its times; what holds them is
// that the merchant signed after the answer, soon, and before the statement came in (checkSigner).
func (b *builder) transcript(it item, t visit.Transcript) (asking, error) {
	made, errM := t.MadeAt.Parse()
	answered, errA := t.AnsweredAt.Parse()
	fetched, errF := t.TrustListAt.Parse()
	issued, errS := t.StatusListAt.Parse()
	signed := it.claims.Header.Time()
	switch {
	case errM != nil || errA != nil || errF != nil || errS != nil || answered.Before(made):
		return asking{}, errTranscriptTimes
	case signed.Before(answered.Add(-pageLeeway)) || signed.Sub(answered) > signedWithin:
		return asking{}, errSignedApart
	case t.Dispatch != b.lastDispatch() || it.claims.Header.Answers != t.Dispatch:
		return asking{}, errDispatchOther
	}
	if err := errors.Join(door.InTime(made, answered), door.NonceOK(t.Nonce)); err != nil {
		return asking{}, err
	}
	if err := (door.Lists{TrustFetched: fetched, StatusIssued: issued}).InDate(made); err != nil {
		return asking{}, err
	}
	return asking{nonce: t.Nonce, asked: made, answered: answered}, b.trustKnown(t.TrustList, made)
}

func (b *builder) lastDispatch() string {
	sent := b.inVisit(visit.TypeDispatch)
	if len(sent) == 0 {
		return ""
	}
	return sent[len(sent)-1].signed.Digest()
}

// trustKnown holds the number of the trust list that a page had to those that are here: a newer one must
// not have been out for longer than lists hold. When the page fetched its own is only its word.
func (b *builder) trustKnown(number int, made time.Time) error {
	if number > b.keys.trust.Number() {
		return errTrustAhead
	}
	for _, it := range b.of("", credential.TypeTrustList) {
		var list credential.TrustList
		_ = it.signed.Body(credential.TypeTrustList, &list) // the keyring has read every one
		if list.Number > number && made.Sub(it.received) > door.ListsHold {
			return errTrustSuperseded
		}
	}
	return nil
}
