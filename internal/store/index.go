package store

import (
	"context"
	"math"
	"slices"
	"time"
)

// AddRef notes that an event is wanted under a kind and a reference; rank orders them, such as a
// list's number.
func (t *Tx) AddRef(ctx context.Context, kind, ref, eventDigest string, rank int64) error {
	return t.wrap(t.q.insertRef(ctx, kind, ref, eventDigest, rank), "event reference")
}

// Refs gives up to limit event digests of a kind and reference, the highest rank first.
func (t *Tx) Refs(ctx context.Context, kind, ref string, limit int) ([]string, error) {
	list, err := t.q.refs(ctx, kind, ref, rows(limit))
	return list, t.wrap(err, "event references")
}

// RefWant asks for up to Limit events of a kind and reference, the highest rank first.
type RefWant struct {
	Kind, Ref string
	Limit     int
}

// refsAtOnce bounds the parts of one query; refsSizes keep the number of different texts small, since each text
// is compiled once and kept.
const refsAtOnce = 64

var refsSizes = []int{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, refsAtOnce}

// AllRefs gives the digests that several RefWants find, in no order, one found by two of them perhaps twice:
// one query where Refs would be dozens.
func (t *Tx) AllRefs(ctx context.Context, wants []RefWant) ([]string, error) {
	var all []string
	for part := range slices.Chunk(wants, refsAtOnce) {
		found, err := t.someRefs(ctx, part)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func (t *Tx) someRefs(ctx context.Context, wants []RefWant) ([]string, error) {
	text, args := refsQuery(wants)
	found, err := t.db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, t.wrap(err, "event references")
	}
	defer found.Close()
	var list []string
	for found.Next() {
		var digest string
		if err := found.Scan(&digest); err != nil {
			return nil, t.wrap(err, "event references")
		}
		list = append(list, digest)
	}
	return list, t.wrap(found.Err(), "event references")
}

// refsQuery is the query of name refs for each want, the last one again until a size is full.
func refsQuery(wants []RefWant) (string, []any) {
	var s statement
	size, _ := slices.BinarySearch(refsSizes, len(wants))
	for i := range refsSizes[size] {
		w := wants[min(i, len(wants)-1)]
		if i > 0 {
			s.add(" UNION ALL ")
		}
		s.add("SELECT event_digest FROM (SELECT event_digest FROM event_refs WHERE kind = %s AND ref = %s"+
			" ORDER BY rank DESC, event_digest LIMIT CAST(%s AS INTEGER)) AS r", w.Kind, w.Ref, rows(w.Limit))
	}
	return s.text.String(), s.args
}

// TopRank is the highest rank of a kind and reference, 0 when there is none.
func (t *Tx) TopRank(ctx context.Context, kind, ref string) (int64, error) {
	n, err := t.q.topRank(ctx, kind, ref)
	return n, t.wrap(err, "event reference")
}

// AddMatter notes that something is open against a subject until its statement is answered. SinceAt
// counts, ClosedAt is not read.
func (t *Tx) AddMatter(ctx context.Context, m OpenMatter) error {
	return t.wrap(t.q.insertMatter(ctx, insertMatterParams{Statement: m.Statement, SubjectKind: m.SubjectKind, Subject: m.Subject,
		Matter: m.Matter, FoundIn: m.FoundIn, SinceAt: m.SinceAt}), "open matter")
}

// MattersStanding gives what is open against people, organisations and devices, newest first, after one of them; the
// zero value is before all.
func (t *Tx) MattersStanding(ctx context.Context, after OpenMatter, limit int) ([]OpenMatter, error) {
	if after.Statement == "" {
		after.SinceAt = math.MaxInt64
	}
	list, err := t.q.mattersStanding(ctx, after.SinceAt, after.Statement, after.SubjectKind, rows(limit))
	return list, t.wrap(err, "matters")
}

// MattersOf gives up to limit matters that are open against a subject, oldest first.
func (t *Tx) MattersOf(ctx context.Context, subjectKind, subject string, limit int) ([]OpenMatter, error) {
	list, err := t.q.mattersOf(ctx, subjectKind, subject, rows(limit))
	return list, t.wrap(err, "open matters")
}

// CloseMatter answers a statement's matter against every subject.
func (t *Tx) CloseMatter(ctx context.Context, statement string, now time.Time) error {
	return t.wrap(t.q.closeMatter(ctx, statement, At(now)), "open matter")
}

// IdentitiesOf gives the keyed hashes of one field that a person has.
func (t *Tx) IdentitiesOf(ctx context.Context, field, person string) ([]string, error) {
	list, err := t.q.identitiesOf(ctx, field, person)
	return list, t.wrap(err, "identities")
}

// Photo says where a picture was used first. Fault: record_not_found.
func (t *Tx) Photo(ctx context.Context, sha256 string) (Photo, error) {
	p, err := t.q.photo(ctx, sha256)
	return p, t.wrap(err, "photo")
}
