package agreement

import (
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
)

func TestAVisitWithoutASheetCostsNothing(t *testing.T) {
	list := ChargeList{Visit: "v1", Charges: []Charge{}}
	if err := list.None(); err != nil {
		t.Errorf("nothing was charged: %v", err)
	}
	list.Charges = []Charge{{Code: ItemService, AmountFen: 1, Kind: ChargeOther, Reference: "x-1"}}
	if err := list.None(); fault.CodeOf(err) != "charge_without_sheet" || fault.Of(err).Where != place("charges", 0) {
		t.Errorf("one fen was charged: %v", err)
	}
}

func TestWhatASheetDoesNotExplain(t *testing.T) {
	trial, err := VerifyTrial(reports(t, passedReport()), wanted())
	if err != nil {
		t.Fatal(err)
	}
	list := ChargeList{Charges: append(passedReport().Charges, Charge{At: "2026-12-01T06:05:00Z", Code: "membership", AmountFen: 29900, Kind: ChargeOther, Reference: "m-1"})}
	outside := list.Outside(plainSheet(), trial)
	if len(outside) != 1 || outside[0].Code != "charge_unlisted" || outside[0].Charge.Reference != "m-1" {
		t.Errorf("%+v", outside)
	}
	if got := list.Outside(plainSheet(), TrialVerified{}); len(got) <= 1 {
		t.Errorf("a trial that nobody verified explains charges: %+v", got)
	}
}

func TestAVisitWithASheetAndNoScriptCostsWhatItSays(t *testing.T) {
	list := ChargeList{Visit: "v1", Charges: []Charge{}}
	if err := list.OnSheet(plainSheet()); err != nil {
		t.Errorf("nothing was charged: %v", err)
	}
	list.Charges = []Charge{{At: "2026-11-22T06:05:00Z", Code: "exit", AmountFen: 1, Kind: ChargeSheet, Reference: "x1"}}
	refused(t, list.OnSheet(plainSheet()), "fees_outside_sheet", "charges[0] charge_not_on_sheet")
	refused(t, list.OnSheet(Sheet{}), "sheet_terms_malformed", "")
}
