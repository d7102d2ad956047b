//go:build openapi

package credential

import (
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// didOf names a key as did:jwk does: the name is the key.
func didOf(k ecdsa.PublicKey) string {
	key := pub(&ecdsa.PrivateKey{PublicKey: k})
	return "did:jwk:" + encode([]byte(`{"crv":"P-256","kty":"EC","x":"`+key.X+`","y":"`+key.Y+`"}`))
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// sameBits writes the last character of a base64url text another way: its spare bits are set. A decoder
// that does not look at them reads the same bytes.
func sameBits(s string) string {
	at := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + string(alphabet[at^1])
}

// jwtOf changes the issuer's JWT of a badge and leaves the rest.
func jwtOf(badge []byte, change func(string) string) []byte {
	jwt, rest, _ := strings.Cut(string(badge), "~")
	return []byte(change(jwt) + "~" + rest)
}

func headed(old, new string) func(*draft) {
	return func(d *draft) { d.header = strings.Replace(d.header, old, new, 1) }
}

const bindingHeader = `{"alg":"ES256","typ":"kb+jwt"}`

// peerRows is one thing wrong each; code is our verdict, empty for none, the last two whether the others
// accept it. A true beside a code is a gap of theirs, or a rule that the standard leaves to whoever calls
// them (the size, the credential type, how old an answer may be; for @sd-jwt also the algorithm, because its
// caller brings the verifying function): never take their verdict for ours. A new version that closes or
// opens one is noticed.
var peerRows = []struct {
	name        string
	make        func(d dialect) []byte
	code        string
	npm, irmago bool
}{
	{"honest", func(d dialect) []byte { return d.answered(d.badge()) }, "", true, true},

	{"badge's signature one character longer", func(d dialect) []byte { return d.answered(jwtOf(d.badge(), func(s string) string { return s + "A" })) }, "badge_signature", false, false},
	{"badge's signature in another spelling", func(d dialect) []byte { return d.answered(jwtOf(d.badge(), sameBits)) }, "badge_malformed", true, true},
	{"badge's signature with padding", func(d dialect) []byte { return d.answered(jwtOf(d.badge(), func(s string) string { return s + "==" })) }, "badge_malformed", true, true},
	{"answer's signature in another spelling", func(d dialect) []byte { return []byte(sameBits(string(d.answered(d.badge())))) }, "kb_malformed", true, true},
	{"disclosure in another spelling", func(d dialect) []byte {
		return d.spoiled(func(x *draft) { withDisclosure(x, sameBits(x.disclosures[0])) })
	}, "badge_disclosure_malformed", true, true},
	{"signed by somebody else", func(d dialect) []byte { return d.spoiled(func(x *draft) { x.signer = malloryKey }) }, "badge_signature", false, true},

	{"disclosure twice", func(d dialect) []byte {
		return d.spoiled(func(x *draft) { x.disclosures = append(x.disclosures, x.disclosures[0]) })
	}, "badge_disclosure_duplicate", true, true},
	{"disclosure that nothing refers to", func(d dialect) []byte {
		return d.spoiled(func(x *draft) { x.disclosures = append(x.disclosures, newDisclosure("admin", "1")) })
	}, "badge_disclosure_unreferenced", true, false},
	{"disclosure withheld", func(d dialect) []byte { return d.spoiled(func(x *draft) { x.disclosures, x.bare = nil, true }) }, "badge_disclosure_missing", true, true},
	{"digest twice", func(d dialect) []byte {
		return d.spoiled(func(x *draft) { x.payload.SD = append(x.payload.SD, x.payload.SD[0]) })
	}, "badge_digests", true, false},
	{"disclosure that replaces the issuer", func(d dialect) []byte {
		return d.spoiled(func(x *draft) { withDisclosure(x, newDisclosure("iss", "bank-1")) })
	}, "badge_claim_clash", true, false},
	{"claim twice", func(d dialect) []byte {
		return d.spoiled(func(x *draft) {
			x.raw = func(s string) string { return strings.Replace(s, "{", `{"vct":"urn:other",`, 1) }
		})
	}, "badge_malformed", true, true},

	{"type of another token", func(d dialect) []byte { return d.spoiled(headed("dc+sd-jwt", "JWT")) }, "badge_type", true, false},
	{"old type", func(d dialect) []byte { return d.spoiled(headed("dc+sd-jwt", "vc+sd-jwt")) }, "badge_type", true, true},
	{"no type", func(d dialect) []byte { return d.spoiled(headed(`,"typ":"dc+sd-jwt"`, "")) }, "badge_malformed", true, false},
	{"algorithm none", func(d dialect) []byte { return d.spoiled(headed("ES256", "none")) }, "badge_algorithm", true, false},
	{"algorithm HS256", func(d dialect) []byte { return d.spoiled(headed("ES256", "HS256")) }, "badge_algorithm", true, false},
	{"another credential type", func(d dialect) []byte { return d.spoiled(func(x *draft) { x.payload.Vct = "urn:other" }) }, "badge_credential_type", true, true},
	{"another issuer's name", func(d dialect) []byte { return d.spoiled(func(x *draft) { x.payload.Iss = "provider-2" }) }, "badge_issuer_other", true, false},
	{"header brings a key", func(d dialect) []byte { return d.spoiled(headed(`"typ"`, `"jwk":{},"typ"`)) }, "badge_self_vouched", true, false},
	{"payload brings a key", func(d dialect) []byte { return d.spoiled(func(x *draft) { x.payload.JWK = json.RawMessage(`{}`) }) }, "badge_self_vouched", true, true},
	{"critical extension", func(d dialect) []byte { return d.spoiled(headed(`"typ"`, `"crit":["menshen"],"menshen":1,"typ"`)) }, "badge_malformed", true, true},

	{"expired a second ago", func(d dialect) []byte { return d.spoiled(func(x *draft) { x.payload.Exp = noon.Unix() + 4 }) }, "badge_expired", false, true},
	{"expired an hour ago", func(d dialect) []byte { return d.spoiled(func(x *draft) { x.payload.Exp = noon.Unix() - 3600 }) }, "badge_expired", false, false},
	{"begins in an hour", func(d dialect) []byte {
		return d.spoiled(func(x *draft) { n := noon.Unix() + 3600; x.payload.Nbf = &n })
	}, "badge_not_yet", false, false},
	{"of a year", func(d dialect) []byte {
		return d.spoiled(func(x *draft) { x.payload.Exp = x.payload.Iat + 365*86400 })
	}, "badge_too_long", true, true},
	{"no status", func(d dialect) []byte { return d.spoiled(func(x *draft) { x.payload.Status = nil }) }, "badge_status_missing", true, true},
	{"no holder's key", func(d dialect) []byte { return d.spoiled(func(x *draft) { x.payload.Cnf = nil }) }, "badge_key_missing", false, false},
	{"over the size bound", func(d dialect) []byte {
		return d.spoiled(func(x *draft) { withDisclosure(x, newDisclosure(claimPerson, strings.Repeat("x", 1<<20))) })
	}, "badge_too_large", true, true},

	{"another nonce", func(d dialect) []byte { return d.with(func(b *Binding) { b.Nonce = "AAAAAAAAAAAAAAAAAAAAAA==" }) }, "kb_nonce", false, false},
	{"another audience", func(d dialect) []byte { return d.with(func(b *Binding) { b.Audience = "menshen-door/elsewhere" }) }, "kb_audience", true, false},
	{"answer of thirty days ago", func(d dialect) []byte { return d.with(func(b *Binding) { b.At = noon.AddDate(0, 0, -30) }) }, "kb_too_old", true, true},
	{"answer of a minute ahead", func(d dialect) []byte { return d.with(func(b *Binding) { b.At = noon.Add(60e9) }) }, "kb_from_future", true, true},
	{"answer of an hour ahead", func(d dialect) []byte { return d.with(func(b *Binding) { b.At = noon.Add(3600e9) }) }, "kb_from_future", true, false},
	{"answer to another badge", func(d dialect) []byte {
		first := string(d.answered(d.badge()))
		return append(d.badge(), first[strings.LastIndex(first, "~")+1:]...)
	}, "kb_hash", false, false},
	{"no answer", func(d dialect) []byte { return d.badge() }, "kb_missing", false, false},
	{"answer of another's key", func(d dialect) []byte { return withBinding(d, d.badge(), malloryKey, bindingHeader, unchanged) }, "kb_signature", false, false},
	{"answer by the issuer's key", func(d dialect) []byte { return withBinding(d, d.badge(), providerKey, bindingHeader, unchanged) }, "kb_signature", false, false},
	{"answer of another type", func(d dialect) []byte {
		return withBinding(d, d.badge(), lanKey, `{"alg":"ES256","typ":"JWT"}`, unchanged)
	}, "kb_type", false, false},
	{"answer with algorithm none", func(d dialect) []byte {
		return withBinding(d, d.badge(), lanKey, `{"alg":"none","typ":"kb+jwt"}`, unchanged)
	}, "kb_algorithm", false, false},
	{"answer brings a key", func(d dialect) []byte {
		return withBinding(d, d.badge(), lanKey, `{"alg":"ES256","typ":"kb+jwt","jwk":{}}`, unchanged)
	}, "kb_self_vouched", true, false},
}

func unchanged(s string) string { return s }

// Our verdict stays ours, whatever the others say of the same fault.
func TestOurVerdictBesideTwoOthers(t *testing.T) {
	var plain, dids []string
	for _, r := range peerRows {
		data := r.make(dialect{TB: t})
		_, err := VerifyPresentation(data, wanted())
		wantCode(t, err, r.code)
		plain, dids = append(plain, string(data)), append(dids, string(r.make(dialect{TB: t, did: true})))
	}
	var theirs, irmas []said
	npm(t, asked("reads", plain...), &theirs)
	irmago(t, asked("reads", dids...), &irmas)
	for i, r := range peerRows {
		if theirs[i].OK != r.npm {
			t.Errorf("%s: @sd-jwt says %v %s", r.name, theirs[i].OK, theirs[i].Error)
		}
		if irmas[i].OK != r.irmago {
			t.Errorf("%s: irmago says %v %s", r.name, irmas[i].OK, irmas[i].Error)
		}
	}
	for who, got := range map[string]said{"@sd-jwt": theirs[0], "irmago": irmas[0]} {
		if got.Aud != lanAnswer().Audience || len(got.Person) != 3 || got.Person[0] != "staff-17" {
			t.Errorf("%s reads %+v", who, got)
		}
	}
}

// docs/door.md prints both tables for people; this holds them together, and with -remake writes them.
func TestTheGapsAreWrittenDown(t *testing.T) {
	const begin, end = "<!-- gaps -->\n", "<!-- /gaps -->"
	words := map[bool]string{true: "accepts", false: "refuses"}
	var b strings.Builder
	line := func(name, code string, npm, irmago bool) {
		if code == "" {
			code = "accepted"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", name, code, words[npm], words[irmago])
	}
	b.WriteString("| badge or answer with this wrong | ours | @sd-jwt 0.19.0 | irmago 1.3.0 |\n|---|---|---|---|\n")
	for _, r := range peerRows {
		line(r.name, r.code, r.npm, r.irmago)
	}
	b.WriteString("\n| status list with this wrong | ours | @sd-jwt, which only reads it | irmago |\n|---|---|---|---|\n")
	for _, r := range peerLists {
		line(r.name, r.code, r.npm, r.irmago)
	}
	const page = "../../docs/door.md"
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(raw), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatal("docs/door.md has no place for the tables")
	}
	want := before + begin + b.String() + end + after
	if *remake {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(raw) {
		t.Error("docs/door.md says otherwise; run: go test -tags openapi ./internal/credential -run TestTheGapsAreWrittenDown -remake")
	}
}

// irmago believes any did:jwk, whose name is its key: whoever makes a key is an issuer. So we never read a
// key from a token, and refuse one that says where its issuer's key is.
func TestAnIssuerThatNamesItself(t *testing.T) {
	fake := dialect{TB: t, did: true}.spoiled(func(x *draft) { x.signer = malloryKey })
	var irmas []said
	irmago(t, asked("reads", string(fake)), &irmas)
	if !irmas[0].OK {
		t.Errorf("irmago refuses an unknown did:jwk now: %s", irmas[0].Error)
	}
	_, err := VerifyPresentation(fake, wanted())
	wantCode(t, err, "badge_key_other")
	want := wanted()
	want.Issuer = pub(malloryKey) // even if she were on the trust list
	_, err = VerifyPresentation(fake, want)
	wantCode(t, err, "badge_key_other")
}

// What they issue by our profile, we read; what their wallets answer without our two claims, we refuse.
func TestWeReadBadgesOfTwoOthers(t *testing.T) {
	for who, ask := range map[string]func(testing.TB, map[string]any, any){"@sd-jwt": npm, "irmago": irmago} {
		var got issued
		ask(t, claimed(), &got)
		want := wanted()
		want.Issuer = got.Issuer
		p, err := VerifyPresentation([]byte(got.Presentation), want)
		if err != nil {
			t.Errorf("%s: %v", who, err)
			continue
		}
		if c := lanClaims(); p.Badge().StaffNumber() != c.StaffNumber || p.Badge().PhotoCommitment() != c.PhotoCommitment || p.Position() != lanAnswer().Position {
			t.Errorf("what %s made reads otherwise", who)
		}
		if got.Own != "" {
			_, err := VerifyPresentation([]byte(got.Own), want)
			wantCode(t, err, "kb_malformed")
		}
	}
}

// A text that ends in a whole group has no spare bits: sameBits would change bytes, and a row above would
// test a wrong signature. Hold it to what it says.
func TestSameBitsAreTheSameBytes(t *testing.T) {
	for _, s := range []string{encode(make([]byte, 64)), newDisclosure(claimPerson, "staff-17", shorter(commitment("name")), shorter(commitment("photo")))} {
		if len(s)%4 == 0 || !slices.Equal(lenient(t, s), lenient(t, sameBits(s))) {
			t.Errorf("%q has no second spelling", s)
		}
	}
}

func lenient(t testing.TB, s string) []byte {
	t.Helper()
	out, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
