package pages

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// node runs a driver of testdata/js in one process: in goes to it as JSON, its answer comes back into out.
func node(t *testing.T, driver string, in, out any) {
	t.Helper()
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command("node", "testdata/js/"+driver)
	var said, complained bytes.Buffer
	run.Stdin, run.Stdout, run.Stderr = bytes.NewReader(data), &said, &complained
	if err := run.Run(); err != nil {
		t.Fatalf("%v: %s", err, complained.String())
	}
	if err := json.Unmarshal(said.Bytes(), out); err != nil {
		t.Fatalf("%v in %.200s", err, said.String())
	}
}

type jsStatement struct {
	Type         string         `json:"type"`
	Subject      string         `json:"subject"`
	Signer       string         `json:"signer"`
	Organisation string         `json:"organisation"`
	Role         string         `json:"role"`
	Key          string         `json:"key"`
	At           statement.Time `json:"at"`
	Previous     string         `json:"previous"`
	Answers      string         `json:"answers"`
	Body         any            `json:"body"`
}

func (s jsStatement) unsigned() statement.Unsigned {
	return statement.Unsigned{Type: s.Type, Subject: s.Subject, Body: s.Body, Header: statement.Header{Signer: s.Signer, Organisation: s.Organisation,
		Role: s.Role, At: s.At, Previous: s.Previous, Answers: s.Answers}}
}

type jsBody struct {
	Text  string   `json:"text"`
	Fen   int64    `json:"fen"`
	Yes   bool     `json:"yes"`
	List  []string `json:"list"`
	Inner struct {
		Empty []int64 `json:"empty"`
	} `json:"inner"`
}

// everyCharacter holds what JSON writers disagree about.
func everyCharacter() string {
	var b strings.Builder
	for r := rune(0); r < 0x300; r++ {
		b.WriteRune(r)
	}
	return b.String() + "\u2027\u2028\u2029\u202a门神<&>/'\"\\\ue000\ufffe\U0001f468\u200d\U0001f469\U0010ffff"
}

func statementsToSign(key statement.Key) []jsStatement {
	digest := statement.Digest([]byte("x"))
	body := jsBody{Text: everyCharacter(), Fen: -9007199254740991, Yes: true, List: []string{"", "门", "a"}}
	body.Inner.Empty = []int64{}
	first := jsStatement{Type: "note", Subject: "visit/v1", Signer: "lan", Organisation: "provider-c", Role: "technician", Key: key.Thumbprint(), At: "2026-11-22T12:00:00Z", Body: body}
	chained := first
	chained.Previous, chained.Answers, chained.Subject, chained.At = digest, digest, "order/门", "2028-02-29T23:59:59Z"
	odd := first
	odd.Signer, odd.Organisation, odd.Role, odd.Type = everyCharacter(), "", "\u2028", "a_b"
	return []jsStatement{first, chained, odd}
}

// One run of node answers for the whole module: the same bytes, the same refusals, and what it signs verifies here.
func TestTheBrowserSignsWhatGoReads(t *testing.T) {
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := statement.KeyOf(&priv.PublicKey)
	refused := map[string]string{"type=Note": "statement_malformed", "type=": "statement_malformed", "at=2026-02-29T12:00:00Z": "time_malformed", "at=2026-11-22": "time_malformed",
		"at=2026-11-22T24:00:00Z": "time_malformed", "previous=AB": "chain_reference_malformed", "answers=x": "chain_reference_malformed", "body=null": "json_wrong_type", "body=undefined": "json_wrong_type", "body=fraction": "json_not_integer",
		"body=-0": "json_not_integer", "body=nan": "json_not_integer", "body=big": "json_not_integer", "body=lonely": "json_encoding", "body=replacement": "json_encoding",
		"body=date": "json_wrong_type", "body=map": "json_wrong_type", "body=hole": "json_wrong_type", "body=deep": "json_too_deep", "body=function": "json_wrong_type", "body=bigint": "json_wrong_type"}
	in := struct {
		Statements []jsStatement       `json:"statements"`
		Commits    []statement.Opening `json:"commits"`
		Keys       []statement.Key     `json:"keys"`
		Base64s    []string            `json:"base64s"`
		Refused    []string            `json:"refused"`
	}{Statements: statementsToSign(key), Commits: []statement.Opening{{Kind: "phone", Value: "13800000000"}, {Kind: "name", Value: "门神\x00"}}, Keys: []statement.Key{key},
		Base64s: []string{"", "//8=", "//8", "__8=", "__8", "//9=", "__9", "//8=\n", "/\r\n/8=", " //8=", "//8==", "*", "_", "AAAA", "A===", "=AAA"}}
	for name := range refused {
		in.Refused = append(in.Refused, name)
	}
	var out struct {
		Key      statement.Key `json:"key"`
		Payloads []string      `json:"payloads"`
		Signed   []struct {
			Envelope string `json:"envelope"`
			Digest   string `json:"digest"`
		} `json:"signed"`
		Commitments []struct {
			Commitment string            `json:"commitment"`
			Opening    statement.Opening `json:"opening"`
		} `json:"commitments"`
		Thumbprints []string `json:"thumbprints"`
		Base64      []string `json:"base64"`
		Base64URL   []string `json:"base64url"`
		Refused     []string `json:"refused"`
		PAE         string   `json:"pae"`
		Challenge   string   `json:"challenge"`
	}
	node(t, "statement.mjs", in, &out)
	for i, s := range in.Statements {
		want, err := s.unsigned().Payload(key)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := base64.StdEncoding.DecodeString(out.Payloads[i]); !bytes.Equal(got, want) {
			t.Errorf("payload %d:\n%s\nwant\n%s", i, got, want)
		}
		v, err := statement.Verify([]byte(out.Signed[i].Envelope), out.Key)
		if err != nil || !v.LowS() || v.Digest() != out.Signed[i].Digest || v.Subject() != s.Subject || v.Header().Previous != s.Previous {
			t.Errorf("signed %d: %v", i, err)
		}
		var body jsBody
		if err := v.Body(s.Type, &body); err != nil || body.Text != s.Body.(jsBody).Text {
			t.Errorf("body %d: %v", i, err)
		}
	}
	for i, c := range out.Commitments {
		if got, err := c.Opening.Commitment(); err != nil || got != c.Commitment || c.Opening.Value != in.Commits[i].Value || c.Opening.Kind != in.Commits[i].Kind {
			t.Errorf("commitment %d: %v", i, err)
		}
	}
	for i, text := range in.Base64s {
		_, std := statement.Base64(text)
		_, url := statement.Base64URL(text)
		if out.Base64[i] != fault.CodeOf(std) || out.Base64URL[i] != fault.CodeOf(url) {
			t.Errorf("%q: %q %q, in Go %v %v", text, out.Base64[i], out.Base64URL[i], std, url)
		}
	}
	for i, name := range in.Refused {
		if out.Refused[i] != refused[name] {
			t.Errorf("%s: %q, want %q", name, out.Refused[i], refused[name])
		}
	}
	challenge := statement.AssertionChallenge([]byte("pae"))
	if out.Thumbprints[0] != key.Thumbprint() || out.PAE != "DSSEv1 29 http://example.com/HelloWorld 11 hello world" || out.Challenge != hex.EncodeToString(challenge[:]) {
		t.Errorf("%v %s %s", out.Thumbprints, out.PAE, out.Challenge)
	}
}
