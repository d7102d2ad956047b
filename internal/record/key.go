package record

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

var errName = fault.New(fault.Invalid, "key_name_malformed", "日志或见证方的名称只能用英文字母、数字和符号，不能有空格和加号。", "A log's or witness's name is printable ASCII without space and plus.")

// Signature types of https://c2sp.org/signed-note that this package knows.
const (
	typeEd25519       = 0x01 // the log's signature
	typeCosignatureV1 = 0x04 // a witness's timestamped cosignature
)

const maxNameBytes = 128

// key is a verifier key (vkey) of https://c2sp.org/signed-note.
type key struct {
	name   string
	id     [4]byte // SHA-256(name ‖ LF ‖ type ‖ public key)[:4]
	public ed25519.PublicKey
}

// parseKey reads "name+id+base64(type ‖ public key)" and refuses another type, a wrong id and every
// second spelling.
func parseKey(vkey string, keyType byte) (key, bool) {
	name, rest, _ := strings.Cut(vkey, "+")
	_, encoded, _ := strings.Cut(rest, "+")
	raw, err := statement.Base64(encoded)
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != keyType || !plainName(name) {
		return key{}, false
	}
	k := key{name: name, public: raw[1:]}
	sum := sha256.Sum256(append([]byte(name+"\n"), raw...))
	copy(k.id[:], sum[:])
	if vkey != name+"+"+hex.EncodeToString(k.id[:])+"+"+base64.StdEncoding.EncodeToString(raw) {
		return key{}, false
	}
	return k, true
}

// CheckName accepts names of logs and witnesses, at most 128 bytes. Fault: key_name_malformed.
func CheckName(name string) error {
	if !plainName(name) {
		return errName
	}
	return nil
}

// plainName holds origins and key names to printable ASCII without space and plus, which
// signed-note keeps for itself.
func plainName(name string) bool {
	for _, r := range name {
		if r <= ' ' || r > '~' || r == '+' {
			return false
		}
	}
	return name != "" && len(name) <= maxNameBytes
}
