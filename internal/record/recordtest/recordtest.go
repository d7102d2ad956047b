// Package recordtest is a witnessed log in memory, for tests and simulations that need genuine
// receipts at chosen times without disk, network or waiting. Its keys follow from names, so it
// proves nothing to anybody: never let a trust file name it.
package recordtest

import (
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"github.com/menshen-project/menshen/internal/record"
	"golang.org/x/mod/sumdb/tlog"
)

// Log is an in-memory log with its own key and one witness for each party. It is not safe for
// concurrent use. Its methods panic where a test asks for what cannot be.
type Log struct {
	config    record.PolicyConfig
	signer    Signer
	witnesses []Signer
	hashes    []tlog.Hash // stored hashes, in tlog's order
	size      uint64
}

// Signer is a key that follows from its name and seed.
type Signer struct {
	Name    string
	id      [4]byte
	private ed25519.PrivateKey
	vkey    string
}

// NewSigner makes a key of a signed-note type: 1 for a log, 4 for a witness.
func NewSigner(name, seed string, keyType byte) Signer {
	sum := sha256.Sum256([]byte(seed))
	private := ed25519.NewKeyFromSeed(sum[:])
	raw := append([]byte{keyType}, private.Public().(ed25519.PublicKey)...)
	id := sha256.Sum256(append([]byte(name+"\n"), raw...))
	s := Signer{Name: name, private: private, id: [4]byte(id[:4])}
	s.vkey = name + "+" + hex.EncodeToString(s.id[:]) + "+" + base64.StdEncoding.EncodeToString(raw)
	return s
}

// VKey is the verifier key that a policy names.
func (s Signer) VKey() string { return s.vkey }

// Sign gives the log's signature line over a checkpoint's text.
func (s Signer) Sign(text string) string {
	return s.line(ed25519.Sign(s.private, []byte(text)))
}

// Cosign gives a cosignature/v1 line over a checkpoint's text.
func (s Signer) Cosign(text string, at time.Time) string {
	seconds := uint64(at.Unix())
	stamp := binary.BigEndian.AppendUint64(nil, seconds)
	message := "cosignature/v1\ntime " + strconv.FormatUint(seconds, 10) + "\n" + text
	return s.line(append(stamp, ed25519.Sign(s.private, []byte(message))...))
}

func (s Signer) line(raw []byte) string {
	return "— " + s.Name + " " + base64.StdEncoding.EncodeToString(append(slices.Clone(s.id[:]), raw...)) + "\n"
}

// New makes an empty log that operator runs and parties witness.
func New(origin, operator string, quorum int, parties ...string) *Log {
	l := &Log{signer: NewSigner(origin, "log "+origin, 1)}
	l.config = record.PolicyConfig{Origin: origin, Operator: operator, LogKey: l.signer.vkey, Quorum: quorum}
	for _, party := range parties {
		w := NewSigner("witness.example/"+party, "witness "+party, 4)
		l.witnesses = append(l.witnesses, w)
		l.config.Witnesses = append(l.config.Witnesses, record.Witness{Party: party, VKey: w.vkey})
	}
	return l
}

// Quorum is the same log under a policy that asks for so many parties.
func (l *Log) Quorum(n int) *Log {
	c := *l
	c.config.Quorum = n
	return &c
}

// Config is the policy that trusts this log and its witnesses.
func (l *Log) Config() record.PolicyConfig { return l.config }

// Policy is Config, checked.
func (l *Log) Policy() record.Policy { return must(record.NewPolicy(l.config)) }

// Signer is the log's own key.
func (l *Log) Signer() Signer { return l.signer }

// Witnesses are the parties' keys, in their order.
func (l *Log) Witnesses() []Signer { return slices.Clone(l.witnesses) }

// Fork is a copy that grows on its own: what a lying log shows to somebody else.
func (l *Log) Fork() *Log {
	c := *l
	c.hashes = slices.Clone(l.hashes)
	return &c
}

// Add puts a leaf into the log and gives its index.
func (l *Log) Add(leaf []byte) uint64 {
	index := l.size
	l.hashes = append(l.hashes, must(tlog.StoredHashes(int64(index), leaf, l.reader()))...)
	l.size++
	return index
}

// Size is the number of leaves.
func (l *Log) Size() uint64 { return l.size }

// Head is the tree head when the log had size leaves.
func (l *Log) Head(size uint64) record.TreeHead {
	root := must(tlog.TreeHash(int64(size), l.reader()))
	return record.TreeHead{Origin: l.config.Origin, Size: size, Root: root}
}

// Checkpoint is the log's checkpoint of its first size leaves, cosigned by every witness at that
// time.
func (l *Log) Checkpoint(size uint64, at time.Time) []byte {
	return l.CheckpointBy(size, at, l.witnesses...)
}

// CheckpointBy is Checkpoint with chosen witnesses.
func (l *Log) CheckpointBy(size uint64, at time.Time, witnesses ...Signer) []byte {
	text := l.Head(size).Text()
	out := text + "\n" + l.signer.Sign(text)
	sorted := slices.SortedFunc(slices.Values(witnesses), func(a, b Signer) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), slices.Compare(a.id[:], b.id[:]))
	})
	for _, w := range sorted {
		out += w.Cosign(text, at)
	}
	return []byte(out)
}

// Inclusion is the Merkle proof of a leaf among the first size leaves.
func (l *Log) Inclusion(size, index uint64) [][]byte {
	return flat(must(tlog.ProveRecord(int64(size), int64(index), l.reader())))
}

// Consistency is the Merkle proof that the first newSize leaves begin with the first oldSize; it is
// empty from size 0, as https://c2sp.org/tlog-witness wants it.
func (l *Log) Consistency(oldSize, newSize uint64) [][]byte {
	if oldSize == 0 {
		return nil
	}
	return flat(must(tlog.ProveTree(int64(newSize), int64(oldSize), l.reader())))
}

// Receipt proves the leaf at index under a checkpoint of the whole log, cosigned at that time.
func (l *Log) Receipt(index uint64, at time.Time) []byte {
	return record.FormatReceipt(index, l.Inclusion(l.size, index), l.Checkpoint(l.size, at))
}

func (l *Log) reader() tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			out[i] = l.hashes[index]
		}
		return out, nil
	})
}

func flat(proof []tlog.Hash) [][]byte {
	var out [][]byte
	for _, hash := range proof {
		out = append(out, slices.Clone(hash[:]))
	}
	return out
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
