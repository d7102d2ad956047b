//go:build postgres

package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

// onPostgres opens a server's store, and another process's on the same database.
func onPostgres(t *testing.T) (server, another *store.Store) {
	t.Helper()
	engines := storetest.Engines()
	dsn := engines[len(engines)-1].DSN(t)
	return storetest.Open(t, dsn), storetest.Open(t, dsn)
}

// transaction names the transaction in which a command runs.
func transaction(tx *store.Tx) (string, error) {
	return store.Ask(tx, "SELECT CAST(pg_current_xact_id() AS TEXT)")
}

// neighbours are callers who came while the first one, who said when, had its turn. Which of them stood in line when it
// left is not for the test to say, so it plays again, under new names, until some did.
type neighbours struct {
	t     *testing.T
	s     *store.Store
	round int
	wg    sync.WaitGroup
	mu    sync.Mutex
	runs  map[string][]string // the transactions in which a caller's command ran
	told  map[string]error
}

// play lets play run until it says that commands met in one transaction.
func play(t *testing.T, s *store.Store, play func(n *neighbours) (met bool)) {
	t.Helper()
	for round := range 200 {
		n := &neighbours{t: t, s: s, round: round, runs: map[string][]string{}, told: map[string]error{}}
		met := play(n)
		for who, told := range n.told {
			err := s.Read(t.Context(), func(tx *store.Tx) error { return second(tx.Setting(t.Context(), n.name(who))) })
			if kept := err == nil; kept != (told == nil) {
				t.Fatalf("%s was told %v and is kept: %v (%v)", who, told, kept, err)
			}
		}
		if met || t.Failed() {
			return
		}
	}
	t.Fatal("nobody ever met anybody")
}

func (n *neighbours) name(who string) string { return fmt.Sprint(who, n.round) }

// calls has who write his name, and then do more.
func (n *neighbours) calls(who string, then func(tx *store.Tx, run int) error) {
	var run int
	err := n.s.Write(n.t.Context(), func(tx *store.Tx) error {
		in, err := transaction(tx)
		if err != nil {
			return err
		}
		run++
		n.mu.Lock()
		n.runs[who] = append(n.runs[who], in)
		n.mu.Unlock()
		if err := tx.SetSetting(n.t.Context(), n.name(who), "x"); err != nil {
			return err
		}
		return then(tx, run)
	})
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told[who] = err
}

// good has four more callers stand in line, as far as they get.
func (n *neighbours) good() {
	var coming sync.WaitGroup
	for i := range 4 {
		coming.Add(1)
		n.wg.Go(func() {
			coming.Done()
			n.calls(fmt.Sprint("good", i), func(*store.Tx, int) error { return nil })
		})
	}
	coming.Wait()
}

// met says whether who ran in the transaction of a good caller. Every good one must have been told yes.
func (n *neighbours) met(who string) (met bool) {
	for i := range 4 {
		good := fmt.Sprint("good", i)
		if err := n.told[good]; err != nil {
			n.t.Errorf("%s, who did nothing wrong, was told %v", good, err)
		}
		met = met || len(n.runs[good]) > 0 && n.runs[good][0] == n.runs[who][0]
	}
	return met
}

// Four callers share the first one's transaction; one behind them refuses, panics or fails, and takes nobody along.
func TestCallersShareATransaction(t *testing.T) {
	server, _ := onPostgres(t)
	play(t, server, func(n *neighbours) bool {
		n.calls("first", func(*store.Tx, int) error { n.good(); return nil })
		n.wg.Wait()
		return n.met("first")
	})
	for kind := 1; kind < 4; kind++ {
		play(t, server, func(n *neighbours) bool {
			var failing sync.WaitGroup
			n.calls("first", func(tx *store.Tx, _ int) error {
				failing.Go(func() {
					want := [4]string{"", "rule_of_this_test", "panicked", "store_failed"}[kind]
					if got := codeOrText(runAs(kind, server, t.Context(), n.name("failing"))); got != want {
						t.Errorf("kind %d: got %q, want %q", kind, got, want)
					}
				})
				n.good()
				return nil
			})
			failing.Wait()
			n.wg.Wait()
			refused(t, server, "record_not_found", func(tx *store.Tx) error { return second(tx.Setting(t.Context(), n.name("failing"))) })
			return n.met("first")
		})
	}
}

// Another process commits what a command's reading rested on: the engine undoes the whole batch, and every command of
// it runs again, from its start.
func TestAConflictWithAnotherProcessRunsTheBatchAgain(t *testing.T) {
	server, another := onPostgres(t)
	ctx := t.Context()
	do(t, server, func(tx *store.Tx) error {
		return errors.Join(tx.SetSetting(ctx, "doctor wei on call", "1"), tx.SetSetting(ctx, "doctor lan on call", "1"))
	})
	// leave lets one go if the other stays: run beside each other, both would.
	leave := func(tx *store.Tx, who, other string) error {
		stays, err := tx.Setting(ctx, other)
		if err != nil || stays == "0" {
			return errors.Join(err, errRule)
		}
		return tx.SetSetting(ctx, who, "0")
	}
	play(t, server, func(n *neighbours) bool {
		do(t, another, func(tx *store.Tx) error { return tx.SetSetting(ctx, "doctor lan on call", "1") })
		n.calls("wei", func(tx *store.Tx, run int) error {
			err := leave(tx, "doctor wei on call", "doctor lan on call")
			if run == 1 {
				do(t, another, func(tx *store.Tx) error { return leave(tx, "doctor lan on call", "doctor wei on call") })
				n.good()
			}
			return err
		})
		n.wg.Wait()
		if fault.CodeOf(n.told["wei"]) != "rule_of_this_test" || len(n.runs["wei"]) < 2 {
			t.Errorf("wei was told %v after %d runs, want a refusal after two", n.told["wei"], len(n.runs["wei"]))
		}
		return n.met("wei")
	})
}

// The connection is cut in somebody's turn. Whose statement broke is told so; all others run again, also the one who
// refused, since that rested on what is gone.
func TestAConnectionCutInTheMiddleFailsOnlyWhoseItWas(t *testing.T) {
	server, another := onPostgres(t)
	ctx := t.Context()
	cut := func(tx *store.Tx) error {
		pid, err := store.Ask(tx, "SELECT CAST(pg_backend_pid() AS TEXT)")
		if err != nil {
			return err
		}
		// Gone when this comes back: the backend is no more in the list.
		return another.Write(ctx, func(tx *store.Tx) error {
			return second(store.Ask(tx, "SELECT CAST(pg_terminate_backend("+pid+", 30000) AS TEXT)"))
		})
	}
	for _, own := range []bool{true, false} {
		play(t, server, func(n *neighbours) bool {
			var last sync.WaitGroup
			n.calls("first", func(tx *store.Tx, run int) error {
				if run == 1 {
					n.good()
					last.Go(func() {
						n.calls("last", func(tx *store.Tx, run int) error {
							if run > 1 {
								return errRule
							}
							if err := cut(tx); err != nil {
								t.Error(err)
							}
							if own {
								return tx.SetSetting(ctx, "too late", "x")
							}
							return errRule
						})
					})
				}
				return nil
			})
			last.Wait()
			n.wg.Wait()
			shared := n.met("last")
			want, runs := "rule_of_this_test", 1
			if own {
				want = "store_failed"
			} else if shared {
				runs = 2
			}
			if got := fault.CodeOf(n.told["last"]); got != want || shared && len(n.runs["last"]) != runs {
				t.Errorf("own statement %v: was told %q after %d runs, want %q after %d", own, got, len(n.runs["last"]), want, runs)
			}
			return shared
		})
	}
}

// The connection is cut while it commits: nobody knows what became of it, so everybody is told that it failed and
// nothing runs again.
func TestAConnectionCutAtTheCommitIsRunNoSecondTime(t *testing.T) {
	server, another := onPostgres(t)
	ctx := t.Context()
	do(t, another, func(tx *store.Tx) error {
		for _, statement := range []string{
			`CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
				'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); RETURN NULL; END' `,
			`CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON settings DEFERRABLE INITIALLY DEFERRED
				FOR EACH ROW WHEN (NEW.key LIKE 'struck%') EXECUTE FUNCTION cut()`,
		} {
			if _, err := store.Ask(tx, statement); fault.CodeOf(err) != "record_not_found" { // it answers with no row
				return err
			}
		}
		return nil
	})
	play(t, server, func(n *neighbours) bool {
		n.calls("struck", func(*store.Tx, int) error { n.good(); return nil })
		n.wg.Wait()
		met := false
		for who, runs := range n.runs {
			if len(runs) != 1 {
				t.Errorf("%s ran %d times", who, len(runs))
			}
			with := runs[0] == n.runs["struck"][0]
			if with != (n.told[who] != nil) || n.told[who] != nil && fault.CodeOf(n.told[who]) != "store_failed" {
				t.Errorf("%s, in the transaction that was struck: %v, was told %v", who, with, n.told[who])
			}
			met = met || with && who != "struck"
		}
		return met
	})
	do(t, server, func(tx *store.Tx) error { return tx.SetSetting(ctx, "after", "x") })
}

// A command that never ends loses its turn, and only that.
func TestACommandThatTakesTooLongLosesItsTurn(t *testing.T) {
	server, _ := onPostgres(t)
	store.LowerPostgresTime(t, 2*time.Second)
	play(t, server, func(n *neighbours) bool {
		var last sync.WaitGroup
		leave := make(chan struct{})
		var late atomic.Value
		n.calls("first", func(_ *store.Tx, run int) error {
			if run == 1 {
				n.good()
				last.Go(func() {
					n.calls("last", func(tx *store.Tx, _ int) error {
						<-leave
						late.Store(fault.CodeOf(tx.SetSetting(context.Background(), "late", "x")))
						return nil
					})
				})
			}
			return nil
		})
		n.wg.Wait() // nobody waits for the last one
		close(leave)
		last.Wait()
		if fault.CodeOf(n.told["last"]) == "store_failed" && late.Load() == "store_transaction_over" {
			return n.met("last")
		}
		if n.told["last"] != nil { // it may have come when all were done, and been let go in time
			t.Errorf("was told %v; a late statement: %v", n.told["last"], late.Load())
		}
		return false
	})
}

// A caller goes away while the database is busy with his statement: it is finished, with all that shares its transaction.
func TestACallerWhoGoesAwayInTheMiddleCutsNobody(t *testing.T) {
	server, another := onPostgres(t)
	ctx := t.Context()
	play(t, server, func(n *neighbours) bool {
		his, goes := context.WithCancel(ctx)
		defer goes()
		held := make(chan struct{})
		n.wg.Go(func() {
			refused(t, another, "rule_of_this_test", func(tx *store.Tx) error {
				if err := tx.SetSetting(ctx, "contended", "by another"); err != nil {
					return err
				}
				close(held)
				for waiters := "0"; waiters == "0"; {
					var err error
					if waiters, err = store.Ask(tx, "SELECT CAST(COUNT(*) AS TEXT) FROM pg_locks WHERE NOT granted"); err != nil {
						return err
					}
				}
				goes()
				return errRule
			})
		})
		<-held
		n.calls("leaver", func(tx *store.Tx, _ int) error {
			n.good()
			return tx.SetSetting(his, "contended", "by the leaver")
		})
		n.wg.Wait()
		for who, runs := range n.runs {
			if len(runs) != 1 || n.told[who] != nil {
				t.Errorf("%s ran %d times and was told %v", who, len(runs), n.told[who])
			}
		}
		return n.met("leaver")
	})
}
