package app

import (
	"context"
	"slices"

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
