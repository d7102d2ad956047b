package statement

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"
	"github.com/menshen-project/menshen/internal/fault"
)

const (
	site   = "menshen.example"
	origin = "https://m.menshen.example"
)

func b64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

func passkeyOf(pub *ecdsa.PublicKey) Key {
	key := KeyOf(pub)
	key.Kind, key.RPID, key.Origins = WebAuthn, site, []string{"https://" + site, origin}
	return key
}

// An authenticator that we did not write signs a statement, and its passkey is held to user
// presence and verification.
func TestAnAuthenticatorSigns(t *testing.T) {
	tests := []struct {
		name    string
		party   virtualwebauthn.RelyingParty
		options virtualwebauthn.AuthenticatorOptions
		want    string
	}{
		{"as it should", virtualwebauthn.RelyingParty{ID: site, Origin: origin}, virtualwebauthn.AuthenticatorOptions{}, ""},
		{"from a synced passkey", virtualwebauthn.RelyingParty{ID: site, Origin: origin}, virtualwebauthn.AuthenticatorOptions{BackupEligible: true, BackupState: true}, ""},
		{"nobody there", virtualwebauthn.RelyingParty{ID: site, Origin: origin}, virtualwebauthn.AuthenticatorOptions{UserNotPresent: true}, "assertion_user_absent"},
		{"nobody known", virtualwebauthn.RelyingParty{ID: site, Origin: origin}, virtualwebauthn.AuthenticatorOptions{UserNotVerified: true}, "assertion_user_absent"},
		{"look-alike site", virtualwebauthn.RelyingParty{ID: "menshem.example", Origin: "https://menshem.example"}, virtualwebauthn.AuthenticatorOptions{}, "assertion_origin"},
		{"look-alike site with our name inside", virtualwebauthn.RelyingParty{ID: "menshem.example", Origin: origin}, virtualwebauthn.AuthenticatorOptions{}, "assertion_origin"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cred := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
			parsed, err := x509.ParsePKCS8PrivateKey(cred.Key.Data)
			if err != nil {
				t.Fatal(err)
			}
			key := passkeyOf(&parsed.(*ecdsa.PrivateKey).PublicKey)
			payload, err := lansNote().Payload(key)
			if err != nil {
				t.Fatal(err)
			}
			challenge := AssertionChallenge(PAE(PayloadType, payload))
			answer := virtualwebauthn.CreateAssertionResponse(test.party, virtualwebauthn.NewAuthenticatorWithOptions(test.options), cred,
				virtualwebauthn.AssertionOptions{Challenge: challenge[:], RelyingPartyID: site})
			v, err := Verify(sealAnswer(t, payload, key, answer), key)
			if fault.CodeOf(err) != test.want || v.OK() != (test.want == "") {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if v.OK() && (v.KeyKind() != WebAuthn || v.LowS() || v.Header().Signer != "lan") {
				t.Errorf("kind %s, low s %v", v.KeyKind(), v.LowS())
			}
		})
	}
}

// sealAnswer does what the page does with the browser's answer.
func sealAnswer(t *testing.T, payload []byte, key Key, answer string) []byte {
	t.Helper()
	var got struct {
		Response struct{ AuthenticatorData, ClientDataJSON, Signature string }
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		t.Fatal(err)
	}
	var a Assertion
	for _, f := range []struct {
		from string
		to   *string
	}{{got.Response.AuthenticatorData, &a.AuthenticatorData}, {got.Response.ClientDataJSON, &a.ClientDataJSON}, {got.Response.Signature, &a.Signature}} {
		raw, err := Base64URL(f.from)
		if err != nil {
			t.Fatal(err)
		}
		*f.to = b64(raw)
	}
	return seal(t, payload, key, a)
}

func seal(t testing.TB, payload []byte, key Key, a Assertion) []byte {
	t.Helper()
	sig, err := Canonical(a)
	if err != nil {
		t.Fatal(err)
	}
	data, err := Seal(payload, key, sig)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// hand is an authenticator made by hand, so that each part can lie.
type hand struct {
	priv      *ecdsa.PrivateKey
	challenge string
	client    string // the browser's JSON
	auth      []byte
	domain    []byte // what is put before the signed bytes
	after     func(*Assertion)
}

func (h *hand) assertion(t testing.TB) Assertion {
	t.Helper()
	hash := sha256.Sum256([]byte(h.client))
	sum := sha256.Sum256(append(append(bytes.Clone(h.domain), h.auth...), hash[:]...))
	der, err := ecdsa.SignASN1(rand.Reader, h.priv, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	a := Assertion{b64(h.auth), b64([]byte(h.client)), b64(der)}
	h.after(&a)
	return a
}

func (h *hand) replace(old, new string) {
	if !strings.Contains(h.client, old) {
		panic(old + " is not in the client data")
	}
	h.client = strings.Replace(h.client, old, new, 1)
}

// honest prepares an assertion over payload that passes.
func honest(priv *ecdsa.PrivateKey, payload []byte) *hand {
	sum := AssertionChallenge(PAE(PayloadType, payload))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	rp := sha256.Sum256([]byte(site))
	return &hand{priv: priv, challenge: challenge, after: func(*Assertion) {},
		client: fmt.Sprintf(`{"type":"webauthn.get","challenge":"%s","origin":"%s","crossOrigin":false}`, challenge, origin),
		auth:   append(rp[:], 0x05, 0, 0, 0, 1)}
}

func handTest(t *testing.T, spoil func(*hand)) (Verified, error) {
	t.Helper()
	priv := newKey(t, elliptic.P256())
	key := passkeyOf(&priv.PublicKey)
	payload, err := lansNote().Payload(key)
	if err != nil {
		t.Fatal(err)
	}
	h := honest(priv, payload)
	spoil(h)
	return Verify(seal(t, payload, key, h.assertion(t)), key)
}

func TestAssertionAccepts(t *testing.T) {
	tests := []struct {
		name string
		make func(*hand)
	}{
		{"the plain one", func(*hand) {}},
		{"our other origin", func(h *hand) { h.replace(origin, "https://"+site) }},
		{"no crossOrigin", func(h *hand) { h.replace(`,"crossOrigin":false`, ``) }},
		{"a name that browsers add", func(h *hand) {
			h.replace(`}`, `,"other_keys_can_be_added_here":"do not compare clientDataJSON against a template"}`)
		}},
		{"a name in other letters beside", func(h *hand) { h.replace(`}`, `,"Origin":"https://evil.example"}`) }},
		{"white space", func(h *hand) { h.replace(`,`, " ,\n") }},
		{"extensions", func(h *hand) { h.auth[32] |= 0x80; h.auth = append(h.auth, make([]byte, 1024-len(h.auth))...) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if v, err := handTest(t, test.make); err != nil || !v.OK() {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAssertionRefuses(t *testing.T) {
	after := func(f func(*Assertion)) func(*hand) { return func(h *hand) { h.after = f } }
	tests := []struct {
		name  string
		spoil func(*hand)
		want  string
	}{
		{"authenticator data not in base64", after(func(a *Assertion) { a.AuthenticatorData = "*" }), "assertion_malformed"},
		{"client data in base64url", after(func(a *Assertion) { a.ClientDataJSON = strings.TrimRight(a.ClientDataJSON, "=") + "_" }), "assertion_malformed"},
		{"signature not in base64", after(func(a *Assertion) { a.Signature = "*" }), "assertion_malformed"},
		{"authenticator data too short", func(h *hand) { h.auth = h.auth[:36] }, "assertion_malformed"},
		{"authenticator data too long", func(h *hand) { h.auth = append(h.auth, make([]byte, 1025-len(h.auth))...) }, "assertion_malformed"},
		{"client data too long", func(h *hand) { h.replace(`}`, strings.Repeat(" ", 4097-len(h.client))+`}`) }, "assertion_malformed"},
		{"client data is no JSON", func(h *hand) { h.client = "hello" }, "assertion_malformed"},
		{"client data is a list", func(h *hand) { h.client = "[" + h.client + "]" }, "assertion_malformed"},
		{"origin twice", func(h *hand) { h.replace(`{`, `{"origin":"https://evil.example",`) }, "assertion_malformed"},
		{"type is a number", func(h *hand) { h.replace(`"webauthn.get"`, `1`) }, "assertion_malformed"},
		{"crossOrigin in quotes", func(h *hand) { h.replace(`:false`, `:"false"`) }, "assertion_malformed"},
		{"origin null", func(h *hand) { h.replace(`"`+origin+`"`, `null`) }, "assertion_malformed"},

		{"registration", func(h *hand) { h.replace("webauthn.get", "webauthn.create") }, "assertion_type"},
		{"payment", func(h *hand) { h.replace("webauthn.get", "payment.get") }, "assertion_type"},
		{"no type", func(h *hand) { h.replace(`"type":"webauthn.get",`, ``) }, "assertion_type"},
		{"type in other letters", func(h *hand) { h.replace(`"type"`, `"Type"`) }, "assertion_type"},

		{"sign-in", func(h *hand) { h.replace(h.challenge, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") }, "assertion_other_purpose"},
		{"challenge padded", func(h *hand) { h.replace(h.challenge, h.challenge+"=") }, "assertion_other_purpose"},
		{"no challenge", func(h *hand) { h.replace(`"challenge":"`+h.challenge+`",`, ``) }, "assertion_other_purpose"},
		{"challenge in other letters", func(h *hand) { h.replace(`"challenge"`, `"CHALLENGE"`) }, "assertion_other_purpose"},
		{"the right challenge only in other letters", func(h *hand) {
			h.replace(`"challenge":"`+h.challenge+`"`, `"challenge":"sign-in","Challenge":"`+h.challenge+`"`)
		}, "assertion_other_purpose"},

		{"another site", func(h *hand) { h.replace(origin, "https://evil.example") }, "assertion_origin"},
		{"our site in the clear", func(h *hand) { h.replace(origin, "http://m."+site) }, "assertion_origin"},
		{"origin with a slash", func(h *hand) { h.replace(origin, origin+"/") }, "assertion_origin"},
		{"no origin", func(h *hand) { h.replace(`,"origin":"`+origin+`"`, ``) }, "assertion_origin"},
		{"our origin only in other letters", func(h *hand) {
			h.replace(`"origin":"`+origin+`"`, `"origin":"https://evil.example","Origin":"`+origin+`"`)
		}, "assertion_origin"},
		{"inside another site's frame", func(h *hand) { h.replace(`:false`, `:true`) }, "assertion_origin"},
		{"under another site", func(h *hand) { h.replace(`}`, `,"topOrigin":"https://evil.example"}`) }, "assertion_origin"},
		{"made for another site", func(h *hand) {
			rp := sha256.Sum256([]byte("evil.example"))
			copy(h.auth, rp[:])
		}, "assertion_origin"},

		{"nobody touched it", func(h *hand) { h.auth[32] = 0x04 }, "assertion_user_absent"},
		{"nobody unlocked it", func(h *hand) { h.auth[32] = 0x01 }, "assertion_user_absent"},
		{"no flags", func(h *hand) { h.auth[32] = 0 }, "assertion_user_absent"},

		{"signed by another key", func(h *hand) { h.priv = newKey(t, elliptic.P256()) }, "signature_wrong"},
		{"signed over something else", func(h *hand) { h.domain = []byte("x") }, "signature_wrong"},
		{"signature with a byte after", after(func(a *Assertion) { a.Signature = b64(append(raw(a.Signature), 0)) }), "signature_wrong"},
		{"no signature", after(func(a *Assertion) { a.Signature = "" }), "signature_wrong"},
		{"flags changed after signing", after(func(a *Assertion) {
			auth := raw(a.AuthenticatorData)
			auth[32] |= 0x10
			a.AuthenticatorData = b64(auth)
		}), "signature_wrong"},
		{"client data changed after signing", after(func(a *Assertion) { a.ClientDataJSON = b64(append(raw(a.ClientDataJSON), ' ')) }), "signature_wrong"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v, err := handTest(t, test.spoil)
			if fault.CodeOf(err) != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if v.OK() || v.Digest() != "" {
				t.Error("a refused statement left something behind")
			}
		})
	}
}

func raw(s string) []byte {
	out, err := Base64(s)
	if err != nil {
		panic(err)
	}
	return out
}

// A plain signature does not pass for a passkey's, nor the other way round, though the point is the same.
func TestKindsOfSignatureDoNotMix(t *testing.T) {
	priv := newKey(t, elliptic.P256())
	plain, passkey := KeyOf(&priv.PublicKey), passkeyOf(&priv.PublicKey)
	if _, err := Verify(signed(t, priv, lansNote()), passkey); fault.CodeOf(err) != "assertion_malformed" {
		t.Errorf("plain as passkey: %v", err)
	}
	payload, err := lansNote().Payload(passkey)
	if err != nil {
		t.Fatal(err)
	}
	data := seal(t, payload, passkey, honest(priv, payload).assertion(t))
	if _, err := Verify(data, passkey); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(data, plain); fault.CodeOf(err) != "signature_malformed" {
		t.Errorf("passkey as plain: %v", err)
	}
}

// The challenge is domain-separated from the statement's own hash.
func TestAssertionChallenge(t *testing.T) {
	pae := PAE(PayloadType, []byte("{}"))
	if AssertionChallenge(pae) != sha256.Sum256([]byte("menshen-sign-v1DSSEv1 28 application/vnd.in-toto+json 2 {}")) {
		t.Error("not SHA-256(menshen-sign-v1 ‖ PAE)")
	}
}

// FuzzAssertion signs whatever the browser is said to have sent: nothing panics, and what passes says
// in exact names that it is for this statement and from one of our origins.
func FuzzAssertion(f *testing.F) {
	priv := newKey(f, elliptic.P256())
	key := passkeyOf(&priv.PublicKey)
	payload, err := lansNote().Payload(key)
	if err != nil {
		f.Fatal(err)
	}
	h := honest(priv, payload)
	f.Add([]byte(h.client), h.auth)
	f.Add([]byte(`{}`), []byte{})
	f.Fuzz(func(t *testing.T, client, auth []byte) {
		h := &hand{priv: priv, client: string(client), auth: auth, after: func(*Assertion) {}}
		v, err := Verify(seal(t, payload, key, h.assertion(t)), key)
		if (err == nil) != v.OK() {
			t.Fatal("error and OK disagree")
		}
		if !v.OK() {
			return
		}
		var names map[string]any
		if err := json.Unmarshal(client, &names); err != nil {
			t.Fatal(err)
		}
		sum := AssertionChallenge(PAE(PayloadType, payload))
		if names["type"] != "webauthn.get" || names["challenge"] != base64.RawURLEncoding.EncodeToString(sum[:]) ||
			(names["origin"] != origin && names["origin"] != "https://"+site) || names["crossOrigin"] == true || auth[32]&5 != 5 {
			t.Fatalf("accepted %s", client)
		}
	})
}
