package identifier

import (
	"fmt"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"pgregory.net/rapid"
)

func codeOf(err error) string { return fault.CodeOf(err) }

func TestMerchantCodes(t *testing.T) {
	table(t, errOf(ParseMerchantCode), []row{
		{"a real one that breaks the nominal parts", "531000012973385", ""},
		{"a letter", "53100001297338A", ""},
		{"14 digits", "53100001297338", "merchant_code_shape"},
		{"16 digits", "5310000129733850", "merchant_code_shape"},
		{"lower case", "53100001297338a", "merchant_code_shape"},
		{"a space to fill up", "53100001297338 ", "merchant_code_shape"},
	})
}

func TestMerchantCodeWarnsAndNeverRefuses(t *testing.T) {
	m, err := ParseMerchantCode("531000012973385")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.Hints(), (MerchantHints{"531", "0000", "1297", "3385"}); got != want {
		t.Errorf("Hints = %+v, want %+v", got, want)
	}
	if m.String() != "531000012973385" {
		t.Errorf("String = %q", m)
	}
	for _, r := range []struct{ name, region, mcc, want string }{
		{"both as the order says", "0000", "1297", ""},
		{"nothing known", "", "", ""},
		{"another place", "3050", "1297", "merchant_code_region_differs"},
		{"another trade", "0000", "5411", "merchant_code_trade_differs"},
		{"both differ", "3050", "5411", "merchant_code_region_differs merchant_code_trade_differs"},
		{"place differs, trade unknown", "3050", "", "merchant_code_region_differs"},
	} {
		var codes []string
		for _, w := range m.Warnings(r.region, r.mcc) {
			codes = append(codes, w.Code)
			if w.Text.Zh == "" || w.Text.En == "" {
				t.Errorf("%s: %s has no sentence", r.name, w.Code)
			}
		}
		if got := strings.Join(codes, " "); got != r.want {
			t.Errorf("%s: %q, want %q", r.name, got, r.want)
		}
	}
}

func TestMerchantCodeZeroValueHoldsNothing(t *testing.T) {
	var zero MerchantCode
	if zero.String() != "" || zero.Hints() != (MerchantHints{}) || zero.Warnings("3050", "5411") != nil {
		t.Error("the zero value holds something")
	}
}

func TestMCCs(t *testing.T) {
	table(t, CheckMCC, []row{
		{"grocery", "5411", ""},
		{"3 digits", "541", "mcc_shape"}, {"5 digits", "54111", "mcc_shape"}, {"a letter", "541A", "mcc_shape"},
	})
}

func TestTerminalCodes(t *testing.T) {
	table(t, CheckTerminalCode, []row{
		{"with a letter", "W1489724", ""},
		{"digits", "32815503", ""},
		{"lower case is another code", "w1489724", ""},
		{"7 characters", "W148972", "terminal_code_shape"},
		{"9 characters", "W14897240", "terminal_code_shape"},
		{"a hyphen", "W-489724", "terminal_code_shape"},
		{"a space", "W148972 ", "terminal_code_shape"},
	})
}

func TestAccounts(t *testing.T) {
	for _, r := range []struct {
		name string
		kind AccountKind
		in   string
		want string
	}{
		{"card, 16 digits", AccountCard, "6222020000000007", ""},
		{"card, 19 digits", AccountCard, "6222020000000000000", ""},
		{"card, 12 digits", AccountCard, "622202000007", ""},
		{"card, 11 digits", AccountCard, "62220200005", "account_card_shape"},
		{"card, 20 digits", AccountCard, "62220200000000000000", "account_card_shape"},
		{"zeros pass Luhn and are no card", AccountCard, "0000000000000000", "account_card_shape"},
		{"card with spaces", AccountCard, "6222 0200 0000 0007", "account_card_shape"},
		{"one digit off", AccountCard, "6222020000000008", "account_card_check"},
		{"neighbours swapped", AccountCard, "6222200000000007", "account_card_check"},
		{"a company's account that fails Luhn", AccountCompany, "6222020000000008", ""},
		{"a company's account that passes Luhn", AccountCompany, "6222020000000007", ""},
		{"company, 6 digits", AccountCompany, "100001", ""},
		{"company, 5 digits", AccountCompany, "10001", "account_company_shape"},
		{"company, 33 digits", AccountCompany, strings.Repeat("1", 33), "account_company_shape"},
		{"company with a hyphen", AccountCompany, "1000-01", "account_company_shape"},
		{"kind not said", "", "6222020000000007", "account_kind"},
		{"kind unknown", "wallet", "6222020000000007", "account_kind"},
	} {
		a, err := ParseAccount(r.kind, r.in)
		if got := codeOf(err); got != r.want {
			t.Errorf("%s: fault %q, want %q", r.name, got, r.want)
		}
		if err == nil && (a.Kind() != r.kind || a.Value() != r.in) || err != nil && a != (Account{}) {
			t.Errorf("%s: holds %q of kind %q", r.name, a.Value(), a.Kind())
		}
	}
}

func TestAccountPrintsMasked(t *testing.T) {
	a, err := ParseAccount(AccountCompany, "1234567890")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%v %+v %#v", a, a, a); got != "******7890 ******7890 ******7890" {
		t.Errorf("printing shows %q", got)
	}
	if zero := (Account{}); zero.Value() != "" || zero.Kind() != "" {
		t.Error("the zero value holds an account")
	}
}

func TestLuhnCatchesEverySingleError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`[1-9][0-9]{10,17}`).Draw(t, "body")
		var good []string
		for check := range 10 {
			if s := body + fmt.Sprint(check); luhn(s) {
				good = append(good, s)
			}
		}
		if len(good) != 1 {
			t.Fatalf("%s has %d check digits", body, len(good))
		}
		at := rapid.IntRange(0, len(body)).Draw(t, "at")
		digit := byte(rapid.IntRange('0', '9').Draw(t, "digit"))
		bad := good[0][:at] + string(digit) + good[0][at+1:]
		if luhn(bad) != (bad == good[0]) {
			t.Fatalf("%s, changed to %s at %d, passes", good[0], bad, at)
		}
	})
}

func FuzzParseAccount(f *testing.F) {
	f.Add("card", "6222020000000007")
	f.Add("company", "100001")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, kind, in string) {
		a, err := ParseAccount(AccountKind(kind), in)
		if err != nil {
			if a != (Account{}) {
				t.Fatal("a refused value is handed out")
			}
			return
		}
		if a.Value() != in || kind != "card" && kind != "company" || !within(in, 6, 32, isDigit) || kind == "card" && !luhn(in) {
			t.Fatalf("accepted %q %q", kind, in)
		}
	})
}
