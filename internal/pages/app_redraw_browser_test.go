//go:build browser

package pages

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// another has the phone hear something that changes the page: the shop's name as its papers open it. It waits until
// the app has drawn it.
func (f *field) another(shop string) {
	f.t.Helper()
	f.renames(shop)
	f.until(`document.querySelector("main").textContent.includes("` + shop + `")`)
}

// renames does so without waiting.
func (f *field) renames(shop string) {
	f.t.Helper()
	f.js(`(async () => {
		const [store, work] = await Promise.all(["app-store.mjs", "app-sign.mjs"].map((m) => import(document.body.dataset.assets + m)));
		const { package: papers } = await store.visit("v1");
		papers.openings.shop.value = "` + shop + `";
		await store.mergeVisit("v1", { package: papers });
		work.outbox.dispatchEvent(new Event("change"));
		return "";
	})()`)
}

// holds fails the test where an expression is not true at once.
func (f *field) holds(what, expression string) {
	f.t.Helper()
	if got := f.js(expression); got != "true" {
		f.t.Errorf("%s: %s is %s", what, expression, got)
	}
}

// Whatever the phone hears meanwhile, and however often the page draws: what a person opened stays open, what was
// typed stays, the focus and the place on the page stay, and a tap goes where it was aimed.
func TestARedrawKeepsWhatAPersonDoes(t *testing.T) {
	t.Parallel()
	f := newField(t)
	site := f.mux
	var noPapers atomic.Bool // the phone keeps those it has, which this test rewrites
	f.down()
	f.mux = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if noPapers.Load() && strings.HasSuffix(r.URL.Path, "/package") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		site.ServeHTTP(w, r)
	})
	f.up()
	f.enrolled()
	f.nothingToKeep()
	noPapers.Store(true)

	f.press("有效到")
	f.js(`([...document.querySelectorAll("main button")].find(b => b.textContent.includes("收工")).focus(), "")`)
	for n := range 3 {
		f.js(`(dispatchEvent(new HashChangeEvent("hashchange")), dispatchEvent(new HashChangeEvent("hashchange")), "")`) // two quick ones, of the page that is shown
		f.another(fmt.Sprintf("改名 %d 店", n))
		f.holds("the badge was folded", `document.querySelector("main details.badge").open`)
		f.holds("the focus went", `document.activeElement.textContent.includes("收工")`)
	}
	f.js(`(document.querySelector("main").firstElementChild.dataset.same = "yes", "")`)
	f.js(`import(document.body.dataset.assets + "app-sign.mjs").then((s) => { for (let i = 0; i < 5; i++) s.outbox.dispatchEvent(new Event("change")); return new Promise((drawn) => setTimeout(() => drawn(""), 400)); })`)
	f.holds("it drew what was there already", `document.querySelector("main").firstElementChild.dataset.same === "yes"`)

	// A finger goes down, the page hears something, the finger goes up.
	f.js(`(window.aimed = [...document.querySelectorAll("main button")].find(b => b.textContent.includes("收工")), aimed.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true })), "")`)
	f.renames("手指下面的店")
	f.js(`new Promise((later) => setTimeout(() => later(""), 400))`)
	f.holds("the button went from under the finger", `window.aimed.isConnected`)
	f.js(`(aimed.dispatchEvent(new PointerEvent("pointerup", { bubbles: true })), aimed.click(), "")`)
	f.sees("还没开工")
	f.sees("开工后看得到是哪家店") // the shift is over, and the shop has left the phone

	noPapers.Store(false)
	f.press("开工")
	f.sees("有效到")
	f.sees(f.play.Shop.Address)
	noPapers.Store(true)
	f.admitted()
	f.press("去做")
	f.sees("在柜台上")
	n := f.play.Notice(f.play.Order.Order)
	f.types("p-tracking", n.Tracking)
	f.types("p-bag_seal", "半个")
	f.js(`(document.getElementById("p-seals").click(), scrollTo(0, 180), "")`)
	f.press("有问题：停下来")
	f.js(`(document.querySelector("input[value=asked_for_money]").click(), "")`)
	f.another("再改名的店")
	f.holds("what was typed went", `document.getElementById("p-tracking").value === "`+n.Tracking+`" && document.getElementById("p-bag_seal").value === "半个"`)
	f.holds("its verdict went", `[...document.querySelectorAll(".fit")].slice(0, 2).map(e => e.textContent).join() === "✓ 对,✕ 对不上"`)
	f.holds("a tick or a choice went", `document.getElementById("p-seals").checked && document.querySelector("input[value=asked_for_money]").checked`)
	f.holds("what was opened was folded", `document.querySelector(".brakes details").open`)
	f.holds("the page jumped", `scrollY === 180`)

	// While a word is being typed nothing moves; it does as soon as the field is left.
	f.js(`(window.field = document.getElementById("p-bag_seal"), field.focus(), "")`)
	f.renames("打字时的店")
	f.js(`new Promise((later) => setTimeout(() => later(""), 400))`)
	f.holds("the field was taken from under the hand", `window.field.isConnected && document.activeElement === window.field`)
	f.js(`(field.blur(), "")`)
	f.sees("打字时的店")
	f.js(`(document.getElementById("p-seals").click(), "")`) // parcel ticks it
	f.parcel()

	// A picture that was just taken waits for its answer.
	f.sees("招牌和店门")
	f.press("拍照")
	f.until(`document.querySelector("video")?.readyState >= 2`)
	f.js(`document.querySelector("button.shutter").click()`)
	f.until(`document.querySelector(".view img") !== null`)
	f.renames("拍照时的店")
	f.js(`new Promise((later) => setTimeout(() => later(""), 400))`)
	f.press("用这张")
	f.sees("装好的机具")
	f.sees("拍照时的店")
}
