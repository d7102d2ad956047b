package app

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"math"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/door"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

// Bounds of the door check.
const (
	doorChecksWithin = 10 * time.Minute
	maxDoorChecks    = 30 // of one visit, in that time: each is an event of its stream
	maxDoorWait      = 25 * time.Second
	doorLooksEvery   = time.Second // another node may have stored the verdict
)

var (
	errDoorTooMany  = fault.New(fault.TooMany, "door_too_many", "出的核对码太多了，请过几分钟再试。", "Too many challenges for this visit; try again in a few minutes.")
	errDoorAssigned = fault.New(fault.Forbidden, "door_not_assigned", "这一单没有派给您。", "This visit is not assigned to you.")
	errDoorUnknown  = fault.New(fault.NotFound, "door_challenge_unknown", "没有这个核对码，或者它被改过。", "There is no such challenge, or its text was changed.")
	errDoorDigits   = fault.New(fault.Refused, "door_digits_wrong", "六位数字不对，这个码作废了，请店家重新出一个。", "The six digits are wrong and the challenge is burnt; ask the shop for a new one.")
	errDoorSecret   = fault.New(fault.Forbidden, "door_result_secret", "只有发起核对的那台手机能看结果。", "Only the phone that asked may read the result.")
	errDoorOpening  = fault.New(fault.Invalid, "opening_stray", "附上的原文不属于这份文件里的任何承诺。", "An opening fits no commitment of this statement.")
)

// askedAtDoor keeps what a merchant's page needs beside a door challenge, in the event's own transaction: the text
// of its code, and a secret with which only this page fetches the result. It fills in what the page gets.
func askedAtDoor(visitID string, out *Issued) func(ctx context.Context, tx *store.Tx, e store.Event) error {
	var secret [16]byte
	_, _ = rand.Read(secret[:]) // never fails, says its documentation
	out.ResultSecret, out.SixDigits = base64.RawURLEncoding.EncodeToString(secret[:]), door.SixDigits(visitID, out.Nonce)
	return func(ctx context.Context, tx *store.Tx, e store.Event) error {
		out.QR = door.Challenge{Visit: visitID, Nonce: out.Nonce, Asked: e.ReceivedAt.Time().Truncate(time.Second)}.Text()
		return tx.AddDoorCheck(ctx, store.DoorCheck{NonceHash: hashHex(out.Nonce), Statement: e.StatementDigest, Visit: visitID, SecretHash: hashHex(out.ResultSecret),
			AskedAt: e.ReceivedAt, ExpiresAt: store.At(e.ReceivedAt.Time().Add(doorNonceHolds))})
	}
}

// roomAtDoor bounds how many challenges a visit's page makes.
func (a *App) roomAtDoor(ctx context.Context, visitID string) error {
	return a.Store.Read(ctx, func(tx *store.Tx) error {
		n, err := tx.DoorChecksSince(ctx, visitID, a.Now().Add(-doorChecksWithin))
		if err == nil && n >= maxDoorChecks {
			err = errDoorTooMany
		}
		return err
	})
}

// DoorAnswer is what a technician's app posts.
type DoorAnswer struct {
	QR           string             // the challenge's text
	Presentation string             // badge and key binding; empty where the app finds that the order is none of its holder's
	Opening      *statement.Opening // of the position that the key binding commits to; nil where the phone gives none
}

// DoorAnswered is what the app is told.
type DoorAnswered struct {
	Visit   string
	Genuine bool
	Code    string // why not, "" when genuine
	Digits  string // two, to compare with the merchant's screen
}

// AnswerDoor judges an answer to a door challenge and stores the verdict. The first answer that is
// stored is the only one, whatever it says; one by somebody who was not sent is not stored, and warns. An answer that was given without signal is judged with the
// merchant's statement; here it only opens the position that it commits to: see openAnswer. Faults: challenge_text_*, door_challenge_unknown,
// door_not_assigned, door_yours, door_challenge_used, door_challenge_expired.
func (a *App) AnswerDoor(ctx context.Context, actor Actor, in DoorAnswer) (DoorAnswered, error) {
	c, err := door.Parse(in.QR)
	if err != nil {
		return DoorAnswered{}, err
	}
	if c.Offline() {
		return a.openAnswer(ctx, actor, c, in)
	}
	check, s, err := a.doorOf(ctx, actor, c)
	if err == nil && in.Presentation == "" {
		err = errDoorYours
	}
	if err != nil {
		return DoorAnswered{}, err
	}
	now := a.Now()
	dossier, err := a.settled(ctx, c.Visit, false)
	if err != nil {
		return DoorAnswered{}, err
	}
	verdict := a.reader.Door(dossier, evidence.DoorAnswer{Challenge: check.Statement, Presentation: in.Presentation, AnsweredAt: now})
	row := store.DoorVerdict{NonceHash: check.NonceHash, Visit: c.Visit, Technician: actor.Person, Answer: statement.Digest([]byte(in.Presentation)),
		Presentation: in.Presentation, Code: fault.CodeOf(verdict.Err()), Metres: -1, ListAgeSeconds: -1, AnsweredAt: store.At(now)}
	if f := fault.Of(verdict.Err()); f != nil {
		row.ReasonZh, row.ReasonEn = f.Text.Zh, f.Text.En
	}
	if at := verdict.ListAt(); !at.IsZero() {
		row.ListAgeSeconds = int64(now.Sub(at) / time.Second)
	}
	err = a.Store.Write(ctx, func(tx *store.Tx) error { return a.storeVerdict(ctx, tx, row, s.order, verdict, in.Opening) })
	if err != nil {
		return DoorAnswered{}, err
	}
	a.doors.tell()
	return DoorAnswered{Visit: c.Visit, Genuine: verdict.Err() == nil, Code: row.Code, Digits: door.TwoDigits(c.Nonce, row.Answer)}, nil
}

// doorOf finds the check that a challenge's text is of, if it may be answered by this actor.
func (a *App) doorOf(ctx context.Context, actor Actor, c door.Challenge) (store.DoorCheck, cachedState, error) {
	var check store.DoorCheck
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		var err error
		check, err = tx.DoorCheck(ctx, hashHex(c.Nonce))
		return err
	})
	if err != nil {
		return check, cachedState{}, err
	}
	if c.Offline() || check.Visit != c.Visit || !check.AskedAt.Time().Truncate(time.Second).Equal(c.Asked) {
		return check, cachedState{}, errDoorUnknown
	}
	s, err := a.assignedTo(ctx, actor, c.Visit)
	if fault.CodeOf(err) == errDoorAssigned.Code {
		if noted := a.notSent(ctx, actor, c, s); noted != nil {
			err = noted
		}
	}
	return check, s, err
}

func (a *App) assignedTo(ctx context.Context, actor Actor, visitID string) (cachedState, error) {
	s, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return s, err
	}
	rel := Relation(actor, s.order, s.state.Dispatched())
	if access.Decide(access.Role(actor.Role), access.AnswerDoor, rel) != access.Allow {
		return s, errDoorAssigned
	}
	return s, nil
}

// storeVerdict burns the nonce by storing the verdict, with how far the phone says it is from the shop.
func (a *App) storeVerdict(ctx context.Context, tx *store.Tx, row store.DoorVerdict, o visit.Order, v evidence.DoorVerdict, opening *statement.Opening) error {
	if opening != nil && v.Position() != "" {
		commitment, err := opening.Commitment()
		if err != nil {
			return err
		}
		if commitment != v.Position() || opening.Kind != evidence.KindPosition {
			return errDoorOpening
		}
		if _, err := a.Vault.Put(ctx, tx, row.Technician, *opening, vault.Tag{Purposes: []string{purposePlace}}, a.Now()); err != nil {
			return err
		}
		if row.Metres, err = a.metresTo(ctx, tx, o, opening.Value); err != nil {
			return err
		}
	}
	return tx.AddDoorVerdict(ctx, row)
}

// metresTo is how far a position is from the order's shop, -1 where either is not known.
func (a *App) metresTo(ctx context.Context, tx *store.Tx, o visit.Order, value string) (int64, error) {
	here, err := identifier.ParsePosition(value)
	if err != nil {
		return -1, nil // a phone without a reading says so; the gate asks for one that counts
	}
	got, err := a.Vault.GetByCommitments(ctx, tx, []string{o.Position}, vault.Look{Who: a.Operator, Purpose: purposePlace, At: a.Now()})
	if err != nil {
		return -1, err
	}
	shop, err := identifier.ParsePosition(got.Open[o.Position].Value)
	if err != nil {
		return -1, nil
	}
	return int64(math.Ceil(shop.MetresTo(here))), nil
}

// SpokenDoor gives the assigned technician the challenge whose six digits the merchant read out, as if
// the camera had read it. One try: wrong digits burn the challenge. Faults: door_not_assigned,
// door_challenge_unknown, door_challenge_used, door_challenge_expired, door_digits_wrong.
func (a *App) SpokenDoor(ctx context.Context, actor Actor, visitID, digits string) (string, error) {
	if err := a.maySee(ctx, actor, visitID, access.ReadVisit); err != nil {
		return "", err
	}
	s, err := a.assignedTo(ctx, actor, visitID)
	if err != nil {
		return "", err
	}
	text, right := "", false
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		check, err := tx.LastDoorCheck(ctx, visitID)
		if err != nil {
			return err
		}
		asked, ok := s.state.Challenge(check.Statement)
		switch {
		case !ok:
			return errDoorUnknown
		case store.At(a.Now()) >= check.ExpiresAt:
			return errDoorExpired
		}
		right = subtle.ConstantTimeCompare([]byte(door.SixDigits(visitID, asked.Body.Nonce)), []byte(digits)) == 1
		text = door.Challenge{Visit: visitID, Nonce: asked.Body.Nonce, Asked: check.AskedAt.Time().Truncate(time.Second)}.Text()
		return tx.SpeakDoorCheck(ctx, check, right, a.Now())
	})
	if err == nil && !right {
		err = errDoorDigits
	}
	if err != nil {
		return "", err
	}
	return text, nil
}

var errDoorExpired = fault.New(fault.Refused, "door_challenge_expired", "这个核对码过了九十秒，请店家重新出一个码。", "This challenge is over 90 seconds old; ask the shop for a new code.")

// DoorResult is a check as the merchant's page shows it. Verdict is "waiting" until somebody answered.
type DoorResult struct {
	Verdict        string
	Scans          int // while waiting: how many scanned the code who were not sent; Code, Reason and Company are then of the last
	Code           string
	Reason         fault.Text
	Name           string
	Photo          string // base64
	PhotoType      string
	Company        string
	Job            string // the order's kind
	Metres         int64  // -1 where not known
	Digits         string
	Grade          string
	ListAgeSeconds int64 // -1 where no list was asked
	Presentation   string
	Answer         string
}

// Verdicts of a door check.
const (
	DoorWaiting = "waiting"
	DoorGenuine = "genuine"
	DoorRefused = "refused"
)

// Door waits up to 25 seconds for the verdict on a challenge that this phone asked for, or for more scans by
// people who were not sent than the page has seen. What it shows
// of the technician comes out of the vault, and is recorded there.
func (a *App) Door(ctx context.Context, actor Actor, visitID, challenge, secret string, seen int, wait time.Duration) (DoorResult, error) {
	if err := a.maySee(ctx, actor, visitID, access.ReadDoor); err != nil {
		return DoorResult{}, err
	}
	check, err := a.checkOf(ctx, visitID, challenge, secret)
	if err != nil {
		return DoorResult{}, err
	}
	wait = min(max(wait, 0), maxDoorWait)
	leave, err := a.waits.enter(actor, wait)
	if err != nil {
		return DoorResult{}, err
	}
	defer leave()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		next := a.doors.wait()
		v, there, scans, err := a.verdictOn(ctx, check)
		switch {
		case err != nil:
			return DoorResult{}, err
		case there:
			return a.doorResult(ctx, actor, check, v)
		case len(scans) > seen:
			return a.warned(ctx, scans)
		}
		look := time.NewTimer(doorLooksEvery)
		select {
		case <-timer.C:
			look.Stop()
			return a.warned(ctx, scans)
		case <-ctx.Done():
			look.Stop()
			return DoorResult{}, ctx.Err()
		case <-next:
			look.Stop()
		case <-look.C:
		}
	}
}

func (a *App) checkOf(ctx context.Context, visitID, challenge, secret string) (store.DoorCheck, error) {
	var check store.DoorCheck
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		var err error
		check, err = tx.DoorCheckBy(ctx, challenge)
		return err
	})
	switch {
	case err != nil:
		return check, err
	case check.Visit != visitID:
		return check, errDoorUnknown
	case subtle.ConstantTimeCompare([]byte(check.SecretHash), []byte(hashHex(secret))) != 1:
		return check, errDoorSecret
	}
	return check, nil
}

func (a *App) verdictOn(ctx context.Context, check store.DoorCheck) (v store.DoorVerdict, there bool, scans []store.DoorScan, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		if v, there, err = tx.DoorVerdict(ctx, check.NonceHash); there || err != nil {
			return err
		}
		scans, err = tx.DoorScans(ctx, check.NonceHash)
		return err
	})
	return v, there, scans, err
}

func (a *App) doorResult(ctx context.Context, actor Actor, check store.DoorCheck, v store.DoorVerdict) (DoorResult, error) {
	s, err := a.visitStanding(ctx, check.Visit)
	if err != nil {
		return DoorResult{}, err
	}
	out := DoorResult{Verdict: DoorGenuine, Code: v.Code, Job: s.order.Kind, Metres: v.Metres, ListAgeSeconds: v.ListAgeSeconds, Grade: door.Confirmed,
		Presentation: v.Presentation, Answer: v.Answer}
	if asked, ok := s.state.Challenge(check.Statement); ok {
		out.Digits = door.TwoDigits(asked.Body.Nonce, v.Answer)
	}
	if v.Code != "" {
		out.Verdict, out.Grade, out.Reason = DoorRefused, door.Refused, fault.Text{Zh: v.ReasonZh, En: v.ReasonEn}
		return out, nil
	}
	out.Company, err = a.companyOf(ctx, s.state.Dispatched().Issuer)
	if err == nil {
		err = a.likeness(ctx, actor, s.state.Dispatched(), &out)
	}
	return out, err
}

// incidentDoor is the kind of matter that a second judgement opens.
const incidentDoor = "door"

// secondLook judges a check without signal again as soon as it comes in. Where the page found somebody
// genuine whom the lists of now do not admit, somebody stands in a shop who should not: the visit stops
// until the acquirer's risk desk has looked (design §4: a contradiction goes to a person).
func (a *App) secondLook(ctx context.Context, claims statement.Claims) error {
	var body visit.Admission
	if err := claims.UntrustedBody(&body); err != nil {
		return err
	}
	if body.Offline == nil || !body.Genuine || !body.SameFace {
		return nil
	}
	_, visitID, err := record.SplitStream(claims.Subject)
	if err != nil {
		return err
	}
	d, err := a.settled(ctx, visitID, false)
	if err != nil {
		return err
	}
	r := a.reader.Preview(d, visit.AskAdmit, a.Now().Truncate(time.Second))
	if r.Refusal != nil {
		return nil // nothing is judged now; every ask says why, and will judge this again
	}
	if c, ok := r.Condition(gate.TechnicianAdmitted); !ok || c.Verdict == string(gate.Holds) || r.State().Frozen() {
		return nil
	}
	_, err = a.recordOwnAs(ctx, claims.Subject, visit.ReportIncident, visit.TypeIncident, claims.Digest(), visit.Incident{Visit: visitID, Kind: incidentDoor})
	return err
}
