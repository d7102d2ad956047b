package simhost

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/menshen-project/menshen/internal/service"
)

// reorderWait is how long a request that is held back waits to be overtaken.
const reorderWait = 50 * time.Millisecond

// Hostile is how badly the host treats menshen's calls and the requests for its reports. It never
// signs anything untrue, and the same seed treats the same requests alike. The line to terminals and
// the desk's own writing are only slow: what a terminal must survive, the acceptance script tests.
type Hostile struct {
	Seed      uint64        `json:"seed"`        // decides everything left to chance
	DelayUpTo time.Duration `json:"delay_up_to"` // nanoseconds, before each answer
	LoseFirst bool          `json:"lose_first"`  // the first answer on each path is lost, after the host has acted
	Double    bool          `json:"double"`      // every request arrives twice; the first answer is sent
	Reorder   bool          `json:"reorder"`     // about half the requests wait, for at most 50 ms, until another overtakes them
}

// Mild is for demonstrations: each answer is lost once, so that menshen must ask again.
func Mild() Hostile { return Hostile{LoseFirst: true} }

// Worst is for tests.
func Worst(seed uint64) Hostile {
	return Hostile{Seed: seed, DelayUpTo: 20 * time.Millisecond, LoseFirst: true, Double: true, Reorder: true}
}

// maxPaths bounds what is remembered about paths; when full, a path counts as new again.
const maxPaths = 10_000

// mischief carries out Hostile.
type mischief struct {
	Hostile
	acted func(path string) // told after the host acted and before anybody hears; nil outside tests

	mu      sync.Mutex
	seen    map[string]int // path → requests so far
	passing chan struct{}  // closed when a request was carried out
}

func newMischief(h Hostile) *mischief {
	return &mischief{Hostile: h, seen: map[string]int{}, passing: make(chan struct{})}
}

// count numbers a request on its path, from 1, and gives what is closed when another was carried out.
func (m *mischief) count(path string) (n int, overtaken <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.seen) >= maxPaths {
		clear(m.seen)
	}
	m.seen[path]++
	return m.seen[path], m.passing
}

// done lets the requests go on that waited to be overtaken.
func (m *mischief) done() {
	m.mu.Lock()
	defer m.mu.Unlock()
	close(m.passing)
	m.passing = make(chan struct{})
}

// chance gives a number that only seed, purpose, path and count decide.
func (m *mischief) chance(purpose, path string, n int) uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %s %d", m.Seed, purpose, path, n))
	return binary.BigEndian.Uint64(sum[:])
}

// on wraps the handler of a request that may be mistreated.
func (m *mischief) on(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.Method + " " + r.URL.Path
		n, overtaken := m.count(path)
		if m.Reorder && m.chance("reorder", path, n)%2 == 0 {
			wait(r, overtaken, reorderWait)
		}
		answer, err := m.carryOut(inner, r)
		m.done()
		if err != nil {
			service.WriteProblem(w, err)
			return
		}
		if m.acted != nil {
			m.acted(r.URL.Path)
		}
		m.slowly(r, path, n)
		if m.LoseFirst && n == 1 {
			panic(http.ErrAbortHandler) // the host has acted, and nobody hears of it
		}
		answer.send(w)
	})
}

// slow wraps the handler of a request that is only delayed.
func (m *mischief) slow(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.Method + " " + r.URL.Path
		n, _ := m.count(path)
		m.slowly(r, path, n)
		inner.ServeHTTP(w, r)
	})
}

func (m *mischief) slowly(r *http.Request, path string, n int) {
	if m.DelayUpTo > 0 {
		wait(r, nil, time.Duration(m.chance("delay", path, n)%uint64(m.DelayUpTo)))
	}
}

// carryOut has the request done once or twice, and gives the first answer.
func (m *mischief) carryOut(inner http.Handler, r *http.Request) (*recorded, error) {
	body, err := service.ReadBody(r, maxBundle)
	if err != nil {
		return nil, err
	}
	do := func() *recorded {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		w := &recorded{header: http.Header{}, status: http.StatusOK}
		inner.ServeHTTP(w, again)
		return w
	}
	answer := do()
	if m.Double {
		do()
	}
	return answer, nil
}

// recorded is an answer that nobody has heard yet.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *recorded) Header() http.Header            { return a.header }
func (a *recorded) WriteHeader(status int)         { a.status = status }
func (a *recorded) Write(data []byte) (int, error) { return a.body.Write(data) }

func (a *recorded) send(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) // the client may have gone
}

func wait(r *http.Request, early <-chan struct{}, most time.Duration) {
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-early:
	case <-t.C:
	case <-r.Context().Done():
	}
}
