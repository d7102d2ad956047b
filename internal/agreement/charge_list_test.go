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
