package statement

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/menshen-project/menshen/internal/fault"
)

// signDomain keeps an assertion made for signing a statement apart from every other use of the
// same passkey.
const signDomain = "menshen-sign-v1"

// Assertion is a WebAuthn signature as it travels in a DSSE sig.
type Assertion struct {
	AuthenticatorData string `json:"authenticatorData"` // base64
	ClientDataJSON    string `json:"clientDataJSON"`    // base64, the browser's bytes
	Signature         string `json:"signature"`         // base64, ASN.1 DER
}

type clientData struct {
	typ, challenge, origin, topOrigin string
	crossOrigin                       bool
}

var (
	errAssertion          = fault.New(fault.Invalid, "assertion_malformed", "通行密钥的签名格式不对。", "The passkey assertion is malformed.")
	errAssertionType      = fault.New(fault.Refused, "assertion_type", "这不是通行密钥的签名。", "The assertion is not of type webauthn.get.")
	errAssertionChallenge = fault.New(fault.Refused, "assertion_other_purpose", "这个通行密钥签名是为别的事做的（比如登录），不能当作签字。", "The assertion was made for something else, such as signing in; it does not sign this statement.")
	errAssertionOrigin    = fault.New(fault.Refused, "assertion_origin", "签名来自别的网站。", "The assertion comes from another site.")
	errAssertionPresence  = fault.New(fault.Refused, "assertion_user_absent", "签名时没有确认是本人。", "The assertion lacks user presence or user verification.")
)

// AssertionChallenge is what a passkey must be asked to sign for a statement:
// SHA-256("menshen-sign-v1" ‖ PAE).
func AssertionChallenge(pae []byte) [32]byte {
	return sha256.Sum256(append([]byte(signDomain), pae...))
}

// verifyAssertion follows WebAuthn Level 3 §7.2, steps 10–21, for a statement signature.
func verifyAssertion(key Key, pub *ecdsa.PublicKey, pae, sig []byte) error {
	var a Assertion
	if err := DecodeCanonical(sig, &a); err != nil {
		return errAssertion.Because(err)
	}
	auth, err1 := Base64(a.AuthenticatorData)
	client, err2 := Base64(a.ClientDataJSON)
	der, err3 := Base64(a.Signature)
	if err1 != nil || err2 != nil || err3 != nil || len(auth) < 37 || len(auth) > 1024 || len(client) > 4096 {
		return errAssertion
	}
	if err := checkClientData(key, client, AssertionChallenge(pae)); err != nil {
		return err
	}
	rp := sha256.Sum256([]byte(key.RPID))
	if subtle.ConstantTimeCompare(rp[:], auth[:32]) != 1 {
		return errAssertionOrigin.At("rpIdHash")
	}
	const userPresent, userVerified = 0x01, 0x04
	if auth[32]&userPresent == 0 || auth[32]&userVerified == 0 {
		return errAssertionPresence
	}
	clientHash := sha256.Sum256(client)
	sum := sha256.Sum256(append(slices.Clone(auth), clientHash[:]...))
	if !ecdsa.VerifyASN1(pub, sum[:], der) {
		return errSignature
	}
	return nil
}

func checkClientData(key Key, raw []byte, challenge [32]byte) error {
	c, err := readClientData(raw)
	if err != nil {
		return errAssertion.Because(err)
	}
	if c.typ != "webauthn.get" {
		return errAssertionType
	}
	if c.challenge != base64.RawURLEncoding.EncodeToString(challenge[:]) {
		return errAssertionChallenge
	}
	if !slices.Contains(key.Origins, c.origin) || c.crossOrigin || c.topOrigin != "" {
		return errAssertionOrigin
	}
	return nil
}

// readClientData reads the browser's JSON by exact names. Browsers may add names (WebAuthn Level 3
// §5.8.1 says so), so unknown ones pass; a name given twice does not. Decoding into a struct would
// take "Origin" for "origin", and the later of the two would win.
func readClientData(raw []byte) (clientData, error) {
	var strict json.RawMessage
	if err := Decode(raw, &strict); err != nil {
		return clientData{}, err
	}
	var names map[string]json.RawMessage
	if err := json.Unmarshal(strict, &names); err != nil {
		return clientData{}, err
	}
	var c clientData
	for _, member := range []struct {
		name string
		into any
	}{{"type", &c.typ}, {"challenge", &c.challenge}, {"origin", &c.origin}, {"crossOrigin", &c.crossOrigin}, {"topOrigin", &c.topOrigin}} {
		value, there := names[member.name]
		if !there {
			continue
		}
		if err := json.Unmarshal(value, member.into); err != nil {
			return clientData{}, err
		}
	}
	return c, nil
}
