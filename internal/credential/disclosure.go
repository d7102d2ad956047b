package credential

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/menshen-project/menshen/internal/statement"
)

// claimPerson is the one disclosed claim: who the badge is for, as a list of the staff number, the
// name's and the photo's commitment. One, because a QR code has to hold badge and answer (see
// pack.go): each disclosure costs a salt and a digest. It is hidden at all so that a badge which is
// shown elsewhere without it says which firm, not whom. None of it is a personal value.
const claimPerson = "person"

// plainClaims are the names that a disclosure may never bring: those that are plain in the payload
// (RFC 9901 §7.1) and those that govern a credential (draft-ietf-oauth-sd-jwt-vc forbids to hide them).
var plainClaims = []string{"_sd", "...", "_sd_alg", "iss", "sub", "aud", "vct", "vct#integrity", "iat", "nbf", "exp", "jti", "cnf", "status"}

const (
	saltBytes      = 16
	maxDisclosures = 16 // far above one: the count is judged by what each one is, this bounds the work
)

// person is the disclosed value: commitments are base64url of their 32 bytes, a third shorter than hex.
type person struct{ staff, name, photo string }

// newDisclosure makes base64url(["salt","name",["value", …]]) with a fresh 128-bit salt.
func newDisclosure(name string, value ...string) string {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails: crypto/rand aborts the program instead
	return encode(canonical([]any{encode(salt), name, value}))
}

// disclosureDigest is RFC 9901 §4.2.3: over the encoded form, as sent.
func disclosureDigest(encoded string) string {
	sum := sha256.Sum256([]byte(encoded))
	return encode(sum[:])
}

// checkDigests holds _sd to its one form: one digest, no decoys.
func checkDigests(sd []string) error {
	if len(sd) != 1 {
		return errBadgeDigests
	}
	if raw, err := statement.Base64URL(sd[0]); err != nil || len(raw) != sha256.Size {
		return errBadgeDigests
	}
	return nil
}

// readDisclosures checks every disclosure against the signed digests and gives the person:
//
//	RFC 9901 §7.1: "If any digest value is encountered more than once in the Issuer-signed JWT
//	payload …, the SD-JWT MUST be rejected"; "If any Disclosure was not referenced by digest value in
//	the Issuer-signed JWT …, the SD-JWT MUST be rejected"; "If the claim name already exists at the
//	level of the _sd key, the SD-JWT MUST be rejected".
func readDisclosures(sd, disclosures []string) (person, error) {
	if len(disclosures) > maxDisclosures {
		return person{}, errBadgeTooLarge.At("disclosures")
	}
	var p person
	for i, d := range disclosures {
		if slices.Contains(disclosures[:i], d) {
			return person{}, errDisclosureTwice
		}
		if !slices.Contains(sd, disclosureDigest(d)) {
			return person{}, errDisclosureUnref
		}
		var err error
		if p, err = readDisclosure(d); err != nil {
			return person{}, err
		}
	}
	if len(disclosures) == 0 {
		return person{}, errDisclosureMissing
	}
	return p, nil
}

// readDisclosure reads one disclosure. Its value must be a list of strings, so that nothing can nest:
// no object with digests of its own, no hidden array element.
func readDisclosure(encoded string) (person, error) {
	raw, err := statement.Base64URL(encoded)
	if err != nil {
		return person{}, errDisclosureShape.Because(err)
	}
	var triple []json.RawMessage
	var salt, name string
	if err := statement.Decode(raw, &triple); err != nil || len(triple) != 3 {
		return person{}, errDisclosureShape.Because(err)
	}
	if err := errors.Join(statement.Decode(triple[0], &salt), statement.Decode(triple[1], &name)); err != nil {
		return person{}, errDisclosureShape.Because(err)
	}
	if raw, err := statement.Base64URL(salt); err != nil || len(raw) != saltBytes {
		return person{}, errDisclosureShape.At("salt")
	}
	switch {
	case slices.Contains(plainClaims, name):
		return person{}, errClaimClash
	case name != claimPerson:
		return person{}, errClaimUnknown
	}
	return readPerson(triple[2])
}

// readPerson holds the disclosed value to its shape and turns the commitments into the hex that
// statements write.
func readPerson(raw json.RawMessage) (person, error) {
	var value []string
	if err := statement.Decode(raw, &value); err != nil || len(value) != 3 {
		return person{}, errDisclosureShape.At("value").Because(err)
	}
	if !opaqueID(value[0]) {
		return person{}, errClaimMalformed.At("staff number")
	}
	name, okN := digestOf(value[1])
	photo, okP := digestOf(value[2])
	if !okN || !okP {
		return person{}, errClaimMalformed.At("commitments")
	}
	return person{staff: value[0], name: name, photo: photo}, nil
}

// digestOf turns 32 bytes of base64url into the hex in which statements write digests and commitments.
func digestOf(encoded string) (string, bool) {
	raw, err := statement.Base64URL(encoded)
	return hex.EncodeToString(raw), err == nil && len(raw) == sha256.Size
}

// shorter turns a hex digest into base64url; what is no digest stays as it is, and is refused when it
// is read.
func shorter(digest string) string {
	raw, err := hex.DecodeString(digest)
	if err != nil || !statement.IsDigest(digest) {
		return digest
	}
	return encode(raw)
}

// split takes a badge or presentation apart: the issuer's JWT, the disclosures, and what follows
// the last tilde, which is the key binding or nothing (RFC 9901 §4). badge is everything up to and
// including the last tilde.
func split(data []byte) (badge, jwt string, disclosures []string, binding string, err error) {
	if len(data) > maxPresentation {
		return "", "", nil, "", errBadgeTooLarge
	}
	parts := strings.Split(string(data), "~")
	last := len(parts) - 1
	if last < 1 {
		return "", "", nil, "", errBadgeMalformed
	}
	binding = parts[last]
	return string(data[:len(data)-len(binding)]), parts[0], parts[1:last], binding, nil
}
