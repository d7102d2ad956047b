package app

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
)

var (
	errSheetFormula = fault.New(fault.Invalid, "line_formula", "这一行有公式：看到的数可能来自别的表。请“选择性粘贴→数值”以后再存。", "This line holds a formula: what it shows may come from elsewhere. Paste it as values and save again.")
	errSheetMerged  = fault.New(fault.Invalid, "line_merged", "这一行有合并的格子，分不清是哪一格的值。请取消合并。", "This line has merged cells: whose value it is cannot be told. Unmerge them.")
	errSheetHidden  = fault.New(fault.Invalid, "sheet_hidden", "这个文件里只有隐藏的工作表。", "Every sheet of this workbook is hidden.")
	errSheetSecond  = fault.New(fault.Invalid, "sheet_more_than_one", "这个文件里不止一张看得见的工作表，请一张存一个文件。", "This workbook has more than one visible sheet; save each in a file of its own.")
)

// workbookBooks is what a workbook's own list says of its sheets (ECMA-376 part 1, 18.2.19 and 18.2.20).
type workbookBooks struct {
	Sheets []struct {
		Name  string `xml:"name,attr"`
		State string `xml:"state,attr"` // hidden, veryHidden, or visible when absent
		ID    string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
	} `xml:"sheets>sheet"`
}

type workbookParts struct {
	Parts []struct {
		ID     string `xml:"Id,attr"`
		Target string `xml:"Target,attr"`
	} `xml:"Relationship"`
}

// maxBook bounds a workbook's list of sheets in bytes.
const maxBook = 1 << 20

// onlySheet finds the one sheet of a workbook that people see. What is hidden is not what they meant to hand in,
// and which of two they meant nobody can know.
func onlySheet(z *zip.Reader) (name, part string, err error) {
	var books workbookBooks
	var parts workbookParts
	if err := errors.Join(unpack(z, "xl/workbook.xml", &books), unpack(z, "xl/_rels/workbook.xml.rels", &parts)); err != nil {
		return "", "", errSheetRead.Because(err)
	}
	id := ""
	for _, s := range books.Sheets {
		switch {
		case s.State == "hidden" || s.State == "veryHidden":
		case id != "":
			return "", "", errSheetSecond
		default:
			name, id = s.Name, s.ID
		}
	}
	if id == "" {
		return "", "", errSheetHidden
	}
	for _, p := range parts.Parts {
		if p.ID == id {
			return name, strings.TrimPrefix(path.Join("/xl", p.Target), "/"), nil
		}
	}
	return "", "", errSheetRead
}

func unpack(z *zip.Reader, part string, into any) error {
	f, err := z.Open(part)
	if err != nil {
		return err
	}
	defer f.Close()
	return xml.NewDecoder(io.LimitReader(f, maxBook)).Decode(into)
}

// formed says which lines of a sheet hold what a table has not: formulas and merged cells. It reads the sheet's
// part token by token, since a whole one can be large.
func formed(z *zip.Reader, part string) (map[int]error, error) {
	f, err := z.Open(part)
	if err != nil {
		return nil, errSheetRead.Because(err)
	}
	defer f.Close()
	found, row, d := map[int]error{}, 0, xml.NewDecoder(io.LimitReader(f, maxUnzip))
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			return found, nil
		}
		if err != nil {
			return nil, errSheetRead.Because(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "row":
			if row, err = strconv.Atoi(attribute(start, "r")); err != nil || row < 1 {
				return nil, errSheetRead
			}
		case "f":
			found[row] = errSheetFormula
		case "mergeCell":
			from, to := rowsOf(attribute(start, "ref"))
			for n := from; n <= min(to, maxLines); n++ {
				found[n] = errSheetMerged
			}
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// rowsOf gives the first and last line of a range such as A2:C5; none for anything else.
func rowsOf(ref string) (from, to int) {
	a, b, _ := strings.Cut(ref, ":")
	digits := func(s string) int {
		n, err := strconv.Atoi(strings.TrimLeft(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ$"))
		if err != nil {
			return 0
		}
		return n
	}
	if from, to = digits(a), digits(b); from < 1 || to < from {
		return 1, 0
	}
	return from, to
}

// looked opens a workbook as the archive that it is, before anything reads its cells.
func looked(data []byte) (name string, odd map[int]error, err error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return "", nil, errSheetRead.Because(err)
	}
	name, part, err := onlySheet(z)
	if err != nil {
		return "", nil, err
	}
	odd, err = formed(z, part)
	return name, odd, err
}
