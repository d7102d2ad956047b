//go:build browser

package pages

import (
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"
)

// A page that somebody leaves at once, while it opens its databases for the first time, is kept by the browser for the back
// button, openings and all: the next page must not wait for it. Each round leaves at another moment of thirty openings.
func TestAPageThatWasLeftDoesNotHoldTheStore(t *testing.T) {
	t.Parallel()
	b := newBench(t, browser(t), needs{api: true}, nil)
	for round := range 4 {
		n := strconv.Itoa(round)
		if err := chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/bench")); err != nil {
			t.Fatal(err)
		}
		b.run(`const { open } = await load("idb.mjs");
			addEventListener("pagehide", (e) => { localStorage.setItem("frozen", e.persisted); });
			for (let i = 0; i < 30; i++) open("left-`+n+`-" + i, { s: {} }).then((db) => db.close(), () => {});
			setTimeout(() => { location.href = "/bench?`+n+`"; }, 3 * `+n+`);
			return null;`, nil)
		for range 100 {
			if at, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`location.search === "?`+n+`" && document.readyState === "complete"`)); err == nil && at {
				break
			}
		}
		var got []string
		b.run(`const { open } = await load("idb.mjs");
			const late = new Promise((tell) => { setTimeout(() => tell("never"), 9000); });
			const one = (i) => Promise.race([late, open("left-`+n+`-" + i, { s: {} }).then((db) => { const made = db.objectStoreNames.contains("s"); db.close(); return made ? "" : "empty"; }, (e) => e.code ?? String(e))]);
			return [localStorage.getItem("frozen"), ...(await Promise.all(Array.from({ length: 30 }, (_, i) => one(i)))).filter(Boolean)];`, &got)
		if len(got) != 1 || got[0] != "true" {
			t.Errorf("round %d: frozen, and of thirty databases: %q", round, got)
		}
	}
}
