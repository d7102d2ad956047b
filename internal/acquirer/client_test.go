package acquirer

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

const token = "token-of-menshen-at-this-host"

var permit = statement.Digest([]byte("permit"))

// envelope is signed by nobody in particular: this package does not ask.
func envelope(t *testing.T, kind, stream string, body any) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	data, err := statement.Sign(key, statement.Unsigned{Type: kind, Subject: stream, Body: body,
		Header: statement.Header{Signer: "host-huaishan", Organisation: "acq-huaishan", Role: "host", At: "2026-11-22T12:00:00Z"}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func outcome(t *testing.T, word string, edit func(*visit.Outcome)) []byte {
	o := visit.Outcome{Visit: "v1", Permit: permit, Outcome: word, At: "2026-11-22T12:00:00Z"}
	if edit != nil {
		edit(&o)
	}
	return envelope(t, visit.TypeOutcome, "visit/"+o.Visit, o)
}

func clientOf(t *testing.T, server *httptest.Server, timeout time.Duration) *Client {
	t.Helper()
	c, err := New(Config{BaseURL: server.URL, Token: token, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func TestAnAnswerComesBackAsItWasSigned(t *testing.T) {
	loaded := outcome(t, visit.Loaded, nil)
	var got *http.Request
	var body []byte
	c := clientOf(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Write(loaded)
	}), 0)
	for _, word := range []string{visit.Loaded, visit.KeysEnded, visit.OutcomeRefused, visit.OutcomeCanceled} {
		loaded = outcome(t, word, nil)
		answer, err := c.Release(context.Background(), permit, []byte("a bundle"))
		if err != nil || string(answer) != string(loaded) {
			t.Errorf("%s: %v", word, err)
		}
	}
	if got.Method != http.MethodPost || got.URL.Path != "/permits/"+permit || string(body) != "a bundle" || got.Header.Get("Authorization") != "Bearer "+token {
		t.Errorf("asked %s %s %q %v", got.Method, got.URL, body, got.Header)
	}
	if answer, err := c.Cancel(context.Background(), permit, "v1"); err != nil || string(answer) != string(loaded) {
		t.Errorf("cancel: %v", err)
	}
	if got.URL.Path != "/permits/"+permit+"/cancel" || string(body) != `{"visit":"v1"}` {
		t.Errorf("asked %s %q", got.URL, body)
	}
}

// The one distinction that matters: did the host say no, or may it have acted?
func TestAFailureSaysWhetherTheHostMayHaveActed(t *testing.T) {
	problem := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	plain := func(data []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.Write(data) }
	}
	for name, c := range map[string]struct {
		host    http.HandlerFunc
		code    string
		unknown bool
	}{
		"declined":               {problem(422, `{"code":"json_syntax","more":1.5}`), "host_declined", false},
		"busy":                   {problem(429, `{"code":"too_many"}`), "host_busy", false},
		"failed":                 {problem(503, `{"code":"host_journal_failed"}`), "host_failed", true},
		"declined without code":  {problem(422, `{}`), "host_failed", true},
		"declined, strange code": {problem(422, `{"code":"Zhang San, 13800000000"}`), "host_failed", true},
		"declined, no JSON":      {problem(422, `<html>`), "host_failed", true},
		"declined at length":     {problem(422, `{"code":"`+strings.Repeat("a", maxProblem)), "host_answer_too_large", true},
		"a gateway's refusal":    {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }, "host_failed", true},
		"a gateway's timeout":    {problem(408, `{"code":"slow"}`), "host_failed", true},
		"no content":             {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, "host_failed", true},
		"garbage":                {plain([]byte("ok")), "host_answer_malformed", true},
		"empty":                  {plain(nil), "host_answer_malformed", true},
		"another statement":      {plain(envelope(t, visit.TypeIntent, "visit/v1", visit.Intent{Visit: "v1", Permit: permit})), "host_answer_malformed", true},
		"an unknown word":        {plain(outcome(t, "perhaps", nil)), "host_answer_malformed", true},
		"another body":           {plain(envelope(t, visit.TypeOutcome, "visit/v1", visit.Intent{Visit: "v1", Permit: permit})), "host_answer_malformed", true},
		"another permit":         {plain(outcome(t, visit.Loaded, func(o *visit.Outcome) { o.Permit = statement.Digest([]byte("other")) })), "host_answer_other", true},
		"another stream":         {plain(envelope(t, visit.TypeOutcome, "visit/v2", visit.Outcome{Visit: "v1", Permit: permit, Outcome: visit.Loaded, At: "2026-11-22T12:00:00Z"})), "host_answer_other", true},
		"huge":                   {plain(make([]byte, statement.MaxBytes+1)), "host_answer_too_large", true},
		"cut in the middle": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5000")
			w.Write(outcome(t, visit.Loaded, nil)[:100])
		}, "host_outcome_unknown", true},
		"gone": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "host_outcome_unknown", true},
		"slow": {func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) // only then the server notices that we left
			<-r.Context().Done()
		}, "host_outcome_unknown", true},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/other" {
				t.Error("followed a redirect")
			}
			http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
		}, "host_redirected", true},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := clientOf(t, serve(t, c.host), 300*time.Millisecond).Release(context.Background(), permit, []byte("a bundle"))
			if fault.CodeOf(err) != c.code || Unknown(err) != c.unknown || answer != nil {
				t.Errorf("%v, unknown %t, %d bytes", err, Unknown(err), len(answer))
			}
			if strings.Contains(err.Error(), "138") {
				t.Error("a foreign word reached our error")
			}
		})
	}
}

func TestAHostThatIsNotThereWasNotAsked(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	c, err := New(Config{BaseURL: "http://" + address, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Release(context.Background(), permit, nil); fault.CodeOf(err) != "host_unreachable" || Unknown(err) {
		t.Errorf("%v", err)
	}
}

func TestACallThatIsGivenUpIsUnknown(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := clientOf(t, serve(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	}), time.Minute)
	if _, err := c.Release(ctx, permit, []byte("a bundle")); !Unknown(err) || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if Unknown(nil) || Unknown(errors.New("something else")) {
		t.Error("what is no failed call is unknown")
	}
}

func TestACancelAnswersForItsVisit(t *testing.T) {
	c := clientOf(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(outcome(t, visit.OutcomeCanceled, nil)) }), 0)
	if _, err := c.Cancel(context.Background(), permit, "v2"); fault.CodeOf(err) != "host_answer_other" {
		t.Errorf("another visit's answer: %v", err)
	}
}

func TestAListOfChargesAnswersTheQuestion(t *testing.T) {
	q := Query{Visit: "v1", Order: "o-v1", Serial: "00005704280117028119", Since: "2026-11-22T00:00:00Z"}
	good := agreement.ChargeList{Visit: q.Visit, Serial: q.Serial, Since: q.Since, ListedAt: q.Since, Charges: []agreement.Charge{}}
	var answer []byte
	var asked string
	c := clientOf(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.Method + " " + r.URL.String()
		w.Write(answer)
	}), 0)
	answer = envelope(t, agreement.TypeChargeList, "visit/v1", good)
	if got, err := c.Charges(context.Background(), q); err != nil || string(got) != string(answer) {
		t.Errorf("%v", err)
	}
	if asked != "GET /visits/v1/charges?order=o-v1&serial=00005704280117028119&since=2026-11-22T00%3A00%3A00Z" {
		t.Errorf("asked %s", asked)
	}
	for name, edit := range map[string]func(*agreement.ChargeList){"visit": func(l *agreement.ChargeList) { l.Visit = "v2" },
		"serial": func(l *agreement.ChargeList) { l.Serial = "x" }, "since": func(l *agreement.ChargeList) { l.Since = "2026-11-22T01:00:00Z" }} {
		other := good
		edit(&other)
		answer = envelope(t, agreement.TypeChargeList, "visit/v1", other)
		if got, err := c.Charges(context.Background(), q); fault.CodeOf(err) != "host_answer_other" || got != nil {
			t.Errorf("another %s: %v", name, err)
		}
	}
	for name, a := range map[string][]byte{"garbage": []byte("{}"), "an outcome": outcome(t, visit.Loaded, nil), "another body": envelope(t, agreement.TypeChargeList, "visit/v1", visit.Intent{})} {
		answer = a
		if _, err := c.Charges(context.Background(), q); fault.CodeOf(err) != "host_answer_malformed" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMalformedQuestionsAreNotAsked(t *testing.T) {
	c := clientOf(t, serve(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") }), 0)
	ctx := context.Background()
	charges := func(edit func(*Query)) error {
		q := Query{Visit: "v1", Order: "o-v1", Serial: "00005704280117028119", Since: "2026-11-22T00:00:00Z"}
		edit(&q)
		_, err := c.Charges(ctx, q)
		return err
	}
	release := func(permit string, bundle []byte) error { _, err := c.Release(ctx, permit, bundle); return err }
	cancel := func(permit, visit string) error { _, err := c.Cancel(ctx, permit, visit); return err }
	for name, err := range map[string]error{
		"release, permit": release("../sessions", nil),
		"release, size":   release(permit, make([]byte, evidence.MaxBundle+1)),
		"cancel, permit":  cancel("", "v1"),
		"cancel, visit":   cancel(permit, "v1/../v2"),
		"charges, visit":  charges(func(q *Query) { q.Visit = "" }),
		"charges, order":  charges(func(q *Query) { q.Order = "a b" }),
		"charges, serial": charges(func(q *Query) { q.Serial = "1" }),
		"charges, since":  charges(func(q *Query) { q.Since = "yesterday" }),
	} {
		if k := fault.KindOf(err); (k != fault.Invalid && k != fault.TooLarge) || Unknown(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnlyThisMachineIsCalledInTheClear(t *testing.T) {
	pin := strings.Repeat("ab", 32)
	for name, c := range map[string]struct {
		config Config
		code   string
	}{
		"loopback":           {Config{BaseURL: "http://127.0.0.1:8443", Token: token}, ""},
		"loopback six":       {Config{BaseURL: "http://[::1]:8443/", Token: token}, ""},
		"localhost":          {Config{BaseURL: "http://localhost:8443", Token: token}, ""},
		"pinned":             {Config{BaseURL: "https://host.acquirer.example", Token: token, Pin: pin}, ""},
		"clear":              {Config{BaseURL: "http://host.acquirer.example", Token: token}, "host_url_in_clear"},
		"private address":    {Config{BaseURL: "http://10.0.0.7", Token: token}, "host_url_in_clear"},
		"name like loopback": {Config{BaseURL: "http://127.0.0.1.acquirer.example", Token: token}, "host_url_in_clear"},
		"clear with a pin":   {Config{BaseURL: "http://127.0.0.1", Token: token, Pin: pin}, "host_pin"},
		"no pin":             {Config{BaseURL: "https://host.acquirer.example", Token: token}, "host_pin"},
		"short pin":          {Config{BaseURL: "https://host.acquirer.example", Token: token, Pin: pin[2:]}, "host_pin"},
		"capital pin":        {Config{BaseURL: "https://host.acquirer.example", Token: token, Pin: strings.ToUpper(pin)}, "host_pin"},
		"other scheme":       {Config{BaseURL: "ftp://127.0.0.1", Token: token}, "host_url"},
		"path":               {Config{BaseURL: "http://127.0.0.1/api", Token: token}, "host_url"},
		"query":              {Config{BaseURL: "http://127.0.0.1?x=1", Token: token}, "host_url"},
		"password":           {Config{BaseURL: "http://a:b@127.0.0.1", Token: token}, "host_url"},
		"no host":            {Config{BaseURL: "https://", Token: token, Pin: pin}, "host_url"},
		"not a URL":          {Config{BaseURL: "::", Token: token}, "host_url"},
		"short token":        {Config{BaseURL: "http://127.0.0.1", Token: "secret"}, "host_token"},
		"token with newline": {Config{BaseURL: "http://127.0.0.1", Token: token + "\r\nX: y"}, "host_token"},
		"timeout":            {Config{BaseURL: "http://127.0.0.1", Token: token, Timeout: time.Hour}, "host_timeout"},
	} {
		client, err := New(c.config)
		if fault.CodeOf(err) != c.code || (err == nil) != (client != nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for address, allowed := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "192.0.2.1:80": false, "nonsense": false} {
		if err := loopbackOnly(context.Background(), "tcp", address, nil); (err == nil) != allowed {
			t.Errorf("dialling %s: %v", address, err)
		}
	}
}

func TestOnlyThePinnedHostIsTalkedTo(t *testing.T) {
	loaded := outcome(t, visit.Loaded, nil)
	asked := 0
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked++; w.Write(loaded) }))
	s.Config.ErrorLog = nil
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	s.StartTLS()
	t.Cleanup(s.Close)
	client := func(url, pin string) *Client {
		c, err := New(Config{BaseURL: url, Token: token, Pin: pin})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if answer, err := client(s.URL, PinOf(s.Certificate())).Release(context.Background(), permit, nil); err != nil || string(answer) != string(loaded) {
		t.Errorf("the pinned host: %v", err)
	}
	for name, c := range map[string]*Client{
		"another key":  client(s.URL, strings.Repeat("ab", 32)),
		"another name": client(strings.Replace(s.URL, "127.0.0.1", "localhost", 1), PinOf(s.Certificate())),
	} {
		asked = 0
		if _, err := c.Release(context.Background(), permit, nil); fault.CodeOf(err) != "host_key_not_pinned" || Unknown(err) || asked != 0 {
			t.Errorf("%s: %v, asked %d times", name, err, asked)
		}
	}
}

func FuzzCheckOutcome(f *testing.F) {
	body, _ := json.Marshal(visit.Outcome{})
	f.Add(body)
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := checkOutcome(data, permit, "v1"); err != nil && !Unknown(err) {
			t.Errorf("a bad answer counts as a no: %v", err)
		}
		if err := checkCharges(data, Query{}); err != nil && !Unknown(err) {
			t.Errorf("a bad list counts as a no: %v", err)
		}
	})
}
