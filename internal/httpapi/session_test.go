package httpapi_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// session signs an actor in and gives his cookie.
func (w *world) session(t *testing.T, a *scenario.Actor, kind string) string {
	t.Helper()
	_, secret, err := w.App.IssueToken(t.Context(), app.TokenGrant{Kind: kind, Person: a.ID, Organisation: a.Organisation, Role: a.Role, Label: "test", Until: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// A page's script and a program use one API; what a browser sends by itself counts only from our pages.
func TestASessionsCookieOpensTheAPI(t *testing.T) {
	w := newWorld(t, nil)
	d := w.Cast.Dispatcher
	cookie := w.session(t, d, store.TokenSession)
	freeze := httpapi.PathOf(visit.StreamVisit, "v1", visit.Freeze)
	for name, c := range map[string]struct {
		method, path, cookie string
		header               [2]string
		status               int
		code                 string
	}{
		"reads":                         {"GET", "/v1/visits", cookie, [2]string{}, 200, ""},
		"reads from anywhere":           {"GET", "/v1/visits", cookie, [2]string{"Sec-Fetch-Site", "cross-site"}, 200, ""},
		"writes from our page":          {"POST", freeze, cookie, [2]string{"Sec-Fetch-Site", "same-origin"}, 400, "body_missing"},
		"writes from another site":      {"POST", freeze, cookie, [2]string{"Sec-Fetch-Site", "cross-site"}, 403, "cross_origin"},
		"writes from a sister site":     {"POST", freeze, cookie, [2]string{"Sec-Fetch-Site", "same-site"}, 403, "cross_origin"},
		"writes from another origin":    {"POST", freeze, cookie, [2]string{"Origin", "https://evil.example"}, 403, "cross_origin"},
		"writes from a sandboxed frame": {"POST", freeze, cookie, [2]string{"Origin", "null"}, 403, "cross_origin"},
		"a made-up cookie":              {"GET", "/v1/visits", "menshen_guess", [2]string{}, 401, "token_unknown"},
		"an order's link as cookie":     {"GET", "/v1/visits", w.session(t, d, store.TokenLink), [2]string{}, 401, "token_kind_not_accepted"},
		"a program's token as cookie":   {"GET", "/v1/visits", w.session(t, d, store.TokenAPI), [2]string{}, 401, "token_kind_not_accepted"},
		"a bad header beside a cookie":  {"GET", "/v1/visits", cookie, [2]string{"Authorization", "Basic eDp5"}, 401, "signed_out"},
		"meant by the same person":      {"GET", "/v1/visits", cookie, [2]string{"Menshen-Person", d.ID}, 200, ""},
		"meant by somebody else":        {"POST", freeze, cookie, [2]string{"Menshen-Person", "lan"}, 401, "session_of_another"},
		"nothing":                       {"GET", "/v1/visits", "", [2]string{}, 401, "signed_out"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, w.Venue.URL+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: httpapi.SessionCookie, Value: c.cookie})
		if c.method == http.MethodPost {
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Idempotency-Key", "k-"+strings.ReplaceAll(name, " ", "-"))
		}
		if c.header[0] != "" {
			r.Header.Set(c.header[0], c.header[1])
		}
		if got := w.send(t, r); got.status != c.status || got.code() != c.code {
			t.Errorf("%s: %d %s, want %d %s", name, got.status, got.body, c.status, c.code)
		}
	}
}

func TestASessionHasTheRateOfAToken(t *testing.T) {
	w := newWorld(t, func(c *scenario.DeploymentConfig) { c.API.PerToken = httpapi.Rate{PerSecond: 0.001, Burst: 60} })
	cookie := w.session(t, w.Cast.Dispatcher, store.TokenSession)
	for range 61 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Venue.URL+"/v1/verbs", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: httpapi.SessionCookie, Value: cookie})
		got := w.send(t, r)
		if got.status == http.StatusTooManyRequests {
			got.want(t, http.StatusTooManyRequests, "rate_limited")
			return
		}
	}
	t.Error("a session may ask without end")
}

// A session that is ended is over at the next request, wherever it is used.
func TestAnEndedSessionIsOverAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	id, secret, err := w.App.IssueToken(t.Context(), app.TokenGrant{Kind: store.TokenSession, Person: "qiu", Organisation: w.Cast.Provider.ID, Role: visit.RoleDispatcher, Label: "test", Until: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.do(t, request{method: http.MethodGet, path: "/v1/visits", token: secret}); got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if err := w.App.RevokeToken(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	w.do(t, request{method: http.MethodGet, path: "/v1/visits", token: secret}).want(t, http.StatusUnauthorized, "token_unknown")
}

// What a page asks by itself does not keep a forgotten desk signed in; a person's request does, and so does whatever
// writes.
func TestAnUnattendedQuestionIsNoUse(t *testing.T) {
	var later atomic.Int64
	w := newWorld(t, func(c *scenario.DeploymentConfig) {
		c.Server = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	d := w.Cast.Dispatcher
	cookie := w.session(t, d, store.TokenSession)
	before := time.Now()
	later.Store(int64(10 * time.Minute))
	seen := func() time.Time {
		t.Helper()
		list, err := w.App.Sessions(t.Context(), app.Actor{Person: d.ID, Organisation: d.Organisation, Role: d.Role})
		if err != nil || len(list) != 1 {
			t.Fatal(len(list), err)
		}
		return list[0].SeenAt.Time()
	}
	ask := func(unattended bool) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Venue.URL+"/v1/visits", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: httpapi.SessionCookie, Value: cookie})
		if unattended {
			r.Header.Set("Menshen-Unattended", "1")
		}
		if got := w.send(t, r); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	ask(true)
	if seen().After(before.Add(time.Minute)) {
		t.Error("a page that asks by itself is a use of the session")
	}
	ask(false)
	if !seen().After(before.Add(time.Minute)) {
		t.Error("a person's question is no use of the session")
	}
}
