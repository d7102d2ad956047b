package httpapi

import (
	"context"
	"net/http"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

func (a *API) detail(ctx context.Context, in *Subject) (*answered[VisitDetail], error) {
	d, err := a.app.Visit(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &answered[VisitDetail]{Status: http.StatusOK, Body: detailOf(d)}, nil
}

func detailOf(d app.Detail) VisitDetail {
	o, dispatched := d.Order, d.State.Dispatched()
	out := VisitDetail{
		VisitRow: VisitRow{ID: d.State.ID(), Order: o.Order, Kind: o.Kind, State: string(d.State.Stage()), Frozen: d.State.Frozen(), Acquirer: o.Acquirer,
			Provider: o.Provider, Merchant: o.Merchant, Shop: o.Shop, Technician: dispatched.Technician},
		Risk: o.Risk, Province: o.Province, WindowFrom: o.WindowFrom, WindowUntil: o.WindowUntil, Model: o.Model, Terminal: o.Terminal,
		Serial: dispatched.Serial, Supervisor: dispatched.Supervisor, Names: d.Names, Head: d.State.Head(),
		Events: []Happened{}, Decisions: []DecisionRow{}, Outcomes: []Outcome{}, Open: append([]string{}, d.State.Open()...),
		Ask: d.Ask, Conditions: conditions(d.Preview.Conditions), LogSize: d.LogSize, Cosigned: []Cosigned{},
	}
	if l := d.Preview.Lost(); l.Minutes > 0 {
		out.Lost = &Lost{From: statement.At(l.From), Until: statement.At(l.Until), Minutes: int64(l.Minutes), Open: l.Open, Cause: l.Cause, Step: l.Step, Organisation: l.Organisation}
	}
	for _, e := range d.Events {
		out.Events = append(out.Events, Happened{Number: e.Number, Verb: e.Verb, Type: e.Type, Role: e.Role, ReceivedAt: statement.At(e.ReceivedAt),
			Statement: e.Statement, LeafIndex: e.LeafIndex, Receipted: e.Receipted})
	}
	if n := len(out.Events); n > 0 {
		out.OpenedAt, out.UpdatedAt = out.Events[0].ReceivedAt, out.Events[n-1].ReceivedAt
	}
	for _, r := range d.State.Decisions() {
		out.Decisions = append(out.Decisions, decisionRow(r))
	}
	for _, r := range d.State.Outcomes() {
		out.Outcomes = append(out.Outcomes, outcome(r.Body))
	}
	for _, c := range d.Cosigned {
		out.Cosigned = append(out.Cosigned, Cosigned{Party: c.Party, At: statement.At(c.Time)})
	}
	return out
}

func decisionRow(r visit.Recorded[visit.Decision]) DecisionRow {
	row := DecisionRow{Ask: r.Body.Ask, DecidedAt: r.Body.DecidedAt, Statement: r.Event.Statement.Digest(), Permit: r.Body.Permit != nil}
	if row.Permit {
		row.Until = r.Body.Permit.Until
	}
	return row
}

var egRow = VisitRow{ID: egVisit, Order: egOrder, Kind: visit.Install, State: string(visit.Admitted), Acquirer: "acq-huaishan", Provider: "svc-anzhuang",
	Merchant: "wei", Shop: "shop-wei", Technician: "lan", OpenedAt: egTime, UpdatedAt: egTime}

func egDetail() VisitDetail {
	return VisitDetail{VisitRow: egRow, Risk: 1, Province: "31", WindowFrom: egTime, WindowUntil: egTime, Model: "TD20", Terminal: "W1489724", Serial: egSerial,
		Supervisor: "gu", Names: map[string]string{"acq-huaishan": "槐山支付（演示）"}, Head: egDigest,
		Events:    []Happened{{Number: 1, Verb: visit.Book, Type: visit.TypeOpened, Role: visit.RoleApprover, ReceivedAt: egTime, Statement: egDigest, LeafIndex: 4711, Receipted: true}},
		Decisions: []DecisionRow{{Ask: visit.AskDispatch, DecidedAt: egTime, Statement: egDigest}},
		Outcomes:  []Outcome{}, Open: []string{}, Ask: visit.AskTrial, Conditions: []Condition{egCondition}, LogSize: 4712,
		Cosigned: []Cosigned{{Party: "witness-a", At: egTime}}}
}
