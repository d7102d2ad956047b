//go:build browser

package pages

import (
	"strings"
	"testing"
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
