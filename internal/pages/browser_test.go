//go:build browser

package pages

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed testdata/axe.min.js
var axe string

// browser starts one chromium for a test and lets it go at the end.
func browser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("font-render-hinting", "none"))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); stop() })
	ctx, stop = context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(stop)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// complaints collects what a browser says about the pages it shows.
type complaints struct {
	mu  sync.Mutex
	all []string
}

func (c *complaints) listen(ctx context.Context, origin string) {
	chromedp.ListenTarget(ctx, func(ev any) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			c.all = append(c.all, e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			c.all = append(c.all, fmt.Sprintf("console.%s", e.Type))
		case *log.EventEntryAdded:
			if !strings.Contains(e.Entry.Text, "status of 4") && !strings.Contains(e.Entry.Text, "status of 5") {
				c.all = append(c.all, e.Entry.Text)
			}
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, origin) {
				c.all = append(c.all, "request to "+e.Request.URL)
			}
		}
	})
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
}

var sizes = []size{{"phone", 360, 640, true}, {"desk", 1280, 900, false}}

// shots are the pages that are looked at: name, viewer ("" is signed out) and path.
var shots = []struct{ name, viewer, path string }{
	{"welcome", "", "/"}, {"list", "qiu", "/"}, {"empty", "qiu", "/?q=none-such"}, {"enter", "", "/enter/good-link"},
	{"signed-out", "", "/visits/admitted"}, {"missing", "qiu", "/visits/none"}, {"forbidden", "", "/enter-spent"},
	{"booked", "qiu", "/visits/booked"}, {"dispatched", "wei", "/visits/dispatched"}, {"admitted", "qiu", "/visits/admitted"},
	{"merchant", "wei", "/visits/merchant"}, {"ready", "qiu", "/visits/ready"}, {"at-host", "qiu", "/visits/at_host"}, {"trial", "qiu", "/visits/trial"},
	{"live", "qiu", "/visits/live"}, {"closed", "fang", "/visits/closed"}, {"frozen", "wei", "/visits/frozen"}, {"revoked", "qiu", "/visits/revoked"},
	{"not-working", "qiu", "/visits/not_working"}, {"turned-away", "wei", "/visits/turned_away"}, {"inspection", "qiu", "/visits/inspection"},
}

func TestInABrowser(t *testing.T) {
	_, s := city(t)
	server := httptest.NewServer(s.Routes())
	defer server.Close()
	ctx := browser(t)
	var said complaints
	said.listen(ctx, server.URL)
	if err := chromedp.Run(ctx, runtime.Enable(), log.Enable(), network.Enable()); err != nil {
		t.Fatal(err)
	}
	folder := os.Getenv("MENSHEN_SCREENSHOTS")
	if folder == "" {
		folder = t.TempDir()
	}
	for _, shot := range shots {
		for _, lang := range []string{zh, en} {
			for _, scheme := range []string{"light", "dark"} {
				for _, size := range sizes {
					name := strings.Join([]string{shot.name, lang, scheme, size.name}, "-")
					image, problems := visitIn(ctx, server.URL+withLang(shot.path, lang), shot.viewer, scheme, size)
					for _, p := range append(problems, said.take()...) {
						t.Errorf("%s: %s", name, p)
					}
					if err := os.WriteFile(filepath.Join(folder, name+".png"), image, 0o644); err != nil {
						t.Fatal(err)
					}
				}
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

// visitIn opens an address, takes a picture of all of it, and lists what is wrong with the page.
func visitIn(ctx context.Context, address, viewer, scheme string, s size) ([]byte, []string) {
	var image []byte
	var overflow, axed string
	err := chromedp.Run(ctx,
		network.SetExtraHTTPHeaders(network.Headers{"X-Test-Viewer": viewer}),
		emulation.SetDeviceMetricsOverride(s.width, s.height, 1, s.mobile),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
		chromedp.Navigate(address),
		chromedp.Evaluate(wide, &overflow),
		chromedp.Evaluate(axe+";0", nil),
		chromedp.Evaluate(runAxe, &axed, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }),
		chromedp.FullScreenshot(&image, 100),
	)
	if err != nil {
		return nil, []string{err.Error()}
	}
	var problems []string
	if overflow != "" {
		problems = append(problems, "scrolls sideways: "+overflow)
	}
	var found []string
	if err := json.Unmarshal([]byte(axed), &found); err != nil {
		problems = append(problems, err.Error())
	}
	return image, append(problems, found...)
}

// wide names the elements that stick out of the page.
const wide = `(() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return "";
  return [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > width + 1).slice(0, 5)
    .map(e => e.tagName + "." + e.className).join(" ") || "something";
})()`

const runAxe = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r =>
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
	folder := os.Getenv("MENSHEN_SCREENSHOTS")
	if folder == "" {
		folder = t.TempDir()
	}
	for _, lang := range []string{zh, en} {
		var pdf []byte
		err := chromedp.Run(ctx, network.SetExtraHTTPHeaders(network.Headers{"X-Test-Viewer": "fang"}),
			chromedp.Navigate(server.URL+"/visits/closed?lang="+lang),
			chromedp.ActionFunc(func(ctx context.Context) (err error) {
				pdf, _, err = cdp.PrintToPDF().WithPreferCSSPageSize(true).Do(ctx)
				return err
			}))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(pdf), "%PDF") {
			t.Error("no PDF came out")
		}
		if err := os.WriteFile(filepath.Join(folder, "closed-"+lang+".pdf"), pdf, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Without JavaScript everything is there but the copy button.
func TestWithoutJavaScript(t *testing.T) {
	_, s := city(t)
	server := httptest.NewServer(s.Routes())
	defer server.Close()
	ctx := browser(t)
	var text string
	var copyable bool
	err := chromedp.Run(ctx, emulation.SetScriptExecutionDisabled(true), network.SetExtraHTTPHeaders(network.Headers{"X-Test-Viewer": "qiu"}),
		chromedp.Navigate(server.URL+"/visits/admitted"), chromedp.Text("body", &text, chromedp.ByQuery),
		emulation.SetScriptExecutionDisabled(false), chromedp.Evaluate(`!document.querySelector("[data-copy]").hidden`, &copyable))
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
	var before, after []*network.Cookie
	var address string
	cookies := func(into *[]*network.Cookie) chromedp.Action {
		return chromedp.ActionFunc(func(ctx context.Context) (err error) {
			*into, err = network.GetCookies().Do(ctx)
			return err
		})
	}
	err := chromedp.Run(ctx, chromedp.Navigate(server.URL+"/enter/good-link"), cookies(&before),
		chromedp.Click("form button", chromedp.ByQuery), chromedp.WaitVisible("#main", chromedp.ByQuery), chromedp.Sleep(300*time.Millisecond),
		chromedp.Location(&address), cookies(&after))
	if err != nil {
		t.Fatal(err)
	}
	if len(before) != 0 || len(after) != 1 || after[0].Name != "session" || address != server.URL+"/visits/admitted" {
		t.Errorf("before %v, after %v, at %s", before, after, address)
	}
}
