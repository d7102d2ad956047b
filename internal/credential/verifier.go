package credential

import (
	"github.com/menshen-project/menshen/internal/memo"
	"github.com/menshen-project/menshen/internal/statement"
)

// badgesBound caps how many badges a Verifier remembers: a city's technicians of one day. At maxPresentation
// bytes that is 15 MB at most.
const badgesBound = 4096

// Verifier remembers which badges it has proven: one badge is shown at every door of its day, and its
// issuer's signature over its bytes is true for ever. Nothing else is remembered: payload, times, disclosures,
// the holder's answer and everything asked of them are read anew each time, and whether the issuer's key is
// still the one on the trust list is the caller's to say, each time. It is safe for concurrent use.
// The zero value is ready; nil remembers nothing.
type Verifier struct {
	signed memo.Memo[signedBadge, []byte] // the payload's bytes, never written to
}

// signedBadge is all that a badge's signature and the reading of its header depend on; the key is a plain P-256 key.
type signedBadge struct{ jwt, x, y string }

// open gives the payload of a badge that issuer signed; see profile.open.
func (v *Verifier) open(jwt string, issuer statement.Key) ([]byte, error) {
	pub, err := es256(issuer)
	if err != nil {
		return nil, err
	}
	prove := func() ([]byte, error) { return badgeToken.open(jwt, pub, issuer) }
	if v == nil {
		return prove()
	}
	return v.signed.Get(signedBadge{jwt, issuer.X, issuer.Y}, badgesBound, prove)
}
