package app

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/menshen-project/menshen/internal/fault"
)

// Bounds of a sheet. One that is longer is refused whole: half of it would be worse than nothing.
const (
	maxLines   = 100_000
	maxBytes   = 64 << 20
	maxColumns = 200
	maxCell    = 10_000 // bytes; no column holds more than an address
	maxUnzip   = 256 << 20
)

var (
	errSheetRead  = fault.New(fault.Invalid, "sheet_unreadable", "表格读不出来：要 CSV（UTF-8 或 GB18030）或 XLSX。", "The sheet cannot be read: want CSV in UTF-8 or GB18030, or XLSX.")
	errSheetLine  = fault.New(fault.Invalid, "line_unreadable", "这一行读不出来：引号没配对，或者格子数和表头不同。", "This line cannot be read: a quote is open, or it has more or fewer cells than the header.")
	errSheetLong  = fault.New(fault.TooLarge, "sheet_too_long", "表格太大：最多十万行、64 MiB，解压后 256 MiB。", "The sheet is over 100 000 lines or 64 MiB, or 256 MiB unpacked.")
	errSheetOld   = fault.New(fault.Invalid, "sheet_format_old", "这是旧的 .xls 格式，请另存为 .xlsx 或 CSV。", "This is the old .xls format; save it as .xlsx or CSV.")
	errSheetUTF16 = fault.New(fault.Invalid, "sheet_utf16", "这是 UTF-16 编码，请另存为“CSV UTF-8”。", "This is UTF-16; save it as \"CSV UTF-8\".")
	errSheetCells = fault.New(fault.TooLarge, "sheet_too_wide", "一行里格子太多，或者有一格太长。", "A line has too many cells, or a cell is too long.")
)

// line is one line of a table as a spreadsheet counts it.
type line struct {
	number int
	cells  []string
	broken error
}

// readTable reads the bytes of a CSV or XLSX file, whatever its name says: spreadsheets are renamed.
// The first line is the header. Faults: sheet_*.
func readTable(r io.Reader) ([]line, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	switch {
	case err != nil:
		return nil, errSheetRead.Because(err)
	case len(data) > maxBytes:
		return nil, errSheetLong
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return readXLSX(data)
	case bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0")):
		return nil, errSheetOld
	case bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")):
		return nil, errSheetUTF16
	}
	return readCSV(data)
}

func readCSV(data []byte) ([]line, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // spreadsheets like to put one there
	if !utf8.Valid(data) {
		decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
		if err != nil || bytes.ContainsRune(decoded, utf8.RuneError) || bytes.IndexByte(decoded, 0) >= 0 {
			return nil, errSheetRead.Because(err)
		}
		data = decoded
	}
	reader := csv.NewReader(bytes.NewReader(data))
	reader.Comma = separator(data)
	reader.FieldsPerRecord = 0 // as the header has
	var lines []line
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		l := line{cells: cells}
		l.number, _ = position(reader, err)
		if err != nil {
			l.broken = errSheetLine.Because(err)
		} else if wide(cells) {
			return nil, errSheetCells
		}
		if lines = append(lines, l); len(lines) > maxLines {
			return nil, errSheetLong
		}
		if errors.Is(err, csv.ErrQuote) || errors.Is(err, csv.ErrBareQuote) {
			return lines, nil // what follows an open quote cannot be told apart
		}
	}
}

// position gives the line that a record begins on, also of one that could not be read.
func position(r *csv.Reader, err error) (line, column int) {
	var broken *csv.ParseError
	if errors.As(err, &broken) {
		return broken.StartLine, broken.Column
	}
	return r.FieldPos(0)
}

func wide(cells []string) bool {
	return len(cells) > maxColumns || slices.ContainsFunc(cells, func(c string) bool { return len(c) > maxCell })
}

// separator finds which of comma, semicolon and tab the header is separated by.
func separator(data []byte) rune {
	first, _, _ := bytes.Cut(data, []byte("\n"))
	best, most := ',', 0
	for _, s := range []rune{',', ';', '\t'} {
		if n := bytes.Count(first, []byte(string(s))); n > most {
			best, most = s, n
		}
	}
	return best
}

// readXLSX reads the one sheet that people see. Cells come as they are stored and not as they look: what a long
// number or a date has become is then seen, and said.
func readXLSX(data []byte) (lines []line, err error) {
	defer func() {
		if recover() != nil { // a library that meets hostile bytes must not end the server
			lines, err = nil, errSheetRead.At("xlsx")
		}
	}()
	book, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{RawCellValue: true, UnzipSizeLimit: maxUnzip, UnzipXMLSizeLimit: 16 << 20})
	if err != nil {
		if strings.Contains(err.Error(), "unzip size exceeds") {
			return nil, errSheetLong
		}
		return nil, errSheetRead.Because(err)
	}
	defer func() {
		if closing := book.Close(); err == nil && closing != nil {
			lines, err = nil, errSheetRead.Because(closing)
		}
	}()
	name, odd, err := looked(data)
	if err != nil {
		return nil, err
	}
	rows, err := book.Rows(name)
	if err != nil {
		return nil, errSheetRead.Because(err)
	}
	defer rows.Close()
	width := 0
	for number := 1; rows.Next(); number++ {
		cells, err := rows.Columns()
		if err != nil {
			return nil, errSheetRead.Because(err)
		}
		if number > maxLines {
			return nil, errSheetLong
		}
		if wide(cells) {
			return nil, errSheetCells
		}
		if number == 1 {
			width = len(cells)
		}
		if l, given := xlsxLine(number, width, cells); given || odd[number] != nil {
			if odd[number] != nil {
				l.number, l.broken = number, odd[number]
			}
			lines = append(lines, l)
		}
	}
	if err := rows.Error(); err != nil {
		return nil, errSheetRead.Because(err)
	}
	return lines, nil
}

// xlsxLine fills up a line whose last cells are empty, and leaves out one that is empty altogether.
func xlsxLine(number, width int, cells []string) (line, bool) {
	for len(cells) > width && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	if number > 1 && !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
		return line{}, false
	}
	l := line{number: number, cells: cells}
	if len(cells) > width {
		l.broken = errSheetLine
	}
	for len(l.cells) < width {
		l.cells = append(l.cells, "")
	}
	return l, true
}
