package transparency

import (
	"context"
	"crypto/sha256"
	"errors"
	"strconv"
	"testing"

	"github.com/transparency-dev/tessera"
)

var errDisk = errors.New("disk full")

// queue is a Tessera that gives places in order, after the first calls failed.
type queue struct {
	failing int
	places  uint64
}

func (q *queue) add(context.Context, *tessera.Entry) tessera.IndexFuture {
	if q.failing > 0 {
		q.failing--
		return func() (tessera.Index, error) { return tessera.Index{}, errDisk }
	}
	i := tessera.Index{Index: q.places}
	q.places++
	return func() (tessera.Index, error) { return i, nil }
}

// sequenced runs ask and answer over a queue until the test ends, and gives what adds a leaf without waiting.
func sequenced(t *testing.T, q *queue) func(name string) <-chan addition {
	t.Helper()
	l := &Log{jobs: make(chan addJob, underWay)}
	ctx, cancel := context.WithCancel(t.Context())
	l.tasks.Go(func() { l.sequence(ctx, q.add) })
	t.Cleanup(func() { l.adding.Wait(); cancel(); l.tasks.Wait() })
	return func(name string) <-chan addition {
		added := make(chan addition, 1)
		l.adding.Add(1)
		l.jobs <- addJob{[]byte(name), sha256.Sum256([]byte(name)), added}
		return added
	}
}

func TestOneLeafHasOnePlace(t *testing.T) {
	add := sequenced(t, &queue{})
	first, second, third := add("noodles"), add("tea"), add("noodles")
	if got := <-third; got != (addition{index: 0, again: true}) {
		t.Errorf("added while it was under way: %+v", got)
	}
	if got := <-first; got != (addition{index: 0}) {
		t.Errorf("first: %+v", got)
	}
	if got := <-second; got != (addition{index: 1}) {
		t.Errorf("second: %+v", got)
	}
	if got := <-add("tea"); got != (addition{index: 1, again: true}) {
		t.Errorf("added after it had its place: %+v", got)
	}
}

func TestALeafThatFailedCanBeTriedAgain(t *testing.T) {
	add := sequenced(t, &queue{failing: 2})
	for try := range 2 {
		if got := <-add("noodles"); !errors.Is(got.err, errDisk) {
			t.Fatalf("try %d: %+v", try, got)
		}
	}
	if got := <-add("noodles"); got != (addition{index: 0}) {
		t.Errorf("after the disk was cleared: %+v", got)
	}
	if got := <-add("noodles"); got != (addition{index: 0, again: true}) {
		t.Errorf("and once more: %+v", got)
	}
}

// Only the latest leaves are remembered, however often one of them failed.
func TestTheOldestLeafIsForgotten(t *testing.T) {
	name := func(i int) [32]byte { return sha256.Sum256([]byte(strconv.Itoa(i))) }
	r := newRing(3)
	for i := range 5 {
		r.keep(name(i), &placed{index: uint64(i)})
		r.keep(name(i), &placed{index: uint64(i)}) // its second try
	}
	for i := range 5 {
		if p := r.leaves[name(i)]; (p != nil) != (i >= 2) || p != nil && p.index != uint64(i) {
			t.Errorf("leaf %d: %v", i, p)
		}
	}
	if len(r.leaves) != 3 {
		t.Errorf("%d leaves are held", len(r.leaves))
	}
}
