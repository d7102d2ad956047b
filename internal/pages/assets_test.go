package pages

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
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
	if len(seen) != 4 || hash(map[string]string{"a.mjs": "1"}) != hash(map[string]string{"a.mjs": "1"}) {
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
var imports = regexp.MustCompile(`(?:from|import)\s*\(?\s*["']([^"']+)["']`)

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
