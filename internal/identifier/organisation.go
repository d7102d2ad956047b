package identifier

import (
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
)

var (
	errCreditShape = fault.New(fault.Invalid, "credit_code_shape",
		"统一社会信用代码要 18 位，只用数字和大写字母（没有 I、O、S、V、Z）。",
		"A unified social credit code has 18 digits or capital letters, without I, O, S, V and Z.")
	errCreditRegion = fault.New(fault.Invalid, "credit_code_region",
		"统一社会信用代码的第 3 到第 8 位是地区，只能是数字。",
		"Characters 3 to 8 of a unified social credit code are the region and must be digits.")
	errCreditCheck = fault.New(fault.Invalid, "credit_code_check",
		"统一社会信用代码的最后一位对不上，请对照营业执照再输一遍。",
		"The last character of the unified social credit code does not fit the rest; compare it with the business licence.")
	errLicence = fault.New(fault.Invalid, "payment_licence_shape",
		"支付业务许可证编号是 Z2 加 12 位数字。",
		"A payment licence number is Z2 and 12 digits.")
	errAcquirerCode = fault.New(fault.Invalid, "acquirer_code_shape",
		"收单机构代码只用字母和数字，最多 32 位。",
		"An acquirer code has 1 to 32 letters or digits.")
	errNetworkLicence = fault.New(fault.Invalid, "network_licence_shape",
		"入网认证编号要 5 位大写字母或数字，例如 P3100。",
		"A network licence number has 5 capital letters or digits, such as P3100.")
)

// CreditCode is a unified social credit code (统一社会信用代码).
type CreditCode struct{ value string }

// creditAlphabet gives each character its value, and creditWeights are 3^(i-1) mod 31:
// GB 32100-2015.
const creditAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

var creditWeights = [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}

// ParseCreditCode reads a unified social credit code by GB 32100-2015: registering authority,
// category, 6 digits region, 9 characters organisation, check character
// (31 − weighted sum mod 31) mod 31. When the sum is a multiple of 31 the check is therefore 0, which
// a widely copied implementation refuses. The region is not compared with any list, and the
// organisation's own inner check (GB 11714) is not asked: registered codes exist that break it.
// Faults: credit_code_shape, credit_code_region, credit_code_check.
func ParseCreditCode(s string) (CreditCode, error) {
	isCredit := func(c byte) bool { return strings.IndexByte(creditAlphabet, c) >= 0 }
	if !within(s, 18, 18, isCredit) {
		return CreditCode{}, errCreditShape
	}
	if !within(s[2:8], 6, 6, isDigit) {
		return CreditCode{}, errCreditRegion
	}
	sum := 0
	for i, w := range creditWeights {
		sum += strings.IndexByte(creditAlphabet, s[i]) * w
	}
	if s[17] != creditAlphabet[(31-sum%31)%31] {
		return CreditCode{}, errCreditCheck
	}
	return CreditCode{s}, nil
}

// String gives the code, "" for the zero value.
func (c CreditCode) String() string { return c.value }

// Province gives the first two digits of the registering region as a hint, "" for the zero value;
// a company may trade elsewhere.
func (c CreditCode) Province() string {
	if c.value == "" {
		return ""
	}
	return c.value[2:4]
}

// Licence is the number of a payment licence (支付业务许可证).
type Licence struct{ value string }

// ParseLicence reads a payment licence number: Z2, 4 digits order, 2 digits province, 00001, 1 digit,
// as printed on the licences that the People's Bank publishes. Only ^Z2\d{12}$ is required: no check
// digit is public, so a number of the right shape proves nothing until it is looked up on the trust
// list. Fault: payment_licence_shape.
func ParseLicence(s string) (Licence, error) {
	if len(s) != 14 || s[:2] != "Z2" || !within(s[2:], 12, 12, isDigit) {
		return Licence{}, errLicence
	}
	return Licence{s}, nil
}

// String gives the number, "" for the zero value.
func (l Licence) String() string { return l.value }

// Province gives the two digits where the province stands, as a hint; "" for the zero value.
func (l Licence) Province() string {
	if l.value == "" {
		return ""
	}
	return l.value[6:8]
}

// AcquirerCode is an acquirer's code (收单机构代码) together with who gave it out. The same digits from
// two issuers are two codes.
type AcquirerCode struct{ issuer, code string }

// ParseAcquirerCode takes the issuer's menshen id and the code as the issuer writes it. No public rule
// exists for its inside, so it stays opaque: 1 to 32 ASCII letters or digits, a bound of ours.
// Faults: id_shape at issuer, acquirer_code_shape.
func ParseAcquirerCode(issuer, code string) (AcquirerCode, error) {
	if CheckID(issuer) != nil {
		return AcquirerCode{}, errID.At("issuer")
	}
	if !within(code, 1, 32, isAlphanumeric) {
		return AcquirerCode{}, errAcquirerCode
	}
	return AcquirerCode{issuer, code}, nil
}

// Issuer gives the id of who gave the code out.
func (a AcquirerCode) Issuer() string { return a.issuer }

// Code gives the code as its issuer writes it.
func (a AcquirerCode) Code() string { return a.code }

// CheckNetworkLicence accepts the number of a terminal model's network certification (入网认证编号): 5
// capital letters or digits, such as P3100. No public rule says more; look it up.
// Fault: network_licence_shape.
func CheckNetworkLicence(s string) error {
	if !within(s, 5, 5, isUpperOrDigit) {
		return errNetworkLicence
	}
	return nil
}
