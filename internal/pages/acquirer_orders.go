package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/visit"
)

const ordersPath = "/staff/orders"

// orderTurns are the roles that an acquirer's list of orders is narrowed to.
var orderTurns = []string{visit.RoleApprover, visit.RoleMerchant, visit.RoleDispatcher, visit.RoleTechnician, visit.RoleRisk}

// bookableKinds are the kinds of visit in the order in which a form offers them.
var bookableKinds = []string{visit.Install, visit.Swap, visit.Repair, visit.Removal, visit.Relocation, visit.Inspection}

// ordersQuery is what the address of the list of orders says.
type ordersQuery struct {
	listQuery
	Turn, Kind string
}

func ordersQueryOf(v url.Values) ordersQuery {
	q := ordersQuery{listQuery: listQueryOf(v)}
	if t := v.Get("turn"); slices.Contains(orderTurns, t) {
		q.Turn = t
	}
	if k := v.Get("kind"); slices.Contains(bookableKinds, k) {
		q.Kind = k
	}
	return q
}

func (q ordersQuery) href(path string) templ.SafeURL {
	v := url.Values{}
	for key, value := range map[string]string{"q": q.Search, "after": q.After, "turn": q.Turn, "kind": q.Kind} {
		if value != "" {
			v.Set(key, value)
		}
	}
	u := url.URL{Path: path, RawQuery: v.Encode()}
	return templ.SafeURL(u.String())
}

func (q ordersQuery) with(change func(*ordersQuery)) templ.SafeURL {
	change(&q)
	return q.href(ordersPath)
}

func (q ordersQuery) filter(limit int) app.OrdersFilter {
	return app.OrdersFilter{Kind: q.Kind, Turn: q.Turn, Query: q.Search, Cursor: q.After, Limit: limit}
}

// OrdersView is the list of orders.
type OrdersView struct {
	Query ordersQuery
	Rows  []app.OrderRow
	Next  string
}

func (s *Server) orders(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	v := OrdersView{Query: ordersQueryOf(r.URL.Query())}
	if v.Query.Sound {
		if v.Rows, v.Next, err = s.Desk.App.Orders(r.Context(), actorOf(p.viewer), v.Query.filter(rowsPerPage)); err != nil {
			return err
		}
	}
	allow(w, needs{api: true})
	return s.show(r.Context(), w, http.StatusOK, ordersPage(p, v))
}

func (s *Server) ordersCSV(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	q, rows := ordersQueryOf(r.URL.Query()), [][]string{}
	f := q.filter(0)
	f.Cursor = ""
	for q.Sound && len(rows) < mostExported {
		list, next, err := s.Desk.App.Orders(r.Context(), actorOf(p.viewer), f)
		if err != nil {
			return err
		}
		for _, o := range list {
			rows = append(rows, []string{o.ID, o.Kind, o.State, o.Merchant, o.Shop, o.Provider, number(o.Risk), iso(o.WindowStartAt.Time()), iso(o.WindowEndAt.Time()), o.Visit, string(o.Stage), o.Turn})
		}
		if f.Cursor = next; next == "" {
			break
		}
	}
	attachCSV(w, "orders")
	return writeTable(w, []string{"order", "kind", "state", "merchant", "shop", "provider", "risk", "from", "until", "visit", "stage", "turn"}, rows)
}

// orderLevel says how an order stands.
func orderLevel(o app.OrderRow) string {
	if o.State == app.OrderPlanned || o.Visit == "" {
		return LevelWait
	}
	return rowLevel(VisitRow{Stage: string(o.Stage), Frozen: o.Frozen})
}

// orderStanding says in a word where an order stands.
func (p *page) orderStanding(o app.OrderRow) string {
	switch {
	case o.State == app.OrderPlanned:
		return p.t("acq.order.planned")
	case o.Visit == "":
		return p.t("acq.order.booked")
	case o.Stage == visit.Booked && o.Turn == visit.RoleApprover:
		return p.t("order.no_sheet")
	case o.Stage == visit.Booked && o.Turn == visit.RoleMerchant:
		return p.t("order.offered")
	}
	return p.text(rowState(VisitRow{Stage: string(o.Stage), Frozen: o.Frozen}))
}

// OrderView is one order's page.
type OrderView struct {
	app.OrderDetail
	Acquirer, Provider app.Firm
	MaySign            bool // the viewer is an approver
}

func (s *Server) order(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	v := OrderView{MaySign: p.viewer.Role == visit.RoleApprover}
	if v.OrderDetail, err = s.Desk.App.Order(r.Context(), actorOf(p.viewer), r.PathValue("id")); err != nil {
		return err
	}
	firms, err := s.Desk.App.Firms(r.Context(), v.Org, v.OrderDetail.Provider)
	if err != nil {
		return err
	}
	v.Acquirer, v.Provider = firms[v.Org], firms[v.OrderDetail.Provider]
	allow(w, needs{api: true, passkey: true})
	return s.show(r.Context(), w, http.StatusOK, orderPage(p, v))
}

// signableSheet is what the approver's key signs under a sheet.
func signableSheet(order string, s agreement.Sheet) string {
	return signable(agreement.Offer(order, s))
}

// openedBody is what opens an order's visit.
func (v OrderView) openedBody() string {
	return signable(visit.Opened{Visit: visitOf(v.ID), Order: v.ID, Basis: v.Signed})
}

// visitOf names the first visit of an order: the same, with another letter where ours begin.
func visitOf(order string) string {
	if rest, ours := strings.CutPrefix(order, "o-"); ours {
		return "v-" + rest
	}
	return "v-" + order
}

// BookView is the form for an order.
type BookView struct {
	app.Booking
	ID    string
	From  time.Time
	Until time.Time
	Plan  app.OrderRow // that was imported, the zero value for none
}

func (s *Server) newOrder(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	q, actor := r.URL.Query(), actorOf(p.viewer)
	from := p.now.In(shanghai).Truncate(time.Hour).Add(24 * time.Hour)
	v := BookView{ID: app.NewOrderID(p.now, reference()), From: from, Until: from.Add(time.Hour)}
	shop := q.Get("shop")
	if plan := q.Get("plan"); plan != "" {
		d, err := s.Desk.App.Order(r.Context(), actor, plan)
		if err != nil {
			return err
		}
		v.Plan, v.ID, shop = d.OrderRow, d.ID, d.Shop
		v.From, v.Until = d.WindowStartAt.Time(), d.WindowEndAt.Time()
	}
	if v.Booking, err = s.Desk.App.Booking(r.Context(), actor, shop); err != nil {
		return err
	}
	allow(w, needs{api: true, passkey: true})
	return s.show(r.Context(), w, http.StatusOK, bookPage(p, v))
}

// field is a moment as a date and time field has it, in China's time.
func momentField(t time.Time) string { return t.In(shanghai).Format("2006-01-02T15:04") }

// bookingValues opens what the order commits to, for the approver's own browser; nothing keeps the answer.
func (s *Server) bookingValues(w http.ResponseWriter, r *http.Request) (any, error) {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return nil, err
	}
	if err := readForm(w, r, &struct{}{}); err != nil {
		return nil, err
	}
	values, err := s.Desk.App.BookingValues(r.Context(), actorOf(p.viewer), r.PathValue("id"))
	out := map[string]string{}
	for _, v := range values {
		out[v.Kind] = v.Value
	}
	return map[string]any{"values": out}, err
}
