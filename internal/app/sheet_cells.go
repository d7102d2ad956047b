package app

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"github.com/menshen-project/menshen/internal/fault"
)

var (
	errCellScience   = fault.New(fault.Invalid, "cell_scientific", "Excel 把长数字变成了科学记数法，后面的数字已经丢了：把这一列设为“文本”，再从原始资料填。", "Excel turned a long number into scientific notation and its last digits are lost: format the column as text and fill it in again from the source.")
	errCellZeros     = fault.New(fault.Invalid, "cell_zeros_lost", "前面的 0 丢了（多半是 Excel 当成了数字）：把这一列设为“文本”，补上 0。", "Leading zeros are lost, as Excel does with numbers: format the column as text and put them back.")
	errCellPrecision = fault.New(fault.Invalid, "cell_digits_lost", "数字超过 15 位，后面的被 Excel 变成了 0：把这一列设为“文本”，再从原始资料填。", "The number is over 15 digits and Excel made zeros of the last ones: format the column as text and fill it in again from the source.")
	errCellSerial    = fault.New(fault.Invalid, "cell_date_serial", "日期变成了 Excel 的序号：把这一列设为“文本”，写成 2026-11-22 这样。", "The date has become Excel's serial number: format the column as text and write it like 2026-11-22.")
)

// Notes are what was set right in a cell because nothing else can be meant.
var (
	noteWidth = fault.New(fault.Invalid, "note_full_width", "全角字符已按半角读。", "Full-width characters were read as half-width.")
	noteDate  = fault.New(fault.Invalid, "note_date_written_otherwise", "日期已按 2026-11-22 的写法读。", "The date was read as if written like 2026-11-22.")
)

var (
	scientific  = regexp.MustCompile(`^[0-9](\.[0-9]+)?[eE]\+[0-9]+$`)
	serialDate  = regexp.MustCompile(`^[345][0-9]{4}(\.[0-9]+)?$`) // 1982 to 2064
	lostDigits  = regexp.MustCompile(`^[1-9][0-9]{14}0+$`)
	writtenDate = regexp.MustCompile(`^([0-9]{4})[/.年]([0-9]{1,2})[/.月]([0-9]{1,2})日?$`)
	onlyDigits  = regexp.MustCompile(`^[0-9]+$`)
)

// dayColumns hold days.
var dayColumns = map[string]bool{"备案日期": true, "取消日期": true, "批准到期": true}

// mostZeros is how many leading zeros a cell may have lost to be told so: serials begin with four.
const mostZeros = 6

// tidy trims a cell and, where a column has a format, reads full-width characters and a date written
// another way as what they must be. It says what it did; free text is only trimmed.
func (c column) tidy(cell string) (value string, note error) {
	value = strings.TrimFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b' })
	if c.check == nil {
		return value, nil
	}
	if narrow := width.Narrow.String(value); narrow != value {
		value, note = narrow, noteWidth
	}
	if m := writtenDate.FindStringSubmatch(value); dayColumns[c.header] && m != nil {
		value, note = m[1]+"-"+twoDigits(m[2])+"-"+twoDigits(m[3]), noteDate
	}
	return value, note
}

func twoDigits(s string) string {
	if len(s) == 1 {
		return "0" + s
	}
	return s
}

// trap finds what a spreadsheet did to a value that its column's check refuses: then that is the
// message, for the rule's own sentence would send somebody to correct a number that is right.
func (c column) trap(b *book, row Row, value string, refused error) error {
	switch {
	case scientific.MatchString(value):
		return errCellScience
	case (dayColumns[c.header] || c.header == "上门开始") && serialDate.MatchString(value):
		return errCellSerial
	case lostDigits.MatchString(value):
		return errCellPrecision
	case onlyDigits.MatchString(value):
		for n := 1; n <= mostZeros; n++ {
			if c.check(b, row, strings.Repeat("0", n)+value) == nil {
				return errCellZeros
			}
		}
	}
	return refused
}
