//go:build browser

package pages

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// times says how often the merchant's own word of a type was recorded with the visit and its order.
func (s *street) times(kind string) int {
	s.t.Helper()
	d, err := s.App.Dossier(s.t.Context(), app.Actor{Person: "wei", Organisation: "acq-huaishan", Role: visit.RoleMerchant}, s.play.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	n := 0
	for _, e := range d.Entries {
		raw, err := statement.Base64(e.Statement)
		if err != nil {
			s.t.Fatal(err)
		}
		c, err := statement.Parse(raw)
		if err != nil {
			s.t.Fatal(err)
		}
		if c.Type == kind && c.Header.Role == visit.RoleMerchant {
			n++
		}
	}
	return n
}

// twice presses a form's button twice at once, and once more after the page went on and came back: the merchant's word
// stands once all the same.
func (s *street) twice(button, next string) {
	s.t.Helper()
	m := s.merchant
	m.until(`document.querySelector("form[data-sign] button[type=submit]:not([disabled])") !== null`)
	m.js(`(() => { const b = [...document.querySelectorAll("form[data-sign] button")].find((b) => b.textContent.includes("` + button + `")); b.click(); b.click(); })()`)
	m.at(next)
	m.js(`history.back()`)
	m.until(`document.readyState === "complete"`)
	m.js(`void (location.href = "/shop/visits/v1")`)
	m.at(next)
	m.js(`location.reload()`)
	m.at(next)
}

// at waits until the order page asks for what comes next.
func (h *handset) at(next string) {
	h.t.Helper()
	h.until(`location.pathname === "/shop/visits/v1" && document.querySelector("[data-next]")?.dataset.next === "` + next + `"`)
}

// A merchant's whole order on one phone, against the real server: from the one-time code to the bundle. At every
// step of hers a second tap, a reload and the way back do nothing twice, and the page goes on by itself when others acted.
func TestAMerchantsWholeOrder(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	s.opensShop()
	m := s.merchant
	if n := s.times(agreement.TypeAgreement); n != 1 {
		t.Errorf("the price is signed %d times", n)
	}
	m.open("/shop/visits/v1/price")
	m.sees("您已经签过这份价格")
	m.open("/shop")
	m.sees("您先等着，轮到派人的公司")
	m.press("看这一单")
	m.at(NextSend)
	m.unfolds()
	s.scenes("dispatch", "ask dispatch")
	m.at(NextDoor) // by itself
	m.stillUnfolded()
	s.isAskedAtTheStart()
	s.startsShift()
	lan := s.technician

	m.tap("先核对")
	m.tap("开始核对")
	m.sees("请对方用自己的手机扫这个码")
	lan.press("去做")
	m.enlarges("rem")
	lan.scans(m, "[data-qr]")
	lan.press("扫店主的码")
	lan.press("是这家店，出示工作证")
	m.sees("照片上的人，是您面前这位吗")
	m.js(`(() => { const b = [...document.querySelectorAll("button")].find((b) => b.textContent.includes("是同一个人")); b.click(); b.click(); })()`)
	m.taps++
	m.until(`!document.querySelector('[data-state="admitted"]').hidden`)
	if m.taps > 3 {
		t.Errorf("%d taps at the door", m.taps)
	}
	if n := s.times(visit.TypeAdmission); n != 1 {
		t.Errorf("admitted %d times", n)
	}

	m.open("/shop")
	m.until(`document.querySelector('[data-turn="v1"]')?.dataset.for === "device"`)
	m.shot("journey-home")
	m.press("核对机器")
	m.sees("028119")
	m.shot("journey-device")
	s.twice("是", NextKeep)
	m.press("回答")
	s.twice("没有要留的", NextWork)
	s.scenes("arrive", "attest", "ask trial", "release trial")
	m.at(NextTrial)
	m.press("看着试一笔")
	m.sees("还没有开始")
	s.scenes("acceptance")
	m.sees("试收一笔，收到了") // by itself
	m.shot("journey-trial")
	s.workOfOthers()
	m.press("都好了，确认")
	m.sees("四个问题，照实回答")
	for _, q := range []string{"works", "staff_shown", "refunds_protected", "paid_nothing_beside"} {
		m.js(`document.getElementById("` + q + `-yes").click()`)
	}
	m.shot("journey-confirm")
	s.twice("签字确认", NextLive)
	s.scenes("ask live", "release live", "ask close")
	m.at(NextReview)
	m.shot("journey-closed")
	m.press("评价")
	m.sees("这次办得怎么样")
	m.js(`document.getElementById("stars-5").click()`)
	s.twice("签字提交", NextDone)
	for _, kind := range []string{visit.TypeStep, visit.TypeNothingToKeep, visit.TypeConfirmation, visit.TypeReview} {
		if n := s.times(kind); n != 1 {
			t.Errorf("%s stands %d times", kind, n)
		}
	}
	s.keepsTheEvidence()
	s.asksForHelp()
	s.isToldOfAStranger()
	s.isToldOfACharge()
}

// isAskedAtTheStart looks at the start page: this phone is set up, so the one thing to do is to check who comes.
func (s *street) isAskedAtTheStart() {
	s.t.Helper()
	m := s.merchant
	m.open("/shop")
	m.sees("人来了，就轮到您")
	m.sees("让店员的手机也能核对")
	if m.js(`String(document.getElementById("unset").hidden)`) != "true" {
		s.t.Error("a phone that is set up is told to set itself up")
	}
	m.press("看这一单")
	m.at(NextDoor)
}

// isToldOfAStranger has somebody type the code from the door sticker: the shop's open page shows it by itself, with the
// real answer, and one tap of two makes one request of it for the acquirer's risk desk.
func (s *street) isToldOfAStranger() {
	s.t.Helper()
	err := s.Store.Write(s.t.Context(), func(tx *store.Tx) error {
		if err := tx.PutMerchant(s.t.Context(), store.Merchant{ID: "wei", Org: "acq-huaishan", Doc: "{}"}); err != nil {
			return err
		}
		return tx.PutShop(s.t.Context(), store.Shop{ID: s.play.Order.Shop, Merchant: "wei", Province: "31", Region: "2900", Doc: "{}"})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	m, passerBy := s.merchant, s.technician
	m.open("/shop")
	m.sees("现在没有安排人到您店里")
	passerBy.open("/s/" + s.play.Order.Shop)
	passerBy.until(`document.getElementById("call-asks_money") !== null`)
	passerBy.js(`document.getElementById("call-asks_money").click()`)
	passerBy.press("告诉老板")
	passerBy.sees("已转告")
	m.sees("对方要钱") // by itself
	m.sees("那时候没有安排任何人")
	m.shot("journey-stranger")
	m.js(`(() => { const b = document.querySelector('form[action^="/shop/calls/"] button'); b.click(); b.click(); })()`)
	m.sees("已告诉风控")
	fang := app.Actor{Person: s.Cast.Risk.ID, Organisation: s.Cast.Risk.Organisation, Role: s.Cast.Risk.Role}
	list, _, err := s.App.Tickets(s.t.Context(), fang, "", "", 0)
	if n := len(slices.DeleteFunc(list, func(k app.Ticket) bool { return k.Row.Kind != "stranger" })); err != nil || n != 1 {
		s.t.Errorf("the risk desk has %d reports of a stranger, %v", n, err)
	}
}

// unfolds opens what he wants to read, and holds a finger on it.
func (h *handset) unfolds() {
	h.t.Helper()
	h.js(`(() => { window.stayed = "yes"; window.fold = document.querySelector(".folds details"); fold.open = true;
		const summary = fold.querySelector("summary"); summary.focus(); summary.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true })); return ""; })()`)
}

// stillUnfolded holds the page to that after it has changed: it waited for the finger, and was not loaded anew.
func (h *handset) stillUnfolded() {
	h.t.Helper()
	if got := h.js(`[window.stayed, document.querySelector(".folds details").open, document.querySelector(".folds details") !== window.fold, document.activeElement.tagName].join()`); got != "yes,true,true,SUMMARY" {
		h.t.Errorf("the page took away what was being read: %s", got)
	}
}

// isToldOfACharge takes a membership fee that nobody agreed to, days after the visit: the open page turns red by itself
// and offers what to do.
func (s *street) isToldOfACharge() {
	s.t.Helper()
	m := s.merchant
	m.open("/shop/visits/v1")
	m.at(NextDone)
	m.unfolds()
	charge := agreement.Charge{At: statement.At(time.Now()), Code: "membership", AmountFen: 29900, Kind: agreement.ChargeOther, Reference: "m-1"}
	if err := s.Host.ChargeOrder(s.play.Order.Order, charge); err != nil {
		s.t.Fatal(err)
	}
	if err := s.App.WatchCharges(s.t.Context(), "v1", "v1#1"); err != nil {
		s.t.Fatal(err)
	}
	m.sees("机器开通了，但多扣了钱") // by itself
	m.stillUnfolded()
	m.sees("¥299.00")
	m.shot("journey-charged")
	m.press("让收单机构查、退钱")
	m.until(`document.getElementById("kind-fees")?.checked`)
	m.open("/shop")
	m.sees("已停止，等收单机构查")
}

// workOfOthers is what technician, supervisor and device do meanwhile.
func (s *street) workOfOthers() {
	s.t.Helper()
	for _, rule := range s.Cast.Parameters.StepsFor(s.play.Order.Kind) {
		if rule.By == visit.RoleMerchant {
			continue
		}
		var photos []visit.Photo
		for range rule.Photos {
			photos = append(photos, s.play.Shot(rule.Step))
		}
		if err := s.play.Step(s.t.Context(), s.Cast.Technician, rule.Step, photos...); err != nil {
			s.t.Fatal(rule.Step, err)
		}
	}
	s.scenes("sign off", "attest again")
}

// keepsTheEvidence downloads the bundle with the phone, which the verifier's own package then judges, and the report for the file.
func (s *street) keepsTheEvidence() {
	s.t.Helper()
	m := s.merchant
	m.open("/shop/visits/v1")
	bundle := m.js(`fetch("/visits/v1/bundle").then((r) => r.text())`)
	opened, err := evidence.Open([]byte(bundle))
	if err != nil {
		s.t.Fatal(err)
	}
	if r := evidence.Verify(opened, s.App.Trust); !r.Accepted() {
		s.t.Errorf("the bundle that the phone keeps is not accepted: %+v", r.Refusal)
	}
	if report := m.js(`fetch("/visits/v1/report").then((r) => r.text())`); !strings.Contains(report, "<svg") || !strings.Contains(report, `class="digest"`) {
		s.t.Error("a report without its code")
	}
	m.js(`document.querySelector('a[href="/visits/v1"]').closest("details").open = true`)
	m.press("看全部记录、下载证据")
	m.until(`location.pathname === "/visits/v1"`)
	m.sees("下载")
	m.shot("journey-record")
}

// asksForHelp reports a printer by two taps at once: one request, whose clocks run.
func (s *street) asksForHelp() {
	s.t.Helper()
	m := s.merchant
	m.open("/shop/visits/v1")
	m.press("报修、求助")
	m.sees("哪里不对？")
	m.until(`document.getElementById("kind-printing") !== null && !document.querySelector("form[data-ask] button").disabled`)
	m.js(`document.getElementById("kind-printing").click(), document.getElementById("note").value = "打不出小票", document.getElementById("note").dispatchEvent(new Event("input", { bubbles: true }))`)
	key := m.js(`document.querySelector("form[data-ask]").dataset.key`)
	m.do(chromedp.Reload())
	m.until(`document.querySelector("#kind-printing")?.checked && document.getElementById("note").value === "打不出小票"`)
	if again := m.js(`document.querySelector("form[data-ask]").dataset.key`); again != key {
		s.t.Errorf("after a reload it is another request: %s, then %s", key, again)
	}
	m.until(`!document.querySelector("form[data-ask] button").disabled`)
	m.js(`(() => { const b = document.querySelector("form[data-ask] button"); b.click(); b.click(); })()`)
	m.sees("收到了，等人回话")
	m.sees("这次不收钱")
	m.sees("打不出小票")
	m.shot("journey-ticket")
	if kept := m.js(`sessionStorage.getItem("shop-ticket-draft")`); kept != "" && kept != "null" {
		s.t.Errorf("what was sent is kept: %s", kept)
	}
	list, _, err := s.App.Tickets(s.t.Context(), app.Actor{Person: "wei", Organisation: "acq-huaishan", Role: visit.RoleMerchant}, "", "", 0)
	if err != nil || len(list) != 1 {
		s.t.Fatalf("%d requests, %v", len(list), err)
	}
	qiu := app.Actor{Person: s.Cast.Dispatcher.ID, Organisation: s.Cast.Dispatcher.Organisation, Role: s.Cast.Dispatcher.Role}
	for _, step := range []struct{ verb, note string }{{"answer_ticket", "明天上午带新打印头来"}, {"resolve_ticket", ""}} {
		if _, err := s.App.ActOnTicket(s.t.Context(), qiu, list[0].Row.ID, step.verb, "", step.note); err != nil {
			s.t.Fatal(step.verb, err)
		}
	}
	m.sees("明天上午带新打印头来") // by itself
	m.open("/shop/tickets/" + list[0].Row.ID)
	m.press("修好了")
	m.until(`document.querySelector(".sign .word").textContent === "修好了"`)
}
