//go:build browser

package pages

import (
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/visit"
)

// A stall without a business licence: the approver ticks so, is asked for no credit code, and signs an order that binds
// the terminal to the very principal whom the identity check names. Nobody's number is in an address or kept on the computer.
func TestAMerchantWithoutACodeIsRegisteredAndBooked(t *testing.T) {
	o, _ := acquirersOffice(t)
	ctx, a := t.Context(), o.Cast.Approver
	chen := app.Actor{Person: a.ID, Organisation: a.Organisation, Role: a.Role}
	o.join(a.ID, a.Organisation, a.Role)
	o.makeKey(a, o.Cast.Acquirer)
	ready := `!document.querySelector("form[data-new-merchant] button").disabled`
	o.open("/staff/merchants/new?lang=en")
	o.until(ready)
	o.fill(map[string]string{"[name=micro]": "yes"})
	if o.js(`document.querySelector("[name=credit_code]").checkVisibility()`) != "false" {
		t.Error("a code is asked for that there is none of")
	}
	o.js(`document.querySelector("form[data-new-merchant] button").click()`)
	o.until(`document.querySelector("[data-problem]").dataset.code === "merchant_fields"`)
	if said := o.js(`document.querySelector("[data-wrong=credit_code]").textContent`); said != "" {
		t.Errorf("of the code it says %s", said)
	}
	o.shot("merchant-micro-en")
	for _, p := range askAxe(o.ctx) {
		t.Error(p)
	}
	o.js(`document.querySelector("form").reset()`)
	o.open("/staff/merchants/new?lang=zh")
	o.until(ready)
	o.fill(map[string]string{"[name=micro]": "yes", "[name=id]": "m-stall", "[name=name]": "示例早点摊", "[name=principal]": "示例早", "[name=principal_id]": "11010519491231002X", "[name=phone]": "15400000103",
		"[name=account_kind]": "company", "[name=account]": "310066661018800012346", "[name=merchant_code]": "531000012973386", "[name='shop.name']": "示例早点摊", "[name='shop.address']": "槐山路 3 号",
		"[name='shop.position']": "+31.23/+121.47", "[name='shop.province']": "31", "[name='shop.region']": "2900", "[name='shop.category']": "5812", "[name='shop.opening_hours']": "05:00-10:00", "[name='shop.id']": "s-stall"})
	o.shot("merchant-micro")
	if kept := o.js(`JSON.stringify({ ...localStorage, ...sessionStorage }) + location.href`); strings.Contains(kept, "1101") {
		t.Errorf("the computer keeps %s", kept)
	}
	o.js(`document.querySelector("form[data-new-merchant] button").click()`)
	o.until(`document.querySelector("[data-wrong=account]").textContent.includes("小微商户没有对公账户")`)
	o.fill(map[string]string{"[name=account_kind]": "card", "[name=account]": "6200000000000005"})
	o.js(`document.querySelector("form[data-new-merchant] button").click()`)
	o.until(`document.querySelector("[data-registered]") !== null`)
	o.play.Shop.ID = "s-stall"
	order := o.books(booked{kind: visit.Install, terminal: "W1489799", says: []string{"安装", "W1489799"}})
	d, err := o.App.Visit(ctx, chen, visitOf(order))
	if err != nil || d.Order.Merchant != "m-stall" || d.Order.Items.CreditCode != "" || d.Order.Items.Principal == "" || d.Order.Items.Principal != d.Order.Identity.Principal {
		t.Errorf("%+v, %v", d.Order, err)
	}
}
