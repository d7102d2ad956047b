package registry_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
)

func safeVisits() registry.Course {
	digest := statement.Digest([]byte("text"))
	return registry.Course{Course: "security", Version: 3, CountsFrom: 2, Title: registry.Words{Zh: "上门安全", En: "Safe visits"}, Roles: []string{"technician"},
		Draw: 5, Pass: 4, Minutes: 20, WaitMinutes: 60, Days: 365, Text: digest, Questions: digest}
}

func TestACourseKeepsToItsBounds(t *testing.T) {
	if err := safeVisits().Check(); err != nil {
		t.Fatal(err)
	}
	type C = registry.Course
	for name, c := range map[string]struct {
		edit  func(*C)
		where string
	}{
		"no id":                  {func(c *C) { c.Course = "" }, "course"},
		"no version":             {func(c *C) { c.Version, c.CountsFrom = 0, 0 }, "version"},
		"counts from the future": {func(c *C) { c.CountsFrom = 4 }, "counts_from"},
		"counts from nothing":    {func(c *C) { c.CountsFrom = 0 }, "counts_from"},
		"no Chinese title":       {func(c *C) { c.Title.Zh = "" }, "title"},
		"a long title":           {func(c *C) { c.Title.En = strings.Repeat("x", 201) }, "title"},
		"for nobody":             {func(c *C) { c.Roles = nil }, "roles"},
		"for a host":             {func(c *C) { c.Roles = []string{"host"} }, "roles"},
		"for too many":           {func(c *C) { c.Roles = append(slices.Clone(registry.CourseRoles), "clerk") }, "roles"},
		"without questions":      {func(c *C) { c.Draw, c.Pass = 0, 0 }, "draw"},
		"passed by nothing":      {func(c *C) { c.Pass = 0 }, "pass"},
		"passed by more":         {func(c *C) { c.Pass = 6 }, "pass"},
		"without time":           {func(c *C) { c.Minutes = 0 }, "minutes"},
		"without waiting":        {func(c *C) { c.WaitMinutes = 0 }, "wait_minutes"},
		"for ever":               {func(c *C) { c.Days = 1101 }, "days"},
		"without a text":         {func(c *C) { c.Text = "" }, "text"},
		"without a commitment":   {func(c *C) { c.Questions = "x" }, "text"},
	} {
		course := safeVisits()
		c.edit(&course)
		t.Run(name, func(t *testing.T) { refused(t, course.Check(), "course_malformed", c.where) })
	}
}

func TestWhichCertificatesCount(t *testing.T) {
	digest := statement.Digest([]byte("attempt"))
	for name, c := range map[string]struct {
		held   registry.Certificate
		newest registry.Course
		code   string
	}{
		"of an issuer without tests":         {registry.Certificate{Course: "security"}, registry.Course{}, ""},
		"of a version that nobody published": {registry.Certificate{Course: "security", Version: 1, Attempt: digest}, registry.Course{}, "course_not_published"},
		"of an attempt at nothing":           {registry.Certificate{Course: "security", Attempt: digest}, registry.Course{}, "course_not_published"},
		"from before there was a test":       {registry.Certificate{Course: "security"}, safeVisits(), "certificate_without_attempt"},
		"without an attempt":                 {registry.Certificate{Course: "security", Version: 3}, safeVisits(), "certificate_without_attempt"},
		"of a version that ended":            {registry.Certificate{Course: "security", Version: 1, Attempt: digest}, safeVisits(), "course_superseded"},
		"of the oldest that counts":          {registry.Certificate{Course: "security", Version: 2, Attempt: digest}, safeVisits(), ""},
		"of the newest":                      {registry.Certificate{Course: "security", Version: 3, Attempt: digest}, safeVisits(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.held.Counts(c.newest)
			if c.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			refused(t, err, c.code, "security")
		})
	}
}

func TestAnswersAreWrittenInOneWay(t *testing.T) {
	choices := [][]int{{0}, {1, 3}, {}}
	text, err := registry.WriteAnswers(choices)
	if err != nil || text != "[[0],[1,3],[]]" {
		t.Fatalf("%q, %v", text, err)
	}
	read, err := registry.ReadAnswers(text, 3)
	if err != nil || !slices.EqualFunc(read, choices, func(a, b []int) bool { return slices.Equal(a, b) }) {
		t.Fatalf("%v, %v", read, err)
	}
	for name, bad := range map[string]string{
		"two questions": "[[0],[1]]", "a space": "[[0], [1,3],[]]", "descending": "[[0],[3,1],[]]", "twice": "[[0],[1,1],[]]",
		"below zero": "[[-1],[1,3],[]]", "words": `[["a"],[1],[]]`, "nothing": "", "long": "[[0],[1],[" + strings.Repeat("1", 800) + "]]",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := registry.ReadAnswers(bad, 3)
			refused(t, err, "answers_malformed", "")
		})
	}
}

func FuzzReadAnswers(f *testing.F) {
	for _, text := range []string{"[[0],[1,3]]", "[]", "[[]]", `[["a"]]`, "[[1,0]]"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		choices, err := registry.ReadAnswers(text, 2)
		if err != nil {
			return
		}
		if again, err := registry.WriteAnswers(choices); err != nil || again != text {
			t.Errorf("%q is read, and written %q (%v)", text, again, err)
		}
	})
}
