package pages

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
)

// A form is read as strictly as the API reads a request: two readers of one body never see two things.
func TestAFormHasEveryNameOnce(t *testing.T) {
	type form struct {
		Name   string          `json:"name"`
		Count  int             `json:"count"`
		Answer json.RawMessage `json:"answer"`
	}
	const whole = `{"name":"wei","count":1,"answer":{"id":"a","alg":-7,"list":["x"]}}`
	with := func(old, new string) string {
		if !strings.Contains(whole, old) {
			t.Fatalf("no %s", old)
		}
		return strings.Replace(whole, old, new, 1)
	}
	for _, r := range []struct{ name, body, kind, code, where string }{
		{"whole", whole, "application/json", "", ""},
		{"with a charset", whole, "application/json; charset=utf-8", "", ""},
		{"no kind", whole, "", "form_malformed", ""},
		{"of a form's kind", whole, "application/x-www-form-urlencoded", "form_malformed", ""},
		{"a name twice", with(`"count"`, `"name":"mei","count"`), "application/json", "form_malformed", "name"},
		{"a name twice, below", with(`"alg"`, `"id":"b","alg"`), "application/json", "form_malformed", "answer.id"},
		{"a name twice, written otherwise", with(`"count"`, `"n\u0061me":"mei","count"`), "application/json", "form_malformed", "name"},
		{"other case", with(`"name"`, `"Name"`), "application/json", "form_malformed", "Name"},
		{"other case beside", with(`"count"`, `"NAME":"mei","count"`), "application/json", "form_malformed", "NAME"},
		{"a letter that folds to k", strings.ReplaceAll(`{"name":"wei","count":1,"answer":{},"\u212aey":1}`, "\\u212a", "\u212a"), "application/json", "form_malformed", "…"},
		{"unknown", with(`"count"`, `"role":"risk","count"`), "application/json", "form_malformed", "role"},
		{"missing", with(`"name":"wei",`, ``), "application/json", "form_malformed", "name"},
		{"null", "null", "application/json", "form_malformed", ""},
		{"null inside", with(`"wei"`, `null`), "application/json", "form_malformed", "name"},
		{"a fraction", with(`"count":1`, `"count":1.0`), "application/json", "form_malformed", "count"},
		{"text for a number", with(`"count":1`, `"count":"1"`), "application/json", "form_malformed", "count"},
		{"too large a number", with(`"count":1`, `"count":9223372036854775808`), "application/json", "form_malformed", ""},
		{"two of them", whole + whole, "application/json", "form_malformed", ""},
		{"cut", whole[:len(whole)-1], "application/json", "form_malformed", "…"},
		{"empty", "", "application/json", "form_malformed", ""},
		{"half a letter", with("wei", "\xe9\xad"), "application/json", "form_malformed", ""},
		{"half a surrogate", with("wei", `\ud800`), "application/json", "form_malformed", "name"},
		{"deep", with(`"x"`, strings.Repeat("[", 100)+strings.Repeat("]", 100)), "application/json", "form_malformed", "…"},
		{"huge", with("wei", strings.Repeat("x", maxForm)), "application/json", "form_malformed", ""},
	} {
		req := httptest.NewRequest(http.MethodPost, "/x", strings.NewReader(r.body))
		req.Header.Set("Content-Type", r.kind)
		in := form{Name: "before"}
		err := readForm(httptest.NewRecorder(), req, &in)
		if fault.CodeOf(err) != r.code {
			t.Errorf("%s: %v, want %q", r.name, err, r.code)
			continue
		}
		if err == nil {
			if in.Name != "wei" || in.Count != 1 || len(in.Answer) == 0 {
				t.Errorf("%s: read %+v", r.name, in)
			}
			continue
		}
		if got := fault.Of(err).Where; r.where != "…" && got != r.where {
			t.Errorf("%s: told as %q, want %q", r.name, got, r.where)
		}
		if in.Name != "before" {
			t.Errorf("%s: left %+v behind", r.name, in)
		}
	}
}
