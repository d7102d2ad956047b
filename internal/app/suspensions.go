package app

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// Suspended is a person, organisation or device that somebody stopped: by a suspension of its own, or with a visit.
type Suspended struct {
	store.OpenMatter
	Visit                      string // with which it was stopped, "" for a suspension of its own
	Signer, Organisation, Role string // who signed it
	Reason, Appeal             string // of a suspension; a visit's brake has its reason there
	MayLift                    bool
}

// heldRoles see what is stopped.
var heldRoles = []string{visit.RoleRisk, visit.RoleApprover, visit.RoleDispatcher, visit.RoleRegulator}

// mostHeldPages bounds how far one page of the list looks for what its reader may see.
const mostHeldPages = 20

// AllSuspended lists what is stopped and concerns the actor, newest first, and the next page's cursor: suspensions that his
// own organisation or the regulator signed, or that stop his own organisation or its people, and whatever was stopped
// with a visit of his. A regulator sees all. Fault: access_denied.
func (a *App) AllSuspended(ctx context.Context, actor Actor, cursor string, limit int) (out []Suspended, next string, err error) {
	if !slices.Contains(heldRoles, actor.Role) {
		return nil, "", access.Require(access.Role(actor.Role), access.ReadRegistry, access.None)
	}
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	after := heldAfter(cursor)
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		for range mostHeldPages {
			list, err := tx.MattersStanding(ctx, after, limit+1)
			if err != nil {
				return err
			}
			for _, m := range list {
				h, concerns, err := a.held(ctx, tx, actor, m)
				if err != nil {
					return err
				}
				if concerns && len(out) == limit {
					next = heldCursor(after)
					return nil
				}
				if concerns {
					out = append(out, h)
				}
				after = m
			}
			if len(list) <= limit {
				return nil
			}
		}
		next = heldCursor(after)
		return nil
	})
	return out, next, err
}

func heldCursor(m store.OpenMatter) string {
	return strconv.FormatInt(int64(m.SinceAt), 10) + "_" + m.Statement + "_" + m.SubjectKind
}

// heldAfter reads a cursor; one that is none begins at the newest.
func heldAfter(cursor string) (m store.OpenMatter) {
	since, rest, _ := strings.Cut(cursor, "_")
	n, err := strconv.ParseInt(since, 10, 64)
	digest, kind, ok := strings.Cut(rest, "_")
	if err != nil || !ok || !statement.IsDigest(digest) {
		return m
	}
	return store.OpenMatter{SinceAt: store.Instant(n), Statement: digest, SubjectKind: kind}
}

// held fills in who signed it and why, and says whether it concerns the actor.
func (a *App) held(ctx context.Context, tx *store.Tx, actor Actor, m store.OpenMatter) (Suspended, bool, error) {
	c, err := recordedClaims(ctx, tx, m.Statement)
	if err != nil {
		return Suspended{}, false, err
	}
	h := Suspended{OpenMatter: m, Signer: c.Header.Signer, Organisation: c.Header.Organisation, Role: c.Header.Role}
	kind, id, _ := strings.Cut(m.FoundIn, "/")
	if kind == visit.StreamVisit {
		h.Visit = id
		v, err := tx.Visit(ctx, id)
		return h, actor.Role == visit.RoleRegulator || v.Org == actor.Organisation || v.Provider == actor.Organisation, err
	}
	var s visit.Suspension
	if err := c.UntrustedBody(&s); err != nil { // it was proven as it came in
		return h, false, err
	}
	h.Reason, h.Appeal = s.Reason, s.Appeal
	me := statement.Header{Role: actor.Role, Organisation: actor.Organisation}
	me.Signer = actor.Person
	h.MayLift = slices.Contains([]string{visit.RoleRisk, visit.RoleRegulator}, actor.Role) && mayLift(kind)(c.Header, me) == nil
	own, err := ofOrganisation(ctx, tx, actor.Organisation, m)
	if kind == visit.StreamDevice {
		var rel access.Relation
		rel, err = a.deviceRelation(ctx, tx, actor, m.Subject)
		own = rel != access.None
		h.MayLift = h.MayLift && access.Decide(access.Role(actor.Role), access.ResumeDevice, rel).Allowed()
	}
	return h, own || actor.Role == visit.RoleRegulator || visit.SuspendsFor(c.Header, actor.Organisation), err
}

// ofOrganisation says whether what is stopped is an organisation or one of its people.
func ofOrganisation(ctx context.Context, tx *store.Tx, organisation string, m store.OpenMatter) (bool, error) {
	if m.SubjectKind != subjectPerson {
		return m.Subject == organisation, nil
	}
	p, err := tx.Person(ctx, m.Subject)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return p.Org == organisation, err
}

// Suspendable is who may be suspended as a whole, before anybody signs it.
type Suspendable struct {
	Kind, ID string // subject kind, id
	Name     string // of an organisation, model of a device; people are known by their id here
	Of       string // organisation of a person, holder of a device
	Open     int    // what is open against it already
}

var errNoSubject = fault.New(fault.NotFound, "suspension_subject_unknown", "没有这个编号的机构、人员、商户或机具。", "There is no organisation, person, merchant or device of this id.")

// Suspendable finds whom a risk desk or the regulator is about to suspend. Faults: access_denied,
// suspension_subject_unknown.
func (a *App) Suspendable(ctx context.Context, actor Actor, kind, id string) (Suspendable, error) {
	role := access.Role(actor.Role)
	if !access.Decide(role, access.FreezeOrganisation, access.None).Allowed() && !access.Decide(role, access.FreezeOrganisation, access.OwnOrganisation).Allowed() {
		return Suspendable{}, access.Require(role, access.FreezeOrganisation, access.None)
	}
	if !slices.Contains([]string{subjectPerson, subjectOrganisation, subjectDevice}, kind) || identifier.CheckID(id) != nil {
		return Suspendable{}, errNoSubject
	}
	out := Suspendable{Kind: kind, ID: id}
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		err := out.find(ctx, tx)
		if kind == subjectDevice {
			err = a.findDevice(ctx, tx, actor, &out)
		}
		if fault.KindOf(err) == fault.NotFound {
			return errNoSubject
		}
		if err != nil {
			return err
		}
		open, err := tx.MattersOf(ctx, kind, id, maxPage)
		out.Open = len(open)
		return err
	})
	return out, err
}

func (s *Suspendable) find(ctx context.Context, tx *store.Tx) error {
	switch s.Kind {
	case subjectDevice:
		return nil // see findDevice
	case subjectOrganisation:
		o, err := tx.Organisation(ctx, s.ID)
		s.Name = o.Name
		if fault.KindOf(err) == fault.NotFound {
			return s.findListed(ctx, tx)
		}
		return err
	}
	p, err := tx.Person(ctx, s.ID)
	if fault.KindOf(err) != fault.NotFound {
		s.Of = p.Org
		return err
	}
	m, err := tx.Merchant(ctx, s.ID)
	s.Of = m.Org
	return err
}

// findListed finds an organisation on the newest trust list: one that is listed counts, whether or not somebody here ever
// imported it. That list was verified as it came in.
func (s *Suspendable) findListed(ctx context.Context, tx *store.Tx) error {
	listed, err := listedNow(ctx, tx, s.ID)
	if err != nil {
		return err
	}
	if listed == nil {
		return errNoSubject
	}
	s.Name = listed.Name
	return nil
}

// findDevice finds a device that concerns the actor; another's does not exist for him.
func (a *App) findDevice(ctx context.Context, tx *store.Tx, actor Actor, s *Suspendable) error {
	d, err := tx.Device(ctx, s.ID)
	if err != nil {
		return err
	}
	rel, err := a.deviceRelation(ctx, tx, actor, s.ID)
	if err != nil {
		return err
	}
	if !access.Decide(access.Role(actor.Role), access.FreezeDevice, rel).Allowed() {
		return errNoSubject
	}
	s.Name, s.Of = d.Model, d.Holder
	return nil
}
