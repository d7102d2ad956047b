//go:build processes

package cli

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
)

// watchedBy is a log that others serve, and what a monitor needs to watch it as a process of its own.
type watchedBy struct {
	t       *testing.T
	mu      sync.Mutex
	shown   *served
	program string
	args    []string
	state   string
}

func (w *watchedBy) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shown.ServeHTTP(out, r)
}

// another is a log under the same keys with other leaves than anybody saw.
func (w *watchedBy) another(leaves ...int) *served {
	w.t.Helper()
	log := &served{log: scenario.NewMemoryLog(w.shown.log.Origin, time.Now)}
	log.log.Key, log.log.Witnesses = w.shown.log.Key, w.shown.log.Witnesses
	for _, n := range leaves {
		log.add(leafOf(w.t, n))
	}
	return log
}

func (w *watchedBy) show(log *served) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shown = log
}

func newWatchedBy(t *testing.T) *watchedBy {
	t.Helper()
	dir, now := t.TempDir(), time.Now()
	w := &watchedBy{t: t, program: program(t, "menshen"), state: filepath.Join(dir, "state.json"), shown: &served{log: scenario.NewMemoryLog("menshen.example/log", time.Now, "witness-a", "witness-b")}}
	cast := scenario.NewCast()
	file := scenario.TrustFileFor(cast, scenario.NewFoundry(cast.Maker.ID, now), now)
	w.shown.log.Trust(&file)
	data, err := statement.Canonical(file)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "trust.json"), string(data))
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	w.args = []string{"monitor", "--json", "--trust", filepath.Join(dir, "trust.json"), "--log", server.URL, "--state", w.state}
	return w
}

// once looks once, as a process, and gives what it wrote.
func (w *watchedBy) once(exit int) string {
	w.t.Helper()
	return string(runs(w.t, exit, w.program, append(w.args, "--once")...))
}

// watching is a monitor that looks every second.
type watching struct {
	t    *testing.T
	cmd  *exec.Cmd
	said *bufio.Scanner
}

func (w *watchedBy) start() *watching {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), w.program, append(w.args, "--every", "1s")...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return &watching{w.t, cmd, bufio.NewScanner(out)}
}

// next is what the next look tells.
func (m *watching) next() (w watchedLog) {
	m.t.Helper()
	if !m.said.Scan() {
		m.t.Fatalf("the monitor ended: %v", m.said.Err())
	}
	if err := json.Unmarshal(m.said.Bytes(), &w); err != nil {
		m.t.Fatalf("%s: %v", m.said.Bytes(), err)
	}
	return w
}

// ended ends it and gives its exit code, -1 for one that was killed.
func (m *watching) ended(how syscall.Signal) int {
	m.t.Helper()
	if err := m.cmd.Process.Signal(how); err != nil {
		m.t.Fatal(err)
	}
	for m.said.Scan() { // what it still tells
	}
	_ = m.cmd.Wait() // its code is what is asked for
	return m.cmd.ProcessState.ExitCode()
}

// TestAMonitorIsAwayWhileTheLogLies: the monitor is a process of another party's. While it is down the log is rolled back,
// and then grows on otherwise; restarted, it says which, at every look and at every start, and its exit code does, too. With
// the honest log back it goes on where it was.
func TestAMonitorIsAwayWhileTheLogLies(t *testing.T) {
	t.Parallel()
	w := newWatchedBy(t)
	honest := w.shown
	for n := range 5 {
		honest.add(leafOf(t, n))
	}
	m := w.start()
	if got := m.next(); got.Size != 5 || got.New != 5 || !got.First || len(got.Alarms) != 0 {
		t.Errorf("the first look: %+v", got)
	}
	if got := m.next(); got.New != 0 || got.First {
		t.Errorf("the second look: %+v", got)
	}
	if code := m.ended(syscall.SIGKILL); code != -1 {
		t.Errorf("killed: exit %d", code)
	}
	for _, lie := range []struct {
		name string
		log  *served
		code string
	}{
		{"rolled back", w.another(0, 1, 2), "log_rolled_back"},
		{"rolled back to nothing", w.another(), "log_rolled_back"},
		{"as long, with another leaf", w.another(0, 1, 2, 3, 7), "log_forked"},
		{"rolled back and grown on otherwise", w.another(0, 1, 2, 7, 8, 9, 10), "log_forked"},
	} {
		w.show(lie.log)
		before, err := os.ReadFile(w.state)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // a look that found it is not one that gets used to it
			m := w.start()
			for range 2 {
				if got := m.next(); len(got.Alarms) != 1 || got.Alarms[0].Code != lie.code || got.First {
					t.Errorf("%s: %+v", lie.name, got)
				}
			}
			if code := m.ended(syscall.SIGTERM); code != exitRefused {
				t.Errorf("%s: exit %d", lie.name, code)
			}
			if said := w.once(exitRefused); !strings.Contains(said, lie.code) || !strings.Contains(said, "monitor_found") {
				t.Errorf("%s, once: %s", lie.name, said)
			}
		}
		if after, err := os.ReadFile(w.state); err != nil || string(after) != string(before) {
			t.Errorf("%s: what was seen before is forgotten: %s, %v", lie.name, after, err)
		}
	}
	w.show(honest)
	honest.add(leafOf(t, 5))
	m = w.start()
	if got := m.next(); got.Size != 6 || got.New != 1 || len(got.Alarms) != 0 {
		t.Errorf("the honest log again: %+v", got)
	}
	if code := m.ended(syscall.SIGTERM); code != exitDone {
		t.Errorf("nothing found: exit %d", code)
	}
}

// TestAMonitorsOwnMemoryIsSpoiled: its state file is damaged, an older copy, or gone. A damaged one is said to be damaged and
// is never called a log that forked; an older one goes on from there; without one it says that it starts anew.
func TestAMonitorsOwnMemoryIsSpoiled(t *testing.T) {
	t.Parallel()
	w := newWatchedBy(t)
	for n := range 3 {
		w.shown.add(leafOf(t, n))
	}
	w.once(exitDone)
	older, err := os.ReadFile(w.state)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		w.shown.add(leafOf(t, 3+n))
	}
	w.once(exitDone)
	whole, err := os.ReadFile(w.state)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(whole), `"hashes":["`) + len(`"hashes":["`)
	flipped := []byte(string(whole))
	flipped[at] ^= 'A' ^ 'B'
	if flipped[at] == whole[at] || flipped[at] == '"' {
		t.Fatal("nothing was changed")
	}
	for name, text := range map[string]string{"one character of a hash": string(flipped), "cut": string(whole[:len(whole)/2]), "empty": "",
		"another size": strings.Replace(string(whole), `"size":7`, `"size":3`, 1)} {
		put(t, w.state, text)
		if said := w.once(exitInvalid); !strings.Contains(said, "monitor_state_damaged") || !strings.Contains(said, w.state) || strings.Contains(said, "log_forked") {
			t.Errorf("%s: %s", name, said)
		}
	}
	put(t, w.state, string(older))
	if said := w.once(exitDone); !strings.Contains(said, `"size":7,"new":4`) || !strings.Contains(said, `"first":false`) {
		t.Errorf("an older copy: %s", said)
	}
	if err := os.Remove(w.state); err != nil {
		t.Fatal(err)
	}
	if said := w.once(exitDone); !strings.Contains(said, `"size":7,"new":7`) || !strings.Contains(said, `"first":true`) {
		t.Errorf("none: %s", said)
	}
	put(t, w.state, string(older))
	w.show(w.another(0, 1, 7, 8))
	if said := w.once(exitRefused); !strings.Contains(said, "log_forked") {
		t.Errorf("an older copy still finds what forked before it: %s", said)
	}
}
