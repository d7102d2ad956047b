package evidence

import (
	"crypto/sha256"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/memo"
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
	parsed   memo.Memo[Entry, item] // by entry without its receipt
	signed   memo.Memo[signedWith, statement.Verified]
	included memo.Memo[leafReceipt, record.Inclusion]
	lists    memo.Memo[string, credential.Trust] // by the statement's digest; every use asks its date again
	shown    memo.Memo[shown, credential.Presentation]
	badges   credential.Verifier                   // a day's badge is shown at many doors
	granted  memo.Memo[[sha256.Size]byte, granted] // by all of the question but its openings
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
	it, err := r.parsed.Get(key, memoBound, func() (item, error) { return parseEntry(e, at) })
	it.entry = e
	return it, err
}

// verify checks one statement's signature with a key.
func (r *Reader) verify(c statement.Claims, key statement.Key) (statement.Verified, error) {
	id := signedWith{c.Digest(), key.Kind, key.Thumbprint(), key.RPID + " " + strings.Join(key.Origins, " ")}
	return r.signed.Get(id, memoBound, func() (statement.Verified, error) { return c.Verify(key) })
}

// include proves that an item's leaf is in the log.
func (r *Reader) include(it *item) error {
	if it.entry.Receipt == "" {
		return errReceiptAbsent
	}
	in, err := r.included.Get(leafReceipt{string(it.leaf), it.entry.Receipt}, memoBound, func() (record.Inclusion, error) {
		return r.receipts.VerifyReceipt([]byte(it.entry.Receipt), it.leaf)
	})
	it.inclusion = in
	return err
}
