package app

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// mostOffered bounds how many published versions of one issuer are looked at, newest first.
const mostOffered = 256

var (
	errNoCourse     = fault.New(fault.NotFound, "course_unknown", "没有这门课。", "There is no such course.")
	errAttemptOf    = fault.New(fault.Invalid, "attempt_of_another_course", "签名的答卷不是这家机构、这门课的。", "The signed attempt is of another issuer or course.")
	errIssuerAnswer = fault.New(fault.Unavailable, "course_answer_differs", "培训机构给的内容和它公布的对不上，请稍后再试。", "What the course issuer handed over is not what it published; try again later.")
)

// Lesson is a course that is there for somebody, with how he stands in it.
type Lesson struct {
	registry.Course
	Issuer    string
	Published string           // digest of the issuer's statement
	Until     time.Time        // of his newest certificate that counts; zero for none
	Ended     bool             // he has one that counts no longer: a new version asks for another
	Standing  *orgapi.Standing // what the issuer says of his tries; nil where he never tried
	Away      bool             // the issuer's service does not answer: nothing is known of tries
}

// Courses lists what is there for the actor to learn, from every issuer that runs its service here.
func (a *App) Courses(ctx context.Context, actor Actor) ([]Lesson, error) {
	if err := access.Require(access.Role(actor.Role), visit.TakeTest, access.Self); err != nil {
		return nil, err
	}
	out := []Lesson{}
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		held, err := a.heldBy(ctx, tx, actor.Person)
		if err != nil {
			return err
		}
		for _, issuer := range slices.Sorted(maps.Keys(a.Organisations)) {
			offered, err := offeredBy(ctx, tx, issuer)
			if err != nil {
				return err
			}
			for _, o := range offered {
				if slices.Contains(o.Roles, actor.Role) {
					out = append(out, o.with(held))
				}
			}
		}
		return nil
	})
	if err == nil {
		err = a.standings(ctx, actor, out)
	}
	return out, err
}

// offeredBy gives the newest version of each course of an issuer, sorted by name.
func offeredBy(ctx context.Context, tx *store.Tx, issuer string) ([]Lesson, error) {
	digests, err := tx.Refs(ctx, refOffered, issuer, mostOffered)
	if err != nil {
		return nil, err
	}
	var out []Lesson
	for _, d := range digests {
		claims, err := eventClaims(ctx, tx, d)
		if err != nil {
			return nil, err
		}
		o := Lesson{Issuer: issuer, Published: claims.Digest()}
		if err := claims.UntrustedBody(&o.Course); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(out, func(k Lesson) bool { return k.Course.Course == o.Course.Course })
		switch {
		case i < 0:
			out = append(out, o)
		case o.Version > out[i].Version:
			out[i] = o
		}
	}
	slices.SortFunc(out, func(a, b Lesson) int { return strings.Compare(a.Course.Course, b.Course.Course) })
	return out, nil
}

// heldBy reads the certificates of a person that the gate is given, too.
func (a *App) heldBy(ctx context.Context, tx *store.Tx, person string) ([]certificate, error) {
	g := a.gather(ctx, tx)
	if err := g.refs(refCourse, person, coursesKept); err != nil {
		return nil, err
	}
	return g.certificates(person)
}

// with says how a course stands with the certificates that somebody holds. The gate decides; this only
// says so before anybody is sent.
func (o Lesson) with(held []certificate) Lesson {
	for _, c := range held {
		if c.issuer != o.Issuer || c.Course != o.Course.Course {
			continue
		}
		until, err := c.Until.Parse()
		switch {
		case err != nil:
		case c.Counts(o.Course) != nil:
			o.Ended = true
		case until.After(o.Until):
			o.Until = until
		}
	}
	return o
}

// standings asks the issuers how the actor stands. One who does not answer hides no course.
func (a *App) standings(ctx context.Context, actor Actor, list []Lesson) error {
	told := map[string]orgapi.Standings{}
	away := map[string]bool{}
	for i := range list {
		issuer := list[i].Issuer
		if _, asked := told[issuer]; !asked && !away[issuer] {
			s, err := a.Organisations[issuer].Standing(ctx, orgapi.TakerAsk{Holder: actor.Person, Organisation: actor.Organisation, Role: actor.Role})
			if err != nil && fault.KindOf(err) != fault.Unavailable {
				return err
			}
			away[issuer] = err != nil
			told[issuer] = s
		}
		list[i].Away = away[issuer]
		for _, s := range told[issuer].Courses {
			if s.Course == list[i].Course.Course {
				list[i].Standing = &s
			}
		}
	}
	return nil
}

// offered finds one course that is there for the actor, and its issuer's service.
func (a *App) offered(ctx context.Context, actor Actor, issuer, course string) (Lesson, Organisation, error) {
	if err := access.Require(access.Role(actor.Role), visit.TakeTest, access.Self); err != nil {
		return Lesson{}, nil, err
	}
	service, err := a.service(issuer)
	if err != nil {
		return Lesson{}, nil, err
	}
	var found Lesson
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		list, err := offeredBy(ctx, tx, issuer)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(o Lesson) bool { return o.Course.Course == course && slices.Contains(o.Roles, actor.Role) })
		if i < 0 {
			return errNoCourse
		}
		held, err := a.heldBy(ctx, tx, actor.Person)
		found = list[i].with(held)
		return err
	})
	return found, service, err
}

// CourseText gives a course with what there is to learn in it, as its issuer published it: menshen keeps
// only the digest. Faults: course_unknown, course_answer_differs, orgapi's.
func (a *App) CourseText(ctx context.Context, actor Actor, issuer, course string) (Lesson, registry.CourseText, error) {
	var text registry.CourseText
	o, service, err := a.offered(ctx, actor, issuer, course)
	if err != nil {
		return o, text, err
	}
	answer, err := service.CourseText(ctx, o.Text)
	if err != nil {
		return o, text, err
	}
	raw, err := statement.Base64(answer.Text)
	if err == nil {
		err = statement.DecodeCanonicalWithin(raw, &text, len(raw))
	}
	if err != nil || statement.Digest(raw) != o.Text {
		return o, registry.CourseText{}, errIssuerAnswer.Because(err)
	}
	return o, text, nil
}

// Paper has the issuer hand out a paper to the actor: base64 of the canonical bytes, whose digest he signs.
// menshen keeps none.
func (a *App) Paper(ctx context.Context, actor Actor, issuer, course string) (string, registry.Paper, error) {
	var p registry.Paper
	_, service, err := a.offered(ctx, actor, issuer, course)
	if err != nil {
		return "", p, err
	}
	answer, err := service.Paper(ctx, orgapi.PaperAsk{Course: course, Holder: actor.Person, Organisation: actor.Organisation, Role: actor.Role})
	if err != nil {
		return "", p, err
	}
	raw, err := statement.Base64(answer.Paper)
	if err == nil {
		err = statement.DecodeCanonical(raw, &p)
	}
	if err != nil || p.Issuer != issuer || p.Course != course || p.Holder != actor.Person || p.Organisation != actor.Organisation || p.Role != actor.Role {
		return "", p, errIssuerAnswer.Because(err)
	}
	return answer.Paper, p, nil
}

// TakeTest records an attempt and has its issuer grade it. The choices pass through and are kept nowhere:
// those of somebody who passed are the key. Sent again after a lost answer it is answered again. Faults:
// those of Submit, attempt_of_another_course, orgapi's.
func (a *App) TakeTest(ctx context.Context, actor Actor, issuer, course string, envelope []byte, answers statement.Opening) (orgapi.Graded, error) {
	service, err := a.service(issuer)
	if err != nil {
		return orgapi.Graded{}, err
	}
	claims, err := statement.Parse(envelope)
	if err != nil {
		return orgapi.Graded{}, err
	}
	var body registry.Attempt
	if claims.Type != registry.TypeAttempt || claims.UntrustedBody(&body) != nil || body.Issuer != issuer || body.Course != course {
		return orgapi.Graded{}, errAttemptOf
	}
	done, err := a.Submit(ctx, actor, Submission{Stream: visit.StreamPerson + "/" + actor.Person, Verb: visit.TakeTest, Envelope: envelope})
	if err != nil {
		return orgapi.Graded{}, err
	}
	ask, err := a.attemptAsk(ctx, done.Event, answers)
	if err != nil {
		return orgapi.Graded{}, err
	}
	graded, err := service.Attempt(ctx, ask)
	if err != nil {
		return orgapi.Graded{}, err
	}
	return graded, a.takeAllSigned(ctx, issuer, graded.Statements)
}

// attemptAsk takes what an issuer needs to prove an attempt by itself.
func (a *App) attemptAsk(ctx context.Context, event string, answers statement.Opening) (orgapi.AttemptAsk, error) {
	ask := orgapi.AttemptAsk{Answers: answers}
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		e, err := tx.EventByDigest(ctx, event)
		if err != nil {
			return err
		}
		own, g := a.gather(ctx, tx), a.gather(ctx, tx)
		claims, err := own.add(e)
		if err != nil {
			return err
		}
		g.keys[claims.Header.Key] = true
		if err := g.refs(refTrustList, "", 1); err != nil {
			return err
		}
		if err := g.signers(); err != nil {
			return err
		}
		ask.Attempt, ask.Context = own.entries[0], g.sorted()
		return nil
	})
	return ask, err
}
