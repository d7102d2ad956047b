package httpapi

import (
	"context"
	"net/http"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// MerchantRow is a merchant in its acquirer's list.
type MerchantRow struct {
	ID        string `json:"id"`
	Name      string `json:"name" doc:"登记的名称 · registered name"`
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

// NewMerchant is one merchant with his shop. What is personal goes into the vault.
type NewMerchant struct {
	ID           string  `json:"id,omitempty" doc:"空着由门神给一个 · empty for one of menshen's choosing; never a name"`
	Name         string  `json:"name" doc:"营业执照上的名称 · as on the business licence"`
	CreditCode   string  `json:"credit_code,omitempty" doc:"统一社会信用代码，GB 32100-2015；小微商户没有 · absent for a merchant without one"`
	Micro        bool    `json:"micro,omitempty" doc:"小微商户：没有信用代码，按负责人证件号登记 · has no credit code; the principal's number stands for it"`
	Principal    string  `json:"principal" doc:"负责人姓名 · who answers for it"`
	PrincipalID  string  `json:"principal_id" doc:"负责人身份证号，GB 11643-1999"`
	Phone        string  `json:"phone" doc:"核验过的手机，订单链接发到这里 · the number that was checked; order links go there"`
	AccountKind  string  `json:"account_kind" enum:"card,company"`
	Account      string  `json:"account" doc:"结算账户 · settlement account"`
	MerchantCode string  `json:"merchant_code" doc:"15 位 · 15 characters"`
	Another      bool    `json:"another,omitempty" doc:"信用代码已登记过，仍是另一家商户 · the credit code is on file, and this is another merchant all the same"`
	Shop         NewShop `json:"shop"`
}

// NewShop is the first shop of a new merchant.
type NewShop struct {
	ID           string `json:"id,omitempty" doc:"空着由门神给一个 · empty for one of menshen's choosing"`
	Name         string `json:"name"`
	Address      string `json:"address"`
	Position     string `json:"position" doc:"WGS-84, +31.23/+121.47"`
	Province     string `json:"province" doc:"GB/T 2260 前两位 · its first two digits"`
	Region       string `json:"region" doc:"清算地区码 · the clearing house's region"`
	Category     string `json:"category" doc:"MCC"`
	OpeningHours string `json:"opening_hours"`
}

// Registered says under which ids a merchant and his shop are on file now.
type Registered struct {
	Merchant string `json:"merchant"`
	Shop     string `json:"shop"`
}

type newMerchantInput struct {
	Key      string `header:"Idempotency-Key" required:"true" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" maxLength:"64" doc:"同一个键、同一个请求，得到同一个回答 · same key, same request, same answer" example:"0193-5d1c-7a2b"`
	Language string `header:"Accept-Language" doc:"zh 或 en：detail 用哪种话 · the language of detail"`
	Body     strict[NewMerchant]
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
	add := operation{id: "register_merchant", method: http.MethodPost, path: "/v1/merchants", tag: "merchants", zh: "登记一家商户和它的店", en: "register one merchant with his shop",
		success: http.StatusCreated, answer: Registered{Merchant: "wei", Shop: "wei-1"}, request: NewMerchant{Name: "示例面馆", CreditCode: "91310000MA19NUKJJ0", Principal: "示例", PrincipalID: "11010519491231002X", Phone: "15400000001",
			AccountKind: "card", Account: "6200000000000005", MerchantCode: "531290058120001", Shop: NewShop{Name: "示例面馆", Address: "槐山路 1 号", Position: "+31.23/+121.47", Province: "31", Region: "2900", Category: "5812", OpeningHours: "09:00-21:00"}}}
	add.more = "For an acquirer's approver. It enrols no key: that is the acquirer's own service's, with a one-time code that menshen never sees. " +
		"With merchant_fields, rules names every field that is wrong."
	register(a, add, a.registerMerchant)
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

func (a *API) registerMerchant(ctx context.Context, in *newMerchantInput) (*answered[Registered], error) {
	b := in.Body.value
	m, wrong, err := a.app.RegisterMerchant(ctx, actorOf(ctx), app.NewMerchant{ID: b.ID, Name: b.Name, CreditCode: b.CreditCode, Micro: b.Micro, Principal: b.Principal, PrincipalID: b.PrincipalID, Phone: b.Phone,
		AccountKind: b.AccountKind, Account: b.Account, Code: b.MerchantCode, Another: b.Another, Shop: b.Shop.ID, ShopName: b.Shop.Name, Address: b.Shop.Address, Position: b.Shop.Position,
		Province: b.Shop.Province, Region: b.Shop.Region, Category: b.Shop.Category, Opening: b.Shop.OpeningHours})
	if len(wrong) > 0 {
		return nil, fieldProblem(ctx, in.Language, err, wrong)
	}
	return &answered[Registered]{Status: http.StatusCreated, Body: Registered{Merchant: m.ID, Shop: m.Shop}}, err
}

// fieldProblem tells of every field that is wrong. Its place is the first.
func fieldProblem(ctx context.Context, lang string, err error, wrong []app.Wrong) *Problem {
	f := fault.Of(err)
	see(ctx).fault = f
	p := problemOf(f, languageOf(lang))
	for _, w := range wrong {
		p.Rules = append(p.Rules, Broken{Where: w.Field, Rule: w.Code, Zh: w.Text.Zh, En: w.Text.En})
	}
	p.Where = p.Rules[0].Where
	return p
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
