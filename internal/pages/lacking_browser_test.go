//go:build browser

package pages

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/visit"
)

// before has a script run in every page before its own.
func before(script string) chromedp.Action[chromedp.Void] {
	return send(cdpage.AddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}

// What people open in a browser too old for any of its modules says so, by itself: what to do, and at the door whom to call. One
// that lacks only what is younger than what the pages use is let be.
func TestAnOldBrowserIsToldSo(t *testing.T) {
	t.Parallel()
	_, s := shop(t)
	s.Desk.App = &app.App{} // the pages of people who sign in; nobody does here
	var unread atomic.Bool
	site := s.Routes()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if unread.Load() && strings.HasSuffix(r.URL.Path, ".mjs") {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte("a ?!= b")) // as one reads our modules that is older than their grammar
			return
		}
		site.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	pages := map[string][]string{"/shop/visits/door/door": {"在这里核对不了", "别让任何人碰 POS 机", "打订单上的电话"}, "/shop/phone": nil, "/shop/visits/price/price": nil,
		"/shop/clerk?holder=wei.k1&organisation=acq": nil, "/app": nil, "/learn": nil, "/sign-in": nil, "/join": nil}
	for name, c := range map[string]struct {
		before string
		unread bool
		old    bool
	}{
		"modules that it cannot read":  {`delete Array.prototype.at; delete Object.hasOwn; delete window.structuredClone`, true, true},
		"a function that is not there": {`delete window.DecompressionStream`, false, true},
		"no modules at all":            {`delete HTMLScriptElement.prototype.noModule`, true, true},
		"what no page uses":            {`delete String.prototype.isWellFormed; delete AbortSignal.timeout; delete Object.groupBy`, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			unread.Store(c.unread)
			ctx := browser(t)
			if err := chromedp.Do(ctx, before(c.before)); err != nil {
				t.Fatal(err)
			}
			for path, says := range pages {
				if err := chromedp.Do(ctx, asViewer("wei"), chromedp.Navigate(server.URL+path)); err != nil {
					t.Fatal(err)
				}
				shows := `document.body.innerText.includes("太旧了")`
				if !c.old {
					said := evaluate[bool](t, ctx, `(async () => { await `+until+`(() => document.readyState === "complete" && ![...document.querySelectorAll("[data-act=begin]")].some((b) => b.disabled)); return `+shows+`; })()`)
					if said {
						t.Errorf("%s is refused", path)
					}
					continue
				}
				if !evaluate[bool](t, ctx, until+`(() => `+shows+`)`) {
					t.Errorf("%s does not say it: %.300s", path, evaluate[string](t, ctx, `document.body.innerText`))
				}
				text := evaluate[string](t, ctx, `document.body.innerText + [...document.querySelectorAll("a[href^='tel:']")].filter((a) => a.checkVisibility()).map((a) => a.href).join()`)
				for _, want := range says {
					if !strings.Contains(text, want) {
						t.Errorf("%s does not say %s: %s", path, want, text)
					}
				}
				if strings.HasSuffix(path, "/door") && !strings.Contains(text, "tel:110") {
					t.Errorf("nobody to call: %s", text)
				}
				if sideways := evaluate[string](t, ctx, wide); sideways != "" {
					t.Errorf("%s scrolls sideways: %s", path, sideways)
				}
			}
		})
	}
}

const wechat = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116 Mobile Safari/537.36 MicroMessenger/8.0.44"

// What a technician's browser may lack is said in a sentence, where he meets it: no passkeys inside WeChat, no WebCrypto, a store
// that is switched off, a store that was cleared away with the key and the day in it.
func TestATechniciansBrowserThatLacksSomething(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.open("/sign-in?next=/app")
	agent := func(name string) {
		f.do(chromedp.Func(func(ctx context.Context, tg *chromedp.Target) error {
			_, err := cdp.Call(ctx, tg, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: name})
			return err
		}))
	}
	agent(wechat)
	f.do(before(`if (window.name === "no passkeys") delete window.PublicKeyCredential; if (window.name === "no crypto") Object.defineProperty(Crypto.prototype, "subtle", { value: undefined });
		if (window.name === "no store") IDBFactory.prototype.open = () => { throw new DOMException("", "SecurityError"); };`))
	f.js(`(window.name = "no passkeys")`)
	f.do(chromedp.Reload())
	f.until(`document.querySelector("form[data-act=sign-in] button")?.disabled === false`)
	f.press("登录")
	f.sees("在浏览器打开")
	f.shotIn("lacks-wechat", "light")
	agent("")
	f.js(`(window.name = "")`)

	f.joins("lan", "svc-anzhuang", visit.RoleTechnician)
	f.open("/app")
	f.sees("还没登记")
	f.js(`(window.name = "no crypto")`)
	f.do(chromedp.Reload())
	f.press("登记这部手机")
	f.types("code", f.code.Printed())
	f.press("登记")
	f.until(`document.querySelector(".problem")?.dataset.code === "crypto_missing"`)
	f.sees("这个浏览器不能签名")
	f.shotIn("lacks-crypto", "light")
	f.js(`(window.name = "no store")`)
	f.open("/app")
	f.until(`document.querySelector("main .problem")?.dataset.code === "storage_unavailable"`)
	f.sees("这个浏览器不让本页保存数据")
	f.shotIn("lacks-store", "light")

	f.js(`(window.name = "")`)
	f.open("/app")
	f.press("登记这部手机")
	f.types("code", f.code.Printed())
	f.press("这部手机用不了指纹")
	f.sees("已登记，可以签字。")
	f.press("今天")
	f.press("开工")
	f.sees("有效到")
	f.do(chromedp.Navigate("about:blank"))
	f.do(send(storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: f.origin, StorageTypes: "indexeddb,cache_storage"}))
	f.open("/app")
	f.sees("还没登记")
	f.sees("先用公司给您的开通码登记这部手机")
	f.shotIn("lacks-evicted", "light")
}
