package credential

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
)

func TestBadgeSaysWhatWasIssued(t *testing.T) {
	c := lanClaims()
	c.NotBefore = c.IssuedAt.Add(time.Minute)
	badge, err := Issue(providerKey, c)
	if err != nil {
		t.Fatal(err)
	}
	b, err := VerifyBadge(badge, pub(providerKey), "provider-1", noon)
	if err != nil {
		t.Fatal(err)
	}
	if !b.OK() || b.Issuer() != c.Issuer || b.StaffNumber() != c.StaffNumber || b.NameCommitment() != c.NameCommitment ||
		b.PhotoCommitment() != c.PhotoCommitment || b.StatusURI() != c.StatusURI || b.StatusIndex() != c.StatusIndex {
		t.Errorf("the badge reads %+v", b)
	}
	if b.Holder().Thumbprint() != c.Holder.Thumbprint() || b.IssuerKey() != pub(providerKey).Thumbprint() {
		t.Error("the badge names other keys")
	}
	if !b.IssuedAt().Equal(c.IssuedAt) || !b.ExpiresAt().Equal(c.ExpiresAt) || b.Digest() != statement.Digest(badge) {
		t.Error("the badge's times or digest differ")
	}
	if strings.Contains(string(badge), c.StaffNumber) {
		t.Error("the staff number is readable without decoding the disclosures")
	}
}

func TestZeroBadgeRefuses(t *testing.T) {
	var b Badge
	if b.OK() {
		t.Error("the zero badge is OK")
	}
	l := statusList(t, lanStatuses())
	wantCode(t, l.Admits(b), "badge_unverified")
}

func TestBadgeWithIssuerKidIsRead(t *testing.T) {
	badge := forged(t, func(d *draft) {
		d.header = `{"typ":"dc+sd-jwt","kid":"` + pub(providerKey).Thumbprint() + `","alg":"ES256"}`
	})
	if _, err := VerifyBadge(badge, pub(providerKey), "provider-1", noon); err != nil {
		t.Error(err)
	}
}

// Every row is one thing wrong with an otherwise good badge.
var spoiledBadges = []struct {
	name  string
	spoil func(d *draft)
	code  string
}{
	{"nothing is wrong", func(d *draft) {}, ""},
	{"algorithm none", func(d *draft) { d.header = `{"alg":"none","typ":"dc+sd-jwt"}` }, "badge_algorithm"},
	{"algorithm HS256", func(d *draft) { d.header = `{"alg":"HS256","typ":"dc+sd-jwt"}` }, "badge_algorithm"},
	{"algorithm es256", func(d *draft) { d.header = `{"alg":"es256","typ":"dc+sd-jwt"}` }, "badge_algorithm"},
	{"old type", func(d *draft) { d.header = `{"alg":"ES256","typ":"vc+sd-jwt"}` }, "badge_type"},
	{"plain JWT", func(d *draft) { d.header = `{"alg":"ES256","typ":"JWT"}` }, "badge_type"},
	{"no type", func(d *draft) { d.header = `{"alg":"ES256"}` }, "badge_malformed"},
	{"null kid", func(d *draft) { d.header = `{"alg":"ES256","typ":"dc+sd-jwt","kid":null}` }, "badge_malformed"},
	{"other kid", func(d *draft) { d.header = `{"alg":"ES256","typ":"dc+sd-jwt","kid":"k"}` }, "badge_key_other"},
	{"empty kid", func(d *draft) { d.header = `{"alg":"ES256","typ":"dc+sd-jwt","kid":""}` }, "badge_key_other"},
	{"alg twice", func(d *draft) { d.header = `{"alg":"none","alg":"ES256","typ":"dc+sd-jwt"}` }, "badge_malformed"},
	{"Alg in capitals", func(d *draft) { d.header = `{"Alg":"ES256","typ":"dc+sd-jwt"}` }, "badge_malformed"},
	{"crit", func(d *draft) { d.header = `{"alg":"ES256","typ":"dc+sd-jwt","crit":["b64"],"b64":false}` }, "badge_malformed"},
	{"b64", func(d *draft) { d.header = `{"alg":"ES256","typ":"dc+sd-jwt","b64":true}` }, "badge_malformed"},
	{"header jwk", func(d *draft) { d.header = `{"alg":"ES256","typ":"dc+sd-jwt","jwk":{}}` }, "badge_self_vouched"},
	{"header jku", func(d *draft) { d.header = `{"alg":"ES256","typ":"dc+sd-jwt","jku":"https://x.example"}` }, "badge_self_vouched"},
	{"header x5c", func(d *draft) { d.header = `{"alg":"ES256","typ":"dc+sd-jwt","x5c":[]}` }, "badge_self_vouched"},
	{"header x5u", func(d *draft) { d.header = `{"alg":"ES256","typ":"dc+sd-jwt","x5u":""}` }, "badge_self_vouched"},
	{"header x5t", func(d *draft) { d.header = `{"alg":"ES256","typ":"dc+sd-jwt","x5t":""}` }, "badge_self_vouched"},
	{"header x5t#S256", func(d *draft) { d.header = `{"alg":"ES256","typ":"dc+sd-jwt","x5t#S256":""}` }, "badge_self_vouched"},
	{"mallory signs", func(d *draft) { d.signer = malloryKey }, "badge_signature"},
	{"payload is no object", func(d *draft) { d.raw = func(string) string { return `[]` } }, "badge_malformed"},
	{"unknown claim", func(d *draft) { d.raw = func(s string) string { return strings.Replace(s, "{", `{"admin":1,`, 1) } }, "badge_malformed"},
	{"iss twice", func(d *draft) {
		d.raw = func(s string) string { return strings.Replace(s, "{", `{"iss":"provider-1",`, 1) }
	}, "badge_malformed"},
	{"fractional iat", func(d *draft) { d.raw = func(s string) string { return strings.Replace(s, `,"exp"`, `.5,"exp"`, 1) } }, "badge_malformed"},
	{"payload jwk", func(d *draft) { d.payload.JWK = []byte(`{}`) }, "badge_self_vouched"},
	{"payload jwks", func(d *draft) { d.payload.JWKS = []byte(`{}`) }, "badge_self_vouched"},
	{"payload jwks_uri", func(d *draft) { d.payload.JWKSURI = []byte(`"https://x.example"`) }, "badge_self_vouched"},
	{"payload x5c", func(d *draft) { d.payload.X5C = []byte(`[]`) }, "badge_self_vouched"},
	{"other issuer", func(d *draft) { d.payload.Iss = "provider-2" }, "badge_issuer_other"},
	{"other credential", func(d *draft) { d.payload.Vct = "urn:menshen:badge:v2" }, "badge_credential_type"},
	{"sha-512", func(d *draft) { alg := "sha-512"; d.payload.SDAlg = &alg }, "badge_digest_algorithm"},
	{"sha-256 said", func(d *draft) { alg := "sha-256"; d.payload.SDAlg = &alg }, ""},
	{"no digest algorithm named", func(d *draft) { alg := ""; d.payload.SDAlg = &alg }, "badge_digest_algorithm"},
	{"no cnf", func(d *draft) { d.payload.Cnf = nil }, "badge_key_missing"},
	{"empty cnf", func(d *draft) { d.payload.Cnf.JWK = nil }, "badge_key_missing"},
	{"cnf by kid", func(d *draft) {
		d.raw = func(s string) string { return strings.Replace(s, `"cnf":{`, `"cnf":{"kid":"k",`, 1) }
	}, "badge_malformed"},
	{"private jwk", func(d *draft) {
		d.raw = func(s string) string { return strings.Replace(s, `"kty"`, `"d":"AA","kty"`, 1) }
	}, "badge_malformed"},
	{"RSA holder", func(d *draft) { d.payload.Cnf.JWK.Kty = "RSA" }, "badge_key_malformed"},
	{"P-384 holder", func(d *draft) { d.payload.Cnf.JWK.Crv = "P-384" }, "badge_key_malformed"},
	{"point off the curve", func(d *draft) { d.payload.Cnf.JWK.X = d.payload.Cnf.JWK.Y }, "badge_key_malformed"},
	{"iat is zero", func(d *draft) { d.payload.Iat = 0 }, "badge_window"},
	{"exp beyond all years", func(d *draft) { d.payload.Exp = lastSecond + 1 }, "badge_window"},
	{"exp before iat", func(d *draft) { d.payload.Exp = d.payload.Iat }, "badge_window"},
	{"nbf before iat", func(d *draft) { n := d.payload.Iat - 1; d.payload.Nbf = &n }, "badge_window"},
	{"nbf at exp", func(d *draft) { n := d.payload.Exp; d.payload.Nbf = &n }, "badge_window"},
	{"nbf is no time", func(d *draft) { n := int64(-1); d.payload.Nbf = &n }, "badge_window"},
	{"a day", func(d *draft) { d.payload.Exp = d.payload.Iat + 86400 }, ""},
	{"a day and a second", func(d *draft) { d.payload.Exp = d.payload.Iat + 86401 }, "badge_too_long"},
	{"expires now", func(d *draft) { d.payload.Exp = noon.Unix() }, "badge_expired"},
	{"expires in a second", func(d *draft) { d.payload.Exp = noon.Unix() + 1 }, ""},
	{"begins now", func(d *draft) { d.payload.Iat = noon.Unix() }, ""},
	{"begins in a second", func(d *draft) { d.payload.Iat = noon.Unix() + 1 }, "badge_not_yet"},
	{"nbf in a second", func(d *draft) { n := noon.Unix() + 1; d.payload.Nbf = &n }, "badge_not_yet"},
	{"no status", func(d *draft) { d.payload.Status = nil }, "badge_status_missing"},
	{"no status list", func(d *draft) { d.payload.Status.StatusList = nil }, "badge_status_missing"},
	{"index below zero", func(d *draft) { d.payload.Status.StatusList.Idx = -1 }, "badge_status_malformed"},
	{"index too high", func(d *draft) { d.payload.Status.StatusList.Idx = maxStatusIndex + 1 }, "badge_status_malformed"},
	{"status without scheme", func(d *draft) { d.payload.Status.StatusList.URI = "status/1" }, "badge_status_malformed"},
	{"status with a space", func(d *draft) { d.payload.Status.StatusList.URI = "https://a.example/ b" }, "badge_status_malformed"},
	{"digest missing", func(d *draft) { d.payload.SD = []string{} }, "badge_digests"},
	{"decoy digest", func(d *draft) {
		d.payload.SD = append(d.payload.SD, disclosureDigest("decoy"))
		slices.Sort(d.payload.SD)
	}, "badge_digests"},
	{"digest twice", func(d *draft) { d.payload.SD = append(d.payload.SD, d.payload.SD[0]) }, "badge_digests"},
	{"digest too short", func(d *draft) { d.payload.SD[0] = "AAAA" }, "badge_digests"},
	{"digest no base64url", func(d *draft) { d.payload.SD[0] = "++++" }, "badge_digests"},
	{"disclosure twice", func(d *draft) { d.disclosures = append(d.disclosures, d.disclosures[0]) }, "badge_disclosure_duplicate"},
	{"second disclosure", func(d *draft) { d.disclosures = append(d.disclosures, newDisclosure("admin", "1")) }, "badge_disclosure_unreferenced"},
	{"disclosure with a new salt", func(d *draft) { d.disclosures[0] = disclosed("staff-17") }, "badge_disclosure_unreferenced"},
	{"disclosure withheld", func(d *draft) { d.disclosures = nil; d.bare = true }, "badge_disclosure_missing"},
	{"too many disclosures", func(d *draft) { d.disclosures = slices.Repeat([]string{"AA"}, 17) }, "badge_too_large"},
	{"disclosure no base64url", func(d *draft) { withDisclosure(d, "+") }, "badge_disclosure_malformed"},
	{"disclosure no JSON", func(d *draft) { withDisclosure(d, encode([]byte("x"))) }, "badge_disclosure_malformed"},
	{"disclosure with four members", func(d *draft) { withRaw(d, `["AAAAAAAAAAAAAAAAAAAAAA","person",[],1]`) }, "badge_disclosure_malformed"},
	{"array element disclosure", func(d *draft) { withRaw(d, `["AAAAAAAAAAAAAAAAAAAAAA","v"]`) }, "badge_disclosure_malformed"},
	{"nested disclosure", func(d *draft) { withRaw(d, `["AAAAAAAAAAAAAAAAAAAAAA","person",{"_sd":[]}]`) }, "badge_disclosure_malformed"},
	{"hidden list element", func(d *draft) {
		withRaw(d, `["AAAAAAAAAAAAAAAAAAAAAA","person",["staff-17","`+shorter(commitment("name"))+`",{"...":"x"}]]`)
	}, "badge_disclosure_malformed"},
	{"person with two members", func(d *draft) { withDisclosure(d, newDisclosure(claimPerson, "staff-17", shorter(commitment("name")))) }, "badge_disclosure_malformed"},
	{"name is a number", func(d *draft) { withRaw(d, `["AAAAAAAAAAAAAAAAAAAAAA",1,[]]`) }, "badge_disclosure_malformed"},
	{"short salt", func(d *draft) { withRaw(d, `["AAAA","person",[]]`) }, "badge_disclosure_malformed"},
	{"salt no base64url", func(d *draft) { withRaw(d, `["AAAAAAAAAAAAAAAAAAAAA=","person",[]]`) }, "badge_disclosure_malformed"},
	{"salt is no text", func(d *draft) { withRaw(d, `[[],"person",[]]`) }, "badge_disclosure_malformed"},
	{"disclosed iss", func(d *draft) { withDisclosure(d, newDisclosure("iss", "bank-1")) }, "badge_claim_clash"},
	{"disclosed cnf", func(d *draft) { withDisclosure(d, newDisclosure("cnf", "k")) }, "badge_claim_clash"},
	{"disclosed _sd", func(d *draft) { withDisclosure(d, newDisclosure("_sd", "k")) }, "badge_claim_clash"},
	{"disclosed role", func(d *draft) { withDisclosure(d, newDisclosure("role", "boss")) }, "badge_claim_unknown"},
	{"staff number with a space", func(d *draft) { withDisclosure(d, disclosed("staff 17")) }, "badge_claim_malformed"},
	{"name in clear", func(d *draft) {
		withDisclosure(d, newDisclosure(claimPerson, "staff-17", "兰", shorter(commitment("photo"))))
	}, "badge_claim_malformed"},
	{"name's commitment in hex", func(d *draft) {
		withDisclosure(d, newDisclosure(claimPerson, "staff-17", commitment("name"), shorter(commitment("photo"))))
	}, "badge_claim_malformed"},
	{"photo by address", func(d *draft) {
		withDisclosure(d, newDisclosure(claimPerson, "staff-17", shorter(commitment("name")), "https://x.example/p"))
	}, "badge_claim_malformed"},
}

func TestSpoiledBadges(t *testing.T) {
	for _, row := range spoiledBadges {
		t.Run(row.name, func(t *testing.T) {
			badge := forged(t, row.spoil)
			b, err := VerifyBadge(badge, pub(providerKey), "provider-1", noon)
			wantCode(t, err, row.code)
			if b.OK() != (row.code == "") {
				t.Error("OK and the error disagree")
			}
			// The same badge with a good answer to the challenge is refused for the same reason.
			want := wanted()
			want.AnsweredAt = noon
			p, err := VerifyPresentation(present(t, badge, lanAnswer()), want)
			wantCode(t, err, row.code)
			if p.OK() != (row.code == "") {
				t.Error("OK and the error disagree")
			}
		})
	}
}

func TestBadgeShapes(t *testing.T) {
	good := string(lanBadge(t))
	jwt, rest, _ := strings.Cut(good, "~")
	parts := strings.Split(jwt, ".")
	for _, row := range []struct{ name, badge, code string }{
		{"empty", "", "badge_malformed"},
		{"no tilde", jwt, "badge_malformed"},
		{"only a tilde", "~", "badge_malformed"},
		{"with a key binding", good + "x", "badge_malformed"},
		{"two parts", parts[0] + "." + parts[1] + "~" + rest, "badge_malformed"},
		{"four parts", jwt + ".~" + rest, "badge_malformed"},
		{"padded header", parts[0] + "=." + parts[1] + "." + parts[2] + "~" + rest, "badge_malformed"},
		{"padded payload", parts[0] + "." + parts[1] + "=." + parts[2] + "~" + rest, "badge_malformed"},
		{"padded signature", jwt + "==~" + rest, "badge_malformed"},
		{"line break", parts[0] + ".\n" + parts[1] + "." + parts[2] + "~" + rest, "badge_malformed"},
		{"no signature", parts[0] + "." + parts[1] + ".~" + rest, "badge_signature"},
		{"too large", good + strings.Repeat("A", maxPresentation), "badge_too_large"},
		{"empty disclosure", jwt + "~~" + rest, "badge_disclosure_unreferenced"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := VerifyBadge([]byte(row.badge), pub(providerKey), "provider-1", noon)
			wantCode(t, err, row.code)
		})
	}
}

// RFC 7518 §3.4: r and s are integers of 32 bytes each; FIPS 186-5 wants both in [1, n−1].
func TestSignatureOutOfRange(t *testing.T) {
	good := string(lanBadge(t))
	jwt, rest, _ := strings.Cut(good, "~")
	parts := strings.Split(jwt, ".")
	sig, err := statement.Base64URL(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	for name, spoil := range map[string]func(sig []byte) []byte{
		"r is zero":      func(s []byte) []byte { clear(s[:32]); return s },
		"s is zero":      func(s []byte) []byte { clear(s[32:]); return s },
		"r is the order": func(s []byte) []byte { n.FillBytes(s[:32]); return s },
		"s is the order": func(s []byte) []byte { n.FillBytes(s[32:]); return s },
		"63 bytes":       func(s []byte) []byte { return s[:63] },
		"65 bytes":       func(s []byte) []byte { return append(s, 0) },
		"all ones":       func(s []byte) []byte { return slices.Repeat([]byte{0xff}, 64) },
	} {
		t.Run(name, func(t *testing.T) {
			bad := parts[0] + "." + parts[1] + "." + encode(spoil(slices.Clone(sig))) + "~" + rest
			_, err := VerifyBadge([]byte(bad), pub(providerKey), "provider-1", noon)
			wantCode(t, err, "badge_signature")
		})
	}
}

func TestIssuerKeyMustBeES256(t *testing.T) {
	passkey := pub(providerKey)
	passkey.Kind, passkey.RPID, passkey.Origins = statement.WebAuthn, "x.example", []string{"https://x.example"}
	_, err := VerifyBadge(lanBadge(t), passkey, "provider-1", noon)
	wantCode(t, err, "credential_issuer_key")
	_, err = VerifyBadge(lanBadge(t), statement.Key{Kind: statement.ES256, X: "x", Y: "y"}, "provider-1", noon)
	wantCode(t, err, "credential_issuer_key")
	_, err = VerifyBadge(lanBadge(t), statement.Key{}, "provider-1", noon)
	wantCode(t, err, "credential_issuer_key")
}

func TestIssuerIDMustBeAnID(t *testing.T) {
	badge := forged(t, func(d *draft) { d.payload.Iss = "" })
	_, err := VerifyBadge(badge, pub(providerKey), "", noon)
	wantCode(t, err, "badge_issuer_other")
}

func TestIssueGivesOutNothingThatIsRefused(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(c *BadgeClaims)
		code  string
	}{
		{"issuer", func(c *BadgeClaims) { c.Issuer = "a b" }, "badge_issuer_other"},
		{"long life", func(c *BadgeClaims) { c.ExpiresAt = c.IssuedAt.Add(25 * time.Hour) }, "badge_too_long"},
		{"no times", func(c *BadgeClaims) { c.IssuedAt, c.ExpiresAt = time.Time{}, time.Time{} }, "badge_window"},
		{"holder", func(c *BadgeClaims) { c.Holder = statement.Key{} }, "badge_key_malformed"},
		{"name in clear", func(c *BadgeClaims) { c.NameCommitment = "lan" }, "badge_claim_malformed"},
		{"status", func(c *BadgeClaims) { c.StatusURI = "" }, "badge_status_malformed"},
		{"too large", func(c *BadgeClaims) { c.StaffNumber = strings.Repeat("s", maxPresentation) }, "badge_too_large"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := lanClaims()
			row.spoil(&c)
			badge, err := Issue(providerKey, c)
			wantCode(t, err, row.code)
			if badge != nil {
				t.Error("a refused badge was given out")
			}
		})
	}
}

func TestSigningKeyMustBeP256(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 a key that cannot sign is made on purpose
	broken := &ecdsa.PrivateKey{PublicKey: providerKey.PublicKey, D: big.NewInt(0)}
	for _, k := range []*ecdsa.PrivateKey{p384, broken} {
		_, err = Issue(k, lanClaims())
		wantCode(t, err, "credential_signing_key")
		_, err = Present(k, lanBadge(t), lanAnswer())
		wantCode(t, err, "credential_signing_key")
		_, err = BuildStatusList(k, lanStatuses())
		wantCode(t, err, "credential_signing_key")
	}
}

// RFC 9901 §4.2.3 prints this disclosure and its digest.
func TestDisclosureDigestAsInRFC9901(t *testing.T) {
	const disclosure = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
	if got, want := disclosureDigest(disclosure), "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSaltsAreFresh(t *testing.T) {
	one, other := newDisclosure("a", "b"), newDisclosure("a", "b")
	if one == other {
		t.Error("two disclosures of the same claim are equal")
	}
}
