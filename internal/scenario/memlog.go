package scenario

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/record"
)

// MemoryLog is a small Merkle tree with a log key and witness keys of its own, for plays that need
// no server. It answers at once, by the play's clock, and keeps everything in memory.
type MemoryLog struct {
	Origin    string
	Now       Clock
	Key       *LogKey
	Witnesses []*LogKey

	mu     sync.Mutex
	hashes []tlog.Hash
	leaves int64
	latest []byte
}

// LogKey is an Ed25519 key that signs checkpoints as a log, or cosigns them as a witness for a party.
type LogKey struct {
	Party   string // "" for a log
	Name    string
	private ed25519.PrivateKey
}

// Signature types of https://c2sp.org/signed-note.
const (
	typeLog     = 0x01
	typeWitness = 0x04
)

// NewLogKey makes a fresh key; party is who cosigns with it, "" for a log.
func NewLogKey(name, party string) *LogKey {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	return &LogKey{Party: party, Name: name, private: private}
}

// As is the same key under another party's name: what a witness that counts twice would use.
func (k *LogKey) As(name, party string) *LogKey {
	return &LogKey{Party: party, Name: name, private: k.private}
}

func (k *LogKey) typed() []byte {
	kind := byte(typeWitness)
	if k.Party == "" {
		kind = typeLog
	}
	return append([]byte{kind}, k.private.Public().(ed25519.PublicKey)...)
}

func (k *LogKey) id() []byte {
	sum := sha256.Sum256(append([]byte(k.Name+"\n"), k.typed()...))
	return sum[:4]
}

// VKey is the verifier key as trust files write it.
func (k *LogKey) VKey() string {
	return k.Name + "+" + hex.EncodeToString(k.id()) + "+" + b64(k.typed())
}

// sign gives the key's signature line over a checkpoint's text.
func (k *LogKey) sign(text string, at time.Time) string {
	raw := k.id()
	if k.Party == "" {
		raw = append(raw, ed25519.Sign(k.private, []byte(text))...)
	} else {
		raw = binary.BigEndian.AppendUint64(raw, uint64(at.Unix()))
		raw = append(raw, ed25519.Sign(k.private, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at.Unix(), text))...)
	}
	return "— " + k.Name + " " + b64(raw) + "\n"
}

// NewMemoryLog makes a log with witnesses run by the given parties.
func NewMemoryLog(origin string, now Clock, parties ...string) *MemoryLog {
	l := &MemoryLog{Origin: origin, Now: now, Key: NewLogKey(origin, "")}
	for _, p := range parties {
		l.Witnesses = append(l.Witnesses, NewLogKey(p, p))
	}
	return l
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Trust fills in the log's and witnesses' part of a trust file; every witness is needed.
func (l *MemoryLog) Trust(f *evidence.TrustFile) {
	f.Log = evidence.LogTrust{Origin: l.Origin, Key: l.Key.VKey(), Operator: "menshen"}
	for _, w := range l.Witnesses {
		f.Witnesses = append(f.Witnesses, evidence.WitnessTrust{Party: w.Party, Key: w.VKey()})
	}
	f.Quorum = len(l.Witnesses)
}

// Fork is a copy that grows on its own under the same keys: what a lying log and witnesses that do
// not check would show to somebody else.
func (l *MemoryLog) Fork() *MemoryLog {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &MemoryLog{Origin: l.Origin, Now: l.Now, Key: l.Key, Witnesses: l.Witnesses, hashes: slices.Clone(l.hashes), leaves: l.leaves}
}

// ReadHashes serves stored hashes to tlog.
func (l *MemoryLog) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x >= int64(len(l.hashes)) {
			return nil, fmt.Errorf("no hash %d", x)
		}
		out[i] = l.hashes[x]
	}
	return out, nil
}

// Add appends a leaf and gives its index.
func (l *MemoryLog) Add(leaf []byte) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	hashes, err := tlog.StoredHashes(l.leaves, leaf, l)
	must(err)
	l.hashes = append(l.hashes, hashes...)
	l.leaves++
	l.latest = nil
	return l.leaves - 1
}

// Size is the number of leaves.
func (l *MemoryLog) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leaves
}

// Receipt proves a leaf against the latest checkpoint, which every witness cosigned.
func (l *MemoryLog) Receipt(index int64) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.receipt(index, l.newest())
}

// Latest is the log's size and its latest checkpoint, which every witness cosigned.
func (l *MemoryLog) Latest() (uint64, []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(l.leaves), l.newest()
}

func (l *MemoryLog) newest() []byte {
	if l.latest == nil {
		l.latest = l.checkpoint(l.Witnesses)
	}
	return l.latest
}

// CheckpointBy is the latest checkpoint as one witness gives it out, cosigned at a moment.
func (l *MemoryLog) CheckpointBy(w *LogKey, at time.Time) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cosigned(at, []*LogKey{w})
}

// ReceiptBy proves a leaf against a checkpoint that only the given witnesses cosigned: what a lying
// operator could offer.
func (l *MemoryLog) ReceiptBy(index int64, witnesses ...*LogKey) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.receipt(index, l.checkpoint(witnesses))
}

func (l *MemoryLog) receipt(index int64, checkpoint []byte) string {
	proof, err := tlog.ProveRecord(l.leaves, index, l)
	must(err)
	hashes := make([][]byte, len(proof))
	for i, h := range proof {
		hashes[i] = h[:]
	}
	return string(record.FormatReceipt(uint64(index), hashes, checkpoint))
}

func (l *MemoryLog) checkpoint(witnesses []*LogKey) []byte { return l.cosigned(l.Now(), witnesses) }

func (l *MemoryLog) cosigned(at time.Time, witnesses []*LogKey) []byte {
	root, err := tlog.TreeHash(l.leaves, l)
	must(err)
	text := fmt.Sprintf("%s\n%d\n%s\n", l.Origin, l.leaves, root)
	out := text + "\n" + l.Key.sign(text, at)
	for _, w := range witnesses {
		out += w.sign(text, at)
	}
	return []byte(out)
}
