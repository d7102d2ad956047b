package organisation

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/service"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// childFolder makes the test program a service on a folder; it dies once something is signed, before
// anybody hears of it.
const childFolder = "ORGANISATION_TEST_FOLDER"

// childDies has it die earlier: "signing" when the statement is signed and not yet kept.
const childDies = "ORGANISATION_TEST_DIES"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		if err := beService(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func beService(dir string) error {
	c, err := Load(dir)
	if err != nil {
		return err
	}
	s, err := Open(c, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	die := func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) }
	if os.Getenv(childDies) == "signing" {
		s.signing = die
	} else {
		s.signed = die
	}
	server, err := NewServer(s)
	if err != nil {
		return err
	}
	web := httptest.NewServer(server.Handler())
	fmt.Println(web.URL)
	select {}
}

// served puts the stage's service behind HTTP, as menshen and the desk find it.
func (s *stage) served() (url, menshen, desk string) {
	s.Helper()
	server, err := NewServer(s.Service)
	if err != nil {
		s.Fatal(err)
	}
	web := httptest.NewServer(server.Handler())
	s.Cleanup(web.Close)
	m, errM := s.conf.MenshenToken()
	d, errD := s.conf.DeskToken()
	if err := errors.Join(errM, errD); err != nil {
		s.Fatal(err)
	}
	return web.URL, m, d
}

func client(t *testing.T, url, token string) *orgapi.Client {
	t.Helper()
	c, err := orgapi.NewClient(orgapi.Config{BaseURL: url, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The machine dies between signing and answering. What was signed is there, and the same request gets
// just that.
func TestKilledBetweenSigningAndAnswering(t *testing.T) {
	for _, c := range []struct {
		dies string
		kept int // statements that the journal has after the crash
	}{{"signing", 0}, {"", 1}} {
		t.Run(c.dies, func(t *testing.T) { killed(t, c.dies, c.kept) })
	}
}

func killed(t *testing.T, dies string, kept int) {
	s := acquirerStage(t)
	s.time = time.Now()
	wei := s.phone("wei", visit.RoleMerchant)
	ask := wei.asks(s.code("wei", visit.RoleMerchant, reasonReplaced))
	token, err := s.conf.MenshenToken()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Service.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childFolder+"="+s.dir, childDies+"="+dies)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, err = client(t, strings.TrimSpace(address), token).Enrol(t.Context(), ask)
	if fault.CodeOf(err) != "organisation_unreachable" {
		t.Errorf("the dead service answers %v", err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("it lives")
	}
	s.open()
	before := s.all()
	if len(before) != kept {
		t.Fatalf("%d statements after the crash", len(before))
	}
	a, err := s.Enrol(ask)
	if err != nil || len(a.Statements) != 1 || len(s.all()) != 1 || kept > 0 && a.Statements[0] != before[0] || s.all()[0] != a.Statements[0] {
		t.Errorf("%v, %v", a, err)
	}
}

func TestEachSideHasItsOwnToken(t *testing.T) {
	s := providerStage(t)
	url, menshen, desk := s.served()
	for _, c := range []struct {
		method, path, token, body string
		status                    int
		code                      string
	}{
		{"POST", "/enrolments", "", "{}", 401, "organisation_token_wrong"},
		{"POST", "/enrolments", desk, "{}", 403, "organisation_token_other_side"},
		{"POST", "/desk/codes", menshen, "{}", 403, "organisation_token_other_side"},
		{"POST", "/desk/people", menshen, "{}", 403, "organisation_token_other_side"},
		{"GET", "/people", desk, "", 403, "organisation_token_other_side"},
		{"POST", "/enrolments", menshen, "{}", 400, "json_missing_name"},
		{"POST", "/enrolments", menshen, strings.Repeat("x", service.MaxBody+1), 413, "body_too_large"},
		{"POST", "/desk/codes", desk, `{"holder":"lan"}`, 400, "json_missing_name"},
		{"POST", "/desk/codes", desk, `{"holder":"lan","role":"merchant","reason":"lost","key":"","name":"","photo":""}`, 422, "role_not_of_organisation"},
		{"GET", "/statements?after=x&wait=0", menshen, "", 400, "organisation_ask_malformed"},
		{"GET", "/statements?after=0&wait=-1", menshen, "", 400, "organisation_ask_malformed"},
		{"GET", "/nothing", menshen, "", 404, "route_unknown"},
		{"DELETE", "/people", menshen, "", 405, "method_not_allowed"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, url+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+c.token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var p service.Problem
		err = json.NewDecoder(resp.Body).Decode(&p)
		if err := errors.Join(err, resp.Body.Close()); err != nil || resp.StatusCode != c.status || p.Code != c.code {
			t.Errorf("%s %s: %d %s %v, want %d %s", c.method, c.path, resp.StatusCode, p.Code, err, c.status, c.code)
		}
	}
}

// menshen hears of what was signed as soon as it is, and gets it by number as often as it asks.
func TestStatementsAreFetchedByNumber(t *testing.T) {
	s := providerStage(t)
	url, menshen, _ := s.served()
	c := client(t, url, menshen)
	lan := s.technician("lan") // one enrolment
	heard := make(chan orgapi.Answer, 1)
	go func() {
		a, err := c.Statements(t.Context(), 1, 20*time.Second)
		if err != nil {
			a.Badge = err.Error()
		}
		heard <- a
	}()
	time.Sleep(20 * time.Millisecond) // most often it waits by now; if not, the answer is the same
	if _, err := c.Badge(t.Context(), lan.badgeFor(dayKey(t))); err != nil {
		t.Fatal(err)
	}
	if a := <-heard; len(a.Statements) != 2 || a.Statements[0].Number != 2 || a.Statements[0].Verb != visit.IssueBadge {
		t.Errorf("%+v", a)
	}
	if a, err := c.Statements(t.Context(), 3, 0); err != nil || len(a.Statements) != 0 {
		t.Errorf("%v, %v", a, err)
	}
	if _, err := c.EndBadges(t.Context(), orgapi.BadgeEnd{Holder: "lan", Reason: "lost", By: "qiu"}); err != nil {
		t.Error(err)
	}
	if _, err := c.EndKey(t.Context(), orgapi.KeyEnd{Key: lan.public().Thumbprint(), Reason: "lost", By: "qiu"}); err != nil {
		t.Error(err)
	}
	if p, err := c.People(t.Context()); err != nil || len(p.People) != 1 || p.People[0].Key != "" {
		t.Errorf("%v, %v", p, err)
	}
	s.state.recent = s.state.recent[2:]
	if _, err := s.Statements(t.Context(), 0, 0); fault.CodeOf(err) != "organisation_statements_gone" {
		t.Error(err)
	}
	gone, end := context.WithCancel(t.Context())
	end()
	if a, err := s.Statements(gone, s.state.numbers, time.Hour); err != nil || len(a.Statements) != 0 {
		t.Errorf("%v, %v", a, err)
	}
}

// The desk does the same whether the service runs or not.
func TestTheDeskWorksOnTheFolderOrThroughTheService(t *testing.T) {
	s := acquirerStage(t)
	if err := s.Service.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := OpenDesk(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	made, err := d.Code(t.Context(), "wei", visit.RoleMerchant, reasonReplaced)
	if err != nil || made.Holder != "wei" || made.Site != "https://menshen.example" {
		t.Fatal(made, err)
	}
	if _, err := credential.ParseCode(made.Code); err != nil {
		t.Error(err)
	}
	if _, err := d.Do(t.Context(), "/desk/codes/revoke", DeskAsk{Holder: "nobody", Role: visit.RoleMerchant}); fault.CodeOf(err) != "person_unknown" {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	s.open()
	url, _, _ := s.served()
	s.conf.Listen = strings.TrimPrefix(url, "http://")
	token, err := s.conf.DeskToken()
	if err != nil {
		t.Fatal(err)
	}
	far, err := s.conf.remoteDesk(token)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := far.People(t.Context()); err != nil || len(p.People) != 1 || p.People[0].CodeState != codeLive {
		t.Errorf("%v, %v", p, err)
	}
	if _, err := far.Do(t.Context(), "/desk/people/leave", DeskAsk{Holder: "wei", Role: visit.RoleMerchant, Reason: reasonLeft}); err != nil {
		t.Error(err)
	}
}

func TestTheSheetSaysWhatPeopleNeed(t *testing.T) {
	s := acquirerStage(t)
	made, err := s.MakeCode("wei", visit.RoleMerchant, reasonReplaced)
	if err != nil {
		t.Fatal(err)
	}
	sheet := s.Sheet(made)
	var page bytes.Buffer
	if err := sheet.HTML(&page); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := sheet.File(&file); err != nil {
		t.Fatal(err)
	}
	if alone := file.String(); strings.Contains(alone, "href") || !strings.Contains(alone, ".sheet") || !strings.Contains(page.String(), "/desk.css") {
		t.Errorf("as a file it stands by what it has not:\n%s", alone)
	}
	for _, text := range []string{sheet.Text(), page.String(), file.String()} {
		for _, want := range []string{made.Code.Printed(), "2026年12月6日 09:00", "https://menshen.example", "021-0000", "商户", "merchant", "上门的人也别告诉"} {
			if !strings.Contains(text, want) {
				t.Errorf("lacks %s:\n%s", want, text)
			}
		}
	}
}

// desk is a browser at the desk's page.
type browser struct {
	*testing.T
	url    string
	client *http.Client
	cookie *http.Cookie
}

func (b *browser) post(path string, form url.Values) (*http.Response, string) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, b.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	resp, err := b.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		b.Fatal(err)
	}
	return resp, string(body)
}

func TestTheDesksPage(t *testing.T) {
	s := providerStage(t)
	address, menshen, desk := s.served()
	b := &browser{T: t, url: address, client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if _, page := b.post("/sign-in", url.Values{"token": {menshen}}); !strings.Contains(page, "口令不对") || strings.Contains(page, "名册的人") {
		t.Error(page)
	}
	if resp, _ := b.post("/do", url.Values{"what": {"code"}, "holder": {"lan"}, "role": {visit.RoleTechnician}, "reason": {reasonReplaced}}); resp.StatusCode != http.StatusSeeOther || len(s.People().People) != 0 {
		t.Error("somebody who is not signed in makes a code")
	}
	resp, _ := b.post("/sign-in", url.Values{"token": {desk}})
	if resp.StatusCode != http.StatusSeeOther || len(resp.Cookies()) != 1 {
		t.Fatal(resp.Status)
	}
	b.cookie = resp.Cookies()[0]
	if !b.cookie.HttpOnly || b.cookie.SameSite != http.SameSiteStrictMode || strings.Contains(b.cookie.Value, desk) {
		t.Errorf("%v", b.cookie)
	}
	do := func(what string, more url.Values) string {
		t.Helper()
		form := url.Values{"what": {what}, "holder": {"lan"}, "role": {visit.RoleTechnician}, "reason": {reasonReplaced}}
		for k, v := range more {
			form[k] = v
		}
		resp, body := b.post("/do", form)
		if csp := resp.Header.Get("Content-Security-Policy"); resp.StatusCode == http.StatusOK && !strings.HasPrefix(csp, "default-src 'none'") {
			t.Errorf("%s: %s", what, csp)
		}
		return body
	}
	if sheet := do("code", nil); !strings.Contains(sheet, `class="code"`) {
		t.Error(sheet)
	}
	do("take_code", nil)
	do("put", url.Values{"name": {nameOf}, "photo": {photoOf}})
	lan := s.enrolled("lan", visit.RoleTechnician)
	if _, err := s.Badge(lan.badgeFor(dayKey(t))); err != nil {
		t.Fatal(err)
	}
	do("end_badges", nil)
	do("end_key", url.Values{"key": {lan.public().Thumbprint()}})
	if p := s.People().People[0]; p.Key != "" || p.Badges != 0 || p.CodeState != codeUsed {
		t.Errorf("%+v", p)
	}
	do(reasonSuspended, nil)
	do("put", nil)
	do(reasonLeft, nil)
	if p := s.People().People[0]; p.State != orgapi.Left {
		t.Errorf("%+v", p)
	}
	if page := do("code", nil); !strings.Contains(page, "离职或被停职") {
		t.Error(page)
	}
	do("magic", nil)
	t.Run("another site's form", func(t *testing.T) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/do", strings.NewReader("what=code"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.AddCookie(b.cookie)
		resp, err := b.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode != http.StatusForbidden {
			t.Error(resp.Status)
		}
	})
	s.wait(9 * time.Hour)
	if resp, _ := b.post("/do", url.Values{"what": {"code"}}); resp.StatusCode != http.StatusSeeOther {
		t.Error("signed in for ever")
	}
}

func TestAFolderIsMadeOnceAndReadStrictly(t *testing.T) {
	dir := t.TempDir()
	c := Defaults("jianghe", "江禾支付", []string{credential.KindAcquirer})
	keys, err := NewKeys(c.Kinds)
	if err != nil {
		t.Fatal(err)
	}
	public, err := Make(dir, c, keys)
	if err != nil || public.BadgeKey != nil || public.Key.Thumbprint() != statement.KeyOf(&keys.Own.PublicKey).Thumbprint() {
		t.Fatal(public, err)
	}
	if _, err := Make(dir, c, keys); fault.CodeOf(err) != "organisation_folder" {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"an open address": func(c *Config) { c.Listen = "0.0.0.0:8450" }, "no kind": func(c *Config) { c.Kinds = nil }, "a strange kind": func(c *Config) { c.Kinds = []string{"maker"} },
		"no id": func(c *Config) { c.Organisation = "?" }, "long badges": func(c *Config) { c.BadgeHours = 25 }, "half a certificate": func(c *Config) { c.CertFile = "x" },
	} {
		bad := c
		change(&bad)
		if _, err := Make(t.TempDir(), bad, keys); fault.CodeOf(err) != "organisation_config_invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, spoil := range map[string]struct{ file, data, code string }{
		"unknown names": {configFile, "organisation: jianghe\nmagic: 1\n", "organisation_config_invalid"},
		"no config":     {configFile, "", "organisation_config_invalid"},
		"a broken key":  {keyFile, "nonsense", "organisation_key_unreadable"},
		"one token":     {menshenToken, "x", "organisation_key_unreadable"},
	} {
		t.Run(name, func(t *testing.T) {
			d := t.TempDir()
			if _, err := Make(d, c, keys); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(d, spoil.file), []byte(spoil.data), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := OpenDesk(d); fault.CodeOf(err) != spoil.code {
				t.Errorf("%v, want %s", err, spoil.code)
			}
		})
	}
	if _, err := Load(t.TempDir()); fault.CodeOf(err) != "organisation_config_unreadable" {
		t.Error(err)
	}
}

// menshen's page of a merchant leads here with his id: signing in first loses nothing, and what is no id or another
// kind of organisation's role fills in nothing.
func TestALinkToTheDeskNamesTheMerchant(t *testing.T) {
	s := acquirerStage(t)
	address, _, desk := s.served()
	b := &browser{T: t, url: address, client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	resp, _ := b.post("/sign-in?holder=m-7&role=merchant", url.Values{"token": {desk}})
	if to := resp.Header.Get("Location"); to != "/?holder=m-7&role=merchant" {
		t.Errorf("led to %s", to)
	}
	page := func(query string, signedIn bool) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		if signedIn {
			r.AddCookie(resp.Cookies()[0])
		}
		got, err := b.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(got.Body)
		if err := errors.Join(err, got.Body.Close()); err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	if out := page("?holder=m-7&role=merchant", false); !strings.Contains(out, `action="/sign-in?holder=m-7&amp;role=merchant"`) {
		t.Error(out)
	}
	if in := page("?holder=m-7&role=merchant", true); !strings.Contains(in, `value="m-7"`) || !strings.Contains(in, `<option value="merchant" selected>`) {
		t.Error(in)
	}
	for _, query := range []string{"?holder=m-7%22%3E&role=merchant", "?holder=m-7&role=technician", "?holder=m-7"} {
		if got := page(query, true); strings.Contains(got, "m-7") || strings.Contains(got, " selected>") {
			t.Errorf("%s fills in something: %s", query, got)
		}
	}
}
