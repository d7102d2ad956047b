package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/ticket"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

// Bounds of a ticket.
const (
	maxNoteBytes    = 2000
	maxTicketEvents = 200
)

// fieldNote is what a ticket's notes are kept as in the vault.
const fieldNote = "ticket_note"

// TicketKinds are what a ticket may be about.
var TicketKinds = []string{"device", "network", "printing", "refund", "fees", "training", kindStranger, kindPhotos, "other"}

// kindStranger is a report about somebody whom nobody sent; it has no visit.
const kindStranger = "stranger"

var (
	errTicketKind = fault.New(fault.Invalid, "ticket_kind_unknown", "不认识的工单种类。", "This kind of ticket is not known.")
	errTicketNote = fault.New(fault.TooLarge, "ticket_note_too_long", "说明最多 2000 字节。", "A note is at most 2000 bytes.")
	errTicketHere = fault.New(fault.Conflict, "ticket_there", "这张工单已经开过了。", "This ticket was opened already.")
	errNoTicket   = fault.New(fault.NotFound, "ticket_not_found", "没有这张工单，或者您无权查看。", "There is no such ticket, or you may not see it.")
)

// Ticket is a ticket as somebody concerned sees it.
type Ticket struct {
	Row        store.Ticket
	State      ticket.State
	Response   ticket.Clock
	Resolution ticket.Clock
	Free       bool // under warranty when it was opened
	Events     []TicketEvent
}

// TicketEvent is one thing that was done about a ticket.
type TicketEvent struct {
	Number int
	Verb   string
	Reason string
	Role   string
	At     time.Time
	Note   string // opened for this reader; the look is recorded
}

// OpenTicket opens a ticket about a visit's terminal, with the hours and the warranty that the signed sheet
// promises. Whoever may see the visit and open tickets may; strangers have OpenStrangerTicket.
//
// ask is what the caller calls this request, "" for nothing: the same name of the same sign-in gives the ticket that it
// has opened already, also when nobody heard of it.
func (a *App) OpenTicket(ctx context.Context, actor Actor, ask, visitID, kind, note string) (Ticket, error) {
	s, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return Ticket{}, err
	}
	rel := Relation(actor, s.order, s.state.Dispatched())
	if !access.Decide(access.Role(actor.Role), access.ReadVisit, rel).Allowed() {
		return Ticket{}, errNoVisit
	}
	if err := access.Require(access.Role(actor.Role), ticket.Open, rel); err != nil {
		return Ticket{}, err
	}
	d, err := a.settled(ctx, visitID, false)
	if err != nil {
		return Ticket{}, err
	}
	promised, err := a.reader.Promised(d, a.Now())
	if err != nil {
		return Ticket{}, err
	}
	o := s.order
	row := store.Ticket{Org: o.Acquirer, Provider: o.Provider, Merchant: o.Merchant, Shop: o.Shop, Visit: visitID, Kind: kind,
		ResponseMinutes: int64(promised.Response / time.Minute), ResolutionMinutes: int64(promised.Resolution / time.Minute)}
	if !promised.Warranty.IsZero() {
		row.WarrantyUntil = store.At(promised.Warranty)
	}
	if ask == "" {
		return a.openTicket(ctx, actor, row, note)
	}
	row.ID = ticketOfAsk(actor.Token, ask)
	opened, err := a.openTicket(ctx, actor, row, note)
	if fault.KindOf(err) != fault.Conflict {
		return opened, err
	}
	before, found := a.Ticket(ctx, actor, row.ID)
	if found != nil || before.Row.Visit != visitID || before.Row.Kind != kind {
		return Ticket{}, err
	}
	before.Events = nil // as the first answer
	return before, nil
}

// ticketOfAsk names the one ticket that a request can become.
func ticketOfAsk(token, ask string) string {
	sum := sha256.Sum256([]byte("menshen-ticket-v1\x00" + token + "\x00" + ask))
	return "t-" + hex.EncodeToString(sum[:13])
}

// OpenStrangerTicket takes a report about a shop from somebody without a part in any order, such as a passer-by
// who saw a stranger at a terminal. It freezes nothing: only parties do (design §12).
func (a *App) OpenStrangerTicket(ctx context.Context, shop store.Shop, acquirer, note string) (Ticket, error) {
	row := store.Ticket{Org: acquirer, Merchant: shop.Merchant, Shop: shop.ID, Kind: kindStranger}
	return a.openTicket(ctx, Actor{Role: "stranger"}, row, note)
}

func (a *App) openTicket(ctx context.Context, by Actor, row store.Ticket, note string) (Ticket, error) {
	if !slices.Contains(TicketKinds, row.Kind) {
		return Ticket{}, errTicketKind
	}
	if row.ID == "" {
		row.ID = "t-" + strings.ToLower(rand.Text())
	}
	now := a.Now()
	row.OpenedAt = store.At(now)
	event := ticket.Event{Verb: ticket.Open, At: row.OpenedAt.Time()}
	state, err := ticket.Next(ticket.State{}, event)
	if err != nil {
		return Ticket{}, err
	}
	row.State = state.Name()
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Ticket(ctx, row.ID); fault.KindOf(err) != fault.NotFound {
			return cmp.Or(err, error(errTicketHere))
		}
		if err := tx.AddTicket(ctx, row); err != nil {
			return err
		}
		if err := a.planClocks(ctx, tx, row, state, 1, now); err != nil {
			return err
		}
		return a.addTicketEvent(ctx, tx, by, row, 1, event, note, row.State)
	})
	if err != nil {
		return Ticket{}, err
	}
	return a.ticketView(row, state, nil), nil
}

func (a *App) addTicketEvent(ctx context.Context, tx *store.Tx, by Actor, row store.Ticket, number int64, e ticket.Event, note, state string) error {
	kept := store.TicketEvent{Ticket: row.ID, Number: number, Verb: e.Verb, Reason: e.Reason, Person: by.Person, Org: by.Organisation, Role: by.Role, DoneAt: store.At(e.At)}
	if len(note) > maxNoteBytes {
		return errTicketNote
	}
	if note != "" {
		var salt [16]byte
		_, _ = rand.Read(salt[:]) // never fails, says its documentation
		var err error
		kept.Note, err = a.Vault.Put(ctx, tx, row.Merchant, statement.NewOpening(fieldNote, salt, note), vault.Tag{Purposes: []string{purposeVisit}}, e.At)
		if err != nil {
			return err
		}
	}
	return tx.AddTicketEvent(ctx, row.Org, kept, state)
}

// ActOnTicket does what a verb says. reason is for a pause.
func (a *App) ActOnTicket(ctx context.Context, actor Actor, id, verb, reason, note string) (Ticket, error) {
	var out Ticket
	err := a.Store.Write(ctx, func(tx *store.Tx) error {
		row, events, err := a.mayAct(ctx, tx, actor, id, verb)
		if err != nil {
			return err
		}
		state, err := ticket.Fold(events)
		if err != nil {
			return err
		}
		e := ticket.Event{Verb: verb, At: store.At(a.Now()).Time(), Reason: reason}
		if state, err = ticket.Next(state, e); err != nil {
			return err
		}
		row.State = state.Name()
		out = a.ticketView(row, state, nil)
		number := int64(len(events)) + 1
		if err := a.planClocks(ctx, tx, row, state, number, a.Now()); err != nil {
			return err
		}
		return a.addTicketEvent(ctx, tx, actor, row, number, e, note, row.State)
	})
	return out, err
}

// mayAct reads a ticket for somebody who may do this to it.
func (a *App) mayAct(ctx context.Context, tx *store.Tx, actor Actor, id, verb string) (store.Ticket, []ticket.Event, error) {
	row, err := a.ticketFor(ctx, tx, actor, id)
	if err != nil {
		return row, nil, err
	}
	if err := access.Require(access.Role(actor.Role), verb, ticketRelation(actor, row)); err != nil {
		return row, nil, err
	}
	kept, err := tx.TicketEvents(ctx, id, maxTicketEvents)
	return row, ticketEvents(kept), err
}

// ticketFor finds a ticket for somebody who may see it; what one may not see does not exist.
func (a *App) ticketFor(ctx context.Context, tx *store.Tx, actor Actor, id string) (store.Ticket, error) {
	row, err := tx.Ticket(ctx, id)
	if fault.KindOf(err) == fault.NotFound || err == nil && !access.Decide(access.Role(actor.Role), access.ReadTickets, ticketRelation(actor, row)).Allowed() {
		return store.Ticket{}, errNoTicket
	}
	return row, err
}

func ticketEvents(kept []store.TicketEvent) []ticket.Event {
	out := make([]ticket.Event, 0, len(kept))
	for _, e := range kept {
		out = append(out, ticket.Event{Verb: e.Verb, At: e.DoneAt.Time(), Reason: e.Reason})
	}
	return out
}

// ticketRelation says how an actor stands to a ticket.
func ticketRelation(a Actor, k store.Ticket) access.Relation {
	return Relation(a, visit.Order{Acquirer: k.Org, Provider: k.Provider, Merchant: k.Merchant}, visit.Dispatch{})
}

func (a *App) ticketView(row store.Ticket, s ticket.State, events []TicketEvent) Ticket {
	levels, now := levelsOf(row), a.Now()
	return Ticket{Row: row, State: s, Response: s.Response(levels, now), Resolution: s.Resolution(levels, now), Free: s.Free(levels), Events: events}
}

func levelsOf(row store.Ticket) ticket.Levels {
	l := ticket.Levels{Response: time.Duration(row.ResponseMinutes) * time.Minute, Resolution: time.Duration(row.ResolutionMinutes) * time.Minute}
	if row.WarrantyUntil != 0 {
		l.Warranty = row.WarrantyUntil.Time()
	}
	return l
}

// Ticket gives one with everything that was done, and opens its notes for somebody concerned.
func (a *App) Ticket(ctx context.Context, actor Actor, id string) (Ticket, error) {
	var out Ticket
	err := a.Store.Write(ctx, func(tx *store.Tx) error { // a look at a note is recorded
		row, err := a.ticketFor(ctx, tx, actor, id)
		if err != nil {
			return err
		}
		kept, err := tx.TicketEvents(ctx, id, maxTicketEvents)
		if err != nil {
			return err
		}
		state, err := ticket.Fold(ticketEvents(kept))
		if err != nil {
			return err
		}
		events := make([]TicketEvent, 0, len(kept))
		for _, e := range kept {
			view := TicketEvent{Number: int(e.Number), Verb: e.Verb, Reason: e.Reason, Role: e.Role, At: e.DoneAt.Time()}
			if e.Note != "" {
				note, err := a.Vault.Get(ctx, tx, row.Merchant, e.Note, vault.Look{Who: actor.Person, Purpose: purposeVisit, At: a.Now()})
				if err != nil {
					return err
				}
				view.Note = note.Value
			}
			events = append(events, view)
		}
		out = a.ticketView(row, state, events)
		return nil
	})
	return out, err
}

// Tickets lists what the actor may see, newest first.
func (a *App) Tickets(ctx context.Context, actor Actor, state, cursor string, limit int) (list []Ticket, next string, err error) {
	f := store.TicketFilter{State: state}
	switch actor.Role {
	case visit.RoleMerchant, visit.RoleClerk:
		if f.Merchant, f.Org = merchantOf(actor), actor.Organisation; f.Merchant == "" {
			return nil, "", errNoTicket
		}
	case visit.RoleDispatcher:
		f.Provider = actor.Organisation
	case visit.RoleApprover, visit.RoleRisk:
		f.Org = actor.Organisation
	case visit.RoleRegulator:
	default:
		return nil, "", errNoTicket
	}
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		rows, more, err := tx.ListTickets(ctx, f, cursor, limit)
		if err != nil {
			return err
		}
		next = more
		for _, row := range rows {
			kept, err := tx.TicketEvents(ctx, row.ID, maxTicketEvents)
			if err != nil {
				return err
			}
			s, err := ticket.Fold(ticketEvents(kept))
			if err != nil {
				return fault.At(err, row.ID)
			}
			list = append(list, a.ticketView(row, s, nil))
		}
		return nil
	})
	return list, next, err
}
