package agreement

import (
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSheetThatIsWholeValidates(t *testing.T) {
	for name, s := range map[string]Sheet{"plain": plainSheet(), "traps": trapSheet()} {
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	removal := plainSheet()
	removal.SettledBy, removal.Provider, removal.Items, removal.Rates = None, "", nil, nil
	if err := removal.Validate(); err != nil {
		t.Errorf("a removal by the acquirer's own people, for nothing: %v", err)
	}
}

func TestSheetZeroValueRefuses(t *testing.T) {
	refused(t, Sheet{}.Validate(), "sheet_terms_malformed", "terms")
}

func TestSheetIsRefused(t *testing.T) {
	long := strings.Repeat("长", 3000)
	for name, c := range map[string]struct {
		spoil       func(*Sheet)
		code, where string
	}{
		"terms not named":            {func(s *Sheet) { s.Terms = "version 7" }, "sheet_terms_malformed", "terms"},
		"no acquirer":                {func(s *Sheet) { s.Acquirer = "" }, "sheet_acquirer_malformed", "acquirer"},
		"acquirer called none":       {func(s *Sheet) { s.Acquirer = None }, "sheet_acquirer_malformed", "acquirer"},
		"provider with a space":      {func(s *Sheet) { s.Provider = "provider fast" }, "sheet_provider_malformed", "provider"},
		"settled by a third company": {func(s *Sheet) { s.SettledBy = provider }, "sheet_settled_by_malformed", "settled_by"},
		"too many items":             {func(s *Sheet) { s.Items = make([]Item, 65) }, "sheet_too_long", ""},
		"too many rates":             {func(s *Sheet) { s.Rates = make([]Rate, 5) }, "sheet_too_long", ""},
		"too many clauses":           {func(s *Sheet) { s.Clauses = make([]Clause, 65) }, "sheet_too_long", ""},
		"too many steps":             {func(s *Sheet) { s.Responsibility = make([]Responsible, 65) }, "sheet_too_long", ""},
		"unknown fee":                {func(s *Sheet) { s.Items[0].Code = "thanks" }, "item_code_unknown", "items[0]: code"},
		"fee with an empty name":     {func(s *Sheet) { s.Items[0].Code = "other." }, "item_code_unknown", "items[0]: code"},
		"fee code over 64":           {func(s *Sheet) { s.Items[0].Code = "deposit." + strings.Repeat("a", 60) }, "item_code_unknown", "items[0]: code"},
		"label empty":                {func(s *Sheet) { s.Items[1].Label = "" }, "sheet_text_malformed", "items[1]: label"},
		"label hides its direction":  {func(s *Sheet) { s.Items[1].Label = "\u202e费量流" }, "sheet_text_malformed", "items[1]: label"},
		"label with a space around":  {func(s *Sheet) { s.Items[1].Label = " 流量费" }, "sheet_text_malformed", "items[1]: label"},
		"label not UTF-8":            {func(s *Sheet) { s.Items[1].Label = "\xff" }, "sheet_text_malformed", "items[1]: label"},
		"negative amount":            {func(s *Sheet) { s.Items[1].AmountFen = -1 }, "item_amount_out_of_bounds", "items[1]: amount_fen"},
		"absurd amount":              {func(s *Sheet) { s.Items[1].AmountFen = MaxAmountFen + 1 }, "item_amount_out_of_bounds", "items[1]: amount_fen"},
		"unknown rhythm":             {func(s *Sheet) { s.Items[1].Per = "week" }, "item_per_unknown", "items[1]: per"},
		"unknown moment":             {func(s *Sheet) { s.Items[1].When = "sometime" }, "item_when_unknown", "items[1]: when"},
		"trade fee at signing":       {func(s *Sheet) { s.Items[4].When = WhenSigning }, "item_rhythm_impossible", "items[4]: when"},
		"single fee each period":     {func(s *Sheet) { s.Items[0].When = WhenPeriod }, "item_rhythm_impossible", "items[0]: when"},
		"paid to nobody":             {func(s *Sheet) { s.Items[0].PaidTo = None }, "item_paid_to_malformed", "items[0]: paid_to"},
		"return condition too long":  {func(s *Sheet) { s.Items[0].ReturnCondition = long }, "sheet_text_malformed", "items[0]: return_condition"},
		"one code on two lines":      {func(s *Sheet) { s.Items[1].Code = "deposit" }, "item_repeated", "items[1]"},
		"unknown card":               {func(s *Sheet) { s.Rates[0].Card = "gold" }, "rate_card_unknown", "rates[0]"},
		"two rates for one card":     {func(s *Sheet) { s.Rates[1].Card = CardDebit }, "rate_repeated", "rates[1]"},
		"rate over ten per cent":     {func(s *Sheet) { s.Rates[0].RatePPM = MaxRatePPM + 1 }, "rate_out_of_bounds", "rates[0]"},
		"negative rate":              {func(s *Sheet) { s.Rates[0].RatePPM = -1 }, "rate_out_of_bounds", "rates[0]"},
		"negative cap":               {func(s *Sheet) { s.Rates[0].CapFen = -1 }, "rate_out_of_bounds", "rates[0]"},
		"absurd cap":                 {func(s *Sheet) { s.Rates[0].CapFen = MaxAmountFen + 1 }, "rate_out_of_bounds", "rates[0]"},
		"unknown clause":             {func(s *Sheet) { s.Clauses[0].Code = "poetry" }, "clause_code_unknown", "clauses[0]"},
		"clause with a hidden sign":  {func(s *Sheet) { s.Clauses[0].Text = "自\u200b动" }, "sheet_text_malformed", "clauses[0]"},
		"no scope":                   {func(s *Sheet) { s.Scope = "" }, "sheet_text_malformed", "scope"},
		"negative warranty":          {func(s *Sheet) { s.WarrantyMonths = -1 }, "service_term_out_of_bounds", "warranty_months"},
		"warranty for ever":          {func(s *Sheet) { s.WarrantyMonths = 121 }, "service_term_out_of_bounds", "warranty_months"},
		"response after a year":      {func(s *Sheet) { s.ResponseHours = 8761 }, "service_term_out_of_bounds", "response_hours"},
		"resolution after a year":    {func(s *Sheet) { s.ResolutionHours = 8761 }, "service_term_out_of_bounds", "resolution_hours"},
		"step without a name":        {func(s *Sheet) { s.Responsibility[0].Step = "-" }, "responsibility_malformed", "responsibility[0]"},
		"nobody answers for a step":  {func(s *Sheet) { s.Responsibility[0].Organisation = None }, "responsibility_malformed", "responsibility[0]"},
		"two answer for one step":    {func(s *Sheet) { s.Responsibility[1].Step = "install" }, "responsibility_repeated", "responsibility[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			s := plainSheet()
			c.spoil(&s)
			refused(t, s.Validate(), c.code, c.where)
		})
	}
}

// Each bound itself is still a sheet; TestSheetIsRefused steps over it.
func TestSheetAtItsBoundsValidates(t *testing.T) {
	s := plainSheet()
	s.Items, s.Clauses, s.Responsibility = nil, nil, nil
	for i := range maxItems {
		n := strconv.Itoa(i)
		s.Items = append(s.Items, Item{Code: "other.n" + n, Label: strings.Repeat("费", 40), Per: PerOnce, When: WhenLive, PaidTo: acquirer})
		s.Clauses = append(s.Clauses, Clause{Code: "other", Text: strings.Repeat("字", 2000)})
		s.Responsibility = append(s.Responsibility, Responsible{Step: "step" + n, Organisation: acquirer})
	}
	s.Items[1].AmountFen = MaxAmountFen
	s.Items[2].Code = "other." + strings.Repeat("a", 58)
	s.Rates = []Rate{{Card: CardDebit, RatePPM: MaxRatePPM, CapFen: MaxAmountFen}, {Card: CardCredit}, {Card: CardQR}, {Card: CardForeign}}
	s.WarrantyMonths, s.ResponseHours, s.ResolutionHours = 120, 8760, 0
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
}

func TestTextKeepsPrintedContracts(t *testing.T) {
	if !isText("第一条　押金\n第二条　费率", 200) {
		t.Error("line feed and ideographic space refused")
	}
}

func TestTotals(t *testing.T) {
	s := trapSheet()
	if got := s.TotalOnceFen(); got != 29900+5000 {
		t.Errorf("once: %d fen", got)
	}
	if got := s.TotalNowFen(); got != 29900+4800+5000 {
		t.Errorf("now: %d fen", got)
	}
	if (Sheet{}).TotalOnceFen() != 0 || (Sheet{}).TotalNowFen() != 0 {
		t.Error("an empty sheet costs something")
	}
}

func TestDigestIsOfTheContentOnly(t *testing.T) {
	a, b := Sheet{}, Sheet{Items: []Item{}, Rates: []Rate{}, Clauses: []Clause{}, Responsibility: []Responsible{}}
	if a.Digest() != b.Digest() {
		t.Error("no list and an empty list are two sheets")
	}
	// The sheet's one form, computed with another JSON writer: a changed field name or order would
	// change every signed sheet.
	const want = "702b29a7fd40edd225815766581a38d8785726feec76f8c441a2b9a9cc193379"
	if got := plainSheet().Digest(); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
}

// Any one change of a sheet is another sheet.
func TestDigestSeesEveryChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := plainSheet()
		i := rapid.IntRange(0, len(s.Items)-1).Draw(t, "item")
		before := s.Digest()
		delta := rapid.Int64Range(1, 1000).Draw(t, "fen")
		changes := []func(){
			func() { s.Items[i].AmountFen += delta },
			func() { s.Items[i].Label += "费" },
			func() { s.Items[i].PaidTo += "x" },
			func() { s.Rates[i%3].RatePPM += delta },
			func() { s.Rates[i%3].CapFen += delta },
			func() { s.Clauses[0].Text += "另收" },
			func() { s.Terms = strings.Repeat("0", 64) },
			func() { s.SettledBy = None },
			func() { s.WarrantyMonths++ },
		}
		changes[rapid.IntRange(0, len(changes)-1).Draw(t, "change")]()
		if s.Digest() == before {
			t.Fatal("a changed sheet has the same digest")
		}
	})
}
