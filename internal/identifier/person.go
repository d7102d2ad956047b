package identifier

import (
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

var (
	errResidentShape = fault.New(fault.Invalid, "resident_id_shape",
		"身份证号要 18 位：前 17 位是数字，最后一位是数字或大写 X。",
		"A resident identity number has 18 characters: 17 digits, then a digit or a capital X.")
	errResidentBirth = fault.New(fault.Invalid, "resident_id_birth",
		"身份证号里的出生日期不存在，请对照证件再输一遍。",
		"The date of birth inside the resident identity number does not exist; compare it with the card.")
	errResidentCheck = fault.New(fault.Invalid, "resident_id_check",
		"身份证号的最后一位对不上，请对照证件再输一遍。",
		"The last character of the resident identity number does not fit the rest; compare it with the card.")
	errPhone = fault.New(fault.Invalid, "phone_shape",
		"电话号码的写法不对：手机 11 位，座机写成 区号-号码，或 400、800、95、96 开头的服务号码。",
		"Write a phone number as an 11-digit mobile, an area code and number with a hyphen, or a 400, 800, 95 or 96 service number.")
)

// ResidentID is a mainland resident identity number (居民身份证号). It prints masked.
type ResidentID struct{ value string }

// residentWeights and residentChecks are of GB 11643-1999: the weighted sum of the first 17
// digits, mod 11, indexes the check character.
var residentWeights = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

const residentChecks = "10X98765432"

// ParseResidentID reads a resident identity number by GB 11643-1999: 6 digits region, 8 digits date
// of birth, 3 digits order, 1 check character. The region is not compared with any list: cards keep
// the codes of regions that were since merged or renamed. A year before 1800 is no living person's.
// Whether the date lies in the future is for a caller that has a clock.
// Faults: resident_id_shape, resident_id_birth, resident_id_check.
func ParseResidentID(s string) (ResidentID, error) {
	if len(s) != 18 || !within(s[:17], 17, 17, isDigit) || !isDigit(s[17]) && s[17] != 'X' {
		return ResidentID{}, errResidentShape
	}
	if day, err := time.Parse("20060102", s[6:14]); err != nil || day.Year() < 1800 {
		return ResidentID{}, errResidentBirth
	}
	sum := 0
	for i, w := range residentWeights {
		sum += int(s[i]-'0') * w
	}
	if s[17] != residentChecks[sum%11] {
		return ResidentID{}, errResidentCheck
	}
	return ResidentID{s}, nil
}

// Value gives the number itself, "" for the zero value. It is personal: vault only.
func (r ResidentID) Value() string { return r.value }

// Masked keeps 3 characters in front and 4 behind.
func (r ResidentID) Masked() string { return masked(r.value, 3, 4) }

// String is Masked, so that a print by mistake shows nothing.
func (r ResidentID) String() string { return r.Masked() }

// GoString is Masked, for %#v.
func (r ResidentID) GoString() string { return r.Masked() }

// Birth gives the date of birth at midnight UTC, the zero time for the zero value.
func (r ResidentID) Birth() time.Time {
	if r.value == "" {
		return time.Time{}
	}
	day, _ := time.Parse("20060102", r.value[6:14]) // ParseResidentID has read it before
	return day
}

// Phone is a mainland telephone number. It prints masked.
type Phone struct {
	value  string
	mobile bool
}

// ParsePhone reads the shape of a mainland number (numbering plan, 电信网编号计划 2017): a mobile number is
// 11 digits beginning 13 to 19; a landline is an area code of 3 or 4 digits beginning 0, a hyphen,
// and 7 or 8 digits not beginning 0 or 1; a service number is 400 or 800 and 7 digits, or 95 or 96 and
// 3 to 4 digits (banks, payment institutions). No country code, no extension: one spelling for each
// number, because numbers are compared. Which ranges are handed out changes; the shape does not say.
// Fault: phone_shape.
func ParsePhone(s string) (Phone, error) {
	area, number, hyphen := strings.Cut(s, "-")
	switch {
	case hyphen:
		if within(area, 3, 4, isDigit) && area[0] == '0' && within(number, 7, 8, isDigit) && number[0] > '1' {
			return Phone{value: s}, nil
		}
	case !within(s, 5, 11, isDigit):
	case len(s) == 11:
		if s[0] == '1' && s[1] >= '3' {
			return Phone{value: s, mobile: true}, nil
		}
	case len(s) == 10:
		if strings.HasPrefix(s, "400") || strings.HasPrefix(s, "800") {
			return Phone{value: s}, nil
		}
	case len(s) <= 6:
		if strings.HasPrefix(s, "95") || strings.HasPrefix(s, "96") {
			return Phone{value: s}, nil
		}
	}
	return Phone{}, errPhone
}

// Value gives the number itself, "" for the zero value. It is personal: vault only.
func (p Phone) Value() string { return p.value }

// Mobile says whether a text message can reach it.
func (p Phone) Mobile() bool { return p.mobile }

// Masked keeps 3 characters in front and 4 behind.
func (p Phone) Masked() string { return masked(p.value, 3, 4) }

// String is Masked, so that a print by mistake shows nothing.
func (p Phone) String() string { return p.Masked() }

// GoString is Masked, for %#v.
func (p Phone) GoString() string { return p.Masked() }
