package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
)

// hostileNumbers stand where a number is expected.
var hostileNumbers = []string{"-1", "0", "1.5", "1e999", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e3", "00", "0x1", "NaN", "-0"}

// variants gives an example with every one of its texts and numbers, however deep, replaced by something hostile.
func variants(example []byte) map[string][]byte {
	var whole any
	d := json.NewDecoder(bytes.NewReader(example))
	d.UseNumber()
	if err := d.Decode(&whole); err != nil {
		panic(err)
	}
	out := map[string][]byte{}
	var walk func(place string, v any, set func(json.RawMessage))
	walk = func(place string, v any, set func(json.RawMessage)) {
		put := func(name string, value []byte) {
			set(value)
			data, err := json.Marshal(whole)
			set(nil)
			if err != nil { // not JSON any more: by hand
				set(json.RawMessage(`"@@"`))
				data, _ = json.Marshal(whole)
				data = bytes.Replace(data, []byte(`"@@"`), value, 1)
				set(nil)
			}
			out[place+" = "+name] = data
		}
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				old := v[k]
				walk(place+"."+k, old, func(m json.RawMessage) { restore(v, k, old, m) })
			}
		case []any:
			for i := range v {
				old := v[i]
				walk(fmt.Sprintf("%s[%d]", place, i), old, func(m json.RawMessage) {
					if v[i] = any(m); m == nil {
						v[i] = old
					}
				})
			}
		case string:
			for name, text := range hostileTexts {
				put(name, hostileText(text))
			}
			put("empty", []byte(`""`))
		case json.Number:
			for _, n := range hostileNumbers {
				put(n, []byte(n))
			}
		}
	}
	walk("", whole, func(json.RawMessage) {})
	return out
}

func restore(m map[string]any, k string, old any, now json.RawMessage) {
	if m[k] = any(now); now == nil {
		m[k] = old
	}
}

// hostileText writes a text as JSON does, its wrong bytes as they are.
func hostileText(text string) []byte {
	if !utf8.ValidString(text) {
		return []byte(`"` + text + `"`)
	}
	data, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return data
}

// kept counts the rows of every table but the answers that are remembered and the leaves on their way to the log.
func (w *world) kept(t *testing.T) map[string]int {
	t.Helper()
	rows := map[string]int{}
	err := w.Store.Read(t.Context(), func(tx *store.Tx) error {
		tables, err := tx.Tables(t.Context())
		if err != nil {
			return err
		}
		for _, table := range tables {
			if err := tx.EachRow(t.Context(), table, func(store.RawRow) error { rows[table.Name]++; return nil }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"answers", "outbox"} {
		delete(rows, name)
	}
	return rows
}

// never says that an answer is a whole one: a defect of ours is not what a stranger's bytes may find.
func (r reply) never(t *testing.T, what string) {
	t.Helper()
	if r.status >= 500 {
		t.Errorf("%s: %d %.200s", what, r.status, r.body)
	}
	if r.status >= 400 {
		r.problem(t, what)
	}
}

// TestHostileMembers puts hostile texts and numbers in the place of every text and number of every body.
func TestHostileMembers(t *testing.T) {
	w := newWorld(t, nil)
	posts, _ := w.operations(t)
	c := w.Cast
	people := []*scenario.Actor{c.Technician, c.Merchant, c.Approver, c.Dispatcher}
	for _, by := range people { // a token is a row
		if _, err := w.Token(t.Context(), by); err != nil {
			t.Fatal(err)
		}
	}
	before, sent := w.kept(t), 0
	for _, op := range posts {
		path := hole.ReplaceAllString(op.path, "v1")
		for name, body := range variants(op.example) {
			for _, by := range people {
				got := w.do(t, request{path: path, by: by, body: string(body)})
				got.never(t, op.path+" with "+name+" by "+by.Role)
				if sent++; got.status < 300 && op.path != "/v1/carried" { // whose answer says statement by statement what was refused
					t.Errorf("%s with %s by %s was taken: %.200s", op.path, name, by.Role, got.body)
				}
			}
		}
	}
	if now := w.kept(t); !maps.Equal(now, before) {
		t.Errorf("%v, before %v", now, before)
	}
	t.Logf("%d requests to %d operations", sent, len(posts))
}

// TestHostileQueries gives every parameter of every list hostile values, twice, and names that nobody knows.
func TestHostileQueries(t *testing.T) {
	w := newWorld(t, nil)
	var s struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ In, Name string }
		}
	}
	if err := json.Unmarshal(w.do(t, request{method: http.MethodGet, path: "/openapi.json"}).body, &s); err != nil {
		t.Fatal(err)
	}
	sent := 0
	for _, path := range slices.Sorted(maps.Keys(s.Paths)) {
		get, ok := s.Paths[path]["get"]
		if !ok {
			continue
		}
		address := hole.ReplaceAllString(path, "v1")
		ask := func(query, what string) {
			sent++
			w.do(t, request{method: http.MethodGet, path: address + "?" + query, by: w.Cast.Approver}).never(t, path+" "+what)
		}
		ask("nobody=knows", "with a name that nobody knows")
		for _, p := range get.Parameters {
			if p.In != "query" || p.Name == "wait" { // which waits, as it should
				continue
			}
			for name, text := range hostileTexts {
				if len(text) > 500 {
					text = text[:500]
				}
				ask(url.Values{p.Name: {text}}.Encode(), p.Name+" = "+name)
			}
			for _, n := range hostileNumbers {
				ask(url.Values{p.Name: {n}}.Encode(), p.Name+" = "+n)
			}
			ask(p.Name+"=1&"+p.Name+"=2", p.Name+" twice")
			ask(p.Name, p.Name+" without a value")
			ask(p.Name+"=%zz", p.Name+" with a broken escape")
		}
		ask("%zz&;=1", "a broken query")
	}
	if sent < 500 {
		t.Errorf("only %d requests: the description is read wrongly", sent)
	}
	t.Logf("%d requests", sent)
}
