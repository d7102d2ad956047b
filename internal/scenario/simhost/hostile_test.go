package simhost

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// mistreated serves one counted answer under a hostility.
func mistreated(t *testing.T, h Hostile) (url string, acted *atomic.Int64) {
	t.Helper()
	acted = &atomic.Int64{}
	s := httptest.NewServer(newMischief(h).on(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Kind", "made")
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, "%d %s", acted.Add(1), body)
	})))
	t.Cleanup(s.Close)
	return s.URL, acted
}

func post(t *testing.T, url string) (string, error) {
	t.Helper()
	resp, err := http.Post(url, "text/plain", strings.NewReader("question"))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusAccepted || resp.Header.Get("X-Kind") != "made" {
		t.Errorf("answered %d %v", resp.StatusCode, resp.Header)
	}
	return string(body), err
}

func TestTheFirstAnswerIsLostAfterTheHostActed(t *testing.T) {
	url, acted := mistreated(t, Mild())
	for _, path := range []string{"/a", "/b"} {
		before := acted.Load()
		if answer, err := post(t, url+path); err == nil || acted.Load() != before+1 {
			t.Errorf("%s: answered %q, acted %d times", path, answer, acted.Load()-before)
		}
		if answer, err := post(t, url+path); err != nil || answer != fmt.Sprintf("%d question", before+2) {
			t.Errorf("%s again: %q, %v", path, answer, err)
		}
	}
}

func TestADoubledRequestGetsItsFirstAnswer(t *testing.T) {
	url, acted := mistreated(t, Hostile{Double: true})
	if answer, err := post(t, url); err != nil || answer != "1 question" || acted.Load() != 2 {
		t.Errorf("%q, acted %d times, %v", answer, acted.Load(), err)
	}
}

// Of two requests sent one after the other, a seed that holds the first one back lets the second
// overtake it.
func TestRequestsAreReordered(t *testing.T) {
	var m *mischief
	for seed := range uint64(64) {
		m = newMischief(Hostile{Seed: seed, Reorder: true})
		if m.chance("reorder", "POST /first", 1)%2 == 0 && m.chance("reorder", "POST /second", 1)%2 == 1 {
			break
		}
	}
	order := make(chan string, 16)
	handler := m.on(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { order <- r.URL.Path }))
	ask := func(path string) {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, path, nil))
	}
	var first sync.WaitGroup
	first.Go(func() { ask("/first") })
	for arrived := false; !arrived; time.Sleep(time.Millisecond) {
		m.mu.Lock()
		arrived = m.seen["POST /first"] > 0
		m.mu.Unlock()
	}
	ask("/second")
	first.Wait()
	if one, two := <-order, <-order; one != "/second" || two != "/first" {
		t.Errorf("carried out %s, then %s", one, two)
	}
	began := time.Now()
	for n := 2; n < 10; n++ { // alone, nobody waits for long
		ask("/first")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("eight requests took %s", took)
	}
}

func TestChanceIsDecidedByTheSeed(t *testing.T) {
	draw := func(seed uint64) (out []uint64) {
		m := newMischief(Worst(seed))
		for _, path := range []string{"/a", "/b"} {
			for range 8 {
				n, _ := m.count(path)
				out = append(out, m.chance("delay", path, n), m.chance("reorder", path, n))
			}
		}
		return out
	}
	one, again, other := fmt.Sprint(draw(1)), fmt.Sprint(draw(1)), fmt.Sprint(draw(2))
	if one != again {
		t.Error("the same seed chose differently")
	}
	if one == other {
		t.Error("another seed chose the same")
	}
}

func TestAnswersAreLate(t *testing.T) {
	m := newMischief(Hostile{DelayUpTo: time.Hour})
	handled := false
	inner := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { handled = true })
	for _, handler := range []http.Handler{m.on(inner), m.slow(inner)} {
		r := httptest.NewRequest(http.MethodPost, "/a", nil)
		ctx, cancel := context.WithCancel(r.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		began := time.Now()
		handler.ServeHTTP(httptest.NewRecorder(), r.WithContext(ctx))
		if took := time.Since(began); took < 20*time.Millisecond || took > 10*time.Second || !handled {
			t.Errorf("took %s, handled %t", took, handled)
		}
	}
}

func TestPathsAreForgottenBeforeTheyFillTheMemory(t *testing.T) {
	m := newMischief(Mild())
	for i := range maxPaths + 1 {
		m.count(fmt.Sprint("/", i))
	}
	if len(m.seen) > maxPaths {
		t.Errorf("%d paths remembered", len(m.seen))
	}
}
