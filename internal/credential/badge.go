package credential

import (
	"crypto/ecdsa"
	"encoding/json"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
)

// BadgeType is the credential type (vct) of a technician's badge.
const BadgeType = "urn:menshen:badge:v1"

const (
	maxBadgeLife    = 24 * time.Hour
	maxPresentation = 1800 // bytes; what a QR code can carry, unpacked, has fewer (pack.go)
	maxStatusIndex  = 1<<23 - 1
)

// BadgeClaims is what an employer puts on a badge for one day.
type BadgeClaims struct {
	Issuer          string        // organisation id of the employer
	StaffNumber     string        // opaque id
	NameCommitment  string        // hex, statement.Commit over the person's name
	PhotoCommitment string        // hex, statement.Commit over the photo's bytes
	Holder          statement.Key // the technician's key, es256
	IssuedAt        time.Time     // cut to whole seconds, as the two below
	NotBefore       time.Time     // the zero time leaves nbf out
	ExpiresAt       time.Time     // at most 24 h after IssuedAt
	StatusURI       string        // the issuer's status list
	StatusIndex     int           // this badge's place in it
}

type badgePayload struct {
	Iss    string        `json:"iss"`
	Vct    string        `json:"vct"`
	Iat    int64         `json:"iat"`
	Nbf    *int64        `json:"nbf,omitempty"`
	Exp    int64         `json:"exp"`
	Cnf    *confirmation `json:"cnf,omitempty"`
	Status *statusClaim  `json:"status,omitempty"`
	SDAlg  *string       `json:"_sd_alg,omitempty"` // sha-256 is the standard's default
	SD     []string      `json:"_sd"`

	// Claims about the issuer's own key: read only to say what is wrong.
	JWK     json.RawMessage `json:"jwk,omitempty"`
	JWKS    json.RawMessage `json:"jwks,omitempty"`
	JWKSURI json.RawMessage `json:"jwks_uri,omitempty"`
	X5C     json.RawMessage `json:"x5c,omitempty"`
}

func (p badgePayload) bringsKey() bool {
	return p.JWK != nil || p.JWKS != nil || p.JWKSURI != nil || p.X5C != nil
}

type confirmation struct {
	JWK *jwk `json:"jwk,omitempty"`
}

// jwk is an EC public key (RFC 7518 §6.2) and nothing else; a private member is an unknown name.
type jwk struct {
	Kty string `json:"kty"`
	Crv string `json:"crv"`
	X   string `json:"x"`
	Y   string `json:"y"`
}

type statusClaim struct {
	StatusList *statusReference `json:"status_list,omitempty"`
}

type statusReference struct {
	Idx int    `json:"idx"`
	URI string `json:"uri"`
}

// Badge is a badge whose signature, issuer, period and disclosures were checked. That its holder
// was there is not part of it (Presentation), nor that it still stands (StatusList.Admits). The
// zero value refuses.
type Badge struct {
	issuer, issuerKey  string
	staff, name, photo string
	holder             statement.Key
	holderKey          *ecdsa.PublicKey
	issuedAt           time.Time
	expiresAt          time.Time
	statusURI          string
	statusIndex        int
	digest             string
	ok                 bool
}

// OK is false for the zero value.
func (b Badge) OK() bool { return b.ok }

// Issuer is the organisation id of the employer, whose person the badge is for.
func (b Badge) Issuer() string { return b.issuer }

// IssuerKey is the thumbprint of the key the badge was checked with.
func (b Badge) IssuerKey() string { return b.issuerKey }

// StaffNumber is the employer's opaque id of the person.
func (b Badge) StaffNumber() string { return b.staff }

// NameCommitment is the hex commitment of the person's name.
func (b Badge) NameCommitment() string { return b.name }

// PhotoCommitment is the hex commitment of the photo.
func (b Badge) PhotoCommitment() string { return b.photo }

// Holder is the technician's public key.
func (b Badge) Holder() statement.Key { return b.holder }

// IssuedAt is when the badge begins, UTC.
func (b Badge) IssuedAt() time.Time { return b.issuedAt }

// ExpiresAt is the first second in which the badge no longer holds, UTC.
func (b Badge) ExpiresAt() time.Time { return b.expiresAt }

// StatusURI names the issuer's status list.
func (b Badge) StatusURI() string { return b.statusURI }

// StatusIndex is the badge's place in that list.
func (b Badge) StatusIndex() int { return b.statusIndex }

// Digest is the hex SHA-256 of the badge as issued, with its disclosures; issuance is recorded
// under it.
func (b Badge) Digest() string { return b.digest }

// Issue signs a badge and gives it as "jwt~disclosure~"
// (RFC 9901 §4). It gives out nothing that VerifyBadge would refuse, with VerifyBadge's fault.
func Issue(issuer *ecdsa.PrivateKey, c BadgeClaims) ([]byte, error) {
	disclosure := newDisclosure(claimPerson, c.StaffNumber, shorter(c.NameCommitment), shorter(c.PhotoCommitment))
	p := badgePayload{Iss: c.Issuer, Vct: BadgeType, Iat: c.IssuedAt.Unix(), Exp: c.ExpiresAt.Unix(),
		Cnf:    &confirmation{JWK: &jwk{Kty: "EC", Crv: "P-256", X: c.Holder.X, Y: c.Holder.Y}},
		Status: &statusClaim{StatusList: &statusReference{Idx: c.StatusIndex, URI: c.StatusURI}},
		SD:     []string{disclosureDigest(disclosure)}}
	from := p.Iat
	if !c.NotBefore.IsZero() {
		from = c.NotBefore.Unix()
		p.Nbf = &from
	}
	jwt, err := badgeToken.sign(issuer, p)
	if err != nil {
		return nil, err
	}
	badge := []byte(jwt + "~" + disclosure + "~")
	if _, err := VerifyBadge(badge, statement.KeyOf(&issuer.PublicKey), c.Issuer, time.Unix(from, 0)); err != nil {
		return nil, err
	}
	return badge, nil
}

// VerifyBadge checks a badge without key binding, as its issuer's server and its holder's app do.
// issuer is the badge key that the trust list holds for issuerID; at is the time asked about.
func VerifyBadge(badge []byte, issuer statement.Key, issuerID string, at time.Time) (Badge, error) {
	whole, jwt, disclosures, binding, err := split(badge)
	if err != nil {
		return Badge{}, err
	}
	if binding != "" {
		return Badge{}, errBadgeMalformed.At("key binding")
	}
	return (*Verifier)(nil).readBadge(whole, jwt, disclosures, issuer, issuerID, at)
}

func (v *Verifier) readBadge(whole, jwt string, disclosures []string, issuer statement.Key, issuerID string, at time.Time) (Badge, error) {
	raw, err := v.open(jwt, issuer)
	if err != nil {
		return Badge{}, err
	}
	var p badgePayload
	if err := statement.Decode(raw, &p); err != nil {
		return Badge{}, errBadgeMalformed.At("payload").Because(err)
	}
	b := Badge{issuerKey: issuer.Thumbprint(), digest: statement.Digest([]byte(whole))}
	if err := b.read(p, disclosures, issuerID, at); err != nil {
		return Badge{}, err
	}
	b.ok = true
	return b, nil
}

func (b *Badge) read(p badgePayload, disclosures []string, issuerID string, at time.Time) error {
	switch {
	case p.bringsKey():
		return errBadgeSelfVouched.At("payload")
	case p.Iss != issuerID || !opaqueID(p.Iss):
		return errBadgeIssuerOther
	case p.Vct != BadgeType:
		return errBadgeCredential
	case p.SDAlg != nil && *p.SDAlg != "sha-256":
		return errBadgeDigestAlg
	}
	if err := b.readHolder(p.Cnf); err != nil {
		return err
	}
	if err := b.readPeriod(p, at); err != nil {
		return err
	}
	if err := b.readStatus(p.Status); err != nil {
		return err
	}
	if err := checkDigests(p.SD); err != nil {
		return err
	}
	who, err := readDisclosures(p.SD, disclosures)
	if err != nil {
		return err
	}
	b.issuer, b.staff, b.name, b.photo = p.Iss, who.staff, who.name, who.photo
	return nil
}

func (b *Badge) readHolder(c *confirmation) error {
	if c == nil || c.JWK == nil {
		return errBadgeKeyMissing
	}
	if c.JWK.Kty != "EC" || c.JWK.Crv != "P-256" {
		return errBadgeKeyMalformed
	}
	b.holder = statement.Key{Kind: statement.ES256, X: c.JWK.X, Y: c.JWK.Y}
	var err error
	if b.holderKey, err = b.holder.Public(); err != nil {
		return errBadgeKeyMalformed.Because(err)
	}
	return nil
}

func (b *Badge) readPeriod(p badgePayload, at time.Time) error {
	iat, okI := second(p.Iat)
	exp, okE := second(p.Exp)
	from, okN := iat, true
	if p.Nbf != nil {
		from, okN = second(*p.Nbf)
	}
	switch {
	case !okI || !okE || !okN || from.Before(iat) || !from.Before(exp):
		return errBadgeWindow
	case exp.Sub(iat) > maxBadgeLife:
		return errBadgeTooLong
	case at.Before(from):
		return errBadgeNotYet
	case !at.Before(exp):
		return errBadgeExpired
	}
	b.issuedAt, b.expiresAt = iat, exp
	return nil
}

func (b *Badge) readStatus(s *statusClaim) error {
	if s == nil || s.StatusList == nil {
		return errBadgeStatusGone
	}
	ref := *s.StatusList
	if ref.Idx < 0 || ref.Idx > maxStatusIndex || !plainURI(ref.URI) {
		return errBadgeStatusShape
	}
	b.statusURI, b.statusIndex = ref.URI, ref.Idx
	return nil
}
