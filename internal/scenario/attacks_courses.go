package scenario

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/organisation"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// courseAttacks are about courses with a test: at the gate, where a certificate without its holder's own
// attempt is worth nothing, and at the issuer's own service, which holds the key and grades.
var courseAttacks = []Attack{
	atTheGate("certificate-without-attempt", "课程要考试，证书背后没有答卷", "The course has a test, and nothing that its holder signed is behind the certificate.", "certificate_without_attempt",
		func(ctx context.Context, p *Play, c *schooling) error { return c.certify(ctx, p, 1, "", c.until(p)) }),
	atTheGate("certificate-on-no-attempt", "证书写的答卷根本不存在", "The certificate names an attempt that nobody ever signed.", "certificate_without_attempt",
		func(ctx context.Context, p *Play, c *schooling) error {
			return c.certify(ctx, p, 1, statement.Digest([]byte("an attempt")), c.until(p))
		}),
	atTheGate("certificate-before-the-attempt", "先发证书，后补答卷", "The certificate came first and the attempt was signed afterwards.", "certificate_without_attempt",
		func(ctx context.Context, p *Play, c *schooling) error {
			d, envelope := c.draft(p, p.Cast.Technician)
			if err := c.certify(ctx, p, 1, statement.Digest(envelope), c.until(p)); err != nil {
				return err
			}
			return p.Venue.File(ctx, p.Cast.Technician, Filing{Stream: d.Stream, Verb: visit.TakeTest, Envelope: envelope})
		}),
	atTheGate("attempt-of-another-person", "拿同事的答卷发证书", "The certificate rests on a colleague's attempt.", "certificate_without_attempt",
		func(ctx context.Context, p *Play, c *schooling) error {
			attempt, err := c.attempt(ctx, p, p.Cast.Stranger)
			if err != nil {
				return err
			}
			return c.certify(ctx, p, 1, attempt, c.until(p))
		}),
	atTheGate("attempt-of-a-namesake", "别家机构登记了一个同名的人，替他考", "Another organisation enrols somebody under his name, who takes the test.", "attempt_differs",
		func(ctx context.Context, p *Play, c *schooling) error {
			twin := NewActor(p.Cast.Technician.ID, p.Cast.Rival.ID, visit.RoleTechnician)
			if err := p.Enrol(ctx, twin); err != nil {
				return err
			}
			attempt, err := c.attempt(ctx, p, twin)
			if err != nil {
				return err
			}
			return c.certify(ctx, p, 1, attempt, c.until(p))
		}),
	atTheGate("attempt-of-another-course", "拿别的课程的答卷发证书", "The certificate rests on an attempt of another course.", "attempt_differs",
		func(ctx context.Context, p *Play, c *schooling) error {
			attempt, err := c.attempt(ctx, p, p.Cast.Technician, func(a *registry.Attempt) { a.Course = "first-aid" })
			if err != nil {
				return err
			}
			return c.certify(ctx, p, 1, attempt, c.until(p))
		}),
	atTheGate("attempt-of-another-version", "拿旧版的答卷发新版的证书", "An attempt of the old version earns a certificate of the new one.", "attempt_differs",
		func(ctx context.Context, p *Play, c *schooling) error {
			attempt, err := c.attempt(ctx, p, p.Cast.Technician)
			if err == nil {
				err = c.publish(ctx, p, 2, 1)
			}
			if err != nil {
				return err
			}
			return c.certify(ctx, p, 2, attempt, c.until(p))
		}),
	atTheGate("attempt-of-an-unpublished-course", "答卷说的那份课程，没有公布过", "The attempt names a text of the course that was never published.", "attempt_differs",
		func(ctx context.Context, p *Play, c *schooling) error {
			attempt, err := c.attempt(ctx, p, p.Cast.Technician, func(a *registry.Attempt) { a.Published = statement.Digest([]byte("another")) })
			if err != nil {
				return err
			}
			return c.certify(ctx, p, 1, attempt, c.until(p))
		}),
	atTheGate("attempt-replayed-for-longer", "同一份答卷，两年后再发一张证书", "The same attempt earns a second certificate that ends later.", "certificate_too_long",
		func(ctx context.Context, p *Play, c *schooling) error {
			attempt, err := c.attempt(ctx, p, p.Cast.Technician)
			if err != nil {
				return err
			}
			return c.certify(ctx, p, 1, attempt, c.until(p).AddDate(0, 0, 3))
		}),
	atTheGate("course-outdated", "课程换了新版，还用旧版的证书", "The course has a new version that ends the old one's certificates.", "course_superseded",
		func(ctx context.Context, p *Play, c *schooling) error {
			attempt, err := c.attempt(ctx, p, p.Cast.Technician)
			if err == nil {
				err = c.certify(ctx, p, 1, attempt, c.until(p))
			}
			if err != nil {
				return err
			}
			return c.publish(ctx, p, 2, 2)
		}),
	atTheGate("course-published-twice", "同一版课程公布了两种内容", "One version of the course is published with two contents.", "list_number_twice",
		func(ctx context.Context, p *Play, c *schooling) error {
			attempt, err := c.attempt(ctx, p, p.Cast.Technician)
			if err == nil {
				err = c.certify(ctx, p, 1, attempt, c.until(p))
			}
			if err != nil {
				return err
			}
			c.course.Pass--
			return c.publish(ctx, p, 1, 1)
		}),
	{
		Name: "course-new-version-hidden", Zh: "门神藏起课程的新版，让旧证书过关", En: "The server hides the course's new version, so that an old certificate passes.",
		Liar: true, Refused: by(gate.NothingOpen, "list_superseded"),
		Run: func(ctx context.Context, p *Play) error {
			return withCourse(ctx, p, func(c *schooling) error {
				attempt, err := c.attempt(ctx, p, p.Cast.Technician)
				if err == nil {
					err = c.certify(ctx, p, 1, attempt, c.until(p))
				}
				if err != nil {
					return err
				}
				p.hideFromNow(registry.TypeCourse)
				return c.publish(ctx, p, 2, 2)
			})
		},
	},
	{
		Name: "attempt-in-anothers-name", Zh: "把自己的答卷交到别人名下", En: "Somebody hands his own attempt in under another's name.",
		Refused: by(ByEvidence, "stream_of_another"),
		Run: func(ctx context.Context, p *Play) error {
			return withCourse(ctx, p, func(c *schooling) error {
				bo := p.Cast.Stranger
				stream := visit.StreamPerson + "/" + p.Cast.Technician.ID
				_, err := p.file(ctx, bo, visit.TakeTest, Draft{Stream: stream, Type: registry.TypeAttempt, Body: c.body(p)})
				return err
			})
		},
	},
	{
		Name: "course-by-the-employer-published", Zh: "服务商自己公布一门要考试的课", En: "The provider publishes a course with a test, in a course issuer's role.",
		Refused: by(ByEvidence, "signer_role_differs"),
		Run: func(ctx context.Context, p *Play) error {
			_, err := p.file(ctx, p.Cast.Provider, visit.Publish, Draft{Stream: visit.StreamOrganisation + "/" + p.Cast.Provider.ID, Type: registry.TypeCourse,
				As: visit.RoleCourseIssuer, Body: newSchooling().course})
			if err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "course-passed", Zh: "自己考过，证书有效", En: "He took the test himself, and passed.",
		Run: func(ctx context.Context, p *Play) error {
			return withCourse(ctx, p, func(c *schooling) error {
				attempt, err := c.attempt(ctx, p, p.Cast.Technician)
				if err == nil {
					err = c.certify(ctx, p, 1, attempt, c.until(p))
				}
				if err == nil { // a version that lets the old one count takes nothing from him
					err = c.publish(ctx, p, 2, 1)
				}
				return err
			})
		},
	},
	atSchool("test-answers-changed", "交上去的答案和本人签的不一样", "The answers that arrive are not those that were signed.", "answers_differ",
		func(p *Play, k *Keeper, t *exam) error {
			ask := t.ask(p, t.right(), nil)
			ask.Answers = statement.NewOpening(registry.KindAnswers, Salt(), ask.Answers.Value)
			return told(k.Service.Attempt(ask))
		}),
	atSchool("test-paper-of-another", "拿发给别人的卷子来考", "He answers a paper that was handed to a colleague.", "paper_of_another",
		func(p *Play, k *Keeper, t *exam) error {
			bo := p.Cast.Stranger
			return told(k.Service.Attempt(t.askAs(p, bo, t.right(), nil)))
		}),
	atSchool("test-paper-of-another-version", "答卷上改写课程的版本", "The attempt names another version than its paper.", "paper_of_another",
		func(p *Play, k *Keeper, t *exam) error {
			return told(k.Service.Attempt(t.ask(p, t.right(), func(a *registry.Attempt) { a.Version++ })))
		}),
	atSchool("test-paper-made-up", "自己编一份卷子，挑会做的题", "He makes a paper up out of what he knows.", "paper_unknown",
		func(p *Play, k *Keeper, t *exam) error {
			return told(k.Service.Attempt(t.ask(p, t.right(), func(a *registry.Attempt) { a.Paper = statement.Digest([]byte("a paper")) })))
		}),
	atSchool("test-answered-twice", "没考过，同一份卷子再交一次", "He failed, and answers the same paper again.", "paper_answered",
		func(p *Play, k *Keeper, t *exam) error {
			if err := told(k.Service.Attempt(t.ask(p, t.wrong(), nil))); err != nil {
				return err
			}
			return told(k.Service.Attempt(t.ask(p, t.right(), nil)))
		}),
	atSchool("test-again-at-once", "没考过，马上再考", "He failed, and takes the next paper at once.", "course_wait",
		func(p *Play, k *Keeper, t *exam) error {
			if err := told(k.Service.Attempt(t.ask(p, t.wrong(), nil))); err != nil {
				return err
			}
			return told(k.Service.Paper(t.taker))
		}),
	atSchool("test-papers-drawn-for-the-questions", "一份一份地要卷子，把题目看全", "He draws one paper after the other to see every question.", "course_wait",
		func(p *Play, k *Keeper, t *exam) error {
			p.Wait(21 * time.Minute) // the first was over without an answer
			return told(k.Service.Paper(t.taker))
		}),
	atSchool("test-answered-at-leisure", "卷子带回家，第二天才交", "He takes the paper home and answers it the next day.", "paper_over",
		func(p *Play, k *Keeper, t *exam) error {
			p.Wait(24 * time.Hour)
			return told(k.Service.Attempt(t.ask(p, t.right(), nil)))
		}),
	atSchool("test-forged-by-the-server", "门神替他答卷，用自己的密钥签", "The server answers for him and signs with a key of its own.", "key_not_enrolled",
		func(p *Play, k *Keeper, t *exam) error {
			lan := p.Cast.Technician
			return told(k.Service.Attempt(t.askAs(p, NewActor(lan.ID, lan.Organisation, lan.Role), t.right(), nil)))
		}),
	atSchool("test-of-another-role", "店员的课，上门人员来考", "A technician takes the course of shops.", "course_other_role",
		func(p *Play, k *Keeper, t *exam) error {
			till, err := CourseFile("till")
			if err == nil {
				_, err = k.PutCourse(till, false)
			}
			if err != nil {
				return err
			}
			ask := t.taker
			ask.Course = till.Course
			return told(k.Service.Paper(ask))
		}),
}

// schooling is a course of the cast's issuer, of which the ledger is told.
type schooling struct {
	course    registry.Course
	published string // digest of the newest statement
}

func newSchooling() *schooling {
	digest := statement.Digest([]byte("a course"))
	return &schooling{course: registry.Course{Course: SecurityCourse, Version: 1, CountsFrom: 1, Title: registry.Words{Zh: "上门安全", En: "Safe visits"},
		Roles: []string{visit.RoleTechnician}, Draw: 5, Pass: 4, Minutes: 20, WaitMinutes: 60, Days: 365, Text: digest, Questions: digest}}
}

// withCourse publishes the security course with a test, lets something happen, and plays the visit.
func withCourse(ctx context.Context, p *Play, act func(*schooling) error) error {
	c := newSchooling()
	if err := c.publish(ctx, p, 1, 1); err != nil {
		return err
	}
	if err := act(c); err != nil {
		return err
	}
	return Run(ctx, p.scenes())
}

// atTheGate is an attack that the gate refuses before anybody is sent.
func atTheGate(name, zh, en, code string, act func(context.Context, *Play, *schooling) error) Attack {
	return Attack{Name: name, Zh: zh, En: en, Refused: by(gate.TechnicianTrained, code), Run: func(ctx context.Context, p *Play) error {
		return withCourse(ctx, p, func(c *schooling) error { return act(ctx, p, c) })
	}}
}

func (c *schooling) publish(ctx context.Context, p *Play, version, countsFrom int) error {
	c.course.Version, c.course.CountsFrom = version, countsFrom
	school := p.Cast.School
	digest, err := p.file(ctx, school, visit.Publish, Draft{Stream: visit.StreamOrganisation + "/" + school.ID, Type: registry.TypeCourse, Body: c.course})
	c.published = digest
	return err
}

func (c *schooling) body(p *Play) registry.Attempt {
	return registry.Attempt{Issuer: p.Cast.School.ID, Course: c.course.Course, Version: c.course.Version, Published: c.published,
		Paper: statement.Digest([]byte("paper")), Answers: statement.Digest([]byte("answers"))}
}

// draft signs an attempt and files nothing.
func (c *schooling) draft(p *Play, who *Actor, edits ...func(*registry.Attempt)) (Draft, []byte) {
	body := c.body(p)
	for _, edit := range edits {
		edit(&body)
	}
	d := Draft{Stream: visit.StreamPerson + "/" + who.ID, Type: registry.TypeAttempt, Body: body, At: p.Now()}
	return d, who.Forge(d)
}

func (c *schooling) attempt(ctx context.Context, p *Play, who *Actor, edits ...func(*registry.Attempt)) (string, error) {
	d, envelope := c.draft(p, who, edits...)
	return statement.Digest(envelope), p.Venue.File(ctx, who, Filing{Stream: d.Stream, Verb: visit.TakeTest, Envelope: envelope})
}

// until is as long as the course lets a certificate hold.
func (c *schooling) until(p *Play) time.Time { return p.Now().AddDate(0, 0, c.course.Days) }

// certify has the school sign for the technician.
func (c *schooling) certify(ctx context.Context, p *Play, version int, attempt string, until time.Time) error {
	lan := p.Cast.Technician.ID
	_, err := p.file(ctx, p.Cast.School, visit.Train, Draft{Stream: visit.StreamPerson + "/" + lan, Type: registry.TypeCertificate, Body: registry.Certificate{
		Holder: lan, Course: c.course.Course, From: statement.At(p.Now()), Until: statement.At(until), Version: version, Attempt: attempt}})
	return err
}

// exam is a test that the technician sits, at the issuer's real service, with a paper before him.
type exam struct {
	ledger *Ledger
	file   organisation.CourseFile
	taker  orgapi.PaperAsk
	raw    string
	paper  registry.Paper
}

// atSchool is an attack on a course issuer's own service, while a paper for the technician is out.
func atSchool(name, zh, en, code string, act func(*Play, *Keeper, *exam) error) Attack {
	return Attack{Name: name, Zh: zh, En: en, Liar: true, Waits: true, Refused: by(ByOrganisation, code), Run: func(_ context.Context, p *Play) error {
		dir, err := os.MkdirTemp("", "menshen-school-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		k, err := KeepSchool(dir, p.Cast, p.Trust, p.Now)
		if err != nil {
			return err
		}
		t, err := sit(p, k)
		if err != nil {
			return errors.Join(err, k.Close())
		}
		refused := act(p, k, t)
		if err := k.Close(); err != nil || refused == nil {
			return errors.Join(refused, err)
		}
		return &Refusal{Code: fault.CodeOf(refused), By: ByOrganisation}
	}}
}

func sit(p *Play, k *Keeper) (*exam, error) {
	lan := p.Cast.Technician
	t := &exam{ledger: p.Venue.(*Ledger), taker: orgapi.PaperAsk{Course: SecurityCourse, Holder: lan.ID, Organisation: lan.Organisation, Role: lan.Role}}
	var err error
	if t.file, err = CourseFile("security"); err != nil {
		return nil, err
	}
	if _, err := k.PutCourse(t.file, false); err != nil {
		return nil, err
	}
	answer, err := k.Service.Paper(t.taker)
	if err != nil {
		return nil, err
	}
	t.raw = answer.Paper
	data, err := statement.Base64(answer.Paper)
	if err == nil {
		err = statement.DecodeCanonical(data, &t.paper)
	}
	return t, err
}

func (t *exam) right() [][]int { return Answering(t.file, t.paper, 0) }
func (t *exam) wrong() [][]int { return Answering(t.file, t.paper, len(t.paper.Questions)) }

func (t *exam) ask(p *Play, choices [][]int, edit func(*registry.Attempt)) orgapi.AttemptAsk {
	return t.askAs(p, p.Cast.Technician, choices, edit)
}

// askAs is what menshen brings of an attempt, with everything else that it knows beside it.
func (t *exam) askAs(p *Play, who *Actor, choices [][]int, edit func(*registry.Attempt)) orgapi.AttemptAsk {
	if edit == nil {
		edit = func(*registry.Attempt) {}
	}
	envelope, answers, err := who.Attempt(t.raw, choices, p.Now(), edit)
	must(err)
	context := t.ledger.Dossier(p.ID, 0).Entries
	stream := visit.StreamPerson + "/" + who.ID
	r, err := t.ledger.Append(stream, visit.TakeTest, envelope)
	must(err)
	return orgapi.AttemptAsk{Context: context, Attempt: evidence.EntryOf(r.Event, r.Envelope, r.Salt, r.Day, r.Province, ""), Answers: answers}
}
