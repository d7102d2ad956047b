package orgapi

import (
	"context"
	"net/http"
	"net/url"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// Refusals about courses and their tests.
var (
	ErrCourseNone    = fault.New(fault.NotFound, "course_unknown", "没有这门课。", "There is no such course.")
	ErrCourseOther   = fault.New(fault.Refused, "course_other_role", "这门课不是给您这种身份的。", "This course is not for your role.")
	ErrCourseWait    = fault.New(fault.Refused, "course_wait", "离上一次考试还不够久，请晚一点再考。", "It is too soon after the last try; take the test later.")
	ErrPaperNone     = fault.New(fault.NotFound, "paper_unknown", "没有发过这份卷子。", "No such paper was handed out.")
	ErrPaperOver     = fault.New(fault.Refused, "paper_over", "这份卷子的时间到了，请重新考。", "This paper's time is over; take the test again.")
	ErrPaperAnswered = fault.New(fault.Refused, "paper_answered", "这份卷子已经交过了，不能再交一次。", "This paper was answered already, and not with this attempt.")
	ErrPaperOther    = fault.New(fault.Refused, "paper_of_another", "这份卷子不是发给签名人的，或者是别的课程、别的版本的。", "This paper was handed to another person, or belongs to another course or version.")
	ErrAnswers       = fault.New(fault.Refused, "answers_differ", "交来的答案和本人签名的不一样。", "The answers are not those that were signed.")
	ErrNoCourses     = fault.New(fault.Refused, "course_issuer_not", "这家机构不开课。", "This organisation gives no courses.")
)

var courseFaults = []*fault.Fault{ErrCourseNone, ErrCourseOther, ErrCourseWait, ErrPaperNone, ErrPaperOver, ErrPaperAnswered, ErrPaperOther, ErrAnswers, ErrNoCourses}

// PaperAsk asks for a paper for somebody.
type PaperAsk struct {
	Course       string `json:"course"`
	Holder       string `json:"holder"`
	Organisation string `json:"organisation"`
	Role         string `json:"role"`
}

// PaperAnswer is the paper: the same one until it is answered or over.
type PaperAnswer struct {
	Paper string `json:"paper"` // base64 of the canonical registry.Paper
}

// AttemptAsk hands in what somebody signed. The service proves it by itself, with its own trust file.
type AttemptAsk struct {
	Context []evidence.Entry  `json:"context"` // trust list and enrolments, as evidence.Intake wants them
	Attempt evidence.Entry    `json:"attempt"` // as it is recorded
	Answers statement.Opening `json:"answers"` // of the attempt's commitment
}

// Graded is what an attempt was worth.
type Graded struct {
	Statements []Signed       `json:"statements"` // the certificate; none for an attempt that failed
	Passed     bool           `json:"passed"`
	Right      int            `json:"right"`
	Of         int            `json:"of"`
	Until      statement.Time `json:"until"`    // of the certificate, "" for none
	AgainAt    statement.Time `json:"again_at"` // when the next paper may be had
}

// TextAnswer is what there is to learn in a course.
type TextAnswer struct {
	Text string `json:"text"` // base64 of the canonical registry.CourseText
}

// TakerAsk asks how somebody stands.
type TakerAsk struct {
	Holder       string `json:"holder"`
	Organisation string `json:"organisation"`
	Role         string `json:"role"`
}

// Standing is how somebody stands in one course.
type Standing struct {
	Course     string         `json:"course"`
	Tries      int            `json:"tries"`       // papers answered or over
	Right      int            `json:"right"`       // in the last one answered
	Of         int            `json:"of"`          // 0 where none was answered
	AgainAt    statement.Time `json:"again_at"`    // when the next paper may be had, "" for now
	PaperUntil statement.Time `json:"paper_until"` // of a paper that is out, "" for none
}

// Standings is how somebody stands in the courses that he tried.
type Standings struct {
	Courses []Standing `json:"courses"`
}

// CourseText gives what there is to learn, by its digest. Faults: course_unknown, and those of every call.
func (c *Client) CourseText(ctx context.Context, digest string) (TextAnswer, error) {
	var t TextAnswer
	err := c.call(ctx, http.MethodGet, "/courses/texts/"+url.PathEscape(digest), nil, callTime, maxAnswer, &t)
	return t, err
}

// Paper asks for a paper.
func (c *Client) Paper(ctx context.Context, ask PaperAsk) (PaperAnswer, error) {
	var p PaperAnswer
	err := c.post(ctx, "/courses/papers", ask, &p)
	return p, err
}

// Attempt hands an attempt in; the same again is answered in the same way.
func (c *Client) Attempt(ctx context.Context, ask AttemptAsk) (Graded, error) {
	var g Graded
	err := c.post(ctx, "/courses/attempts", ask, &g)
	return g, err
}

// Standing asks how somebody stands.
func (c *Client) Standing(ctx context.Context, ask TakerAsk) (Standings, error) {
	var s Standings
	err := c.post(ctx, "/courses/standing", ask, &s)
	return s, err
}

func (c *Client) post(ctx context.Context, path string, ask, out any) error {
	data, err := statement.Canonical(ask)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, path, data, callTime, maxAnswer, out)
}
