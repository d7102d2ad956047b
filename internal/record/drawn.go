package record

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

// drawDomain keeps the draw apart from every other hash.
const drawDomain = "menshen-audit-v1"

// drawOf is what a rate is given in: so many of a thousand visits.
const drawOf = 1000

var (
	errDrawWitness = fault.New(fault.Refused, "audit_witness_absent", "检查点上没有抽查所用的那个见证方的签名。", "The checkpoint lacks the cosignature of the witness that draws audits.")
	errDrawEarly   = fault.New(fault.Refused, "audit_checkpoint_early", "这个检查点早于上门结束后的第一个零点（UTC）。", "The checkpoint was cosigned before the first midnight UTC after the visit closed.")
)

// Draw says which visits are audited, by one witness's cosignature that nobody could know before it
// was made: Ed25519 signs a time and a tree that did not exist yet, and signs it in one way only.
type Draw struct {
	cosignature Cosignature
	digest      string
	ok          bool
}

// OK is false for the zero value, which draws every visit.
func (d Draw) OK() bool { return d.ok }

// At is when the witness cosigned, by its own clock.
func (d Draw) At() time.Time { return d.cosignature.Time }

// Party is the witness's.
func (d Draw) Party() string { return d.cosignature.Party }

// Digest is the hex SHA-256 of the checkpoint's bytes.
func (d Draw) Digest() string { return d.digest }

// VerifyDraw reads a checkpoint as its witness gives it out: the log's signature, and cosignatures of
// which one is the party's, by a key that stands: who stole one that ended would choose what it draws. No quorum is asked: this proves no tree, it only draws. Faults:
// policy_missing, checkpoint_malformed, receipt_other_log, receipt_log_signature, those of a wrong
// cosignature, audit_witness_absent.
func (p Policy) VerifyDraw(data []byte, party string) (Draw, error) {
	if !p.OK() {
		return Draw{}, errPolicyMissing
	}
	head, signatures, digest, err := p.signed(data)
	if err != nil {
		return Draw{}, err
	}
	cosigned, err := p.verifyCosignatures(head, signatures[1:])
	if err != nil {
		return Draw{}, err
	}
	i := slices.IndexFunc(cosigned, func(c Cosignature) bool { return c.Party == party && c.until == 0 })
	if i < 0 {
		return Draw{}, errDrawWitness
	}
	return Draw{cosignature: cosigned[i], digest: digest, ok: true}, nil
}

// NextMidnight is the first midnight UTC after a moment: a visit is drawn by what is signed from then on,
// so that nobody at the counter can know whether it will be looked at again.
func NextMidnight(closed time.Time) time.Time {
	return closed.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
}

// Number is what the draw gives a visit, from 0 to 999: the first eight bytes of
// SHA-256("menshen-audit-v1" ‖ signature ‖ visit id), as an unsigned number, modulo 1000.
func (d Draw) Number(visit string) int {
	h := sha256.New()
	h.Write([]byte(drawDomain))
	h.Write(d.cosignature.Signature[:])
	h.Write([]byte(visit))
	return int(binary.BigEndian.Uint64(h.Sum(nil)) % drawOf)
}

// Audits says whether a visit that closed at a moment is audited, at a rate of so many in a thousand.
// What was not verified audits: unknown never means "not looked at". Fault: audit_checkpoint_early.
func (d Draw) Audits(visit string, closed time.Time, perMille int) (bool, error) {
	if !d.ok {
		return true, errUnverified
	}
	if d.cosignature.Time.Before(NextMidnight(closed)) {
		return true, errDrawEarly
	}
	return d.Number(visit) < perMille, nil
}
