//go:build processes

package cli

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// eventually waits for something that a process does by itself.
func (s *stage) eventually(what string, holds func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(long); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("never: %s", what)
		}
	}
}

// readiness is what the server says to whoever watches it.
type readiness struct {
	Log       string
	Witnesses map[string]string
}

func (s *stage) ready() (r readiness) {
	s.t.Helper()
	res, err := http.Get(s.base() + "/readyz")
	s.must(err)
	defer res.Body.Close()
	s.must(json.NewDecoder(res.Body).Decode(&r))
	if res.StatusCode != http.StatusOK {
		s.t.Fatalf("/readyz: %s", res.Status)
	}
	return r
}

// serverSaid is everything that the server wrote.
func (s *stage) serverSaid() string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.children.dir, "server.log"))
	s.must(err)
	return string(data)
}

func (s *stage) logFile(name string) string { return filepath.Join(s.dir, "server", "log", name) }

func (s *stage) allReceipted() {
	s.t.Helper()
	s.until("receipts for everything", func(tx *store.Tx) (bool, error) {
		pending, err := tx.PendingLeaves(s.t.Context(), 1)
		if err != nil {
			return false, err
		}
		bare, err := tx.Unreceipted(s.t.Context(), 1)
		return len(pending)+len(bare) == 0, err
	})
}

// newest is the largest file of a folder of partial tiles, such as 000.p.
func (s *stage) newest(dir string) string {
	s.t.Helper()
	names, err := filepath.Glob(filepath.Join(s.logFile(dir), "*"))
	s.must(err)
	best, size := "", int64(-1)
	for _, n := range names {
		info, err := os.Stat(n)
		s.must(err)
		if info.Size() > size {
			best, size = n, info.Size()
		}
	}
	return best
}

// TestALogFolderThatIsDamaged damages the log's folder of a city in every way, while the server stands and while it
// runs. Each time it serves on, says what is wrong and takes evidence, which waits; nothing is decided. With
// menshen repair-log everything is where it was: a monitor that remembers what it saw finds no fork.
func TestALogFolderThatIsDamaged(t *testing.T) {
	t.Parallel()
	s := newStage(t, staging{patience: 5})
	p := s.play()
	scenes := p.Install()
	s.must(scenario.Run(t.Context(), scenario.Until(scenes, "arrive")))
	rest := scenario.Until(scenario.From(scenes, "arrive"), "ask trial")
	s.allReceipted()
	memory := filepath.Join(t.TempDir(), "monitor.json")
	look := func() {
		t.Helper()
		runs(t, 0, s.program, "monitor", "--once", "--trust", s.trustFile, "--log", "http://"+s.server+"/log", "--state", memory)
	}
	yesterday := filepath.Join(t.TempDir(), "log")
	s.must(os.CopyFS(yesterday, os.DirFS(s.logFile(""))))
	s.must(scenario.Run(t.Context(), rest[:1]))
	rest = rest[1:]
	s.allReceipted()
	look()

	cut := func(name string) {
		info, err := os.Stat(name)
		s.must(err)
		s.must(os.Truncate(name, info.Size()/2))
	}
	for _, d := range []struct {
		name    string
		running bool
		damage  func()
		code    string
	}{
		{"checkpoint removed", false, func() { s.must(os.Remove(s.logFile("checkpoint"))) }, ""},
		{"checkpoint cut", false, func() { cut(s.logFile("checkpoint")) }, ""},
		{"checkpoint cut under the server", true, func() { cut(s.logFile("checkpoint")) }, ""},
		{"yesterday's folder", false, func() {
			s.must(os.RemoveAll(s.logFile("")))
			s.must(os.CopyFS(s.logFile(""), os.DirFS(yesterday)))
		}, "log_folder_older"},
		{"an empty folder", false, func() { s.must(os.RemoveAll(s.logFile(""))) }, "log_folder_older"},
		{"entry bundle missing", false, func() { s.must(os.Remove(s.newest("tile/entries/000.p"))) }, "log_unreadable"},
		{"tile cut", false, func() { cut(s.newest("tile/0/000.p")) }, "log_unreadable"},
		{"tree state gone", false, func() { s.must(os.Remove(s.logFile(".state/treeState"))) }, "log_unreadable"},
		{"tree state gone under the server", true, func() { s.must(os.Remove(s.logFile(".state/treeState"))) }, "log_unreadable"},
		{"tile cut under the server", true, func() { cut(s.newest("tile/0/000.p")) }, "log_unreadable"},
	} {
		t.Log(d.name)
		if !d.running {
			s.kill("server")
		}
		d.damage()
		if !d.running {
			s.again("server")
		}
		if len(rest) > 0 { // people go on
			s.must(scenario.Run(t.Context(), rest[:1]))
			rest = rest[1:]
		}
		if d.code == "" {
			s.allReceipted()
			continue
		}
		s.eventually(d.name+" is told", func() bool { return s.ready().Log == d.code })
		if _, err := p.Ask(t.Context(), visit.AskTrial); len(rest) == 0 && fault.CodeOf(err) != "log_paused" {
			t.Errorf("%s: the trial is asked for and the answer is %v", d.name, err)
		}
		if said := s.serverSaid(); !strings.Contains(said, d.code) || !strings.Contains(said, "repair-log") {
			t.Errorf("%s: the server does not say so", d.name)
		}
		s.kill("server")
		runs(t, 0, s.program, "repair-log", "--config", s.config)
		s.again("server")
		s.allReceipted()
		if trouble := s.ready().Log; trouble != "" {
			t.Fatalf("%s, repaired: %s", d.name, trouble)
		}
		look()
	}
	s.must(scenario.Run(t.Context(), rest))
	s.must(scenario.Run(t.Context(), scenario.From(scenes, "ask trial")))
	s.closed(p)
	s.allReceipted()
	look()
	s.children.stop()
	runs(t, 0, s.program, "verify-store", "--config", s.config)
}
