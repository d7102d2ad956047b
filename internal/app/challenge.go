package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// How long a nonce may be answered (design §7, §5).
const (
	doorNonceHolds   = 90 * time.Second
	deviceNonceHolds = 10 * time.Minute
)

var (
	errPurpose      = fault.New(fault.Invalid, "challenge_purpose_unknown", "没有这种核对。", "A challenge is for the door or for a device.")
	errDoorForOther = fault.New(fault.Forbidden, "door_challenge_not_merchant", "上门核对只能由店里发起。", "Only the shop can start a door check.")
)

// Issued is a challenge as its asker gets it.
type Issued struct {
	Statement string         `json:"statement"` // digest; what the answer answers
	Nonce     string         `json:"nonce"`
	Until     statement.Time `json:"until"`

	QR           string `json:"qr,omitempty"`            // of a door challenge: the text of its code
	SixDigits    string `json:"six_digits,omitempty"`    // of a door challenge, to read out
	ResultSecret string `json:"result_secret,omitempty"` // of a door challenge: fetches its result
}

// Challenge makes a nonce for a visit and records it.
func (a *App) Challenge(ctx context.Context, actor Actor, visitID, purpose string) (Issued, error) {
	holds := map[string]time.Duration{visit.PurposeDoor: doorNonceHolds, visit.PurposeDevice: deviceNonceHolds}[purpose]
	if holds == 0 {
		return Issued{}, errPurpose
	}
	if err := a.mayDo(ctx, actor, visitID, visit.ChallengeVerb); err != nil {
		return Issued{}, err
	}
	if purpose == visit.PurposeDoor && actor.Role != string(access.Merchant) && actor.Role != string(access.Clerk) {
		return Issued{}, errDoorForOther
	}
	if purpose == visit.PurposeDoor {
		if err := a.roomAtDoor(ctx, visitID); err != nil {
			return Issued{}, err
		}
	}
	var nonce [16]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return Issued{}, errNotReady.Because(err)
	}
	c := visit.Challenge{Visit: visitID, Purpose: purpose, Nonce: b64(nonce[:]), Until: statement.At(a.Now().Add(holds))}
	// The root pins the challenge to the log as it was; a log that nobody witnessed yet has none.
	if _, checkpoint, err := a.Log.Witnessed(ctx); err == nil {
		c.Root = statement.Digest(checkpoint)
	}
	in := Submission{Stream: visit.StreamVisit + "/" + visitID, Verb: visit.ChallengeVerb}
	out := Issued{Nonce: c.Nonce, Until: c.Until}
	if purpose == visit.PurposeDoor {
		in.beside = askedAtDoor(visitID, &out)
	}
	done, err := a.recordOwnWith(ctx, in, visit.TypeChallenge, "", c)
	if err != nil {
		return Issued{}, err
	}
	out.Statement = done.Statement
	return out, nil
}

// AttestDevice records a device's answer to a challenge. The platform signs that it came in; whether
// it is right is asked at every decision.
func (a *App) AttestDevice(ctx context.Context, actor Actor, visitID string, body attest.Attestation) (Accepted, error) {
	if err := body.Check(); err != nil {
		return Accepted{}, err
	}
	if err := a.mayDo(ctx, actor, visitID, visit.AttestDevice); err != nil {
		return Accepted{}, err
	}
	done, err := a.recordOwnAs(ctx, visit.StreamVisit+"/"+visitID, visit.AttestDevice, attest.TypeAttestation, body.Challenge, body)
	if fault.CodeOf(err) == errAttested.Code {
		return a.attestedBefore(ctx, visitID, body)
	}
	return done, err
}

// attestedBefore says where a device's answer was recorded: ours was lost, and it is sent again.
func (a *App) attestedBefore(ctx context.Context, visitID string, body attest.Attestation) (Accepted, error) {
	var done Accepted
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		known, err := tx.Refs(ctx, refAttested, attestedAs(visitID, body), 1)
		if err != nil || len(known) == 0 {
			return err
		}
		e, err := tx.EventByDigest(ctx, known[0])
		done = Accepted{Stream: e.Stream().String(), Number: e.Number, Event: e.Digest, Statement: e.StatementDigest, Known: true}
		return err
	})
	return done, err
}

func hashHex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
