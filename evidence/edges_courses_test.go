package evidence_test

import (
	"testing"

	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// tested is the security course as its issuer publishes it with a test.
func tested() registry.Course {
	digest := statement.Digest([]byte("a course"))
	return registry.Course{Course: scenario.SecurityCourse, Version: 1, CountsFrom: 1, Title: registry.Words{Zh: "上门安全", En: "Safe visits"},
		Roles: []string{visit.RoleTechnician}, Draw: 5, Pass: 4, Minutes: 20, WaitMinutes: 60, Days: 365, Text: digest, Questions: digest}
}

// publish records a course and gives the digest of its statement.
func (e *edge) publish(c registry.Course) string {
	school := e.Cast.School
	signed := school.Sign(scenario.Draft{Stream: org(school), Type: registry.TypeCourse, Body: c, At: e.Now()})
	e.record(org(school), visit.Publish, signed)
	return statement.Digest(signed)
}

// attempt records the technician's attempt with this body.
func (e *edge) attempt(body any) string {
	lan := e.Cast.Technician
	signed := lan.Forge(scenario.Draft{Stream: person(lan), Type: registry.TypeAttempt, Body: body, At: e.Now()})
	e.record(person(lan), visit.TakeTest, signed)
	return statement.Digest(signed)
}

func (e *edge) certify(version int, attempt string) {
	lan := e.Cast.Technician
	e.put(e.Cast.School, visit.Train, person(lan), registry.TypeCertificate, registry.Certificate{Holder: lan.ID, Course: scenario.SecurityCourse,
		From: statement.At(e.Now()), Until: statement.At(e.Now().AddDate(0, 6, 0)), Version: version, Attempt: attempt})
}

// What a course's own papers can be wrong in, beside what the table of attacks tries.
func TestEdgesOfCourses(t *testing.T) {
	about := func(e *edge, published string) registry.Attempt {
		return registry.Attempt{Issuer: e.Cast.School.ID, Course: scenario.SecurityCourse, Version: 1, Published: published, Paper: published, Answers: published}
	}
	for _, c := range []struct {
		name, code string
		act        func(*edge)
	}{
		{"a course outside its bounds is none", "course_not_published", func(e *edge) {
			wrong := tested()
			wrong.Draw = 0
			e.certify(1, e.attempt(about(e, e.publish(wrong))))
		}},
		{"an attempt that names one outside its bounds", "course_malformed", func(e *edge) {
			wrong := tested()
			wrong.Draw = 0
			named := e.publish(wrong)
			e.publish(tested())
			e.certify(1, e.attempt(about(e, named)))
		}},
		{"an attempt that is none", "json_unknown_name", func(e *edge) {
			e.publish(tested())
			e.certify(1, e.attempt(nonsense))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := upTo(t, visit.Install, 0, "ask dispatch")
			e.hideSoFar(registry.TypeCertificate)
			c.act(e)
			e.fails(visit.AskDispatch, gate.TechnicianTrained, c.code)
		})
	}
}

// A course that the register does not know is not used, however good it looks.
func TestACourseThatNobodyLookedUp(t *testing.T) {
	e := upTo(t, visit.Install, 0, "ask dispatch")
	e.hideSoFar(registry.TypeCertificate)
	published := e.publish(tested())
	e.certify(1, e.attempt(registry.Attempt{Issuer: e.Cast.School.ID, Course: scenario.SecurityCourse, Version: 1, Published: published, Paper: published, Answers: published}))
	e.ledger.Extract = func(x *registry.Extract) {
		x.Lists = x.Lists[:3] // trust list, parameters, status list
	}
	a, err := e.ledger.Ask(t.Context(), e.Cast.Dispatcher, e.ID, visit.AskDispatch)
	if err != nil || a.Failing[gate.NothingOpen] != "list_not_looked_up" {
		t.Errorf("%v %+v", err, a)
	}
}
