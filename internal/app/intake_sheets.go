package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// Problem is one thing wrong with a sheet, or one thing that was set right. It names the place and the
// rule, never the value.
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
	errSheetNone    = fault.New(fault.Invalid, "sheet_missing", "缺少这张表。", "This sheet is missing.")
	errSheetEmpty   = fault.New(fault.Invalid, "sheet_empty", "表格是空的，连表头也没有。", "The sheet is empty: it has no header.")
	errSheetUnknown = fault.New(fault.Invalid, "sheet_unknown", "不认识这张表：文件名要和模板的一样。", "This sheet is not known: name the file as the template is named.")
	errColumnNone   = fault.New(fault.Invalid, "column_missing", "缺少这一列。", "This column is missing.")
	errColumnSpare  = fault.New(fault.Invalid, "column_unknown", "不认识这一列。", "This column is not known.")
	errColumnTwice  = fault.New(fault.Invalid, "column_repeated", "同一列出现了两次。", "This column is there twice.")
	errCellEmpty    = fault.New(fault.Invalid, "cell_empty", "必填的格子是空的。", "A required cell is empty.")
	errCellUnknown  = fault.New(fault.Invalid, "cell_not_listed", "这个值不在允许的范围里。", "The value is not one of those allowed.")
	errCellTwice    = fault.New(fault.Invalid, "cell_repeated", "这个编号在表里出现了两次。", "This id appears twice in the sheet.")
	errCellMaker    = fault.New(fault.Invalid, "cell_serial_of_other_maker", "序列号的前六位不是这家厂商的代码。", "The serial's first six digits are not this maker's code.")
	errCellDangling = fault.New(fault.Invalid, "cell_refers_to_nothing", "指向的那一行不存在。", "The line that this refers to does not exist.")
)

// maxProblems bounds the list of what is wrong; the rest is counted.
const maxProblems = 1000

// ImportRequest says which sheets, and how.
type ImportRequest struct {
	// Open gives a sheet's bytes by its name, such as "staff.csv", CSV or XLSX whatever the name says; an
	// error that is fs.ErrNotExist says that it is not there.
	Open    func(sheet string) (io.ReadCloser, error)
	Partial bool                          // sheets may be missing; what they would hold is looked up in the store
	Dry     bool                          // check, and write nothing
	Tell    func(sheet string, lines int) // hears of progress

	owner string // whose lines alone are taken, "" for the operator, who imports anybody's
}

// ImportResult is what came of it.
type ImportResult struct {
	Imported Imported  `json:"imported"`
	Problems []Problem `json:"problems"`
	More     int       `json:"more,omitempty"` // problems that are not listed
	Notes    []Problem `json:"notes,omitempty"`
}

// Import is ImportSheets with every sheet and no notes.
func (a *App) Import(ctx context.Context, open func(name string) (io.ReadCloser, error), tell func(sheet string, lines int)) (Imported, []Problem, error) {
	r, err := a.ImportSheets(ctx, ImportRequest{Open: open, Tell: tell})
	return r.Imported, r.Problems, err
}

// ImportSheets reads sheets of a registry, checks all of it, and writes all or nothing. The same
// sheets again change nothing. Faults: import_problems, and those of the store.
func (a *App) ImportSheets(ctx context.Context, in ImportRequest) (ImportResult, error) {
	b := newBook(in.Partial)
	for _, s := range sheets {
		if b.read(s, in.Open) {
			in.Tell(s.file, len(b.rows[s.file]))
		}
	}
	if len(b.problems) == 0 {
		err := a.lookUp(ctx, b, func() {
			for _, s := range sheets {
				b.check(s)
			}
		})
		if err == nil && in.owner != "" {
			err = a.lookOwned(ctx, b, in)
		}
		if err != nil {
			return ImportResult{}, err
		}
	}
	result := ImportResult{Problems: b.problems, More: b.more, Notes: b.notes}
	if len(b.problems) > 0 {
		return result, errSheet
	}
	if in.Dry {
		return result, nil
	}
	err := a.Store.Write(ctx, func(tx *store.Tx) (err error) {
		result.Imported, err = a.writeBook(ctx, tx, b)
		return err
	})
	return result, err
}

// writeBook writes checked lines, sheet by sheet.
func (a *App) writeBook(ctx context.Context, tx *store.Tx, b *book) (Imported, error) {
	done := Imported{}
	w := &sheetWriter{app: a, ctx: ctx, tx: tx, now: a.Now(), book: b}
	for _, s := range sheets {
		for i, r := range b.rows[s.file] {
			if err := s.put(w, r); err != nil {
				return nil, fault.At(err, fmt.Sprintf("%s line %d", s.file, b.numbers[s.file][i]))
			}
		}
		if _, given := b.rows[s.file]; given {
			done[s.file] = len(b.rows[s.file])
		}
	}
	return done, nil
}

// lookUp lets a partial import's checks find in the store what no sheet of theirs holds.
func (a *App) lookUp(ctx context.Context, b *book, check func()) error {
	if !b.partial {
		check()
		return nil
	}
	return a.Store.Read(ctx, func(tx *store.Tx) error {
		b.stored = func(sheet, id string) bool {
			known, err := stored(ctx, tx, sheet, id)
			b.failed = firstError(b.failed, err)
			return known
		}
		check()
		return b.failed
	})
}

// stored says whether the registry has what a sheet's line would be.
func stored(ctx context.Context, tx *store.Tx, sheet, id string) (bool, error) {
	var err error
	kind := map[string]string{"institutions.csv": "acquirer", "providers.csv": "provider", "makers.csv": "maker", "course_issuers.csv": "course_issuer",
		"supervisors.csv": "supervisor"}[sheet]
	switch sheet {
	case "merchants.csv":
		_, err = tx.Merchant(ctx, id)
	case "shops.csv":
		_, err = tx.Shop(ctx, id)
	case "models.csv":
		_, err = tx.Model(ctx, id)
	default:
		var o store.Organisation
		if o, err = tx.Organisation(ctx, id); err == nil {
			return o.Kind == kind, nil
		}
	}
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return err == nil, err
}

// book is every sheet as it was read.
type book struct {
	rows     map[string][]Row
	numbers  map[string][]int // of their lines
	keys     map[string]map[string]bool
	problems []Problem
	more     int
	notes    []Problem
	partial  bool
	stored   func(sheet, id string) bool // nil: only sheets count
	failed   error
}

func newBook(partial bool) *book {
	return &book{rows: map[string][]Row{}, numbers: map[string][]int{}, keys: map[string]map[string]bool{}, partial: partial}
}

func (b *book) complain(sheet string, line int, column string, err error) {
	if len(b.problems) >= maxProblems {
		b.more++
		return
	}
	f := fault.Of(err)
	b.problems = append(b.problems, Problem{Sheet: sheet, Line: line, Column: column, Code: f.Code, Text: f.Text})
}

// note tells of a cell that was set right; a column's first is enough of its kind.
func (b *book) note(sheet string, line int, column string, note error) {
	f := fault.Of(note)
	if !slices.ContainsFunc(b.notes, func(p Problem) bool { return p.Sheet == sheet && p.Column == column && p.Code == f.Code }) {
		b.notes = append(b.notes, Problem{Sheet: sheet, Line: line, Column: column, Code: f.Code, Text: f.Text})
	}
}

// read reads a sheet and says whether it was there.
func (b *book) read(s sheet, open func(string) (io.ReadCloser, error)) bool {
	file, err := open(s.file)
	if errors.Is(err, fs.ErrNotExist) && b.partial {
		return false
	}
	if err != nil {
		if f := (*fault.Fault)(nil); !errors.As(err, &f) || errors.Is(err, fs.ErrNotExist) {
			err = errSheetNone.Because(err)
		}
		b.complain(s.file, 0, "", err)
		return true
	}
	defer file.Close()
	lines, err := readTable(file)
	if err == nil && len(lines) == 0 {
		err = errSheetEmpty
	}
	if err != nil {
		b.complain(s.file, 0, "", err)
		return true
	}
	if lines[0].broken != nil {
		b.complain(s.file, lines[0].number, "", lines[0].broken)
		return true
	}
	b.lines(s, b.header(s, lines[0]), lines[1:])
	return true
}

func (b *book) header(s sheet, first line) []string {
	names := make([]string, len(first.cells))
	for i, cell := range first.cells {
		names[i] = header(cell)
	}
	for _, c := range s.columns {
		if !c.added && !slices.Contains(names, c.header) {
			b.complain(s.file, first.number, c.header, errColumnNone)
		}
	}
	for i, h := range names {
		switch {
		case !slices.ContainsFunc(s.columns, func(c column) bool { return c.header == h }):
			b.complain(s.file, first.number, "", errColumnSpare)
		case slices.Contains(names[:i], h):
			b.complain(s.file, first.number, h, errColumnTwice)
		}
	}
	return names
}

func (b *book) lines(s sheet, header []string, lines []line) {
	b.rows[s.file], b.keys[s.file] = []Row{}, map[string]bool{}
	for _, l := range lines {
		if l.broken != nil {
			b.complain(s.file, l.number, "", l.broken)
			continue
		}
		row := Row{}
		for i, h := range header {
			row[h] = b.cell(s, l, h, l.cells[i])
		}
		b.rows[s.file] = append(b.rows[s.file], row)
		b.numbers[s.file] = append(b.numbers[s.file], l.number)
		b.keys[s.file][row[s.columns[0].header]] = true
	}
}

// cell reads one cell as its column wants it.
func (b *book) cell(s sheet, l line, header, cell string) string {
	for _, c := range s.columns {
		if c.header != header {
			continue
		}
		value, note := c.tidy(cell)
		if note != nil {
			b.note(s.file, l.number, header, note)
		}
		if zh, ok := words[header][strings.ToLower(value)]; ok {
			return zh
		}
		return value
	}
	return strings.TrimSpace(cell)
}

func (b *book) check(s sheet) {
	seen := map[string]bool{}
	for i, row := range b.rows[s.file] {
		number := b.numbers[s.file][i]
		for _, c := range s.columns {
			if err := b.wrong(c, row); err != nil {
				b.complain(s.file, number, c.header, err)
			}
		}
		key := row[s.columns[0].header]
		if key != "" && seen[key] {
			b.complain(s.file, number, s.columns[0].header, errCellTwice)
		}
		seen[key] = true
	}
}

// wrong says what is wrong with a row's value in a column, nil for nothing.
func (b *book) wrong(c column, row Row) error {
	v := row[c.header]
	if c.filled != nil {
		if err := c.filled(row, v); err != nil {
			return err
		}
	}
	switch {
	case v == "" && !c.optional:
		return errCellEmpty
	case v == "":
		return nil
	case c.check == nil && scientific.MatchString(v):
		return errCellScience
	case c.check == nil:
		return nil
	}
	if err := c.check(b, row, v); err != nil {
		return c.trap(b, row, v, err)
	}
	return nil
}

// has says whether a sheet has a line whose first column is id, or the store has it already.
func (b *book) has(s, _, id string) bool {
	return b.keys[s][id] || b.stored != nil && b.stored(s, id)
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
func (w *sheetWriter) personal(subject, field, value string) (commitment string, err error) {
	if value == "" {
		return "", nil
	}
	sum, err := w.app.Vault.Fingerprint("import_salt", subject+"/"+field+"/"+value)
	if err != nil {
		return "", err
	}
	salt := [16]byte([]byte(sum)[:16])
	tag := vault.Tag{Purposes: []string{purposeRegistry}, KeepUntil: w.now.Add(keepRecords)}
	if commitment, err = w.app.Vault.Put(w.ctx, w.tx, subject, statement.NewOpening(field, salt, value), tag, w.now); err != nil {
		return "", err
	}
	if slices.Contains(foundFields, field) {
		_, err = w.app.Vault.AddIdentity(w.ctx, w.tx, subject, field, value, w.now)
	}
	return commitment, err
}

// purposeRegistry is what the values of sheets are kept for: an acquirer's own dealings with its merchants.
const purposeRegistry = "registry"
