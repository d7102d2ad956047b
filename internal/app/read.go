package app

import (
	"context"
	"strings"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// Detail is a visit as its page and API show it.
type Detail struct {
	State    visit.State
	Order    visit.Order
	Ask      string          // the next ask, "" when there is none
	Preview  evidence.Report // conditions of that ask, as of now; never a decision
	Events   []Happened
	LogSize  int64
	Cosigned []record.Cosignature // of the newest receipt
	Names    map[string]string    // public names of the organisations concerned
}

// Happened is one event of the visit's stream.
type Happened struct {
	Number     int
	Verb       string
	Type       string
	Role       string
	ReceivedAt time.Time
	Statement  string // digest
	LeafIndex  int64  // -1 while it is not in the log
	Receipted  bool
}

// Visit gives a visit in detail to somebody who may read it.
func (a *App) Visit(ctx context.Context, actor Actor, visitID string) (Detail, error) {
	if err := a.maySee(ctx, actor, visitID, access.ReadVisit); err != nil {
		return Detail{}, err
	}
	var d Detail
	var dossier evidence.Dossier
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		s, err := a.standing(ctx, tx, visitID)
		if err != nil {
			return err
		}
		d = Detail{State: s.state, Order: s.order, Ask: NextAsk(s.order, s.state)}
		var g *gather
		if dossier, g, err = a.dossierFor(ctx, tx, visitID); err != nil {
			return err
		}
		d.LogSize, _ = g.logSize()
		if err := d.happened(g); err != nil {
			return err
		}
		return d.names(ctx, tx)
	})
	if err != nil {
		return Detail{}, err
	}
	if dossier.Openings, err = a.positions(ctx, dossier.Entries, a.Operator); err != nil {
		return Detail{}, err
	}
	ask := d.Ask
	if ask == "" {
		ask = visit.AskClose
	}
	d.Preview = a.reader.Preview(dossier, ask, a.Now().Truncate(time.Second))
	d.Cosigned = a.cosigned(dossier)
	return d, nil
}

func (d *Detail) happened(g *gather) error {
	for i, e := range g.events {
		if e.StreamKind != visit.StreamVisit {
			continue
		}
		envelope, err := statement.Base64(g.entries[i].Statement)
		if err != nil {
			return err
		}
		c, err := statement.Parse(envelope)
		if err != nil {
			return err
		}
		h := Happened{Number: int(e.Number), Verb: e.Verb, Type: c.Type, Role: c.Header.Role, ReceivedAt: e.ReceivedAt.Time(), Statement: e.StatementDigest,
			LeafIndex: -1, Receipted: e.Receipt != ""}
		if e.LeafIndex.Valid {
			h.LeafIndex = e.LeafIndex.Int64
		}
		d.Events = append(d.Events, h)
	}
	return nil
}

func (d *Detail) names(ctx context.Context, tx *store.Tx) error {
	d.Names = map[string]string{}
	for _, id := range []string{d.Order.Acquirer, d.Order.Provider} {
		o, err := tx.Organisation(ctx, id)
		switch {
		case err == nil:
			d.Names[id] = o.Name
		case fault.KindOf(err) != fault.NotFound:
			return err
		}
	}
	return nil
}

// cosigned verifies the newest receipt of the visit and lists who cosigned its checkpoint.
func (a *App) cosigned(d evidence.Dossier) []record.Cosignature {
	for i := len(d.Entries) - 1; i >= 0; i-- {
		if d.Entries[i].Receipt == "" {
			continue
		}
		if list, err := evidence.Cosigned(d.Entries[i], a.Trust); err == nil {
			return list
		}
	}
	return nil
}

// Filter narrows a list of visits.
type Filter struct {
	State, Kind, Query, Cursor string
	Limit                      int
}

// maxPage bounds a page of a list.
const maxPage = 100

// Visits lists the visits that an actor may see, newest first, and the next page's cursor.
func (a *App) Visits(ctx context.Context, actor Actor, f Filter) ([]store.Visit, string, error) {
	filter := store.VisitFilter{State: f.State, Kind: f.Kind, Query: f.Query}
	switch actor.Role {
	case visit.RoleMerchant, visit.RoleClerk: // as Relation: a name alone is nobody
		if filter.Merchant, filter.Org = merchantOf(actor), actor.Organisation; filter.Merchant == "" {
			return nil, "", errNoVisit
		}
	case visit.RoleTechnician:
		filter.Technician, filter.Provider = actor.Person, actor.Organisation
	case visit.RoleDispatcher:
		filter.Provider = actor.Organisation
	case visit.RoleApprover, visit.RoleRisk:
		filter.Org = actor.Organisation
	case visit.RoleRegulator, visit.RolePlatform:
	case visit.RoleSupervisor:
		return a.supervised(ctx, actor, f)
	default:
		return nil, "", errNoVisit
	}
	return a.list(ctx, filter, f)
}

func (a *App) list(ctx context.Context, filter store.VisitFilter, f Filter) (list []store.Visit, next string, err error) {
	limit := f.Limit
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		list, next, err = tx.ListVisits(ctx, filter, f.Cursor, limit)
		return err
	})
	return list, next, err
}

// supervised lists the visits that name the supervisor; the projection has him among its words.
func (a *App) supervised(ctx context.Context, actor Actor, f Filter) ([]store.Visit, string, error) {
	return a.list(ctx, store.VisitFilter{State: f.State, Kind: f.Kind, Query: strings.TrimSpace("supervisor." + actor.Person + " " + f.Query)}, f)
}

// Dossier gathers a visit's evidence as it stands now, for somebody who may read the visit.
func (a *App) Dossier(ctx context.Context, actor Actor, visitID string) (evidence.Dossier, error) {
	if err := a.maySee(ctx, actor, visitID, access.ReadVisit); err != nil {
		return evidence.Dossier{}, err
	}
	return a.settled(ctx, visitID, false)
}

// Unopened gives the dossier as Dossier does, for who needs to know how a visit stands and not where anybody stood: it
// opens no position, so it records no look at one.
func (a *App) Unopened(ctx context.Context, actor Actor, visitID string) (evidence.Dossier, error) {
	if err := a.maySee(ctx, actor, visitID, access.ReadVisit); err != nil {
		return evidence.Dossier{}, err
	}
	return a.unopened(ctx, visitID, false)
}

// Examine asks, without deciding, what comes next on a dossier.
func (a *App) Examine(d evidence.Dossier, now time.Time) evidence.Report {
	now = now.Truncate(time.Second)
	r := a.reader.Preview(d, visit.AskDispatch, now)
	next := NextAsk(r.Order(), r.State())
	switch {
	case r.Refusal != nil || next == visit.AskDispatch:
	case next == "":
		r.Ask, r.Conditions = "", nil
	default:
		r = a.reader.Preview(d, next, now)
	}
	return r
}

// Window is when an order's visit was agreed to be.
type Window struct{ From, Until time.Time }

// OrderWindow gives an order's window, for lists.
func (a *App) OrderWindow(ctx context.Context, order string) (Window, error) {
	var w Window
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		o, err := tx.Order(ctx, order)
		w = Window{From: o.WindowStartAt.Time(), Until: o.WindowEndAt.Time()}
		return err
	})
	return w, err
}

// Decided judges every decision of a visit again, for pages that show what each rested on. A visit
// whose latest events are not receipted yet gives none: they come with the next look.
func (a *App) Decided(ctx context.Context, actor Actor, visitID string) ([]evidence.Report, error) {
	if err := a.maySee(ctx, actor, visitID, access.ReadVisit); err != nil {
		return nil, err
	}
	b, err := a.export(ctx, visitID, a.Operator, false)
	if code := fault.CodeOf(err); code == "decision_absent" || code == "receipt_absent" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return a.reader.Verify(b).Decisions, nil
}
