package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

// SQLite loses the whole transaction in the middle of a batch: nobody in it is told yes, and whoever
// comes next is served.
func TestLostBatchIsNobodysSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.SQLite(t)
		ctx := t.Context()
		set := func(key string, then func(tx *store.Tx) error) string {
			return fault.CodeOf(s.Write(ctx, func(tx *store.Tx) error {
				if err := tx.SetSetting(ctx, key, "x"); err != nil {
					return err
				}
				return then(tx)
			}))
		}
		leave := make(chan struct{})
		told := map[string]string{}
		var before, loser string
		go func() { before = set("before", func(*store.Tx) error { <-leave; return nil }) }()
		synctest.Wait() // before has its turn
		go func() { loser = set("loser", store.LoseTransaction) }()
		synctest.Wait() // loser stands in line
		close(leave)
		synctest.Wait()
		told["before"], told["loser"] = before, loser
		told["after"] = set("after", func(*store.Tx) error { return nil })
		for key, want := range map[string]string{"before": "store_failed", "loser": "store_failed", "after": ""} {
			if told[key] != want {
				t.Errorf("%s was told %q, want %q", key, told[key], want)
			}
			err := s.Read(ctx, func(tx *store.Tx) error { return second(tx.Setting(ctx, key)) })
			if kept := err == nil; kept != (want == "") {
				t.Errorf("%s: kept is %v", key, kept)
			}
		}
	})
}

// A full disk fails whom it must, keeps what was acknowledged, and is over when there is room again.
func TestFullDiskLosesNothingThatWasAcknowledged(t *testing.T) {
	s := storetest.SQLite(t)
	ctx := t.Context()
	store.SetMaxPages(t, s, 150)
	big := strings.Repeat("x", 2000)
	kept := make([]error, 400)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := w; i < len(kept); i += 8 {
				kept[i] = s.Write(ctx, func(tx *store.Tx) error {
					_ = tx.SetSetting(ctx, fmt.Sprint("a", i), big) // swallowed: the next one must not stand alone
					return tx.SetSetting(ctx, fmt.Sprint("b", i), big)
				})
			}
		})
	}
	wg.Wait()
	store.SetMaxPages(t, s, 1<<20)
	do(t, s, func(tx *store.Tx) error { return tx.SetSetting(ctx, "room", "again") })
	failed := 0
	look(t, s, func(tx *store.Tx) error {
		for i, told := range kept {
			_, a := tx.Setting(ctx, fmt.Sprint("a", i))
			_, b := tx.Setting(ctx, fmt.Sprint("b", i))
			if (told == nil) != (a == nil) || (told == nil) != (b == nil) {
				t.Errorf("%d was told %v; its rows: %v, %v", i, told, a, b)
			}
			if told != nil {
				failed++
			}
		}
		return nil
	})
	if failed == 0 || failed == len(kept) {
		t.Errorf("%d of %d failed: the disk was never full, or always", failed, len(kept))
	}
}

// Readers that panic give their places back.
func TestPanickingReadersDoNotUseUpThePool(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for range 40 {
			func() {
				defer func() { _ = recover() }()
				_ = s.Read(t.Context(), func(tx *store.Tx) error { panic("in a reader") })
			}()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := s.Read(ctx, func(tx *store.Tx) error { return second(tx.Models(ctx)) }); err != nil {
			t.Error(err)
		}
	})
}

func TestReaderMayStopWaiting(t *testing.T) {
	s := storetest.SQLite(t)
	leave := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(leave)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for range 100 {
		wg.Go(func() {
			_ = s.Read(ctx, func(tx *store.Tx) error { <-leave; return nil })
		})
	}
	<-ctx.Done()
	err := s.Read(ctx, func(tx *store.Tx) error { t.Error("ran without a reader"); return nil })
	if got := fault.CodeOf(err); got != "store_busy" || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want store_busy because of the deadline", err)
	}
}

// A full or read-only disk is told by its own name, whoever's command met it first, and is over by itself.
func TestADiskThatCannotBeWrittenIsNamed(t *testing.T) {
	s := storetest.SQLite(t)
	ctx := t.Context()
	big := strings.Repeat("x", 2000)
	write := func(i int) error {
		return s.Write(ctx, func(tx *store.Tx) error { return tx.SetSetting(ctx, fmt.Sprint("k", i), big) })
	}
	store.SetMaxPages(t, s, 150)
	var mu sync.Mutex
	var wg sync.WaitGroup
	full := 0
	for w := range 8 {
		wg.Go(func() {
			for i := range 50 {
				if err := write(w*50 + i); err != nil {
					mu.Lock()
					full++
					mu.Unlock()
					if fault.CodeOf(err) != "store_disk_full" || fault.KindOf(err) != fault.Unavailable {
						t.Errorf("%d: %v", w*50+i, err)
					}
				}
			}
		})
	}
	wg.Wait()
	if full == 0 {
		t.Error("the disk was never full")
	}
	store.SetMaxPages(t, s, 1<<20)
	if err := write(1000); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestADiskThatCanOnlyBeReadIsNamed(t *testing.T) {
	s := storetest.SQLite(t)
	ctx := t.Context()
	write := func() error {
		return s.Write(ctx, func(tx *store.Tx) error { return tx.SetSetting(ctx, "k", "v") })
	}
	store.SetReadOnly(t, s, true)
	if err := write(); fault.CodeOf(err) != "store_read_only" || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
	store.SetReadOnly(t, s, false)
	if err := write(); err != nil {
		t.Errorf("writable again: %v", err)
	}
}

// Server and a command share the file. Whoever finds it held for too long is told that it is busy, not that
// something failed, and is served as soon as it is free.
func TestAFileThatAnotherProcessHoldsIsBusy(t *testing.T) {
	dsn := storetest.Engines()[0].DSN(t) // SQLite
	server, command := storetest.Open(t, dsn), storetest.Open(t, dsn)
	store.WaitAtMost(t, command, 20*time.Millisecond)
	ctx := t.Context()
	write := func(s *store.Store, then func()) error {
		return s.Write(ctx, func(tx *store.Tx) error { then(); return tx.SetSetting(ctx, "k", "v") })
	}
	var held error
	if err := write(server, func() { held = write(command, func() {}) }); err != nil {
		t.Fatal(err)
	}
	if fault.CodeOf(held) != "store_busy" || fault.KindOf(held) != fault.Unavailable {
		t.Errorf("held: %v", held)
	}
	if err := write(command, func() {}); err != nil {
		t.Errorf("free again: %v", err)
	}
}
