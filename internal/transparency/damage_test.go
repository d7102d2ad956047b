package transparency_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/transparency"
)

// spelled is a logger's output that a test may read while it is written.
type spelled struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *spelled) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *spelled) count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.text.String(), what)
}

// keeper is a caller who keeps every leaf with its place, as the store does.
type keeper struct {
	*world
	t       *testing.T
	said    *spelled
	leaves  [][]byte
	receipt []byte // of the last one
}

// keeps makes a log of n leaves, witnessed, and stops it.
func keeps(t *testing.T, n int) *keeper {
	t.Helper()
	k := &keeper{world: newWorld(t, 1, "bank"), t: t, said: &spelled{}}
	k.config.Dir = filepath.Join(k.config.Dir, "log") // what a rebuild keeps beside it goes with the test
	k.config.Logger = slog.New(slog.NewJSONHandler(k.said, nil))
	l := k.open(t)
	var wg sync.WaitGroup
	k.leaves = make([][]byte, n)
	var mu sync.Mutex
	for i := range n {
		wg.Go(func() {
			index, err := l.Add(within(t), leaf(i))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			k.leaves[index] = leaf(i)
		})
	}
	wg.Wait()
	k.proven(t, l, uint64(n-1), k.leaves[n-1])
	var err error
	if k.receipt, err = l.Receipt(within(t), uint64(n-1)); err != nil {
		t.Fatal(err)
	}
	k.stop(l)
	return k
}

func (k *keeper) stop(l *transparency.Log) {
	k.t.Helper()
	if err := l.Close(); err != nil {
		k.t.Fatal(err)
	}
	time.Sleep(interval) // Tessera's last write
}

func (k *keeper) last() *transparency.KnownLeaf {
	return &transparency.KnownLeaf{Index: uint64(len(k.leaves) - 1), Leaf: k.leaves[len(k.leaves)-1]}
}

func (k *keeper) file(name string) string { return filepath.Join(k.config.Dir, name) }

// spoil changes a file of the log's folder; nil removes it.
func (k *keeper) spoil(name string, change func([]byte) []byte) {
	k.t.Helper()
	data, err := os.ReadFile(k.file(name))
	if err != nil {
		k.t.Fatal(err)
	}
	if data = change(data); data == nil {
		err = os.Remove(k.file(name))
	} else {
		err = os.WriteFile(k.file(name), data, 0o600)
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

func gone([]byte) []byte        { return nil }
func halved(d []byte) []byte    { return d[:len(d)/2] }
func emptied([]byte) []byte     { return []byte{} }
func scribbled(d []byte) []byte { d = bytes.Clone(d); d[len(d)/3] ^= 1; return d }

// rebuild is what menshen repair-log does.
func (k *keeper) rebuild(from ...string) (transparency.Rebuilt, error) {
	policy, err := record.NewPolicy(k.config.Policy)
	if err != nil {
		k.t.Fatal(err)
	}
	_, checkpoint, _ := bytes.Cut(k.receipt, []byte("\n\n"))
	return transparency.Rebuild{Dir: k.config.Dir, From: from, Policy: policy, Checkpoint: checkpoint, Now: time.Now(),
		Leaves: func(_ context.Context, after int64) (page []transparency.KnownLeaf, err error) {
			for i := after + 1; i < int64(len(k.leaves)) && len(page) < 100; i++ {
				if k.leaves[i] != nil {
					page = append(page, transparency.KnownLeaf{Index: uint64(i), Leaf: k.leaves[i]})
				}
			}
			return page, nil
		}}.Run(k.t.Context())
}

// whole says that the log goes on where it was: every leaf at its place, the next one behind them, all witnessed.
func (k *keeper) whole(l *transparency.Log, next int) {
	k.t.Helper()
	index, err := l.Add(within(k.t), leaf(next))
	if err != nil || index != uint64(len(k.leaves)) {
		k.t.Fatalf("the next leaf is at %d of %d, %v", index, len(k.leaves), err)
	}
	k.proven(k.t, l, index, leaf(next))
	for i, leaf := range k.leaves {
		k.proven(k.t, l, uint64(i), leaf)
	}
	eventually(k.t, "the log is well", func() bool { return l.Status().State == transparency.StateOK && l.Trouble() == nil })
}

// damages are the ways in which a folder may be found, and what is said of each; "" for what mends itself.
var damages = []struct {
	name  string
	spoil func(*keeper)
	code  string
}{
	{"checkpoint gone", func(k *keeper) { k.spoil("checkpoint", gone) }, ""},
	{"checkpoint cut", func(k *keeper) { k.spoil("checkpoint", halved) }, ""},
	{"checkpoint empty", func(k *keeper) { k.spoil("checkpoint", emptied) }, ""},
	{"checkpoint of nobody", func(k *keeper) {
		k.spoil("checkpoint", func(d []byte) []byte { return bytes.Replace(d, []byte("\n3"), []byte("\n999"), 1) })
	}, ""},
	{"garbage collection's note cut", func(k *keeper) { _ = os.WriteFile(k.file(".state/gcState"), []byte(`{"fro`), 0o600) }, ""},
	{"tree state gone", func(k *keeper) { k.spoil(".state/treeState", gone) }, "log_unreadable"},
	{"tree state cut", func(k *keeper) { k.spoil(".state/treeState", halved) }, "log_unreadable"},
	{"tree state with another root", func(k *keeper) {
		k.spoil(".state/treeState", func([]byte) []byte {
			return []byte(`{"size":300,"root":"` + strings.Repeat("A", 43) + `="}`)
		})
	}, "log_unreadable"},
	{"tree state of an empty log", func(k *keeper) {
		k.spoil(".state/treeState", func([]byte) []byte {
			return []byte(`{"size":0,"root":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}`)
		})
	}, "log_folder_older"},
	{"version cut", func(k *keeper) { k.spoil(".state/version", emptied) }, "log_unreadable"},
	{"state folder gone", func(k *keeper) { k.mustRemove(".state") }, "log_unreadable"},
	{"tiles gone", func(k *keeper) { k.mustRemove("tile") }, "log_unreadable"},
	{"everything gone", func(k *keeper) { k.mustRemove(".state", "tile", "checkpoint") }, "log_folder_older"},
	{"tile gone", func(k *keeper) { k.spoil("tile/0/001.p/44", gone) }, "log_unreadable"},
	{"tile cut", func(k *keeper) { k.spoil("tile/0/001.p/44", halved) }, "log_unreadable"},
	{"tile scribbled on", func(k *keeper) { k.spoil("tile/0/001.p/44", scribbled) }, "log_unreadable"},
	{"upper tile scribbled on", func(k *keeper) { k.spoil("tile/1/000.p/1", scribbled) }, "log_unreadable"},
	{"last bundle gone", func(k *keeper) { k.spoil("tile/entries/001.p/44", gone) }, "log_unreadable"},
	{"last bundle cut", func(k *keeper) { k.spoil("tile/entries/001.p/44", halved) }, "log_unreadable"},
	{"last bundle scribbled on", func(k *keeper) { k.spoil("tile/entries/001.p/44", scribbled) }, "log_unreadable"},
	{"earlier bundle gone", func(k *keeper) { k.spoil("tile/entries/000", gone) }, "log_unreadable"},
	{"earlier bundle scribbled on", func(k *keeper) { k.spoil("tile/entries/000", scribbled) }, "log_unreadable"},
}

func (k *keeper) mustRemove(names ...string) {
	k.t.Helper()
	for _, name := range names {
		if err := os.RemoveAll(k.file(name)); err != nil {
			k.t.Fatal(err)
		}
	}
}

// TestADamagedFolderIsNamedAndRebuilt damages a stopped log's folder in every way. What is derived mends itself. All
// else is named at once, not written to, and after a rebuild every leaf is where it was.
func TestADamagedFolderIsNamedAndRebuilt(t *testing.T) {
	t.Parallel()
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			k := keeps(t, 300)
			d.spoil(k)
			k.config.Known = k.last()
			l := k.open(t)
			if d.code == "" {
				k.whole(l, 1000)
				return
			}
			eventually(t, "the folder is said to be damaged", func() bool { return l.Status().State == transparency.StateDamaged })
			if code := fault.CodeOf(l.Trouble()); code != d.code {
				t.Fatalf("it says %s: %v", code, l.Trouble())
			}
			if _, err := l.Add(soon(2*interval), leaf(1000)); fault.CodeOf(err) != "log_starting" {
				t.Fatalf("a leaf was added: %v", err)
			}
			if n := k.said.count(`"level":"ERROR"`); n != 1 {
				t.Errorf("said %d times", n)
			}
			if _, err := k.rebuild(); fault.CodeOf(err) != "log_folder_in_use" {
				t.Fatalf("rebuilt under a running log: %v", err)
			}
			k.stop(l)
			r, err := k.rebuild()
			if err != nil || r.Size != 300 || r.Witnessed == 0 {
				t.Fatalf("rebuilt %+v, %v", r, err)
			}
			if _, err := os.Stat(r.Kept); err != nil {
				t.Errorf("the damaged folder is not kept: %v", err)
			}
			k.whole(k.open(t), 1000)
		})
	}
}

// TestAFolderThatIsDamagedWhileTheLogRuns does the same under a running log: it stops adding before it builds on
// what is wrong, and goes on by itself when the files are back.
func TestAFolderThatIsDamagedWhileTheLogRuns(t *testing.T) {
	t.Parallel()
	for _, d := range damages {
		if strings.HasPrefix(d.name, "earlier") || strings.HasPrefix(d.name, "garbage") {
			continue // nothing is built on these; receipts and verify-store see them
		}
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			k := keeps(t, 300)
			l := k.open(t)
			eventually(t, "the log runs", func() bool { return l.Status().State == transparency.StateOK })
			whole := folder(t) + "/copy"
			if err := os.CopyFS(whole, os.DirFS(k.config.Dir)); err != nil {
				t.Fatal(err)
			}
			d.spoil(k)
			if d.code == "" {
				k.whole(l, 1000)
				return
			}
			eventually(t, "the folder is said to be damaged", func() bool { return l.Status().State == transparency.StateDamaged })
			if code := fault.CodeOf(l.Trouble()); code != "log_unreadable" && code != "log_folder_older" {
				t.Fatalf("it says %s: %v", code, l.Trouble())
			}
			if _, err := l.Add(within(t), leaf(1000)); fault.CodeOf(err) != fault.CodeOf(l.Trouble()) {
				t.Fatalf("a leaf was added: %v", err)
			}
			k.mustRemove("tile", "checkpoint")
			for _, name := range []string{".state/treeState", ".state/version"} {
				_ = os.Remove(k.file(name))
			}
			restore(t, whole, k.config.Dir)
			eventually(t, "the folder is well again", func() bool { return l.Trouble() == nil })
			k.whole(l, 1000)
			if n := k.said.count(`"level":"ERROR"`); n == 0 || k.said.count("whole again") == 0 {
				t.Errorf("said %d times", n)
			}
		})
	}
}

// restore copies files back where they are missing, the state last.
func restore(t *testing.T, from, to string) {
	t.Helper()
	put := func(state bool) {
		err := fs.WalkDir(os.DirFS(from), ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || strings.HasPrefix(name, ".state") != state || strings.HasSuffix(name, "lock") {
				return err
			}
			data, err := os.ReadFile(filepath.Join(from, name))
			if err != nil {
				return err
			}
			path := filepath.Join(to, name)
			return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put(false)
	put(true)
}

// TestAnOlderFolderIsNotGoneOnWith puts back yesterday's folder under a caller who was told places since.
func TestAnOlderFolderIsNotGoneOnWith(t *testing.T) {
	t.Parallel()
	k := keeps(t, 5)
	yesterday := folder(t) + "/log"
	if err := os.CopyFS(yesterday, os.DirFS(k.config.Dir)); err != nil {
		t.Fatal(err)
	}
	l := k.open(t)
	for n := 5; n < 8; n++ {
		index, err := l.Add(within(t), leaf(n))
		if err != nil {
			t.Fatal(err)
		}
		k.proven(t, l, index, leaf(n))
		k.leaves = append(k.leaves, leaf(n))
		k.receipt, _ = l.Receipt(within(t), index)
	}
	k.stop(l)
	k.config.Dir, k.config.Known = yesterday, k.last()
	l = k.open(t)
	eventually(t, "the folder is said to be older", func() bool { return fault.CodeOf(l.Trouble()) == "log_folder_older" })
	k.stop(l)
	if r, err := k.rebuild(); err != nil || r.Size != 8 {
		t.Fatalf("%+v, %v", r, err)
	}
	k.whole(k.open(t), 1000)
}

// TestARebuildBelievesNobody has leaves that are missing or not those that were signed: nothing is changed then.
func TestARebuildBelievesNobody(t *testing.T) {
	t.Parallel()
	k := keeps(t, 300)
	whole := folder(t) + "/backup"
	if err := os.CopyFS(whole, os.DirFS(k.config.Dir)); err != nil {
		t.Fatal(err)
	}
	told := k.leaves[7]
	k.leaves[7] = leaf(5000)
	if _, err := k.rebuild(); fault.CodeOf(err) != "log_leaves_differ" {
		t.Fatalf("with another leaf: %v", err)
	}
	k.leaves[7] = nil // a leaf that was added twice is nobody's: the folder has it
	if r, err := k.rebuild(); err != nil || r.Size != 300 {
		t.Fatalf("with the folder's leaf: %+v, %v", r, err)
	}
	k.spoil("tile/entries/000", gone)
	if _, err := k.rebuild(); fault.CodeOf(err) != "log_leaf_gone" {
		t.Fatalf("with a leaf that is nowhere: %v", err)
	}
	k.mustRemove("tile", ".state", "checkpoint")
	if r, err := k.rebuild(whole); err != nil || r.Size != 300 {
		t.Fatalf("with a backup: %+v, %v", r, err)
	}
	k.leaves[7] = told
	l := k.open(t)
	k.whole(l, 1000)
	entries, err := filepath.Glob(k.config.Dir + "*")
	if err != nil || len(entries) != 3 { // the log, and the two that were kept
		t.Errorf("%v, %v", entries, err)
	}
}

// TestAFolderThatCanOnlyBeRead takes the right to write from a running log, which neither dies nor loses a leaf.
func TestAFolderThatCanOnlyBeRead(t *testing.T) {
	k := keeps(t, 3)
	l := k.open(t)
	eventually(t, "the log runs", func() bool { return l.Status().State == transparency.StateOK })
	dir := k.config.Dir
	if err := syscall.Mount(dir, dir, "", syscall.MS_BIND, ""); err != nil {
		t.Fatalf("nothing can be mounted: %v; run the tests as root or under unshare -Urm", err)
	}
	writable := sync.OnceFunc(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(writable)
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is said", func() bool { return fault.CodeOf(l.Trouble()) == "log_folder" })
	if _, err := l.Add(within(t), leaf(1000)); fault.CodeOf(err) != "log_folder" {
		t.Fatalf("a leaf was added: %v", err)
	}
	writable()
	eventually(t, "the folder is well again", func() bool { return l.Trouble() == nil })
	k.whole(l, 1000)
}
