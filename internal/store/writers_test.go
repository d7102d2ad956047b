package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

const (
	writers         = 64
	eventsPerWriter = 12
)

// Each writer has a stream of its own and all of them share one, where they meet.
func TestManyWritersLoseNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		shared := store.Stream{Kind: "organisation", ID: "bank"}
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				own := store.Stream{Kind: "visit", ID: fmt.Sprintf("v%d", w)}
				for i := range eventsPerWriter {
					target := own
					if i%4 == 0 {
						target = shared
					}
					if err := s.Write(t.Context(), func(tx *store.Tx) error {
						return second(receive(t, tx, "bank", target, fmt.Sprintf("step%d.%d", w, i)))
					}); err != nil {
						t.Errorf("writer %d: %v", w, err)
					}
				}
			})
		}
		wg.Wait()
		look(t, s, func(tx *store.Tx) error {
			checkChain(t, tx, shared, writers*eventsPerWriter/4)
			for w := range writers {
				checkChain(t, tx, store.Stream{Kind: "visit", ID: fmt.Sprintf("v%d", w)}, eventsPerWriter*3/4)
			}
			leaves, err := tx.PendingLeaves(t.Context(), 10_000)
			if len(leaves) != writers*eventsPerWriter {
				t.Errorf("outbox: got %d leaves, want %d", len(leaves), writers*eventsPerWriter)
			}
			return err
		})
	})
}

// checkChain reads a whole stream: numbers without gaps, each naming the one before.
func checkChain(t *testing.T, tx *store.Tx, stream store.Stream, want int) {
	t.Helper()
	events, err := tx.Events(t.Context(), stream, 1, want+1)
	if err != nil || len(events) != want {
		t.Errorf("%s: got %d events %v, want %d", stream, len(events), err, want)
	}
	previous := ""
	for i, e := range events {
		if e.Number != int64(i+1) || e.Previous != previous {
			t.Fatalf("%s: event %d is number %d after %.8s, want after %.8s", stream, i+1, e.Number, e.Previous, previous)
		}
		previous = e.Digest
	}
}

// Two writers who read the same head: one is told, none is lost or overwritten.
func TestRaceForOneNumberIsAConflict(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		do(t, s, func(tx *store.Tx) error { return second(receive(t, tx, "bank", visit1, "book")) })
		var head store.Head
		look(t, s, func(tx *store.Tx) (err error) { head, err = tx.Head(t.Context(), visit1); return err })
		var won, lost int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for w := range 16 {
			wg.Go(func() {
				e, envelope := eventAfter("bank", visit1, head, fmt.Sprint("claim", w))
				e.Bytes = fmt.Append(e.Bytes, w)
				e.Digest = digest(string(e.Bytes))
				err := s.Write(t.Context(), func(tx *store.Tx) error {
					if err := tx.PutStatement(t.Context(), e.StatementDigest, envelope); err != nil {
						return err
					}
					return tx.AppendEvent(t.Context(), e, []byte("leaf"))
				})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won++
				case fault.CodeOf(err) == "stream_conflict" && fault.KindOf(err) == fault.Conflict:
					lost++
				default:
					t.Errorf("writer %d: %v", w, err)
				}
			})
		}
		wg.Wait()
		if won != 1 || lost != 15 {
			t.Errorf("got %d winners and %d conflicts, want 1 and 15", won, lost)
		}
		look(t, s, func(tx *store.Tx) error { checkChain(t, tx, visit1, 2); return nil })
	})
}

var errRule = fault.New(fault.Refused, "rule_of_this_test", "不行", "no")

// Commands that fail in every way there is run beside ones that succeed.
func TestFailingCommandTakesNobodyWithIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				key := fmt.Sprintf("writer%d", w)
				err := runAs(w%4, s, t.Context(), key)
				want := [4]string{"", "rule_of_this_test", "panicked", "store_failed"}[w%4]
				if got := codeOrText(err); got != want {
					t.Errorf("%s: got %q, want %q", key, got, want)
				}
			})
		}
		wg.Wait()
		look(t, s, func(tx *store.Tx) error {
			for w := range writers {
				_, err := tx.Setting(t.Context(), fmt.Sprintf("writer%d", w))
				if kept := err == nil; kept != (w%4 == 0) {
					t.Errorf("writer %d of kind %d: kept is %v", w, w%4, kept)
				}
			}
			return nil
		})
	})
}

// runAs writes a setting and then succeeds, refuses, panics or swallows a failure of the database.
func runAs(kind int, s *store.Store, ctx context.Context, key string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New(r.(string))
		}
	}()
	return s.Write(ctx, func(tx *store.Tx) error {
		if err := tx.SetSetting(ctx, key, "written"); err != nil {
			return err
		}
		switch kind {
		case 1:
			return errRule
		case 2:
			panic("panicked")
		case 3:
			_ = tx.PutShop(ctx, store.Shop{ID: key, Merchant: "of nobody"}) // its merchant is missing
		}
		return nil
	})
}

func codeOrText(err error) string {
	var f *fault.Fault
	if err == nil || errors.As(err, &f) {
		return fault.CodeOf(err)
	}
	return err.Error()
}

func TestGoexitInACommandUndoesIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_ = s.Write(context.Background(), func(tx *store.Tx) error {
				if err := tx.SetSetting(context.Background(), "half", "done"); err != nil {
					return err
				}
				runtime.Goexit()
				return nil
			})
		}()
		<-gone
		refused(t, s, "record_not_found", func(tx *store.Tx) error { return second(tx.Setting(t.Context(), "half")) })
	})
}

func TestTransactionIsOverWithItsFunction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var writing, reading *store.Tx
		do(t, s, func(tx *store.Tx) error { writing = tx; return nil })
		look(t, s, func(tx *store.Tx) error { reading = tx; return nil })
		for name, tx := range map[string]*store.Tx{"write": writing, "read": reading} {
			for call, err := range map[string]error{
				"exec":  tx.SetSetting(t.Context(), "late", "x"),
				"row":   second(tx.Setting(t.Context(), "late")),
				"rows":  second(tx.Models(t.Context())),
				"found": second(tx.CountIdentity(t.Context(), "phone", "x")),
			} {
				if got := fault.CodeOf(err); got != "store_transaction_over" {
					t.Errorf("%s after %s: got fault %q, want store_transaction_over", call, name, got)
				}
			}
		}
	})
}

func TestReadRefusesToWrite(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		err := s.Read(t.Context(), func(tx *store.Tx) error { return tx.SetSetting(t.Context(), "k", "v") })
		if got := fault.CodeOf(err); got != "store_failed" {
			t.Errorf("got fault %q, want store_failed", got)
		}
		refused(t, s, "record_not_found", func(tx *store.Tx) error { return second(tx.Setting(t.Context(), "k")) })
	})
}

// Readers see whole commands only, keep their snapshot, and do not wait for writers.
func TestReadersRunBesideWriters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		set := func(value string) error {
			return s.Write(t.Context(), func(tx *store.Tx) error {
				return errors.Join(tx.SetSetting(t.Context(), "left", value), tx.SetSetting(t.Context(), "right", value))
			})
		}
		if err := set("0"); err != nil {
			t.Fatal(err)
		}
		// A reader opened before the writes still sees its snapshot after them.
		look(t, s, func(tx *store.Tx) error {
			before, err := tx.Setting(t.Context(), "left")
			if err != nil {
				return err
			}
			if err := set("1"); err != nil {
				return err
			}
			after, err := tx.Setting(t.Context(), "right")
			if before != "0" || after != "0" {
				t.Errorf("snapshot: got %q then %q, want 0 twice", before, after)
			}
			return err
		})
		stop, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			defer cancel()
			for i := range 60 {
				if err := set(fmt.Sprint(i)); err != nil {
					t.Error(err)
				}
			}
		})
		for range 4 {
			wg.Go(func() {
				for stop.Err() == nil {
					look := func(tx *store.Tx) error {
						left, err := tx.Setting(t.Context(), "left")
						if err != nil {
							return err
						}
						right, err := tx.Setting(t.Context(), "right")
						if left != right {
							t.Errorf("half a command: left %q, right %q", left, right)
						}
						return err
					}
					if err := s.Read(t.Context(), look); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	})
}

// While one writer holds its turn, another one gives up waiting.
func TestCallerMayStopWaiting(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		inside, leave := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := s.Write(t.Context(), func(tx *store.Tx) error { close(inside); <-leave; return nil }); err != nil {
				t.Error(err)
			}
		})
		<-inside
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		err := s.Write(ctx, func(tx *store.Tx) error { t.Error("ran after its caller had gone"); return nil })
		if got := fault.CodeOf(err); got != "store_busy" || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want store_busy because of the deadline", err)
		}
		close(leave)
		wg.Wait()
	})
}

// Readers who use up every connection that they have do not keep a writer out.
func TestAWriterDoesNotWaitForReaders(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, stop := context.WithCancel(t.Context())
		var reading sync.WaitGroup
		inside := make(chan struct{}, 100)
		for range cap(inside) {
			reading.Go(func() {
				_ = s.Read(ctx, func(tx *store.Tx) error { inside <- struct{}{}; <-ctx.Done(); return nil })
			})
		}
		<-inside
		do(t, s, func(tx *store.Tx) error { return tx.SetSetting(t.Context(), "k", "v") })
		stop()
		reading.Wait()
	})
}

// A caller that goes away in the middle of its turn spoils nothing for the others.
func TestCancelledCommandIsKeptOrUndoneWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var wg sync.WaitGroup
		kept := make([]bool, 32)
		for w := range kept {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				err := s.Write(ctx, func(tx *store.Tx) error {
					if err := tx.SetSetting(ctx, fmt.Sprint("a", w), "x"); err != nil {
						return err
					}
					if w%2 == 0 {
						cancel()
					}
					return tx.SetSetting(ctx, fmt.Sprint("b", w), "x")
				})
				kept[w] = err == nil
				if w%2 == 1 && err != nil {
					t.Errorf("writer %d was not cancelled: %v", w, err)
				}
			})
		}
		wg.Wait()
		look(t, s, func(tx *store.Tx) error {
			for w, want := range kept {
				_, a := tx.Setting(t.Context(), fmt.Sprint("a", w))
				_, b := tx.Setting(t.Context(), fmt.Sprint("b", w))
				if (a == nil) != want || (b == nil) != want {
					t.Errorf("writer %d was told %v; its rows: %v, %v", w, want, a, b)
				}
			}
			return nil
		})
	})
}

func TestClosedStoreRefuses(t *testing.T) {
	for _, e := range storetest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			s, err := store.Open(t.Context(), e.DSN(t))
			if err != nil {
				t.Fatal(err)
			}
			// Whoever is inside finishes; whoever comes later is refused.
			inside := make(chan struct{})
			finished := make(chan error, 1)
			go func() {
				finished <- s.Write(context.Background(), func(tx *store.Tx) error {
					close(inside)
					time.Sleep(20 * time.Millisecond)
					return tx.SetSetting(context.Background(), "last", "word")
				})
			}()
			<-inside
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := <-finished; err != nil {
				t.Errorf("the command under way: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("closing twice: %v", err)
			}
			nothing := func(*store.Tx) error { t.Error("ran on a closed store"); return nil }
			if got := fault.CodeOf(s.Write(t.Context(), nothing)); got != "store_closed" {
				t.Errorf("write: got fault %q, want store_closed", got)
			}
			if got := fault.CodeOf(s.Read(t.Context(), nothing)); got != "store_closed" {
				t.Errorf("read: got fault %q, want store_closed", got)
			}
		})
	}
}
