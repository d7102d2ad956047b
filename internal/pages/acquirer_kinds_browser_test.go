//go:build browser

package pages

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// shopsPhone gives wei a phone: a session, and a key of her own in this browser that the acquirer vouches for.
func (o *office) shopsPhone() (session string) {
	o.t.Helper()
	m := o.Cast.Merchant
	_, session, err := o.App.IssueToken(o.t.Context(), app.TokenGrant{Kind: store.TokenSession, Person: m.ID, Organisation: o.Cast.Acquirer.ID, Role: visit.RoleMerchant, Label: "phone", Until: time.Now().Add(time.Hour)})
	if err != nil {
		o.t.Fatal(err)
	}
	o.as(session)
	o.open("/shop?lang=zh")
	_, s := shop(o.t)
	o.enrol(m, o.Cast.Acquirer, o.js(`import("`+s.assets.href("keys.mjs")+`").then(async (m) => JSON.stringify(m.signerPublicKey(await m.newPageKey("`+signerName(m.ID)+`"))))`))
	return session
}

// booked is what an approver chose for an order of the corner shop.
type booked struct {
	kind, terminal, old string
	says                []string // what the dialog reads before the signature
}

// books fills in the form for an order and signs it.
func (o *office) books(b booked) (order string) {
	o.t.Helper()
	o.open("/staff/orders/new?shop=" + o.play.Shop.ID + "&lang=zh")
	o.until(`!document.querySelector("form[data-book] button[type=submit]").disabled`)
	o.fill(map[string]string{"#kind": b.kind})
	if hidden := o.js(`document.querySelector("[data-old]").hidden`); (hidden == "true") != (b.old == "") {
		o.t.Errorf("%s: the old terminal is asked for: hidden %s", b.kind, hidden)
	}
	if b.old != "" {
		o.fill(map[string]string{"#old": b.old})
	}
	if b.terminal != "" {
		o.fill(map[string]string{"#terminal": b.terminal})
	}
	o.fill(map[string]string{"#provider": o.Cast.Provider.ID, "#risk": "1", "#checked": time.Now().Add(-24 * time.Hour).Format("2006-01-02T15:04"), "[name=accepted]": "yes",
		"#from": momentField(time.Now().Add(time.Hour)), "#until": momentField(time.Now().Add(3 * time.Hour))})
	if b.kind == visit.Relocation {
		o.fill(map[string]string{"#old-shop": o.play.Shop.ID})
	}
	o.shot("book-" + b.kind)
	o.sign("form[data-book]", b.says...)
	o.until(`/^\/staff\/orders\/o-/.test(location.pathname) && document.querySelector("[data-turn]") !== null || document.querySelector("[data-problem]:not([hidden])") !== null`)
	if problem := o.js(`document.querySelector("[data-problem]:not([hidden])")?.textContent ?? ""`); problem != "" {
		o.t.Fatalf("%s: %s", b.kind, problem)
	}
	return strings.TrimPrefix(o.js(`location.pathname`), "/staff/orders/")
}

// prices writes a sheet for an order, sends it and signs it.
func (o *office) prices(order, scope string) {
	o.t.Helper()
	o.open("/staff/sheets/new?order=" + order + "&lang=zh")
	o.until(`document.querySelector("[data-total]").textContent !== ""`)
	if again := o.js(`[...document.querySelectorAll("[data-fees] [data-fee]")].filter((r) => r.querySelector("[data-f=per]").value === "once" && r.querySelector("[data-f=amount]").value !== "").map((r) => r.dataset.fee).join()`); again != "" {
		o.t.Errorf("what was paid once is asked for again: %s", again)
	}
	o.fill(map[string]string{"#title": scope, "#terms": strings.Repeat("ab", 32), "#scope": scope, "[data-rate=debit] [data-f=rate]": "0.5", "#warranty": "12"})
	o.until(`!document.querySelector("button[value=send]").disabled`)
	o.js(`document.querySelector("button[value=send]").click()`)
	o.until(`location.pathname === "/staff/orders/` + order + `" && document.querySelector("form[data-verb=agree]") !== null`)
	o.sign("form[data-verb=agree]", order)
	o.until(`document.querySelector("[data-turn]")?.dataset.turn === "merchant" || document.querySelector("[data-problem]:not([hidden])") !== null`)
}

// The approver books every kind of visit that follows an installation, each with what it asks more, and the merchant
// reads on her own page what it is about, in words for that kind, and signs.
func TestAnApproverBooksEveryKind(t *testing.T) {
	t.Parallel()
	o, _ := acquirersOffice(t)
	ctx, a := t.Context(), o.Cast.Approver
	if err := scenario.Run(ctx, o.play.Install()); err != nil {
		t.Fatal(err)
	}
	if err := o.play.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	session := o.shopsPhone()
	o.do(send(network.ClearBrowserCookies, cdp.Empty{})) // the approver's browser is another: a sign-in ends the session before it
	o.join(a.ID, a.Organisation, a.Role)
	o.makeKey(a, o.Cast.Acquirer)
	staff := o.session()
	device, terminal := o.play.Device.Serial, o.play.Order.Terminal
	for _, k := range []struct {
		booked
		scope, reads string
	}{
		{booked{visit.Swap, "W1489732", device, []string{"换机", device, "W1489732"}}, "换一台新机", "换机"},
		{booked{visit.Repair, "", device, []string{"维修", device, terminal}}, "修好打印", "维修"},
		{booked{visit.Removal, "", device, []string{"撤机", device, terminal}}, "拆下带走", "撤机"},
		{booked{visit.Relocation, "", device, []string{"移机", device, terminal}}, "搬到新址", "移机"},
		{booked{visit.Inspection, "", device, []string{"巡检", device, terminal}}, "", "巡检"},
	} {
		o.as(staff)
		order := o.books(k.booked)
		d, err := o.App.Visit(ctx, app.Actor{Person: a.ID, Organisation: a.Organisation, Role: a.Role}, visitOf(order))
		if err != nil {
			t.Fatal(err)
		}
		if old := d.Order.Old; d.Order.Kind != k.kind || (old != nil) != (k.kind == visit.Swap || k.kind == visit.Relocation) || old != nil && (old.Serial != device || old.Terminal != terminal) {
			t.Errorf("%s: booked %+v", k.kind, d.Order)
		}
		if k.terminal == "" && d.Order.Terminal != terminal {
			t.Errorf("%s is about terminal %s", k.kind, d.Order.Terminal)
		}
		if k.scope != "" {
			o.prices(order, k.scope)
		}
		if k.kind == visit.Swap { // the others' markup is the same
			o.look("order-swap", "/staff/orders/"+order)
		}
		o.as(session)
		o.merchantReadsAndSigns(order, k.reads, k.scope)
	}
}

// session is the secret of whoever is signed in, out of the browser's own jar.
func (o *office) session() string {
	o.t.Helper()
	got, err := chromedp.Run(o.ctx, func(ctx context.Context, t *chromedp.Target) (network.GetCookiesResult, error) {
		return cdp.Call(ctx, t, network.GetCookies, network.GetCookiesParams{})
	})
	if err != nil {
		o.t.Fatal(err)
	}
	for _, c := range got.Cookies {
		if c.Name == app.SessionCookie {
			return c.Value
		}
	}
	o.t.Fatal("nobody is signed in")
	return ""
}

func (o *office) merchantReadsAndSigns(order, kind, scope string) {
	o.t.Helper()
	v := visitOf(order)
	o.open("/shop?lang=zh")
	o.until(`document.querySelector('a[href="/shop/visits/` + v + `"]') !== null`)
	o.open("/shop/visits/" + v + "?lang=zh")
	o.until(`document.querySelector("[data-next]") !== null`)
	if said := o.js(`document.querySelector("h1").innerText`); !strings.Contains(said, kind) {
		o.t.Errorf("the merchant reads %s", said)
	}
	if held := o.js(`document.querySelector("[data-held]")?.innerText ?? ""`); strings.Contains(held, "¥299.00") != (kind == "撤机") {
		o.t.Errorf("%s: of the deposit it says %q", kind, held)
	}
	if scope == "" { // an inspection has no price
		if said := o.js(`document.querySelector("main").innerText`); !strings.Contains(said, "巡检不收钱") || strings.Contains(said, "价格签好了") {
			o.t.Errorf("of an order without a price: %s", said)
		}
		o.look("shop-inspection", "/shop/visits/"+v)
		return
	}
	o.open("/shop/visits/" + v + "/price?lang=zh")
	o.until(`document.querySelector("form[data-price] button[type=submit]")?.disabled === false`)
	if said := o.js(`document.querySelector("main").innerText`); !strings.Contains(said, scope) {
		o.t.Errorf("the price does not say %s: %s", scope, said)
	}
	o.js(`(() => { for (const c of document.querySelectorAll("[data-flag]:not([hidden]) input")) c.click(); document.getElementById("today-same").click(); document.getElementById("after-same").click();
		document.querySelector("form[data-price] button[type=submit]").click(); })()`)
	o.until(`location.pathname === "/shop/visits/` + v + `" && document.querySelector("[data-next]")?.dataset.next === "send" || [...document.querySelectorAll("[data-problem]")].some((e) => !e.hidden)`)
	if problem := o.js(`[...document.querySelectorAll("[data-problem]")].find((e) => !e.hidden)?.innerText ?? ""`); problem != "" {
		o.t.Errorf("%s: %s", kind, problem)
	}
	if kind == "撤机" { // what was laid down for a terminal comes back when it goes
		o.look("shop-removal", "/shop/visits/"+v)
	}
}
