//go:build processes

package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
)

// mount puts a file system of its own, that small, under a folder. It needs root, or `unshare -Urm`.
func mount(t *testing.T, dir string, size int64) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("menshen-test", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Fatalf("a disk of its own cannot be mounted: %v; run the tests as root or under unshare -Urm", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// smallDisk holds keys, database and log of one visit, and not much more.
const smallDisk = 48 << 20

// fill leaves no byte on the server's disk.
func (s *stage) fill() {
	s.t.Helper()
	f, err := os.OpenFile(filepath.Join(s.dir, "server", "filler"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	s.must(err)
	for page := make([]byte, 4096); err == nil; {
		_, err = f.Write(page)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		s.t.Fatal(err)
	}
	s.must(f.Close())
}

func (s *stage) makeRoom() { s.must(os.Remove(filepath.Join(s.dir, "server", "filler"))) }

// rows counts what is recorded.
func (s *stage) rows() (n int64) {
	s.t.Helper()
	s.must(s.office.store.Read(s.t.Context(), func(tx *store.Tx) error {
		t, err := tx.Table(s.t.Context(), "events")
		if err != nil {
			return err
		}
		return tx.EachRow(s.t.Context(), t, func(store.RawRow) error { n++; return nil })
	}))
	return n
}

// TestADiskThatIsFull lets database and log run out of disk in the middle of a visit. People are told so by its
// name, nothing is half-done, reading goes on; a server killed meanwhile starts again with room, and the visit goes
// on where it was.
func TestADiskThatIsFull(t *testing.T) {
	t.Parallel()
	s := newStage(t, staging{disk: smallDisk})
	p := s.play()
	scenes := p.Install()
	s.must(scenario.Run(t.Context(), scenario.Until(scenes, "arrive")))
	rest := scenario.From(scenes, "arrive")
	var full error
	for len(rest) > 0 && full == nil { // what a write-ahead file has room for still goes through
		s.fill()
		before := s.rows()
		if full = rest[0].Run(t.Context()); full == nil {
			rest = rest[1:]
		} else if after := s.rows(); after != before {
			t.Errorf("%s: %d events more though it failed", rest[0].Name, after-before)
		}
	}
	if fault.CodeOf(full) != "store_disk_full" || fault.KindOf(full) != fault.Unavailable {
		t.Fatalf("with a full disk: %v", full)
	}
	if res, err := http.Get(s.base() + "/healthz"); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("the server does not live: %v", err)
	}
	s.kill("server")
	s.makeRoom()
	s.again("server")
	s.must(scenario.Run(t.Context(), rest))
	s.closed(p)
	s.children.stop()
	runs(t, 0, s.program, "verify-store", "--config", s.config)
}

// refusesToStart says that a server ends by itself and tells why, in both languages.
func (s *stage) refusesToStart(name, code string) {
	s.t.Helper()
	ctx, over := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer over()
	cmd := exec.CommandContext(ctx, s.program, s.args["server"]...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(string(out), code) || !strings.ContainsRune(string(out), '。') {
		s.t.Errorf("%s: %v, want %s:\n%s", name, err, code, out)
	}
}

// TestADiskThatCanOnlyBeRead starts a server on a disk that can only be read: it ends by itself and says why. With
// the disk mended, the visit goes on.
func TestADiskThatCanOnlyBeRead(t *testing.T) {
	t.Parallel()
	s := newStage(t, staging{disk: smallDisk})
	p := s.play()
	scenes := p.Install()
	s.must(scenario.Run(t.Context(), scenario.Until(scenes, "arrive")))
	s.kill("server")
	s.must(s.office.close())
	s.office = nil
	remount := func(flags uintptr) {
		s.must(syscall.Mount("menshen-test", filepath.Join(s.dir, "server"), "", syscall.MS_REMOUNT|flags, ""))
	}
	remount(syscall.MS_RDONLY)
	s.refusesToStart("a disk that can only be read", "store_read_only")
	remount(0)

	c, err := loadConfig(s.config)
	s.must(err)
	s.office, err = openNode(t.Context(), c, nil)
	s.must(err)
	s.again("server")
	s.must(scenario.Run(t.Context(), scenario.From(scenes, "arrive")))
	_, r := s.bundle(p)
	if !r.Accepted() {
		t.Error(r.Refusal)
	}
}
