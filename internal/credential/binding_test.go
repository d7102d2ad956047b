package credential

import (
	"crypto/ecdsa"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
)

func TestPresentationSaysWhatWasAnswered(t *testing.T) {
	data := present(t, lanBadge(t), lanAnswer())
	p, err := VerifyPresentation(data, wanted())
	if err != nil {
		t.Fatal(err)
	}
	a := lanAnswer()
	if !p.OK() || p.Position() != a.Position || p.Order() != a.Order || p.Nonce() != a.Nonce || !p.SignedAt().Equal(a.At) {
		t.Errorf("the presentation reads %+v", p)
	}
	if p.Digest() != statement.Digest(data) || !p.Badge().OK() || p.Badge().StaffNumber() != "staff-17" {
		t.Error("the digest or the badge differ")
	}
}

func TestZeroPresentationRefuses(t *testing.T) {
	var p Presentation
	if p.OK() || p.Badge().OK() {
		t.Error("the zero presentation is OK")
	}
}

// withBinding appends a hand-made key binding to lan's badge.
func withBinding(t testing.TB, badge []byte, signer *ecdsa.PrivateKey, head string, change func(string) string) []byte {
	t.Helper()
	a := lanAnswer()
	payload := `{"iat":` + strconv.FormatInt(a.At.Unix(), 10) + `,"aud":"` + a.Audience + `","nonce":"` + a.Nonce +
		`","sd_hash":"` + sdHash(string(badge)) + `","position":"` + shorter(a.Position) + `","order":"` + a.Order + `"}`
	return append(append([]byte{}, badge...), compact(t, signer, head, change(payload))...)
}

func TestSpoiledBindings(t *testing.T) {
	badge := lanBadge(t)
	const head = `{"alg":"ES256","typ":"kb+jwt"}`
	same := func(s string) string { return s }
	swap := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}
	at := func(d time.Duration) func(string) string {
		return swap(strconv.FormatInt(lanAnswer().At.Unix(), 10), strconv.FormatInt(noon.Add(d).Unix(), 10))
	}
	for _, row := range []struct {
		name   string
		signer *ecdsa.PrivateKey
		head   string
		change func(string) string
		code   string
	}{
		{"nothing is wrong", lanKey, head, same, ""},
		{"kid of the holder", lanKey, `{"alg":"ES256","typ":"kb+jwt","kid":"` + pub(lanKey).Thumbprint() + `"}`, same, ""},
		{"other kid", lanKey, `{"alg":"ES256","typ":"kb+jwt","kid":"` + pub(malloryKey).Thumbprint() + `"}`, same, "kb_key_other"},
		{"own key in the header", malloryKey, `{"alg":"ES256","typ":"kb+jwt","jwk":{}}`, same, "kb_self_vouched"},
		{"none", lanKey, `{"alg":"none","typ":"kb+jwt"}`, same, "kb_algorithm"},
		{"type of a badge", lanKey, `{"alg":"ES256","typ":"dc+sd-jwt"}`, same, "kb_type"},
		{"no header", lanKey, ``, same, "kb_malformed"},
		{"mallory signs with a copied badge", malloryKey, head, same, "kb_signature"},
		{"issuer signs for its staff", providerKey, head, same, "kb_signature"},
		{"unknown claim", lanKey, head, swap(`{`, `{"x":1,`), "kb_malformed"},
		{"no position", lanKey, head, func(s string) string { return s[:strings.Index(s, `,"position"`)] + `}` }, "kb_malformed"},
		{"position in clear", lanKey, head, swap(shorter(lanAnswer().Position), "+31.23/+121.47"), "kb_position"},
		{"position in hex", lanKey, head, swap(shorter(lanAnswer().Position), lanAnswer().Position), "kb_position"},
		{"another nonce", lanKey, head, swap(lanAnswer().Nonce, "YW5vdGhlciBub25jZSB4eA"), "kb_nonce"},
		{"another audience", lanKey, head, swap("visit/v1", "visit/v2"), "kb_audience"},
		{"another order", lanKey, head, swap("order-1", "order-2"), "kb_order_other"},
		{"hash of another badge", lanKey, head, swap(sdHash(string(badge)), sdHash("x")), "kb_hash"},
		{"iat is no time", lanKey, head, at(-noon.Sub(time.Unix(0, 0))), "kb_malformed"},
		{"5 s before", lanKey, head, at(-5 * time.Second), ""},
		{"6 s before", lanKey, head, at(-6 * time.Second), "kb_too_old"},
		{"5 s after the answer came", lanKey, head, at(10 * time.Second), ""},
		{"6 s after the answer came", lanKey, head, at(11 * time.Second), "kb_from_future"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, err := VerifyPresentation(withBinding(t, badge, row.signer, row.head, row.change), wanted())
			wantCode(t, err, row.code)
			if p.OK() != (row.code == "") {
				t.Error("OK and the error disagree")
			}
		})
	}
}

func TestLateAnswer(t *testing.T) {
	for _, row := range []struct {
		after time.Duration
		code  string
	}{{90 * time.Second, ""}, {91 * time.Second, "kb_too_late"}} {
		a, want := lanAnswer(), wanted()
		a.At, want.AnsweredAt = noon.Add(row.after), noon.Add(row.after+time.Hour)
		_, err := VerifyPresentation(present(t, lanBadge(t), a), want)
		wantCode(t, err, row.code)
	}
}

func TestBadgeMustHoldWhenTheAnswerComes(t *testing.T) {
	data := present(t, lanBadge(t), lanAnswer())
	want := wanted()
	want.AnsweredAt = lanClaims().ExpiresAt
	_, err := VerifyPresentation(data, want)
	wantCode(t, err, "badge_expired")
}

func TestBadgeAloneIsNoAnswer(t *testing.T) {
	_, err := VerifyPresentation(lanBadge(t), wanted())
	wantCode(t, err, "kb_missing")
}

func TestAnswerOverSize(t *testing.T) {
	_, err := VerifyPresentation([]byte(strings.Repeat("~", maxPresentation+1)), wanted())
	wantCode(t, err, "badge_too_large")
}

// A second, valid badge of the same person does not fit an answer made over the first.
func TestAnswerMovedToAnotherBadge(t *testing.T) {
	first := string(present(t, lanBadge(t), lanAnswer()))
	binding := first[strings.LastIndex(first, "~")+1:]
	_, err := VerifyPresentation(append(lanBadge(t), binding...), wanted())
	wantCode(t, err, "kb_hash")
}

func TestExpectationMustBeComplete(t *testing.T) {
	data := present(t, lanBadge(t), lanAnswer())
	for name, spoil := range map[string]func(e *Expectation){
		"issuer id":      func(e *Expectation) { e.IssuerID = "" },
		"audience":       func(e *Expectation) { e.Audience = "" },
		"order":          func(e *Expectation) { e.Order = "" },
		"nonce":          func(e *Expectation) { e.Nonce = "" },
		"short nonce":    func(e *Expectation) { e.Nonce = strings.Repeat("n", minNonce-1) },
		"asked at":       func(e *Expectation) { e.AskedAt = time.Time{} },
		"answered at":    func(e *Expectation) { e.AnsweredAt = time.Time{} },
		"answered first": func(e *Expectation) { e.AnsweredAt = e.AskedAt.Add(-6 * time.Second) },
		"everything":     func(e *Expectation) { *e = Expectation{} },
	} {
		t.Run(name, func(t *testing.T) {
			want := wanted()
			spoil(&want)
			_, err := VerifyPresentation(data, want)
			wantCode(t, err, "presentation_expectation")
		})
	}
	want := wanted()
	want.Issuer = pub(malloryKey)
	_, err := VerifyPresentation(data, want)
	wantCode(t, err, "badge_signature")
}

func TestCommittedReadsWithoutChecking(t *testing.T) {
	good := string(present(t, lanBadge(t), lanAnswer()))
	name, photo := commitment("name"), commitment("photo")
	badge := good[:strings.LastIndex(good, "~")+1]
	for _, row := range []struct {
		presentation string
		want         []string
	}{
		{good, []string{commitment("position"), name, photo}},
		{badge, []string{"", name, photo}},
		{badge + "a.+.c", []string{"", name, photo}},
		{badge + "a.e30.c", []string{"", name, photo}},
		{string(withBinding(t, []byte(badge), lanKey, `{}`, func(s string) string {
			return strings.Replace(s, shorter(lanAnswer().Position), "here", 1)
		})), []string{"", name, photo}},
		{"~e30~", []string{""}},
		{"", []string{""}},
		{strings.Repeat("~", maxPresentation), []string{""}},
	} {
		if got := Committed(row.presentation); !slices.Equal(got, row.want) {
			t.Errorf("%.40s: got %q", row.presentation, got)
		}
	}
}
