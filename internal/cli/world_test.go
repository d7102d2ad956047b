//go:build processes

package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// long bounds a wait for something that must happen; nothing is expected to take it.
const long = 90 * time.Second

// programs builds every command once, as `make build` does, and gives their folder.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "menshen-bin-")
	if err != nil {
		return "", err
	}
	builtIn = dir
	build := exec.Command("go", "build", "-o", dir, "github.com/menshen-project/menshen/cmd/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", errChild.At("go build").Because(&exec.Error{Name: string(out), Err: err})
	}
	return dir, nil
})

func program(t *testing.T, name string) string {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// stage is a world of real processes that a test drives.
type stage struct {
	*world
	t     *testing.T
	acked *acknowledged

	opening sync.Mutex // of shops, in TestACityUnderKills
}

// newStage sets everybody up and starts every process.
func newStage(t *testing.T, st staging) *stage {
	t.Helper()
	st.program, st.wanted = program(t, "menshen"), anyAddress()
	if st.patience == 0 {
		st.patience = demoPatience
	}
	dir := t.TempDir()
	if st.disk > 0 {
		mount(t, filepath.Join(dir, "server"), st.disk)
	}
	w, err := newWorld(dir, st)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	t.Cleanup(func() {
		if t.Failed() {
			tellLogs(t, w.children.dir)
		}
	})
	if err := w.register(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := w.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &stage{world: w, t: t, acked: &acknowledged{streams: map[string]string{}}}
}

// tellLogs shows the end of every process's log.
func tellLogs(t *testing.T, dir string) {
	files, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	for _, f := range files {
		data, _ := os.ReadFile(f)
		if len(data) > 3000 {
			data = data[len(data)-3000:]
		}
		t.Logf("%s:\n%s", filepath.Base(f), data)
	}
}

// play begins an installation of the city's merchant, whose people do not give up when the server is
// away.
func (s *stage) play() *scenario.Play {
	s.t.Helper()
	p := s.newPlay(nil, s.city.Cast, "visit-wei-1", visit.Install, 1, 1)
	p.Venue.(*scenario.HTTPVenue).Client = &http.Client{Transport: s.acked}
	s.city.Begin(p.Cast, time.Now())
	s.must(p.OpenCity(s.t.Context()))
	return p
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// kill ends a process as a power cut would.
func (s *stage) kill(name string) { s.children.endOne(name, syscall.SIGKILL) }

// again starts a process that was ended.
func (s *stage) again(name string) {
	s.t.Helper()
	s.must(s.run(s.t.Context(), name))
}

// until waits for something to become true without asking the server for anything.
func (s *stage) until(what string, true_ func(tx *store.Tx) (bool, error)) {
	s.t.Helper()
	deadline := time.Now().Add(long)
	for {
		ok := false
		s.must(s.office.store.Read(s.t.Context(), func(tx *store.Tx) (err error) {
			ok, err = true_(tx)
			return err
		}))
		if ok {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("never: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// permit gives the visit's last permit as the server's books have it.
func (s *stage) permit(p *scenario.Play) store.Permit {
	s.t.Helper()
	var list []store.Permit
	s.must(s.office.store.Read(s.t.Context(), func(tx *store.Tx) (err error) {
		list, err = tx.PermitsOfVisit(s.t.Context(), p.ID)
		return err
	}))
	if len(list) == 0 {
		s.t.Fatal("the visit has no permit")
	}
	return list[len(list)-1]
}

// loads asks the host how often it loaded keys on a permit.
func (s *stage) loads(permit string) int {
	s.t.Helper()
	n, _, err := s.atHost.(*desk).Standing(s.t.Context(), permit)
	s.must(err)
	return n
}

// bundle exports the visit for its merchant and checks it as anybody would.
func (s *stage) bundle(p *scenario.Play) (*evidence.Bundle, evidence.Result) {
	s.t.Helper()
	data, err := p.Venue.Bundle(s.t.Context(), p.Cast.Merchant, p.ID)
	s.must(err)
	b, err := evidence.Open(data)
	s.must(err)
	return b, evidence.Verify(b, s.trust)
}

// closed says that the visit went to its end and that its bundle proves it.
func (s *stage) closed(p *scenario.Play) *evidence.Bundle {
	s.t.Helper()
	b, r := s.bundle(p)
	if !r.Accepted() || r.Stage != string(visit.Closed) {
		s.t.Fatalf("stage %s, refused: %v", r.Stage, r.Refusal)
	}
	return b
}

// acknowledged is how people reach the server: they ask again, the same request, as long as nobody
// answers; what was answered they remember.
type acknowledged struct {
	sending func() // told before each request; nil for nobody
	mu      sync.Mutex
	streams map[string]string // statement digest → stream, "" for the visit's own
}

func (a *acknowledged) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.sending != nil {
		a.sending()
	}
	deadline := time.Now().Add(long)
	for {
		res, err := once(r)
		if err == nil {
			return res, a.remember(r, res)
		}
		if r.Context().Err() != nil || time.Now().After(deadline) {
			return nil, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// once sends a request once and reads the answer whole.
func once(r *http.Request) (*http.Response, error) {
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	again := r.Clone(r.Context())
	again.Body = body
	res, err := http.DefaultTransport.RoundTrip(again)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	res.Body = io.NopCloser(bytes.NewReader(data))
	return res, err
}

func (a *acknowledged) remember(r *http.Request, res *http.Response) error {
	data, err := io.ReadAll(res.Body)
	res.Body = io.NopCloser(bytes.NewReader(data))
	if err != nil || r.Method != http.MethodPost || res.StatusCode >= 300 {
		return err
	}
	var answer struct{ Stream, Statement, Decision string }
	if err := json.Unmarshal(data, &answer); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, digest := range []string{answer.Statement, answer.Decision} {
		if digest != "" {
			a.streams[digest] = answer.Stream
		}
	}
	return nil
}

// between is the line from the server to the host, where a test can cut it or keep an answer back.
type between struct {
	host string // address of the host
	mu   sync.Mutex
	kept func() // called when the host has acted on a permit, before the server hears of it; nil lets pass
}

func (b *between) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.RequestURI = "http", b.host, ""
	res, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		panic(http.ErrAbortHandler) // the host does not answer, so nobody does
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	b.mu.Lock()
	kept := b.kept
	b.mu.Unlock()
	if kept != nil && strings.HasPrefix(r.URL.Path, "/permits/") && res.StatusCode == http.StatusOK {
		kept()
		panic(http.ErrAbortHandler)
	}
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
	_, _ = w.Write(data) // the server may have gone
}

func (b *between) keep(kept func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = kept
}

// visitStream gives the digests of the statements in the bundle's visit stream, in order.
func visitStream(t *testing.T, b *evidence.Bundle) []string {
	t.Helper()
	var out []string
	for _, e := range b.Entries {
		var event struct{ Stream, Statement string }
		data, err := statement.Base64(e.Event)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &event); err != nil {
			t.Fatal(err)
		}
		if event.Stream == visit.StreamVisit+"/"+b.Visit {
			out = append(out, event.Statement)
		}
	}
	return out
}

// endOne ends the child of this name that was started last.
func (c *children) endOne(name string, s syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.all) - 1; i >= 0; i-- {
		if c.all[i].name == name {
			c.all[i].end(s)
			c.all = slices.Delete(c.all, i, i+1)
			return
		}
	}
}
