package attest

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// TypeAttestation is the statement by which the platform records a proof it received from a device.
const TypeAttestation = "attestation"

// FormatX509 is a device certificate and a quote signed with its key: classic terminals.
const FormatX509 = "x509"

// Boot states a device can report; which of them are good enough is for the approved listing to say.
const (
	BootVerified   = "verified"    // every stage checked against the maker's key
	BootSelfSigned = "self_signed" // checked against a key that the owner put in
	BootUnlocked   = "unlocked"    // not checked
	BootFailed     = "failed"      // checked, and the check failed
)

// What a proof can show. A name is in Proven or in NotProven, never in both.
const (
	NonceAnswered    = "nonce_answered"    // the key answered this very nonce
	KeyCertified     = "key_certified"     // the maker's root certifies the key
	SerialCertified  = "serial_certified"  // the maker's root certifies the serial with that key
	KeyVouched       = "key_vouched"       // it is the key that custody, or this visit's first attestation, names
	NotRevoked       = "not_revoked"       // neither key nor certificate is on the list used
	KeyInHardware    = "key_in_hardware"   // the key cannot be copied out of the device
	SoftwareMeasured = "software_measured" // software and boot state were measured, not just said
	NotRelayed       = "not_relayed"       // the answer was made by the device on the counter
	DeviceReal       = "device_real"       // not a simulated device under a demonstration root
)

var (
	errForm            = fault.New(fault.Invalid, "attest_malformed", "设备证明的内容不完整。", "The attestation is incomplete or malformed.")
	errFormat          = fault.New(fault.Refused, "attest_format_unknown", "不认识的设备证明格式。", "This format of device proof is not known.")
	errQuestion        = fault.New(fault.Refused, "attest_question_incomplete", "核对设备证明所需的条件没有给全。", "What the proof is to be held against was not given in full.")
	errNonceShape      = fault.New(fault.Refused, "attest_nonce_malformed", "设备随机数的格式不对。", "The challenge's nonce is not 16 bytes in base64.")
	errKeyUnnamed      = fault.New(fault.Refused, "attest_key_unnamed", "厂家既没有写明设备密钥，也没有要求设备证明自己的序列号。", "Neither a device key nor attestation by serial is vouched for.")
	errNonce           = fault.New(fault.Refused, "attest_nonce_differs", "设备回答的不是这一次的随机数。", "The device answered another nonce.")
	errSerial          = fault.New(fault.Refused, "attest_serial_differs", "设备证明里的序列号不是这台设备的。", "The proof is about another serial.")
	errOtherKey        = fault.New(fault.Refused, "attest_other_key", "设备用的不是厂家担保的那把密钥。", "The device's key is not the one that was vouched for.")
	errSignature       = fault.New(fault.Refused, "attest_signature", "设备证明的签名不对。", "The device's signature does not fit its proof.")
	errBootState       = fault.New(fault.Refused, "attest_boot_state", "不认识的启动状态。", "This boot state is not known.")
	errQuote           = fault.New(fault.Invalid, "attest_quote_malformed", "设备证明里的型号、硬件或固件写得不对。", "Model, hardware or firmware in the device's proof is malformed.")
	errSignatureLength = fault.New(fault.Invalid, "attest_signature_malformed", "设备证明的签名格式不对。", "The device's signature is not 64 bytes.")
)

// Attestation is the body of a recorded proof. The platform signs that it received it, not that it is
// right: Verify is asked again at every decision.
type Attestation struct {
	Challenge string `json:"challenge"` // digest of the challenge statement whose nonce it answers
	Purpose   string `json:"purpose"`   // the challenge's purpose
	Serial    string `json:"serial"`
	Format    string `json:"format"`
	Proof     string `json:"proof"` // base64 of the format's canonical JSON
}

// Check looks at the form only.
func (a Attestation) Check() error {
	switch {
	case !statement.IsDigest(a.Challenge):
		return errForm.At("challenge")
	case a.Purpose == "":
		return errForm.At("purpose")
	case a.Serial == "":
		return errForm.At("serial")
	case a.Format == "":
		return errForm.At("format")
	case a.Proof == "":
		return errForm.At("proof")
	}
	return nil
}

// Root is a device root from the trust file: what one maker's devices may chain to.
type Root struct {
	Maker         string // organisation id, as in custody
	DER           []byte // the certificate
	Demonstration bool   // devices under it are simulated
}

// Want is what a proof is held against. Every field is needed; a missing one refuses.
type Want struct {
	Nonce  string // of the challenge statement: base64, 16 bytes
	Serial string
	Maker  string // who made the device, as custody says; other makers' roots are not asked

	// DeviceKey is the thumbprint that the maker vouches for or, where the maker leaves it to the
	// attestation to show the serial, that this visit's first attestation fixed. It may be empty only if
	// AttestationSerial says so.
	DeviceKey         string
	AttestationSerial bool

	Roots   []Root
	Revoked Revocations
	Now     time.Time // the time of the decision that asks
}

func (w Want) check() error {
	nonce, err := statement.Base64(w.Nonce)
	switch {
	case err != nil || len(nonce) != 16:
		return errNonceShape
	case w.Serial == "":
		return errQuestion.At("serial")
	case w.Maker == "":
		return errQuestion.At("maker")
	case w.Now.IsZero(): // crypto/x509 would read the machine's clock
		return errQuestion.At("now")
	case w.DeviceKey == "" && !w.AttestationSerial:
		return errKeyUnnamed
	}
	return w.Revoked.Check(w.Now)
}

// Verified is a proof that fits. Only Verify makes one; the zero value proves nothing and is not OK.
type Verified struct {
	format        string
	maker         string
	serial        string
	key           string
	quote         Quote
	demonstration bool
	proven        []string
	notProven     []string
	ok            bool
}

// Verify holds a recorded proof against want.
func Verify(a Attestation, want Want) (Verified, error) {
	if err := a.Check(); err != nil {
		return Verified{}, err
	}
	if err := want.check(); err != nil {
		return Verified{}, err
	}
	if a.Serial != want.Serial {
		return Verified{}, errSerial
	}
	switch a.Format {
	case FormatX509:
		return verifyX509(a.Proof, want)
	default:
		return Verified{}, errFormat
	}
}

// OK is false for the zero value.
func (v Verified) OK() bool { return v.ok }

// Format names the kind of proof, "" for the zero value.
func (v Verified) Format() string { return v.format }

// Maker is whose root the proof chains to.
func (v Verified) Maker() string { return v.maker }

// Serial is the device's, certified by its maker.
func (v Verified) Serial() string { return v.serial }

// Key is the RFC 7638 thumbprint of the key that answered.
func (v Verified) Key() string { return v.key }

// Model, Hardware, Firmware and BootState are what the device says of itself; see NotProven.
func (v Verified) Model() string     { return v.quote.Model }
func (v Verified) Hardware() string  { return v.quote.Hardware }
func (v Verified) Firmware() string  { return v.quote.Firmware }
func (v Verified) BootState() string { return v.quote.BootState }

// Demonstration says that the device is a simulated one.
func (v Verified) Demonstration() bool { return v.demonstration }

// Proven names what this proof shows.
func (v Verified) Proven() []string { return slices.Clone(v.proven) }

// NotProven names what it leaves open.
func (v Verified) NotProven() []string { return slices.Clone(v.notProven) }
