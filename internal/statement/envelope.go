package statement

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

// PayloadType and StatementType are fixed by in-toto Statement v1.
const (
	PayloadType   = "application/vnd.in-toto+json"
	StatementType = "https://in-toto.io/Statement/v1"
	typePrefix    = "urn:menshen:"
	typeSuffix    = ":v1"
)

var (
	errEnvelope     = fault.New(fault.Invalid, "envelope_malformed", "签名文件的外层格式不对。", "The DSSE envelope is malformed.")
	errPayload      = fault.New(fault.Invalid, "statement_malformed", "签名文件的内容格式不对。", "The statement inside the envelope is malformed.")
	errSignature    = fault.New(fault.Refused, "signature_wrong", "签名不对：内容被改过，或者不是这把密钥签的。", "The signature does not fit these bytes and this key.")
	errOtherKey     = fault.New(fault.Refused, "signer_key_differs", "签名里写的密钥和登记的不是同一把。", "The statement names another key than the one it is checked with.")
	errSubject      = fault.New(fault.Invalid, "subject_malformed", "签名文件说的是哪一件事，写得不对。", "The statement's subject is malformed.")
	errTypeDiffers  = fault.New(fault.Refused, "statement_type_differs", "签名文件的种类不对。", "The statement is of another type than is needed here.")
	errUnverified   = fault.New(fault.Refused, "statement_unverified", "这份文件没有核对过签名。", "This statement was never verified.")
	errPrevious     = fault.New(fault.Invalid, "chain_reference_malformed", "前一份文件的编号格式不对。", "A reference to another statement is not a digest.")
	errSignatureLen = fault.New(fault.Invalid, "signature_malformed", "签名的格式不对。", "The signature is malformed.")
)

// halfOrder is half of P-256's order: of the two values of s that verify, the low one is at most this.
var halfOrder = new(big.Int).Rsh(elliptic.P256().Params().N, 1)

// Header is what every statement says beside its body. The names are authenticated by the
// signature only if the key is enrolled for just this signer, organisation and role: whoever
// resolves the key must compare them.
type Header struct {
	Signer       string // opaque id of the person, host or organisation
	Organisation string
	Role         string
	Key          string // thumbprint
	At           Time   // the signer's own clock
	Previous     string // digest of the signer's previous statement, "" for the first
	Answers      string // digest of the statement or challenge this answers, "" for none
}

// Time gives the signer's claimed time; Parse and Verify have checked its form.
func (h Header) Time() time.Time {
	t, _ := h.At.Parse()
	return t
}

// Unsigned is a statement before it is signed.
type Unsigned struct {
	Type    string // short name; signed as urn:menshen:<type>:v1
	Subject string // the stream it belongs to, kind/id
	Header  Header // Key is filled in by Sign
	Body    any
}

type envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     string      `json:"payload"`
	Signatures  []signature `json:"signatures"`
}

type signature struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig"`
}

type payload struct {
	Type          string    `json:"_type"`
	Subject       []subject `json:"subject"`
	PredicateType string    `json:"predicateType"`
	Predicate     predicate `json:"predicate"`
}

type subject struct {
	Name   string `json:"name"`
	Digest digest `json:"digest"`
}

type digest struct {
	SHA256 string `json:"sha256"`
}

type predicate struct {
	Signer       string          `json:"signer"`
	Organisation string          `json:"organisation"`
	Role         string          `json:"role"`
	Key          string          `json:"key"`
	At           Time            `json:"at"`
	Previous     string          `json:"previous"`
	Answers      string          `json:"answers"`
	Body         json.RawMessage `json:"body"`
}

// PAE is DSSE's pre-authentication encoding: what a signature is made over.
// https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
func PAE(payloadType string, payload []byte) []byte {
	out := make([]byte, 0, len(payloadType)+len(payload)+32)
	out = append(out, "DSSEv1 "...)
	out = strconv.AppendInt(out, int64(len(payloadType)), 10)
	out = append(out, ' ')
	out = append(out, payloadType...)
	out = append(out, ' ')
	out = strconv.AppendInt(out, int64(len(payload)), 10)
	out = append(out, ' ')
	return append(out, payload...)
}

// Payload gives the bytes that u signs under key; a page or a passkey signs the same bytes. It
// refuses what Parse would refuse: nobody is to sign what nobody can read.
func (u Unsigned) Payload(key Key) ([]byte, error) {
	if _, err := key.Public(); err != nil {
		return nil, err
	}
	body, err := Canonical(u.Body)
	if err != nil {
		return nil, err
	}
	h := u.Header
	data, err := Canonical(payload{
		Type:          StatementType,
		Subject:       []subject{{Name: u.Subject, Digest: digest{SHA256: Digest([]byte(u.Subject))}}},
		PredicateType: typePrefix + u.Type + typeSuffix,
		Predicate: predicate{Signer: h.Signer, Organisation: h.Organisation, Role: h.Role, Key: key.Thumbprint(),
			At: h.At, Previous: h.Previous, Answers: h.Answers, Body: body},
	})
	again := Claims{payload: data}
	if err := errors.Join(err, again.readPayload()); err != nil {
		return nil, err
	}
	return data, nil
}

// Seal puts a payload and its signature into an envelope. sig is r‖s for es256 and the JSON of
// Assertion for webauthn.
func Seal(payload []byte, key Key, sig []byte) ([]byte, error) {
	data, err := Canonical(envelope{PayloadType: PayloadType, Payload: base64.StdEncoding.EncodeToString(payload),
		Signatures: []signature{{KeyID: key.Thumbprint(), Sig: base64.StdEncoding.EncodeToString(sig)}}})
	if len(data) > MaxBytes {
		return nil, errTooLarge
	}
	return data, err
}

// Sign signs u with an ES256 key and gives the envelope's bytes. The signature has low s, so that
// its signer never offers two forms of it.
func Sign(priv *ecdsa.PrivateKey, u Unsigned) ([]byte, error) {
	key := KeyOf(&priv.PublicKey)
	data, err := u.Payload(key)
	if err != nil {
		return nil, err
	}
	sig, err := SignES256(priv, PAE(PayloadType, data))
	if err != nil {
		return nil, err
	}
	return Seal(data, key, sig)
}

// SignES256 signs message's SHA-256 with a P-256 key and gives 64 bytes r‖s with low s.
func SignES256(priv *ecdsa.PrivateKey, message []byte) ([]byte, error) {
	if priv.Curve != elliptic.P256() { // the numbers of another curve would not fit
		return nil, errKeyMalformed
	}
	sum := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, priv, sum[:])
	if err != nil {
		return nil, errSignature.Because(err)
	}
	if s.Cmp(halfOrder) > 0 {
		s.Sub(priv.Params().N, s)
	}
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return out, nil
}

// VerifyES256 checks 64 bytes r‖s over message's SHA-256.
func VerifyES256(pub *ecdsa.PublicKey, message, sig []byte) bool {
	if len(sig) != 64 {
		return false
	}
	sum := sha256.Sum256(message)
	return ecdsa.Verify(pub, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
}

// Claims is what an envelope says before anything is checked: enough to find the key it must be
// checked with, and nothing to rely on.
type Claims struct {
	Type    string
	Subject string
	Header  Header
	body    json.RawMessage
	payload []byte
	sig     []byte
	keyid   string
	digest  string
}

// Parse reads an envelope strictly. What it returns is untrusted.
func Parse(data []byte) (Claims, error) {
	var e envelope
	if err := DecodeCanonical(data, &e); err != nil {
		return Claims{}, fault.At(err, "envelope")
	}
	if e.PayloadType != PayloadType || len(e.Signatures) != 1 {
		return Claims{}, errEnvelope
	}
	raw, err := Base64(e.Payload)
	if err != nil {
		return Claims{}, fault.At(err, "payload")
	}
	sig, err := Base64(e.Signatures[0].Sig)
	if err != nil {
		return Claims{}, fault.At(err, "sig")
	}
	c := Claims{payload: raw, sig: sig, keyid: e.Signatures[0].KeyID, digest: Digest(data)}
	if err := c.readPayload(); err != nil {
		return Claims{}, err
	}
	return c, nil
}

func (c *Claims) readPayload() error {
	var p payload
	if err := Decode(c.payload, &p); err != nil {
		return err
	}
	kind, ok := strings.CutPrefix(p.PredicateType, typePrefix)
	kind, ok2 := strings.CutSuffix(kind, typeSuffix)
	if p.Type != StatementType || !ok || !ok2 || !plainKind(kind) {
		return errPayload
	}
	if len(p.Subject) != 1 || p.Subject[0].Digest.SHA256 != Digest([]byte(p.Subject[0].Name)) {
		return errSubject
	}
	x := p.Predicate
	if _, err := x.At.Parse(); err != nil {
		return fault.At(err, "at")
	}
	if (x.Previous != "" && !IsDigest(x.Previous)) || (x.Answers != "" && !IsDigest(x.Answers)) {
		return errPrevious
	}
	c.Type, c.Subject, c.body = kind, p.Subject[0].Name, x.Body
	c.Header = Header{Signer: x.Signer, Organisation: x.Organisation, Role: x.Role, Key: x.Key, At: x.At, Previous: x.Previous, Answers: x.Answers}
	return nil
}

// Digest names the envelope's bytes.
func (c Claims) Digest() string { return c.digest }

// Payload is the bytes that were signed, before that is checked.
func (c Claims) Payload() []byte { return slices.Clone(c.payload) }

// UntrustedBody reads the body before its signature is checked; for showing and routing only.
func (c Claims) UntrustedBody(v any) error { return fault.At(Decode(c.body, v), c.Type) }

// Verified is a statement whose signature was checked with the key it names. Only Verify makes one;
// the zero value refuses every question.
//
// Still unproven: that the key is enrolled for the signer, organisation and role in the header.
type Verified struct {
	claims Claims
	key    Key
	ok     bool
}

// Verify checks the envelope's one signature with key.
func Verify(data []byte, key Key) (Verified, error) {
	c, err := Parse(data)
	if err != nil {
		return Verified{}, err
	}
	return c.verify(key)
}

// Verify checks the claims' signature with key, and that envelope and statement both name it.
func (c Claims) Verify(key Key) (Verified, error) {
	// Whoever holds claims can write their fields; what counts is what the signature covers.
	if err := c.readPayload(); err != nil {
		return Verified{}, err
	}
	return c.verify(key)
}

func (c Claims) verify(key Key) (Verified, error) {
	pub, err := key.Public()
	if err != nil {
		return Verified{}, err
	}
	thumb := key.Thumbprint()
	if c.keyid != thumb || c.Header.Key != thumb {
		return Verified{}, errOtherKey
	}
	if err := key.signed(pub, PAE(PayloadType, c.payload), c.sig); err != nil {
		return Verified{}, err
	}
	return Verified{claims: c, key: key, ok: true}, nil
}

// Proves checks that the key signed a payload that is no statement, such as a phone's answer to a challenge.
// The payload's own type keeps the two apart: neither signature is ever taken for the other.
// Faults: payload_malformed for a statement's type, and those of a signature.
func (k Key) Proves(payloadType string, payload, sig []byte) error {
	pub, err := k.Public()
	if err != nil {
		return err
	}
	if payloadType == PayloadType {
		return errPayload
	}
	return k.signed(pub, PAE(payloadType, payload), sig)
}

func (k Key) signed(pub *ecdsa.PublicKey, message, sig []byte) error {
	if k.Kind == WebAuthn {
		return verifyAssertion(k, pub, message, sig)
	}
	return verifyPlain(pub, message, sig)
}

func verifyPlain(pub *ecdsa.PublicKey, message, sig []byte) error {
	if len(sig) != 64 {
		return errSignatureLen
	}
	if !VerifyES256(pub, message, sig) {
		return errSignature
	}
	return nil
}

// OK is false for the zero value.
func (v Verified) OK() bool { return v.ok }

// Type is the statement's short type name, "" for the zero value.
func (v Verified) Type() string { return v.claims.Type }

// Subject is the stream the statement belongs to, kind/id.
func (v Verified) Subject() string { return v.claims.Subject }

// Header is who signed, for whom, in which role, and what it follows and answers.
func (v Verified) Header() Header { return v.claims.Header }

// Digest names the envelope's bytes; "" for the zero value.
func (v Verified) Digest() string { return v.claims.digest }

// KeyKind says whether a plain key or a passkey signed.
func (v Verified) KeyKind() string { return v.key.Kind }

// LowS says whether an ES256 signature has its one low-s form. (r, n−s) verifies as well, so a
// signature that no later digest covers must be held to this.
func (v Verified) LowS() bool {
	if !v.ok || v.key.Kind != ES256 {
		return false
	}
	return new(big.Int).SetBytes(v.claims.sig[32:]).Cmp(halfOrder) <= 0
}

// Body reads the body strictly into the struct of wantType, and refuses any other type.
func (v Verified) Body(wantType string, body any) error {
	if !v.ok {
		return errUnverified
	}
	if v.claims.Type != wantType {
		return errTypeDiffers.At(wantType)
	}
	return fault.At(Decode(v.claims.body, body), wantType)
}
