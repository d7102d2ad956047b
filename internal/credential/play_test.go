package credential

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// noon is when the merchant asks.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// The keys of the play: made once, because making keys is slower than everything else here.
var (
	providerKey = newKey()
	lanKey      = newKey() // lan, the technician
	malloryKey  = newKey()
)

func newKey() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}

func pub(k *ecdsa.PrivateKey) statement.Key { return statement.KeyOf(&k.PublicKey) }

func commitment(value string) string { return statement.Commit("test", [16]byte{7}, []byte(value)) }

// lanClaims is lan's badge for the day, issued four hours before noon.
func lanClaims() BadgeClaims {
	return BadgeClaims{Issuer: "provider-1", StaffNumber: "staff-17", NameCommitment: commitment("name"),
		PhotoCommitment: commitment("photo"), Holder: pub(lanKey), IssuedAt: noon.Add(-4 * time.Hour),
		ExpiresAt: noon.Add(8 * time.Hour), StatusURI: "https://provider-1.example/status/1", StatusIndex: 5}
}

// lanAnswer is lan's answer at noon.
func lanAnswer() Binding {
	return Binding{Audience: "visit/v1", Nonce: "bm9uY2Utb2YtMTYtYnl0ZQ", Position: commitment("position"), Order: "order-1", At: noon.Add(3 * time.Second)}
}

// wanted is what the asker compares lan's answer with.
func wanted() Expectation {
	a := lanAnswer()
	return Expectation{Issuer: pub(providerKey), IssuerID: "provider-1", Audience: a.Audience, Nonce: a.Nonce, Order: a.Order,
		AskedAt: noon, AnsweredAt: noon.Add(5 * time.Second)}
}

func lanBadge(t testing.TB) []byte {
	t.Helper()
	badge, err := Issue(providerKey, lanClaims())
	if err != nil {
		t.Fatal(err)
	}
	return badge
}

func present(t testing.TB, badge []byte, b Binding) []byte {
	t.Helper()
	p, err := Present(lanKey, badge, b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Fatalf("got %q (%v), want %q", got, err, code)
	}
}

// compact signs any header and payload, as a forger with a key can.
func compact(t testing.TB, priv *ecdsa.PrivateKey, head, payload string) string {
	t.Helper()
	signed := encode([]byte(head)) + "." + encode([]byte(payload))
	sig, err := statement.SignES256(priv, []byte(signed))
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(sig)
}

// draft is a badge under construction, to be spoiled before it is signed.
type draft struct {
	header      string
	payload     badgePayload
	disclosures []string
	bare        bool // without any disclosure: one tilde
	signer      *ecdsa.PrivateKey
	raw         func(string) string // last change to the payload's JSON
}

// forged is lan's badge after spoil had its way with it. The digests stay those of the original
// disclosures unless spoil renews them.
func forged(t testing.TB, spoil func(d *draft)) []byte {
	t.Helper()
	c := lanClaims()
	d := draft{header: `{"alg":"ES256","typ":"dc+sd-jwt"}`, signer: providerKey, raw: func(s string) string { return s }}
	d.disclosures = []string{disclosed(c.StaffNumber)}
	d.payload = badgePayload{Iss: c.Issuer, Vct: BadgeType, Iat: c.IssuedAt.Unix(), Exp: c.ExpiresAt.Unix(),
		Cnf:    &confirmation{JWK: &jwk{Kty: "EC", Crv: "P-256", X: c.Holder.X, Y: c.Holder.Y}},
		Status: &statusClaim{StatusList: &statusReference{Idx: c.StatusIndex, URI: c.StatusURI}},
		SD:     []string{disclosureDigest(d.disclosures[0])}}
	spoil(&d)
	payload, err := json.Marshal(d.payload)
	if err != nil {
		t.Fatal(err)
	}
	jwt := compact(t, d.signer, d.header, d.raw(string(payload))) + "~"
	if d.bare {
		return []byte(jwt)
	}
	return []byte(jwt + strings.Join(d.disclosures, "~") + "~")
}

// disclosed is lan's disclosure with another staff number.
func disclosed(staff string) string {
	return newDisclosure(claimPerson, staff, shorter(commitment("name")), shorter(commitment("photo")))
}

// withDisclosure replaces the disclosure and signs its digest, as a careless issuer would.
func withDisclosure(d *draft, disclosure string) {
	d.disclosures = []string{disclosure}
	d.payload.SD = []string{disclosureDigest(disclosure)}
}

func withRaw(d *draft, disclosure string) { withDisclosure(d, encode([]byte(disclosure))) }
