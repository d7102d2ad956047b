package statement

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
)

// Kinds of statement key.
const (
	ES256    = "es256"    // a plain P-256 key: page key, host, platform, organisation
	WebAuthn = "webauthn" // a passkey; signs through an assertion
)

var (
	errKeyMalformed = fault.New(fault.Invalid, "key_malformed", "公钥格式不对。", "The public key is malformed.")
	errKeyKind      = fault.New(fault.Invalid, "key_kind_unknown", "不认识的密钥种类。", "This kind of key is not known.")
)

// Key is a public key as enrolments and lists write it down.
type Key struct {
	Kind    string   `json:"kind"`              // es256 or webauthn
	X       string   `json:"x"`                 // base64url, 32 bytes, P-256
	Y       string   `json:"y"`                 // base64url, 32 bytes
	RPID    string   `json:"rp_id,omitempty"`   // webauthn only: the site the passkey belongs to
	Origins []string `json:"origins,omitempty"` // webauthn only: the origins it may sign from
}

// KeyOf writes down an ES256 public key.
func KeyOf(pub *ecdsa.PublicKey) Key {
	raw, err := pub.Bytes()
	if err != nil || len(raw) != 65 {
		return Key{}
	}
	return Key{Kind: ES256, X: base64.RawURLEncoding.EncodeToString(raw[1:33]), Y: base64.RawURLEncoding.EncodeToString(raw[33:])}
}

// Thumbprint is RFC 7638 over the P-256 point, base64url. Kind and origins are not part of it: one
// point is one key, however it signs.
func (k Key) Thumbprint() string {
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + k.X + `","y":"` + k.Y + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Public parses the point and checks that kind and its members fit.
func (k Key) Public() (*ecdsa.PublicKey, error) {
	if err := k.checkKind(); err != nil {
		return nil, err
	}
	x, errX := Base64URL(k.X)
	y, errY := Base64URL(k.Y)
	if errX != nil || errY != nil || len(x) != 32 || len(y) != 32 {
		return nil, errKeyMalformed
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
	if err != nil {
		return nil, errKeyMalformed.Because(err)
	}
	return pub, nil
}

func (k Key) checkKind() error {
	switch k.Kind {
	case ES256:
		if k.RPID != "" || len(k.Origins) != 0 {
			return errKeyMalformed
		}
	case WebAuthn:
		if k.RPID == "" || len(k.Origins) == 0 || len(k.Origins) > 8 {
			return errKeyMalformed
		}
		for _, o := range k.Origins {
			if !isOrigin(o) {
				return errKeyMalformed.At("origins")
			}
		}
	default:
		return errKeyKind
	}
	return nil
}

// isOrigin takes an origin as browsers write it (RFC 6454 §6.2): https, host in lower case, maybe a
// port, nothing after. In the clear only localhost, which browsers also hold to be secure. A prefix
// alone will not do: http://localhost.evil.example is no localhost.
func isOrigin(o string) bool {
	authority, secure := strings.CutPrefix(o, "https://")
	if !secure {
		var clear bool
		if authority, clear = strings.CutPrefix(o, "http://"); !clear {
			return false
		}
	}
	host, port, hasPort := strings.Cut(authority, ":")
	if hasPort && (port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != "") {
		return false
	}
	if !secure {
		return host == "localhost"
	}
	return host != "" && strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}
