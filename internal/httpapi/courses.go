package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
)

// Course is a course that is there for whoever asks, with how he stands in it.
type Course struct {
	Issuer      string         `json:"issuer"`
	Course      string         `json:"course"`
	Version     int            `json:"version"`
	Published   string         `json:"published" doc:"课程文件的摘要 · digest of the issuer's statement"`
	Title       registry.Words `json:"title"`
	Draw        int            `json:"draw" doc:"一份卷子几道题 · questions on one paper"`
	Pass        int            `json:"pass" doc:"答对几道算过 · of them that must be right"`
	Minutes     int            `json:"minutes"`
	WaitMinutes int            `json:"wait_minutes"`
	Days        int            `json:"days" doc:"证书有效几天 · that a certificate holds"`
	Until       statement.Time `json:"until" doc:"现有证书到什么时候，没有就是空 · of the certificate that counts, empty for none"`
	Ended       bool           `json:"ended" doc:"有证书，但不算数了 · has a certificate that counts no longer"`
	Tries       int            `json:"tries"`
	Right       int            `json:"right" doc:"上一次答对几道 · in the last try"`
	Of          int            `json:"of" doc:"没交过卷是 0 · 0 for none"`
	AgainAt     statement.Time `json:"again_at" doc:"什么时候可以再考，空的是现在 · when the next paper may be had, empty for now"`
	PaperUntil  statement.Time `json:"paper_until" doc:"手上的卷子到什么时候 · of a paper that is out, empty for none"`
	Away        bool           `json:"away" doc:"培训机构的服务没有回答 · the issuer's service does not answer"`
}

// CourseList is every course that is there for whoever asks.
type CourseList struct {
	Courses []Course `json:"courses" nullable:"false"`
}

// CourseReading is a course with what there is to learn.
type CourseReading struct {
	Course Course           `json:"course"`
	Pages  []registry.Words `json:"pages" nullable:"false"`
}

// CoursePaper is a paper, as its digest is signed.
type CoursePaper struct {
	Paper string         `json:"paper" doc:"卷子的原文，base64 · the paper's canonical bytes, base64"`
	Until statement.Time `json:"until"`
}

// CourseAttempt hands a signed attempt in.
type CourseAttempt struct {
	Statement string            `json:"statement" doc:"签好的答卷，base64 · the signed attempt, base64"`
	Answers   statement.Opening `json:"answers" doc:"答案的原文，只交给培训机构，门神不留 · opens the attempt's commitment; goes to the issuer and is not kept"`
}

// CourseResult is what an attempt was worth.
type CourseResult struct {
	Passed  bool           `json:"passed"`
	Right   int            `json:"right"`
	Of      int            `json:"of"`
	Until   statement.Time `json:"until" doc:"证书有效到，没过就是空 · of the certificate, empty for none"`
	AgainAt statement.Time `json:"again_at"`
}

// CourseAt names a course.
type CourseAt struct {
	Issuer string `path:"issuer" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" maxLength:"64" doc:"培训机构 · who gives it" example:"zhixing"`
	Course string `path:"course" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" maxLength:"64" doc:"课程 · course" example:"security-2026"`
}

// courseWrite is a write about a course.
type courseWrite[T any] struct {
	CourseAt
	Key  string `header:"Idempotency-Key" required:"true" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" maxLength:"64" doc:"同一个键、同一个请求，得到同一个回答 · same key, same request, same answer" example:"0193-5d1c-7a2b"`
	Body strict[T]
}

// courseOperations are how people learn and are tested. What a paper asks and what was chosen is not kept
// here, also not to answer a repeated request: the issuer answers the same again.
func (a *API) courseOperations() {
	eg := Course{Issuer: "zhixing", Course: "security-2026", Version: 1, Published: egDigest, Title: registry.Words{Zh: "上门安全", En: "Safe visits"},
		Draw: 5, Pass: 4, Minutes: 20, WaitMinutes: 60, Days: 365, Until: egTime, Tries: 2, Right: 5, Of: 5}
	list := operation{id: "list_courses", method: http.MethodGet, path: "/v1/courses", tag: "people", zh: "要学的课程，学得怎么样了", en: "the courses there are, and how one stands",
		success: http.StatusOK, answer: CourseList{Courses: []Course{eg}}}
	register(a, list, a.courses)
	read := operation{id: "read_course", method: http.MethodGet, path: "/v1/courses/{issuer}/{course}", tag: "people", zh: "读一门课", en: "read a course", success: http.StatusOK,
		answer: CourseReading{Course: eg, Pages: []registry.Words{{Zh: "……", En: "…"}}}}
	register(a, read, a.course)
	paper := operation{id: "course_papers", method: http.MethodPost, path: "/v1/courses/{issuer}/{course}/papers", tag: "people", zh: "要一份卷子", en: "get a paper", unkept: true,
		success: http.StatusOK, request: nothing{}, answer: CoursePaper{Paper: egNonce, Until: egTime}}
	paper.more = "The same one until it is answered or over; the clock runs from the first."
	register(a, paper, a.coursePaper)
	attempt := operation{id: "course_attempts", method: http.MethodPost, path: "/v1/courses/{issuer}/{course}/attempts", tag: "people", zh: "交卷", en: "hand in a test", unkept: true,
		success: http.StatusOK, request: CourseAttempt{Statement: egEnvelope, Answers: statement.Opening{Kind: registry.KindAnswers, Salt: egNonce, Value: "[[0],[1,3]]"}},
		answer: CourseResult{Passed: true, Right: 4, Of: 5, Until: egTime, AgainAt: egTime}}
	register(a, attempt, a.courseAttempt)
}

func courseOf(l app.Lesson) Course {
	c := Course{Issuer: l.Issuer, Course: l.Course.Course, Version: l.Version, Published: l.Published, Title: l.Title, Draw: l.Draw, Pass: l.Pass, Minutes: l.Minutes,
		WaitMinutes: l.WaitMinutes, Days: l.Days, Until: timeOrNone(l.Until), Ended: l.Ended, Away: l.Away}
	if s := l.Standing; s != nil {
		c.Tries, c.Right, c.Of, c.AgainAt, c.PaperUntil = s.Tries, s.Right, s.Of, s.AgainAt, s.PaperUntil
	}
	return c
}

func timeOrNone(t time.Time) statement.Time {
	if t.IsZero() {
		return ""
	}
	return statement.At(t)
}

func (a *API) courses(ctx context.Context, _ *struct{}) (*answered[CourseList], error) {
	list, err := a.app.Courses(ctx, actorOf(ctx))
	out := CourseList{Courses: []Course{}}
	for _, l := range list {
		out.Courses = append(out.Courses, courseOf(l))
	}
	return &answered[CourseList]{Status: http.StatusOK, Body: out}, err
}

func (a *API) course(ctx context.Context, in *CourseAt) (*answered[CourseReading], error) {
	l, text, err := a.app.CourseText(ctx, actorOf(ctx), in.Issuer, in.Course)
	return &answered[CourseReading]{Status: http.StatusOK, Body: CourseReading{Course: courseOf(l), Pages: text.Pages}}, err
}

func (a *API) coursePaper(ctx context.Context, in *courseWrite[nothing]) (*answered[CoursePaper], error) {
	raw, p, err := a.app.Paper(ctx, actorOf(ctx), in.Issuer, in.Course)
	return &answered[CoursePaper]{Status: http.StatusOK, Body: CoursePaper{Paper: raw, Until: p.Until}}, err
}

func (a *API) courseAttempt(ctx context.Context, in *courseWrite[CourseAttempt]) (*answered[CourseResult], error) {
	envelope, err := statement.Base64(in.Body.value.Statement)
	if err != nil {
		return nil, fault.At(err, "statement")
	}
	g, err := a.app.TakeTest(ctx, actorOf(ctx), in.Issuer, in.Course, envelope, in.Body.value.Answers)
	return &answered[CourseResult]{Status: http.StatusOK, Body: resultOf(g)}, err
}

func resultOf(g orgapi.Graded) CourseResult {
	return CourseResult{Passed: g.Passed, Right: g.Right, Of: g.Of, Until: g.Until, AgainAt: g.AgainAt}
}
