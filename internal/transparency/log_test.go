package transparency_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/transparency"
)

func TestLogGivesWitnessedReceipts(t *testing.T) {
	w := newWorld(t, 2, "association", "bank", "regulator")
	l := w.open(t)
	indexes := make([]uint64, 300) // more than an entry bundle
	var wg sync.WaitGroup
	for n := range indexes {
		wg.Go(func() {
			var err error
			if indexes[n], err = l.Add(within(t), leaf(n)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, n := range []int{0, 1, 255, 256, 299} {
		i := w.proven(t, l, indexes[n], leaf(n))
		if len(i.Cosigned()) < 2 {
			t.Fatalf("cosigned by %v", i.Cosigned())
		}
	}
	sorted := slices.Sorted(slices.Values(indexes))
	if sorted[0] != 0 || sorted[299] != 299 || len(slices.Compact(sorted)) != 300 {
		t.Fatal("indexes are not 0 to 299, each once")
	}
	again, err := l.Add(within(t), leaf(7))
	if err != nil || again != indexes[7] {
		t.Fatalf("added again at %d, %v; first at %d", again, err, indexes[7])
	}
	if _, err := l.Receipt(within(t), 300); fault.CodeOf(err) != "log_no_such_entry" {
		t.Fatalf("receipt past the end: %v", err)
	}
	eventually(t, "all 300 witnessed", func() bool { return l.Status().Witnessed == 300 })
	s := l.Status()
	if s.State != transparency.StateOK || s.Size != 300 || len(s.Witnesses) != 3 || s.WitnessedAt.IsZero() {
		t.Fatalf("status %+v", s)
	}
	size, checkpoint, err := l.Witnessed(within(t))
	if err != nil || size != 300 {
		t.Fatalf("witnessed %d, %v", size, err)
	}
	p, _ := record.NewPolicy(w.config.Policy)
	if c, err := p.VerifyCheckpoint(checkpoint); err != nil || c.Size() != 300 {
		t.Fatalf("%v", err)
	}
}

func TestAddRefusesWhatIsNoLeaf(t *testing.T) {
	w := newWorld(t, 1, "bank")
	l := w.open(t)
	if _, err := l.Add(within(t), []byte("李兰 13800000000")); fault.CodeOf(err) != "leaf_malformed" {
		t.Fatalf("a personal value in a public log: %v", err)
	}
}

func TestNewLogStartsWithoutWitnesses(t *testing.T) {
	w := newWorld(t, 2, "association", "bank")
	w.down(true)
	l := w.open(t)
	if _, _, err := l.Witnessed(within(t)); fault.CodeOf(err) != "log_not_witnessed" || fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("witnessed by nobody: %v", err)
	}
	index, err := l.Add(within(t), leaf(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Receipt(within(t), index); fault.CodeOf(err) != "log_not_witnessed" {
		t.Fatalf("receipt without witnesses: %v", err)
	}
	if _, err := l.WaitWitnessed(soon(3*interval), index); fault.CodeOf(err) != "log_not_witnessed" {
		t.Fatalf("waiting for witnesses that are down: %v", err)
	}
	eventually(t, "status says that witnesses are missing", func() bool { return l.Status().State == transparency.StateWaiting })
	w.down(false)
	w.proven(t, l, index, leaf(1))
	eventually(t, "status is ok again", func() bool { return l.Status().State == transparency.StateOK })
}

func TestNothingIsWitnessedWhileAQuorumIsDown(t *testing.T) {
	w := newWorld(t, 2, "association", "bank", "regulator")
	l := w.open(t)
	first, err := l.Add(within(t), leaf(1))
	if err != nil {
		t.Fatal(err)
	}
	w.proven(t, l, first, leaf(1))

	w.parties[0].down.Store(true)
	w.parties[1].hang.Store(true)
	var queued []uint64
	for n := range 20 {
		index, err := l.Add(within(t), leaf(100+n))
		if err != nil {
			t.Fatal(err)
		}
		queued = append(queued, index)
	}
	eventually(t, "status says that witnesses are missing", func() bool { return l.Status().State == transparency.StateWaiting })
	if _, err := l.Receipt(within(t), queued[0]); fault.CodeOf(err) != "log_not_witnessed" {
		t.Fatalf("receipt on one witness of two: %v", err)
	}
	if size, _, err := l.Witnessed(within(t)); err != nil || size != 1 {
		t.Fatalf("witnessed %d, %v", size, err)
	}
	w.proven(t, l, first, leaf(1)) // what was witnessed stays provable
	for _, s := range l.Status().Witnesses {
		if s.Party == "association" && s.OK {
			t.Fatalf("status calls a dead witness ok: %+v", s)
		}
	}

	w.down(false)
	w.parties[1].hang.Store(false)
	for n, index := range queued {
		w.proven(t, l, index, leaf(100+n))
	}
}

func TestTwoWitnessesOfOnePartyAreNoQuorum(t *testing.T) {
	w := newWorld(t, 2, "association", "branch", "bank")
	w.config.Policy.Witnesses[1].Party = "association"
	w.parties[2].down.Store(true)
	l := w.open(t)
	index, err := l.Add(within(t), leaf(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.WaitWitnessed(soon(8*interval), index); fault.CodeOf(err) != "log_not_witnessed" {
		t.Fatalf("one party with two keys made a quorum: %v", err)
	}
	w.down(false)
	w.proven(t, l, index, leaf(1))
}

func TestReopenedLogGoesOn(t *testing.T) {
	w := newWorld(t, 1, "bank")
	l := w.open(t)
	index, err := l.Add(within(t), leaf(1))
	if err != nil {
		t.Fatal(err)
	}
	w.proven(t, l, index, leaf(1))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatalf("closed twice: %v", err)
	}
	for _, call := range []func() error{
		func() error { _, err := l.Add(within(t), leaf(2)); return err },
		func() error { _, err := l.Receipt(within(t), index); return err },
		func() error { _, err := l.WaitWitnessed(within(t), index); return err },
		func() error { _, _, err := l.Find(within(t), leaf(1), 0); return err },
	} {
		if err := call(); fault.CodeOf(err) != "log_closed" {
			t.Fatalf("closed log answers %v", err)
		}
	}
	if l.Status().State != transparency.StateClosed {
		t.Fatalf("status %+v", l.Status())
	}

	w.down(true)
	l = w.open(t)
	w2, err := l.Add(within(t), leaf(2))
	if err != nil || w2 != index+1 {
		t.Fatalf("%d, %v", w2, err)
	}
	w.proven(t, l, index, leaf(1)) // the checkpoint of before is still good
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	w.down(false)
	l = w.open(t)
	w.proven(t, l, w2, leaf(2)) // sequenced before, witnessed after
}

func TestFind(t *testing.T) {
	w := newWorld(t, 1, "bank")
	l := w.open(t)
	var wg sync.WaitGroup
	for n := range 600 {
		wg.Go(func() {
			if _, err := l.Add(within(t), leaf(n)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, n := range []int{0, 255, 599} {
		index, found, err := l.Find(within(t), leaf(n), 0)
		if err != nil || !found {
			t.Fatalf("leaf %d: %v, %v", n, found, err)
		}
		if again, err := l.Add(within(t), leaf(n)); err != nil || again != index {
			t.Fatalf("found at %d, added at %d, %v", index, again, err)
		}
		if same, found, err := l.Find(within(t), leaf(n), index); err != nil || !found || same != index {
			t.Fatalf("from its own index: %d, %v, %v", same, found, err)
		}
		if _, found, err := l.Find(within(t), leaf(n), index+1); err != nil || found {
			t.Fatalf("found after its index: %v, %v", found, err)
		}
	}
	for _, from := range []uint64{0, 600, 1 << 40} {
		if _, found, err := l.Find(within(t), leaf(1000), from); err != nil || found {
			t.Fatalf("a leaf never added: %v, %v", found, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	w := newWorld(t, 1, "association", "bank")
	otherSecret, _, _ := transparency.GenerateLogKey(origin)
	for _, c := range []struct {
		name  string
		spoil func(*transparency.Config)
		code  string
	}{
		{"no policy", func(c *transparency.Config) { c.Policy = record.PolicyConfig{} }, "policy_log_key"},
		{"quorum zero", func(c *transparency.Config) { c.Policy.Quorum = 0 }, "policy_quorum_zero"},
		{"no signer", func(c *transparency.Config) { c.Signer = nil }, "log_signer_differs"},
		{"another log's signer", func(c *transparency.Config) { c.Signer, _, _ = transparency.ParseLogSigner(otherSecret) }, "log_signer_differs"},
		{"interval too short", func(c *transparency.Config) { c.Interval = interval - 1 }, "log_interval"},
		{"interval too long", func(c *transparency.Config) { c.Interval = time.Minute + 1 }, "log_interval"},
		{"witness without address", func(c *transparency.Config) { c.Witnesses = c.Witnesses[:1] }, "witness_endpoints_differ"},
		{"one witness with two addresses", func(c *transparency.Config) { c.Witnesses[1].VKey = c.Witnesses[0].VKey }, "witness_endpoints_differ"},
		{"two witnesses at one address", func(c *transparency.Config) { c.Witnesses[1].URL = c.Witnesses[0].URL }, "witness_endpoints_differ"},
		{"address without scheme", func(c *transparency.Config) { c.Witnesses[0].URL = "witness.example" }, "witness_endpoint_malformed"},
		{"address of a file", func(c *transparency.Config) { c.Witnesses[0].URL = "file:///etc" }, "witness_endpoint_malformed"},
		{"folder below a file", func(c *transparency.Config) { c.Dir = filepath.Join(c.Dir, "file", "log") }, "log_folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := w.config
			config.Witnesses = slices.Clone(config.Witnesses)
			if err := os.WriteFile(filepath.Join(config.Dir, "file"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			c.spoil(&config)
			l, err := transparency.Open(context.Background(), config)
			if err == nil {
				_ = l.Close()
			}
			if got := fault.CodeOf(err); got != c.code {
				t.Fatalf("code %q, want %q (%v)", got, c.code, err)
			}
		})
	}
}

func TestTwoServersCannotShareAFolder(t *testing.T) {
	w := newWorld(t, 1, "bank")
	l := w.open(t)
	if _, err := transparency.Open(context.Background(), w.config); fault.CodeOf(err) != "log_folder_in_use" {
		t.Fatalf("opened twice: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	w.open(t)
}

func TestOpenSweepsWhatACrashLeft(t *testing.T) {
	w := newWorld(t, 1, "bank")
	l := w.open(t)
	index, err := l.Add(within(t), leaf(1))
	if err != nil {
		t.Fatal(err)
	}
	w.proven(t, l, index, leaf(1))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	left := []string{"checkpoint1804289383", ".state/treeState846930886", "tile/0/000.p/11681692777", "tile/entries/000.p/11714636915", "tile/0/0001957747793"}
	kept := []string{"checkpoint", ".state/treeState", ".state/publish.lock", "tile/0/000.p/1", "tile/entries/000.p/1", "notes.txt"}
	for _, name := range append(slices.Clone(left), "notes.txt") {
		if err := os.WriteFile(filepath.Join(w.config.Dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l = w.open(t)
	w.proven(t, l, index, leaf(1))
	for _, name := range left {
		if _, err := os.Stat(filepath.Join(w.config.Dir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there", name)
		}
	}
	for _, name := range kept {
		if _, err := os.Stat(filepath.Join(w.config.Dir, name)); err != nil {
			t.Errorf("%s is gone", name)
		}
	}
}

func TestSpoiledFilesGiveNoReceipt(t *testing.T) {
	w := newWorld(t, 1, "bank")
	l := w.open(t)
	for n := range 2 {
		if _, err := l.Add(within(t), leaf(n)); err != nil {
			t.Fatal(err)
		}
	}
	size := untilWitnessed(t, l, 2)
	bundle := filepath.Join(w.config.Dir, fmt.Sprintf("tile/entries/000.p/%d", size))
	data, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoiled := range map[string][]byte{
		"another leaf":   []byte(strings.ReplaceAll(string(data), "2026-11-22", "2026-11-23")),
		"bundle cut":     data[:len(data)-1],
		"bundle shorter": data[:len(data)/2],
		"bundle empty":   nil,
	} {
		if err := os.WriteFile(bundle, spoiled, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Receipt(within(t), 1); fault.CodeOf(err) != "log_unreadable" {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(bundle, data, 0o600); err != nil {
		t.Fatal(err)
	}
	w.proven(t, l, 1, leafAt(t, l, 1, 2)) // what was read while it was spoiled is not kept
}
