//go:build browser

package pages

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// What a shopkeeper reads when it matters most, as those see it whom TestShopPagesInABrowser does not try: in English by day, on a
// desk, and enlarged to twice its size in both languages and by night.
func TestTheDoorInEnglishAndEnlarged(t *testing.T) {
	t.Parallel()
	origin, _, ctx := shopInBrowser(t)
	for _, state := range []string{"waiting", "face", "admitted", "refused", "unwilling", "expired", "cannot"} {
		for _, look := range []struct {
			lang, scheme string
			size         size
		}{{en, "light", size{"desk", 1280, 900, false, true}}, {en, "dark", size{"twice", 320, 450, false, true}}, {zh, "dark", size{"twice", 320, 450, false, false}}} {
			name := strings.Join([]string{"door", state, look.lang, look.scheme, look.size.name}, "-")
			image, problems := lookAtShop(ctx, origin+withLang("/shop/visits/door/door", look.lang), "wei", look.scheme, look.size, state)
			if narrow := evaluate[string](t, ctx, `[...document.querySelectorAll(".screen:not([hidden]) :is(.word, .turn)")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().width < 220).map((e) => e.className).join()`); narrow != "" {
				problems = append(problems, "squeezed: "+narrow)
			}
			for _, p := range problems {
				t.Errorf("%s: %s", name, p)
			}
			keep(t, name+".png", image)
		}
	}
}

// A verdict is read with the phone at arm's length, and by somebody who sees no colours or no screen at all: large words, a large
// shape that no other kind of verdict has, a region that announces itself. The question about the face is no verdict: no shape,
// no colour, and neither answer is the nicer one.
func TestAVerdictIsReadAtArmsLength(t *testing.T) {
	t.Parallel()
	origin, _, ctx := shopInBrowser(t)
	if err := chromedp.Do(ctx, asViewer("wei"), held("light", size{"phone", 360, 640, true, false}), chromedp.Navigate(origin+"/shop/visits/door/door")); err != nil {
		t.Fatal(err)
	}
	levels := map[string][]string{"sign-good": {"admitted", "offline"}, "sign-wait": {"weak"}, "sign-stop": {"refused", "another", "unwilling", "expired", "unscheduled"}, "sign-mind": {"clock", "nophone", "failed", "cannot"}}
	shapes := map[string]string{}
	for level, states := range levels {
		for _, state := range states {
			got := evaluate[string](t, ctx, `(() => { `+showState(state)+`;
				const s = document.querySelector('[data-state="`+state+`"]'), px = (e) => parseFloat(getComputedStyle(e).fontSize), out = [];
				const word = s.querySelector(".word"), shape = s.querySelector(".shape"), box = shape.getBoundingClientRect();
				if (!s.classList.contains("`+level+`")) out.push("is " + s.className);
				if (px(word) < 30 || px(s.querySelector(".word + p")) < 17) out.push("letters of " + px(word) + " and " + px(s.querySelector(".word + p")));
				if (box.width < 120 || box.top < 0 || word.getBoundingClientRect().bottom - box.top > innerHeight) out.push("shape and word do not fit one screen");
				if (s.getAttribute("aria-live") !== "assertive" || !word.hasAttribute("data-focus") || word.tabIndex !== -1) out.push("nobody is led to it");
				if (word.textContent.trim().length < 4) out.push("no word");
				return out.join("; ") + "|" + shape.querySelector(".form").outerHTML; })()`)
			wrong, form, _ := strings.Cut(got, "|")
			if wrong != "" {
				t.Errorf("%s: %s", state, wrong)
			}
			for other, has := range shapes {
				if (has == form) != (other == level) {
					t.Errorf("%s and %s: the same shape %v", level, other, has == form)
				}
			}
			shapes[level] = form
		}
	}
	if got := evaluate[string](t, ctx, `(() => { `+showState("face")+`;
		const s = document.querySelector('[data-state="face"]'), buttons = [...s.querySelectorAll(".equal button")], look = (b) => { const c = getComputedStyle(b), r = b.getBoundingClientRect(); return [c.backgroundColor, c.color, c.fontSize, Math.round(r.width), Math.round(r.height)].join(); };
		const [red, green, blue] = getComputedStyle(buttons[0]).backgroundColor.match(/\d+/g);
		return [buttons.length, look(buttons[0]) === look(buttons[1]), red === green && green === blue, s.querySelector(":scope > .shape, :scope > h2 svg"), /sign-/.test(s.className), parseFloat(getComputedStyle(s.querySelector(".say")).fontSize) >= 20].join(); })()`); got != "2,true,true,,false,true" {
		t.Errorf("the face question: %s", got)
	}
}

// oneScreen holds the question to one small screen: nobody should answer about a face that scrolled away.
func (h *handset) oneScreen() {
	h.t.Helper()
	if got := h.js(`(() => { const photo = document.querySelector("[data-photo]").getBoundingClientRect(), last = [...document.querySelectorAll(".equal button")].at(-1).getBoundingClientRect();
		return photo.top < 0 || last.bottom > innerHeight ? [photo.top, last.bottom, innerHeight].map(Math.round).join() : ""; })()`); got != "" {
		h.t.Errorf("photo and answers do not fit one screen: %s", got)
	}
}

// led says whether a reader of the screen was led to what stands there now.
func (h *handset) led() {
	h.t.Helper()
	if got := h.js(`document.activeElement === document.querySelector(".screen:not([hidden]) [data-focus]")`); got != "true" {
		h.t.Errorf("nobody is led to %s", h.js(`document.querySelector(".screen:not([hidden])").dataset.state`))
	}
}
