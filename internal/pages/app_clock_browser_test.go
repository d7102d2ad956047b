//go:build browser

package pages

import (
	"crypto/rand"
	"encoding/base64"
	"strconv"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/door"
	"github.com/menshen-project/menshen/internal/visit"
)

// wrong sets the open page's clock ahead, or back, as a phone has it whose owner sets the time himself; the page shows what is to be said.
func (f *field) wrong(by time.Duration) {
	f.t.Helper()
	f.js(`(() => { const True = (window.TrueDate ??= Date), by = ` + strconv.FormatInt(by.Milliseconds(), 10) + `;
		window.Date = class extends True { constructor(...a) { if (a.length) super(...a); else super(True.now() + by); } static now() { return True.now() + by; } };
		return ""; })()`)
}

// told waits for a problem beside the button, with these words.
func (f *field) told(code, words string) {
	f.t.Helper()
	f.until(`document.querySelector("main .problem")?.dataset.code === "` + code + `"`)
	f.sees(words)
}

// A technician whose phone's clock is wrong would be red on the shop's phone, for no fault of his. His own phone says so
// before the badge is shown, by how much, and which of the two phones where it knows; nothing is used up, and with the time set
// right the same code is answered.
func TestAWrongClockIsSaidBeforeTheBadgeIsShown(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.enrolledBy("这部手机用不了指纹")
	f.until(`document.body.dataset.kept === "whole"`)
	wei := app.Actor{Person: "wei", Organisation: "acq-huaishan", Role: visit.RoleMerchant}
	const show = "是这家店，出示工作证"

	c, err := f.App.Challenge(t.Context(), wei, "v1", visit.PurposeDoor)
	if err != nil {
		t.Fatal(err)
	}
	f.shown(c.QR)
	f.sees(show)
	for by, words := range map[time.Duration]string{9 * time.Second: "快了约", -3 * time.Minute: "慢了约 3 分钟", 25 * time.Hour: "快了约 25 小时"} {
		f.wrong(by)
		f.press(show)
		f.told("clock_wrong", words)
	}
	f.shot("clock-wrong")
	f.wrong(0)
	f.press(show)
	f.sees("已出示，等店主看照片")
	if r, err := f.App.Door(t.Context(), wei, "v1", c.Statement, c.ResultSecret, 0, 5*time.Second); err != nil || r.Verdict != "genuine" {
		t.Errorf("%+v %v", r, err)
	}

	// Without signal nobody knows which phone is wrong, and the page does not guess.
	pack, err := f.App.Package(t.Context(), app.Actor{Person: "lan", Organisation: "svc-anzhuang", Role: visit.RoleTechnician}, "v1")
	if err != nil {
		t.Fatal(err)
	}
	secret, err := base64.StdEncoding.DecodeString(pack.OrderSecret)
	if err != nil {
		t.Fatal(err)
	}
	f.open("/app")
	f.sees("去做")
	f.down()
	f.signal(false)
	asks := func(ago time.Duration) {
		t.Helper()
		nonce := make([]byte, 16)
		_, _ = rand.Read(nonce)
		sealed, err := door.Challenge{Visit: "v1", Nonce: base64.StdEncoding.EncodeToString(nonce), Asked: time.Now().Add(-ago).Truncate(time.Second)}.Seal(secret)
		if err != nil {
			t.Fatal(err)
		}
		f.shown(sealed.Text())
		f.press(show)
	}
	asks(-3 * time.Minute)
	f.told("clocks_differ", "差了约 3 分钟")
	asks(5 * time.Minute)
	f.told("clocks_differ", "差了约 5 分钟，或者这个码是那时候出的")
	f.shot("clocks-differ")
	asks(0)
	f.sees("没信号：请店主扫这个码")

	// A clock that is behind makes no order false.
	f.open("/app")
	f.sees("✓ 订单是真的")
	f.wrong(-72 * time.Hour)
	f.js(`import(document.body.dataset.assets + "app-sign.mjs").then((s) => { s.outbox.dispatchEvent(new Event("done")); return ""; })`)
	f.until(`document.querySelector("article [data-genuine=no][data-code=clock_behind]") !== null`)
	f.sees("真假核对不了")
	f.shot("clock-behind")
}
