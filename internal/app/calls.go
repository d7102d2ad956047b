package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/ticket"
)

var errNoCall = fault.New(fault.NotFound, "door_call_not_found", "没有这次转告，或者您无权查看。", "There is no such call, or you may not see it.")

// DoorCall is a stranger's call as the shop sees it.
type DoorCall struct {
	store.DoorCall
	Ticket string // id of the ticket that the shop made of it, "" while it made none
}

// DoorCalls gives the calls about a merchant's shops of the last days, newest first, to him and to his clerks:
// whoever stands at the counter has to know whether somebody was sent.
func (a *App) DoorCalls(ctx context.Context, actor Actor) (list []DoorCall, err error) {
	merchant := merchantOf(actor)
	if merchant == "" {
		return nil, nil
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		calls, err := tx.DoorCalls(ctx, merchant, a.Now().Add(-keepCalls), callsShown)
		if err != nil {
			return err
		}
		for _, c := range calls {
			call := DoorCall{DoorCall: c}
			_, err := tx.Ticket(ctx, ticketOfCall(c.ID))
			switch {
			case err == nil:
				call.Ticket = ticketOfCall(c.ID)
			case fault.KindOf(err) != fault.NotFound:
				return err
			}
			list = append(list, call)
		}
		return nil
	})
	return list, err
}

// ticketOfCall names the one ticket that a call can become, so that a second tap finds the first one's.
func ticketOfCall(call string) string {
	sum := sha256.Sum256([]byte("menshen-door-call-v1" + call))
	return "t-" + hex.EncodeToString(sum[:13])
}

// ReportDoorCall makes a stranger's ticket of a call, for the risk desk of the shop's acquirer, and gives its id;
// asked again, the same id. note is what the shop's page said of the call; it goes into the vault.
func (a *App) ReportDoorCall(ctx context.Context, actor Actor, call, note string) (string, error) {
	calls, err := a.DoorCalls(ctx, actor)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(calls, func(c DoorCall) bool { return c.ID == call })
	if i < 0 {
		return "", errNoCall
	}
	c := calls[i]
	if c.Ticket != "" {
		return c.Ticket, nil
	}
	var m store.Merchant
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		m, err = tx.Merchant(ctx, c.Merchant)
		return err
	})
	if err != nil {
		return "", err
	}
	row := store.Ticket{ID: ticketOfCall(call), Org: m.Org, Merchant: c.Merchant, Shop: c.Shop, Kind: kindStranger}
	if err := access.Require(access.Role(actor.Role), ticket.Open, ticketRelation(actor, row)); err != nil {
		return "", err
	}
	_, err = a.openTicket(ctx, actor, row, note)
	if fault.KindOf(err) == fault.Conflict {
		err = nil // the other tap was first
	}
	return row.ID, err
}
