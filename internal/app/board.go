package app

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

// BoardFilter narrows what a console shows. Every field is served by an index.
type BoardFilter struct {
	Filter
	Day    string // of the appointment, as 2006-01-02 in China; "" for any
	Frozen bool
}

// BoardRow is a visit with its appointment.
type BoardRow struct {
	store.Visit
	ShopName string // "" where it cannot be told
	Turn     string // role of who must act, "" for nobody
	Window   Window
	Phone    store.PhoneUnsent // what its technician's phone said last, the zero value for nothing
}

// Place is the name of the shop, or else its id.
func (r BoardRow) Place() string { return cmp.Or(r.ShopName, r.Shop) }

// Words of a visit's row by which a day's visits and the frozen ones are found without looking at the others.
const (
	frozenWord = "isfrozen"
	dayPrefix  = "day"
)

// china is the clock by which appointments are days.
var china = time.FixedZone("Asia/Shanghai", 8*60*60)

func dayWord(t time.Time) string { return dayPrefix + t.In(china).Format("20060102") }

// boardWords are what a visit is also found by.
func boardWords(o visit.Order, s visit.State) string {
	out := ""
	if from, err := o.WindowFrom.Parse(); err == nil {
		out += " " + dayWord(from)
	}
	if s.Frozen() {
		out += " " + frozenWord
	}
	return out
}

// Board lists the visits that an actor may see, newest first, with their appointments, and the next
// page's cursor.
func (a *App) Board(ctx context.Context, actor Actor, f BoardFilter) ([]BoardRow, string, error) {
	words := []string{f.Query}
	if f.Frozen {
		words = append(words, frozenWord)
	}
	if f.Day != "" {
		day, err := time.ParseInLocation(time.DateOnly, f.Day, china)
		if err != nil {
			return nil, "", nil // no such day
		}
		words = append(words, dayWord(day))
	}
	f.Query = strings.TrimSpace(strings.Join(words, " "))
	visits, next, err := a.Visits(ctx, actor, f.Filter)
	if err != nil {
		return nil, "", err
	}
	rows, names := make([]BoardRow, len(visits)), map[string]string{} // many rows may be one shop's
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		for i, v := range visits {
			o, err := tx.Order(ctx, v.OrderID)
			if err != nil {
				return err
			}
			rows[i] = BoardRow{Visit: v, Window: Window{From: o.WindowStartAt.Time(), Until: o.WindowEndAt.Time()}}
			name, known := names[v.Shop]
			if !known {
				if name, err = a.shopCalled(ctx, tx, v.Shop); err != nil {
					return err
				}
				names[v.Shop] = name
			}
			rows[i].ShopName = name
			if rows[i].Turn, err = a.turnAt(ctx, tx, o, v); err != nil {
				return err
			}
			if rows[i].Phone, err = phoneOf(ctx, tx, v); err != nil {
				return err
			}
		}
		return nil
	})
	return rows, next, err
}

// turnAt says who must act on a visit. Before anybody can be sent, that is whoever has still to write or sign the price.
func (a *App) turnAt(ctx context.Context, tx *store.Tx, o store.Order, v store.Visit) (string, error) {
	stage := visit.Stage(v.State)
	if v.Frozen || stage != visit.Booked {
		return Turn(stage, v.Frozen), nil
	}
	row := OrderRow{Order: o, Visit: v.ID, Stage: stage}
	err := a.agreements(ctx, tx, &row)
	return row.turn(), err
}

// phoneOf is what the phone of whoever is sent said last; a phone of somebody before him counts where it still holds
// something.
func phoneOf(ctx context.Context, tx *store.Tx, v store.Visit) (out store.PhoneUnsent, err error) {
	phones, err := tx.PhonesUnsent(ctx, v.ID, mostOnVisit)
	for _, u := range phones {
		if u.Statements+u.Photos > 0 && out.Statements+out.Photos == 0 || u.Technician == v.Technician && out.Technician == "" {
			out = u
		}
	}
	return out, err
}

// Candidate is somebody who could be sent, and what speaks against it. The gate decides; this only
// says so before anybody signs.
type Candidate struct {
	Person   string
	StaffNo  string
	Missing  []string // courses that the visit needs and he has not, or not in date
	Courses  []Course
	Busy     []string // other visits of his at the same time
	Stopped  bool     // a freeze or incident is open against him
	NoBadge  bool     // was never given a badge, or it is revoked
	Assigned bool
}

// Candidates lists the provider's technicians for a visit that the actor may dispatch.
func (a *App) Candidates(ctx context.Context, actor Actor, visitID string) ([]Candidate, error) {
	var out []Candidate
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		s, err := a.standing(ctx, tx, visitID)
		if err != nil {
			return err
		}
		if err := access.Require(access.Role(actor.Role), visit.DispatchVerb, Relation(actor, s.order, s.state.Dispatched())); err != nil {
			return errNoVisit
		}
		needed, err := a.coursesFor(ctx, tx, s.order)
		if err != nil {
			return err
		}
		people, err := a.techniciansOf(ctx, tx, actor.Organisation)
		if err != nil {
			return err
		}
		for _, p := range people {
			c, err := a.candidate(ctx, tx, p, s, needed)
			if err != nil {
				return err
			}
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

// mostPeople bounds a list of an organisation's people.
const mostPeople = 500

func (a *App) techniciansOf(ctx context.Context, tx *store.Tx, org string) ([]store.Person, error) {
	people, err := tx.PeopleOfOrg(ctx, org, "", mostPeople)
	return slices.DeleteFunc(people, func(p store.Person) bool { return p.Role != visit.RoleTechnician }), err
}

func (a *App) candidate(ctx context.Context, tx *store.Tx, p store.Person, s cachedState, needed []string) (Candidate, error) {
	c := Candidate{Person: p.ID, StaffNo: p.StaffNo, Assigned: s.state.Dispatched().Technician == p.ID}
	var err error
	if c.Courses, err = a.coursesOf(ctx, tx, p.ID); err != nil {
		return c, err
	}
	from, err := s.order.WindowFrom.Parse()
	if err != nil {
		return c, err
	}
	for _, name := range needed {
		if !holds(c.Courses, name, from) {
			c.Missing = append(c.Missing, name)
		}
	}
	matters, err := tx.MattersOf(ctx, subjectPerson, p.ID, 1)
	if err != nil {
		return c, err
	}
	c.Stopped = len(matters) > 0
	c.NoBadge, err = badgeless(ctx, tx, p.ID)
	if err != nil {
		return c, err
	}
	c.Busy, err = busyWith(ctx, tx, p.ID, s)
	return c, err
}

// coursesFor names the courses that an order asks for, from the acquirer's newest parameters; none when
// there are none yet, which the gate refuses.
func (a *App) coursesFor(ctx context.Context, tx *store.Tx, o visit.Order) ([]string, error) {
	digests, err := tx.Refs(ctx, refParameters, o.Acquirer, 1)
	if err != nil || len(digests) == 0 {
		return nil, err
	}
	var p registry.Parameters
	if err := recordedBody(ctx, tx, digests[0], &p); err != nil {
		return nil, err
	}
	return []string{p.SecurityCourse, p.CourseFor(o.Model)}, nil
}

// badgeless is true for somebody without a badge issued after the last revocation.
func badgeless(ctx context.Context, tx *store.Tx, person string) (bool, error) {
	issued, err := tx.TopRank(ctx, refBadge, person)
	if err != nil {
		return false, err
	}
	revoked, err := tx.TopRank(ctx, refRevoked, person)
	return issued == 0 || revoked >= issued, err
}

// busyWith names a technician's other open visits whose appointments overlap.
func busyWith(ctx context.Context, tx *store.Tx, person string, s cachedState) ([]string, error) {
	visits, _, err := tx.ListVisits(ctx, store.VisitFilter{Technician: person}, "", maxPage)
	if err != nil {
		return nil, err
	}
	mine, err := tx.Order(ctx, s.order.Order)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, v := range visits {
		if v.ID == s.state.ID() || visit.Stage(v.State).Ended() {
			continue
		}
		o, err := tx.Order(ctx, v.OrderID)
		if err != nil {
			return nil, err
		}
		if o.WindowStartAt < mine.WindowEndAt && mine.WindowStartAt < o.WindowEndAt {
			out = append(out, v.ID)
		}
	}
	return out, nil
}

// Face is what a dispatch commits to of a technician: the newest openings of name and photo, which the badge
// commits to as well. The zero Opening where nothing is kept.
type Face struct {
	Name  statement.Opening
	Photo statement.Opening // value: base64 of a picture
}

// Face gives the name and photo of a technician of the actor's own organisation, to somebody who may
// dispatch for it; the look is recorded. Empty where nothing was kept.
func (a *App) Face(ctx context.Context, actor Actor, technician string) (Face, error) {
	if err := access.Require(access.Role(actor.Role), visit.DispatchVerb, access.OwnOrganisation); err != nil {
		return Face{}, err
	}
	var f Face
	err := a.Store.Write(ctx, func(tx *store.Tx) error {
		p, err := tx.Person(ctx, technician)
		if fault.KindOf(err) == fault.NotFound {
			return errNoPerson
		}
		if err != nil {
			return err
		}
		if p.Org != actor.Organisation || p.Role != visit.RoleTechnician {
			return errNoPerson
		}
		if f.Name, err = a.keptOpening(ctx, tx, actor, technician, fieldName); err != nil {
			return err
		}
		f.Photo, err = a.keptOpening(ctx, tx, actor, technician, fieldFace)
		return err
	})
	return f, err
}

var errNoPerson = fault.New(fault.NotFound, "person_not_found", "本单位没有这个人。", "There is no such person in your organisation.")

// kept opens the newest value of a person's field, "" when none is kept.
func (a *App) kept(ctx context.Context, tx *store.Tx, actor Actor, subject, field string) (string, error) {
	o, err := a.keptOpening(ctx, tx, actor, subject, field)
	return o.Value, err
}

func (a *App) keptOpening(ctx context.Context, tx *store.Tx, actor Actor, subject, field string) (statement.Opening, error) {
	list, err := a.Vault.List(ctx, tx, subject)
	if err != nil {
		return statement.Opening{}, err
	}
	for _, m := range slices.Backward(list) {
		if m.Field != field || m.Erased || len(m.Purposes) == 0 {
			continue
		}
		return a.Vault.Get(ctx, tx, subject, m.Commitment, vault.Look{Who: actor.Person, Purpose: m.Purposes[0], At: a.Now()})
	}
	return statement.Opening{}, nil
}

// listAt is when the status list of a technician's newest badge was received.
func listAt(ctx context.Context, tx *store.Tx, person string) (time.Time, error) {
	badges, err := tx.Refs(ctx, refBadge, person, 1)
	if err != nil || len(badges) == 0 {
		return time.Time{}, err
	}
	var b registry.BadgeIssued
	if err := recordedBody(ctx, tx, badges[0], &b); err != nil {
		return time.Time{}, err
	}
	lists, err := tx.Refs(ctx, refStatusList, b.StatusURI, 1)
	if err != nil || len(lists) == 0 {
		return time.Time{}, err
	}
	e, err := tx.EventByDigest(ctx, lists[0])
	return e.ReceivedAt.Time(), err
}
