package transparency_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/transparency"
)

// TestEveryLeafOfATreeIsProven takes receipts of all leaves of a tree of several tiles, one after the other
// from what is read once, and verifies each by the policy.
func TestEveryLeafOfATreeIsProven(t *testing.T) {
	w := newWorld(t, 1, "bank")
	l := w.open(t)
	const leaves = 600
	done := make(chan error, leaves)
	indexes := make([]uint64, leaves)
	for n := range leaves {
		go func() {
			var err error
			indexes[n], err = l.Add(within(t), leaf(n))
			done <- err
		}()
	}
	for range leaves {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	for n, index := range indexes {
		w.proven(t, l, index, leaf(n))
	}
}

func TestALostTileGivesNoReceipt(t *testing.T) {
	w := newWorld(t, 1, "bank")
	l := w.open(t)
	for n := range 2 {
		if _, err := l.Add(within(t), leaf(n)); err != nil {
			t.Fatal(err)
		}
	}
	size := untilWitnessed(t, l, 2)
	if err := os.RemoveAll(filepath.Join(w.config.Dir, "tile", "0")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Receipt(within(t), size-1); fault.CodeOf(err) != "log_unreadable" {
		t.Fatal(err)
	}
}

// untilWitnessed waits for a checkpoint of at least a size, without asking for any receipt.
func untilWitnessed(t *testing.T, l *transparency.Log, least uint64) uint64 {
	for ctx := within(t); ctx.Err() == nil; time.Sleep(time.Millisecond) {
		if size, _, err := l.Witnessed(ctx); err == nil && size >= least {
			return size
		}
	}
	t.Fatal("not witnessed in time")
	return 0
}
