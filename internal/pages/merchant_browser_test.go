//go:build browser

package pages

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/statement"
)

// filed is a /v1 that takes what a page signs and keeps it for the test to verify.
type filed struct {
	mu   sync.Mutex
	got  map[string]string // path: base64 of the envelope
	deny string            // code that every filing is refused with

	code     credential.Code // the one-time code that is out
	enrolled []orgapi.EnrolmentAsk
}

func (f *filed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if strings.Contains(r.URL.Path, "/previous/") {
		_, _ = io.WriteString(w, `{"previous":""}`)
		return
	}
	if r.URL.Path == "/v1/enrolments" {
		f.enrol(w, r)
		return
	}
	var in struct{ Statement string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Method != http.MethodPost || f.deny != "" {
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, `{"code":"`+f.deny+`","zh":"不行。","en":"No."}`)
		return
	}
	f.got[r.URL.Path] = in.Statement
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"stream":"visit/x","number":1,"event":"e","statement":"`+strings.Repeat("ab", 32)+`"}`)
}

// enrol answers as the organisation's service does, by its own rules: the code's proof, and the key's own signature.
func (f *filed) enrol(w http.ResponseWriter, r *http.Request) {
	var in orgapi.EnrolmentAsk
	_ = json.NewDecoder(r.Body).Decode(&in)
	f.mu.Lock()
	defer f.mu.Unlock()
	proof, _ := statement.Base64(in.Proof)
	if !f.code.Key(in.Organisation, in.Holder, in.Role).Proves(in.Enrolling(), proof) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"code":"code_wrong","zh":"开通码不对。","en":"Wrong code."}`)
		return
	}
	envelope, _ := statement.Base64(in.Possession)
	if c, err := statement.Parse(envelope); err == nil {
		if _, err := c.Verify(in.Key); err == nil {
			f.enrolled = append(f.enrolled, in)
		}
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"enrolment":"`+strings.Repeat("ab", 32)+`","signed_in":true}`)
}

func (f *filed) at(path string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.got[path]
}

// shopInBrowser serves every shop page beside a /v1 that keeps what is signed.
func shopInBrowser(t *testing.T) (string, *filed, context.Context) {
	t.Helper()
	_, s := shop(t)
	f := &filed{got: map[string]string{}}
	mux := http.NewServeMux()
	mux.Handle("/v1/", f)
	mux.Handle("/", s.Routes())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1), f, browser(t)
}

// shopShot is a page that is looked at; state is one of the door's or the phone's.
type shopShot struct{ name, viewer, path, state string }

var shopShots = []shopShot{
	{"home", "wei", "/shop", ""}, {"phone", "wei", "/shop/phone", ""}, {"phone-has", "wei", "/shop/phone", "has"}, {"sticker", "wei", "/shop/sticker/wei-1", ""},
	{"clerks", "wei", "/shop/clerks", "start"}, {"clerks-code", "wei", "/shop/clerks", "code"}, {"clerks-compare", "wei", "/shop/clerks", "compare"}, {"clerks-done", "wei", "/shop/clerks", "done"},
	{"clerks-stopped", "wei", "/shop/clerks", "stopped"}, {"clerk-join", "", "/shop/clerk?holder=wei.k1&organisation=acq", "join"}, {"clerk-compare", "", "/shop/clerk?holder=wei.k1&organisation=acq", "compare"},
	{"clerk-renew", "", "/shop/clerk?holder=wei.k1&organisation=acq", "renew"}, {"phone-renew", "", "/shop/phone?holder=wei&organisation=acq", "renew"}, {"public", "", "/s/wei-1", ""}, {"public-told", "", "/s?told=1", ""},
	{"tickets", "wei", "/shop/tickets", ""}, {"ticket-new", "wei", "/shop/tickets/new?visit=review", ""}, {"ticket-open", "wei", "/shop/tickets/t-open", ""}, {"ticket-paused", "wei", "/shop/tickets/t-paused", ""},
	{"ticket-late", "wei", "/shop/tickets/t-late", ""}, {"ticket-resolved", "wei", "/shop/tickets/t-resolved", ""}, {"ticket-stranger", "wei", "/shop/tickets/t-stranger", ""}, {"ticket-closed", "ming", "/shop/tickets/t-closed", ""},
	{"order-charged", "wei", "/shop/visits/charged", ""}, {"order-back", "wei", "/shop/visits/back", ""}, {"order-back-dead", "wei", "/shop/visits/back_dead", ""}, {"order-deposit", "wei", "/shop/visits/review", ""},
	{"order-price", "wei", "/shop/visits/price", ""}, {"order-door", "wei", "/shop/visits/door", ""}, {"order-device", "wei", "/shop/visits/device", ""},
	{"order-trial", "wei", "/shop/visits/trial", ""}, {"order-confirm", "wei", "/shop/visits/confirm", ""}, {"order-review", "wei", "/shop/visits/review", ""},
	{"order-refused", "wei", "/shop/visits/turned_away", ""}, {"order-frozen", "wei", "/shop/visits/frozen", ""}, {"clerk-price", "ming", "/shop/visits/price/price", ""},
	{"price", "wei", "/shop/visits/price/price", ""}, {"device", "wei", "/shop/visits/device/device", ""}, {"keep", "wei", "/shop/visits/device/keep", ""},
	{"trial", "wei", "/shop/visits/tried/trial", ""}, {"confirm", "wei", "/shop/visits/confirm/confirm", ""}, {"review", "wei", "/shop/visits/review/review", ""},
	{"report", "wei", "/shop/visits/device/report", ""}, {"order-swap", "wei", "/shop/visits/swap_consent", ""}, {"consent", "wei", "/shop/visits/swap_consent/consent", ""},
	{"outage", "wei", "/shop/visits/move_outage/outage", ""}, {"hand-back", "wei", "/shop/visits/removal_hand_back/hand_back", ""},
	{"door-start", "wei", "/shop/visits/door/door", "start"}, {"door-waiting", "wei", "/shop/visits/door/door", "waiting"}, {"door-scan", "wei", "/shop/visits/door/door", "scan"},
	{"door-face", "wei", "/shop/visits/door/door", "face"}, {"door-admitted", "wei", "/shop/visits/door/door", "admitted"}, {"door-offline", "wei", "/shop/visits/door/door", "offline"},
	{"door-weak", "wei", "/shop/visits/door/door", "weak"}, {"door-refused", "wei", "/shop/visits/door/door", "refused"}, {"door-another", "wei", "/shop/visits/door/door", "another"}, {"door-expired", "wei", "/shop/visits/door/door", "expired"}, {"door-unwilling", "wei", "/shop/visits/door/door", "unwilling"},
	{"door-clock", "wei", "/shop/visits/door/door", "clock"}, {"door-unscheduled", "wei", "/shop/visits/door/door", "unscheduled"},
	{"door-nophone", "wei", "/shop/visits/door/door", "nophone"}, {"door-cannot", "wei", "/shop/visits/door/door", "cannot"}, {"door-failed", "wei", "/shop/visits/door/door", "failed"},
}

// showState brings one state of a page up, as its script would.
func showState(state string) string {
	return `for (const s of document.querySelectorAll("[data-state]")) s.hidden = s.dataset.state !== "` + state + `";
	for (const f of document.querySelectorAll("[data-fill]")) f.textContent = {name: "蓝晓", company: "安装到家", job: "安装", distance: "12 m", digits: "47"}[f.dataset.fill];
	for (const q of document.querySelectorAll("[data-nophoto]")) q.hidden = false; void 0`
}

// Every page of a shop in both languages and schemes, on a phone, at twice its size and with letters twice as large. Whatever one
// load of a page can be asked is asked of it: loading it costs more than a look.
func TestShopPagesInABrowser(t *testing.T) {
	t.Parallel()
	for name, half := range map[string][]shopShot{"the order": shopShots[:len(shopShots)/2], "the door": shopShots[len(shopShots)/2:]} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origin, _, ctx := shopInBrowser(t)
			for i, shot := range half {
				for _, look := range []struct {
					lang, scheme string
					also         []size
				}{{zh, "light", []size{{"twice", 320, 450, false, false}}}, {en, "dark", nil}} {
					name := strings.Join([]string{"shop", shot.name, look.lang, look.scheme}, "-")
					image, problems := lookAtShop(ctx, origin+withLang(shot.path, look.lang), shot.viewer, look.scheme, size{"phone", 360, 640, true, true}, shot.state)
					keep(t, name+"-phone.png", image)
					for _, s := range look.also {
						more, found := lookIn(ctx, look.scheme, s)
						problems = append(append(problems, found...), strays(ctx)...)
						keep(t, name+"-"+s.name+".png", more)
					}
					problems = append(problems, enlarged(ctx, "shop-"+shot.name+"-"+look.lang)...)
					for _, p := range problems {
						t.Errorf("%d %s: %s", i, name, p)
					}
				}
			}
		})
	}
}

// Every kind of first thing to do on the start page, by itself and beside others, as large as phones are.
func TestTheStartPageInABrowser(t *testing.T) {
	t.Parallel()
	origin, source, ctx := shopHomes(t)
	phone := size{"phone", 360, 640, true, true}
	for _, visits := range [][]string{nil, {"price"}, {"door"}, {"send"}, {"confirm"}, {"frozen"}, {"review"}, {"removal_waits"}, {"price", "door", "send", "review"}} {
		source.only(visits...)
		for _, look := range []struct{ viewer, lang, scheme string }{{"wei", zh, "light"}, {"ming", en, "dark"}} {
			name := strings.Join([]string{"home", strings.Join(visits, "-"), look.viewer, look.lang}, "-")
			image, problems := lookAtShop(ctx, origin+withLang("/shop", look.lang), look.viewer, look.scheme, phone, "")
			for _, p := range problems {
				t.Errorf("%s: %s", name, p)
			}
			keep(t, name+".png", image)
			fold := evaluate[string](t, ctx, `(() => { const b = document.querySelector(".sign[data-turn] .button"); return b && document.getElementById("unset").hidden && b.getBoundingClientRect().bottom > innerHeight ? b.textContent : ""; })()`)
			if fold != "" {
				t.Errorf("%s: %q is below the fold", name, fold)
			}
		}
	}
}

// A start page that lies open on the counter shows what happens, and asks for little while nothing does.
func TestTheStartPageRenewsItself(t *testing.T) {
	t.Parallel()
	origin, source, ctx := shopHomes(t)
	source.only("price")
	if err := chromedp.Do(ctx, asViewer("wei"), chromedp.Navigate(origin+withLang("/shop", zh))); err != nil {
		t.Fatal(err)
	}
	told := `performance.getEntriesByType("resource").filter((e) => e.name.endsWith("/shop") && e.responseStatus === 304).length`
	seen := 0
	for _, next := range []string{"door", "confirm"} {
		if !evaluate[bool](t, ctx, fmt.Sprintf(`%s(() => %s > %d)`, until, told, seen)) {
			t.Fatal("nothing changed, and no look was told so")
		}
		seen = evaluate[int](t, ctx, told)
		source.only(next)
		if !evaluate[bool](t, ctx, fmt.Sprintf(`%s(() => document.querySelector("[data-turn=%s]") !== null)`, until, next)) {
			t.Errorf("%s does not show", next)
		}
	}
}

// homes lets a test say which visits the start page has; the others are as in every state.
type homes struct {
	*shopSource
	mu  sync.Mutex
	all []ShopOrderRow
}

func (h *homes) only(visits ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.home.Orders = slices.DeleteFunc(slices.Clone(h.all), func(o ShopOrderRow) bool { return !slices.Contains(visits, o.Visit) })
}

func (h *homes) Home(context.Context, Viewer) (ShopHome, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.home, nil
}

// shopHomes serves the start page of a shop whose phones are set up.
func shopHomes(t *testing.T) (string, *homes, context.Context) {
	t.Helper()
	source, s := shop(t)
	h := &homes{shopSource: source, all: source.home.Orders}
	h.home.Calls, h.home.Clerks, s.Shops = nil, nil, h
	server := httptest.NewServer(s.Routes())
	t.Cleanup(server.Close)
	origin, ctx := strings.Replace(server.URL, "127.0.0.1", "localhost", 1), browser(t)
	if err := chromedp.Do(ctx, asViewer("wei"), chromedp.Navigate(origin+"/shop")); err != nil {
		t.Fatal(err)
	}
	for _, person := range []string{"wei", "ming"} {
		evaluate[chromedp.Void](t, ctx, `(async () => { `+modules+` await (await m("keys.mjs")).newPageKey("merchant:`+person+`"); })()`)
	}
	return origin, h, ctx
}

func lookAtShop(ctx context.Context, address, viewer, scheme string, s size, state string) ([]byte, []string) {
	quiet := s
	quiet.axe = false
	image, problems := visitIn(ctx, address, viewer, scheme, quiet)
	if state != "" {
		if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](showState(state))); err != nil {
			return image, append(problems, err.Error())
		}
		overflow, err := chromedp.Run(ctx, chromedp.Evaluate[string](wide))
		if err != nil || overflow != "" {
			problems = append(problems, "scrolls sideways: "+overflow)
		}
		moves, err := chromedp.Run(ctx, chromedp.Evaluate[string](moving))
		if err != nil || moves != "" {
			problems = append(problems, "moves, though asked not to: "+moves)
		}
		if image, err = picture(ctx); err != nil {
			problems = append(problems, err.Error())
		}
	}
	problems = append(problems, strays(ctx)...)
	if s.axe {
		problems = append(problems, askAxe(ctx)...)
	}
	return image, problems
}

// strays lists what shows though it is hidden.
func strays(ctx context.Context) []string {
	stray, err := chromedp.Run(ctx, chromedp.Evaluate[string](`[...document.querySelectorAll("[hidden]")].filter((e) => e.checkVisibility()).map((e) => e.className).join()`))
	if err != nil || stray != "" {
		return []string{"shows what is hidden: " + stray}
	}
	return nil
}

func evaluate[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// until waits for a condition on the page, for at most ten seconds.
const until = `(async (ok) => { for (let i = 0; i < 100 && !ok(); i++) await new Promise((r) => setTimeout(r, 100)); return ok(); })`

// A page key made in the browser signs the price, and Go verifies exactly what wei saw and answered.
func TestThePriceIsSignedByThePhonesOwnKey(t *testing.T) {
	t.Parallel()
	origin, f, ctx := shopInBrowser(t)
	if err := chromedp.Do(ctx, asViewer("wei"), chromedp.Navigate(origin+"/shop/visits/price/price")); err != nil {
		t.Fatal(err)
	}
	_, s := shop(t)
	public := evaluate[string](t, ctx, `import("`+s.assets.href("keys.mjs")+`").then(async (m) => JSON.stringify(m.signerPublicKey(await m.newPageKey("merchant:wei"))))`)
	var key statement.Key
	if err := json.Unmarshal([]byte(public), &key); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](`
		for (const c of document.querySelectorAll("[data-flag]:not([hidden]) input")) c.click();
		document.getElementById("today-none").click();
		document.getElementById("after-same").click();
		document.querySelector("form button[type=submit]").click(); void 0`)); err != nil {
		t.Fatal(err)
	}
	order := shopOrders(t)["price"]
	for range 100 { // signed and sent, the page goes back to the order by itself
		if address, err := chromedp.Run(ctx, chromedp.Location()); err == nil && strings.HasSuffix(address, "/shop/visits/price") {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	envelope, err := statement.Base64(f.at("/v1/orders/" + order.Order + "/agree"))
	if err != nil {
		t.Fatal("nothing was filed: ", err)
	}
	claims, err := statement.Parse(envelope)
	if err != nil {
		t.Fatal(err)
	}
	v, err := claims.Verify(key)
	if err != nil {
		t.Fatal(err)
	}
	var a agreement.Agreement
	if err := v.Body(agreement.TypeAgreement, &a); err != nil {
		t.Fatal(err)
	}
	h := v.Header()
	if h.Signer != "wei" || h.Role != "merchant" || a.Order != order.Order || a.Sheet.Digest() != order.Offer.Sheet.Digest() || a.PaysToday != "none" || a.PaysAfter != order.Acquirer.ID ||
		len(a.Acknowledged) != len(order.Offer.Flags) {
		t.Errorf("signed %+v by %+v", a, h)
	}
}

// Without a key nothing is signed, and the page says what to do instead.
func TestAPhoneThatIsNotSetUpSignsNothing(t *testing.T) {
	t.Parallel()
	origin, f, ctx := shopInBrowser(t)
	if err := chromedp.Do(ctx, asViewer("wei"), chromedp.Navigate(origin+"/shop/visits/device/device")); err != nil {
		t.Fatal(err)
	}
	told := evaluate[string](t, ctx, `(async () => {
		document.querySelector("form button[type=submit]").click();
		const box = document.querySelector("[data-problem]");
		await `+until+`(() => !box.hidden);
		return box.textContent;
	})()`)
	if !strings.Contains(told, "还没开通") || len(f.got) != 0 {
		t.Errorf("%q, filed %d", told, len(f.got))
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(origin+"/shop/visits/door/door")); err != nil {
		t.Fatal(err)
	}
	state := evaluate[string](t, ctx, `(async () => {
		await `+until+`(() => document.querySelector('[data-state="start"] [data-act]').onclick !== undefined);
		document.querySelector('[data-state="start"] [data-act="begin"]').click();
		await `+until+`(() => document.querySelector('[data-state="start"]').hidden);
		return document.querySelector(".screen:not([hidden])").dataset.state;
	})()`)
	if state != "nophone" {
		t.Errorf("the door shows %s", state)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(origin+"/shop")); err != nil {
		t.Fatal(err)
	}
	if first := evaluate[string](t, ctx, `(async () => { await `+until+`(() => !document.getElementById("unset").hidden); return document.querySelector("#main a.button").getAttribute("href"); })()`); first != "/shop/phone" {
		t.Errorf("the start page asks for %s first", first)
	}
}

// Inside WeChat's view the page says what is lacking, and where to go.
func TestInsideWeChatsView(t *testing.T) {
	t.Parallel()
	origin, _, ctx := shopInBrowser(t)
	override := func(ctx context.Context, tg *chromedp.Target) error {
		_, err := cdp.Call(ctx, tg, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: wechat})
		return err
	}
	if err := chromedp.Do(ctx, chromedp.Func(override), asViewer("wei"), chromedp.Navigate(origin+"/shop/phone")); err != nil {
		t.Fatal(err)
	}
	said := evaluate[string](t, ctx, `(async () => { const b = document.getElementById("lacking"); await `+until+`(() => !b.hidden && document.querySelector("[data-enrol] button").disabled); return b.innerText + document.querySelector("[data-enrol] button").disabled; })()`)
	if !strings.Contains(said, "在浏览器打开") || !strings.Contains(said, "微信") || !strings.HasSuffix(said, "true") {
		t.Error(said)
	}
	// At the door it says so too; what is kept here may be gone, and then it says whom to call.
	if err := chromedp.Do(ctx, chromedp.Navigate(origin+"/shop/visits/door/door")); err != nil {
		t.Fatal(err)
	}
	said = evaluate[string](t, ctx, `(async () => { const b = document.getElementById("lacking"), start = document.querySelector('[data-state="start"] [data-act="begin"]');
		await `+until+`(() => !b.hidden && !start.disabled);
		const told = b.innerText;
		start.click();
		await `+until+`(() => document.querySelector('[data-state="start"]').hidden);
		const shown = document.querySelector(".screen:not([hidden])");
		return told + shown.dataset.state + shown.querySelectorAll('a[href^="tel:"]').length; })()`)
	if !strings.Contains(said, "在浏览器打开") || !strings.Contains(said, "微信") || !strings.HasSuffix(said, "nophone3") {
		t.Error(said)
	}
}

// addAuthenticator gives a browser a phone's own passkeys, whose finger is always right.
func addAuthenticator(t *testing.T, ctx context.Context) {
	t.Helper()
	err := chromedp.Do(ctx, send(webauthn.Enable, webauthn.EnableParams{}), send(webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
		Options: &webauthn.VirtualAuthenticatorOptions{Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}}))
	if err != nil {
		t.Fatal(err)
	}
}

// The order link leads to the code: a wrong one gets nowhere, the right one enrols a passkey where the phone has them,
// and a page key where it has none.
func TestAPhoneIsSetUpByItsCode(t *testing.T) {
	t.Parallel()
	for kind, says := range map[string][2]string{statement.WebAuthn: {"指纹、面容或锁屏密码来签字", "密钥存在手机里，拿不走"}, statement.ES256: {"这个浏览器没有指纹签字", "清了浏览器数据它就没了"}} {
		t.Run(kind, func(t *testing.T) {
			passkeys := kind == statement.WebAuthn
			origin, f, ctx := shopInBrowser(t)
			f.code = credential.NewCode()
			if passkeys {
				addAuthenticator(t, ctx)
			}
			if err := chromedp.Do(ctx, asViewer(""), chromedp.Navigate(origin+PhoneAddress("wei", "acq-huaishan"))); err != nil {
				t.Fatal(err)
			}
			try := func(code string) string {
				return evaluate[string](t, ctx, `(async () => {
					const box = document.querySelector("[data-enrol] [data-problem]");
					await `+until+`(() => [...document.querySelectorAll(".kind")].some((k) => !k.hidden));
					document.getElementById("code").value = "`+code+`";
					document.querySelector("[data-enrol] button").click();
					await `+until+`(() => !box.hidden);
					return box.textContent.trim();
				})()`)
			}
			// Before the code is typed the page says which key it will be, and what that means; of the other kind it says nothing.
			told := evaluate[string](t, ctx, `(async () => { await `+until+`(() => [...document.querySelectorAll(".kind")].some((k) => !k.hidden)); return document.getElementById("phone").innerText; })()`)
			if !strings.Contains(told, says[0]) || !strings.Contains(told, says[1]) || strings.Contains(told, "指纹、面容或锁屏密码来签字") != passkeys {
				t.Errorf("which key: %s", told)
			}
			if got := try("7KQM-4XTR-9WHK"); !strings.Contains(got, "输错") {
				t.Errorf("mistyped: %q", got)
			}
			if got := try(credential.NewCode().Printed()); !strings.Contains(got, "开通码不对") {
				t.Errorf("another's code: %q", got)
			}
			if err := chromedp.Do(ctx, asViewer("wei"), chromedp.Evaluate[chromedp.Void](`document.getElementById("code").value = "`+strings.ToLower(f.code.Printed())+`";
				document.querySelector("[data-enrol] button").click(); void 0`)); err != nil {
				t.Fatal(err)
			}
			for range 100 {
				f.mu.Lock()
				n := len(f.enrolled)
				f.mu.Unlock()
				if n > 0 {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			if len(f.enrolled) != 1 || f.enrolled[0].Key.Kind != kind || f.enrolled[0].Holder != "wei" || f.enrolled[0].Role != "merchant" {
				t.Errorf("enrolled %+v", f.enrolled)
			}
		})
	}
}

// The old device is handed back by the phone's own key, in the device's stream, after the hand-over that it follows.
func TestTheOldDeviceIsHandedBackByThePhone(t *testing.T) {
	t.Parallel()
	origin, f, ctx := shopInBrowser(t)
	if err := chromedp.Do(ctx, asViewer("wei"), chromedp.Navigate(origin+"/shop/visits/removal_hand_back/hand_back")); err != nil {
		t.Fatal(err)
	}
	_, s := shop(t)
	public := evaluate[string](t, ctx, `import("`+s.assets.href("keys.mjs")+`").then(async (m) => JSON.stringify(m.signerPublicKey(await m.newPageKey("merchant:wei"))))`)
	var key statement.Key
	if err := json.Unmarshal([]byte(public), &key); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("form[data-sign] button[type=submit]").click(); void 0`)); err != nil {
		t.Fatal(err)
	}
	o := shopOrders(t)["removal_hand_back"]
	for range 100 {
		if f.at("/v1/devices/"+o.Old.Serial+"/transfer") != "" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	envelope, err := statement.Base64(f.at("/v1/devices/" + o.Old.Serial + "/transfer"))
	if err != nil {
		t.Fatal("nothing was filed: ", err)
	}
	claims, err := statement.Parse(envelope)
	if err != nil {
		t.Fatal(err)
	}
	v, err := claims.Verify(key)
	if err != nil {
		t.Fatal(err)
	}
	var body custody.Transfer
	if err := v.Body(custody.TypeTransfer, &body); err != nil {
		t.Fatal(err)
	}
	if h := v.Header(); h.Answers != o.Old.Parcel || h.Signer != "wei" || body.Notice.Tracking != o.Order || body.ToHolder != o.Old.To || body.FromHolder != "wei" {
		t.Errorf("signed %+v by %+v", body, h)
	}
}
