//go:build browser

package pages

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// turnstile stands between a phone and the server: it can turn statements and photos away as a server too busy does, and
// notes what was sent.
type turnstile struct {
	mu   sync.Mutex
	busy bool
	mute bool     // it does not say who is signed in
	took []string // last part of each path that was sent
	next http.Handler
}

// evidencePaths are what the queue sends.
var evidencePaths = []string{"/record_step", "/back_up", "/photos", "/report_incident", "/refuse", "/abort", "/roll_back"}

func (c *turnstile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, p := range evidencePaths {
		if r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/v1/visits/") && strings.HasSuffix(r.URL.Path, p) {
			c.mu.Lock()
			busy := c.busy
			if !busy {
				c.took = append(c.took, p[1:])
			}
			c.mu.Unlock()
			if busy {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
		}
	}
	c.mu.Lock()
	mute := c.mute && r.URL.Path == "/v1/me"
	c.mu.Unlock()
	if mute {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	c.next.ServeHTTP(w, r)
}

func (c *turnstile) set(busy, mute bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy, c.mute = busy, mute
}

func (c *turnstile) taken() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.took, " ")
}

// counted puts a turnstile in front of the server.
func (f *field) counted() *turnstile {
	f.t.Helper()
	c := &turnstile{next: f.mux}
	if _, err := http.Get(f.origin + "/healthz"); err != nil { // it listens: now it can stop
		f.t.Fatal(err)
	}
	f.down()
	f.mux = c
	f.up()
	return c
}

// returns signs somebody in again who signed out: with a new invitation, as after a lost passkey.
func (f *field) returns(person, organisation, role string) {
	f.t.Helper()
	code, err := f.App.Invite(f.t.Context(), "operator", app.Invitation{Person: person, Organisation: organisation, Role: role, Recover: true, Until: time.Now().Add(time.Hour)})
	if err != nil {
		f.t.Fatal(err)
	}
	f.joinsBy(code)
}

// leaves signs out on the phone, whatever is unsent.
func (f *field) leaves(button string) {
	f.t.Helper()
	f.open("/app")
	f.press("手机")
	f.press("退出登录")
	f.sees("退出时清掉")
	f.press(button)
	f.sees("请先登录")
}

// atRest is everything that the browser keeps for this site, as text: stores, caches, and the small stores.
const atRest = `(async () => {
  const out = [];
  const bytes = (b) => { let t = ""; for (const x of new Uint8Array(b)) t += String.fromCharCode(x); return t; };
  const flat = (v) => v instanceof ArrayBuffer ? "bytes" : v instanceof CryptoKey ? "key " + v.extractable : Array.isArray(v) ? "[" + v.map(flat) + "]" : v && typeof v === "object" ? "{" + Object.entries(v).map(([k, x]) => k + ":" + flat(x)) + "}" : String(v);
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((r) => { const q = indexedDB.open(name); q.onsuccess = () => r(q.result); });
    for (const store of db.objectStoreNames) {
      const got = (how) => new Promise((r) => { const q = db.transaction(store).objectStore(store)[how](); q.onsuccess = () => r(q.result); });
      const [keys, values] = [await got("getAllKeys"), await got("getAll")];
      keys.forEach((k, i) => out.push(name + "/" + store + "/" + flat(k) + " = " + flat(values[i])));
    }
    db.close();
  }
  for (const name of await caches.keys()) for (const request of await (await caches.open(name)).keys()) {
    const path = new URL(request.url).pathname;
    out.push("cache/" + request.method + " " + (path.startsWith("/assets/") ? "asset" : path));
  }
  for (const s of [localStorage, sessionStorage]) for (const k of Object.keys(s)) out.push("small/" + k + " = " + s[k]);
  return [...new Set(out)].join("\n");
})()`

// kept lists which stores hold something, and which of the values that must not be read were found.
func (f *field) kept(values map[string]string) (found []string, all string) {
	f.t.Helper()
	all = f.js(atRest)
	for what, value := range values {
		if value != "" && strings.Contains(all, value) {
			found = append(found, what)
		}
	}
	return found, all
}

// personal are values of the visit that open something to a thief.
func (f *field) personal() map[string]string {
	f.t.Helper()
	pack, err := f.App.Package(f.t.Context(), app.Actor{Person: "lan", Organisation: "svc-anzhuang", Role: visit.RoleTechnician}, "v1")
	if err != nil {
		f.t.Fatal(err)
	}
	return map[string]string{"the shop": pack.Openings.Shop.Value, "the photo": pack.Photo.Value[:60], "the order secret": pack.OrderSecret, "a badge": "badge:ey", "a key of the day": "badge-20"}
}

// Two technicians share a phone. The first signs out with work that the server was too busy to take: she is told, and
// what is not unsent leaves the phone. The second sees nothing of hers, sends nothing of hers and exports nothing of
// hers. When she is back it goes out in her name, once.
func TestTwoTechniciansOnOnePhone(t *testing.T) {
	t.Parallel()
	f := newVisitor(t)
	gate := f.counted()
	f.press("去做")
	gate.set(true, false)
	f.parcel()
	f.sees("招牌和店门")
	f.shoots()
	f.sees("3 项待发送")
	values := f.personal()
	if found, all := f.kept(values); len(found) != len(values) {
		t.Fatalf("on shift the phone keeps only %q; this test would see nothing:\n%.3000s", found, all)
	}

	f.press("手机")
	f.press("退出登录")
	f.sees("还有 3 项没发出去")
	f.shot("leave-unsent")
	f.press("还是退出")
	f.sees("请先登录")
	f.sees("这部手机里还有 3 项没发")
	f.shot("left-unsent")
	if found, all := f.kept(values); len(found) > 0 || !strings.Contains(all, "menshen-outbox/items/") {
		t.Errorf("signed out, the phone still keeps %q:\n%.3000s", found, all)
	}

	f.joins("bo", "svc-anzhuang", visit.RoleTechnician)
	gate.set(false, false)
	f.open("/app")
	f.sees("还没登记")
	f.press("待发送")
	f.sees("都发出去了")
	f.sees("还有别人签的 3 项没发")
	f.shot("of-others")
	if got := f.js(`import(document.body.dataset.assets + "queue.mjs").then(async (q) => { await q.hurry("lan"); await q.sendAll("lan"); return (await q.list("lan")).map((i) => i.state + " " + i.problem?.code).sort()[0]; })`); got != "waiting session_of_another" { // a page of hers that is still open somewhere
		t.Errorf("lan's, sent by bo's browser: %s", got)
	}
	for what, has := range map[string]string{"the shop": values["the shop"], "a step": "门头照", "the visit": "v1"} {
		if f.js(`document.body.innerText`) == "" || strings.Contains(f.js(`document.querySelector("main").innerText`), has) {
			t.Errorf("bo sees %s of lan's", what)
		}
	}
	if n := f.js(`import(document.body.dataset.assets + "queue.mjs").then((q) => q.exportAll("bo")).then((b) => b.text()).then((t) => JSON.parse(t).items.length)`); n != "0" {
		t.Errorf("bo exports %s of lan's", n)
	}
	if got := gate.taken(); got != "" && !strings.HasPrefix(got, "record_step") || len(f.work().Done) != 2 {
		t.Errorf("in bo's name: %q, %d done", got, len(f.work().Done))
	}
	f.leaves("退出登录")

	f.returns("lan", "svc-anzhuang", visit.RoleTechnician)
	f.open("/app")
	f.until(`!document.querySelector(".state").innerText.includes("待发送") && document.querySelector("main h1") !== null`)
	w := f.work()
	for began := time.Now(); len(w.Done) < 4 && time.Since(began) < 15*time.Second; w = f.work() {
		time.Sleep(100 * time.Millisecond)
	}
	if len(w.Done) != 4 || w.Done[2].Type != "arrival" || w.Done[3].Step != "shopfront" {
		t.Errorf("%+v", w.Done)
	}
	f.sees("还没开工") // she is enrolled still

	// She did not sign out, and bo signs in: as long as the server does not say who it is, nobody's day shows.
	f.press("开工")
	f.sees(values["the shop"])
	gate.set(false, true)
	f.returns("bo", "svc-anzhuang", visit.RoleTechnician)
	f.open("/app")
	f.sees("正在看是谁登录的")
	f.shot("who-is-it")
	f.open("/app#/visit/v1")
	f.sees("正在看是谁登录的")
	gate.set(false, false)
	f.open("/app")
	f.sees("还没登记")
	if found, all := f.kept(values); len(found) > 0 {
		t.Errorf("bo's phone keeps %q of lan's:\n%.3000s", found, all)
	}
}

// opens says whether a session's secret still lets anybody in.
func (f *field) opens(secret string) bool {
	f.t.Helper()
	_, err := f.App.Authenticate(f.t.Context(), secret, store.TokenSession)
	if err != nil && fault.KindOf(err) != fault.Unauthenticated {
		f.t.Fatal(err)
	}
	return err == nil
}

// Lan hands the phone in where there is no signal. She is signed out of it at once, with what is unsent kept; whoever opens it sees
// nothing of hers. The server hears it with the first signal, before it gives out any page.
func TestSigningOutWithoutSignal(t *testing.T) {
	t.Parallel()
	f := newVisitor(t)
	values := f.personal()
	f.press("去做")
	f.cellar()
	f.parcel()
	f.sees("招牌和店门")
	f.sees("离线，1 项待发送")
	secret := f.session()
	if secret == "" || !f.opens(secret) {
		t.Fatal("lan was not signed in")
	}

	f.press("手机")
	f.press("退出登录")
	f.sees("还有 1 项没发出去")
	f.sees("这部手机马上退出")
	f.shot("leave-offline")
	f.press("还是退出")
	f.sees("请先登录")
	f.sees("服务器那边还没退")
	f.sees("这部手机里还有 1 项没发")
	f.shot("left-offline")
	if found, all := f.kept(values); len(found) > 0 || !strings.Contains(all, "menshen-outbox/items/") {
		t.Errorf("signed out without signal, the phone still keeps %q:\n%.3000s", found, all)
	}
	f.open("/app#/visit/v1") // bo picks it up
	f.sees("这部手机里没有这一单")
	f.open("/app#/unsent")
	f.sees("请先登录")
	if !f.opens(secret) {
		t.Error("the server knows without having heard")
	}
	f.upstairs()
	f.until(`document.querySelector("[data-leaving]") === null && document.querySelector("main h1") !== null`)
	f.sees("请先登录")
	if f.opens(secret) {
		t.Error("with signal the session goes on")
	}

	// Lan comes back and what she signed goes out. The next time, bo opens another page than the app.
	f.returns("lan", "svc-anzhuang", visit.RoleTechnician)
	f.open("/app")
	f.until(`!document.querySelector(".state").innerText.includes("待发送") && document.querySelector("main h1") !== null`)
	for began := time.Now(); len(f.work().Done) < 3 && time.Since(began) < 15*time.Second; {
		time.Sleep(100 * time.Millisecond)
	}
	if w := f.work(); len(w.Done) != 3 || w.Done[2].Type != "arrival" {
		t.Errorf("%+v", w.Done)
	}
	f.until(`document.querySelector("article") !== null && !document.querySelector(".state").innerText.includes("待发送")`)
	secret = f.session()
	f.cellar()
	f.press("手机")
	f.press("退出登录")
	f.sees("退出时清掉")
	f.press("退出登录")
	f.sees("服务器那边还没退")
	f.do(chromedp.Navigate("about:blank"))
	f.up()
	f.signal(true)
	f.open("/account")
	f.sees("请先进入")
	if f.opens(secret) || f.js(`caches.has("leaving")`) != "false" {
		t.Error("a page came before the session was ended")
	}
}

// A sign-in takes the place of whoever was signed in on that browser: his cookie is gone, so his session ends. What a phone says
// late about its former session ends nobody else's.
func TestASignInEndsTheOneBefore(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.joins("lan", "svc-anzhuang", visit.RoleTechnician)
	former := f.session()
	f.joins("bo", "svc-anzhuang", visit.RoleTechnician)
	if now := f.session(); f.opens(former) || !f.opens(now) {
		t.Error("lan's session goes on without a browser, or bo's does not")
	}
	if got := f.js(`import(document.body.dataset.assets + "leave.mjs").then((l) => l.endSession("lan"))`); got != "true" || !f.opens(f.session()) {
		t.Errorf("lan's late word: %s, and bo is signed in: %v", got, f.opens(f.session()))
	}
}
