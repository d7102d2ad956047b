package transparency_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/transparency"
)

const (
	origin   = "menshen.example/log"
	interval = 100 * time.Millisecond
	patience = 20 * time.Second // the machine may be busy; nothing here takes a second of it
)

// folder is t.TempDir, except that Tessera may finish a write just after Close.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "menshen-log-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 50 {
			if os.RemoveAll(dir) == nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Errorf("%s cannot be removed", dir)
	})
	return dir
}

func leaf(n int) []byte {
	l, err := record.LeafFor(fmt.Append(nil, "event ", n), [16]byte{1}, "2026-11-22", "31")
	if err != nil {
		panic(err)
	}
	return l.Bytes()
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func soon(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	_ = time.AfterFunc(2*d, cancel)
	return ctx
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

// party runs a witness that can be cut off.
type party struct {
	name, vkey, secret, dir string
	down                    atomic.Bool
	hang                    atomic.Bool
	slow                    atomic.Int64 // nanoseconds
	server                  *httptest.Server
}

func newParty(t testing.TB, name string, logKey string) *party {
	t.Helper()
	p := &party{name: name, dir: folder(t)}
	var err error
	if p.secret, p.vkey, err = transparency.GenerateWitnessKey("witness.example/" + name); err != nil {
		t.Fatal(err)
	}
	witness := p.witness(t, logKey)
	t.Cleanup(func() { _ = witness.Close() })
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.hang.Load() {
			_, _ = io.Copy(io.Discard, r.Body) // or the server does not see the log hang up
			<-r.Context().Done()
			return
		}
		if p.down.Load() {
			panic(http.ErrAbortHandler)
		}
		time.Sleep(time.Duration(p.slow.Load()))
		http.StripPrefix("/w", witness).ServeHTTP(w, r)
	}))
	t.Cleanup(p.server.Close)
	return p
}

func (p *party) witness(t testing.TB, logKey string) *transparency.Witness {
	t.Helper()
	signer, vkey, err := transparency.ParseWitnessSigner(p.secret)
	if err != nil || vkey != p.vkey {
		t.Fatalf("%q, %v", vkey, err)
	}
	w, err := transparency.NewWitness(transparency.WitnessConfig{Dir: p.dir, Signer: signer,
		Logs: []transparency.LogKey{{Origin: origin, VKey: logKey}}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// world is a log's configuration and its witnesses.
type world struct {
	secret  string
	config  transparency.Config
	parties []*party
}

func newWorld(t testing.TB, quorum int, names ...string) *world {
	t.Helper()
	secret, vkey, err := transparency.GenerateLogKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{secret: secret}
	w.config = transparency.Config{Dir: folder(t), Interval: interval, WitnessTimeout: time.Second,
		Policy: record.PolicyConfig{Origin: origin, Operator: "operator", LogKey: vkey, Quorum: quorum}}
	for _, name := range names {
		p := newParty(t, name, vkey)
		w.parties = append(w.parties, p)
		w.config.Policy.Witnesses = append(w.config.Policy.Witnesses, record.Witness{Party: name, VKey: p.vkey})
		w.config.Witnesses = append(w.config.Witnesses, transparency.WitnessEndpoint{VKey: p.vkey, URL: p.server.URL + "/w"})
	}
	if w.config.Signer, _, err = transparency.ParseLogSigner(secret); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) down(down bool) {
	for _, p := range w.parties {
		p.down.Store(down)
	}
}

func (w *world) open(t testing.TB) *transparency.Log {
	t.Helper()
	l, err := transparency.Open(context.Background(), w.config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// proven asks the log for a receipt and a verifier of its own for the truth.
func (w *world) proven(t testing.TB, l *transparency.Log, index uint64, leaf []byte) record.Inclusion {
	t.Helper()
	receipt, err := l.WaitWitnessed(within(t), index)
	if err != nil {
		t.Fatal(err)
	}
	p, err := record.NewPolicy(w.config.Policy)
	if err != nil {
		t.Fatal(err)
	}
	i, err := p.VerifyReceipt(receipt, leaf)
	if err != nil || i.Index() != index {
		t.Fatalf("leaf %d: %v", index, err)
	}
	return i
}

// leafAt gives which of the leaves 0 to n-1 is at index.
func leafAt(t testing.TB, l *transparency.Log, index uint64, n int) []byte {
	t.Helper()
	for i := range n {
		if at, found, err := l.Find(within(t), leaf(i), index); err != nil {
			t.Fatal(err)
		} else if found && at == index {
			return leaf(i)
		}
	}
	t.Fatalf("no leaf at %d", index)
	return nil
}
