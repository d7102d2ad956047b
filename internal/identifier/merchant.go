package identifier

import "github.com/menshen-project/menshen/internal/fault"

var (
	errMerchantCode = fault.New(fault.Invalid, "merchant_code_shape",
		"商户编码要 15 位数字或大写字母。",
		"A merchant code has 15 digits or capital letters.")
	errMCC = fault.New(fault.Invalid, "mcc_shape",
		"商户类别码（MCC）要 4 位数字。",
		"A merchant category code has 4 digits.")
	errTerminalCode = fault.New(fault.Invalid, "terminal_code_shape",
		"终端号要 8 位字母或数字。",
		"A terminal code has 8 letters or digits.")
	errAccountKind = fault.New(fault.Invalid, "account_kind",
		"请先选结算账户的类型：银行卡，或对公账户。",
		"Say first what the settlement account is: a card or a company account.")
	errAccountCardShape = fault.New(fault.Invalid, "account_card_shape",
		"结算卡的卡号是 12 到 19 位数字，不以 0 开头。",
		"A settlement card has 12 to 19 digits and does not begin with 0.")
	errAccountCardCheck = fault.New(fault.Invalid, "account_card_check",
		"结算卡的卡号对不上校验位，请对照卡面再输一遍。",
		"The settlement card's number fails its check digit; compare it with the card.")
	errAccountCompany = fault.New(fault.Invalid, "account_company_shape",
		"对公账户的账号是 6 到 32 位数字。",
		"A company account has 6 to 32 digits.")
)

// MerchantCode is a merchant's code at its acquirer (商户编码, MID).
type MerchantCode struct{ value string }

// ParseMerchantCode takes 15 digits or capital letters (ISO 8583 field 42). Nominally they are 3
// acquirer, 4 region, 4 trade, 4 serial, but codes in use break that, so the parts are hints only: see
// Warnings. Fault: merchant_code_shape.
func ParseMerchantCode(s string) (MerchantCode, error) {
	if !within(s, 15, 15, isUpperOrDigit) {
		return MerchantCode{}, errMerchantCode
	}
	return MerchantCode{s}, nil
}

// String gives the code, "" for the zero value.
func (m MerchantCode) String() string { return m.value }

// MerchantHints are the nominal parts of a merchant code. Nothing may be refused because of them.
type MerchantHints struct {
	Acquirer string // 3 characters, given out by the clearing house
	Region   string // 4 characters of the clearing house's own region table, not GB/T 2260
	MCC      string // 4 characters, merchant category
	Serial   string // 4 characters
}

// Hints cuts the code into its nominal parts; all empty for the zero value.
func (m MerchantCode) Hints() MerchantHints {
	if m.value == "" {
		return MerchantHints{}
	}
	return MerchantHints{m.value[:3], m.value[3:7], m.value[7:11], m.value[11:]}
}

// Warning is something for a person to look at. It never refuses.
type Warning struct {
	Code string // stable, snake_case
	Text fault.Text
}

// Warnings compares the hints with what the order says: the shop's region in the clearing house's
// table and its trade (MCC). An empty argument is unknown and not compared. A difference may be an old
// code, or 跳码: trades booked under a cheaper category or another place. Order: region, trade.
func (m MerchantCode) Warnings(region, mcc string) []Warning {
	if m.value == "" {
		return nil
	}
	var found []Warning
	hints := m.Hints()
	if region != "" && region != hints.Region {
		found = append(found, Warning{"merchant_code_region_differs", fault.Text{
			Zh: "商户编码里的地区和店铺地址对不上，请收单机构核实是不是跳码。",
			En: "The region inside the merchant code differs from the shop's address; the acquirer should look at it."}})
	}
	if mcc != "" && mcc != hints.MCC {
		found = append(found, Warning{"merchant_code_trade_differs", fault.Text{
			Zh: "商户编码里的行业和店铺经营的行业对不上，请收单机构核实是不是跳码。",
			En: "The trade inside the merchant code differs from the shop's trade; the acquirer should look at it."}})
	}
	return found
}

// CheckMCC accepts a merchant category code by shape, 4 digits (ISO 18245). Fault: mcc_shape.
func CheckMCC(s string) error {
	if !within(s, 4, 4, isDigit) {
		return errMCC
	}
	return nil
}

// CheckTerminalCode accepts a terminal code (终端号, TID): 8 letters or digits (ISO 8583 field 41). Case
// is kept, as the acquirer's host compares bytes. Fault: terminal_code_shape.
func CheckTerminalCode(s string) error {
	if !within(s, 8, 8, isAlphanumeric) {
		return errTerminalCode
	}
	return nil
}

// AccountKind says what a settlement account is. It is asked before the number, because the two have
// different rules.
type AccountKind string

const (
	AccountCard    AccountKind = "card"    // a bank card of the principal
	AccountCompany AccountKind = "company" // a company's account at a bank
)

// Account is the account that an acquirer settles to (收单结算账户). It prints masked. A customer's card
// number never becomes one.
type Account struct {
	kind  AccountKind
	value string
}

// ParseAccount reads a settlement account of the stated kind. A card has 12 to 19 digits with a Luhn
// check (ISO/IEC 7812-1) and does not begin with 0, which that standard keeps for itself. A company
// account has no public check and need not pass Luhn: 6 to 32 digits, a bound of ours.
// Faults: account_kind, account_card_shape, account_card_check, account_company_shape.
func ParseAccount(kind AccountKind, s string) (Account, error) {
	switch kind {
	case AccountCard:
		if !within(s, 12, 19, isDigit) || s[0] == '0' {
			return Account{}, errAccountCardShape
		}
		if !luhn(s) {
			return Account{}, errAccountCardCheck
		}
	case AccountCompany:
		if !within(s, 6, 32, isDigit) {
			return Account{}, errAccountCompany
		}
	default:
		return Account{}, errAccountKind
	}
	return Account{kind, s}, nil
}

// luhn applies ISO/IEC 7812-1 annex B: from the right, every second digit doubled, digits summed.
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			d = d*2 - 9*(d/5)
		}
		sum += d
	}
	return sum%10 == 0
}

// Kind says what the account is, "" for the zero value.
func (a Account) Kind() AccountKind { return a.kind }

// Value gives the number itself, "" for the zero value. It is personal: vault only.
func (a Account) Value() string { return a.value }

// Masked keeps the last 4 digits.
func (a Account) Masked() string { return masked(a.value, 0, 4) }

// String is Masked, so that a print by mistake shows nothing.
func (a Account) String() string { return a.Masked() }

// GoString is Masked, for %#v.
func (a Account) GoString() string { return a.Masked() }
