//go:build browser

package pages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	chromebrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// admitted has the merchant let lan in, and the phone know it.
func (f *field) admitted() {
	f.t.Helper()
	for _, scene := range f.play.Install() {
		if scene.Name == "badge" || scene.Name == "door" || scene.Name == "ask admit" {
			if err := scene.Run(f.t.Context()); err != nil {
				f.t.Fatalf("%s: %v", scene.Name, err)
			}
		}
	}
	f.press("刷新")
	f.sees("扫机箱 · 轮到您")
	f.until(`document.body.dataset.kept === "whole"`)
}

// newVisitor is lan at a shop that has nothing to keep and let her in: the parcel is next.
func newVisitor(t *testing.T) *field {
	t.Helper()
	f := newField(t)
	f.enrolled()
	f.nothingToKeep()
	f.admitted()
	return f
}

// worksBelow goes where there is no signal and leaves three things unsent: the parcel, and a step with its photo.
func (f *field) worksBelow() {
	f.t.Helper()
	f.cellar()
	f.press("去做")
	f.parcel()
	f.sees("招牌和店门")
	f.shoots()
	f.sees("离线，3 项待发送")
}

// cellar takes the signal away and really stops the server; the page is loaded again and goes on.
func (f *field) cellar() {
	f.t.Helper()
	f.down()
	f.signal(false)
	f.do(chromedp.Reload())
	f.sees("离线")
}

// upstairs brings both back.
func (f *field) upstairs() {
	f.t.Helper()
	f.up()
	f.signal(true)
	f.sees("在线")
}

// types fills a field as a person does.
func (f *field) types(id, text string) {
	f.t.Helper()
	f.until(`document.getElementById("` + id + `") !== null`)
	f.js(`(() => { const i = document.getElementById("` + id + `"); i.value = "` + text + `"; i.dispatchEvent(new Event("input", {bubbles: true})); })()`)
}

// parcel checks the parcel at the counter.
func (f *field) parcel() {
	f.t.Helper()
	n := f.play.Notice(f.play.Order.Order)
	f.types("p-tracking", n.Tracking)
	f.types("p-bag_seal", n.BagSeal)
	f.types("p-box_serial", n.BoxSerial)
	f.types("p-device_serial", n.DeviceSerial)
	f.js(`document.getElementById("p-seals").click()`)
	f.press("签字：四个号都核对了")
}

// shoots takes a step's photo and keeps it; the last one signs the step.
func (f *field) shoots() {
	f.t.Helper()
	f.shots++
	f.views(f.shots)
	f.press("拍照")
	f.until(`document.querySelector("video")?.readyState >= 2`)
	f.js(`[...document.querySelectorAll("button.shutter")][0].click()`)
	f.press("用这张")
}

// nothingToKeep is wei's word on his own phone, and lan's phone hearing of it.
func (f *field) nothingToKeep() {
	f.t.Helper()
	if err := f.play.NothingToKeep(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

func (f *field) work() app.Work {
	f.t.Helper()
	w, err := f.App.Work(f.t.Context(), app.Actor{Person: "lan", Organisation: "svc-anzhuang", Role: visit.RoleTechnician}, "v1")
	if err != nil {
		f.t.Fatal(err)
	}
	return w
}

// A whole visit in a cellar, up to the trial: no signal, no server, the phone switched off in between. All of it
// goes out by itself upstairs, signatures before photos.
func TestAVisitWithoutSignal(t *testing.T) {
	t.Parallel()
	f := newVisitor(t)
	f.cellar()
	f.shot("offline-today")
	f.press("去做")
	f.sees("在柜台上")
	f.shot("offline-parcel")
	f.parcel()
	f.sees("离线，1 项待发送")
	for _, step := range []string{"招牌和店门", "装好的机具", "整个收银台"} {
		f.sees(step)
		if step == "招牌和店门" {
			f.shot("offline-step")
			f.press("拍照")
			f.until(`document.querySelector("video")?.readyState >= 2`)
			f.shot("offline-camera")
			f.press("不拍了")
			f.until(`document.querySelector("video") === null`)
			f.do(chromedp.Reload())
			f.sees(step)
		}
		f.shoots()
	}
	f.sees("离线，7 项待发送")
	f.sees("这一步要信号")
	f.shot("offline-trial")
	f.press("待发送")
	f.sees("签字 4 份，照片 3 张")
	f.sees("浏览器可能清掉没发的东西") // and what to do about it
	f.sees("请现在导出成文件，存到手机里或交给调度")
	f.shot("offline-unsent")

	// The battery dies. The same phone, the same store, still no server.
	f.dies()
	f.open("/app")
	f.sees("离线，7 项待发送")
	if len(f.work().Done) != 2 {
		t.Fatalf("something went out: %+v", f.work().Done)
	}

	f.upstairs()
	f.until(`!document.querySelector(".state").innerText.includes("待发送")`)
	w := f.work()
	var order []string
	for _, d := range w.Done {
		order = append(order, d.Type+" "+d.Step)
		if !d.Good {
			t.Errorf("%+v", d)
		}
	}
	if got := strings.Join(order, ", "); got != "nothing_to_keep , admission , arrival , step shopfront, step mount, step counter" {
		t.Errorf("filed as %s", got)
	}
	photos, err := f.App.Photos(t.Context(), app.Actor{Person: "chen", Organisation: "acq-huaishan", Role: visit.RoleApprover}, "v1")
	if err != nil || len(photos) != 3 {
		t.Fatal(photos, err)
	}
	for _, p := range photos {
		if !p.Stored {
			t.Errorf("%s was not brought", p.Step)
		}
	}
	f.press("去做")
	f.sees("让机具证明自己")
	f.shot("online-trial")
}

// What the server contradicts is kept, said, exported, and what follows it waits.
func TestAContradictionGoesToAPerson(t *testing.T) {
	t.Parallel()
	f := newVisitor(t)
	f.worksBelow()
	// Meanwhile the employer ended the key: the phone was reported lost.
	f.file(t.Context(), visit.EndEnrolment, "organisation/svc-anzhuang", statement.TypeEnrolmentEnd,
		statement.EnrolmentEnd{Key: f.phoneKey(), From: statement.At(time.Now().Add(-time.Hour)), Reason: "lost"})
	f.upstairs()
	f.sees("1 项要人看")
	f.press("待发送")
	f.sees("被退回，要人看")
	f.until(`document.querySelector(".sign-stop [data-code]")?.dataset.code !== undefined`)
	if code := f.js(`document.querySelector(".sign-stop [data-code]").dataset.code`); code != "statement_before_or_after_key" {
		t.Errorf("refused as %s", code)
	}
	f.shot("conflict")
	f.toldUnsent(2, 1) // the dispatcher sees whom to call
	if n := len(f.work().Done); n != 2 {
		t.Errorf("%d statements went past the refused one", n)
	}
	f.do(chromedp.Reload())
	f.sees("被退回，要人看")
}

// toldUnsent waits until the employer's board shows what this phone holds.
func (f *field) toldUnsent(statements, photos int64) {
	f.t.Helper()
	d := f.Cast.Dispatcher
	var rows []app.BoardRow
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(100 * time.Millisecond) {
		var err error
		if rows, _, err = f.App.Board(f.t.Context(), app.Actor{Person: d.ID, Organisation: d.Organisation, Role: d.Role}, app.BoardFilter{}); err != nil {
			f.t.Fatal(err)
		}
		if rows[0].Phone.Statements == statements && rows[0].Phone.Photos == photos {
			return
		}
	}
	f.t.Errorf("the board shows %+v", rows[0].Phone)
}

// phoneKey is the thumbprint of the key that the phone signs with.
func (f *field) phoneKey() string {
	return f.js(`import(document.body.dataset.assets + "app-day.mjs").then(async (d) => (await import(document.body.dataset.assets + "statement.mjs")).thumbprint((await d.signer()).key))`)
}

// A phone that cannot send hands its file to the dispatcher, who carries it; the same file goes into another
// browser too, and nothing is done twice.
func TestAFileIsCarried(t *testing.T) {
	t.Parallel()
	f := newVisitor(t)
	f.worksBelow()
	folder := t.TempDir()
	f.do(send(chromebrowser.SetDownloadBehavior, chromebrowser.SetDownloadBehaviorParams{Behavior: "allow", DownloadPath: folder}))
	f.press("待发送")
	f.press("导出成文件")
	file := ""
	for began := time.Now(); file == "" && time.Since(began) < 10*time.Second; time.Sleep(50 * time.Millisecond) {
		if found, _ := filepath.Glob(filepath.Join(folder, "*.json")); len(found) == 1 {
			file = found[0]
		}
	}
	if file == "" {
		t.Fatal("no file came")
	}
	f.up() // the phone stays without signal: it fell into the sink

	desk := &field{office: &office{Deployment: f.Deployment, t: t, play: f.play, origin: f.origin}}
	desk.unpacks()
	desk.desk()
	desk.joins("qiu", "svc-anzhuang", visit.RoleDispatcher)
	for round, want := range []string{"收下 3 项，早就有 0 项，退回 0 项", "收下 3 项，早就有 0 项，退回 0 项"} { // the same keys: the same answer again
		desk.open("/carry")
		desk.until(`!document.querySelector("#carry button").disabled`)
		desk.chooses("#carry-file", file)
		desk.js(`document.querySelector("#carry button").click()`)
		desk.sees(want)
		if round == 0 {
			desk.shot("carried")
		}
	}
	if w := f.work(); len(w.Done) != 4 || w.Done[3].Step != "shopfront" || w.Done[3].By != visit.RoleTechnician {
		t.Errorf("%+v", w.Done)
	}
	// The phone dries: it asks under its own keys, and hears that all of it is there.
	f.signal(true)
	f.sees("都发出去了")
	if w := f.work(); len(w.Done) != 4 {
		t.Errorf("something was done twice: %+v", w.Done)
	}
}

// A colleague who is handed the file cannot take it into his own phone, where he could neither send it nor see it again:
// the app sends him to the dispatcher. The phone that made it takes it back as known.
func TestAFileOfAnotherIsNotTakenIn(t *testing.T) {
	t.Parallel()
	f := newVisitor(t)
	f.cellar()
	f.press("去做")
	f.parcel()
	f.sees("离线，1 项待发送")
	file := filepath.Join(t.TempDir(), "unsent.json")
	text := f.js(`import(document.body.dataset.assets + "queue.mjs").then((q) => q.exportAll("lan")).then((b) => b.text())`)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f.press("待发送")
	f.until(`document.getElementById("import") !== null`)
	f.chooses("#import", file)
	f.sees("收进 0 项，早就有 1 项")
	f.up()

	bo := &field{office: &office{Deployment: f.Deployment, t: t, play: f.play, origin: f.origin}}
	bo.unpacks()
	bo.pocket()
	bo.joins("bo", "svc-anzhuang", visit.RoleTechnician)
	bo.open("/app#/unsent")
	bo.until(`document.getElementById("import") !== null`)
	bo.chooses("#import", file)
	bo.until(`document.querySelector(".problem")?.dataset.code === "queue_file_of_another"`)
	bo.shot("file-of-another")
	if n := bo.js(`import(document.body.dataset.assets + "queue.mjs").then((q) => q.list()).then((l) => l.length)`); n != "0" {
		t.Errorf("%s of lan's are in bo's phone", n)
	}
}

// chooses puts a file into a file field.
func (f *field) chooses(field, path string) {
	f.t.Helper()
	if _, err := os.Stat(path); err != nil {
		f.t.Fatal(err)
	}
	object, err := chromedp.Run(f.ctx, chromedp.Nodes(chromedp.CSS(field)))
	if err != nil || len(object) == 0 {
		f.t.Fatal(field, err)
	}
	f.do(send(dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{path}, NodeID: object[0].NodeID}))
}
