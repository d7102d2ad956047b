package httpapi

import (
	"context"
	"net/http"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/ticket"
)

// OpenTicketRequest asks for help with a visit's terminal.
type OpenTicketRequest struct {
	Visit string `json:"visit" doc:"哪一次上门的机器 · id of the visit that brought the terminal"`
	Kind  string `json:"kind" enum:"device,network,printing,refund,fees,training,other"`
	Note  string `json:"note" doc:"说明，只进保险库，当事人看得到 · goes into the vault; those concerned can read it"`
}

// TicketAct does something about a ticket.
type TicketAct struct {
	Reason string `json:"reason" doc:"暂停才要：在等谁 · of a pause: shop_closed, waits_for_merchant, waits_for_part, waits_for_acquirer, waits_for_visit"`
	Note   string `json:"note"`
}

// Clock is one promise of the sheet.
type Clock struct {
	DueAt     statement.Time `json:"due_at" doc:"empty when nothing was promised"`
	StoppedAt statement.Time `json:"stopped_at" doc:"empty while it runs"`
	Stands    bool           `json:"stands" doc:"paused"`
	Late      bool           `json:"late"`
}

// TicketEvent is one thing that was done.
type TicketEvent struct {
	Number int            `json:"number"`
	Verb   string         `json:"verb"`
	Reason string         `json:"reason"`
	Role   string         `json:"role"`
	At     statement.Time `json:"at"`
	Note   string         `json:"note"`
}

// Ticket is a request for service with its two clocks.
type Ticket struct {
	ID         string         `json:"id"`
	Visit      string         `json:"visit"`
	Kind       string         `json:"kind"`
	State      string         `json:"state" enum:"open,answered,paused,resolved,closed"`
	Acquirer   string         `json:"acquirer"`
	Provider   string         `json:"provider"`
	Merchant   string         `json:"merchant" doc:"id, never a name"`
	Shop       string         `json:"shop"`
	OpenedAt   statement.Time `json:"opened_at"`
	Reason     string         `json:"reason" doc:"of the pause that it is in"`
	Response   Clock          `json:"response"`
	Resolution Clock          `json:"resolution"`
	Free       bool           `json:"free" doc:"under warranty when it was opened"`
	Events     []TicketEvent  `json:"events" nullable:"false"`
}

// TicketPage is one page of a list.
type TicketPage struct {
	Items []Ticket `json:"items" nullable:"false"`
	Next  string   `json:"next" doc:"cursor of the next page, empty at the end"`
}

type ticketsInput struct {
	State  string `query:"state" enum:"open,answered,paused,resolved,closed" doc:"状态 · state"`
	Cursor string `query:"cursor" maxLength:"200" doc:"上一页给的 · from the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"每页几条 · rows a page"`
}

// keyedPost is a request that writes something new.
type keyedPost[T any] struct {
	Key  string `header:"Idempotency-Key" required:"true" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" maxLength:"64" doc:"同一个键、同一个请求，得到同一个回答 · same key, same request, same answer" example:"0193-5d1c-7a2b"`
	Body strict[T]
}

// ticketActs are the verbs that are asked for one by one.
var ticketActs = []struct{ verb, zh, en string }{
	{ticket.Answer, "答复：看过了，接下来怎么办", "answer: somebody has looked, and says what comes next"},
	{ticket.Pause, "暂停，说明在等谁", "pause, saying who is waited for"},
	{ticket.Continue, "不等了，继续", "go on after a pause"},
	{ticket.Resolve, "修好了：店里又能收钱了", "resolved: the shop can take money again"},
	{ticket.Reopen, "没修好", "it was not resolved"},
	{ticket.Close, "确认修好，关单", "close a resolved ticket"},
}

func (a *API) ticketOperations() {
	eg := Ticket{ID: "t-4kqz", Visit: egVisit, Kind: "printing", State: ticket.Opened, OpenedAt: egTime, Events: []TicketEvent{}}
	open := operation{id: ticket.Open, method: http.MethodPost, path: "/v1/tickets", tag: "tickets", zh: "报修或求助", en: "open a ticket",
		success: http.StatusCreated, request: OpenTicketRequest{Visit: egVisit, Kind: "printing", Note: "打不出小票"}, answer: eg}
	register(a, open, func(ctx context.Context, in *keyedPost[OpenTicketRequest]) (*answered[Ticket], error) {
		b := in.Body.value
		k, err := a.app.OpenTicket(ctx, actorOf(ctx), in.Key, b.Visit, b.Kind, b.Note)
		return &answered[Ticket]{Status: http.StatusCreated, Body: ticketBody(k)}, err
	})
	for _, act := range ticketActs {
		o := operation{id: act.verb, method: http.MethodPost, path: "/v1/tickets/{id}/" + act.verb, tag: "tickets", zh: act.zh, en: act.en,
			success: http.StatusOK, request: TicketAct{Note: "明天上午带新打印头来"}, answer: eg}
		register(a, o, func(ctx context.Context, in *posted[TicketAct]) (*answered[Ticket], error) {
			k, err := a.app.ActOnTicket(ctx, actorOf(ctx), in.ID, act.verb, in.Body.value.Reason, in.Body.value.Note)
			return &answered[Ticket]{Status: http.StatusOK, Body: ticketBody(k)}, err
		})
	}
	list := operation{id: "list_tickets", method: http.MethodGet, path: "/v1/tickets", tag: "tickets", zh: "列出看得到的工单", en: "list the tickets you may see",
		success: http.StatusOK, answer: TicketPage{Items: []Ticket{eg}}}
	register(a, list, a.tickets)
	read := operation{id: "read_ticket", method: http.MethodGet, path: "/v1/tickets/{id}", tag: "tickets", zh: "看一张工单", en: "read one ticket",
		success: http.StatusOK, answer: eg}
	register(a, read, func(ctx context.Context, in *Subject) (*answered[Ticket], error) {
		k, err := a.app.Ticket(ctx, actorOf(ctx), in.ID)
		return &answered[Ticket]{Status: http.StatusOK, Body: ticketBody(k)}, err
	})
}

func (a *API) tickets(ctx context.Context, in *ticketsInput) (*answered[TicketPage], error) {
	list, next, err := a.app.Tickets(ctx, actorOf(ctx), in.State, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	page := TicketPage{Items: make([]Ticket, 0, len(list)), Next: next}
	for _, k := range list {
		page.Items = append(page.Items, ticketBody(k))
	}
	return &answered[TicketPage]{Status: http.StatusOK, Body: page}, nil
}

func ticketBody(k app.Ticket) Ticket {
	r := k.Row
	out := Ticket{ID: r.ID, Visit: r.Visit, Kind: r.Kind, State: r.State, Acquirer: r.Org, Provider: r.Provider, Merchant: r.Merchant, Shop: r.Shop,
		OpenedAt: statement.At(r.OpenedAt.Time()), Reason: k.State.Reason(), Response: clockBody(k.Response), Resolution: clockBody(k.Resolution), Free: k.Free,
		Events: make([]TicketEvent, 0, len(k.Events))}
	for _, e := range k.Events {
		out.Events = append(out.Events, TicketEvent{Number: e.Number, Verb: e.Verb, Reason: e.Reason, Role: e.Role, At: statement.At(e.At), Note: e.Note})
	}
	return out
}

func clockBody(c ticket.Clock) Clock {
	out := Clock{Stands: c.Stands, Late: c.Late}
	if !c.DueAt.IsZero() {
		out.DueAt = statement.At(c.DueAt)
	}
	if !c.Stopped.IsZero() {
		out.StoppedAt = statement.At(c.Stopped)
	}
	return out
}
