package record

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

const (
	maxCheckpointBytes = 16 << 10 // 33 signatures under the longest names need 9 KiB
	signaturePrefix    = "— "     // U+2014, https://c2sp.org/signed-note
	timestampBytes     = 8
)

// Cosignatures are dated from the first second after the epoch to the year 9999, which is what
// statements can write.
const maxTimestamp = 253402300799

var (
	errCheckpoint       = fault.New(fault.Invalid, "checkpoint_malformed", "日志的检查点格式不对。", "The checkpoint is not in its one canonical form.")
	errOtherLog         = fault.New(fault.Refused, "receipt_other_log", "回执来自别的日志。", "The checkpoint is of another log.")
	errLogSignature     = fault.New(fault.Refused, "receipt_log_signature", "日志自己的签名缺失或不对。", "The log's own signature is missing or wrong.")
	errUnknownSignature = fault.New(fault.Refused, "receipt_unknown_signature", "检查点上有不认识的签名。", "A signature on the checkpoint is by nobody the policy knows.")
	errSignatureOrder   = fault.New(fault.Invalid, "receipt_signature_order", "检查点上见证签名的次序不对。", "Cosignatures are sorted by key name and key id.")
	errCosignature      = fault.New(fault.Refused, "receipt_cosignature_wrong", "见证方的签名不对。", "A witness's cosignature is wrong.")
	errCosignatureTime  = fault.New(fault.Refused, "receipt_cosignature_time", "见证签名的时间不合理。", "A cosignature carries no usable time.")
	errCountedTwice     = fault.New(fault.Refused, "witness_counted_twice", "同一个见证单位不能算两次。", "One party's cosignatures count once.")
	errQuorum           = fault.New(fault.Refused, "receipt_quorum_missing", "见证方的签名不够。", "Too few witnesses have cosigned.")
	errUnverified       = fault.New(fault.Refused, "receipt_unverified", "这份回执没有核对过。", "This receipt or checkpoint was never verified.")
	errOtherTime        = fault.New(fault.Refused, "receipt_other_time", "见证的时间和文件写的时间对不上。", "No quorum cosigned near that time.")
)

// TreeHead is the text of a checkpoint. Parsing proves nothing about it.
type TreeHead struct {
	Origin string
	Size   uint64   // leaves
	Root   [32]byte // RFC 6962 §2.1
}

// ParseTreeHead reads exactly the three lines of https://c2sp.org/tlog-checkpoint. Extension lines
// are refused: no monitor can audit them, and menshen's log writes none. Fault:
// checkpoint_malformed.
func ParseTreeHead(text string) (TreeHead, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || !plainName(lines[0]) {
		return TreeHead{}, errCheckpoint
	}
	size, err := strconv.ParseUint(lines[1], 10, 64)
	if err != nil {
		return TreeHead{}, errCheckpoint.Because(err)
	}
	root, err := statement.Base64(lines[2])
	if err != nil || len(root) != 32 {
		return TreeHead{}, errCheckpoint.Because(err)
	}
	h := TreeHead{Origin: lines[0], Size: size, Root: [32]byte(root)}
	if h.Text() != text {
		return TreeHead{}, errCheckpoint
	}
	return h, nil
}

// Text is what log and witnesses sign.
func (h TreeHead) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", h.Origin, h.Size, base64.StdEncoding.EncodeToString(h.Root[:]))
}

// Cosignature says who saw the log grow to the checkpoint without a fork, and when.
type Cosignature struct {
	Party     string
	Time      time.Time // UTC, by the witness's clock
	Signature [ed25519.SignatureSize]byte
	until     uint64 // of a key that ended; 0: it stands
}

// Checkpoint is a tree head that the log signed and a quorum cosigned. Only a Policy makes one; the
// zero value refuses.
type Checkpoint struct {
	head     TreeHead
	cosigned []Cosignature
	quorum   int
	digest   string
	ok       bool
}

// OK is false for the zero value.
func (c Checkpoint) OK() bool { return c.ok }

// Size is the number of leaves that the checkpoint commits to.
func (c Checkpoint) Size() uint64 { return c.head.Size }

// RootHash is the Merkle tree's root at Size.
func (c Checkpoint) RootHash() [32]byte { return c.head.Root }

// Cosigned lists every cosignature, one or more for each party.
func (c Checkpoint) Cosigned() []Cosignature { return slices.Clone(c.cosigned) }

// Digest is the hex SHA-256 of the checkpoint's bytes with all signatures.
func (c Checkpoint) Digest() string { return c.digest }

// CosignedNear asks that as many parties as the quorum needs cosigned no further than within from
// at, before or after. Faults: receipt_unverified for the zero value, receipt_other_time.
func (c Checkpoint) CosignedNear(at time.Time, within time.Duration) error {
	if !c.ok {
		return errUnverified
	}
	parties, stands := map[string]bool{}, false
	for _, s := range c.cosigned {
		if s.Time.Sub(at).Abs() <= within {
			parties[s.Party], stands = true, stands || s.until == 0
		}
	}
	if len(parties) < c.quorum || !stands { // a time that only ended keys give is a thief's to choose
		return errOtherTime
	}
	return nil
}

// signature is one line below a checkpoint's text.
type signature struct {
	name string
	id   [4]byte
	raw  []byte // after the key id
}

// parseSignature reads "— name base64(id ‖ signature)" without its newline.
func parseSignature(line string) (signature, bool) {
	rest, ok := strings.CutPrefix(line, signaturePrefix)
	name, encoded, _ := strings.Cut(rest, " ")
	raw, err := statement.Base64(encoded)
	if !ok || !plainName(name) || err != nil || len(raw) < 4 {
		return signature{}, false
	}
	return signature{name: name, id: [4]byte(raw[:4]), raw: raw[4:]}, true
}

func (s signature) line() string {
	return signaturePrefix + s.name + " " + base64.StdEncoding.EncodeToString(append(s.id[:], s.raw...)) + "\n"
}

func (s signature) by(k key) bool { return s.name == k.name && s.id == k.id }

// compare orders signatures by key name, then key id.
func (s signature) compare(o signature) int {
	if c := strings.Compare(s.name, o.name); c != 0 {
		return c
	}
	return bytes.Compare(s.id[:], o.id[:])
}

// split takes a checkpoint apart into its text and its signature lines.
func split(data []byte) (TreeHead, []string, error) {
	if len(data) > maxCheckpointBytes {
		return TreeHead{}, nil, errCheckpoint
	}
	text, block, ok := strings.Cut(string(data), "\n\n")
	block, whole := strings.CutSuffix(block, "\n")
	if !ok || !whole {
		return TreeHead{}, nil, errCheckpoint
	}
	head, err := ParseTreeHead(text + "\n")
	return head, strings.Split(block, "\n"), err
}

// VerifyCheckpoint checks bytes in the one form menshen accepts: the three lines, the log's
// signature, then the cosignatures sorted by key name and id, each by a witness of the policy, each
// valid. Faults: policy_missing, checkpoint_malformed, receipt_other_log, receipt_log_signature,
// receipt_unknown_signature, receipt_signature_order, receipt_cosignature_wrong,
// receipt_cosignature_time, witness_counted_twice, receipt_quorum_missing.
func (p Policy) VerifyCheckpoint(data []byte) (Checkpoint, error) {
	if !p.OK() {
		return Checkpoint{}, errPolicyMissing
	}
	head, signatures, digest, err := p.signed(data)
	if err != nil {
		return Checkpoint{}, err
	}
	c := Checkpoint{head: head, quorum: p.config.Quorum, digest: digest}
	if c.cosigned, err = p.verifyCosignatures(head, signatures[1:]); err != nil {
		return Checkpoint{}, err
	}
	c.cosigned = counting(c.cosigned, head.Size)
	if err := p.enough(c.cosigned); err != nil {
		return Checkpoint{}, err
	}
	c.ok = true
	return c, nil
}

// signed reads a checkpoint that this policy's log signed, with every signature on it, the log's first,
// and the hex SHA-256 of its bytes.
func (p Policy) signed(data []byte) (TreeHead, []signature, string, error) {
	head, lines, err := split(data)
	if err != nil {
		return TreeHead{}, nil, "", err
	}
	if head.Origin != p.config.Origin {
		return TreeHead{}, nil, "", errOtherLog
	}
	signatures := make([]signature, len(lines))
	for i, line := range lines {
		var ok bool
		if signatures[i], ok = parseSignature(line); !ok {
			return TreeHead{}, nil, "", errCheckpoint.Atf("signature %d", i+1)
		}
	}
	if !p.signedByLog(head, signatures[0]) {
		return TreeHead{}, nil, "", errLogSignature
	}
	return head, signatures, statement.Digest(data), nil
}

func (p Policy) signedByLog(head TreeHead, s signature) bool {
	return s.by(p.log) && ed25519.Verify(p.log.public, []byte(head.Text()), s.raw)
}

func (p Policy) verifyCosignatures(head TreeHead, signatures []signature) ([]Cosignature, error) {
	var cosigned []Cosignature
	for i, s := range signatures {
		where := fmt.Sprintf("cosignature %d", i+1)
		if i > 0 {
			switch order := signatures[i-1].compare(s); {
			case order == 0:
				return nil, errCountedTwice.At(where)
			case order > 0:
				return nil, errSignatureOrder.At(where)
			}
		}
		c, err := p.verifyCosignature(head, s)
		if err != nil {
			return nil, fault.At(err, where)
		}
		cosigned = append(cosigned, c)
	}
	return cosigned, nil
}

// verifyCosignature checks a timestamped_signature by a witness of the policy
// (https://c2sp.org/tlog-cosignature): Ed25519 over "cosignature/v1", the time and the text.
func (p Policy) verifyCosignature(head TreeHead, s signature) (Cosignature, error) {
	i := slices.IndexFunc(p.witnesses, func(w witness) bool { return s.by(w.key) })
	if i < 0 {
		return Cosignature{}, errUnknownSignature
	}
	if len(s.raw) != timestampBytes+ed25519.SignatureSize {
		return Cosignature{}, errCosignature
	}
	seconds := binary.BigEndian.Uint64(s.raw)
	if seconds == 0 || seconds > maxTimestamp {
		return Cosignature{}, errCosignatureTime
	}
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", seconds, head.Text())
	if !ed25519.Verify(p.witnesses[i].public, []byte(message), s.raw[timestampBytes:]) {
		return Cosignature{}, errCosignature
	}
	return Cosignature{Party: p.witnesses[i].party, Time: time.Unix(int64(seconds), 0).UTC(), Signature: [ed25519.SignatureSize]byte(s.raw[timestampBytes:]), until: p.witnesses[i].until}, nil
}

// counting leaves out what a key says after its end, and all that ended keys say where no standing one says it with them:
// of a tree of any size its thief can make a checkpoint, with the log's key, and date it back.
func counting(cosigned []Cosignature, size uint64) []Cosignature {
	stands := slices.ContainsFunc(cosigned, func(c Cosignature) bool { return c.until == 0 })
	return slices.DeleteFunc(cosigned, func(c Cosignature) bool { return c.until > 0 && (!stands || size > c.until) })
}

// enough counts parties, not keys.
func (p Policy) enough(cosigned []Cosignature) error {
	parties := map[string]bool{}
	for _, c := range cosigned {
		parties[c.Party] = true
	}
	switch {
	case len(cosigned) < p.config.Quorum:
		return errQuorum
	case len(parties) < p.config.Quorum:
		return errCountedTwice
	}
	return nil
}

// CanonicalCheckpoint is for the log, which gets signatures in the order in which witnesses
// answer: it keeps the log's signature and every valid cosignature of the policy's witnesses, once
// each and sorted, and leaves out the rest. The answer passes VerifyCheckpoint or there is none.
// Faults: VerifyCheckpoint's.
func (p Policy) CanonicalCheckpoint(data []byte) ([]byte, error) {
	head, lines, err := split(data)
	if err != nil {
		return nil, err
	}
	var log, cosigned []signature
	for _, line := range lines {
		s, ok := parseSignature(line)
		if !ok {
			continue
		}
		if len(log) == 0 && p.signedByLog(head, s) {
			log = append(log, s)
		} else if c, err := p.verifyCosignature(head, s); err == nil && (c.until == 0 || head.Size <= c.until) {
			cosigned = append(cosigned, s)
		}
	}
	slices.SortStableFunc(cosigned, signature.compare)
	cosigned = slices.CompactFunc(cosigned, func(a, b signature) bool { return a.compare(b) == 0 })
	out := head.Text() + "\n"
	for _, s := range append(log, cosigned...) {
		out += s.line()
	}
	if _, err := p.VerifyCheckpoint([]byte(out)); err != nil {
		return nil, err
	}
	return []byte(out), nil
}
