package store

import (
	"context"
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
