package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// A merchant's or clerk's phone signs in with the key that it signs with, since it has no other: over a
// challenge under a payload type of its own, so that the answer is no statement and no statement an answer.

// PhoneHolds is how long an enrolled phone of a merchant or clerk stays signed in. Ending its key signs it
// out; its owner can too.
const PhoneHolds = 90 * 24 * time.Hour

// PhoneAnswerType is the payload type under which a phone answers (DSSE's PAE).
const PhoneAnswerType = "application/vnd.menshen.phone-session+json"

const (
	purposePhone     = "phone_session"
	phoneNonceHolds  = 2 * time.Minute
	phoneNonceLength = 32
)

// errPhoneKey says the same whatever is wrong, so that nobody learns which keys there are.
var errPhoneKey = fault.New(fault.Refused, "phone_key_unknown", "这部手机的密钥不能用了，要重新开通。", "This phone's key does not count (any more); set it up again.")

// PhoneAnswer is what a phone signs to sign in, in this order of members.
type PhoneAnswer struct {
	Challenge    string `json:"challenge"` // base64url
	Holder       string `json:"holder"`
	Organisation string `json:"organisation"`
	Role         string `json:"role"`
	Key          string `json:"key"` // thumbprint
}

// ChallengePhone makes a challenge for any phone. It names nobody and looks nobody up.
func (a *App) ChallengePhone(ctx context.Context) (challenge string, until time.Time, err error) {
	var raw [phoneNonceLength]byte
	rand.Read(raw[:]) // never fails (Go 1.24)
	challenge, now := base64.RawURLEncoding.EncodeToString(raw[:]), a.Now()
	until = now.Add(phoneNonceHolds)
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		return tx.AddChallenge(ctx, store.Challenge{NonceHash: hashHex(purposePhone + challenge), Purpose: purposePhone, IssuedAt: store.At(now), ExpiresAt: store.At(until)})
	})
	return challenge, until, err
}

// SignPhoneIn begins a session for a phone whose enrolled key answered a challenge. Each challenge counts
// once, right or wrong. Faults: phone_key_unknown.
func (a *App) SignPhoneIn(ctx context.Context, answer PhoneAnswer, sig []byte) (secret string, until time.Time, err error) {
	payload, err := statement.Canonical(answer)
	if err != nil {
		return "", time.Time{}, err
	}
	who := Actor{Person: answer.Holder, Organisation: answer.Organisation, Role: answer.Role}
	if !slices.Contains([]string{visit.RoleMerchant, string(access.Clerk)}, who.Role) {
		return "", time.Time{}, errPhoneKey
	}
	burnt := a.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.BurnChallenge(ctx, hashHex(purposePhone+answer.Challenge), "phone "+answer.Key, a.Now())
		return err
	})
	if burnt != nil {
		if slices.Contains([]fault.Kind{fault.Unavailable, fault.Internal}, fault.KindOf(burnt)) {
			return "", time.Time{}, burnt
		}
		return "", time.Time{}, errPhoneKey.Because(burnt)
	}
	var key statement.Key
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		key, err = a.keyInForce(ctx, tx, who, answer.Key)
		return err
	})
	if err != nil {
		return "", time.Time{}, err
	}
	if err := key.Proves(PhoneAnswerType, payload, sig); err != nil {
		return "", time.Time{}, errPhoneKey.Because(err)
	}
	return a.phoneSession(ctx, who, answer.Key)
}

// keyInForce gives a person's key by its thumbprint, if somebody vouches for it now: every enrolment and end
// that is recorded was proven as it came in. Faults: phone_key_unknown.
func (a *App) keyInForce(ctx context.Context, tx *store.Tx, who Actor, thumb string) (statement.Key, error) {
	list, err := vouchersOf(ctx, tx, thumb)
	if err != nil {
		return statement.Key{}, err
	}
	for _, v := range list {
		e := v.body
		if e.Holder != who.Person || e.Organisation != who.Organisation || e.Role != who.Role || e.InForce(a.Now()) != nil {
			continue
		}
		ended, err := a.endedNow(ctx, tx, thumb, v)
		if err != nil {
			return statement.Key{}, err
		}
		if ended {
			return statement.Key{}, errPhoneKey
		}
		if v.by.Role != visit.RoleMerchant {
			return e.Key, nil
		}
		// A clerk goes with the merchant's own key.
		_, err = a.keyInForce(ctx, tx, Actor{Person: v.by.Signer, Organisation: v.by.Organisation, Role: visit.RoleMerchant}, v.by.Key)
		return e.Key, err
	}
	return statement.Key{}, errPhoneKey
}

// voucher is a recorded enrolment, and whose word it is.
type voucher struct {
	by   statement.Header
	body statement.Enrolment
}

// mayEnd says whether a key is for whoever signs to end: the organisation's that vouched for it, or a
// merchant's whose clerk holds it.
func (v voucher) mayEnd(by statement.Header) bool {
	if by.Role == visit.RoleMerchant {
		return v.body.Role == visit.RoleClerk && visit.ClerkOf(v.body.Holder) == by.Signer && v.body.Organisation == by.Organisation
	}
	return by.Organisation == v.body.Organisation && v.by.Role != visit.RoleMerchant
}

func vouchersOf(ctx context.Context, tx *store.Tx, thumb string) ([]voucher, error) {
	claims, err := claimsOf(ctx, tx, refKey, thumb)
	if err != nil {
		return nil, err
	}
	var out []voucher
	for _, c := range claims {
		v := voucher{by: c.Header}
		if err := c.UntrustedBody(&v.body); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (a *App) endedNow(ctx context.Context, tx *store.Tx, thumb string, v voucher) (bool, error) {
	ended, _, err := a.endOf(ctx, tx, thumb, v)
	return ended, err
}

// endOf says whether an end of a key counts now, and since when.
func (a *App) endOf(ctx context.Context, tx *store.Tx, thumb string, v voucher) (ended bool, since time.Time, err error) {
	claims, err := claimsOf(ctx, tx, refKeyEnd, thumb)
	if err != nil {
		return false, time.Time{}, err
	}
	for _, c := range claims {
		var e statement.EnrolmentEnd
		if err := c.UntrustedBody(&e); err != nil {
			return false, time.Time{}, err
		}
		from, err := e.From.Parse()
		if err != nil {
			return false, time.Time{}, err
		}
		if v.mayEnd(c.Header) && !a.Now().Before(from) {
			return true, from, nil
		}
	}
	return false, time.Time{}, nil
}

// claimsOf reads the few recorded statements that a reference leads to, the newest first.
func claimsOf(ctx context.Context, tx *store.Tx, kind, ref string) ([]statement.Claims, error) {
	digests, err := tx.Refs(ctx, kind, ref, 4)
	if err != nil {
		return nil, err
	}
	out := make([]statement.Claims, 0, len(digests))
	for _, d := range digests {
		c, err := eventClaims(ctx, tx, d)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// clerkEnrolments reads what a merchant signed about clerks in his own stream, in order.
func (a *App) clerkEnrolments(ctx context.Context, tx *store.Tx, merchant string) ([]statement.Enrolment, error) {
	claims, err := a.gather(ctx, tx).stream(visit.StreamPerson, merchant)
	if err != nil {
		return nil, err
	}
	var out []statement.Enrolment
	for _, c := range claims {
		if c.Type != statement.TypeEnrolment {
			continue
		}
		var e statement.Enrolment
		if err := c.UntrustedBody(&e); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// phoneLabel marks the sessions of one phone, so that they end with its key.
func phoneLabel(thumb string) string { return "phone " + thumb }

// phoneSession signs the phone in that has just shown its key.
func (a *App) phoneSession(ctx context.Context, who Actor, thumb string) (secret string, until time.Time, err error) {
	until = a.Now().Add(PhoneHolds)
	_, secret, err = a.IssueToken(ctx, TokenGrant{Kind: store.TokenSession, Person: who.Person, Organisation: who.Organisation, Role: who.Role,
		Label: phoneLabel(thumb), Until: until, Phone: true})
	return secret, until, err
}

// endPhone signs the phone out whose key ended, and the clerks' whom that key let in. Only who may end the key
// ends its sessions; another's word ends nothing.
func (w *writing) endPhone(ctx context.Context, tx *store.Tx, thumb string) error {
	vouchers, err := vouchersOf(ctx, tx, thumb)
	if err != nil {
		return err
	}
	for _, v := range vouchers {
		if !v.mayEnd(w.claims.Header) {
			continue
		}
		if err := w.signOut(ctx, tx, v.body.Holder, phoneLabel(thumb)); err != nil {
			return err
		}
		if v.body.Role != visit.RoleMerchant {
			continue
		}
		clerks, err := w.app.clerkEnrolments(ctx, tx, v.body.Holder)
		if err != nil {
			return err
		}
		for _, e := range clerks {
			if err := w.signOut(ctx, tx, e.Holder, phoneLabel(e.Key.Thumbprint())); err != nil {
				return err
			}
		}
	}
	return nil
}

// countsAsEnd says whether an end is worth finding again. A merchant's word about a key that is no clerk's
// of his ends nothing; were it listed, a few of them would hide the end that counts.
func (w *writing) countsAsEnd(ctx context.Context, tx *store.Tx, thumb string) (bool, error) {
	if w.claims.Header.Role != visit.RoleMerchant {
		return true, nil
	}
	vouchers, err := vouchersOf(ctx, tx, thumb)
	return slices.ContainsFunc(vouchers, func(v voucher) bool { return v.mayEnd(w.claims.Header) }), err
}

func (w *writing) signOut(ctx context.Context, tx *store.Tx, person, label string) error {
	tokens, err := tx.TokensOfPerson(ctx, person)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if t.Label == label {
			if err := tx.RevokeToken(ctx, t.ID, w.now); err != nil {
				return err
			}
		}
	}
	return nil
}
