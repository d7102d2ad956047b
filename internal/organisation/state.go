package organisation

import (
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/statement"
)

// Kinds of change.
const (
	changePerson    = "person"    // put on the roll, card or state changed
	changeCode      = "code"      // a code was made
	changeCodeEnd   = "code_end"  // a code was taken back
	changeTry       = "try"       // a wrong proof against the code that is out
	changeEnrolled  = "enrolled"  // a code was used, a key enrolled
	changeKeyEnd    = "key_end"   // a key ended
	changeBadge     = "badge"     // a badge was issued
	changeBadgeEnd  = "badge_end" // a holder's badges were taken back
	changeList      = "list"      // a status list was published
	changePublished = "published" // a list of another kind was
	changeCourse    = "course"    // a course was published
	changePaper     = "paper"     // a paper was handed out
	changeGraded    = "graded"    // an attempt was graded
)

// change is one line of the journal: what happened, who asked, and what was signed for it.
type change struct {
	Kind      string          `json:"kind"`
	At        statement.Time  `json:"at"`
	By        string          `json:"by"` // desk, phone, service, or the id of whoever asked through menshen
	Holder    string          `json:"holder,omitempty"`
	Role      string          `json:"role,omitempty"`
	State     string          `json:"state,omitempty"`
	Card      *card           `json:"card,omitempty"`
	Code      *codeRow        `json:"code,omitempty"`
	Key       *keyRow         `json:"key,omitempty"`
	Ended     []string        `json:"ended,omitempty"` // thumbprints of keys that end
	Badge     *badgeRow       `json:"badge,omitempty"`
	Lists     []listRow       `json:"lists,omitempty"`
	Published *publishedRow   `json:"published,omitempty"`
	Reason    string          `json:"reason,omitempty"`
	Course    *courseRow      `json:"course,omitempty"`
	Paper     *paperRow       `json:"paper,omitempty"`
	Graded    *gradedRow      `json:"graded,omitempty"`
	Signed    []orgapi.Signed `json:"signed,omitempty"`
}

// card is what a technician's badge carries: commitments, never the values.
type card struct {
	Name  string `json:"name"`
	Photo string `json:"photo"`
}

type who struct{ holder, role string }

type person struct {
	who
	state string
	card  *card
	codes []*code // newest last
	keys  []*key  // newest last
}

// codeRow is a code as it is kept: what checks a proof, never the code.
type codeRow struct {
	ID     string         `json:"id"`
	Key    string         `json:"key"` // base64 of credential.CodeKey
	Until  statement.Time `json:"until"`
	Reason string         `json:"reason"` // for what happens to earlier keys: replaced, lost, or another
}

type code struct {
	id      string
	key     credential.CodeKey
	made    time.Time
	until   time.Time
	reason  string
	tries   int
	revoked bool
	usedBy  string // thumbprint of the key that was enrolled with it
	usedAt  time.Time
}

type keyRow struct {
	Key   statement.Key  `json:"key"`
	Until statement.Time `json:"until"`
	Code  string         `json:"code"` // id of the code
}

type key struct {
	key     statement.Key
	until   time.Time
	ended   bool
	signed  []orgapi.Signed // the answer to whoever enrolled it
	endedBy []orgapi.Signed
}

type badgeRow struct {
	Key   string         `json:"key"`
	Token string         `json:"token"`
	List  int            `json:"list"`
	Index int            `json:"index"`
	Until statement.Time `json:"until"`
}

type badge struct {
	key    string
	token  string
	list   int
	index  int
	until  time.Time
	ended  bool
	signed []orgapi.Signed
}

// listRow says which list was published, and how many entries it has.
type listRow struct {
	List    int            `json:"list"`
	Number  int            `json:"number"`
	Entries int            `json:"entries"`
	Until   statement.Time `json:"until"`
}

// list is one status list: the statuses of its badges, by index.
type list struct {
	number   int
	statuses []credential.Status // of badges issued
	entries  int                 // published: as many, those not issued yet being valid
	signedAt time.Time
	until    time.Time
	lastOut  time.Time // when the last of its badges runs out
}

// state is everything that the journal tells.
type state struct {
	people    map[who]*person
	byKey     map[string]*person
	badges    map[string][]*badge      // by holder, those that may still be in force
	badgeKeys map[string]bool          // every key that a badge was ever made for
	lists     []*list                  // by number in its name, from 0
	numbers   int64                    // statements signed
	recent    []orgapi.Signed          // the newest of them
	published map[string]*publishedRow // the newest of each list
	courses   courses
}

// keepStatements is how many statements stay at hand for menshen, at least.
const keepStatements = 10_000

func newState() *state {
	return &state{people: map[who]*person{}, byKey: map[string]*person{}, badges: map[string][]*badge{}, badgeKeys: map[string]bool{}, published: map[string]*publishedRow{}, courses: newCourses()}
}

var errChange = fault.New(fault.Refused, "organisation_change_unknown", "记录里有读不懂的内容，不能接着用。", "The journal holds a change that this version does not know.")

// apply takes one change, new or out of the journal. It decides nothing: what may happen was asked
// before.
func (s *state) apply(c change) error {
	at, err := c.At.Parse()
	if err != nil {
		return err
	}
	p := s.people[who{c.Holder, c.Role}]
	switch c.Kind {
	case changePerson:
		s.person(c)
		if c.State != orgapi.Active {
			s.endBadges(c, at)
		}
	case changeCode, changeTry, changeCodeEnd, changeEnrolled, changeKeyEnd:
		if p == nil {
			return errChange.At(c.Kind)
		}
		if err := s.applyKeys(p, c, at); err != nil {
			return err
		}
	case changeBadge:
		err = s.badge(c, at)
	case changeBadgeEnd:
		s.endBadges(c, at)
	case changeList:
	case changePublished:
		if c.Published == nil {
			return errChange.At(c.Kind)
		}
		s.published[c.Published.name()] = c.Published
	case changeCourse:
		err = s.course(c)
	case changePaper:
		err = s.paper(c)
	case changeGraded:
		err = s.graded(c, at)
	default:
		return errChange.At(c.Kind)
	}
	if err != nil {
		return err
	}
	for _, l := range c.Lists {
		if err := s.listed(l, at); err != nil {
			return err
		}
	}
	s.keep(c.Signed)
	return nil
}

func (s *state) person(c change) {
	w := who{c.Holder, c.Role}
	p := s.people[w]
	if p == nil {
		p = &person{who: w}
		s.people[w] = p
	}
	p.state = c.State
	if c.Card != nil {
		p.card = c.Card
	}
	p.end(c.Ended, c.Signed)
	if c.State != orgapi.Active {
		for _, k := range p.codes {
			k.revoked = true
		}
	}
}

func (s *state) applyKeys(p *person, c change, at time.Time) error {
	switch c.Kind {
	case changeCode:
		return p.addCode(c, at)
	case changeTry:
		p.codes[len(p.codes)-1].tries++
	case changeCodeEnd:
		for _, k := range p.codes {
			k.revoked = true
		}
	case changeEnrolled:
		return s.enrolled(p, c, at)
	case changeKeyEnd:
		p.end(c.Ended, c.Signed)
	}
	return nil
}

// keptCodes is how many codes of a person are remembered, so that an old one is told from a wrong one.
const keptCodes = 4

func (p *person) addCode(c change, at time.Time) error {
	until, err := c.Code.Until.Parse()
	if err != nil {
		return err
	}
	raw, err := statement.Base64(c.Code.Key)
	if err != nil || len(raw) != len(credential.CodeKey{}) {
		return errChange.At("code")
	}
	for _, k := range p.codes {
		k.revoked = true // one code at a time
	}
	p.codes = append(p.codes, &code{id: c.Code.ID, key: credential.CodeKey(raw), made: at, until: until, reason: c.Code.Reason})
	p.codes = p.codes[max(0, len(p.codes)-keptCodes):]
	p.end(c.Ended, c.Signed)
	return nil
}

func (s *state) enrolled(p *person, c change, at time.Time) error {
	until, err := c.Key.Until.Parse()
	if err != nil {
		return err
	}
	thumb := c.Key.Key.Thumbprint()
	for _, k := range p.codes {
		if k.id == c.Key.Code {
			k.usedBy, k.usedAt = thumb, at
		}
	}
	p.end(c.Ended, c.Signed)
	p.keys = append(p.keys, &key{key: c.Key.Key, until: until, signed: c.Signed})
	s.byKey[thumb] = p
	return nil
}

func (p *person) end(thumbs []string, signed []orgapi.Signed) {
	for _, k := range p.keys {
		for _, t := range thumbs {
			if k.key.Thumbprint() == t && !k.ended {
				k.ended, k.endedBy = true, signed
			}
		}
	}
}

func (s *state) badge(c change, at time.Time) error {
	until, err := c.Badge.Until.Parse()
	if err != nil {
		return err
	}
	for len(s.lists) <= c.Badge.List {
		s.lists = append(s.lists, &list{})
	}
	l := s.lists[c.Badge.List]
	for len(l.statuses) <= c.Badge.Index {
		l.statuses = append(l.statuses, credential.Valid)
	}
	if until.After(l.lastOut) {
		l.lastOut = until
	}
	inForce := s.badges[c.Holder][:0]
	for _, b := range s.badges[c.Holder] {
		if at.Before(b.until) {
			inForce = append(inForce, b)
		}
	}
	s.badges[c.Holder] = append(inForce, &badge{key: c.Badge.Key, token: c.Badge.Token, list: c.Badge.List, index: c.Badge.Index, until: until, signed: c.Signed})
	s.badgeKeys[c.Badge.Key] = true
	return nil
}

func (s *state) endBadges(c change, at time.Time) {
	status := credential.Invalid
	if c.Reason == reasonSuspended {
		status = credential.Suspended
	}
	for _, b := range s.badges[c.Holder] {
		if b.ended || !at.Before(b.until) {
			continue
		}
		b.ended = true
		s.lists[b.list].statuses[b.index] = status
	}
}

func (s *state) listed(row listRow, at time.Time) error {
	until, err := row.Until.Parse()
	if err != nil {
		return err
	}
	for len(s.lists) <= row.List {
		s.lists = append(s.lists, &list{})
	}
	l := s.lists[row.List]
	l.number, l.entries, l.signedAt, l.until = row.Number, row.Entries, at, until
	return nil
}

func (s *state) keep(signed []orgapi.Signed) {
	s.numbers += int64(len(signed))
	s.recent = append(s.recent, signed...)
	if len(s.recent) > 2*keepStatements {
		s.recent = append([]orgapi.Signed(nil), s.recent[len(s.recent)-keepStatements:]...)
	}
}

// inForce are the person's keys that count now.
func (p *person) inForce(now time.Time) []*key {
	var out []*key
	for _, k := range p.keys {
		if !k.ended && now.Before(k.until) {
			out = append(out, k)
		}
	}
	return out
}

// newest is the code that was made last, nil for none.
func (p *person) newest() *code {
	if len(p.codes) == 0 {
		return nil
	}
	return p.codes[len(p.codes)-1]
}
