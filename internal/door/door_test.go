package door

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"pgregory.net/rapid"
	"rsc.io/qr"
)

var (
	noon   = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	secret = []byte("the secret of order o-v1, 32 B.!")
)

// asked is the challenge of wei's page at noon.
func asked() Challenge {
	return Challenge{Visit: "v1", Nonce: base64.StdEncoding.EncodeToString([]byte("sixteen bytes...")), Asked: noon}
}

func sealed(t testing.TB) Challenge {
	t.Helper()
	c, err := asked().Seal(secret)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Fatalf("got %q (%v), want %q", got, err, code)
	}
}

func TestChallengesAreReadAsWritten(t *testing.T) {
	for text, c := range map[string]Challenge{
		"MSD1~N~v1~c2l4dGVlbiBieXRlcy4uLg==~1795348800":                  asked(),
		"MSD1~F~v1~c2l4dGVlbiBieXRlcy4uLg==~1795348800~" + sealed(t).MAC: sealed(t),
	} {
		if c.Text() != text {
			t.Errorf("written %q, want %q", c.Text(), text)
		}
		if got, err := Parse(text); err != nil || got != c {
			t.Errorf("%q: read %+v, %v", text, got, err)
		}
	}
}

func TestOnlyTheOrdersSecretSeals(t *testing.T) {
	wantCode(t, sealed(t).Sealed(secret), "")
	wantCode(t, sealed(t).Sealed([]byte(strings.Repeat("x", 32))), "challenge_mac")
	wantCode(t, asked().Sealed(secret), "challenge_mac_absent")
	wantCode(t, sealed(t).Sealed(secret[1:]), "order_secret_malformed")
	_, err := asked().Seal(nil)
	wantCode(t, err, "order_secret_malformed")
	moved := sealed(t)
	moved.Visit = "v2"
	wantCode(t, moved.Sealed(secret), "challenge_mac")
	later := sealed(t)
	later.Asked = later.Asked.Add(time.Second)
	wantCode(t, later.Sealed(secret), "challenge_mac")
}

func TestWhatIsNoChallenge(t *testing.T) {
	online, offline := asked().Text(), sealed(t).Text()
	for _, row := range []struct{ name, text, code string }{
		{"nothing", "", "challenge_text_foreign"},
		{"a web address", "https://evil.example/~MSD1", "challenge_text_foreign"},
		{"a badge", "MSA1*000", "challenge_text_foreign"},
		{"prefix alone", "MSD1", "challenge_text_cut"},
		{"kind alone", "MSD1~N", "challenge_text_cut"},
		{"online, cut", online[:strings.LastIndex(online, "~")], "challenge_text_cut"},
		{"offline, without MAC", offline[:strings.LastIndex(offline, "~")], "challenge_text_cut"},
		{"online, with more", online + "~x", "challenge_text_malformed"},
		{"unknown kind", strings.Replace(online, "~N~", "~n~", 1), "challenge_text_malformed"},
		{"no number", online + "x", "challenge_text_malformed"},
		{"number with a sign", strings.Replace(online, "=~", "=~+", 1), "challenge_text_malformed"},
		{"short MAC", offline[:len(offline)-2], "challenge_text_malformed"},
		{"MAC with stray bits", offline[:len(offline)-1] + "_", "challenge_text_malformed"},
		{"no visit", strings.Replace(online, "v1", "", 1), "challenge_text_malformed"},
		{"visit with a slash", strings.Replace(online, "v1", "v/1", 1), "challenge_text_malformed"},
		{"visit too long", strings.Replace(online, "v1", strings.Repeat("v", 65), 1), "challenge_text_malformed"},
		{"nonce of 15 bytes", strings.Replace(online, "c2l4dGVlbiBieXRlcy4uLg==", "c2l4dGVlbiBieXRlcy4u", 1), "challenge_text_malformed"},
		{"nonce unpadded", strings.Replace(online, "==", "", 1), "challenge_text_malformed"},
		{"too long", online + strings.Repeat("~", MaxText), "challenge_text_too_large"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Parse(row.text)
			wantCode(t, err, row.code)
		})
	}
}

// Whichever character of an offline challenge is read wrongly, the technician's phone does not answer.
func TestEveryMisreadCharacterIsRefused(t *testing.T) {
	good := sealed(t).Text()
	for i := range good {
		for c := byte(' '); c <= '~'; c++ {
			if c == good[i] {
				continue
			}
			got, err := Parse(good[:i] + string(rune(c)) + good[i+1:])
			if err == nil && got.Sealed(secret) == nil {
				t.Fatalf("character %d read as %q is accepted", i, c)
			}
		}
	}
}

func TestChallengesFitASmallCode(t *testing.T) {
	long := sealed(t)
	long.Visit = "0198f3aa-7c1e-7d2b-9f00-1234567890ab"
	for _, c := range []Challenge{asked(), sealed(t), long} {
		code, err := qr.Encode(c.Text(), qr.L)
		if err != nil || code.Size > 41 {
			t.Errorf("%q: %d modules, %v", c.Text(), code.Size, err)
		}
	}
}

func TestDigits(t *testing.T) {
	if got := TwoDigits("nonce", "answer"); len(got) != 2 || got == TwoDigits("nonce", "other") && got == TwoDigits("other", "answer") {
		t.Errorf("two digits %s", got)
	}
	if got := SixDigits("v1", "nonce"); len(got) != 6 || got == SixDigits("v2", "nonce") || got == SixDigits("v1", "other") {
		t.Errorf("six digits %s", got)
	}
}

func TestListsInDate(t *testing.T) {
	for _, row := range []struct {
		trust, status time.Duration
		code          string
	}{
		{0, 0, ""},
		{-24 * time.Hour, -24 * time.Hour, ""},
		{-24*time.Hour - time.Second, 0, "offline_trust_list_old"},
		{0, -24*time.Hour - time.Second, "offline_status_list_old"},
		{5 * time.Second, 5 * time.Second, ""},
		{6 * time.Second, 0, "offline_lists_ahead"},
		{0, 6 * time.Second, "offline_lists_ahead"},
	} {
		wantCode(t, Lists{TrustFetched: noon.Add(row.trust), StatusIssued: noon.Add(row.status)}.InDate(noon), row.code)
	}
	wantCode(t, Lists{}.InDate(noon), "offline_trust_list_old")
}

// The clock that made the challenge says when the answer was read: stepped back it says nothing, stepped forward too much.
func TestAnswersAreReadInTime(t *testing.T) {
	for after, code := range map[time.Duration]string{-time.Second: "offline_clock_back", 0: "", ReadWithin: "", ReadWithin + time.Second: "offline_answer_late"} {
		wantCode(t, InTime(noon, noon.Add(after)), code)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Challenge{Visit: rapid.StringMatching(`[A-Za-z0-9._-]{1,64}`).Draw(t, "visit"),
			Nonce: base64.StdEncoding.EncodeToString(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "nonce")),
			Asked: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "asked"), 0).UTC()}
		if rapid.Bool().Draw(t, "offline") {
			c, _ = c.Seal(secret)
		}
		if got, err := Parse(c.Text()); err != nil || got != c {
			t.Fatalf("%q: %+v, %v", c.Text(), got, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(asked().Text())
	f.Add(sealed(f).Text())
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text)
		if err == nil && c.Text() != text {
			t.Fatalf("%q reads as %q", text, c.Text())
		}
		if k := fault.KindOf(err); err != nil && k != fault.Invalid && k != fault.Refused && k != fault.TooLarge {
			t.Fatalf("kind %q", k)
		}
	})
}

func TestPhotosAreJPEGOrWebP(t *testing.T) {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	jpeg := "\xff\xd8\xff\xe0 a face \xff\xd9"
	for _, row := range []struct{ name, value, kind, code string }{
		{"JPEG", b64(jpeg), "image/jpeg", ""},
		{"WebP", b64("RIFF....WEBPVP8 ...."), "image/webp", ""},
		{"cut JPEG", b64(jpeg[:8]), "", "photo_kind"},
		{"a page", b64("<svg onload=alert(1)>"), "", "photo_kind"},
		{"RIFF of sound", b64("RIFF....WAVEfmt ...."), "", "photo_kind"},
		{"nothing", "", "", "photo_kind"},
		{"no base64", "%", "", "base64_malformed"},
		{"30 kB", b64(jpeg[:4] + strings.Repeat("x", MaxPhoto-6) + jpeg[len(jpeg)-2:]), "image/jpeg", ""},
		{"a byte more", b64(jpeg[:4] + strings.Repeat("x", MaxPhoto-5) + jpeg[len(jpeg)-2:]), "", "photo_too_large"},
		{"far more", strings.Repeat("A", 1<<20), "", "photo_too_large"},
	} {
		kind, err := PhotoType(row.value)
		if kind != row.kind || fault.CodeOf(err) != row.code {
			t.Errorf("%s: %q, %v", row.name, kind, err)
		}
	}
}

// A badge newer than the page's papers may be the same person's; an older one is not.
func TestABadgeNewerThanThePapers(t *testing.T) {
	wantCode(t, Another(noon, noon.Add(-time.Hour)), "offline_package_old")
	wantCode(t, Another(noon, noon.Add(leeway)), "offline_package_old")
	wantCode(t, Another(noon, noon.Add(leeway+time.Second)), "")
}
