package organisation

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

const (
	reasonLeft      = "left"
	reasonSuspended = "suspended"

	// badgeClock is how far a technician's clock may be from the service's.
	badgeClock = 10 * time.Minute
	// maxBadges is how many badges of one person may be in force: a phone that lost its storage gets
	// another, and the visit under way goes on under the first.
	maxBadges = 3
)

// badgeReasons are why badges may be taken back.
var badgeReasons = []string{reasonLeft, reasonLost, reasonSuspended, "fraud"}

// Badge issues the day's badge to an active technician who signed for it with his enrolled key. The same
// request gets the same badge.
func (s *Service) Badge(ask orgapi.BadgeAsk) (orgapi.Answer, error) {
	if s.keys.Badge == nil {
		return orgapi.Answer{}, orgapi.ErrNotIssuer
	}
	if err := checkID(ask.Holder, "holder"); err != nil {
		return orgapi.Answer{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	p, err := s.person(ask.Holder, visit.RoleTechnician)
	if err != nil {
		return orgapi.Answer{}, err
	}
	request, at, err := s.signedFor(now, p, ask)
	if err != nil {
		return orgapi.Answer{}, err
	}
	thumb := request.Key.Thumbprint()
	inForce := 0
	for _, b := range s.state.badges[p.holder] {
		switch {
		case b.ended || !now.Before(b.until):
		case b.key == thumb:
			return orgapi.Answer{Statements: slices.Clone(b.signed), Badge: b.token}, nil
		default:
			inForce++
		}
	}
	if err := s.mayIssue(now, at, p, thumb, inForce); err != nil {
		return orgapi.Answer{}, err
	}
	return s.issue(now, p, request.Key)
}

// signedFor proves that the technician's enrolled key signed the request.
func (s *Service) signedFor(now time.Time, p *person, ask orgapi.BadgeAsk) (registry.BadgeRequest, time.Time, error) {
	var body registry.BadgeRequest
	envelope, err := statement.Base64(ask.Request)
	if err != nil {
		return body, time.Time{}, orgapi.ErrAskForm.At("request").Because(err)
	}
	claims, err := statement.Parse(envelope)
	if err != nil {
		return body, time.Time{}, orgapi.ErrAskForm.At("request").Because(err)
	}
	at := slices.IndexFunc(p.inForce(now), func(k *key) bool { return k.key.Thumbprint() == claims.Header.Key })
	if at < 0 {
		return body, time.Time{}, orgapi.ErrNoKey
	}
	v, err := claims.Verify(p.inForce(now)[at].key)
	if err != nil {
		return body, time.Time{}, orgapi.ErrNoKey.Because(err)
	}
	h := v.Header()
	if h.Signer != p.holder || h.Organisation != s.conf.Organisation || h.Role != p.role || v.Subject() != visit.StreamPerson+"/"+p.holder {
		return body, time.Time{}, orgapi.ErrNoKey
	}
	if err := v.Body(registry.TypeBadgeRequest, &body); err != nil {
		return body, time.Time{}, orgapi.ErrAskForm.At("request").Because(err)
	}
	if _, err := body.Key.Public(); err != nil || body.Key.Kind != statement.ES256 {
		return body, time.Time{}, orgapi.ErrAskForm.At("key").Because(err)
	}
	return body, h.Time(), nil
}

func (s *Service) mayIssue(now, at time.Time, p *person, thumb string, inForce int) error {
	switch {
	case p.state != orgapi.Active:
		return orgapi.ErrNotActive
	case at.Before(now.Add(-badgeClock)) || at.After(now.Add(badgeClock)):
		return orgapi.ErrStale
	case p.card == nil:
		return orgapi.ErrNoCard
	case s.state.badgeKeys[thumb] || s.state.byKey[thumb] != nil || s.isOwn(thumb):
		return orgapi.ErrKeyReused
	case inForce >= maxBadges:
		return orgapi.ErrManyBadges
	}
	return nil
}

// issue makes the badge and the record of it, and the list with its entry where that is not published yet.
func (s *Service) issue(now time.Time, p *person, holder statement.Key) (orgapi.Answer, error) {
	at := s.current()
	index, published := 0, 0
	if at < len(s.state.lists) {
		index, published = len(s.state.lists[at].statuses), s.state.lists[at].entries
	}
	from := now.UTC().Truncate(time.Second)
	until := from.Add(time.Duration(s.conf.BadgeHours) * time.Hour)
	token, err := credential.Issue(s.keys.Badge, credential.BadgeClaims{Issuer: s.conf.Organisation, StaffNumber: p.holder, NameCommitment: p.card.Name,
		PhotoCommitment: p.card.Photo, Holder: holder, IssuedAt: from, ExpiresAt: until, StatusURI: s.uri(at), StatusIndex: index})
	if err != nil {
		return orgapi.Answer{}, err
	}
	thumb := holder.Thumbprint()
	issued, err := s.sign(now, visit.StreamPerson+"/"+p.holder, visit.IssueBadge, registry.TypeBadgeIssued, registry.BadgeIssued{Holder: p.holder, Key: thumb,
		Badge: statement.Digest(token), StatusURI: s.uri(at), StatusIndex: index, From: statement.At(from), Until: statement.At(until)})
	if err != nil {
		return orgapi.Answer{}, err
	}
	row := change{Kind: changeBadge, At: statement.At(now), By: byPhone, Holder: p.holder, Role: p.role, Signed: []orgapi.Signed{issued},
		Badge: &badgeRow{Key: thumb, Token: string(token), List: at, Index: index, Until: statement.At(until)}}
	if index >= published {
		signed, listed, err := s.publish(now, at, map[int]credential.Status{index: credential.Valid})
		if err != nil {
			return orgapi.Answer{}, err
		}
		row.Lists, row.Signed = append(row.Lists, listed), append(row.Signed, signed)
	}
	if err := s.record(row); err != nil {
		return orgapi.Answer{}, err
	}
	badges := s.state.badges[p.holder]
	return orgapi.Answer{Statements: slices.Clone(badges[len(badges)-1].signed), Badge: string(token)}, nil
}

// EndBadges takes every badge of a person back that is in force, in the list and as a statement, at once.
// Without one there is nothing to sign, and that is no failure: taking power away is never refused.
func (s *Service) EndBadges(holder, reason, by string) (orgapi.Answer, error) {
	if s.keys.Badge == nil {
		return orgapi.Answer{}, orgapi.ErrNotIssuer
	}
	if !slices.Contains(badgeReasons, reason) {
		return orgapi.Answer{}, orgapi.ErrReason
	}
	if err := checkID(by, "by"); err != nil {
		return orgapi.Answer{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.person(holder, visit.RoleTechnician); err != nil {
		return orgapi.Answer{}, err
	}
	now := s.now()
	row := change{Kind: changeBadgeEnd, At: statement.At(now), By: by, Holder: holder, Role: visit.RoleTechnician, Reason: reason}
	return s.endBadges(now, row)
}

// endBadges adds to a change what it takes to end a holder's badges, and records it.
func (s *Service) endBadges(now time.Time, row change) (orgapi.Answer, error) {
	status := credential.Invalid
	if row.Reason == reasonSuspended {
		status = credential.Suspended
	}
	byList := map[int]map[int]credential.Status{}
	for _, b := range s.state.badges[row.Holder] {
		if row.Role != visit.RoleTechnician || b.ended || !now.Before(b.until) {
			continue
		}
		one, err := s.sign(now, visit.StreamPerson+"/"+row.Holder, visit.RevokeBadge, registry.TypeBadgeRevoked, registry.BadgeRevoked{Holder: row.Holder,
			StatusURI: s.uri(b.list), StatusIndex: b.index, Reason: row.Reason, From: statement.At(now)})
		if err != nil {
			return orgapi.Answer{}, err
		}
		row.Signed = append(row.Signed, one)
		if byList[b.list] == nil {
			byList[b.list] = map[int]credential.Status{}
		}
		byList[b.list][b.index] = status
	}
	for i, changes := range byList {
		signed, listed, err := s.publish(now, i, changes)
		if err != nil {
			return orgapi.Answer{}, err
		}
		row.Lists, row.Signed = append(row.Lists, listed), append(row.Signed, signed)
	}
	if len(row.Signed) == 0 && row.Kind == changeBadgeEnd {
		return answerOf(nil), nil
	}
	before := s.state.numbers
	if err := s.record(row); err != nil {
		return orgapi.Answer{}, err
	}
	return answerOf(s.state.after(before)), nil
}
