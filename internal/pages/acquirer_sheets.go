package pages

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
)

const sheetsPath = "/staff/sheets"

// feeLine is one row of the builder: every kind of fee has one, so that none is forgotten. Without an amount it
// is not on the sheet.
type feeLine struct {
	agreement.Item
	On    bool
	Other bool // may be named, removed and had more than once
}

// ordinary are the rhythms in which fees usually fall due.
var ordinary = []agreement.Item{
	{Code: agreement.ItemDeposit, Per: agreement.PerOnce, When: agreement.WhenLive}, {Code: agreement.ItemActivation, Per: agreement.PerOnce, When: agreement.WhenLive},
	{Code: agreement.ItemData, Per: agreement.PerYear, When: agreement.WhenPeriod}, {Code: agreement.ItemService, Per: agreement.PerMonth, When: agreement.WhenPeriod},
	{Code: agreement.ItemPerTrade, Per: agreement.PerTrade, When: agreement.WhenPeriod}, {Code: agreement.ItemMinimum, Per: agreement.PerMonth, When: agreement.WhenPeriod},
	{Code: agreement.ItemExit, Per: agreement.PerOnce, When: agreement.WhenEvent}, {Code: agreement.ItemRepair, Per: agreement.PerOnce, When: agreement.WhenEvent},
}

// feeLines are the rows for a sheet: the ordinary kinds first, then what else it holds.
func (p *page) feeLines(s agreement.Sheet) []feeLine {
	var out []feeLine
	used := map[string]bool{}
	for _, o := range ordinary {
		line := feeLine{Item: o}
		line.Label, line.PaidTo = p.feeName(o.Code), s.Acquirer
		if i := slices.IndexFunc(s.Items, func(i agreement.Item) bool { return i.Code == o.Code }); i >= 0 {
			line.Item, line.On, used[o.Code] = s.Items[i], true, true
		}
		out = append(out, line)
	}
	for _, i := range s.Items {
		if !used[i.Code] {
			out = append(out, feeLine{Item: i, On: true, Other: true})
		}
	}
	return out
}

// feeName is a fee's ordinary name: in Chinese, for the shop reads the sheet.
func (p *page) feeName(code string) string {
	kind, _, _ := strings.Cut(code, ".")
	return feeWords[kind].Zh
}

// feeSuffix is what an other fee is called for machines: the part of its code after the dot.
func feeSuffix(code string) string {
	_, name, _ := strings.Cut(code, ".")
	return name
}

func knownFirm(list []app.Firm, id string) bool {
	return slices.ContainsFunc(list, func(f app.Firm) bool { return f.ID == id })
}

// rateLine is a kind of card with its rate, if the sheet has one.
type rateLine struct {
	agreement.Rate
	On bool
}

var sheetCards = []string{agreement.CardDebit, agreement.CardCredit, agreement.CardQR, agreement.CardForeign}

func rateLines(s agreement.Sheet) []rateLine {
	var out []rateLine
	for _, card := range sheetCards {
		line := rateLine{Rate: agreement.Rate{Card: card}}
		for _, r := range s.Rates {
			if r.Card == card {
				line = rateLine{Rate: r, On: true}
			}
		}
		out = append(out, line)
	}
	return out
}

// decimal writes fen as yuan, or parts per million as per cent, without what is nought.
func decimal(n int64, places int) string {
	unit := int64(1)
	for range places {
		unit *= 10
	}
	out := strconv.FormatInt(n/unit, 10)
	if rest := n % unit; rest != 0 {
		text := strconv.FormatInt(rest+unit, 10)[1:]
		out += "." + strings.TrimRight(text, "0")
	}
	return out
}

func yuanField(fen int64) string    { return decimal(fen, 2) }
func percentField(ppm int64) string { return decimal(ppm, 4) }

// steps of the work that somebody answers for.
var sheetSteps = []string{"deliver", "back_up", "mount", "trial", "train", "repair", "take_away"}

// responsibleOf is who answers for a step on a sheet, "" for nobody.
func responsibleOf(s agreement.Sheet, step string) string {
	for _, r := range s.Responsibility {
		if r.Step == step {
			return r.Organisation
		}
	}
	return ""
}

// SheetsView is the list of drafts.
type SheetsView struct {
	Query listQuery
	Rows  []app.SheetDraft
	Next  string
}

func (s *Server) sheets(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	v := SheetsView{Query: listQueryOf(r.URL.Query())}
	if v.Rows, v.Next, err = s.Desk.App.Sheets(r.Context(), actorOf(p.viewer), v.Query.After, rowsPerPage); err != nil {
		return err
	}
	return s.show(r.Context(), w, http.StatusOK, sheetsPage(p, v))
}

// SheetView is the builder.
type SheetView struct {
	app.SheetDraft
	Order     string // it is written for, "" for a template
	Providers []app.Firm
	Acquirer  app.Firm
	New       bool
}

func (s *Server) sheetPage(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	v := SheetView{New: r.PathValue("id") == "new", Order: r.URL.Query().Get("order")}
	if identifier.CheckID(v.Order) != nil {
		v.Order = ""
	}
	actor := actorOf(p.viewer)
	if v.New {
		v.SheetDraft, err = s.freshSheet(r, p, v.Order)
	} else if v.SheetDraft, err = s.Desk.App.Sheet(r.Context(), actor, r.PathValue("id")); err == nil && v.SheetDraft.Order != "" {
		v.Order = v.SheetDraft.Order
	}
	if err != nil {
		return err
	}
	if v.Acquirer, v.Providers, err = s.Desk.App.AcquirersProviders(r.Context(), actor); err != nil {
		return err
	}
	allow(w, needs{api: true})
	return s.show(r.Context(), w, http.StatusOK, sheetBuilder(p, v))
}

// freshSheet begins with what the address names: another draft, or what the order's merchant agreed to before.
func (s *Server) freshSheet(r *http.Request, p *page, order string) (app.SheetDraft, error) {
	d := app.SheetDraft{Sheet: agreement.Sheet{Acquirer: p.viewer.Organisation, SettledBy: p.viewer.Organisation}}
	if from := r.URL.Query().Get("from"); identifier.CheckID(from) == nil {
		kept, err := s.Desk.App.Sheet(r.Context(), actorOf(p.viewer), from)
		if err != nil {
			return d, err
		}
		d.Title, d.Sheet = kept.Title, kept.Sheet
	}
	if order == "" {
		return d, nil
	}
	o, err := s.Desk.App.Order(r.Context(), actorOf(p.viewer), order)
	if err != nil {
		return d, err
	}
	if d.Title == "" {
		d.Title = order
	}
	if d.Sheet.Terms == "" && o.Earlier != nil {
		d.Sheet = o.Earlier.Sheet // but for what was paid once: a deposit is not laid down again
		d.Sheet.Items = slices.DeleteFunc(slices.Clone(d.Sheet.Items), func(i agreement.Item) bool { return i.Per == agreement.PerOnce })
	}
	if d.Sheet.Provider == "" {
		d.Sheet.Provider = o.Provider
	}
	return d, nil
}

// lineView is one line of the merchant's view of a sheet.
type lineView struct {
	Name   string `json:"name"`
	When   string `json:"when"`
	Amount string `json:"amount"`
}

// changeView is one difference from the sheet that the merchant agreed to before.
type changeView struct {
	What   string `json:"what"`
	Was    string `json:"was"`
	Is     string `json:"is"`
	Dearer bool   `json:"dearer"`
}

// flagLine is a trap as the builder lists it.
type flagLine struct {
	Code string `json:"code"`
	Text string `json:"text"`
	Rule string `json:"rule"`
	At   string `json:"at"`
}

// sheetJudged is what the rules say, in the page's language.
type sheetJudged struct {
	Problem string       `json:"problem"`
	Where   string       `json:"where"`
	Code    string       `json:"code"`
	Flags   []flagLine   `json:"flags"`
	Total   string       `json:"total"`
	Lines   []lineView   `json:"lines"`
	Service string       `json:"service"`
	Changes []changeView `json:"changes"`
	Digest  string       `json:"digest"`
}

// checkSheet judges a sheet as it is typed; nothing is kept.
func (s *Server) checkSheet(w http.ResponseWriter, r *http.Request) (any, error) {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		return nil, errForm.Because(err)
	}
	var in struct {
		Sheet agreement.Sheet `json:"sheet"`
		Order string          `json:"order"`
	}
	if err := statement.Decode(data, &in); err != nil {
		return nil, err
	}
	var earlier *agreement.Sheet
	if in.Order != "" {
		o, err := s.Desk.App.Order(r.Context(), actorOf(p.viewer), in.Order)
		if err != nil {
			return nil, err
		}
		if o.Earlier != nil {
			earlier = &o.Earlier.Sheet
		}
	}
	return p.judge(in.Sheet, earlier), nil
}

func (p *page) judge(s agreement.Sheet, earlier *agreement.Sheet) sheetJudged {
	c := app.CheckSheet(s)
	out := sheetJudged{Flags: []flagLine{}, Lines: []lineView{}, Changes: []changeView{}, Digest: c.Digest, Total: p.text(offerOf(s).total()), Service: p.text(serviceText(s))}
	if c.Problem != nil {
		out.Problem, out.Where, out.Code = p.text(c.Problem.Text), fault.Of(c.Problem).Where, c.Problem.Code
	}
	for _, f := range c.Flags {
		out.Flags = append(out.Flags, flagLine{Code: f.Code, Text: p.text(f.Text), Rule: p.text(f.Rule), At: strings.Join(f.Places, " ")})
	}
	for _, i := range s.Items {
		out.Lines = append(out.Lines, lineView{Name: i.Label, When: p.text(itemWhen(i)), Amount: yuan(i.AmountFen)})
	}
	for _, r := range s.Rates {
		out.Lines = append(out.Lines, lineView{Name: p.term(cardWords, r.Card), Amount: p.text(rateText(r))})
	}
	if earlier != nil {
		out.Changes = p.changes(*earlier, s)
	}
	return out
}

// offerOf is a sheet as the merchant's own page shows it.
func offerOf(s agreement.Sheet) ShopOrder {
	deposit, _ := s.Deposit()
	return ShopOrder{Offer: &ShopPrice{Sheet: s, Flags: agreement.Check(s), NowFen: s.TotalNowFen(), Deposit: deposit}}
}

// changes tells two sheets apart in the page's language.
func (p *page) changes(old, new agreement.Sheet) []changeView {
	out := []changeView{}
	for _, c := range agreement.Compare(old, new) {
		v := changeView{What: p.changed(c), Dearer: c.Dearer}
		v.Was, v.Is = p.placed(old, c.Old), p.placed(new, c.New)
		out = append(out, v)
	}
	return out
}

func (p *page) changed(c agreement.Change) string {
	switch c.Part {
	case "items":
		kind, _, _ := strings.Cut(c.Code, ".")
		return p.term(feeWords, kind)
	case "rates":
		return p.term(cardWords, c.Code)
	case "responsibility":
		return p.t("sheet.part.responsibility") + " " + p.term(dutyWords, c.Code)
	}
	return p.t("sheet.part." + c.Part)
}

// placed is what stands at a place of a sheet, "–" where there is none.
func (p *page) placed(s agreement.Sheet, place string) string {
	if place == "" {
		return "–"
	}
	part, index, _ := strings.Cut(strings.TrimSuffix(place, "]"), "[")
	n, err := strconv.Atoi(index)
	if err != nil {
		return p.member(s, part)
	}
	switch part {
	case "items":
		i := s.Items[n]
		return strings.TrimSpace(yuan(i.AmountFen) + " " + p.text(itemWhen(i)) + " → " + i.PaidTo + " " + i.ReturnCondition)
	case "rates":
		return p.text(rateText(s.Rates[n]))
	case "clauses":
		return s.Clauses[n].Text
	}
	return s.Responsibility[n].Organisation
}

func (p *page) member(s agreement.Sheet, name string) string {
	switch name {
	case "terms":
		return short(s.Terms)
	case "acquirer":
		return s.Acquirer
	case "provider":
		return s.Provider
	case "settled_by":
		return s.SettledBy
	case "scope":
		return s.Scope
	}
	return number(map[string]int{"warranty_months": s.WarrantyMonths, "response_hours": s.ResponseHours, "resolution_hours": s.ResolutionHours}[name])
}
