//go:build browser

package pages

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed testdata/axe.min.js
var axe string

// browser starts one chromium for a test and lets it go at the end.
func browser(t *testing.T, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	ctx, stop := chromedp.NewExecAllocator(context.Background(), append(more, chromedp.ExecPath("chromium"), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("font-render-hinting", "none"))...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	ctx, stop = context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(stop)
	return ctx
}

// send makes a step of a protocol command.
func send[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

func asViewer(v string) chromedp.Action[chromedp.Void] {
	return send(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"X-Test-Viewer": v}})
}

// complaints collects what a browser says about the pages it shows.
type complaints struct {
	mu  sync.Mutex
	all []string
	saw int // requests, so that a test knows that it listened
}

func (c *complaints) hear(origin string) func(any) {
	return func(ev any) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			c.all = append(c.all, "exception: "+e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			c.all = append(c.all, fmt.Sprintf("console.%s", e.Type))
		case *log.EventEntryAdded:
			if !strings.Contains(e.Entry.Text, "responded with a status of 4") {
				c.all = append(c.all, e.Entry.Text)
			}
		case *network.EventRequestWillBeSent:
			c.saw++
			if !strings.HasPrefix(e.Request.URL, origin) {
				c.all = append(c.all, "request to "+e.Request.URL)
			}
		}
	}
}

func (c *complaints) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.all
	c.all = nil
	return out
}

type size struct {
	name          string
	width, height int64
	mobile        bool
	axe           bool // whether to ask axe too, which takes a second
}

var sizes = []size{{"phone", 360, 640, true, true}, {"desk", 1280, 900, false, true}}

// shots are the pages that are looked at: name, viewer ("" is signed out) and path.
var shots = []struct{ name, viewer, path string }{
	{"welcome", "", "/"}, {"list", "qiu", "/"}, {"empty", "qiu", "/?q=none-such"}, {"enter", "", "/enter/good-link"},
	{"signed-out", "", "/visits/admitted"}, {"missing", "qiu", "/visits/none"}, {"forbidden", "", "/enter-spent"},
	{"booked", "qiu", "/visits/booked"}, {"dispatched", "wei", "/visits/dispatched"}, {"admitted", "qiu", "/visits/admitted"},
	{"merchant", "wei", "/visits/merchant"}, {"ready", "qiu", "/visits/ready"}, {"at-host", "qiu", "/visits/at_host"}, {"trial", "qiu", "/visits/trial"},
	{"live", "qiu", "/visits/live"}, {"closed", "fang", "/visits/closed"}, {"frozen", "wei", "/visits/frozen"}, {"revoked", "qiu", "/visits/revoked"},
	{"not-working", "qiu", "/visits/not_working"}, {"turned-away", "wei", "/visits/turned_away"}, {"inspection", "qiu", "/visits/inspection"},
	{"swap-live", "qiu", "/visits/swap_live"}, {"repair-dead", "qiu", "/visits/repair"}, {"moved-stuck", "wei", "/visits/relocation_stuck"},
	{"removal", "wei", "/visits/removal_closed"}, {"report", "fang", "/visits/closed/report"},
}

func TestInABrowser(t *testing.T) {
	_, s := city(t)
	server := httptest.NewServer(s.Routes())
	defer server.Close()
	ctx := browser(t)
	var said complaints
	listen(t, ctx, &said, server.URL)
	for _, shot := range shots {
		for _, lang := range []string{zh, en} {
			if err := chromedp.Do(ctx, asViewer(shot.viewer), held("light", sizes[0]), chromedp.Navigate(server.URL+withLang(shot.path, lang))); err != nil {
				t.Fatal(err)
			}
			for _, scheme := range []string{"light", "dark"} {
				for _, size := range sizes {
					name := strings.Join([]string{shot.name, lang, scheme, size.name}, "-")
					size.axe = (lang == zh) == size.mobile // every page in both schemes; both languages have the same markup
					image, problems := lookIn(ctx, scheme, size)
					for _, p := range append(problems, said.take()...) {
						t.Errorf("%s: %s", name, p)
					}
					keep(t, name+".png", image)
				}
			}
			for _, p := range append(enlarged(ctx, shot.name+"-"+lang), said.take()...) {
				t.Error(p)
			}
		}
	}
}

func withLang(path, lang string) string {
	if strings.Contains(path, "?") {
		return path + "&lang=" + lang
	}
	return path + "?lang=" + lang
}

// visitIn opens an address and looks at it.
func visitIn(ctx context.Context, address, viewer, scheme string, s size) ([]byte, []string) {
	if err := chromedp.Do(ctx, asViewer(viewer), held(scheme, s), chromedp.Navigate(address)); err != nil {
		return nil, []string{err.Error()}
	}
	return lookIn(ctx, scheme, s)
}

// held makes the screen as large and as dark as said, and has nothing move.
func held(scheme string, s size) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		return chromedp.Do(ctx,
			send(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: s.width, Height: s.height, DeviceScaleFactor: 1, Mobile: s.mobile}),
			send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}))
	})
}

// lookIn takes a picture of all of the page that is open, and lists what is wrong with it in a colour scheme and a size.
// Whoever looks at one page in several opens it once: loading it, and axe into it, costs more than the look.
func lookIn(ctx context.Context, scheme string, s size) ([]byte, []string) {
	if err := chromedp.Do(ctx, held(scheme, s)); err != nil {
		return nil, []string{err.Error()}
	}
	overflow, err := chromedp.Run(ctx, chromedp.Evaluate[string](wide))
	if err != nil {
		return nil, []string{err.Error()}
	}
	moves, err := chromedp.Run(ctx, chromedp.Evaluate[string](moving))
	if err != nil {
		return nil, []string{err.Error()}
	}
	image, err := picture(ctx)
	if err != nil {
		return nil, []string{err.Error()}
	}
	var problems []string
	if overflow != "" {
		problems = append(problems, "scrolls sideways: "+overflow)
	}
	if moves != "" {
		problems = append(problems, "moves, though asked not to: "+moves)
	}
	if s.axe {
		problems = append(problems, askAxe(ctx)...)
	}
	return image, problems
}

// album is where pictures of the pages are kept for people to look at, "" for nowhere.
var album = os.Getenv("MENSHEN_SCREENSHOTS")

// picture is how the whole page looks. No test judges it, and each costs a browser as much as the rest of a look at the page,
// so that none is taken where nobody keeps it.
func picture(ctx context.Context) ([]byte, error) {
	if album == "" {
		return nil, nil
	}
	return chromedp.Run(ctx, chromedp.FullScreenshot(100))
}

func keep(t *testing.T, name string, file []byte) {
	t.Helper()
	if album == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(album, name), file, 0o644); err != nil {
		t.Fatal(err)
	}
}

// askAxe lists what axe finds wrong with the page that is open.
func askAxe(ctx context.Context) []string {
	there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`typeof axe !== "undefined"`))
	if err == nil && !there { // half a megabyte of script
		err = chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](axe))
	}
	if err != nil {
		return []string{err.Error()}
	}
	answer, err := chromedp.Run(ctx, chromedp.Evaluate[string](runAxe, chromedp.EvalAwaitPromise))
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	if err := json.Unmarshal([]byte(answer), &found); err != nil {
		return []string{err.Error()}
	}
	if path, err := chromedp.Run(ctx, chromedp.Evaluate[string](pageShown)); err != nil {
		found = append(found, err.Error())
	} else if path != "" {
		axed.Store(path, true)
	}
	return found
}

// pageShown is the path of the page that is open, "" for one that only says what went wrong.
const pageShown = `(performance.getEntriesByType("navigation")[0]?.responseStatus ?? 0) < 400 ? location.pathname : ""`

// What finds nothing wrong must be able to.
func TestTheBrowserChecksCanFail(t *testing.T) {
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!DOCTYPE html><html><title>x</title><style>@keyframes k { to { opacity: 0 } } p { animation: k 9s }</style><p style="color:#ffc300;background:#fff;width:2000px">amber on white<img src="https://elsewhere.example/x.png"><script>throw 1</script>`)
	}))
	defer bad.Close()
	ctx := browser(t)
	var said complaints
	listen(t, ctx, &said, bad.URL)
	_, problems := visitIn(ctx, bad.URL, "", "light", size{width: 360, height: 640, mobile: true, axe: true})
	all := strings.Join(append(problems, said.take()...), "\n")
	for _, want := range []string{"scrolls sideways", "moves, though asked not to", "color-contrast", "html-has-lang", "image-alt", "exception", "request to https://elsewhere.example"} {
		if !strings.Contains(all, want) {
			t.Errorf("nobody noticed %s in:\n%s", want, all)
		}
	}
}

// A page that is opened once and looked at in several sizes and schemes is seen in each as if it had been opened so.
func TestALookInAnotherSizeCanFail(t *testing.T) {
	t.Parallel()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!DOCTYPE html><html lang="en"><meta name="viewport" content="width=device-width"><title>x</title><style>body { color: #000; background: #fff }
			@media (prefers-color-scheme: dark) { body { color: #222; background: #000 } }</style><main><h1>x</h1><div style="width:800px">wide</div></main>`)
	}))
	t.Cleanup(site.Close)
	ctx := browser(t)
	desk, phone := sizes[1], sizes[0]
	if _, problems := visitIn(ctx, site.URL, "", "light", desk); len(problems) > 0 {
		t.Errorf("in the light on a desk: %s", problems)
	}
	for _, look := range []struct {
		scheme string
		size   size
		want   string // "" for nothing wrong
	}{{"light", phone, "scrolls sideways"}, {"dark", desk, "color-contrast"}, {"light", desk, ""}} {
		_, problems := lookIn(ctx, look.scheme, look.size)
		if all := strings.Join(problems, "\n"); !strings.Contains(all, look.want) || look.want == "" && all != "" {
			t.Errorf("%s %s: want %q, got %q", look.scheme, look.size.name, look.want, all)
		}
	}
}

func listen(t *testing.T, ctx context.Context, c *complaints, origin string) {
	t.Helper()
	if err := chromedp.Listen(ctx, c.hear(origin)); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, send(runtime.Enable, cdp.Empty{}), send(log.Enable, cdp.Empty{}), send(network.Enable, network.EnableParams{})); err != nil {
		t.Fatal(err)
	}
}

// wide names the elements that stick out of the page.
const wide = `(() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return "";
  return [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > width + 1).slice(0, 5)
    .map(e => e.tagName + "." + e.className).join(" ") || "something";
})()`

// moving names what moves, or would, in front of somebody who asked for stillness.
const moving = `[...document.querySelectorAll("body, body *")].filter(e => { const s = getComputedStyle(e);
  return s.animationName !== "none" || s.scrollBehavior === "smooth" || s.transitionDuration.split(",").some(d => parseFloat(d) > 0); }).slice(0, 5).map(e => e.tagName + "." + e.className)
  .concat(document.getAnimations().map(() => "an animation")).join(" ")`

const runAxe = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]}).then(r =>
  JSON.stringify(r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + v.help + " " + n.html.slice(0, 160) + " " + (n.any[0]?.message ?? "")))))`

// At 200 % zoom a desk is half as wide; nothing may be cut off or scroll sideways.
func TestAtTwiceTheSize(t *testing.T) {
	_, s := city(t)
	server := httptest.NewServer(s.Routes())
	defer server.Close()
	ctx := browser(t)
	for _, shot := range shots {
		_, problems := visitIn(ctx, server.URL+withLang(shot.path, zh), shot.viewer, "light", size{width: 640, height: 450})
		for _, p := range problems {
			t.Errorf("%s at 200 %%: %s", shot.name, p)
		}
	}
}

func TestOnPaper(t *testing.T) {
	_, s := city(t)
	server := httptest.NewServer(s.Routes())
	defer server.Close()
	ctx := browser(t)
	for _, lang := range []string{zh, en} {
		if err := chromedp.Do(ctx, asViewer("fang"), chromedp.Navigate(server.URL+"/visits/closed?lang="+lang)); err != nil {
			t.Fatal(err)
		}
		pdf, err := chromedp.Run(ctx, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize()))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(pdf), "%PDF") {
			t.Error("no PDF came out")
		}
		sheet := size{"paper", 718, 1000, false, false} // A4 less its margins, in CSS pixels
		if err := chromedp.Do(ctx, send(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: sheet.width, Height: sheet.height, DeviceScaleFactor: 1}),
			send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})); err != nil {
			t.Fatal(err)
		}
		overflow, err := chromedp.Run(ctx, chromedp.Evaluate[string](wide))
		if err != nil || overflow != "" {
			t.Errorf("wider than the paper: %s %v", overflow, err)
		}
		buttons, err := chromedp.Run(ctx, chromedp.Evaluate[int](`[...document.querySelectorAll(".button, button, .lang")].filter(e => e.checkVisibility()).length`))
		if err != nil || buttons != 0 {
			t.Errorf("%d buttons on paper, %v", buttons, err)
		}
		image, err := picture(ctx)
		if err != nil {
			t.Fatal(err)
		}
		keep(t, "paper-"+lang+".png", image)
		if err := chromedp.Do(ctx, send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})); err != nil {
			t.Fatal(err)
		}
		keep(t, "closed-"+lang+".pdf", pdf)
	}
}

// Without JavaScript everything is there but the copy button.
func TestWithoutJavaScript(t *testing.T) {
	_, s := city(t)
	server := httptest.NewServer(s.Routes())
	defer server.Close()
	ctx := browser(t)
	script := func(off bool) chromedp.Action[chromedp.Void] {
		return send(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off})
	}
	if err := chromedp.Do(ctx, script(true), asViewer("qiu"), chromedp.Navigate(server.URL+"/visits/admitted")); err != nil {
		t.Fatal(err)
	}
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
	if err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, script(false)); err != nil {
		t.Fatal(err)
	}
	copyable, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!document.querySelector("[data-copy]").hidden`))
	if err != nil {
		t.Fatal(err)
	}
	if copyable {
		t.Error("a button that needs JavaScript shows without it")
	}
	for _, want := range []string{"正在安装", "让机器联网自证", "试机许可", "下载证据包"} {
		if strings.Contains(text, want) == (want == "试机许可") {
			t.Errorf("%q: shown %v", want, strings.Contains(text, want))
		}
	}
}

// The button of a link signs in once and leads on; until it is pressed no cookie is set.
func TestEnterByHand(t *testing.T) {
	_, s := city(t)
	server := httptest.NewServer(s.Routes())
	defer server.Close()
	ctx := browser(t)
	cookies := func() []*network.Cookie {
		t.Helper()
		got, err := chromedp.Run(ctx, func(ctx context.Context, t *chromedp.Target) (network.GetCookiesResult, error) {
			return cdp.Call(ctx, t, network.GetCookies, network.GetCookiesParams{})
		})
		if err != nil {
			t.Fatal(err)
		}
		return got.Cookies
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/enter/good-link")); err != nil {
		t.Fatal(err)
	}
	before := cookies()
	if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS("form button")), chromedp.WaitVisible(chromedp.CSS(".sign"))); err != nil {
		t.Fatal(err)
	}
	address, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		t.Fatal(err)
	}
	after := cookies()
	if len(before) != 0 || len(after) != 1 || after[0].Name != "session" || address != server.URL+"/visits/admitted" {
		t.Errorf("before %v, after %v, at %s", before, after, address)
	}
}
