package pages

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// hostileTexts stand where an address, a form or a file holds a name.
var hostileTexts = map[string]string{
	"nul": "\x00", "right-to-left override": "v1\u202e1v", "zero width": "v\u200b1", "full width": "ｖ１", "combining": "v1" + strings.Repeat("\u0301", 100),
	"a line end": "v1\r\nX: y", "a path": "../../etc/passwd", "a script": "<script>alert(1)</script>", "SQL": "v1' OR '1'='1", "a noncharacter": "\uffff",
	"emoji": "👩‍👩‍👧‍👦", "not UTF-8": "\xff\xfe", "GB18030": "\xc3\xc5\xc9\xf1", "huge": strings.Repeat("9", 400),
}

// hostileBodies are what a browser would never send, each as every kind that a form may claim to be.
func hostileBodies() map[string][]byte {
	out := map[string][]byte{
		"nothing": nil, "blank": []byte(" "), "null": []byte("null"), "a list": []byte("[]"), "a text": []byte(`"x"`), "cut": []byte(`{"id":"v`), "twice": []byte("{}{}"),
		"deep": []byte(strings.Repeat(`{"a":`, 10_000)), "UTF-16": []byte("\xff\xfe{\x00}\x00"), "a byte order mark": []byte("\xef\xbb\xbf{}"),
		"an unknown member": []byte(`{"grant":true}`), "huge": bytes.Repeat([]byte("x"), 1<<20), "a broken escape": []byte("code=%zz&x=%"), "a boundary": []byte("--x\r\n\r\n--x--"),
		"a file":     []byte("--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"staff.csv\"\r\n\r\n\xff\xfe\r\n--x--\r\n"),
		"a cut file": []byte("--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../../staff.csv\"\r\n\r\n编号"),
	}
	for name, text := range hostileTexts {
		out["every field "+name] = fmt.Appendf(nil, "code=%[1]s&kind=%[1]s&name=%[1]s&outcome=%[1]s&words=%[1]s&session=%[1]s", escape(text))
	}
	return out
}

// claimed is what a body claims to be.
func claimed(name string) string {
	switch {
	case strings.HasPrefix(name, "every field"), name == "a broken escape":
		return "application/x-www-form-urlencoded"
	case strings.HasSuffix(name, "file"), name == "a boundary":
		return "multipart/form-data; boundary=x"
	}
	return "application/json"
}

func escape(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

var hole = regexp.MustCompile(`\{[a-z_]+(\.\.\.)?\}`)

// stormed is a site over a real store, and somebody of each audience who is signed in.
func stormed(t *testing.T) (*scenario.Deployment, http.Handler, []string, []*scenario.Actor) {
	t.Helper()
	d, err := scenario.NewDeployment(t.Context(), scenario.DeploymentConfig{Dir: t.TempDir(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Book(t.Context()); err != nil {
		t.Fatal(err)
	}
	people := []*scenario.Actor{nil, d.Cast.Approver, d.Cast.Dispatcher, d.Cast.Merchant}
	who := func(r *http.Request) (Viewer, error) {
		for _, a := range people[1:] {
			if r.Header.Get("X-Test-Viewer") == a.ID {
				return Viewer{Person: a.ID, Organisation: a.Organisation, Role: a.Role, Token: "none"}, nil
			}
		}
		return Viewer{}, nil
	}
	source := FromApp{App: d.App}
	s := New(Config{Source: source, Shops: source, Authenticate: who, Now: time.Now, Desk: Desk{App: d.App, Origin: func(*http.Request) string { return "http://menshen.example" }}})
	return d, s.Routes(), slices.Sorted(maps.Keys(s.routes())), people
}

// rowsOf counts the rows of every table but the leaves on their way to the log, and the jobs: the public page queues
// whatever it was told, since its answer must not say whether that was a shop (decision 17).
func rowsOf(t *testing.T, d *scenario.Deployment) map[string]int {
	t.Helper()
	rows := map[string]int{}
	err := d.Store.Read(t.Context(), func(tx *store.Tx) error {
		tables, err := tx.Tables(t.Context())
		for _, table := range tables {
			if err == nil && table.Name != "outbox" && table.Name != "jobs" {
				err = tx.EachRow(t.Context(), table, func(store.RawRow) error { rows[table.Name]++; return nil })
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// storm sends one request and says what no answer may be: a defect, half a page, or what came in.
func storm(t *testing.T, site http.Handler, what, method, address, kind, viewer string, body []byte) {
	t.Helper()
	r := httptest.NewRequest(method, "http://menshen.example"+address, bytes.NewReader(body))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Content-Type", kind)
	r.Header.Set("X-Test-Viewer", viewer)
	w := httptest.NewRecorder()
	site.ServeHTTP(w, r)
	got := w.Body.Bytes()
	if w.Code >= 500 || !utf8.Valid(got) || bytes.Contains(got, []byte("<script>alert")) || bytes.Contains(got, []byte("\u202e")) {
		t.Errorf("%s: %d %.300s", what, w.Code, got)
	}
	if w.Code >= 400 && len(got) == 0 {
		t.Errorf("%s: %d and not a word", what, w.Code)
	}
}

// TestHostileForms sends what no browser sends to every form and page there is. Nothing breaks, nothing is
// repeated, nothing is kept.
func TestHostileForms(t *testing.T) {
	d, site, patterns, people := stormed(t)
	bodies, before, sent := hostileBodies(), rowsOf(t, d), 0
	for _, pattern := range patterns {
		method, path, found := strings.Cut(pattern, " ")
		if !found {
			continue // what no route has
		}
		path = strings.TrimSuffix(path, "{$}")
		for _, by := range people {
			viewer := ""
			if by != nil {
				viewer = by.ID
			}
			if method == http.MethodPost {
				for name, body := range bodies {
					kind := claimed(name)
					storm(t, site, pattern+" with "+name+" as "+kind+" by "+viewer, method, hole.ReplaceAllString(path, "v1"), kind, viewer, body)
					sent++
				}
			}
			if !hole.MatchString(path) {
				path += "?q={x}&after={x}&open={x}&day={x}&lang={x}&id={x}"
			}
			for name, text := range hostileTexts {
				storm(t, site, pattern+" at "+name+" by "+viewer, method, hole.ReplaceAllLiteralString(path, escape(text)), "application/json", viewer, []byte("[]"))
				sent++
			}
		}
	}
	after := rowsOf(t, d)
	for name, n := range after {
		if n != before[name] {
			t.Errorf("%s: %d rows, before %d", name, n, before[name])
		}
	}
	t.Logf("%d requests to %d routes", sent, len(patterns))
}
