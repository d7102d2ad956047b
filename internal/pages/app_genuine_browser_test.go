//go:build browser

package pages

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// Lan looks at her day where there is no signal. Each visit says whether its order is genuine, by what this phone checked itself,
// before she sets out: an order that the dispatcher did not sign for this visit, one that the acquirer did not sign, one that
// shows another shop, and a phone that was never told whose list to believe.
func TestTheDaySaysWhichOrdersAreGenuine(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.enrolled()
	f.sees("✓ 订单是真的")
	f.sees("槐山支付（演示）签的单，安装到家（演示）签的派工")
	f.until(`document.body.dataset.kept === "whole"`)
	f.cellar()
	f.sees("✓ 订单是真的")
	f.shot("day-genuine")
	for _, c := range []struct{ change, code, says string }{
		{`const o = { ...v, id: "v0", package: structuredClone(v.package) }; await s.mergeVisit("v0", o);`, "dispatch_differs", "这一单不对，别去"},
		{`await s.dropVisit("v0"); v.package.openings.shop.value = "别的路 1 号"; await s.mergeVisit("v1", { package: v.package });`, "opening_stray", "屏幕上的店和派工单签的不是同一家"},
		{`v.package.order_papers.order = v.package.dispatch.envelope; await s.mergeVisit("v1", v);`, "statement_type_differs", "收单机构的订单"},
		{`await s.setAbout("trust_key:technician:svc-anzhuang:lan", undefined);`, "trust_list_key_unknown", "真假核对不了"},
	} {
		f.js(`import(document.body.dataset.assets + "app-store.mjs").then(async (s) => { const v = await s.visit("v1"); ` + c.change + ` return ""; })`)
		f.do(chromedp.Reload())
		f.until(`document.querySelector("article [data-genuine=no][data-code=` + c.code + `]") !== null`)
		f.sees(c.says)
		if c.code == "dispatch_differs" && f.js(`document.querySelectorAll("article [data-genuine=yes]").length`) != "1" {
			t.Error("the genuine one beside it is not told from it")
		}
		f.shot("day-" + c.code)
	}
	f.press("去做")
	f.sees("真假核对不了")
}
