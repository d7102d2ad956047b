//go:build browser

package pages

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/internal/visit"
)

// A server, or whoever sits in it, shows lan another shop than the dispatcher signed. The phone says so by itself,
// shows no badge there, and lan signs that he does not go in: without signal, and it arrives.
func TestAnOrderThatIsNotGenuine(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.enrolled()
	f.press("去做")
	f.sees("这一单是真的")
	f.shot("genuine")
	f.until(`document.body.dataset.kept === "whole"`)
	f.cellar()
	f.js(`import(document.body.dataset.assets + "app-store.mjs").then(async (s) => { const v = await s.visit("v1"); v.package.openings.shop.value = "别的路 1 号"; await s.mergeVisit("v1", { package: v.package }); return ""; })`)
	f.do(chromedp.Reload())
	f.sees("这一单不对，别去")
	f.until(`document.querySelector("[data-genuine=no]").dataset.code === "opening_stray"`)
	f.holds("a step of a false order is still to be done", `document.querySelector(".step.now, .step.refused, [aria-current=step]") === null`)
	f.shot("not-genuine")
	f.press("今天不做")
	f.shot("not-today")
	f.js(`document.querySelector("input[value=unsafe_premises]").click()`)
	f.press("签字：今天不做")
	f.sees("已签：今天不做")
	f.sees("离线，1 项待发送")
	f.shot("refused-unsent")
	f.upstairs()
	f.sees("没让进")
	if w := f.work(); w.Stage != string(visit.Refused) {
		t.Errorf("the visit is %s", w.Stage)
	}
}
