package httpapi_test

import (
	"bytes"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// deviceNonce asks for a nonce: a write that is not idempotent by itself.
func deviceNonce(key string, by *scenario.Actor) request {
	return request{path: httpapi.PathOf(visit.StreamVisit, "v1", visit.ChallengeVerb), by: by, key: key, body: `{"purpose":"device"}`}
}

// events counts what a visit's stream holds.
func (w *world) events(t *testing.T, verb string) int {
	t.Helper()
	n := 0
	err := w.Store.Read(t.Context(), func(tx *store.Tx) error {
		list, err := tx.Events(t.Context(), store.Stream{Kind: visit.StreamVisit, ID: "v1"}, 1, 1000)
		for _, e := range list {
			if e.Verb == verb {
				n++
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// dispatched is a world whose technician may act on the visit.
func dispatched(t *testing.T, edit func(*scenario.DeploymentConfig)) *world {
	w := newWorld(t, edit)
	if err := w.play.Assign(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestTheSameKeyAndRequestGetTheSameAnswer(t *testing.T) {
	w := dispatched(t, nil)
	q := deviceNonce("k1", w.Cast.Technician)
	first := w.do(t, q)
	again := w.do(t, q)
	if first.status != http.StatusCreated || again.status != http.StatusCreated || !bytes.Equal(first.body, again.body) {
		t.Fatalf("%d %s\n%d %s", first.status, first.body, again.status, again.body)
	}
	if first.header.Get("Idempotent-Replayed") != "" || again.header.Get("Idempotent-Replayed") != "true" || again.header.Get("Content-Type") != "application/json" {
		t.Errorf("first %v\nagain %v", first.header, again.header)
	}
	if n := w.events(t, visit.ChallengeVerb); n != 1 {
		t.Errorf("%d challenges are recorded", n)
	}
	for name, other := range map[string]request{
		"another body":  {path: q.path, by: q.by, key: q.key, body: `{"purpose":"door"}`},
		"another space": {path: q.path, by: q.by, key: q.key, body: `{"purpose": "device"}`},
		"another path":  {path: httpapi.PathOf(visit.StreamVisit, "v2", visit.ChallengeVerb), by: q.by, key: q.key, body: q.body},
		"another verb":  {path: httpapi.PathOf(visit.StreamVisit, "v1", "asks"), by: q.by, key: q.key, body: q.body},
	} {
		if got := w.do(t, other); got.status != http.StatusConflict || got.code() != "idempotency_key_reused" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	// Keys belong to a token: the merchant's k1 is another one.
	q.by, q.body = w.Cast.Merchant, `{"purpose":"door"}`
	if got := w.do(t, q); got.status != http.StatusCreated || got.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestWhatIsWrongWithTheBytesIsKeptAndWhatMayChangeIsNot(t *testing.T) {
	w := dispatched(t, nil)
	ask := func(key, body string) reply {
		return w.do(t, request{path: httpapi.PathOf(visit.StreamVisit, "v1", visit.Confirm), by: w.Cast.Merchant, key: key, body: body})
	}
	ask("bad", `{"statement":"!"}`).want(t, http.StatusBadRequest, "base64_malformed")
	again := ask("bad", `{"statement":"!"}`)
	again.want(t, http.StatusBadRequest, "base64_malformed")
	if again.header.Get("Idempotent-Replayed") != "true" {
		t.Error("the refusal was worked out again")
	}
	ask("bad", `{"statement":"!!"}`).want(t, http.StatusConflict, "idempotency_key_reused")

	// A confirmation that names a statement menshen has not seen yet waits for it; then it is taken.
	first := w.Cast.Merchant.Sign(scenario.Draft{Stream: "visit/v1", Type: visit.TypeNothingToKeep, At: time.Now(), Body: visit.NothingToKeep{Visit: "v1"}})
	second := w.Cast.Merchant.Sign(scenario.Draft{Stream: "visit/v1", Type: visit.TypeConfirmation, At: time.Now(), Body: visit.Confirmation{Visit: "v1"}})
	ask("later", filing(second)).want(t, http.StatusConflict, "signer_chain_broken")
	if got := w.do(t, request{path: httpapi.PathOf(visit.StreamVisit, "v1", visit.BackUp), by: w.Cast.Merchant, body: filing(first)}); got.status != http.StatusCreated {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := ask("later", filing(second)); got.status != http.StatusCreated || got.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("the same key still gets the old refusal: %d %s", got.status, got.body)
	}
}

func TestARefusedAskIsAnAnswerToo(t *testing.T) {
	w := dispatched(t, nil)
	q := request{path: httpapi.PathOf(visit.StreamVisit, "v1", "asks"), by: w.Cast.Technician, key: "ask", body: `{"ask":"trial"}`}
	var a httpapi.AskAnswer
	first := w.do(t, q)
	first.read(t, http.StatusOK, &a)
	if a.Granted || a.Decision != "" || a.Refusal == nil || a.Refusal.Code == "" || a.Refusal.Zh == "" {
		t.Errorf("%s", first.body)
	}
	n := w.events(t, visit.Publish)
	if again := w.do(t, q); !bytes.Equal(again.body, first.body) || w.events(t, visit.Publish) != n {
		t.Errorf("asked again: %s", again.body)
	}
	q.key = "ask-again"
	if w.do(t, q); w.events(t, visit.Publish) != n+1 {
		t.Error("a new key did not ask anew")
	}
}

func TestManyAtOnceWithOneKeyAreOneRequest(t *testing.T) {
	w := dispatched(t, nil)
	if _, err := w.Token(t.Context(), w.Cast.Technician); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	bodies := make([]string, 12)
	for i := range bodies {
		wg.Go(func() { bodies[i] = string(w.do(t, deviceNonce("together", w.Cast.Technician)).body) })
	}
	wg.Wait()
	for _, b := range bodies {
		if b != bodies[0] {
			t.Fatalf("two answers: %s and %s", bodies[0], b)
		}
	}
	if n := w.events(t, visit.ChallengeVerb); n != 1 {
		t.Errorf("%d challenges are recorded", n)
	}
}

// loser cuts the line after the server has done its work, as often as it is told to.
type loser struct {
	next http.Handler
	left atomic.Int32
}

func (l *loser) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || l.left.Add(-1) < 0 {
		l.next.ServeHTTP(w, r)
		return
	}
	l.next.ServeHTTP(&deaf{header: http.Header{}}, r)
	panic(http.ErrAbortHandler)
}

type deaf struct{ header http.Header }

func (d *deaf) Header() http.Header            { return d.header }
func (d *deaf) Write(data []byte) (int, error) { return 0, errors.New("the line is cut") }
func (d *deaf) WriteHeader(int)                {}

func TestALostAnswerIsAskedForAgain(t *testing.T) {
	l := &loser{}
	w := dispatched(t, func(c *scenario.DeploymentConfig) {
		c.Wrap = func(next http.Handler) http.Handler { l.next = next; return l }
	})
	l.left.Store(2)
	c, err := w.Venue.Challenge(t.Context(), w.Cast.Technician, "v1", visit.PurposeDevice)
	if err != nil || c.Nonce == "" {
		t.Fatal(err)
	}
	if n := w.events(t, visit.ChallengeVerb); n != 1 {
		t.Errorf("%d challenges are recorded", n)
	}
	l.left.Store(100)
	if _, err := w.Venue.Challenge(t.Context(), w.Cast.Technician, "v1", visit.PurposeDevice); err == nil {
		t.Error("an answer came although every line was cut")
	}
}

// The answers that are remembered, and the log, hold nothing personal.
func TestNothingPersonalIsRemembered(t *testing.T) {
	w := newWorld(t, nil)
	if err := scenario.Run(t.Context(), scenario.Until(w.play.Install()[1:], "arrive")); err != nil {
		t.Fatal(err)
	}
	kept := w.dump(t)
	if !bytes.Contains(kept, []byte(w.play.Shop.MerchantCode)) {
		t.Fatal("not even the public merchant code stands in what was searched")
	}
	for _, value := range []string{w.play.Shop.Position, w.play.Shop.Address, w.play.Shop.Name, w.play.Shop.Account, w.play.Shop.Principal, w.play.Shop.CreditCode} {
		if bytes.Contains(kept, []byte(value)) {
			t.Errorf("%q stands in the database", value)
		}
		if bytes.Contains([]byte(w.log.String()), []byte(value)) {
			t.Errorf("%q stands in the log", value)
		}
	}
}
