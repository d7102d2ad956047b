package transparency_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/transparency"
)

// The child process of TestKilledServerLosesAndDoublesNothing: it opens the log and adds leaves
// until it is killed, telling each index.
const childVar = "MENSHEN_TEST_LOG_CHILD"

func TestMain(m *testing.M) {
	if spec := os.Getenv(childVar); spec != "" {
		child(strings.Split(spec, "\n"))
	}
	os.Exit(m.Run())
}

func child(spec []string) {
	signer, vkey, err := transparency.ParseLogSigner(spec[1])
	if err != nil {
		panic(err)
	}
	l, err := transparency.Open(context.Background(), transparency.Config{Dir: spec[0], Signer: signer, Interval: interval,
		Policy: record.PolicyConfig{Origin: origin, Operator: "operator", LogKey: vkey, Quorum: 1,
			Witnesses: []record.Witness{{Party: "bank", VKey: spec[2]}}},
		Witnesses: []transparency.WitnessEndpoint{{VKey: spec[2], URL: spec[3]}}})
	if err != nil {
		panic(err)
	}
	for n := 0; ; n += 8 {
		var wg sync.WaitGroup
		for m := n; m < n+8; m++ {
			wg.Go(func() {
				if index, err := l.Add(context.Background(), leaf(m)); err == nil {
					fmt.Printf("%d %d\n", m, index)
				}
			})
		}
		wg.Wait()
	}
}

func TestKilledServerLosesAndDoublesNothing(t *testing.T) {
	w := newWorld(t, 1, "bank")
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), childVar+"="+strings.Join([]string{w.config.Dir, w.secret, w.parties[0].vkey, w.config.Witnesses[0].URL}, "\n"))
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	told := map[int]uint64{}
	for s := bufio.NewScanner(out); s.Scan(); {
		var n int
		var index uint64
		if _, err := fmt.Sscan(s.Text(), &n, &index); err != nil {
			t.Fatalf("%q: %v", s.Text(), err)
		}
		if told[n] = index; len(told) == 60 {
			if err := server.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = server.Wait() // it was killed

	l := w.open(t)
	highest := 0
	for n, index := range told {
		highest = max(highest, n)
		got, found, err := l.Find(within(t), leaf(n), 0)
		if err != nil || !found || got != index {
			t.Fatalf("leaf %d was told index %d; found %v at %d, %v", n, index, found, got, err)
		}
	}
	// An outbox asks again for everything, and has no answer to the last questions.
	for n := range highest + 20 {
		index, err := l.Add(within(t), leaf(n))
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := told[n]; ok && index != before {
			t.Fatalf("leaf %d was told index %d and is now at %d", n, before, index)
		}
		told[n] = index
	}
	size, err := l.Size(within(t))
	if err != nil || size != uint64(len(told)) {
		t.Fatalf("%d leaves for %d events, %v", size, len(told), err)
	}
	for n, index := range told {
		w.proven(t, l, index, leaf(n))
	}
}
