package httpapi_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// forgetful loses the answer to every write after the server has done it, and asks again as somebody who does not
// even remember his Idempotency-Key: what a server that was killed between its effect and its answer looks like.
type forgetful struct{ next http.RoundTripper }

func (f forgetful) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost || strings.HasSuffix(r.URL.Path, "/"+visit.ChallengeVerb) { // a second nonce is another nonce
		return f.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	once := func() (*http.Response, error) {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		again.Header.Set("Idempotency-Key", rand.Text())
		return f.next.RoundTrip(again)
	}
	lost, err := once()
	if err != nil {
		return nil, err
	}
	lost.Body.Close()
	return once()
}

// closedOnce wants a closed visit with each decision, and each look into the registers, once.
func (w *world) closedOnce(t *testing.T) {
	t.Helper()
	d := w.detail(t)
	asks := ""
	for _, x := range d.Decisions {
		asks += x.Ask + " "
	}
	if asks != "dispatch admit trial live close " || len(d.Outcomes) != 2 || d.State != string(visit.Closed) {
		t.Errorf("%s: decisions %s, %d outcomes", d.State, asks, len(d.Outcomes))
	}
	if n := w.events(t, visit.Publish); n != 5 {
		t.Errorf("the registers were looked at %d times for five decisions", n)
	}
}

// A whole visit in which every answer is lost closes all the same, with each thing once.
func TestAVisitWhoseEveryAnswerIsLost(t *testing.T) {
	w := newWorld(t, nil)
	w.Venue.Client = &http.Client{Transport: forgetful{http.DefaultTransport}}
	if err := scenario.Run(t.Context(), w.play.Install()[1:]); err != nil {
		t.Fatal(err)
	}
	w.closedOnce(t)
}

// The trial's keys are loaded, the answer to the ask is lost, and whoever asked asks once more: he is told of the
// trial that runs, before its script and after it. None of three is gone, and the visit closes.
func TestATrialWhoseAnswerIsLostAfterTheLoad(t *testing.T) {
	w := newWorld(t, nil)
	again := func(ctx context.Context) error {
		for range visit.MaxTrials + 1 {
			if err := w.play.MustAsk(ctx, visit.AskTrial); err != nil {
				return err
			}
		}
		if outcome, err := w.play.ReleasePermit(ctx); err != nil || outcome != visit.Loaded {
			return fmt.Errorf("released again: %s, %w", outcome, err)
		}
		return nil
	}
	scenes := scenario.Before(w.play.Install()[1:], "acceptance", again)
	if err := scenario.Run(t.Context(), scenario.Before(scenes, "work", again)); err != nil {
		t.Fatal(err)
	}
	w.closedOnce(t)
}

// A script that failed is answered by another trial, and whoever loses that answer is told of that other one.
func TestAFailedScriptIsAnsweredByAnotherTrial(t *testing.T) {
	w := newWorld(t, nil)
	host := w.play.Host.(*scenario.InMemory)
	host.Habits = scenario.Habits{ForgetsLost: true}
	ask := func() string {
		t.Helper()
		a, err := w.play.Ask(t.Context(), visit.AskTrial)
		if err != nil || !a.Granted {
			t.Fatalf("%v, %+v", err, a)
		}
		return a.Decision
	}
	if err := scenario.Run(t.Context(), scenario.Until(w.play.Install()[1:], "work")); err != nil {
		t.Fatal(err)
	}
	second := ask()
	if outcome, err := w.play.ReleasePermit(t.Context()); err != nil || outcome != visit.Loaded {
		t.Fatal(outcome, err)
	}
	if lost := ask(); lost != second {
		t.Error("the answer that was lost cost a third trial")
	}
	if d := w.detail(t); len(d.Decisions) != 4 || len(d.Outcomes) != 2 { // dispatch, admit and two trials
		t.Errorf("%d decisions, %d outcomes", len(d.Decisions), len(d.Outcomes))
	}
}

func (w *world) detail(t *testing.T) (d httpapi.VisitDetail) {
	t.Helper()
	if err := json.Unmarshal(w.do(t, request{method: http.MethodGet, path: "/v1/visits/v1", by: w.Cast.Approver}).body, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// Many who ask at once are told of one decision.
func TestManyAsksAtOnceAreOneDecision(t *testing.T) {
	w := newWorld(t, nil)
	if err := w.play.Assign(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := scenario.Run(t.Context(), scenario.Until(w.play.Install()[1:], "dispatch")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Token(t.Context(), w.Cast.Dispatcher); err != nil {
		t.Fatal(err)
	}
	answers := make([]httpapi.AskAnswer, 8)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			w.do(t, request{path: "/v1/visits/v1/asks", by: w.Cast.Dispatcher, body: `{"ask":"dispatch"}`}).read(t, http.StatusOK, &answers[i])
		})
	}
	all.Wait()
	for _, a := range answers {
		if !a.Granted || a.Decision != answers[0].Decision || len(a.Conditions) != len(answers[0].Conditions) {
			t.Errorf("%+v\n%+v", a, answers[0])
		}
	}
	if d := w.detail(t); len(d.Decisions) != 1 {
		t.Errorf("%d decisions", len(d.Decisions))
	}
}
