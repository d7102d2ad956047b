package agreement

import (
	"fmt"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/statement"
)

// settled is a line of the corner shop's settlement.
func settled(at, item string, trade, taken int64, reference string) SettlementLine {
	return SettlementLine{At: statement.Time(at + "T04:00:00Z"), Item: item, TradeFen: trade, TakenFen: taken, Reference: reference}
}

func signedDeals() []Deal {
	first, later := plainSheet(), plainSheet()
	first.Rates = []Rate{{Card: CardDebit, RatePPM: 6000, CapFen: 2000}, {Card: CardQR, RatePPM: 3800}}
	first.Items = []Item{{Code: ItemDeposit, AmountFen: 29900, Per: PerOnce}, {Code: ItemService, AmountFen: 1000, Per: PerMonth}}
	later.Rates = []Rate{{Card: CardQR, RatePPM: 7200}}
	later.Items = []Item{{Code: ItemRepair, AmountFen: 5000, Per: PerOnce}}
	return []Deal{{first, "2026-11-01T00:00:00Z"}, {later, "2026-12-01T00:00:00Z"}}
}

// What a shop was charged is laid against what was signed by then: rate, cap, single fees and their rhythm.
func TestASettlementIsLaidAgainstWhatWasSigned(t *testing.T) {
	for name, q := range map[string]struct {
		lines []SettlementLine
		want  string // index code signed_fen signed_ppm taken_ppm; …
	}{
		"as signed":                             {[]SettlementLine{settled("2026-11-02", CardDebit, 10000, 60, "r1"), settled("2026-11-02", CardQR, 10000, 38, "r2")}, ""},
		"a part of a fen is rounded up":         {[]SettlementLine{settled("2026-11-02", CardQR, 1, 1, "r1")}, ""},
		"cheaper than signed":                   {[]SettlementLine{settled("2026-11-02", CardDebit, 10000, 1, "r1")}, ""},
		"nothing taken of nothing known":        {[]SettlementLine{settled("2026-11-02", CardForeign, 10000, 0, "r1")}, ""},
		"0.72 % for 0.60 %":                     {[]SettlementLine{settled("2026-11-02", CardDebit, 10000, 72, "r1")}, "0 rate_over_sheet 60 6000 7200"},
		"over the cap":                          {[]SettlementLine{settled("2026-11-02", CardDebit, 1_000_000, 2100, "r1")}, "0 rate_over_sheet 2000 6000 0"},
		"a fee on no payment":                   {[]SettlementLine{settled("2026-11-02", CardDebit, 0, 5, "r1")}, "0 rate_over_sheet 0 6000 0"},
		"a card without a rate":                 {[]SettlementLine{settled("2026-11-02", CardForeign, 10000, 1, "r1")}, "0 rate_not_on_sheet 0 0 0"},
		"one payment twice":                     {[]SettlementLine{settled("2026-11-02", CardDebit, 10000, 60, "r1"), settled("2026-11-02", CardDebit, 10000, 60, "r1")}, "1 charge_repeated 0 0 0"},
		"before anything was signed":            {[]SettlementLine{settled("2026-10-31", CardDebit, 10000, 60, "r1")}, "0 charge_before_sheet 0 0 0"},
		"a later sheet excuses nothing":         {[]SettlementLine{settled("2026-11-30", CardQR, 10000, 72, "r1"), settled("2026-12-02", CardQR, 10000, 72, "r2")}, "0 rate_over_sheet 38 3800 7200"},
		"what a later sheet is silent on stays": {[]SettlementLine{settled("2026-12-02", CardDebit, 10000, 60, "r1"), settled("2026-12-02", ItemRepair, 0, 5000, "r2")}, ""},
		"once a month":                          {[]SettlementLine{settled("2026-11-20", ItemService, 0, 1000, "s2"), settled("2026-11-02", ItemService, 0, 1000, "s1"), settled("2026-12-02", ItemService, 0, 1000, "s3")}, "0 charge_too_often 1000 0 0"},
		"more than the deposit":                 {[]SettlementLine{settled("2026-11-02", ItemDeposit, 0, 39900, "d1")}, "0 charge_over_sheet 29900 0 0"},
		"a membership":                          {[]SettlementLine{settled("2026-11-02", "other.member", 0, 29900, "m1")}, "0 charge_not_on_sheet 0 0 0"},
		"two at once, in the file's order":      {[]SettlementLine{settled("2026-11-02", "other.member", 0, 29900, "m1"), settled("2026-11-02", CardDebit, 10000, 72, "r1")}, "0 charge_not_on_sheet 0 0 0;1 rate_over_sheet 60 6000 7200"},
		"a line that cannot be read":            {[]SettlementLine{{}}, "0 settlement_line_malformed 0 0 0"},
	} {
		var got []string
		for _, d := range Settle(signedDeals(), q.lines) {
			got = append(got, fmt.Sprint(d.Index, " ", d.Code, " ", d.SignedFen, " ", d.SignedPPM, " ", d.TakenPPM))
			if d.Text.Zh == "" {
				t.Errorf("%s: nothing is said", name)
			}
		}
		if strings.Join(got, ";") != q.want {
			t.Errorf("%s: %v, want %s", name, got, q.want)
		}
	}
	if out := Settle(nil, []SettlementLine{settled("2026-11-02", CardDebit, 10000, 60, "r1")}); len(out) != 1 || out[0].Code != "charge_before_sheet" {
		t.Errorf("without any deal: %+v", out)
	}
}

// Which of the deals is the newest does not hang on their order.
func TestDealsComeInAnyOrder(t *testing.T) {
	deals := signedDeals()
	deals[0], deals[1] = deals[1], deals[0]
	if out := Settle(deals, []SettlementLine{settled("2026-12-02", CardQR, 10000, 72, "r1"), settled("2026-12-02", "other.x", 0, 1, "r2")}); len(out) != 1 || out[0].Index != 1 {
		t.Errorf("%+v", out)
	}
}

func TestALineThatCannotBeCompared(t *testing.T) {
	if err := settled("2026-11-02", CardDebit, 10000, 60, "r1").Validate(); err != nil {
		t.Error(err)
	}
	for place, spoil := range map[string]func(*SettlementLine){
		"at": func(l *SettlementLine) { l.At = "yesterday" }, "item": func(l *SettlementLine) { l.Item = "tip" }, "trade_fen": func(l *SettlementLine) { l.TradeFen = MaxTradeFen + 1 },
		"taken_fen": func(l *SettlementLine) { l.TakenFen = -1 }, "reference": func(l *SettlementLine) { l.Reference = "" },
	} {
		l := settled("2026-11-02", CardDebit, 10000, 60, "r1")
		spoil(&l)
		refused(t, l.Validate(), "settlement_line_malformed", place)
	}
	refused(t, settled("2026-11-02", ItemService, 100, 1, "r1").Validate(), "settlement_line_malformed", "trade_fen")
}
