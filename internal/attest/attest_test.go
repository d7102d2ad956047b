package attest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

const (
	serial = "00005704LAN0001"
	nonce  = "AAECAwQFBgcICQoLDA0ODw=="
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func p256() *ecdsa.PrivateKey { return onCurve(elliptic.P256()) }

func onCurve(c elliptic.Curve) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// scene is a maker's root, its factory's issuing certificate, and one device that answers. A test
// spoils one thing and plays it.
type scene struct {
	root, mid, leaf *x509.Certificate // templates
	rootKey, midKey crypto.Signer
	deviceKey       *ecdsa.PrivateKey
	midPub, leafPub crypto.PublicKey // what the certificates name; as the keys unless spoilt
	quote           Quote
	chain           func(root, mid, leaf []byte) [][]byte
	proof           func(*X509Proof)
	attestation     func(*Attestation)
	want            func(*Want)
}

func newScene() *scene {
	rootKey, midKey, device := p256(), p256(), p256()
	until := now.AddDate(10, 0, 0)
	ca := func(number int64, name string) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: name},
			NotBefore: now.AddDate(-1, 0, 0), NotAfter: until, BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign}
	}
	return &scene{
		root: ca(1, "Maker A device root"), mid: ca(0xfac, "Maker A factory 2"),
		leaf: &x509.Certificate{SerialNumber: big.NewInt(0xde1), Subject: pkix.Name{CommonName: "N5", SerialNumber: serial},
			NotBefore: now.AddDate(0, -1, 0), NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature},
		rootKey: rootKey, midKey: midKey, deviceKey: device, midPub: midKey.Public(), leafPub: device.Public(),
		quote:       Quote{Nonce: nonce, Serial: serial, Model: "N5 智能终端", Hardware: "N5-1.02", Firmware: "3.1.7", BootState: BootVerified},
		chain:       func(_, mid, leaf []byte) [][]byte { return [][]byte{leaf, mid} },
		proof:       func(*X509Proof) {},
		attestation: func(*Attestation) {},
		want:        func(*Want) {},
	}
}

func certify(t testing.TB, template, parent *x509.Certificate, pub crypto.PublicKey, by crypto.Signer) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, by)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// set makes the attestation and what it is held against.
func (s *scene) set(t testing.TB) (Attestation, Want) {
	t.Helper()
	root := certify(t, s.root, s.root, s.rootKey.Public(), s.rootKey)
	mid := certify(t, s.mid, s.root, s.midPub, s.rootKey)
	leaf := certify(t, s.leaf, s.mid, s.leafPub, s.midKey)
	data, err := QuoteX509(s.deviceKey, s.chain(root, mid, leaf), s.quote)
	if err != nil {
		t.Fatal(err)
	}
	var p X509Proof
	if err := statement.DecodeCanonical(data, &p); err != nil {
		t.Fatal(err)
	}
	s.proof(&p)
	if data, err = statement.Canonical(p); err != nil {
		t.Fatal(err)
	}
	a := Attestation{Challenge: statement.Digest([]byte("challenge")), Purpose: "device", Serial: serial, Format: FormatX509, Proof: base64.StdEncoding.EncodeToString(data)}
	s.attestation(&a)
	w := Want{Nonce: nonce, Serial: serial, Maker: "maker-a", DeviceKey: s.thumbprint(), Now: now,
		Roots:   []Root{{Maker: "maker-b", DER: []byte("not asked")}, {Maker: "maker-a", DER: root}},
		Revoked: Revocations{Number: 7, IssuedAt: statement.At(now.Add(-time.Hour)), NextAt: statement.At(now.Add(time.Hour)), Serials: []string{}, Keys: []string{}}}
	s.want(&w)
	return a, w
}

func (s *scene) thumbprint() string { return statement.KeyOf(&s.deviceKey.PublicKey).Thumbprint() }

func (s *scene) play(t testing.TB) (Verified, error) {
	t.Helper()
	return Verify(s.set(t))
}

func TestADeviceProvesItself(t *testing.T) {
	s := newScene()
	v, err := s.play(t)
	if err != nil {
		t.Fatal(err)
	}
	if !v.OK() || v.Format() != "x509" || v.Maker() != "maker-a" || v.Serial() != serial || v.Key() != s.thumbprint() ||
		v.Model() != "N5 智能终端" || v.Hardware() != "N5-1.02" || v.Firmware() != "3.1.7" || v.BootState() != "verified" || v.Demonstration() {
		t.Errorf("got %+v", v)
	}
	proven, open := []string{NonceAnswered, KeyCertified, SerialCertified, NotRevoked, KeyVouched}, []string{KeyInHardware, SoftwareMeasured, NotRelayed}
	if !slices.Equal(v.Proven(), proven) || !slices.Equal(v.NotProven(), open) {
		t.Errorf("proven %v, not proven %v", v.Proven(), v.NotProven())
	}
	v.Proven()[0], v.NotProven()[0] = "changed", "changed"
	if !slices.Equal(v.Proven(), proven) || !slices.Equal(v.NotProven(), open) {
		t.Error("a reader changed what was proven")
	}
}

func TestTheMakerLeavesItToTheSerial(t *testing.T) {
	s := newScene()
	s.want = func(w *Want) { w.DeviceKey, w.AttestationSerial = "", true }
	v, err := s.play(t)
	if err != nil {
		t.Fatal(err)
	}
	if v.Key() != s.thumbprint() || slices.Contains(v.Proven(), KeyVouched) || !slices.Contains(v.NotProven(), KeyVouched) {
		t.Errorf("key %q, proven %v, not proven %v", v.Key(), v.Proven(), v.NotProven())
	}

	// The first attestation fixes the key for the visit: another genuine device with the same serial
	// does not pass the second.
	first := v.Key()
	s = newScene()
	s.want = func(w *Want) { w.DeviceKey, w.AttestationSerial = first, true }
	if _, err := s.play(t); fault.CodeOf(err) != "attest_other_key" {
		t.Errorf("got %v", err)
	}
}

func TestADemonstrationSaysSo(t *testing.T) {
	s := newScene()
	s.want = func(w *Want) { w.Roots[1].Demonstration = true }
	v, err := s.play(t)
	if err != nil {
		t.Fatal(err)
	}
	if !v.Demonstration() || !slices.Contains(v.NotProven(), DeviceReal) {
		t.Errorf("demonstration %v, not proven %v", v.Demonstration(), v.NotProven())
	}
	// A root that is also listed as a real one is still a demonstration.
	s.want = func(w *Want) { w.Roots = append(w.Roots, Root{"maker-a", w.Roots[1].DER, true}) }
	if v, err = s.play(t); err != nil || !v.Demonstration() {
		t.Errorf("listed twice: demonstration %v, %v", v.Demonstration(), err)
	}
}

func TestTheZeroValueRefuses(t *testing.T) {
	var v Verified
	if v.OK() || v.Format() != "" || v.Maker() != "" || v.Serial() != "" || v.Key() != "" || v.Model() != "" || v.Hardware() != "" ||
		v.Firmware() != "" || v.BootState() != "" || len(v.Proven()) != 0 || len(v.NotProven()) != 0 {
		t.Errorf("the zero value says something: %+v", v)
	}
	a, w := newScene().set(t)
	if _, err := Verify(Attestation{}, w); fault.CodeOf(err) != "attest_malformed" {
		t.Errorf("the zero attestation: %v", err)
	}
	if _, err := Verify(a, Want{}); fault.CodeOf(err) != "attest_nonce_malformed" {
		t.Errorf("the zero question: %v", err)
	}
	if err := (Revocations{}).Check(now); fault.CodeOf(err) != "attest_revocation_stale" {
		t.Errorf("the zero revocation list: %v", err)
	}
}

// What the statement and the question must say before any proof is looked at.
func TestVerifyRefusesBeforeTheProof(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*Attestation, *Want)
		want  string
		where string
	}{
		{"challenge is no digest", func(a *Attestation, _ *Want) { a.Challenge = "c1" }, "attest_malformed", "challenge"},
		{"no purpose", func(a *Attestation, _ *Want) { a.Purpose = "" }, "attest_malformed", "purpose"},
		{"no serial", func(a *Attestation, _ *Want) { a.Serial = "" }, "attest_malformed", "serial"},
		{"no format", func(a *Attestation, _ *Want) { a.Format = "" }, "attest_malformed", "format"},
		{"no proof", func(a *Attestation, _ *Want) { a.Proof = "" }, "attest_malformed", "proof"},
		{"unknown format", func(a *Attestation, _ *Want) { a.Format = "X509" }, "attest_format_unknown", ""},
		{"statement about another device", func(a *Attestation, _ *Want) { a.Serial = "other" }, "attest_serial_differs", ""},
		{"no nonce asked", func(_ *Attestation, w *Want) { w.Nonce = "" }, "attest_nonce_malformed", ""},
		{"short nonce asked", func(_ *Attestation, w *Want) { w.Nonce = "AAEC" }, "attest_nonce_malformed", ""},
		{"nonce asked in base64url", func(_ *Attestation, w *Want) { w.Nonce = "__ECAwQFBgcICQoLDA0ODw==" }, "attest_nonce_malformed", ""},
		{"no serial asked", func(_ *Attestation, w *Want) { w.Serial = "" }, "attest_question_incomplete", "serial"},
		{"no maker asked", func(_ *Attestation, w *Want) { w.Maker = "" }, "attest_question_incomplete", "maker"},
		{"no time given", func(_ *Attestation, w *Want) { w.Now = time.Time{} }, "attest_question_incomplete", "now"},
		{"neither key nor serial attestation", func(_ *Attestation, w *Want) { w.DeviceKey = "" }, "attest_key_unnamed", ""},
		{"another key vouched for", func(_ *Attestation, w *Want) { w.DeviceKey = statement.KeyOf(&p256().PublicKey).Thumbprint() }, "attest_other_key", ""},
		{"revocation list of yesterday", func(_ *Attestation, w *Want) { w.Revoked.NextAt = statement.At(now) }, "attest_revocation_stale", ""},
		{"revocation list missing", func(_ *Attestation, w *Want) { w.Revoked = Revocations{} }, "attest_revocation_stale", ""},
		{"revocation list fresh for ever", func(_ *Attestation, w *Want) { w.Revoked.NextAt = "9999-12-31T23:59:59Z" }, "attest_revocation_span", ""},
		{"revocation list not dated", func(_ *Attestation, w *Want) { w.Revoked.IssuedAt = "" }, "attest_revocation_malformed", ""},
		{"revocation list without a next date", func(_ *Attestation, w *Want) { w.Revoked.NextAt = "" }, "attest_revocation_malformed", ""},
		{"revocation list without a number", func(_ *Attestation, w *Want) { w.Revoked.Number = 0 }, "attest_revocation_malformed", ""},
		{"revocation list with a number only", func(_ *Attestation, w *Want) { w.Revoked = Revocations{Number: 7} }, "attest_revocation_malformed", ""},
		{"revocation list with an issue date only", func(_ *Attestation, w *Want) { w.Revoked = Revocations{IssuedAt: w.Revoked.IssuedAt} }, "attest_revocation_malformed", ""},
		{"revocation list with a next date only", func(_ *Attestation, w *Want) { w.Revoked = Revocations{NextAt: w.Revoked.NextAt} }, "attest_revocation_malformed", ""},
		{"revoked number in upper case", func(_ *Attestation, w *Want) { w.Revoked.Serials = []string{"DE1"} }, "attest_revocation_malformed", ""},
		{"revoked number with a leading zero", func(_ *Attestation, w *Want) { w.Revoked.Serials = []string{"0de1"} }, "attest_revocation_malformed", ""},
		{"revoked number empty", func(_ *Attestation, w *Want) { w.Revoked.Serials = []string{""} }, "attest_revocation_malformed", ""},
		{"revoked number too long", func(_ *Attestation, w *Want) { w.Revoked.Serials = []string{statement.Digest(nil)} }, "attest_revocation_malformed", ""},
		{"revoked key is no digest", func(_ *Attestation, w *Want) { w.Revoked.Keys = []string{"abc"} }, "attest_revocation_malformed", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, w := newScene().set(t)
			test.spoil(&a, &w)
			refused(t, test.want, test.where)(Verify(a, w))
		})
	}
}

func refused(t *testing.T, code, where string) func(Verified, error) {
	return func(v Verified, err error) {
		t.Helper()
		if got := fault.CodeOf(err); got != code {
			t.Fatalf("got %v, want %s", err, code)
		}
		if got := fault.Of(err).Where; got != where {
			t.Errorf("place %q, want %q", got, where)
		}
		if v.OK() || v.Key() != "" || len(v.Proven()) != 0 {
			t.Error("a refused proof left something behind")
		}
	}
}

func TestAListIsInForceFromItsIssueUntilItsNextDate(t *testing.T) {
	r := Revocations{Number: 1, IssuedAt: statement.At(now), NextAt: statement.At(now.Add(maxRevocationSpan)), Serials: []string{"0"}}
	last := now.Add(maxRevocationSpan - time.Second)
	if r.Check(now) != nil || r.Check(last) != nil {
		t.Errorf("at issue: %v; last second: %v", r.Check(now), r.Check(last))
	}
	r.NextAt = statement.At(now.Add(maxRevocationSpan + time.Second))
	if err := r.Check(now); fault.CodeOf(err) != "attest_revocation_span" {
		t.Errorf("a second longer: %v", err)
	}
}
