package pages

import (
	"cmp"
	"context"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// FromApp shows what an app holds.
type FromApp struct {
	App           *app.App
	Operator      string // public name
	Demonstration bool
}

func actorOf(v Viewer) app.Actor {
	return app.Actor{Person: v.Person, Organisation: v.Organisation, Role: v.Role, Token: v.Token}
}

// Start says where this deployment stands.
func (f FromApp) Start(context.Context, Viewer) (StartView, error) {
	return StartView{Demonstration: f.Demonstration, Operator: f.Operator}, nil
}

// listPages bounds how many pages of the store one page of a narrowed list looks at.
const listPages = 10

// Visits gives one page of the list. States of pages are sets of stages, so a narrowed page may look
// at several pages of the store.
func (f FromApp) Visits(ctx context.Context, v Viewer, want Filter) (VisitList, error) {
	var out VisitList
	cursor := want.Cursor
	for range listPages {
		rows, next, err := f.App.Visits(ctx, actorOf(v), app.Filter{Query: want.Search, Cursor: cursor, Limit: want.Limit})
		if err != nil {
			return VisitList{}, err
		}
		for _, r := range rows {
			if inState(r, want.State) {
				row, err := f.row(ctx, r)
				if err != nil {
					return VisitList{}, err
				}
				out.Rows = append(out.Rows, row)
			}
		}
		out.Next, cursor = next, next
		if next == "" || len(out.Rows) >= want.Limit {
			break
		}
	}
	return out, nil
}

func inState(r store.Visit, state string) bool {
	stage := visit.Stage(r.State)
	switch state {
	case StateFrozen:
		return r.Frozen
	case StateDone:
		return stage == visit.Closed
	case StateEnded:
		return stage.Ended() && stage != visit.Closed
	case StateOpen:
		return !stage.Ended() && !r.Frozen
	}
	return true
}

func (f FromApp) row(ctx context.Context, r store.Visit) (VisitRow, error) {
	row := VisitRow{ID: r.ID, Order: r.OrderID, Kind: r.Kind, Stage: r.State, Frozen: r.Frozen, Shop: r.Shop, Serial: app.LastSix(r), Head: r.Head}
	o, err := f.App.OrderWindow(ctx, r.OrderID)
	row.From, row.Until = o.From, o.Until
	return row, err
}

// Visit gives one visit as it stands now.
func (f FromApp) Visit(ctx context.Context, v Viewer, id string) (VisitView, error) {
	d, err := f.App.Dossier(ctx, actorOf(v), id)
	if err != nil {
		return VisitView{}, err
	}
	now := f.App.Now()
	report := f.App.Examine(d, now)
	events, receipts, err := EventsOf(d, f.App.Trust)
	if err != nil {
		return VisitView{}, err
	}
	decided, err := f.App.Decided(ctx, actorOf(v), id)
	if err != nil {
		return VisitView{}, err
	}
	firms, err := f.App.Firms(ctx, report.Order().Acquirer, report.Order().Provider)
	if err != nil {
		return VisitView{}, err
	}
	names := map[string]string{}
	for id, firm := range firms {
		names[id] = firm.Name
	}
	rel := app.Relation(actorOf(v), report.Order(), report.State().Dispatched())
	place, err := f.App.VisitShop(ctx, actorOf(v), id)
	if err != nil {
		return VisitView{}, err
	}
	view := ViewOf(Material{Viewer: v, Report: report, Decided: decided, Events: events, Receipts: receipts, Shop: cmp.Or(place, report.Order().Shop), Names: names,
		MayDownload: access.Decide(access.Role(v.Role), access.ReadBundle, rel) == access.Allow, Trust: f.App.Trust, Now: now, HostSilentAt: f.App.HostSilentAt(report.Order().Acquirer)})
	view.Photos, err = f.photosOf(ctx, v, id)
	view.Standing = view.Standing.withPhotos(view)
	return view, err
}

// Bundle gives the visit's bundle.
func (f FromApp) Bundle(ctx context.Context, v Viewer, id string) ([]byte, error) {
	return f.App.Bundle(ctx, actorOf(v), id)
}
