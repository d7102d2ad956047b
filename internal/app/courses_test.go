package app_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/organisation"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// class is a deployment whose course issuer runs its own service, with a clock that moves by hand.
type class struct {
	t *testing.T
	*scenario.Deployment
	play  *scenario.Play
	ahead atomic.Int64 // how far the clock was moved
	file  organisation.CourseFile
	dir   string
}

func openClass(t *testing.T) *class {
	t.Helper()
	c := &class{t: t, dir: t.TempDir()}
	var err error
	c.Deployment, err = scenario.NewDeployment(t.Context(), scenario.DeploymentConfig{Dir: c.dir, Now: c.now, School: filepath.Join(t.TempDir(), "school")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	c.play = c.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	if err := c.play.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.file, err = scenario.CourseFile("security"); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *class) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *class) wait(d time.Duration) { c.ahead.Add(int64(d)) }

// publishes has the issuer publish a version, and waits until menshen has taken it.
func (c *class) publishes(f organisation.CourseFile) {
	c.t.Helper()
	done, err := c.School.PutCourse(f, false)
	if err != nil || !done {
		c.t.Fatalf("not published: %v %v", done, err)
	}
	for {
		list, err := c.App.Courses(c.t.Context(), actorOf(c.Cast.Technician))
		if err != nil {
			c.t.Fatal(err)
		}
		if len(list) == 1 && list[0].Version == f.Version {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func actorOf(a *scenario.Actor) app.Actor {
	return app.Actor{Person: a.ID, Organisation: a.Organisation, Role: a.Role}
}

// paper gets a paper for somebody; code is why he gets none.
func (c *class) paper(who *scenario.Actor, code string) (string, registry.Paper) {
	c.t.Helper()
	raw, p, err := c.App.Paper(c.t.Context(), actorOf(who), c.Cast.School.ID, c.file.Course)
	if fault.CodeOf(err) != code {
		c.t.Fatalf("paper: %v, want %q", err, code)
	}
	return raw, p
}

// takes has somebody take the test, with so many wrong.
func (c *class) takes(who *scenario.Actor, wrong int) orgapi.Graded {
	c.t.Helper()
	raw, p := c.paper(who, "")
	envelope, answers, err := who.Attempt(raw, scenario.Answering(c.file, p, wrong), c.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	g, err := c.App.TakeTest(c.t.Context(), actorOf(who), c.Cast.School.ID, c.file.Course, envelope, answers)
	if err != nil {
		c.t.Fatal(err)
	}
	return g
}

// assigned books the visit and names the technician.
func (c *class) assigned() {
	c.t.Helper()
	for _, act := range []func(context.Context) error{c.play.Book, func(ctx context.Context) error { return c.play.AgreeApprover(ctx, c.play.Sheet) },
		func(ctx context.Context) error { return c.play.AgreeMerchant(ctx, c.play.Sheet) }, c.play.ShipDevice, c.play.Assign} {
		if err := act(c.t.Context()); err != nil {
			c.t.Fatal(err)
		}
	}
}

// trained asks for dispatch; want is why technician-trained fails, "" when all is granted.
func (c *class) trained(want string) {
	c.t.Helper()
	a, err := c.play.Venue.Ask(c.t.Context(), c.Cast.Dispatcher, c.play.ID, visit.AskDispatch)
	if err != nil {
		c.t.Fatal(err)
	}
	if got := a.Failing["technician-trained"]; got != want || a.Granted != (want == "") {
		c.t.Fatalf("technician-trained: %q, want %q (all: %v)", got, want, a.Failing)
	}
	c.console(want)
}

// console looks at what the dispatcher reads before anybody is sent: the same verdict as the gate's.
func (c *class) console(want string) {
	c.t.Helper()
	dispatcher := actorOf(c.Cast.Dispatcher)
	sendable, err := c.App.Candidates(c.t.Context(), dispatcher, c.play.ID)
	if err != nil {
		c.t.Fatal(err)
	}
	staff, _, err := c.App.Technicians(c.t.Context(), dispatcher)
	if err != nil {
		c.t.Fatal(err)
	}
	lacks := map[bool][]string{true: {c.file.Course}}[want != ""]
	for _, k := range sendable {
		if k.Person == c.Cast.Technician.ID && !slices.Equal(k.Missing, lacks) {
			c.t.Errorf("the gate says %q of the technician, and the list of whom to send that he lacks %v", want, k.Missing)
		}
	}
	for _, s := range staff {
		if s.Person != c.Cast.Technician.ID {
			continue
		}
		if !slices.Equal(s.NoClass, lacks) {
			c.t.Errorf("the gate says %q of the technician, and the list of his house that he lacks %v", want, s.NoClass)
		}
		for _, k := range s.Courses {
			if k.Name == c.file.Course && k.Over != (want != "") {
				c.t.Errorf("the gate says %q of the technician, and his certificate is shown as over: %v", want, k.Over)
			}
		}
	}
}

// Lan's old certificate ends to count when the course gets a test. She reads it, fails once, waits, passes, and
// the gate lets her go; what she chose is nowhere in menshen.
func TestATechnicianLearnsAndIsTested(t *testing.T) {
	c := openClass(t)
	lan := c.Cast.Technician
	c.publishes(c.file)
	c.assigned()
	c.trained("certificate_without_attempt")

	_, text, err := c.App.CourseText(t.Context(), actorOf(lan), c.Cast.School.ID, c.file.Course)
	if err != nil || len(text.Pages) != len(c.file.Pages) || text.Pages[0].En != c.file.Pages[0].En {
		t.Fatalf("text: %v %+v", err, text)
	}
	if g := c.takes(lan, 2); g.Passed || g.Right != 3 || g.Of != 5 || len(g.Statements) != 0 {
		t.Fatalf("two wrong: %+v", g)
	}
	c.trained("certificate_without_attempt")
	c.paper(lan, "course_wait")
	c.wait(61 * time.Minute)
	if g := c.takes(lan, 1); !g.Passed || g.Right != 4 {
		t.Fatalf("one wrong: %+v", g)
	}
	c.trained("")
	list, err := c.App.Courses(t.Context(), actorOf(lan))
	if err != nil || list[0].Until.Before(c.Now().AddDate(0, 11, 0)) || list[0].Standing == nil || list[0].Standing.Tries != 2 {
		t.Errorf("as it stands: %v %+v", err, list)
	}
	c.play = c.Play(visit.Install, 1, "v2", "00005704280117028120", "W1489725")
	c.assigned()
	next := c.file
	next.Version, next.CountsFrom = 2, 2
	c.publishes(next)
	c.trained("course_superseded")
	if list, err := c.App.Courses(t.Context(), actorOf(lan)); err != nil || !list[0].Ended || !list[0].Until.IsZero() {
		t.Errorf("as he reads it himself: %v %+v", err, list)
	}
	c.keyNowhere()
}

// keyNowhere looks through every file of menshen's folder for questions and choices, and for how the
// answers were written down.
func (c *class) keyNowhere() {
	c.t.Helper()
	files, err := filepath.Glob(filepath.Join(c.dir, "*"))
	if err != nil {
		c.t.Fatal(err)
	}
	var all []byte
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, data...)
	}
	if !bytes.Contains(all, []byte(c.Cast.School.ID)) {
		c.t.Fatal("looked in the wrong place")
	}
	for _, q := range c.file.Questions {
		for _, text := range []string{q.Zh, q.En, q.Choices[0].Zh, q.Choices[0].En} {
			if bytes.Contains(all, []byte(text)) {
				c.t.Errorf("menshen holds %q", text)
			}
		}
	}
	if bytes.Contains(all, []byte(registry.KindAnswers)) {
		c.t.Error("menshen holds opened answers")
	}
}
