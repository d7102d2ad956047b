package transparency

import (
	"context"
	"sync/atomic"

	"github.com/transparency-dev/tessera"
)

// Two goroutines stand between Add and Tessera, whose queue takes no context and blocks when it is full or the disk
// hangs: ask hands the leaves over, answer waits for their places in the same order, in which Tessera gives them. With
// a goroutine for each leaf under way, waking them and looking through their stacks cost a fifth of a busy log's time.

// underWay is how many leaves may wait for either, two of Tessera's batches.
const underWay = 2 * batchEntries

// addJob is a leaf that somebody waits for.
type addJob struct {
	leaf  []byte
	hash  [32]byte
	added chan<- addition // has room for the one answer
}

// addition is the answer.
type addition struct {
	index uint64
	again bool // the leaf has been added before, by this process
	err   error
}

// placed is a leaf that was handed to Tessera. Only answer uses it, but for failed.
type placed struct {
	place  tessera.IndexFuture // nil once it was waited for
	index  uint64
	err    error
	failed atomic.Bool
}

// asked is a leaf on its way from ask to answer.
type asked struct {
	*placed
	again bool
	added chan<- addition
}

// sequence hands leaves to Tessera until ctx ends, and remembers the latest: one of them added again has the place that
// it has. What failed is forgotten, so that it can be tried again.
func (l *Log) sequence(ctx context.Context, add tessera.AddFn) {
	latest := newRing(rememberLeaves)
	onTheWay := make(chan asked, underWay)
	l.tasks.Go(func() { l.answer(ctx, onTheWay) })
	for {
		select {
		case job := <-l.jobs:
			p, again := latest.leaves[job.hash]
			if again = again && !p.failed.Load(); !again {
				p = &placed{place: add(ctx, tessera.NewEntry(job.leaf))}
				latest.keep(job.hash, p)
			}
			onTheWay <- asked{p, again, job.added}
		case <-ctx.Done():
			return
		}
	}
}

// answer tells everybody the place of his leaf.
func (l *Log) answer(ctx context.Context, onTheWay <-chan asked) {
	for {
		select {
		case a := <-onTheWay:
			a.added <- a.wait(a.again)
			l.adding.Done()
		case <-ctx.Done():
			return
		}
	}
}

func (p *placed) wait(again bool) addition {
	if p.place != nil {
		var i tessera.Index
		i, p.err = p.place()
		p.index, p.place = i.Index, nil
		p.failed.Store(p.err != nil)
	}
	return addition{p.index, again, p.err}
}

// ring holds the latest leaves by their hash.
type ring struct {
	leaves map[[32]byte]*placed
	order  [][32]byte
	next   int
}

func newRing(size int) *ring {
	return &ring{leaves: make(map[[32]byte]*placed, size), order: make([][32]byte, size)}
}

// keep remembers a leaf and forgets the one that it pushes out.
func (r *ring) keep(hash [32]byte, p *placed) {
	if _, held := r.leaves[hash]; !held { // else it failed, and keeps its turn
		delete(r.leaves, r.order[r.next])
		r.order[r.next] = hash
		r.next = (r.next + 1) % len(r.order)
	}
	r.leaves[hash] = p
}
