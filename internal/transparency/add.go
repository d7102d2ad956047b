package transparency

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
)

var (
	errAddUnknown = fault.New(fault.Unavailable, "log_add_unknown", "不清楚这一条写进日志没有，重试前要先查。", "It is not known whether the leaf was sequenced: look for it before adding it again.")
	errUnreadable = fault.New(fault.Internal, "log_unreadable", "日志的文件读不出来，或者前后不符；停下服务，运行 menshen repair-log。", "The log's files are unreadable or contradict each other: stop the server and run menshen repair-log.")
	errOlder      = fault.New(fault.Internal, "log_folder_older", "日志的文件夹比已经签过、记过的要旧，或者是另一份；停下服务，运行 menshen repair-log。", "The log's folder is older than what was signed and recorded, or another one's: stop the server and run menshen repair-log.")
)

// Add sequences a leaf durably and gives its index, witnesses or not. One of the latest leaves
// added again, in this process or after a restart, gets the index that it has: an outbox that lost
// the answer simply asks again. For a leaf that others may have followed by the thousand since, and
// after the disk failed, ask Find first. Faults: leaf_malformed and the leaf's others,
// log_starting, log_closed, log_folder, log_unreadable, log_folder_older (certainly not added), log_add_unknown
// (perhaps added).
func (l *Log) Add(ctx context.Context, leaf []byte) (index uint64, err error) {
	if _, err := record.ParseLeaf(leaf); err != nil {
		return 0, err
	}
	if err := l.started(ctx); err != nil {
		return 0, err
	}
	hash := record.LeafHash(leaf)
	if index, ok := l.before[hash]; ok {
		return index, nil
	}
	if err := l.sound(time.Now()); err != nil {
		return 0, err
	}
	floor := l.floor.Load()
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return 0, errClosed
	}
	l.adding.Add(1)
	l.mu.Unlock()

	added := make(chan addition, 1)
	if !l.hand(ctx, addJob{bytes.Clone(leaf), hash, added}) {
		l.adding.Done()
		return 0, errAddUnknown.Because(ctx.Err())
	}
	select {
	case r := <-added:
		if r.err != nil {
			return 0, errAddUnknown.Because(r.err)
		}
		if !r.again && r.index < floor {
			return 0, l.trample(r.index)
		}
		return r.index, nil
	case <-ctx.Done():
		return 0, errAddUnknown.Because(ctx.Err())
	}
}

// hand gives a leaf to sequence, at once if there is room; false when ctx ends first.
func (l *Log) hand(ctx context.Context, job addJob) bool {
	select {
	case l.jobs <- job:
		return true
	default:
	}
	select {
	case l.jobs <- job:
		return true
	case <-ctx.Done():
		return false
	}
}

// trample notes that the folder changed under a leaf, so that it got a place that was another's. The answer counts
// for nothing, and this folder is not written to again.
func (l *Log) trample(index uint64) error {
	l.looking.Lock()
	defer l.looking.Unlock()
	l.soundAt.Store(0)
	l.trampled = errOlder.At(fmt.Sprintf("leaf %d given twice", index))
	l.tell(l.trampled)
	return l.trampled
}

// Size is the number of leaves sequenced, witnessed or not. A leaf that is added later has at least
// this index. Faults: log_starting, log_closed, log_unreadable.
func (l *Log) Size(ctx context.Context) (uint64, error) {
	if err := l.started(ctx); err != nil {
		return 0, err
	}
	size, err := l.reader.IntegratedSize(ctx)
	if err != nil {
		return 0, errUnreadable.Because(err)
	}
	return size, nil
}

// Find looks for a leaf from an index on, however old it is. Its "not found" is final when no Add of
// this leaf is under way. Faults: log_starting, log_closed, log_unreadable.
func (l *Log) Find(ctx context.Context, leaf []byte, from uint64) (index uint64, found bool, err error) {
	size, err := l.Size(ctx)
	if err != nil {
		return 0, false, err
	}
	err = l.scan(ctx, from, size, func(i uint64, entry []byte) bool {
		index, found = i, bytes.Equal(entry, leaf)
		return !found
	})
	if err != nil || !found {
		return 0, false, err
	}
	return index, true, nil
}

// latestLeaves gives the indexes of the leaves whose Add a crash may have left unanswered. It reads
// no more than a queue can hold: older answers were given long ago.
func (l *Log) latestLeaves(ctx context.Context) (map[[32]byte]uint64, error) {
	size, err := l.reader.IntegratedSize(ctx)
	if err != nil {
		return nil, errUnreadable.Because(err)
	}
	from := size - min(size, rememberLeaves)
	latest := make(map[[32]byte]uint64, size-from)
	err = l.scan(ctx, from, size, func(i uint64, entry []byte) bool {
		latest[record.LeafHash(entry)] = i
		return true
	})
	return latest, err
}

// scan visits the entries from one index up to another, until visit says no.
func (l *Log) scan(ctx context.Context, from, size uint64, visit func(index uint64, entry []byte) bool) error {
	if from >= size {
		return nil
	}
	for r := range layout.Range(from, size-from, size) {
		entries, err := l.bundle(ctx, r.Index, size)
		if err != nil {
			return err
		}
		for i := r.First; i < r.First+r.N; i++ {
			if !visit(r.Index*layout.EntryBundleWidth+uint64(i), entries[i]) {
				return nil
			}
		}
	}
	return nil
}

// bundle reads the entries of one bundle as a log of size leaves has them, all of them.
func (l *Log) bundle(ctx context.Context, index, size uint64) ([][]byte, error) {
	b, err := client.GetEntryBundle(ctx, l.reader.ReadEntryBundle, index, size)
	if err != nil {
		return nil, errUnreadable.Because(err)
	}
	if uint64(len(b.Entries)) < min(layout.EntryBundleWidth, size-index*layout.EntryBundleWidth) {
		return nil, errUnreadable.At("entry bundle")
	}
	return b.Entries, nil
}
