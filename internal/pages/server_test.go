package pages

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

type ask struct {
	method, path, viewer string
	header               map[string]string
}

func (a ask) of(s *Server) *http.Response {
	method := a.method
	if method == "" {
		method = http.MethodGet
	}
	r := httptest.NewRequest(method, "http://menshen.example"+a.path, nil)
	r.Header.Set("X-Test-Viewer", a.viewer)
	for k, v := range a.header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	s.Routes().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestWhoSeesWhat(t *testing.T) {
	_, s := city(t)
	for _, c := range []struct {
		name   string
		ask    ask
		status int
		shows  string
		hides  string
	}{
		{"signed out, start", ask{path: "/"}, 200, "怎么进来", "上门记录"},
		{"signed in, start", ask{path: "/", viewer: "qiu"}, 200, "示例面馆", "怎么进来"},
		{"english", ask{path: "/?lang=en", viewer: "qiu"}, 200, "Under way", "进行中"},
		{"english by cookie", ask{path: "/", viewer: "qiu", header: map[string]string{"Cookie": "lang=en"}}, 200, "Under way", "进行中"},
		{"a language nobody speaks", ask{path: "/?lang=fr", viewer: "qiu"}, 200, "进行中", "fr\""},
		{"an empty list", ask{path: "/?q=none-such", viewer: "qiu"}, 200, "没有符合的记录", "示例面馆"},
		{"a search that can match nothing", ask{path: "/?q=%3Cscript%3E", viewer: "qiu"}, 200, "只能有字母", "&lt;script"},
		{"signed out, a visit", ask{path: "/visits/admitted"}, 401, "请先进入", "示例面馆"},
		{"a visit", ask{path: "/visits/admitted", viewer: "qiu"}, 200, "正在安装", ""},
		{"its digests", ask{path: "/visits/admitted", viewer: "qiu"}, 200, "凭什么", ""},
		{"no digests at the counter", ask{path: "/visits/merchant", viewer: "wei"}, 200, "正在安装", "凭什么"},
		{"a permit's key", ask{path: "/visits/trial", viewer: "qiu"}, 200, "机具的密钥", ""},
		{"frozen", ask{path: "/visits/frozen", viewer: "wei"}, 200, "已停止", "sign-good"},
		{"failing", ask{path: "/visits/revoked", viewer: "qiu"}, 200, "工作证已被停用", "sign-good"},
		{"done", ask{path: "/visits/closed", viewer: "fang"}, 200, "sign-good", "sign-wait"},
		{"what is not proven", ask{path: "/visits/closed", viewer: "fang"}, 200, "有没有当面给过现金", ""},
		{"the command", ask{path: "/visits/closed", viewer: "fang"}, 200, "menshen-verify --trust trust.json menshen-v-2026-0131.json", ""},
		{"no such visit", ask{path: "/visits/none", viewer: "qiu"}, 404, "没有这一页", "none"},
		{"no possible visit", ask{path: "/visits/%3Cb%3E", viewer: "qiu"}, 404, "没有这一页", "&lt;b"},
		{"no such page", ask{path: "/secret-name", viewer: "qiu"}, 404, "没有这一页", "secret-name<"},
		{"no such asset", ask{path: "/assets/menshen.css"}, 404, "没有这一页", ""},
		{"a link", ask{path: "/enter/good-link"}, 200, "进入", ""},
		{"an odd link", ask{path: "/enter/%3Cb%3E"}, 404, "没有这一页", ""},
		{"a spent link", ask{method: "POST", path: "/enter/spent"}, 403, "您不能看这一页", ""},
		{"a link that leads away", ask{method: "POST", path: "/enter/leads-away"}, 500, "我们这边出错了", "elsewhere"},
		{"posted from elsewhere", ask{method: "POST", path: "/enter/good-link", header: map[string]string{"Sec-Fetch-Site": "cross-site"}}, 403, "您不能看这一页", ""},
		{"posting where nothing is posted", ask{method: "POST", path: "/"}, 404, "没有这一页", ""},
	} {
		r := c.ask.of(s)
		got := body(t, r)
		if r.StatusCode != c.status || !strings.Contains(got, c.shows) || c.hides != "" && strings.Contains(withoutSwitch(got), c.hides) {
			t.Errorf("%s: status %d, want %d; shows %q: %v; hides %q: %v", c.name, r.StatusCode, c.status, c.shows,
				strings.Contains(got, c.shows), c.hides, !strings.Contains(withoutSwitch(got), c.hides))
		}
	}
}

// withoutSwitch leaves out the switch of language, which must keep the address and so repeats it, encoded.
func withoutSwitch(page string) string {
	from := strings.Index(page, `<a class="lang"`)
	if from < 0 {
		return page
	}
	return page[:from] + page[from+strings.Index(page[from:], "</a>"):]
}

func TestTheBundleIsHandedOutAsItIs(t *testing.T) {
	source, s := city(t)
	r := ask{path: "/visits/closed/bundle", viewer: "fang"}.of(s)
	if got := body(t, r); got != string(source.bundle) || r.Header.Get("Content-Type") != "application/json" ||
		r.Header.Get("Content-Disposition") != `attachment; filename="menshen-closed.json"` {
		t.Errorf("%q %v", got, r.Header)
	}
	if r := (ask{path: "/visits/closed/bundle"}).of(s); r.StatusCode != 401 {
		t.Errorf("signed out: %d", r.StatusCode)
	}
	if r := (ask{path: "/visits/none/bundle", viewer: "fang"}).of(s); r.StatusCode != 404 || r.Header.Get("Content-Disposition") != "" {
		t.Errorf("none: %d", r.StatusCode)
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	_, s := city(t)
	for _, path := range []string{"/", "/visits/admitted", "/none", "/enter/good-link", s.assets.href("menshen.css")} {
		h := ask{path: path, viewer: "qiu"}.of(s).Header
		for name, want := range map[string]string{"Content-Security-Policy": needs{}.contentPolicy(), "Permissions-Policy": needs{}.permissions(), "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Strict-Transport-Security": "max-age=31536000", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", headerRelease: s.assets.set} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if immutable := strings.Contains(h.Get("Cache-Control"), "immutable"); immutable != strings.HasPrefix(path, "/assets/") || !immutable && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, h.Get("Cache-Control"))
		}
	}
}

func TestOpeningALinkDoesNothing(t *testing.T) {
	_, s := city(t)
	for _, path := range []string{"/enter/good-link", "/enter/good-link?lang=en"} {
		if r := (ask{path: path}).of(s); len(r.Cookies()) != 0 {
			t.Errorf("%s sets %v", path, r.Cookies())
		}
	}
	r := ask{method: "POST", path: "/enter/good-link", header: map[string]string{"Sec-Fetch-Site": "same-origin"}}.of(s)
	if c := r.Cookies(); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/visits/admitted" || len(c) != 1 || c[0].Name != "session" {
		t.Errorf("%d to %s with %v", r.StatusCode, r.Header.Get("Location"), c)
	}
	s.SignIn = nil
	for _, method := range []string{"GET", "POST"} {
		if r := (ask{method: method, path: "/enter/good-link"}).of(s); r.StatusCode != 404 {
			t.Errorf("%s where nobody signs in by link: %d", method, r.StatusCode)
		}
	}
}

func TestTheLanguageIsKept(t *testing.T) {
	_, s := city(t)
	s.Secure = func(*http.Request) bool { return true }
	r := ask{path: "/?lang=en&state=open&q=o-2026", viewer: "qiu"}.of(s)
	if c := r.Cookies(); len(c) != 1 || c[0].Name != langCookie || c[0].Value != en || !c[0].Secure || !c[0].HttpOnly {
		t.Errorf("cookies: %v", c)
	}
	if got := body(t, r); !strings.Contains(got, `href="/?lang=zh&amp;q=o-2026&amp;state=open"`) {
		t.Errorf("the switch does not keep the address")
	}
	if r := (ask{path: "/", viewer: "qiu"}).of(s); len(r.Cookies()) != 0 {
		t.Errorf("nobody chose a language, and yet %v", r.Cookies())
	}
}

func TestTheFilterIsRead(t *testing.T) {
	for _, c := range []struct {
		query string
		want  Filter
		sound bool
	}{
		{"", Filter{Limit: rowsPerPage}, true},
		{"state=open&q=028119&after=c1", Filter{State: StateOpen, Search: "028119", Cursor: "c1", Limit: rowsPerPage}, true},
		{"state=everything", Filter{Limit: rowsPerPage}, true},
		{"q=%E5%BC%A0", Filter{Limit: rowsPerPage}, false},
		{"q=" + strings.Repeat("a", 65), Filter{Limit: rowsPerPage}, false},
		{"after=" + strings.Repeat("a", maxCursor+1), Filter{Limit: rowsPerPage}, true},
	} {
		q, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		if got, sound := filterOf(q); got != c.want || sound != c.sound {
			t.Errorf("%s: %+v %v", c.query, got, sound)
		}
	}
	source, s := city(t)
	ask{path: "/?state=frozen&q=0131", viewer: "qiu"}.of(s)
	if source.asked.State != StateFrozen || source.asked.Search != "0131" {
		t.Errorf("the source was asked for %+v", source.asked)
	}
	if got := body(t, ask{path: "/?state=open", viewer: "qiu"}.of(s)); !strings.Contains(got, `href="/?after=page-2&amp;state=open"`) {
		t.Error("the next page forgets the filter")
	}
	if got := body(t, ask{path: "/?state=open&after=page-2", viewer: "qiu"}.of(s)); !strings.Contains(got, "回到第一页") {
		t.Error("no way back to the first page")
	}
}

func TestAnErrorTellsNothingOfItsCause(t *testing.T) {
	source, s := city(t)
	var logged bytes.Buffer
	s.Log = slog.New(slog.NewTextHandler(&logged, nil))
	for kind, status := range statusOf {
		logged.Reset()
		source.err = fault.New(kind, "some_rule", "一句话", "A sentence.").At("张三").Because(errors.New("the cause 13800000000"))
		for _, lang := range []string{zh, en} {
			r := ask{path: "/visits/admitted?lang=" + lang, viewer: "qiu"}.of(s)
			got := body(t, r)
			if r.StatusCode != status || strings.Contains(got, "张三") || strings.Contains(got, "13800000000") || strings.Contains(got, "some_rule") {
				t.Errorf("%s: %d, want %d: %s", kind, r.StatusCode, status, got)
			}
			if title := say(errorKey(status) + ".title"); !strings.Contains(got, title.Zh) && !strings.Contains(got, title.En) {
				t.Errorf("%s: no title", kind)
			}
			if waits := r.Header.Get("Retry-After") != ""; waits != (status == http.StatusTooManyRequests) {
				t.Errorf("%s: Retry-After %q", kind, r.Header.Get("Retry-After"))
			}
		}
		if told := strings.Contains(logged.String(), "13800000000"); told != (status >= 500) {
			t.Errorf("%s: the operator was told: %v", kind, told)
		}
	}
	source.err = errors.New("no fault at all")
	for _, path := range []string{"/", "/visits/admitted", "/visits/admitted/bundle"} {
		if r := (ask{path: path, viewer: "qiu"}).of(s); r.StatusCode != http.StatusInternalServerError {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	source.err = nil
	s.Authenticate = func(*http.Request) (Viewer, error) { return wei, errors.New("the session store is away") }
	if r := (ask{path: "/"}).of(s); r.StatusCode != http.StatusInternalServerError {
		t.Errorf("a viewer who cannot be known: %d", r.StatusCode)
	}
}

func TestOnlyPathsOfThisSiteAreFollowed(t *testing.T) {
	for address, want := range map[string]bool{"/": true, "/visits/v1?x=1": true, "": false, "visits": false, "//elsewhere.example": false, "/\\elsewhere.example": false,
		"https://elsewhere.example/": false, "/\r\nSet-Cookie: a=b": false, "/\t/x": false, "javascript:alert(1)": false} {
		if got := localPath(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
		if _, got := action(address); got != want {
			t.Errorf("as a button %q: %v", address, got)
		}
	}
	for address, want := range map[string]bool{"tel:110": true, "tel:+86-21-5550-0000": true, "tel:110;x=<b>": false} {
		if _, got := action(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}

func TestTimesAreShanghaiTimes(t *testing.T) {
	at := func(s string) time.Time {
		got, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	p := &page{lang: zh, now: at("2026-11-22T15:59:00Z")} // 23:59 in Shanghai
	for _, c := range []struct{ from, until, zh, en string }{
		{"2026-11-22T06:00:00Z", "2026-11-22T07:00:00Z", "今天 14:00–15:00", "today 14:00–15:00"},
		{"2026-11-22T15:00:00Z", "2026-11-22T17:00:00Z", "今天 23:00–明天 01:00", "today 23:00–tomorrow 01:00"},
		{"2026-11-21T15:59:59Z", "2026-11-21T16:00:00Z", "昨天 23:59–今天 00:00", "yesterday 23:59–today 00:00"},
		{"2026-11-30T06:00:00Z", "2026-11-30T07:00:00Z", "11月30日 14:00–15:00", "30 Nov 14:00–15:00"},
		{"2025-12-31T16:00:00Z", "2025-12-31T17:00:00Z", "1月1日 00:00–01:00", "1 Jan 00:00–01:00"},
		{"2025-12-30T16:00:00Z", "2025-12-30T17:00:00Z", "2025年12月31日 00:00–01:00", "31 Dec 2025 00:00–01:00"},
	} {
		for p.lang = range maps.Keys(map[string]bool{zh: true, en: true}) {
			want := map[string]string{zh: c.zh, en: c.en}[p.lang]
			if got := p.span(at(c.from), at(c.until)); got != want {
				t.Errorf("%s: %q, want %q", c.from, got, want)
			}
		}
	}
	if got := p.span(time.Time{}, time.Time{}) + p.at(time.Time{}); got != "" {
		t.Errorf("no time at all reads %q", got)
	}
}

func TestMoneyIsReadAsMoney(t *testing.T) {
	for fen, want := range map[int64]string{0: "¥0.00", 1: "¥0.01", 29900: "¥299.00", 123456789: "¥1234567.89"} {
		if got := yuan(fen); got != want {
			t.Errorf("%d: %s", fen, got)
		}
	}
}
