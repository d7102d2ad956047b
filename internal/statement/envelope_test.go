package statement

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"pgregory.net/rapid"
)

// note is a body.
type note struct {
	Text string `json:"text"`
	Fen  int64  `json:"fen"`
}

var (
	previous = Digest([]byte("previous"))
	answers  = Digest([]byte("answers"))
)

func lansNote() Unsigned {
	return Unsigned{Type: "note", Subject: "visit/v1", Body: note{"门 <&>", 9900},
		Header: Header{Signer: "lan", Organisation: "provider-c", Role: "technician", At: "2026-11-22T12:00:00Z", Previous: previous, Answers: answers}}
}

func signed(t testing.TB, priv *ecdsa.PrivateKey, u Unsigned) []byte {
	t.Helper()
	data, err := Sign(priv, u)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sealRaw signs payload bytes as they are, as an attacker with a key of his own can.
func sealRaw(t testing.TB, priv *ecdsa.PrivateKey, payload []byte) []byte {
	t.Helper()
	sig, err := SignES256(priv, PAE(PayloadType, payload))
	if err != nil {
		t.Fatal(err)
	}
	data, err := Seal(payload, KeyOf(&priv.PublicKey), sig)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSignAndVerify(t *testing.T) {
	priv := newKey(t, elliptic.P256())
	key := KeyOf(&priv.PublicKey)
	data := signed(t, priv, lansNote())
	v, err := Verify(data, key)
	if err != nil {
		t.Fatal(err)
	}
	want := lansNote().Header
	want.Key = key.Thumbprint()
	if !v.OK() || v.Type() != "note" || v.Subject() != "visit/v1" || v.Header() != want || v.Digest() != Digest(data) || v.KeyKind() != ES256 || !v.LowS() {
		t.Errorf("got %+v", v)
	}
	if got := v.Header().Time(); !got.Equal(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("signed at %v", got)
	}
	var body note
	if err := v.Body("note", &body); err != nil || body != (note{"门 <&>", 9900}) {
		t.Errorf("body %+v, %v", body, err)
	}
	if err := v.Body("agreement", &body); fault.CodeOf(err) != "statement_type_differs" || fault.Of(err).Where != "agreement" {
		t.Errorf("a note read as an agreement: %v", err)
	}
	var other struct {
		Words string `json:"words"`
	}
	if err := v.Body("note", &other); fault.CodeOf(err) != "json_unknown_name" || fault.Of(err).Where != "note: text" {
		t.Errorf("a body read as another form: %v", err)
	}
}

// The signed bytes, written out once: other implementations make the same.
func TestPayloadForm(t *testing.T) {
	u := lansNote()
	u.Header.Previous, u.Header.Answers = "", ""
	got, err := u.Payload(rfc7515)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"visit/v1","digest":{"sha256":"` + Digest([]byte("visit/v1")) +
		`"}}],"predicateType":"urn:menshen:note:v1","predicate":{"signer":"lan","organisation":"provider-c","role":"technician","key":"oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",` +
		`"at":"2026-11-22T12:00:00Z","previous":"","answers":"","body":{"text":"门 <&>","fen":9900}}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The example of the DSSE specification.
func TestPAE(t *testing.T) {
	if got := string(PAE("http://example.com/HelloWorld", []byte("hello world"))); got != "DSSEv1 29 http://example.com/HelloWorld 11 hello world" {
		t.Errorf("got %s", got)
	}
}

func TestTheZeroValueRefuses(t *testing.T) {
	var v Verified
	if v.OK() || v.Type() != "" || v.Subject() != "" || v.Header() != (Header{}) || v.Digest() != "" || v.KeyKind() != "" || v.LowS() {
		t.Errorf("the zero value says something: %+v", v)
	}
	var body note
	if err := v.Body("", &body); fault.CodeOf(err) != "statement_unverified" {
		t.Errorf("got %v", err)
	}
	if _, err := (Claims{}).Verify(rfc7515); fault.CodeOf(err) != "json_syntax" {
		t.Errorf("zero claims: %v", err)
	}
	if err := (Claims{}).UntrustedBody(&body); fault.CodeOf(err) != "json_syntax" {
		t.Errorf("zero claims' body: %v", err)
	}
	if (Claims{}).Digest() != "" || !(Header{}).Time().IsZero() {
		t.Error("zero claims say something")
	}
}

func TestParseReadsClaims(t *testing.T) {
	priv := newKey(t, elliptic.P256())
	data := signed(t, priv, lansNote())
	c, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	var body note
	if err := c.UntrustedBody(&body); err != nil || body.Fen != 9900 || c.Type != "note" || c.Subject != "visit/v1" || c.Header.Signer != "lan" || c.Digest() != Digest(data) {
		t.Errorf("claims %+v, body %+v, %v", c, body, err)
	}
	if v, err := c.Verify(KeyOf(&priv.PublicKey)); err != nil || !v.OK() {
		t.Errorf("verify: %v", err)
	}
}

// Claims can be written by anyone who holds them; what is verified is what was signed.
func TestClaimsThatWereRewrittenAreReadAgain(t *testing.T) {
	priv := newKey(t, elliptic.P256())
	c, err := Parse(signed(t, priv, lansNote()))
	if err != nil {
		t.Fatal(err)
	}
	c.Type, c.Subject, c.Header.Signer, c.Header.Role, c.Header.At = "agreement", "visit/v2", "wei", "merchant", "2027-01-01T00:00:00Z"
	v, err := c.Verify(KeyOf(&priv.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	if h := v.Header(); v.Type() != "note" || v.Subject() != "visit/v1" || h.Signer != "lan" || h.Role != "technician" || h.At != "2026-11-22T12:00:00Z" {
		t.Errorf("verified what was never signed: %s %s %+v", v.Type(), v.Subject(), h)
	}
}

func TestVerifyRefuses(t *testing.T) {
	priv, other := newKey(t, elliptic.P256()), newKey(t, elliptic.P256())
	key, otherKey := KeyOf(&priv.PublicKey), KeyOf(&other.PublicKey)
	data := signed(t, priv, lansNote())
	payload, err := lansNote().Payload(key)
	if err != nil {
		t.Fatal(err)
	}
	sealed := func(payload []byte, key Key, sig []byte) []byte {
		out, err := Seal(payload, key, sig)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	sig, _ := SignES256(priv, PAE(PayloadType, payload))
	bare, _ := SignES256(priv, payload)
	changed := bytes.Replace(payload, []byte("9900"), []byte("9901"), 1)
	tests := []struct {
		name string
		data []byte
		key  Key
		want string
	}{
		{"another key", data, otherKey, "signer_key_differs"},
		{"envelope names another key", sealed(payload, otherKey, sig), otherKey, "signer_key_differs"},
		{"statement names another key", sealRaw(t, other, payload), otherKey, "signer_key_differs"},
		{"unusable key", data, Key{}, "key_kind_unknown"},
		{"amount changed", sealed(changed, key, sig), key, "signature_wrong"},
		{"signed without DSSE's encoding", sealed(payload, key, bare), key, "signature_wrong"},
		{"signature of nothing", sealed(payload, key, make([]byte, 64)), key, "signature_wrong"},
		{"signature too short", sealed(payload, key, sig[:63]), key, "signature_malformed"},
		{"signature too long", sealed(payload, key, append(sig, 0)), key, "signature_malformed"},
		{"no signature", sealed(payload, key, nil), key, "signature_malformed"},
		{"no envelope", nil, key, "json_syntax"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v, err := Verify(test.data, test.key)
			if fault.CodeOf(err) != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if v.OK() || v.Digest() != "" {
				t.Error("a refused statement left something behind")
			}
		})
	}
}

// (r, n−s) is another signature by the same signer without his doing: it verifies, and LowS tells.
func TestHighSVerifiesAndIsTold(t *testing.T) {
	priv := newKey(t, elliptic.P256())
	key := KeyOf(&priv.PublicKey)
	payload, err := lansNote().Payload(key)
	if err != nil {
		t.Fatal(err)
	}
	for range 16 { // signing must always choose the low one
		sig, err := SignES256(priv, PAE(PayloadType, payload))
		if err != nil {
			t.Fatal(err)
		}
		low, err := Seal(payload, key, sig)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := Verify(low, key); err != nil || !v.LowS() {
			t.Fatalf("low s: %v", err)
		}
		s := new(big.Int).SetBytes(sig[32:])
		s.Sub(elliptic.P256().Params().N, s).FillBytes(sig[32:])
		high, err := Seal(payload, key, sig)
		if err != nil {
			t.Fatal(err)
		}
		v, err := Verify(high, key)
		if err != nil || !v.OK() || v.LowS() {
			t.Fatalf("high s: low %v, %v", v.LowS(), err)
		}
		if Digest(low) == Digest(high) {
			t.Fatal("the digest must tell the two apart")
		}
	}
}

func TestParseRefusesEnvelopes(t *testing.T) {
	priv := newKey(t, elliptic.P256())
	good := string(signed(t, priv, lansNote()))
	var e envelope
	if err := json.Unmarshal([]byte(good), &e); err != nil {
		t.Fatal(err)
	}
	written := func(change func(*envelope)) string {
		c := e
		c.Signatures = append([]signature{}, e.Signatures...)
		change(&c)
		data, err := Canonical(c)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	tests := []struct{ name, data, want, where string }{
		{"not JSON", "hello", "json_syntax", "envelope"},
		{"line break at the end", good + "\n", "json_not_canonical", "envelope"},
		{"another payload type", written(func(e *envelope) { e.PayloadType = "application/json" }), "envelope_malformed", ""},
		{"no signature", written(func(e *envelope) { e.Signatures = []signature{} }), "envelope_malformed", ""},
		{"two signatures", written(func(e *envelope) { e.Signatures = append(e.Signatures, e.Signatures[0]) }), "envelope_malformed", ""},
		{"unknown name", strings.Replace(good, `{"payloadType"`, `{"x":1,"payloadType"`, 1), "json_unknown_name", "envelope: x"},
		{"payload in base64url", written(func(e *envelope) { e.Payload = "__8=" }), "base64_malformed", "payload"},
		{"payload without padding", written(func(e *envelope) { e.Payload = "//8" }), "base64_malformed", "payload"},
		{"signature in base64url", written(func(e *envelope) { e.Signatures[0].Sig = "__8=" }), "base64_malformed", "sig"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := Parse([]byte(test.data))
			if fault.CodeOf(err) != test.want || fault.Of(err).Where != test.where {
				t.Errorf("got %v, want %s at %q", err, test.want, test.where)
			}
			if c.Digest() != "" || c.Type != "" {
				t.Error("refused claims left something behind")
			}
		})
	}
}

func TestParseRefusesStatements(t *testing.T) {
	priv := newKey(t, elliptic.P256())
	payload, err := lansNote().Payload(KeyOf(&priv.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	good := string(payload)
	with := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%s is not in the statement", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	subject := `{"name":"visit/v1","digest":{"sha256":"` + Digest([]byte("visit/v1")) + `"}}`
	tests := []struct{ name, data, want, where string }{
		{"not JSON", "hello", "json_syntax", ""},
		{"another statement type", with("in-toto.io/Statement/v1", "in-toto.io/Statement/v0.1"), "statement_malformed", ""},
		{"predicate of somebody else", with("urn:menshen:note:v1", "https://slsa.dev/provenance/v1"), "statement_malformed", ""},
		{"version two", with("urn:menshen:note:v1", "urn:menshen:note:v2"), "statement_malformed", ""},
		{"no type", with("urn:menshen:note:v1", "urn:menshen::v1"), "statement_malformed", ""},
		{"prefix and suffix overlap", with("urn:menshen:note:v1", "urn:menshen:v1"), "statement_malformed", ""},
		{"type in capitals", with("urn:menshen:note:v1", "urn:menshen:Note:v1"), "statement_malformed", ""},
		{"no subject", with(subject, ""), "subject_malformed", ""},
		{"two subjects", with(subject, subject+","+subject), "subject_malformed", ""},
		{"subject's digest of another name", with(`"name":"visit/v1"`, `"name":"visit/v2"`), "subject_malformed", ""},
		{"time with an offset", with("12:00:00Z", "20:00:00+08:00"), "time_malformed", "at"},
		{"previous is no digest", with(previous, "first"), "chain_reference_malformed", ""},
		{"answers no digest", with(answers, strings.ToUpper(answers)), "chain_reference_malformed", ""},
		{"signer twice", with(`"signer":"lan"`, `"signer":"lan","signer":"wei"`), "json_duplicate_name", "predicate.signer"},
		{"signer in capitals", with(`"signer":"lan"`, `"signer":"lan","Signer":"wei"`), "json_case_variant", "predicate.Signer"},
		{"fraction in the body", with("9900", "9900.5"), "json_not_integer", "predicate.body.fen"},
		{"no body", with(`,"body":{"text":"门 <&>","fen":9900}`, ""), "json_missing_name", "predicate.body"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data := sealRaw(t, priv, []byte(test.data))
			_, err := Parse(data)
			if fault.CodeOf(err) != test.want || fault.Of(err).Where != test.where {
				t.Errorf("got %v, want %s at %q", err, test.want, test.where)
			}
			if _, err := Verify(data, KeyOf(&priv.PublicKey)); fault.CodeOf(err) != test.want {
				t.Errorf("verify: %v", err)
			}
		})
	}
}

// Nobody signs what nobody can read.
func TestSignRefuses(t *testing.T) {
	priv := newKey(t, elliptic.P256())
	tests := []struct {
		name  string
		spoil func(*Unsigned)
		want  string
	}{
		{"body that JSON cannot say", func(u *Unsigned) { u.Body = make(chan int) }, "json_wrong_type"},
		{"no body", func(u *Unsigned) { u.Body = nil }, "json_wrong_type"},
		{"list that is null", func(u *Unsigned) { u.Body = struct{ Lines []line }{} }, "json_wrong_type"},
		{"amount that is no integer", func(u *Unsigned) { u.Body = struct{ Yuan float64 }{0.5} }, "json_not_integer"},
		{"text that is no UTF-8", func(u *Unsigned) { u.Body = note{Text: "\xff"} }, "json_encoding"},
		{"signer that is no UTF-8", func(u *Unsigned) { u.Header.Signer = "\xff" }, "json_encoding"},
		{"no time", func(u *Unsigned) { u.Header.At = "" }, "time_malformed"},
		{"no type", func(u *Unsigned) { u.Type = "" }, "statement_malformed"},
		{"previous is no digest", func(u *Unsigned) { u.Header.Previous = "x" }, "chain_reference_malformed"},
		{"body over the bound", func(u *Unsigned) { u.Body = note{Text: strings.Repeat("a", MaxBytes)} }, "json_too_large"},
		{"envelope over the bound", func(u *Unsigned) { u.Body = note{Text: strings.Repeat("a", MaxBytes*3/4)} }, "json_too_large"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			u := lansNote()
			test.spoil(&u)
			if data, err := Sign(priv, u); fault.CodeOf(err) != test.want || data != nil {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if _, err := Sign(newKey(t, elliptic.P384()), lansNote()); fault.CodeOf(err) != "key_kind_unknown" {
		t.Errorf("a key of another curve: %v", err)
	}
	//lint:ignore SA1019 a key that cannot sign is made on purpose
	broken := &ecdsa.PrivateKey{PublicKey: priv.PublicKey, D: new(big.Int)}
	if _, err := Sign(broken, lansNote()); fault.CodeOf(err) != "signature_wrong" {
		t.Errorf("a broken key: %v", err)
	}
}

func TestVerifyES256WantsWholeSignatures(t *testing.T) {
	priv := newKey(t, elliptic.P256())
	sig, err := SignES256(priv, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if !VerifyES256(&priv.PublicKey, []byte("x"), sig) || VerifyES256(&priv.PublicKey, []byte("y"), sig) ||
		VerifyES256(&priv.PublicKey, []byte("x"), sig[:63]) || VerifyES256(&priv.PublicKey, []byte("x"), nil) {
		t.Error("64 bytes over these bytes, nothing else")
	}
}

// Whatever is signed is either refused or comes out as it went in.
func TestSignRoundTrip(t *testing.T) {
	priv := newKey(t, elliptic.P256())
	key := KeyOf(&priv.PublicKey)
	reference := rapid.OneOf(rapid.Just(""), rapid.Just(previous), rapid.String())
	rapid.Check(t, func(r *rapid.T) {
		u := Unsigned{Type: rapid.StringMatching(`[a-z_]{0,5}`).Draw(r, "type"), Subject: rapid.String().Draw(r, "subject"),
			Body: note{rapid.String().Draw(r, "text"), rapid.Int64().Draw(r, "fen")},
			Header: Header{Signer: rapid.String().Draw(r, "signer"), Organisation: rapid.String().Draw(r, "organisation"), Role: rapid.String().Draw(r, "role"),
				At: At(time.Unix(rapid.Int64Range(0, 300000000000).Draw(r, "at"), 0)), Previous: reference.Draw(r, "previous"), Answers: reference.Draw(r, "answers")}}
		data, err := Sign(priv, u)
		if err != nil {
			return
		}
		v, err := Verify(data, key)
		if err != nil {
			r.Fatalf("signed what cannot be verified: %v", err)
		}
		var body note
		if err := v.Body(u.Type, &body); err != nil || body != u.Body {
			r.Fatalf("wrote %+v, read %+v, %v", u.Body, body, err)
		}
		u.Header.Key = key.Thumbprint()
		if v.Header() != u.Header || v.Subject() != u.Subject {
			r.Fatalf("wrote %+v, read %+v", u.Header, v.Header())
		}
	})
}

// Any one bit of an envelope that changes makes it refuse.
func TestNoBitCanChange(t *testing.T) {
	priv := newKey(t, elliptic.P256())
	key := KeyOf(&priv.PublicKey)
	data := signed(t, priv, lansNote())
	rapid.Check(t, func(r *rapid.T) {
		changed := bytes.Clone(data)
		changed[rapid.IntRange(0, len(data)-1).Draw(r, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
		if v, err := Verify(changed, key); err == nil || v.OK() {
			r.Fatalf("accepted %s", changed)
		}
	})
}

// FuzzParse: nothing panics; what passes has one envelope form, and without the key it is refused.
func FuzzParse(f *testing.F) {
	priv := newKey(f, elliptic.P256())
	good := signed(f, priv, lansNote())
	f.Add(good)
	f.Add([]byte(`{"payloadType":"application/vnd.in-toto+json","payload":"","signatures":[{"keyid":"","sig":""}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if err != nil {
			return
		}
		var e envelope
		if err := DecodeCanonical(data, &e); err != nil || c.Digest() != Digest(data) || c.Header.Time().IsZero() {
			t.Fatalf("accepted %s", data)
		}
		if v, err := c.Verify(rfc7515); err == nil || v.OK() {
			t.Fatal("verified without the key")
		}
	})
}

// FuzzStatement does the same for the bytes inside.
func FuzzStatement(f *testing.F) {
	priv := newKey(f, elliptic.P256())
	key := KeyOf(&priv.PublicKey)
	payload, err := lansNote().Payload(key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(payload)
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		data, err := Canonical(envelope{PayloadType, base64.StdEncoding.EncodeToString(payload), []signature{{key.Thumbprint(), ""}}})
		if err != nil {
			t.Fatal(err)
		}
		c, err := Parse(data)
		if err != nil {
			return
		}
		var free json.RawMessage
		if err := c.UntrustedBody(&free); err != nil || !plainKind(c.Type) {
			t.Fatalf("accepted %s: %v", payload, err)
		}
		if v, err := c.Verify(key); err == nil || v.OK() {
			t.Fatal("verified without a signature")
		}
	})
}

func TestPayloadIsWhatWasSigned(t *testing.T) {
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	u := Unsigned{Type: "step", Subject: "visit/v1", Header: Header{Signer: "lan", At: "2026-11-22T12:00:00Z"}, Body: line{"x", 1}}
	want, err := u.Payload(KeyOf(&priv.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := Sign(priv, u)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(envelope)
	if err != nil || string(c.Payload()) != string(want) {
		t.Errorf("got %s, %v", c.Payload(), err)
	}
}
