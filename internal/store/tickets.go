package store

import (
	"context"
	"database/sql"

	"github.com/menshen-project/menshen/internal/fault"
)

var errTicketMoved = fault.New(fault.Conflict, "ticket_moved", "工单同时被别人改了，请刷新再试。", "Somebody else worked on the ticket at the same time; look again.")

// AddTicket keeps a new ticket.
func (t *Tx) AddTicket(ctx context.Context, k Ticket) error {
	return t.sealed(ctx, t.wrap(t.q.insertTicket(ctx, insertTicketParams(k)), "ticket"), "tickets", "id", k.ID)
}

// Ticket finds one by id. Fault: record_not_found.
func (t *Tx) Ticket(ctx context.Context, id string) (Ticket, error) {
	k, err := t.q.ticketByID(ctx, id)
	return k, t.wrap(err, "ticket")
}

// AddTicketEvent appends what somebody did and the state that the ticket is in after it. Fault: ticket_moved
// when another event has taken the number.
func (t *Tx) AddTicketEvent(ctx context.Context, org string, e TicketEvent, state string) error {
	n, err := t.q.insertTicketEvent(ctx, insertTicketEventParams(e))
	if err != nil {
		return t.wrap(err, "ticket event")
	}
	if n == 0 {
		return errTicketMoved
	}
	if err := t.sealWhere(ctx, "ticket_events", []string{"ticket", "number"}, e.Ticket, e.Number); err != nil {
		return err
	}
	_, err = t.q.moveTicket(ctx, org, e.Ticket, state)
	return t.sealed(ctx, t.wrap(err, "ticket"), "tickets", "id", e.Ticket)
}

// TicketEvents gives up to limit of a ticket's events, oldest first.
func (t *Tx) TicketEvents(ctx context.Context, ticket string, limit int) ([]TicketEvent, error) {
	list, err := t.q.ticketEvents(ctx, ticket, rows(limit))
	return list, t.wrap(err, "ticket events")
}

// TicketFilter says which tickets; an empty field asks for nothing.
type TicketFilter struct {
	Org, Provider, Merchant, State string
}

// ticketList names the indexes of migrations/00012_tickets.sql.
var ticketList = listed{
	table: "tickets", when: "opened_at",
	columns: "v.org, v.id, v.provider, v.merchant, v.shop, v.visit, v.kind, v.state, v.response_minutes, v.resolution_minutes, v.opened_at, v.warranty_until",
	driving: [][]string{{"merchant"}, {"provider", "state"}, {"org", "state"}, {"provider"}, {"org"}, {"state"}, {}},
}

func scanTicket(row *sql.Rows, k *Ticket) error {
	return row.Scan(&k.Org, &k.ID, &k.Provider, &k.Merchant, &k.Shop, &k.Visit, &k.Kind, &k.State, &k.ResponseMinutes, &k.ResolutionMinutes,
		&k.OpenedAt, &k.WarrantyUntil)
}

// ListTickets gives up to limit tickets, newest first, and the cursor of the next page, as ListVisits does.
func (t *Tx) ListTickets(ctx context.Context, f TicketFilter, cursor string, limit int) ([]Ticket, string, error) {
	q, err := ticketList.plan(cursor, nil, equal{"org", f.Org}, equal{"provider", f.Provider}, equal{"merchant", f.Merchant}, equal{"state", f.State})
	if err != nil {
		return nil, "", err
	}
	return list(ctx, t, q, limit, scanTicket, func(k Ticket) string { return cursorOf(k.OpenedAt, k.ID) })
}
