package agreement

import (
	"strconv"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
	"pgregory.net/rapid"
)

func TestHonestChargesAreWithinTheSheet(t *testing.T) {
	if err := signed(t, plainSheet()).Covers(accepted(t, passedReport())); err != nil {
		t.Error(err)
	}
}

func TestFeesOutsideSheetAreRefused(t *testing.T) {
	a := passedReport()
	a.Charges = append(a.Charges, Charge{At: "2026-11-22T06:05:00Z", Code: "activation", AmountFen: 200000, Kind: ChargeSheet, Reference: "x1"})
	refused(t, signed(t, plainSheet()).Covers(accepted(t, a)), "fees_outside_sheet", "charges[2] charge_not_on_sheet")
	refused(t, Verified{}.Covers(accepted(t, passedReport())), "sheet_terms_malformed", "")
}

func TestEarlierTrialExplainsItsTestAmount(t *testing.T) {
	first := passedReport()
	first.Steps = first.Steps[:2]
	first.Steps[0].Reference, first.Steps[1].Reference = "f0", "f1"
	trial, err := VerifyTrial(reports(t, first), wanted())
	if err != nil {
		t.Fatal(err)
	}
	a := passedReport()
	a.Charges = append(a.Charges, Charge{At: "2026-11-22T05:00:00Z", Code: StepApprovedSale, AmountFen: 1, Kind: ChargeScript, Reference: "f1"})
	refused(t, signed(t, plainSheet()).Covers(accepted(t, a)), "fees_outside_sheet", "charges[2] charge_not_in_script")
	if err := signed(t, plainSheet()).Covers(accepted(t, a), trial); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Acceptance, *WantAcceptance){
		"device":   func(a *Acceptance, w *WantAcceptance) { a.Serial, w.Serial = "1", "1" },
		"terminal": func(a *Acceptance, w *WantAcceptance) { a.Terminal, w.Terminal = "1", "1" },
		"merchant": func(a *Acceptance, w *WantAcceptance) { a.MerchantCode, w.MerchantCode = "1", "1" },
	} {
		t.Run("of another "+name, func(t *testing.T) {
			other, w := first, wanted()
			change(&other, &w)
			trial, err := VerifyTrial(reports(t, other), w)
			if err != nil {
				t.Fatal(err)
			}
			refused(t, signed(t, plainSheet()).Covers(accepted(t, a), trial), "acceptance_earlier_other", "earlier[0]")
		})
	}
}

func TestExcess(t *testing.T) {
	charge := func(at, kind, code string, fen int64, reference string) Charge {
		return Charge{At: statement.Time(at + "T04:00:00Z"), Kind: kind, Code: code, AmountFen: fen, Reference: reference}
	}
	const noon = "2026-11-22"
	for name, c := range map[string]struct {
		charges []Charge
		want    string // index:code of each excess
	}{
		"nothing taken":            {nil, ""},
		"free of charge":           {[]Charge{charge(noon, ChargeOther, "gift", 0, "a")}, ""},
		"deposit":                  {[]Charge{charge(noon, ChargeSheet, "deposit", 29900, "a")}, ""},
		"part of the deposit":      {[]Charge{charge(noon, ChargeSheet, "deposit", 100, "a")}, ""},
		"one fen too much":         {[]Charge{charge(noon, ChargeSheet, "deposit", 29901, "a")}, "0:charge_over_sheet"},
		"deposit twice":            {[]Charge{charge(noon, ChargeSheet, "deposit", 100, "a"), charge(noon, ChargeSheet, "deposit", 100, "b")}, "1:charge_too_often"},
		"deposit again next year":  {[]Charge{charge("2027-11-23", ChargeSheet, "deposit", 100, "b"), charge(noon, ChargeSheet, "deposit", 100, "a")}, "0:charge_too_often"},
		"line that is not there":   {[]Charge{charge(noon, ChargeSheet, "activation", 1, "a")}, "0:charge_not_on_sheet"},
		"two months":               {[]Charge{charge("2026-11-30", ChargeSheet, "service.care", 1000, "a"), charge("2026-12-01", ChargeSheet, "service.care", 1000, "b")}, ""},
		"twice in a month":         {[]Charge{charge("2026-11-01", ChargeSheet, "service.care", 1000, "a"), charge("2026-11-30", ChargeSheet, "service.care", 1000, "b")}, "1:charge_too_often"},
		"two years":                {[]Charge{charge("2026-11-30", ChargeSheet, "data", 4800, "a"), charge("2027-11-01", ChargeSheet, "data", 4800, "b")}, ""},
		"a year of eleven months":  {[]Charge{charge("2026-11-30", ChargeSheet, "data", 4800, "a"), charge("2027-10-31", ChargeSheet, "data", 4800, "b")}, "1:charge_too_often"},
		"trades":                   {[]Charge{charge(noon, ChargeSheet, "per_trade", 10, "a"), charge(noon, ChargeSheet, "per_trade", 10, "b")}, ""},
		"one trade twice":          {[]Charge{charge(noon, ChargeSheet, "per_trade", 10, "a"), charge(noon, ChargeSheet, "per_trade", 10, "a")}, "1:charge_repeated"},
		"trial sale":               {[]Charge{charge(noon, ChargeScript, StepApprovedSale, 1, "r1")}, ""},
		"trial sale and its undo":  {[]Charge{charge(noon, ChargeScript, StepApprovedSale, 1, "r1"), charge(noon, ChargeScript, StepReversal, 1, "r4")}, ""},
		"trial sale twice":         {[]Charge{charge(noon, ChargeScript, StepApprovedSale, 1, "r1"), charge(noon, ChargeScript, StepApprovedSale, 1, "r1")}, "1:charge_repeated"},
		"trial of two fen":         {[]Charge{charge(noon, ChargeScript, StepApprovedSale, 2, "r1")}, "0:charge_over_cap"},
		"trial nobody ran":         {[]Charge{charge(noon, ChargeScript, StepApprovedSale, 1, "r9")}, "0:charge_not_in_script"},
		"declined, yet taken":      {[]Charge{charge(noon, ChargeScript, StepDeclinedSale, 1, "r2")}, "0:charge_on_refused_step"},
		"sign-in that costs":       {[]Charge{charge(noon, ChargeScript, StepSignIn, 1, "r0")}, "0:charge_on_refused_step"},
		"wrong MAC, yet taken":     {[]Charge{charge(noon, ChargeScript, StepWrongMAC, 1, "r3")}, "0:charge_on_refused_step"},
		"no reason given":          {[]Charge{charge(noon, ChargeOther, "service", 5000, "a")}, "0:charge_unlisted"},
		"time malformed":           {[]Charge{charge("today", ChargeSheet, "deposit", 1, "a")}, "0:charge_malformed"},
		"kind unknown":             {[]Charge{charge(noon, "gift", "deposit", 1, "a")}, "0:charge_kind_unknown"},
		"several, in list order":   {[]Charge{charge("2026-11-23", ChargeOther, "x", 5, "a"), charge(noon, ChargeOther, "y", 5, "a")}, "0:charge_unlisted 1:charge_unlisted"},
		"excess does not use up":   {[]Charge{charge(noon, ChargeSheet, "deposit", 29901, "a"), charge(noon, ChargeSheet, "deposit", 29900, "b")}, "0:charge_over_sheet"},
		"not trial money by claim": {[]Charge{charge(noon, ChargeScript, "deposit", 1, "a")}, "0:charge_not_in_script"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			for i, e := range CompareCharges(plainSheet(), passedReport().Steps, c.charges) {
				if i > 0 {
					got += " "
				}
				got += strconv.Itoa(e.Index) + ":" + e.Code
				if e.Text.Zh == "" || e.Text.En == "" || e.Charge != c.charges[e.Index] {
					t.Errorf("excess %v does not explain itself", e)
				}
			}
			if got != c.want {
				t.Errorf("excess %q, want %q", got, c.want)
			}
		})
	}
}

// A month ends in China, not in Greenwich: 30 November 17:00 UTC is 1 December at the shop.
func TestMonthsAreTheShops(t *testing.T) {
	charges := []Charge{
		{At: "2026-11-30T17:00:00Z", Kind: ChargeSheet, Code: "service.care", AmountFen: 1000, Reference: "a"},
		{At: "2026-12-31T15:00:00Z", Kind: ChargeSheet, Code: "service.care", AmountFen: 1000, Reference: "b"},
	}
	if got := CompareCharges(plainSheet(), nil, charges); len(got) != 1 || got[0].Index != 1 {
		t.Errorf("excess %v", got)
	}
}

func TestStepWithoutAmountAllowsNoCharge(t *testing.T) {
	steps := passedReport().Steps
	steps[4].AmountFen = 0
	got := CompareCharges(plainSheet(), steps, []Charge{{At: steps[4].At, Kind: ChargeScript, Code: StepReversal, AmountFen: 1, Reference: "r4"}})
	if len(got) != 1 || got[0].Code != "charge_over_cap" {
		t.Errorf("excess %v", got)
	}
}

// Whatever the list, what is not called an excess adds up to no more than the sheet allows for the
// months the list covers; and one charge more never clears another.
func TestAllowedChargesNeverPassTheSheet(t *testing.T) {
	sheet, steps := plainSheet(), passedReport().Steps
	start, _ := statement.Time("2026-11-01T00:00:00Z").Parse()
	rapid.Check(t, func(t *rapid.T) {
		charges := make([]Charge, rapid.IntRange(0, 20).Draw(t, "n"))
		for i := range charges {
			item := sheet.Items[rapid.IntRange(0, len(sheet.Items)-1).Draw(t, "item")]
			charges[i] = Charge{
				At:        statement.At(start.Add(time.Duration(rapid.IntRange(0, 29*24).Draw(t, "hour")) * time.Hour)),
				Kind:      rapid.SampledFrom([]string{ChargeSheet, ChargeSheet, ChargeScript, ChargeOther}).Draw(t, "kind"),
				Code:      rapid.SampledFrom([]string{item.Code, StepApprovedSale}).Draw(t, "code"),
				AmountFen: rapid.Int64Range(0, item.AmountFen+1).Draw(t, "fen"),
				Reference: "r" + strconv.Itoa(rapid.IntRange(0, 9).Draw(t, "reference")),
			}
		}
		excess := map[int]bool{}
		for _, e := range CompareCharges(sheet, steps, charges) {
			excess[e.Index] = true
		}
		allowed := map[string]int64{}
		for i, c := range charges {
			if !excess[i] {
				allowed[c.Kind+" "+c.Code] += c.AmountFen
			}
		}
		for _, item := range sheet.Items {
			if got := allowed[ChargeSheet+" "+item.Code]; item.Per != PerTrade && got > item.AmountFen {
				t.Fatalf("%s: %d fen allowed, sheet says %d", item.Code, got, item.AmountFen)
			}
		}
		if allowed[ChargeScript+" "+StepApprovedSale] > TrialCapFen {
			t.Fatal("the trial took more than its cap")
		}
		for key, fen := range allowed {
			if fen > 0 && key[:len(ChargeOther)] == ChargeOther {
				t.Fatalf("%s allowed", key)
			}
		}
		more := CompareCharges(sheet, steps, append(charges, Charge{At: "2027-01-01T00:00:00Z", Kind: ChargeOther, Code: "x", AmountFen: 1, Reference: "x"}))
		if len(more) != len(excess)+1 {
			t.Fatalf("%d excess with one more, %d before", len(more), len(excess))
		}
	})
}
