package scenario

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// BareCheck is one bare signature or hash check, its inputs laid out beforehand.
type BareCheck func() bool

// BareChecks lists every distinct signature and hash in a bundle, without any parsing: statements, badge
// presentations, status lists, device proofs, log and witness signatures, digests, leaves and paths. It
// is what judging the bundle cannot do without, and so the floor of what judging costs. The bundle is
// one of a play of this cast, in order; on any other it panics.
func BareChecks(b *evidence.Bundle, t evidence.Trust, cast *Cast) []BareCheck {
	c := &collector{cast: cast, trust: t, keys: map[string]*ecdsa.PublicKey{}, seen: map[string]bool{}}
	c.key(t.File().TrustListKey)
	for _, e := range b.Entries {
		c.learn(claimsOf(e.Statement))
	}
	for _, e := range b.Entries {
		c.entry(e)
	}
	c.statement(decoded(b.Closing))
	c.bundle(b)
	return c.checks
}

type collector struct {
	cast   *Cast
	trust  evidence.Trust
	keys   map[string]*ecdsa.PublicKey
	seen   map[string]bool
	checks []BareCheck
}

func decoded(s string) []byte { return value(base64.StdEncoding.DecodeString(s)) }

// value gives what an honest play cannot get wrong.
func value[T any](v T, err error) T {
	must(err)
	return v
}

func claimsOf(s string) statement.Claims { return value(statement.Parse(decoded(s))) }

func (c *collector) key(k statement.Key) {
	c.keys[k.Thumbprint()] = value(k.Public())
}

// learn takes the keys that lists and enrolments hold.
func (c *collector) learn(s statement.Claims) {
	var list credential.TrustList
	var e statement.Enrolment
	switch {
	case s.Type == credential.TypeTrustList && s.UntrustedBody(&list) == nil:
		for _, o := range list.Organisations {
			c.key(o.Key)
			if o.BadgeKey != nil {
				c.key(*o.BadgeKey)
			}
		}
	case s.Type == statement.TypeEnrolment && s.UntrustedBody(&e) == nil:
		c.key(e.Key)
	}
}

func (c *collector) add(f BareCheck) {
	if !f() {
		panic(fmt.Sprintf("bare check %d does not hold", len(c.checks)))
	}
	c.checks = append(c.checks, f)
}

func (c *collector) es256(pub *ecdsa.PublicKey, message, sig []byte) {
	c.add(func() bool { return statement.VerifyES256(pub, message, sig) })
}

func (c *collector) hash(data ...[]byte) {
	c.add(func() bool {
		h := sha256.New()
		for _, d := range data {
			h.Write(d)
		}
		return len(h.Sum(nil)) == 32
	})
}

func (c *collector) entry(e evidence.Entry) {
	event, envelope := decoded(e.Event), decoded(e.Statement)
	c.hash(event)
	c.hash([]byte("menshen-leaf-v1"), decoded(e.Salt), event)
	c.statement(envelope)
	c.receipt(e.Receipt)
	s := claimsOf(e.Statement)
	var a visit.Admission
	var l registry.StatusList
	var q attest.Attestation
	switch {
	case s.Type == visit.TypeAdmission && s.UntrustedBody(&a) == nil:
		c.presentation(a.Presentation)
	case s.Type == registry.TypeStatusList && s.UntrustedBody(&l) == nil:
		c.jws(l.Token, c.badgeKey())
	case s.Type == attest.TypeAttestation && s.UntrustedBody(&q) == nil:
		c.quote(q)
	}
}

func (c *collector) statement(envelope []byte) {
	c.hash(envelope)
	s := value(statement.Parse(envelope))
	var e struct {
		PayloadType string `json:"payloadType"`
		Payload     string `json:"payload"`
		Signatures  []struct {
			KeyID string `json:"keyid"`
			Sig   string `json:"sig"`
		} `json:"signatures"`
	}
	must(statement.Decode(envelope, &e))
	c.es256(c.keys[s.Header.Key], statement.PAE(statement.PayloadType, s.Payload()), decoded(e.Signatures[0].Sig))
}

// badgeKey is the provider's badge key: the only key on the list that is no statement key.
func (c *collector) badgeKey() *ecdsa.PublicKey { return c.keys[c.cast.BadgeKey.Public().Thumbprint()] }

func (c *collector) jws(token string, pub *ecdsa.PublicKey) {
	at := strings.LastIndexByte(token, '.')
	c.es256(pub, []byte(token[:at]), value(base64.RawURLEncoding.DecodeString(token[at+1:])))
}

func (c *collector) presentation(p string) {
	badge, _, _ := strings.Cut(p, "~")
	c.jws(badge, c.badgeKey())
	c.jws(p[strings.LastIndexByte(p, '~')+1:], c.keys[c.cast.Technician.Public().Thumbprint()])
	c.hash([]byte(p))
}

func (c *collector) quote(a attest.Attestation) {
	var p attest.X509Proof
	must(statement.DecodeCanonical(decoded(a.Proof), &p))
	leaf := value(x509.ParseCertificate(decoded(p.Chain[0])))
	root := value(x509.ParseCertificate(decoded(c.trust.File().DeviceRoots[0].Certificate)))
	c.add(func() bool { return leaf.CheckSignatureFrom(root) == nil })
	c.es256(leaf.PublicKey.(*ecdsa.PublicKey), attest.QuoteMessage(decoded(p.Quote)), decoded(p.Signature))
}

// receipt adds the Merkle path and, once for each checkpoint, its signatures.
func (c *collector) receipt(receipt string) {
	head, checkpoint, _ := strings.Cut(receipt, "\n\n")
	node := make([]byte, 32)
	for _, line := range strings.Split(head, "\n")[2:] {
		c.hash([]byte{1}, node, decoded(line))
	}
	if c.seen[checkpoint] {
		return
	}
	c.seen[checkpoint] = true
	text, block, _ := strings.Cut(checkpoint, "\n\n")
	f := c.trust.File()
	for i, line := range strings.Split(strings.TrimSuffix(block, "\n"), "\n") {
		raw := decoded(line[strings.LastIndexByte(line, ' ')+1:])[4:]
		vkey, message := f.Log.Key, []byte(text+"\n")
		if i > 0 {
			vkey = f.Witnesses[i-1].Key
			message = fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s\n", binary.BigEndian.Uint64(raw), text)
			raw = raw[8:]
		}
		public := ed25519.PublicKey(decoded(strings.SplitN(vkey, "+", 3)[2])[1:])
		c.add(func() bool { return ed25519.Verify(public, message, raw) })
	}
}

// bundle adds the digests that the closing covers.
func (c *collector) bundle(b *evidence.Bundle) {
	for _, o := range b.Openings {
		c.hash([]byte(o.Kind), []byte{0}, decoded(o.Salt), []byte(o.Value))
	}
	c.hash(value(statement.Canonical(b.Entries)))
}
