package credential

import (
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
)

// TestABadgeIsProvenOnceAndAskedEachTime walks one badge through a day. Its issuer's signature is computed at
// the first door; everything that may have changed by the next is asked there again.
func TestABadgeIsProvenOnceAndAskedEachTime(t *testing.T) {
	var v Verifier
	badge := lanBadge(t)
	first := present(t, badge, lanAnswer())
	opened := func(want int) {
		t.Helper()
		if got := v.signed.Len(); got != want {
			t.Fatalf("%d badges remembered, want %d", got, want)
		}
	}
	shows := func(presentation []byte, want Expectation, code string) {
		t.Helper()
		p, err := v.VerifyPresentation(presentation, want)
		if code != "" {
			wantCode(t, err, code)
			if p.OK() || p.Badge().OK() {
				t.Fatal("what is refused is not OK")
			}
			return
		}
		if err != nil || !p.OK() {
			t.Fatalf("refused: %v", err)
		}
		bare, err := VerifyPresentation(presentation, want)
		if err != nil || p.Digest() != bare.Digest() || p.Badge().Digest() != bare.Badge().Digest() || p.Badge().Holder().Thumbprint() != bare.Badge().Holder().Thumbprint() {
			t.Fatalf("remembered and computed differ: %v", err)
		}
	}

	shows(first, wanted(), "")
	opened(1)
	shows(first, wanted(), "")
	opened(1)

	// The next door has another challenge. The answer to the first one does not do.
	next := wanted()
	next.Nonce = strings.Repeat("n", minNonce)
	shows(first, next, "kb_nonce")
	again := lanAnswer()
	again.Nonce = next.Nonce
	shows(present(t, badge, again), next, "")
	opened(1)

	// In the evening the badge has ended.
	late := wanted()
	late.AskedAt = lanClaims().ExpiresAt
	late.AnsweredAt = late.AskedAt.Add(time.Second)
	shows(first, late, "badge_expired")

	// The trust list names another key for the provider now, or the badge is shown as another provider's.
	other := wanted()
	other.Issuer = pub(lanKey)
	shows(first, other, "badge_signature")
	other = wanted()
	other.IssuerID = "provider-2"
	shows(first, other, "badge_issuer_other")
	other = wanted()
	other.Issuer.Kind = statement.WebAuthn
	shows(first, other, "credential_issuer_key")
	opened(1)
}

// TestEveryChangeIsRefusedBesideARememberedBadge changes each character of a presentation whose badge was
// proven before: a memory that answered for other bytes would let one through.
func TestEveryChangeIsRefusedBesideARememberedBadge(t *testing.T) {
	var v Verifier
	data := present(t, lanBadge(t), lanAnswer())
	if _, err := v.VerifyPresentation(data, wanted()); err != nil {
		t.Fatal(err)
	}
	for i := range data {
		changed := []byte(string(data))
		changed[i] ^= 1
		if p, err := v.VerifyPresentation(changed, wanted()); err == nil || p.OK() {
			t.Fatalf("byte %d changed, and not refused", i)
		}
	}
	if got := v.signed.Len(); got != 1 {
		t.Fatalf("%d badges remembered, want 1: refusals are not kept", got)
	}
}
