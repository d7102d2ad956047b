package app

import (
	"context"
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// coursesKept is how many of a technician's last certificates travel.
const coursesKept = 16

func (w *writing) indexCourse(ctx context.Context, tx *store.Tx) error {
	c, err := body[registry.Course](w)
	if err != nil {
		return err
	}
	if err := c.Check(); err != nil {
		return err // refused at the door, not found out at a shop
	}
	issuer := w.claims.Header.Organisation
	if err := w.ref(ctx, tx, refOffered, issuer, w.entry.Number); err != nil {
		return err
	}
	return w.list(ctx, tx, refPublished, issuer+"/"+c.Course, c.Version)
}

// certificate is one as it is recorded, with who signed it.
type certificate struct {
	registry.Certificate
	issuer string
}

func (c certificate) course() string { return c.issuer + "/" + c.Course }

// certificates reads those of a person that were gathered.
func (g *gather) certificates(person string) ([]certificate, error) {
	var out []certificate
	for _, e := range g.events {
		if e.StreamKind != visit.StreamPerson || e.StreamID != person || e.Verb != visit.Train {
			continue
		}
		c, err := g.add(e)
		if err != nil {
			return nil, err
		}
		one := certificate{issuer: c.Header.Organisation}
		if err := c.UntrustedBody(&one.Certificate); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// coursesIn lists the courses of certificates, each once.
func coursesIn(list []certificate) []string {
	var out []string
	for _, c := range list {
		out = append(out, c.course())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// tests takes what stands behind the certificates gathered: the newest version of each course, the attempts,
// and the versions that they were about.
func (g *gather) tests(person string) error {
	held, err := g.certificates(person)
	if err != nil {
		return err
	}
	for _, at := range coursesIn(held) {
		if err := g.newest(refPublished, at); err != nil {
			return err
		}
	}
	for _, c := range held {
		if c.Attempt == "" {
			continue
		}
		if err := g.attempt(c); err != nil {
			return err
		}
	}
	return nil
}

// attempt takes an attempt and the version of the course that it names. What is not there is the judge's to
// miss.
func (g *gather) attempt(c certificate) error {
	events, err := g.tx.EventsByStatement(g.ctx, c.Attempt)
	if err != nil {
		return err
	}
	for _, e := range events {
		if e.StreamKind != visit.StreamPerson || e.StreamID != c.Holder || e.Verb != visit.TakeTest {
			continue
		}
		claims, err := g.add(e)
		if err != nil {
			return err
		}
		var a registry.Attempt
		if err := claims.UntrustedBody(&a); err != nil {
			return err
		}
		taken, err := g.tx.EventsByStatement(g.ctx, a.Published)
		if err != nil {
			return err
		}
		for _, e := range taken {
			if e.StreamKind == visit.StreamOrganisation && e.StreamID == c.issuer {
				if _, err := g.add(e); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Course is one course of a person and how long it counts.
type Course struct {
	Name  string
	Until time.Time
	Over  bool // none of his certificates counts any more: a new version ended them, or there is a test now
}

// holds says whether a list has a course that counts until after a time.
func holds(list []Course, name string, at time.Time) bool {
	return slices.ContainsFunc(list, func(c Course) bool { return c.Name == name && !c.Over && c.Until.After(at) })
}

// coursesOf gives a person's courses, each with the latest end of what counts, by the version rule of the gate.
// The gate decides, for it verifies the attempts too; this only says so before anybody is sent.
func (a *App) coursesOf(ctx context.Context, tx *store.Tx, person string) ([]Course, error) {
	held, err := a.heldBy(ctx, tx, person)
	if err != nil {
		return nil, err
	}
	var out []Course
	for _, c := range held {
		newest, err := newestOf(ctx, tx, c.course())
		if err != nil {
			return nil, err
		}
		one := Course{Name: c.Course, Over: c.Counts(newest) != nil}
		if one.Until, err = c.Until.Parse(); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(out, func(k Course) bool { return k.Name == one.Name })
		switch {
		case i < 0:
			out = append(out, one)
		case out[i].Over && !one.Over, out[i].Over == one.Over && one.Until.After(out[i].Until):
			out[i] = one
		}
	}
	return out, nil
}

// newestOf reads the newest version of a course, the zero Course where its issuer published none.
func newestOf(ctx context.Context, tx *store.Tx, course string) (c registry.Course, err error) {
	digests, err := tx.Refs(ctx, refPublished, course, 1)
	if err != nil || len(digests) == 0 {
		return c, err
	}
	return c, recordedBody(ctx, tx, digests[0], &c)
}
