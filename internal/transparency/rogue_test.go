package transparency_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/record/recordtest"
	"github.com/menshen-project/menshen/internal/transparency"
)

// TestRogueWitnessIsNotCounted pairs an honest but slow witness with one that answers at once and
// badly. One of the two is quorum enough.
func TestRogueWitnessIsNotCounted(t *testing.T) {
	key := recordtest.NewSigner("witness.example/rogue", "rogue", 4)
	stranger := recordtest.NewSigner("witness.example/rogue", "stranger", 4)
	text := func(r *http.Request) string {
		body, _ := io.ReadAll(r.Body)
		checkpoint := strings.SplitN(string(body), "\n\n", 2)[1]
		return strings.SplitAfterN(checkpoint, "\n\n", 2)[0][:strings.Index(checkpoint, "\n\n")+1]
	}
	for name, answer := range map[string]http.HandlerFunc{
		"time zero": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, key.Cosign(text(r), time.Unix(0, 0)))
		},
		"cosigned something else": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, key.Cosign(strings.Replace(text(r), "\n", "\n9", 1), time.Now()))
		},
		"another's key": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, stranger.Cosign(text(r), time.Now()))
		},
		"second spelling": func(w http.ResponseWriter, r *http.Request) {
			// 76 bytes leave four bits of the last letter unused.
			line := key.Cosign(text(r), time.Now())
			at := len(line) - len("x==\n")
			_, _ = io.WriteString(w, line[:at]+string(line[at]+1)+line[at+1:])
		},
		"claims a larger log": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/x.tlog.size")
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, "99999\n")
		},
		"always another size": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/x.tlog.size")
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, "0\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1, "bank")
			rogue := httptest.NewServer(answer)
			t.Cleanup(rogue.Close)
			w.config.Policy.Witnesses = append(w.config.Policy.Witnesses, record.Witness{Party: "rogue", VKey: key.VKey()})
			w.config.Witnesses = append(w.config.Witnesses, transparency.WitnessEndpoint{VKey: key.VKey(), URL: rogue.URL})
			w.parties[0].slow.Store(int64(30 * time.Millisecond))
			l := w.open(t)
			index, err := l.Add(within(t), leaf(1))
			if err != nil {
				t.Fatal(err)
			}
			i := w.proven(t, l, index, leaf(1))
			if got := i.Cosigned(); len(got) != 1 || got[0].Party != "bank" {
				t.Fatalf("cosigned by %v", got)
			}
		})
	}
}

// TestWitnessCannotFloodTheLog counts what the log takes of an answer without end. The kernel's
// buffers take some megabytes more; in a second of reading it would be hundreds.
func TestWitnessCannotFloodTheLog(t *testing.T) {
	key := recordtest.NewSigner("witness.example/rogue", "rogue", 4)
	flood := strings.Repeat("x", 1<<16)
	var answers, most atomic.Int64
	rogue := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers.Add(1)
		for sent := 0; r.Context().Err() == nil; sent += len(flood) {
			if _, err := io.WriteString(w, flood); err != nil {
				break
			}
			most.Store(max(most.Load(), int64(sent)))
		}
	}))
	t.Cleanup(rogue.Close)
	w := newWorld(t, 1)
	w.config.Policy.Witnesses = []record.Witness{{Party: "rogue", VKey: key.VKey()}}
	w.config.Witnesses = []transparency.WitnessEndpoint{{VKey: key.VKey(), URL: rogue.URL}}
	w.open(t)
	eventually(t, "three answers", func() bool { return answers.Load() > 3 })
	if got := most.Load(); got > 32<<20 {
		t.Fatalf("the log took %d MB of one answer", got>>20)
	}
}

func TestWitnessCannotSendTheLogElsewhere(t *testing.T) {
	key := recordtest.NewSigner("witness.example/rogue", "rogue", 4)
	var elsewhere, answers atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(inside.Close)
	rogue := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers.Add(1)
		http.Redirect(w, r, inside.URL, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(rogue.Close)
	w := newWorld(t, 1)
	w.config.Policy.Witnesses = []record.Witness{{Party: "rogue", VKey: key.VKey()}}
	w.config.Witnesses = []transparency.WitnessEndpoint{{VKey: key.VKey(), URL: rogue.URL}}
	l := w.open(t)
	eventually(t, "three answers", func() bool { return answers.Load() > 3 })
	if elsewhere.Load() > 0 {
		t.Fatal("a witness made the log call another address")
	}
	if s := l.Status().Witnesses; len(s) != 1 || s[0].OK {
		t.Fatalf("status %+v", s)
	}
}

// TestRestoredFolderIsNotWitnessed puts back yesterday's folder: the log would sign another past
// than the one its witnesses saw, and nothing may be released on it.
func TestRestoredFolderIsNotWitnessed(t *testing.T) {
	w := newWorld(t, 1, "bank")
	l := w.open(t)
	add := func(n int) uint64 {
		t.Helper()
		index, err := l.Add(within(t), leaf(n))
		if err != nil {
			t.Fatal(err)
		}
		return index
	}
	close := func() {
		t.Helper()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	w.proven(t, l, add(0), leaf(0))
	close()
	time.Sleep(interval) // Tessera's last write
	yesterday := folder(t) + "/log"
	if err := os.CopyFS(yesterday, os.DirFS(w.config.Dir)); err != nil {
		t.Fatal(err)
	}
	l = w.open(t)
	w.proven(t, l, add(1), leaf(1))
	w.proven(t, l, add(2), leaf(2))
	close()

	w.config.Dir = yesterday
	l = w.open(t)
	for n := 10; n < 15; n++ {
		index := add(n)
		if _, err := l.WaitWitnessed(soon(2*interval), index); fault.CodeOf(err) != "log_not_witnessed" {
			t.Fatalf("leaf %d of a fork: %v", n, err)
		}
	}
	if size, _, err := l.Witnessed(within(t)); err != nil || size != 1 {
		t.Fatalf("witnessed %d, %v", size, err)
	}
	eventually(t, "status says so", func() bool { return l.Status().State == transparency.StateWaiting })
}

// TestWitnessedNeverShrinks puts an older checkpoint back under a running log.
func TestWitnessedNeverShrinks(t *testing.T) {
	w := newWorld(t, 1, "bank")
	w.config.Interval = time.Second
	l := w.open(t)
	file := filepath.Join(w.config.Dir, "checkpoint")
	var older []byte
	for n := range 2 {
		index, err := l.Add(within(t), leaf(n))
		if err != nil {
			t.Fatal(err)
		}
		w.proven(t, l, index, leaf(n))
		if n == 0 {
			if older, err = os.ReadFile(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(file, older, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		time.Sleep(50 * time.Millisecond)
		if size, _, err := l.Witnessed(within(t)); err != nil || size != 2 {
			t.Fatalf("witnessed %d, %v", size, err)
		}
	}
}

func TestNewWitnessesBeginWithTheNextLeaf(t *testing.T) {
	w := newWorld(t, 1, "bank")
	l := w.open(t)
	first, err := l.Add(within(t), leaf(0))
	if err != nil {
		t.Fatal(err)
	}
	w.proven(t, l, first, leaf(0))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	p := newParty(t, "association", w.config.Policy.LogKey)
	w.config.Policy.Witnesses = []record.Witness{{Party: "association", VKey: p.vkey}}
	w.config.Witnesses = []transparency.WitnessEndpoint{{VKey: p.vkey, URL: p.server.URL + "/w/"}}
	l = w.open(t)
	if _, err := l.Receipt(within(t), first); fault.CodeOf(err) != "log_not_witnessed" {
		t.Fatalf("cosigned by a witness nobody trusts any more: %v", err)
	}
	second, err := l.Add(within(t), leaf(1))
	if err != nil {
		t.Fatal(err)
	}
	w.proven(t, l, second, leaf(1))
	w.proven(t, l, first, leaf(0))
}

func TestAddSaysWhatItKnows(t *testing.T) {
	w := newWorld(t, 1, "bank")
	w.config.WitnessTimeout = 2 * time.Second
	w.parties[0].hang.Store(true)
	l := w.open(t)
	if _, err := l.Add(soon(interval), leaf(0)); fault.CodeOf(err) != "log_starting" || fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("a new log before its witnesses answered: %v", err)
	}
	if _, err := l.Size(soon(interval)); fault.CodeOf(err) != "log_starting" {
		t.Fatalf("%v", err)
	}
	if got := l.Status().State; got != transparency.StateStarting {
		t.Fatalf("state %s", got)
	}
	w.parties[0].hang.Store(false)
	if _, err := l.Add(within(t), leaf(0)); err != nil {
		t.Fatal(err)
	}

	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Add(ended, leaf(1)); fault.CodeOf(err) != "log_add_unknown" {
		t.Fatalf("an Add nobody waited for: %v", err)
	}
	var index uint64
	eventually(t, "the leaf is in the log all the same", func() bool {
		i, found, err := l.Find(within(t), leaf(1), 0)
		if err != nil {
			t.Fatal(err)
		}
		index = i
		return found
	})
	if again, err := l.Add(within(t), leaf(1)); err != nil || again != index {
		t.Fatalf("added twice: %d and %d, %v", index, again, err)
	}
}

func TestCloseBeforeTheLogHasStarted(t *testing.T) {
	w := newWorld(t, 1, "bank")
	w.parties[0].hang.Store(true)
	l := w.open(t)
	failed := make(chan error, 1)
	go func() { _, err := l.Add(within(t), leaf(0)); failed <- err }()
	time.Sleep(10 * time.Millisecond)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; fault.CodeOf(err) != "log_closed" {
		t.Fatalf("%v", err)
	}
}
