package identifier

import (
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
)

var (
	errSerial = fault.New(fault.Invalid, "serial_shape",
		"终端序列号是 6 位厂商、2 位类型，再加厂商自己的编号（字母或数字），总共最多 50 位。",
		"A terminal serial is 6 digits maker, 2 digits type and the maker's own letters or digits, at most 50 in all.")
	errPTSNumber = fault.New(fault.Invalid, "pts_number_shape",
		"PCI PTS 批准号的样子是 4-30432：一位数字、横线、五位数字。",
		"A PCI PTS approval number looks like 4-30432: one digit, a hyphen, five digits.")
	errVersionShape = fault.New(fault.Invalid, "version_pattern_shape",
		"硬件或固件版本只用字母、数字、空格和 . _ - / ( )，最多 64 位，首尾不留空格。",
		"A hardware or firmware version has at most 64 letters, digits, spaces or . _ - / ( ), without a space at either end.")
	errVersionOpen = fault.New(fault.Invalid, "version_pattern_open",
		"版本不能全是通配符 x，那样什么机器都算批准了。",
		"A version of nothing but x wildcards would approve every device.")
)

// Serial is a terminal's serial number (终端序列号, TUSN). It is also the device's menshen id.
type Serial struct{ value string }

// serialTypes are the two digits after the maker, from the clearing house's serial number rules.
var serialTypes = map[string]fault.Text{
	"01": {Zh: "自助终端 ATM", En: "ATM"}, "02": {Zh: "传统 POS", En: "traditional POS"},
	"03": {Zh: "mPOS", En: "mPOS"}, "04": {Zh: "智能 POS", En: "smart POS"},
	"05": {Zh: "II 型固定电话", En: "type-II phone"}, "06": {Zh: "云闪付终端", En: "QuickPass terminal"},
	"08": {Zh: "手机 POS", En: "phone POS"}, "09": {Zh: "刷脸终端", En: "face terminal"},
	"10": {Zh: "条码支付受理终端", En: "barcode terminal"}, "11": {Zh: "条码支付辅助受理终端", En: "barcode auxiliary terminal"},
	"12": {Zh: "行业终端", En: "industry terminal"}, "13": {Zh: "MIS 终端", En: "MIS terminal"},
}

// ParseSerial reads a terminal serial number: 6 digits maker, 2 digits type, then the maker's own
// serial of at least one letter or digit; at most 50 (银发〔2021〕259号, I.1.1, and the clearing house's rules
// for the number). A type outside the list parses, since new ones are added: see TypeName. Case is kept.
// Fault: serial_shape.
func ParseSerial(s string) (Serial, error) {
	if len(s) < 9 || len(s) > 50 || !within(s[:8], 8, 8, isDigit) || !within(s[8:], 1, 42, isAlphanumeric) {
		return Serial{}, errSerial
	}
	return Serial{s}, nil
}

// String gives the serial, "" for the zero value.
func (s Serial) String() string { return s.value }

// Maker gives the 6 digits of the maker, "" for the zero value.
func (s Serial) Maker() string { return s.part(0, 6) }

// Type gives the 2 digits of the kind of terminal, "" for the zero value.
func (s Serial) Type() string { return s.part(6, 8) }

// MakerSerial gives what the maker numbers by itself, "" for the zero value.
func (s Serial) MakerSerial() string { return s.part(8, len(s.value)) }

// TypeName names the kind of terminal; false when the type is not on the list.
func (s Serial) TypeName() (fault.Text, bool) {
	name, ok := serialTypes[s.Type()]
	return name, ok
}

// Last gives the last n characters, all of them when there are fewer: what a merchant compares with
// the label on the back.
func (s Serial) Last(n int) string { return s.part(max(0, len(s.value)-n), len(s.value)) }

func (s Serial) part(from, to int) string {
	if s.value == "" {
		return ""
	}
	return s.value[from:to]
}

// CheckPTSNumber accepts the approval number of a PCI PTS listing: major version, hyphen, five digits,
// such as 4-30432. When a listing ends is data of the listing and never follows from the number.
// Fault: pts_number_shape.
func CheckPTSNumber(s string) error {
	if len(s) != 7 || !isDigit(s[0]) || s[1] != '-' || !within(s[2:], 5, 5, isDigit) {
		return errPTSNumber
	}
	return nil
}

// VersionPattern is a hardware or firmware version as a PTS listing prints it. The zero value matches
// nothing.
type VersionPattern struct{ pattern string }

// ParseVersionPattern reads a version of a PCI PTS listing, in which each lower-case x stands for
// exactly one letter or digit that may vary without a new approval. A capital X is itself. A pattern
// without one letter or digit of its own is refused, since it would approve whatever is put before it.
// Faults: version_pattern_shape, version_pattern_open.
func ParseVersionPattern(s string) (VersionPattern, error) {
	if !isVersion(s) {
		return VersionPattern{}, errVersionShape
	}
	fixed := func(r rune) bool { return r != 'x' && isAlphanumeric(byte(r)) }
	if strings.IndexFunc(s, fixed) < 0 {
		return VersionPattern{}, errVersionOpen
	}
	return VersionPattern{s}, nil
}

func isVersion(s string) bool {
	class := func(c byte) bool { return isAlphanumeric(c) || strings.IndexByte(" ._-/()", c) >= 0 }
	return within(s, 1, 64, class) && strings.TrimSpace(s) == s
}

// String gives the pattern as listed, "" for the zero value.
func (p VersionPattern) String() string { return p.pattern }

// Match says whether a device's version is covered: the same length, equal byte by byte, except that
// each x of the pattern takes any one letter or digit. It never spans a separator, so 1.x does not
// cover 1.10.
func (p VersionPattern) Match(version string) bool {
	if p.pattern == "" || len(version) != len(p.pattern) {
		return false
	}
	for i := range len(version) {
		wild := p.pattern[i] == 'x' && isAlphanumeric(version[i])
		if !wild && p.pattern[i] != version[i] {
			return false
		}
	}
	return true
}
