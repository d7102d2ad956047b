package registry

import (
	"slices"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
)

// Types of courses with a test (decision 0046).
const (
	TypeCourse  = "course"
	TypeAttempt = "attempt"

	// ListCourse is a course as register extracts number it, by its issuer and name.
	ListCourse = "course"

	// KindAnswers is what an attempt's commitment to its choices is made as.
	KindAnswers = "course_answers"
)

// Bounds of a course.
const (
	MaxQuestions = 50                // on one paper
	maxTitle     = 200               // bytes
	maxMinutes   = 24 * 60           // for one paper
	maxWait      = 30 * 24 * 60      // minutes
	maxDays      = 1100              // of a certificate
	maxVersion   = 1_000_000         // of a course
	maxAnswers   = 16 * MaxQuestions // bytes of the choices, written down
)

var (
	errCourse       = fault.New(fault.Invalid, "course_malformed", "课程的写法不对。", "The course is malformed or outside its bounds.")
	errAnswers      = fault.New(fault.Invalid, "answers_malformed", "答案的写法不对。", "The answers are malformed.")
	errCourseAbsent = fault.New(fault.Refused, "course_not_published", "证书说的课程，培训机构没有公布过。", "The certificate names a course that its issuer did not publish.")
	errCourseOld    = fault.New(fault.Refused, "course_superseded", "课程换了新版，旧版的证书不算数了。", "The course has a new version, and certificates of the old one no longer count.")

	// ErrNoAttempt refuses a certificate without the holder's own attempt behind it.
	ErrNoAttempt = fault.New(fault.Refused, "certificate_without_attempt", "这门课要考试，但证书背后没有本人签名的答卷。", "This course has a test, and no attempt signed by the holder is behind the certificate.")
)

// Words is one text in both languages.
type Words struct {
	Zh string `json:"zh"`
	En string `json:"en"`
}

// Course is what its issuer publishes of a course with a test: everything but the questions and their
// key, which stay in the issuer's own service. From then on a certificate of this issuer for this course
// counts only with an attempt that its holder signed.
type Course struct {
	Course      string   `json:"course"`       // as parameters and certificates name it
	Version     int      `json:"version"`      // from 1
	CountsFrom  int      `json:"counts_from"`  // certificates of versions below it no longer count
	Title       Words    `json:"title"`        //
	Roles       []string `json:"roles"`        // who takes it, of CourseRoles
	Draw        int      `json:"draw"`         // questions on one paper
	Pass        int      `json:"pass"`         // that must be right
	Minutes     int      `json:"minutes"`      // for one paper
	WaitMinutes int      `json:"wait_minutes"` // from the end of one try to the next paper
	Days        int      `json:"days"`         // that a certificate holds
	Text        string   `json:"text"`         // digest of the canonical CourseText
	Questions   string   `json:"questions"`    // commitment to every question with its key
}

// Counts says why a certificate does not count beside the newest version of its course that its issuer
// published, the zero Course where it published none: then only a certificate that speaks of no test counts, as
// its issuer's whole word. The attempt that it names is evidence's to verify. Faults: course_not_published,
// certificate_without_attempt, course_superseded.
func (c Certificate) Counts(newest Course) error {
	switch {
	case newest.Version == 0 && c.Version == 0 && c.Attempt == "":
		return nil
	case newest.Version == 0:
		return errCourseAbsent.At(c.Course)
	case c.Attempt == "":
		return ErrNoAttempt.At(c.Course)
	case c.Version < newest.CountsFrom:
		return errCourseOld.At(c.Course)
	}
	return nil
}

// CourseText is what there is to learn.
type CourseText struct {
	Pages []Words `json:"pages"`
}

// CourseRoles are those who take courses.
var CourseRoles = []string{"technician", "merchant", "clerk"}

// Check refuses a course that is outside its bounds.
func (c Course) Check() error {
	if wrong := c.Outside(); len(wrong) > 0 {
		return errCourse.At(wrong[0])
	}
	return nil
}

// Outside names every member that is outside its bounds, so that whoever writes a course reads all of it at once.
func (c Course) Outside() []string {
	var out []string
	for _, m := range []struct {
		name           string
		n, least, most int
	}{
		{"version", c.Version, 1, maxVersion}, {"counts_from", c.CountsFrom, 1, c.Version}, {"title", len(c.Title.Zh), 1, maxTitle}, {"title", len(c.Title.En), 1, maxTitle},
		{"roles", len(c.Roles), 1, len(CourseRoles)}, {"draw", c.Draw, 1, MaxQuestions}, {"pass", c.Pass, 1, c.Draw}, {"minutes", c.Minutes, 1, maxMinutes},
		{"wait_minutes", c.WaitMinutes, 1, maxWait}, {"days", c.Days, 1, maxDays},
	} {
		if m.n < m.least || m.n > m.most {
			out = append(out, m.name)
		}
	}
	if identifier.CheckID(c.Course) != nil {
		out = append(out, "course")
	}
	if slices.ContainsFunc(c.Roles, func(r string) bool { return !slices.Contains(CourseRoles, r) }) {
		out = append(out, "roles")
	}
	if !statement.IsDigest(c.Text) || !statement.IsDigest(c.Questions) {
		out = append(out, "text")
	}
	return out
}

// Paper is what one person is asked in one try. The issuer's service draws it, its order unforeseeable,
// and remembers it; an attempt names its digest.
type Paper struct {
	Paper        string         `json:"paper"` // its id, drawn
	Issuer       string         `json:"issuer"`
	Course       string         `json:"course"`
	Version      int            `json:"version"`
	Published    string         `json:"published"` // digest of the course's statement
	Holder       string         `json:"holder"`
	Organisation string         `json:"organisation"`
	Role         string         `json:"role"`
	Until        statement.Time `json:"until"`
	Questions    []Question     `json:"questions"`
}

// Question is one question as it is asked.
type Question struct {
	Words   Words   `json:"words"`
	Several bool    `json:"several"` // more than one choice may be right
	Choices []Words `json:"choices"`
}

// Attempt is a person's word that these are his answers to that paper. It holds a commitment to the
// choices and not the choices, since those of somebody who passed are the key.
type Attempt struct {
	Issuer    string `json:"issuer"`
	Course    string `json:"course"`
	Version   int    `json:"version"`
	Published string `json:"published"` // digest of the course's statement
	Paper     string `json:"paper"`     // digest of the canonical Paper
	Answers   string `json:"answers"`   // commitment of kind KindAnswers to WriteAnswers
}

// WriteAnswers writes choices down: for each question the places of the chosen answers, counted from 0
// and ascending, in JSON.
func WriteAnswers(choices [][]int) (string, error) {
	data, err := statement.Canonical(choices)
	return string(data), err
}

// ReadAnswers reads what WriteAnswers wrote for so many questions, and nothing else.
func ReadAnswers(text string, questions int) ([][]int, error) {
	var choices [][]int
	if len(text) > maxAnswers || statement.DecodeCanonical([]byte(text), &choices) != nil || len(choices) != questions {
		return nil, errAnswers
	}
	for _, c := range choices {
		for i, n := range c {
			if n < 0 || i > 0 && n <= c[i-1] {
				return nil, errAnswers
			}
		}
	}
	return choices, nil
}
