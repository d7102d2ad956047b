package scenario

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/examples/city"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/organisation"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// trustFile is where a course issuer keeps its own trust file.
const trustFile = "trust.json"

// SchoolFolder makes the folder of a course issuer of the cast, with the trust file that it goes by.
func SchoolFolder(dir string, c organisation.Config, of *Actor, trust evidence.Trust) (organisation.Config, error) {
	c.TrustFile = trustFile
	c, err := KeepFolder(dir, c, of, nil)
	if err != nil {
		return c, err
	}
	data, err := statement.Canonical(trust.File())
	if err != nil {
		return c, err
	}
	return c, os.WriteFile(filepath.Join(dir, trustFile), data, 0o600)
}

// KeepSchool starts the service of the cast's course issuer in a new folder.
func KeepSchool(dir string, cast *Cast, trust evidence.Trust, now Clock) (*Keeper, error) {
	of := cast.School
	c, err := SchoolFolder(dir, organisation.Defaults(of.ID, of.ID, []string{credential.KindCourseIssuer}), of, trust)
	if err != nil {
		return nil, err
	}
	return keep(c, now)
}

// CourseFile reads one of the city's courses, such as "security" or "till", with its key.
func CourseFile(name string) (organisation.CourseFile, error) {
	data, err := city.Courses.ReadFile("courses/" + name + ".yaml")
	if err != nil {
		return organisation.CourseFile{}, err
	}
	return organisation.ReadCourse(data)
}

// Answering is how somebody answers a paper who knows the key: every question right, or, as often as
// asked, wrong.
func Answering(f organisation.CourseFile, p registry.Paper, wrong int) [][]int {
	out := make([][]int, len(p.Questions))
	for i, q := range p.Questions {
		known := slices.IndexFunc(f.Questions, func(k organisation.CourseAsking) bool { return k.Zh == q.Words.Zh })
		for place, choice := range q.Choices {
			at := slices.IndexFunc(f.Questions[known].Choices, func(k organisation.CourseChoice) bool { return k.Zh == choice.Zh })
			if f.Questions[known].Choices[at].Right != (i < wrong) {
				out[i] = append(out[i], place)
			}
		}
	}
	return out
}

// Attempt signs somebody's choices on a paper, given as base64 of its bytes. edits change what is signed.
func (a *Actor) Attempt(paper string, choices [][]int, at time.Time, edits ...func(*registry.Attempt)) (envelope []byte, answers statement.Opening, err error) {
	raw, err := base64.StdEncoding.DecodeString(paper)
	if err != nil {
		return nil, statement.Opening{}, err
	}
	var p registry.Paper
	if err := statement.DecodeCanonical(raw, &p); err != nil {
		return nil, statement.Opening{}, err
	}
	text, err := registry.WriteAnswers(choices)
	if err != nil {
		return nil, statement.Opening{}, err
	}
	answers = statement.NewOpening(registry.KindAnswers, Salt(), text)
	committed, err := answers.Commitment()
	if err != nil {
		return nil, statement.Opening{}, err
	}
	body := registry.Attempt{Issuer: p.Issuer, Course: p.Course, Version: p.Version, Published: p.Published, Paper: statement.Digest(raw), Answers: committed}
	for _, edit := range edits {
		edit(&body)
	}
	return a.Forge(Draft{Stream: visit.StreamPerson + "/" + a.ID, Type: registry.TypeAttempt, Body: body, At: at}), answers, nil
}

// coursesPublished numbers every course that anybody published here.
func (l *Ledger) coursesPublished() []registry.ListNumber {
	l.mu.Lock()
	defer l.mu.Unlock()
	highest := map[string]int{}
	for _, stream := range l.sortedStreams() {
		if !strings.HasPrefix(stream, visit.StreamOrganisation+"/") {
			continue
		}
		for _, r := range l.streams[stream] {
			c, err := statement.Parse(r.Envelope)
			var course registry.Course
			if err == nil && c.Type == registry.TypeCourse && c.UntrustedBody(&course) == nil {
				at := c.Header.Organisation + "/" + course.Course
				highest[at] = max(highest[at], course.Version)
			}
		}
	}
	var out []registry.ListNumber
	for at, n := range highest {
		out = append(out, registry.ListNumber{List: registry.ListCourse, Issuer: at, Number: n})
	}
	slices.SortFunc(out, func(a, b registry.ListNumber) int { return strings.Compare(a.Issuer, b.Issuer) })
	return out
}
