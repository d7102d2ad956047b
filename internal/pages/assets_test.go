package pages

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// fetch asks for an address as a browser does that takes encoding.
func fetch(t *testing.T, s *Server, address, encoding string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, address, nil)
	if encoding != "" {
		r.Header.Set("Accept-Encoding", encoding)
	}
	w := httptest.NewRecorder()
	s.Routes().ServeHTTP(w, r)
	return w.Result()
}

func bytesOf(t *testing.T, r *http.Response) []byte {
	t.Helper()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEveryAssetIsServed(t *testing.T) {
	_, s := city(t)
	for _, name := range s.assets.names() {
		r := fetch(t, s, s.assets.href(name), "")
		if data := bytesOf(t, r); r.StatusCode != 200 || !bytes.Equal(data, s.assets.files[name].data) || r.Header.Get("Content-Type") != kinds[path.Ext(name)] {
			t.Errorf("%s: %d, %s", name, r.StatusCode, r.Header.Get("Content-Type"))
		}
		r = fetch(t, s, s.assets.href(name), "br;q=1.0, gzip;q=0.8")
		data := bytesOf(t, r)
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if data, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(data, s.assets.files[name].data) || r.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s comes out of gzip as something else", name)
		}
	}
}

func TestAnAssetOfAnotherReleaseIsNotThere(t *testing.T) {
	_, s := city(t)
	for _, address := range []string{"/assets/menshen.css", "/assets/000000000000/menshen.css", s.assets.href("none.css"), s.assets.href("../server.go"), s.assets.href("")} {
		if r := fetch(t, s, address, ""); r.StatusCode != 404 && r.StatusCode != 301 && r.StatusCode != 307 || strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %s", address, r.StatusCode, r.Header.Get("Cache-Control"))
		}
	}
}

func TestTheSetIsNamedByAllOfIt(t *testing.T) {
	hash := func(files map[string]string) string {
		tree := fstest.MapFS{}
		for name, data := range files {
			tree["a/"+name] = &fstest.MapFile{Data: []byte(data)}
		}
		a, err := readAssets(tree, "a")
		if err != nil {
			t.Fatal(err)
		}
		return a.set
	}
	seen := map[string]bool{}
	for _, files := range []map[string]string{{"a.mjs": "1", "b/c.mjs": "2"}, {"a.mjs": "2", "b/c.mjs": "2"}, {"a.mjs": "1", "c.mjs": "2"}, {"a.mjs": "12"}} {
		seen[hash(files)] = true
	}
	first, again := hash(map[string]string{"a.mjs": "1"}), hash(map[string]string{"a.mjs": "1"})
	if len(seen) != 4 || first != again {
		t.Errorf("sets: %v", seen)
	}
	if _, err := readAssets(fstest.MapFS{"a/x.exe": &fstest.MapFile{}}, "a"); err == nil {
		t.Error("a file of no kind was taken")
	}
	if _, err := readAssets(fstest.MapFS{}, "none"); err == nil {
		t.Error("no folder was taken")
	}
}

func TestGzipIsSentToWhoTakesIt(t *testing.T) {
	for accepted, want := range map[string]bool{"gzip": true, "br, GZIP": true, "gzip;q=0.1": true, "gzip; q=1": true, "": false, "br": false,
		"gzip;q=0": false, "gzip;q=0.000": false, "xgzip": false} {
		if takesGzip(accepted) != want {
			t.Errorf("%q: %v", accepted, !want)
		}
	}
	if pack([]byte("x")) != nil {
		t.Error("one byte was packed into more")
	}
}

// imports are the other files that a module names.
var imports = regexp.MustCompile(`(?:(?m:^)(?:import|export)\b[^'"\n=(]*|\bimport\(\s*)["']([^"']+)["']`)

func TestNoAssetReachesAway(t *testing.T) {
	a := loadAssets()
	for _, name := range a.names() {
		text := string(a.files[name].data)
		switch path.Ext(name) {
		case ".css":
			for _, away := range []string{"//", "@import", "url("} {
				if strings.Contains(text, away) {
					t.Errorf("%s reaches for %s", name, away)
				}
			}
		case ".mjs", ".js":
			if strings.Contains(text, "jsdelivr") || strings.Contains(text, "unpkg") {
				t.Errorf("%s names a CDN", name)
			}
			for _, m := range imports.FindAllStringSubmatch(text, -1) {
				if _, there := a.files[path.Join(path.Dir(name), m[1])]; !there || !strings.HasPrefix(m[1], "./") && !strings.HasPrefix(m[1], "../") {
					t.Errorf("%s imports %s", name, m[1])
				}
			}
		}
	}
}

func TestAPageMayDoOnlyWhatItNeeds(t *testing.T) {
	none := needs{}
	if p := none.contentPolicy(); !strings.HasPrefix(p, "default-src 'none'") || strings.Contains(p, "unsafe") || strings.Contains(p, "http") || strings.Contains(p, "connect-src") {
		t.Errorf("a page without needs may: %s", p)
	}
	if p := none.permissions(); strings.Contains(p, "self") || !strings.Contains(p, "camera=()") || !strings.Contains(p, "geolocation=()") {
		t.Errorf("a page without needs may: %s", p)
	}
	for want, n := range map[string]needs{"connect-src 'self'": {api: true}, "worker-src 'self'": {worker: true}, "manifest-src 'self'": {manifest: true},
		"img-src 'self' blob:": {pictures: true}, "script-src 'self' 'wasm-unsafe-eval'; ": {scanner: true}, "camera=(self)": {camera: true},
		"geolocation=(self)": {location: true}, "publickey-credentials-get=(self)": {passkey: true}} {
		got := n.contentPolicy() + "; " + n.permissions()
		if !strings.Contains(got, want) || strings.Contains(none.contentPolicy()+"; "+none.permissions(), want) {
			t.Errorf("%s: %s", want, got)
		}
		if strings.Contains(strings.ReplaceAll(got, "wasm-unsafe", ""), "unsafe") {
			t.Errorf("unsafe: %s", got)
		}
	}
	for want, n := range map[string]needs{"trusted-types 'none'": {camera: true, verifier: false}, "trusted-types menshen": {api: true}, "trusted-types menshen;": {worker: true, verifier: true}} {
		if p := n.contentPolicy(); !strings.Contains(p, "require-trusted-types-for 'script'; "+want) {
			t.Errorf("%s: %s", want, p)
		}
	}
	w := httptest.NewRecorder()
	allow(w, needs{camera: true, scanner: true})
	if w.Header().Get("Permissions-Policy") != (needs{camera: true}).permissions() {
		t.Errorf("allowed: %v", w.Header())
	}
}

// A page that was to have the camera and failed shows an error page without it.
func TestAnErrorPageMayDoNothing(t *testing.T) {
	_, s := city(t)
	w := httptest.NewRecorder()
	s.page(func(w http.ResponseWriter, _ *http.Request) error {
		allow(w, needs{camera: true, api: true})
		return errNoRoute
	}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/x", nil))
	if w.Code != 404 || w.Header().Get("Content-Security-Policy") != (needs{}).contentPolicy() || w.Header().Get("Permissions-Policy") != (needs{}).permissions() {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// The wasm is the one that the vendored reader was built with.
func TestTheVendoredScannerIsOfOnePiece(t *testing.T) {
	a := loadAssets()
	sum := sha256.Sum256(a.files["vendor/barcode-detector/zxing_reader.wasm"].data)
	glue := string(a.files["vendor/barcode-detector/zxing-exported.js"].data)
	if !strings.Contains(glue, hex.EncodeToString(sum[:])) || !strings.Contains(glue, `"3.1.3"`) {
		t.Error("wasm and glue are not of one release")
	}
	for _, folder := range []string{"lean-qr", "barcode-detector"} {
		if _, there := a.files["vendor/"+folder+"/LICENSE.txt"]; !there || !strings.Contains(string(a.files["vendor/README.txt"].data), folder) {
			t.Errorf("%s has no licence or no version beside it", folder)
		}
	}
}

// loads are a module and what it imports when it is loaded, without what it fetches later.
func loads(a *assets, name string, seen map[string]bool) {
	if seen[name] {
		return
	}
	seen[name] = true
	for _, m := range imports.FindAllStringSubmatch(string(a.files[name].data), -1) {
		if !strings.Contains(m[0], "import(") {
			loads(a, path.Join(path.Dir(name), m[1]), seen)
		}
	}
}

// firstLoad is how many compressed bytes the files take that a page names, with their imports.
func firstLoad(a *assets, names ...string) (int, map[string]bool) {
	seen := map[string]bool{}
	for _, name := range names {
		loads(a, name, seen)
	}
	total := 0
	for name := range seen {
		if packed := pack(a.files[name].data); packed != nil {
			total += len(packed)
		} else {
			total += len(a.files[name].data)
		}
	}
	return total, seen
}

// entries are the modules that pages name: those of ours that no other imports.
func entries(a *assets) []string {
	imported := map[string]bool{}
	var modules []string
	for _, name := range a.names() {
		if ext := path.Ext(name); (ext == ".mjs" || ext == ".js") && !strings.HasPrefix(name, "vendor/") {
			modules = append(modules, name)
			for _, m := range imports.FindAllStringSubmatch(string(a.files[name].data), -1) {
				imported[path.Join(path.Dir(name), m[1])] = true
			}
		}
	}
	return slices.DeleteFunc(modules, func(name string) bool { return imported[name] })
}

// The design's bound for a merchant's page before the scanner is 100 kB. It holds here for every page: whatever module
// it names, with what that imports, the script and every style sheet that there is. The technician's app holds every
// kind's screens, because it must work in a cellar: its first screen comes alone, the rest after it.
func TestEveryPageIsSmallBeforeItScans(t *testing.T) {
	a := loadAssets()
	common := []string{"menshen.js", "door.svg"}
	for _, name := range a.names() {
		if path.Ext(name) == ".css" {
			common = append(common, name)
		}
	}
	found := entries(a)
	if len(found) < 2 {
		t.Fatalf("only %v", found)
	}
	for _, entry := range found {
		total, seen := firstLoad(a, append([]string{entry}, common...)...)
		t.Logf("%s: %d files, %d bytes compressed", entry, len(seen), total)
		bound := 100_000
		if entry == "app.mjs" {
			bound = 70_000
			for _, late := range []string{"app-visit.mjs", "app-more.mjs", "app-door.mjs", "scan.mjs", "genuine.mjs", "enrol.mjs", "vendor/lean-qr/index.mjs"} {
				if seen[late] {
					t.Errorf("the app's first screen waits for %s", late)
				}
			}
		}
		if total > bound {
			t.Errorf("%s: %d bytes compressed, bound %d", entry, total, bound)
		}
		for name := range seen {
			if strings.HasPrefix(name, "vendor/barcode-detector/") {
				t.Errorf("%s loads %s before anybody scans", entry, name)
			}
		}
	}
}
