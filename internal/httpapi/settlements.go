package httpapi

import (
	"context"
	"net/http"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// Settlement is one file that an acquirer laid against the sheets that its shops signed.
type Settlement struct {
	ID        string         `json:"id" doc:"按机构和文件算的摘要 · digest over organisation and file, hex"`
	MadeBy    string         `json:"made_by"`
	MadeAt    statement.Time `json:"made_at" doc:"最近一次 · the last time that it was laid"`
	Lines     int64          `json:"lines"`
	Compared  int64          `json:"compared" doc:"有签过的价目单可比的行 · lines of terminals with a signed sheet"`
	Differing int64          `json:"differing"`
}

// SettlementPage is one page of a list.
type SettlementPage struct {
	Items []Settlement `json:"items" nullable:"false"`
	Next  string       `json:"next" doc:"cursor of the next page, empty at the end"`
}

// Charged is one charge that took more than was signed.
type Charged struct {
	ID        string         `json:"id"`
	Acquirer  string         `json:"acquirer"`
	Merchant  string         `json:"merchant" doc:"id, never a name"`
	Terminal  string         `json:"terminal"`
	Visit     string         `json:"visit" doc:"that brought the terminal live"`
	Item      string         `json:"item"`
	Reference string         `json:"reference" doc:"the acquirer's own"`
	ChargedAt statement.Time `json:"charged_at"`
	TradeFen  int64          `json:"trade_fen"`
	TakenFen  int64          `json:"taken_fen"`
	SignedFen int64          `json:"signed_fen"`
	SignedPpm int64          `json:"signed_ppm" doc:"0 for a fee"`
	TakenPpm  int64          `json:"taken_ppm"`
	Code      string         `json:"code" doc:"rule that it breaks"`
	SettledAt statement.Time `json:"settled_at" doc:"empty while it is open"`
	Outcome   string         `json:"outcome" enum:"refunded,misreported," doc:"empty while it is open"`
}

// ChargedPage is one page of a list.
type ChargedPage struct {
	Items []Charged `json:"items" nullable:"false"`
	Next  string    `json:"next" doc:"cursor of the next page, empty at the end"`
}

// PhoneSaid is what a technician's phone said last of a visit: its own word, which decides nothing.
type PhoneSaid struct {
	Visit      string         `json:"visit"`
	Technician string         `json:"technician"`
	Statements int64          `json:"statements" doc:"签了还没发出来的 · signed and not sent"`
	Photos     int64          `json:"photos"`
	HeardAt    statement.Time `json:"heard_at"`
}

// PhonePage is one page of a list.
type PhonePage struct {
	Items []PhoneSaid `json:"items" nullable:"false"`
	Next  string      `json:"next" doc:"cursor of the next page, empty at the end"`
}

// VisitPhones is what the phones on a visit said last, and the status list by which its technician's badge is judged.
type VisitPhones struct {
	Phones      []PhoneSaid    `json:"phones" nullable:"false"`
	StatusList  int            `json:"status_list" doc:"its number, 0 for none"`
	StatusSince statement.Time `json:"status_since" doc:"since when menshen has it, empty for none"`
}

type differencesInput struct {
	Open   bool   `query:"open" doc:"只要还没处理的，商户看全部 · only what is not settled; a merchant always gets all"`
	Cursor string `query:"cursor" maxLength:"200" doc:"上一页给的 · from the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"每页几条 · rows a page"`
}

// settlementOperations let an acquirer's own systems, and the shop that paid, read what the console shows.
func (a *API) settlementOperations() {
	get := func(id, path, tag, zh, en string, answer any) operation {
		return operation{id: id, method: http.MethodGet, path: path, tag: tag, zh: zh, en: en, success: http.StatusOK, answer: answer}
	}
	files := get("list_settlements", "/v1/settlements", "merchants", "列出比过的结算明细", "list the settlement files that were laid against the sheets",
		SettlementPage{Items: []Settlement{{ID: "5f1c", MadeBy: "chen", MadeAt: egTime, Lines: 4, Compared: 3, Differing: 2}}})
	files.more = "For approver and risk desk, of their own acquirer. What keeps to its sheet is not kept line by line."
	register(a, files, a.settlements)
	lines := get("list_differences", "/v1/differences", "merchants", "列出比签的多收的", "list what was charged beyond a signed sheet",
		ChargedPage{Items: []Charged{{ID: "1795000000000.5f1c", Acquirer: "acq-huaishan", Merchant: "wei", Terminal: "W1489724", Visit: egVisit, Item: "debit", Reference: "r-2", ChargedAt: egTime,
			TradeFen: 10000, TakenFen: 72, SignedFen: 60, SignedPpm: 6000, TakenPpm: 7200, Code: "rate_over_sheet"}}})
	lines.more = "An acquirer's approver and risk desk get its own; a merchant what he paid, at every acquirer."
	register(a, lines, a.differences)
	said := PhoneSaid{Visit: egVisit, Technician: "lan", Statements: 2, Photos: 3, HeardAt: egTime}
	unsent := get("list_unsent", "/v1/unsent", "visits", "哪些手机上还有没发出来的", "list the phones that hold something unsent", PhonePage{Items: []PhoneSaid{said}})
	unsent.more = "Of the visits in your list, newest first. A page looks at limit visits, so it may hold fewer phones, even none, while next says that there are more."
	register(a, unsent, a.unsent)
	register(a, get("read_phones", "/v1/visits/{id}/phones", "visits", "一次上门的手机报了什么", "what the phones on a visit said last",
		VisitPhones{Phones: []PhoneSaid{said}, StatusList: 12, StatusSince: egTime}), a.visitPhones)
}

func (a *API) settlements(ctx context.Context, in *pageInput) (*answered[SettlementPage], error) {
	list, next, err := a.app.Settlements(ctx, actorOf(ctx), in.Cursor, in.Limit)
	page := SettlementPage{Items: make([]Settlement, 0, len(list)), Next: next}
	for _, f := range list {
		page.Items = append(page.Items, Settlement{ID: f.ID, MadeBy: f.MadeBy, MadeAt: statement.At(f.MadeAt.Time()), Lines: f.Lines, Compared: f.Compared, Differing: f.Differing})
	}
	return &answered[SettlementPage]{Status: http.StatusOK, Body: page}, err
}

func (a *API) differences(ctx context.Context, in *differencesInput) (*answered[ChargedPage], error) {
	find := a.app.MyDifferences
	actor := actorOf(ctx)
	if actor.Role != visit.RoleMerchant {
		find = func(ctx context.Context, actor app.Actor, cursor string, limit int) ([]store.SettlementLine, string, error) {
			return a.app.Differences(ctx, actor, in.Open, cursor, limit)
		}
	}
	list, next, err := find(ctx, actor, in.Cursor, in.Limit)
	page := ChargedPage{Items: make([]Charged, 0, len(list)), Next: next}
	for _, l := range list {
		page.Items = append(page.Items, Charged{ID: l.ID, Acquirer: l.Org, Merchant: l.Merchant, Terminal: l.Terminal, Visit: l.Visit, Item: l.Item, Reference: l.Reference,
			ChargedAt: statement.At(l.ChargedAt.Time()), TradeFen: l.TradeFen, TakenFen: l.TakenFen, SignedFen: l.SignedFen, SignedPpm: l.SignedPpm, TakenPpm: l.TakenPpm,
			Code: l.Code, SettledAt: instantOrNone(l.SettledAt), Outcome: l.Outcome})
	}
	return &answered[ChargedPage]{Status: http.StatusOK, Body: page}, err
}

func (a *API) unsent(ctx context.Context, in *pageInput) (*answered[PhonePage], error) {
	list, next, err := a.app.AllUnsent(ctx, actorOf(ctx), in.Cursor, in.Limit)
	return &answered[PhonePage]{Status: http.StatusOK, Body: PhonePage{Items: phonesSaid(list), Next: next}}, err
}

func (a *API) visitPhones(ctx context.Context, in *Subject) (*answered[VisitPhones], error) {
	list, age, err := a.app.VisitPhones(ctx, actorOf(ctx), in.ID)
	return &answered[VisitPhones]{Status: http.StatusOK, Body: VisitPhones{Phones: phonesSaid(list), StatusList: age.Number, StatusSince: instantOrNone(age.Since)}}, err
}

func phonesSaid(list []store.PhoneUnsent) []PhoneSaid {
	out := make([]PhoneSaid, 0, len(list))
	for _, u := range list {
		out = append(out, PhoneSaid{Visit: u.Visit, Technician: u.Technician, Statements: u.Statements, Photos: u.Photos, HeardAt: statement.At(u.HeardAt.Time())})
	}
	return out
}

func instantOrNone(i store.Instant) statement.Time {
	if i == 0 {
		return ""
	}
	return statement.At(i.Time())
}
