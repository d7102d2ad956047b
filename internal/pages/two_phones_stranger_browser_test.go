//go:build browser

package pages

import (
	"testing"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/scenario"
)

// A colleague who was not sent scans the shop's code, by his app or a doctored one: the shop sees red at once and can report
// with one tap, not "expired" after ninety seconds. The one who was sent answers the same code all the same. When his own badge
// is taken back, that is red too, with its reason.
func TestSomebodyElseScans(t *testing.T) {
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
