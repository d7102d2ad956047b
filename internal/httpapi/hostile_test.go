package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
)

// posted is an operation of the served description that takes a body, with its example.
type posted struct {
	path    string
	example []byte
}

// operations reads the description that clients get.
func (w *world) operations(t *testing.T) (posts []posted, gets []string) {
	t.Helper()
	var s struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct{ Example json.RawMessage }
			}
		}
	}
	if err := json.Unmarshal(w.do(t, request{method: http.MethodGet, path: "/openapi.json"}).body, &s); err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Keys(s.Paths)) {
		for method, op := range s.Paths[path] {
			if method == "get" {
				gets = append(gets, path)
			} else if c, ok := op.RequestBody.Content["application/json"]; ok && method == "post" {
				posts = append(posts, posted{path, c.Example})
			}
		}
	}
	if len(posts) < 20 || len(gets) < 5 {
		t.Fatalf("%d posts, %d gets: the description is read wrongly", len(posts), len(gets))
	}
	return posts, gets
}

// hostileTexts are what a name must not be, and what a text must survive.
var hostileTexts = map[string]string{
	"nul": "\x00", "right-to-left override": "v1\u202e1v", "zero width": "v\u200b1", "full width": "ｖ１", "combining": "v1" + strings.Repeat("\u0301", 200),
	"a line end": "v1\r\nX: y", "a path": "../../etc/passwd", "a script": "<script>alert(1)</script>", "a template": "{{.}}", "SQL": "v1' OR '1'='1", "a noncharacter": "\uffff", "emoji": "👩‍👩‍👧‍👦",
	"not UTF-8": "\xff\xfe", "GB18030": "\xc3\xc5\xc9\xf1", "long": strings.Repeat("长", 20_000),
}

// spoiled are the forms of a body that nobody may take.
func spoiled(t *testing.T, example []byte) map[string][]byte {
	t.Helper()
	out := map[string][]byte{
		"missing": nil, "blank": []byte("  "), "no JSON": []byte("statement=1"), "null": []byte("null"), "a list": []byte("[]"), "a number": []byte("1"),
		"a text": []byte(`"x"`), "deep": []byte(strings.Repeat(`{"a":`, 10_000)), "deep list": []byte(strings.Repeat("[", 10_000)),
		"cut": example[:len(example)/2], "cut at the end": bytes.TrimRight(example, "} \n"), "twice": append(slices.Clone(example), example...),
		"UTF-16": {0xff, 0xfe, '{', 0, '}', 0}, "with a byte order mark": append([]byte("\xef\xbb\xbf"), example...),
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(example, &members) != nil {
		t.Fatalf("the example is no object: %s", example)
	}
	with := func(name string, value []byte) []byte {
		m := maps.Clone(members)
		m[name] = value
		var b bytes.Buffer
		for i, k := range slices.Sorted(maps.Keys(m)) {
			fmt.Fprintf(&b, "%s%q:%s", map[bool]string{true: "{", false: ","}[i == 0], k, m[k])
		}
		return append(b.Bytes(), '}')
	}
	out["an unknown member"] = with("grant", []byte("true"))
	for name := range members {
		out["doubled "+name] = slices.Concat([]byte("{"), fmt.Appendf(nil, "%q:%s,", name, members[name]), bytes.TrimLeft(example, "{ \n"))
		for kind, value := range map[string]string{"number": "7", "list": `[[]]`, "truth": "true", "object": `{"x":{}}`, "huge number": "1e999", "lone surrogate": `"\ud800"`} {
			if kindOf(members[name]) != kindOf([]byte(value)) || kind == "lone surrogate" || kind == "huge number" {
				out[kind+" for "+name] = with(name, []byte(value))
			}
		}
	}
	return out
}

// kindOf is the first byte's kind of JSON value.
func kindOf(value []byte) string {
	switch c := bytes.TrimSpace(value)[0]; c {
	case '"', '{', '[':
		return string(c)
	case 't', 'f':
		return "truth"
	}
	return "number"
}

// problem says that an answer is a refusal in both languages which repeats nothing.
func (r reply) problem(t *testing.T, what string) {
	t.Helper()
	var p httpapi.Problem
	if err := json.Unmarshal(r.body, &p); err != nil || r.status < 400 || r.status >= 500 || p.Code == "" || p.Zh == "" || p.En == "" {
		t.Errorf("%s: %d %.300s", what, r.status, r.body)
	}
	if !utf8.Valid(r.body) || bytes.Contains(r.body, []byte("<script>")) || len(r.body) > 4096 {
		t.Errorf("%s: the answer repeats what came: %.300s", what, r.body)
	}
}

// recorded counts every row of events.
func (w *world) recorded(t *testing.T) (n int) {
	t.Helper()
	err := w.Store.Read(t.Context(), func(tx *store.Tx) error {
		table, err := tx.Table(t.Context(), "events")
		if err != nil {
			return err
		}
		return tx.EachRow(t.Context(), table, func(store.RawRow) error { n++; return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var hole = regexp.MustCompile(`\{[a-z_]+\}`)

// TestHostileBodies sends every spoiled form of every body to every operation, as somebody who may use some
// of them. Each is refused in both languages, nothing is repeated, nothing is recorded.
func TestHostileBodies(t *testing.T) {
	w := newWorld(t, nil)
	posts, _ := w.operations(t)
	before, sent := w.recorded(t), 0
	for i, op := range posts {
		path := hole.ReplaceAllString(op.path, "v1")
		by := []*scenario.Actor{w.Cast.Technician, w.Cast.Merchant, w.Cast.Approver, w.Cast.Dispatcher}[i%4]
		for name, body := range spoiled(t, op.example) {
			w.do(t, request{path: path, by: by, body: string(body)}).problem(t, op.path+" "+name)
			sent++
		}
		for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; charset=gbk", "-"} {
			w.do(t, request{path: path, by: by, body: string(op.example), kind: kind}).problem(t, op.path+" as "+kind)
			sent++
		}
	}
	if now := w.recorded(t); now != before {
		t.Errorf("%d events were recorded by %d requests that were all refused", now-before, sent)
	}
	t.Logf("%d requests to %d operations", sent, len(posts))
}

// TestHostileNames puts hostile texts where ids and queries stand.
func TestHostileNames(t *testing.T) {
	w := newWorld(t, nil)
	posts, gets := w.operations(t)
	before := w.recorded(t)
	for name, text := range hostileTexts {
		for _, path := range gets {
			if !hole.MatchString(path) {
				continue
			}
			w.do(t, request{method: http.MethodGet, path: hole.ReplaceAllLiteralString(path, escaped(text)), by: w.Cast.Merchant}).problem(t, "GET "+path+" with "+name)
		}
		for _, op := range posts {
			if hole.MatchString(op.path) {
				w.do(t, request{path: hole.ReplaceAllLiteralString(op.path, escaped(text)), by: w.Cast.Technician, body: string(op.example)}).problem(t, op.path+" with "+name)
			}
		}
	}
	if now := w.recorded(t); now != before {
		t.Errorf("%d events were recorded", now-before)
	}
}

// escaped writes every byte as a path may hold it.
func escaped(text string) string {
	if len(text) > 500 {
		text = text[:501] // a longer one is a header that no server reads
	}
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// TestAFloodIsBoundedInMemory sends huge bodies from many clients at once. Each is refused, and what the
// process keeps does not grow with what was sent.
func TestAFloodIsBoundedInMemory(t *testing.T) {
	w := newWorld(t, nil)
	huge := `{"statement":"` + strings.Repeat("A", 8<<20) + `"}`
	token, err := w.Token(t.Context(), w.Cast.Technician)
	if err != nil {
		t.Fatal(err)
	}
	kept := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := kept()
	var all sync.WaitGroup
	for client := range 16 {
		all.Go(func() {
			for range 8 {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Venue.URL+"/v1/visits/v1/confirm", strings.NewReader(huge))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+token)
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("Idempotency-Key", fmt.Sprintf("flood-%d", client))
				res, err := w.Venue.Client.Do(req)
				if err != nil {
					continue // the server hung up before it had read everything, as it may
				}
				if res.StatusCode != http.StatusRequestEntityTooLarge {
					t.Errorf("%s", res.Status)
				}
				res.Body.Close()
			}
		})
	}
	all.Wait()
	w.Venue.Client.CloseIdleConnections()
	if after := kept(); after > before+64<<20 {
		t.Errorf("a gigabyte was sent, and %d MB of it stay", (after-before)>>20)
	}
}
