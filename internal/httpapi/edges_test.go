package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/store"
)

// Nothing that writes is sent by another site's page, in whatever way a browser says so, with a session or without: every
// operation there is refuses it before it looks at anything. No header makes another method of a request.
func TestNoOperationWritesForAnotherSite(t *testing.T) {
	w := newWorld(t, nil)
	cookie := w.session(t, w.Cast.Approver, store.TokenSession)
	before, asked := w.everything(t), 0
	for name, example := range w.examples(t) {
		method, path, _ := strings.Cut(name, " ")
		path = hole.ReplaceAllString(path, "v1")
		for what, header := range map[string][2]string{"another site": {"Sec-Fetch-Site", "cross-site"}, "a sister site": {"Sec-Fetch-Site", "same-site"}, "another origin": {"Origin", "https://evil.example"},
			"the same name without TLS's port": {"Origin", "http://127.0.0.1"}, "a sandboxed frame": {"Origin", "null"}} {
			if method != http.MethodPost {
				continue
			}
			r, err := http.NewRequestWithContext(t.Context(), method, w.Venue.URL+path, strings.NewReader(string(example)))
			if err != nil {
				t.Fatal(err)
			}
			r.AddCookie(&http.Cookie{Name: "menshen_session", Value: cookie})
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Idempotency-Key", "k")
			r.Header.Set(header[0], header[1])
			asked++
			if got := w.send(t, r); got.status != http.StatusForbidden || got.code() != "cross_origin" {
				t.Errorf("%s from %s: %d %s", name, what, got.status, got.body)
			}
		}
		if method != http.MethodGet {
			continue
		}
		for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
			r, err := http.NewRequestWithContext(t.Context(), method, w.Venue.URL+path+"?_method=POST", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.AddCookie(&http.Cookie{Name: "menshen_session", Value: cookie})
			r.Header.Set(header, http.MethodPost)
			if got := w.send(t, r); got.status >= 500 {
				t.Errorf("%s as %s: %d", name, header, got.status)
			}
		}
	}
	if changed := w.changed(t, before); changed != "" {
		t.Error(changed)
	}
	if asked < 200 {
		t.Errorf("%d asked", asked)
	}
}
