package record

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/memo"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

const (
	receiptHeader   = "c2sp.org/tlog-proof@v1"
	maxReceiptBytes = maxCheckpointBytes + 4<<10
	maxProofHashes  = 64 // a tree of 2^64 leaves is no deeper
)

// memoBound caps what a Verifier remembers; past it, it begins anew rather than grow.
const memoBound = 1024

var (
	errReceipt     = fault.New(fault.Invalid, "receipt_malformed", "回执的格式不对。", "The receipt is not in its one canonical form.")
	errNotIncluded = fault.New(fault.Refused, "receipt_not_included", "回执证明不了这一条在日志里。", "The receipt does not prove that this leaf is in the log.")
	errAboveSize   = fault.New(fault.Refused, "receipt_above_log_size", "这一条在日志里的位置晚于当时看到的范围。", "The leaf lies above the log size that was named.")
)

// Inclusion is the proven fact that a leaf is in the log at an index. Only a Policy or a Verifier
// makes one; the zero value refuses.
type Inclusion struct {
	checkpoint Checkpoint
	index      uint64
	leaf       Leaf
}

// OK is false for the zero value.
func (i Inclusion) OK() bool { return i.checkpoint.ok }

// Index is the leaf's place, from 0.
func (i Inclusion) Index() uint64 { return i.index }

// Leaf is what was proven to be there.
func (i Inclusion) Leaf() Leaf { return i.leaf }

// Checkpoint is the tree head it was proven under.
func (i Inclusion) Checkpoint() Checkpoint { return i.checkpoint }

// Size is the number of leaves under the checkpoint.
func (i Inclusion) Size() uint64 { return i.checkpoint.Size() }

// RootHash is the checkpoint's root.
func (i Inclusion) RootHash() [32]byte { return i.checkpoint.RootHash() }

// Cosigned lists the checkpoint's cosignatures.
func (i Inclusion) Cosigned() []Cosignature { return i.checkpoint.Cosigned() }

// CheckpointDigest is the hex SHA-256 of the checkpoint's bytes.
func (i Inclusion) CheckpointDigest() string { return i.checkpoint.Digest() }

// Below asks that the leaf was already in the log when it had size leaves (design §10: a
// decision's evidence lies below the log size it names). Faults: receipt_unverified for the zero
// value, receipt_above_log_size.
func (i Inclusion) Below(size uint64) error {
	if !i.OK() {
		return errUnverified
	}
	if i.index >= size {
		return errAboveSize
	}
	return nil
}

// parsed is a receipt taken apart; nothing in it is proven.
type parsed struct {
	index      uint64
	hashes     [][]byte
	checkpoint []byte
}

// FormatReceipt writes a tlog-proof: the leaf's index, the Merkle inclusion proof from the leaf's
// sibling upwards (RFC 6962 §2.1.1), and the checkpoint as it is.
func FormatReceipt(index uint64, proof [][]byte, checkpoint []byte) []byte {
	var b strings.Builder
	b.WriteString(receiptHeader + "\nindex " + strconv.FormatUint(index, 10) + "\n")
	for _, hash := range proof {
		b.WriteString(base64.StdEncoding.EncodeToString(hash) + "\n")
	}
	b.WriteString("\n")
	b.Write(checkpoint)
	return []byte(b.String())
}

// parseReceipt reads a tlog-proof without the optional extra line, which nothing authenticates.
func parseReceipt(data []byte) (parsed, error) {
	if len(data) > maxReceiptBytes {
		return parsed{}, errReceipt
	}
	head, checkpoint, ok := strings.Cut(string(data), "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(lines) < 2 || len(lines) > 2+maxProofHashes {
		return parsed{}, errReceipt
	}
	index, err := strconv.ParseUint(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return parsed{}, errReceipt.At("index")
	}
	p := parsed{index: index, checkpoint: []byte(checkpoint)}
	for i, line := range lines[2:] {
		hash, err := statement.Base64(line)
		if err != nil || len(hash) != 32 {
			return parsed{}, errReceipt.Atf("hash %d", i+1)
		}
		p.hashes = append(p.hashes, hash)
	}
	if string(FormatReceipt(p.index, p.hashes, p.checkpoint)) != string(data) {
		return parsed{}, errReceipt
	}
	return p, nil
}

// VerifyReceipt proves that leaf is in the log. Faults: receipt_malformed, leaf_malformed and the
// leaf's others, VerifyCheckpoint's, receipt_not_included.
func (p Policy) VerifyReceipt(receipt, leaf []byte) (Inclusion, error) {
	return verifyReceipt(receipt, leaf, p.VerifyCheckpoint)
}

func verifyReceipt(receipt, leaf []byte, verify func([]byte) (Checkpoint, error)) (Inclusion, error) {
	r, err := parseReceipt(receipt)
	if err != nil {
		return Inclusion{}, err
	}
	l, err := ParseLeaf(leaf)
	if err != nil {
		return Inclusion{}, err
	}
	c, err := verify(r.checkpoint)
	if err != nil {
		return Inclusion{}, err
	}
	hash := LeafHash(leaf)
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, r.index, c.head.Size, hash[:], r.hashes, c.head.Root[:]); err != nil {
		return Inclusion{}, errNotIncluded.Because(err)
	}
	return Inclusion{checkpoint: c, index: r.index, leaf: l}, nil
}

// Verifier is a Policy that remembers the checkpoints it has verified, byte for byte: the receipts
// of one bundle share few checkpoints, and their signatures are most of the cost. It is safe for
// concurrent use, and its answers depend on neither time nor order. Make one with NewVerifier; the
// zero value refuses, as the zero Policy does.
type Verifier struct {
	policy Policy
	seen   memo.Memo[string, Checkpoint]
}

// NewVerifier gives the policy a memory.
func NewVerifier(p Policy) *Verifier { return &Verifier{policy: p} }

// VerifyReceipt is Policy.VerifyReceipt.
func (v *Verifier) VerifyReceipt(receipt, leaf []byte) (Inclusion, error) {
	return verifyReceipt(receipt, leaf, v.VerifyCheckpoint)
}

// VerifyCheckpoint is Policy.VerifyCheckpoint. Refusals are not remembered.
func (v *Verifier) VerifyCheckpoint(data []byte) (Checkpoint, error) {
	return v.seen.Get(string(data), memoBound, func() (Checkpoint, error) { return v.policy.VerifyCheckpoint(data) })
}
