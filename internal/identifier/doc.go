// Package identifier knows the formats of the field: resident number, credit code, licence, merchant
// and terminal codes, device serial, position, account, phone. Each rule stands with its source in
// the docstring of the function that applies it.
//
// A value that parses is well formed, nothing more: whether the person, company or device exists is
// asked elsewhere. Parse functions are strict about what they take, because the bytes they pass are
// compared, committed to and signed; what a person typed goes through [Typed] first. No fault made
// here ever carries the value.
//
// Types with parts hide their fields and are made only by their Parse function; the zero value
// holds nothing and matches nothing. Those that hold a personal value print masked. fmt cannot call
// that method through a struct's unexported field, so keep such a value in an exported field or a
// variable of its own, or do not print the struct.
package identifier

import (
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
)

var errID = fault.New(fault.Invalid, "id_shape",
	"编号只能用字母、数字、点、横线和下划线，以字母或数字开头，最多 64 位。",
	"An id has 1 to 64 letters, digits, dots, hyphens or underscores and begins with a letter or digit.")

// CheckID accepts menshen's own opaque ids: ^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$. They are made by the
// client, compared byte by byte and safe in an address or a file name; a device's id is its serial.
// Fault: id_shape.
func CheckID(s string) error {
	if !within(s, 1, 64, isIDByte) || !isAlphanumeric(s[0]) {
		return errID
	}
	return nil
}

// Typed turns what a person typed or pasted into what the Parse functions take: full-width forms
// become ASCII, spaces go, letters become upper case. It repairs the keyboard, not the value, and is
// for codes without case; ids, terminal codes and serials are taken as they are.
func Typed(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			r -= '！' - '!'
		}
		switch {
		case r == ' ' || r == '\t' || r == '\u00a0' || r == '\u3000':
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

// within says whether s has lo to hi bytes, all of the class.
func within(s string, lo, hi int, class func(byte) bool) bool {
	if len(s) < lo || len(s) > hi {
		return false
	}
	for i := range len(s) {
		if !class(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool        { return '0' <= c && c <= '9' }
func isUpper(c byte) bool        { return 'A' <= c && c <= 'Z' }
func isUpperOrDigit(c byte) bool { return isDigit(c) || isUpper(c) }
func isAlphanumeric(c byte) bool { return isUpperOrDigit(c) || 'a' <= c && c <= 'z' }
func isIDByte(c byte) bool       { return isAlphanumeric(c) || c == '.' || c == '_' || c == '-' }

// masked keeps the first and last few bytes of an ASCII value and stars the rest.
func masked(s string, first, last int) string {
	if len(s) <= first+last {
		return strings.Repeat("*", len(s))
	}
	return s[:first] + strings.Repeat("*", len(s)-first-last) + s[len(s)-last:]
}
