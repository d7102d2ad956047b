package organisation

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/service"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// kindQuestions is what the commitment to a course's questions is made as.
const kindQuestions = "course_questions"

// courseRow is a course as the journal keeps it: the whole file, key included, and the salt under which
// its questions are committed to.
type courseRow struct {
	File CourseFile `json:"file"`
	Salt string     `json:"salt"`
}

// course is one published version.
type course struct {
	CourseFile
	body      registry.Course
	text      []byte // canonical
	published string // digest of its statement
	issuer    string // who signed that
}

// courses is everything about courses that the journal tells.
type courses struct {
	versions map[string][]*course // by name, oldest first
	texts    map[string][]byte    // by digest
	takers   map[taker]*sitting
	papers   map[string]*paper // by id
	results  []result
}

func newCourses() courses {
	return courses{versions: map[string][]*course{}, texts: map[string][]byte{}, takers: map[taker]*sitting{}, papers: map[string]*paper{}}
}

func (c *courses) newest(name string) *course {
	if v := c.versions[name]; len(v) > 0 {
		return v[len(v)-1]
	}
	return nil
}

func (c *courses) version(name string, number int) *course {
	for _, v := range c.versions[name] {
		if v.Version == number {
			return v
		}
	}
	return nil
}

// issues says whether this organisation gives courses.
func (s *Service) issues() error {
	if !slices.Contains(s.conf.Kinds, credential.KindCourseIssuer) {
		return orgapi.ErrNoCourses
	}
	return nil
}

// PutCourse publishes a course, or its next version. The same file again changes nothing; a dry run only
// says what would be. published says whether anything was, or would be. Faults: course_file_invalid,
// course_version_taken, course_issuer_not.
func (s *Service) PutCourse(f CourseFile, dry bool) (published bool, err error) {
	if err := s.issues(); err != nil {
		return false, err
	}
	if err := f.check(); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.state.courses.newest(f.Course); now != nil && f.Version <= now.Version {
		if same := s.state.courses.version(f.Course, f.Version); same == nil || !reflect.DeepEqual(same.CourseFile, f) {
			return false, errCourseVersion.At(f.Course)
		}
		return false, nil
	}
	if dry {
		return true, nil
	}
	var salt [16]byte
	rand.Read(salt[:]) // never fails (Go 1.24)
	row := courseRow{File: f, Salt: base64.StdEncoding.EncodeToString(salt[:])}
	one, err := row.course()
	if err != nil {
		return false, err
	}
	now := s.now()
	signed, err := s.signAs(now, visit.RoleCourseIssuer, s.ownStream(), visit.Publish, registry.TypeCourse, one.body)
	if err != nil {
		return false, err
	}
	return true, s.record(change{Kind: changeCourse, At: statement.At(now), By: byDesk, Course: &row, Signed: []orgapi.Signed{signed}})
}

// course makes of a row what is published of it.
func (r courseRow) course() (*course, error) {
	text, err := statement.Canonical(r.File.text())
	if err != nil {
		return nil, err
	}
	questions, err := statement.Canonical(r.File.Questions)
	if err != nil {
		return nil, err
	}
	committed, err := statement.Opening{Kind: kindQuestions, Salt: r.Salt, Value: string(questions)}.Commitment()
	if err != nil {
		return nil, err
	}
	return &course{CourseFile: r.File, body: r.File.Published(committed), text: text}, nil
}

// course takes a published version out of a change.
func (s *state) course(c change) error {
	if c.Course == nil || len(c.Signed) != 1 {
		return errChange.At(c.Kind)
	}
	one, err := c.Course.course()
	if err != nil {
		return err
	}
	envelope, err := statement.Base64(c.Signed[0].Statement)
	if err != nil {
		return err
	}
	claims, err := statement.Parse(envelope)
	if err != nil {
		return err
	}
	one.published, one.issuer = claims.Digest(), claims.Header.Organisation
	s.courses.versions[one.Course] = append(s.courses.versions[one.Course], one)
	s.courses.texts[one.body.Text] = one.text
	return nil
}

// CourseText gives what there is to learn, by its digest.
func (s *Service) CourseText(digest string) (orgapi.TextAnswer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, ok := s.state.courses.texts[digest]
	if !ok {
		return orgapi.TextAnswer{}, orgapi.ErrCourseNone
	}
	return orgapi.TextAnswer{Text: base64.StdEncoding.EncodeToString(text)}, nil
}

func (s *Server) courseText(w http.ResponseWriter, r *http.Request) error {
	t, err := s.CourseText(r.PathValue("digest"))
	if err != nil {
		return err
	}
	return service.WriteJSON(w, t)
}

// CourseAsk is the desk's: publish a course, or only say what would be.
type CourseAsk struct {
	File   CourseFile `json:"file"`
	DryRun bool       `json:"dry_run"`
}

// CourseDone says what became of it.
type CourseDone struct {
	Published bool `json:"published"`
}

func (s *Server) deskCourse(a CourseAsk) (CourseDone, error) {
	published, err := s.PutCourse(a.File, a.DryRun)
	return CourseDone{published}, err
}

// Results is every try of everybody, oldest first.
type Results struct {
	Results []result `json:"results"`
}

// result is one graded attempt, as the issuer keeps and exports it.
type result struct {
	At           statement.Time `json:"at"`
	Holder       string         `json:"holder"`
	Organisation string         `json:"organisation"`
	Role         string         `json:"role"`
	Course       string         `json:"course"`
	Version      int            `json:"version"`
	Right        int            `json:"right"`
	Of           int            `json:"of"`
	Passed       bool           `json:"passed"`
	Until        statement.Time `json:"until"` // of the certificate, "" for none
	Attempt      string         `json:"attempt"`
}

// Results gives what the issuer graded.
func (s *Service) Results() Results {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Results{Results: append([]result{}, s.state.courses.results...)}
}

// Row is a result as a line of a sheet, under ResultColumns.
func (r result) Row() []string {
	passed := "no"
	if r.Passed {
		passed = "yes"
	}
	return []string{string(r.At), r.Holder, r.Organisation, r.Role, r.Course, strconv.Itoa(r.Version), strconv.Itoa(r.Right), strconv.Itoa(r.Of), passed, string(r.Until), r.Attempt}
}

// ResultColumns head a sheet of results.
var ResultColumns = strings.Fields("at holder organisation role course version right of passed until attempt")

// Standing says how somebody stands in the courses that he tried.
func (s *Service) Standing(a orgapi.TakerAsk) (orgapi.Standings, error) {
	if err := s.issues(); err != nil {
		return orgapi.Standings{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	out := orgapi.Standings{Courses: []orgapi.Standing{}}
	for t, sat := range s.state.courses.takers {
		if t.holder != a.Holder || t.organisation != a.Organisation || t.role != a.Role {
			continue
		}
		l := orgapi.Standing{Course: t.course, Tries: sat.tries, Right: sat.right, Of: sat.of}
		switch again := sat.again(); {
		case sat.open(now):
			l.PaperUntil = statement.At(sat.paper.until)
		case again.After(now):
			l.AgainAt = statement.At(again)
		}
		out.Courses = append(out.Courses, l)
	}
	slices.SortFunc(out.Courses, func(a, b orgapi.Standing) int { return compare(a.Course, b.Course) })
	return out, nil
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }
