package httpapi

import (
	"context"
	"net/http"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// MerchantRow is a merchant in its acquirer's list.
type MerchantRow struct {
	ID        string `json:"id"`
	Name      string `json:"name" doc:"遮住的名称 · masked"`
	Code      string `json:"merchant_code"`
	Shops     int    `json:"shops"`
	Terminals int    `json:"terminals" doc:"open bindings"`
	Phone     string `json:"phone" enum:"none,enrolled,ended" doc:"of the merchant's signing key"`
}

// MerchantPage is one page of a list.
type MerchantPage struct {
	Items []MerchantRow `json:"items" nullable:"false"`
	Next  string        `json:"next" doc:"cursor of the next page, empty at the end"`
}

// MerchantPhone is one enrolled key of a merchant or of a clerk whom he let in.
type MerchantPhone struct {
	Holder  string         `json:"holder"`
	Key     string         `json:"key" doc:"thumbprint"`
	From    statement.Time `json:"from"`
	Until   statement.Time `json:"until"`
	InForce bool           `json:"in_force"`
	EndedAt statement.Time `json:"ended_at" doc:"empty while nothing ended it"`
}

// MerchantCode says what became of the newest one-time code; the code itself is never here.
type MerchantCode struct {
	Known bool           `json:"known" doc:"the acquirer's own service answered"`
	State string         `json:"state" enum:"live,locked,expired,used,revoked," doc:"empty for no code"`
	Made  statement.Time `json:"made"`
	Used  statement.Time `json:"used"`
	Until statement.Time `json:"until"`
}

// TerminalRow is one device bound to a shop.
type TerminalRow struct {
	Serial   string         `json:"serial"`
	Terminal string         `json:"terminal"`
	Merchant string         `json:"merchant"`
	Visit    string         `json:"visit" doc:"that bound it"`
	State    string         `json:"state" enum:"reserved,open,ended"`
	Since    statement.Time `json:"since"`
}

// Merchant is one merchant with what belongs to him.
type Merchant struct {
	MerchantRow
	ShopIDs  []string            `json:"shop_ids" nullable:"false"`
	OrderIDs []string            `json:"order_ids" nullable:"false" doc:"newest first, at most 50"`
	Bindings []TerminalRow       `json:"bindings" nullable:"false"`
	Phones   []MerchantPhone     `json:"phones" nullable:"false"`
	Clerks   []MerchantPhone     `json:"clerks" nullable:"false"`
	Identity visit.IdentityCheck `json:"identity" doc:"as the approver signed it with the newest order"`
	OneTime  MerchantCode        `json:"one_time_code"`
}

type merchantsInput struct {
	Query  string `query:"q" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$" doc:"商户、店铺、订单、上门或机具的整个编号，不要写姓名 · a whole id of a merchant, shop, order, visit or device; never a name"`
	Cursor string `query:"cursor" maxLength:"64" doc:"上一页给的 · from the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"每页几条 · rows a page"`
}

func (a *API) acquirerOperations() {
	row := MerchantRow{ID: "wei", Name: "魏****", Code: "531290058120001", Shops: 1, Terminals: 1, Phone: app.PhoneEnrolled}
	list := operation{id: "list_merchants", method: http.MethodGet, path: "/v1/merchants", tag: "merchants", zh: "列出本收单机构的商户", en: "list one's own acquirer's merchants",
		success: http.StatusOK, answer: MerchantPage{Items: []MerchantRow{row}}}
	register(a, list, func(ctx context.Context, in *merchantsInput) (*answered[MerchantPage], error) {
		rows, next, err := a.app.Merchants(ctx, actorOf(ctx), app.MerchantFilter{Query: in.Query, Cursor: in.Cursor, Limit: in.Limit})
		page := MerchantPage{Items: make([]MerchantRow, 0, len(rows)), Next: next}
		for _, m := range rows {
			page.Items = append(page.Items, merchantRow(m))
		}
		return &answered[MerchantPage]{Status: http.StatusOK, Body: page}, err
	})
	read := operation{id: "read_merchant", method: http.MethodGet, path: "/v1/merchants/{id}", tag: "merchants", zh: "看一家商户：店铺、订单、终端、手机", en: "read one merchant: shops, orders, terminals, phones",
		success: http.StatusOK, answer: Merchant{MerchantRow: row, ShopIDs: []string{"wei-1"}, OrderIDs: []string{egOrder}, Bindings: []TerminalRow{}, Phones: []MerchantPhone{}, Clerks: []MerchantPhone{},
			Identity: visit.IdentityCheck{CheckedAt: egTime, Method: "in_person", Accepted: true}}}
	register(a, read, func(ctx context.Context, in *Subject) (*answered[Merchant], error) {
		m, err := a.app.Merchant(ctx, actorOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return &answered[Merchant]{Status: http.StatusOK, Body: merchantBody(m)}, nil
	})
}

func merchantRow(m app.MerchantRow) MerchantRow {
	return MerchantRow{ID: m.ID, Name: m.Name, Code: m.Code, Shops: m.Shops, Terminals: m.Terminals, Phone: m.Phone}
}

func merchantBody(m app.MerchantDetail) Merchant {
	out := Merchant{MerchantRow: merchantRow(m.MerchantRow), ShopIDs: []string{}, OrderIDs: []string{}, Bindings: []TerminalRow{}, Phones: phoneRows(m.Phones), Clerks: phoneRows(m.Clerks),
		Identity: m.Check, OneTime: MerchantCode{Known: m.Code.Known, State: m.Code.State, Made: m.Code.Made, Used: m.Code.Used, Until: m.Code.Until}}
	for _, s := range m.ShopList {
		out.ShopIDs = append(out.ShopIDs, s.ID)
	}
	for _, o := range m.Orders {
		out.OrderIDs = append(out.OrderIDs, o.ID)
	}
	for _, b := range m.Bindings {
		out.Bindings = append(out.Bindings, TerminalRow{Serial: b.Serial, Terminal: b.TerminalCode, Merchant: b.Merchant, Visit: b.Visit, State: b.State, Since: statement.At(b.SinceAt.Time())})
	}
	return out
}

func phoneRows(list []app.Phone) []MerchantPhone {
	out := make([]MerchantPhone, 0, len(list))
	for _, p := range list {
		row := MerchantPhone{Holder: p.Holder, Key: p.Key, From: statement.At(p.From), Until: statement.At(p.Until), InForce: p.InForce}
		if p.Ended {
			row.EndedAt = statement.At(p.EndedAt)
		}
		out = append(out, row)
	}
	return out
}
