package evidence

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
)

// grantedBound caps the verdicts that a Reader remembers: a visit has five, and asks for the last ones again
// within minutes.
const grantedBound = 1024

// granted is one judgement that granted, with the openings that it looked for: whether each was there. A
// commitment fixes what opens it, so the same answers are the same openings.
type granted struct {
	report Report
	read   map[string]bool
}

// fits says whether these openings answer the judgement's own questions as those did on which it was made.
func (g granted) fits(openings map[string]statement.Opening) bool {
	for commitment, was := range g.read {
		if _, is := openings[commitment]; is != was {
			return false
		}
	}
	return true
}

// opener gives openings and notes what was looked for.
type opener struct {
	open map[string]statement.Opening
	read map[string]bool
}

func (o opener) get(commitment string) (statement.Opening, bool) {
	opening, ok := o.open[commitment]
	o.read[commitment] = ok
	return opening, ok
}

// judge answers a question, from memory if this very question was granted before: same bytes in the same
// order, same ask, same log size, same second, same openings as far as they were read. A judgement depends on
// nothing else but the reader's trust file. What was refused is judged anew each time.
func (r *Reader) judge(q question) Report {
	q.now = q.now.UTC()
	if !receiptsFor(q.ask) {
		withoutReceipts(q.items)
	}
	key := q.digest()
	if before, ok := r.granted.Find(key); ok && before.fits(q.openings) {
		return before.report.copied()
	}
	report, read := r.judgeAnew(q)
	if report.Granted {
		r.granted.Keep(key, granted{report.copied(), read}, grantedBound)
	}
	return report
}

// copied shares nothing that a reader of the report could write to.
func (r Report) copied() Report {
	r.Conditions = slices.Clone(r.Conditions)
	for i, c := range r.Conditions {
		r.Conditions[i].Evidence = slices.Clone(c.Evidence)
	}
	r.body.Heads, r.body.Evidence, r.body.Conditions = slices.Clone(r.body.Heads), slices.Clone(r.body.Evidence), slices.Clone(r.body.Conditions)
	if r.body.Permit != nil {
		permit := *r.body.Permit
		r.body.Permit = &permit
	}
	return r
}

// withoutReceipts takes receipts away from an ask that counts none, so that nothing can rest on them.
func withoutReceipts(items []item) {
	for i := range items {
		items[i].entry.Receipt, items[i].inclusion = "", record.Inclusion{}
	}
}

// digest covers all of a question but its openings. Event, statement and leaf are what an entry is read from
// and into, each by all of its bytes.
func (q question) digest() [sha256.Size]byte {
	h := sha256.New()
	room := fmt.Appendf(nil, "%q %q %d %d %t %t\n", q.visit, q.ask, q.now.UnixNano(), q.logSize, q.preview, q.standing)
	for _, it := range q.items {
		for _, s := range [...]string{it.digest, it.claims.Digest(), string(it.leaf), it.entry.Receipt} {
			room = append(binary.BigEndian.AppendUint64(room, uint64(len(s))), s...) // each text, and where it ends
		}
		_, _ = h.Write(room) // a hash takes everything
		room = room[:0]
	}
	_, _ = h.Write(room) // of a question without items
	return [sha256.Size]byte(h.Sum(nil))
}
