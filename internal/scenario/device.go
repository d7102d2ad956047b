package scenario

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"time"

	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/statement"
)

// Foundry is a maker's certificate authority for simulated devices.
type Foundry struct {
	Maker string
	key   *ecdsa.PrivateKey
	root  *x509.Certificate
	DER   []byte
	next  int64
}

// NewFoundry makes a maker's root.
func NewFoundry(maker string, now time.Time) *Foundry {
	f := &Foundry{Maker: maker, key: NewKey(), next: 1000}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "demonstration root " + maker},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(10, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &f.key.PublicKey, f.key)
	if err != nil {
		panic(err)
	}
	f.DER = der
	if f.root, err = x509.ParseCertificate(der); err != nil {
		panic(err)
	}
	return f
}

// Device is a simulated terminal: what it says of itself is signed by a key that, here, is only in
// memory. A real one keeps it in secure hardware.
type Device struct {
	Serial    string
	Model     string
	Hardware  string
	Firmware  string
	BootState string
	Key       *ecdsa.PrivateKey
	Chain     [][]byte
}

// Make makes a device with a certificate that names its serial.
func (f *Foundry) Make(serial string, now time.Time) *Device {
	d := &Device{Serial: serial, Model: "TD20", Hardware: "2.0", Firmware: "5.3.1", BootState: "verified", Key: NewKey()}
	f.next++
	template := &x509.Certificate{SerialNumber: big.NewInt(f.next), Subject: pkix.Name{CommonName: "demonstration device", SerialNumber: serial},
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(5, 0, 0), BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, f.root, &d.Key.PublicKey, f.key)
	if err != nil {
		panic(err)
	}
	d.Chain = [][]byte{der}
	return d
}

// Thumbprint names the device's key.
func (d *Device) Thumbprint() string { return statement.KeyOf(&d.Key.PublicKey).Thumbprint() }

// Public is the device's key.
func (d *Device) Public() statement.Key { return statement.KeyOf(&d.Key.PublicKey) }

// Quote answers a nonce.
func (d *Device) Quote(nonce string) []byte {
	proof, err := attest.QuoteX509(d.Key, d.Chain, attest.Quote{Nonce: nonce, Serial: d.Serial, Model: d.Model,
		Hardware: d.Hardware, Firmware: d.Firmware, BootState: d.BootState})
	if err != nil {
		panic(err)
	}
	return proof
}

// Attestation is the body in which menshen records the device's answer to a challenge.
func (d *Device) Attestation(challengeDigest, purpose, nonce string) attest.Attestation {
	return attest.Attestation{Challenge: challengeDigest, Purpose: purpose, Serial: d.Serial, Format: attest.FormatX509,
		Proof: base64.StdEncoding.EncodeToString(d.Quote(nonce))}
}

// sessionDomain keeps a signature that opens a host session apart from every other use of the
// device's key.
const sessionDomain = "menshen-host-session-v1"

// SessionMessage is what a device signs to open a session with its acquirer's host.
func SessionMessage(serial, nonce string) []byte {
	return []byte(sessionDomain + "\n" + serial + "\n" + nonce + "\n")
}

// collectDomain keeps a signature that collects a load's key apart from one that opens a session.
const collectDomain = "menshen-host-collect-v1"

// CollectMessage is what a device signs, in its session, to collect a load's key by key exchange.
func CollectMessage(serial, nonce string, point []byte) []byte {
	return []byte(collectDomain + "\n" + serial + "\n" + nonce + "\n" + base64.StdEncoding.EncodeToString(point) + "\n")
}

// OpenSession signs a host's nonce.
func (d *Device) OpenSession(nonce string) []byte {
	sig, err := statement.SignES256(d.Key, SessionMessage(d.Serial, nonce))
	if err != nil {
		panic(err)
	}
	return sig
}
