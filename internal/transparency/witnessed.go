package transparency

import (
	"bytes"
	"context"
	"errors"
	"os"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
)

const (
	minPoll = 20 * time.Millisecond
	// Behind this many intervals, leaves are not just on their way but waiting for witnesses.
	graceIntervals = 3
)

var (
	errNotWitnessed = fault.New(fault.Unavailable, "log_not_witnessed", "见证方还没有确认日志的这一部分。", "No quorum of witnesses has cosigned this part of the log yet.")
	errNoEntry      = fault.New(fault.NotFound, "log_no_such_entry", "日志里没有这个位置。", "The log has no entry at this index.")
)

// watch follows what Tessera publishes until the log is closed.
func (l *Log) watch(ctx context.Context) {
	ticker := time.NewTicker(max(minPoll, l.config.Interval/10))
	defer ticker.Stop()
	for n := 0; ; n++ {
		if n%10 == 0 { // once an interval
			_ = l.sound(time.Now()) // which says itself what is wrong
		}
		if err := l.look(ctx, time.Now()); err != nil && l.Trouble() == nil {
			l.warn(ctx, "log cannot be read", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// look takes in the published checkpoint if it is new, and notes since when leaves wait.
func (l *Log) look(ctx context.Context, now time.Time) error {
	published, err := l.reader.ReadCheckpoint(ctx)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	size, err := l.reader.IntegratedSize(ctx)
	if err != nil {
		return err
	}
	if !bytes.Equal(published, l.seen) {
		l.seen = published
		err = l.takeIn(published, now)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.size = size
	if l.latest.checkpoint.OK() && l.latest.checkpoint.Size() >= size {
		l.behindAt = time.Time{}
	} else if l.behindAt.IsZero() {
		l.behindAt = now
	}
	return err
}

// takeIn makes a published checkpoint the latest. What the policy does not accept is no checkpoint:
// a folder from before a change of witnesses waits for the next one. An older one changes nothing.
func (l *Log) takeIn(published []byte, now time.Time) error {
	data, err := l.policy.CanonicalCheckpoint(published)
	if err != nil {
		return err
	}
	checkpoint, err := l.verifier.VerifyCheckpoint(data)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if checkpoint.Size() >= l.latest.checkpoint.Size() {
		l.latest = witnessed{checkpoint, data, now}
		close(l.changed)
		l.changed = make(chan struct{})
	}
	return nil
}

// newest gives the latest witnessed checkpoint, and a channel that closes when there is a newer
// one.
func (l *Log) newest() (witnessed, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.latest, l.changed
}

// Witnessed gives size and bytes of the latest checkpoint that the policy accepts. Faults:
// log_not_witnessed when there is none.
func (l *Log) Witnessed(ctx context.Context) (size uint64, checkpoint []byte, err error) {
	w, _ := l.newest()
	if !w.checkpoint.OK() {
		return 0, nil, errNotWitnessed
	}
	return w.checkpoint.Size(), bytes.Clone(w.data), nil
}

// Receipt proves the leaf at index under the latest witnessed checkpoint. It passes the log's own
// policy or is not given. Faults: log_starting, log_closed, log_no_such_entry, log_not_witnessed,
// log_unreadable.
func (l *Log) Receipt(ctx context.Context, index uint64) ([]byte, error) {
	size, err := l.Size(ctx)
	if err != nil {
		return nil, err
	}
	if index >= size {
		return nil, errNoEntry
	}
	w, _ := l.newest()
	return l.receiptUnder(ctx, index, w)
}

func (l *Log) receiptUnder(ctx context.Context, index uint64, w witnessed) ([]byte, error) {
	size := w.checkpoint.Size()
	if !w.checkpoint.OK() || index >= size {
		return nil, errNotWitnessed
	}
	prover := l.proverFor(size)
	entry, proof, err := prover.prove(ctx, index)
	if err != nil {
		return nil, err
	}
	receipt := record.FormatReceipt(index, proof, w.data)
	if _, err := l.verifier.VerifyReceipt(receipt, entry); err != nil {
		prover.forget()
		return nil, errUnreadable.Because(err)
	}
	return receipt, nil
}

// WaitWitnessed is Receipt, but waits for witnesses as long as ctx allows. Faults: Receipt's;
// log_not_witnessed when ctx ends first.
func (l *Log) WaitWitnessed(ctx context.Context, index uint64) (receipt []byte, err error) {
	for {
		_, changed := l.newest()
		receipt, err := l.Receipt(ctx, index)
		if !errors.Is(err, errNotWitnessed) {
			return receipt, err
		}
		select {
		case <-changed:
		case <-l.done:
			return nil, errClosed
		case <-ctx.Done():
			return nil, errNotWitnessed.Because(ctx.Err())
		}
	}
}

// State is what the log as a whole is doing.
type State string

const (
	StateStarting = State("starting")              // not yet open; Add waits
	StateOK       = State("ok")                    // what is sequenced gets witnessed
	StateWaiting  = State("waiting_for_witnesses") // leaves are sequenced and queue for cosignatures
	StateDamaged  = State("damaged")               // nothing is sequenced; see Trouble
	StateClosed   = State("closed")
)

// Status is for people and alarms; nothing decides by it.
type Status struct {
	State       State           `json:"state"`
	Size        uint64          `json:"size"`         // leaves sequenced
	Witnessed   uint64          `json:"witnessed"`    // leaves under the latest witnessed checkpoint
	WitnessedAt time.Time       `json:"witnessed_at"` // when that was seen; zero for never
	Witnesses   []WitnessStatus `json:"witnesses"`
}

// Status says how the log is doing.
func (l *Log) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Status{State: l.state(time.Now()), Size: max(l.size, l.latest.checkpoint.Size()), Witnessed: l.latest.checkpoint.Size(),
		WitnessedAt: l.latest.seen, Witnesses: l.witnesses.status()}
	return s
}

func (l *Log) state(now time.Time) State {
	if l.closed {
		return StateClosed
	}
	if l.trouble != nil {
		return StateDamaged
	}
	select {
	case <-l.ready:
	default:
		return StateStarting
	}
	grace := graceIntervals * l.config.Interval
	switch {
	case !l.latest.checkpoint.OK():
		return StateWaiting
	case !l.behindAt.IsZero() && now.Sub(l.behindAt) > grace:
		return StateWaiting
	case now.Sub(l.latest.seen) > republish+l.config.WitnessTimeout+grace:
		return StateWaiting // nothing new to cosign, but not even the old is cosigned again
	}
	return StateOK
}
