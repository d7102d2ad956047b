package scenario

import (
	"fmt"
	"sync"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"crypto/rand"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/record"
)

// MemoryLog is a small Merkle tree with a log key and witness keys of its own, for plays that need
// no server. It answers at once and keeps everything in memory.
type MemoryLog struct {
	Origin string

	mu        sync.Mutex
	signer    note.Signer
	vkey      string
	witnesses []memoryWitness
	hashes    []tlog.Hash
	leaves    int64
	latest    []byte
}

type memoryWitness struct {
	party, vkey string
	signer      note.Signer
}

// NewMemoryLog makes a log with witnesses run by the given parties.
func NewMemoryLog(origin string, parties ...string) *MemoryLog {
	l := &MemoryLog{Origin: origin}
	skey, vkey, err := note.GenerateKey(rand.Reader, origin)
	must(err)
	l.vkey = vkey
	l.signer, err = note.NewSigner(skey)
	must(err)
	for _, p := range parties {
		skey, vkey, err := note.GenerateKey(rand.Reader, p)
		must(err)
		s, err := fnote.NewSignerForCosignatureV1(skey)
		must(err)
		cosig, err := fnote.VKeyToCosignatureV1(vkey)
		must(err)
		l.witnesses = append(l.witnesses, memoryWitness{party: p, vkey: cosig, signer: s})
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
	f.Log = evidence.LogTrust{Origin: l.Origin, Key: l.vkey, Operator: "menshen"}
	for _, w := range l.witnesses {
		f.Witnesses = append(f.Witnesses, evidence.WitnessTrust{Party: w.party, Key: w.vkey})
	}
	f.Quorum = len(l.witnesses)
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

// Receipt proves a leaf against the latest checkpoint.
func (l *MemoryLog) Receipt(index int64) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.latest == nil {
		l.latest = l.checkpoint(l.signers()...)
	}
	proof, err := tlog.ProveRecord(l.leaves, index, l)
	must(err)
	return string(record.FormatReceipt(uint64(index), flat(proof), l.latest))
}

func (l *MemoryLog) signers() []note.Signer {
	out := []note.Signer{l.signer}
	for _, w := range l.witnesses {
		out = append(out, w.signer)
	}
	return out
}

func (l *MemoryLog) checkpoint(signers ...note.Signer) []byte {
	root, err := tlog.TreeHash(l.leaves, l)
	must(err)
	signed, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", l.Origin, l.leaves, root)}, signers...)
	must(err)
	return signed
}

// WeakReceipt proves a leaf against a checkpoint that only the first n signers signed (the log
// itself is the first): what a lying operator without witnesses could offer.
func (l *MemoryLog) WeakReceipt(index int64, n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	proof, err := tlog.ProveRecord(l.leaves, index, l)
	must(err)
	return string(record.FormatReceipt(uint64(index), flat(proof), l.checkpoint(l.signers()[:n]...)))
}

func flat(proof tlog.RecordProof) [][]byte {
	out := make([][]byte, len(proof))
	for i, h := range proof {
		out[i] = h[:]
	}
	return out
}
