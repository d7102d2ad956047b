package app_test

import (
	"archive/zip"
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// workbook is the staff of the city as a spreadsheet program would save it, after somebody did something to it.
func workbook(t *testing.T, edit func(*excelize.File, string)) []byte {
	t.Helper()
	b := excelize.NewFile()
	sheet := b.GetSheetName(0)
	for i, line := range strings.Split(strings.TrimSpace(cityFile(t, "staff.csv")), "\n") {
		for j, cell := range strings.Split(strings.TrimSpace(line), ",") {
			at, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err == nil {
				err = b.SetCellStr(sheet, at, cell)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	edit(b, sheet)
	var out bytes.Buffer
	if err := b.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// without leaves a part out of a workbook, or puts another text in its place.
func without(t *testing.T, book []byte, part, instead string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(book), int64(len(book)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		if f.Name != part {
			if err := w.Copy(f); err != nil {
				t.Fatal(err)
			}
			continue
		}
		p, err := w.Create(part)
		if err == nil {
			_, err = p.Write([]byte(instead))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// What a table cannot hold is said line by line; what nobody can see, or meant, is not taken.
func TestWorkbooksThatAreMoreThanATable(t *testing.T) {
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	other := func(b *excelize.File, sheet string) { _, err := b.NewSheet("other"); must(err) }
	plain := workbook(t, func(*excelize.File, string) {})
	for name, c := range map[string]struct {
		data  []byte
		code  string
		lines []int
	}{
		"a formula":           {workbook(t, func(b *excelize.File, s string) { must(b.SetCellFormula(s, "E3", "=A3")) }), "line_formula", []int{3}},
		"another file's cell": {workbook(t, func(b *excelize.File, s string) { must(b.SetCellFormula(s, "F2", "='[1]x'!A1")) }), "line_formula", []int{2}},
		"merged cells":        {workbook(t, func(b *excelize.File, s string) { must(b.MergeCell(s, "E2", "E3")) }), "line_merged", []int{2, 3}},
		"a second sheet":      {workbook(t, other), "sheet_more_than_one", nil},
		"a hidden second sheet": {workbook(t, func(b *excelize.File, s string) {
			other(b, s)
			must(b.SetSheetVisible("other", false))
		}), "", nil},
		"a hidden first sheet": {workbook(t, func(b *excelize.File, s string) {
			other(b, s)
			b.SetActiveSheet(1)
			must(b.SetSheetVisible(s, false))
		}), "sheet_empty", nil},
		"every sheet hidden": {without(t, plain, "xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" sheetId="1" state="veryHidden" r:id="rId1"/></sheets></workbook>`), "sheet_hidden", nil},
		"no list of sheets":  {without(t, plain, "xl/workbook.xml", "<"), "sheet_unreadable", nil},
		"no such part":       {without(t, plain, "xl/_rels/workbook.xml.rels", "<Relationships/>"), "sheet_unreadable", nil},
		"a line without its number": {without(t, plain, "xl/worksheets/sheet1.xml",
			`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="-1"><c r="A1"><v>1</v></c></row></sheetData></worksheet>`), "sheet_unreadable", nil},
		"a sheet that is cut": {without(t, plain, "xl/worksheets/sheet1.xml", `<worksheet><sheetData><row r="1"><c`), "sheet_unreadable", nil},
		"as it was":           {plain, "", nil},
	} {
		r, err := clerk(t).ImportSheets(t.Context(), only(map[string][]byte{"staff.csv": c.data}, false))
		if c.code == "" {
			if err != nil {
				t.Errorf("%s: %v %v", name, err, r.Problems)
			}
			continue
		}
		var lines []int
		for _, p := range r.Problems {
			if p.Code == c.code && p.Line > 0 {
				lines = append(lines, p.Line)
			}
		}
		if err == nil || r.Imported != nil || !slices.Contains(problemCodes(r.Problems), c.code) || (c.lines != nil && !slices.Equal(lines, c.lines)) {
			t.Errorf("%s: %v, lines %v, %v, want %s", name, err, lines, r.Problems, c.code)
		}
	}
}
