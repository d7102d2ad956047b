package attest

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// maxRevocationSpan bounds how long a list may call itself fresh, so that an absurd next date does
// not switch revocation off.
const maxRevocationSpan = 35 * 24 * time.Hour

var (
	errRevocationForm  = fault.New(fault.Invalid, "attest_revocation_malformed", "设备证书吊销名单的格式不对。", "The list of revoked device certificates is malformed.")
	errRevocationStale = fault.New(fault.Refused, "attest_revocation_stale", "设备证书吊销名单过期了，要先更新。", "The list of revoked device certificates is out of date; refresh it.")
	errRevocationSpan  = fault.New(fault.Refused, "attest_revocation_span", "设备证书吊销名单的有效期太长，不能接受。", "The list of revoked device certificates claims to be fresh for too long.")
	errRevoked         = fault.New(fault.Refused, "attest_revoked", "这台设备的证书或它的上级证书已经被吊销。", "The device's certificate or one above it is revoked.")
)

// Revocations is the operator's dated list of device certificates and keys that no longer count. The
// zero value is stale.
type Revocations struct {
	Number   int64          `json:"number"` // counts up from 1; whoever keeps lists refuses a lower one
	IssuedAt statement.Time `json:"issued_at"`
	NextAt   statement.Time `json:"next_at"`

	// Serials are certificate serial numbers in lower-case hex without leading zeros, as Android's
	// attestation status list writes them. They count under every issuer: two issuers' equal numbers
	// refuse too much rather than too little.
	Serials []string `json:"serials"`
	// Keys are lower-case hex SHA-256 of a certificate's SubjectPublicKeyInfo.
	Keys []string `json:"keys"`
}

// Check refuses a list that is malformed or out of date. One that was issued after now knows more, not
// less: whoever replays an old decision does so with the list he has today.
// A malformed entry would match nothing, ever.
func (r Revocations) Check(now time.Time) error {
	if r.Number == 0 && r.IssuedAt == "" && r.NextAt == "" { // no list is as good as an old one
		return errRevocationStale
	}
	issued, errI := r.IssuedAt.Parse()
	next, errN := r.NextAt.Parse()
	switch {
	case errI != nil || errN != nil || r.Number < 1:
		return errRevocationForm
	case slices.ContainsFunc(r.Serials, notHexNumber) || slices.ContainsFunc(r.Keys, notDigest):
		return errRevocationForm
	case !now.Before(next):
		return errRevocationStale
	case next.Sub(issued) > maxRevocationSpan:
		return errRevocationSpan
	}
	return nil
}

func notHexNumber(s string) bool {
	return s == "" || len(s) > 40 || (s[0] == '0' && s != "0") || strings.Trim(s, "0123456789abcdef") != ""
}

func notDigest(s string) bool { return !statement.IsDigest(s) }

// covers says whether any certificate of a chain, root included, is on the list.
func (r Revocations) covers(chain []*x509.Certificate) bool {
	return slices.ContainsFunc(chain, func(c *x509.Certificate) bool {
		return slices.Contains(r.Serials, c.SerialNumber.Text(16)) ||
			slices.Contains(r.Keys, statement.Digest(c.RawSubjectPublicKeyInfo))
	})
}
