package httpapi_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// fast is a rate that no test meets.
var fast = httpapi.Rate{PerSecond: 1e6, Burst: 1e6}

// world is a deployment with an open city, and one visit that is booked.
type world struct {
	*scenario.Deployment
	play *scenario.Play
	log  *lines
	dir  string

	ticket, clerk, letter string // ids, of a world that was played
}

// lines is a log that tests read.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newWorld(t *testing.T, edit func(*scenario.DeploymentConfig)) *world {
	t.Helper()
	log := &lines{}
	c := scenario.DeploymentConfig{Dir: t.TempDir(), Now: time.Now, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		API: httpapi.Config{PerToken: fast, PerAddress: fast}}
	if edit != nil {
		edit(&c)
	}
	d, err := scenario.NewDeployment(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Book(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &world{Deployment: d, play: p, log: log, dir: c.Dir}
}

// reply is an answer as it came.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) code() string {
	var p httpapi.Problem
	if json.Unmarshal(r.body, &p) != nil {
		return ""
	}
	return p.Code
}

// request is one request; the zero value of a field is the ordinary one.
type request struct {
	method, path string
	by           *scenario.Actor // nil is nobody
	token        string          // instead of by's
	session      string          // the cookie that the browser has already
	key          string          // "-" for none
	body         string
	kind         string // Content-Type; "-" for none
	accept       string // Accept-Language
	secret       string // Menshen-Result-Secret
}

func (w *world) do(t *testing.T, q request) reply {
	t.Helper()
	if q.method == "" {
		q.method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), q.method, w.Venue.URL+q.path, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	if q.token == "" && q.by != nil {
		if q.token, err = w.Token(t.Context(), q.by); err != nil {
			t.Fatal(err)
		}
	}
	set := func(name, value, ordinary string) {
		if value == "" {
			value = ordinary
		}
		if value != "-" && value != "" {
			req.Header.Set(name, value)
		}
	}
	if q.token != "" {
		req.Header.Set("Authorization", "Bearer "+q.token)
	}
	if q.session != "" {
		req.AddCookie(&http.Cookie{Name: httpapi.SessionCookie, Value: q.session})
	}
	set("Accept-Language", q.accept, "")
	set("Menshen-Result-Secret", q.secret, "")
	if q.method == http.MethodPost {
		set("Idempotency-Key", q.key, rand.Text())
		set("Content-Type", q.kind, "application/json")
	}
	return w.send(t, req)
}

func (w *world) send(t *testing.T, req *http.Request) reply {
	t.Helper()
	res, err := w.Venue.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, body}
}

// want fails the test unless the answer is this problem.
func (r reply) want(t *testing.T, status int, code string) {
	t.Helper()
	if r.status != status || r.code() != code || r.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%d %s (%s), want %d %s", r.status, r.body, r.header.Get("Content-Type"), status, code)
	}
}

// read fails the test unless the answer is a good one, and decodes it.
func (r reply) read(t *testing.T, status int, into any) {
	t.Helper()
	if r.status != status || r.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s (%s), want %d", r.status, r.body, r.header.Get("Content-Type"), status)
	}
	if err := statement.Decode(bytes.TrimSpace(r.body), into); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
}

// filing is the body that files an envelope.
func filing(envelope []byte, openings ...statement.Opening) string {
	data, err := json.Marshal(httpapi.Filing{Statement: base64.StdEncoding.EncodeToString(envelope), Openings: openings})
	if err != nil {
		panic(err)
	}
	return string(data)
}

// signed is a filing of a body that an actor signs now, outside of his chain.
func signed(by *scenario.Actor, stream, kind string, body any) string {
	return filing(by.Forge(scenario.Draft{Stream: stream, Type: kind, At: time.Now(), Body: body}))
}

// dump is every byte of the database's own files.
func (w *world) dump(t *testing.T) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(w.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return all
}
