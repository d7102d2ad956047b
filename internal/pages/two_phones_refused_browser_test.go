//go:build browser

package pages

import (
	"image"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/scenario"
)

// begins has wei show a new code, from wherever the door page stands.
func (h *handset) begins(says string) {
	h.t.Helper()
	h.press(says)
	h.until(`!document.querySelector('[data-state="waiting"]').hidden`)
}

// atDoor opens the technician's step at the door anew.
func (h *handset) atDoor() {
	h.t.Helper()
	h.js(`location.hash = "#/visit/v1"`)
	h.do(chromedp.Reload())
}

// refuses waits for red, for this reason, with what to do; someone looks at it.
func (h *handset) refuses(why string) {
	h.t.Helper()
	h.until(`!document.querySelector('[data-state="refused"]').hidden`)
	h.sees("别让对方动 POS 机")
	h.sees("请对方离开")
	h.sees(why)
}

// ahead sets the page's clock forward, or back.
func (h *handset) ahead(by time.Duration) {
	h.t.Helper()
	h.js(`(() => { const now = (window.trueNow ??= Date.now.bind(Date)); Date.now = () => now() + ` + strconv.FormatInt(by.Milliseconds(), 10) + `; })()`)
}

// modules lets a page's own modules be used by whoever has the phone in hand: a doctored app is a script.
const modules = `const m = (name) => import(new URL(name, document.querySelector("script[type=module][src]").src).href);`

// doctored answers whatever code the camera sees with the badge of this phone, asking nobody.
func (h *handset) doctored(order string, late time.Duration) {
	h.t.Helper()
	h.js(`(async () => { ` + modules + `
		const { startScanner } = await m("scan.mjs"), { present, packAnswer, readChallenge } = await m("door.mjs"), { badgeInHand } = await m("app-day.mjs"), { svg } = await m("qr.mjs");
		const video = document.createElement("video");
		document.body.append(video);
		const text = await new Promise((resolve, reject) => { startScanner(video, resolve, reject); });
		video.remove();
		const { badge, key } = await badgeInHand();
		const shown = await present(badge, key, readChallenge(text), { order: "` + order + `", position: "0".repeat(64), now: Math.floor(Date.now() / 1000) + ` + strconv.Itoa(int(late.Seconds())) + ` });
		const figure = document.createElement("figure");
		figure.className = "code";
		figure.append(svg(packAnswer(shown.presentation).text));
		document.querySelector("main").replaceChildren(figure);
	})()`)
}

// With signal: another face, an old code, a technician at the order link, a letter written at home, a wrong
// clock, a connection that breaks before and after the scan; then, in English, the honest check.
func TestTwoPhonesWithSignalRefused(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	lan, him := s.newHandset(), s.play.Cast.Technician.ID
	s.technician = lan

	// The technician opens the order link before the merchant does: without the code, it opens nothing.
	lan.open(PhoneAddress("wei", "acq-huaishan"))
	lan.until(`[...document.querySelectorAll(".kind")].some((k) => !k.hidden)`)
	lan.fills("code", credential.NewCode().Printed(), "开通")
	lan.sees("开通码不对")

	s.opensShop()
	s.scenes("dispatch", "ask dispatch")
	s.comesToWork(lan, him, s.play.Dispatch.Name, s.play.Dispatch.Photo)
	wei := s.merchant

	// Relayed to another phone: the badge is good, the face is not the one in the photo.
	wei.open("/shop/visits/v1/door")
	wei.begins("开始核对")
	old := wei.screen("[data-qr]")
	lan.press("去做")
	lan.looksAt(old)
	lan.press("扫店主的码")
	lan.press("是这家店，出示工作证")
	wei.sees("照片上的人，是您面前这位吗")
	wei.press("不是")
	wei.refuses("您说不是照片上的人")
	wei.shot2("refused-face")
	wei.signal(false) // a report that does not go out, on a page that is left, does not stop her from signing
	wei.press("报告")
	wei.until(`[...document.querySelectorAll('[data-state="refused"] [data-problem]')].some((e) => !e.hidden)`)
	wei.shot2("refused-unsent")
	wei.signal(true)
	wei.press("重新核对") // red is no dead end: whose clock was wrong sets it and is asked anew
	wei.until(`!document.querySelector('[data-state="waiting"]').hidden`)

	// The code of then is used up.
	lan.atDoor()
	lan.press("扫店主的码")
	lan.press("是这家店，出示工作证")
	lan.until(`document.querySelector("main .problem")?.dataset.code === "door_challenge_used"`)

	// Signed in as himself, the technician finds no door page behind the link.
	lan.open("/shop/visits/v1/door")
	lan.sees("没有这一页")

	// And writes at home that he was let in, under his own name and under hers.
	lan.open("/app")
	for who, want := range map[string]string{"lan": "access_denied", "wei": "actor_not_signer"} {
		got := lan.js(`(async () => { ` + modules + `
			const st = await m("statement.mjs"), { signer, me } = await m("app-day.mjs"), { call } = await m("api.mjs"), { base64, utf8 } = await m("bytes.mjs");
			const mine = "` + who + `" === "lan", own = await me(), none = "0".repeat(64), at = st.timeForm(new Date());
			const { envelope } = await st.sign(await signer(), { type: "admission", subject: "visit/v1", signer: "` + who + `", organisation: mine ? own.organisation : "acq-huaishan", role: mine ? own.role : "merchant",
				at, previous: "", answers: none, body: { challenge: "", answer: none, presentation: "x", genuine: true, same_face: true, mode: "offline",
				offline: { nonce: "AAAAAAAAAAAAAAAAAAAAAA==", made_at: at, answered_at: at, dispatch: none, trust_list: 1, trust_list_at: at, status_list_at: at } } });
			return (await call("POST", "/v1/visits/v1/admit", { statement: base64(utf8(envelope)) })).body.code;
		})()`)
		if got != want {
			t.Errorf("a transcript by %s: %s, want %s", who, got, want)
		}
	}

	// A wrong clock is said, not guessed.
	wei.open("/shop/visits/v1/door")
	wei.ahead(-2 * time.Hour)
	wei.press("开始核对")
	wei.sees("手机的时间不对")
	wei.sees("我们不猜")
	wei.shot2("clock")

	// In English, with a connection that breaks before the badge is sent and before the verdict is fetched.
	wei.open("/shop/visits/v1/door?lang=en")
	wei.keys("Start the check") // and from here on by keyboard alone
	wei.until(`!document.querySelector('[data-state="waiting"]').hidden`)
	lan.js(`(localStorage.setItem("menshen-lang", "en"), 0)`)
	lan.atDoor()
	lan.scans(wei, "[data-qr]")
	lan.press("Scan the shop")
	lan.sees("This is the shop: show the badge")
	lan.signal(false)
	lan.press("This is the shop: show the badge")
	lan.until(`document.querySelector("main .problem") !== null`)
	lan.shot2("en-app-broken")
	lan.signal(true)
	wei.signal(false)
	lan.keys("This is the shop: show the badge")
	lan.sees("Shown; the owner looks at the photo")
	wei.signal(true)
	wei.sees("is the person in the photo the one in front of you?")
	wei.shot2("en-face")
	wei.keys("Same person")
	wei.until(`!document.querySelector('[data-state="admitted"]').hidden`)
	wei.sees("They may begin")
	wei.shot2("en-admitted")
}

// Without signal: what is no badge, no camera, a colleague, an old screenshot, papers older than the badge, an
// expired badge, and a browser that threw away what it kept.
func TestTwoPhonesWithoutSignalRefused(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	s.opensShop()
	s.scenes("dispatch", "ask dispatch")
	wei := s.merchant
	wei.open("/shop/visits/v1/door") // her phone has signal before the shift begins, and none after
	wei.until(`document.body.dataset.kept === "whole"`)
	s.startsShift()
	lan := s.technician
	bo := s.newHandset()
	s.comesToWork(bo, "bo", scenario.Hide("name", "bo").Commitment, scenario.Hide("photo", "x").Commitment)
	for _, h := range []*handset{lan, bo} {
		h.until(`document.body.dataset.kept === "whole"`)
	}
	s.cut()
	bo.signal(false)
	wei.do(chromedp.Reload()) // the server is down: the page comes from the phone
	order := s.play.Order.Order

	wei.begins("开始核对")
	wei.js(`(() => { window.realCamera = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices); window.noCamera = (name) => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", name)); }; noCamera("NotAllowedError"); })()`)
	wei.press("对方扫好了，我来扫他的")
	wei.sees("没有允许用相机")
	wei.sees("没核对成，就当没核对")
	wei.shot2("no-camera")
	wei.js(`noCamera("NotFoundError")`)
	wei.begins("重新核对")
	wei.press("对方扫好了，我来扫他的")
	wei.sees("这部手机没有找到相机")
	wei.js(`(navigator.mediaDevices.getUserMedia = window.realCamera, 0)`)

	scansWhat := func(picture image.Image) {
		t.Helper()
		wei.looksAt(picture)
		wei.begins("重新核对")
		wei.press("对方扫好了，我来扫他的")
	}
	for text, want := range map[string]string{"https://evil.example/badge": "这是一个网址，不是工作证", "6901234567892": "这不是工作证的二维码", "MSA1*0": "没有扫全"} {
		scansWhat(drawn(t, text, 720, 720, 0.9, nil))
		wei.sees(want)
		if wei.js(`document.querySelector("[data-video]").srcObject !== null`) != "true" {
			t.Errorf("%s: the camera does not look on", text)
		}
	}
	wei.shot2("foreign")

	// The honest badge is of today, the papers are of yesterday: not green, not red.
	wei.begins("重新核对")
	lan.scans(wei, "[data-qr]")
	lan.doctored(order, 0)
	wei.scans(lan, "figure.code")
	wei.press("对方扫好了，我来扫他的")
	wei.sees("先别开始")
	wei.sees("走到有信号的地方打开这一页")
	wei.shot2("weak")

	// A colleague with a good badge of his own, whose app asks nothing.
	wei.begins("重新核对")
	bo.scans(wei, "[data-qr]")
	bo.doctored(order, 0)
	his := bo.screen("figure.code")
	wei.looksAt(his)
	wei.press("对方扫好了，我来扫他的")
	wei.refuses("出示工作证的不是派来的人")
	wei.shot2("refused-other")

	// Signal for a moment: what the phone keeps is new.
	s.restored()
	wei.open("/shop/visits/v1/door")
	wei.until(`document.body.dataset.kept === "whole"`)
	s.cut()

	// Three hours without signal: the badge is good, and the page says how old the list is that would know of its end.
	wei.ahead(3 * time.Hour)
	wei.begins("开始核对")
	lan.scans(wei, "[data-qr]")
	lan.doctored(order, 3*time.Hour)
	wei.scans(lan, "figure.code")
	wei.press("对方扫好了，我来扫他的")
	wei.sees("照片上的人，是您面前这位吗")
	wei.sees("停用名单是 3 小时前更新的，之后停用的，它还不知道")
	wei.shot2("list-age")
	wei.do(chromedp.Reload())

	// Yesterday's screenshot, of a badge that is good today too.
	wei.begins("开始核对")
	lan.scans(wei, "[data-qr]")
	lan.doctored(order, 0)
	wei.looksAt(lan.screen("figure.code"))
	wei.do(chromedp.Reload())
	wei.begins("开始核对")
	wei.press("对方扫好了，我来扫他的")
	wei.refuses("回答的不是这一次询问")
	wei.shot2("refused-screenshot")

	// Two days later the badge is over, and so is everything that this phone knows.
	wei.do(chromedp.Reload())
	wei.ahead(25 * time.Hour)
	wei.begins("开始核对")
	lan.scans(wei, "[data-qr]")
	lan.doctored(order, 25*time.Hour)
	wei.scans(lan, "figure.code")
	wei.press("对方扫好了，我来扫他的")
	wei.refuses("工作证已经过期")

	// A clock that is earlier than what the phone keeps is said here too, and nothing is worked out by it.
	wei.do(chromedp.Reload())
	wei.ahead(-48 * time.Hour)
	wei.press("开始核对")
	wei.sees("手机的时间不对")

	// The browser cleared away the papers, then the key.
	wei.do(chromedp.Reload())
	wei.js(`caches.delete("shop-packages")`)
	wei.press("开始核对")
	wei.sees("这部手机也没存过这一单")
	wei.shot2("evicted")
	wei.js(`new Promise((done) => { const gone = indexedDB.deleteDatabase("menshen-keys"); gone.onsuccess = gone.onblocked = done; })`)
	wei.do(chromedp.Reload())
	wei.press("开始核对")
	wei.sees("这部手机还没开通")
	wei.shot2("evicted-key")
}
