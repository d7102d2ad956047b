package statement

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"pgregory.net/rapid"
)

// sheet has every kind of field that signed bodies use.
type sheet struct {
	Name      string          `json:"name"`
	AmountFen int64           `json:"amount_fen"`
	Count     uint8           `json:"count"`
	Agreed    bool            `json:"agreed"`
	Lines     []line          `json:"lines"`
	At        Time            `json:"at"`
	Extra     *line           `json:"extra,omitempty"`
	Note      string          `json:"note,omitempty"`
	Any       json.RawMessage `json:"any,omitempty"`
}

type line struct {
	Text string `json:"text"`
	Fen  int    `json:"fen"`
}

const whole = `{"name":"刷卡","amount_fen":-100,"count":2,"agreed":true,"lines":[{"text":"押金","fen":9900}],"at":"2026-11-22T12:00:00Z"}`

func with(old, new string) string { return strings.Replace(whole, old, new, 1) }

func TestDecodeReadsAWholeSheet(t *testing.T) {
	var got sheet
	if err := Decode([]byte(whole), &got); err != nil {
		t.Fatal(err)
	}
	want := sheet{Name: "刷卡", AmountFen: -100, Count: 2, Agreed: true, Lines: []line{{"押金", 9900}}, At: "2026-11-22T12:00:00Z"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if err := DecodeCanonical([]byte(whole), &got); err != nil {
		t.Errorf("not canonical: %v", err)
	}
	full := with(`"at":`, `"any":{"a":[1,"x",true,{"b":{}}]},"extra":{"text":"","fen":0},"at":`)
	if err := Decode([]byte(full), &got); err != nil || got.Extra == nil || string(got.Any) != `{"a":[1,"x",true,{"b":{}}]}` {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := Decode([]byte(" \n"+whole+"\t\r\n"), &got); err != nil {
		t.Errorf("white space around: %v", err)
	}
}

// Attacks on JSON readers, each with the rule that stops it.
func TestDecodeRefuses(t *testing.T) {
	tests := []struct{ name, data, want, where string }{
		{"nothing", ``, "json_syntax", ""},
		{"white space", ` `, "json_syntax", ""},
		{"cut short", whole[:len(whole)-1], "json_syntax", ""},
		{"cut in a list", `{"name":"x","lines":[`, "json_syntax", "lines"},
		{"cut after a name", `{"name"`, "json_syntax", "name"},
		{"closed by the wrong bracket", `{"name":"x","lines":[}`, "json_syntax", "lines"},
		{"only a closing bracket", `]`, "json_syntax", ""},
		{"name is a number", `{1:2}`, "json_syntax", ""},
		{"comma first", `{,}`, "json_syntax", ""},
		{"comma last", with(`Z"}`, `Z",}`), "json_syntax", ""},
		{"no colon", `{"name" "x"}`, "json_syntax", "name"},
		{"a comment", with(`{"name"`, `{/**/"name"`), "json_syntax", ""},
		{"single quotes", `{'name':"x"}`, "json_syntax", ""},
		{"number with a leading zero", with(`-100`, `0100`), "json_syntax", ""},
		{"number with a plus", with(`-100`, `+100`), "json_syntax", "amount_fen"},
		{"hexadecimal", with(`-100`, `0x64`), "json_syntax", ""},
		{"NaN", with(`-100`, `NaN`), "json_syntax", "amount_fen"},
		{"line break in a string", with(`刷卡`, "a\nb"), "json_syntax", "name"},
		{"second document", whole + whole, "json_syntax", ""},
		{"trailing byte", whole + "x", "json_syntax", ""},
		{"byte order mark", "\ufeff" + whole, "json_syntax", ""},
		{"UTF-8 broken in a value", with(`刷卡`, "a\xffb"), "json_encoding", ""},
		{"UTF-8 overlong", with(`刷卡`, "\xc0\xaf"), "json_encoding", ""},
		{"UTF-8 surrogate", with(`刷卡`, "\xed\xa0\x80"), "json_encoding", ""},
		{"unpaired surrogate in a value", with(`刷卡`, `\ud800`), "json_encoding", "name"},
		{"replacement character in a value", with(`刷卡`, "\ufffd"), "json_encoding", "name"},
		{"unpaired surrogate in a name", with(`"at":`, `"any":{"\udc00":1},"at":`), "json_encoding", "any"},
		{"name twice", with(`"count":2`, `"amount_fen":-100,"count":2`), "json_duplicate_name", "amount_fen"},
		{"name twice, once escaped", with(`"count":2`, `"\u0061mount_fen":1,"count":2`), "json_duplicate_name", "amount_fen"},
		{"name twice below", with(`"fen":9900`, `"fen":9900,"fen":1`), "json_duplicate_name", "lines[].fen"},
		{"name twice in a free part", with(`"at":`, `"any":{"a":1,"a":1},"at":`), "json_duplicate_name", "any.a"},
		{"unknown name", with(`"count":2`, `"bypass":true,"count":2`), "json_unknown_name", "bypass"},
		{"unknown name that must not be repeated in a fault", with(`"count":2`, `"张三 13800000000":true,"count":2`), "json_unknown_name", "…"},
		{"unknown long name", with(`"count":2`, `"`+strings.Repeat("a", 41)+`":true,"count":2`), "json_unknown_name", "…"},
		{"empty name", with(`"count":2`, `"":true,"count":2`), "json_unknown_name", ""},
		{"capital letter", with(`"amount_fen"`, `"Amount_Fen"`), "json_case_variant", "Amount_Fen"},
		{"capital letter beside the right one", with(`"count":2`, `"Amount_fen":1,"count":2`), "json_case_variant", "Amount_fen"},
		{"long s folds to s", with(`"lines"`, `"lineſ"`), "json_case_variant", "…"},
		{"name missing", with(`"count":2,`, ``), "json_missing_name", "count"},
		{"name missing below", with(`,"fen":9900`, ``), "json_missing_name", "lines[].fen"},
		{"empty object", `{}`, "json_missing_name", "name"},
		{"null for a string", with(`"刷卡"`, `null`), "json_wrong_type", "name"},
		{"null for a list", with(`[{"text":"押金","fen":9900}]`, `null`), "json_wrong_type", "lines"},
		{"null for what may be absent", with(`"at":`, `"extra":null,"at":`), "json_wrong_type", "extra"},
		{"null for everything", `null`, "json_wrong_type", ""},
		{"null in a free part", with(`"at":`, `"any":[null],"at":`), "json_wrong_type", "any[]"},
		{"number in quotes", with(`-100`, `"-100"`), "json_wrong_type", "amount_fen"},
		{"number for a string", with(`"刷卡"`, `1`), "json_wrong_type", "name"},
		{"number for a list", with(`[{"text":"押金","fen":9900}]`, `1`), "json_wrong_type", "lines"},
		{"true for a number", with(`-100`, `true`), "json_wrong_type", "amount_fen"},
		{"one for true", with(`true`, `1`), "json_wrong_type", "agreed"},
		{"object for a list", with(`[{"text":"押金","fen":9900}]`, `{}`), "json_wrong_type", "lines"},
		{"list for an object", `[` + whole + `]`, "json_wrong_type", ""},
		{"object for a string", with(`"刷卡"`, `{}`), "json_wrong_type", "name"},
		{"number too large", with(`-100`, `9223372036854775808`), "json_wrong_type", ""},
		{"negative count", with(`"count":2`, `"count":-2`), "json_wrong_type", ""},
		{"count over its bound", with(`"count":2`, `"count":256`), "json_wrong_type", ""},
		{"fraction", with(`-100`, `0.5`), "json_not_integer", "amount_fen"},
		{"whole number as a fraction", with(`-100`, `1.0`), "json_not_integer", "amount_fen"},
		{"exponent", with(`-100`, `1e2`), "json_not_integer", "amount_fen"},
		{"capital exponent", with(`-100`, `1E2`), "json_not_integer", "amount_fen"},
		{"minus zero", with(`-100`, `-0`), "json_not_integer", "amount_fen"},
		{"fraction in a free part", with(`"at":`, `"any":1.5,"at":`), "json_not_integer", "any"},
		{"deep list", with(`"at":`, `"any":`+strings.Repeat("[", 25)+strings.Repeat("]", 25)+`,"at":`), "json_too_deep", "any" + strings.Repeat("[]", 24)},
		{"bottomless list", with(`"at":`, `"any":`+strings.Repeat("[", 100_000)), "json_too_deep", "any" + strings.Repeat("[]", 24)},
		{"over a mebibyte", whole + strings.Repeat(" ", MaxBytes), "json_too_large", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got sheet
			err := Decode([]byte(test.data), &got)
			if code := fault.CodeOf(err); code != test.want {
				t.Fatalf("got %v, want %s", err, test.want)
			}
			if where := fault.Of(err).Where; where != test.where {
				t.Errorf("place %q, want %q", where, test.where)
			}
			if !reflect.DeepEqual(got, sheet{}) {
				t.Errorf("refused bytes left %+v behind", got)
			}
		})
	}
}

func TestDecodeBoundsAreInclusive(t *testing.T) {
	var got sheet
	if err := Decode([]byte(whole+strings.Repeat(" ", MaxBytes-len(whole))), &got); err != nil {
		t.Errorf("just a mebibyte: %v", err)
	}
	if err := Decode([]byte(with(`"at":`, `"any":`+strings.Repeat("[", 24)+strings.Repeat("]", 24)+`,"at":`)), &got); err != nil {
		t.Errorf("just deep enough: %v", err)
	}
}

// A value that is used twice must not keep what the second document leaves out.
func TestDecodeForgetsWhatWasThereBefore(t *testing.T) {
	got := sheet{Note: "paid", Extra: &line{"old", 1}, Lines: []line{{"a", 1}, {"b", 2}}}
	if err := Decode([]byte(whole), &got); err != nil {
		t.Fatal(err)
	}
	if got.Note != "" || got.Extra != nil || len(got.Lines) != 1 {
		t.Errorf("the old value shows through: %+v", got)
	}
}

func TestDecodeKnowsTheTypesOfTheHouse(t *testing.T) {
	var bytesField struct {
		Data []byte `json:"data"` // signed forms write base64 into a string and check it strictly
	}
	if err := Decode([]byte(`{"data":[1]}`), &bytesField); fault.CodeOf(err) != "json_wrong_type" {
		t.Errorf("numbers for bytes: %v", err)
	}
	if err := Decode([]byte(`{"data":"AA=="}`), &bytesField); fault.CodeOf(err) != "json_wrong_type" {
		t.Errorf("a string for bytes: %v", err)
	}
	var free struct {
		M map[string]int `json:"m"`
	}
	if err := Decode([]byte(`{"m":{}}`), &free); fault.CodeOf(err) != "json_wrong_type" {
		t.Errorf("a map: %v", err)
	}
}

func TestDecodeCanonicalRefusesOtherForms(t *testing.T) {
	tests := []struct{ name, data string }{
		{"space", with(`,"count"`, `, "count"`)},
		{"line break at the end", whole + "\n"},
		{"another order", with(`"count":2,"agreed":true`, `"agreed":true,"count":2`)},
		{"escaped letter", with(`刷`, `\u5237`)},
		{"escaped slash", with(`刷卡`, `a\/b`)},
		{"empty value that is left out", with(`"at":"2026-11-22T12:00:00Z"`, `"at":"2026-11-22T12:00:00Z","note":""`)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got sheet
			if err := Decode([]byte(test.data), &got); err != nil {
				t.Fatalf("must be strict JSON all the same: %v", err)
			}
			if err := DecodeCanonical([]byte(test.data), &got); fault.CodeOf(err) != "json_not_canonical" {
				t.Errorf("got %v", err)
			}
		})
	}
	var got sheet
	if err := DecodeCanonical([]byte(`{}`), &got); fault.CodeOf(err) != "json_missing_name" {
		t.Errorf("got %v", err)
	}
}

func TestDecodeCanonicalWithinHasItsOwnBound(t *testing.T) {
	var got sheet
	if err := DecodeCanonicalWithin([]byte(whole), &got, len(whole)); err != nil {
		t.Errorf("at the bound: %v", err)
	}
	if err := DecodeCanonicalWithin([]byte(whole), &got, len(whole)-1); fault.CodeOf(err) != "json_too_large" {
		t.Errorf("over the bound: %v", err)
	}
	if err := DecodeCanonicalWithin([]byte(`{`), &got, 10); fault.CodeOf(err) != "json_syntax" {
		t.Errorf("cut short: %v", err)
	}
	if err := DecodeCanonicalWithin([]byte(whole+" "), &got, 1000); fault.CodeOf(err) != "json_not_canonical" {
		t.Errorf("with a space: %v", err)
	}
	large := `{"text":"` + strings.Repeat("a", MaxBytes) + `","fen":1}`
	var l line
	if err := DecodeCanonicalWithin([]byte(large), &l, 2*MaxBytes); err != nil {
		t.Errorf("a document with a larger bound: %v", err)
	}
}

func TestCanonical(t *testing.T) {
	got, err := Canonical(line{Text: "<a&b> \"引号\"", Fen: -1})
	if err != nil || string(got) != `{"text":"<a&b> \"引号\"","fen":-1}` {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := Canonical(make(chan int)); fault.CodeOf(err) != "json_wrong_type" {
		t.Errorf("what JSON cannot say: %v", err)
	}
}

func TestCanonicalRoundTrip(t *testing.T) {
	text := rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != '\ufffd' }))
	lines := rapid.Custom(func(r *rapid.T) line {
		return line{text.Draw(r, "text"), rapid.Int().Draw(r, "fen")}
	})
	rapid.Check(t, func(r *rapid.T) {
		want := sheet{Name: text.Draw(r, "name"), AmountFen: rapid.Int64().Draw(r, "fen"), Count: rapid.Uint8().Draw(r, "count"),
			Agreed: rapid.Bool().Draw(r, "agreed"), Lines: rapid.SliceOf(lines).Draw(r, "lines"), Note: text.Draw(r, "note")}
		if rapid.Bool().Draw(r, "has extra") {
			l := lines.Draw(r, "extra")
			want.Extra = &l
		}
		data, err := Canonical(want)
		if err != nil {
			r.Fatal(err)
		}
		var got sheet
		if err := DecodeCanonical(data, &got); err != nil {
			r.Fatalf("%s: %v", data, err)
		}
		if !reflect.DeepEqual(got, want) {
			r.Fatalf("wrote %+v, read %+v", want, got)
		}
	})
}

// FuzzDecode: what passes has one meaning. Its canonical form passes too and reads the same.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(with(`"at":`, `"any":{"a":[1,"x",true]},"extra":{"text":"","fen":0},"at":`)))
	f.Add([]byte(`{"name":"\ud800"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var free json.RawMessage
		freeErr := Decode(data, &free)
		var first, again sheet
		if err := Decode(data, &first); err != nil {
			if !reflect.DeepEqual(first, sheet{}) {
				t.Fatalf("refused bytes left %+v behind", first)
			}
			return
		}
		if freeErr != nil {
			t.Fatalf("strict as a sheet but not as JSON: %v", freeErr)
		}
		canonical, err := Canonical(first)
		if err != nil {
			t.Fatal(err)
		}
		if err := DecodeCanonical(canonical, &again); err != nil {
			t.Fatalf("%s: %v", canonical, err)
		}
		// A free part keeps its white space in the first reading.
		var compact bytes.Buffer
		if len(first.Any) > 0 {
			if err := json.Compact(&compact, first.Any); err != nil {
				t.Fatal(err)
			}
			first.Any = compact.Bytes()
		}
		if !reflect.DeepEqual(first, again) {
			t.Fatalf("read %+v, then %+v", first, again)
		}
	})
}

// ownForm writes its canonical form itself.
type ownForm struct {
	Name string `json:"name"`
}

func (o *ownForm) CanonicalBytes() ([]byte, error) { return []byte(`{"name":"` + o.Name + `"}`), nil }

func TestADocumentThatWritesItsOwnFormIsHeldToIt(t *testing.T) {
	var o ownForm
	if err := DecodeCanonical([]byte(`{"name":"wei"}`), &o); err != nil || o.Name != "wei" {
		t.Errorf("%+v, %v", o, err)
	}
	if err := DecodeCanonical([]byte(`{"name": "wei"}`), &o); fault.CodeOf(err) != "json_not_canonical" {
		t.Errorf("with a space: %v", err)
	}
}
