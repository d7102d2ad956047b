package agreement

import (
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// TypeChargeList is the host's signed list of charges outside an acceptance.
const TypeChargeList = "charge_list"

var errChargedAnything = fault.New(fault.Refused, "charge_without_sheet", "这次上门没有价目单，却扣了钱。", "Money was taken on a visit that has no price sheet.")

// ChargeList is the host's signed list for visits that have no acceptance report, such as an
// inspection: everything charged to merchant and terminal since the visit was booked.
type ChargeList struct {
	Visit        string         `json:"visit"`
	Serial       string         `json:"serial"`
	Terminal     string         `json:"terminal"`
	MerchantCode string         `json:"merchant_code"`
	Since        statement.Time `json:"since"`
	ListedAt     statement.Time `json:"listed_at"`
	Charges      []Charge       `json:"charges"`
}

// None refuses any charge at all: a visit without a sheet costs nothing (条例 art. 34).
func (l ChargeList) None() error {
	if len(l.Charges) > 0 {
		return errChargedAnything.At(place("charges", 0))
	}
	return nil
}

// Outside finds every charge of the list that neither the sheet nor a step of the visit's trials explains. A
// trial that nobody verified has no steps, and explains nothing.
func (l ChargeList) Outside(sheet Sheet, trials ...TrialVerified) []Excess {
	var steps []AcceptanceStep
	for _, t := range trials {
		steps = append(steps, t.body.Steps...)
	}
	return CompareCharges(sheet, steps, l.Charges)
}

// OnSheet refuses every charge that is not on the sheet: a visit with a price and without a script,
// such as a removal.
func (l ChargeList) OnSheet(sheet Sheet) error {
	if err := sheet.Validate(); err != nil {
		return err
	}
	if excess := CompareCharges(sheet, nil, l.Charges); len(excess) > 0 {
		return errFeesOutside.At(place("charges", excess[0].Index) + " " + excess[0].Code)
	}
	return nil
}
