package credential

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/statement"
)

// The badge in testdata was issued by irmago v1.3.0's SD-JWT builder with lan's claims and the kept
// vector's keys. Its signature, disclosures and digests are the standard's and are read here; as a
// badge it is refused, because irmago writes "x5c":null and leaves its digests unsorted. (The other
// way round, irmago v1.3.0 accepted the kept vector: both signatures, every disclosure, sd_hash,
// and every entry of the status list.)
func TestBadgeOfAnotherImplementation(t *testing.T) {
	raw, err := os.ReadFile("testdata/irmago_v1.3.0_badge.txt")
	if err != nil {
		t.Fatal(err)
	}
	kept, want, _ := keptVector(t)
	_, jwt, disclosures, binding, err := split(raw)
	if err != nil || binding != "" {
		t.Fatalf("%q, %v", binding, err)
	}
	parts := strings.Split(jwt, ".")
	payload, errP := statement.Base64URL(parts[1])
	sig, errS := statement.Base64URL(parts[2])
	issuer, errK := kept.Issuer.Public()
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
	values, err := readDisclosures(claims.SD, disclosures)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkValues(values, "provider-1"); err != nil || values[claimStaffNumber] != "staff-17" {
		t.Errorf("read %v, %v", values, err)
	}
	_, err = VerifyBadge(raw, kept.Issuer, "provider-1", want.AskedAt)
	wantCode(t, err, "badge_malformed")
}
