package organisation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
)

// CourseFile is a course as its issuer writes it, key included: one YAML file. It stays in the issuer's own
// folder; what menshen carries is made from it by text and course.
type CourseFile struct {
	Course      string         `yaml:"course" json:"course"`
	Version     int            `yaml:"version" json:"version"`
	CountsFrom  int            `yaml:"counts_from" json:"counts_from"` // certificates of earlier versions end to count
	Title       CourseWords    `yaml:"title" json:"title"`
	Roles       []string       `yaml:"roles" json:"roles"`
	Draw        int            `yaml:"draw" json:"draw"`
	Pass        int            `yaml:"pass" json:"pass"`
	Minutes     int            `yaml:"minutes" json:"minutes"`
	WaitMinutes int            `yaml:"wait_minutes" json:"wait_minutes"`
	Days        int            `yaml:"days" json:"days"`
	Pages       []CourseWords  `yaml:"pages" json:"pages"`
	Questions   []CourseAsking `yaml:"questions" json:"questions"`
}

// CourseWords is a text in both languages.
type CourseWords struct {
	Zh string `yaml:"zh" json:"zh"`
	En string `yaml:"en" json:"en"`
}

// CourseAsking is a question with its choices.
type CourseAsking struct {
	Zh      string         `yaml:"zh" json:"zh"`
	En      string         `yaml:"en" json:"en"`
	Choices []CourseChoice `yaml:"choices" json:"choices"`
}

// CourseChoice is one choice. Those that are right are the key.
type CourseChoice struct {
	Zh    string `yaml:"zh" json:"zh"`
	En    string `yaml:"en" json:"en"`
	Right bool   `yaml:"right" json:"right"`
}

// Bounds of a course file.
const (
	maxPool     = 500     // questions to draw from
	maxPages    = 100     //
	maxPage     = 8 << 10 // bytes of a page in one language
	maxQuestion = 1000    // bytes of a question or choice in one language
	maxChoices  = 8
)

var (
	errCourseFile    = fault.New(fault.Invalid, "course_file_invalid", "课程文件有不对的地方。", "The course file has problems.")
	errCourseVersion = fault.New(fault.Conflict, "course_version_taken", "这个版本已经公布过，内容不一样。改了内容，版本号要加一。", "This version is published with other content. What changes takes the next version.")
)

// ReadCourse reads a course file. All its problems are told at once, by place, without the text.
func ReadCourse(data []byte) (CourseFile, error) {
	var f CourseFile
	if len(data) > files.MaxSmall {
		return f, errCourseFile.At("size")
	}
	if err := files.YAML(data, &f); err != nil {
		return f, errCourseFile.At(fault.Of(err).Where).Because(err)
	}
	return f, f.check()
}

func (f CourseFile) check() error {
	problems := f.problems()
	if len(problems) == 0 {
		return nil
	}
	return errCourseFile.At(strings.Join(problems, "; "))
}

func (f CourseFile) problems() []string {
	var out []string
	wrong := func(bad bool, where string, args ...any) {
		if bad {
			out = append(out, fmt.Sprintf(where, args...))
		}
	}
	unfit := func(w CourseWords, most int) bool {
		return w.Zh == "" || w.En == "" || len(w.Zh) > most || len(w.En) > most
	}
	for _, member := range f.Published(strings.Repeat("0", 64)).Outside() {
		wrong(true, "%s: outside its bounds", member)
	}
	wrong(len(f.Pages) == 0 || len(f.Pages) > maxPages, "pages: want 1 to %d", maxPages)
	for i, p := range f.Pages {
		wrong(unfit(p, maxPage), "pages %d: want zh and en, at most %d bytes each", i+1, maxPage)
	}
	wrong(len(f.Questions) < f.Draw || len(f.Questions) > maxPool, "questions: want at least as many as draw, at most %d", maxPool)
	for i, q := range f.Questions {
		wrong(unfit(CourseWords{q.Zh, q.En}, maxQuestion), "questions %d: want zh and en, at most %d bytes each", i+1, maxQuestion)
		wrong(len(q.Choices) < 2 || len(q.Choices) > maxChoices, "questions %d: want 2 to %d choices", i+1, maxChoices)
		right := 0
		for j, c := range q.Choices {
			wrong(unfit(CourseWords{c.Zh, c.En}, maxQuestion), "questions %d choice %d: want zh and en, at most %d bytes each", i+1, j+1, maxQuestion)
			if c.Right {
				right++
			}
		}
		wrong(right == 0, "questions %d: no choice is right", i+1)
	}
	return out
}

// text is what there is to learn.
func (f CourseFile) text() registry.CourseText {
	t := registry.CourseText{}
	for _, p := range f.Pages {
		t.Pages = append(t.Pages, registry.Words(p))
	}
	return t
}

// Published is the course as the world sees it; questions is the commitment to them.
func (f CourseFile) Published(questions string) registry.Course {
	text, err := statement.Canonical(f.text())
	if err != nil {
		return registry.Course{} // text that JSON cannot hold; Check refuses
	}
	return registry.Course{Course: f.Course, Version: f.Version, CountsFrom: f.CountsFrom, Title: registry.Words(f.Title), Roles: slices.Clone(f.Roles),
		Draw: f.Draw, Pass: f.Pass, Minutes: f.Minutes, WaitMinutes: f.WaitMinutes, Days: f.Days, Text: statement.Digest(text), Questions: questions}
}

// right lists the places of a question's right choices.
func (q CourseAsking) right() []int {
	var out []int
	for i, c := range q.Choices {
		if c.Right {
			out = append(out, i)
		}
	}
	return out
}
