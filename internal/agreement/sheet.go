package agreement

import (
	"slices"
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// What a line of the sheet is for: the part of Item.Code before the dot.
const (
	ItemDeposit    = "deposit"
	ItemActivation = "activation"
	ItemData       = "data"
	ItemService    = "service"
	ItemPerTrade   = "per_trade"
	ItemMinimum    = "minimum"
	ItemExit       = "exit"
	ItemRepair     = "repair"
	ItemOther      = "other"
)

// How often a line may be taken.
const (
	PerOnce  = "once"
	PerMonth = "month"
	PerYear  = "year"
	PerTrade = "trade"
)

// When a line falls due.
const (
	WhenSigning = "signing" // with the signature
	WhenLive    = "live"    // once the terminal works; also the first month or year of a line
	WhenPeriod  = "period"  // with each month, year or trade
	WhenEvent   = "event"   // only if it happens: giving the terminal back, a repair
)

// What a rate is for.
const (
	CardDebit   = "debit"
	CardCredit  = "credit"
	CardQR      = "qr"
	CardForeign = "foreign"
)

// None stands where an organisation would, when there is none.
const None = "none"

// Bounds. A sheet beyond them is no price sheet for a shop.
const (
	MaxAmountFen = 100_000_000 // ¥1 000 000 for one line
	MaxRatePPM   = 100_000     // 10 %
	maxItems     = 64
	maxRates     = 4
	maxClauses   = 64
	maxSteps     = 64
	maxWarranty  = 120  // months
	maxHours     = 8760 // a year
)

var (
	errTerms        = fault.New(fault.Invalid, "sheet_terms_malformed", "价格表没有写明是哪一份条款。", "The price sheet does not name its terms by digest.")
	errAcquirer     = fault.New(fault.Invalid, "sheet_acquirer_malformed", "价格表没有写明给您打款的是哪家机构。", "The price sheet does not name the acquirer.")
	errProvider     = fault.New(fault.Invalid, "sheet_provider_malformed", "价格表里派人上门的公司写得不对。", "The price sheet's provider is malformed.")
	errSettledBy    = fault.New(fault.Invalid, "sheet_settled_by_malformed", "价格表没有写清办完以后谁给您打款。", "The price sheet must say who pays the shop afterwards: its acquirer or none.")
	errTooMany      = fault.New(fault.TooLarge, "sheet_too_long", "价格表的行数太多了。", "The price sheet has too many lines.")
	errText         = fault.New(fault.Invalid, "sheet_text_malformed", "文字空着、太长，或者夹着看不见的字符。", "A text is empty, too long, or holds characters that do not show.")
	errItemCode     = fault.New(fault.Invalid, "item_code_unknown", "不认识的收费项目。", "This kind of fee is not known.")
	errItemRepeated = fault.New(fault.Invalid, "item_repeated", "同一个收费项目写了两行。", "Two lines have the same code; a charge could not say which it is.")
	errItemAmount   = fault.New(fault.Invalid, "item_amount_out_of_bounds", "金额要在 0 到 100 万元之间。", "An amount must lie between 0 and 1,000,000 yuan.")
	errItemPer      = fault.New(fault.Invalid, "item_per_unknown", "没写清多久收一次。", "How often a fee is taken must be once, month, year or trade.")
	errItemWhen     = fault.New(fault.Invalid, "item_when_unknown", "没写清什么时候收。", "When a fee falls due must be signing, live, period or event.")
	errItemRhythm   = fault.New(fault.Invalid, "item_rhythm_impossible", "“多久收一次”和“什么时候收”对不上。", "How often and when do not fit each other.")
	errItemPaidTo   = fault.New(fault.Invalid, "item_paid_to_malformed", "没写清钱交给谁。", "A fee must name the organisation it is paid to.")
	errRateCard     = fault.New(fault.Invalid, "rate_card_unknown", "不认识的卡种。", "This kind of card is not known.")
	errRateRepeated = fault.New(fault.Invalid, "rate_repeated", "同一种卡写了两个费率。", "Two rates for one kind of card.")
	errRateBounds   = fault.New(fault.Invalid, "rate_out_of_bounds", "费率要在 0 到 10% 之间。", "A rate must lie between 0 and 10 %, its cap between 0 and 1,000,000 yuan.")
	errClauseCode   = fault.New(fault.Invalid, "clause_code_unknown", "不认识的条款种类。", "This kind of clause is not known.")
	errTermBounds   = fault.New(fault.Invalid, "service_term_out_of_bounds", "保修月数或服务时限不合理。", "A warranty or service time is out of bounds.")
	errStep         = fault.New(fault.Invalid, "responsibility_malformed", "谁负责哪一步，没写清楚。", "A line of the responsibility table is malformed.")
	errStepRepeated = fault.New(fault.Invalid, "responsibility_repeated", "同一步写了两个负责的。", "Two organisations answer for one step.")
)

// Sheet is everything a shop pays and gets, on one page. All lists are present, if empty.
type Sheet struct {
	Terms           string        `json:"terms"`              // SHA-256 of the terms' text
	Acquirer        string        `json:"acquirer"`           // organisation id
	Provider        string        `json:"provider,omitempty"` // organisation id; absent when the acquirer sends its own people
	SettledBy       string        `json:"settled_by"`         // who pays the shop its takings afterwards: Acquirer or None
	Items           []Item        `json:"items"`
	Rates           []Rate        `json:"rates"`
	Clauses         []Clause      `json:"clauses"`
	Scope           string        `json:"scope"` // what is done for this
	WarrantyMonths  int           `json:"warranty_months"`
	ResponseHours   int           `json:"response_hours"`
	ResolutionHours int           `json:"resolution_hours"`
	Responsibility  []Responsible `json:"responsibility"`
}

// Item is one fee. Its code is unique in the sheet, so that a charge can name it.
type Item struct {
	Code            string `json:"code"`       // deposit, data, … or with a name after a dot: other.stand
	Label           string `json:"label"`      // as the shop reads it
	AmountFen       int64  `json:"amount_fen"` // each time
	Per             string `json:"per"`
	When            string `json:"when"`
	PaidTo          string `json:"paid_to"` // organisation id
	ReturnCondition string `json:"return_condition,omitempty"`
}

// Kind is what the fee is for: the code without its name.
func (i Item) Kind() string {
	kind, _, _ := strings.Cut(i.Code, ".")
	return kind
}

// Rate is what the shop pays of each trade.
type Rate struct {
	Card    string `json:"card"`
	RatePPM int64  `json:"rate_ppm"` // parts per million of the amount: 0.6 % is 6000
	CapFen  int64  `json:"cap_fen"`  // the most for one trade; 0 is no cap
}

// Clause is one binding sentence of the terms. Its code is a neutral subject, or the code of a Flag
// that whoever wrote the sheet raises himself.
type Clause struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Responsible says who answers for one step of the work.
type Responsible struct {
	Step         string `json:"step"`
	Organisation string `json:"organisation"`
}

var (
	itemKinds   = []string{ItemDeposit, ItemActivation, ItemData, ItemService, ItemPerTrade, ItemMinimum, ItemExit, ItemRepair, ItemOther}
	itemPers    = []string{PerOnce, PerMonth, PerYear, PerTrade}
	itemWhens   = []string{WhenSigning, WhenLive, WhenPeriod, WhenEvent}
	rateCards   = []string{CardDebit, CardCredit, CardQR, CardForeign}
	clauseKinds = []string{"deposit", "rates", "term", "service", "warranty", "liability", "privacy", "other"}
)

// Validate refuses a sheet that is malformed or out of bounds. Whether it is a good deal is Check's
// question.
func (s Sheet) Validate() error {
	if err := s.validateParties(); err != nil {
		return err
	}
	if len(s.Items) > maxItems || len(s.Rates) > maxRates || len(s.Clauses) > maxClauses || len(s.Responsibility) > maxSteps {
		return errTooMany
	}
	for _, part := range []func() error{s.validateItems, s.validateRates, s.validateClauses, s.validateService} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

func (s Sheet) validateParties() error {
	if !statement.IsDigest(s.Terms) {
		return errTerms.At("terms")
	}
	if !isOrganisation(s.Acquirer) {
		return errAcquirer.At("acquirer")
	}
	if s.Provider != "" && !isOrganisation(s.Provider) {
		return errProvider.At("provider")
	}
	if s.SettledBy != s.Acquirer && s.SettledBy != None {
		return errSettledBy.At("settled_by")
	}
	return nil
}

func (s Sheet) validateItems() error {
	seen := map[string]bool{}
	for i, item := range s.Items {
		if err := item.validate(); err != nil {
			return fault.At(err, place("items", i))
		}
		if seen[item.Code] {
			return errItemRepeated.At(place("items", i))
		}
		seen[item.Code] = true
	}
	return nil
}

func (i Item) validate() error {
	kind, name, named := strings.Cut(i.Code, ".")
	if !slices.Contains(itemKinds, kind) || (named && !isID(name)) || !isID(i.Code) {
		return errItemCode.At("code")
	}
	if !isText(i.Label, 120) {
		return errText.At("label")
	}
	if i.AmountFen < 0 || i.AmountFen > MaxAmountFen {
		return errItemAmount.At("amount_fen")
	}
	if !slices.Contains(itemPers, i.Per) {
		return errItemPer.At("per")
	}
	if !slices.Contains(itemWhens, i.When) {
		return errItemWhen.At("when")
	}
	// A fee for each trade cannot fall due before there is one; a fee taken once has no period.
	if (i.Per == PerTrade && i.When != WhenPeriod) || (i.Per == PerOnce && i.When == WhenPeriod) {
		return errItemRhythm.At("when")
	}
	if !isOrganisation(i.PaidTo) {
		return errItemPaidTo.At("paid_to")
	}
	if i.ReturnCondition != "" && !isText(i.ReturnCondition, 600) {
		return errText.At("return_condition")
	}
	return nil
}

func (s Sheet) validateRates() error {
	seen := map[string]bool{}
	for i, r := range s.Rates {
		if !slices.Contains(rateCards, r.Card) {
			return errRateCard.At(place("rates", i))
		}
		if seen[r.Card] {
			return errRateRepeated.At(place("rates", i))
		}
		if r.RatePPM < 0 || r.RatePPM > MaxRatePPM || r.CapFen < 0 || r.CapFen > MaxAmountFen {
			return errRateBounds.At(place("rates", i))
		}
		seen[r.Card] = true
	}
	return nil
}

func (s Sheet) validateClauses() error {
	for i, c := range s.Clauses {
		if !isTrap(c.Code) && !slices.Contains(clauseKinds, c.Code) {
			return errClauseCode.At(place("clauses", i))
		}
		if !isText(c.Text, 6000) {
			return errText.At(place("clauses", i))
		}
	}
	return nil
}

func (s Sheet) validateService() error {
	if !isText(s.Scope, 3000) {
		return errText.At("scope")
	}
	for _, term := range []struct {
		name       string
		value, max int
	}{{"warranty_months", s.WarrantyMonths, maxWarranty}, {"response_hours", s.ResponseHours, maxHours}, {"resolution_hours", s.ResolutionHours, maxHours}} {
		if term.value < 0 || term.value > term.max {
			return errTermBounds.At(term.name)
		}
	}
	seen := map[string]bool{}
	for i, r := range s.Responsibility {
		if !isID(r.Step) || !isOrganisation(r.Organisation) {
			return errStep.At(place("responsibility", i))
		}
		if seen[r.Step] {
			return errStepRepeated.At(place("responsibility", i))
		}
		seen[r.Step] = true
	}
	return nil
}

// Digest names the sheet: SHA-256 of its canonical JSON.
func (s Sheet) Digest() string {
	// A struct of strings and integers always encodes.
	data, _ := statement.Canonical(s.full())
	return statement.Digest(data)
}

// full copies the sheet deeply, with empty lists where there are none: null is not valid in a
// statement, and two ways to say "nothing" must not be two sheets.
func (s Sheet) full() Sheet {
	s.Items = append([]Item{}, s.Items...)
	s.Rates = append([]Rate{}, s.Rates...)
	s.Clauses = append([]Clause{}, s.Clauses...)
	s.Responsibility = append([]Responsible{}, s.Responsibility...)
	return s
}

// TotalOnceFen is the sum, in fen, of the lines that are taken once and are sure to come.
func (s Sheet) TotalOnceFen() int64 {
	return s.total(func(i Item) bool { return i.Per == PerOnce && i.When != WhenEvent })
}

// TotalNowFen is the sum, in fen, of what falls due with this order: at signing and when the
// terminal goes live, the first month or year of a line included.
func (s Sheet) TotalNowFen() int64 {
	return s.total(func(i Item) bool { return i.When == WhenSigning || i.When == WhenLive })
}

// Deposit is the sum, in fen, of what falls due with this order and comes back, and when it does, as each line says.
func (s Sheet) Deposit() (fen int64, conditions []string) {
	for _, i := range s.Items {
		if i.Kind() == ItemDeposit && (i.When == WhenSigning || i.When == WhenLive) {
			fen += i.AmountFen
			conditions = append(conditions, i.ReturnCondition)
		}
	}
	return fen, conditions
}

func (s Sheet) total(counts func(Item) bool) int64 {
	var sum int64
	for _, i := range s.Items {
		if counts(i) {
			sum += i.AmountFen
		}
	}
	return sum
}
