package transparency_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/record/recordtest"
	"github.com/menshen-project/menshen/internal/transparency"
)

// diary keeps what the log tells people.
type diary struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.Write(p)
}

func (d *diary) tells(words ...string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for line := range strings.Lines(d.b.String()) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			return true
		}
	}
	return false
}

// rogue is a witness that cosigns honestly, without looking at proofs, until it is told to lie.
type rogue struct {
	key    recordtest.Signer
	mu     sync.Mutex
	lie    http.HandlerFunc // nil for honest
	first  string           // the first cosignature that it gave
	server *httptest.Server
}

func newRogue(t *testing.T, key recordtest.Signer) *rogue {
	t.Helper()
	r := &rogue{key: key}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func (r *rogue) lies(how http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lie = how
}

func (r *rogue) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	lie := r.lie
	r.mu.Unlock()
	if lie != nil {
		lie(w, q)
		return
	}
	line := r.key.Cosign(headAsked(q), time.Now())
	r.mu.Lock()
	r.first = line
	r.mu.Unlock()
	_, _ = io.WriteString(w, line)
}

// headAsked is the text that a witness is asked to sign: origin, size and hash, a line each.
func headAsked(q *http.Request) string {
	body, _ := io.ReadAll(q.Body)
	_, checkpoint, _ := strings.Cut(string(body), "\n\n")
	head, _, _ := strings.Cut(checkpoint, "\n\n")
	return head + "\n"
}

// TestALyingWitnessIsNamedAndWhy lets one of two witnesses, of which both are needed, lie in every way. What the
// log holds is not released meanwhile; state and log line name the witness and the lie; it recovers when the
// witness is honest again.
func TestALyingWitnessIsNamedAndWhy(t *testing.T) {
	key := recordtest.NewSigner("witness.example/rogue", "rogue", 4)
	stranger := recordtest.NewSigner("witness.example/rogue", "stranger", 4)
	var r *rogue
	changed := func(at int, to func(string) string) http.HandlerFunc {
		return func(w http.ResponseWriter, q *http.Request) {
			lines := strings.Split(headAsked(q), "\n")
			lines[at] = to(lines[at])
			_, _ = io.WriteString(w, key.Cosign(strings.Join(lines, "\n"), time.Now()))
		}
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, q *http.Request) { w.WriteHeader(code) }
	}
	tells := func(size string) http.HandlerFunc {
		return func(w http.ResponseWriter, q *http.Request) {
			w.Header().Set("Content-Type", "text/x.tlog.size")
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, size+"\n")
		}
	}
	var flips int
	for _, c := range []struct {
		name, code string
		lie        http.HandlerFunc
	}{
		{"rollback: a smaller size", "witness_cosignature_differs", changed(1, func(s string) string { n, _ := strconv.Atoi(s); return strconv.Itoa(n - 1) })},
		{"a larger size", "witness_cosignature_differs", changed(1, func(s string) string { return s + "0" })},
		{"fork: another hash", "witness_cosignature_differs", changed(2, func(string) string { return strings.Repeat("A", 43) + "=" })},
		{"another origin", "witness_cosignature_differs", changed(0, func(s string) string { return s + "/other" })},
		{"an earlier cosignature again", "witness_cosignature_old", func(w http.ResponseWriter, q *http.Request) {
			r.mu.Lock()
			defer r.mu.Unlock()
			_, _ = io.WriteString(w, r.first)
		}},
		{"another key", "witness_key_differs", func(w http.ResponseWriter, q *http.Request) {
			_, _ = io.WriteString(w, stranger.Cosign(headAsked(q), time.Now()))
		}},
		{"time zero", "witness_cosignature_unusable", func(w http.ResponseWriter, q *http.Request) {
			_, _ = io.WriteString(w, key.Cosign(headAsked(q), time.Unix(0, 0)))
		}},
		{"nothing", "witness_answer_malformed", func(http.ResponseWriter, *http.Request) {}},
		{"garbage", "witness_answer_malformed", func(w http.ResponseWriter, q *http.Request) { _, _ = io.WriteString(w, "\x00\xff 你好") }},
		{"huge", "witness_answer_malformed", func(w http.ResponseWriter, q *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
		}},
		{"a larger log than there is", "witness_saw_another_log", tells("99999")},
		{"a size that is no number", "witness_answer_malformed", tells("-1")},
		{"one size, then another, without end", "witness_answer_malformed", func(w http.ResponseWriter, q *http.Request) {
			r.mu.Lock()
			flips++
			n := flips % 2
			r.mu.Unlock()
			tells(fmt.Sprint(n))(w, q)
		}},
		{"conflict", "witness_saw_another_log", status(http.StatusConflict)},
		{"proof refused", "witness_saw_another_log", status(http.StatusUnprocessableEntity)},
		{"log unknown", "witness_refuses", status(http.StatusNotFound)},
		{"its own defect", "witness_refuses", status(http.StatusInternalServerError)},
		{"hangs", "witness_unreachable", func(_ http.ResponseWriter, q *http.Request) {
			_, _ = io.Copy(io.Discard, q.Body)
			<-q.Context().Done()
		}},
		{"hangs up", "witness_unreachable", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r = newRogue(t, key)
			w, told := newWorld(t, 2, "bank"), &diary{}
			w.config.Logger = slog.New(slog.NewJSONHandler(told, nil))
			w.config.WitnessTimeout = 300 * time.Millisecond
			w.config.Policy.Witnesses = append(w.config.Policy.Witnesses, record.Witness{Party: "rogue", VKey: key.VKey()})
			w.config.Policy.Quorum = 2
			w.config.Witnesses = append(w.config.Witnesses, transparency.WitnessEndpoint{VKey: key.VKey(), URL: r.server.URL})
			l := w.open(t)
			add := func(n int) uint64 {
				t.Helper()
				index, err := l.Add(within(t), leaf(n))
				if err != nil {
					t.Fatal(err)
				}
				return index
			}
			first := add(0)
			w.proven(t, l, first, leaf(0))

			r.lies(c.lie)
			index := add(1)
			var s transparency.WitnessStatus
			eventually(t, "the state says "+c.code, func() bool {
				s = l.Status().Witnesses[1]
				return s.Why == c.code
			})
			if s.Party != "rogue" || s.OK {
				t.Fatalf("state %+v", s)
			}
			if !told.tells("witness is not counted", `"rogue"`, c.code, "。") {
				t.Fatalf("no line names witness and reason:\n%s", told.b.String())
			}
			if _, err := l.Receipt(within(t), index); fault.CodeOf(err) != "log_not_witnessed" {
				t.Fatalf("a receipt on a lie: %v", err)
			}

			r.lies(nil)
			w.proven(t, l, index, leaf(1))
			eventually(t, "the witness counts again", func() bool {
				s := l.Status().Witnesses[1]
				return s.OK && s.Why == "" && told.tells("witness counts again", `"rogue"`)
			})
		})
	}
}
