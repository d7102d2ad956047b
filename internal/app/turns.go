package app

import (
	"context"
	"sync"

	"github.com/menshen-project/menshen/internal/fault"
)

// turns lets the writers of one stream in this process go one after the other. Without it all writers of a
// busy stream, such as an acquirer's that enrols merchants all day, prove their statements for the same
// place and all but one have proven for nothing. Writers of other processes still meet in the store, which
// tells one of them to try again. The zero value is ready.
type turns struct {
	mu   sync.Mutex
	busy map[string]*turn
}

// turn is one stream's; it is kept while somebody has it or waits for it.
type turn struct {
	free chan struct{} // holds one token while nobody writes
	want int
}

var errGaveUp = fault.New(fault.Unavailable, "stream_wait_ended", "前面还有人在写，没有等到，请再试一次。", "Others were still writing to the same record when the wait ended; try again.")

// take waits for a stream's turn; leave gives it on. Faults: stream_wait_ended.
func (t *turns) take(ctx context.Context, stream string) (leave func(), err error) {
	t.mu.Lock()
	if t.busy == nil {
		t.busy = map[string]*turn{}
	}
	mine := t.busy[stream]
	if mine == nil {
		mine = &turn{free: make(chan struct{}, 1)}
		mine.free <- struct{}{}
		t.busy[stream] = mine
	}
	mine.want++
	t.mu.Unlock()
	select {
	case <-mine.free:
		return func() { mine.free <- struct{}{}; t.forget(stream, mine) }, nil
	case <-ctx.Done():
		t.forget(stream, mine)
		return nil, errGaveUp.Because(ctx.Err())
	}
}

func (t *turns) forget(stream string, mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.want--; mine.want == 0 {
		delete(t.busy, stream)
	}
}
