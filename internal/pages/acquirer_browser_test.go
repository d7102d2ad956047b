//go:build browser

package pages

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// acquirersOffice is an office where the corner shop is on file and the acquirer runs its own service.
func acquirersOffice(t *testing.T) (*office, *scenario.Keeper) {
	t.Helper()
	var keeper *scenario.Keeper
	d, err := scenario.NewDeployment(t.Context(), scenario.DeploymentConfig{Dir: t.TempDir(), Now: time.Now, Organisations: func(c *scenario.Cast) (map[string]app.Organisation, error) {
		var err error
		if keeper, err = scenario.Keep(t.TempDir(), c.Acquirer, nil, credential.KindAcquirer, time.Now); err != nil {
			return nil, err
		}
		return map[string]app.Organisation{c.Acquirer.ID: keeper.Client}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(d.Close(), keeper.Close()); err != nil {
			t.Error(err)
		}
	})
	p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r, err := d.Register(t.Context(), p.Device.Model); err != nil {
		t.Fatal(err, r.Problems)
	}
	o := &office{Deployment: d, t: t, play: p}
	source := FromApp{App: d.App}
	site := New(Config{Source: source, Shops: source, Authenticate: BySession(d.App), Now: time.Now, Desk: Desk{App: d.App, Origin: func(*http.Request) string { return o.origin },
		Services: map[string]string{d.Cast.Acquirer.ID: "https://keys.huaishan.example/"}}})
	mux := http.NewServeMux()
	mux.Handle("/v1/", d.API)
	mux.Handle("/", site.Routes())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	o.origin, o.client = strings.Replace(server.URL, "127.0.0.1", "localhost", 1), server.Client()
	o.ctx = browser(t)
	o.desk()
	return o, keeper
}

// The approver finds the corner shop by its name, which is in no address, sees what is missing before anybody may
// go, and is led to the acquirer's own service for the code.
func TestTheApproverFindsAMerchant(t *testing.T) {
	t.Parallel()
	o, keeper := acquirersOffice(t)
	a := o.Cast.Approver
	o.join(a.ID, a.Organisation, a.Role)
	o.open("/staff/merchants?lang=zh")
	o.until(`document.querySelectorAll("table[data-rows] tbody tr").length === 1`)
	o.look("merchants", "/staff/merchants")
	o.open("/staff/merchants?lang=zh")
	o.until(`document.readyState === "complete"`)
	o.press("j")
	o.until(`document.activeElement.dataset.open !== undefined`)
	o.js(`(() => { const f = document.querySelector("form[data-find]"); f.elements.q.value = "` + o.play.Shop.Name + `"; f.requestSubmit(); })()`)
	o.until(`location.pathname === "/staff/merchants/wei" && location.search === ""`)
	if state := o.js(`document.querySelector("[data-code-state]").dataset.codeState`); state != "" {
		t.Errorf("a code before there is one: %s", state)
	}
	if _, err := keeper.MakeCode(o.Cast.Merchant.ID, visit.RoleMerchant, "replaced"); err != nil {
		t.Fatal(err)
	}
	o.open("/staff/merchants/wei?lang=zh")
	o.until(`document.querySelector("[data-code-state]").dataset.codeState === "live"`)
	if o.js(`document.querySelector("main a[target=_blank]").href`) != "https://keys.huaishan.example/?holder=wei&role=merchant" {
		t.Error("nothing leads to the acquirer's own service")
	}
	o.until(`!document.querySelector("button[data-show]").hidden`)
	o.js(`[...document.querySelectorAll("button[data-show]")].find((b) => b.previousElementSibling.textContent.startsWith("154")).click()`)
	o.until(`document.querySelector("[data-merchant]").innerText.includes("15400000101")`)
	o.look("merchant", "/staff/merchants/wei")
	o.open("/staff/merchants?q=15400000101")
	if o.js(`document.querySelectorAll("table[data-rows]").length`) != "0" {
		t.Error("a phone in an address finds somebody")
	}
	d := o.Cast.Dispatcher
	o.join(d.ID, d.Organisation, d.Role)
	if got := o.js(`fetch("/staff/merchants").then((r) => r.status)`); got != "403" {
		t.Errorf("the dispatcher sees the merchants: %s", got)
	}
}

// fill sets fields of the page by selector, as somebody who types does.
func (o *office) fill(fields map[string]string) {
	o.t.Helper()
	for selector, value := range fields {
		o.js(`(() => { const e = document.querySelector(` + strconv.Quote(selector) + `); if (e.type === "checkbox") e.checked = ` + strconv.Quote(value) + ` === "yes"; else e.value = ` + strconv.Quote(value) + `;
			e.dispatchEvent(new Event("input", { bubbles: true })); e.dispatchEvent(new Event("change", { bubbles: true })); })()`)
	}
}

// sign presses a form's button, reads what the dialog says and signs it.
func (o *office) sign(form string, says ...string) {
	o.t.Helper()
	o.until(`!document.querySelector("` + form + ` button[type=submit]").disabled`)
	o.js(`document.querySelector("` + form + ` button[type=submit]").click()`)
	o.until(`document.querySelector("#signing").open || document.querySelector("[data-problem]:not([hidden])") !== null`)
	said := o.js(`document.querySelector("#signing").innerText + (document.querySelector("[data-problem]:not([hidden])")?.textContent ?? "")`)
	for _, s := range says {
		if !strings.Contains(said, s) {
			o.t.Errorf("signed without saying %s: %s", s, said)
		}
	}
	o.js(`document.querySelector("#signing button[value=sign]").click()`)
}

// From sign-in to a booked order under a signed sheet, by the approver alone in a browser, which the merchant then
// reads on his own page. What the rules flag is seen as it is typed, and no personal value is in an address.
func TestAnApproverBooksAnOrder(t *testing.T) {
	t.Parallel()
	o, _ := acquirersOffice(t)
	ctx, a := t.Context(), o.Cast.Approver
	o.join(a.ID, a.Organisation, a.Role)
	o.makeKey(a, o.Cast.Acquirer)
	o.open("/staff/orders/new?shop=" + o.play.Shop.ID + "&lang=zh")
	o.until(`!document.querySelector("form[data-book] button[type=submit]").disabled`)
	o.fill(map[string]string{"#provider": o.Cast.Provider.ID, "#terminal": "W1489724", "#risk": "1", "#checked": time.Now().Add(-24 * time.Hour).Format("2006-01-02T15:04"), "[name=accepted]": "yes",
		"#from": momentField(time.Now().Add(-time.Minute)), "#until": momentField(time.Now().Add(2 * time.Hour))})
	o.shot("book")
	o.sign("form[data-book]", "安装", "W1489724", "1：远程监督")
	o.until(`/^\/staff\/orders\/o-/.test(location.pathname) && document.querySelector("[data-turn]")?.dataset.turn === "approver"`)
	order := strings.TrimPrefix(o.js(`location.pathname`), "/staff/orders/")
	o.look("order-booked", "/staff/orders/"+order)
	o.open("/staff/sheets/new?order=" + order + "&lang=zh")
	o.until(`document.querySelector("[data-total]").textContent !== ""`)
	o.until(`document.querySelector("[data-invalid]").dataset.code === "sheet_terms_malformed" && document.querySelector("button[value=send]").disabled`)
	o.fill(map[string]string{"#title": "标准装机", "#terms": strings.Repeat("ab", 32), "#scope": "上门安装一台终端", "[data-fee=deposit] [data-f=amount]": "299", "[data-fee=deposit] [data-f=return]": "刷满十万退", "[data-rate=debit] [data-f=rate]": "0.5", "#warranty": "12"})
	o.until(`document.querySelector("[data-flag=deposit_by_volume]") !== null && document.querySelector("[data-total]").textContent.includes("299.00")`)
	o.shot("sheet-flagged")
	o.fill(map[string]string{"[data-fee=deposit] [data-f=return]": "机具交回后 7 个工作日内全额退回"})
	o.until(`document.querySelector("[data-flag]") === null && !document.querySelector("button[value=send]").disabled`)
	o.js(`document.querySelector("button[value=send]").click()`)
	o.until(`location.pathname === "/staff/orders/` + order + `" && document.querySelector("form[data-verb=agree]") !== null`)
	o.look("order-sent", "/staff/orders/"+order)
	o.open("/staff/orders/" + order + "?lang=zh")
	o.sign("form[data-verb=agree]", order, "¥299.00")
	o.until(`document.querySelector("[data-turn]")?.dataset.turn === "merchant" || document.querySelector("[data-problem]:not([hidden])") !== null`)
	o.look("order-agreed", "/staff/orders/"+order)
	o.look("orders", "/staff/orders")
	o.look("sheets", "/staff/sheets")
	o.open("/staff/sheets")
	o.until(`document.querySelector("table[data-rows] a[data-open]") !== null`)
	o.look("sheet", o.js(`new URL(document.querySelector("table[data-rows] a[data-open]").href).pathname`))
	wei := Viewer{Person: o.Cast.Merchant.ID, Organisation: o.Cast.Acquirer.ID, Role: visit.RoleMerchant}
	seen, err := FromApp{App: o.App}.Order(ctx, wei, visitOf(order))
	if err != nil || seen.Offer == nil || seen.Next != NextPrice || seen.Offer.NowFen != 29900 || seen.Offer.Deposit != 29900 || len(seen.Offer.Flags) != 0 {
		t.Errorf("the merchant reads %+v, %v", seen, err)
	}
	if d, err := o.App.Visit(ctx, app.Actor{Person: a.ID, Organisation: a.Organisation, Role: a.Role}, visitOf(order)); err != nil || d.Order.Risk != 1 || !d.Order.Identity.Accepted || d.Order.Items.MerchantCode != o.play.Shop.MerchantCode {
		t.Errorf("%+v, %v", d.Order, err)
	}
}

// Sheets are checked first: every problem stands there by line, and only what was found sound can be written. Then
// what is stopped waits for the risk desk under its clock.
func TestSheetsAreUploadedAndStopsAreWatched(t *testing.T) {
	t.Parallel()
	o, _ := acquirersOffice(t)
	a := o.Cast.Approver
	o.join(a.ID, a.Organisation, a.Role)
	upload := func(name, text, button string) {
		t.Helper()
		o.js(`(() => { const t = new DataTransfer(); t.items.add(new File([` + strconv.Quote(text) + `], "` + name + `")); const f = document.querySelector("form[data-import]"); f.elements.files.files = t.files;
			f.elements.files.dispatchEvent(new Event("change", { bubbles: true })); document.querySelector("[data-word]").dataset.outcome = ""; f.requestSubmit(f.querySelector("button[value='` + button + `']")); })()`)
	}
	outcome := func(want string) {
		t.Helper()
		o.until(`document.querySelector("[data-word]").dataset.outcome === "` + want + `" || document.querySelector("[data-problem]:not([hidden])") !== null`)
		if got := o.js(`document.querySelector("[data-word]").dataset.outcome + (document.querySelector("[data-problem]:not([hidden])")?.textContent ?? "")`); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	sheet := o.Cast.Sheets(o.play.Device.Model)["merchants.csv"]
	more := sheet + strings.Replace(strings.Split(sheet, "\n")[1], "wei,", "mei,", 1) + "\n"
	o.open("/staff/import?lang=zh")
	o.until(`!document.querySelector("form[data-import] button").disabled`)
	upload("merchants.csv", strings.Replace(strings.Replace(more, "15400000101", "1540000010", 1), o.play.Shop.CreditCode, "91310000MA19NUKJJ1", 1), "1")
	outcome("problems")
	if rows := o.js(`document.querySelectorAll("[data-problems] tr").length`); rows != "2" {
		t.Errorf("%s problems at once", rows)
	}
	if o.js(`document.querySelector("[data-write]").disabled`) != "true" || strings.Contains(o.js(`document.querySelector("[data-result]").innerText`), "91310000MA19NUKJJ1") {
		t.Error("what is wrong may be written, or is repeated")
	}
	o.shot("import-problems")
	upload("merchants.csv", more, "1")
	outcome("checked")
	o.until(`!document.querySelector("[data-write]").disabled`)
	o.js(`document.querySelector("[data-write]").click()`)
	outcome("imported")
	o.look("import", "/staff/import")
	o.open("/staff/merchants/mei")
	o.until(`document.querySelector("h1").textContent.startsWith("mei")`)
	for _, act := range []func(context.Context) error{o.play.Book, func(ctx context.Context) error { return o.play.Freeze(ctx, o.Cast.Dispatcher, "other") }} {
		if err := act(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	o.open("/staff/incidents?lang=zh")
	o.until(`document.querySelectorAll("table[data-rows] tbody tr").length === 1`)
	o.look("incidents", "/staff/incidents")
	o.look("terminals", "/staff/terminals")
	o.suspendAndLift()
}

// suspendAndLift is the risk desk stopping the provider as a whole: whom, what follows, signed; and lifting it.
func (o *office) suspendAndLift() {
	o.t.Helper()
	r, id := o.Cast.Risk, o.Cast.Provider.ID
	o.join(r.ID, r.Organisation, r.Role)
	o.makeKey(r, o.Cast.Acquirer)
	o.open("/staff/suspensions?kind=organisation&id=nobody&lang=zh")
	o.until(`document.querySelector("[role=alert]")?.innerText.includes("没有这个编号")`)
	o.open("/staff/suspensions?kind=organisation&id=" + id + "&lang=zh")
	o.until(`document.querySelector("form[data-type=suspension] button[type=submit]")?.disabled === false`)
	o.fill(map[string]string{"#suspend-appeal": "0529-65550001"})
	o.sign("form[data-type=suspension]", id, "涉嫌欺诈", "派不出去")
	o.until(`document.querySelectorAll("table[data-rows] tbody tr").length === 1`)
	o.look("suspensions", "/staff/suspensions?kind=organisation&id="+id)
	o.open("/staff/suspensions?lang=zh")
	o.until(`document.querySelector("form[data-type=reinstatement] button")?.disabled === false`)
	o.sign("form[data-type=reinstatement]", id, "查清了")
	o.until(`document.querySelector("table[data-rows]") === null && document.querySelector(".empty") !== null`)
}

// as makes the browser somebody else's.
func (o *office) as(token string) {
	o.t.Helper()
	o.do(send(network.SetCookie, network.SetCookieParams{Name: app.SessionCookie, Value: token, URL: o.origin, HTTPOnly: new(true)}))
}

// A settlement is laid against what the shop signed: what differs stands there in the shop's own words, is kept when it
// was seen, is told to the shop, and how it was set right is told too.
func TestASettlementIsComparedAndToldToTheShop(t *testing.T) {
	t.Parallel()
	o, _ := acquirersOffice(t)
	ctx, a := t.Context(), o.Cast.Approver
	if err := scenario.Run(ctx, o.play.Install()); err != nil {
		t.Fatal(err)
	}
	o.join(a.ID, a.Organisation, a.Role)
	o.open("/staff/settlements?lang=zh")
	o.until(`!document.querySelector("form[data-import] button").disabled`)
	line := func(reference, item, trade, taken string) string {
		return strings.Join([]string{reference, o.play.Shop.MerchantCode, o.play.Order.Terminal, string(statement.At(time.Now().Add(time.Minute))), item, trade, taken}, ",") + "\n"
	}
	text := "流水号,商户编码,终端号,扣款时间,收费项目,交易金额（分）,实收（分）\n" + line("r-1", "贷记卡", "10000", "72") + line("r-2", "借记卡", "10000", "50") + line("f-1", "押金", "", "39900")
	upload := func(text string) {
		t.Helper()
		o.js(`(() => { const t = new DataTransfer(); t.items.add(new File([` + strconv.Quote(text) + `], "九月.csv")); const f = document.querySelector("form[data-import]"); f.elements.files.files = t.files;
			f.elements.files.dispatchEvent(new Event("change", { bubbles: true })); document.querySelector("[data-word]").dataset.outcome = ""; f.requestSubmit(f.querySelector("button[value='1']")); })()`)
	}
	upload(strings.Replace(text, ",10000,72", ",,72", 1))
	o.until(`document.querySelector("[data-word]").dataset.outcome === "problems" && document.querySelector("[data-code=settlement_trade_amount]") !== null`)
	upload(text)
	o.until(`document.querySelector("[data-word]").dataset.outcome === "checked" && !document.querySelector("[data-write]").disabled`)
	if said := o.js(`document.querySelector("[data-result]").innerText`); !strings.Contains(said, "合同写 0.60%，实收 0.72%") || !strings.Contains(said, "多收 2 笔") {
		t.Error(said)
	}
	o.js(`document.querySelector("[data-write]").click()`)
	o.until(`document.querySelector("[data-word]").dataset.outcome === "imported" && document.querySelectorAll("[data-renews] tbody tr").length === 2`)
	o.shot("settlement-kept")
	o.look("settlements", "/staff/settlements")
	if file := o.js(`fetch("/staff/settlements.csv").then((r) => r.text())`); !strings.Contains(file, "r-1") || !strings.Contains(file, ",12,rate_over_sheet,") {
		t.Error(file)
	}
	o.open("/staff/settlements?lang=zh")
	o.until(`document.querySelectorAll("[data-renews] tbody tr").length === 2`)
	o.js(`[...document.querySelectorAll("[data-renews] form")].find((f) => f.closest("tr").innerText.includes("r-1")).requestSubmit()`)
	o.until(`document.querySelectorAll("[data-renews] tbody tr").length === 1`)
	m := o.Cast.Merchant
	_, token, err := o.App.IssueToken(ctx, app.TokenGrant{Kind: store.TokenSession, Person: m.ID, Organisation: o.Cast.Acquirer.ID, Role: visit.RoleMerchant, Label: "phone", Until: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	o.as(token)
	o.open("/shop?lang=zh")
	o.until(`document.querySelector("[data-overcharged]")?.innerText.includes("合同写 ¥299.00，实收 ¥399.00")`)
	o.look("shop-overcharged", "/shop")
	o.open("/shop?lang=zh")
	o.js(`document.querySelector("[data-overcharged] a").click()`)
	o.until(`location.pathname === "/shop/charges" && document.querySelectorAll("[data-charge]").length === 2`)
	if said := o.js(`document.querySelector("[data-charge=r-1]").innerText`); !strings.Contains(said, "合同写 0.60%，实收 0.72%") || !strings.Contains(said, "已退还") {
		t.Error(said)
	}
	o.look("shop-charges", "/shop/charges")
	o.open("/shop/charges?lang=zh")
	o.js(`document.querySelector("[data-charge=f-1] .turn a").click()`)
	o.until(`location.pathname === "/shop/tickets/new" && document.querySelector("#kind-fees").checked && !document.querySelector("form[data-ask] button").disabled`)
}
