package organisation

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// maxTries is how many wrong proofs a code stands. After that it is locked, and a new one is handed over.
const maxTries = 5

// States of a code. The first two are out.
const (
	codeLive    = "live"
	codeLocked  = "locked"
	codeExpired = "expired"
	codeUsed    = "used"
	codeRevoked = "revoked"
)

// state says what became of a code.
func (c *code) state(now time.Time) string {
	switch {
	case c.usedBy != "":
		return codeUsed
	case c.revoked:
		return codeRevoked
	case !now.Before(c.until):
		return codeExpired
	case c.tries >= maxTries:
		return codeLocked
	}
	return codeLive
}

// What happens to a person's earlier keys when a code is used. An additional key, for somebody with two
// phones, leaves them.
const (
	reasonReplaced = "replaced"
	reasonLost     = "lost"
	Additional     = "additional"
)

// clockBefore lets an enrolment begin a little before it is signed: a phone whose clock is slow may sign
// with its new key at once.
const clockBefore = 5 * time.Minute

// MadeCode is a code that was just made: shown once, kept nowhere.
type MadeCode struct {
	Code   credential.Code
	Holder string
	Role   string
	Until  time.Time
}

// MakeCode makes a one-time code for somebody on the roll, or puts a new holder on it. An earlier code
// no longer counts. reason is replaced, lost or Additional: of a lost phone the key ends at once, of a
// replaced one when the new key is enrolled.
func (s *Service) MakeCode(holder, role, reason string) (MadeCode, error) {
	if err := checkID(holder, "holder"); err != nil {
		return MadeCode{}, err
	}
	if err := s.enrols(role); err != nil {
		return MadeCode{}, err
	}
	if !slices.Contains([]string{reasonReplaced, reasonLost, Additional}, reason) {
		return MadeCode{}, orgapi.ErrReason
	}
	c := credential.NewCode()
	checks := c.Key(s.conf.Organisation, holder, role) // slow, so before the lock
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if err := s.onRoll(now, holder, role); err != nil {
		return MadeCode{}, err
	}
	made := MadeCode{Code: c, Holder: holder, Role: role, Until: now.Add(days(s.conf.CodeDays))}
	row := change{Kind: changeCode, At: statement.At(now), By: byDesk, Holder: holder, Role: role, Reason: reason,
		Code: &codeRow{ID: rand.Text(), Key: base64.StdEncoding.EncodeToString(checks[:]), Until: statement.At(made.Until), Reason: reason}}
	if reason == reasonLost {
		var err error
		if row.Ended, row.Signed, err = s.endAll(now, s.state.people[who{holder, role}], reasonLost); err != nil {
			return MadeCode{}, err
		}
	}
	return made, s.record(row)
}

// onRoll makes sure that somebody is on the roll and active.
func (s *Service) onRoll(now time.Time, holder, role string) error {
	p := s.state.people[who{holder, role}]
	switch {
	case p == nil:
		return s.record(change{Kind: changePerson, At: statement.At(now), By: byDesk, Holder: holder, Role: role, State: orgapi.Active})
	case p.state != orgapi.Active:
		return orgapi.ErrNotActive
	}
	return nil
}

// RevokeCode takes the code that is out back.
func (s *Service) RevokeCode(holder, role string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.person(holder, role); err != nil {
		return err
	}
	return s.record(change{Kind: changeCodeEnd, At: statement.At(s.now()), By: byDesk, Holder: holder, Role: role})
}

// endAll signs the end of every key of a person that counts now.
func (s *Service) endAll(now time.Time, p *person, reason string) (thumbs []string, signed []orgapi.Signed, err error) {
	for _, k := range p.inForce(now) {
		one, err := s.endOf(now, k, reason)
		if err != nil {
			return nil, nil, err
		}
		thumbs, signed = append(thumbs, k.key.Thumbprint()), append(signed, one)
	}
	return thumbs, signed, nil
}

func (s *Service) endOf(now time.Time, k *key, reason string) (orgapi.Signed, error) {
	return s.sign(now, s.ownStream(), visit.EndEnrolment, statement.TypeEnrolmentEnd,
		statement.EnrolmentEnd{Key: k.key.Thumbprint(), From: statement.At(now), Reason: reason})
}

// Enrol vouches for a phone's key if the phone proves that it was given the code. The same request gets
// the same answer, also after the service died in between. Faults: orgapi's.
func (s *Service) Enrol(ask orgapi.EnrolmentAsk) (orgapi.Answer, error) {
	proof, err := s.checkAsk(ask)
	if err != nil {
		return orgapi.Answer{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	p := s.state.people[who{ask.Holder, ask.Role}]
	if p == nil {
		return orgapi.Answer{}, orgapi.ErrCodeWrong // as for somebody who has no code: it tells nothing
	}
	c, err := s.try(now, p, ask, proof)
	if err != nil {
		return orgapi.Answer{}, err
	}
	thumb := ask.Key.Thumbprint()
	if c.usedBy == thumb {
		return answerOf(p.enrolled(thumb)), nil
	}
	return s.vouch(now, p, c, ask)
}

// checkAsk refuses what needs no code to be refused, so that it costs no try.
func (s *Service) checkAsk(ask orgapi.EnrolmentAsk) (proof []byte, err error) {
	if ask.Organisation != s.conf.Organisation {
		return nil, orgapi.ErrElsewhere
	}
	if err := checkID(ask.Holder, "holder"); err != nil {
		return nil, err
	}
	if err := s.enrols(ask.Role); err != nil {
		return nil, err
	}
	if ask.HeldBy != statement.HeldByHolder {
		return nil, orgapi.ErrAskForm.At("held_by") // a phone's key is the phone's
	}
	proof, err = statement.Base64(ask.Proof)
	if err != nil || len(proof) != len(credential.CodeKey{}) {
		return nil, orgapi.ErrAskForm.At("proof")
	}
	if _, err := ask.Key.Public(); err != nil {
		return nil, orgapi.ErrAskForm.At("key").Because(err)
	}
	return proof, checkPossession(ask)
}

// checkPossession wants the request signed with the key that it brings, in the holder's name.
func checkPossession(ask orgapi.EnrolmentAsk) error {
	envelope, err := statement.Base64(ask.Possession)
	if err != nil {
		return orgapi.ErrPossession.Because(err)
	}
	v, err := statement.Verify(envelope, ask.Key)
	if err != nil {
		return orgapi.ErrPossession.Because(err)
	}
	var body registry.EnrolmentRequest
	if err := v.Body(registry.TypeEnrolmentRequest, &body); err != nil {
		return orgapi.ErrPossession.Because(err)
	}
	h := v.Header()
	if body.Proof != ask.Proof || h.Signer != ask.Holder || h.Organisation != ask.Organisation || h.Role != ask.Role ||
		v.Subject() != visit.StreamOrganisation+"/"+ask.Organisation {
		return orgapi.ErrPossession
	}
	return nil
}

// try finds the code that the proof was made with, and says why it no longer opens anything. A proof that
// no code made counts against the one that is out.
func (s *Service) try(now time.Time, p *person, ask orgapi.EnrolmentAsk, proof []byte) (*code, error) {
	for _, c := range slices.Backward(p.codes) {
		if !c.key.Proves(ask.Enrolling(), proof) {
			continue
		}
		switch {
		case c.usedBy == ask.Key.Thumbprint():
			return c, nil
		case c.usedBy != "":
			return nil, orgapi.ErrCodeUsed
		case c.revoked:
			return nil, orgapi.ErrCodeRevoked
		case c.tries >= maxTries:
			return nil, orgapi.ErrCodeLocked
		case !now.Before(c.until):
			return nil, orgapi.ErrCodeExpired
		}
		return c, nil
	}
	return nil, s.wrong(now, p)
}

func (s *Service) wrong(now time.Time, p *person) error {
	c := p.newest()
	if c == nil || c.usedBy != "" || c.revoked || !now.Before(c.until) {
		return orgapi.ErrCodeWrong
	}
	if c.tries < maxTries {
		if err := s.record(change{Kind: changeTry, At: statement.At(now), By: byPhone, Holder: p.holder, Role: p.role}); err != nil {
			return err
		}
	}
	if c.tries >= maxTries {
		return orgapi.ErrCodeLocked
	}
	return orgapi.ErrCodeWrong
}

// vouch signs the enrolment and the end of what it replaces.
func (s *Service) vouch(now time.Time, p *person, c *code, ask orgapi.EnrolmentAsk) (orgapi.Answer, error) {
	thumb := ask.Key.Thumbprint()
	if p.state != orgapi.Active {
		return orgapi.Answer{}, orgapi.ErrNotActive
	}
	if s.state.byKey[thumb] != nil || s.state.badgeKeys[thumb] || s.isOwn(thumb) {
		return orgapi.Answer{}, orgapi.ErrKeyTaken
	}
	body := statement.Enrolment{Holder: p.holder, Organisation: s.conf.Organisation, Role: p.role, Key: ask.Key, HeldBy: ask.HeldBy,
		From: statement.At(now.Add(-clockBefore)), Until: statement.At(now.Add(days(s.conf.KeyDays)))}
	enrolment, err := s.sign(now, s.ownStream(), visit.Enrol, statement.TypeEnrolment, body)
	if err != nil {
		return orgapi.Answer{}, err
	}
	row := change{Kind: changeEnrolled, At: statement.At(now), By: byPhone, Holder: p.holder, Role: p.role, Reason: c.reason,
		Key: &keyRow{Key: ask.Key, Until: body.Until, Code: c.id}, Signed: []orgapi.Signed{enrolment}}
	if c.reason != Additional {
		thumbs, ends, err := s.endAll(now, p, c.reason)
		if err != nil {
			return orgapi.Answer{}, err
		}
		row.Ended, row.Signed = thumbs, append(row.Signed, ends...)
	}
	if err := s.record(row); err != nil {
		return orgapi.Answer{}, err
	}
	return answerOf(p.enrolled(thumb)), nil
}

func (s *Service) isOwn(thumb string) bool {
	own := statement.KeyOf(&s.keys.Own.PublicKey).Thumbprint() == thumb
	return own || s.keys.Badge != nil && statement.KeyOf(&s.keys.Badge.PublicKey).Thumbprint() == thumb
}

// enrolled is what was signed when a key was enrolled.
func (p *person) enrolled(thumb string) []orgapi.Signed {
	for _, k := range p.keys {
		if k.key.Thumbprint() == thumb {
			return k.signed
		}
	}
	return nil
}

func answerOf(signed []orgapi.Signed) orgapi.Answer {
	return orgapi.Answer{Statements: append([]orgapi.Signed{}, signed...)}
}

// keyReasons are why a key may end.
var keyReasons = []string{reasonLost, reasonLeft, reasonReplaced, "compromised"}

// EndKey ends an enrolled key now. Asked again, it gives what was signed then.
func (s *Service) EndKey(thumb, reason, by string) (orgapi.Answer, error) {
	if !slices.Contains(keyReasons, reason) {
		return orgapi.Answer{}, orgapi.ErrReason
	}
	if err := checkID(by, "by"); err != nil {
		return orgapi.Answer{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.state.byKey[thumb]
	if p == nil {
		return orgapi.Answer{}, orgapi.ErrKeyUnknown
	}
	at := slices.IndexFunc(p.keys, func(k *key) bool { return k.key.Thumbprint() == thumb })
	k := p.keys[at]
	if k.ended {
		return answerOf(slices.DeleteFunc(slices.Clone(k.endedBy), func(o orgapi.Signed) bool { return o.Verb != visit.EndEnrolment })), nil
	}
	now := s.now()
	end, err := s.endOf(now, k, reason)
	if err != nil {
		return orgapi.Answer{}, err
	}
	err = s.record(change{Kind: changeKeyEnd, At: statement.At(now), By: by, Holder: p.holder, Role: p.role, Reason: reason, Ended: []string{thumb}, Signed: []orgapi.Signed{end}})
	if err != nil {
		return orgapi.Answer{}, err
	}
	return answerOf(k.endedBy), nil
}

var errCard = fault.New(fault.Invalid, "card_malformed", "姓名和照片要以承诺的形式登记（64 位十六进制）。", "Name and photo are given as commitments, 64 lower-case hex digits.")
