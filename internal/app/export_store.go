package app

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
)

// An export is a folder: manifest.json, tables/NAME.jsonl with a row a line, and apart from them
// keys/vault_subjects.jsonl, the wrapped data keys, so that a long backup can leave them out, and
// erasures.jsonl, who was erased and when, to be kept longer than any backup. docs/export.md has the form.
const (
	exportFormat = "menshen-export/v1"
	manifestName = "manifest.json"
	keysTable    = "vault_subjects"
	erasuresName = "erasures.jsonl"
	maxRowBytes  = 16 << 20
)

// Exported is the manifest of an export. It holds no time: the same store gives the same bytes.
type Exported struct {
	Format string          `json:"format"`
	Tables []ExportedTable `json:"tables"`
}

// ExportedTable is one table's file.
type ExportedTable struct {
	Name    string   `json:"name"`
	File    string   `json:"file"`
	Columns []string `json:"columns"`
	Key     []string `json:"key"`
	Rows    int64    `json:"rows"`
	SHA256  string   `json:"sha256"`
}

// Erased says who was erased, and when, in unix milliseconds.
type Erased struct {
	Subject  string `json:"subject"`
	ErasedAt int64  `json:"erased_at"`
}

var (
	errExportWrite   = fault.New(fault.Unavailable, "export_not_written", "导出写不进去，请检查文件夹和磁盘。", "The export cannot be written; check folder and disk.")
	errExportRead    = fault.New(fault.Invalid, "export_unreadable", "这不是完整的导出：缺文件，或者内容和清单不符。", "This is no whole export: a file is missing, or differs from the manifest.")
	errExportSchema  = fault.New(fault.Refused, "export_of_other_schema", "导出的表和这个程序的不同：用同一个版本导入。", "The export's tables are not this program's: import with the version that wrote it.")
	errStoreNotEmpty = fault.New(fault.Refused, "store_not_empty", "只能导入到空的数据库。", "An export goes into an empty database only.")
)

// ExportStore writes every row of one snapshot to dir, which must not be there yet, while the server goes
// on. It appears whole or not at all.
func (a *App) ExportStore(ctx context.Context, dir string, tell func(table string, rows int64)) (Exported, error) {
	m := Exported{Format: exportFormat}
	if _, err := os.Lstat(dir); err == nil {
		return m, errExportWrite.At(filepath.Base(dir))
	}
	work := dir + ".part"
	for _, d := range []string{"tables", "keys"} {
		if err := os.MkdirAll(filepath.Join(work, d), 0o700); err != nil {
			return m, errExportWrite.Because(err)
		}
	}
	err := a.Store.Snapshot(ctx, func(tx *store.Tx) error {
		list, err := tx.Tables(ctx)
		if err != nil {
			return err
		}
		for _, t := range list {
			written, err := exportTable(ctx, tx, t, work)
			if err != nil {
				return err
			}
			m.Tables = append(m.Tables, written)
			tell(t.Name, written.Rows)
		}
		return exportErasures(ctx, tx, work)
	})
	if err != nil {
		return m, err
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(work, manifestName), append(data, '\n'), 0o600)
	}
	if err == nil {
		err = os.Rename(work, dir)
	}
	if err != nil {
		return m, errExportWrite.Because(err)
	}
	return m, nil
}

// hashed is a file that is hashed as it is written.
func hashed(path string, write func(io.Writer) error) (sum string, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", errExportWrite.Because(err)
	}
	h := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(f, h), 1<<20)
	if err := errors.Join(write(out), out.Flush(), f.Sync(), f.Close()); err != nil {
		return "", errExportWrite.Because(err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func exportTable(ctx context.Context, tx *store.Tx, t store.Table, dir string) (ExportedTable, error) {
	e := ExportedTable{Name: t.Name, File: "tables/" + t.Name + ".jsonl", Columns: t.Columns, Key: t.Key}
	if t.Name == keysTable {
		e.File = "keys/" + t.Name + ".jsonl"
	}
	var err error
	e.SHA256, err = hashed(filepath.Join(dir, e.File), func(w io.Writer) error {
		return tx.EachRow(ctx, t, func(r store.RawRow) error {
			e.Rows++
			data, err := r.JSON()
			if err != nil {
				return err
			}
			_, err = w.Write(append(data, '\n'))
			return err
		})
	})
	return e, err
}

func exportErasures(ctx context.Context, tx *store.Tx, dir string) error {
	t, err := tx.Table(ctx, keysTable)
	if err != nil {
		return err
	}
	_, err = hashed(filepath.Join(dir, erasuresName), func(w io.Writer) error {
		enc := json.NewEncoder(w)
		return tx.EachRow(ctx, t, func(r store.RawRow) error {
			if r.Number("erased_at") == 0 {
				return nil
			}
			return enc.Encode(Erased{Subject: r.Text("id"), ErasedAt: r.Number("erased_at")})
		})
	})
	return err
}

// before are the tables that others refer to, first to be filled.
var before = []string{"statements", "streams", "merchants", keysTable, "accounts"}

// RestoreStore puts an export into an empty store, and then erases again everybody whom erasures names:
// those who were erased since. Every file is compared with the manifest before the first row goes in.
// When it fails half-way, begin again with an empty database.
func (a *App) RestoreStore(ctx context.Context, dir string, erasures io.Reader, tell func(table string, rows int64)) (erased int, err error) {
	m, err := readExport(dir)
	if err != nil {
		return 0, err
	}
	tables, err := a.emptyTables(ctx, m)
	if err != nil {
		return 0, err
	}
	slices.SortStableFunc(m.Tables, func(a, b ExportedTable) int { return rankOf(a.Name) - rankOf(b.Name) })
	for _, e := range m.Tables {
		if err := a.fill(ctx, filepath.Join(dir, filepath.FromSlash(e.File)), tables[e.Name]); err != nil {
			return 0, err
		}
		tell(e.Name, e.Rows)
	}
	return a.eraseAgain(ctx, erasures)
}

func rankOf(table string) int {
	if i := slices.Index(before, table); i >= 0 {
		return i
	}
	return len(before)
}

// readExport reads the manifest and compares every file with it.
func readExport(dir string) (Exported, error) {
	var m Exported
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return m, errExportRead.At(manifestName).Because(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil || m.Format != exportFormat {
		return m, errExportRead.At(manifestName).Because(err)
	}
	for _, e := range m.Tables {
		if e.File != "tables/"+e.Name+".jsonl" && e.File != "keys/"+e.Name+".jsonl" || strings.ContainsAny(e.Name, "/\\.") {
			return m, errExportRead.At(manifestName)
		}
		f, err := os.Open(filepath.Join(dir, filepath.FromSlash(e.File)))
		if err != nil {
			return m, errExportRead.At(e.File).Because(err)
		}
		h := sha256.New()
		_, err = io.Copy(h, f)
		if err := errors.Join(err, f.Close()); err != nil || hex.EncodeToString(h.Sum(nil)) != e.SHA256 {
			return m, errExportRead.At(e.File).Because(err)
		}
	}
	return m, nil
}

// emptyTables demands that the store has the export's tables and no rows.
func (a *App) emptyTables(ctx context.Context, m Exported) (map[string]store.Table, error) {
	tables := map[string]store.Table{}
	return tables, a.Store.Read(ctx, func(tx *store.Tx) error {
		list, err := tx.Tables(ctx)
		if err != nil {
			return err
		}
		for _, t := range list {
			tables[t.Name] = t
			some := errStoreNotEmpty.At(t.Name)
			if err := tx.EachRow(ctx, t, func(store.RawRow) error { return some }); err != nil {
				return err
			}
			same := func(e ExportedTable) bool { return e.Name == t.Name && slices.Equal(e.Columns, t.Columns) }
			if !slices.ContainsFunc(m.Tables, same) {
				return errExportSchema.At(t.Name)
			}
		}
		if len(list) != len(m.Tables) {
			return errExportSchema
		}
		return nil
	})
}

// fillBatch is how many rows go into one transaction.
const fillBatch = 1000

func (a *App) fill(ctx context.Context, path string, t store.Table) error {
	f, err := os.Open(path)
	if err != nil {
		return errExportRead.At(t.Name).Because(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxRowBytes)
	for more := true; more; {
		var batch []store.RawRow
		for len(batch) < fillBatch {
			if more = lines.Scan(); !more {
				break
			}
			r, err := rawRow(t, lines.Bytes())
			if err != nil {
				return err
			}
			batch = append(batch, r)
		}
		err := a.Store.Write(ctx, func(tx *store.Tx) error {
			for _, r := range batch {
				if err := tx.PutRaw(ctx, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return errExportRead.At(t.Name).Because(err)
	}
	return nil
}

// rawRow reads a row in the form that store.RawRow.JSON gives it.
func rawRow(t store.Table, data []byte) (store.RawRow, error) {
	r := store.RawRow{Table: t, Values: make([]any, len(t.Columns))}
	var cells map[string]json.RawMessage
	if err := json.Unmarshal(data, &cells); err != nil || len(cells) != len(t.Columns) {
		return r, errExportRead.At(t.Name).Because(err)
	}
	for i, c := range t.Columns {
		value, err := rawValue(cells[c])
		if err != nil {
			return r, errExportRead.At(t.Name + "." + c).Because(err)
		}
		r.Values[i] = value
	}
	return r, nil
}

func rawValue(data json.RawMessage) (any, error) {
	switch {
	case len(data) == 0:
		return nil, errExportRead
	case string(data) == "null":
		return nil, nil
	case data[0] == '"':
		var s string
		err := json.Unmarshal(data, &s)
		return s, err
	case data[0] == '{':
		var b struct {
			Bytes []byte `json:"b64"`
		}
		err := json.Unmarshal(data, &b)
		if b.Bytes == nil {
			b.Bytes = []byte{}
		}
		return b.Bytes, err
	case data[0] == 't' || data[0] == 'f':
		var b bool
		err := json.Unmarshal(data, &b)
		return b, err
	}
	var n int64
	err := json.Unmarshal(data, &n)
	return n, err
}

// eraseAgain erases everybody whom a journal of erasures names, as of when it was done first.
func (a *App) eraseAgain(ctx context.Context, journal io.Reader) (erased int, err error) {
	if journal == nil {
		return 0, nil
	}
	lines := bufio.NewScanner(journal)
	for lines.Scan() {
		var e Erased
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.Subject == "" || e.ErasedAt <= 0 {
			return erased, errExportRead.At(erasuresName).Because(err)
		}
		err := a.Store.Write(ctx, func(tx *store.Tx) error {
			_, err := a.Vault.Erase(ctx, tx, e.Subject, time.UnixMilli(e.ErasedAt))
			return err
		})
		if err != nil {
			return erased, err
		}
		erased++
	}
	if err := lines.Err(); err != nil {
		return erased, errExportRead.At(erasuresName).Because(err)
	}
	return erased, a.Store.Scrub(ctx)
}
