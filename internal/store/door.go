package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

var (
	errDoorUnknown = fault.New(fault.NotFound, "door_challenge_unknown", "没有这个核对码，或者它被改过。", "There is no such challenge, or its text was changed.")
	errDoorUsed    = fault.New(fault.Conflict, "door_challenge_used", "这个核对码已经用过了，请店家重新出一个码。", "This challenge was used; ask the shop for a new code.")
	errDoorExpired = fault.New(fault.Refused, "door_challenge_expired", "这个核对码过了九十秒，请店家重新出一个码。", "This challenge is over 90 seconds old; ask the shop for a new code.")
)

// AddDoorCheck keeps what a merchant's page asked. Fault: record_exists.
func (t *Tx) AddDoorCheck(ctx context.Context, c DoorCheck) error {
	n, err := t.q.insertDoorCheck(ctx, insertDoorCheckParams{NonceHash: c.NonceHash, Statement: c.Statement, Visit: c.Visit, SecretHash: c.SecretHash,
		AskedAt: c.AskedAt, ExpiresAt: c.ExpiresAt})
	if err == nil && n != 1 {
		return errExists.At("door check")
	}
	return t.sealed(ctx, t.wrap(err, "door check"), "door_checks", "nonce_hash", c.NonceHash)
}

// DoorCheck finds a check by its nonce. Fault: door_challenge_unknown.
func (t *Tx) DoorCheck(ctx context.Context, nonceHash string) (DoorCheck, error) {
	c, err := t.q.doorCheck(ctx, nonceHash)
	return c, t.doorFault(err)
}

// DoorCheckBy finds a check by the digest of its challenge statement. Fault: door_challenge_unknown.
func (t *Tx) DoorCheckBy(ctx context.Context, statement string) (DoorCheck, error) {
	c, err := t.q.doorCheckByStatement(ctx, statement)
	return c, t.doorFault(err)
}

// LastDoorCheck finds a visit's last check. Fault: door_challenge_unknown.
func (t *Tx) LastDoorCheck(ctx context.Context, visit string) (DoorCheck, error) {
	c, err := t.q.lastDoorCheck(ctx, visit)
	return c, t.doorFault(err)
}

func (t *Tx) doorFault(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errDoorUnknown
	}
	return t.wrap(err, "door")
}

// DoorChecksSince counts a visit's checks after a time.
func (t *Tx) DoorChecksSince(ctx context.Context, visit string, since time.Time) (int, error) {
	n, err := t.q.countDoorChecks(ctx, visit, At(since))
	return int(n), t.wrap(err, "door")
}

// SpeakDoorCheck notes that the six digits of a check were tried, which happens once; wrong ones burn
// it. Faults: door_challenge_used, and those of open.
func (t *Tx) SpeakDoorCheck(ctx context.Context, c DoorCheck, right bool, now time.Time) error {
	n, err := t.q.speakDoorCheck(ctx, c.NonceHash, At(now), !right)
	if err == nil && n != 1 {
		return errDoorUsed
	}
	return t.sealed(ctx, t.wrap(err, "door"), "door_checks", "nonce_hash", c.NonceHash)
}

// AddDoorVerdict stores the verdict on an answer and burns the nonce by it, exactly once. Faults:
// door_challenge_unknown, door_challenge_used, door_challenge_expired (at ExpiresAt itself already).
func (t *Tx) AddDoorVerdict(ctx context.Context, v DoorVerdict) error {
	c, err := t.DoorCheck(ctx, v.NonceHash)
	switch {
	case err != nil:
		return err
	case c.Burnt:
		return errDoorUsed
	case v.AnsweredAt >= c.ExpiresAt:
		return errDoorExpired
	}
	n, err := t.q.insertDoorVerdict(ctx, insertDoorVerdictParams(v))
	if err == nil && n != 1 {
		return errDoorUsed
	}
	return t.sealed(ctx, t.wrap(err, "door"), "door_verdicts", "nonce_hash", v.NonceHash)
}

// DoorVerdict finds the verdict on a check; false while nobody answered.
func (t *Tx) DoorVerdict(ctx context.Context, nonceHash string) (DoorVerdict, bool, error) {
	v, err := t.q.doorVerdict(ctx, nonceHash)
	if errors.Is(err, sql.ErrNoRows) {
		return DoorVerdict{}, false, nil
	}
	return v, err == nil, t.wrap(err, "door")
}

// PutDoorSecret notes where a visit's order secret lies in the vault, in place of the one before.
func (t *Tx) PutDoorSecret(ctx context.Context, s DoorSecret) error {
	return t.sealed(ctx, t.wrap(t.q.putDoorSecret(ctx, putDoorSecretParams(s)), "door"), "door_secrets", "visit", s.Visit)
}

// DoorSecret finds where a visit's order secret lies; false before anybody was sent.
func (t *Tx) DoorSecret(ctx context.Context, visit string) (DoorSecret, bool, error) {
	s, err := t.q.doorSecret(ctx, visit)
	if errors.Is(err, sql.ErrNoRows) {
		return DoorSecret{}, false, nil
	}
	return s, err == nil, t.wrap(err, "door")
}

// ForgetDoorChecks removes checks that expired before a time, and verdicts and scans from before it.
func (t *Tx) ForgetDoorChecks(ctx context.Context, before time.Time) (int, error) {
	checks, err := t.q.deleteDoorChecks(ctx, At(before))
	if err == nil {
		err = t.q.deleteSealsOfDoorChecks(ctx)
	}
	if err != nil {
		return 0, t.wrap(err, "door")
	}
	verdicts, err := t.q.deleteDoorVerdicts(ctx, At(before))
	if err == nil {
		err = t.q.deleteSealsOfDoorVerdicts(ctx)
	}
	if err != nil {
		return 0, t.wrap(err, "door")
	}
	scans, err := t.q.deleteDoorScans(ctx, At(before))
	if err == nil {
		err = t.q.deleteSealsOfDoorScans(ctx)
	}
	return int(checks + verdicts + scans), t.wrap(err, "door")
}
