package app

import (
	"cmp"
	"context"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// Offered is one side's newest signature under a price sheet.
type Offered struct {
	Statement string // digest
	Signer    string
	At        statement.Time
	Sheet     agreement.Sheet
	Ticked    []string // flags that the merchant acknowledged
}

// OrderRow is an order as its acquirer's list shows it.
type OrderRow struct {
	store.Order
	ShopName string // "" where it cannot be told
	Visit    string // the newest, "" for none
	Stage    visit.Stage
	Frozen   bool
	Turn     string // role that must act now, "" for nobody
	Offer    *Offered
	Accept   *Offered
}

// Place is the name of the shop, or else its id.
func (o OrderRow) Place() string { return cmp.Or(o.ShopName, o.Shop) }

// Agreed says whether both sides signed one sheet.
func (o OrderRow) Agreed() bool {
	return o.Offer != nil && o.Accept != nil && o.Offer.Sheet.Digest() == o.Accept.Sheet.Digest()
}

// OrdersFilter narrows an acquirer's list of orders.
type OrdersFilter struct {
	State, Kind, Query, Cursor string
	Turn                       string // role that must act
	Limit                      int
}

// mostTurnPages bounds how far one page of orders looks for those whose turn it is.
const mostTurnPages = 20

// Orders lists the actor's own acquirer's orders, newest first, and the next page's cursor. Whose turn it is, is in no
// index: a page that is narrowed by it looks on until it has enough, and may have more than enough.
func (a *App) Orders(ctx context.Context, actor Actor, f OrdersFilter) (out []OrderRow, next string, err error) {
	if err := ofAcquirer(actor); err != nil {
		return nil, "", err
	}
	if f.Limit <= 0 || f.Limit > maxPage {
		f.Limit = maxPage
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		for range mostTurnPages {
			list, more, err := ordersBy(ctx, tx, actor.Organisation, f)
			if err != nil {
				return err
			}
			if out, err = a.addOrders(ctx, tx, out, list, f.Turn); err != nil {
				return err
			}
			if f.Cursor, next = more, more; next == "" || len(out) >= f.Limit || f.Turn == "" {
				return nil
			}
		}
		return nil
	})
	return out, next, err
}

func (a *App) addOrders(ctx context.Context, tx *store.Tx, out []OrderRow, list []store.Order, turn string) ([]OrderRow, error) {
	for _, o := range list {
		row, err := a.orderRow(ctx, tx, o)
		if err != nil {
			return nil, err
		}
		if turn == "" || row.Turn == turn {
			out = append(out, row)
		}
	}
	return out, nil
}

func ordersBy(ctx context.Context, tx *store.Tx, org string, f OrdersFilter) ([]store.Order, string, error) {
	filter := store.OrderFilter{Org: org, State: f.State, Kind: f.Kind}
	if f.Query == "" {
		return tx.ListOrders(ctx, filter, f.Cursor, f.Limit)
	}
	if o, err := tx.Order(ctx, f.Query); err == nil && o.Org == org {
		return []store.Order{o}, "", nil
	} else if err != nil && fault.KindOf(err) != fault.NotFound {
		return nil, "", err
	}
	merchant, err := merchantNamed(ctx, tx, f.Query)
	if err != nil || merchant == "" {
		return nil, "", err
	}
	filter.Merchant = merchant
	return tx.ListOrders(ctx, filter, f.Cursor, f.Limit)
}

func (a *App) orderRow(ctx context.Context, tx *store.Tx, o store.Order) (OrderRow, error) {
	name, err := a.shopCalled(ctx, tx, o.Shop)
	row := OrderRow{Order: o, ShopName: name}
	if err != nil {
		return row, err
	}
	if o.State == OrderPlanned {
		row.Turn = visit.RoleApprover
		return row, nil
	}
	if err := a.agreements(ctx, tx, &row); err != nil {
		return row, err
	}
	visits, err := tx.VisitsOfOrder(ctx, o.ID)
	if err != nil {
		return row, err
	}
	if len(visits) > 0 {
		v := visits[len(visits)-1]
		row.Visit, row.Stage, row.Frozen = v.ID, visit.Stage(v.State), v.Frozen
	}
	row.Turn = row.turn()
	return row, nil
}

// agreements reads the order's stream for the newest signature of each side. Everything recorded was proven as
// it came in.
func (a *App) agreements(ctx context.Context, tx *store.Tx, o *OrderRow) error {
	claims, err := a.gather(ctx, tx).stream(visit.StreamOrder, o.ID)
	if err != nil {
		return err
	}
	for _, c := range claims {
		if c.Type != agreement.TypeAgreement {
			continue
		}
		var body agreement.Agreement
		if err := c.UntrustedBody(&body); err != nil {
			return err
		}
		side := &Offered{Statement: c.Digest(), Signer: c.Header.Signer, At: c.Header.At, Sheet: body.Sheet, Ticked: body.Acknowledged}
		if c.Header.Role == visit.RoleMerchant {
			o.Accept = side
		} else {
			o.Offer = side
		}
	}
	return nil
}

// priced says whether a visit of this kind rests on a signed sheet.
func priced(kind string) bool { return kind != visit.Inspection }

// turn says who must act on a booked order.
func (o OrderRow) turn() string {
	switch {
	case o.Frozen:
		return visit.RoleRisk
	case o.Stage.Ended():
		return ""
	case o.Visit == "" || priced(o.Kind) && o.Offer == nil:
		return visit.RoleApprover
	case priced(o.Kind) && !o.Agreed():
		return visit.RoleMerchant
	}
	return Turn(o.Stage, false)
}

// Turn says who must act on a visit, as far as its stage tells; "" for nobody.
func Turn(stage visit.Stage, frozen bool) string {
	if frozen {
		return visit.RoleRisk
	}
	return map[visit.Stage]string{visit.Booked: visit.RoleDispatcher, visit.Dispatched: visit.RoleMerchant, visit.Admitted: visit.RoleTechnician,
		visit.Trial: visit.RoleTechnician, visit.Live: visit.RoleTechnician}[stage]
}

// OrderDetail is one order as its acquirer sees it.
type OrderDetail struct {
	OrderRow
	Body    visit.Order // as signed; the zero value for one that is planned
	Booker  string      // who signed it
	Signed  string      // digest of that statement
	Sent    []SheetDraft
	Earlier *Offered // the sheet that this merchant last agreed to on another order, nil for none
	Duties  []Duty
}

// Duty is who does what on an order. The gate decides whether duties are apart; this shows who they are.
type Duty struct {
	Role, Person, Organisation string
	Twice                      bool // the same person has another duty here
}

// Order gives one of the actor's own acquirer's orders. Fault: order_not_found.
func (a *App) Order(ctx context.Context, actor Actor, id string) (OrderDetail, error) {
	if err := ofAcquirer(actor); err != nil {
		return OrderDetail{}, err
	}
	var d OrderDetail
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		o, err := tx.Order(ctx, id)
		if fault.KindOf(err) == fault.NotFound || err == nil && o.Org != actor.Organisation {
			return errNoOrder
		}
		if err != nil {
			return err
		}
		if d.OrderRow, err = a.orderRow(ctx, tx, o); err != nil {
			return err
		}
		return a.fillOrder(ctx, tx, &d)
	})
	return d, err
}

func (a *App) fillOrder(ctx context.Context, tx *store.Tx, d *OrderDetail) error {
	drafts, err := tx.SheetDraftsOfOrder(ctx, d.ID, mostDrafts)
	if err != nil {
		return err
	}
	for _, row := range drafts {
		s, err := draftOf(row)
		if err != nil {
			return err
		}
		d.Sent = append(d.Sent, s)
	}
	if d.Earlier, err = a.earlierSheet(ctx, tx, d.Order); err != nil {
		return err
	}
	if d.State == OrderPlanned {
		return nil
	}
	claims, err := a.gather(ctx, tx).stream(visit.StreamOrder, d.ID)
	if err != nil {
		return err
	}
	for _, c := range claims {
		if c.Type == visit.TypeOrder {
			d.Booker, d.Signed = c.Header.Signer, c.Digest()
			if err := c.UntrustedBody(&d.Body); err != nil {
				return err
			}
		}
	}
	return a.duties(ctx, tx, d)
}

// earlierSheet is what this merchant last agreed to on another of this acquirer's orders.
func (a *App) earlierSheet(ctx context.Context, tx *store.Tx, o store.Order) (*Offered, error) {
	list, _, err := tx.ListOrders(ctx, store.OrderFilter{Merchant: o.Merchant, Org: o.Org}, "", mostOrders)
	if err != nil {
		return nil, err
	}
	for _, other := range list {
		if other.ID == o.ID || other.State == OrderPlanned {
			continue
		}
		row := OrderRow{Order: other}
		if err := a.agreements(ctx, tx, &row); err != nil {
			return nil, err
		}
		if row.Agreed() {
			return row.Offer, nil
		}
	}
	return nil, nil
}

func (a *App) duties(ctx context.Context, tx *store.Tx, d *OrderDetail) error {
	add := func(role, person, organisation string) {
		if person != "" {
			d.Duties = append(d.Duties, Duty{Role: role, Person: person, Organisation: organisation})
		}
	}
	signer := d.Booker
	if d.Offer != nil {
		signer = d.Offer.Signer
	}
	add(visit.RoleApprover, signer, d.Org)
	add(visit.RoleMerchant, d.Merchant, d.Org)
	if d.Visit != "" {
		s, err := a.standing(ctx, tx, d.Visit)
		if err != nil {
			return err
		}
		sent := s.state.Dispatched()
		add(visit.RoleTechnician, sent.Technician, sent.Issuer)
		add(visit.RoleSupervisor, sent.Supervisor, "")
	}
	l := &looker{app: a, ctx: ctx, tx: tx}
	var all []string
	for _, duty := range d.Duties {
		all = append(all, duty.Person)
	}
	for i, duty := range d.Duties {
		same, err := l.sameAs(duty.Person, all)
		if err != nil {
			return err
		}
		twice := 0
		for _, id := range all {
			if id == duty.Person {
				twice++
			}
		}
		d.Duties[i].Twice = twice > 1 || len(same) > 0
	}
	return nil
}

// LastOnOrder gives the digest of the last statement that a key signed in an order's stream, "" for none: what
// the next one names as previous.
func (a *App) LastOnOrder(ctx context.Context, actor Actor, order, key string) (string, error) {
	if _, err := a.Order(ctx, actor, order); err != nil {
		return "", err
	}
	last := ""
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		claims, err := a.gather(ctx, tx).stream(visit.StreamOrder, order)
		for _, c := range claims {
			if c.Header.Key == key {
				last = c.Digest()
			}
		}
		return err
	})
	return last, err
}
