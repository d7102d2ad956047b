package pages

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// trustCase is a trust list, whether good, and who is looked for on it.
type trustCase struct {
	name     string
	Envelope string        `json:"envelope"`
	Key      statement.Key `json:"key"`
	Want     struct {
		ID   string `json:"id"`
		Kind string `json:"kind"`
		Now  int64  `json:"now"`
	} `json:"want"`
}

var trustNoon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func trustCases(t *testing.T) []trustCase {
	t.Helper()
	signer, provider, badge, other := newP256(t), newP256(t), newP256(t), newP256(t)
	badgeKey := statement.KeyOf(&badge.PublicKey)
	sign := func(name string, change func(*credential.TrustList, *statement.Unsigned, *trustCase)) trustCase {
		list := credential.TrustList{Number: 47, IssuedAt: statement.At(trustNoon.Add(-time.Hour)), NextAt: statement.At(trustNoon.Add(24 * time.Hour)), Source: "名录", Organisations: []credential.Organisation{
			{ID: "bank-1", Name: "沪上银行", Kinds: []string{"acquirer"}, Key: statement.KeyOf(&other.PublicKey)},
			{ID: "provider-1", Name: "安装到家\u2028", Kinds: []string{"provider"}, Key: statement.KeyOf(&provider.PublicKey), BadgeKey: &badgeKey,
				Filing: &credential.Filing{Number: "F1", From: "2026-01-01T00:00:00Z", Until: "2027-01-01T00:00:00Z"}}}}
		u := statement.Unsigned{Type: credential.TypeTrustList, Subject: "organisation/association", Header: statement.Header{Signer: "association", Organisation: "association", Role: "regulator", At: list.IssuedAt}}
		c := trustCase{name: name, Key: statement.KeyOf(&signer.PublicKey)}
		c.Want.ID, c.Want.Kind, c.Want.Now = "provider-1", "provider", trustNoon.Unix()
		change(&list, &u, &c)
		if u.Body == nil {
			u.Body = list
		}
		envelope, err := statement.Sign(signer, u)
		if err != nil {
			t.Fatal(err)
		}
		c.Envelope = string(envelope) + c.Envelope // what a case puts behind it
		return c
	}
	type list = credential.TrustList
	type unsigned = statement.Unsigned
	cases := []trustCase{
		sign("good", func(*list, *unsigned, *trustCase) {}),
		sign("own key for badges", func(l *list, _ *unsigned, _ *trustCase) { l.Organisations[1].BadgeKey = nil }),
		sign("last moment", func(_ *list, _ *unsigned, c *trustCase) { c.Want.Now += 24 * 3600 }),
		sign("stale", func(_ *list, _ *unsigned, c *trustCase) { c.Want.Now += 24*3600 + 1 }),
		sign("from the future", func(_ *list, _ *unsigned, c *trustCase) { c.Want.Now -= 3606 }),
		sign("5 s from the future", func(_ *list, _ *unsigned, c *trustCase) { c.Want.Now -= 3605 }),
		sign("not listed", func(_ *list, _ *unsigned, c *trustCase) { c.Want.ID = "provider-2" }),
		sign("another kind", func(_ *list, _ *unsigned, c *trustCase) { c.Want.Kind = "maker" }),
		sign("struck off", func(l *list, _ *unsigned, _ *trustCase) {
			l.Organisations[1].Struck = &credential.Struck{At: statement.At(trustNoon), Reason: "x"}
		}),
		sign("struck off tomorrow", func(l *list, _ *unsigned, _ *trustCase) {
			l.Organisations[1].Struck = &credential.Struck{At: statement.At(trustNoon.Add(time.Second)), Reason: "x"}
		}),
		sign("no number", func(l *list, _ *unsigned, _ *trustCase) { l.Number = 0 }),
		sign("nobody", func(l *list, _ *unsigned, _ *trustCase) { l.Organisations = []credential.Organisation{} }),
		sign("32 days", func(l *list, _ *unsigned, _ *trustCase) { l.NextAt = statement.At(trustNoon.AddDate(0, 0, 32)) }),
		sign("next before issue", func(l *list, _ *unsigned, _ *trustCase) { l.NextAt = l.IssuedAt }),
		sign("twice", func(l *list, _ *unsigned, _ *trustCase) { l.Organisations[0].ID = "provider-1" }),
		sign("of another type", func(_ *list, u *unsigned, _ *trustCase) { u.Type = "parameters" }),
		sign("of another signer", func(_ *list, _ *unsigned, c *trustCase) { c.Key = statement.KeyOf(&other.PublicKey) }),
		sign("bytes behind", func(_ *list, _ *unsigned, c *trustCase) { c.Envelope = " " }),
		sign("a body of another form", func(_ *list, u *unsigned, _ *trustCase) { u.Body = map[string]any{"number": 1} }),
	}
	// One character changed, all along the envelope.
	good := cases[0]
	for at := range good.Envelope {
		c := good
		c.name = fmt.Sprintf("changed at %d", at)
		c.Envelope = good.Envelope[:at] + "B" + good.Envelope[at+1:]
		if c.Envelope != good.Envelope {
			cases = append(cases, c)
		}
	}
	return cases
}

// inGo is what the packages that decide say of a case.
func (c trustCase) inGo() string {
	now := time.Unix(c.Want.Now, 0)
	v, err := statement.Verify([]byte(c.Envelope), c.Key)
	if err != nil {
		return fault.CodeOf(err)
	}
	trust, err := credential.VerifyTrustList(v, now)
	if err == nil {
		err = trust.Active(c.Want.ID, c.Want.Kind, now)
	}
	if err != nil {
		return fault.CodeOf(err)
	}
	o, _ := trust.Organisation(c.Want.ID)
	key, err := trust.BadgeKey(c.Want.ID)
	if err != nil {
		return fault.CodeOf(err)
	}
	return fmt.Sprintf("%d %s %s", trust.Number(), o.Name, key.X)
}

func compareTrust(t *testing.T, cases []trustCase, got []string) {
	t.Helper()
	if len(got) != len(cases) {
		t.Fatalf("%d answers to %d lists", len(got), len(cases))
	}
	for i, c := range cases {
		want := c.inGo()
		// Go says which of its rules for JSON, base64 or the subject is broken; the page says that it is malformed.
		if strings.HasPrefix(want, "json_") || strings.HasSuffix(want, "_malformed") {
			if got[i] != "envelope_malformed" && got[i] != "statement_malformed" {
				t.Errorf("%s: got %q, in Go %q", c.name, got[i], want)
			}
		} else if got[i] != want {
			t.Errorf("%s: got %q, in Go %q", c.name, got[i], want)
		}
	}
	if !strings.HasPrefix(got[0], "47 安装到家") {
		t.Errorf("the good list reads %q", got[0])
	}
}

// strictCase is a document and the shape that it is read as.
type strictCase struct {
	Base64 string `json:"base64"`
	Shape  any    `json:"shape"`
	data   []byte
}

type strictForm struct {
	A string     `json:"a"`
	N int64      `json:"n"`
	B bool       `json:"b"`
	L []string   `json:"l"`
	O *strictSub `json:"o,omitempty"`
}

type strictSub struct {
	X int64 `json:"x"`
}

var strictShape = map[string]any{"a": "string", "n": "integer", "b": "boolean", "l": []string{"string"}, "o?": map[string]any{"x": "integer"}}

// strictCases are documents that JSON readers disagree about, and every one-byte change of a good one.
func strictCases() []strictCase {
	good := `{"a":"门\u95e8\"\\\/\b\f\n\r\t<>","n":-12,"b":true,"l":["x","\ud83d\ude00"],"o":{"x":0}}`
	docs := []string{good, ` ` + "\t\r\n" + good + " \n", good + "x", good + good, "\ufeff" + good, "", "{}", "[]", "null", `"x"`, "\x00",
		`{"a":"","n":9223372036854775807,"b":false,"l":[]}`, `{"a":"","n":9223372036854775808,"b":false,"l":[]}`, `{"a":"","n":-9223372036854775808,"b":false,"l":[]}`}
	for old, with := range map[string]string{`"a":"`: `"a":"x","a":"`, `-12`: `-0`, `-1`: `1.`, `12`: `1e2`, `:-12`: `: 012`, `true`: `1`, `"n"`: `"N"`, `"b":true`: `"b":null`, `"x",`: `"x",,`,
		`"l":[`: `"l":[[],`, `{"x":0}`: `{"x":0,"y":1}`, `:0}`: `:0},`, `\ud83d\ude00`: `\ud83d`, `门`: "\ufffd", `\u95e8`: `\ufffd`, `\/`: `\x`, `<>`: "\x01", `<`: "\u007f", `{"x"`: `{"\u0078"`, `"a"`: `"\u0061"`,
		`[`: `[` + strings.Repeat("[", 30), `"o":{"x":0}`: `"o":{}`, `,"o":{"x":0}`: ``, `}}`: `}`, `:true`: `true`, `,"b"`: ` "b"`, `"x"`: `'x'`, `-12,`: `-12,/**/`, `true,`: "true,\u00a0", `<>"`: `<>`} {
		docs = append(docs, strings.Replace(good, old, with, 1))
	}
	for i := range good {
		for _, c := range []byte("{}[]\",:0-.etn\\u \xff\x00A") {
			docs = append(docs, good[:i]+string([]byte{c})+good[i+1:])
		}
		docs = append(docs, good[:i]+good[i+1:])
	}
	for _, deep := range []int{23, 24, 25, 26} {
		docs = append(docs, strings.Repeat("[", deep)+strings.Repeat("]", deep), strings.Repeat(`{"a":`, deep)+"1"+strings.Repeat("}", deep))
	}
	out := make([]strictCase, 0, 2*len(docs))
	for _, d := range docs {
		text := base64.StdEncoding.EncodeToString([]byte(d))
		out = append(out, strictCase{text, strictShape, []byte(d)}, strictCase{text, "any", []byte(d)})
	}
	return out
}

func compareStrict(t *testing.T, cases []strictCase, got []bool) {
	t.Helper()
	if len(got) != len(cases) {
		t.Fatalf("%d answers to %d documents", len(got), len(cases))
	}
	good := 0
	for i, c := range cases {
		var err error
		if c.Shape == "any" {
			var v json.RawMessage
			err = statement.Decode(c.data, &v)
		} else {
			var v strictForm
			err = statement.Decode(c.data, &v)
		}
		if (err == nil) != got[i] {
			t.Errorf("%q as %v: %v in the browser, %v in Go", c.data, c.Shape, got[i], err)
		}
		if got[i] {
			good++
		}
	}
	if good < 10 || good > len(cases)-10 {
		t.Errorf("%d of %d documents are good", good, len(cases))
	}
}
