package pages

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// send asks a route about an object that exists, as a viewer, with what else a browser or attacker sends.
func (e *edge) send(pattern, method string, v Viewer, header map[string]string) *http.Response {
	own, path, found := strings.Cut(pattern, " ")
	if !found {
		own, path = http.MethodGet, "/none"
	}
	if method == "" {
		method = own
	}
	r := e.reached()[pattern]
	if r.path != "" {
		path = r.path
	}
	path = hole.ReplaceAllLiteralString(strings.ReplaceAll(strings.TrimSuffix(path, "{$}"), "{id}", r.theirs), "x")
	body := strings.ReplaceAll(r.body, "{id}", r.theirs)
	if body == "" {
		body = "{}"
	}
	q := httptest.NewRequest(method, "http://menshen.example"+path, strings.NewReader(body))
	q.Header.Set("X-Test-Viewer", v.Person+"@"+v.Organisation)
	q.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		if q.Header.Set(name, value); name == "Host" {
			q.Host = value
		}
	}
	w := httptest.NewRecorder()
	e.site.ServeHTTP(w, q)
	return w.Result()
}

// someone is an approver of the visit's own acquirer, who may see and do most.
func (e *edge) someone() Viewer {
	c := e.Cast.Approver
	v := Viewer{Person: c.ID, Organisation: c.Organisation, Role: c.Role, Token: "tok-chen"}
	if !slices.Contains(e.viewers, v) {
		e.viewers = append(e.viewers, v)
	}
	return v
}

// Whatever a page answers, signed in or out, found or not: no cache keeps it, no frame holds it, no browser guesses what
// it is, and what it may load is said. Only what is the same for everybody may be kept.
func TestEveryAnswerOfAPageIsGuarded(t *testing.T) {
	e := newEdge(t)
	for _, pattern := range slices.Sorted(maps.Keys(e.server.routes())) {
		for _, v := range []Viewer{{}, e.someone()} {
			res := e.send(pattern, "", v, nil)
			h := res.Header
			kept := slices.Contains([]string{"no-cache"}, h.Get("Cache-Control")) && (pattern == "GET /sw.js" || strings.HasPrefix(pattern, "GET /verify/"))
			if h.Get("Cache-Control") != "no-store" && !kept {
				t.Errorf("%s by %q: Cache-Control %q", pattern, v.Role, h.Get("Cache-Control"))
			}
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Vary") != "Cookie" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Strict-Transport-Security") == "" ||
				!strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'; ") || strings.Contains(h.Get("Content-Security-Policy"), "unsafe-inline") {
				t.Errorf("%s by %q: %v", pattern, v.Role, h)
			}
			if kind := h.Get("Content-Type"); kind == "" && res.StatusCode != http.StatusSeeOther {
				t.Errorf("%s by %q: %d of no type", pattern, v.Role, res.StatusCode)
			}
			for _, c := range res.Cookies() {
				if !c.HttpOnly || c.SameSite == http.SameSiteNoneMode || c.SameSite == http.SameSiteDefaultMode || c.Domain != "" {
					t.Errorf("%s by %q: %+v", pattern, v.Role, c)
				}
			}
		}
	}
}

// Nothing that changes anything is sent from another site, in whatever way a browser says that it was, nor by another
// method than its own.
func TestNoFormIsSentFromElsewhere(t *testing.T) {
	e := newEdge(t)
	v, before, asked := e.someone(), rowsOf(t, e.Deployment), 0
	for pattern := range e.server.routes() {
		if !strings.HasPrefix(pattern, http.MethodPost) {
			for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
				if res := e.send(pattern, http.MethodGet, v, map[string]string{header: http.MethodPost}); res.StatusCode >= 500 {
					t.Errorf("%s as %s: %d", pattern, header, res.StatusCode)
				}
			}
			continue
		}
		for what, header := range map[string]map[string]string{
			"another site": {"Sec-Fetch-Site": "cross-site"}, "a sister site": {"Sec-Fetch-Site": "same-site"}, "another origin": {"Origin": "https://evil.example"}, "a sandboxed frame": {"Origin": "null"},
			"another site as text": {"Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain"}, "a form": {"Origin": "http://evil.example", "Content-Type": "application/x-www-form-urlencoded"},
		} {
			asked++
			if res := e.send(pattern, "", v, header); res.StatusCode != http.StatusForbidden {
				t.Errorf("%s from %s: %d", pattern, what, res.StatusCode)
			}
		}
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch} {
			if res := e.send(pattern, method, v, nil); res.StatusCode != http.StatusNotFound && res.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s as %s: %d", pattern, method, res.StatusCode)
			}
		}
	}
	for name, n := range rowsOf(t, e.Deployment) {
		if n != before[name] && !slices.Contains([]string{"vault_looks", "row_seals"}, name) { // what a page showed is noted
			t.Errorf("%s: %d rows, before %d", name, n, before[name])
		}
	}
	if asked < 100 {
		t.Errorf("%d asked", asked)
	}
}

// What a request says of its host is in no answer: no link, no redirect, no cookie is made of it.
func TestAHostThatSomebodySaysIsInNoAnswer(t *testing.T) {
	e := newEdge(t)
	e.server.Desk.Origin = func(*http.Request) string { return "https://menshen.example" } // as configured
	evil := map[string]string{"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Server": "evil.example", "X-Original-URL": "/evil.example", "Forwarded": "host=evil.example;proto=https", "X-Forwarded-Proto": "evil.example"}
	for pattern := range e.server.routes() {
		for _, v := range []Viewer{{}, e.someone()} {
			res := e.send(pattern, "", v, evil)
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			var head strings.Builder
			_ = res.Header.Write(&head) // a builder takes all
			if strings.Contains(string(body), "evil.example") || strings.Contains(head.String(), "evil.example") {
				t.Errorf("%s by %q: %s %.200s", pattern, v.Role, head.String(), body)
			}
		}
	}
}
