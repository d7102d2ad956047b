//go:build browser

package pages

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/internal/visit"
)

// relays makes a phone one that shows whatever its camera sees; it has no account anywhere.
func (s *street) relays() *handset {
	s.t.Helper()
	h := s.newHandset()
	h.open("/app")
	h.js(`(async () => { ` + modules + `
		const { startScanner, prepareScanner } = await m("scan.mjs"), { svg } = await m("qr.mjs");
		await prepareScanner();
		window.passOn = async () => {
			const video = document.createElement("video");
			document.body.append(video);
			const text = await new Promise((resolve, reject) => { startScanner(video, resolve, reject); });
			video.remove();
			const figure = document.createElement("figure");
			figure.className = "code";
			figure.append(svg(text));
			document.querySelector("main").replaceChildren(figure);
		};
	})()`)
	return h
}

// passesOn films a part of another phone's screen and shows it on its own.
func (h *handset) passesOn(other *handset, part string) {
	h.t.Helper()
	h.scans(other, part)
	h.js(`window.passOn()`)
}

// An impostor stands in the shop with a phone that passes on what it sees; the honest technician, four kilometres away, is made to
// answer. Whatever travels is genuine: what stops it is the face that the shop sees, and how far the answering phone is. The
// second time she taps yes all the same, and the gate does not. Then without signal, in English.
func TestARelayThroughAnotherPhone(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	s.opensShop()
	s.scenes("dispatch", "ask dispatch")
	s.startsShift()
	wei, lan, hei := s.merchant, s.technician, s.relays()
	lan.standsOff(0.04)
	lan.js(`(localStorage.setItem("menshen-lang", "en"), 0)`)
	for _, tap := range []struct{ button, then string }{{"不是", "您说不是照片上的人"}, {"是同一个人", "有位置记录不在店铺范围内"}} {
		wei.open("/shop/visits/v1/door")
		wei.begins("开始核对")
		hei.passesOn(wei, "[data-qr]")
		lan.atDoor()
		lan.scans(hei, "figure.code")
		lan.press("Scan the shop")
		lan.press("This is the shop: show the badge")
		wei.sees("照片上的人，是您面前这位吗")
		if far := wei.js(`document.querySelector('[data-fill="distance"]').textContent`); !strings.HasPrefix(far, "44") || !strings.HasSuffix(far, " m") {
			t.Errorf("the phone that answers is %s away", far)
		}
		wei.press(tap.button)
		wei.refuses(tap.then)
	}

	wei.open("/shop/visits/v1/door?lang=en")
	wei.until(`document.body.dataset.kept === "whole"`)
	lan.atDoor()
	lan.until(`document.body.dataset.kept === "whole"`)
	s.cut()
	wei.begins("Start the check")
	hei.passesOn(wei, "[data-qr]")
	lan.scans(hei, "figure.code")
	lan.press("Scan the shop")
	lan.press("This is the shop: show the badge")
	lan.sees("No signal: let the owner scan this code")
	hei.passesOn(lan, "figure.code")
	wei.scans(hei, "figure.code")
	wei.press("They have scanned")
	wei.sees("is the person in the photo the one in front of you?")
	wei.sees(lan.js(`document.querySelector(".digits").textContent`))
	wei.press("No")
	wei.sees("You said that it is not the person in the photo.")
}

// steps makes the phone's clock jump at the moment in which its camera opens: between the scan of the one and the scan of the other.
func (h *handset) steps(by time.Duration) {
	h.t.Helper()
	h.js(`(() => { window.realCamera ??= navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices); window.trueNow ??= Date.now.bind(Date);
		navigator.mediaDevices.getUserMedia = (what) => { Date.now = () => window.trueNow() + ` + strconv.FormatInt(by.Milliseconds(), 10) + `; return window.realCamera(what); }; })()`)
}

// Without signal, a clock jumps between the two scans: the shop's own, back or forward, or the technician's. It is said and
// never guessed, and nothing is signed about him. With the clocks right the same two pass; in English.
func TestAClockStepsBetweenTheScans(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	wei, lan := s.atTheCounter()
	order := s.play.Order.Order
	wei.open("/shop/visits/v1/door?lang=en")
	wei.until(`document.body.dataset.kept === "whole"`)
	s.cut()
	check := func(own, his time.Duration) {
		t.Helper()
		wei.do(chromedp.Reload()) // her clock is right again
		wei.begins("Start the check")
		lan.scans(wei, "[data-qr]")
		lan.doctored(order, his)
		wei.scans(lan, "figure.code")
		wei.steps(own)
		wei.press("They have scanned")
	}
	check(-time.Minute, 0)
	wei.shown("clock")
	wei.sees("clock went back during the check")
	wei.shot2("clock-back")
	check(4*time.Minute, 0)
	wei.shown("expired")
	wei.sees("Over three minutes passed")
	check(0, 10*time.Minute)
	wei.shown("refused")
	wei.sees("their phone's clock is fast")
	check(0, -10*time.Minute)
	wei.shown("refused")
	wei.sees("their phone's clock is slow")
	check(0, 0)
	wei.sees("is the person in the photo the one in front of you?")
	wei.press("Same person")
	wei.shown("offline")
	s.restored()
	wei.until(`document.querySelector('[data-state="offline"] [data-later]').textContent === document.querySelector('[data-state="offline"] [data-say="waits"]').textContent`)
	if n := s.times(visit.TypeAdmission); n != 1 {
		t.Errorf("%d verdicts were signed, not the honest one alone", n)
	}
}
