package credential

import (
	"bytes"
	"compress/zlib"
	"crypto/ecdsa"
	"io"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
)

// Status is a status type of draft-ietf-oauth-status-list §7.1.
type Status byte

const (
	Valid     Status = 0
	Invalid   Status = 1 // revoked for good
	Suspended Status = 2
)

// Bounds of a status list.
const (
	maxStatusToken    = 512 << 10 // bytes of the token
	maxStatusInflated = 1 << 20   // bytes of the array: 8,388,608 entries of one bit
	maxStatusLife     = 24 * time.Hour
)

// StatusListClaims is what an issuer publishes about its badges.
type StatusListClaims struct {
	URI       string // the list's name, as badges give it
	IssuedAt  time.Time
	ExpiresAt time.Time     // at most 24 h after IssuedAt
	TTL       time.Duration // whole seconds; readers refuse the list when it is older
	Bits      int           // 1, 2, 4 or 8 per entry; 1 cannot say suspended
	Statuses  []Status      // by index
}

type statusPayload struct {
	Sub        string     `json:"sub"`
	Iat        int64      `json:"iat"`
	Exp        int64      `json:"exp"`
	TTL        int64      `json:"ttl"`
	StatusList packedList `json:"status_list"`
}

// packedList is the draft's StatusList structure (§4.2), without aggregation_uri.
type packedList struct {
	Bits int    `json:"bits"`
	Lst  string `json:"lst"`
}

// BuildStatusList signs a status list token (draft-ietf-oauth-status-list §5.1). It gives out
// nothing that VerifyStatusList would refuse, with its fault; a status that does not fit the bits
// refuses with status_list_bits.
func BuildStatusList(issuer *ecdsa.PrivateKey, c StatusListClaims) ([]byte, error) {
	data, err := pack(c.Statuses, c.Bits)
	if err != nil {
		return nil, err
	}
	token, err := statusToken.sign(issuer, statusPayload{Sub: c.URI, Iat: c.IssuedAt.Unix(), Exp: c.ExpiresAt.Unix(),
		TTL: int64(c.TTL / time.Second), StatusList: packedList{Bits: c.Bits, Lst: encode(deflate(data))}})
	if err != nil {
		return nil, err
	}
	want := StatusExpectation{Issuer: statement.KeyOf(&issuer.PublicKey), IssuerID: "self", URI: c.URI, Now: c.IssuedAt}
	if _, err := VerifyStatusList([]byte(token), want); err != nil {
		return nil, err
	}
	return []byte(token), nil
}

func bitsKnown(bits int) bool { return bits == 1 || bits == 2 || bits == 4 || bits == 8 }

// pack lays statuses into bytes, lowest bits first (§4.1). Entries that only fill up the last byte
// are Invalid: nobody has that index, so nobody is admitted under it.
func pack(statuses []Status, bits int) ([]byte, error) {
	if !bitsKnown(bits) {
		return nil, errStatusBits
	}
	perByte := 8 / bits
	out := make([]byte, (len(statuses)+perByte-1)/perByte)
	for i := range len(out) * perByte {
		s := Invalid
		if i < len(statuses) {
			s = statuses[i]
		}
		if int(s) >= 1<<bits {
			return nil, errStatusBits.Atf("entry %d", i)
		}
		out[i/perByte] |= byte(s) << (i % perByte * bits)
	}
	return out, nil
}

func deflate(data []byte) []byte {
	var b bytes.Buffer
	w, _ := zlib.NewWriterLevel(&b, zlib.BestCompression) // the level is a known one
	_, _ = w.Write(data)                                  // a bytes.Buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// inflate undoes deflate and stops at the bound, whatever the compressed bytes promise.
func inflate(compressed []byte) ([]byte, error) {
	in := bytes.NewReader(compressed)
	r, err := zlib.NewReader(in)
	if err != nil {
		return nil, errStatusCompression.Because(err)
	}
	out, err := io.ReadAll(io.LimitReader(r, maxStatusInflated+1))
	if err != nil {
		return nil, errStatusCompression.Because(err)
	}
	if len(out) > maxStatusInflated {
		return nil, errStatusInflated
	}
	if in.Len() != 0 {
		return nil, errStatusCompression.At("trailing bytes")
	}
	return out, nil
}

// StatusExpectation says which list is wanted, from whom, and when. Every member is required.
type StatusExpectation struct {
	Issuer   statement.Key // the badge key that the trust list holds for IssuerID
	IssuerID string
	URI      string
	Now      time.Time
}

// StatusList is an issuer's word on its badges, checked and in date. The zero value refuses.
type StatusList struct {
	issuer, uri string
	issuedAt    time.Time
	until       time.Time
	bits        int
	data        []byte
	digest      string
	ok          bool
}

// OK is false for the zero value.
func (l StatusList) OK() bool { return l.ok }

// Issuer is the organisation whose list it is.
func (l StatusList) Issuer() string { return l.issuer }

// URI is the list's name.
func (l StatusList) URI() string { return l.uri }

// IssuedAt is when it was signed, UTC; pages show the list's age.
func (l StatusList) IssuedAt() time.Time { return l.issuedAt }

// Until is the first moment at which the list is stale: expiry, or issue plus time to live.
func (l StatusList) Until() time.Time { return l.until }

// Digest is the hex SHA-256 of the token's bytes.
func (l StatusList) Digest() string { return l.digest }

// VerifyStatusList checks a status list token (draft-ietf-oauth-status-list §8.3). exp and ttl,
// which the draft recommends, are required here, and ttl counts from iat, because when a copy was
// fetched is nobody's signed word.
func VerifyStatusList(token []byte, want StatusExpectation) (StatusList, error) {
	if want.IssuerID == "" || want.URI == "" || want.Now.IsZero() {
		return StatusList{}, errStatusExpect
	}
	if len(token) > maxStatusToken {
		return StatusList{}, errStatusTooLarge
	}
	pub, err := es256(want.Issuer)
	if err != nil {
		return StatusList{}, err
	}
	raw, err := statusToken.open(string(token), pub, want.Issuer)
	if err != nil {
		return StatusList{}, err
	}
	var p statusPayload
	if err := statement.Decode(raw, &p); err != nil {
		return StatusList{}, errStatusMalformed.At("payload").Because(err)
	}
	// §8.3: "The subject claim (sub or 2) of the Status List Token MUST be equal to the uri claim in
	// the status_list object of the Referenced Token". Else a list that says nothing of this badge
	// could stand in for the one that does.
	if p.Sub != want.URI || !plainURI(p.Sub) {
		return StatusList{}, errStatusURIOther
	}
	l := StatusList{issuer: want.IssuerID, uri: p.Sub, digest: statement.Digest(token)}
	if err := l.readPeriod(p, want.Now); err != nil {
		return StatusList{}, err
	}
	if err := l.readList(p.StatusList); err != nil {
		return StatusList{}, err
	}
	l.ok = true
	return l, nil
}

func (l *StatusList) readPeriod(p statusPayload, now time.Time) error {
	iat, okI := second(p.Iat)
	exp, okE := second(p.Exp)
	if !okI || !okE || !iat.Before(exp) || p.TTL <= 0 {
		return errStatusWindow
	}
	if exp.Sub(iat) > maxStatusLife {
		return errStatusTooLong
	}
	if now.Before(iat.Add(-clockLeeway)) {
		return errStatusNotYet
	}
	until := exp
	if p.TTL < int64(exp.Sub(iat)/time.Second) {
		until = iat.Add(time.Duration(p.TTL) * time.Second)
	}
	if !now.Before(until) {
		return errStatusStale
	}
	l.issuedAt, l.until = iat, until
	return nil
}

func (l *StatusList) readList(s packedList) error {
	if !bitsKnown(s.Bits) {
		return errStatusBits
	}
	compressed, err := statement.Base64URL(s.Lst)
	if err != nil {
		return errStatusMalformed.At("lst").Because(err)
	}
	l.data, err = inflate(compressed)
	l.bits = s.Bits
	return err
}

// At reads one entry. Every status but Valid, Invalid and Suspended refuses with status_unknown; an
// index outside the list refuses with status_index_outside.
func (l StatusList) At(index int) (Status, error) {
	if !l.ok {
		return Invalid, errStatusUnverified
	}
	perByte := 8 / l.bits
	if index < 0 || index/perByte >= len(l.data) {
		return Invalid, errStatusOutside
	}
	s := Status(l.data[index/perByte] >> (index % perByte * l.bits) & byte(1<<l.bits-1))
	if s > Suspended {
		return Invalid, errStatusUnknown
	}
	return s, nil
}

// Admits says whether the badge stands: nil, badge_revoked, badge_suspended, or why the list
// cannot say.
func (l StatusList) Admits(b Badge) error {
	switch {
	case !l.ok:
		return errStatusUnverified
	case !b.ok:
		return errBadgeUnverified
	case l.issuer != b.issuer:
		return errStatusIssuer
	case l.uri != b.statusURI:
		return errStatusURIOther
	}
	s, err := l.At(b.statusIndex)
	if err != nil {
		return err
	}
	switch s {
	case Valid:
		return nil
	case Suspended:
		return errBadgeSuspended
	default:
		return errBadgeRevoked
	}
}
