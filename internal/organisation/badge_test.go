package organisation

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

func contains(data []byte, s string) bool { return bytes.Contains(data, []byte(s)) }

var (
	nameOf  = statement.Digest([]byte("name"))
	photoOf = statement.Digest([]byte("photo"))
)

// technician puts somebody on the roll with a card and enrols his phone.
func (s *stage) technician(holder string) *phone {
	s.Helper()
	if err := s.PutPerson(holder, visit.RoleTechnician, nameOf, photoOf); err != nil {
		s.Fatal(err)
	}
	return s.enrolled(holder, visit.RoleTechnician)
}

// listed reads the newest published list and says what it has for a badge.
func (s *stage) listed(b credential.Badge) error {
	s.Helper()
	all := s.all()
	for _, o := range slices.Backward(all) {
		if o.Verb != visit.Publish {
			continue
		}
		var l registry.StatusList
		s.read(o, registry.TypeStatusList, &l)
		list, err := credential.VerifyStatusList([]byte(l.Token), credential.StatusExpectation{Issuer: statement.KeyOf(&s.keys.Badge.PublicKey),
			IssuerID: s.conf.Organisation, URI: l.URI, Now: s.time})
		if err != nil {
			s.Fatal(err)
		}
		return list.Admits(b)
	}
	s.Fatal("no list")
	return nil
}

func (s *stage) badgeOf(a orgapi.Answer) credential.Badge {
	s.Helper()
	b, err := credential.VerifyBadge([]byte(a.Badge), statement.KeyOf(&s.keys.Badge.PublicKey), s.conf.Organisation, s.time)
	if err != nil {
		s.Fatal(err)
	}
	return b
}

func TestAShiftBeginsWithABadge(t *testing.T) {
	s := providerStage(t)
	if err := s.Tick(); err != nil { // the list is there before the first badge
		t.Fatal(err)
	}
	lan, day := s.technician("lan"), dayKey(t)
	ask := lan.badgeFor(day)
	a, err := s.Badge(ask)
	if err != nil || len(a.Statements) != 1 {
		t.Fatal(a, err)
	}
	b := s.badgeOf(a)
	if b.StaffNumber() != "lan" || b.NameCommitment() != nameOf || b.Holder().Thumbprint() != statement.KeyOf(&day.PublicKey).Thumbprint() || b.ExpiresAt().Sub(s.time) != 14*time.Hour {
		t.Errorf("%+v", b)
	}
	var issued registry.BadgeIssued
	s.read(a.Statements[0], registry.TypeBadgeIssued, &issued)
	if issued.Badge != b.Digest() || issued.StatusURI != b.StatusURI() || issued.StatusIndex != b.StatusIndex() {
		t.Errorf("%+v", issued)
	}
	if err := s.listed(b); err != nil {
		t.Errorf("its entry is not published: %v", err)
	}

	t.Run("asked again, the same badge", func(t *testing.T) {
		s.reopen()
		s.wait(time.Hour) // also when the request is no longer fresh: it is the answer that was lost
		if again, err := s.Badge(ask); err != nil || again.Badge != a.Badge || !slices.Equal(again.Statements, a.Statements) {
			t.Errorf("%v, %v", again, err)
		}
	})
	t.Run("revoked, and the list says so at once", func(t *testing.T) {
		a, err := s.EndBadges("lan", "fraud", "qiu")
		if err != nil || len(a.Statements) != 2 {
			t.Fatal(a, err)
		}
		if err := s.listed(b); fault.CodeOf(err) != "badge_revoked" {
			t.Error(err)
		}
		if again, err := s.EndBadges("lan", "fraud", "qiu"); err != nil || len(again.Statements) != 0 {
			t.Errorf("once more: %v, %v", again, err)
		}
		if _, err := s.Badge(ask); fault.CodeOf(err) != "badge_request_stale" {
			t.Errorf("the old request brings it back: %v", err)
		}
		if _, err := s.Badge(lan.badgeFor(day)); fault.CodeOf(err) != "badge_key_reused" {
			t.Errorf("its key gets another: %v", err)
		}
	})
}

func TestEachBadgeIsRefusedForItsOwnReason(t *testing.T) {
	s := providerStage(t)
	lan := s.technician("lan")
	refused := func(name, want string, ask orgapi.BadgeAsk) {
		t.Helper()
		if _, err := s.Badge(ask); fault.CodeOf(err) != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	other := s.technician("bo")
	refused("another's signature", "person_without_key", orgapi.BadgeAsk{Holder: "lan", Request: other.badgeFor(dayKey(t)).Request})
	forged := *lan
	forged.key = other.key
	refused("another's key in his name", "person_without_key", forged.badgeFor(dayKey(t)))
	liar := *lan
	liar.holder = "bo"
	refused("his key in another's name", "person_without_key", liar.badgeFor(dayKey(t)))
	refused("a stranger", "person_unknown", s.phone("nobody", visit.RoleTechnician).badgeFor(dayKey(t)))
	refused("his own key as badge key", "badge_key_reused", lan.badgeFor(lan.key))
	refused("no request", "organisation_ask_malformed", orgapi.BadgeAsk{Holder: "lan", Request: "e30="})
	refused("no base64", "organisation_ask_malformed", orgapi.BadgeAsk{Holder: "lan", Request: "?"})
	refused("no id", "organisation_ask_malformed", orgapi.BadgeAsk{Holder: "?"})
	refused("another statement", "organisation_ask_malformed", orgapi.BadgeAsk{Holder: "lan", Request: lan.signs("person/lan", "train", map[string]int{})})
	refused("a passkey on the badge", "organisation_ask_malformed", orgapi.BadgeAsk{Holder: "lan", Request: lan.signs("person/lan", registry.TypeBadgeRequest,
		registry.BadgeRequest{Key: statement.Key{Kind: statement.WebAuthn, X: lan.public().X, Y: lan.public().Y, RPID: "menshen.example", Origins: []string{"https://menshen.example"}}})})

	early, late := lan.badgeFor(dayKey(t)), ""
	s.wait(badgeClock + time.Second)
	refused("a request of before", "badge_request_stale", early)
	s.wait(time.Hour)
	late = lan.badgeFor(dayKey(t)).Request
	s.wait(-time.Hour)
	refused("a clock that is ahead", "badge_request_stale", orgapi.BadgeAsk{Holder: "lan", Request: late})

	for range maxBadges {
		if _, err := s.Badge(lan.badgeFor(dayKey(t))); err != nil {
			t.Fatal(err)
		}
	}
	refused("a fourth badge", "badge_too_many", lan.badgeFor(dayKey(t)))
	s.wait(15 * time.Hour)
	if _, err := s.Badge(lan.badgeFor(dayKey(t))); err != nil {
		t.Errorf("the next day: %v", err)
	}

	plain := s.enrolled("he", visit.RoleTechnician)
	refused("without name and photo", "person_without_card", plain.badgeFor(dayKey(t)))
	acquirer := acquirerStage(t)
	if _, err := acquirer.Badge(lan.badgeFor(dayKey(t))); fault.CodeOf(err) != "badge_issuer_not" {
		t.Error(err)
	}
	if _, err := acquirer.EndBadges("lan", "fraud", "qiu"); fault.CodeOf(err) != "badge_issuer_not" {
		t.Error(err)
	}
	if err := acquirer.Tick(); err != nil {
		t.Error(err)
	}
}

// Whoever leaves loses everything at once: code, key, badge.
func TestWhoeverLeavesHasNoBadge(t *testing.T) {
	s := providerStage(t)
	lan := s.technician("lan")
	a, err := s.Badge(lan.badgeFor(dayKey(t)))
	if err != nil {
		t.Fatal(err)
	}
	b := s.badgeOf(a)
	t.Run("suspended for the day", func(t *testing.T) {
		if _, err := s.Leave("lan", visit.RoleTechnician, reasonSuspended); err != nil {
			t.Fatal(err)
		}
		if err := s.listed(b); fault.CodeOf(err) != "badge_suspended" {
			t.Error(err)
		}
		if _, err := s.Badge(lan.badgeFor(dayKey(t))); fault.CodeOf(err) != "person_not_active" {
			t.Error(err)
		}
	})
	t.Run("back, then gone", func(t *testing.T) {
		if err := s.PutPerson("lan", visit.RoleTechnician, "", ""); err != nil {
			t.Fatal(err)
		}
		a, err := s.Badge(lan.badgeFor(dayKey(t)))
		if err != nil {
			t.Fatal(err)
		}
		second := s.badgeOf(a)
		left, err := s.Leave("lan", visit.RoleTechnician, reasonLeft)
		if err != nil || len(left.Statements) != 3 { // key, badge, list
			t.Fatal(left, err)
		}
		s.reopen()
		if err := s.listed(second); fault.CodeOf(err) != "badge_revoked" {
			t.Error(err)
		}
		if _, err := s.Badge(lan.badgeFor(dayKey(t))); fault.CodeOf(err) != "person_without_key" {
			t.Error(err)
		}
	})
	for want, err := range map[string]error{"person_unknown": second(s.EndBadges("nobody", "fraud", "qiu")), "reason_unknown": second(s.EndBadges("lan", "whim", "qiu")),
		"organisation_ask_malformed": second(s.EndBadges("lan", "fraud", ""))} {
		if fault.CodeOf(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A list is signed anew at half its time, so that there is always one that holds.
func TestListsStayInDate(t *testing.T) {
	s := providerStage(t)
	lan := s.technician("lan")
	a, err := s.Badge(lan.badgeFor(dayKey(t)))
	if err != nil || len(a.Statements) != 2 { // without a list before it, the badge brings its own
		t.Fatal(a, err)
	}
	b := s.badgeOf(a)
	before := len(s.all())
	for range 8 {
		s.wait(time.Hour)
		if err := s.Tick(); err != nil {
			t.Fatal(err)
		}
		if err := s.listed(b); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.all()) - before; n != 1 {
		t.Errorf("%d lists in eight hours", n)
	}
}

// A full list is followed by another; both stay in date while their badges hold.
func TestAFullListIsFollowedByAnother(t *testing.T) {
	s := providerStage(t)
	lan := s.technician("lan")
	first, err := s.Badge(lan.badgeFor(dayKey(t)))
	if err != nil {
		t.Fatal(err)
	}
	for len(s.state.lists[0].statuses) < listEntries {
		s.state.lists[0].statuses = append(s.state.lists[0].statuses, credential.Valid)
	}
	next, err := s.Badge(lan.badgeFor(dayKey(t)))
	if err != nil {
		t.Fatal(err)
	}
	a, b := s.badgeOf(first), s.badgeOf(next)
	if a.StatusURI() == b.StatusURI() || b.StatusIndex() != 0 {
		t.Errorf("%s %d", b.StatusURI(), b.StatusIndex())
	}
	s.wait(7 * time.Hour)
	before := s.state.numbers
	if err := s.Tick(); err != nil || s.state.numbers != before+2 {
		t.Errorf("%d lists, %v", s.state.numbers-before, err)
	}
	s.wait(8 * time.Hour) // no badge of the first is in force any more
	before = s.state.numbers
	if err := s.Tick(); err != nil || s.state.numbers != before+1 {
		t.Errorf("%d lists, %v", s.state.numbers-before, err)
	}
}
