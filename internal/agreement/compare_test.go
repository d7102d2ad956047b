package agreement

import (
	"reflect"
	"testing"
)

// The same sheet again changes nothing; an empty one and a full one differ in every part.
func TestASheetComparedWithItself(t *testing.T) {
	s := compared()
	if got := Compare(s, s); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	parts := map[string]int{}
	for _, c := range Compare(Sheet{}, s) {
		parts[c.Part]++
	}
	want := map[string]int{"items": 2, "rates": 2, "clauses": 1, "responsibility": 1, "terms": 1, "acquirer": 1, "provider": 1, "settled_by": 1, "scope": 1, "warranty_months": 1, "response_hours": 1, "resolution_hours": 1}
	if !reflect.DeepEqual(parts, want) {
		t.Errorf("%v", parts)
	}
}

func compared() Sheet {
	return Sheet{Terms: "t", Acquirer: "a", Provider: "p", SettledBy: "a", Scope: "装一台", WarrantyMonths: 12, ResponseHours: 4, ResolutionHours: 24,
		Items: []Item{{Code: "deposit", Label: "押金", AmountFen: 29900, Per: PerOnce, When: WhenLive, PaidTo: "a", ReturnCondition: "退机 7 天内"},
			{Code: "data", Label: "流量", AmountFen: 3600, Per: PerYear, When: WhenPeriod, PaidTo: "a"}},
		Rates:   []Rate{{Card: CardDebit, RatePPM: 5000, CapFen: 2000}, {Card: CardCredit, RatePPM: 6000}},
		Clauses: []Clause{{Code: "rates", Text: "费率不变"}}, Responsibility: []Responsible{{Step: "mount", Organisation: "p"}}}
}

// Each change is named by its place in both sheets, and what costs the shop more says so.
func TestWhatChangedBetweenTwoSheets(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*Sheet)
		want []Change
	}{
		"a fee rises":             {func(s *Sheet) { s.Items[1].AmountFen++ }, []Change{{ChangeOther, "items", "data", "items[1]", "items[1]", true}}},
		"a fee falls":             {func(s *Sheet) { s.Items[1].AmountFen-- }, []Change{{ChangeOther, "items", "data", "items[1]", "items[1]", false}}},
		"a fee goes":              {func(s *Sheet) { s.Items = s.Items[:1] }, []Change{{ChangeRemoved, "items", "data", "items[1]", "", false}}},
		"a fee comes":             {func(s *Sheet) { s.Items = append(s.Items, Item{Code: "exit", AmountFen: 1}) }, []Change{{ChangeAdded, "items", "exit", "", "items[2]", true}}},
		"a fee of nothing comes":  {func(s *Sheet) { s.Items = append(s.Items, Item{Code: "exit"}) }, []Change{{ChangeAdded, "items", "exit", "", "items[2]", false}}},
		"the condition changes":   {func(s *Sheet) { s.Items[0].ReturnCondition = "" }, []Change{{ChangeOther, "items", "deposit", "items[0]", "items[0]", true}}},
		"monthly, no longer once": {func(s *Sheet) { s.Items[1].Per = PerMonth }, []Change{{ChangeOther, "items", "data", "items[1]", "items[1]", true}}},
		"due earlier":             {func(s *Sheet) { s.Items[1].When = WhenSigning }, []Change{{ChangeOther, "items", "data", "items[1]", "items[1]", true}}},
		"paid to somebody else":   {func(s *Sheet) { s.Items[1].PaidTo = "p" }, []Change{{ChangeOther, "items", "data", "items[1]", "items[1]", true}}},
		"another name for it":     {func(s *Sheet) { s.Items[1].Label = "流量费" }, []Change{{ChangeOther, "items", "data", "items[1]", "items[1]", false}}},
		"a rate rises":            {func(s *Sheet) { s.Rates[1].RatePPM++ }, []Change{{ChangeOther, "rates", CardCredit, "rates[1]", "rates[1]", true}}},
		"a cap goes":              {func(s *Sheet) { s.Rates[0].CapFen = 0 }, []Change{{ChangeOther, "rates", CardDebit, "rates[0]", "rates[0]", true}}},
		"a cap rises":             {func(s *Sheet) { s.Rates[0].CapFen++ }, []Change{{ChangeOther, "rates", CardDebit, "rates[0]", "rates[0]", true}}},
		"a cap falls":             {func(s *Sheet) { s.Rates[0].CapFen-- }, []Change{{ChangeOther, "rates", CardDebit, "rates[0]", "rates[0]", false}}},
		"a rate is left out":      {func(s *Sheet) { s.Rates = s.Rates[:1] }, []Change{{ChangeRemoved, "rates", CardCredit, "rates[1]", "", true}}},
		"lines change places":     {func(s *Sheet) { s.Items[0], s.Items[1] = s.Items[1], s.Items[0] }, nil},
		"a clause is reworded": {func(s *Sheet) { s.Clauses[0].Text = "费率随时可变" }, []Change{{ChangeRemoved, "clauses", "", "clauses[0]", "", false},
			{ChangeAdded, "clauses", "", "", "clauses[0]", false}}},
		"another does a step": {func(s *Sheet) { s.Responsibility[0].Organisation = "a" }, []Change{{ChangeOther, "responsibility", "mount", "responsibility[0]", "responsibility[0]", false}}},
		"a shorter warranty":  {func(s *Sheet) { s.WarrantyMonths = 6 }, []Change{{ChangeOther, "warranty_months", "", "warranty_months", "warranty_months", true}}},
		"slower":              {func(s *Sheet) { s.ResponseHours = 8 }, []Change{{ChangeOther, "response_hours", "", "response_hours", "response_hours", true}}},
		"no promise any more": {func(s *Sheet) { s.ResolutionHours = 0 }, []Change{{ChangeOther, "resolution_hours", "", "resolution_hours", "resolution_hours", true}}},
		"faster":              {func(s *Sheet) { s.ResponseHours = 2 }, []Change{{ChangeOther, "response_hours", "", "response_hours", "response_hours", false}}},
		"another pays out":    {func(s *Sheet) { s.SettledBy = None }, []Change{{ChangeOther, "settled_by", "", "settled_by", "settled_by", false}}},
	} {
		s := compared()
		c.edit(&s)
		if got := Compare(compared(), s); !reflect.DeepEqual(got, append([]Change{}, c.want...)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	promised := compared()
	promised.ResponseHours = 0
	if got := Compare(promised, compared()); len(got) != 1 || got[0].Dearer {
		t.Errorf("a promise where there was none: %+v", got)
	}
}
