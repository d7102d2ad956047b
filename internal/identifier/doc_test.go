package identifier

import (
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"pgregory.net/rapid"
)

func TestIDs(t *testing.T) {
	table(t, CheckID, []row{
		{"a UUIDv7", "01932f5e-7c1a-7d3e-8f4b-2a6c9d0e1f23", ""},
		{"a serial", "00005702280117638929", ""},
		{"readable, every kind of character", "Visit_1.a-b", ""},
		{"one character", "7", ""},
		{"64 characters", strings.Repeat("a", 64), ""},
		{"65 characters", strings.Repeat("a", 65), "id_shape"},
		{"empty", "", "id_shape"},
		{"begins with a dot", ".hidden", "id_shape"},
		{"begins with a hyphen", "-rf", "id_shape"},
		{"begins with an underscore", "_a", "id_shape"},
		{"a slash would name another stream", "visit/1", "id_shape"},
		{"a space", "a b", "id_shape"},
		{"a line feed at the end", "a\n", "id_shape"},
		{"Chinese", "门神", "id_shape"},
		{"full-width digits", "１２", "id_shape"},
	})
}

func TestTypedRepairsTheKeyboardOnly(t *testing.T) {
	for in, want := range map[string]string{
		"１１０１０５１９４９１２３１００２ｘ":         "11010519491231002X",
		" 9111 0000 6000 3734 1l\t":  "91110000600037341L",
		"z2\u00a00022\u300011000010": "Z2002211000010",
		"－":                          "-",
		"门神":                         "门神",
		"":                           "",
	} {
		if got := Typed(in); got != want {
			t.Errorf("Typed(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMaskedNeverShowsAShortValue(t *testing.T) {
	for in, want := range map[string]string{"": "", "95516": "*****", "1234567": "*******", "12345678": "123*5678"} {
		if got := masked(in, 3, 4); got != want {
			t.Errorf("masked(%q) = %q, want %q", in, got, want)
		}
	}
}

// parsers are all of the package, so that what must hold for each is asked of each.
var parsers = map[string]func(string) error{
	"id":              CheckID,
	"resident":        errOf(ParseResidentID),
	"phone":           errOf(ParsePhone),
	"credit":          errOf(ParseCreditCode),
	"licence":         errOf(ParseLicence),
	"acquirer":        func(s string) error { _, err := ParseAcquirerCode(s, s); return err },
	"network licence": CheckNetworkLicence,
	"province":        CheckProvince,
	"merchant":        errOf(ParseMerchantCode),
	"mcc":             CheckMCC,
	"terminal":        CheckTerminalCode,
	"card":            func(s string) error { _, err := ParseAccount(AccountCard, s); return err },
	"company":         func(s string) error { _, err := ParseAccount(AccountCompany, s); return err },
	"serial":          errOf(ParseSerial),
	"pts":             CheckPTSNumber,
	"version":         errOf(ParseVersionPattern),
	"position":        errOf(ParsePosition),
}

// refusesSafely checks what every refusal owes: a fault of its own kind whose text and place hold
// nothing of the value.
func refusesSafely(t interface{ Fatalf(string, ...any) }, name, in string, err error) {
	f := fault.Of(err)
	switch {
	case f == nil:
		return
	case f.Kind != fault.Invalid || f.Text.Zh == "" || f.Text.En == "":
		t.Fatalf("%s: fault %q of kind %q lacks a sentence or is not %q", name, f.Code, f.Kind, fault.Invalid)
	case len(in) > 7 && strings.Contains(f.Error()+f.Text.Zh, in) && !strings.Contains(sentence(name), in):
		t.Fatalf("%s: the fault repeats the value: %s", name, f)
	}
}

// sentence is what a parser says of no value at all: a value that is part of its example is not
// repeated by it.
func sentence(name string) string {
	f := fault.Of(parsers[name](""))
	return f.Error() + f.Text.Zh
}

func TestNoFaultRepeatsTheValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringMatching(`[0-9A-Zx+/.-]{8,40}`).Draw(t, "in")
		for name, parse := range parsers {
			refusesSafely(t, name, in, parse(in))
		}
	})
}

func TestNothingParsesFromNothing(t *testing.T) {
	for name, parse := range parsers {
		for _, in := range []string{"", " ", "\x00", strings.Repeat("1", 1<<16)} {
			if parse(in) == nil {
				t.Errorf("%s accepts %.10q", name, in)
			}
		}
	}
}

func FuzzAll(f *testing.F) {
	for _, seed := range []string{
		"", "visit-1", "11010519491231002X", "15400000001", "0512-65550000", "91110000600037341L", "Z2002211000010",
		"P3100", "32", "531000012973385", "W1489724", "6222020000000000000", "00005702280117638929", "4-30432",
		"1.xx.x", "+37.12/-121.213", "５３", "\xff\xfe",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for name, parse := range parsers {
			err := parse(in)
			refusesSafely(t, name, in, err)
			if err == nil && (len(in) == 0 || len(in) > 64 || strings.ContainsFunc(in, func(r rune) bool { return r < ' ' || r > '~' })) {
				t.Fatalf("%s accepts %q", name, in)
			}
		}
		if once := Typed(in); Typed(once) != once {
			t.Fatalf("Typed(%q) is not settled after one turn", in)
		}
	})
}
