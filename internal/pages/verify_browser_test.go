//go:build browser

package pages

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
)

// goSays is the verdict of the same rules outside the browser: the code of the refusal, "" for an accepted bundle.
func goSays(t *testing.T, trustFile, bundleFile string) string {
	t.Helper()
	var files [2][]byte
	for i, name := range []string{trustFile, bundleFile} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = data
	}
	trust, err := evidence.ParseTrust(files[0])
	if err != nil {
		t.Fatal(err)
	}
	b, err := evidence.Open(files[1])
	if err != nil {
		t.Fatal(err)
	}
	r := evidence.Verify(b, trust)
	if r.Accepted() {
		return ""
	}
	return fault.CodeOf(r.Refusal)
}

// Whoever has a bundle and a trust file checks them in his own browser, by the rules that the acquirer's host has: the honest
// one is accepted, one with one byte changed is refused for its own reason, half a file cannot be read. It needs no server
// once it is open, and none at all as the file that people keep.
func TestABundleIsCheckedInTheBrowser(t *testing.T) {
	t.Parallel()
	files := t.TempDir()
	if out, err := exec.Command("../../script/verifier", files).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	again := t.TempDir()
	if out, err := exec.Command("../../script/verifier", again).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{verifierWasm, verifierStart} {
		one, errA := os.ReadFile(filepath.Join(files, name))
		two, errB := os.ReadFile(filepath.Join(again, name))
		if errA != nil || errB != nil || string(one) != string(two) {
			t.Errorf("%s comes out otherwise when it is built again: %v %v", name, errA, errB)
		}
		t.Logf("%s: %d bytes", name, len(one))
	}
	const trust, bundle = "../../docs/examples/trust.json", "../../docs/examples/bundle.json"
	data, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		path := filepath.Join(files, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// One letter of the first event's base64 is another: the event that it is then was never logged.
	at := strings.Index(string(data), `"event":"`) + len(`"event":"`) + 60
	other := map[bool]string{true: "B", false: "A"}[data[at] == 'A']
	changed := write("changed.json", string(data[:at])+other+string(data[at+1:]))
	half := write("half.json", string(data[:len(data)/2]))
	wanted := goSays(t, trust, changed)
	if goSays(t, trust, bundle) != "" || wanted == "" {
		t.Fatalf("Go accepts the changed bundle, or not the honest one: %q", wanted)
	}

	_, s := city(t)
	s.Verifier = os.DirFS(files)
	server := httptest.NewServer(s.Routes())
	f := &field{office: &office{t: t, origin: strings.Replace(server.URL, "127.0.0.1", "localhost", 1), ctx: browser(t)}}
	checks := func(trustFile, bundleFile, level string, says ...string) {
		t.Helper()
		for field, path := range map[string]string{"#trust": trustFile, "#bundle": bundleFile} {
			whole, err := filepath.Abs(path)
			if err != nil {
				t.Fatal(err)
			}
			f.chooses(field, whole)
		}
		f.until(`document.querySelector("#verify button").disabled === false`)
		f.js(`document.querySelector("#verify button").click()`)
		f.until(`document.querySelector("#verdict .sign") !== null`)
		if got := f.js(`document.querySelector("#verdict .sign").dataset.level`); got != level {
			t.Errorf("%s: %s, want %s", filepath.Base(bundleFile), got, level)
		}
		for _, want := range says {
			f.sees(want)
		}
	}
	f.look("verify", "/verify")
	f.open("/verify?lang=zh")
	f.until(`document.body.dataset.kept === "whole"`)
	f.shot("verify-empty")
	checks(trust, bundle, "mind", "对得上，但只是演示", "演示用的信任文件", "完整到第几条", "证明不了的")
	f.js(`(() => { for (const d of document.querySelectorAll("#verdict details")) d.open = true; })()`)
	f.sees("店主")
	f.shot("verify-accepted")
	checks(trust, changed, "stop", "不可信")
	if got := f.js(`document.querySelector("#verdict .why").dataset.code`); got != wanted {
		t.Errorf("refused for %s, in Go for %s", got, wanted)
	}
	f.shot("verify-refused")
	f.open("/verify?lang=en")
	checks(trust, changed, "stop", "Refused", "Why")
	f.shotIn("verify-refused-en", "light")
	checks(trust, bundle, "mind", "It holds")
	f.shotIn("verify-accepted-en", "light")
	f.open("/verify?lang=zh")
	server.Close() // once it is open, nobody is needed
	checks(trust, half, "mind", "文件读不出来")
	checks(trust, bundle, "mind", "对得上，但只是演示")
	for _, address := range []string{"/verify", "/verify?lang=en"} { // nor to open it again
		f.open(address)
		checks(trust, bundle, "mind")
		checks(trust, changed, "stop")
	}
	f.shot("verify-without-server")

	kept := httptest.NewRecorder()
	s.Routes().ServeHTTP(kept, httptest.NewRequest("GET", "/verify/menshen-verify.html?lang=en", nil))
	f.do(chromedp.Navigate("file://" + write("kept.html", kept.Body.String())))
	checks(trust, bundle, "mind", "It holds", "What this cannot prove")
	checks(trust, changed, "stop", "Refused")
	if got := f.js(`fetch("https://elsewhere.example/").then(() => "went out", () => "kept in")`); got != "kept in" {
		t.Errorf("the kept file: %s", got)
	}
}
