package orgapi

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

const token = "a-token-of-the-play"

// answering is a service that gives one answer to everything.
func answering(t *testing.T, status int, body string) *Client {
	t.Helper()
	return clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func clientOf(t *testing.T, serve http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(serve)
	t.Cleanup(s.Close)
	c, err := NewClient(Config{BaseURL: s.URL, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Whatever an organisation's service does, menshen has one of three answers: what was signed, a refusal in its own
// words, or "not reached", after which the same may be asked again.
func TestWhatAServiceMayAnswer(t *testing.T) {
	good := `{"statements":[{"number":7,"stream":"organisation/acq","verb":"enrol","statement":"e30="}],"badge":""}`
	for name, c := range map[string]struct {
		status int
		body   string
		code   string
		kind   fault.Kind
	}{
		"signed":                       {http.StatusOK, good, "", ""},
		"half an answer":               {http.StatusOK, good[:40], "organisation_answer_malformed", fault.Unavailable},
		"two answers in one":           {http.StatusOK, good + good, "organisation_answer_malformed", fault.Unavailable},
		"a member that we do not know": {http.StatusOK, `{"statements":[],"badge":"","more":1}`, "organisation_answer_malformed", fault.Unavailable},
		"a page of a proxy":            {http.StatusOK, "<html>", "organisation_answer_malformed", fault.Unavailable},
		"more than it may":             {http.StatusOK, strings.Repeat(" ", maxAnswer+1), "organisation_answer_malformed", fault.Unavailable},
		"a refusal":                    {http.StatusForbidden, `{"code":"code_wrong","detail":"whatever it says"}`, "code_wrong", fault.Refused},
		"a refusal of its own":         {http.StatusForbidden, `{"code":"moon_is_full"}`, "organisation_declined", fault.Refused},
		"a refusal that is no problem": {http.StatusForbidden, "no", "organisation_unreachable", fault.Unavailable},
		"a long refusal":               {http.StatusForbidden, strings.Repeat("x", maxProb+1), "organisation_answer_malformed", fault.Unavailable},
		"it broke":                     {http.StatusInternalServerError, `{"code":"code_wrong"}`, "organisation_unreachable", fault.Unavailable},
	} {
		a, err := answering(t, c.status, c.body).Enrol(t.Context(), EnrolmentAsk{Organisation: "acq", Holder: "wei", Role: "merchant"})
		if fault.CodeOf(err) != c.code || err != nil && fault.KindOf(err) != c.kind {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
		if err == nil && (len(a.Statements) != 1 || a.Statements[0].Number != 7) {
			t.Errorf("%s: %+v", name, a)
		}
		if err != nil && strings.Contains(err.Error(), "whatever it says") {
			t.Errorf("%s: repeats the service's own words: %v", name, err)
		}
	}
}

// A service that is gone, cuts the line, or is slower than the caller waits, was not reached; back again it is
// asked the same and answers.
func TestAServiceThatIsAway(t *testing.T) {
	away := true
	c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			t.Error("asked without the token")
		}
		if away {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, `{"statements":[],"badge":""}`)
	})
	ask := BadgeAsk{Holder: "lan", Request: "e30="}
	if _, err := c.Badge(t.Context(), ask); fault.CodeOf(err) != "organisation_unreachable" {
		t.Errorf("the line was cut: %v", err)
	}
	away = false
	for range 2 {
		if _, err := c.Badge(t.Context(), ask); err != nil {
			t.Errorf("back again: %v", err)
		}
	}
	asked := make(chan struct{})
	slow := clientOf(t, func(_ http.ResponseWriter, r *http.Request) { close(asked); <-r.Context().Done() })
	ctx, giveUp := context.WithCancel(t.Context())
	go func() { <-asked; giveUp() }()
	if _, err := slow.Statements(ctx, 3, time.Second); fault.CodeOf(err) != "organisation_unreachable" {
		t.Errorf("given up: %v", err)
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	nobody, err := NewClient(Config{BaseURL: gone.URL, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nobody.People(t.Context()); fault.CodeOf(err) != "organisation_unreachable" {
		t.Errorf("nobody listens: %v", err)
	}
}

// Each question goes to its own place, with what it asks.
func TestWhatAServiceIsAsked(t *testing.T) {
	var got []string
	c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Method+" "+r.URL.String())
		if r.URL.Path == "/people" {
			_, _ = io.WriteString(w, `{"people":[]}`)
			return
		}
		_, _ = io.WriteString(w, `{"statements":[],"badge":""}`)
	})
	_, e1 := c.EndBadges(t.Context(), BadgeEnd{Holder: "lan", Reason: "left"})
	_, e2 := c.EndKey(t.Context(), KeyEnd{Key: "k", Reason: "lost"})
	_, e3 := c.Statements(t.Context(), 41, time.Hour)
	_, e4 := c.People(t.Context())
	for _, err := range []error{e1, e2, e3, e4} {
		if err != nil {
			t.Error(err)
		}
	}
	want := "POST /badges/end, POST /enrolments/end, GET /statements?after=41&wait=25, GET /people"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("asked %s, want %s", s, want)
	}
}

// A client is not made with a token that a header cannot carry, nor for another machine in the clear.
func TestAClientIsConfiguredStrictly(t *testing.T) {
	for name, c := range map[string]struct {
		config Config
		code   string
	}{
		"a short token":          {Config{BaseURL: "http://127.0.0.1:1", Token: "short"}, "organisation_token"},
		"a token with a newline": {Config{BaseURL: "http://127.0.0.1:1", Token: token + "\n"}, "organisation_token"},
		"another machine, clear": {Config{BaseURL: "http://keys.jianghe.example", Token: token}, "host_url_in_clear"},
		"TLS without its key":    {Config{BaseURL: "https://keys.jianghe.example", Token: token}, "host_pin"},
	} {
		if _, err := NewClient(c.config); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}
