package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

// crashChildEnv makes the test program the child that TestKilledProcessKeepsWhatItAcknowledged kills.
const crashChildEnv = "MENSHEN_STORE_CRASH_CHILD"

// crashChild writes events from many goroutines and says each one only after Write has said yes,
// until it is killed.
func crashChild(dsn string) {
	ctx := context.Background()
	s, err := store.Open(ctx, dsn)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	for w := range 8 {
		wg.Go(func() {
			stream := store.Stream{Kind: "visit", ID: fmt.Sprint("v", w)}
			for n := 1; ; n++ {
				err := s.Write(ctx, func(tx *store.Tx) error {
					head, err := tx.Head(ctx, stream)
					if err != nil {
						return err
					}
					e, envelope := eventAfter("bank", stream, head, "step")
					return errors.Join(tx.PutStatement(ctx, e.StatementDigest, envelope),
						tx.AppendEvent(ctx, e, []byte("leaf")))
				})
				mu.Lock()
				if err != nil {
					fmt.Println("error", err)
				}
				fmt.Println(stream.ID, n) // one write call each: a line is whole or not there
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func TestKilledProcessKeepsWhatItAcknowledged(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "killed.db")
	for round := range 3 {
		acknowledged := killedWhileWriting(t, dsn, 300*(round+1))
		s := storetest.Open(t, dsn)
		look(t, s, func(tx *store.Tx) error {
			var total int64
			for id := range acknowledged {
				stream := store.Stream{Kind: "visit", ID: id}
				head, err := tx.Head(t.Context(), stream)
				if err != nil {
					return err
				}
				if head.Number < acknowledged[id] {
					t.Errorf("round %d: %s was told %d events, has %d", round, id, acknowledged[id], head.Number)
				}
				checkChain(t, tx, stream, int(head.Number))
				total += head.Number
			}
			// Events and outbox went together or not at all.
			leaves, err := tx.PendingLeaves(t.Context(), 10_000)
			if int64(len(leaves)) != total {
				t.Errorf("round %d: %d leaves for %d events", round, len(leaves), total)
			}
			return err
		})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killedWhileWriting starts the child, reads lines acknowledgements, kills it with SIGKILL, and
// gives the highest number per stream that it had acknowledged by then. Each round goes on where
// the last one stopped, so the child's counts are added to what was there.
func killedWhileWriting(t *testing.T, dsn string, lines int) map[string]int64 {
	t.Helper()
	before := headsBefore(t, dsn)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashChildEnv+"="+dsn)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := map[string]int64{}
	scanner := bufio.NewScanner(out)
	for n := 0; scanner.Scan(); n++ {
		id, number, _ := strings.Cut(scanner.Text(), " ")
		if id == "error" {
			t.Errorf("child: %s", number)
		}
		count, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			t.Fatalf("child said %q", scanner.Text())
		}
		acknowledged[id] = before[id] + count
		if n == lines {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || child.ProcessState.Exited() {
		t.Fatalf("the child was not killed: %v", child.ProcessState)
	}
	if len(acknowledged) == 0 {
		t.Fatal("the child acknowledged nothing")
	}
	return acknowledged
}

func headsBefore(t *testing.T, dsn string) map[string]int64 {
	t.Helper()
	s := storetest.Open(t, dsn)
	heads := map[string]int64{}
	look(t, s, func(tx *store.Tx) error {
		for w := range 8 {
			id := fmt.Sprint("v", w)
			head, err := tx.Head(t.Context(), store.Stream{Kind: "visit", ID: id})
			if err != nil {
				return err
			}
			heads[id] = head.Number
		}
		return nil
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return heads
}
