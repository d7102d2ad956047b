//go:build browser

package pages

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// portal is a wireless network's sign-in page, which answers whatever is asked.
const portal = `<!DOCTYPE html><html><head><title>Free Wi-Fi</title></head><body class="portal"><form action="http://10.0.0.1/"><button>Connect</button></form></body></html>`

// between answers in the server's place while it says something.
type between struct {
	status atomic.Int64 // 0: the server answers itself
	body   atomic.Value
	next   http.Handler
}

func (b *between) says(status int, body string) { b.body.Store(body); b.status.Store(int64(status)) }

func (b *between) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status := int(b.status.Load())
	if status == 0 {
		b.next.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(b.body.Load().(string)))
}

// between puts somebody between the phones and the server.
func (f *field) between() *between {
	f.t.Helper()
	if _, err := http.Get(f.origin + "/healthz"); err != nil { // it listens: now it can stop
		f.t.Fatal(err)
	}
	f.down()
	b := &between{next: f.mux}
	f.mux = b
	f.up()
	return b
}

// Somebody in between answers for the server: whatever he says, what was signed on the phone is neither taken for sent nor for
// refused, and goes out when the server itself is there.
func TestWhatSomebodyInBetweenSaysIsNoReceipt(t *testing.T) {
	t.Parallel()
	p := &post{keys: map[string]string{}, bodies: map[string][]byte{}}
	wire := &between{next: http.HandlerFunc(p.serve)}
	b := newBench(t, browser(t), needs{api: true}, map[string]http.HandlerFunc{
		"POST /v1/visits/{id}/{verb}":        wire.ServeHTTP,
		"GET /v1/visits/{id}/previous/{key}": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"previous":""}`)) },
	})
	var got []string
	b.run(signing+`const one = await step("step_one", 2); await photo("photo", one.digest); return [];`, &got)
	other := `{"statement":"` + strings.Repeat("ab", 32) + `","digest":"` + strings.Repeat("ab", 32) + `"}`
	for _, said := range []struct {
		what, body string
		status     int
	}{
		{"a sign-in page", portal, 200}, {"a sign-in page that forbids", portal, 403}, {"a sign-in page that was not found", portal, 404}, {"a gateway", portal, 502},
		{"nothing at all", "", 200}, {"a word", `"ok"`, 200}, {"no more than null", `null`, 200}, {"an empty yes", `{}`, 200}, {"a yes to something else", other, 201},
		{"half a yes", `{"statement":"`, 201}, {"a no without a reason", `{"error":"no"}`, 409},
	} {
		wire.says(said.status, said.body)
		b.run(signing+`await q.hurry("lan"); const { stopped } = await q.sendAll("lan"); return [await states(), String(stopped !== "")];`, &got)
		if strings.Join(got, "|") != "step_one:waiting photo:waiting|true" {
			t.Errorf("%s: %v", said.what, got)
		}
	}
	wire.says(0, "")
	b.run(signing+`await q.hurry("lan"); await q.sendAll("lan"); return [await states()];`, &got)
	if got[0] != "step_one:sent photo:sent" || p.order() != "step_one photo" {
		t.Errorf("from the server itself: %v", got)
	}
}

// A shop's wireless network lets nothing through and answers everything with its own page: the door is checked as without signal.
func TestTheDoorBehindASignInPage(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	wire := s.between()
	wei, lan := s.atTheCounter()
	wire.says(200, portal)
	wei.press("先核对")
	wei.sees("人到了？先核对")
	wei.press("开始核对")
	wei.sees("没有信号，也能核对")
	lan.signal(false)
	lan.scans(wei, "[data-qr]")
	lan.press("扫店主的码")
	lan.press("是这家店，出示工作证")
	lan.sees("没信号：请店主扫这个码")
	wei.scans(lan, "figure.code")
	wei.press("对方扫好了，我来扫他的")
	wei.sees("照片上的人，是您面前这位吗")
	wei.press("是同一个人")
	wei.sees("有信号会自动送出")

	// A gateway says that the server is away: the same.
	wire.says(502, portal)
	wei.open("/shop/visits/v1/door")
	wei.press("开始核对")
	wei.sees("没有信号，也能核对")

	wire.says(0, "")
	wei.open("/shop/visits/v1/door")
	lan.signal(true)
	lan.sees("扫机箱")
	if wei.js(`document.querySelector("body.portal") === null`) != "true" {
		t.Error("the portal's page is still shown")
	}
}

// keeps asks the service worker to keep something, as pages do, and gives its answer.
const keeps = `(async (...paths) => { const { active } = await navigator.serviceWorker.ready, { port1, port2 } = new MessageChannel();
	const said = new Promise((tell) => { port1.onmessage = ({ data }) => tell(data.failed ?? "kept"); });
	active.postMessage({ keep: paths }, [port2]); return said; })`

// The service worker keeps files with the bytes of its release and pages of the server itself, and nothing that stands in their
// place: a network's sign-in page would be the app, or the door, for ever.
func TestNothingForeignIsKept(t *testing.T) {
	t.Parallel()
	f := newField(t)
	wire := f.between()
	f.open("/app")
	f.until(`document.body.dataset.kept === "whole"`)
	file := loadAssets().href("queue.mjs")
	f.js(`caches.open("menshen-` + loadAssets().set + `").then((c) => c.delete("` + file + `")).then(() => "")`)
	for what, said := range map[string]string{"a sign-in page": portal, "half a file": string(loadAssets().files["queue.mjs"].data[:4000]), "nothing": ""} {
		wire.says(200, said)
		if got := f.js(keeps + `("` + file + `")`); got != file {
			t.Errorf("%s is kept as a file: %s", what, got)
		}
		if got := f.js(`fetch("` + file + `", { cache: "no-store" }).then((r) => "taken " + r.status, () => "refused")`); got != "refused" {
			t.Errorf("%s is given to a page as a file: %s", what, got)
		}
		if got := f.js(keeps + `("/app")`); got != "/app" {
			t.Errorf("%s is kept as the app: %s", what, got)
		}
	}
	wire.says(0, "")
	for _, path := range []string{"/v1/me", "/account", "/staff/visits", "//else.example/app", "/shop/visits/v1/price", "/app?x"} {
		if got := f.js(keeps + `("` + path + `")`); got != path {
			t.Errorf("%s: %s", path, got)
		}
	}
	if got := f.js(keeps + `("/app", "` + file + `")`); got != "kept" {
		t.Errorf("the server's own: %s", got)
	}
	f.down()
	f.do(chromedp.Reload())
	f.sees("请先登录")
}

// A phone that is full shows what the server says all the same.
func TestAFullPhoneShowsWhatTheServerSays(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	wei, _ := s.atTheCounter()
	one := float64(1)
	wei.do(send(storage.OverrideQuotaForOrigin, storage.OverrideQuotaForOriginParams{Origin: s.origin, QuotaSize: &one}))
	wei.js(`caches.open("full").then((c) => c.put("/full", new Response("x".repeat(100000)))).then(() => { throw new Error("there is room"); }, (e) => e.name)`)
	wei.open("/shop/visits/v1")
	wei.until(`document.querySelector("[data-next]") !== null`)
	if got := wei.js(`document.querySelector(".kept")?.textContent ?? ""`); got != "" {
		t.Errorf("there is signal, and the page says %q", got)
	}
}

// Between two releases: the server is at the new one, the phone still at the old. Whatever the page asks to keep meanwhile,
// without signal the phone has a whole app of one release, and takes the new one when somebody says so.
func TestBetweenTwoReleasesTheAppOpensWithoutSignal(t *testing.T) {
	t.Parallel()
	f := newField(t)
	var newer atomic.Bool
	old := loadAssets().set
	const set = "0123456789ab"
	site, next := f.mux, released(f.mux, old, set)
	f.open("/app")
	f.until(`document.body.dataset.kept === "whole"`)
	f.down()
	f.mux = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if newer.Load() && !strings.HasPrefix(r.URL.Path, "/v1/") {
			next.ServeHTTP(w, r)
			return
		}
		site.ServeHTTP(w, r)
	})
	f.up()
	newer.Store(true)
	if got := f.js(keeps + `(...JSON.parse(document.body.dataset.keep))`); got != "kept" {
		t.Errorf("what the page needs is not all there: %s", got)
	}
	f.down()
	f.do(chromedp.Reload())
	f.sees("请先登录")
	if got := f.js(`document.body.dataset.assets`); got != "/assets/"+old+"/" {
		t.Errorf("of the release %s", got)
	}
	f.up()
	f.js(`navigator.serviceWorker.ready.then((r) => r.update()).then(() => "")`)
	f.sees("有新版本。")
	f.press("现在换")
	f.until(`document.body.dataset.assets === "/assets/` + set + `/" && document.body.dataset.kept === "whole"`)
}

// A shop's page that lies open while the server is renewed goes over to the new release by itself, scripts, files for the door
// and all; the old worker is not left in charge.
func TestAShopsOpenPageGoesOverToTheNewRelease(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	var newer atomic.Bool
	old := loadAssets().set
	const set = "0123456789ab"
	site, next := s.mux, released(s.mux, old, set)
	s.down()
	s.mux = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if newer.Load() && !strings.HasPrefix(r.URL.Path, "/v1/") {
			next.ServeHTTP(w, r)
			return
		}
		site.ServeHTTP(w, r)
	})
	s.address = ""
	s.up()
	wei, _ := s.atTheCounter()
	newer.Store(true)
	wei.until(`document.querySelector("script[src*='/` + set + `/']") !== null && document.body.dataset.kept === "whole"`)
	wei.js(`navigator.serviceWorker.ready.then((r) => r.update()).then(() => "")`)
	wei.do(chromedp.Reload())
	wei.until(`document.body.dataset.kept === "whole" && navigator.serviceWorker.getRegistration().then((r) => { document.body.dataset.waits = r.waiting === null && r.installing === null; }) && document.body.dataset.waits === "true"`)
	s.cut()
	wei.open("/shop/visits/v1/door")
	wei.press("开始核对")
	wei.sees("没有信号，也能核对")
}
