//go:build browser

package pages

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
)

// The same driver in a real browser: its WebCrypto, its inflate and its text decoder are not node's.
func TestTheDoorInChromium(t *testing.T) {
	t.Parallel()
	const step = 71 // one changed character a place, beside dropped and doubled ones
	driver, err := os.ReadFile("testdata/js/door.mjs")
	if err != nil {
		t.Fatal(err)
	}
	r := newDoorRun(t, step)
	input, err := json.Marshal(r.input)
	if err != nil {
		t.Fatal(err)
	}
	ctx := browser(t)
	b := newBench(t, ctx, needs{api: true}, map[string]http.HandlerFunc{
		"/door.mjs": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte(strings.ReplaceAll(string(driver), "../../assets/", loadAssets().href(""))))
		},
		"/input.json": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(input) },
	})
	var got doorAnswers
	b.run(`const { answers } = await import("/door.mjs"); return await answers(await (await fetch("/input.json")).json());`, &got)
	r.check(t, got, step)
	if got.JudgeMS > 300 {
		t.Logf("judging takes %.0f ms here; the design asks for 300 in all", got.JudgeMS)
	}
}
