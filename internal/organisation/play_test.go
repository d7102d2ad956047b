package organisation

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// stage is one organisation with a clock that the play moves.
type stage struct {
	*testing.T
	*Service
	dir  string
	time time.Time
}

func (s *stage) wait(d time.Duration) { s.time = s.time.Add(d) }

func opened(t *testing.T, id string, kinds ...string) *stage {
	t.Helper()
	s := &stage{T: t, dir: t.TempDir(), time: time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)}
	keys, err := NewKeys(kinds)
	if err != nil {
		t.Fatal(err)
	}
	c := Defaults(id, "示例机构", kinds)
	c.Site, c.Phone = "https://menshen.example", "021-0000"
	if _, err := Make(s.dir, c, keys); err != nil {
		t.Fatal(err)
	}
	s.open()
	t.Cleanup(func() { s.Service.Close() })
	return s
}

func (s *stage) open() {
	s.Helper()
	c, err := Load(s.dir)
	if err != nil {
		s.Fatal(err)
	}
	s.Service, err = Open(c, func() time.Time { return s.time }, slog.New(slog.DiscardHandler))
	if err != nil {
		s.Fatal(err)
	}
}

// reopen is what a restart does.
func (s *stage) reopen() {
	s.Helper()
	if err := s.Service.Close(); err != nil {
		s.Fatal(err)
	}
	s.open()
}

func acquirerStage(t *testing.T) *stage { return opened(t, "jianghe", credential.KindAcquirer) }
func providerStage(t *testing.T) *stage { return opened(t, "qingluo", credential.KindProvider) }

// phone is somebody's new phone: a fresh key and, once it was typed, the code.
type phone struct {
	s                          *stage
	organisation, holder, role string
	key                        *ecdsa.PrivateKey
}

func (s *stage) phone(holder, role string) *phone {
	s.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.Fatal(err)
	}
	return &phone{s: s, organisation: s.conf.Organisation, holder: holder, role: role, key: key}
}

func (p *phone) public() statement.Key { return statement.KeyOf(&p.key.PublicKey) }

// asks makes the request that the page sends after the code is typed.
func (p *phone) asks(c credential.Code) orgapi.EnrolmentAsk {
	p.s.Helper()
	a := orgapi.EnrolmentAsk{Organisation: p.organisation, Holder: p.holder, Role: p.role, Key: p.public(), HeldBy: statement.HeldByHolder}
	a.Proof = base64.StdEncoding.EncodeToString(c.Key(p.organisation, p.holder, p.role).Proof(a.Enrolling()))
	return p.possessing(a)
}

// possessing signs the request with the phone's key.
func (p *phone) possessing(a orgapi.EnrolmentAsk) orgapi.EnrolmentAsk {
	p.s.Helper()
	a.Possession = p.signs(visit.StreamOrganisation+"/"+a.Organisation, registry.TypeEnrolmentRequest, registry.EnrolmentRequest{Proof: a.Proof})
	return a
}

func (p *phone) signs(subject, kind string, body any) string {
	p.s.Helper()
	envelope, err := statement.Sign(p.key, statement.Unsigned{Type: kind, Subject: subject, Body: body,
		Header: statement.Header{Signer: p.holder, Organisation: p.organisation, Role: p.role, At: statement.At(p.s.time)}})
	if err != nil {
		p.s.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(envelope)
}

// badgeFor asks for the day's badge.
func (p *phone) badgeFor(day *ecdsa.PrivateKey) orgapi.BadgeAsk {
	p.s.Helper()
	return orgapi.BadgeAsk{Holder: p.holder, Request: p.signs(visit.StreamPerson+"/"+p.holder, registry.TypeBadgeRequest,
		registry.BadgeRequest{Key: statement.KeyOf(&day.PublicKey)})}
}

func (s *stage) code(holder, role, reason string) credential.Code {
	s.Helper()
	made, err := s.MakeCode(holder, role, reason)
	if err != nil {
		s.Fatal(err)
	}
	return made.Code
}

// enrolled hands over a code and enrols a new phone.
func (s *stage) enrolled(holder, role string) *phone {
	s.Helper()
	p := s.phone(holder, role)
	if _, err := s.Enrol(p.asks(s.code(holder, role, reasonReplaced))); err != nil {
		s.Fatal(err)
	}
	return p
}

// refuses expects one reason.
func (s *stage) refuses(why string, ask orgapi.EnrolmentAsk) {
	s.Helper()
	if a, err := s.Enrol(ask); fault.CodeOf(err) != why || len(a.Statements) > 0 {
		s.Errorf("got %v, want %s", err, why)
	}
}

// read proves a statement of the organisation and reads its body.
func (s *stage) read(signed orgapi.Signed, kind string, body any) {
	s.Helper()
	envelope, err := statement.Base64(signed.Statement)
	if err != nil {
		s.Fatal(err)
	}
	v, err := statement.Verify(envelope, statement.KeyOf(&s.keys.Own.PublicKey))
	if err != nil {
		s.Fatal(err)
	}
	if err := v.Body(kind, body); err != nil {
		s.Fatal(err)
	}
	if v.Subject() != signed.Stream {
		s.Errorf("signed for %s, said to be for %s", v.Subject(), signed.Stream)
	}
}

func (s *stage) all() []orgapi.Signed {
	s.Helper()
	a, err := s.Statements(s.Context(), 0, 0)
	if err != nil {
		s.Fatal(err)
	}
	return a.Statements
}

func dayKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
