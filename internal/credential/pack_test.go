package credential

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
	"rsc.io/qr"
)

// longestAnswer is a presentation in which everything is as long as it may be.
func longestAnswer(t testing.TB) []byte {
	t.Helper()
	c, a := lanClaims(), lanAnswer()
	c.Issuer, c.StaffNumber = strings.Repeat("i", 64), strings.Repeat("s", 64)
	c.StatusURI, c.StatusIndex = "https:"+strings.Repeat("u", 94), maxStatusIndex
	c.NotBefore = c.IssuedAt
	a.Audience, a.Order, a.Nonce = "menshen-door/"+strings.Repeat("v", 64), strings.Repeat("o", 64), "AAAAAAAAAAAAAAAAAAAAAA=="
	badge, err := Issue(providerKey, c)
	if err != nil {
		t.Fatal(err)
	}
	return present(t, badge, a)
}

// Every QR code has at most 117 modules a side: a cheap camera still reads that from a screen.
func TestEveryAnswerFitsAReadableCode(t *testing.T) {
	for name, p := range map[string][]byte{"lan's": present(t, lanBadge(t), lanAnswer()), "the longest": longestAnswer(t)} {
		text, err := PackAnswer(p)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		code, err := qr.Encode(text, qr.L)
		if err != nil {
			t.Fatal(err)
		}
		if code.Size > 117 || len(text) > MaxAnswerText {
			t.Errorf("%s answer: %d modules, %d characters", name, code.Size, len(text))
		}
		t.Logf("%s answer: %d bytes, packed %d characters, %d modules", name, len(p), len(text), code.Size)
	}
}

func TestPackedAnswerIsTheSameBytes(t *testing.T) {
	for _, p := range [][]byte{present(t, lanBadge(t), lanAnswer()), longestAnswer(t)} {
		text, err := PackAnswer(p)
		if err != nil {
			t.Fatal(err)
		}
		back, err := UnpackAnswer(text)
		if err != nil || !bytes.Equal(back, p) {
			t.Fatalf("%q, %v", back, err)
		}
		if strings.Trim(text, alphabet45) != "" {
			t.Error("the text needs more than a QR code's alphanumeric mode")
		}
	}
}

func TestWhatIsNotPacked(t *testing.T) {
	good := string(present(t, lanBadge(t), lanAnswer()))
	jwt, rest, _ := strings.Cut(good, "~")
	for _, row := range []struct{ name, answer, code string }{
		{"no tilde", jwt, "badge_malformed"},
		{"a badge alone", string(lanBadge(t)), "answer_not_packable"},
		{"header with a kid", string(withBinding(t, lanBadge(t), lanKey, `{"alg":"ES256","typ":"kb+jwt","kid":"k"}`, func(s string) string { return s })), "answer_not_packable"},
		{"payload that is no base64url", strings.Replace(good, ".", ".+", 1), "answer_not_packable"},
		{"signature cut", jwt[:len(jwt)-4] + "~" + rest, "answer_not_packable"},
		{"disclosure that is no base64url", jwt + "~=~" + rest, "answer_not_packable"},
		{"seventeen disclosures", jwt + strings.Repeat("~AA", 17) + "~" + rest, "answer_not_packable"},
		{"longer than any code", jwt + "~" + strings.Repeat("A", maxPresentation-len(good)-1) + "~" + rest, "answer_not_packable"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := PackAnswer([]byte(row.answer))
			wantCode(t, err, row.code)
		})
	}
}

func TestForeignAndDamagedCodes(t *testing.T) {
	good, err := PackAnswer(present(t, lanBadge(t), lanAnswer()))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := unbase45(strings.TrimPrefix(good, AnswerPrefix))
	if err != nil {
		t.Fatal(err)
	}
	spoiled := func(spoil func(b []byte) []byte) string {
		return AnswerPrefix + base45(spoil(append([]byte{}, raw...)))
	}
	size := 2 + int(raw[0])<<8 + int(raw[1]) + sigBytes // where n stands
	for _, row := range []struct{ name, text, code string }{
		{"nothing", "", "answer_text_foreign"},
		{"a web address", "https://evil.example/?q=MSA1*", "answer_text_foreign"},
		{"prefix in small letters", "msa1*" + good[5:], "answer_text_foreign"},
		{"a payment code", "wxp://f2f0", "answer_text_foreign"},
		{"prefix alone", AnswerPrefix, "answer_text_cut"},
		{"too long", AnswerPrefix + strings.Repeat("0", MaxAnswerText), "answer_text_too_large"},
		{"half scanned", good[:len(good)/2/3*3+2], "answer_text_cut"},
		{"last group cut", AnswerPrefix + "0", "answer_text_cut"},
		{"small letters", AnswerPrefix + "abc", "answer_text_malformed"},
		{"group above 65535", AnswerPrefix + ":::", "answer_text_malformed"},
		{"last group above 255", AnswerPrefix + "::", "answer_text_malformed"},
		{"last group no digit", AnswerPrefix + "a0", "answer_text_malformed"},
		{"bytes behind", spoiled(func(b []byte) []byte { return append(b, 0) }), "answer_text_malformed"},
		{"seventeen disclosures", spoiled(func(b []byte) []byte { b[size] = 17; return b }), "answer_text_malformed"},
		{"two disclosures promised", spoiled(func(b []byte) []byte { b[size] = 2; return b }), "answer_text_cut"},
		{"longer payload promised", spoiled(func(b []byte) []byte { b[0] = 0xff; return b }), "answer_text_cut"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := UnpackAnswer(row.text)
			wantCode(t, err, row.code)
		})
	}
}

// Whichever character of the code is read wrongly: the text is refused, or what it gives is.
func TestEveryMisreadCharacterIsRefused(t *testing.T) {
	v, want, _ := keptVector(t)
	text, err := PackAnswer([]byte(v.Presentation))
	if err != nil {
		t.Fatal(err)
	}
	for i := range text {
		for _, c := range alphabet45 {
			if byte(c) == text[i] {
				continue
			}
			p, err := UnpackAnswer(text[:i] + string(c) + text[i+1:])
			if err != nil {
				continue
			}
			if got, err := VerifyPresentation(p, want); err == nil || got.OK() {
				t.Fatalf("character %d read as %q is accepted", i, c)
			}
		}
	}
}

// RFC 9285 §4.3 and §4.4 print these.
func TestBase45AsInRFC9285(t *testing.T) {
	for text, raw := range map[string]string{"BB8": "AB", "%69 VD92EX0": "Hello!!", "UJCLQE7W581": "base-45", "QED8WEX0": "ietf!"} {
		if got := base45([]byte(raw)); got != text {
			t.Errorf("%q: got %q, want %q", raw, got, text)
		}
		if got, err := unbase45(text); err != nil || string(got) != raw {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
}

func TestBase45GivesEveryByteBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOf(rapid.Byte()).Draw(t, "raw")
		if got, err := unbase45(base45(raw)); err != nil || !bytes.Equal(got, raw) {
			t.Fatalf("got %x, %v", got, err)
		}
	})
}
