package pages

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

// A fresh clone has no checker for browsers: everything builds and runs, the page says so, and what is not there
// is not found.
func TestAServerBuiltWithoutItsCheckerSaysSo(t *testing.T) {
	_, s := city(t)
	for _, c := range []struct {
		name   string
		files  fstest.MapFS
		status map[string]int
		says   string
	}{
		{"without", fstest.MapFS{}, map[string]int{"/verify": 200, "/verify/" + verifierWasm: 404, "/verify/" + verifierStart: 404, "/verify/menshen-verify.html": 404, "/verify/x": 404}, "没有带网页版核对程序"},
		{"half", fstest.MapFS{verifierWasm: {Data: []byte("x")}}, map[string]int{"/verify": 200, "/verify/" + verifierWasm: 404, "/verify/menshen-verify.html": 404}, "没有带网页版核对程序"},
		{"with", fstest.MapFS{verifierWasm: {Data: []byte("x")}, verifierStart: {Data: []byte("y")}},
			map[string]int{"/verify": 200, "/verify/" + verifierWasm: 200, "/verify/" + verifierStart: 200, "/verify/menshen-verify.html": 200, "/verify/x": 404}, "信任文件"},
		{"ends its element", fstest.MapFS{verifierWasm: {Data: []byte("x")}, verifierStart: {Data: []byte("</Script>")}}, map[string]int{"/verify/menshen-verify.html": 404}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.Verifier = c.files
			for path, want := range c.status {
				w := httptest.NewRecorder()
				s.Routes().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
				body, err := io.ReadAll(w.Result().Body)
				if err != nil || w.Code != want {
					t.Errorf("%s: %d, want %d, %v", path, w.Code, want, err)
				}
				if path == "/verify" && !strings.Contains(string(body), c.says) {
					t.Errorf("the page does not say %s", c.says)
				}
				// Compiling is for this page alone; the file that people keep brings its own policy, under which it reaches nothing.
				if may := strings.Contains(w.Header().Get("Content-Security-Policy"), "wasm-unsafe-eval"); may != (path == "/verify") {
					t.Errorf("%s may compile: %v", path, may)
				}
				if alone := strings.Contains(string(body), `content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; script-src`) || strings.Contains(string(body), `content="default-src 'none'; style-src 'unsafe-inline'; script-src`); alone != (path == "/verify/menshen-verify.html" && want == 200) {
					t.Errorf("%s has the policy of the kept file: %v", path, alone)
				}
			}
		})
	}
}
