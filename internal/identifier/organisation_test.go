package identifier

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCreditCodes(t *testing.T) {
	table(t, errOf(ParseCreditCode), []row{
		{"check a letter", "91110000600037341L", ""},
		{"sum a multiple of 31, so check 0", "91310000MA19NUKJJ0", ""},
		{"sum a multiple of 31 again", "91310000MAP0CRUTY0", ""},
		{"the wrong example in print, put right", "91350100M000100Y43", ""},
		{"the wrong example in print", "91350100M000100Y4Z", "credit_code_shape"}, // Z is not in the alphabet at all
		{"the same with a letter that is", "91350100M000100Y4X", "credit_code_check"},
		{"check off by one", "91110000600037341M", "credit_code_check"},
		{"0 where a letter belongs", "911100006000373410", "credit_code_check"},
		{"letter I", "91110000I00037341L", "credit_code_shape"},
		{"letter O for zero", "9111OOOO600037341L", "credit_code_shape"},
		{"lower case", "91110000600037341l", "credit_code_shape"},
		{"17 characters", "91110000600037341", "credit_code_shape"},
		{"19 characters", "91110000600037341L0", "credit_code_shape"},
		{"the older 15-digit registration", "110000600037341", "credit_code_shape"},
		{"letters in the region", "91AB0000600037341L", "credit_code_region"},
	})
}

func TestCreditCodeParts(t *testing.T) {
	c, err := ParseCreditCode("91310000MA19NUKJJ0")
	if err != nil {
		t.Fatal(err)
	}
	if c.String() != "91310000MA19NUKJJ0" || c.Province() != "31" {
		t.Errorf("parts: %q, %q", c, c.Province())
	}
	if zero := (CreditCode{}); zero.String() != "" || zero.Province() != "" {
		t.Error("the zero value holds a code")
	}
}

// creditWith completes 17 characters by summing with weights made on the way, a second way to the
// check character.
func creditWith(body string) string {
	sum, weight := 0, 1
	for _, c := range body {
		sum += strings.IndexRune(creditAlphabet, c) * weight
		weight = weight * 3 % 31
	}
	for check := range 31 {
		if (sum+check)%31 == 0 {
			return body + creditAlphabet[check:check+1]
		}
	}
	panic("no check character")
}

func TestCreditCodeCheckCatchesEverySingleError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		good := creditWith(rapid.StringMatching(`[0-9A-HJ-NP-RTUWXY]{2}[0-9]{6}[0-9A-HJ-NP-RTUWXY]{9}`).Draw(t, "body"))
		if _, err := ParseCreditCode(good); err != nil {
			t.Fatalf("%s: %v", good, err)
		}
		at := rapid.IntRange(0, 17).Draw(t, "at")
		c := creditAlphabet[rapid.IntRange(0, 30).Draw(t, "character")]
		bad := good[:at] + string(c) + good[at+1:]
		if _, err := ParseCreditCode(bad); (err == nil) != (bad == good) {
			t.Fatalf("%s, changed to %s at %d: %v", good, bad, at, err)
		}
	})
}

func FuzzParseCreditCode(f *testing.F) {
	for _, seed := range []string{"91110000600037341L", "91310000MA19NUKJJ0", "91350100M000100Y4Z", "91AB0000600037341L"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		c, err := ParseCreditCode(in)
		if err != nil {
			if c != (CreditCode{}) {
				t.Fatal("a refused value is handed out")
			}
			return
		}
		if c.String() != in || creditWith(in[:17]) != in {
			t.Fatalf("accepted %q", in)
		}
	})
}

func TestLicences(t *testing.T) {
	table(t, errOf(ParseLicence), []row{
		{"Beijing", "Z2002211000010", ""},
		{"Sichuan", "Z2004951000010", ""},
		{"another last digit", "Z2026437000017", ""},
		{"lower case", "z2002211000010", "payment_licence_shape"},
		{"another letter", "Y2002211000010", "payment_licence_shape"},
		{"Z3", "Z3002211000010", "payment_licence_shape"},
		{"13 characters", "Z200221100001", "payment_licence_shape"},
		{"15 characters", "Z20022110000100", "payment_licence_shape"},
		{"a letter inside", "Z20022110000A0", "payment_licence_shape"},
	})
	l, err := ParseLicence("Z2026437000017")
	if err != nil {
		t.Fatal(err)
	}
	if l.String() != "Z2026437000017" || l.Province() != "37" {
		t.Errorf("parts: %q, %q", l, l.Province())
	}
	if zero := (Licence{}); zero.String() != "" || zero.Province() != "" {
		t.Error("the zero value holds a number")
	}
}

func TestAcquirerCodes(t *testing.T) {
	for _, r := range []struct{ name, issuer, code, want string }{
		{"digits", "clearing-house", "49222900", ""},
		{"letters", "clearing-house", "Aq7", ""},
		{"32 characters", "clearing-house", strings.Repeat("9", 32), ""},
		{"33 characters", "clearing-house", strings.Repeat("9", 33), "acquirer_code_shape"},
		{"no code", "clearing-house", "", "acquirer_code_shape"},
		{"a hyphen", "clearing-house", "4922-2900", "acquirer_code_shape"},
		{"no issuer", "", "49222900", "id_shape"},
		{"issuer not an id", "清算机构", "49222900", "id_shape"},
	} {
		a, err := ParseAcquirerCode(r.issuer, r.code)
		got := ""
		if err != nil {
			got = codeOf(err)
		} else if a.Issuer() != r.issuer || a.Code() != r.code {
			t.Errorf("%s: parts %q, %q", r.name, a.Issuer(), a.Code())
		}
		if got != r.want {
			t.Errorf("%s: fault %q, want %q", r.name, got, r.want)
		}
	}
	one, _ := ParseAcquirerCode("clearing-house", "49222900")
	other, _ := ParseAcquirerCode("association", "49222900")
	if one == other {
		t.Error("the same digits from two issuers are one code")
	}
}

func TestNetworkLicences(t *testing.T) {
	table(t, CheckNetworkLicence, []row{
		{"as printed", "P3100", ""},
		{"lower case", "p3100", "network_licence_shape"},
		{"4 characters", "P310", "network_licence_shape"},
		{"6 characters", "P31000", "network_licence_shape"},
		{"a hyphen", "P-310", "network_licence_shape"},
	})
}

func TestProvinces(t *testing.T) {
	table(t, CheckProvince, []row{
		{"the first", "11", ""}, {"the last", "82", ""}, {"Chongqing", "50", ""},
		{"a gap", "16", "province_unknown"}, {"three digits", "110", "province_unknown"}, {"a name", "北京", "province_unknown"},
	})
	all := Provinces()
	if len(all) != 34 || !slices.IsSorted(all) {
		t.Errorf("%d provinces, sorted %v; GB/T 2260 has 34", len(all), slices.IsSorted(all))
	}
	names := map[string]bool{}
	for _, code := range all {
		name, ok := ProvinceName(code)
		if !ok || name.Zh == "" || name.En == "" || names[name.Zh] || names[name.En] {
			t.Errorf("%s: name %+v is missing or not its own", code, name)
		}
		names[name.Zh], names[name.En] = true, true
	}
	if name, ok := ProvinceName("99"); ok || name.Zh != "" {
		t.Errorf("99 has the name %+v", name)
	}
}
