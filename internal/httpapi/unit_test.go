package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
)

// phone stands for a personal value wherever one could leak.
const phone = "13812345678"

// get asks an API directly.
func get(a *API, path string, headers ...string) *httptest.ResponseRecorder {
	return ask(a, http.MethodGet, path, "", headers...)
}

func ask(a *API, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

// problem reads an answer that must be one.
func problem(t *testing.T, w *httptest.ResponseRecorder, status int, code string) Problem {
	t.Helper()
	var p Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if w.Code != status || p.Status != status || p.Code != code || w.Header().Get("Content-Type") != contentProblem {
		t.Fatalf("status %d, type %q, %s; want %d %s", w.Code, w.Header().Get("Content-Type"), w.Body, status, code)
	}
	return p
}

func TestTheMuxsOwnAnswersAreProblems(t *testing.T) {
	a := New(Config{App: &app.App{}})
	for _, path := range []string{"/", "/v1", "/v1/visits/", "/v2/visits", "/v1/visits/v1/conjure", "/v1//visits", "/v1/../healthz", "/docs", "/schemas/Problem.json", "/openapi.yaml", "/v1/visits/a%2Fb/bundle/"} {
		problem(t, get(a, path), http.StatusNotFound, "route_unknown")
	}
	for method, path := range map[string]string{http.MethodPut: "/healthz", http.MethodDelete: "/v1/visits", http.MethodOptions: "/v1/verbs", http.MethodGet: "/v1/visits/v1/freeze"} {
		w := ask(a, method, path, "")
		problem(t, w, http.StatusMethodNotAllowed, "method_not_allowed")
		if w.Header().Get("Allow") == "" {
			t.Errorf("%s %s: no Allow", method, path)
		}
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	a := New(Config{App: &app.App{}})
	broken := New(Config{App: &app.App{}})
	broken.serve = broken.observe(func(http.ResponseWriter, *http.Request) { panic(phone) })
	for name, w := range map[string]*httptest.ResponseRecorder{"ok": get(a, "/healthz"), "spec": get(a, "/openapi.json"), "signed out": get(a, "/v1/verbs"),
		"no route": get(a, "/nowhere"), "no method": ask(a, http.MethodPut, "/healthz", ""), "panic": get(broken, "/healthz")} {
		for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
			"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Frame-Options": "DENY", "Strict-Transport-Security": "max-age=31536000",
			"Cross-Origin-Resource-Policy": "same-origin"} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s is %q", name, header, got)
			}
		}
		for header := range w.Header() {
			if strings.HasPrefix(header, "Access-Control-") || header == "Set-Cookie" {
				t.Errorf("%s: %s is set", name, header)
			}
		}
	}
}

func TestAPanicIsAnsweredWithoutAWordOfIt(t *testing.T) {
	var log bytes.Buffer
	a := New(Config{App: &app.App{}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	for what, broke := range map[string]any{"string": phone, "error": errors.New(phone)} {
		a.serve = a.observe(func(http.ResponseWriter, *http.Request) { panic(broke) })
		p := problem(t, get(a, "/v1/visits/"+phone), http.StatusInternalServerError, "internal")
		if p.Where != "" || strings.Contains(fmt.Sprint(p), phone) || strings.Contains(log.String(), phone) {
			t.Errorf("%s: %v, log %s", what, p, log.String())
		}
	}
	a.serve = a.observe(func(http.ResponseWriter, *http.Request) { _ = []int{}[len(phone)] })
	problem(t, get(a, "/healthz"), http.StatusInternalServerError, "internal")
	if !strings.Contains(log.String(), "index out of range [11]") || !strings.Contains(log.String(), "unit_test.go") {
		t.Errorf("the log does not say where to look: %s", log.String())
	}
}

// Half an answer must not look like a whole one.
func TestAPanicAfterTheAnswerBeganEndsTheConnection(t *testing.T) {
	a := New(Config{App: &app.App{}})
	a.serve = a.observe(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"granted":tr`)
		panic(phone)
	})
	defer func() {
		if got := recover(); got != http.ErrAbortHandler {
			t.Errorf("recovered %v", got)
		}
	}()
	get(a, "/healthz")
	t.Error("the answer ended as if it were whole")
}

func TestALogLineHasNoPathAndNoSecret(t *testing.T) {
	var log bytes.Buffer
	a := New(Config{App: &app.App{}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	get(a, "/v1/visits/v-secret/bundle?q="+phone, "X-Name", phone)
	get(a, "/v1/nowhere/"+phone)
	text := log.String()
	for _, part := range []string{`route="GET /v1/visits/{id}/bundle"`, "status=401", "code=signed_out", "status=404", "took_ms="} {
		if !strings.Contains(text, part) {
			t.Errorf("%s is missing: %s", part, text)
		}
	}
	if strings.Contains(text, phone) || strings.Contains(text, "v-secret") {
		t.Errorf("the log says too much: %s", text)
	}
}

func TestACauseIsLoggedOnlyToActOn(t *testing.T) {
	for kind, shown := range map[fault.Kind]bool{fault.Internal: true, fault.Unavailable: true, fault.Invalid: false, fault.Refused: false, fault.NotFound: false} {
		var log bytes.Buffer
		a := New(Config{App: &app.App{}, Log: slog.New(slog.NewTextHandler(&log, nil))})
		f := fault.New(kind, "some_rule", "不行。", "It will not do.").Because(errors.New("the cause"))
		a.serve = a.observe(func(w http.ResponseWriter, r *http.Request) { writeProblem(w, r, f) })
		w := get(a, "/healthz")
		if strings.Contains(w.Body.String(), "the cause") || strings.Contains(log.String(), "the cause") != shown || !strings.Contains(log.String(), "code=some_rule") {
			t.Errorf("%s: %s\n%s", kind, w.Body, log.String())
		}
	}
}

func TestStatusAndKindAreOnePairing(t *testing.T) {
	for kind, s := range statusOf {
		if got := KindOfStatus(s); got != kind {
			t.Errorf("%s answers %d, which stands for %s", kind, s, got)
		}
		f := fault.New(kind, "some_rule", "不行。", "It will not do.").At("statement")
		back := problemOf(f, chinese).Fault()
		if back.Kind != kind || back.Code != f.Code || back.Where != f.Where || back.Text != f.Text {
			t.Errorf("%v came back as %v", f, back)
		}
	}
	if status(fault.New("unheard of", "x", "", "")) != 500 || KindOfStatus(418) != fault.Invalid || KindOfStatus(502) != fault.Internal {
		t.Error("what is unknown is not on the safe side")
	}
}

func TestAPlaceHoldsOnlyNamesOfOurs(t *testing.T) {
	for where, want := range map[string]string{"": "", "statement": "statement", "openings[].kind": "openings[].kind", "subject[].digest.sha256": "subject[].digest.sha256",
		"statement: predicate.body." + phone: "statement: predicate.body.…", "张三": "…", "body." + phone + ".x": "body.….x"} {
		if got := whereOf(fault.New(fault.Invalid, "json_wrong_type", "", "").At(where)); got != want {
			t.Errorf("%q: %q, want %q", where, got, want)
		}
	}
	if got := whereOf(fault.New(fault.Invalid, "json_unknown_name", "", "").At("openings[].zhangsan")); got != "openings[].…" {
		t.Errorf("%q", got)
	}
	if got := whereOf(fault.New(fault.Refused, "chain_gap", "", "").At("visit/v1 event 3")); got != "visit/v1 event 3" {
		t.Errorf("a place of ours is %q", got)
	}
}

func TestDetailSpeaksTheLanguageThatIsAskedFor(t *testing.T) {
	a := New(Config{App: &app.App{}})
	for header, want := range map[string]string{"": errSignedOut.Text.Zh, "en": errSignedOut.Text.En, "en-GB,en;q=0.9": errSignedOut.Text.En, "zh-CN": errSignedOut.Text.Zh,
		"fr": errSignedOut.Text.Zh, "zh;q=0.2, en;q=0.8": errSignedOut.Text.En, ";;;": errSignedOut.Text.Zh} {
		p := problem(t, get(a, "/v1/verbs", "Accept-Language", header), http.StatusUnauthorized, "signed_out")
		if p.Detail != want || p.Zh != errSignedOut.Text.Zh || p.En != errSignedOut.Text.En {
			t.Errorf("%q: %q", header, p.Detail)
		}
	}
}

func TestBearer(t *testing.T) {
	for header, want := range map[string]string{"Bearer abc": "abc", "bearer abc": "abc", "": "", "Bearer": "", "Bearer ": "", "Basic abc": "", "abc": ""} {
		if got, ok := bearer(header); ok != (want != "") || (ok && got != want) {
			t.Errorf("%q: %q %v", header, got, ok)
		}
	}
}

func TestOnlyWhatCannotChangeIsKept(t *testing.T) {
	for status, want := range map[int]bool{200: true, 201: true, 400: true, 401: false, 403: false, 404: false, 409: false, 413: false, 422: false, 429: false, 500: false, 503: false} {
		if final(status) != want {
			t.Errorf("%d is kept: %v", status, !want)
		}
	}
}

func TestALimiterFillsUpAgain(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := newLimiter(Rate{PerSecond: 2, Burst: 3})
	l.now = func() time.Time { return now }
	for i := range 3 {
		if _, ok := l.take("lan"); !ok {
			t.Fatalf("request %d of the burst is refused", i+1)
		}
	}
	wait, ok := l.take("lan")
	if ok || wait != 500*time.Millisecond || retryAfter(wait) != "1" {
		t.Errorf("over the burst: %v, wait %v", ok, wait)
	}
	if _, ok := l.take("wei"); !ok {
		t.Error("another key is refused")
	}
	now = now.Add(-time.Hour) // a clock that was set back gives nothing and takes nothing
	if _, ok := l.take("lan"); ok {
		t.Error("the clock went back and the bucket was full again")
	}
	now = now.Add(time.Hour + wait)
	if _, ok := l.take("lan"); !ok {
		t.Error("refused after the wait")
	}
	now = now.Add(time.Hour)
	for i := range 3 {
		if _, ok := l.take("lan"); !ok {
			t.Errorf("after an hour, request %d is refused", i+1)
		}
	}
	if _, ok := l.take("lan"); ok {
		t.Error("an hour of silence bought more than the burst")
	}
	if got := retryAfter(90 * time.Second); got != "90" {
		t.Errorf("retry after %s", got)
	}
}

// A flood of new keys neither grows the limiter nor shuts others out.
func TestAFloodOfKeysShutsNobodyOut(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := newLimiter(Rate{PerSecond: 1, Burst: 10})
	l.now = func() time.Time { return now }
	for i := range 4 * limiterColumns {
		l.take(fmt.Sprint("flood ", i))
	}
	out := 0
	for i := range 1000 {
		if _, ok := l.take(fmt.Sprint("honest ", i)); !ok {
			out++
		}
	}
	if out > 20 {
		t.Errorf("%d of 1000 honest keys are shut out", out)
	}
}

func TestWhoseRequestItIs(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, r := range []struct{ remote, forwarded, want string }{
		{"203.0.113.7:1", "", "203.0.113.7"},
		{"203.0.113.7:1", "198.51.100.1", "203.0.113.7"}, // no proxy of ours says so
		{"10.1.2.3:1", "198.51.100.1", "198.51.100.1"},
		{"10.1.2.3:1", "198.51.100.9, 198.51.100.1", "198.51.100.1"}, // what the client wrote himself stands first
		{"10.1.2.3:1", "198.51.100.1, 10.9.9.9", "198.51.100.1"},
		{"10.1.2.3:1", "nonsense", "10.1.2.3"},
		{"[2001:db8:1:2:3:4:5:6]:1", "", "2001:db8:1:2::/64"},
		{"[::ffff:203.0.113.7]:1", "", "203.0.113.7"},
		{"[fd00::1]:1", "2001:db8::9", "2001:db8::/64"},
		{"", "", "invalid IP"},
	} {
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.RemoteAddr = r.remote
		if r.forwarded != "" {
			req.Header.Set("X-Forwarded-For", r.forwarded)
		}
		if got := clientOf(req, proxies); got != r.want {
			t.Errorf("%s via %q: %s, want %s", r.remote, r.forwarded, got, r.want)
		}
	}
}

func TestWhoCameOverTLS(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, r := range []struct {
		remote, proto string
		want          bool
	}{
		{"10.1.2.3:1", "https", true}, {"10.1.2.3:1", "HTTPS", true}, {"10.1.2.3:1", "http, https", true},
		{"10.1.2.3:1", "https, http", false}, // the nearest proxy knows; what stands before it may be the client's own
		{"10.1.2.3:1", "http", false}, {"10.1.2.3:1", "", false}, {"203.0.113.7:1", "https", false}, {"", "https", false},
	} {
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.RemoteAddr = r.remote
		req.Header.Set("X-Forwarded-Proto", r.proto)
		if got := Secure(req, proxies); got != r.want {
			t.Errorf("%s via %q: %v", r.remote, r.proto, got)
		}
	}
	direct := httptest.NewRequest(http.MethodGet, "https://menshen.example/", nil)
	if !Secure(direct, nil) {
		t.Error("our own TLS is not seen")
	}
}

func TestAnAddressIsBoundedBeforeAnythingIsLookedUp(t *testing.T) {
	a := New(Config{App: &app.App{}, PerAddress: Rate{PerSecond: 0.1, Burst: 2}}) // an App without a store: a look-up would panic
	for range 2 {
		problem(t, get(a, "/v1/verbs"), http.StatusUnauthorized, "signed_out")
	}
	w := get(a, "/v1/verbs", "Authorization", "Bearer "+phone)
	problem(t, w, http.StatusTooManyRequests, "rate_limited")
	if w.Header().Get("Retry-After") != "10" {
		t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
	}
}

func TestOneFlightPerKey(t *testing.T) {
	f := flights{now: map[string]chan struct{}{}}
	done, err := f.enter(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.enter(gone, "k"); err == nil {
		t.Error("a second flight began beside the first")
	}
	if other, err := f.enter(gone, "another"); err != nil {
		t.Error("another key waits")
	} else {
		other()
	}
	second := make(chan func())
	go func() {
		next, _ := f.enter(context.WithoutCancel(gone), "k")
		second <- next
	}()
	select {
	case <-second:
		t.Fatal("a second flight began beside the first")
	case <-time.After(20 * time.Millisecond):
	}
	done()
	(<-second)()
	if len(f.now) != 0 {
		t.Errorf("%d flights are left over", len(f.now))
	}
}

func TestAServersBoundsAreSet(t *testing.T) {
	s := Server(http.NotFoundHandler())
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= s.ReadHeaderTimeout || s.WriteTimeout <= s.ReadTimeout || s.IdleTimeout <= 0 || s.MaxHeaderBytes <= 0 {
		t.Errorf("%+v", s)
	}
}

// A server that nobody configured lets strangers bring codes, and not without end.
func TestStrangersHaveARateThatNobodyConfigured(t *testing.T) {
	a := New(Config{App: &app.App{}})
	r := httptest.NewRequest(http.MethodPost, "/v1/enrolments", nil)
	for i := range int(enrolRate.Burst) {
		if err := a.throttleNetwork(r); err != nil {
			t.Fatalf("try %d: %v", i+1, err)
		}
	}
	if got := fault.CodeOf(a.throttleNetwork(r)); got != errTooMany.Code {
		t.Errorf("one more: %q", got)
	}
}
