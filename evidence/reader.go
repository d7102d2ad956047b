package evidence

import (
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
)

// memoBound caps what a Reader remembers of each kind; past it, it begins anew rather than grow.
const memoBound = 4 * maxEntries

// Reader proves evidence against one trust file and remembers what it proved: the decisions of a
// bundle share most of their evidence, and a page asks about the same visit again and again. It
// remembers only what depends on nothing but the bytes, and a verdict only with everything that it was
// given on, its time too (see judge); so its answers depend on neither time nor order, and it remembers
// no refusal. It is safe for concurrent use. Make one with NewReader; the
// zero value trusts nothing.
type Reader struct {
	trust    Trust
	receipts *record.Verifier
	parsed   memo[Entry, item] // by entry without its receipt
	signed   memo[signedWith, statement.Verified]
	included memo[leafReceipt, record.Inclusion]
	lists    memo[string, credential.Trust] // by the statement's digest; every use asks its date again
	shown    memo[shown, credential.Presentation]
	granted  memo[[sha256.Size]byte, granted] // by all of the question but its openings
}

// NewReader makes a reader that believes a trust file.
func NewReader(t Trust) *Reader {
	return &Reader{trust: t, receipts: record.NewVerifier(t.policy)}
}

// signedWith names a statement and everything about the key that its verification reads.
type signedWith struct{ digest, kind, thumbprint, site string }

// shown names a presentation and all that it is held against.
type shown struct {
	presentation, issuer, key, audience, nonce, order string
	asked, answered                                   time.Time
}

type leafReceipt struct{ leaf, receipt string }

// memo remembers by key what make gave. The zero value is empty and ready.
type memo[K comparable, V any] struct {
	mu    sync.Mutex
	known map[K]V
}

// get gives what is remembered, or makes it and remembers it unless it failed.
func (m *memo[K, V]) get(key K, make func() (V, error)) (V, error) {
	if v, ok := m.find(key); ok {
		return v, nil
	}
	v, err := make()
	if err == nil {
		m.keep(key, v, memoBound)
	}
	return v, err
}

func (m *memo[K, V]) find(key K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.known[key]
	return v, ok
}

func (m *memo[K, V]) keep(key K, v V, bound int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= bound {
		m.known = map[K]V{}
	}
	m.known[key] = v
}

// parse reads entries. What it returns is untrusted: see prove.
func (r *Reader) parse(entries []Entry) ([]item, error) {
	if len(entries) > maxEntries {
		return nil, errBundleMany
	}
	out := make([]item, 0, len(entries))
	seen := make(map[string]bool, 2*len(entries))
	for i, e := range entries {
		it, err := r.parseOne(e, i)
		if err != nil {
			return nil, err
		}
		if seen[it.place] {
			return nil, fault.At(errEventTwice, it.place)
		}
		if seen[it.claims.Digest()] {
			return nil, fault.At(errStatementTwice, it.place)
		}
		seen[it.place], seen[it.claims.Digest()] = true, true
		out = append(out, it)
	}
	return out, nil
}

func (r *Reader) parseOne(e Entry, at int) (item, error) {
	key := e
	key.Receipt = ""
	it, err := r.parsed.get(key, func() (item, error) { return parseEntry(e, at) })
	it.entry = e
	return it, err
}

// verify checks one statement's signature with a key.
func (r *Reader) verify(c statement.Claims, key statement.Key) (statement.Verified, error) {
	id := signedWith{c.Digest(), key.Kind, key.Thumbprint(), key.RPID + " " + strings.Join(key.Origins, " ")}
	return r.signed.get(id, func() (statement.Verified, error) { return c.Verify(key) })
}

// include proves that an item's leaf is in the log.
func (r *Reader) include(it *item) error {
	if it.entry.Receipt == "" {
		return errReceiptAbsent
	}
	in, err := r.included.get(leafReceipt{string(it.leaf), it.entry.Receipt}, func() (record.Inclusion, error) {
		return r.receipts.VerifyReceipt([]byte(it.entry.Receipt), it.leaf)
	})
	it.inclusion = in
	return err
}
