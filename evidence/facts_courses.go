package evidence

import (
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/visit"
)

var (
	errNoCertificate = fault.New(fault.Refused, "course_missing", "上门人员没有通过必修的课程。", "The technician lacks a required course.")
	errAttemptOther  = fault.New(fault.Refused, "attempt_differs", "证书背后的答卷是别人的，或者是别的课程、别的版本的。", "The attempt behind the certificate is another person's, or of another course or version.")
	errCourseLong    = fault.New(fault.Refused, "certificate_too_long", "证书的有效期比课程规定的长。", "The certificate holds longer than its course allows.")
)

// published is the newest version of a course that a dossier holds.
type published struct {
	course registry.Course
	twice  bool // another statement carries the same version
}

func courseOf(issuer, course string) string { return issuer + "/" + course }

// newestCourses finds the newest version of every course here, by issuer and name. What does not keep to
// its bounds was never published.
func (b *builder) newestCourses() map[string]published {
	found := map[string]published{}
	for _, it := range b.of("", registry.TypeCourse) {
		c, err := readCourse(it)
		if err != nil {
			continue
		}
		at := courseOf(it.claims.Header.Organisation, c.Course)
		switch before := found[at].course.Version; {
		case c.Version > before:
			found[at] = published{course: c}
		case c.Version == before:
			found[at] = published{course: c, twice: true}
		}
	}
	return found
}

func readCourse(it item) (registry.Course, error) {
	var c registry.Course
	err := it.signed.Body(registry.TypeCourse, &c)
	if err == nil {
		err = c.Check()
	}
	return c, err
}

// certificates reads what course issuers signed about the technician. Of a course with a test only what
// follows from an attempt of his own counts; why another does not is kept, for whoever asks why he may not go.
func (b *builder) certificates(technician string) {
	b.courses = map[string]published{}
	b.facts.Uncounted = map[string]error{}
	newest := b.newestCourses()
	var list []registry.Certificate
	var from []string
	for _, it := range b.of(visit.StreamPerson+"/"+technician, registry.TypeCertificate) {
		var c registry.Certificate
		if err := it.signed.Body(registry.TypeCertificate, &c); err != nil {
			b.facts.Certificates = gate.Unknown[[]registry.Certificate](err, it.signed.Digest())
			return
		}
		at := courseOf(it.claims.Header.Organisation, c.Course)
		b.courses[at] = newest[at]
		from = append(from, it.signed.Digest())
		err := b.keys.trust.Active(it.claims.Header.Organisation, credential.KindCourseIssuer, b.now)
		if err == nil {
			err = b.tested(it, c, newest[at])
		}
		if err != nil {
			b.facts.Uncounted[c.Course] = err
			continue
		}
		list = append(list, c)
	}
	if len(from) == 0 {
		b.facts.Certificates = gate.Unknown[[]registry.Certificate](errNoCertificate)
		return
	}
	b.facts.Certificates = gate.Known(list, from...)
}

// tested says why a certificate does not count: by its version, or by what is behind it.
func (b *builder) tested(it item, c registry.Certificate, newest published) error {
	if newest.twice {
		return errListTwice.At(registry.ListCourse)
	}
	if err := c.Counts(newest.course); err != nil || newest.course.Version == 0 {
		return err
	}
	attempt, ok := b.signedIn(it.event.Stream, registry.TypeAttempt, c.Attempt)
	if !ok || attempt.event.Number > it.event.Number {
		return registry.ErrNoAttempt.At(c.Course)
	}
	var a registry.Attempt
	if err := attempt.signed.Body(registry.TypeAttempt, &a); err != nil {
		return err
	}
	issuer := it.claims.Header.Organisation
	taken, ok := b.signedIn(visit.StreamOrganisation+"/"+issuer, registry.TypeCourse, a.Published)
	if !ok {
		return errAttemptOther.At(c.Course)
	}
	course, err := readCourse(taken)
	if err != nil {
		return err
	}
	same := a.Issuer == issuer && a.Course == c.Course && a.Version == c.Version && course.Course == c.Course && course.Version == c.Version
	if !same || !b.technician().signed(attempt.claims.Header) {
		return errAttemptOther.At(c.Course)
	}
	return b.longAs(c, course, attempt)
}

// longAs holds a certificate to its course's days, counted from the attempt: the same attempt earns no
// second certificate that ends later.
func (b *builder) longAs(c registry.Certificate, course registry.Course, attempt item) error {
	until, err := c.Until.Parse()
	if err != nil || until.After(attempt.received.Add(time.Duration(course.Days+1)*24*time.Hour)) {
		return errCourseLong.At(c.Course)
	}
	return nil
}

// signedIn finds a statement of a stream by its digest.
func (b *builder) signedIn(stream, kind, digest string) (item, bool) {
	for _, it := range b.of(stream, kind) {
		if it.signed.Digest() == digest {
			return it, true
		}
	}
	return item{}, false
}

// coursesCurrent holds the courses of the technician's certificates to the newest versions that the register
// knows. A course that is not here at all may only be one that the register does not know either.
func (b *builder) coursesCurrent(x registry.Extract) error {
	for at, used := range b.courses {
		highest, known := x.Number(registry.ListCourse, at)
		switch {
		case used.course.Version < highest:
			return errSuperseded.At(registry.ListCourse)
		case used.course.Version > 0 && !known:
			return errListUnnumbered.At(registry.ListCourse)
		}
	}
	return nil
}
