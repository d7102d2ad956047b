package pages

import (
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

func TestTheAppIsAPageThatAPhoneMayKeep(t *testing.T) {
	_, s := city(t)
	r := ask{path: "/app", viewer: "qiu"}.of(s)
	page := body(t, r)
	if page != body(t, ask{path: "/app"}.of(s)) {
		t.Error("the shell differs by who looks: it would keep somebody's data")
	}
	if got := r.Header.Get("Content-Security-Policy"); got != appNeeds.contentPolicy() {
		t.Errorf("policy %q", got)
	}
	var keep []string
	if err := json.Unmarshal([]byte(s.appKeeps()), &keep); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"/app", s.assets.href("app.mjs"), s.assets.href("queue.mjs"), s.assets.href("vendor/barcode-detector/zxing_reader.wasm")} {
		if !slices.Contains(keep, want) {
			t.Errorf("a phone does not keep %s", want)
		}
	}
	for _, path := range keep {
		if r := (ask{path: path}).of(s); r.StatusCode != 200 {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}

// Whatever the app may fetch later is on the phone before there is no signal.
func TestAPhoneKeepsTheAppsLateParts(t *testing.T) {
	_, s := city(t)
	var keep []string
	if err := json.Unmarshal([]byte(s.appKeeps()), &keep); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var reach func(name string)
	reach = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, m := range imports.FindAllStringSubmatch(string(s.assets.files[name].data), -1) {
			reach(path.Join(path.Dir(name), m[1]))
		}
	}
	reach("app.mjs")
	first, _ := firstLoad(s.assets, "app.mjs")
	whole, _ := firstLoad(s.assets, slices.Collect(maps.Keys(seen))...)
	if !seen["app-visit.mjs"] || !seen["vendor/barcode-detector/ponyfill.js"] || first*3 > whole*2 {
		t.Errorf("%d files are reached; %d of %d bytes come first", len(seen), first, whole)
	}
	for name := range seen {
		if !slices.Contains(keep, s.assets.href(name)) {
			t.Errorf("a phone does not keep %s", name)
		}
	}
}

func TestTheServiceWorkerNamesItsSet(t *testing.T) {
	_, s := city(t)
	r := ask{path: "/sw.js"}.of(s)
	script := body(t, r)
	if !strings.HasPrefix(script, "const SET = \""+s.assets.set+"\";\nconst FILES = {\"") || r.Header.Get("Content-Type") != "text/javascript; charset=utf-8" || r.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%.80q %v", script, r.Header)
	}
}

func TestTheAppCanBeInstalled(t *testing.T) {
	_, s := city(t)
	r := ask{path: "/app.webmanifest?lang=en"}.of(s)
	var m struct {
		Start   string `json:"start_url"`
		Scope   string `json:"scope"`
		Display string `json:"display"`
		Name    string `json:"name"`
		Icons   []struct{ Src, Sizes, Type, Purpose string }
	}
	if err := json.Unmarshal([]byte(body(t, r)), &m); err != nil || r.Header.Get("Content-Type") != "application/manifest+json" {
		t.Fatal(err, r.Header)
	}
	if m.Start != "/app" || m.Scope != "/" || m.Display != "standalone" || m.Name != "menshen · Visits" || len(m.Icons) != 4 {
		t.Errorf("%+v", m)
	}
	for _, icon := range m.Icons {
		if r := (ask{path: icon.Src}).of(s); r.StatusCode != 200 || r.Header.Get("Content-Type") != icon.Type {
			t.Errorf("%s: %d %s", icon.Src, r.StatusCode, r.Header.Get("Content-Type"))
		}
	}
}

func TestWhoHandsFilesIn(t *testing.T) {
	_, s := city(t)
	if r := (ask{path: "/carry"}).of(s); r.StatusCode != 401 {
		t.Errorf("signed out: %d", r.StatusCode)
	}
	page := body(t, ask{path: "/carry?lang=en", viewer: "qiu"}.of(s))
	if got := htmlComplaints(page); len(got) > 0 || !strings.Contains(page, "Hand in a phone") {
		t.Errorf("%q", got)
	}
}
