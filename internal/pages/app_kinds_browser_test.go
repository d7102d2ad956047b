//go:build browser

package pages

import (
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// acts is what the others in the play did; lan looks at the phone afterwards.
func (f *field) acts(what string, err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatalf("%s: %v", what, err)
	}
	f.js(`(document.dispatchEvent(new Event("visibilitychange", { bubbles: true })), "")`)
}

// goes opens the play's visit on lan's phone, let in by the merchant.
func (f *field) goes(p *scenario.Play, scenes []scenario.Scene) {
	f.t.Helper()
	f.play = p
	f.stands()
	f.acts(p.ID, scenario.Run(f.t.Context(), append(scenario.Until(scenes, "ask admit"), scenes[len(scenario.Until(scenes, "ask admit"))])))
	f.open("/app")
	f.press("刷新")
	f.until(`document.querySelector('main a[href="#/visit/` + p.ID + `"], main article.next') !== null`)
	f.js(`location.hash = "#/visit/` + p.ID + `"`)
	f.sees("‹ 今天")
}

// proves has the device answer the code that lan's phone shows.
func (f *field) proves(button string) {
	f.t.Helper()
	f.press(button)
	f.until(`document.querySelector("figure.code")?.dataset.text !== undefined`)
	text := strings.Split(f.js(`document.querySelector("figure.code").dataset.text`), "~")
	f.acts("device", f.Venue.Attest(f.t.Context(), f.play.ID, f.play.Device, scenario.Challenge{Digest: text[2], Nonce: text[3]}))
	f.until(`document.querySelector("figure.code") === null`)
}

// loads has the host load keys into the device, which is connected to it.
func (f *field) loads() {
	f.t.Helper()
	f.acts("session", f.play.Host.OpenSession(f.t.Context(), f.play.Device))
	f.press("请主机装密钥")
}

// tries is the trial, from the device's proof to the host's report.
func (f *field) tries() {
	f.t.Helper()
	f.proves("让机具证明自己")
	f.press("申请试机")
	f.sees("请主机装密钥")
	f.shotOnce("kinds-release")
	f.loads()
	f.sees("用收单机构的测试卡试")
	f.shotOnce("kinds-script")
	f.acts("acceptance", f.play.Accept(f.t.Context()))
	f.sees("教店员三件事")
	f.shotOnce("kinds-handover")
}

// handsOver is what merchant, supervisor and host do at the end, on their own machines.
func (f *field) handsOver() {
	f.t.Helper()
	ctx, p := f.t.Context(), f.play
	f.sees("请店主在自己手机上点")
	f.acts("serial", p.Step(ctx, p.Cast.Merchant, "check_serial"))
	f.acts("sign off", p.SignOff(ctx, "remote", true))
	if err := p.Confirm(ctx, nil); err != nil { // nobody touches the phone: it shows by itself
		f.t.Fatal(err)
	}
}

// goesLive is the second proof, the permit and the keys.
func (f *field) goesLive() {
	f.t.Helper()
	f.proves("让机具证明自己")
	f.press("申请正式开通")
	f.sees("让主机给机具装正式密钥")
	f.loads()
}

// gives signs the device over to the shop.
func (f *field) gives() {
	f.t.Helper()
	f.press("签字：机具交给店主")
	f.sees("收尾，关单")
	w := f.workOf(f.play.ID)
	if w.Parcel.To != "wei" {
		f.t.Errorf("the device is with %s", w.Parcel.To)
	}
	f.play.Handed(w.Parcel.Transfer)
}

func (f *field) closes() {
	f.t.Helper()
	f.press("收尾，关单")
	f.sees("这一单做完了")
	if w := f.workOf(f.play.ID); w.Stage != string(visit.Closed) {
		f.t.Errorf("%s is %s", f.play.ID, w.Stage)
	}
}

// endsKeys is the merchant's consent, the permit and the host's end of the old keys.
func (f *field) endsKeys() {
	f.t.Helper()
	f.sees("请店主在自己手机上签：旧密钥可以作废")
	f.shotOnce("kinds-consent")
	f.acts("consent", f.play.ConsentToEnd(f.t.Context()))
	f.press("申请作废旧密钥")
	f.sees("请主机作废旧密钥")
	f.shotOnce("kinds-end")
	f.press("请主机作废旧密钥")
}

// takesBack is the merchant handing the old device over.
func (f *field) takesBack() {
	f.t.Helper()
	f.sees("请店主在自己手机上签：机具交给您")
	f.shotOnce("kinds-back")
	f.acts("hand back", f.play.HandBack(f.t.Context()))
}

// photos takes the kind's pictures.
func (f *field) photos(steps ...string) {
	f.t.Helper()
	for _, step := range steps {
		f.sees(step)
		f.shoots()
	}
}

func (f *field) workOf(id string) app.Work {
	f.t.Helper()
	w, err := f.App.Work(f.t.Context(), app.Actor{Person: "lan", Organisation: "svc-anzhuang", Role: visit.RoleTechnician}, id)
	f.acts("work", err)
	return w
}

// shotOnce takes a picture the first time that a state comes up.
func (f *field) shotOnce(name string) {
	f.t.Helper()
	if f.seen == nil {
		f.seen = map[string]bool{}
	}
	if !f.seen[name] {
		f.seen[name] = true
		f.shotIn(name, "light")
		f.shotEnglish(name)
	}
}

const mountedShot, counterShot = "装好的机具", "整个收银台"

// One shop's terminal through every kind of visit, each from the door to the close on lan's phone.
func TestEveryKindInTheApp(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.enrolled()
	f.until(`document.body.dataset.kept === "whole"`)

	installed := f.play
	scenes := installed.Install()
	f.goes(installed, scenario.From(scenes, "badge"))
	f.parcel()
	f.sees("旧系统里有要留的数据吗")
	f.acts("backup", installed.NothingToKeep(t.Context()))
	f.photos("招牌和店门", mountedShot, counterShot)
	f.tries()
	f.handsOver()
	f.goesLive()
	f.gives()
	f.shotOnce("kinds-close")
	f.closes()
	f.shotOnce("kinds-closed")

	repair := installed.Next(visit.Repair, "v2", "", "")
	f.goes(repair, repair.RepairUntouched())
	f.sees("看过机器再答")
	f.shotOnce("kinds-said")
	f.press("签字")
	f.until(`document.querySelector(".problem")?.dataset.code === "said_nothing"`)
	f.js(`document.querySelector("input[value=untouched]").click()`)
	f.press("签字")
	f.photos(mountedShot, counterShot)
	f.proves("让机具证明自己")
	f.handsOver()
	f.charged()
	f.closes()

	opened := repair.Next(visit.Repair, "v3", "", "")
	f.goes(opened, opened.Repair())
	f.sees("看过机器再答")
	f.js(`document.querySelector("input[value=opened]").click()`)
	f.press("签字")
	f.sees("旧系统里有要留的数据吗")
	f.acts("backup", opened.NothingToKeep(t.Context()))
	f.photos(mountedShot, counterShot)
	f.sees("等收单主机说旧机能不能用")
	f.shotOnce("kinds-old")
	f.acts("old", opened.ReportOld(t.Context()))
	f.tries()
	f.sees("前要开通")
	f.shotOnce("kinds-timer")
	f.handsOver()
	f.goesLive()
	f.closes()

	moved := opened.Next(visit.Relocation, "v4", "", "")
	f.goes(moved, moved.Relocate())
	f.takesBack()
	f.parcel()
	f.sees("旧系统里有要留的数据吗")
	f.acts("backup", moved.NothingToKeep(t.Context()))
	f.photos(mountedShot, counterShot)
	f.endsKeys()
	f.sees("店里现在收不了款")
	f.shotOnce("kinds-outage")
	f.acts("outage", moved.AcceptOutage(t.Context(), ""))
	f.tries()
	f.sees("分钟收不了款")
	f.shotOnce("kinds-lost")
	f.handsOver()
	f.goesLive()
	f.gives()
	f.closes()

	swap := moved.Next(visit.Swap, "v5", "00005704280117028127", "W1489730")
	f.goes(swap, swap.Swap())
	f.parcel()
	f.sees("旧系统里有要留的数据吗")
	f.acts("backup", swap.NothingToKeep(t.Context()))
	f.photos(mountedShot, counterShot)
	f.sees("等收单主机说旧机能不能用")
	f.acts("old", swap.ReportOld(t.Context()))
	f.tries()
	f.handsOver()
	f.goesLive()
	f.endsKeys()
	f.takesBack()
	f.gives()
	f.closes()

	looked := swap.Next(visit.Inspection, "v6", "", "")
	f.goes(looked, looked.InspectAgain())
	f.photos("招牌和店门")
	f.proves("让机具证明自己")
	f.handsOver()
	f.charged()
	f.closes()

	removed := looked.Next(visit.Removal, "v7", "", "")
	f.goes(removed, removed.Remove())
	f.sees("旧系统里有要留的数据吗")
	f.acts("backup", removed.NothingToKeep(t.Context()))
	f.endsKeys()
	f.takesBack()
	f.photos(counterShot)
	f.handsOver()
	f.charged()
	f.closes()
}

// charged is the host's list of what was charged, on a visit without a script.
func (f *field) charged() {
	f.t.Helper()
	list, err := f.play.Host.ListCharges(f.t.Context(), f.play)
	f.acts("charges", err)
	f.acts("charges", f.play.FileReport(f.t.Context(), list))
}
