package cli

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/store"
)

// A link becomes a new session in a cookie that no script, no other site and no plain connection gets.
func TestWhatSignInSets(t *testing.T) {
	ctx := t.Context()
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "menshen.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	n := &node{store: db, app: app.New(app.Config{Store: db, Now: time.Now})}
	_, link, err := n.app.IssueToken(ctx, app.TokenGrant{Kind: store.TokenLink, Person: "chen", Organisation: "acq", Role: "approver", Until: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	c := Config{TrustedProxies: []string{"10.0.0.0/8"}}
	seen := map[string]bool{"planted": true}
	for _, r := range []struct {
		remote string
		secure bool
	}{{"10.1.1.1:9", true}, {"203.0.113.7:9", false}} {
		req := httptest.NewRequest(http.MethodPost, "/enter/x", nil).WithContext(ctx)
		req.RemoteAddr = r.remote
		req.Header.Set("X-Forwarded-Proto", "https")
		req.AddCookie(&http.Cookie{Name: httpapi.SessionCookie, Value: "planted"}) // by somebody who hopes to share the session
		w := httptest.NewRecorder()
		next, err := n.signIn(c)(w, req, link)
		if err != nil || next != "/staff/visits?day=today" { // an approver's own console, and nothing secret in its address
			t.Fatalf("%s, %v", next, err)
		}
		got := w.Result().Cookies()
		if len(got) != 1 || got[0].Name != httpapi.SessionCookie || !got[0].HttpOnly || got[0].SameSite != http.SameSiteLaxMode || got[0].Secure != r.secure || got[0].Path != "/" {
			t.Errorf("from %s: %v", r.remote, got)
		}
		if seen[got[0].Value] || got[0].Value == link {
			t.Error("a session's secret was there before")
		}
		seen[got[0].Value] = true
	}
}

// A desk that several use: ning's link is opened in the browser in which chen is signed in. chen's session there is over, and
// the one on his own phone is not. A merchant's link signs nobody in, so it ends nothing either.
func TestALinkEndsTheSessionThatItReplaces(t *testing.T) {
	ctx := t.Context()
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "menshen.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	n := &node{store: db, app: app.New(app.Config{Store: db, Now: time.Now})}
	issue := func(kind, person, role string) string {
		_, secret, err := n.app.IssueToken(ctx, app.TokenGrant{Kind: kind, Person: person, Organisation: "acq", Role: role, Until: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	desk, phone := issue(store.TokenSession, "chen", "approver"), issue(store.TokenSession, "chen", "approver")
	enter := func(link string) []*http.Cookie {
		req := httptest.NewRequest(http.MethodPost, "/enter/x", nil).WithContext(ctx)
		req.AddCookie(&http.Cookie{Name: httpapi.SessionCookie, Value: desk})
		w := httptest.NewRecorder()
		if _, err := n.signIn(Config{})(w, req, link); err != nil {
			t.Fatal(err)
		}
		return w.Result().Cookies()
	}
	holds := func(who, secret string, want bool) {
		t.Helper()
		if _, err := n.app.Authenticate(ctx, secret, store.TokenSession); (err == nil) != want {
			t.Errorf("%s: %v", who, err)
		}
	}
	enter(issue(store.TokenLink, "wei", "merchant"))
	holds("chen, after the merchant's link", desk, true)
	got := enter(issue(store.TokenLink, "ning", "risk"))
	holds("chen at the desk", desk, false)
	holds("chen's phone", phone, true)
	holds("ning", got[0].Value, true)
	enter(issue(store.TokenLink, "ning", "risk")) // the cookie is one that is over already
}

// Whoever opens a merchant's link first, a technician too, gets to where the one-time code is asked for, and no further.
func TestAMerchantsLinkSignsNobodyIn(t *testing.T) {
	ctx := t.Context()
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "menshen.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	n := &node{store: db, app: app.New(app.Config{Store: db, Now: time.Now})}
	_, link, err := n.app.IssueToken(ctx, app.TokenGrant{Kind: store.TokenLink, Person: "wei", Organisation: "acq", Role: "merchant", Until: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	next, err := n.signIn(Config{})(w, httptest.NewRequest(http.MethodPost, "/enter/x", nil).WithContext(ctx), link)
	if err != nil || next != "/shop/phone?holder=wei&organisation=acq" || len(w.Result().Cookies()) != 0 {
		t.Errorf("%s with %v, %v", next, w.Result().Cookies(), err)
	}
}
