package attest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"slices"
	"unicode"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// Bounds on an X.509 proof.
const (
	maxProofBytes = 32 << 10
	maxChain      = 5   // device certificate and issuers, root not counted
	maxText       = 100 // bytes of a name in a quote
)

// quoteDomain keeps a quote apart from everything else that a device's key signs.
const quoteDomain = "menshen-device-quote-v1"

var (
	errChainLength = fault.New(fault.Refused, "attest_chain_length", "设备证书链是空的或者太长。", "The device's certificate chain is empty or too long.")
	errCertificate = fault.New(fault.Invalid, "attest_certificate_malformed", "设备证书的格式不对。", "A certificate of the device's chain is malformed.")
	errLeafCA      = fault.New(fault.Refused, "attest_leaf_ca", "设备证书自己也能签发证书，不能接受。", "The device's certificate may issue certificates; that is not a device.")
	errLeafKey     = fault.New(fault.Refused, "attest_leaf_key", "设备密钥不是 P-256。", "The device's key is not on P-256.")
	errLeafUsage   = fault.New(fault.Refused, "attest_leaf_usage", "设备证书不允许用来签名。", "The device's certificate does not allow its key to sign.")
	errIssuer      = fault.New(fault.Refused, "attest_issuer_not_ca", "设备证书的上级没有签发权。", "A certificate above the device's may not issue certificates.")
	errIssuerKey   = fault.New(fault.Refused, "attest_issuer_key", "设备证书上级的密钥太弱或不认识。", "A certificate above the device's has a weak or unknown kind of key.")
	errExtension   = fault.New(fault.Refused, "attest_extension_unknown", "设备证书里有不认识的关键扩展。", "A certificate has a critical extension that is not known here.")
	errChain       = fault.New(fault.Refused, "attest_chain", "设备证书链对不上。", "The device's certificates do not form a chain.")
	errChainSpare  = fault.New(fault.Refused, "attest_chain_spare", "设备证书链里有多余的证书。", "The chain holds a certificate that is not needed, such as the root itself.")
	errExpired     = fault.New(fault.Refused, "attest_certificate_expired", "设备证书链里有证书不在有效期内。", "A certificate of the device's chain is not valid at this time.")
	errPathLength  = fault.New(fault.Refused, "attest_path_length", "设备证书链比上级证书允许的长。", "The chain is longer than a certificate in it allows.")
	errRoot        = fault.New(fault.Refused, "attest_root_unknown", "设备证书不是由信任文件里这个厂家的根证书签发的。", "The chain does not end at one of this maker's roots in the trust file.")
	errRootShape   = fault.New(fault.Refused, "attest_root_malformed", "信任文件里厂家的根证书不能用。", "A root of this maker in the trust file cannot be used.")
)

// X509Proof is the proof of FormatX509, as canonical JSON.
type X509Proof struct {
	Chain     []string `json:"chain"`     // base64 DER: the device's certificate, then each issuer; without the root
	Quote     string   `json:"quote"`     // base64 of the canonical JSON of Quote
	Signature string   `json:"signature"` // base64, 64 bytes r‖s, over QuoteMessage
}

// Quote is what the device says, signed with its key.
type Quote struct {
	Nonce     string `json:"nonce"` // as in the challenge
	Serial    string `json:"serial"`
	Model     string `json:"model"`
	Hardware  string `json:"hardware"`
	Firmware  string `json:"firmware"`
	BootState string `json:"boot_state"`
}

// ClaimedFirmware is what an answer says its firmware is, before anybody proved the answer; "" for one that
// cannot be read.
func ClaimedFirmware(a Attestation) string {
	proof, err := statement.Base64(a.Proof)
	var p X509Proof
	var q Quote
	if err != nil || a.Format != FormatX509 || statement.Decode(proof, &p) != nil {
		return ""
	}
	if raw, err := statement.Base64(p.Quote); err != nil || statement.Decode(raw, &q) != nil {
		return ""
	}
	return q.Firmware
}

// QuoteMessage is what the device's key signs: "menshen-device-quote-v1" ‖ the quote's bytes.
func QuoteMessage(quote []byte) []byte { return append([]byte(quoteDomain), quote...) }

// QuoteX509 makes a proof with a device's own key: what a device library, or a simulated device, does.
// chain is DER, the device's certificate first, without the root.
func QuoteX509(priv *ecdsa.PrivateKey, chain [][]byte, q Quote) ([]byte, error) {
	quote, errQ := statement.Canonical(q)
	sig, errS := statement.SignES256(priv, QuoteMessage(quote))
	if err := errors.Join(errQ, errS); err != nil {
		return nil, err
	}
	p := X509Proof{Chain: make([]string, len(chain)), Quote: base64.StdEncoding.EncodeToString(quote),
		Signature: base64.StdEncoding.EncodeToString(sig)}
	for i, der := range chain {
		p.Chain[i] = base64.StdEncoding.EncodeToString(der)
	}
	return statement.Canonical(p)
}

func verifyX509(proof string, want Want) (Verified, error) {
	var p X509Proof
	raw, err := statement.Base64(proof)
	if err != nil {
		return Verified{}, fault.At(err, "proof")
	}
	if err := statement.DecodeCanonicalWithin(raw, &p, maxProofBytes); err != nil {
		return Verified{}, fault.At(err, "proof")
	}
	certs, err := parseChain(p.Chain)
	if err != nil {
		return Verified{}, err
	}
	pub, err := checkLeaf(certs[0], want.Serial)
	if err != nil {
		return Verified{}, err
	}
	demonstration, err := checkChain(certs, want)
	if err != nil {
		return Verified{}, err
	}
	quote, err := readQuote(p, pub, want)
	if err != nil {
		return Verified{}, err
	}
	v := Verified{format: FormatX509, maker: want.Maker, serial: want.Serial, key: statement.KeyOf(pub).Thumbprint(),
		quote: quote, demonstration: demonstration, ok: true}
	if want.DeviceKey != "" && v.key != want.DeviceKey {
		return Verified{}, errOtherKey
	}
	v.proven, v.notProven = shownByX509(want.DeviceKey != "", demonstration)
	return v, nil
}

// shownByX509 sorts what this format can and cannot show. The certificate does not say where the key
// is kept, and the quote is only as honest as the software that made it.
func shownByX509(keyVouched, demonstration bool) (proven, not []string) {
	proven = []string{NonceAnswered, KeyCertified, SerialCertified, NotRevoked}
	not = []string{KeyInHardware, SoftwareMeasured, NotRelayed}
	if keyVouched {
		proven = append(proven, KeyVouched)
	} else {
		not = append(not, KeyVouched)
	}
	if demonstration {
		not = append(not, DeviceReal)
	}
	return proven, not
}

func parseChain(chain []string) ([]*x509.Certificate, error) {
	if len(chain) == 0 || len(chain) > maxChain {
		return nil, errChainLength
	}
	certs := make([]*x509.Certificate, len(chain))
	for i, text := range chain {
		der, err := statement.Base64(text)
		if err != nil {
			return nil, fault.At(err, "chain")
		}
		if certs[i], err = x509.ParseCertificate(der); err != nil {
			return nil, errCertificate.Because(err)
		}
		if len(certs[i].UnhandledCriticalExtensions) > 0 { // RFC 5280 §4.2: MUST reject
			return nil, errExtension
		}
	}
	for _, issuer := range certs[1:] {
		if err := checkIssuer(issuer); err != nil {
			return nil, err
		}
	}
	return certs, nil
}

// checkIssuer holds every certificate above the device's to RFC 5280 §4.2.1.9 and §4.2.1.3: the CA bit
// and the right to sign certificates; verifiers that skipped the CA bit took forged devices.
func checkIssuer(c *x509.Certificate) error {
	if !c.IsCA || c.KeyUsage&x509.KeyUsageCertSign == 0 {
		return errIssuer
	}
	switch key := c.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() && key.Curve != elliptic.P384() {
			return errIssuerKey
		}
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < 2048 || bits > 8192 {
			return errIssuerKey
		}
	default:
		return errIssuerKey
	}
	return nil
}

var oidSerialNumber = asn1.ObjectIdentifier{2, 5, 4, 5} // X.520 serialNumber

func checkLeaf(leaf *x509.Certificate, serial string) (*ecdsa.PublicKey, error) {
	if leaf.IsCA {
		return nil, errLeafCA
	}
	pub, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || pub.Curve != elliptic.P256() {
		return nil, errLeafKey
	}
	// RFC 5280 §4.2.1.3: absent means unrestricted.
	if leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return nil, errLeafUsage
	}
	var serials []any
	for _, name := range leaf.Subject.Names {
		if name.Type.Equal(oidSerialNumber) {
			serials = append(serials, name.Value)
		}
	}
	if len(serials) != 1 || serials[0] != serial {
		return nil, errSerial.At("certificate")
	}
	return pub, nil
}

// checkChain follows the device's certificates, in the order they came, to a root of its maker, and
// holds all of them against the revocation list. It says whether the root is for demonstrations.
func checkChain(certs []*x509.Certificate, want Want) (demonstration bool, err error) {
	for i, c := range certs[:len(certs)-1] {
		above := certs[i+1]
		if !bytes.Equal(c.RawIssuer, above.RawSubject) {
			return false, errChain
		}
		if err := c.CheckSignatureFrom(above); err != nil {
			return false, errChain.Because(err)
		}
	}
	roots, err := rootsOf(want.Maker, want.Roots)
	if err != nil {
		return false, err
	}
	// An empty pool is still a pool: crypto/x509 takes the machine's roots only for a nil one.
	opts := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: want.Now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	for _, r := range roots {
		opts.Roots.AddCert(r.cert)
	}
	for _, c := range certs[1:] {
		opts.Intermediates.AddCert(c)
	}
	chains, err := certs[0].Verify(opts)
	if err != nil {
		return false, chainFault(err)
	}
	// Only chains that use the certificates exactly as they came; a spare one refuses.
	chains = slices.DeleteFunc(chains, func(found []*x509.Certificate) bool {
		return !slices.EqualFunc(found[:len(found)-1], certs, (*x509.Certificate).Equal)
	})
	if len(chains) == 0 {
		return false, errChainSpare
	}
	for _, found := range chains {
		if want.Revoked.covers(found) {
			return false, errRevoked
		}
		demonstration = demonstration || forDemonstration(roots, found[len(found)-1])
	}
	return demonstration, nil
}

func chainFault(err error) error {
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		return errRoot.Because(err)
	}
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) {
		switch invalid.Reason {
		case x509.Expired:
			return errExpired.Because(err)
		case x509.TooManyIntermediates:
			return errPathLength.Because(err)
		}
	}
	return errChain.Because(err)
}

type root struct {
	cert          *x509.Certificate
	demonstration bool
}

// rootsOf reads a maker's roots. One that cannot be used refuses: the trust file is not to be guessed.
func rootsOf(maker string, all []Root) ([]root, error) {
	var out []root
	for _, r := range all {
		if r.Maker != maker {
			continue
		}
		cert, err := x509.ParseCertificate(r.DER)
		if err != nil {
			return nil, errRootShape.Because(err)
		}
		if err := checkIssuer(cert); err != nil {
			return nil, errRootShape.Because(err)
		}
		if len(cert.UnhandledCriticalExtensions) > 0 {
			return nil, errRootShape.Because(errExtension)
		}
		out = append(out, root{cert, r.Demonstration})
	}
	return out, nil
}

// forDemonstration errs towards "yes" when a root is listed twice.
func forDemonstration(roots []root, end *x509.Certificate) bool {
	return slices.ContainsFunc(roots, func(r root) bool { return r.demonstration && r.cert.Equal(end) })
}

// readQuote checks the device's signature first, and only then reads what it says.
func readQuote(p X509Proof, pub *ecdsa.PublicKey, want Want) (Quote, error) {
	quote, errQ := statement.Base64(p.Quote)
	sig, errS := statement.Base64(p.Signature)
	if err := errors.Join(errQ, errS); err != nil {
		return Quote{}, fault.At(err, "proof")
	}
	if len(sig) != 64 {
		return Quote{}, errSignatureLength
	}
	if !statement.VerifyES256(pub, QuoteMessage(quote), sig) {
		return Quote{}, errSignature
	}
	var q Quote
	if err := statement.DecodeCanonical(quote, &q); err != nil {
		return Quote{}, fault.At(err, "quote")
	}
	switch {
	case q.Nonce != want.Nonce:
		return Quote{}, errNonce
	case q.Serial != want.Serial:
		return Quote{}, errSerial.At("quote")
	case !isText(q.Model) || !isText(q.Hardware) || !isText(q.Firmware):
		return Quote{}, errQuote
	case !slices.Contains([]string{BootVerified, BootSelfSigned, BootUnlocked, BootFailed}, q.BootState):
		return Quote{}, errBootState
	}
	return q, nil
}

func isText(s string) bool {
	if s == "" || len(s) > maxText {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
