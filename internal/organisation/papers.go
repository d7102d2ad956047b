package organisation

import (
	"crypto/rand"
	"encoding/base64"
	"math/big"
	"slices"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// paperClock is how far a phone's clock may be from the service's, and how long an answer may be on its way.
const paperClock = 5 * time.Minute

// taker is somebody who takes a course, as one organisation knows him.
type taker struct{ holder, organisation, role, course string }

// sitting is how far a taker is.
type sitting struct {
	paper *paper // the last one, answered or not
	tries int
	right int
	of    int
}

// paperRow is a paper as the journal keeps it: which questions, in which order, with which order of choices.
type paperRow struct {
	ID           string         `json:"id"`
	Organisation string         `json:"organisation"`
	Course       string         `json:"course"`
	Version      int            `json:"version"`
	Questions    []int          `json:"questions"`
	Choices      [][]int        `json:"choices"` // for each question the order of its choices
	Until        statement.Time `json:"until"`
}

type paper struct {
	paperRow
	taker  taker
	course *course
	bytes  []byte // as it is shown, canonical
	until  time.Time
	doneAt time.Time // zero while it is not answered
	graded orgapi.Graded
	answer string // digest of the attempt that answered it
}

// gradedRow is an attempt as the journal keeps it: what was signed, and the answers behind it, so that
// nobody can deny them.
type gradedRow struct {
	Paper   string            `json:"paper"`
	Attempt string            `json:"attempt"` // base64 of the envelope
	Answers statement.Opening `json:"answers"`
	Graded  orgapi.Graded     `json:"graded"` // without its statements
}

// open says whether a paper is out that may still be answered.
func (s *sitting) open(now time.Time) bool {
	return s.paper != nil && s.paper.doneAt.IsZero() && now.Before(s.paper.until)
}

// again is when the next paper may be had: so long after the last was answered, or was over.
func (s *sitting) again() time.Time {
	if s.paper == nil {
		return time.Time{}
	}
	ended := s.paper.until
	if !s.paper.doneAt.IsZero() {
		ended = s.paper.doneAt
	}
	return ended.Add(minutes(s.paper.course.WaitMinutes))
}

// Paper hands out a paper: the one that is out, or a new one with its questions drawn. Faults: course_unknown,
// course_other_role, course_wait.
func (s *Service) Paper(a orgapi.PaperAsk) (orgapi.PaperAnswer, error) {
	if err := s.issues(); err != nil {
		return orgapi.PaperAnswer{}, err
	}
	for where, id := range map[string]string{"course": a.Course, "holder": a.Holder, "organisation": a.Organisation} {
		if err := checkID(id, where); err != nil {
			return orgapi.PaperAnswer{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now, who := s.now(), taker{a.Holder, a.Organisation, a.Role, a.Course}
	c := s.state.courses.newest(a.Course)
	switch {
	case c == nil:
		return orgapi.PaperAnswer{}, orgapi.ErrCourseNone
	case !slices.Contains(c.Roles, a.Role):
		return orgapi.PaperAnswer{}, orgapi.ErrCourseOther
	}
	if sat := s.state.courses.takers[who]; sat != nil {
		if sat.open(now) && sat.paper.course == c {
			return sat.paper.shown(), nil
		}
		if now.Before(sat.again()) {
			return orgapi.PaperAnswer{}, orgapi.ErrCourseWait
		}
	}
	row := c.draw(a.Organisation)
	row.Until = statement.At(now.Add(minutes(c.Minutes)))
	if err := s.record(change{Kind: changePaper, At: statement.At(now), By: byPhone, Holder: a.Holder, Role: a.Role, Paper: &row}); err != nil {
		return orgapi.PaperAnswer{}, err
	}
	return s.state.courses.takers[who].paper.shown(), nil
}

func (p *paper) shown() orgapi.PaperAnswer {
	return orgapi.PaperAnswer{Paper: base64.StdEncoding.EncodeToString(p.bytes)}
}

// draw takes questions out of the pool, and shuffles their choices.
func (c *course) draw(organisation string) paperRow {
	var id [16]byte
	rand.Read(id[:]) // never fails (Go 1.24)
	row := paperRow{ID: base64.RawURLEncoding.EncodeToString(id[:]), Organisation: organisation, Course: c.Course, Version: c.Version,
		Questions: shuffled(len(c.Questions))[:c.Draw]}
	for _, q := range row.Questions {
		row.Choices = append(row.Choices, shuffled(len(c.Questions[q].Choices)))
	}
	return row
}

// shuffled is the numbers below n in an order that nobody can foresee (Fisher and Yates).
func shuffled(n int) []int {
	out := make([]int, n)
	for i := range out {
		j := below(i + 1)
		out[i] = out[j]
		out[j] = i
	}
	return out
}

func below(n int) int {
	k, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // the reader never fails (Go 1.24), and n is above zero
	}
	return int(k.Int64())
}

// paper takes a paper out of a change.
func (s *state) paper(c change) error {
	if c.Paper == nil {
		return errChange.At(c.Kind)
	}
	row := *c.Paper
	of := s.courses.version(row.Course, row.Version)
	until, err := row.Until.Parse()
	if err != nil || of == nil || len(row.Questions) != len(row.Choices) {
		return errChange.At(c.Kind)
	}
	p := &paper{paperRow: row, taker: taker{c.Holder, row.Organisation, c.Role, row.Course}, course: of, until: until}
	shown := registry.Paper{Paper: row.ID, Issuer: of.issuer, Course: row.Course, Version: row.Version, Published: of.published, Holder: c.Holder,
		Organisation: row.Organisation, Role: c.Role, Until: row.Until}
	for i, at := range row.Questions {
		q, err := of.asked(at, row.Choices[i])
		if err != nil {
			return err
		}
		shown.Questions = append(shown.Questions, q)
	}
	if p.bytes, err = statement.Canonical(shown); err != nil {
		return err
	}
	sat := s.courses.takers[p.taker]
	if sat == nil {
		sat = &sitting{}
		s.courses.takers[p.taker] = sat
	}
	sat.paper = p
	sat.tries++
	s.courses.papers[statement.Digest(p.bytes)] = p
	return nil
}

// asked is a question as it is shown, its choices in a drawn order.
func (c *course) asked(at int, order []int) (registry.Question, error) {
	if at < 0 || at >= len(c.Questions) || len(order) != len(c.Questions[at].Choices) {
		return registry.Question{}, errChange.At("paper")
	}
	q := c.Questions[at]
	out := registry.Question{Words: registry.Words{Zh: q.Zh, En: q.En}, Several: len(q.right()) > 1}
	for _, i := range order {
		if i < 0 || i >= len(q.Choices) {
			return registry.Question{}, errChange.At("paper")
		}
		out.Choices = append(out.Choices, registry.Words{Zh: q.Choices[i].Zh, En: q.Choices[i].En})
	}
	return out, nil
}

// right counts the questions whose right choices were chosen, all of them and no other.
func (p *paper) right(choices [][]int) int {
	right := 0
	for i, at := range p.Questions {
		var want []int
		for place, from := range p.Choices[i] {
			if slices.Contains(p.course.Questions[at].right(), from) {
				want = append(want, place)
			}
		}
		if slices.Equal(want, choices[i]) {
			right++
		}
	}
	return right
}

// Attempt grades what a person signed, and certifies him who passed. It is proven here, with the issuer's
// own trust file: menshen's word that somebody answered is worth nothing. The same attempt again is answered
// again; another for the same paper is refused.
func (s *Service) Attempt(a orgapi.AttemptAsk) (orgapi.Graded, error) {
	if err := s.issues(); err != nil {
		return orgapi.Graded{}, err
	}
	now := s.now()
	v, err := s.reader.Intake(a.Context, a.Attempt, now)
	if err != nil {
		return orgapi.Graded{}, err
	}
	var body registry.Attempt
	if err := v.Body(registry.TypeAttempt, &body); err != nil {
		return orgapi.Graded{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.state.courses.papers[body.Paper]
	if p == nil {
		return orgapi.Graded{}, orgapi.ErrPaperNone
	}
	if err := s.answers(p, v, body); err != nil {
		return orgapi.Graded{}, err
	}
	if p.answer == v.Digest() {
		return p.graded, nil
	}
	if err := p.takes(now, v); err != nil {
		return orgapi.Graded{}, err
	}
	if committed, err := a.Answers.Commitment(); err != nil || a.Answers.Kind != registry.KindAnswers || committed != body.Answers {
		return orgapi.Graded{}, orgapi.ErrAnswers
	}
	choices, err := registry.ReadAnswers(a.Answers.Value, len(p.Questions))
	if err != nil {
		return orgapi.Graded{}, err
	}
	row := gradedRow{Paper: body.Paper, Attempt: a.Attempt.Statement, Answers: a.Answers}
	return s.grade(now, p, v, p.right(choices), row)
}

// answers says whether an attempt is this paper's: its person, course and version.
func (s *Service) answers(p *paper, v statement.Verified, a registry.Attempt) error {
	h := v.Header()
	who := taker{h.Signer, h.Organisation, h.Role, a.Course}
	if who != p.taker || a.Issuer != s.conf.Organisation || a.Version != p.Version || a.Published != p.course.published || v.Subject() != visit.StreamPerson+"/"+h.Signer {
		return orgapi.ErrPaperOther
	}
	return nil
}

// takes says whether a paper may still be answered.
func (p *paper) takes(now time.Time, v statement.Verified) error {
	at := v.Header().Time()
	switch {
	case !p.doneAt.IsZero():
		return orgapi.ErrPaperAnswered
	case now.After(p.until.Add(paperClock)) || at.After(p.until.Add(paperClock)):
		return orgapi.ErrPaperOver
	}
	return nil
}

// grade records what an attempt was worth, with the certificate where it passed.
func (s *Service) grade(now time.Time, p *paper, v statement.Verified, right int, row gradedRow) (orgapi.Graded, error) {
	g := orgapi.Graded{Statements: []orgapi.Signed{}, Passed: right >= p.course.Pass, Right: right, Of: len(p.Questions),
		AgainAt: statement.At(now.Add(minutes(p.course.WaitMinutes)))}
	change := change{Kind: changeGraded, At: statement.At(now), By: byPhone, Holder: p.taker.holder, Role: p.taker.role}
	if g.Passed {
		from := now.Add(-paperClock) // whoever asks may have a clock that is behind
		g.Until = statement.At(now.Add(days(p.course.Days)))
		signed, err := s.signAs(now, visit.RoleCourseIssuer, visit.StreamPerson+"/"+p.taker.holder, visit.Train, registry.TypeCertificate, registry.Certificate{
			Holder: p.taker.holder, Course: p.Course, From: statement.At(from), Until: g.Until, Version: p.Version, Attempt: v.Digest()})
		if err != nil {
			return orgapi.Graded{}, err
		}
		change.Signed = []orgapi.Signed{signed}
	}
	row.Graded = g
	change.Graded = &row
	if err := s.record(change); err != nil {
		return orgapi.Graded{}, err
	}
	return p.graded, nil
}

// graded takes a grade out of a change.
func (s *state) graded(c change, at time.Time) error {
	if c.Graded == nil || s.courses.papers[c.Graded.Paper] == nil {
		return errChange.At(c.Kind)
	}
	envelope, err := statement.Base64(c.Graded.Attempt)
	if err != nil {
		return err
	}
	p := s.courses.papers[c.Graded.Paper]
	p.doneAt, p.answer, p.graded = at, statement.Digest(envelope), c.Graded.Graded
	p.graded.Statements = append([]orgapi.Signed{}, c.Signed...)
	sat := s.courses.takers[p.taker]
	sat.right, sat.of = p.graded.Right, p.graded.Of
	s.courses.results = append(s.courses.results, result{At: c.At, Holder: p.taker.holder, Organisation: p.taker.organisation, Role: p.taker.role,
		Course: p.Course, Version: p.Version, Right: p.graded.Right, Of: p.graded.Of, Passed: p.graded.Passed, Until: p.graded.Until, Attempt: p.answer})
	return nil
}

// trusting opens the issuer's own trust file.
func (c Config) trusting() (*evidence.Reader, error) {
	if c.TrustFile == "" {
		return evidence.NewReader(evidence.Trust{}), nil // proves nothing
	}
	data, err := files.Read(c.Path(c.TrustFile), files.MaxSmall)
	if err != nil {
		return nil, errCourseTrust.At(c.TrustFile).Because(err)
	}
	t, err := evidence.ParseTrust(data)
	if err != nil {
		return nil, errCourseTrust.At(c.TrustFile).Because(err)
	}
	return evidence.NewReader(t), nil
}

var errCourseTrust = fault.New(fault.Invalid, "course_trust_file", "开课的机构自己核对答卷：把发布机构的信任文件放到配置里 trust_file 写的地方，再启动。",
	"Whoever gives courses proves attempts itself: put the publisher's trust file where trust_file in the config says, then start.")
