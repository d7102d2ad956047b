package agreement

import (
	"slices"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// MaxTradeFen bounds one card payment, ¥1 000 000 000: far over any limit of a card.
const MaxTradeFen = 100_000_000_000

const million = 1_000_000

var (
	errLineMalformed = fault.New(fault.Invalid, "settlement_line_malformed", "结算明细写得不完整。", "A line of the settlement is malformed.")
	errLineUnsigned  = fault.New(fault.Refused, "charge_before_sheet", "扣款的时候，还没有签过价目单。", "Money was taken before any price sheet was signed.")
	errRateNotOn     = fault.New(fault.Refused, "rate_not_on_sheet", "价目单上没有这种卡的费率，却扣了手续费。", "The sheet has no rate for this kind of card, and a fee was taken.")
	errRateOver      = fault.New(fault.Refused, "rate_over_sheet", "手续费比价目单上写的高。", "The rate taken is higher than the sheet says.")
)

// SettlementLine is one line of what an acquirer settled with a shop: a card payment with the fee that was kept of
// it, or a fee by itself.
type SettlementLine struct {
	At        statement.Time // when it was charged
	Item      string         // a kind of card (CardDebit …), or the code of a sheet's fee
	TradeFen  int64          // what the card paid; 0 for a fee by itself
	TakenFen  int64          // what the shop was charged
	Reference string         // the acquirer's own; with Item it names one line
}

// Deal is a sheet that merchant and approver both signed, and since when.
type Deal struct {
	Sheet Sheet
	Since statement.Time
}

// Difference is a line that took more than was signed, and the rule that it breaks. Signed and taken are in parts
// per million for a rate without a cap in its way, else in fen.
type Difference struct {
	Index     int // in the lines that were compared
	Code      string
	Text      fault.Text
	SignedFen int64 // the most that this line may take
	SignedPPM int64
	TakenPPM  int64 // 0: fen tell it
}

// IsCard says whether a line of this item is a card payment.
func IsCard(item string) bool { return slices.Contains(rateCards, item) }

// Validate refuses a line that cannot be compared with anything.
func (l SettlementLine) Validate() error {
	if _, err := l.At.Parse(); err != nil {
		return errLineMalformed.At("at").Because(err)
	}
	if !IsCard(l.Item) && !slices.Contains(itemKinds, Item{Code: l.Item}.Kind()) || !isID(l.Item) {
		return errLineMalformed.At("item")
	}
	if l.TradeFen < 0 || l.TradeFen > MaxTradeFen || !IsCard(l.Item) && l.TradeFen != 0 {
		return errLineMalformed.At("trade_fen")
	}
	if l.TakenFen < 0 || l.TakenFen > MaxAmountFen {
		return errLineMalformed.At("taken_fen")
	}
	if !isID(l.Reference) {
		return errLineMalformed.At("reference")
	}
	return nil
}

// Settle finds every line of one merchant's one terminal that took more than was signed. Each line is laid against
// the newest deal signed by then that says anything of its item; a later deal excuses nothing earlier. A rate may
// take its share rounded up to a whole fen, and no more than its cap; fees keep to CompareCharges. What is cheaper
// than signed is no difference. Lines come in any order; the answer is in theirs.
func Settle(deals []Deal, lines []SettlementLine) []Difference {
	out := []Difference{}
	fees := make([][]int, len(deals)) // of each deal, places in lines
	seen := map[string]bool{}
	for i, l := range lines {
		d, why := judgeLine(deals, l, seen)
		switch {
		case why != nil:
			out = append(out, why.at(i))
		case d >= 0:
			fees[d] = append(fees[d], i)
		}
	}
	for d, places := range fees {
		out = append(out, settleFees(deals[d].Sheet, lines, places)...)
	}
	slices.SortFunc(out, func(a, b Difference) int { return a.Index - b.Index })
	return out
}

// judgeLine judges a card payment, and gives the deal that a fee is to be laid against, -1 for none.
func judgeLine(deals []Deal, l SettlementLine, seen map[string]bool) (deal int, why *Difference) {
	if err := l.Validate(); err != nil {
		return -1, differs(fault.Of(err))
	}
	if l.TakenFen == 0 {
		return -1, nil
	}
	d := dealFor(deals, l)
	switch {
	case d < 0:
		return -1, differs(errLineUnsigned)
	case !IsCard(l.Item):
		return d, nil
	case seen[l.Item+"/"+l.Reference]:
		return -1, differs(errChargeRepeated)
	}
	seen[l.Item+"/"+l.Reference] = true
	return -1, overRate(deals[d].Sheet, l)
}

// dealFor finds the newest deal signed by then that says anything of the line's item, else the newest of all, and
// -1 where nothing was signed yet.
func dealFor(deals []Deal, l SettlementLine) int {
	says, newest := -1, -1
	for i, d := range deals {
		if d.Since > l.At { // statement.Time sorts as text
			continue
		}
		if newest < 0 || d.Since >= deals[newest].Since {
			newest = i
		}
		if d.Sheet.says(l.Item) && (says < 0 || d.Since >= deals[says].Since) {
			says = i
		}
	}
	if says >= 0 {
		return says
	}
	return newest
}

// says is whether the sheet has a rate or a fee of this name.
func (s Sheet) says(item string) bool {
	return slices.ContainsFunc(s.Rates, func(r Rate) bool { return r.Card == item }) || slices.ContainsFunc(s.Items, func(i Item) bool { return i.Code == item })
}

// overRate says by how much a card payment's fee is over the sheet, nil for not at all.
func overRate(s Sheet, l SettlementLine) *Difference {
	i := slices.IndexFunc(s.Rates, func(r Rate) bool { return r.Card == l.Item })
	if i < 0 {
		return differs(errRateNotOn)
	}
	r := s.Rates[i]
	may := (l.TradeFen*r.RatePPM + million - 1) / million
	capped := r.CapFen > 0 && may >= r.CapFen
	if capped {
		may = r.CapFen
	}
	if l.TakenFen <= may {
		return nil
	}
	d := differs(errRateOver)
	d.SignedFen, d.SignedPPM = may, r.RatePPM
	if l.TradeFen > 0 && !capped {
		d.TakenPPM = (l.TakenFen*million + l.TradeFen/2) / l.TradeFen
	}
	return d
}

// settleFees compares the fees that fall under one deal.
func settleFees(s Sheet, lines []SettlementLine, places []int) []Difference {
	charges := make([]Charge, len(places))
	for n, i := range places {
		l := lines[i]
		charges[n] = Charge{At: l.At, Code: l.Item, AmountFen: l.TakenFen, Kind: ChargeSheet, Reference: l.Reference}
	}
	var out []Difference
	for _, x := range CompareCharges(s, nil, charges) {
		d := Difference{Index: places[x.Index], Code: x.Code, Text: x.Text}
		if i := slices.IndexFunc(s.Items, func(i Item) bool { return i.Code == x.Charge.Code }); i >= 0 {
			d.SignedFen = s.Items[i].AmountFen
		}
		out = append(out, d)
	}
	return out
}

func differs(f *fault.Fault) *Difference { return &Difference{Code: f.Code, Text: f.Text} }

func (d *Difference) at(i int) Difference {
	d.Index = i
	return *d
}
