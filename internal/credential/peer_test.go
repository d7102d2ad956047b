package credential

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/statement"
)

// The badge in testdata was issued by irmago v1.3.0's SD-JWT builder with lan's claims and the kept
// vector's keys of that day. Its signature, disclosures and digests are the standard's and fit here; as
// a badge it is refused, because irmago writes "x5c":null, and has more than the one disclosure.
// irmagoIssuer is the key that it was made with.
var irmagoIssuer = statement.Key{Kind: statement.ES256, X: "nCsp6QbNgrOJm3s5W9Bz6rIMa8A10HTACN9N8JCz2QA", Y: "wfB-GTO4HQ4P43an0EFPSwOmOWAoamV7VDkSqA3gztc"}

func TestBadgeOfAnotherImplementation(t *testing.T) {
	raw, err := os.ReadFile("testdata/irmago_v1.3.0_badge.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, jwt, disclosures, binding, err := split(raw)
	if err != nil || binding != "" {
		t.Fatalf("%q, %v", binding, err)
	}
	parts := strings.Split(jwt, ".")
	payload, errP := statement.Base64URL(parts[1])
	sig, errS := statement.Base64URL(parts[2])
	issuer, errK := irmagoIssuer.Public()
	if errP != nil || errS != nil || errK != nil {
		t.Fatal(errP, errS, errK)
	}
	if !statement.VerifyES256(issuer, []byte(parts[0]+"."+parts[1]), sig) {
		t.Error("the signature does not hold")
	}
	var claims struct {
		SD []string `json:"_sd"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	for _, d := range disclosures {
		if !slices.Contains(claims.SD, disclosureDigest(d)) {
			t.Errorf("%s belongs to no digest", d)
		}
	}
	_, err = VerifyBadge(raw, irmagoIssuer, "provider-1", noon)
	wantCode(t, err, "badge_malformed")
}
