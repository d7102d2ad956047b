package evidence_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// overhead is the design's bound: judging may cost this much more than the bare signature and hash
// checks that it cannot do without, each distinct one once.
const overhead = 1.5

// check is one bare signature or hash check, its inputs laid out beforehand.
type check func() bool

// bare lists every distinct signature and hash in a bundle, without any parsing: statements, badge
// presentations, status lists, device proofs, log and witness signatures, digests, leaves and paths.
func bare(tb testing.TB, b *evidence.Bundle, t evidence.Trust) []check {
	tb.Helper()
	c := &collector{tb: tb, trust: t, keys: map[string]*ecdsa.PublicKey{}, seen: map[string]bool{}}
	c.key(t.File().TrustListKey)
	for _, e := range b.Entries {
		c.learn(claims(tb, e.Statement))
	}
	for _, e := range b.Entries {
		c.entry(e)
	}
	c.statement(decoded(tb, b.Closing))
	c.bundle(b)
	return c.checks
}

type collector struct {
	tb     testing.TB
	trust  evidence.Trust
	keys   map[string]*ecdsa.PublicKey
	seen   map[string]bool
	checks []check
}

func decoded(tb testing.TB, s string) []byte {
	tb.Helper()
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

func claims(tb testing.TB, s string) statement.Claims {
	tb.Helper()
	c, err := statement.Parse(decoded(tb, s))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func (c *collector) must(err error) {
	c.tb.Helper()
	if err != nil {
		c.tb.Fatal(err)
	}
}

func (c *collector) key(k statement.Key) {
	pub, err := k.Public()
	c.must(err)
	c.keys[k.Thumbprint()] = pub
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

func (c *collector) add(f check) {
	if !f() {
		c.tb.Fatalf("bare check %d does not hold", len(c.checks))
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
	event, envelope := decoded(c.tb, e.Event), decoded(c.tb, e.Statement)
	c.hash(event)
	c.hash([]byte("menshen-leaf-v1"), decoded(c.tb, e.Salt), event)
	c.statement(envelope)
	c.receipt(e.Receipt)
	s := claims(c.tb, e.Statement)
	var a visit.Admission
	var l registry.StatusList
	var q attest.Attestation
	switch {
	case s.Type == visit.TypeAdmission && s.UntrustedBody(&a) == nil:
		c.presentation(a.Presentation)
	case s.Type == registry.TypeStatusList && s.UntrustedBody(&l) == nil:
		c.jws(l.Token, c.badgeKey(s))
	case s.Type == attest.TypeAttestation && s.UntrustedBody(&q) == nil:
		c.quote(q)
	}
}

func (c *collector) statement(envelope []byte) {
	c.hash(envelope)
	s, err := statement.Parse(envelope)
	c.must(err)
	var e struct {
		PayloadType string `json:"payloadType"`
		Payload     string `json:"payload"`
		Signatures  []struct {
			KeyID string `json:"keyid"`
			Sig   string `json:"sig"`
		} `json:"signatures"`
	}
	c.must(statement.Decode(envelope, &e))
	c.es256(c.keys[s.Header.Key], statement.PAE(statement.PayloadType, s.Payload()), decoded(c.tb, e.Signatures[0].Sig))
}

// badgeKey is the provider's badge key: the only key on the list that is no statement key.
func (c *collector) badgeKey(s statement.Claims) *ecdsa.PublicKey {
	return c.keys[closed.play.Cast.BadgeKey.Public().Thumbprint()]
}

func (c *collector) jws(token string, pub *ecdsa.PublicKey) {
	at := strings.LastIndexByte(token, '.')
	sig, err := base64.RawURLEncoding.DecodeString(token[at+1:])
	c.must(err)
	c.es256(pub, []byte(token[:at]), sig)
}

func (c *collector) presentation(p string) {
	badge, _, _ := strings.Cut(p, "~")
	c.jws(badge, c.badgeKey(statement.Claims{}))
	c.jws(p[strings.LastIndexByte(p, '~')+1:], c.keys[closed.play.Cast.Technician.Public().Thumbprint()])
	c.hash([]byte(p))
}

func (c *collector) quote(a attest.Attestation) {
	var p attest.X509Proof
	c.must(statement.DecodeCanonical(decoded(c.tb, a.Proof), &p))
	leaf, err := x509.ParseCertificate(decoded(c.tb, p.Chain[0]))
	c.must(err)
	root, err := x509.ParseCertificate(decoded(c.tb, c.trust.File().DeviceRoots[0].Certificate))
	c.must(err)
	c.add(func() bool { return leaf.CheckSignatureFrom(root) == nil })
	c.es256(leaf.PublicKey.(*ecdsa.PublicKey), attest.QuoteMessage(decoded(c.tb, p.Quote)), decoded(c.tb, p.Signature))
}

// receipt adds the Merkle path and, once for each checkpoint, its signatures.
func (c *collector) receipt(receipt string) {
	head, checkpoint, _ := strings.Cut(receipt, "\n\n")
	node := make([]byte, 32)
	for _, line := range strings.Split(head, "\n")[2:] {
		c.hash([]byte{1}, node, decoded(c.tb, line))
	}
	if c.seen[checkpoint] {
		return
	}
	c.seen[checkpoint] = true
	text, block, _ := strings.Cut(checkpoint, "\n\n")
	f := c.trust.File()
	for i, line := range strings.Split(strings.TrimSuffix(block, "\n"), "\n") {
		raw := decoded(c.tb, line[strings.LastIndexByte(line, ' ')+1:])[4:]
		vkey, message := f.Log.Key, []byte(text+"\n")
		if i > 0 {
			vkey = f.Witnesses[i-1].Key
			message = fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s\n", binary.BigEndian.Uint64(raw), text)
			raw = raw[8:]
		}
		public := ed25519.PublicKey(decoded(c.tb, strings.SplitN(vkey, "+", 3)[2])[1:])
		c.add(func() bool { return ed25519.Verify(public, message, raw) })
	}
}

// bundle adds the digests that the closing covers.
func (c *collector) bundle(b *evidence.Bundle) {
	for _, o := range b.Openings {
		c.hash([]byte(o.Kind), []byte{0}, decoded(c.tb, o.Salt), []byte(o.Value))
	}
	entries, err := statement.Canonical(b.Entries)
	c.must(err)
	c.hash(entries)
}

func BenchmarkBareChecks(b *testing.B) {
	checks := bare(b, install(b).opened(b), install(b).play.Trust)
	for b.Loop() {
		for _, c := range checks {
			c()
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	p := install(b)
	for b.Loop() {
		opened, err := evidence.Open(p.bundle)
		if err != nil || !evidence.Verify(opened, p.play.Trust).Accepted() {
			b.Fatal(err)
		}
	}
}

func BenchmarkJudge(b *testing.B) {
	p := install(b)
	d := p.ledger.Dossier(p.play.ID, p.ledger.Log.Size())
	for b.Loop() {
		// The visit is closed; what is asked for costs the same.
		if r := evidence.Judge(d, p.play.Trust, visit.AskClose, p.play.Now()); r.State().Number() == 0 {
			b.Fatal(r.Refusal)
		}
	}
}

func BenchmarkPreviewAgain(b *testing.B) {
	p := install(b)
	d := p.ledger.Dossier(p.play.ID, 0)
	r := evidence.NewReader(p.play.Trust)
	for b.Loop() {
		r.Preview(d, visit.AskLive, p.play.Now())
	}
}

// TestOverhead reports what Verify and Judge cost beside the bare checks. It takes turns and keeps the
// best of each, because the machine is shared; the figure is for people, and far from the bound that
// would show a defect.
func TestOverhead(t *testing.T) {
	p := install(t)
	checks := bare(t, p.opened(t), p.play.Trust)
	d := p.ledger.Dossier(p.play.ID, p.ledger.Log.Size())
	parts := []func(){
		func() {
			for _, c := range checks {
				c()
			}
		},
		func() {
			b, err := evidence.Open(p.bundle)
			if err != nil || !evidence.Verify(b, p.play.Trust).Accepted() {
				t.Fatal(err)
			}
		},
		func() { evidence.Judge(d, p.play.Trust, visit.AskClose, p.play.Now()) },
	}
	best := []time.Duration{time.Hour, time.Hour, time.Hour}
	for range 25 {
		for i, part := range parts {
			start := time.Now()
			part()
			best[i] = min(best[i], time.Since(start))
		}
	}
	verify, judge := float64(best[1])/float64(best[0]), float64(best[2])/float64(best[0])
	t.Logf("%d bare checks %v; Verify of 5 decisions %v (%.2f); Judge %v (%.2f); design figure %.1f", len(checks), best[0], best[1], verify, best[2], judge, overhead)
	if verify > 10*overhead || judge > 10*overhead {
		t.Errorf("Verify costs %.1f and Judge %.1f times the bare checks", verify, judge)
	}
}
