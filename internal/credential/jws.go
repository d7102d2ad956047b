package credential

import (
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// clockLeeway is how far two honest clocks may differ.
const clockLeeway = 5 * time.Second

// lastSecond is 9999-12-31T23:59:59Z: beyond it a time has no four-digit year.
const lastSecond = 253402300799

// profile is one kind of token: what its header must say and which fault each breach is.
type profile struct {
	typ   string
	usual string // the header as Issue and Present write it, encoded

	malformed   *fault.Fault
	algorithm   *fault.Fault
	otherType   *fault.Fault
	selfVouched *fault.Fault
	keyOther    *fault.Fault
	signature   *fault.Fault
}

var (
	badgeToken = profile{typ: "dc+sd-jwt", usual: badgeHead, malformed: errBadgeMalformed, algorithm: errBadgeAlgorithm, otherType: errBadgeType,
		selfVouched: errBadgeSelfVouched, keyOther: errBadgeKeyOther, signature: errBadgeSignature}
	bindingToken = profile{typ: "kb+jwt", usual: bindingHead, malformed: errKBMalformed, algorithm: errKBAlgorithm, otherType: errKBType,
		selfVouched: errKBSelfVouched, keyOther: errKBKeyOther, signature: errKBSignature}
	statusToken = profile{typ: "statuslist+jwt", usual: statusHead, malformed: errStatusMalformed, algorithm: errStatusAlgorithm, otherType: errStatusType,
		selfVouched: errStatusSelfVouched, keyOther: errStatusKeyOther, signature: errStatusSignature}
)

// header is a JOSE header (RFC 7515 §4.1). Only alg, typ and kid are allowed; the names below them
// are read so that a token which brings its own key is told what is wrong with it. Every other
// name, crit and b64 among them, is unknown to strict JSON and refuses.
type header struct {
	Alg string  `json:"alg"`
	Typ string  `json:"typ"`
	Kid *string `json:"kid,omitempty"` // RFC 7638 thumbprint of the key it is checked with

	JWK     json.RawMessage `json:"jwk,omitempty"`
	JKU     json.RawMessage `json:"jku,omitempty"`
	X5C     json.RawMessage `json:"x5c,omitempty"`
	X5U     json.RawMessage `json:"x5u,omitempty"`
	X5T     json.RawMessage `json:"x5t,omitempty"`
	X5TS256 json.RawMessage `json:"x5t#S256,omitempty"`
}

func (h header) bringsKey() bool {
	return h.JWK != nil || h.JKU != nil || h.X5C != nil || h.X5U != nil || h.X5T != nil || h.X5TS256 != nil
}

// open checks a compact JWS (RFC 7515 §7.1) with key, written down in named, and gives the payload's
// bytes. The payload is not looked at before the signature holds.
func (p profile) open(token string, key *ecdsa.PublicKey, named statement.Key) ([]byte, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, p.malformed
	}
	payload, errP := statement.Base64URL(parts[1])
	sig, errS := statement.Base64URL(parts[2])
	for _, err := range []error{errP, errS} {
		if err != nil {
			return nil, p.malformed.Because(err)
		}
	}
	if err := p.checkHeader(parts[0], named); err != nil {
		return nil, err
	}
	signed := token[:len(parts[0])+1+len(parts[1])]
	if !statement.VerifyES256(key, []byte(signed), sig) {
		return nil, p.signature
	}
	return payload, nil
}

// checkHeader takes the one header that every token of ours has as it is, and reads any other.
func (p profile) checkHeader(encoded string, named statement.Key) error {
	if encoded == p.usual {
		return nil
	}
	raw, err := statement.Base64URL(encoded)
	if err != nil {
		return p.malformed.Because(err)
	}
	var h header
	if err := statement.Decode(raw, &h); err != nil {
		return p.malformed.At("header").Because(err)
	}
	switch {
	case h.bringsKey():
		return p.selfVouched.At("header")
	case h.Alg != "ES256":
		return p.algorithm
	case h.Typ != p.typ:
		return p.otherType
	case h.Kid != nil && *h.Kid != named.Thumbprint():
		return p.keyOther
	}
	return nil
}

// sign makes the compact JWS that open accepts. kid is left out: the verifier knows the key, and
// every character makes the QR denser.
func (p profile) sign(priv *ecdsa.PrivateKey, payload any) (string, error) {
	if statement.KeyOf(&priv.PublicKey).X == "" {
		return "", errSigningKey
	}
	signed := encode(canonical(header{Alg: "ES256", Typ: p.typ})) + "." + encode(canonical(payload))
	sig, err := statement.SignES256(priv, []byte(signed))
	if err != nil {
		return "", errSigningKey.Because(err)
	}
	return signed + "." + encode(sig), nil
}

// canonical writes one of this package's own structs; they hold strings and integers only, for
// which encoding cannot fail.
func canonical(v any) []byte {
	out, _ := statement.Canonical(v)
	return out
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// es256 parses a key that must be a plain P-256 key, because passkeys cannot sign a JWS.
func es256(key statement.Key) (*ecdsa.PublicKey, error) {
	if key.Kind != statement.ES256 {
		return nil, errIssuerKey
	}
	pub, err := key.Public()
	if err != nil {
		return nil, errIssuerKey.Because(err)
	}
	return pub, nil
}

// second reads a JWT NumericDate; only whole seconds from 1970 to 9999 are times.
func second(n int64) (time.Time, bool) {
	return time.Unix(n, 0).UTC(), n > 0 && n <= lastSecond
}

// opaqueID says whether s is an id as menshen's clients make them.
func opaqueID(s string) bool {
	for i, r := range s {
		letter := (r >= 'A' && r <= 'Z') || (r >= 'a' && r <= 'z') || (r >= '0' && r <= '9')
		if !letter && (i == 0 || (r != '.' && r != '_' && r != '-')) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// plainURI says whether s may name a status list: printable ASCII with a scheme. It is compared,
// never fetched, here.
func plainURI(s string) bool {
	for _, r := range s {
		if r <= ' ' || r > '~' || r == '"' || r == '\\' {
			return false
		}
	}
	return len(s) <= 100 && strings.Index(s, ":") > 0
}
