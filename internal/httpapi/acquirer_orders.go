package httpapi

import (
	"context"
	"net/http"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// OrderRow is an order in its acquirer's list.
type OrderRow struct {
	ID          string         `json:"id"`
	Kind        string         `json:"kind"`
	State       string         `json:"state" enum:"planned,booked"`
	Merchant    string         `json:"merchant" doc:"id, never a name"`
	Shop        string         `json:"shop"`
	Provider    string         `json:"provider"`
	Risk        int            `json:"risk"`
	WindowFrom  statement.Time `json:"window_from"`
	WindowUntil statement.Time `json:"window_until"`
	Visit       string         `json:"visit" doc:"the newest, empty for none"`
	Stage       string         `json:"stage"`
	Offered     string         `json:"offered" doc:"digest of the acquirer's signature under a sheet, empty for none"`
	Accepted    string         `json:"accepted" doc:"digest of the merchant's"`
	Agreed      bool           `json:"agreed" doc:"both signed one sheet"`
	Turn        string         `json:"turn" doc:"role that must act, empty for nobody"`
}

// OrderPage is one page of a list.
type OrderPage struct {
	Items []OrderRow `json:"items" nullable:"false"`
	Next  string     `json:"next" doc:"cursor of the next page, empty at the end; a page may be short and still have a next"`
}

// SheetDraft is a price sheet that nobody has signed yet.
type SheetDraft struct {
	ID        string          `json:"id"`
	Title     string          `json:"title"`
	Order     string          `json:"order" doc:"that it was sent for, empty for a template"`
	Sheet     agreement.Sheet `json:"sheet"`
	MadeBy    string          `json:"made_by"`
	UpdatedAt statement.Time  `json:"updated_at"`
	Check     SheetCheck      `json:"check"`
}

// SheetCheck is what the agreement's rules say about a sheet.
type SheetCheck struct {
	Problem *SheetProblem    `json:"problem,omitempty" doc:"absent when the sheet may be signed"`
	Flags   []agreement.Flag `json:"flags" nullable:"false" doc:"what the merchant must tick, each with the rule behind it"`
	NowFen  int64            `json:"now_fen" doc:"due with this order"`
	OnceFen int64            `json:"once_fen"`
	Digest  string           `json:"digest"`
}

// SheetProblem is the first thing that is malformed.
type SheetProblem struct {
	Code  string `json:"code"`
	Where string `json:"where"`
	Zh    string `json:"zh"`
	En    string `json:"en"`
}

// SheetPage is one page of a list.
type SheetPage struct {
	Items []SheetDraft `json:"items" nullable:"false"`
	Next  string       `json:"next"`
}

// SaveSheet keeps a draft.
type SaveSheet struct {
	Title string          `json:"title" doc:"给自己人看的名字，不要写人名 · for colleagues; no names of people"`
	Sheet agreement.Sheet `json:"sheet"`
}

// SendSheet sends a draft for signing.
type SendSheet struct {
	Order string `json:"order"`
}

type ordersInput struct {
	State  string `query:"state" enum:"planned,booked" doc:"阶段 · state"`
	Kind   string `query:"kind" enum:"install,swap,relocation,repair,removal,inspection" doc:"种类 · kind"`
	Turn   string `query:"turn" enum:"approver,merchant,dispatcher,technician,risk" doc:"该谁动 · whose turn"`
	Query  string `query:"q" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$" doc:"整个编号 · a whole id; never a name"`
	Cursor string `query:"cursor" maxLength:"200" doc:"上一页给的 · from the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"每页几条 · rows a page"`
}

type pageInput struct {
	Cursor string `query:"cursor" maxLength:"200" doc:"上一页给的 · from the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"每页几条 · rows a page"`
}

// Done says that something was done that has no other answer.
type Done struct {
	Done bool `json:"done"`
}

var egSheet = agreement.Sheet{Terms: egDigest, Acquirer: "jianghe", Provider: "qingluo", SettledBy: "jianghe",
	Items: []agreement.Item{{Code: agreement.ItemDeposit, Label: "机具押金", AmountFen: 29900, Per: agreement.PerOnce, When: agreement.WhenLive, PaidTo: "jianghe", ReturnCondition: "机具交回后 7 个工作日内全额退回"}},
	Rates: []agreement.Rate{{Card: agreement.CardDebit, RatePPM: 5000, CapFen: 2000}}, Clauses: []agreement.Clause{}, Scope: "上门安装一台终端", WarrantyMonths: 12, ResponseHours: 4, ResolutionHours: 24,
	Responsibility: []agreement.Responsible{}}

func (a *API) orderOperations() {
	row := OrderRow{ID: egOrder, Kind: visit.Install, State: app.OrderBooked, Merchant: "wei", Shop: "wei-1", Provider: "qingluo", WindowFrom: egTime, WindowUntil: egTime, Visit: egVisit, Stage: string(visit.Booked), Turn: visit.RoleMerchant}
	register(a, operation{id: "list_orders", method: http.MethodGet, path: "/v1/orders", tag: "orders", zh: "列出本收单机构的订单，该谁动", en: "list one's own acquirer's orders and whose turn it is",
		success: http.StatusOK, answer: OrderPage{Items: []OrderRow{row}}}, a.orders)
	register(a, operation{id: "read_order", method: http.MethodGet, path: "/v1/orders/{id}", tag: "orders", zh: "看一份订单", en: "read one order",
		success: http.StatusOK, answer: row}, func(ctx context.Context, in *Subject) (*answered[OrderRow], error) {
		o, err := a.app.Order(ctx, actorOf(ctx), in.ID)
		return &answered[OrderRow]{Status: http.StatusOK, Body: orderRow(o.OrderRow)}, err
	})
	register(a, operation{id: "read_order_previous", method: http.MethodGet, path: "/v1/orders/{id}/previous/{key}", tag: "orders", zh: "这把密钥在订单上签的上一份文件的摘要", en: "the digest of a key's last statement on an order",
		success: http.StatusOK, answer: Previous{Previous: egDigest}}, func(ctx context.Context, in *previousInput) (*answered[Previous], error) {
		digest, err := a.app.LastOnOrder(ctx, actorOf(ctx), in.ID, in.Key)
		return &answered[Previous]{Status: http.StatusOK, Body: Previous{digest}}, err
	})
	a.sheetOperations()
}

func (a *API) sheetOperations() {
	draft := SheetDraft{ID: "standard-2026", Title: "标准装机", Sheet: egSheet, MadeBy: "min", UpdatedAt: egTime, Check: checkBody(app.CheckSheet(egSheet))}
	register(a, operation{id: "list_sheets", method: http.MethodGet, path: "/v1/sheets", tag: "orders", zh: "列出价目单草稿", en: "list drafts of price sheets",
		success: http.StatusOK, answer: SheetPage{Items: []SheetDraft{draft}}}, func(ctx context.Context, in *pageInput) (*answered[SheetPage], error) {
		list, next, err := a.app.Sheets(ctx, actorOf(ctx), in.Cursor, in.Limit)
		page := SheetPage{Items: make([]SheetDraft, 0, len(list)), Next: next}
		for _, d := range list {
			page.Items = append(page.Items, draftBody(d))
		}
		return &answered[SheetPage]{Status: http.StatusOK, Body: page}, err
	})
	register(a, operation{id: "read_sheet", method: http.MethodGet, path: "/v1/sheets/{id}", tag: "orders", zh: "看一份草稿", en: "read one draft", success: http.StatusOK, answer: draft}, a.sheet)
	register(a, operation{id: "save_sheet", method: http.MethodPost, path: "/v1/sheets/{id}/save", tag: "orders", zh: "存价目单草稿，并检查", en: "save a draft of a price sheet, and check it",
		success: http.StatusOK, request: SaveSheet{Title: "标准装机", Sheet: egSheet}, answer: draft}, func(ctx context.Context, in *posted[SaveSheet]) (*answered[SheetDraft], error) {
		if err := a.app.SaveSheet(ctx, actorOf(ctx), app.SheetDraft{ID: in.ID, Title: in.Body.value.Title, Sheet: in.Body.value.Sheet}); err != nil {
			return nil, err
		}
		return a.sheet(ctx, &in.Subject)
	})
	register(a, operation{id: "send_sheet", method: http.MethodPost, path: "/v1/sheets/{id}/send", tag: "orders", zh: "把草稿送去签字", en: "send a draft for signing on an order",
		success: http.StatusOK, request: SendSheet{Order: egOrder}, answer: draft}, func(ctx context.Context, in *posted[SendSheet]) (*answered[SheetDraft], error) {
		if err := a.app.SendSheet(ctx, actorOf(ctx), in.ID, in.Body.value.Order); err != nil {
			return nil, err
		}
		return a.sheet(ctx, &in.Subject)
	})
	register(a, operation{id: "drop_sheet", method: http.MethodPost, path: "/v1/sheets/{id}/drop", tag: "orders", zh: "不要这份草稿了", en: "forget a draft",
		success: http.StatusOK, request: nothing{}, answer: Done{true}}, func(ctx context.Context, in *posted[nothing]) (*answered[Done], error) {
		return &answered[Done]{Status: http.StatusOK, Body: Done{true}}, a.app.DropSheet(ctx, actorOf(ctx), in.ID)
	})
	a.noNulls("Sheet", "items", "rates", "clauses", "responsibility")
	a.noNulls("Flag", "places")
}

// noNulls says of lists in types of other packages what their form is: present, if empty.
func (a *API) noNulls(schema string, lists ...string) {
	for _, list := range lists {
		a.huma.OpenAPI().Components.Schemas.Map()[schema].Properties[list].Nullable = false
	}
}

func (a *API) orders(ctx context.Context, in *ordersInput) (*answered[OrderPage], error) {
	list, next, err := a.app.Orders(ctx, actorOf(ctx), app.OrdersFilter{State: in.State, Kind: in.Kind, Turn: in.Turn, Query: in.Query, Cursor: in.Cursor, Limit: in.Limit})
	page := OrderPage{Items: make([]OrderRow, 0, len(list)), Next: next}
	for _, o := range list {
		page.Items = append(page.Items, orderRow(o))
	}
	return &answered[OrderPage]{Status: http.StatusOK, Body: page}, err
}

func (a *API) sheet(ctx context.Context, in *Subject) (*answered[SheetDraft], error) {
	d, err := a.app.Sheet(ctx, actorOf(ctx), in.ID)
	return &answered[SheetDraft]{Status: http.StatusOK, Body: draftBody(d)}, err
}

func orderRow(o app.OrderRow) OrderRow {
	out := OrderRow{ID: o.ID, Kind: o.Kind, State: o.State, Merchant: o.Merchant, Shop: o.Shop, Provider: o.Provider, Risk: int(o.Risk), WindowFrom: statement.At(o.WindowStartAt.Time()),
		WindowUntil: statement.At(o.WindowEndAt.Time()), Visit: o.Visit, Stage: string(o.Stage), Agreed: o.Agreed(), Turn: o.Turn}
	if o.Offer != nil {
		out.Offered = o.Offer.Statement
	}
	if o.Accept != nil {
		out.Accepted = o.Accept.Statement
	}
	return out
}

func draftBody(d app.SheetDraft) SheetDraft {
	return SheetDraft{ID: d.ID, Title: d.Title, Order: d.Order, Sheet: d.Sheet, MadeBy: d.MadeBy, UpdatedAt: statement.At(d.UpdatedAt), Check: checkBody(app.CheckSheet(d.Sheet))}
}

func checkBody(c app.SheetCheck) SheetCheck {
	out := SheetCheck{Flags: c.Flags, NowFen: c.NowFen, OnceFen: c.OnceFen, Digest: c.Digest}
	if c.Problem != nil {
		out.Problem = &SheetProblem{Code: c.Problem.Code, Where: fault.Of(c.Problem).Where, Zh: c.Problem.Text.Zh, En: c.Problem.Text.En}
	}
	return out
}
