package organisation

import (
	"context"
	"encoding/base64"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/journal"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

const journalHeader = "menshen-organisation-journal-v1"

// Who asked, where no person's id says it.
const (
	byDesk    = "desk"
	byPhone   = "phone"
	byService = "service"
)

// Service is one organisation's service with its folder open. It may be used from many goroutines.
type Service struct {
	conf Config
	keys Keys
	now  func() time.Time
	log  *slog.Logger

	reader *evidence.Reader // of a course issuer: proves attempts by the issuer's own trust file

	mu      sync.Mutex
	state   *state
	journal *journal.Journal
	news    chan struct{} // closed when something was signed

	older bool // menshen has seen statements that this journal has not

	warned time.Time // when lists that end soon were last told to the log

	signing func() // tests: told when a change is signed and not on disk
	signed  func() // tests: told after a change is on disk and before anybody hears of it
}

// Open takes a folder and brings the service to where it was. Close lets go of it. Faults: those of the
// config, of the journal, organisation_key_unreadable, organisation_change_unknown.
func Open(c Config, now func() time.Time, log *slog.Logger) (*Service, error) {
	keys, err := c.keys()
	if err != nil {
		return nil, err
	}
	reader, err := c.trusting()
	if err != nil {
		return nil, err
	}
	s := &Service{conf: c, keys: keys, now: now, log: log, reader: reader, state: newState(), news: make(chan struct{})}
	s.journal, err = journal.OpenEach(c.dir, journalHeader, c.JournalMiB<<20, func(_ int, raw []byte) error {
		var one change
		if err := statement.Decode(raw, &one); err != nil {
			return err
		}
		return s.state.apply(one)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Close lets go of the folder.
func (s *Service) Close() error { return s.journal.Close() }

// record keeps a change, then acts on it. The caller holds the lock. The audit line says what happened
// to whom, by opaque ids.
func (s *Service) record(c change) error {
	for i := range c.Signed {
		c.Signed[i].Number = s.state.numbers + int64(i) + 1
	}
	if s.older {
		return errOlder
	}
	data, err := statement.Canonical(c)
	if err != nil {
		return err
	}
	if s.signing != nil && len(c.Signed) > 0 {
		s.signing()
	}
	if err := s.journal.Append(data); err != nil {
		return err
	}
	if err := s.state.apply(c); err != nil {
		return err
	}
	s.log.Info("recorded", "what", c.Kind, "by", c.By, "holder", c.Holder, "role", c.Role, "reason", c.Reason, "signed", len(c.Signed))
	if s.signed != nil && len(c.Signed) > 0 {
		s.signed()
	}
	if len(c.Signed) > 0 {
		close(s.news)
		s.news = make(chan struct{})
	}
	return nil
}

// sign makes a statement in the organisation's name.
func (s *Service) sign(now time.Time, stream, verb, kind string, body any) (orgapi.Signed, error) {
	return s.signAs(now, visit.RoleOrganisation, stream, verb, kind, body)
}

// signAs signs as what the trust list lists the organisation.
func (s *Service) signAs(now time.Time, role, stream, verb, kind string, body any) (orgapi.Signed, error) {
	id := s.conf.Organisation
	envelope, err := statement.Sign(s.keys.Own, statement.Unsigned{Type: kind, Subject: stream, Body: body,
		Header: statement.Header{Signer: id, Organisation: id, Role: role, At: statement.At(now)}})
	return orgapi.Signed{Stream: stream, Verb: verb, Statement: base64.StdEncoding.EncodeToString(envelope)}, err
}

func (s *Service) ownStream() string { return visit.StreamOrganisation + "/" + s.conf.Organisation }

// enrols says whether this organisation may vouch for a role at all.
func (s *Service) enrols(role string) error {
	if kind := evidence.Enroller(role); kind == "" || !slices.Contains(s.conf.Kinds, kind) {
		return orgapi.ErrRoleOther
	}
	return nil
}

// person finds somebody on the roll.
func (s *Service) person(holder, role string) (*person, error) {
	if p := s.state.people[who{holder, role}]; p != nil {
		return p, nil
	}
	return nil, orgapi.ErrNoPerson
}

// maxWait bounds how long menshen may wait for something to be signed.
const maxWait = 25 * time.Second

// atOnce is how many statements one answer holds.
const atOnce = 100

// Statements gives what was signed after a number, oldest first; if there is nothing yet, it waits for
// that long. Faults: organisation_statements_gone when they are no longer at hand; organisation_journal_older when
// there never was that number here: then an older copy of the folder was put back, and nothing more is signed, or a
// number, and a place in a status list, would be given twice.
func (s *Service) Statements(ctx context.Context, after int64, wait time.Duration) (orgapi.Answer, error) {
	limit, cancel := context.WithTimeout(ctx, min(max(wait, 0), maxWait))
	defer cancel()
	for {
		s.mu.Lock()
		found, news, err := s.state.after(after), s.news, error(nil)
		if after < s.state.numbers-int64(len(s.state.recent)) {
			err = errGone
		}
		if s.older = s.older || after > s.state.numbers; s.older {
			err = errOlder
		}
		s.mu.Unlock()
		if err != nil || len(found) > 0 {
			return orgapi.Answer{Statements: found}, err
		}
		select {
		case <-news:
		case <-limit.Done():
			return orgapi.Answer{Statements: []orgapi.Signed{}}, nil
		}
	}
}

var errOlder = fault.New(fault.Refused, "organisation_journal_older", "门神收到过的签名文件，这份记录里没有：文件夹是旧的。不再签任何东西，把最新的文件夹放回来再启动。", "menshen has seen statements that this journal lacks: the folder is an older copy. Nothing more is signed; put the newest folder back and start again.")

var errGone = fault.New(fault.NotFound, "organisation_statements_gone", "这么早的签名文件不在手边了，请由机构从记录里导出。", "Statements that old are no longer at hand; the organisation exports them from its journal.")

func (s *state) after(number int64) []orgapi.Signed {
	first := s.numbers - int64(len(s.recent))
	if number < first || number >= s.numbers {
		return nil
	}
	found := s.recent[number-first:]
	return slices.Clone(found[:min(len(found), atOnce)])
}

// People lists the roll, sorted by holder and role.
func (s *Service) People() orgapi.People {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	out := make([]orgapi.Person, 0, len(s.state.people))
	for _, p := range s.state.people {
		out = append(out, s.line(p, now))
	}
	slices.SortFunc(out, func(a, b orgapi.Person) int {
		if a.Holder != b.Holder {
			return compare(a.Holder, b.Holder)
		}
		return compare(a.Role, b.Role)
	})
	return orgapi.People{People: out}
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (s *Service) line(p *person, now time.Time) orgapi.Person {
	l := orgapi.Person{Holder: p.holder, Role: p.role, State: p.state}
	if keys := p.inForce(now); len(keys) > 0 {
		newest := keys[len(keys)-1]
		l.Key, l.KeyUntil = newest.key.Thumbprint(), statement.At(newest.until)
	}
	if c := p.newest(); c != nil {
		l.CodeState, l.CodeMade = c.state(now), statement.At(c.made)
		switch l.CodeState {
		case codeUsed:
			l.CodeUsed = statement.At(c.usedAt)
		case codeLive, codeLocked:
			l.CodeUntil = statement.At(c.until)
		}
	}
	for _, b := range s.state.badges[p.holder] {
		if p.role == visit.RoleTechnician && !b.ended && now.Before(b.until) {
			l.Badges++
		}
	}
	return l
}

// Tick does what has to be done without being asked: a status list is signed anew at half its time, and the
// log is told which other lists end soon.
func (s *Service) Tick() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.warnDue(now)
	if s.keys.Badge == nil {
		return nil
	}
	for i, l := range s.liveLists(now) {
		if l == nil || now.Sub(l.signedAt) < time.Duration(s.conf.ListHours)*time.Hour/2 {
			continue
		}
		signed, row, err := s.publish(now, i, nil)
		if err != nil {
			return err
		}
		if err := s.record(change{Kind: changeList, At: statement.At(now), By: byService, Lists: []listRow{row}, Signed: []orgapi.Signed{signed}}); err != nil {
			return err
		}
	}
	return nil
}

func checkID(id, where string) error {
	if identifier.CheckID(id) != nil {
		return orgapi.ErrAskForm.At(where)
	}
	return nil
}

// Issues says whether the organisation issues badges.
func (s *Service) Issues() bool { return slices.Contains(s.conf.Kinds, credential.KindProvider) }
