package simhost

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/scenario/iso8583"
	"github.com/menshen-project/menshen/internal/service"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// opened is a host without a listener of its own.
func opened(t *testing.T) (*Server, *httptest.Server) {
	t.Helper()
	p, err := scenario.InMemoryPlay(visit.Install, 0, began, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(filesFor(t, p))
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		web.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, web
}

func do(t *testing.T, method, url, token string, body io.Reader) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// The table of addresses is the table of who may ask: nobody without a token, and menshen neither the
// books nor the terminals' line.
func TestEachSideOpensItsOwnAddresses(t *testing.T) {
	s, web := opened(t)
	for _, r := range s.routes() {
		method, path, _ := strings.Cut(r.pattern, " ")
		for _, name := range []string{"{digest}", "{id}", "{serial}", "{order}"} {
			path = strings.ReplaceAll(path, name, "x")
		}
		want := map[string][3]string{ // code that stops the caller: nobody, menshen, desk
			"anybody": {"", "", ""}, "menshen": {"host_token_wrong", "", ""}, "desk": {"host_token_wrong", "host_token_other_side", ""},
		}[map[side]string{anybody: "anybody", menshen: "menshen", desk: "desk"}[r.side]]
		for i, token := range []string{"", menshenToken, deskToken} {
			resp := do(t, method, web.URL+path, token, nil)
			got := ""
			if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
				got = problemIn(t, resp).Code
			}
			resp.Body.Close()
			if got != want[i] {
				t.Errorf("%s with token %q: %q, want %q", r.pattern, token, got, want[i])
			}
		}
	}
	for _, token := range []string{"Bearer", menshenToken + "x", menshenToken[1:]} {
		if p := problemIn(t, do(t, http.MethodPost, web.URL+"/permits/x", token, nil)); p.Code != "host_token_wrong" {
			t.Errorf("token %q: %s", token, p.Code)
		}
	}
}

func TestWhatIsNotThereIsAProblem(t *testing.T) {
	_, web := opened(t)
	resp := do(t, http.MethodDelete, web.URL+"/permits/x", menshenToken, nil)
	if p := problemIn(t, resp); p.Code != "method_not_allowed" || p.Status != http.StatusMethodNotAllowed || resp.Header.Get("Allow") == "" {
		t.Errorf("%+v, allow %q", p, resp.Header.Get("Allow"))
	}
	if p := problemIn(t, do(t, http.MethodGet, web.URL+"/nothing", menshenToken, nil)); p.Code != "route_unknown" || p.Status != http.StatusNotFound {
		t.Errorf("%+v", p)
	}
	if resp := do(t, http.MethodGet, web.URL+"/healthz", "", nil); resp.StatusCode != http.StatusOK {
		t.Errorf("health %d", resp.StatusCode)
	}
}

func TestMalformedRequestsAreRefusedAndChangeNothing(t *testing.T) {
	s, web := opened(t)
	digest := statement.Digest([]byte("permit"))
	before := s.journal.Size()
	long := strings.Repeat("x", service.MaxBody+1)
	for _, c := range []struct{ method, path, body, code string }{
		{"POST", "/permits/" + digest, "{}", "json_missing_name"},
		{"POST", "/permits/short", "{}", "permit_digest_malformed"},
		{"POST", "/permits/" + digest + "/cancel", "{}", "json_missing_name"},
		{"POST", "/permits/" + digest + "/cancel", `{"visit":"v1","more":1}`, "json_unknown_name"},
		{"POST", "/permits/" + digest + "/cancel", `{"Visit":"v1"}`, "json_case_variant"},
		{"POST", "/permits/" + digest + "/cancel", `{"visit":"v1","visit":"v2"}`, "json_duplicate_name"},
		{"POST", "/permits/" + digest + "/cancel", long, "body_too_large"},
		{"POST", "/permits/short/cancel", `{"visit":"v1"}`, "permit_digest_malformed"},
		{"POST", "/sessions", `{"serial":"1"}`, "serial_shape"},
		{"POST", "/sessions", `nonsense`, "json_syntax"},
		{"POST", "/sessions/00005704280117028119", `{}`, "json_missing_name"},
		{"POST", "/sessions/00005704280117028119", `{"key":{"kind":"es256","x":"","y":""},"sig":"?"}`, "base64_malformed"},
		{"POST", "/sessions/00005704280117028119", `{"key":{"kind":"es256","x":"","y":""},"sig":""}`, "device_session_absent"},
		{"POST", "/loads/00005704280117028119", `{}`, "json_missing_name"},
		{"POST", "/loads/00005704280117028119", `{"point":"?","sig":""}`, "base64_malformed"},
		{"POST", "/loads/00005704280117028119", `{"point":"","sig":""}`, "trial_not_loaded"},
		{"POST", "/terminals/00005704280117028119/messages", "0800", "trial_not_loaded"},
		{"POST", "/terminals/00005704280117028119/messages", long, "body_too_large"},
		{"GET", "/visits/v1/trial", "", "trial_not_loaded"},
		{"POST", "/visits/v1/acceptance", `{}`, "json_missing_name"},
		{"POST", "/visits/v1/acceptance", `{"merchant_name":""}`, "trial_not_loaded"},
		{"GET", "/visits/v1/charges?since=yesterday", "", "time_malformed"},
		{"GET", "/visits/v1/charges?since=2026-11-22T00:00:00Z&order=o&serial=00005704280117028119", "", "order_unknown_to_host"},
		{"POST", "/visits/v1/charges", `{}`, "json_missing_name"},
		{"POST", "/visits/v1/charges", `{"order":"o","charge":{"at":"2026-11-22T00:00:00Z","code":"a","amount_fen":1,"kind":"other","reference":"r"}}`, "order_unknown_to_host"},
		{"POST", "/visits/-/charges", `{"order":"o","charge":{"at":"2026-11-22T00:00:00Z","code":"a","amount_fen":1,"kind":"other","reference":"r"}}`, "id_shape"},
		{"PUT", "/records/o", `{}`, "json_missing_name"},
		{"PUT", "/records/o", `{"merchant_code":"1","terminal":"2"}`, "merchant_code_shape"},
	} {
		p := problemIn(t, do(t, c.method, web.URL+c.path, deskToken, strings.NewReader(c.body)))
		if p.Code != c.code {
			t.Errorf("%s %s %.40s: %s, want %s", c.method, c.path, c.body, p.Code, c.code)
		}
		if f := p.Fault(); f.Code != p.Code || f.Kind == fault.Internal {
			t.Errorf("%s reads back as %v", c.code, f)
		}
	}
	if s.journal.Size() != before {
		t.Error("a refused request changed the host")
	}
}

// What fails here must not look like a no to menshen.
func TestAHostThatCannotKeepItsAnswerIsUnavailable(t *testing.T) {
	s, web := opened(t)
	err := s.journal.Close()
	if err != nil { // the disk goes away
		t.Fatal(err)
	}
	p := problemIn(t, do(t, http.MethodPost, web.URL+"/permits/"+statement.Digest(nil)+"/cancel", menshenToken, strings.NewReader(`{"visit":"v1"}`)))
	if p.Code != "journal_failed" || p.Status != http.StatusServiceUnavailable {
		t.Errorf("%+v", p)
	}
}

func TestSilenceIsSilence(t *testing.T) {
	dead := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(dead.Close)
	asked := 0
	var answer http.HandlerFunc
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked++; answer(w, r) }))
	t.Cleanup(odd.Close)
	client := func(url string) *Client {
		c, err := NewClient(url, "", deskToken)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if _, err := client(dead.URL).Send(t.Context(), "s", nil); !errors.Is(err, scenario.ErrSilence) {
		t.Errorf("a dropped connection: %v", err)
	}
	c := client(odd.URL)
	for name, a := range map[string]struct {
		answer http.HandlerFunc
		code   string
		asks   int
	}{
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "{")
		}, "host_silent", clientAttempts},
		"no problem":      {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) }, "host_answer_strange", 1},
		"a huge answer":   {func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, maxAnswer+1)) }, "host_answer_strange", 1},
		"another form":    {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }, "json_missing_name", 1},
		"a plain refusal": {func(w http.ResponseWriter, _ *http.Request) { service.WriteProblem(w, errSide) }, "host_token_other_side", 1},
	} {
		answer, asked = a.answer, 0
		if _, err := c.Nonce(t.Context(), "s"); fault.CodeOf(err) != a.code || asked != a.asks {
			t.Errorf("%s: %v after %d asks", name, err, asked)
		}
	}
	answer = func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, iso8583.MaxBytes+1)) }
	if _, err := c.Send(t.Context(), "s", nil); fault.CodeOf(err) != "host_answer_strange" {
		t.Errorf("a long message: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Nonce(gone, "s"); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	if _, err := NewClient("http://host.acquirer.example", "", deskToken); fault.CodeOf(err) != "host_url_in_clear" {
		t.Errorf("in the clear: %v", err)
	}
}

func TestAnOrderThatIsNotInTheBooksIsTold(t *testing.T) {
	_, web := opened(t)
	c, err := NewClient(web.URL, "", deskToken)
	if err != nil {
		t.Fatal(err)
	}
	c.Enter(visit.Order{Order: "o", Items: visit.FiveItems{MerchantCode: "531290058120001"}, Terminal: "W1489724"})
	p, err := scenario.InMemoryPlay(visit.Install, 0, began, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.OpenSession(t.Context(), p.Device); err != nil {
		t.Errorf("a good order: %v", err)
	}
	c.Enter(visit.Order{Order: "o", Terminal: "W1489724"})
	if err := c.OpenSession(t.Context(), p.Device); fault.CodeOf(err) != "merchant_code_shape" {
		t.Errorf("a bad order: %v", err)
	}
	if _, err := c.RunAcceptance(t.Context(), p, ""); fault.CodeOf(err) != "trial_not_loaded" {
		t.Errorf("without a load: %v", err)
	}
	if err := c.Charge(t.Context(), "v1", "none", agreement.Charge{}); fault.CodeOf(err) == "" {
		t.Error("a charge on no order")
	}
}
