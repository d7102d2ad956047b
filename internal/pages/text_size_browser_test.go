//go:build browser

package pages

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// enlargements are how people make letters twice as large. WeChat and Android's web view enlarge text alone, whatever unit it is
// set in, and leave the screen as wide as it is; a browser's own setting changes what a rem is; a browser's zoom leaves half the
// page's own pixels.
var enlargements = []struct {
	name          string
	width, height int64
	pixels        float64
	mobile        bool
	on, off       string
}{
	{"text", 360, 640, 1, true, `document.body.style.textSizeAdjust = "200%"`, `document.body.style.textSizeAdjust = ""`},
	{"rem", 360, 640, 1, true, `document.documentElement.style.fontSize = "200%"`, `document.documentElement.style.fontSize = ""`},
	{"zoom", 640, 400, 2, false, `0`, `0`},
}

// squeezed lists texts in columns of a letter or two, what does not grow with the letters, and what cannot be pressed because
// something lies over it or it is outside the page.
const squeezed = `(() => {
  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), width = document.documentElement.clientWidth;
  while (texts.nextNode()) {
    const n = texts.currentNode, e = n.parentElement, name = n.textContent.trim().slice(0, 30);
    if (name.length < 6 || !e.checkVisibility({ visibilityProperty: true }) || e.closest(".unseen, .skip, script, noscript, option, select, code, thead")) continue;
    const range = document.createRange(); range.selectNodeContents(n);
    const em = parseFloat(getComputedStyle(e).fontSize), lines = new Set([...range.getClientRects()].map((b) => Math.round(b.top))).size;
    const across = range.getBoundingClientRect().width;
    if (lines > 3 && across < 2.5 * em && across < width / 2) found.push(name + " is squeezed");
  }
  for (const e of document.querySelectorAll("button, a.button, a.go, nav a, summary, .choice, input:not(.unseen), select, textarea")) {
    if (!e.checkVisibility({ visibilityProperty: true }) || e.closest(".unseen, .skip, dialog:not([open])")) continue;
    e.scrollIntoView({ block: "center" });
    const b = e.getBoundingClientRect(), over = document.elementFromPoint(b.left + b.width / 2, b.top + Math.min(b.height / 2, innerHeight / 3));
    if (b.left < -1 || b.right > width + 1 || !over || !(e.contains(over) || over.contains(e))) found.push("cannot press " + e.tagName + " " + e.textContent.trim().slice(0, 20) + (over ? ", under " + over.tagName + "." + over.className : ""));
  }
  for (const e of document.querySelectorAll(".qr svg, svg.qr, .qr-print, figure.code svg")) {
    if (!e.checkVisibility()) continue;
    e.scrollIntoView({ block: "center" });
    const b = e.getBoundingClientRect();
    if (b.left < 0 || b.right > width + 1 || Math.abs(b.width - b.height) > 2 || b.height > innerHeight || b.width < (e.closest(".print") ? 140 : 200)) found.push("a code of " + [b.left, b.width, b.height].map(Math.round));
  }
  scrollTo(0, 0);
  return [...new Set(found)].slice(0, 5).join("; ");
})()`

// letters is how large a page's first words are.
const letters = `parseFloat(getComputedStyle(document.querySelector("main p, main li, main td, main label, main h1") ?? document.body).fontSize)`

// enlarged makes the letters of the open page twice as large, in each way, and lists what does not stand it. Pictures go to the
// folder of screenshots under the name.
func enlarged(ctx context.Context, name string) []string {
	var problems []string
	for i, e := range enlargements {
		if i == 0 || e.width != enlargements[i-1].width {
			if err := chromedp.Do(ctx, send(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: e.width, Height: e.height, DeviceScaleFactor: e.pixels, Mobile: e.mobile})); err != nil {
				return append(problems, err.Error())
			}
		}
		said, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(() => { const before = `+letters+`; `+e.on+`; return [`+letters+` / before, `+wide+`, `+spilt+`, `+squeezed+`].join("\n"); })()`))
		if err != nil {
			return append(problems, err.Error())
		}
		lines := strings.Split(said, "\n")
		if e.mobile && lines[0] != "2" {
			problems = append(problems, name+" "+e.name+": its letters grow to "+lines[0])
		}
		for _, p := range lines[1:] {
			if p != "" {
				problems = append(problems, name+" "+e.name+" at 200 %: "+p)
			}
		}
		if folder := os.Getenv("MENSHEN_SCREENSHOTS"); folder != "" {
			image, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			if err == nil {
				err = os.WriteFile(filepath.Join(folder, "large-"+name+"-"+e.name+".png"), image, 0o644)
			}
			if err != nil {
				problems = append(problems, err.Error())
			}
		}
		if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](e.off)); err != nil {
			return append(problems, err.Error())
		}
	}
	return problems
}

// What finds nothing wrong with large letters must be able to.
func TestTheChecksOfLargeLettersCanFail(t *testing.T) {
	t.Parallel()
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!DOCTYPE html><html lang="en"><meta name="viewport" content="width=device-width, initial-scale=1"><title>x</title><body><main><p style="font-size:17px">in pixels</p>
			<p style="width:40px">a b c d e f g h</p><div class="card" style="width:130px;white-space:nowrap">as wide as this</div>
			<button style="position:absolute;left:0;top:300px">under it</button><div style="position:absolute;left:0;top:290px;width:300px;height:90px;background:#fff"></div>
			<div class="qr"><svg width="150" height="150"></svg></div></main>`)
	}))
	t.Cleanup(bad.Close)
	ctx := browser(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(bad.URL)); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(enlarged(ctx, "bad"), "\n")
	for _, want := range []string{"rem: its letters grow to 1", "sticks out of DIV.card", "is squeezed", "cannot press BUTTON under it", "a code of"} {
		if !strings.Contains(all, want) {
			t.Errorf("nobody noticed %s in:\n%s", want, all)
		}
	}
}
