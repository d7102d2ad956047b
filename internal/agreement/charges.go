package agreement

import (
	"cmp"
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// What the host says a charge is for.
const (
	ChargeSheet  = "sheet"  // a line of the sheet, named by Code
	ChargeScript = "script" // a step of the acceptance script, named by Code
	ChargeOther  = "other"
)

var (
	errChargeMalformed   = fault.New(fault.Invalid, "charge_malformed", "扣款记录写得不完整。", "A charge is malformed.")
	errChargeKind        = fault.New(fault.Invalid, "charge_kind_unknown", "不认识的扣款种类。", "This kind of charge is not known.")
	errChargeUnlisted    = fault.New(fault.Refused, "charge_unlisted", "扣了一笔价格表和试机里都没有的钱。", "Money was taken for something that is neither on the sheet nor in the trial.")
	errChargeNotOnSheet  = fault.New(fault.Refused, "charge_not_on_sheet", "扣了一笔价格表上没有的钱。", "Money was taken for a line that is not on the sheet.")
	errChargeOverSheet   = fault.New(fault.Refused, "charge_over_sheet", "扣的钱比价格表上写的多。", "More was taken than the sheet says.")
	errChargeTooOften    = fault.New(fault.Refused, "charge_too_often", "扣的次数比价格表上写的多。", "Money was taken more often than the sheet says.")
	errChargeRepeated    = fault.New(fault.Refused, "charge_repeated", "同一笔扣了两次。", "One and the same charge was taken twice.")
	errChargeNotInScript = fault.New(fault.Refused, "charge_not_in_script", "说是试机的钱，可试机里没有这一笔。", "A charge is called a trial but is none of the trial's.")
	errChargeRefusedStep = fault.New(fault.Refused, "charge_on_refused_step", "试机时本该拒绝的一笔，却扣了钱。", "Money was taken by a trial step that had to be refused.")
	errChargeOverCap     = fault.New(fault.Refused, "charge_over_cap", "试机扣的钱超过了 0.01 元。", "A trial took more than 0.01 yuan.")
	errFeesOutside       = fault.New(fault.Refused, "fees_outside_sheet", "扣了价格表和试机以外的钱。", "Money was taken outside the sheet and the trial.")
)

// Charge is one line of the host's signed list for merchant and terminal.
type Charge struct {
	At        statement.Time `json:"at"`
	Code      string         `json:"code"` // the sheet's item code, or the script's step name
	AmountFen int64          `json:"amount_fen"`
	Kind      string         `json:"kind"`
	Reference string         `json:"reference"` // the host's own; names one trade
}

// Excess is a charge that neither sheet nor script allows, and the rule it breaks.
type Excess struct {
	Index  int        `json:"index"` // in the list that was compared
	Charge Charge     `json:"charge"`
	Code   string     `json:"code"`
	Text   fault.Text `json:"text"`
}

func (c Charge) validate() error {
	if _, err := c.At.Parse(); err != nil {
		return errChargeMalformed.At("at").Because(err)
	}
	if !isID(c.Code) {
		return errChargeMalformed.At("code")
	}
	if !isID(c.Reference) {
		return errChargeMalformed.At("reference")
	}
	if c.AmountFen < 0 || c.AmountFen > MaxAmountFen {
		return errChargeMalformed.At("amount_fen")
	}
	if c.Kind != ChargeSheet && c.Kind != ChargeScript && c.Kind != ChargeOther {
		return errChargeKind.At("kind")
	}
	return nil
}

// CompareCharges finds every charge outside the sheet and the acceptance script that was run. A
// line may be taken up to its amount: once, once a calendar month or every twelve in China's time,
// or once a trade. A step that was run and moves money may take up to TrialCapFen once. Charges are
// judged in order of time, so that of two the later one is the excess; the answer is in list order.
func CompareCharges(sheet Sheet, script []AcceptanceStep, charges []Charge) []Excess {
	l := ledger{sheet: sheet, script: script, lastMonth: map[string]int{}, seen: map[string]bool{}}
	order := make([]int, len(charges))
	for i := range order {
		order[i] = i
	}
	// TimeForm sorts as text.
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(charges[a].At, charges[b].At) })
	out := []Excess{}
	for _, i := range order {
		if why := l.judge(charges[i]); why != nil {
			out = append(out, Excess{Index: i, Charge: charges[i], Code: why.Code, Text: why.Text})
		}
	}
	slices.SortFunc(out, func(a, b Excess) int { return cmp.Compare(a.Index, b.Index) })
	return out
}

// ledger remembers what was taken so far.
type ledger struct {
	sheet     Sheet
	script    []AcceptanceStep
	lastMonth map[string]int  // by item code, months since year 0
	seen      map[string]bool // by kind, code and reference
}

// judge says which rule the charge breaks, nil for none.
func (l *ledger) judge(c Charge) *fault.Fault {
	if err := c.validate(); err != nil {
		return fault.Of(err)
	}
	if c.AmountFen == 0 {
		return nil // nothing was taken
	}
	if c.Kind == ChargeOther {
		return errChargeUnlisted
	}
	// Ids hold no slash, so the key is one-to-one.
	key := c.Kind + "/" + c.Code + "/" + c.Reference
	if l.seen[key] {
		return errChargeRepeated
	}
	l.seen[key] = true
	if c.Kind == ChargeScript {
		return l.judgeScript(c)
	}
	return l.judgeSheet(c)
}

func (l *ledger) judgeSheet(c Charge) *fault.Fault {
	i := slices.IndexFunc(l.sheet.Items, func(i Item) bool { return i.Code == c.Code })
	if i < 0 {
		return errChargeNotOnSheet
	}
	item := l.sheet.Items[i]
	if c.AmountFen > item.AmountFen {
		return errChargeOverSheet
	}
	month := monthOf(c.At)
	last, taken := l.lastMonth[c.Code]
	gap, again := gapMonths[item.Per]
	if taken && (!again || month-last < gap) {
		return errChargeTooOften
	}
	l.lastMonth[c.Code] = month
	return nil
}

func (l *ledger) judgeScript(c Charge) *fault.Fault {
	i := slices.IndexFunc(l.script, func(s AcceptanceStep) bool {
		return s.Name == c.Code && s.Reference == c.Reference
	})
	if i < 0 {
		return errChargeNotInScript
	}
	if !takesMoney(c.Code) {
		return errChargeRefusedStep
	}
	if c.AmountFen > TrialCapFen || c.AmountFen > l.script[i].AmountFen {
		return errChargeOverCap
	}
	return nil
}

// gapMonths is how many calendar months lie between two charges of a line at least. What is not
// named here is taken once.
var gapMonths = map[string]int{PerTrade: 0, PerMonth: 1, PerYear: 12}

// china is where shops read their bills; the country keeps one time all year.
var china = time.FixedZone("UTC+8", 8*60*60)

// monthOf counts calendar months; the charge's time was checked.
func monthOf(at statement.Time) int {
	t, _ := at.Parse()
	t = t.In(china)
	return t.Year()*12 + int(t.Month())
}

// Covers refuses unless every charge in the last report's list is on the sheet that both sides signed
// or in the script that was run (design §5, fees-within-sheet). earlier are the visit's trials before
// it, whose test amounts the list holds too. The zero value covers nothing.
func (v Verified) Covers(last AcceptanceVerified, earlier ...TrialVerified) error {
	if !last.ok {
		return errAcceptanceUnverified
	}
	if !v.ok {
		return errTerms.At("terms") // Verify validated the sheet of every other value
	}
	final := last.trial.body
	steps := slices.Clip(final.Steps) // what is appended is appended to a copy
	for i, t := range earlier {
		if !t.ok {
			return errAcceptanceUnverified.At(place("earlier", i))
		}
		if t.body.Serial != final.Serial || t.body.Terminal != final.Terminal || t.body.MerchantCode != final.MerchantCode {
			return errEarlierOther.At(place("earlier", i))
		}
		steps = append(steps, t.body.Steps...)
	}
	excess := CompareCharges(v.body.Sheet, steps, final.Charges)
	if len(excess) > 0 {
		return errFeesOutside.At(place("charges", excess[0].Index) + " " + excess[0].Code)
	}
	return nil
}
