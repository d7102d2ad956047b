package agreement

import (
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

func TestBothSignTheSameSheet(t *testing.T) {
	wei, fang := newPerson(t, "wei", "shop-wei", "merchant"), newPerson(t, "fang", acquirer, "approver")
	s := trapSheet()
	merchant := wei.says(t, TypeAgreement, "order/"+order, signedAt, Accept(order, s, []string{FlagExitFee, FlagRenewal}, acquirer, acquirer))
	approver := fang.says(t, TypeAgreement, "order/"+order, signedAt, Offer(order, s))
	v, err := Verify(merchant, approver)
	if err != nil {
		t.Fatal(err)
	}
	if !v.OK() || v.Order() != order || v.SheetDigest() != s.Digest() || v.Sheet().Digest() != s.Digest() || v.Provider() != s.Provider || v.TotalNowFen() != s.TotalNowFen() {
		t.Errorf("verified says %v %s %s", v.OK(), v.Order(), v.SheetDigest())
	}
	if today, after := v.Payers(); today != acquirer || after != acquirer {
		t.Errorf("payers %s, %s", today, after)
	}
	if m, a := v.Statements(); m != merchant.Digest() || a != approver.Digest() {
		t.Error("the statements are not named")
	}
	if got := strings.Join(codesOf(v.Flags()), " "); got != FlagRenewal+" "+FlagExitFee {
		t.Errorf("flags %s", got)
	}
	// Whoever gets a copy cannot change what was signed.
	v.Sheet().Items[0].AmountFen = 0
	v.Flags()[0].Places[0] = "nowhere"
	if v.Sheet().Digest() != s.Digest() || v.Flags()[0].Places[0] != "clauses[1]" {
		t.Error("an accessor gave away the original")
	}
}

func TestAgreementZeroValueRefuses(t *testing.T) {
	var v Verified
	if v.OK() || v.Order() != "" || v.Provider() != "" || v.SheetDigest() != "" || v.TotalNowFen() != 0 || len(v.Flags()) != 0 {
		t.Error("the zero value says something")
	}
	refused(t, v.Sheet().Validate(), "sheet_terms_malformed", "")
	_, err := Verify(statement.Verified{}, statement.Verified{})
	refused(t, err, "statement_unverified", "merchant")
}

// deal is what the two sides sign in TestAgreementIsRefused, before somebody breaks it.
type deal struct {
	merchant, approver                       person
	merchantBody, approverBody               Agreement
	merchantSubject, approverSubject         string
	merchantStatement, approverStatementType string
}

func TestAgreementIsRefused(t *testing.T) {
	wei, fang := newPerson(t, "wei", "shop-wei", "merchant"), newPerson(t, "fang", acquirer, "approver")
	both := func(d *deal, change func(*Sheet)) {
		change(&d.merchantBody.Sheet)
		change(&d.approverBody.Sheet)
	}
	for name, c := range map[string]struct {
		spoil       func(*deal)
		code, where string
	}{
		"merchant signs something else":      {func(d *deal) { d.merchantStatement = "receipt" }, "statement_type_differs", "merchant"},
		"approver signs something else":      {func(d *deal) { d.approverStatementType = "receipt" }, "statement_type_differs", "approver"},
		"clerk signs for the merchant":       {func(d *deal) { d.merchant.role = "clerk" }, "agreement_not_merchant", "merchant"},
		"two merchants":                      {func(d *deal) { d.approver.role = "merchant" }, "agreement_not_approver", "approver"},
		"technician approves":                {func(d *deal) { d.approver.role = "technician" }, "agreement_not_approver", "approver"},
		"merchant's subject is another":      {func(d *deal) { d.merchantSubject = "order/other" }, "agreement_other_subject", "merchant"},
		"approver's subject is a visit":      {func(d *deal) { d.approverSubject = "visit/" + order }, "agreement_other_subject", "approver"},
		"order without an id":                {func(d *deal) { d.merchantBody.Order, d.merchantSubject = "", "order/" }, "agreement_other_subject", "merchant"},
		"sheet malformed":                    {func(d *deal) { d.merchantBody.Sheet.Scope = "" }, "sheet_text_malformed", "merchant: scope"},
		"two orders":                         {func(d *deal) { d.approverBody.Order, d.approverSubject = "other", "order/other" }, "agreement_other_order", ""},
		"approver changed a price":           {func(d *deal) { d.approverBody.Sheet.Items[0].AmountFen++ }, "sheet_differs", ""},
		"approver changed the terms":         {func(d *deal) { d.approverBody.Sheet.Terms = strings.Repeat("a", 64) }, "sheet_differs", "terms"},
		"approver of another acquirer":       {func(d *deal) { d.approver.organisation = provider }, "agreement_other_acquirer", ""},
		"one key signs both":                 {func(d *deal) { d.approver.key = d.merchant.key }, "agreement_same_signer", ""},
		"one person signs both":              {func(d *deal) { d.approver.name = "wei" }, "agreement_same_signer", ""},
		"approver ticks for the merchant":    {func(d *deal) { d.approverBody.Acknowledged = []string{FlagExitFee} }, "agreement_approver_answers", ""},
		"approver answers who pays today":    {func(d *deal) { d.approverBody.PaysToday = None }, "agreement_approver_answers", ""},
		"approver answers who pays after":    {func(d *deal) { d.approverBody.PaysAfter = None }, "agreement_approver_answers", ""},
		"who pays today not answered":        {func(d *deal) { d.merchantBody.PaysToday = "" }, "payer_unanswered", "pays_today"},
		"who pays after not answered":        {func(d *deal) { d.merchantBody.PaysAfter = "" }, "payer_unanswered", "pays_after"},
		"who pays today in prose":            {func(d *deal) { d.merchantBody.PaysToday = "the bank" }, "payer_malformed", "pays_today"},
		"merchant expects the old company":   {func(d *deal) { d.merchantBody.PaysToday, d.merchantBody.PaysAfter = "acquirer-west", "acquirer-west" }, "payer_after_differs", "pays_after"},
		"change of company not acknowledged": {func(d *deal) { d.merchantBody.PaysToday = "acquirer-west" }, "clause_not_acknowledged", FlagCompanyChanges},
		"exit fee not acknowledged":          {func(d *deal) { d.merchantBody.Acknowledged = []string{FlagRenewal} }, "clause_not_acknowledged", FlagExitFee},
		"nothing acknowledged":               {func(d *deal) { d.merchantBody.Acknowledged = []string{} }, "clause_not_acknowledged", FlagRenewal},
		"a trap added after the ticks": {func(d *deal) {
			both(d, func(s *Sheet) { s.Clauses[0].Text = "费率以系统显示为准。" })
		}, "clause_not_acknowledged", FlagRateChange},
		"something unknown acknowledged": {func(d *deal) { d.merchantBody.Acknowledged = append(d.merchantBody.Acknowledged, "weather") }, "acknowledgement_unknown", "acknowledged[2]"},
		"a flag the sheet lacks":         {func(d *deal) { d.merchantBody.Acknowledged = append(d.merchantBody.Acknowledged, FlagMembership) }, "acknowledgement_unknown", "acknowledged[2]"},
		"ticked twice":                   {func(d *deal) { d.merchantBody.Acknowledged = append(d.merchantBody.Acknowledged, FlagExitFee) }, "acknowledgement_repeated", "acknowledged[2]"},
	} {
		t.Run(name, func(t *testing.T) {
			d := deal{merchant: wei, approver: fang, merchantSubject: "order/" + order, approverSubject: "order/" + order,
				merchantStatement: TypeAgreement, approverStatementType: TypeAgreement,
				merchantBody: Accept(order, trapSheet(), []string{FlagExitFee, FlagRenewal}, acquirer, acquirer),
				approverBody: Offer(order, trapSheet())}
			c.spoil(&d)
			v, err := Verify(d.merchant.says(t, d.merchantStatement, d.merchantSubject, signedAt, d.merchantBody),
				d.approver.says(t, d.approverStatementType, d.approverSubject, signedAt, d.approverBody))
			refused(t, err, c.code, c.where)
			if v.OK() {
				t.Error("refused and yet verified")
			}
		})
	}
}

func TestChangeOfCompanyAcknowledged(t *testing.T) {
	wei, fang := newPerson(t, "wei", "shop-wei", "merchant"), newPerson(t, "fang", acquirer, "approver")
	v, err := Verify(
		wei.says(t, TypeAgreement, "order/"+order, signedAt, Accept(order, plainSheet(), []string{FlagCompanyChanges}, "acquirer-west", acquirer)),
		fang.says(t, TypeAgreement, "order/"+order, signedAt, Offer(order, plainSheet())))
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Flags(); len(got) != 1 || got[0].Places[0] != "pays_after" {
		t.Errorf("flags %v", got)
	}
}

// Whatever body a merchant signs: no panic, no internal error, and what passes is well formed, keeps
// its digest when written again and has every flag ticked. (Signatures are random, so the fuzzer
// works below them.)
func FuzzAgreementBody(f *testing.F) {
	for _, a := range []Agreement{Accept(order, plainSheet(), nil, None, acquirer), Accept(order, trapSheet(), []string{FlagExitFee, FlagRenewal}, acquirer, acquirer)} {
		good, err := statement.Canonical(a)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(good)
		f.Add([]byte(strings.Replace(string(good), `"amount_fen"`, `"Amount_Fen"`, 1)))
		f.Add([]byte(strings.Replace(string(good), `"items":[`, `"items":null,"x":[`, 1)))
	}
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var a Agreement
		if err := statement.Decode(body, &a); err != nil {
			return
		}
		err := a.validate("order/" + a.Order)
		if err == nil {
			_, err = a.checkAnswers()
		}
		if err != nil {
			if fault.KindOf(err) == fault.Internal {
				t.Fatal(err)
			}
			return
		}
		for _, flag := range append(Check(a.Sheet), CheckPayers(a.PaysToday, a.PaysAfter)...) {
			if !slices.Contains(a.Acknowledged, flag.Code) {
				t.Fatalf("%s passed without a tick", flag.Code)
			}
		}
		again, err := statement.Canonical(Accept(a.Order, a.Sheet, a.Acknowledged, a.PaysToday, a.PaysAfter))
		if err != nil {
			t.Fatal(err)
		}
		var b Agreement
		if err := statement.DecodeCanonical(again, &b); err != nil || b.Sheet.Digest() != a.Sheet.Digest() {
			t.Fatalf("written again it is another sheet: %v", err)
		}
	})
}

// The scan reads any text without panic and finds the same in its own squeezed form.
func FuzzScan(f *testing.F) {
	f.Add("合同到期 自 動，續‧約。")
	f.Add("\xff\u202eＶＩＰ")
	f.Fuzz(func(t *testing.T, text string) {
		a, b := findings{}, findings{}
		a.scan(text, "scope")
		b.scan(squeeze(text), "scope")
		for code := range a {
			if len(b[code]) != 1 {
				t.Fatalf("%q: %s is lost when squeezed", text, code)
			}
		}
	})
}
