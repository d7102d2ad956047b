package app

import (
	"context"
	"slices"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/ticket"
	"github.com/menshen-project/menshen/internal/visit"
)

// riskHolds is how long a risk desk has for its answer to a stop (design §12).
const riskHolds = 2 * time.Hour

var errNoTerminal = fault.New(fault.NotFound, "terminal_not_found", "没有这台终端，或者您无权查看。", "There is no such terminal, or you may not see it.")

// Stop is a visit that somebody stopped, with the risk desk's clock.
type Stop struct {
	BoardRow
	Matters []store.OpenMatter
	DueAt   time.Time // of the oldest matter
	Late    bool
}

// Stops lists the actor's own acquirer's stopped visits with the clock of each, and the next page's cursor.
func (a *App) Stops(ctx context.Context, actor Actor, cursor string, limit int) ([]Stop, string, error) {
	if err := ofAcquirer(actor); err != nil {
		return nil, "", err
	}
	rows, next, err := a.Board(ctx, actor, BoardFilter{Filter: Filter{Cursor: cursor, Limit: limit}, Frozen: true})
	if err != nil {
		return nil, "", err
	}
	out := make([]Stop, len(rows))
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		for i, r := range rows {
			out[i] = Stop{BoardRow: r}
			if out[i].Matters, err = tx.MattersOf(ctx, subjectVisit, r.ID, mostDrafts); err != nil {
				return err
			}
			if len(out[i].Matters) > 0 {
				out[i].DueAt = out[i].Matters[0].SinceAt.Time().Add(riskHolds)
				out[i].Late = a.Now().After(out[i].DueAt)
			}
		}
		return nil
	})
	return out, next, err
}

// StrangerTickets gives the open reports of people without a part in any order, newest first, among the newest
// tickets.
func (a *App) StrangerTickets(ctx context.Context, actor Actor) ([]Ticket, error) {
	if err := ofAcquirer(actor); err != nil {
		return nil, err
	}
	list, _, err := a.Tickets(ctx, actor, ticket.Opened, "", maxPage)
	var out []Ticket
	for _, t := range list {
		if t.Row.Kind == "stranger" {
			out = append(out, t)
		}
	}
	return out, err
}

// Terminals lists the bindings under the actor's own acquirer's code by serial, and the next page's cursor. query
// is a whole serial.
func (a *App) Terminals(ctx context.Context, actor Actor, query, cursor string, limit int) (out []store.Binding, next string, err error) {
	if err := ofAcquirer(actor); err != nil {
		return nil, "", err
	}
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		code, err := acquirerCode(ctx, tx, actor.Organisation)
		if err != nil || code == "" {
			return err
		}
		if query != "" {
			b, err := tx.Binding(ctx, query)
			if fault.KindOf(err) == fault.NotFound || err == nil && b.Acquirer != code {
				return nil
			}
			out = []store.Binding{b}
			return err
		}
		if out, err = tx.BindingsOfAcquirer(ctx, code, cursor, limit+1); len(out) > limit {
			out, next = out[:limit], out[limit-1].Serial
		}
		return err
	})
	return out, next, err
}

// acquirerCode is the code under which an institution's terminals are bound, as its sheet says; "" for none known.
func acquirerCode(ctx context.Context, tx *store.Tx, org string) (string, error) {
	o, err := tx.Organisation(ctx, org)
	if fault.KindOf(err) == fault.NotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	doc, err := docOf(o.Doc)
	return doc["收单机构代码"], err
}

// HandOver is one recorded statement in a device's own stream.
type HandOver struct {
	Number                     int64
	Type, Signer, Organisation string
	At                         statement.Time
	Statement                  string
}

// TerminalDetail is one device with its binding, what stands open against it, and its history.
type TerminalDetail struct {
	store.Binding
	Device  store.Device // the zero value for one that is in no register
	Matters []store.OpenMatter
	History []HandOver
	Watch   evidence.Watch // of the visit that brought it live, the zero value for none
	Watched bool
	NoWatch *fault.Fault // why there is none for a terminal in use, nil where there is one
	Marked  bool         // lost or quarantined
}

// Terminal gives one of the actor's own acquirer's terminals. Fault: terminal_not_found.
func (a *App) Terminal(ctx context.Context, actor Actor, serial string) (TerminalDetail, error) {
	if err := ofAcquirer(actor); err != nil {
		return TerminalDetail{}, err
	}
	if identifier.CheckID(serial) != nil {
		return TerminalDetail{}, errNoTerminal
	}
	list, _, err := a.Terminals(ctx, actor, serial, "", 1)
	if err != nil {
		return TerminalDetail{}, err
	}
	if len(list) == 0 {
		return TerminalDetail{}, errNoTerminal
	}
	d := TerminalDetail{Binding: list[0]}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		if d.Device, err = tx.Device(ctx, serial); err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		if d.Matters, err = tx.MattersOf(ctx, subjectDevice, serial, mostDrafts); err != nil {
			return err
		}
		d.Marked = slices.ContainsFunc(d.Matters, func(m store.OpenMatter) bool { return isMark(m.Matter) })
		claims, err := a.gather(ctx, tx).stream(visit.StreamDevice, serial)
		for i, c := range claims {
			d.History = append(d.History, HandOver{Number: int64(i + 1), Type: c.Type, Signer: c.Header.Signer, Organisation: c.Header.Organisation, At: c.Header.At, Statement: c.Digest()})
		}
		return err
	})
	if err != nil || d.State != store.BindingOpen {
		return d, err
	}
	// Whatever keeps the watch from being read is told beside the rest and hides none of it.
	w, err := a.Watch(ctx, d.Visit)
	if err != nil {
		d.NoWatch = fault.Of(err)
		return d, nil
	}
	d.Watch, d.Watched = w, true
	return d, nil
}
