package app

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

// Bounds of a draft.
const (
	maxSheetBytes = 64 << 10
	maxTitle      = 80 // characters
	mostDrafts    = 20 // of one order
)

var (
	errNoSheet     = fault.New(fault.NotFound, "sheet_not_found", "没有这份价目单，或者您无权查看。", "There is no such price sheet, or you may not see it.")
	errSheetDraft  = fault.New(fault.Invalid, "sheet_draft_malformed", "价目单的编号或名称写得不对。", "The draft's id or title is malformed.")
	errSheetOfElse = fault.New(fault.Refused, "sheet_of_other_acquirer", "价目单上的收单机构不是您的机构。", "The sheet names another acquirer than yours.")
	errSheetOrder  = fault.New(fault.Refused, "sheet_order_not_booked", "这份订单还没签下，价目单没有地方送。", "The order is not booked yet, so no sheet can be sent for it.")
)

// SheetDraft is a price sheet that nobody has signed yet.
type SheetDraft struct {
	ID        string
	Title     string
	Order     string // that it was sent for, "" for a template
	Sheet     agreement.Sheet
	MadeBy    string
	UpdatedAt time.Time
}

// SheetCheck is what the agreement's rules say about a sheet.
type SheetCheck struct {
	Problem *fault.Fault // the first thing that is malformed, nil for nothing
	Flags   []agreement.Flag
	NowFen  int64 // due with this order
	OnceFen int64
	Digest  string
}

// CheckSheet asks the agreement's rules about a sheet, as the merchant's page and the gate will.
func CheckSheet(s agreement.Sheet) SheetCheck {
	c := SheetCheck{Flags: agreement.Check(s), NowFen: s.TotalNowFen(), OnceFen: s.TotalOnceFen(), Digest: s.Digest()}
	if err := s.Validate(); err != nil {
		c.Problem = fault.Of(err)
	}
	return c
}

func mayDraft(actor Actor) error {
	return access.Require(access.Role(actor.Role), access.DraftSheet, access.OwnOrganisation)
}

// SaveSheet keeps a draft of the actor's own acquirer, finished or not. Faults: access_denied,
// sheet_draft_malformed, sheet_of_other_acquirer.
func (a *App) SaveSheet(ctx context.Context, actor Actor, d SheetDraft) error {
	if err := mayDraft(actor); err != nil {
		return err
	}
	if identifier.CheckID(d.ID) != nil || d.Title == "" || len([]rune(d.Title)) > maxTitle {
		return errSheetDraft
	}
	if d.Sheet.Acquirer != actor.Organisation {
		return errSheetOfElse
	}
	doc, err := statement.Canonical(agreement.Offer("", d.Sheet).Sheet) // with empty lists where there are none
	if err != nil {
		return errSheetDraft.Because(err)
	}
	if len(doc) > maxSheetBytes {
		return errSheetDraft.At("size")
	}
	now := store.At(a.Now())
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		order, made := "", now
		if known, err := tx.SheetDraft(ctx, d.ID); err == nil {
			order, made = known.OrderID, known.MadeAt
		} else if fault.KindOf(err) != fault.NotFound {
			return err
		}
		return tx.PutSheetDraft(ctx, store.SheetDraft{ID: d.ID, Org: actor.Organisation, Title: d.Title, OrderID: order, Doc: string(doc), MadeBy: actor.Person, MadeAt: made, UpdatedAt: now})
	})
}

// SendSheet sends a draft for signing on an order: whoever approves finds it there. It must be sound by then.
// Faults: those of agreement.Sheet.Validate, sheet_not_found, sheet_order_not_booked.
func (a *App) SendSheet(ctx context.Context, actor Actor, id, order string) error {
	if err := mayDraft(actor); err != nil {
		return err
	}
	d, err := a.Sheet(ctx, actor, id)
	if err != nil {
		return err
	}
	if err := d.Sheet.Validate(); err != nil {
		return err
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		o, err := tx.Order(ctx, order)
		if fault.KindOf(err) == fault.NotFound || err == nil && (o.Org != actor.Organisation || o.State == OrderPlanned) {
			return errSheetOrder
		}
		if err != nil {
			return err
		}
		row, err := tx.SheetDraft(ctx, id)
		if err != nil {
			return err
		}
		row.OrderID, row.UpdatedAt = order, store.At(a.Now())
		return tx.PutSheetDraft(ctx, row)
	})
}

// DropSheet forgets a draft. What was signed stays where it is.
func (a *App) DropSheet(ctx context.Context, actor Actor, id string) error {
	if err := mayDraft(actor); err != nil {
		return err
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error { return tx.DropSheetDraft(ctx, id, actor.Organisation) })
}

// Sheet gives a draft of the actor's own acquirer.
func (a *App) Sheet(ctx context.Context, actor Actor, id string) (SheetDraft, error) {
	if err := ofAcquirer(actor); err != nil {
		return SheetDraft{}, err
	}
	var row store.SheetDraft
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		var err error
		row, err = tx.SheetDraft(ctx, id)
		return err
	})
	if fault.KindOf(err) == fault.NotFound || err == nil && row.Org != actor.Organisation {
		return SheetDraft{}, errNoSheet
	}
	if err != nil {
		return SheetDraft{}, err
	}
	return draftOf(row)
}

func draftOf(row store.SheetDraft) (SheetDraft, error) {
	d := SheetDraft{ID: row.ID, Title: row.Title, Order: row.OrderID, MadeBy: row.MadeBy, UpdatedAt: row.UpdatedAt.Time()}
	return d, statement.DecodeCanonical([]byte(row.Doc), &d.Sheet)
}

// Sheets lists the drafts of the actor's own acquirer by id, and the next page's cursor.
func (a *App) Sheets(ctx context.Context, actor Actor, cursor string, limit int) (out []SheetDraft, next string, err error) {
	if err := ofAcquirer(actor); err != nil {
		return nil, "", err
	}
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	var rows []store.SheetDraft
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		rows, err = tx.SheetDraftsOfOrg(ctx, actor.Organisation, cursor, limit+1)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows, next = rows[:limit], rows[limit-1].ID
	}
	for _, r := range rows {
		d, err := draftOf(r)
		if err != nil {
			return nil, "", err
		}
		out = append(out, d)
	}
	return out, next, nil
}
