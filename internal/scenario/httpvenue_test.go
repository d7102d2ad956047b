package scenario

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/visit"
)

// scripted is a server that answers as it is told, in turn; it repeats the last answer.
type scripted struct {
	answers []func(http.ResponseWriter)
	keys    []string
	tokens  []string
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := min(len(s.keys), len(s.answers)-1)
	s.keys = append(s.keys, r.Header.Get("Idempotency-Key"))
	s.tokens = append(s.tokens, r.Header.Get("Authorization"))
	s.answers[at](w)
}

func says(status int, kind, body string, headers ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", kind)
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func problem(status int, code string, headers ...string) func(http.ResponseWriter) {
	return says(status, "application/problem+json", fmt.Sprintf(`{"type":"urn:menshen:fault:%s","title":"","status":%d,"code":%q,"detail":"不行。","zh":"不行。","en":"It will not do.","where":"visit"}`, code, status, code), headers...)
}

func (s *scripted) venue(t *testing.T) *HTTPVenue {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return &HTTPVenue{URL: server.URL, Client: server.Client(), Token: func(_ context.Context, by *Actor) (string, error) { return "secret-of-" + by.ID, nil }}
}

func TestAProblemIsTheFaultAgain(t *testing.T) {
	s := &scripted{answers: []func(http.ResponseWriter){problem(http.StatusUnprocessableEntity, "visit_frozen")}}
	_, err := s.venue(t).Challenge(t.Context(), NewActor("wei", "acq", visit.RoleMerchant), "v1", visit.PurposeDoor)
	f := fault.Of(err)
	if f.Code != "visit_frozen" || f.Kind != fault.Refused || f.Where != "visit" || f.Text != (fault.Text{Zh: "不行。", En: "It will not do."}) {
		t.Errorf("%+v", f)
	}
	if len(s.keys) != 1 || s.keys[0] == "" || s.tokens[0] != "Bearer secret-of-wei" {
		t.Errorf("keys %v, tokens %v", s.keys, s.tokens)
	}
}

func TestOnlyWhatMayPassIsTriedAgain(t *testing.T) {
	granted := says(http.StatusOK, "application/json", `{"granted":true,"decision":"d","conditions":[{"name":"a","verdict":"holds","basis":"re-run"},{"name":"b","verdict":"fails","code":"late","blocks":false}],"took_ms":7}`)
	for name, r := range map[string]struct {
		answers []func(http.ResponseWriter)
		tries   int
		code    string
	}{
		"the log comes back":   {[]func(http.ResponseWriter){problem(503, "log_not_witnessed"), granted}, 2, ""},
		"asked to wait":        {[]func(http.ResponseWriter){problem(429, "rate_limited", "Retry-After", "1"), granted}, 2, ""},
		"the log stays silent": {[]func(http.ResponseWriter){problem(503, "log_not_witnessed")}, attempts, "log_not_witnessed"},
		"refused":              {[]func(http.ResponseWriter){problem(409, "stage_not_fitting"), granted}, 1, "stage_not_fitting"},
		"broken":               {[]func(http.ResponseWriter){problem(500, "internal"), granted}, 1, "internal"},
	} {
		s := &scripted{answers: r.answers}
		a, err := s.venue(t).Ask(t.Context(), NewActor("lan", "svc", visit.RoleTechnician), "v1", visit.AskTrial)
		if fault.CodeOf(err) != r.code || len(s.keys) != r.tries {
			t.Errorf("%s: %v after %d tries", name, err, len(s.keys))
		}
		for _, k := range s.keys {
			if k != s.keys[0] {
				t.Errorf("%s: another key", name)
			}
		}
		if r.code == "" && (!a.Granted || a.Decision != "d" || a.Holding["a"] != "re-run" || a.Failing["b"] != "late" || a.Code != "" || a.Took != 7*time.Millisecond) {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestAnAnswerThatIsNoneIsSaid(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"a proxy's page": says(http.StatusForbidden, "text/html", "<h1>no</h1>"),
		"an empty code":  says(http.StatusForbidden, "application/problem+json", `{"status":403}`),
		"no JSON":        says(http.StatusOK, "application/json", `granted`),
	} {
		s := &scripted{answers: []func(http.ResponseWriter){answer}}
		if _, err := s.venue(t).Release(t.Context(), NewActor("lan", "svc", visit.RoleTechnician), "v1"); err == nil {
			t.Errorf("%s is taken for an answer", name)
		}
	}
}

func TestAHostsRefusalKeepsItsReason(t *testing.T) {
	s := &scripted{answers: []func(http.ResponseWriter){
		says(http.StatusOK, "application/json", `{"outcome":"refused","reason":"device_session_key"}`), says(http.StatusOK, "application/json", `{"outcome":"loaded"}`)}}
	v := s.venue(t)
	lan := NewActor("lan", "svc", visit.RoleTechnician)
	for _, want := range []string{"refused: device_session_key", visit.Loaded} {
		if got, err := v.Release(t.Context(), lan, "v1"); err != nil || got != want {
			t.Errorf("%q %v, want %q", got, err, want)
		}
	}
}

func TestNobodyWaitsForAVenueThatNobodyWants(t *testing.T) {
	s := &scripted{answers: []func(http.ResponseWriter){problem(429, "rate_limited", "Retry-After", "600")}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := s.venue(t).Bundle(ctx, NewActor("lan", "svc", visit.RoleTechnician), "v1")
	if err == nil || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("%v", err)
	}
}
