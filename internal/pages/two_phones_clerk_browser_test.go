//go:build browser

package pages

import (
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/agreement"
)

// letsIn has wei's phone let a clerk's phone in, from screen to screen; what is between may change the address.
func (s *street) letsIn(ming *handset, between func(address string) string) {
	s.t.Helper()
	wei := s.merchant
	wei.open("/shop/clerks")
	wei.until(`document.getElementById("clerks") !== null && document.querySelector('[data-act="begin"]') !== null`)
	wei.press(wei.js(`document.querySelector('[data-act="begin"]').textContent`))
	wei.until(state + ` === "code"`)
	ming.open("/shop/phone") // a fragment alone would load nothing anew
	ming.open(between(wei.js(`(() => { const u = new URL(document.querySelector("[data-qr]").dataset.address); return u.pathname + u.search + u.hash; })()`)))
	ming.until(`document.getElementById("code").value.length === 12 && !document.querySelector("form[data-join] button").disabled`)
	ming.press(ming.js(`document.querySelector("form[data-join] button").textContent`))
	wei.until(state + ` === "compare"`)
	wei.js(`document.querySelector('[data-act="same"]').click()`)
}

// The owner is out and the shop has no signal: the clerk's own phone tells that the technician is the one who was
// sent. What it may not do is the owner's: the price, on the page and past it.
func TestAClerksPhoneAtTheDoor(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	s.opensShop()
	ming := s.newHandset()
	s.letsIn(ming, func(address string) string {
		return address[:strings.LastIndexByte(address, '.')+1] + strings.Repeat("0", 64)
	})
	ming.sees("可能有人动了手脚") // what it was told to believe is not what the owner's phone believes
	s.letsIn(ming, func(address string) string { return address })
	ming.until(`location.pathname === "/shop"`)
	ming.open("/shop/visits/v1/price")
	ming.sees("店员的手机不能签价格")
	got := ming.js(`(async () => { ` + modules + `
		const { signHere, send } = await m("shop.mjs");
		const what = { stream: "order", verb: "agree", type: "agreement", body: JSON.parse('` + signable(agreement.Accept(s.play.Order.Order, s.play.Sheet, nil, agreement.None, s.play.Cast.Acquirer.ID)) + `') };
		try { await send(what, await signHere(what)); return "signed"; } catch (e) { return e.code; }
	})()`)
	if got != "access_denied" {
		t.Errorf("the clerk's signature on the price: %s", got)
	}

	s.scenes("dispatch", "ask dispatch")
	s.startsShift()
	lan := s.technician
	lan.until(`document.body.dataset.kept === "whole"`)
	lan.press("去做")
	lan.sees("扫店主的码")
	ming.open("/shop/visits/v1")
	ming.until(`document.body.dataset.kept === "whole"`)
	s.merchant = ming // who stands at the counter
	s.cut()
	ming.press("先核对")
	ming.begins("开始核对")
	ming.enlarges("text") // her phone is set so, and the codes are read off it all the same
	lan.enlarges("rem")
	lan.scans(ming, "[data-qr]")
	lan.press("扫店主的码")
	lan.press("是这家店，出示工作证")
	lan.sees("没信号：请店主扫这个码")
	ming.scans(lan, "figure.code")
	ming.press("对方扫好了，我来扫他的")
	ming.sees("照片上的人，是您面前这位吗")
	ming.sees(lan.js(`document.querySelector(".digits").textContent`))
	ming.press("是同一个人")
	ming.until(`!document.querySelector('[data-state="offline"]').hidden`)
	s.restored()
	ming.sees("有信号了，服务器也查过：没问题。")
	lan.sees("扫机箱")
}
