package identifier

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSerials(t *testing.T) {
	table(t, errOf(ParseSerial), []row{
		{"as printed on a terminal", "00005702280117638929", ""},
		{"letters in the maker's part", "00005704N86A0012", ""},
		{"one character of the maker's", "000057041", ""},
		{"50 characters", "00005704" + strings.Repeat("9", 42), ""},
		{"a type not on the list", "000057991", ""},
		{"51 characters", "00005704" + strings.Repeat("9", 43), "serial_shape"},
		{"nothing of the maker's", "00005704", "serial_shape"},
		{"letters in the maker", "0000A704123", "serial_shape"},
		{"letters in the type", "0000570A123", "serial_shape"},
		{"a hyphen", "00005704-123", "serial_shape"},
		{"a space as scanned from a label", "00005704 123", "serial_shape"},
	})
}

func TestSerialParts(t *testing.T) {
	s, err := ParseSerial("00005702280117638929")
	if err != nil {
		t.Fatal(err)
	}
	if s.String() != "00005702280117638929" || s.Maker() != "000057" || s.Type() != "02" || s.MakerSerial() != "280117638929" {
		t.Errorf("parts: %q %q %q %q", s, s.Maker(), s.Type(), s.MakerSerial())
	}
	if name, ok := s.TypeName(); !ok || name.Zh != "传统 POS" || name.En != "traditional POS" {
		t.Errorf("type 02 is %+v, %v", name, ok)
	}
	if s.Last(6) != "638929" || s.Last(50) != s.String() {
		t.Errorf("Last: %q, %q", s.Last(6), s.Last(50))
	}
	unlisted, err := ParseSerial("000057071")
	if err != nil {
		t.Fatal(err)
	}
	if name, ok := unlisted.TypeName(); ok || name.Zh != "" {
		t.Errorf("type 07 is %+v", name)
	}
	for code, name := range serialTypes {
		if !within(code, 2, 2, isDigit) || name.Zh == "" || name.En == "" {
			t.Errorf("type %q has the name %+v", code, name)
		}
	}
}

func TestSerialIsAMenshenID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringMatching(`[0-9]{8}[0-9A-Za-z]{1,42}`).Draw(t, "in")
		s, err := ParseSerial(in)
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		if err := CheckID(s.String()); err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		if s.Maker()+s.Type()+s.MakerSerial() != in {
			t.Fatalf("%s: the parts do not make the whole", in)
		}
	})
}

func TestSerialZeroValueHoldsNothing(t *testing.T) {
	var zero Serial
	if zero.String()+zero.Maker()+zero.Type()+zero.MakerSerial()+zero.Last(6) != "" {
		t.Error("the zero value holds something")
	}
	if _, ok := zero.TypeName(); ok {
		t.Error("the zero value has a type")
	}
}

func FuzzParseSerial(f *testing.F) {
	for _, seed := range []string{"00005702280117638929", "00005704N86A0012", "00005704", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := ParseSerial(in)
		if err != nil {
			if s != (Serial{}) {
				t.Fatal("a refused value is handed out")
			}
			return
		}
		if s.String() != in || len(in) > 50 || s.MakerSerial() == "" || CheckID(in) != nil {
			t.Fatalf("accepted %q", in)
		}
	})
}

func TestPTSNumbers(t *testing.T) {
	table(t, CheckPTSNumber, []row{
		{"as listed", "4-30432", ""},
		{"six digits", "4-304321", "pts_number_shape"},
		{"four digits", "4-3043", "pts_number_shape"},
		{"no hyphen", "4330432", "pts_number_shape"},
		{"a letter in front", "A-30432", "pts_number_shape"},
		{"a letter behind", "4-3043A", "pts_number_shape"},
	})
}

func TestVersionPatterns(t *testing.T) {
	table(t, errOf(ParseVersionPattern), []row{
		{"fixed", "V1.02", ""},
		{"wildcards", "A920-xxx-0x1", ""},
		{"words", "PED (v2)/EMV 4_1", ""},
		{"64 characters", strings.Repeat("1", 64), ""},
		{"65 characters", strings.Repeat("1", 65), "version_pattern_shape"},
		{"empty", "", "version_pattern_shape"},
		{"a space in front", " 1.0", "version_pattern_shape"},
		{"a space behind", "1.0 ", "version_pattern_shape"},
		{"an asterisk", "1.*", "version_pattern_shape"},
		{"Chinese", "一.0", "version_pattern_shape"},
		{"one wildcard", "x", "version_pattern_open"},
		{"wildcards and separators", "x.xx-x", "version_pattern_open"},
		{"separators only", "-", "version_pattern_open"},
	})
}

func TestVersionMatch(t *testing.T) {
	for _, r := range []struct {
		name, pattern, version string
		want                   bool
	}{
		{"the same", "V1.02", "V1.02", true},
		{"another digit", "V1.02", "V1.03", false},
		{"case counts", "V1.02", "v1.02", false},
		{"longer", "V1.02", "V1.021", false},
		{"shorter", "V1.02", "V1.0", false},
		{"empty", "V1.02", "", false},
		{"wildcard takes a digit", "1.x", "1.7", true},
		{"wildcard takes a letter", "1.x", "1.B", true},
		{"wildcard takes an x", "1.x", "1.x", true},
		{"wildcard takes one, not two", "1.x", "1.10", false},
		{"wildcard takes one, not none", "1.x", "1.", false},
		{"wildcard takes no separator", "1xx0", "1.00", false},
		{"wildcard takes no space", "1.x0", "1. 0", false},
		{"capital X is itself", "1.X", "1.7", false},
		{"capital X matches itself", "1.X", "1.X", true},
		{"fixed part before a wildcard", "A920-xxx", "A930-001", false},
		{"several wildcards", "A920-xxx-0x1", "A920-0AB-091", true},
	} {
		p, err := ParseVersionPattern(r.pattern)
		if err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		if got := p.Match(r.version); got != r.want {
			t.Errorf("%s: %q against %q is %v", r.name, r.version, r.pattern, got)
		}
		if p.String() != r.pattern {
			t.Errorf("%s: String = %q", r.name, p)
		}
	}
	if (VersionPattern{}).Match("") || (VersionPattern{}).Match("1.0") {
		t.Error("the zero value matches")
	}
}

func TestVersionMatchIsExactlyTheWildcard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[1-9A-C][x0-9.]{0,10}`).Draw(t, "pattern")
		p, err := ParseVersionPattern(pattern)
		if err != nil {
			t.Fatal(err)
		}
		version := []byte(pattern)
		for i := range version {
			if version[i] == 'x' {
				version[i] = rapid.SampledFrom([]byte("0123456789abcXYZ")).Draw(t, "for x")
			}
		}
		if !p.Match(string(version)) {
			t.Fatalf("%q does not match %q", version, pattern)
		}
		at := rapid.IntRange(0, len(version)-1).Draw(t, "at")
		version[at] = '_'
		if p.Match(string(version)) {
			t.Fatalf("%q matches %q", version, pattern)
		}
	})
}

func FuzzVersionPattern(f *testing.F) {
	f.Add("A920-xxx", "A920-0AB")
	f.Add("x", "x")
	f.Fuzz(func(t *testing.T, pattern, version string) {
		p, err := ParseVersionPattern(pattern)
		if err == nil && p.Match(version) && len(version) != len(pattern) {
			t.Fatalf("%q matches %q", version, pattern)
		}
		if err == nil && !strings.Contains(pattern, "x") && p.Match(version) != (pattern == version) {
			t.Fatalf("without a wildcard, %q against %q is not equality", version, pattern)
		}
	})
}
