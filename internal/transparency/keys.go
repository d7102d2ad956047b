package transparency

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
	f_note "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// Signature types of https://c2sp.org/signed-note. A secret carries its type, so that a witness's
// key cannot sign as a log, nor a log's key as a witness.
const (
	typeLog     = 0x01
	typeWitness = 0x04
)

var errSecret = fault.New(fault.Invalid, "signer_key_malformed", "签名密钥的格式不对，或者不是这种用途的密钥。", "The signing key is malformed or made for another use.")

// GenerateLogKey draws a key for a log of this name (its origin). The secret is written as
// golang.org/x/mod/sumdb/note writes it. Fault: key_name_malformed.
func GenerateLogKey(name string) (secret, vkey string, err error) { return generate(name, typeLog) }

// GenerateWitnessKey draws a cosignature/v1 key (https://c2sp.org/tlog-cosignature). Fault:
// key_name_malformed.
func GenerateWitnessKey(name string) (secret, vkey string, err error) {
	return generate(name, typeWitness)
}

// ParseLogSigner reads a log's secret and gives its verifier key with it. Fault:
// signer_key_malformed.
func ParseLogSigner(secret string) (note.Signer, string, error) {
	vkey, err := parseSecret(secret, typeLog)
	if err != nil {
		return nil, "", err
	}
	s, err := note.NewSigner(secret)
	if err != nil {
		return nil, "", errSecret
	}
	return s, vkey, nil
}

// ParseWitnessSigner reads a witness's secret and gives its verifier key with it. The signer dates
// what it signs by the machine's clock. Fault: signer_key_malformed.
func ParseWitnessSigner(secret string) (*f_note.Signer, string, error) {
	vkey, err := parseSecret(secret, typeWitness)
	if err != nil {
		return nil, "", err
	}
	s, err := f_note.NewSignerForCosignatureV1(secret)
	if err != nil {
		return nil, "", errSecret
	}
	return s, vkey, nil
}

func generate(name string, keyType byte) (secret, vkey string, err error) {
	if err := record.CheckName(name); err != nil {
		return "", "", err
	}
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed) // never fails (crypto/rand)
	secret, vkey = encode(name, keyType, seed)
	return secret, vkey, nil
}

func encode(name string, keyType byte, seed []byte) (secret, vkey string) {
	public := append([]byte{keyType}, ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)...)
	id := sha256.Sum256(append([]byte(name+"\n"), public...))
	named := fmt.Sprintf("%s+%08x+", name, id[:4])
	secret = "PRIVATE+KEY+" + named + base64.StdEncoding.EncodeToString(append([]byte{keyType}, seed...))
	return secret, named + base64.StdEncoding.EncodeToString(public)
}

// parseSecret checks a secret by writing it again. Its fault carries no cause, lest the secret show.
func parseSecret(secret string, keyType byte) (vkey string, err error) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(secret, "PRIVATE+KEY+"), "+")
	_, encoded, _ := strings.Cut(rest, "+")
	raw, err := statement.Base64(encoded)
	if err != nil || len(raw) != 1+ed25519.SeedSize || raw[0] != keyType || record.CheckName(name) != nil {
		return "", errSecret
	}
	again, vkey := encode(name, keyType, raw[1:])
	if again != secret {
		return "", errSecret
	}
	return vkey, nil
}
