package pages

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/ticket"
	"github.com/menshen-project/menshen/internal/visit"
)

// ShopTicket is a request for help as the shop reads it.
type ShopTicket struct {
	ID, Visit, Kind, State string
	Shop                   string // name, or its code
	Reason                 string // of the pause that it is in
	OpenedAt               time.Time
	Response, Resolution   ticket.Clock
	Free                   bool
	Warranty               time.Time // until when a repair costs nothing; the zero time where no sheet promised any
	Events                 []app.TicketEvent
	Acquirer               ShopFirm
}

// ticketGroups are what a shop can ask for, as it would look for it.
var ticketGroups = []struct {
	name  string
	kinds []string
}{{"fault", []string{"device", "network", "printing"}}, {"money", []string{"fees", "refund"}}, {"service", []string{"training", "other"}}}

// ticketLevel is how a ticket looks.
func (k ShopTicket) level() string {
	switch {
	case k.State == ticket.Closed:
		return LevelGood
	case k.Response.Late && k.Response.Stopped.IsZero() || k.Resolution.Late && k.State != ticket.Resolved:
		return LevelStop
	case k.State == ticket.Resolved:
		return levelMind
	}
	return LevelWait
}

// head is the answer: where it stands.
func (k ShopTicket) head() Text {
	if (k.Kind == "stranger" || k.Kind == "photos_missing") && k.State == ticket.Opened {
		return say("ticket.head." + k.Kind)
	}
	if k.level() == LevelStop {
		return say("ticket.head.late")
	}
	return say("ticket.head." + k.State)
}

// then says what comes next, and who has to act.
func (k ShopTicket) then() Text {
	switch {
	case k.Kind == "stranger" && k.State != ticket.Closed:
		return say("ticket.then.stranger")
	case k.Kind == "photos_missing" && k.State != ticket.Closed:
		return say("ticket.then.photos_missing")
	case k.State == ticket.Paused:
		return say("ticket.pause." + k.Reason)
	case k.level() == LevelStop:
		return say("ticket.then.late")
	}
	return say("ticket.then." + k.State)
}

// clockText says how one promise stands.
func (p *page) clockText(c ticket.Clock, done string) string {
	switch {
	case c.DueAt.IsZero() && c.Stopped.IsZero():
		return p.t("clock.none")
	case !c.Stopped.IsZero() && c.Late:
		return p.at(c.Stopped) + " " + p.t(done) + p.t("clock.was_late")
	case !c.Stopped.IsZero():
		return p.at(c.Stopped) + " " + p.t(done)
	case c.Stands:
		return p.t("clock.stands")
	case c.Late:
		return p.text(put("clock.late", "at", p.at(c.DueAt)))
	}
	return p.text(put("clock.until", "at", p.at(c.DueAt)))
}

func (p *page) warrantyText(k ShopTicket) string {
	switch {
	case k.Warranty.IsZero():
		return p.t("warranty.none")
	case k.Free:
		return p.text(put("warranty.free", "at", p.at(k.Warranty)))
	}
	return p.text(put("warranty.over", "at", p.at(k.Warranty)))
}

// doneBy says who did something about a ticket, as the shop knows them.
func (p *page) doneBy(e app.TicketEvent) string {
	if slices.Contains([]string{visit.RoleMerchant, roleClerk}, e.Role) {
		return p.t("ticket.by.shop")
	}
	return p.term(roleWords, e.Role)
}

func ticketHref(id string) templ.SafeURL { return hrefOf("shop", "tickets", id) }

func newTicketHref(visitID, kind string) templ.SafeURL {
	u := url.URL{Path: "/shop/tickets/new", RawQuery: url.Values{"visit": {visitID}, "kind": {kind}}.Encode()}
	return templ.SafeURL(u.String())
}

// shopTickets lists what the shop asked for.
func (s *Server) shopTickets(w http.ResponseWriter, r *http.Request) error {
	p, h, err := s.helpPage(w, r)
	if err != nil {
		return err
	}
	list, err := s.Shops.Tickets(r.Context(), p.viewer)
	if err != nil {
		return err
	}
	return s.show(r.Context(), w, http.StatusOK, shopTicketsPage(p, h, list))
}

// shopNewTicket asks what is wrong, for one terminal or a choice of them.
func (s *Server) shopNewTicket(w http.ResponseWriter, r *http.Request) error {
	p, h, err := s.helpPage(w, r)
	if err != nil {
		return err
	}
	rows := slices.DeleteFunc(slices.Clone(h.Orders), func(o ShopOrderRow) bool { return o.Stage == string(visit.Refused) })
	if id := r.URL.Query().Get("visit"); id != "" {
		i := slices.IndexFunc(rows, func(o ShopOrderRow) bool { return o.Visit == id })
		if i < 0 {
			return errNotShop
		}
		rows = rows[i : i+1]
	}
	return s.show(r.Context(), w, http.StatusOK, shopNewTicketPage(p, h, rows, r.URL.Query().Get("kind")))
}

// shopTicket is one request, with its two clocks.
func (s *Server) shopTicket(w http.ResponseWriter, r *http.Request) error {
	p, h, err := s.helpPage(w, r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	if err := identifier.CheckID(id); err != nil {
		return errNotShop.Because(err)
	}
	k, err := s.Shops.Ticket(r.Context(), p.viewer, id)
	if err != nil {
		return err
	}
	return s.show(r.Context(), w, http.StatusOK, shopTicketPage(p, h, k))
}

func (s *Server) helpPage(w http.ResponseWriter, r *http.Request) (*page, ShopHome, error) {
	p, err := s.lookAsShop(w, r)
	if err != nil {
		return nil, ShopHome{}, err
	}
	h, err := s.Shops.Home(r.Context(), p.viewer)
	p.demo = h.Demonstration
	allow(w, needs{api: true})
	return p, h, err
}

// shopReportCall makes a ticket of a call for the acquirer's risk desk. The browser follows with GET, so reload and
// back make no second one, and neither does a second tap.
func (s *Server) shopReportCall(w http.ResponseWriter, r *http.Request) error {
	p, err := s.lookAsShop(w, r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	h, err := s.Shops.Home(r.Context(), p.viewer)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(h.Calls, func(c ShopCalled) bool { return c.ID == id })
	if i < 0 {
		return errNotShop
	}
	if err := s.Shops.ReportCall(r.Context(), p.viewer, id, callNote(h.Calls[i])); err != nil {
		return err
	}
	http.Redirect(w, r, "/shop", http.StatusSeeOther)
	return nil
}

// callNote is a call as the risk desk reads it, in both languages.
func callNote(c ShopCalled) string {
	kind, sent := say("call.kind."+c.Kind), say("call.note.nobody")
	if c.Expected {
		sent = say("call.note.expected")
	}
	at := stamp(c.At)
	return strings.Join([]string{at, kind.Zh + "。" + sent.Zh, kind.En + ". " + sent.En}, "\n")
}

// ReportCall makes a ticket of a call.
func (f FromApp) ReportCall(ctx context.Context, v Viewer, call, note string) error {
	_, err := f.App.ReportDoorCall(ctx, actorOf(v), call, note)
	return err
}

// Tickets lists the shop's requests.
func (f FromApp) Tickets(ctx context.Context, v Viewer) ([]ShopTicket, error) {
	list, _, err := f.App.Tickets(ctx, actorOf(v), "", "", rowsPerPage)
	out := make([]ShopTicket, 0, len(list))
	for _, k := range list {
		out = append(out, shopTicketOf(k))
	}
	return out, err
}

// Ticket gives one request.
func (f FromApp) Ticket(ctx context.Context, v Viewer, id string) (ShopTicket, error) {
	k, err := f.App.Ticket(ctx, actorOf(v), id)
	if err != nil {
		return ShopTicket{}, err
	}
	out := shopTicketOf(k)
	if out.Shop, err = f.shopName(ctx, v, k.Row.Shop); err != nil {
		return ShopTicket{}, err
	}
	firms, err := f.firms(ctx, k.Row.Org)
	out.Acquirer = firms[k.Row.Org]
	return out, err
}

func shopTicketOf(k app.Ticket) ShopTicket {
	out := ShopTicket{ID: k.Row.ID, Visit: k.Row.Visit, Kind: k.Row.Kind, State: k.State.Name(), Shop: k.Row.Shop, Reason: k.State.Reason(), OpenedAt: k.State.OpenedAt(),
		Response: k.Response, Resolution: k.Resolution, Free: k.Free, Events: k.Events}
	if k.Row.WarrantyUntil != 0 {
		out.Warranty = k.Row.WarrantyUntil.Time()
	}
	return out
}
