package app_test

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/menshen-project/menshen/examples/city"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"

	"time"
)

// clerk is an app over an empty store: all that an import needs.
func clerk(t testing.TB) *app.App {
	t.Helper()
	v, err := vault.New(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	return app.New(app.Config{Store: storetest.SQLite(t), Vault: v, Now: time.Now})
}

// only gives the example city's sheets but for some.
func only(replaced map[string][]byte, partial bool) app.ImportRequest {
	return app.ImportRequest{Partial: partial, Tell: func(string, int) {}, Open: func(sheet string) (io.ReadCloser, error) {
		if data, ok := replaced[sheet]; ok {
			return io.NopCloser(bytes.NewReader(data)), nil
		}
		if partial {
			return nil, fs.ErrNotExist
		}
		return city.Files.Open(sheet)
	}}
}

func cityFile(t testing.TB, name string) string {
	t.Helper()
	data, err := city.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func problemCodes(list []app.Problem) (out []string) {
	for _, p := range list {
		out = append(out, p.Code)
	}
	return out
}

// xlsx makes a workbook of a CSV's lines; numbers stands for cells that were typed without quotes.
func xlsx(t testing.TB, text string, numbers map[string]any) []byte {
	t.Helper()
	book := excelize.NewFile()
	for i, l := range strings.Split(strings.TrimSpace(text), "\n") {
		for j, cell := range strings.Split(l, ",") {
			name, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err != nil {
				t.Fatal(err)
			}
			var value any = cell
			if n, ok := numbers[cell]; ok {
				value = n
			}
			if err := book.SetCellValue("Sheet1", name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := book.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestSheetsAreReadHoweverPeopleSaveThem(t *testing.T) {
	staff := cityFile(t, "staff.csv")
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(staff)
	if err != nil {
		t.Fatal(err)
	}
	english := strings.Replace(staff, "编号,工号,所属机构,角色,姓名,手机", "id,Staff Number,employer,ROLE,full_name,mobile", 1)
	for name, data := range map[string][]byte{
		"with a byte order mark": []byte("\ufeff" + staff),
		"in GB18030":             []byte(gb),
		"separated by semicolon": []byte(strings.ReplaceAll(staff, ",", ";")),
		"separated by tab":       []byte(strings.ReplaceAll(staff, ",", "\t")),
		"with Windows lines":     []byte(strings.ReplaceAll(staff, "\n", "\r\n")),
		"with English headers":   []byte(english),
		"and English words":      []byte(strings.ReplaceAll(english, "审核员", "Approver")),
		"as a workbook":          xlsx(t, staff, nil),
		"with empty lines":       []byte(strings.Replace(staff, "\n", "\n\n", 2)),
	} {
		r, err := clerk(t).ImportSheets(t.Context(), only(map[string][]byte{"staff.csv": data}, false))
		if err != nil || r.Imported["staff.csv"] != strings.Count(staff, "\n")-1 {
			t.Errorf("%s: %v, %v, %d lines", name, err, problemCodes(r.Problems), r.Imported["staff.csv"])
		}
	}
}

func TestWhatASpreadsheetDidIsToldByItsName(t *testing.T) {
	devices, merchants, providers := cityFile(t, "devices.csv"), cityFile(t, "merchants.csv"), cityFile(t, "providers.csv")
	serial := strings.Split(strings.Split(devices, "\n")[1], ",")[0]
	resident := strings.Split(strings.Split(merchants, "\n")[1], ",")[4]
	filed := strings.Split(strings.Split(providers, "\n")[1], ",")[5]
	for _, c := range []struct{ name, sheet, from, to, code string }{
		{"a long number in scientific notation", "merchants.csv", resident, "3.29999E+17", "cell_scientific"},
		{"a long number past 15 digits", "merchants.csv", resident, resident[:15] + "000", "cell_digits_lost"},
		{"a day as a serial number", "providers.csv", filed, "46049", "cell_date_serial"},
		{"full-width digits, set right", "merchants.csv", resident, strings.Replace(resident, "3", "３", 1), "note_full_width"},
		{"a day written with strokes, set right", "providers.csv", filed, strings.ReplaceAll(filed, "-", "/"), "note_date_written_otherwise"},
		{"a line cut short", "devices.csv", "," + strings.Join(strings.Split(strings.Split(devices, "\n")[1], ",")[1:], ","), "", "line_unreadable"},
		{"a serial of another maker", "devices.csv", serial, "1" + serial[1:], "cell_serial_of_other_maker"},
	} {
		text := strings.Replace(cityFile(t, c.sheet), c.from, c.to, 1)
		r, _ := clerk(t).ImportSheets(t.Context(), only(map[string][]byte{c.sheet: []byte(text)}, false))
		told := problemCodes(append(r.Notes, r.Problems...))
		if c.code != "" && !slices.Contains(told, c.code) {
			t.Errorf("%s: told %v, want %s", c.name, told, c.code)
		}
	}
	makers := strings.Replace(cityFile(t, "makers.csv"), serial[:6], "000057", 1)
	zeros := strings.Replace(devices, serial, "5704280117638929", 1)
	r, _ := clerk(t).ImportSheets(t.Context(), only(map[string][]byte{"makers.csv": []byte(makers), "devices.csv": []byte(zeros)}, false))
	if !slices.Contains(problemCodes(r.Problems), "cell_zeros_lost") {
		t.Errorf("a serial without its zeros: %v", problemCodes(r.Problems))
	}
}

func TestHostileFilesAreRefusedWhole(t *testing.T) {
	var bomb bytes.Buffer
	z := zip.NewWriter(&bomb)
	f, err := z.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 300 {
		if _, err := f.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		code string
	}{
		"a bomb":               {bomb.Bytes(), "sheet_too_long"},
		"a zip that is none":   {[]byte("PK\x03\x04 and nothing"), "sheet_unreadable"},
		"an old workbook":      {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "sheet_format_old"},
		"UTF-16":               {[]byte("\xff\xfe\x16\x7f"), "sheet_utf16"},
		"nothing":              {nil, "sheet_empty"},
		"a picture":            {[]byte("\x89PNG\r\n\x1a\n\x00\x00\xff\xff"), "sheet_unreadable"},
		"a quote that is open": {[]byte("编号,工号,所属机构,角色,姓名,手机\n\"min,1\n"), "line_unreadable"},
		"a thousand columns":   {[]byte(strings.Repeat("x,", 1000) + "\n"), "sheet_too_wide"},
	} {
		r, err := clerk(t).ImportSheets(t.Context(), only(map[string][]byte{"staff.csv": c.data}, true))
		if err == nil || !slices.Contains(problemCodes(r.Problems), c.code) {
			t.Errorf("%s: %v, %v, want %s", name, err, problemCodes(r.Problems), c.code)
		}
	}
	many := "编号,工号,所属机构,角色,姓名,手机\n" + strings.Repeat("?,?,?,?,?,?\n", 500)
	r, err := clerk(t).ImportSheets(t.Context(), only(map[string][]byte{"staff.csv": []byte(many)}, true))
	if err == nil || len(r.Problems) != 1000 || r.More == 0 {
		t.Errorf("many problems: %v, %d and %d more", err, len(r.Problems), r.More)
	}
}

func TestOneSheetLeansOnWhatIsStored(t *testing.T) {
	a := clerk(t)
	staff := map[string][]byte{"staff.csv": []byte(cityFile(t, "staff.csv"))}
	if r, err := a.ImportSheets(t.Context(), only(staff, true)); err == nil || !slices.Contains(problemCodes(r.Problems), "cell_refers_to_nothing") {
		t.Errorf("before their employers: %v, %v", err, problemCodes(r.Problems))
	}
	whole := only(nil, false)
	whole.Dry = true
	if r, err := a.ImportSheets(t.Context(), whole); err != nil || r.Imported != nil {
		t.Fatal("dry: ", err, r.Imported)
	}
	if r, err := a.ImportSheets(t.Context(), only(staff, true)); err == nil {
		t.Errorf("a dry run wrote: %v", r.Imported)
	}
	if _, err := a.ImportSheets(t.Context(), only(nil, false)); err != nil {
		t.Fatal(err)
	}
	r, err := a.ImportSheets(t.Context(), only(staff, true))
	if err != nil || len(r.Imported) != 1 {
		t.Errorf("after them: %v, %v", err, r.Imported)
	}
}

func TestTemplatesHaveTheHeadersThatAreRead(t *testing.T) {
	for _, name := range app.SheetNames() {
		table, explained, err := app.SheetTemplate(name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := clerk(t).ImportSheets(t.Context(), only(map[string][]byte{name: table}, true))
		if err != nil {
			t.Errorf("%s: %v, %v", name, err, problemCodes(r.Problems))
		}
		for _, l := range strings.Split(strings.TrimSpace(string(explained)), "\n") {
			if _, en, _ := strings.Cut(l, " · "); en == "" || strings.HasPrefix(en, "：") {
				t.Errorf("%s: %q has no English name", name, l)
			}
		}
	}
	if _, _, err := app.SheetTemplate("x.csv"); err == nil {
		t.Error("a template of nothing")
	}
	if s, err := app.SheetNamed("Staff.XLSX"); s != "staff.csv" || err != nil {
		t.Error(s, err)
	}
	if _, err := app.SheetNamed("x.csv"); err == nil {
		t.Error("a sheet that is none")
	}
}

func FuzzSheets(f *testing.F) {
	staff := cityFile(f, "staff.csv")
	f.Add([]byte(staff))
	f.Add(xlsx(f, "编号,工号\nmin,1", nil))
	f.Add([]byte("\xff\xfe"))
	f.Add([]byte("a;b\n\"1;2"))
	a := clerk(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		in := only(map[string][]byte{"staff.csv": data}, true)
		in.Dry = true
		r, err := a.ImportSheets(t.Context(), in)
		if (err == nil) != (len(r.Problems) == 0) {
			t.Fatal(err, r.Problems)
		}
	})
}

// Each kind of visit has its own words and cells; what is wrong with one is told by the cell that is wrong.
func TestEveryKindOfOrderHasItsOwnCells(t *testing.T) {
	orders := cityFile(t, "orders.csv")
	for _, c := range []struct{ name, from, to, column, code string }{
		{"a swap that names no old device", ",9999010226T5280138,MQ000004,,", ",,MQ000004,,", "旧机序列号", "cell_needed_for_kind"},
		{"a swap that keeps the old code", ",MQ000011,", ",MQ000004,", "旧终端号", "cell_same_as_old"},
		{"a swap that brings back the old device", "T5,,MQ000011", "T5,9999010226T5280138,MQ000011", "旧机序列号", "cell_same_as_old"},
		{"a repair with an old terminal", "9999010226T5280145,MQ000005,,,", "9999010226T5280145,MQ000005,,MQ000004,", "旧终端号", "cell_not_for_kind"},
		{"a repair of no device", "T5,9999010226T5280145,MQ000005", "T5,,MQ000005", "终端序列号", "cell_needed_for_kind"},
		{"a relocation from nowhere", ",shu-1,1,", ",,1,", "旧店铺", "cell_needed_for_kind"},
		{"a relocation to where it is", ",shu-1,1,", ",shu-2,1,", "旧店铺", "cell_same_as_old"},
		{"a relocation from another merchant's shop", ",shu-1,1,", ",wei-1,1,", "旧店铺", "cell_shop_of_other"},
		{"a removal to another merchant's shop", "撤机,man-1", "撤机,wei-1", "店铺", "cell_shop_of_other"},
		{"a kind that nobody knows", "撤机,man-1", "升级,man-1", "类型", "cell_not_listed"},
	} {
		changed := strings.Replace(orders, c.from, c.to, 1)
		if changed == orders {
			t.Fatalf("%s: the city has changed", c.name)
		}
		r, err := clerk(t).ImportSheets(t.Context(), only(map[string][]byte{"orders.csv": []byte(changed)}, false))
		if err == nil || len(r.Problems) != 1 || r.Problems[0].Column != c.column || r.Problems[0].Code != c.code {
			t.Errorf("%s: %v, %+v", c.name, err, r.Problems)
		}
	}
}

// English words mean the same, and a sheet from before the kinds is read as it was.
func TestOrdersInEnglishAndFromBefore(t *testing.T) {
	orders := cityFile(t, "orders.csv")
	english := strings.NewReplacer("类型", "kind", "旧机序列号", "old serial", "旧终端号", "old terminal code", "旧店铺", "old shop", "安装", "install", "换机", "Swap",
		"维修", "repair", "移机", "relocation", "撤机", "removal", "巡检", "inspection").Replace(orders)
	planned := map[string]string{}
	a := clerk(t)
	if _, err := a.ImportSheets(t.Context(), only(map[string][]byte{"orders.csv": []byte(english)}, false)); err != nil {
		t.Fatal(err)
	}
	err := a.Store.Read(t.Context(), func(tx *store.Tx) error {
		for _, id := range []string{"order-wei-1", "order-jian-2", "order-lin-2", "order-shu-3", "order-man-2", "order-wei-2"} {
			o, err := tx.Order(t.Context(), id)
			if err != nil {
				return err
			}
			planned[o.Kind] = o.Doc
		}
		return nil
	})
	if err != nil || len(planned) != 6 {
		t.Fatalf("%v: %v", err, planned)
	}
	if swap := planned[visit.Swap]; !strings.Contains(swap, `"旧机序列号":"9999010226T5280138"`) || !strings.Contains(swap, `"旧终端号":"MQ000004"`) {
		t.Errorf("a swap is kept as %s", swap)
	}
	if moved := planned[visit.Relocation]; !strings.Contains(moved, `"旧店铺":"shu-1"`) {
		t.Errorf("a relocation is kept as %s", moved)
	}
	var before []string
	for _, l := range strings.Split(strings.TrimSpace(orders), "\n") {
		cells := strings.Split(l, ",")
		if strings.Join(cells[9:12], "") == "" || cells[9] == "旧机序列号" {
			before = append(before, strings.Join(slices.Delete(cells, 9, 12), ","))
		}
	}
	if r, err := clerk(t).ImportSheets(t.Context(), only(map[string][]byte{"orders.csv": []byte(strings.Join(before, "\n") + "\n")}, false)); err != nil {
		t.Errorf("%v, %+v", err, r.Problems)
	}
}
