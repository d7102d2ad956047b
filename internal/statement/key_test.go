package statement

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
)

func newKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	priv, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return priv
}

// The point of RFC 7515 appendix A.3; its RFC 7638 thumbprint was computed apart from this code.
var rfc7515 = Key{Kind: ES256, X: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", Y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}

func TestThumbprint(t *testing.T) {
	const want = "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"
	if got := rfc7515.Thumbprint(); got != want {
		t.Errorf("got %s", got)
	}
	passkey := rfc7515
	passkey.Kind, passkey.RPID, passkey.Origins = WebAuthn, "menshen.example", []string{"https://menshen.example"}
	if passkey.Thumbprint() != want {
		t.Error("one point is one key, however it signs")
	}
}

func TestKeyRoundTrip(t *testing.T) {
	priv := newKey(t, elliptic.P256())
	key := KeyOf(&priv.PublicKey)
	pub, err := key.Public()
	if err != nil || !pub.Equal(&priv.PublicKey) || key.Kind != ES256 {
		t.Errorf("key %+v, %v", key, err)
	}
	data, err := Canonical(rfc7515)
	if err != nil || string(data) != fmt.Sprintf(`{"kind":"es256","x":"%s","y":"%s"}`, rfc7515.X, rfc7515.Y) {
		t.Errorf("written as %s, %v", data, err)
	}
}

func TestKeyRefuses(t *testing.T) {
	passkey := func(k *Key) {
		k.Kind, k.RPID, k.Origins = WebAuthn, "menshen.example", []string{"https://menshen.example"}
	}
	origin := func(o string) func(*Key) {
		return func(k *Key) { passkey(k); k.Origins = []string{"https://menshen.example", o} }
	}
	tests := []struct {
		name  string
		spoil func(*Key)
		want  string
		where string
	}{
		{"zero value", func(k *Key) { *k = Key{} }, "key_kind_unknown", ""},
		{"unknown kind", func(k *Key) { k.Kind = "rs256" }, "key_kind_unknown", ""},
		{"kind in capitals", func(k *Key) { k.Kind = "ES256" }, "key_kind_unknown", ""},
		{"x padded", func(k *Key) { k.X += "=" }, "key_malformed", ""},
		{"y in standard base64", func(k *Key) { k.Y = strings.ReplaceAll(k.Y, "_", "/") }, "key_malformed", ""},
		{"x too short", func(k *Key) { k.X = "AAAA" }, "key_malformed", ""},
		{"y too long", func(k *Key) { k.Y += "AAAA" }, "key_malformed", ""},
		{"a byte moved from y to x: the same point, another thumbprint", func(k *Key) {
			both := bytes.Join([][]byte{rawURL(k.X), rawURL(k.Y)}, nil)
			k.X, k.Y = base64.RawURLEncoding.EncodeToString(both[:33]), base64.RawURLEncoding.EncodeToString(both[33:])
		}, "key_malformed", ""},
		{"point off the curve", func(k *Key) { k.X, k.Y = k.Y, k.X }, "key_malformed", ""},
		{"point at infinity", func(k *Key) { k.X, k.Y = strings.Repeat("A", 43), strings.Repeat("A", 43) }, "key_malformed", ""},
		{"plain key with a site", func(k *Key) { k.RPID = "menshen.example" }, "key_malformed", ""},
		{"plain key with origins", func(k *Key) { k.Origins = []string{"https://menshen.example"} }, "key_malformed", ""},
		{"passkey without a site", func(k *Key) { passkey(k); k.RPID = "" }, "key_malformed", ""},
		{"passkey without origins", func(k *Key) { passkey(k); k.Origins = nil }, "key_malformed", ""},
		{"passkey with nine origins", func(k *Key) {
			passkey(k)
			for range 8 {
				k.Origins = append(k.Origins, "https://menshen.example")
			}
		}, "key_malformed", ""},
		{"origin in the clear", origin("http://menshen.example"), "key_malformed", "origins"},
		{"origin that only begins with localhost", origin("http://localhost.evil.example"), "key_malformed", "origins"},
		{"origin with a user", origin("https://menshen.example@evil.example"), "key_malformed", "origins"},
		{"localhost with a user", origin("http://localhost:1@evil.example"), "key_malformed", "origins"},
		{"origin with a path", origin("https://menshen.example/"), "key_malformed", "origins"},
		{"origin without a host", origin("https://"), "key_malformed", "origins"},
		{"origin with a port only", origin("https://:443"), "key_malformed", "origins"},
		{"origin with an empty port", origin("https://menshen.example:"), "key_malformed", "origins"},
		{"origin with a long port", origin("https://menshen.example:443443"), "key_malformed", "origins"},
		{"origin in capitals", origin("https://Menshen.example"), "key_malformed", "origins"},
		{"origin of another scheme", origin("android:apk-key-hash:abc"), "key_malformed", "origins"},
		{"localhost without a scheme", origin("localhost"), "key_malformed", "origins"},
		{"origin null", origin("null"), "key_malformed", "origins"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			k := rfc7515
			test.spoil(&k)
			pub, err := k.Public()
			if fault.CodeOf(err) != test.want || pub != nil {
				t.Fatalf("got %v, want %s", err, test.want)
			}
			if got := fault.Of(err).Where; got != test.where {
				t.Errorf("place %q, want %q", got, test.where)
			}
		})
	}
	for _, good := range []string{"https://a-1.menshen.example:8443", "http://localhost", "http://localhost:8080"} {
		k := rfc7515
		origin(good)(&k)
		if _, err := k.Public(); err != nil {
			t.Errorf("origin %s: %v", good, err)
		}
	}
}

func rawURL(s string) []byte {
	out, err := Base64URL(s)
	if err != nil {
		panic(err)
	}
	return out
}

func TestKeyOfAnotherCurveIsNoKey(t *testing.T) {
	priv := newKey(t, elliptic.P384())
	if key := KeyOf(&priv.PublicKey); key.Kind != "" {
		t.Errorf("got %+v", key)
	}
	if _, err := SignES256(priv, []byte("x")); fault.CodeOf(err) != "key_malformed" {
		t.Errorf("signing: %v", err)
	}
}
