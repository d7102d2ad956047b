//go:build browser

package pages

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/visit"
)

// lists writes two lists of a backup, which are the same when it restores.
func lists(t *testing.T) (made, restored string) {
	t.Helper()
	for i, name := range []*string{&made, &restored} {
		*name = filepath.Join(t.TempDir(), "list-"+itoa(i)+".txt")
		if err := os.WriteFile(*name, []byte("goods 120\nmembers 80\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return made, restored
}

// works does everything up to the trial: parcel, backup, a photo of each step.
func (h *handset) works() {
	h.t.Helper()
	h.sees("在柜台上")
	h.parcel()
	h.press("有：备份，并试恢复一次")
	made, restored := lists(h.t)
	h.chooses("#b-made", made)
	h.chooses("#b-restored", restored)
	h.press("签字：备份能恢复")
	h.photos("招牌和店门", mountedShot, counterShot)
}

// offlineDoor is the door with both phones without signal and the server stopped, up to green on the shop's phone.
func (s *street) offlineDoor() {
	s.t.Helper()
	wei, lan := s.merchant, s.technician
	wei.tap("先核对")
	wei.sees("人到了？先核对")
	wei.tap("开始核对")
	wei.sees("没有信号，也能核对")
	lan.scans(wei, "[data-qr]")
	lan.press("扫店主的码")
	lan.press("是这家店，出示工作证")
	lan.sees("没信号：请店主扫这个码")
	wei.scans(lan, "figure.code")
	wei.tap("对方扫好了，我来扫他的")
	wei.sees("照片上的人，是您面前这位吗")
	wei.tap("是同一个人")
	wei.sees("有信号会自动送出")
}

// verified has menshen-verify, as people run it, judge what the merchant downloads.
func (s *street) verified() {
	s.t.Helper()
	dir := s.t.TempDir()
	program := filepath.Join(dir, "menshen-verify")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/menshen-verify").CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	trust, err := json.Marshal(s.App.Trust.File())
	if err != nil {
		s.t.Fatal(err)
	}
	s.merchant.open("/shop/visits/v1")
	bundle := []byte(s.merchant.js(`fetch("/visits/v1/bundle").then((r) => r.text())`))
	for name, data := range map[string][]byte{"trust.json": trust, "bundle.json": bundle} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	if out, err := exec.Command(program, "--trust", filepath.Join(dir, "trust.json"), filepath.Join(dir, "bundle.json")).CombinedOutput(); err != nil {
		s.t.Errorf("menshen-verify: %v\n%s", err, out)
	}
	bundle[len(bundle)/2] ^= 1
	if err := os.WriteFile(filepath.Join(dir, "bundle.json"), bundle, 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := exec.Command(program, "--trust", filepath.Join(dir, "trust.json"), filepath.Join(dir, "bundle.json")).Run(); err == nil {
		s.t.Error("menshen-verify takes a bundle that was changed")
	}
}

// One visit in one piece, two phones: the door with no signal on either side; the work, its photos and signatures in
// the phone; the battery dies; the phone changes hands while the server is too busy to take anything; signal is back for
// the technician first, then for the shop; everything goes out once, in order of importance; trial, live, close, and what
// the merchant keeps is accepted by menshen-verify.
func TestAWholeVisitWithoutSignal(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	gate := s.counted()
	s.opensShop()
	s.scenes("dispatch", "ask dispatch")
	s.technician = s.newHandset()
	s.technician.enrolsBy = "这部手机用不了指纹"
	s.comesToWork(s.technician, "lan", s.play.Dispatch.Name, s.play.Dispatch.Photo)
	wei, lan := s.merchant, s.technician
	lan.until(`document.body.dataset.kept === "whole"`)
	lan.press("去做")
	lan.sees("扫店主的码")
	wei.open("/shop/visits/v1")
	wei.until(`document.body.dataset.kept === "whole"`)

	s.cut()
	lan.js(`(dispatchEvent(new Event("offline")), "")`)
	lan.sees("离线")
	s.offlineDoor()
	lan.shot("offline-shown")
	lan.press("店主的手机说可以开始")
	lan.sees("等店主的手机发出")
	lan.shot("offline-let-in")
	lan.works()
	lan.sees("离线，8 项待发送")
	lan.sees("这一步要信号")

	lan.dies()
	lan.open("/app")
	lan.sees("离线，8 项待发送")
	lan.press("手机")
	lan.press("退出登录")
	lan.sees("还有 8 项没发出去")
	lan.sees("这部手机马上退出")

	gate.set(true, false)
	s.up()
	lan.signal(true)
	lan.js(`(dispatchEvent(new Event("online")), "")`)
	lan.press("还是退出")
	lan.sees("这部手机里还有 8 项没发")
	lan.joins("bo", "svc-anzhuang", visit.RoleTechnician)
	gate.set(false, false)
	lan.open("/app")
	lan.sees("还没登记")
	lan.press("待发送")
	lan.sees("还有别人签的 8 项没发")
	if got := lan.js(`document.querySelector("main").innerText`); strings.Contains(got, "门头照") || strings.Contains(got, s.play.Shop.Address) {
		t.Errorf("bo sees: %s", got)
	}
	lan.leaves("退出登录")
	if got := gate.taken(); got != "" {
		t.Errorf("sent while bo was signed in: %s", got)
	}

	lan.returns("lan", "svc-anzhuang", visit.RoleTechnician)
	lan.open("/app")
	lan.sees("还没开工")
	lan.until(`!document.querySelector(".state").innerText.includes("待发送")`)
	if got := gate.taken(); got != "record_step back_up record_step record_step record_step photos photos photos" {
		t.Errorf("sent as %s", got)
	}
	if w := s.work(); w.Stage != string(visit.Dispatched) || len(w.Done) != 5 {
		t.Errorf("before the shop has signal: %s, %+v", w.Stage, w.Done)
	}
	lan.press("开工")
	lan.sees("有效到")
	wei.signal(true)
	lan.press("去做")
	wei.sees("有信号了，服务器也查过：没问题。")
	lan.tries()
	s.merchantAgrees()
	lan.acts("sign off", lan.play.SignOff(t.Context(), "remote", true))
	lan.goesLive()
	lan.gives()
	lan.closes()
	photos, err := s.App.Photos(t.Context(), app.Actor{Person: "chen", Organisation: "acq-huaishan", Role: visit.RoleApprover}, "v1")
	if err != nil || len(photos) != 3 {
		t.Fatal(photos, err)
	}
	for _, p := range photos {
		if !p.Stored {
			t.Errorf("the photo of %s is not there", p.Step)
		}
	}
	s.verified()
	s.leavesNothing()
}

// merchantAgrees is wei on her own phone: the number on the device, and the four questions.
func (s *street) merchantAgrees() {
	s.t.Helper()
	m := s.merchant
	m.open("/shop/visits/v1")
	m.at(NextDevice)
	m.press("核对机器")
	m.sees("028119")
	m.until(`document.querySelector("form[data-sign] button[type=submit]:not([disabled])") !== null`)
	m.press("是")
	m.at(NextConfirm)
	m.press("都好了，确认")
	m.until(`document.getElementById("paid_nothing_beside-yes") !== null`)
	for _, q := range []string{"works", "staff_shown", "refunds_protected", "paid_nothing_beside"} {
		m.js(`document.getElementById("` + q + `-yes").click()`)
	}
	m.press("签字确认")
	m.at(NextLive)
}

// leavesNothing reads all that lan's browser holds after the day: what was sent is a digest, what was fetched is gone.
func (s *street) leavesNothing() {
	s.t.Helper()
	lan := s.technician
	lan.open("/app")
	lan.press("有效到")
	lan.press("收工")
	lan.sees("还没开工")
	found, all := lan.kept(lan.personal())
	for _, never := range []string{"openings:", "statement:ey", "photo:{", "bytes:bytes"} {
		if strings.Contains(all, never) {
			found = append(found, never)
		}
	}
	if len(found) > 0 || !strings.Contains(all, "state:sent") {
		s.t.Errorf("after the shift the phone keeps %q:\n%.3000s", found, all)
	}
	for _, line := range strings.Split(all, "\n") {
		if strings.HasPrefix(line, "cache/") && line != "cache/GET asset" && line != "cache/GET /app" {
			s.t.Errorf("the service worker keeps %s", line)
		}
	}
	lan.leaves("退出登录")
	if _, all := lan.kept(nil); strings.Contains(all, "menshen-outbox/items/") || strings.Contains(all, "menshen-app/visits/") || strings.Contains(all, "/me = ") {
		s.t.Errorf("signed out with nothing unsent, the phone keeps\n%.3000s", all)
	}
}
