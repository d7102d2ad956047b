//go:build browser

package pages

import (
	"encoding/json"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// foreign lists what a page says in the other language; names of people, firms and shops, and what a field holds, are
// as they are.
const foreign = `((names) => {
  const en = document.documentElement.lang === "en", strange = en ? /[\p{Script=Han}\u3001-\u303f\uff01-\uff5e]+/gu : /[A-Za-z_]{4,}/g;
  const plain = (t) => names.reduce((left, n) => left.replaceAll(n, " "), t).replace(/\p{Script=Han}+（演示）/gu, " ").replace(/…?[A-Z0-9]{4,}|\b(menshen|English|JavaScript|localhost)\b|中文|门神/g, " ");
  const found = [], say = (t, where) => { for (const m of plain(t).match(strange) ?? []) found.push(m + " in " + where.trim().slice(0, 60)); };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) { const e = texts.currentNode.parentElement; if (e.checkVisibility() && !e.closest("script, noscript, [data-note].before")) say(texts.currentNode.textContent, e.textContent); }
  for (const e of document.querySelectorAll("[aria-label], [placeholder], [title], [alt]")) for (const a of ["aria-label", "placeholder", "title", "alt"]) if (e.hasAttribute(a) && !/^X/.test(e.getAttribute(a))) say(e.getAttribute(a), a);
  say(document.title, "title");
  return [...new Set(found)].slice(0, 5).join("; ");
})`

// spilt lists texts that are cut off, stick out of what holds them, or lie over another.
const spilt = `(() => {
  scrollTo(0, 0);
  const found = [], boxes = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const n = texts.currentNode, e = n.parentElement;
    if (n.textContent.trim() === "" || !e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || e.closest(".unseen, .skip, script, noscript, option, select, textarea, thead")) continue;
    const range = document.createRange(); range.selectNodeContents(n);
    const all = range.getBoundingClientRect(), name = n.textContent.trim().slice(0, 40);
    for (let a = e; a && a !== document.body; a = a.parentElement) {
      const c = a.getBoundingClientRect(), style = getComputedStyle(a);
      const clips = style.overflowX !== "visible" || style.overflowY !== "visible", holds = a.matches("button, a.button, summary, .card, .sign, .doing, .field, main, .bar");
      if ((clips || holds) && (all.right > c.right + 1 || all.left < c.left - 1 || all.bottom > c.bottom + 3)) { found.push(name + (clips ? " is cut by " : " sticks out of ") + a.tagName + "." + a.className); break; }
    }
    for (const b of range.getClientRects()) if (b.width > 1 && b.height > 1) boxes.push([n, name, b]);
  }
  for (const [i, [n, name, a]] of boxes.entries()) for (const [m, other, b] of boxes.slice(i + 1))
    if (n !== m && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 3 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 5) found.push(name + " lies over " + other);
  return found.slice(0, 5).join("; ");
})()`

// names are what no language changes: the made-up city's, and numbers of things.
func (f *field) names() string {
	data, err := json.Marshal([]string{f.play.Shop.Name, f.play.Shop.Address, "别的路 1 号", "XXXX-XXXX-XXXX"})
	if err != nil {
		f.t.Fatal(err)
	}
	return string(data)
}

// fits asks what only eyes see otherwise: whether anything is cut off, lies over another thing, or is said in the other
// language.
func (f *field) fits(name string) {
	f.t.Helper()
	if got := f.js(spilt); got != "" {
		f.t.Errorf("%s: %s", name, got)
	}
	if got := f.js(foreign + `(` + f.names() + `)`); got != "" {
		f.t.Errorf("%s: in the other language: %s", name, got)
	}
}

// narrow is a phone at twice the size of its letters: 320 of the page's own pixels.
func (f *field) narrow(yes bool) {
	f.t.Helper()
	width := int64(360)
	if yes {
		width = 320
	}
	f.do(send(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 640, DeviceScaleFactor: 1, Mobile: true}))
}

// shotEnglish looks at the same state in English on the narrowest phone, and goes back. What is in the hand is not drawn
// anew, so English is not seen there: TestTheAppInEnglish goes through those.
func (f *field) shotEnglish(name string) {
	f.t.Helper()
	if f.js(`["/app", "/learn", "/carry"].includes(location.pathname)`) != "true" {
		return
	}
	f.narrow(true)
	if overflow := f.js(wide); overflow != "" {
		f.t.Errorf("%s at 320 pixels scrolls sideways: %s", name, overflow)
	}
	f.fits(name + " at 320 pixels")
	if f.js(`location.pathname === "/app" && !(await import(document.body.dataset.assets + "hands.mjs")).inHand(document.getElementById("main"))`) == "true" {
		f.speaks("en")
		f.js(`(window.unfolded.forEach((d, i) => { const now = document.querySelectorAll("main details")[i]; if (now) now.open = d; }), "")`)
		f.js(`(document.querySelectorAll("[data-note]").forEach((n) => n.classList.add("before")), "")`) // an answer stays in the language in which it was given
		f.shotIn(name+"-en", "light")
		f.fits(name + " in English")
		f.speaks("zh")
		f.js(`(window.unfolded.forEach((d, i) => { const now = document.querySelectorAll("main details")[i]; if (now) now.open = d; }), "")`)
	}
	f.narrow(false)
}

// speaks has the app say everything in a language, and waits until it does: drawings come one at a time, the line above
// first, so that what is drawn after it has turned is in the new language as well.
func (f *field) speaks(lang string) {
	f.t.Helper()
	f.js(`(async () => {
		const [words, work] = await Promise.all(["app-lang.mjs", "app-sign.mjs"].map((m) => import(document.body.dataset.assets + m)));
		window.unfolded = [...document.querySelectorAll("main details")].map((d) => d.open);
		window.drawAgain = () => work.outbox.dispatchEvent(new Event("done"));
		words.speak("` + lang + `");
		drawAgain();
		return "";
	})()`)
	f.until(`document.querySelector("#bar nav a")?.textContent === ` + map[string]string{"en": `"Today"`, "zh": `"今天"`}[lang])
	f.js(`(document.querySelector("main").firstElementChild.dataset.before = "", drawAgain(), "")`)
	f.until(`document.querySelector("main [data-before]") === null && document.querySelector("main").firstElementChild !== null`)
}

// pair finds a text and its English beside it, as scripts write them.
var (
	pair  = regexp.MustCompile("(?s)(\"(?:\\\\.|[^\"\\\\\n])*\"|`(?:\\$\\{[^}]*\\}|[^`\\\\])*`),\\s*(\"(?:\\\\.|[^\"\\\\\n])*\"|`(?:\\$\\{[^}]*\\}|[^`\\\\])*`)")
	slot  = regexp.MustCompile(`\$\{[^}]*\}`)
	digit = regexp.MustCompile(`\d+`)
	han   = regexp.MustCompile(`\p{Han}`)
)

// english gives patterns for what the app says in English where it says this in Chinese.
func english(t *testing.T, text string) []string {
	t.Helper()
	a := loadAssets()
	var out []string
	want := digit.ReplaceAllString(text, "\x00")
	for _, name := range a.names() {
		if path.Ext(name) != ".mjs" || strings.HasPrefix(name, "merchant") || strings.HasPrefix(name, "vendor") {
			continue
		}
		for _, m := range pair.FindAllStringSubmatch(string(a.files[name].data), -1) {
			zh, en := m[1][1:len(m[1])-1], m[2][1:len(m[2])-1]
			if han.MatchString(zh) && !han.MatchString(en) && strings.Contains(digit.ReplaceAllString(slot.ReplaceAllString(zh, "\x00"), "\x00"), want) {
				pieces := slot.Split(strings.TrimRight(en, "."), -1)
				for i := range pieces {
					pieces[i] = regexp.QuoteMeta(pieces[i])
				}
				out = append(out, strings.ReplaceAll(strings.Join(pieces, ".*"), "/", `\/`))
			}
		}
	}
	if len(out) == 0 {
		t.Fatalf("nothing says %q", text)
	}
	return out
}

// said is a test of a text in the language that the phone speaks.
func (f *field) said(text string) string {
	f.t.Helper()
	if !f.english {
		return `((t) => t.includes("` + text + `"))`
	}
	var parts []string
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("，·", r) }) {
		parts = append(parts, `/`+strings.Join(english(f.t, strings.TrimSpace(part)), "|")+`/.test(t)`)
	}
	return `((t) => ` + strings.Join(parts, " && ") + `)`
}

// The states that a redraw would close, in English, on the narrowest phone: wrong codes, the camera, the parcel that
// differs, the picture to keep, the shop's code, what is unsent, what was refused. The technician chose English himself.
func TestTheAppInEnglish(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.narrow(true)
	f.open("/app?lang=en")
	f.english = true
	f.sees("请先登录")
	f.shot("english-signed-out")
	f.joins("lan", "svc-anzhuang", visit.RoleTechnician)
	f.open("/app?lang=en")
	f.press("登记这部手机")
	f.types("code", "ABCD-EFGH-JKMN")
	f.press("这部手机用不了指纹")
	f.until(`document.querySelector(".problem")?.dataset.code === "code_mistyped"`)
	f.shot("english-code-mistyped")
	f.types("code", credential.NewCode().Printed())
	f.press("这部手机用不了指纹")
	f.until(`document.querySelector(".problem")?.dataset.code === "code_wrong"`)
	f.shot("english-code-wrong")
	f.types("code", f.code.Printed())
	f.press("这部手机用不了指纹")
	f.sees("已登记，可以签字。")
	f.js(`([...document.querySelectorAll("main button")].find((b) => b.textContent === "中文").click(), "")`)
	f.until(`document.documentElement.lang === "zh-Hans-CN" && document.body.innerText.includes("存在手机里的东西")`)
	f.js(`([...document.querySelectorAll("main button")].find((b) => b.textContent === "English").click(), "")`)
	f.until(`document.documentElement.lang === "en" && document.body.innerText.includes("What is kept here")`)
	f.shot("english-phone")
	f.press("今天")
	f.press("开工")
	f.sees("有效到")
	f.press("工作证")
	f.sees("收工后，这部手机今天不能再出示工作证")
	f.shot("english-shift-end")
	f.press("收工：交回工作证")
	f.sees("还没开工")
	f.shot("english-shift-over")
	f.press("开工：领今天的工作证")
	f.sees("有效到")
	f.nothingToKeep()
	f.until(`document.body.dataset.kept === "whole"`)

	wei := app.Actor{Person: "wei", Organisation: "acq-huaishan", Role: visit.RoleMerchant}
	c, err := f.App.Challenge(t.Context(), wei, "v1", visit.PurposeDoor)
	if err != nil {
		t.Fatal(err)
	}
	f.shown("https://evil.example/door?v=v1")
	f.until(`document.querySelector("[data-code=challenge_text_url]") !== null`)
	f.shot("english-door-url")
	f.shown(c.QR)
	f.sees("是这家店，出示工作证")
	f.shot("english-door-order")
	f.press("是这家店，出示工作证")
	f.sees("已出示，等店主看照片")
	f.shot("english-door-shown")
	f.open("/app")
	f.until(`document.querySelector("main button") !== null`)
	f.admitted()
	f.cellar()
	f.press("去做")
	f.types("p-tracking", "SF0000000000000000000000000000000000000000000000000000")
	f.types("p-box_serial", "B1")
	f.shot("english-parcel-differs")
	f.js(`([...document.querySelectorAll("button.scan")][0].click(), "")`)
	f.until(`document.querySelector("video")?.readyState >= 2`)
	f.shot("english-parcel-scan")
	f.press("不扫了")
	f.parcel()
	f.sees("招牌和店门")
	f.press("拍照")
	f.until(`document.querySelector("video")?.readyState >= 2`)
	f.shot("english-camera")
	f.js(`(document.querySelector("button.shutter").click(), "")`)
	f.sees("用这张")
	f.shot("english-keep-photo")
	f.press("用这张")
	f.sees("装好的机具")
	f.press("有问题：停下来")
	f.press("做不完")
	f.shot("english-brakes")
	f.press("待发送")
	f.sees("签字 2 份，照片 1 张")
	f.shot("english-unsent")
	f.file(t.Context(), visit.EndEnrolment, "organisation/svc-anzhuang", statement.TypeEnrolmentEnd,
		statement.EnrolmentEnd{Key: f.phoneKey(), From: statement.At(time.Now().Add(-time.Hour)), Reason: "lost"})
	f.upstairs()
	f.sees("1 项要人看")
	f.sees("被退回，要人看")
	f.shot("english-conflict")
	if got := f.js(`document.body.innerText.includes(` + "`" + f.play.Shop.Address + "`" + `) && !/\bv1\b/.test(document.body.innerText)`); got != "true" {
		t.Error("what is unsent is shown by a number instead of the shop")
	}
}

// What finds nothing in the other language, and nothing cut off, must be able to.
func TestTheEyesOfThePlaysCanFail(t *testing.T) {
	t.Parallel()
	f := &field{office: newOffice(t)}
	f.do(send(network.Enable, network.EnableParams{}), chromedp.Navigate("data:text/html;charset=utf-8,<!DOCTYPE html><html lang=en><body><main><p>All is 今天</p><button style='width:40px;white-space:nowrap'>far too long for it</button>"+
		"<p style='margin-bottom:-30px'>one line</p><p>the other</p><div style='overflow:hidden;width:30px'><span style='white-space:nowrap'>cut off here</span></div><input placeholder=输入></main></body></html>"))
	for check, wants := range map[string][]string{foreign + `([])`: {"今天 in", "输入 in"}, spilt: {"sticks out of BUTTON", "one line lies over the other", "is cut by DIV"}} {
		got := f.js(check)
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("nobody noticed %q in %q", want, got)
			}
		}
	}
	f.js(`(document.documentElement.lang = "zh-Hans-CN", "")`)
	if got := f.js(foreign + `(["cut off"])`); !strings.Contains(got, "other in") || strings.Contains(got, "cut in") {
		t.Errorf("in Chinese: %q", got)
	}
}
