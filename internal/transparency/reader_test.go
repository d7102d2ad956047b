package transparency_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/transparency"
)

// Somebody else follows the log, from where he stopped, over the network and in the folder.
func TestReaderFollowsAndProvesTheWholeLog(t *testing.T) {
	w := newWorld(t, 1, "bank")
	l := w.open(t)
	server := httptest.NewServer(l.Handler())
	defer server.Close()
	policy, err := record.NewPolicy(w.config.Policy)
	if err != nil {
		t.Fatal(err)
	}
	overHTTP, err := transparency.NewURLReader(server.URL, policy)
	if err != nil {
		t.Fatal(err)
	}
	add := func(from, to int) {
		for n := from; n < to; n++ {
			at, err := l.Add(within(t), leaf(n))
			if err != nil {
				t.Fatal(err)
			}
			if n == to-1 {
				if _, err := l.WaitWitnessed(within(t), at); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	var seen transparency.Seen
	read := map[string]bool{}
	for _, upTo := range []int{3, 300} {
		add(len(read), upTo)
		next, c, err := overHTTP.Follow(within(t), seen, func(_ uint64, data []byte) error { read[string(data)] = true; return nil })
		if err != nil || c.Size() != uint64(upTo) || next.Size != c.Size() || len(read) != upTo {
			t.Fatalf("up to %d: %d read, %+v, %v", upTo, len(read), next.Size, err)
		}
		seen = next
	}
	inFolder := transparency.NewFolderReader(w.config.Dir, policy)
	if n, err := inFolder.Leaves(within(t), func(uint64, []byte) error { return nil }); n != 300 || err != nil {
		t.Errorf("folder: %d, %v", n, err)
	}
	if _, _, err := overHTTP.Follow(within(t), transparency.Seen{Size: 2, Hashes: [][]byte{make([]byte, 32)}}, func(uint64, []byte) error { return nil }); fault.CodeOf(err) != "log_forked" {
		t.Errorf("another past: %v", err)
	}
	longer := transparency.Seen{Size: 1000}
	if _, _, err := overHTTP.Follow(within(t), longer, nil); fault.CodeOf(err) != "log_rolled_back" {
		t.Errorf("a shorter log: %v", err)
	}
	if _, _, err := overHTTP.Follow(within(t), transparency.Seen{Size: 3}, nil); fault.CodeOf(err) != "log_state_malformed" {
		t.Errorf("a damaged state: %v", err)
	}
	spoilEntry(t, w.config.Dir)
	if _, err := inFolder.Leaves(within(t), func(uint64, []byte) error { return nil }); fault.CodeOf(err) != "log_forked" {
		t.Errorf("a rewritten leaf: %v", err)
	}
	if _, err := transparency.NewURLReader("ftp://x", policy); fault.CodeOf(err) != "witness_endpoint_malformed" {
		t.Errorf("an address: %v", err)
	}
	server.Close()
	if _, _, err := overHTTP.Checkpoint(within(t)); fault.CodeOf(err) != "log_not_readable" {
		t.Errorf("a silent log: %v", err)
	}
}

// spoilEntry changes the day of one leaf in the log's folder.
func spoilEntry(t *testing.T, dir string) {
	t.Helper()
	name := filepath.Join(dir, "tile", "entries", "000")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := strings.Replace(string(data), "2026-", "2025-", 1)
	if spoilt == string(data) {
		t.Fatal(fmt.Sprint("no day in ", name))
	}
	if err := os.WriteFile(name, []byte(spoilt), 0o600); err != nil {
		t.Fatal(err)
	}
}
