package menshen_test

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/door"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// The vectors of docs/door.md, for every implementation of it; the page's door.mjs is held to the same
// files. They are made with fresh keys that are then forgotten:
//
//	go test -run TestDoor . -remake-door
var remakeDoor = flag.Bool("remake-door", false, "make docs/examples/door anew")

const doorVectors = examples + "/door"

type challengeVectors struct {
	Secret  string             `json:"secret"` // base64, the order's
	Read    []challengeRead    `json:"read"`
	Refused []textRefused      `json:"refused"`
	Sealed  []challengeSealing `json:"sealed"`
}

type challengeRead struct {
	Text      string `json:"text"`
	Visit     string `json:"visit"`
	Nonce     string `json:"nonce"`
	Asked     int64  `json:"asked"`
	MAC       string `json:"mac"` // "" online
	SixDigits string `json:"six_digits"`
}

type textRefused struct {
	Name string `json:"name"`
	Text string `json:"text"`
	Code string `json:"code"`
}

type challengeSealing struct {
	Name   string `json:"name"`
	Text   string `json:"text"`
	Secret string `json:"secret"`
	Code   string `json:"code"` // "" when the MAC is right
}

type expectation struct {
	Issuer     statement.Key `json:"issuer"`
	IssuerID   string        `json:"issuer_id"`
	Audience   string        `json:"audience"`
	Nonce      string        `json:"nonce"`
	Order      string        `json:"order"`
	AskedAt    int64         `json:"asked_at"`
	AnsweredAt int64         `json:"answered_at"`
}

func (e expectation) want() credential.Expectation {
	return credential.Expectation{Issuer: e.Issuer, IssuerID: e.IssuerID, Audience: e.Audience, Nonce: e.Nonce, Order: e.Order,
		AskedAt: time.Unix(e.AskedAt, 0), AnsweredAt: time.Unix(e.AnsweredAt, 0)}
}

type answerVectors struct {
	Want         expectation   `json:"want"`
	Presentation string        `json:"presentation"`
	Text         string        `json:"text"` // packed, for a QR code
	Digest       string        `json:"digest"`
	TwoDigits    string        `json:"two_digits"`
	Badge        answerBadge   `json:"badge"`
	Refused      []badAnswer   `json:"refused"`
	Texts        []textRefused `json:"texts"`
}

type answerBadge struct {
	Issuer      string `json:"issuer"`
	Staff       string `json:"staff_number"`
	Name        string `json:"name"`  // commitment, hex
	Photo       string `json:"photo"` // commitment, hex
	Holder      string `json:"holder"`
	Expires     int64  `json:"expires"`
	StatusURI   string `json:"status_uri"`
	StatusIndex int    `json:"status_index"`
	Position    string `json:"position"` // commitment, hex
}

type badAnswer struct {
	Name         string       `json:"name"`
	Presentation string       `json:"presentation"`
	Want         *expectation `json:"want,omitempty"` // where it differs
	Code         string       `json:"code"`
}

type statusVectors struct {
	Issuer   statement.Key `json:"issuer"`
	IssuerID string        `json:"issuer_id"`
	URI      string        `json:"uri"`
	Now      int64         `json:"now"`
	Token    string        `json:"token"`
	Statuses []string      `json:"statuses"` // by index: valid, revoked, suspended or the code
	Refused  []badList     `json:"refused"`
}

type badList struct {
	Name  string `json:"name"`
	Token string `json:"token"`
	Now   int64  `json:"now"`
	Code  string `json:"code"`
}

type offlineVectors struct {
	Pack  app.Package   `json:"pack"`
	Cases []offlineCase `json:"cases"`
}

type offlineCase struct {
	Name      string       `json:"name"`
	Pack      *app.Package `json:"pack,omitempty"` // where it differs
	Challenge string       `json:"challenge"`
	Answer    string       `json:"answer"`
	Now       int64        `json:"now"` // when the page reads the answer
	Grade     string       `json:"grade"`
	Code      string       `json:"code"` // "" when confirmed
}

func readVectors(t *testing.T, name string, v any) {
	t.Helper()
	if err := statement.Decode([]byte(read(t, doorVectors+"/"+name)), v); err != nil {
		t.Fatal(err)
	}
}

func TestDoorChallengeVectors(t *testing.T) {
	var v challengeVectors
	readVectors(t, "challenge.json", &v)
	for _, r := range v.Read {
		c, err := door.Parse(r.Text)
		want := door.Challenge{Visit: r.Visit, Nonce: r.Nonce, Asked: time.Unix(r.Asked, 0).UTC(), MAC: r.MAC}
		if err != nil || c != want || c.Text() != r.Text || door.SixDigits(r.Visit, r.Nonce) != r.SixDigits {
			t.Errorf("%s: %+v, %v", r.Text, c, err)
		}
	}
	for _, r := range v.Refused {
		if _, err := door.Parse(r.Text); fault.CodeOf(err) != r.Code {
			t.Errorf("%s: got %v, want %s", r.Name, err, r.Code)
		}
	}
	for _, r := range v.Sealed {
		c, err := door.Parse(r.Text)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Sealed(decoded(t, r.Secret)); fault.CodeOf(err) != r.Code {
			t.Errorf("%s: got %v, want %q", r.Name, err, r.Code)
		}
	}
}

func TestDoorAnswerVectors(t *testing.T) {
	var v answerVectors
	readVectors(t, "answer.json", &v)
	p, err := credential.VerifyPresentation([]byte(v.Presentation), v.Want.want())
	if err != nil {
		t.Fatal(err)
	}
	if got := badgeOf(p); got != v.Badge || p.Digest() != v.Digest || door.TwoDigits(v.Want.Nonce, v.Digest) != v.TwoDigits {
		t.Errorf("read %+v", got)
	}
	text, err := credential.PackAnswer([]byte(v.Presentation))
	if err != nil || text != v.Text {
		t.Errorf("packed %q, %v", text, err)
	}
	if back, err := credential.UnpackAnswer(v.Text); err != nil || string(back) != v.Presentation {
		t.Errorf("unpacked %q, %v", back, err)
	}
	for _, r := range v.Refused {
		want := v.Want
		if r.Want != nil {
			want = *r.Want
		}
		if _, err := credential.VerifyPresentation([]byte(r.Presentation), want.want()); fault.CodeOf(err) != r.Code {
			t.Errorf("%s: got %v, want %s", r.Name, err, r.Code)
		}
	}
	for _, r := range v.Texts {
		if _, err := credential.UnpackAnswer(r.Text); fault.CodeOf(err) != r.Code {
			t.Errorf("%s: got %v, want %s", r.Name, err, r.Code)
		}
	}
}

func TestDoorStatusVectors(t *testing.T) {
	var v statusVectors
	readVectors(t, "status.json", &v)
	want := credential.StatusExpectation{Issuer: v.Issuer, IssuerID: v.IssuerID, URI: v.URI, Now: time.Unix(v.Now, 0)}
	list, err := credential.VerifyStatusList([]byte(v.Token), want)
	if err != nil {
		t.Fatal(err)
	}
	for i, word := range v.Statuses {
		if got := statusWord(list, i); got != word {
			t.Errorf("index %d: got %s, want %s", i, got, word)
		}
	}
	for _, r := range v.Refused {
		want.Now = time.Unix(r.Now, 0)
		if _, err := credential.VerifyStatusList([]byte(r.Token), want); fault.CodeOf(err) != r.Code {
			t.Errorf("%s: got %v, want %s", r.Name, err, r.Code)
		}
	}
}

func TestDoorOfflineVectors(t *testing.T) {
	var v offlineVectors
	readVectors(t, "offline.json", &v)
	grades := map[string]int{}
	for _, c := range v.Cases {
		pack := v.Pack
		if c.Pack != nil {
			pack = *c.Pack
		}
		grade, code := judgeOffline(pack, c.Challenge, c.Answer, time.Unix(c.Now, 0))
		if grade != c.Grade || code != c.Code {
			t.Errorf("%s: got %s %q, want %s %q", c.Name, grade, code, c.Grade, c.Code)
		}
		grades[grade]++
	}
	if grades[door.Confirmed] == 0 || grades[door.Weak] == 0 || grades[door.Refused] == 0 {
		t.Errorf("the cases end in %v", grades)
	}
}

// judgeOffline is the page's judgement in the order that docs/door.md gives, from the parts that the
// server uses.
func judgeOffline(p app.Package, challenge, answer string, now time.Time) (grade, code string) {
	refused := func(err error) (string, string) { return door.Refused, fault.CodeOf(err) }
	c, err := door.Parse(challenge)
	if err != nil {
		return refused(err)
	}
	if err := door.InTime(c.Asked, now); err != nil {
		return refused(err)
	}
	presentation, err := credential.UnpackAnswer(answer)
	if err != nil {
		return refused(err)
	}
	shown, err := credential.VerifyPresentation(presentation, credential.Expectation{Issuer: p.Issuer.BadgeKey, IssuerID: p.Issuer.Organisation,
		Audience: "menshen-door/" + p.Visit, Nonce: c.Nonce, Order: p.Order, AskedAt: c.Asked, AnsweredAt: now})
	if err != nil {
		return refused(err)
	}
	badge := shown.Badge()
	old, err := error(nil), error(nil)
	if badge.Holder().Thumbprint() != p.Dispatch.TechnicianKey {
		var fetched time.Time
		if fetched, err = p.FetchedAt.Parse(); err == nil && badge.NameCommitment() == p.Dispatch.Name && badge.PhotoCommitment() == p.Dispatch.Photo {
			old = door.Another(badge.IssuedAt(), fetched)
		}
		if old == nil {
			return door.Refused, "badge_of_another"
		}
	}
	switch {
	case badge.NameCommitment() != p.Dispatch.Name:
		return door.Refused, "badge_name_differs"
	case badge.PhotoCommitment() != p.Dispatch.Photo:
		return door.Refused, "badge_photo_differs"
	}
	if old != nil && p.StatusList.URI == "" { // no list was out yet
		return door.Weak, fault.CodeOf(old)
	}
	want := credential.StatusExpectation{Issuer: p.Issuer.BadgeKey, IssuerID: p.Issuer.Organisation, URI: p.StatusList.URI, Now: now}
	list, err := credential.VerifyStatusList([]byte(p.StatusList.Token), want)
	stale := fault.CodeOf(err) == "status_list_stale"
	if stale { // what it said then still counts against the badge
		want.Now = issuedAt(p.StatusList.Token)
		list, err = credential.VerifyStatusList([]byte(p.StatusList.Token), want)
	}
	if err == nil {
		err = list.Admits(badge)
	}
	if err != nil && (old == nil || fault.CodeOf(err) != "status_index_outside") {
		return refused(err)
	}
	if old != nil {
		return door.Weak, fault.CodeOf(old)
	}
	fetched, err := p.TrustList.FetchedAt.Parse()
	if err == nil {
		err = door.Lists{TrustFetched: fetched, StatusIssued: list.IssuedAt()}.InDate(c.Asked)
	}
	switch {
	case err != nil:
		return door.Weak, fault.CodeOf(err)
	case stale:
		return door.Weak, "status_list_stale"
	}
	return door.Confirmed, ""
}

func issuedAt(token string) time.Time {
	raw, _ := statement.Base64URL(strings.Split(token, ".")[1])
	var claims struct{ Iat int64 }
	_ = json.Unmarshal(raw, &claims)
	return time.Unix(claims.Iat, 0)
}

func badgeOf(p credential.Presentation) answerBadge {
	b := p.Badge()
	return answerBadge{Issuer: b.Issuer(), Staff: b.StaffNumber(), Name: b.NameCommitment(), Photo: b.PhotoCommitment(), Holder: b.Holder().Thumbprint(),
		Expires: b.ExpiresAt().Unix(), StatusURI: b.StatusURI(), StatusIndex: b.StatusIndex(), Position: p.Position()}
}

func statusWord(l credential.StatusList, i int) string {
	s, err := l.At(i)
	if err != nil {
		return fault.CodeOf(err)
	}
	return []string{"valid", "revoked", "suspended"}[s]
}

func decoded(t *testing.T, s string) []byte {
	t.Helper()
	raw, err := statement.Base64(s)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// doorMaker makes the vectors.
type doorMaker struct {
	issuer, holder, other *ecdsa.PrivateKey
	secret                []byte
	asked                 time.Time
	claims                credential.BadgeClaims
	answer                credential.Binding
	uri                   string
}

func newDoorMaker() *doorMaker {
	key := func() *ecdsa.PrivateKey { k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader); return k }
	m := &doorMaker{issuer: key(), holder: key(), other: key(), secret: random(32), asked: exampleBegins.Add(6 * time.Hour), uri: "https://menshen.example/status/svc-anzhuang/1"}
	m.claims = credential.BadgeClaims{Issuer: "svc-anzhuang", StaffNumber: "A-lan", NameCommitment: m.hidden("name").commitment,
		PhotoCommitment: m.hidden("photo").commitment, Holder: statement.KeyOf(&m.holder.PublicKey), IssuedAt: m.asked.Add(-4 * time.Hour),
		ExpiresAt: m.asked.Add(8 * time.Hour), StatusURI: m.uri, StatusIndex: 5}
	m.answer = credential.Binding{Audience: "menshen-door/v1", Nonce: base64.StdEncoding.EncodeToString(random(16)),
		Position: statement.Digest([]byte("position")), Order: "o-v1", At: m.asked.Add(12 * time.Second)}
	return m
}

func random(n int) []byte {
	out := make([]byte, n)
	_, _ = rand.Read(out)
	return out
}

type hiddenValue struct {
	commitment string
	opening    statement.Opening
}

// hidden commits to one of lan's values, always under the same salt.
func (m *doorMaker) hidden(kind string) hiddenValue {
	value := map[string]string{"name": "兰小门", "photo": "/9j/2wBD", "shop": "淮山路 12 号"}[kind]
	o := statement.NewOpening(kind, [16]byte{byte(len(kind))}, value)
	c, _ := o.Commitment()
	return hiddenValue{c, o}
}

func (m *doorMaker) badge(change func(*credential.BadgeClaims)) string {
	c := m.claims
	if change != nil {
		change(&c)
	}
	out, err := credential.Issue(m.issuer, c)
	if err != nil {
		panic(err)
	}
	return string(out)
}

func (m *doorMaker) present(badge string, by *ecdsa.PrivateKey, change func(*credential.Binding)) string {
	a := m.answer
	if change != nil {
		change(&a)
	}
	out, err := credential.Present(by, []byte(badge), a)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// resigned replaces a part of a token's header or payload and signs it again.
func resigned(by *ecdsa.PrivateKey, token, old, with string) string {
	parts := strings.Split(token, ".")
	for i := range 2 {
		raw, _ := statement.Base64URL(parts[i])
		parts[i] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(raw), old, with, 1)))
	}
	sig, err := statement.SignES256(by, []byte(parts[0]+"."+parts[1]))
	if err != nil {
		panic(err)
	}
	return parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func (m *doorMaker) expectation() expectation {
	return expectation{Issuer: statement.KeyOf(&m.issuer.PublicKey), IssuerID: m.claims.Issuer, Audience: m.answer.Audience, Nonce: m.answer.Nonce,
		Order: m.answer.Order, AskedAt: m.asked.Unix(), AnsweredAt: m.asked.Unix() + 15}
}

func (m *doorMaker) challenges() challengeVectors {
	secret := base64.StdEncoding.EncodeToString(m.secret)
	online := door.Challenge{Visit: "v1", Nonce: m.answer.Nonce, Asked: m.asked}
	offline, _ := online.Seal(m.secret)
	long := door.Challenge{Visit: "0198f3aa-7c1e-7d2b-9f00-1234567890ab", Nonce: base64.StdEncoding.EncodeToString(random(16)), Asked: m.asked}
	longOffline, _ := long.Seal(m.secret)
	v := challengeVectors{Secret: secret}
	for _, c := range []door.Challenge{online, offline, long, longOffline} {
		v.Read = append(v.Read, challengeRead{c.Text(), c.Visit, c.Nonce, c.Asked.Unix(), c.MAC, door.SixDigits(c.Visit, c.Nonce)})
	}
	text, sealed := online.Text(), offline.Text()
	for _, r := range []textRefused{
		{Name: "nothing", Text: ""},
		{Name: "a web address", Text: "https://menshen.example/MSD1~N"},
		{Name: "prefix in small letters", Text: strings.Replace(text, "MSD1", "msd1", 1)},
		{Name: "a badge's code", Text: credential.AnswerPrefix + "000"},
		{Name: "prefix alone", Text: "MSD1"},
		{Name: "online, last part missing", Text: text[:strings.LastIndex(text, "~")]},
		{Name: "offline, MAC missing", Text: sealed[:strings.LastIndex(sealed, "~")]},
		{Name: "online with a MAC", Text: strings.Replace(sealed, "~F~", "~N~", 1)},
		{Name: "unknown kind", Text: strings.Replace(text, "~N~", "~X~", 1)},
		{Name: "time cut", Text: text[:len(text)-1] + "x"},
		{Name: "time with a plus", Text: strings.Replace(text, "=~", "=~+", 1)},
		{Name: "time with a leading zero", Text: strings.Replace(text, "=~", "=~0", 1)},
		{Name: "nonce without padding", Text: strings.Replace(text, "==", "", 1)},
		{Name: "nonce of 15 bytes", Text: strings.Replace(text, m.answer.Nonce, base64.StdEncoding.EncodeToString(random(15)), 1)},
		{Name: "visit with a space", Text: strings.Replace(text, "~v1~", "~v 1~", 1)},
		{Name: "no visit", Text: strings.Replace(text, "~v1~", "~~", 1)},
		{Name: "MAC cut", Text: sealed[:len(sealed)-1]},
		{Name: "blank behind", Text: text + " "},
		{Name: "too long", Text: text + strings.Repeat("~", door.MaxText)},
	} {
		_, err := door.Parse(r.Text)
		v.Refused = append(v.Refused, textRefused{r.Name, r.Text, fault.CodeOf(err)})
	}
	moved := offline
	moved.Visit = "v2"
	other := base64.StdEncoding.EncodeToString(random(32))
	for _, r := range []challengeSealing{
		{Name: "made with the order's secret", Text: sealed, Secret: secret},
		{Name: "another order's secret", Text: sealed, Secret: other},
		{Name: "moved to another visit", Text: moved.Text(), Secret: secret},
		{Name: "needs signal", Text: text, Secret: secret},
	} {
		c, _ := door.Parse(r.Text)
		raw, _ := statement.Base64(r.Secret)
		r.Code = fault.CodeOf(c.Sealed(raw))
		v.Sealed = append(v.Sealed, r)
	}
	return v
}

func (m *doorMaker) answers() answerVectors {
	badge := m.badge(nil)
	good := m.present(badge, m.holder, nil)
	v := answerVectors{Want: m.expectation(), Presentation: good, Digest: statement.Digest([]byte(good))}
	p, err := credential.VerifyPresentation([]byte(good), v.Want.want())
	if err != nil {
		panic(err)
	}
	v.Badge, v.TwoDigits = badgeOf(p), door.TwoDigits(m.answer.Nonce, v.Digest)
	v.Text, _ = credential.PackAnswer([]byte(good))
	jwt, rest, _ := strings.Cut(badge, "~")
	kb := good[strings.LastIndex(good, "~")+1:]
	rebadged := func(old, with string) string {
		return m.present(resigned(m.issuer, jwt, old, with)+"~"+rest, m.holder, nil)
	}
	rebound := func(old, with string) string { return badge + resigned(m.holder, kb, old, with) }
	at := func(d time.Duration) string {
		return m.present(badge, m.holder, func(b *credential.Binding) { b.At = m.asked.Add(d) })
	}
	late, other := m.expectation(), m.expectation()
	late.AnsweredAt += 3600
	other.Issuer = statement.KeyOf(&m.other.PublicKey)
	for _, r := range []badAnswer{
		{Name: "badge alone", Presentation: badge},
		{Name: "empty", Presentation: ""},
		{Name: "padded signature", Presentation: strings.Replace(good, "~", "==~", 1)},
		{Name: "over size", Presentation: good + strings.Repeat("A", 1800)},
		{Name: "badge of no algorithm", Presentation: rebadged(`"ES256"`, `"none"`)},
		{Name: "badge of another type", Presentation: rebadged(`dc+sd-jwt`, `JWT`)},
		{Name: "badge header brings a key", Presentation: rebadged(`"alg"`, `"jwk":{},"alg"`)},
		{Name: "badge payload brings keys", Presentation: rebadged(`"iss"`, `"jwks":{},"iss"`)},
		{Name: "badge header unknown name", Presentation: rebadged(`"alg"`, `"crit":[],"alg"`)},
		{Name: "badge claim twice", Presentation: rebadged(`"iss"`, `"iss":"svc-anzhuang","iss"`)},
		{Name: "badge claim unknown", Presentation: rebadged(`"iss"`, `"admin":1,"iss"`)},
		{Name: "badge of another issuer", Presentation: rebadged(`svc-anzhuang`, `svc-other`)},
		{Name: "badge of another credential type", Presentation: rebadged(`badge:v1`, `badge:v2`)},
		{Name: "badge without status", Presentation: rebadged(`"status_list":{"idx":5,"uri":"`+m.uri+`"}`, ``)},
		{Name: "badge index negative", Presentation: rebadged(`"idx":5`, `"idx":-5`)},
		{Name: "badge holder off the curve", Presentation: rebadged(m.claims.Holder.X, m.claims.Holder.Y)},
		{Name: "badge digests two", Presentation: rebadged(`"_sd":[`, `"_sd":["`+strings.Repeat("A", 43)+`",`)},
		{Name: "badge signed by another", Presentation: good, Want: &other},
		{Name: "badge expired", Presentation: m.present(m.badge(func(c *credential.BadgeClaims) { c.ExpiresAt = m.asked }), m.holder, nil)},
		{Name: "badge not begun", Presentation: m.present(m.badge(func(c *credential.BadgeClaims) {
			c.IssuedAt, c.ExpiresAt = m.asked.Add(time.Hour), m.asked.Add(2*time.Hour)
		}), m.holder, nil)},
		{Name: "disclosure twice", Presentation: m.present(badge+strings.Split(badge, "~")[1]+"~", m.holder, nil)},
		{Name: "disclosure unreferenced", Presentation: m.present(badge+"WyJBQUFBQUFBQUFBQUFBQUFBQUFBQUFBIiwiYWRtaW4iLCIxIl0~", m.holder, nil)},
		{Name: "disclosure withheld", Presentation: m.present(jwt+"~", m.holder, nil)},
		{Name: "answered by another key", Presentation: m.present(badge, m.other, nil)},
		{Name: "answer of no algorithm", Presentation: rebound(`"ES256"`, `"none"`)},
		{Name: "answer of another type", Presentation: rebound(`kb+jwt`, `JWT`)},
		{Name: "answer brings a key", Presentation: rebound(`"alg"`, `"jwk":{},"alg"`)},
		{Name: "answer names another key", Presentation: rebound(`"alg"`, `"kid":"k","alg"`)},
		{Name: "answer claim unknown", Presentation: rebound(`"iat"`, `"x":1,"iat"`)},
		{Name: "answer to another nonce", Presentation: m.present(badge, m.holder, func(b *credential.Binding) { b.Nonce = "AAAAAAAAAAAAAAAAAAAAAA==" })},
		{Name: "answer for another visit", Presentation: m.present(badge, m.holder, func(b *credential.Binding) { b.Audience = "menshen-door/v2" })},
		{Name: "answer for another order", Presentation: m.present(badge, m.holder, func(b *credential.Binding) { b.Order = "o-v2" })},
		{Name: "answer over another badge", Presentation: m.badge(nil) + kb},
		{Name: "position in clear", Presentation: m.present(badge, m.holder, func(b *credential.Binding) { b.Position = "+31.23/+121.47" })},
		{Name: "answered 6 s before", Presentation: at(-6 * time.Second)},
		{Name: "answered 91 s after", Presentation: at(91 * time.Second), Want: &late},
		{Name: "answered from the future", Presentation: at(30 * time.Second)},
	} {
		want := v.Want
		if r.Want != nil {
			want = *r.Want
		}
		_, err := credential.VerifyPresentation([]byte(r.Presentation), want.want())
		r.Code = fault.CodeOf(err)
		v.Refused = append(v.Refused, r)
	}
	for _, r := range []textRefused{
		{Name: "a web address", Text: "https://evil.example/badge"},
		{Name: "a challenge", Text: "MSD1~N"},
		{Name: "prefix in small letters", Text: "msa1*" + v.Text[5:]},
		{Name: "half scanned", Text: v.Text[:5+300]},
		{Name: "last character missing", Text: v.Text[:len(v.Text)-1]},
		{Name: "group above 65535", Text: v.Text[:5] + ":::" + v.Text[8:]},
		{Name: "small letter", Text: v.Text[:5] + "a" + v.Text[6:]},
		{Name: "bytes behind", Text: v.Text[:len(v.Text)-len(v.Text[5:])%3] + "000000"},
		{Name: "too long", Text: v.Text + strings.Repeat("0", credential.MaxAnswerText)},
	} {
		_, err := credential.UnpackAnswer(r.Text)
		v.Texts = append(v.Texts, textRefused{r.Name, r.Text, fault.CodeOf(err)})
	}
	return v
}

func (m *doorMaker) list(at time.Time, holds, ttl time.Duration, lan credential.Status) string {
	statuses := make([]credential.Status, 8)
	statuses[1], statuses[2], statuses[5] = credential.Invalid, credential.Suspended, lan
	token, err := credential.BuildStatusList(m.issuer, credential.StatusListClaims{URI: m.uri, IssuedAt: at, ExpiresAt: at.Add(holds), TTL: ttl, Bits: 2, Statuses: statuses})
	if err != nil {
		panic(err)
	}
	return string(token)
}

func (m *doorMaker) statuses() statusVectors {
	const day = 24 * time.Hour
	issued := m.asked.Add(-time.Hour)
	v := statusVectors{Issuer: statement.KeyOf(&m.issuer.PublicKey), IssuerID: m.claims.Issuer, URI: m.uri, Now: m.asked.Unix(), Token: m.list(issued, day, day, credential.Valid)}
	want := credential.StatusExpectation{Issuer: v.Issuer, IssuerID: v.IssuerID, URI: v.URI, Now: m.asked}
	list, err := credential.VerifyStatusList([]byte(v.Token), want)
	if err != nil {
		panic(err)
	}
	for i := range 9 {
		v.Statuses = append(v.Statuses, statusWord(list, i))
	}
	again := func(old, with string) string { return resigned(m.issuer, v.Token, old, with) }
	bomb := `"lst":"` + base64.RawURLEncoding.EncodeToString(zlibOf(make([]byte, 1<<20+1))) + `"`
	packed := `"lst":"` + base64.RawURLEncoding.EncodeToString(zlibOf([]byte{0, 0})) + `"`
	lst := v.Token[strings.Index(v.Token, ".")+1 : strings.LastIndex(v.Token, ".")]
	raw, _ := statement.Base64URL(lst)
	field := string(raw[strings.Index(string(raw), `"lst"`) : len(raw)-2])
	for _, r := range []badList{
		{Name: "signed by another", Token: resigned(m.other, v.Token, "", "")},
		{Name: "of no algorithm", Token: again(`"ES256"`, `"none"`)},
		{Name: "of another type", Token: again(`statuslist+jwt`, `JWT`)},
		{Name: "brings a key", Token: again(`"alg"`, `"jwk":{},"alg"`)},
		{Name: "names another key", Token: again(`"alg"`, `"kid":"k","alg"`)},
		{Name: "another list", Token: again(`anzhuang/1`, `anzhuang/2`)},
		{Name: "three bits", Token: again(`"bits":2`, `"bits":3`)},
		{Name: "claim unknown", Token: again(`"iat"`, `"x":1,"iat"`)},
		{Name: "not compressed", Token: again(field, `"lst":"AAAA"`)},
		{Name: "bytes behind the compressed ones", Token: again(field, packed[:len(packed)-1]+`AAAA"`)},
		{Name: "inflates too large", Token: again(field, bomb)},
		{Name: "from the future", Token: v.Token, Now: issued.Add(-6 * time.Second).Unix()},
		{Name: "expired", Token: v.Token, Now: issued.Add(day).Unix()},
		{Name: "past its time to live", Token: m.list(issued, day, 30*time.Minute, credential.Valid)},
		{Name: "padded", Token: v.Token + "="},
	} {
		if r.Now == 0 {
			r.Now = v.Now
		}
		want.Now = time.Unix(r.Now, 0)
		_, err := credential.VerifyStatusList([]byte(r.Token), want)
		r.Code = fault.CodeOf(err)
		v.Refused = append(v.Refused, r)
	}
	return v
}

func (m *doorMaker) pack(change func(*app.Package)) *app.Package {
	shop, name := m.hidden("shop"), m.hidden("name")
	p := &app.Package{Visit: "v1", Order: "o-v1", Kind: "install", Merchant: "wei",
		Window:      app.PackageWindow{From: statement.At(m.asked), Until: statement.At(m.asked.Add(time.Hour))},
		Dispatch:    app.PackageDispatch{Envelope: "", Digest: statement.Digest([]byte("dispatch")), Technician: "lan", TechnicianKey: m.claims.Holder.Thumbprint(), Shop: shop.commitment, Name: name.commitment, Photo: m.claims.PhotoCommitment},
		Openings:    app.PackageOpenings{Shop: &shop.opening, Name: &name.opening},
		Photo:       m.hidden("photo").opening,
		OrderSecret: base64.StdEncoding.EncodeToString(m.secret),
		TrustList:   app.PackageTrustList{Number: 7, FetchedAt: statement.At(m.asked.Add(-2 * time.Hour))},
		Issuer:      app.PackageIssuer{Organisation: m.claims.Issuer, Name: "安装到家服务公司", BadgeKey: statement.KeyOf(&m.issuer.PublicKey)},
		StatusList:  app.PackageStatusList{URI: m.uri, Token: m.list(m.asked.Add(-2*time.Hour), 24*time.Hour, 24*time.Hour, credential.Valid), FetchedAt: statement.At(m.asked.Add(-2 * time.Hour))},
		Phone:       "+86 21 5550 0100", FetchedAt: statement.At(m.asked.Add(-2 * time.Hour))}
	if change != nil {
		change(p)
	}
	return p
}

func (m *doorMaker) offline() offlineVectors {
	const day = 24 * time.Hour
	c, _ := door.Challenge{Visit: "v1", Nonce: m.answer.Nonce, Asked: m.asked}.Seal(m.secret)
	text := func(presentation string) string {
		out, err := credential.PackAnswer([]byte(presentation))
		if err != nil {
			panic(err)
		}
		return out
	}
	good := text(m.present(m.badge(nil), m.holder, nil))
	v := offlineVectors{Pack: *m.pack(nil)}
	list := func(at time.Duration, ttl time.Duration, s credential.Status) func(*app.Package) {
		return func(p *app.Package) { p.StatusList.Token = m.list(m.asked.Add(at), day, ttl, s) }
	}
	for _, r := range []offlineCase{
		{Name: "everything holds", Answer: good},
		{Name: "trust list fetched 24 h before", Answer: good, Pack: m.pack(func(p *app.Package) { p.TrustList.FetchedAt = statement.At(m.asked.Add(-day)) })},
		{Name: "trust list older", Answer: good, Pack: m.pack(func(p *app.Package) { p.TrustList.FetchedAt = statement.At(m.asked.Add(-day - time.Second)) })},
		{Name: "lists from the future", Answer: good, Pack: m.pack(func(p *app.Package) { p.TrustList.FetchedAt = statement.At(m.asked.Add(6 * time.Second)) })},
		{Name: "status list older", Answer: good, Pack: m.pack(list(-day-time.Second, day, credential.Valid))},
		{Name: "status list past its time to live", Answer: good, Pack: m.pack(list(-2*time.Hour, time.Hour, credential.Valid))},
		{Name: "revoked", Answer: good, Pack: m.pack(list(-2*time.Hour, day, credential.Invalid))},
		{Name: "suspended", Answer: good, Pack: m.pack(list(-2*time.Hour, day, credential.Suspended))},
		{Name: "revoked in an old list", Answer: good, Pack: m.pack(list(-2*day, day, credential.Invalid))},
		{Name: "another status list", Answer: good, Pack: m.pack(func(p *app.Package) { p.StatusList.URI += "0" })},
		{Name: "another technician's badge", Answer: good, Pack: m.pack(func(p *app.Package) { p.Dispatch.TechnicianKey = statement.KeyOf(&m.other.PublicKey).Thumbprint() })},
		{Name: "a badge of a shift that began since", Answer: good, Pack: m.pack(func(p *app.Package) {
			p.Dispatch.TechnicianKey, p.FetchedAt = statement.KeyOf(&m.other.PublicKey).Thumbprint(), statement.At(m.asked.Add(-20*time.Hour))
		})},
		{Name: "a badge of a shift that began since, before any list", Answer: good, Pack: m.pack(func(p *app.Package) {
			p.Dispatch.TechnicianKey, p.FetchedAt, p.StatusList = statement.KeyOf(&m.other.PublicKey).Thumbprint(), statement.At(m.asked.Add(-20*time.Hour)), app.PackageStatusList{}
		})},
		{Name: "no list", Answer: good, Pack: m.pack(func(p *app.Package) { p.StatusList = app.PackageStatusList{} })},
		{Name: "a badge of a shift that began since, revoked", Answer: good, Pack: m.pack(func(p *app.Package) {
			p.Dispatch.TechnicianKey, p.FetchedAt = statement.KeyOf(&m.other.PublicKey).Thumbprint(), statement.At(m.asked.Add(-20*time.Hour))
			list(-2*time.Hour, day, credential.Invalid)(p)
		})},
		{Name: "a colleague's badge of a shift that began since", Answer: good, Pack: m.pack(func(p *app.Package) {
			p.Dispatch.TechnicianKey, p.FetchedAt = statement.KeyOf(&m.other.PublicKey).Thumbprint(), statement.At(m.asked.Add(-20*time.Hour))
			p.Dispatch.Photo = statement.Digest([]byte("x"))
		})},
		{Name: "another name", Answer: good, Pack: m.pack(func(p *app.Package) { p.Dispatch.Name = statement.Digest([]byte("x")) })},
		{Name: "another photo", Answer: good, Pack: m.pack(func(p *app.Package) { p.Dispatch.Photo = statement.Digest([]byte("x")) })},
		{Name: "yesterday's answer", Answer: text(m.present(m.badge(nil), m.holder, func(b *credential.Binding) { b.Nonce = "AAAAAAAAAAAAAAAAAAAAAA==" }))},
		{Name: "another order", Answer: text(m.present(m.badge(nil), m.holder, func(b *credential.Binding) { b.Order = "o-v2" }))},
		{Name: "copied badge", Answer: text(m.present(m.badge(nil), m.other, nil))},
		{Name: "a web address", Answer: "https://evil.example/"},
		{Name: "half scanned", Answer: good[:301]},
		{Name: "read three minutes after the question", Answer: good, Now: m.asked.Unix() + 180},
		{Name: "read later than that", Answer: good, Now: m.asked.Unix() + 181},
		{Name: "the page's clock steps back between the scans", Answer: good, Now: m.asked.Unix() - 1},
		{Name: "the page's clock steps forward between the scans", Answer: good, Now: m.asked.Unix() + 3600},
		{Name: "the technician's clock is slow", Answer: text(m.present(m.badge(nil), m.holder, func(b *credential.Binding) { b.At = m.asked.Add(-6 * time.Second) }))},
		{Name: "the technician's clock is fast", Answer: text(m.present(m.badge(nil), m.holder, func(b *credential.Binding) { b.At = m.asked.Add(21 * time.Second) }))},
	} {
		r.Challenge, r.Now = c.Text(), cmp.Or(r.Now, m.asked.Unix()+15)
		pack := v.Pack
		if r.Pack != nil {
			pack = *r.Pack
		}
		r.Grade, r.Code = judgeOffline(pack, r.Challenge, r.Answer, time.Unix(r.Now, 0))
		v.Cases = append(v.Cases, r)
	}
	return v
}

func makeDoorVectors() error {
	m := newDoorMaker()
	second, err := makeSecondVectors()
	if err != nil {
		return err
	}
	for name, v := range map[string]any{"challenge.json": m.challenges(), "answer.json": m.answers(), "status.json": m.statuses(), "offline.json": m.offline(), "second.json": second} {
		raw, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(doorVectors, name), append(raw, '\n'), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func zlibOf(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

// Every vector of a refusal has a code, and no two of a file stand for the same thing by name.
func TestDoorVectorsAreNamedOnce(t *testing.T) {
	var a answerVectors
	readVectors(t, "answer.json", &a)
	var names []string
	for _, r := range a.Refused {
		if r.Code == "" || slices.Contains(names, r.Name) {
			t.Errorf("%s: %q", r.Name, r.Code)
		}
		names = append(names, r.Name)
	}
}
