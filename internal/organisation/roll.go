package organisation

import (
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/statement"
)

// PutPerson puts somebody on the roll, or makes an absent one active again. name and photo are the
// commitments that a technician's badge carries; "" leaves them as they are.
func (s *Service) PutPerson(holder, role, name, photo string) error {
	if err := checkID(holder, "holder"); err != nil {
		return err
	}
	if err := s.enrols(role); err != nil {
		return err
	}
	row := change{Kind: changePerson, By: byDesk, Holder: holder, Role: role, State: orgapi.Active}
	if name != "" || photo != "" {
		if !statement.IsDigest(name) || !statement.IsDigest(photo) {
			return errCard
		}
		row.Card = &card{Name: name, Photo: photo}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	row.At = statement.At(s.now())
	return s.record(row)
}

// Leave takes somebody's power away, all of it at once: code, keys and badges. Gone for good (left) or for
// the time being (suspended); PutPerson brings him back, and a new code a new key.
func (s *Service) Leave(holder, role, reason string) (orgapi.Answer, error) {
	state := map[string]string{reasonLeft: orgapi.Left, reasonSuspended: orgapi.Suspended}[reason]
	if state == "" {
		return orgapi.Answer{}, orgapi.ErrReason
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(holder, role)
	if err != nil {
		return orgapi.Answer{}, err
	}
	now := s.now()
	row := change{Kind: changePerson, At: statement.At(now), By: byDesk, Holder: holder, Role: role, State: state, Reason: reason}
	if reason == reasonLeft { // a suspended key sleeps with its badges: it may sign nothing that needs one
		if row.Ended, row.Signed, err = s.endAll(now, p, reasonLeft); err != nil {
			return orgapi.Answer{}, err
		}
	}
	return s.endBadges(now, row)
}
