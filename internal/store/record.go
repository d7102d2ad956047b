package store

import (
	"context"
	"database/sql"
	"errors"
)

// Stream names a sequence of events: kind is visit, order, device, person or organisation.
type Stream struct{ Kind, ID string }

// String gives the form that is signed: kind/id.
func (s Stream) String() string { return s.Kind + "/" + s.ID }

// Head is a stream's last event; the zero Head is a stream without events.
type Head struct {
	Number int64
	Digest string
}

// Stream gives the event's stream.
func (e Event) Stream() Stream { return Stream{e.StreamKind, e.StreamID} }

// PutStatement keeps an envelope as received. digest is hex SHA-256 of data; a second time is no
// error, for the same digest means the same bytes.
func (t *Tx) PutStatement(ctx context.Context, digest string, data []byte) error {
	return t.wrap(t.q.insertStatement(ctx, digest, data), "statement")
}

// Statement gives the envelope of a digest. Fault: record_not_found.
func (t *Tx) Statement(ctx context.Context, digest string) ([]byte, error) {
	data, err := t.q.statementBytes(ctx, digest)
	return data, t.wrap(err, "statement")
}

// AppendEvent adds e as the next event of its stream, and its leaf to the outbox. The statement
// must be there. e.LeafIndex and e.Receipt are not read: MarkSequenced and SetReceipt set them.
//
// Faults: stream_conflict when e.Number is not the head's plus one or e.Previous is not the head's
// digest; stream_of_other_organisation when the stream has another owner than e.Org.
func (t *Tx) AppendEvent(ctx context.Context, e Event, leaf []byte) error {
	where := e.Stream().String()
	head, err := t.head(ctx, e.Org, e.Stream())
	if err != nil {
		return err
	}
	if head.Number == 0 {
		if err := t.ownStream(ctx, e); err != nil {
			return err
		}
	}
	if e.Number != head.Number+1 || e.Previous != head.Digest {
		return errStreamConflict.At(where)
	}
	added, err := t.q.insertEvent(ctx, insertEventParams{
		Org: e.Org, StreamKind: e.StreamKind, StreamID: e.StreamID, Number: e.Number, Digest: e.Digest,
		Previous: e.Previous, Verb: e.Verb, ReceivedAt: e.ReceivedAt, Bytes: e.Bytes,
		StatementDigest: e.StatementDigest, Salt: e.Salt, Day: e.Day, Province: e.Province,
	})
	if err != nil {
		return t.wrap(err, where)
	}
	if added != 1 {
		return errStreamConflict.At(where)
	}
	t.heads[streamKey{e.Org, e.Stream()}] = Head{Number: e.Number, Digest: e.Digest}
	return t.wrap(t.q.insertOutbox(ctx, insertOutboxParams{
		EventDigest: e.Digest, Org: e.Org, Number: e.Number, Leaf: leaf, QueuedAt: e.ReceivedAt,
	}), "outbox")
}

// ownStream makes the stream its first event's organisation's, or finds whose it is.
func (t *Tx) ownStream(ctx context.Context, e Event) error {
	made, err := t.q.insertStream(ctx, e.StreamKind, e.StreamID, e.Org)
	if err != nil || made == 1 {
		return t.wrap(err, "stream")
	}
	org, err := t.q.streamOrg(ctx, e.StreamKind, e.StreamID)
	if err != nil {
		return t.wrap(err, "stream")
	}
	if org != e.Org {
		return errStreamOwner.At(e.Stream().String())
	}
	return nil
}

// StreamOrg gives the organisation that owns a stream. Fault: record_not_found.
func (t *Tx) StreamOrg(ctx context.Context, s Stream) (string, error) {
	org, err := t.q.streamOrg(ctx, s.Kind, s.ID)
	return org, t.wrap(err, "stream")
}

// Head gives a stream's last event; a stream that does not exist has the zero Head.
func (t *Tx) Head(ctx context.Context, s Stream) (Head, error) {
	org, err := t.q.streamOrg(ctx, s.Kind, s.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return Head{}, nil
	}
	if err != nil {
		return Head{}, t.wrap(err, "stream")
	}
	return t.head(ctx, org, s)
}

// head reads a head once per transaction: whoever appends has just looked, and nobody else can
// move it meanwhile.
func (t *Tx) head(ctx context.Context, org string, s Stream) (Head, error) {
	if known, ok := t.heads[streamKey{org, s}]; ok && !t.db.over.Load() {
		return known, nil
	}
	row, err := t.q.head(ctx, org, s.Kind, s.ID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Head{}, t.wrap(err, "events")
	}
	t.heads[streamKey{org, s}] = Head(row)
	return Head(row), nil
}

type streamKey struct {
	org string
	Stream
}

// Events gives up to limit events of a stream from number first on, in order; none when the stream
// does not exist.
func (t *Tx) Events(ctx context.Context, s Stream, first int64, limit int) ([]Event, error) {
	org, err := t.q.streamOrg(ctx, s.Kind, s.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, t.wrap(err, "stream")
	}
	events, err := t.q.eventsOfStream(ctx, eventsOfStreamParams{
		Org: org, StreamKind: s.Kind, StreamID: s.ID, FirstNumber: first, MaxRows: rows(limit),
	})
	return events, t.wrap(err, "events")
}

// EventByDigest finds an event wherever it is. Fault: record_not_found.
func (t *Tx) EventByDigest(ctx context.Context, digest string) (Event, error) {
	event, err := t.q.eventByDigest(ctx, digest)
	return event, t.wrap(err, "event")
}

// EventsByStatement gives the events under which a statement was received, oldest first.
func (t *Tx) EventsByStatement(ctx context.Context, digest string) ([]Event, error) {
	events, err := t.q.eventsByStatement(ctx, digest)
	return events, t.wrap(err, "events")
}

// PendingLeaves gives up to limit leaves that the log has not taken yet, oldest first.
func (t *Tx) PendingLeaves(ctx context.Context, limit int) ([]QueuedLeaf, error) {
	leaves, err := t.q.pendingLeaves(ctx, rows(limit))
	return leaves, t.wrap(err, "outbox")
}

// MarkSequenced records the place that the log gave an event's leaf. The same place again is fine,
// also after the receipt. Faults: record_not_found, leaf_already_sequenced.
func (t *Tx) MarkSequenced(ctx context.Context, eventDigest string, index int64) error {
	event, err := t.q.eventByDigest(ctx, eventDigest)
	if err != nil {
		return t.wrap(err, "event")
	}
	if event.LeafIndex.Valid {
		if event.LeafIndex.Int64 != index {
			return errResequenced.At(event.Stream().String())
		}
		return nil
	}
	place := sql.NullInt64{Int64: index, Valid: true}
	if err := t.q.sequenceEvent(ctx, event.Org, eventDigest, place); err != nil {
		return t.wrap(err, "event")
	}
	return t.wrap(t.q.sequenceOutbox(ctx, eventDigest, place), "outbox")
}

// Unreceipted gives up to limit leaves that are in the log and have no receipt yet, by index.
func (t *Tx) Unreceipted(ctx context.Context, limit int) ([]QueuedLeaf, error) {
	leaves, err := t.q.unreceipted(ctx, rows(limit))
	return leaves, t.wrap(err, "outbox")
}

// SetReceipt keeps an event's receipt and takes its leaf out of the outbox. A later receipt
// replaces an earlier one: both prove the same leaf. Fault: record_not_found, also for an event
// that is not sequenced.
func (t *Tx) SetReceipt(ctx context.Context, eventDigest, receipt string) error {
	event, err := t.q.eventByDigest(ctx, eventDigest)
	if err != nil {
		return t.wrap(err, "event")
	}
	if !event.LeafIndex.Valid {
		return errNotFound.At("leaf index of " + event.Stream().String())
	}
	if err := t.q.receiptEvent(ctx, event.Org, eventDigest, receipt); err != nil {
		return t.wrap(err, "event")
	}
	return t.wrap(t.q.deleteOutbox(ctx, eventDigest), "outbox")
}

// MaxSequencedBelow gives the highest number of a stream such that it and every event before it
// has its leaf below logSize; 0 when there is none.
func (t *Tx) MaxSequencedBelow(ctx context.Context, s Stream, logSize int64) (int64, error) {
	org, err := t.q.streamOrg(ctx, s.Kind, s.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, t.wrap(err, "stream")
	}
	first, err := t.q.firstAbove(ctx, org, s.Kind, s.ID, logSize)
	if errors.Is(err, sql.ErrNoRows) {
		head, err := t.head(ctx, org, s)
		return head.Number, err
	}
	return first - 1, t.wrap(err, "events")
}

// HighestLeafBelow gives the highest leaf index of any event below logSize, -1 when there is none.
func (t *Tx) HighestLeafBelow(ctx context.Context, logSize int64) (int64, error) {
	index, err := t.q.highestLeafBelow(ctx, logSize)
	return index, t.wrap(err, "events")
}

// EventsByLeaf gives up to limit events whose leaf lies above an index (-1 for all), in the log's order.
func (t *Tx) EventsByLeaf(ctx context.Context, after int64, limit int) ([]Event, error) {
	events, err := t.q.eventsByLeaf(ctx, after, rows(limit))
	return events, t.wrap(err, "events")
}

// EventsUnsequenced gives the events that wait for the log, oldest first.
func (t *Tx) EventsUnsequenced(ctx context.Context) ([]Event, error) {
	events, err := t.q.eventsUnsequenced(ctx)
	return events, t.wrap(err, "events")
}

// OutboxInAll counts the leaves that are on their way into the log or wait for their receipt, and says since when the
// oldest waits.
func (t *Tx) OutboxInAll(ctx context.Context) (leaves int64, oldest Instant, err error) {
	r, err := t.q.outboxInAll(ctx)
	return r.Leaves, Instant(r.OldestQueuedAt), t.wrap(err, "outbox")
}
