package credential

import (
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/menshen-project/menshen/internal/statement"
)

// The four disclosed claims, in the one order in which they are sent. None is a personal value.
const (
	claimStaffNumber     = "staff_number"
	claimOrganisation    = "organisation"
	claimNameCommitment  = "name_commitment"
	claimPhotoCommitment = "photo_commitment"
)

var disclosedClaims = []string{claimStaffNumber, claimOrganisation, claimNameCommitment, claimPhotoCommitment}

// plainClaims are the names that a disclosure may never bring: those that are plain in the payload
// (RFC 9901 §7.1) and those that govern a credential (draft-ietf-oauth-sd-jwt-vc forbids to hide them).
var plainClaims = []string{"_sd", "...", "_sd_alg", "iss", "sub", "aud", "vct", "vct#integrity", "iat", "nbf", "exp", "jti", "cnf", "status"}

const (
	saltBytes      = 16
	maxDisclosures = 16 // far above four: the count is judged by what each one is, this bounds the work
)

// newDisclosure makes base64url(["salt","name","value"]) with a fresh 128-bit salt.
func newDisclosure(name, value string) string {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails: crypto/rand aborts the program instead
	return encode(canonical([]string{encode(salt), name, value}))
}

// disclosureDigest is RFC 9901 §4.2.3: over the encoded form, as sent.
func disclosureDigest(encoded string) string {
	sum := sha256.Sum256([]byte(encoded))
	return encode(sum[:])
}

// digestsOf gives the _sd array: sorted, so that order tells nothing (RFC 9901 §4.2.4.1).
func digestsOf(disclosures []string) []string {
	var out []string
	for _, d := range disclosures {
		out = append(out, disclosureDigest(d))
	}
	slices.Sort(out)
	return out
}

// checkDigests holds _sd to its one form: four digests, strictly ascending, no decoys.
func checkDigests(sd []string) error {
	if len(sd) != len(disclosedClaims) {
		return errBadgeDigests
	}
	for i, d := range sd {
		raw, err := statement.Base64URL(d)
		if err != nil || len(raw) != sha256.Size || (i > 0 && sd[i-1] >= d) {
			return errBadgeDigests
		}
	}
	return nil
}

// readDisclosures checks every disclosure against the signed digests and gives values by name:
//
//	RFC 9901 §7.1: "If any digest value is encountered more than once in the Issuer-signed JWT
//	payload …, the SD-JWT MUST be rejected"; "If any Disclosure was not referenced by digest value in
//	the Issuer-signed JWT …, the SD-JWT MUST be rejected"; "If the claim name already exists at the
//	level of the _sd key, the SD-JWT MUST be rejected".
func readDisclosures(sd, disclosures []string) (map[string]string, error) {
	if len(disclosures) > maxDisclosures {
		return nil, errBadgeTooLarge.At("disclosures")
	}
	values := map[string]string{}
	var names []string
	for i, d := range disclosures {
		if slices.Contains(disclosures[:i], d) {
			return nil, errDisclosureTwice
		}
		if !slices.Contains(sd, disclosureDigest(d)) {
			return nil, errDisclosureUnref
		}
		name, value, err := readDisclosure(d)
		if err != nil {
			return nil, err
		}
		if _, seen := values[name]; seen || slices.Contains(plainClaims, name) {
			return nil, errClaimClash
		}
		if !slices.Contains(disclosedClaims, name) {
			return nil, errClaimUnknown
		}
		values[name] = value
		names = append(names, name)
	}
	if len(names) != len(disclosedClaims) {
		return nil, errDisclosureMissing
	}
	if !slices.Equal(names, disclosedClaims) {
		return nil, errDisclosureOrder
	}
	return values, nil
}

// readDisclosure reads one disclosure. Its value must be a string, so that nothing can nest: no
// object with digests of its own, no array element.
func readDisclosure(encoded string) (name, value string, err error) {
	raw, err := statement.Base64URL(encoded)
	if err != nil {
		return "", "", errDisclosureShape.Because(err)
	}
	var triple []string
	if err := statement.Decode(raw, &triple); err != nil {
		return "", "", errDisclosureShape.Because(err)
	}
	if len(triple) != 3 {
		return "", "", errDisclosureShape
	}
	salt, err := statement.Base64URL(triple[0])
	if err != nil || len(salt) != saltBytes {
		return "", "", errDisclosureShape.At("salt")
	}
	return triple[1], triple[2], nil
}

// checkValues holds the disclosed values to their shapes.
func checkValues(values map[string]string, issuer string) error {
	if values[claimOrganisation] != issuer {
		return errOrganisationOther
	}
	if !opaqueID(values[claimStaffNumber]) {
		return errClaimMalformed.At(claimStaffNumber)
	}
	for _, name := range []string{claimNameCommitment, claimPhotoCommitment} {
		if !statement.IsDigest(values[name]) {
			return errClaimMalformed.At(name)
		}
	}
	return nil
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
