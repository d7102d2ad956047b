package identifier

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestResidentIDs(t *testing.T) {
	table(t, errOf(ParseResidentID), []row{
		{"check digit 1", "360426199101010071", ""},
		{"check X", "11010519491231002X", ""},
		{"a region that no list has", "999999199101010072", ""},
		{"born on a leap day", "110105200002290021", ""},
		{"born in 1800, the first year taken", "110105180001010029", ""},
		{"lower-case x", "11010519491231002x", "resident_id_shape"},
		{"the old 15 digits", "110105491231002", "resident_id_shape"},
		{"19 characters", "3604261991010100711", "resident_id_shape"},
		{"X in the middle", "1101051949123100X2", "resident_id_shape"},
		{"a letter at the end", "36042619910101007A", "resident_id_shape"},
		{"full-width digit", "36042619910101007１", "resident_id_shape"},
		{"30 February", "110105194902300027", "resident_id_birth"},
		{"29 February of a common year", "110105190002290022", "resident_id_birth"},
		{"month 13", "110105194913310024", "resident_id_birth"},
		{"day 00", "110105194912000023", "resident_id_birth"},
		{"year 1799", "110105179912310023", "resident_id_birth"},
		{"all zeros", "000000000000000000", "resident_id_birth"},
		{"check off by one", "360426199101010072", "resident_id_check"},
		{"0 where X belongs", "110105194912310020", "resident_id_check"},
		{"X where a digit belongs", "36042619910101007X", "resident_id_check"},
		{"two neighbours swapped", "360426199101010701", "resident_id_check"},
	})
}

func TestResidentIDPartsAndMask(t *testing.T) {
	id, err := ParseResidentID("11010519491231002X")
	if err != nil {
		t.Fatal(err)
	}
	if got := id.Value(); got != "11010519491231002X" {
		t.Errorf("Value = %q", got)
	}
	if got := id.Birth(); !got.Equal(time.Date(1949, 12, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("Birth = %v", got)
	}
	const want = "110***********002X"
	if got := fmt.Sprintf("%v %+v %s %#v %v", id, id, id, id, struct{ ID ResidentID }{id}); got != want+" "+want+" "+want+" "+want+" {"+want+"}" {
		t.Errorf("printing shows %q", got)
	}
}

func TestResidentIDZeroValueHoldsNothing(t *testing.T) {
	var id ResidentID
	if id.Value() != "" || id.Masked() != "" || !id.Birth().IsZero() {
		t.Errorf("the zero value holds %q, %q, %v", id.Value(), id.Masked(), id.Birth())
	}
}

// residentWith completes 17 digits by the standard's own words (sum of digit × 2^(18-i) mod 11), a
// second way to the check character.
func residentWith(digits string) string {
	sum := 0
	for i, c := range digits {
		sum += int(c-'0') * (1 << (17 - i))
	}
	return digits + string("10X98765432"[sum%11])
}

func TestResidentIDCheckCatchesEverySingleError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := time.Unix(rapid.Int64Range(-5e9, 4e9).Draw(t, "seconds"), 0).UTC()
		good := residentWith(rapid.StringMatching(`[0-9]{6}`).Draw(t, "region") + day.Format("20060102") +
			rapid.StringMatching(`[0-9]{3}`).Draw(t, "order"))
		id, err := ParseResidentID(good)
		if err != nil {
			t.Fatalf("%s: %v", good, err)
		}
		if got := id.Birth().Format("20060102"); got != good[6:14] {
			t.Fatalf("born %s, want %s", got, good[6:14])
		}
		at := rapid.IntRange(0, 16).Draw(t, "at")
		digit := byte(rapid.IntRange('0', '9').Draw(t, "digit"))
		bad := good[:at] + string(digit) + good[at+1:]
		if _, err := ParseResidentID(bad); (err == nil) != (bad == good) {
			t.Fatalf("%s, changed to %s at %d: %v", good, bad, at, err)
		}
	})
}

func FuzzParseResidentID(f *testing.F) {
	for _, seed := range []string{"11010519491231002X", "360426199101010071", "110105194902300027", "11010519491231002x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		id, err := ParseResidentID(in)
		if err != nil {
			if id != (ResidentID{}) {
				t.Fatal("a refused value is handed out")
			}
			return
		}
		if id.Value() != in || residentWith(in[:17]) != in || id.Birth().Year() < 1800 {
			t.Fatalf("accepted %q", in)
		}
	})
}

func TestPhones(t *testing.T) {
	table(t, errOf(ParsePhone), []row{
		{"mobile", "13800000000", ""},
		{"mobile, range not handed out", "15400000001", ""},
		{"mobile 19", "19900000000", ""},
		{"landline, 3-digit area", "010-66190000", ""},
		{"landline, 4-digit area, 7 digits", "0512-6555000", ""},
		{"service 400", "4008000000", ""},
		{"service 800", "8008100000", ""},
		{"bank", "95516", ""},
		{"payment institution", "956000", ""},
		{"anti-fraud line", "96110", ""},
		{"mobile 12", "12800000000", "phone_shape"},
		{"mobile that begins with 2", "23800000000", "phone_shape"},
		{"mobile, 10 digits", "1380000000", "phone_shape"},
		{"mobile, 12 digits", "138000000000", "phone_shape"},
		{"country code", "+8613800000000", "phone_shape"},
		{"spaces", "138 0000 0000", "phone_shape"},
		{"landline without hyphen", "01066190000", "phone_shape"},
		{"area without 0", "512-65550000", "phone_shape"},
		{"area of 2 digits", "02-65550000", "phone_shape"},
		{"area of 5 digits", "05123-6555000", "phone_shape"},
		{"landline, 6 digits", "0512-655500", "phone_shape"},
		{"landline, 9 digits", "0512-655500001", "phone_shape"},
		{"landline beginning with 1", "0512-16555000", "phone_shape"},
		{"an extension", "0512-65550000-801", "phone_shape"},
		{"service 500", "5008000000", "phone_shape"},
		{"service 97", "97516", "phone_shape"},
		{"7 digits", "6555000", "phone_shape"},
		{"8 digits", "95512345", "phone_shape"},
		{"4 digits", "9551", "phone_shape"},
		{"police: three digits are no contact of a party", "110", "phone_shape"},
	})
}

func TestPhonePartsAndMask(t *testing.T) {
	mobile, err := ParsePhone("15400000001")
	if err != nil {
		t.Fatal(err)
	}
	landline, err := ParsePhone("0512-65550000")
	if err != nil {
		t.Fatal(err)
	}
	if !mobile.Mobile() || landline.Mobile() {
		t.Errorf("mobile = %v, %v, want true, false", mobile.Mobile(), landline.Mobile())
	}
	if got := mobile.Value(); got != "15400000001" {
		t.Errorf("Value = %q", got)
	}
	if got := fmt.Sprintf("%v %+v %#v", mobile, mobile, mobile); got != "154****0001 154****0001 154****0001" {
		t.Errorf("printing shows %q", got)
	}
	if zero := (Phone{}); zero.Value() != "" || zero.Mobile() {
		t.Error("the zero value holds a number")
	}
}

func FuzzParsePhone(f *testing.F) {
	for _, seed := range []string{"15400000001", "0512-65550000", "95516", "4008000000", "0-", "-", "110"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		p, err := ParsePhone(in)
		if err != nil {
			if p != (Phone{}) {
				t.Fatal("a refused value is handed out")
			}
			return
		}
		if p.Value() != in || len(in) < 5 || len(in) > 13 || p.Mobile() != (len(in) == 11 && in[0] == '1') {
			t.Fatalf("accepted %q, mobile %v", in, p.Mobile())
		}
	})
}
