package pages

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// everyPage is each page there is, signed in as somebody who sees it.
func everyPage(t *testing.T, s *Server) map[string]string {
	t.Helper()
	out := map[string]string{}
	asks := []ask{{path: "/"}, {path: "/", viewer: "qiu"}, {path: "/?after=page-2&state=open", viewer: "qiu"}, {path: "/?q=none-such", viewer: "qiu"}, {path: "/?q=%3Cb", viewer: "qiu"},
		{path: "/enter/good-link"}, {path: "/none"}, {path: "/visits/admitted"}, {method: "POST", path: "/enter/spent"}, {method: "POST", path: "/enter/leads-away"}}
	for _, name := range slices.Sorted(maps.Keys(stages(t))) {
		asks = append(asks, ask{path: "/visits/" + name, viewer: "qiu"}, ask{path: "/visits/" + name + "/report", viewer: "qiu"})
	}
	for _, a := range asks {
		for _, lang := range []string{zh, en} {
			b := a
			b.path = withLanguage(a.path, lang)
			out[b.method+b.path+" as "+b.viewer] = body(t, b.of(s))
		}
	}
	return out
}

func withLanguage(path, lang string) string {
	if strings.Contains(path, "?") {
		return path + "&lang=" + lang
	}
	return path + "?lang=" + lang
}

func TestEveryPageIsSoundHTML(t *testing.T) {
	_, s := city(t)
	for name, page := range everyPage(t, s) {
		for _, complaint := range htmlComplaints(page) {
			t.Errorf("%s: %s", name, complaint)
		}
		if lang := map[bool]string{true: `<html lang="en">`, false: `<html lang="zh-Hans-CN">`}[strings.Contains(name, "lang=en")]; !strings.Contains(page, lang) {
			t.Errorf("%s: not %s", name, lang)
		}
	}
}

// An English page holds no Chinese but names and the switch; what is missing from the table would show.
func TestEnglishPagesAreEnglish(t *testing.T) {
	_, s := city(t)
	han := regexp.MustCompile(`\p{Han}+`)
	known := []string{"中文", "槐山支付", "演示", "示例面馆", "老陈五金", "桂芳水果", "一个名字特别特别长的连锁便利店第三百二十七分店", "小周理发"}
	for name, page := range everyPage(t, s) {
		if !strings.Contains(name, "lang=en") {
			continue
		}
		for _, word := range han.FindAllString(page, -1) {
			if !slices.Contains(known, word) {
				t.Errorf("%s says %s", name, word)
			}
		}
	}
}

func TestTheHTMLChecksCanFail(t *testing.T) {
	head := `<!DOCTYPE html><html lang="en"><head><title>x</title></head><body><main><h1>x</h1>`
	for broken, want := range map[string]string{
		head + `<p id="a"></p><p id="a"></p></main></body></html>`:                                               "twice",
		head + `<p style="color:red"></p></main></body></html>`:                                                  "style",
		head + `<p onclick="x()"></p></main></body></html>`:                                                      "onclick",
		head + `<script>x()</script></main></body></html>`:                                                       "inline script",
		head + `<style>p{}</style></main></body></html>`:                                                         "inline style",
		head + `<img src="/x"></main></body></html>`:                                                             "alt",
		head + `<input id="q"></main></body></html>`:                                                             "label",
		head + `<button></button></main></body></html>`:                                                          "without a name",
		head + `<a href="https://elsewhere.example/">x</a></main></body></html>`:                                 "leads away",
		head + `<h3>x</h3></main></body></html>`:                                                                 "skips",
		head + `<p aria-labelledby="none"></p></main></body></html>`:                                             "names no element",
		head + `<div><p>x</div></main></body></html>`:                                                            "not closed",
		`<!DOCTYPE html><html><head><title>x</title></head><body><main><h1>x</h1></main></body></html>`:          "lang",
		`<!DOCTYPE html><html lang="en"><head><title></title></head><body><main><h1>x</h1></main></body></html>`: "title",
		`<!DOCTYPE html><html lang="en"><head><title>x</title></head><body><h1>x</h1></body></html>`:             "main",
	} {
		if got := strings.Join(htmlComplaints(broken), "; "); !strings.Contains(got, want) {
			t.Errorf("%s: %q lacks %q", broken, got, want)
		}
	}
	if got := htmlComplaints(head + `<p>x</p></main></body></html>`); len(got) > 0 {
		t.Errorf("a sound page: %q", got)
	}
}

func htmlComplaints(page string) []string {
	out := balance(page)
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return append(out, err.Error())
	}
	c := checker{ids: map[string]int{}, labels: map[string]bool{}, count: map[string]int{}}
	c.walk(doc)
	for id, n := range c.ids {
		if n > 1 {
			c.say("id %s twice", id)
		}
	}
	for _, ref := range c.refs {
		if c.ids[ref] == 0 {
			c.say("%s names no element", ref)
		}
	}
	for _, id := range c.inputs {
		if !c.labels[id] {
			c.say("input %q without a label", id)
		}
	}
	if c.count["main"] != 1 || c.count["h1"] != 1 {
		c.say("%d main and %d h1", c.count["main"], c.count["h1"])
	}
	if !strings.HasPrefix(page, "<!DOCTYPE html>") && !strings.HasPrefix(page, "<!doctype html>") {
		c.say("no doctype")
	}
	return append(out, c.complaints...)
}

// checker walks a page once and remembers what only the whole page can answer.
type checker struct {
	ids        map[string]int
	labels     map[string]bool
	count      map[string]int
	inputs     []string
	refs       []string
	heading    int
	complaints []string
}

func (c *checker) say(format string, args ...any) {
	c.complaints = append(c.complaints, fmt.Sprintf(format, args...))
}

func (c *checker) walk(n *html.Node) {
	if n.Type == html.ElementNode {
		c.element(n)
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		c.walk(child)
	}
}

func (c *checker) element(n *html.Node) {
	at := map[string]string{}
	for _, a := range n.Attr {
		at[a.Key] = a.Val
		if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
			c.say("%s on %s", a.Key, n.Data)
		}
		if a.Key == "id" {
			c.ids[a.Val]++
		}
		if a.Key == "aria-labelledby" || a.Key == "aria-describedby" || a.Key == "data-copy" || a.Key == "for" {
			c.refs = append(c.refs, strings.Fields(a.Val)...)
		}
		if (a.Key == "href" || a.Key == "src" || a.Key == "action") && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "tel:") || strings.HasPrefix(a.Val, "//") {
			c.say("%s leads away: %s", n.Data, a.Val)
		}
	}
	c.count[n.Data]++
	switch n.Data {
	case "html":
		if at["lang"] == "" {
			c.say("no lang")
		}
	case "title":
		if text(n) == "" && n.Parent.Data == "head" {
			c.say("no title")
		}
	case "script":
		if at["src"] == "" || text(n) != "" {
			c.say("inline script")
		}
	case "style":
		c.say("inline style")
	case "img":
		if _, ok := at["alt"]; !ok {
			c.say("img without alt")
		}
	case "label":
		c.labels[at["for"]] = true
	case "input":
		if at["type"] != "hidden" {
			c.inputs = append(c.inputs, at["id"])
		}
	case "a", "button", "summary":
		if text(n) == "" && at["aria-label"] == "" {
			c.say("%s without a name", n.Data)
		}
	case "h1", "h2", "h3", "h4":
		level := int(n.Data[1] - '0')
		if level > c.heading+1 {
			c.say("%s skips a level", n.Data)
		}
		c.heading = level
	}
}

func text(n *html.Node) string {
	var b strings.Builder
	var collect func(*html.Node)
	collect = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
		for child := n.FirstChild; child != nil; child = child.NextSibling {
			collect(child)
		}
	}
	collect(n)
	return strings.TrimSpace(b.String())
}

var void = []string{"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

// balance finds tags that are not closed in order; the parser would mend them in silence.
func balance(page string) []string {
	var open, out []string
	z := html.NewTokenizer(bytes.NewReader([]byte(page)))
	for {
		switch z.Next() {
		case html.ErrorToken:
			for _, name := range open {
				out = append(out, name+" not closed")
			}
			return out
		case html.StartTagToken:
			if name, _ := z.TagName(); !slices.Contains(void, string(name)) {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				return append(out, fmt.Sprintf("%s not closed before /%s", open, name))
			}
			open = open[:len(open)-1]
		}
	}
}

// Every text that code and templates ask for is there in both languages, and none is there for nobody.
func TestWordsAreCompleteAndUsed(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"*.templ", "*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") || strings.HasSuffix(f, "_templ.go") || f == "words.go" {
				continue
			}
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(data)
		}
	}
	for _, m := range regexp.MustCompile(`\b(?:t|n|say|fill)\("([a-z_.0-9-]+)"[,)]`).FindAllStringSubmatch(source.String(), -1) {
		if say(m[1]).Zh == m[1] {
			t.Errorf("%s is asked for and not there", m[1])
		}
	}
	made := []string{"mark.", "basis.", "step.", "list.", "receipt.", "outcome.", "permit.title.", "error.", "stand.", "act.title.", "act.what.", "brake.reason.", "tech.revoke.",
		"next.", "do.", "go.", "right.", "confirm.", "review.", "wrong.kind.", "call.kind.", "verdict.", "old.state.", "lost.", "ticket.kind.", "ticket.head.", "ticket.then.", "ticket.verb.", "ticket.pause.", "tickets."}
	all := map[string]Text{}
	for _, table := range tables {
		for key, text := range table {
			if all[key] != (Text{}) {
				t.Errorf("%s is in two tables", key)
			}
			all[key] = text
		}
	}
	for key, text := range all {
		stem := strings.TrimSuffix(strings.TrimSuffix(key, ".one"), ".what")
		used := strings.Contains(source.String(), `"`+stem+`"`) || strings.Contains(source.String(), `"`+key+`"`) || slices.ContainsFunc(made, func(p string) bool {
			return strings.HasPrefix(key, p) && (strings.Contains(source.String(), `("`+p+`"+`) || strings.Contains(source.String(), `"`+p+`"+`) || strings.Contains(source.String(), `"`+p+`" +`) || strings.Contains(source.String(), `"`+strings.TrimSuffix(p, "title.")))
		})
		if text.Zh == "" || text.En == "" || !used {
			t.Errorf("%s: %+v, used %v", key, text, used)
		}
		if strings.Contains(text.Zh, "{n}") != strings.Contains(text.En, "{n}") {
			t.Errorf("%s: a number in one language only", key)
		}
	}
	for name, table := range map[string]map[string]Text{"stages": stageWords, "stage by": stageBy, "kinds": kindWords, "roles": roleWords, "asks": askWords, "decisions": decisionWords,
		"outcomes": outcomeWords, "verbs": verbWords, "waiting": waitingReasons, "per": perWords, "when": whenWords, "cards": cardWords, "trial": trialWords} {
		for key, text := range table {
			if text.Zh == "" || text.En == "" {
				t.Errorf("%s: %s lacks a language", name, key)
			}
		}
	}
}
