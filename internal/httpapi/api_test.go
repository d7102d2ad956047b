package httpapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

const phone = "13812345678"

func TestNobodyGetsPastTheDoorSignedOut(t *testing.T) {
	w := newWorld(t, nil)
	var spec struct {
		Paths map[string]map[string]struct{ Security []map[string][]string }
	}
	if err := json.Unmarshal(w.API.Spec(), &spec); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for path, item := range spec.Paths {
		for method, op := range item {
			path := strings.NewReplacer("{id}", "v1", "{key}", w.Cast.Merchant.Public().Thumbprint()).Replace(path)
			q := request{method: strings.ToUpper(method), path: path, body: "{}"}
			got := w.do(t, q)
			if len(op.Security) == 0 && method == "post" {
				continue // a new phone is nobody yet: see enrol_test.go
			}
			if len(op.Security) == 0 {
				if got.status != http.StatusOK {
					t.Errorf("%s: %d", path, got.status)
				}
				continue
			}
			got.want(t, http.StatusUnauthorized, "signed_out")
			if got.header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s: WWW-Authenticate %q", path, got.header.Get("WWW-Authenticate"))
			}
			q.token = "menshen_" + phone
			w.do(t, q).want(t, http.StatusUnauthorized, "token_unknown")
			asked++
		}
	}
	if asked < 30 {
		t.Errorf("only %d operations", asked)
	}
	if strings.Contains(w.log.String(), phone) {
		t.Error("a secret that was tried is in the log")
	}
}

func TestTokensThatAreOverOrOfAnotherKind(t *testing.T) {
	var ahead time.Duration
	w := newWorld(t, func(c *scenario.DeploymentConfig) { c.Now = func() time.Time { return time.Now().Add(ahead) } })
	issue := func(kind string, holds time.Duration) (id, secret string) {
		id, secret, err := w.App.IssueToken(t.Context(), app.TokenGrant{Kind: kind, Person: "wei", Organisation: w.Cast.Acquirer.ID, Role: visit.RoleMerchant, Until: w.Now().Add(holds)})
		if err != nil {
			t.Fatal(err)
		}
		return id, secret
	}
	verbs := func(secret string) reply {
		return w.do(t, request{method: http.MethodGet, path: "/v1/verbs", token: secret})
	}
	_, link := issue(store.TokenLink, time.Hour)
	verbs(link).want(t, http.StatusUnauthorized, "token_kind_not_accepted")
	id, api := issue(store.TokenAPI, time.Hour)
	_, session := issue(store.TokenSession, time.Hour)
	for _, secret := range []string{api, session} {
		if got := verbs(secret); got.status != http.StatusOK {
			t.Errorf("%d %s", got.status, got.body)
		}
		if strings.Contains(w.log.String(), secret) {
			t.Error("a secret is in the log")
		}
	}
	if err := w.App.RevokeToken(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	verbs(api).want(t, http.StatusUnauthorized, "token_unknown")
	if !strings.Contains(w.log.String(), "token="+id) {
		t.Error("the log does not say whose request it was")
	}
	ahead = 2 * time.Hour
	verbs(session).want(t, http.StatusUnauthorized, "token_unknown")
}

func TestATokenIsBoundedInRate(t *testing.T) {
	w := newWorld(t, func(c *scenario.DeploymentConfig) { c.API.PerToken = httpapi.Rate{PerSecond: 0.5, Burst: 60} })
	ask := func(by *scenario.Actor) reply {
		return w.do(t, request{method: http.MethodGet, path: "/v1/verbs", by: by})
	}
	for range 60 {
		ask(w.Cast.Technician)
	}
	got := ask(w.Cast.Technician)
	got.want(t, http.StatusTooManyRequests, "rate_limited")
	if got.header.Get("Retry-After") == "" {
		t.Error("nothing says when to come again")
	}
	if got := ask(w.Cast.Supervisor); got.status != http.StatusOK {
		t.Errorf("somebody else is refused too: %d", got.status)
	}
}

func TestFilingAnswersWhereItIs(t *testing.T) {
	w := newWorld(t, nil)
	stream := w.play.VisitStream()
	body := signed(w.Cast.Dispatcher, stream, visit.TypeDispatch, w.play.Dispatch)
	path := httpapi.PathOf(visit.StreamVisit, "v1", visit.DispatchVerb)
	var first, again httpapi.Accepted
	w.do(t, request{path: path, by: w.Cast.Dispatcher, body: body}).read(t, http.StatusCreated, &first)
	if first.Stream != stream || first.Number != 2 || len(first.Event) != 64 || len(first.Statement) != 64 {
		t.Errorf("%+v", first)
	}
	// The same envelope under another key is the same record.
	w.do(t, request{path: path, by: w.Cast.Dispatcher, body: body}).read(t, http.StatusOK, &again)
	if again != first {
		t.Errorf("%+v is now at %+v", first, again)
	}
	// Nobody files what another signed.
	w.do(t, request{path: path, by: w.Cast.Technician, body: body}).want(t, http.StatusForbidden, "actor_not_signer")
	// What an opening says is held to the statement.
	stray := filing(w.Cast.Dispatcher.Forge(scenario.Draft{Stream: stream, Type: visit.TypeDispatch, At: time.Now(), Body: w.play.Dispatch}), scenario.Hide("phone", phone).Opening)
	got := w.do(t, request{path: path, by: w.Cast.Dispatcher, body: stray})
	got.want(t, http.StatusBadRequest, "opening_stray")
	if bytes.Contains(got.body, []byte(phone)) {
		t.Error("the answer repeats the value")
	}
}

// malformed is a request with something wrong, and what is to be said of it.
type malformed struct {
	name   string
	q      request
	status int
	code   string // "" for any
	where  string // "" for any
}

// malformedRequests are wrong in every place where a value can stand; all carry the same number.
// envelope is a statement that is right.
func malformedRequests(ok, envelope, confirm string) []malformed {
	long := strings.Repeat(phone, 10)
	get := http.MethodGet
	return []malformed{
		{"a name twice", request{body: `{"statement":"` + envelope + `","statement":"` + phone + `"}`}, 400, "json_duplicate_name", "statement"},
		{"a name in other letters", request{body: `{"Statement":"` + phone + `"}`}, 400, "json_case_variant", "Statement"},
		{"a name that is none", request{body: `{"statement":"` + envelope + `","电话":"` + phone + `"}`}, 400, "json_unknown_name", "…"},
		{"a value as a name", request{body: `{"` + long + `":1}`}, 400, "json_unknown_name", "…"},
		{"a missing name", request{body: `{"openings":[]}`}, 400, "json_missing_name", "statement"},
		{"another type", request{body: `{"statement":["` + phone + `"]}`}, 400, "json_wrong_type", "statement"},
		{"null", request{body: `null`}, 400, "json_wrong_type", ""},
		{"half", request{body: `{"statement":"` + phone}, 400, "json_syntax", "statement"},
		{"two", request{body: ok + ok}, 400, "json_syntax", ""},
		{"no text", request{body: "{\"statement\":\"\xff" + phone + "\"}"}, 400, "json_encoding", ""},
		{"no base64", request{body: `{"statement":"` + phone + `!"}`}, 400, "base64_malformed", "statement"},
		{"no envelope", request{body: `{"statement":"MTM4MTIzNDU2Nzg="}`}, 400, "", ""},
		{"empty", request{body: ""}, 400, "body_missing", ""},
		{"too large", request{body: `{"statement":"` + strings.Repeat("A", 1<<20) + phone + `"}`}, 413, "body_too_large", ""},
		{"a form", request{body: "statement=" + phone, kind: "application/x-www-form-urlencoded"}, 415, "content_type_not_json", "header.Content-Type"},
		{"of no kind", request{body: ok, kind: "-"}, 415, "content_type_not_json", "header.Content-Type"},
		{"in another alphabet", request{body: ok, kind: "application/json; charset=gb18030"}, 415, "content_type_not_json", "header.Content-Type"},
		{"no key", request{body: ok, key: "-"}, 400, "idempotency_key_missing", "header.Idempotency-Key"},
		{"a bad key", request{body: ok, key: phone + " 张三"}, 400, "idempotency_key_malformed", "header.Idempotency-Key"},
		{"a long key", request{body: ok, key: long}, 400, "idempotency_key_malformed", "header.Idempotency-Key"},
		{"a query that is none", request{body: ok, path: confirm + "?" + phone + "=" + phone}, 400, "request_malformed", "query"},
		{"a bad id", request{body: ok, path: httpapi.PathOf(visit.StreamVisit, "%20"+phone, visit.Confirm)}, 400, "request_malformed", "path.id"},
		{"a bad filter", request{method: get, path: "/v1/visits?state=" + phone}, 400, "request_malformed", "query.state"},
		{"a bad number", request{method: get, path: "/v1/visits?limit=" + phone + "x"}, 400, "request_malformed", "query.limit"},
		{"too many", request{method: get, path: "/v1/visits?limit=" + phone}, 400, "request_malformed", "query.limit"},
		{"a bad cursor", request{method: get, path: "/v1/visits?cursor=" + phone}, 400, "cursor_malformed", ""},
		{"a long search", request{method: get, path: "/v1/visits?q=" + long}, 400, "request_malformed", "query.q"},
		{"a bad thumbprint", request{method: get, path: "/v1/visits/v1/previous/" + phone}, 400, "request_malformed", "path.key"},
		{"no such visit", request{method: get, path: "/v1/visits/" + phone}, 404, "visit_not_found", ""},
		{"no such ask", request{path: "/v1/visits/v1/asks", body: `{"ask":"` + phone + `"}`}, 400, "ask_unknown", ""},
		{"no such purpose", request{path: "/v1/visits/v1/challenge", body: `{"purpose":"` + phone + `"}`}, 400, "challenge_purpose_unknown", ""},
		{"something where nothing goes", request{path: "/v1/visits/v1/release_permit", body: `{"` + phone + `":1}`}, 400, "json_unknown_name", "…"},
		{"a name that nobody has", request{body: `{"statement":"` + envelope + `","zhangsan":"` + phone + `"}`}, 400, "json_unknown_name", "…"},
	}
}

// Whatever is wrong with a request, the answer names place and rule and never the value.
func TestNoRejectedValueIsRepeated(t *testing.T) {
	w := newWorld(t, nil)
	ok := signed(w.Cast.Merchant, "visit/v1", visit.TypeConfirmation, visit.Confirmation{Visit: "v1"})
	var f httpapi.Filing
	if err := json.Unmarshal([]byte(ok), &f); err != nil {
		t.Fatal(err)
	}
	confirm := httpapi.PathOf(visit.StreamVisit, "v1", visit.Confirm)
	for _, r := range malformedRequests(ok, f.Statement, confirm) {
		if r.q.path == "" {
			r.q.path = confirm
		}
		r.q.by = w.Cast.Merchant
		got := w.do(t, r.q)
		var p httpapi.Problem
		if err := json.Unmarshal(got.body, &p); err != nil || got.status != r.status || (r.code != "" && p.Code != r.code) {
			t.Errorf("%s: %d %s, want %d %s", r.name, got.status, got.body, r.status, r.code)
		}
		if r.where != "" && p.Where != r.where {
			t.Errorf("%s: where %q, want %q", r.name, p.Where, r.where)
		}
		if bytes.Contains(got.body, []byte(phone)) {
			t.Errorf("%s: the value is repeated: %s", r.name, got.body)
		}
	}
	if strings.Contains(w.log.String(), phone) {
		t.Error("a value is in the log")
	}
}

func TestABrokenParameterNamesItsRule(t *testing.T) {
	w := newWorld(t, nil)
	got := w.do(t, request{method: http.MethodGet, path: "/v1/visits?limit=101&state=nowhere", by: w.Cast.Merchant})
	var p httpapi.Problem
	if err := json.Unmarshal(got.body, &p); err != nil {
		t.Fatal(err)
	}
	rules := map[string]string{}
	for _, r := range p.Rules {
		rules[r.Where] = r.Rule
	}
	if len(p.Rules) != 2 || !strings.Contains(rules["query.limit"], "100") || !strings.Contains(rules["query.state"], "booked") {
		t.Errorf("%s", got.body)
	}
}

func TestReadingAVisit(t *testing.T) {
	w := newWorld(t, nil)
	by := w.Cast.Merchant
	var page httpapi.VisitPage
	w.do(t, request{method: http.MethodGet, path: "/v1/visits?state=booked&kind=install&q=v1&limit=1", by: by}).read(t, http.StatusOK, &page)
	if len(page.Items) != 1 || page.Next != "" || page.Items[0].ID != "v1" || page.Items[0].Merchant != by.ID || page.Items[0].State != "booked" {
		t.Errorf("%+v", page)
	}
	w.do(t, request{method: http.MethodGet, path: "/v1/visits?state=closed", by: by}).read(t, http.StatusOK, &page)
	if len(page.Items) != 0 {
		t.Errorf("%+v", page)
	}
	got := w.do(t, request{method: http.MethodGet, path: "/v1/visits/v1", by: by})
	var d httpapi.VisitDetail
	if err := json.Unmarshal(got.body, &d); err != nil || got.status != http.StatusOK {
		t.Fatalf("%d %v: %s", got.status, err, got.body)
	}
	if d.ID != "v1" || d.Order != w.play.Order.Order || d.Risk != 1 || d.Ask != visit.AskDispatch || len(d.Conditions) < 5 || len(d.Events) != 1 || d.Head == "" {
		t.Errorf("%s", got.body)
	}
	failing := 0
	for _, c := range d.Conditions {
		if c.Verdict == "fails" && c.Code != "" && c.Title.Zh != "" && c.Reason.En != "" {
			failing++
		}
	}
	if failing == 0 {
		t.Errorf("nothing is missing before dispatch: %s", got.body)
	}
	for _, r := range []struct {
		who  *scenario.Actor
		want string
	}{{w.Cast.Merchant, ""}, {w.Cast.Approver, d.Events[0].Statement}} {
		var p httpapi.Previous
		w.do(t, request{method: http.MethodGet, path: "/v1/visits/v1/previous/" + r.who.Public().Thumbprint(), by: by}).read(t, http.StatusOK, &p)
		if p.Previous != r.want {
			t.Errorf("%s signed %q last, want %q", r.who.ID, p.Previous, r.want)
		}
	}
	var verbs httpapi.Verbs
	w.do(t, request{method: http.MethodGet, path: "/v1/verbs", by: by}).read(t, http.StatusOK, &verbs)
	if len(verbs.Verbs) != len(visit.Table()) {
		t.Errorf("%d rows of %d", len(verbs.Verbs), len(visit.Table()))
	}
}

func TestABundleIsTheCanonicalBytes(t *testing.T) {
	w := newWorld(t, nil)
	if err := scenario.Run(t.Context(), scenario.Until(w.play.Install()[1:], "badge")); err != nil {
		t.Fatal(err)
	}
	for by, opens := range map[*scenario.Actor]bool{w.Cast.Merchant: true, w.Cast.Dispatcher: false} {
		got := w.do(t, request{method: http.MethodGet, path: "/v1/visits/v1/bundle", by: by})
		b, err := evidence.Open(got.body)
		if got.status != http.StatusOK || err != nil {
			t.Fatalf("%s: %d %v", by.ID, got.status, err)
		}
		if got.header.Get("Content-Type") != "application/json" || got.header.Get("Content-Disposition") != `attachment; filename="menshen-v1.json"` {
			t.Errorf("%v", got.header)
		}
		if (len(b.Openings) > 0) != opens {
			t.Errorf("%s gets %d openings", by.ID, len(b.Openings))
		}
	}
}

func TestReadyAndAlive(t *testing.T) {
	w := newWorld(t, nil)
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := w.do(t, request{method: http.MethodGet, path: path}); got.status != http.StatusOK || string(bytes.TrimSpace(got.body)) != `{"status":"ok"}` {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if err := w.Store.Close(); err != nil {
		t.Fatal(err)
	}
	if got := w.do(t, request{method: http.MethodGet, path: "/healthz"}); got.status != http.StatusOK {
		t.Errorf("not alive: %d", got.status)
	}
	w.do(t, request{method: http.MethodGet, path: "/readyz"}).want(t, http.StatusServiceUnavailable, "store_closed")
}
