package attest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"pgregory.net/rapid"
)

func b64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

func sized(bits int) *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return &rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 65537}
}

func edwards() crypto.PublicKey {
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return pub
}

var strange = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}

// twoSerials is a subject that shows a reader of the first serial one device and of the last another.
func twoSerials() pkix.Name {
	return pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{{Type: oidSerialNumber, Value: "other"}, {Type: oidSerialNumber, Value: serial}}}
}

// Every rule about certificates, by the one thing that breaks it.
func TestChainRefuses(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*scene)
		want  string
		where string
	}{
		{"no certificate", func(s *scene) { s.chain = func(_, _, _ []byte) [][]byte { return [][]byte{} } }, "attest_chain_length", ""},
		{"six certificates", func(s *scene) {
			s.chain = func(_, m, l []byte) [][]byte { return [][]byte{l, m, m, m, m, m} }
		}, "attest_chain_length", ""},
		{"certificate not in base64", func(s *scene) { s.proof = func(p *X509Proof) { p.Chain[1] = "*" } }, "base64_malformed", "chain"},
		{"certificate is no DER", func(s *scene) { s.proof = func(p *X509Proof) { p.Chain[0] = b64([]byte("hello")) } }, "attest_certificate_malformed", ""},
		{"bytes after the certificate", func(s *scene) {
			s.chain = func(_, m, l []byte) [][]byte { return [][]byte{append(l, 0), m} }
		}, "attest_certificate_malformed", ""},
		{"device with an unknown critical extension", func(s *scene) { s.leaf.ExtraExtensions = strange }, "attest_extension_unknown", ""},
		{"factory with an unknown critical extension", func(s *scene) { s.mid.ExtraExtensions = strange }, "attest_extension_unknown", ""},
		{"issuer without CA bit", func(s *scene) { s.mid.IsCA = false }, "attest_issuer_not_ca", ""},
		{"issuer without basic constraints", func(s *scene) { s.mid.IsCA, s.mid.BasicConstraintsValid = false, false }, "attest_issuer_not_ca", ""},
		{"issuer not allowed to certify", func(s *scene) { s.mid.KeyUsage = x509.KeyUsageDigitalSignature }, "attest_issuer_not_ca", ""},
		{"another device as issuer", func(s *scene) {
			s.chain = func(_, _, l []byte) [][]byte { return [][]byte{l, l} }
		}, "attest_issuer_not_ca", ""},
		{"issuer with RSA 1024", func(s *scene) { s.midPub = sized(1024) }, "attest_issuer_key", ""},
		{"issuer with RSA 2047", func(s *scene) { s.midPub = sized(2047) }, "attest_issuer_key", ""},
		{"issuer with RSA 8193", func(s *scene) { s.midPub = sized(8193) }, "attest_issuer_key", ""},
		{"issuer on P-224", func(s *scene) { s.midPub = onCurve(elliptic.P224()).Public() }, "attest_issuer_key", ""},
		{"issuer with Ed25519", func(s *scene) { s.midPub = edwards() }, "attest_issuer_key", ""},
		{"device that may certify", func(s *scene) { s.leaf.BasicConstraintsValid, s.leaf.IsCA = true, true }, "attest_leaf_ca", ""},
		{"device on P-384", func(s *scene) { s.leafPub = onCurve(elliptic.P384()).Public() }, "attest_leaf_key", ""},
		{"device with RSA", func(s *scene) { s.leafPub = sized(2048) }, "attest_leaf_key", ""},
		{"device key that may not sign", func(s *scene) { s.leaf.KeyUsage = x509.KeyUsageKeyAgreement }, "attest_leaf_usage", ""},
		{"device without serial", func(s *scene) { s.leaf.Subject.SerialNumber = "" }, "attest_serial_differs", "certificate"},
		{"device with another serial", func(s *scene) { s.leaf.Subject.SerialNumber = "other" }, "attest_serial_differs", "certificate"},
		{"serial in the common name only", func(s *scene) { s.leaf.Subject = pkix.Name{CommonName: serial} }, "attest_serial_differs", "certificate"},
		{"device with two serials", func(s *scene) { s.leaf.Subject = twoSerials() }, "attest_serial_differs", "certificate"},
		{"serial in letters of another case", func(s *scene) { s.leaf.Subject.SerialNumber = strings.ToLower(serial) }, "attest_serial_differs", "certificate"},
		{"issuer of another name", func(s *scene) {
			s.chain = func(r, m, l []byte) [][]byte { return [][]byte{l, r} }
		}, "attest_chain", ""},
		{"issuer of that name with another key", func(s *scene) { s.midPub = p256().Public() }, "attest_chain", ""},
		{"issuer of that key with another name", func(s *scene) {
			s.chain = func(_, _, l []byte) [][]byte {
				renamed := *s.mid
				renamed.Subject.CommonName = "Maker A factory 3"
				m, err := x509.CreateCertificate(rand.Reader, &renamed, s.root, s.midPub, s.rootKey)
				if err != nil {
					panic(err)
				}
				return [][]byte{l, m}
			}
		}, "attest_chain", ""},
		{"device's certificate changed after signing", func(s *scene) {
			s.chain = func(_, m, l []byte) [][]byte { l[len(l)-1] ^= 1; return [][]byte{l, m} }
		}, "attest_chain", ""},
		{"name outside the factory's constraint", func(s *scene) {
			s.mid.PermittedDNSDomains, s.mid.PermittedDNSDomainsCritical = []string{"maker-a.example"}, true
			s.leaf.DNSNames = []string{"n5.evil.example"}
		}, "attest_chain", ""},
		{"factory left out", func(s *scene) {
			s.chain = func(_, _, l []byte) [][]byte { return [][]byte{l} }
		}, "attest_root_unknown", ""},
		{"root of another maker", func(s *scene) { s.want = func(w *Want) { w.Roots[1].Maker = "maker-c" } }, "attest_root_unknown", ""},
		{"root of the same name, another key", func(s *scene) {
			other := p256()
			s.want = func(w *Want) {
				w.Roots[1].DER, _ = x509.CreateCertificate(rand.Reader, s.root, s.root, other.Public(), other)
			}
		}, "attest_root_unknown", ""},
		{"no roots, and never the machine's", func(s *scene) { s.want = func(w *Want) { w.Roots = nil } }, "attest_root_unknown", ""},
		{"root unreadable", func(s *scene) { s.want = func(w *Want) { w.Roots[1].DER = []byte("x") } }, "attest_root_malformed", ""},
		{"root that may not certify", func(s *scene) { s.root.KeyUsage = x509.KeyUsageCRLSign }, "attest_root_malformed", ""},
		{"root with an unknown critical extension", func(s *scene) { s.root.ExtraExtensions = strange }, "attest_root_malformed", ""},
		{"root sent along", func(s *scene) {
			s.chain = func(r, m, l []byte) [][]byte { return [][]byte{l, m, r} }
		}, "attest_chain_spare", ""},
		{"device expired", func(s *scene) { s.leaf.NotAfter = now.AddDate(0, 0, -1) }, "attest_certificate_expired", ""},
		{"device of tomorrow", func(s *scene) { s.leaf.NotBefore = now.AddDate(0, 0, 1) }, "attest_certificate_expired", ""},
		{"factory expired", func(s *scene) { s.mid.NotAfter = now.AddDate(0, 0, -1) }, "attest_certificate_expired", ""},
		{"root expired", func(s *scene) { s.root.NotAfter = now.AddDate(0, 0, -1) }, "attest_certificate_expired", ""},
		{"root allows no factory between", func(s *scene) { s.root.MaxPathLenZero = true }, "attest_path_length", ""},
		{"device revoked by number", revoke("de1", nil), "attest_revoked", ""},
		{"factory revoked by number", revoke("fac", nil), "attest_revoked", ""},
		{"root revoked by number", revoke("1", nil), "attest_revoked", ""},
		{"device's key revoked", revoke("0", func(s *scene) crypto.PublicKey { return s.leafPub }), "attest_revoked", ""},
		{"root's key revoked", revoke("0", func(s *scene) crypto.PublicKey { return s.rootKey.Public() }), "attest_revoked", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newScene()
			test.spoil(s)
			refused(t, test.want, test.where)(s.play(t))
		})
	}
}

func revoke(number string, key func(*scene) crypto.PublicKey) func(*scene) {
	return func(s *scene) {
		s.want = func(w *Want) {
			w.Revoked.Serials = []string{"a1", number}
			if key != nil {
				spki, err := x509.MarshalPKIXPublicKey(key(s))
				if err != nil {
					panic(err)
				}
				w.Revoked.Keys = []string{statement.Digest(nil), statement.Digest(spki)}
			}
		}
	}
}

// The kinds of chain that real makers have.
func TestChainAccepts(t *testing.T) {
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		make func(*scene)
	}{
		{"root with RSA 2048", func(s *scene) { s.rootKey = large }},
		{"factory on P-384", func(s *scene) { k := onCurve(elliptic.P384()); s.midKey, s.midPub = k, k.Public() }},
		{"root signs the device itself", func(s *scene) {
			s.mid, s.midKey, s.midPub = s.root, s.rootKey, s.rootKey.Public()
			s.chain = func(_, _, l []byte) [][]byte { return [][]byte{l} }
		}},
		{"device certificate without key usage", func(s *scene) { s.leaf.KeyUsage = 0 }},
		{"another certificate revoked", revoke("de", nil)},
		{"unlocked device: the gate decides", func(s *scene) { s.quote.BootState = BootUnlocked }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newScene()
			test.make(s)
			v, err := s.play(t)
			if err != nil || v.BootState() != s.quote.BootState {
				t.Errorf("boot state %q, %v", v.BootState(), err)
			}
		})
	}
}

func TestQuoteRefuses(t *testing.T) {
	resign := func(s *scene, change func(quote []byte) []byte) {
		s.proof = func(p *X509Proof) {
			quote, _ := statement.Base64(p.Quote)
			quote = change(quote)
			sig, err := statement.SignES256(s.deviceKey, QuoteMessage(quote))
			if err != nil {
				panic(err)
			}
			p.Quote, p.Signature = b64(quote), b64(sig)
		}
	}
	tests := []struct {
		name  string
		spoil func(*scene)
		want  string
		where string
	}{
		{"replayed: another nonce", func(s *scene) { s.quote.Nonce = "//8CAwQFBgcICQoLDA0ODw==" }, "attest_nonce_differs", ""},
		{"no nonce", func(s *scene) { s.quote.Nonce = "" }, "attest_nonce_differs", ""},
		{"another serial", func(s *scene) { s.quote.Serial = "other" }, "attest_serial_differs", "quote"},
		{"no model", func(s *scene) { s.quote.Model = "" }, "attest_quote_malformed", ""},
		{"hardware with a line break", func(s *scene) { s.quote.Hardware = "a\nb" }, "attest_quote_malformed", ""},
		{"firmware too long", func(s *scene) { s.quote.Firmware = strings.Repeat("1", 101) }, "attest_quote_malformed", ""},
		{"unknown boot state", func(s *scene) { s.quote.BootState = "fine" }, "attest_boot_state", ""},
		{"no boot state", func(s *scene) { s.quote.BootState = "" }, "attest_boot_state", ""},
		{"signed by another key", func(s *scene) { s.leafPub = p256().Public() }, "attest_signature", ""},
		{"changed after signing", func(s *scene) {
			s.proof = func(p *X509Proof) {
				quote, _ := statement.Base64(p.Quote)
				p.Quote = b64([]byte(strings.Replace(string(quote), "3.1.7", "3.1.8", 1)))
			}
		}, "attest_signature", ""},
		{"signed for another purpose", func(s *scene) {
			s.proof = func(p *X509Proof) {
				quote, _ := statement.Base64(p.Quote)
				sig, _ := statement.SignES256(s.deviceKey, quote)
				p.Signature = b64(sig)
			}
		}, "attest_signature", ""},
		{"signature cut short", func(s *scene) { s.proof = func(p *X509Proof) { p.Signature = "AAAA" } }, "attest_signature_malformed", ""},
		{"signature not in base64", func(s *scene) { s.proof = func(p *X509Proof) { p.Signature = "*" } }, "base64_malformed", "proof"},
		{"quote not in base64", func(s *scene) { s.proof = func(p *X509Proof) { p.Quote = "*" } }, "base64_malformed", "proof"},
		{"quote with a space", func(s *scene) {
			resign(s, func(q []byte) []byte { return append(q, ' ') })
		}, "json_not_canonical", "quote"},
		{"quote with a name twice", func(s *scene) {
			resign(s, func(q []byte) []byte {
				return []byte(strings.Replace(string(q), `"serial"`, `"serial":"x","serial"`, 1))
			})
		}, "json_duplicate_name", "quote: serial"},
		{"proof not in base64", func(s *scene) { s.attestation = func(a *Attestation) { a.Proof = "*" } }, "base64_malformed", "proof"},
		{"proof is no JSON", func(s *scene) { s.attestation = func(a *Attestation) { a.Proof = b64([]byte("x")) } }, "json_syntax", "proof"},
		{"proof too large", func(s *scene) {
			s.attestation = func(a *Attestation) { a.Proof = b64(make([]byte, maxProofBytes+1)) }
		}, "json_too_large", "proof"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newScene()
			test.spoil(s)
			refused(t, test.want, test.where)(s.play(t))
		})
	}
}

func TestAUnusableKeyMakesNoQuote(t *testing.T) {
	//lint:ignore SA1019 a key that cannot sign is made on purpose
	broken := &ecdsa.PrivateKey{PublicKey: p256().PublicKey, D: new(big.Int)}
	if _, err := QuoteX509(broken, nil, Quote{}); fault.CodeOf(err) != "signature_wrong" {
		t.Errorf("got %v", err)
	}
}

// Whatever the device honestly says of itself comes out as it said it.
func TestQuoteRoundTrip(t *testing.T) {
	s := newScene()
	text := rapid.StringMatching(`[A-Za-z0-9 ._终端-]{1,20}`)
	rapid.Check(t, func(r *rapid.T) {
		s.quote = Quote{Nonce: nonce, Serial: serial, Model: text.Draw(r, "model"), Hardware: text.Draw(r, "hardware"), Firmware: text.Draw(r, "firmware"),
			BootState: rapid.SampledFrom([]string{BootVerified, BootSelfSigned, BootUnlocked, BootFailed}).Draw(r, "boot")}
		v, err := s.play(t)
		if err != nil || v.Model() != s.quote.Model || v.Hardware() != s.quote.Hardware || v.Firmware() != s.quote.Firmware || v.BootState() != s.quote.BootState {
			r.Fatalf("said %+v, got %+v, %v", s.quote, v, err)
		}
	})
}

// FuzzProof feeds proof bytes: nothing panics, and nothing passes but what this device signed.
func TestWhatAnUnprovenAnswerClaims(t *testing.T) {
	quote := func(q string) string {
		return b64([]byte(`{"chain":[],"quote":"` + b64([]byte(q)) + `","signature":""}`))
	}
	whole := `{"nonce":"n","serial":"s","model":"m","hardware":"h","firmware":"5.3.1","boot_state":"verified"}`
	for name, c := range map[string]struct {
		a    Attestation
		want string
	}{
		"a firmware":         {Attestation{Format: FormatX509, Proof: quote(whole)}, "5.3.1"},
		"of another format":  {Attestation{Format: "other", Proof: quote(whole)}, ""},
		"no base64":          {Attestation{Format: FormatX509, Proof: "-"}, ""},
		"no proof":           {Attestation{Format: FormatX509, Proof: b64([]byte("{"))}, ""},
		"no quote":           {Attestation{Format: FormatX509, Proof: quote("{")}, ""},
		"a quote not base64": {Attestation{Format: FormatX509, Proof: b64([]byte(`{"chain":[],"quote":"-","signature":""}`))}, ""},
	} {
		if got := ClaimedFirmware(c.a); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func FuzzProof(f *testing.F) {
	a, want := newScene().set(f)
	honest, _ := statement.Base64(a.Proof)
	var p X509Proof
	if err := statement.DecodeCanonical(honest, &p); err != nil {
		f.Fatal(err)
	}
	f.Add(honest)
	f.Add([]byte(`{"chain":[],"quote":"","signature":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a.Proof = b64(data)
		v, err := Verify(a, want)
		if (err == nil) != v.OK() {
			t.Fatal("error and OK disagree")
		}
		var got X509Proof
		if v.OK() && (statement.DecodeCanonical(data, &got) != nil || got.Quote != p.Quote) {
			t.Fatal("accepted a quote that the device never made")
		}
	})
}

// FuzzQuote signs whatever bytes it is given with the device's key: nothing panics, and what passes
// answers this nonce for this serial.
func FuzzQuote(f *testing.F) {
	s := newScene()
	a, want := s.set(f)
	honest, _ := statement.Base64(a.Proof)
	var p X509Proof
	if err := statement.DecodeCanonical(honest, &p); err != nil {
		f.Fatal(err)
	}
	quote, _ := statement.Base64(p.Quote)
	f.Add(quote)
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, quote []byte) {
		sig, err := statement.SignES256(s.deviceKey, QuoteMessage(quote))
		if err != nil {
			t.Fatal(err)
		}
		p.Quote, p.Signature = b64(quote), b64(sig)
		data, err := statement.Canonical(p)
		if err != nil {
			t.Fatal(err)
		}
		a.Proof = b64(data)
		v, err := Verify(a, want)
		if (err == nil) != v.OK() {
			t.Fatal("error and OK disagree")
		}
		var q Quote
		if v.OK() && (statement.DecodeCanonical(quote, &q) != nil || q.Nonce != nonce || q.Serial != serial) {
			t.Fatal("accepted a quote for another question")
		}
	})
}
