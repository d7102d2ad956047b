package credential

import (
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// A fuzzer that holds no key can make nothing that verifies, and whatever it makes is refused with
// a fault of our own, never an internal one.

func refused(t *testing.T, err error) {
	t.Helper()
	if k := fault.KindOf(err); k != fault.Invalid && k != fault.Refused && k != fault.TooLarge {
		t.Fatalf("kind %q: %v", k, err)
	}
}

func FuzzPresentation(f *testing.F) {
	v, want, _ := keptVector(f)
	f.Add([]byte(v.Presentation))
	f.Add([]byte("a.b.c~d~e.f.g"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if string(data) == v.Presentation {
			return
		}
		_, err := VerifyPresentation(data, want)
		refused(t, err)
	})
}

func FuzzStatusList(f *testing.F) {
	v, _, want := keptVector(f)
	f.Add([]byte(v.StatusList))
	f.Fuzz(func(t *testing.T, data []byte) {
		if string(data) == v.StatusList {
			return
		}
		_, err := VerifyStatusList(data, want)
		refused(t, err)
	})
}

// The parsers behind the signature are reached with a careless issuer's key.
func FuzzBadgePayload(f *testing.F) {
	f.Add([]byte(`{"iss":"provider-1","vct":"urn:menshen:badge:v1","iat":1,"exp":2,"_sd_alg":"sha-256","_sd":[]}`), []byte(`["AAAAAAAAAAAAAAAAAAAAAA","person",["staff-17"]]`))
	f.Fuzz(func(t *testing.T, payload, disclosure []byte) {
		badge := compact(t, providerKey, `{"alg":"ES256","typ":"dc+sd-jwt"}`, string(payload)) + "~" + encode(disclosure) + "~"
		b, err := VerifyBadge([]byte(badge), pub(providerKey), "provider-1", noon)
		if err != nil {
			refused(t, err)
		} else if !statement.IsDigest(b.NameCommitment()) || b.Issuer() != "provider-1" || b.ExpiresAt().Sub(b.IssuedAt()) > maxBadgeLife {
			t.Fatalf("a rule was passed by: %s", badge)
		}
	})
}

func FuzzDisclosures(f *testing.F) {
	f.Add(`["AAAAAAAAAAAAAAAAAAAAAA","person",["staff-17","AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]]`)
	f.Add(`["AAAAAAAAAAAAAAAAAAAAAA","iss",["bank-1"]]`)
	f.Fuzz(func(t *testing.T, a string) {
		p, err := readDisclosure(encode([]byte(a)))
		if err != nil {
			refused(t, err)
		} else if !opaqueID(p.staff) || !statement.IsDigest(p.name) || !statement.IsDigest(p.photo) {
			t.Fatalf("a rule was passed by: %s", a)
		}
	})
}

// Whatever a camera reads is refused for a reason of ours, or is the one text of what it gives.
func FuzzUnpackAnswer(f *testing.F) {
	v, _, _ := keptVector(f)
	text, err := PackAnswer([]byte(v.Presentation))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(text[:len(text)-1])
	f.Add("https://evil.example/badge")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := UnpackAnswer(text)
		if err != nil {
			refused(t, err)
			return
		}
		again, err := PackAnswer(p)
		if err != nil || again != text {
			t.Fatalf("%q gives another text, %v", text, err)
		}
	})
}

func FuzzInflate(f *testing.F) {
	f.Add(deflate([]byte{0xb9, 0xa3}))
	f.Add(deflate(make([]byte, maxStatusInflated+1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := inflate(data)
		if err != nil {
			refused(t, err)
		}
		if len(out) > maxStatusInflated {
			t.Fatalf("%d bytes", len(out))
		}
	})
}

func FuzzTrustListBody(f *testing.F) {
	good, err := statement.Canonical(novemberList())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, body []byte) {
		var l TrustList
		if statement.Decode(body, &l) != nil {
			return
		}
		got, err := VerifyTrustList(signedList(t, associationKey, TypeTrustList, l), noon)
		if err != nil {
			refused(t, err)
		} else if got.Number() < 1 || got.NextAt().Sub(got.IssuedAt()) > maxTrustLife || got.Fresh(noon) != nil {
			t.Fatalf("a rule was passed by: %s", body)
		}
	})
}
