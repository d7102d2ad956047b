package agreement

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

const (
	visit    = "visit/v1"
	reported = statement.Time("2026-11-22T06:12:00Z")
)

var (
	permit   = statement.Digest([]byte("trial permit"))
	shopName = statement.Commit("shop", [16]byte{1}, []byte("Wei's noodles"))
)

func wanted() WantAcceptance {
	return WantAcceptance{Permit: permit, Acquirer: acquirer, Serial: "00005702280117638929", DeviceKey: "device-key-thumbprint",
		Terminal: "W1489724", MerchantCode: "531000012973385", MerchantName: shopName}
}

// passedReport is a run of the whole script, a minute a step, with its two charges.
func passedReport() Acceptance {
	w := wanted()
	start, _ := statement.Time("2026-11-22T06:00:00Z").Parse()
	a := Acceptance{Permit: w.Permit, Serial: w.Serial, DeviceKey: w.DeviceKey, Terminal: w.Terminal, MerchantCode: w.MerchantCode,
		Slip: Slip{MerchantName: shopName, MerchantCode: w.MerchantCode, Terminal: w.Terminal, Reference: "r1"}, ListedAt: "2026-11-22T06:10:00Z"}
	for i, name := range Script() {
		step := AcceptanceStep{Name: name, Result: ResultPassed, Reference: "r" + string(rune('0'+i)), At: statement.At(start.Add(time.Duration(i) * time.Minute))}
		if takesMoney(name) {
			step.AmountFen = TrialCapFen
		}
		a.Steps = append(a.Steps, step)
	}
	a.Charges = []Charge{
		{At: a.Steps[1].At, Code: StepApprovedSale, AmountFen: 1, Kind: ChargeScript, Reference: "r1"},
		{At: "2026-11-20T02:00:00Z", Code: "deposit", AmountFen: 29900, Kind: ChargeSheet, Reference: "pay1"},
	}
	return a
}

// reports has the host sign the report and gives its statement.
func reports(t testing.TB, a Acceptance) statement.Verified {
	t.Helper()
	return newPerson(t, "host-east", acquirer, "host").says(t, TypeAcceptance, visit, reported, a)
}

func accepted(t testing.TB, a Acceptance) AcceptanceVerified {
	t.Helper()
	v, err := VerifyAcceptance(reports(t, a), wanted())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestScriptIsFixed(t *testing.T) {
	const want = "sign_in approved_sale declined_sale wrong_mac_refused reversal_after_lost_answer refund_without_password_refused refund_with_password settlement"
	if got := strings.Join(Script(), " "); got != want {
		t.Errorf("script %s", got)
	}
	Script()[0] = "nothing"
	if Script()[0] != StepSignIn {
		t.Error("the script was given away")
	}
}

func TestAcceptancePassed(t *testing.T) {
	statement := reports(t, passedReport())
	v, err := VerifyAcceptance(statement, wanted())
	if err != nil {
		t.Fatal(err)
	}
	if v.Permit() != passedReport().Permit {
		t.Errorf("permit %q", v.Permit())
	}
	trial := v.Trial()
	if !v.OK() || !trial.OK() || trial.Statement() != statement.Digest() || trial.Report().Serial != wanted().Serial {
		t.Errorf("verified says %v %s", v.OK(), trial.Statement())
	}
	if got := v.StartedAt().Format(time.RFC3339); got != "2026-11-22T06:00:00Z" {
		t.Errorf("started %s", got)
	}
	if got := v.ListedAt().Format(time.RFC3339); got != "2026-11-22T06:10:00Z" {
		t.Errorf("listed %s", got)
	}
	trial.Report().Steps[0].Result = ResultFailed
	trial.Report().Charges[0].AmountFen = 7
	if r := v.Trial().Report(); r.Steps[0].Result != ResultPassed || r.Charges[0].AmountFen != 1 {
		t.Error("an accessor gave away the original")
	}
}

func TestAcceptanceZeroValueRefuses(t *testing.T) {
	var v AcceptanceVerified
	if v.OK() || v.Permit() != "" || v.Trial().OK() || v.Trial().Statement() != "" || !v.StartedAt().IsZero() || !v.ListedAt().IsZero() {
		t.Error("the zero value says something")
	}
	refused(t, signed(t, plainSheet()).Covers(v), "acceptance_unverified", "")
	refused(t, signed(t, plainSheet()).Covers(accepted(t, passedReport()), TrialVerified{}), "acceptance_unverified", "earlier[0]")
	_, err := VerifyAcceptance(statement.Verified{}, wanted())
	refused(t, err, "statement_unverified", "")
	_, err = VerifyTrial(reports(t, Acceptance{Steps: []AcceptanceStep{}, Charges: []Charge{}}), WantAcceptance{})
	refused(t, err, "acceptance_expectation_incomplete", "acquirer")
}

func TestAcceptanceSignedByTheWrongParty(t *testing.T) {
	for name, c := range map[string]struct{ organisation, role, kind, code string }{
		"technician reports":      {acquirer, "technician", TypeAcceptance, "acceptance_not_host"},
		"another acquirer's host": {"acquirer-west", "host", TypeAcceptance, "acceptance_other_acquirer"},
		"host signs other things": {acquirer, "host", TypeAgreement, "statement_type_differs"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := VerifyAcceptance(newPerson(t, "x", c.organisation, c.role).says(t, c.kind, visit, reported, passedReport()), wanted())
			refused(t, err, c.code, "")
			if v.OK() {
				t.Error("refused and yet verified")
			}
		})
	}
}

func TestEveryExpectationIsNeeded(t *testing.T) {
	for name, clear := range map[string]func(*WantAcceptance){
		"permit":        func(w *WantAcceptance) { w.Permit = "" },
		"acquirer":      func(w *WantAcceptance) { w.Acquirer = "" },
		"serial":        func(w *WantAcceptance) { w.Serial = "" },
		"device_key":    func(w *WantAcceptance) { w.DeviceKey = "" },
		"terminal":      func(w *WantAcceptance) { w.Terminal = "" },
		"merchant_code": func(w *WantAcceptance) { w.MerchantCode = "" },
		"merchant_name": func(w *WantAcceptance) { w.MerchantName = "" },
	} {
		w := wanted()
		clear(&w)
		_, err := VerifyAcceptance(reports(t, passedReport()), w)
		refused(t, err, "acceptance_expectation_incomplete", name)
	}
}

func TestAcceptanceIsRefused(t *testing.T) {
	at := func(i int, change func(*AcceptanceStep)) func(*Acceptance) {
		return func(a *Acceptance) { change(&a.Steps[i]) }
	}
	for name, c := range map[string]struct {
		spoil       func(*Acceptance)
		code, where string
	}{
		"other permit":               {func(a *Acceptance) { a.Permit = statement.Digest(nil) }, "acceptance_other_permit", "permit"},
		"other device":               {func(a *Acceptance) { a.Serial = "1" }, "acceptance_other_device", "serial"},
		"other device key":           {func(a *Acceptance) { a.DeviceKey = "relay" }, "acceptance_other_device_key", "device_key"},
		"other terminal":             {func(a *Acceptance) { a.Terminal = "32815503" }, "acceptance_other_terminal", "terminal"},
		"other merchant":             {func(a *Acceptance) { a.MerchantCode = "1" }, "acceptance_other_merchant", "merchant_code"},
		"no steps":                   {func(a *Acceptance) { a.Steps = []AcceptanceStep{} }, "acceptance_step_missing", StepSignIn},
		"wrong MAC never tried":      {func(a *Acceptance) { a.Steps = slices.Delete(a.Steps, 3, 4) }, "acceptance_step_missing", StepWrongMAC},
		"a step of its own":          {at(2, func(s *AcceptanceStep) { s.Name = "wave" }), "acceptance_step_unknown", "steps[2]"},
		"a step twice":               {func(a *Acceptance) { a.Steps = append(a.Steps, a.Steps[0]) }, "acceptance_step_repeated", StepSignIn},
		"settled before refunding":   {func(a *Acceptance) { a.Steps[6], a.Steps[7] = a.Steps[7], a.Steps[6] }, "acceptance_order", StepRefundWithPassword},
		"result in prose":            {at(2, func(s *AcceptanceStep) { s.Result = "fine" }), "acceptance_step_malformed", "declined_sale: result"},
		"amount negative":            {at(1, func(s *AcceptanceStep) { s.AmountFen = -1 }), "acceptance_step_malformed", "approved_sale: amount_fen"},
		"no reference":               {at(1, func(s *AcceptanceStep) { s.Reference = "" }), "acceptance_step_malformed", "approved_sale: reference"},
		"time malformed":             {at(1, func(s *AcceptanceStep) { s.At = "today" }), "acceptance_step_malformed", "approved_sale: at"},
		"refund needed no password":  {at(5, func(s *AcceptanceStep) { s.Result = ResultFailed }), "acceptance_step_failed", StepRefundWithoutPassword},
		"sale of 2000 yuan":          {at(1, func(s *AcceptanceStep) { s.AmountFen = 200000 }), "acceptance_over_cap", StepApprovedSale},
		"two fen":                    {at(4, func(s *AcceptanceStep) { s.AmountFen = 2 }), "acceptance_over_cap", StepReversal},
		"sale of nothing":            {at(1, func(s *AcceptanceStep) { s.AmountFen = 0 }), "acceptance_sale_empty", StepApprovedSale},
		"money kept":                 {at(6, func(s *AcceptanceStep) { s.AmountFen = 0 }), "acceptance_not_returned", StepRefundWithPassword},
		"one reference for two":      {at(6, func(s *AcceptanceStep) { s.Reference = "r4" }), "acceptance_reference_repeated", StepRefundWithPassword},
		"times run backwards":        {at(3, func(s *AcceptanceStep) { s.At = "2026-11-22T05:00:00Z" }), "acceptance_time", StepWrongMAC},
		"charges listed too early":   {func(a *Acceptance) { a.ListedAt = "2026-11-22T06:06:59Z" }, "acceptance_time", "listed_at"},
		"signed before listed":       {func(a *Acceptance) { a.ListedAt = "2026-11-22T06:12:01Z" }, "acceptance_time", "listed_at"},
		"list time malformed":        {func(a *Acceptance) { a.ListedAt = "today" }, "time_malformed", "listed_at"},
		"charge after the list":      {func(a *Acceptance) { a.Charges[0].At = "2026-11-22T06:11:00Z" }, "acceptance_time", "charges[0]"},
		"half an hour and a second":  {func(a *Acceptance) { a.Steps[0].At = "2026-11-22T05:36:59Z" }, "acceptance_too_long", ""},
		"slip names another shop":    {func(a *Acceptance) { a.Slip.MerchantName = statement.Digest(nil) }, "acceptance_slip_differs", "slip.merchant_name"},
		"slip: another merchant":     {func(a *Acceptance) { a.Slip.MerchantCode = "1" }, "acceptance_slip_differs", "slip.merchant_code"},
		"slip: another terminal":     {func(a *Acceptance) { a.Slip.Terminal = "1" }, "acceptance_slip_differs", "slip.terminal"},
		"slip of another sale":       {func(a *Acceptance) { a.Slip.Reference = "r4" }, "acceptance_slip_differs", "slip.reference"},
		"charge list without end":    {func(a *Acceptance) { a.Charges = slices.Repeat(a.Charges, 257) }, "acceptance_too_many_charges", ""},
		"charge without a time":      {func(a *Acceptance) { a.Charges[1].At = "" }, "charge_malformed", "charges[1]: at"},
		"charge without a code":      {func(a *Acceptance) { a.Charges[1].Code = "" }, "charge_malformed", "charges[1]: code"},
		"charge without a reference": {func(a *Acceptance) { a.Charges[1].Reference = "" }, "charge_malformed", "charges[1]: reference"},
		"charge below nothing":       {func(a *Acceptance) { a.Charges[1].AmountFen = -1 }, "charge_malformed", "charges[1]: amount_fen"},
		"charge of a new kind":       {func(a *Acceptance) { a.Charges[1].Kind = "gift" }, "charge_kind_unknown", "charges[1]: kind"},
	} {
		t.Run(name, func(t *testing.T) {
			a := passedReport()
			c.spoil(&a)
			v, err := VerifyAcceptance(reports(t, a), wanted())
			refused(t, err, c.code, c.where)
			if v.OK() {
				t.Error("refused and yet verified")
			}
		})
	}
}

func TestChargeListMayBeAsLongAsItsBound(t *testing.T) {
	a := passedReport()
	a.Charges = slices.Repeat(a.Charges[:1], maxCharges)
	a.Charges[1].AmountFen = MaxAmountFen
	accepted(t, a)
}

func TestThirtyMinutesAreEnough(t *testing.T) {
	a := passedReport()
	a.Steps[0].At = "2026-11-22T05:37:00Z"
	accepted(t, a)
}

func TestFailedTrialIsATrialButNoAcceptance(t *testing.T) {
	a := passedReport()
	a.Steps = a.Steps[:3]
	a.Steps[2].Result = ResultFailed
	w := wanted()
	w.MerchantName = ""
	trial, err := VerifyTrial(reports(t, a), w)
	if err != nil || !trial.OK() {
		t.Fatalf("the failed trial is not read: %v", err)
	}
	_, err = VerifyAcceptance(reports(t, a), wanted())
	refused(t, err, "acceptance_step_missing", StepWrongMAC)
}

// Whatever body a host signs: no panic, no internal error, no script accepted with a hole.
// (Signatures are random, so the fuzzer works below them.)
func FuzzAcceptanceBody(f *testing.F) {
	good, err := statement.Canonical(passedReport())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(strings.Replace(string(good), `"amount_fen":1`, `"amount_fen":2`, 1)))
	f.Add([]byte(strings.Replace(string(good), `passed`, `failed`, 1)))
	f.Add([]byte(strings.Replace(string(good), `"steps":[`, `"steps":[],"x":[`, 1)))
	signed, _ := reported.Parse()
	f.Fuzz(func(t *testing.T, body []byte) {
		var a Acceptance
		if err := statement.Decode(body, &a); err != nil {
			return
		}
		err := a.checkForm()
		if err == nil {
			CompareCharges(plainSheet(), a.Steps, a.Charges)
			err = a.checkPassed(shopName, signed)
		}
		if err != nil {
			if fault.KindOf(err) == fault.Internal {
				t.Fatal(err)
			}
			return
		}
		for i, name := range Script() {
			if len(a.Steps) != 8 || a.Steps[i].Name != name || a.Steps[i].Result != ResultPassed || a.Steps[i].AmountFen > TrialCapFen {
				t.Fatalf("accepted %v", a.Steps)
			}
		}
	})
}
