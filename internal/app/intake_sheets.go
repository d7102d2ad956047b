package app

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
)

// Row is one line of a sheet, by column header.
type Row map[string]string

// Problem is one thing wrong with a sheet. It names the place and the rule, never the value.
type Problem struct {
	Sheet  string     `json:"sheet"`
	Line   int        `json:"line"` // as a spreadsheet counts, the header is line 1
	Column string     `json:"column"`
	Code   string     `json:"code"`
	Text   fault.Text `json:"text"`
}

// Imported counts what an import wrote, by sheet.
type Imported map[string]int

var (
	errSheet        = fault.New(fault.Invalid, "import_problems", "表格里有不对的地方，一行也没有导入。", "The sheets have problems; nothing was imported.")
	errSheetRead    = fault.New(fault.Invalid, "sheet_unreadable", "表格读不出来：要用逗号分隔、UTF-8 编码。", "The sheet cannot be read: want comma separated UTF-8.")
	errSheetNone    = fault.New(fault.Invalid, "sheet_missing", "缺少这张表。", "This sheet is missing.")
	errColumnNone   = fault.New(fault.Invalid, "column_missing", "缺少这一列。", "This column is missing.")
	errColumnSpare  = fault.New(fault.Invalid, "column_unknown", "不认识这一列。", "This column is not known.")
	errColumnTwice  = fault.New(fault.Invalid, "column_repeated", "同一列出现了两次。", "This column is there twice.")
	errSheetLong    = fault.New(fault.TooLarge, "sheet_too_long", "表格太大：最多十万行、64 MiB。", "The sheet is over 100 000 lines or 64 MiB.")
	errCellEmpty    = fault.New(fault.Invalid, "cell_empty", "必填的格子是空的。", "A required cell is empty.")
	errCellUnknown  = fault.New(fault.Invalid, "cell_not_listed", "这个值不在允许的范围里。", "The value is not one of those allowed.")
	errCellTwice    = fault.New(fault.Invalid, "cell_repeated", "这个编号在表里出现了两次。", "This id appears twice in the sheet.")
	errCellDangling = fault.New(fault.Invalid, "cell_refers_to_nothing", "指向的那一行不存在。", "The line that this refers to does not exist.")
)

// Bounds of a sheet. One that is longer is refused whole: half of it would be worse than nothing.
const (
	maxLines = 100_000
	maxBytes = 64 << 20
)

// Import reads every sheet of a registry, checks all of it, and writes all or nothing. The same
// sheets again change nothing. open gives a sheet's bytes by file name; tell hears of progress.
func (a *App) Import(ctx context.Context, open func(name string) (io.ReadCloser, error), tell func(sheet string, lines int)) (Imported, []Problem, error) {
	b := &book{rows: map[string][]Row{}}
	for _, s := range sheets {
		b.read(s, open)
		tell(s.file, len(b.rows[s.file]))
	}
	if len(b.problems) == 0 {
		for _, s := range sheets {
			b.check(s)
		}
	}
	if len(b.problems) > 0 {
		return nil, b.problems, errSheet
	}
	done := Imported{}
	err := a.Store.Write(ctx, func(tx *store.Tx) error {
		w := &sheetWriter{app: a, ctx: ctx, tx: tx, now: a.Now(), book: b}
		for _, s := range sheets {
			for i, r := range b.rows[s.file] {
				if err := s.put(w, r); err != nil {
					return fault.At(err, fmt.Sprintf("%s line %d", s.file, i+2))
				}
			}
			done[s.file] = len(b.rows[s.file])
		}
		return nil
	})
	return done, nil, err
}

// book is every sheet as it was read.
type book struct {
	rows     map[string][]Row
	problems []Problem
}

func (b *book) complain(sheet string, line int, column string, err error) {
	f := fault.Of(err)
	b.problems = append(b.problems, Problem{Sheet: sheet, Line: line, Column: column, Code: f.Code, Text: f.Text})
}

func (b *book) read(s sheet, open func(string) (io.ReadCloser, error)) {
	file, err := open(s.file)
	if err != nil {
		b.complain(s.file, 0, "", errSheetNone.Because(err))
		return
	}
	defer file.Close()
	bounded := &io.LimitedReader{R: file, N: maxBytes + 1}
	r := csv.NewReader(bounded)
	header, err := r.Read()
	if err != nil {
		b.complain(s.file, 1, "", errSheetRead.Because(err))
		return
	}
	if len(header) > 0 {
		header[0] = strings.TrimPrefix(header[0], "\ufeff") // spreadsheets like to put one there
	}
	for _, c := range s.columns {
		if !slices.Contains(header, c.header) {
			b.complain(s.file, 1, c.header, errColumnNone)
		}
	}
	for i, h := range header {
		switch {
		case !slices.ContainsFunc(s.columns, func(c column) bool { return c.header == h }):
			b.complain(s.file, 1, "", errColumnSpare)
		case slices.Contains(header[:i], h):
			b.complain(s.file, 1, h, errColumnTwice)
		}
	}
	b.lines(s, r, header)
	if bounded.N == 0 {
		b.complain(s.file, 0, "", errSheetLong)
	}
}

func (b *book) lines(s sheet, r *csv.Reader, header []string) {
	for line := 2; line <= maxLines; line++ {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			b.complain(s.file, line, "", errSheetRead.Because(err))
			continue
		}
		row := Row{}
		for i, h := range header {
			row[h] = strings.TrimSpace(cells[i])
		}
		b.rows[s.file] = append(b.rows[s.file], row)
	}
	if _, err := r.Read(); !errors.Is(err, io.EOF) {
		b.complain(s.file, maxLines+1, "", errSheetLong)
	}
}

func (b *book) check(s sheet) {
	seen := map[string]bool{}
	for i, row := range b.rows[s.file] {
		for _, c := range s.columns {
			v := row[c.header]
			switch {
			case v == "" && !c.optional:
				b.complain(s.file, i+2, c.header, errCellEmpty)
			case v == "" || c.check == nil:
			default:
				if err := c.check(b, row, v); err != nil {
					b.complain(s.file, i+2, c.header, err)
				}
			}
		}
		key := row[s.columns[0].header]
		if key != "" && seen[key] {
			b.complain(s.file, i+2, s.columns[0].header, errCellTwice)
		}
		seen[key] = true
	}
}

// has says whether a sheet has a line whose first column is id.
func (b *book) has(s, header, id string) bool {
	return slices.ContainsFunc(b.rows[s], func(r Row) bool { return r[header] == id })
}

// sheetWriter writes checked lines in one transaction.
type sheetWriter struct {
	app  *App
	ctx  context.Context
	tx   *store.Tx
	now  time.Time
	book *book
}

// personal puts a value into the vault under its owner, and its keyed hash where the registers
// compare it. The salt comes from the value itself through a keyed hash, so that importing the same
// sheet again writes nothing new.
func (w *sheetWriter) personal(subject, field, value string) error {
	if value == "" {
		return nil
	}
	sum, err := w.app.Vault.Fingerprint("import_salt", subject+"/"+field+"/"+value)
	if err != nil {
		return err
	}
	salt := [16]byte([]byte(sum)[:16])
	tag := vault.Tag{Purposes: []string{"registry"}, KeepUntil: w.now.Add(keepRecords)}
	if _, err := w.app.Vault.Put(w.ctx, w.tx, subject, statement.NewOpening(field, salt, value), tag, w.now); err != nil {
		return err
	}
	if !slices.Contains(sharedFields, field) {
		return nil
	}
	_, err = w.app.Vault.AddIdentity(w.ctx, w.tx, subject, field, value, w.now)
	return err
}
