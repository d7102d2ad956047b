package pages

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// Languages. Chinese is what a page speaks unless somebody asked otherwise.
const (
	zh = "zh"
	en = "en"
)

// page is what every template needs beside its own view.
type page struct {
	lang   string
	viewer Viewer
	now    time.Time
	here   *url.URL // address as asked, to keep it when the language is switched
	assets *assets
	demo   bool
}

// t gives a text of the table in the page's language.
func (p *page) t(key string) string { return p.text(say(key)) }

// n gives a text with a number in it.
func (p *page) n(key string, n int) string { return p.text(fill(key, n)) }

// text chooses a text's language.
func (p *page) text(t Text) string {
	if p.lang == en {
		return t.En
	}
	return t.Zh
}

// term gives the word for a code out of a table of terms, the code itself when nobody named it.
func (p *page) term(table map[string]Text, code string) string {
	if t, ok := table[code]; ok {
		return p.text(t)
	}
	return code
}

// htmlLang is the page's language as HTML names it.
func (p *page) htmlLang() string {
	if p.lang == en {
		return "en"
	}
	return "zh-Hans-CN"
}

// otherLang is the language that the switch leads to.
func (p *page) otherLang() string {
	if p.lang == en {
		return zh
	}
	return en
}

// otherHTMLLang names it as HTML does, for the switch's own text.
func (p *page) otherHTMLLang() string {
	if p.lang == en {
		return "zh-Hans-CN"
	}
	return "en"
}

// switched is this address in the other language.
func (p *page) switched() templ.SafeURL {
	u := url.URL{Path: p.here.Path}
	q := p.here.Query()
	q.Set("lang", p.otherLang())
	u.RawQuery = q.Encode()
	return templ.SafeURL(u.String())
}

// self is this address, for a fresh look.
func (p *page) self() templ.SafeURL {
	u := url.URL{Path: p.here.Path, RawQuery: p.here.RawQuery}
	return templ.SafeURL(u.String())
}

// asset is the address of an embedded file.
func (p *page) asset(name string) string { return p.assets.href(name) }

// action makes a button's address safe: a path on this site, or a number to dial.
func action(href string) (templ.SafeURL, bool) {
	if localPath(href) || strings.HasPrefix(href, "tel:") && strings.Trim(href[4:], "+0123456789-") == "" {
		return templ.SafeURL(href), true
	}
	return "", false
}

// localPath says whether an address stays on this site.
func localPath(s string) bool {
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\\r\n\t") {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.Host == "" && u.Scheme == ""
}

const langCookie = "lang"

// language reads which language somebody wants: the address first, then what he chose before.
func language(r *http.Request) (lang string, chosen bool) {
	switch r.URL.Query().Get("lang") {
	case zh:
		return zh, true
	case en:
		return en, true
	}
	if c, err := r.Cookie(langCookie); err == nil && c.Value == en {
		return en, false
	}
	return zh, false
}
