//go:build browser

package pages

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// A colleague who was not sent scans the shop's code, by his app or a doctored one: the shop sees red at once and can report
// with one tap, not "expired" after ninety seconds. The one who was sent answers the same code all the same. When his own badge
// is taken back, that is red too, with its reason.
func TestSomebodyElseScans(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	s.opensShop()
	s.scenes("dispatch", "ask dispatch")
	s.startsShift()
	wei, lan, bo := s.merchant, s.technician, s.newHandset()
	s.comesToWork(bo, "bo", scenario.Hide("name", "bo").Commitment, scenario.Hide("photo", "x").Commitment)

	wei.open("/shop/visits/v1/door")
	wei.begins("开始核对")
	bo.scans(wei, "[data-qr]")
	bo.press("扫店主的码")
	bo.until(`document.querySelector("main .problem")?.dataset.code === "challenge_other_order"`)
	bo.shot2("stranger-app")
	wei.until(`!document.querySelector('[data-state="another"]').hidden`)
	for _, says := range []string{"这个人不是派来的", "别让对方动 POS 机", "没有派他来您店里", "安装到家（演示）", "报告，停止这次上门"} {
		wei.sees(says)
	}
	if got := wei.js(`document.querySelector('[data-state="another"]').innerText.includes("bo") || document.querySelector("[data-photo]").src !== ""`); got != "false" {
		t.Error("the shop is told who he is")
	}
	wei.shot2("another")

	wei.press("派来的人也到了")
	lan.press("去做")
	lan.scans(wei, "[data-qr]")
	lan.press("扫店主的码")
	lan.press("是这家店，出示工作证")
	wei.sees("照片上的人，是您面前这位吗")
	wei.sees("那人不是派来的。只认照片上这位。")
	wei.shot2("another-face")

	qiu := s.play.Cast.Dispatcher
	if _, err := s.App.EndBadges(t.Context(), app.Actor{Person: qiu.ID, Organisation: qiu.Organisation, Role: qiu.Role}, "lan", "left"); err != nil {
		t.Fatal(err)
	}
	wei.open("/shop/visits/v1/door")
	wei.begins("开始核对")
	lan.atDoor()
	lan.scans(wei, "[data-qr]")
	lan.press("扫店主的码")
	lan.press("是这家店，出示工作证")
	wei.refuses("工作证已被停用")
	wei.shot2("refused-revoked")
	wei.press("报告，停止这次上门")
	wei.until(`[...document.querySelectorAll("[data-reported]")].some((e) => e.checkVisibility())`)
}

// shown is which state of the door page stands there.
func (h *handset) shown(state string) {
	h.t.Helper()
	h.until(`document.querySelector(".screen:not([hidden])").dataset.state === "` + state + `"`)
}

// Somebody stands in the shop and scans nothing. From the first second the page says how to take that, with the report one tap away;
// when nobody has scanned in time, the end is red by itself. Who came through all the same may still be checked.
func TestSomebodyScansNothing(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	s.opensShop()
	s.scenes("dispatch", "ask dispatch")
	wei := s.merchant
	wei.open("/shop/visits/v1/door")
	wei.sees("一律当假的")
	wei.begins("开始核对")
	for _, says := range []string{"不肯扫的、说不用核对的，一律当假的", "别让他碰 POS 机", "他不肯扫：报告，停止这次上门"} {
		wei.sees(says)
	}
	if seen := wei.js(`(() => { const b = document.querySelector('[data-state="waiting"] [data-act="unwilling"]').getBoundingClientRect(); return scrollTo(0, 0), b.height >= 44; })()`); seen != "true" {
		t.Error("the report is too small to press")
	}
	wei.shot2("unwilling-waiting")

	wei.ahead(91 * time.Second)
	wei.shown("expired")
	for _, says := range []string{"没核对成，先当假的", "别让对方动 POS 机", "报告，停止这次上门", "拨打 110"} {
		wei.sees(says)
	}
	if wei.js(`document.querySelector('[data-state="expired"]').classList.contains("sign-stop")`) != "true" {
		t.Error("what nobody answered is not red")
	}
	wei.shot2("unwilling-expired")
	wei.js(`(Date.now = window.trueNow, 0)`)
	wei.begins("重新核对") // who was only slow

	if n := s.times(visit.TypeIncident); n != 0 {
		t.Errorf("%d reports that nobody made", n)
	}
	wei.js(`(() => { const b = [...document.querySelectorAll("button")].find((b) => b.checkVisibility() && b.textContent.includes("他不肯扫")); b.click(); b.click(); })()`)
	wei.shown("unwilling")
	for _, says := range []string{"不肯扫，就当假的", "别让对方动 POS 机", "请对方离开", "拨打 110"} {
		wei.sees(says)
	}
	wei.until(`document.querySelector('[data-state="unwilling"] [data-reported]').checkVisibility()`)
	wei.shot2("unwilling-reported")
	if n := s.times(visit.TypeIncident); n != 1 {
		t.Errorf("reported %d times", n)
	}
	wei.open("/shop/visits/v1")
	wei.at(NextStopped)
}

// Without signal the report cannot go out: red stands there all the same, says so, and the next tap tries again.
func TestSomebodyScansNothingWithoutSignal(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	s.opensShop()
	s.scenes("dispatch", "ask dispatch")
	wei := s.merchant
	wei.open("/shop/visits/v1/door")
	wei.until(`document.body.dataset.kept === "whole"`)
	s.down()
	wei.signal(false)
	wei.begins("开始核对")
	wei.sees("不肯扫的、说不用核对的，一律当假的")
	wei.press("他不肯扫")
	wei.shown("unwilling")
	wei.until(`[...document.querySelectorAll('[data-state="unwilling"] [data-problem]')].some((e) => !e.hidden)`)
	wei.shot2("unwilling-unsent")
	s.up()
	wei.signal(true)
	wei.press("报告，停止这次上门")
	wei.until(`document.querySelector('[data-state="unwilling"] [data-reported]').checkVisibility()`)
	if n := s.times(visit.TypeIncident); n != 1 {
		t.Errorf("reported %d times", n)
	}
}

// Somebody comes for an order to which nobody has been sent: red, and one tap reports it and stops the order's visit.
func TestSomebodyComesWhomNobodySent(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	s.opensShop()
	wei := s.merchant
	wei.open("/shop/visits/v1/door")
	wei.press("开始核对")
	wei.shown("unscheduled")
	for _, says := range []string{"现在没有安排人到您店里", "别让对方碰 POS 机", "拨打 110", "回到我的店"} {
		wei.sees(says)
	}
	wei.shot2("unscheduled")
	wei.press("报告，停止这次上门")
	wei.until(`document.querySelector('[data-state="unscheduled"] [data-reported]').checkVisibility()`)
	if n := s.times(visit.TypeIncident); n != 1 {
		t.Errorf("reported %d times", n)
	}
	wei.open("/shop/visits/v1")
	wei.at(NextStopped)
}
