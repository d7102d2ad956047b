//go:build browser

package pages

import (
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/visit"
)

// One merchant by hand, from the empty form to the code that the acquirer's own service prints: what is wrong stands at
// its field in the reader's language, a credit code on file is asked about, nothing typed is kept on the computer, and a
// trade that does not fit is told without stopping anybody.
func TestAnApproverRegistersAMerchantByHand(t *testing.T) {
	t.Parallel()
	o, keeper := acquirersOffice(t)
	a := o.Cast.Approver
	o.join(a.ID, a.Organisation, a.Role)
	o.open("/staff/merchants?lang=zh")
	o.until(`document.querySelector("main a[href='/staff/merchants/new']") !== null`)
	o.look("merchant-new", "/staff/merchants/new")
	press := func() {
		t.Helper()
		o.until(`!document.querySelector("form[data-new-merchant] button").disabled`)
		o.js(`document.querySelector("form[data-new-merchant] button").click()`)
	}
	o.open("/staff/merchants/new?lang=en")
	press()
	o.until(`document.querySelector("[data-problem]").dataset.code === "merchant_fields" && document.activeElement.name === "name"`)
	if said := o.js(`document.querySelector("[data-wrong='shop.position']").textContent`); said != "This must be filled in." {
		t.Errorf("in English it says %s", said)
	}
	o.js(`document.querySelector("form").reset()`)
	o.open("/staff/merchants/new?lang=zh")
	o.until(`!document.querySelector("form[data-new-merchant] button").disabled`)
	typed := map[string]string{"[name=name]": "示例花店", "[name=credit_code]": o.play.Shop.CreditCode, "[name=principal]": "示例梅", "[name=principal_id]": "360426199101010072", "[name=phone]": "1540000010",
		"[name=account_kind]": "card", "[name=account]": "310066661018800012345", "[name=merchant_code]": "531000012973385", "[name='shop.name']": "示例花店", "[name='shop.address']": "槐山路 2 号",
		"[name='shop.position']": "31.23,121.47", "[name='shop.province']": "31", "[name='shop.region']": "3050", "[name='shop.category']": "5992", "[name='shop.opening_hours']": "09:00-21:00"}
	o.fill(typed)
	if o.js(`document.querySelector("[data-another]").checkVisibility()`) != "false" {
		t.Error("it is asked about another merchant before there is one")
	}
	press()
	o.until(`document.querySelectorAll("[aria-invalid=true]").length === 4 && document.activeElement.name === "principal_id"`)
	if said := o.js(`[...document.querySelectorAll("[data-wrong]")].map((w) => w.textContent).filter(Boolean).join(" ")`); strings.Contains(said, "360426199101010072") || !strings.Contains(said, "11 位") {
		t.Errorf("it says %s", said)
	}
	o.until(`document.getElementById(document.querySelector("[name=phone]").getAttribute("aria-describedby").split(" ").pop()).textContent !== ""`)
	o.shot("merchant-new-wrong")
	for _, p := range askAxe(o.ctx) {
		t.Error(p)
	}
	o.fill(map[string]string{"[name=principal_id]": "360426199101010071", "[name=phone]": "15400000102", "[name=account_kind]": "company", "[name='shop.position']": "+31.23/+121.47"})
	press()
	o.until(`document.querySelector("[data-problem]").dataset.code === "merchant_on_file" && document.querySelector("[data-another]").checkVisibility()`)
	o.fill(map[string]string{"[name=credit_code]": "91310000MAP0CRUTY0"})
	if kept := o.js(`JSON.stringify({ ...localStorage, ...sessionStorage }) + location.href`); strings.Contains(kept, "1540") || strings.Contains(kept, "9131") {
		t.Errorf("the computer keeps %s", kept)
	}
	press()
	o.until(`document.querySelector("[data-registered]") !== null`)
	id := strings.TrimPrefix(o.js(`location.pathname`), "/staff/merchants/")
	if to := o.js(`document.querySelector("main a[target=_blank]").href`); to != "https://keys.huaishan.example/?holder="+id+"&role=merchant" {
		t.Errorf("the way to the code is %s", to)
	}
	o.until(`document.querySelector("[data-warning=merchant_code_trade_differs]") !== null`)
	o.look("merchant-registered", "/staff/merchants/"+id+"?new=1")
	if _, err := keeper.MakeCode(id, visit.RoleMerchant, "replaced"); err != nil {
		t.Fatal(err)
	}
	o.open("/staff/merchants/" + id + "?lang=zh")
	o.until(`document.querySelector("[data-code-state]").dataset.codeState === "live" && document.querySelector("[data-registered]") === null`)
	rows, _, err := o.App.Merchants(t.Context(), app.Actor{Person: a.ID, Organisation: a.Organisation, Role: a.Role}, app.MerchantFilter{})
	if err != nil || len(rows) != 2 {
		t.Errorf("%d merchants, %v", len(rows), err)
	}
	r := o.Cast.Risk
	o.join(r.ID, r.Organisation, r.Role)
	o.open("/staff/merchants?lang=zh")
	if o.js(`document.querySelector("main a[href='/staff/merchants/new']") === null`) != "true" {
		t.Error("the risk desk is offered the form")
	}
	if got := o.js(`fetch("/staff/merchants/new").then((r) => r.status)`); got != "403" {
		t.Errorf("the risk desk opens it: %s", got)
	}
}
