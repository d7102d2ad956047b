package credential

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
)

// maxAnswerTime is how long a challenge may be answered (design §7).
const maxAnswerTime = 90 * time.Second

// minNonce is the shortest nonce, in characters: 128 bits are 22 in base64url, 32 in hex.
const minNonce = 22

type bindingPayload struct {
	Iat      int64  `json:"iat"`
	Aud      string `json:"aud"`
	Nonce    string `json:"nonce"`
	SDHash   string `json:"sd_hash"`
	Position string `json:"position"` // commitment, base64url; a phone without a reading commits to that
	Order    string `json:"order"`
}

// Binding is what a technician's app answers a challenge with.
type Binding struct {
	Audience string    // whom the challenge names
	Nonce    string    // the challenge's
	Position string    // hex commitment of the phone's position
	Order    string    // order id
	At       time.Time // the phone's clock, cut to whole seconds
}

// Present appends a key binding JWT (RFC 9901 §4.3) to a badge, as the technician's app does in
// the browser: for simulated people and tests. It checks nothing, so that attacks can be built
// with it too.
func Present(holder *ecdsa.PrivateKey, badge []byte, b Binding) ([]byte, error) {
	jwt, err := bindingToken.sign(holder, bindingPayload{Iat: b.At.Unix(), Aud: b.Audience, Nonce: b.Nonce,
		SDHash: sdHash(string(badge)), Position: shorter(b.Position), Order: b.Order})
	if err != nil {
		return nil, err
	}
	return append(append([]byte{}, badge...), jwt...), nil
}

// sdHash is RFC 9901 §4.3.1: over everything up to and including the last tilde, as sent.
func sdHash(badge string) string {
	sum := sha256.Sum256([]byte(badge))
	return encode(sum[:])
}

// Expectation is what the asker knows and the answer must repeat. Nothing in it may come from the
// answer; every member is required.
type Expectation struct {
	Issuer     statement.Key // the badge key that the trust list holds for IssuerID
	IssuerID   string        // the dispatched person's employer
	Audience   string
	Nonce      string // at least 22 characters
	Order      string // order id
	AskedAt    time.Time
	AnsweredAt time.Time // when the asker received the answer
}

func (e Expectation) check() error {
	switch {
	case e.IssuerID == "" || e.Audience == "" || e.Order == "":
		return errExpectation
	case len(e.Nonce) < minNonce:
		return errExpectation.At("nonce")
	case e.AskedAt.IsZero() || e.AnsweredAt.Before(e.AskedAt.Add(-clockLeeway)):
		return errExpectation.At("answered_at")
	}
	return nil
}

// Presentation is a badge that its holder bound to one challenge of one order. What it does not
// say: that the phone's position is true, that the holder is the person on the photo, that the
// badge still stands. The zero value refuses.
type Presentation struct {
	badge    Badge
	position string
	order    string
	nonce    string
	signedAt time.Time
	digest   string
	ok       bool
}

// OK is false for the zero value.
func (p Presentation) OK() bool { return p.ok }

// Badge is the badge that was shown; the zero value's refuses.
func (p Presentation) Badge() Badge { return p.badge }

// Position is the hex commitment of the phone's position, as the phone claims it.
func (p Presentation) Position() string { return p.position }

// Order is the order the answer is for.
func (p Presentation) Order() string { return p.order }

// Nonce is the challenge's nonce; whoever stores the verdict burns it.
func (p Presentation) Nonce() string { return p.nonce }

// SignedAt is the phone's clock at the answer, UTC; it was within the challenge's time.
func (p Presentation) SignedAt() time.Time { return p.signedAt }

// Digest is the hex SHA-256 of the presentation's bytes: the answer digest the merchant signs.
func (p Presentation) Digest() string { return p.digest }

// VerifyPresentation checks badge and key binding (RFC 9901 §7.3) against what was asked. The badge
// must hold at want.AnsweredAt; the answer must have been signed from 5 s before to 90 s after
// want.AskedAt and no more than 5 s after want.AnsweredAt. Every rule has its own fault, badge_* or
// kb_*.
func VerifyPresentation(presentation []byte, want Expectation) (Presentation, error) {
	return (*Verifier)(nil).VerifyPresentation(presentation, want)
}

// VerifyPresentation is the package's VerifyPresentation; of a badge that this verifier has proven before,
// the issuer's signature is not computed again.
func (v *Verifier) VerifyPresentation(presentation []byte, want Expectation) (Presentation, error) {
	if err := want.check(); err != nil {
		return Presentation{}, err
	}
	whole, jwt, disclosures, binding, err := split(presentation)
	if err != nil {
		return Presentation{}, err
	}
	if binding == "" {
		return Presentation{}, errKBMissing
	}
	badge, err := v.readBadge(whole, jwt, disclosures, want.Issuer, want.IssuerID, want.AnsweredAt)
	if err != nil {
		return Presentation{}, err
	}
	p := Presentation{badge: badge, digest: statement.Digest(presentation)}
	if err := p.readBinding(binding, whole, want); err != nil {
		return Presentation{}, err
	}
	p.ok = true
	return p, nil
}

func (p *Presentation) readBinding(binding, whole string, want Expectation) error {
	raw, err := bindingToken.open(binding, p.badge.holderKey, p.badge.holder)
	if err != nil {
		return err
	}
	var b bindingPayload
	if err := statement.Decode(raw, &b); err != nil {
		return errKBMalformed.At("payload").Because(err)
	}
	position, placed := digestOf(b.Position)
	switch {
	case b.Nonce != want.Nonce:
		return errKBNonce
	case b.Aud != want.Audience:
		return errKBAudience
	case b.SDHash != sdHash(whole):
		return errKBHash
	case b.Order != want.Order:
		return errKBOrderOther
	case !placed:
		return errKBPosition
	}
	p.position, p.order, p.nonce = position, b.Order, b.Nonce
	return p.readTime(b.Iat, want)
}

func (p *Presentation) readTime(iat int64, want Expectation) error {
	at, ok := second(iat)
	switch {
	case !ok:
		return errKBMalformed.At("iat")
	case at.Before(want.AskedAt.Add(-clockLeeway)):
		return errKBTooOld
	case at.After(want.AnsweredAt.Add(clockLeeway)):
		return errKBFuture
	case at.After(want.AskedAt.Add(maxAnswerTime)):
		return errKBTooLate
	}
	p.signedAt = at
	return nil
}

// Committed lists the commitments that a presentation holds, as hex, position first, without checking
// anything: for whoever has to find their openings. A presentation that cannot be read commits to
// nothing; "" stands for a position that is none.
func Committed(presentation string) []string {
	_, _, disclosures, binding, err := split([]byte(presentation))
	if err != nil || len(disclosures) > maxDisclosures {
		return []string{""}
	}
	out := []string{positionIn(binding)}
	for _, d := range disclosures {
		if p, err := readDisclosure(d); err == nil {
			out = append(out, p.name, p.photo)
		}
	}
	return out
}

func positionIn(binding string) string {
	parts := strings.Split(binding, ".")
	if len(parts) != 3 {
		return ""
	}
	var b bindingPayload
	raw, err := statement.Base64URL(parts[1])
	if err != nil || statement.Decode(raw, &b) != nil {
		return ""
	}
	position, ok := digestOf(b.Position)
	if !ok {
		return ""
	}
	return position
}
