//go:build browser

package pages

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/door"
	"github.com/menshen-project/menshen/internal/visit"
)

// shown holds a code in front of lan's phone.
func (f *field) shown(text string) {
	f.t.Helper()
	f.looksAt(drawn(f.t, text, 1280, 720, 0.8, nil))
	f.open("/app")
	f.press("去做")
	f.press("扫店主的码")
}

// At the door with signal: lan scans the code on wei's phone, sees the shop, shows the badge of the day.
func TestTheDoorFromOutside(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.enrolledBy("这部手机用不了指纹")
	wei := app.Actor{Person: "wei", Organisation: "acq-huaishan", Role: visit.RoleMerchant}
	c, err := f.App.Challenge(t.Context(), wei, "v1", visit.PurposeDoor)
	if err != nil {
		t.Fatal(err)
	}
	f.shown(c.QR)
	f.sees("是这家店，出示工作证")
	f.shot("door-order")
	f.press("是这家店，出示工作证")
	f.sees("已出示，等店主看照片")
	f.shot("door-shown")
	r, err := f.App.Door(t.Context(), wei, "v1", c.Statement, c.ResultSecret, 0, 5*time.Second)
	if err != nil || r.Verdict != "genuine" {
		t.Fatalf("%+v %v", r, err)
	}
	if got := f.js(`document.querySelector(".digits").textContent`); got != r.Digits {
		t.Errorf("the phone shows %s, the shop %s", got, r.Digits)
	}
}

// Whatever a camera can read gets a clear sentence.
func TestCodesThatAreNoDoorCheck(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.enrolledBy("这部手机用不了指纹")
	other := door.Challenge{Visit: "v9", Nonce: "c2l4dGVlbiBieXRlcy4uLg==", Asked: time.Now()}.Text()
	for text, want := range map[string]string{
		"https://evil.example/door?v=v1": "challenge_text_url", "6901234567892": "challenge_text_foreign", other[:len(other)-20]: "challenge_text_cut", other: "challenge_other_order",
	} {
		f.shown(text)
		f.until(`[...document.querySelectorAll("main [data-code]")].some(e => e.dataset.code === "` + want + `")`)
		if want == "challenge_text_url" {
			f.shot("door-url")
		}
	}
}

// A phone without a camera, and one whose owner said no: both are told what to do.
func TestAPhoneWithoutACamera(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.enrolled()
	f.js(`(navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError")), 0)`)
	f.press("去做")
	f.press("扫店主的码")
	f.until(`document.querySelector(".problem")?.dataset.code === "camera_refused"`)
	f.shot("camera-refused")
	// What the page answered stays until the person acts, whatever the phone hears meanwhile.
	f.js(`(document.dispatchEvent(new Event("visibilitychange")), dispatchEvent(new Event("visibilitychange")), 0)`)
	f.js(`new Promise((heard) => setTimeout(() => heard(0), 500))`)
	if f.js(`document.querySelector(".problem")?.dataset.code ?? ""`) != "camera_refused" {
		t.Error("the answer was taken away by a change elsewhere")
	}
	f.js(`(navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotFoundError")), 0)`)
	f.press("扫店主的码")
	f.until(`document.querySelector(".problem")?.dataset.code === "camera_none"`)
	c, err := f.App.Challenge(t.Context(), app.Actor{Person: "wei", Organisation: "acq-huaishan", Role: visit.RoleMerchant}, "v1", visit.PurposeDoor)
	if err != nil {
		t.Fatal(err)
	}
	f.press("没有相机：输店主念的六位数")
	f.types("six", c.SixDigits)
	f.press("核对")
	f.press("是这家店，出示工作证")
	f.sees("已出示，等店主看照片")
}
