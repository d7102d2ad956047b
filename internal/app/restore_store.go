package app

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

var (
	errExportRead     = fault.New(fault.Invalid, "export_unreadable", "这不是完整的导出：缺文件，或者内容和清单不符。", "This is no whole export: a file is missing, or differs from the manifest.")
	errExportSchema   = fault.New(fault.Refused, "export_of_other_schema", "导出的表和这个程序的不同：用同一个版本导入。", "The export's tables are not this program's: import with the version that wrote it.")
	errErasures       = fault.New(fault.Invalid, "erasures_unreadable", "这不是删除记录（erasures.jsonl）：每行要有 subject 和 erased_at。数据库还没有动过，换对的文件再来。", "This is no journal of erasures (erasures.jsonl): want subject and erased_at on each line. The database was not touched; give the right file.")
	errErasuresOld    = fault.New(fault.Refused, "erasures_older_than_backup", "这份删除记录比备份还旧：备份里有人已经删除，记录里没有。什么也没有写入，请用最新的一份。", "This journal of erasures is older than the backup: it lacks somebody who was erased by then. Nothing was written; give the newest.")
	errRestoreStopped = fault.New(fault.Unavailable, "restore_stopped", "中途停下了，什么也没有写入：再运行一次。", "It was stopped half-way and nothing was written: run it again.")
	errStoreNotEmpty  = fault.New(fault.Refused, "store_not_empty", "只能导入到空的数据库。", "An export goes into an empty database only.")
)

// before are the tables that others refer to, first to be filled.
var before = []string{"statements", "streams", "merchants", keysTable, "accounts"}

// RestoreStore puts an export into an empty store, and then erases again everybody whom erasures names:
// those who were erased since. Every file is compared with the manifest before the first row goes in.
// The journal of erasures is read to its end before that, too. Rows and erasures go in together or not at all.
func (a *App) RestoreStore(ctx context.Context, dir string, erasures io.Reader, tell func(table string, rows int64)) (erased int, err error) {
	m, err := readExport(dir)
	if err != nil {
		return 0, err
	}
	journal, err := readErasures(erasures)
	if err != nil {
		return 0, err
	}
	tables, err := a.tablesOf(ctx, m)
	if err != nil {
		return 0, err
	}
	slices.SortStableFunc(m.Tables, func(a, b ExportedTable) int { return rankOf(a.Name) - rankOf(b.Name) })
	err = a.Store.Fill(ctx, func(tx *store.Tx) error {
		if err := emptyStore(ctx, tx, tables); err != nil {
			return err
		}
		for _, e := range m.Tables {
			if err := fill(ctx, tx, filepath.Join(dir, filepath.FromSlash(e.File)), tables[e.Name]); err != nil {
				return err
			}
			tell(e.Name, e.Rows)
		}
		return a.eraseAgain(ctx, tx, journal)
	})
	if err != nil && ctx.Err() != nil { // whatever else it is told as
		err = errRestoreStopped.Because(err)
	}
	if err != nil || erasures == nil {
		return 0, err
	}
	return len(journal), a.Store.Scrub(context.WithoutCancel(ctx)) // the rows are in: that is finished
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
	data, err := files.Read(filepath.Join(dir, manifestName), files.MaxSmall)
	if err == nil {
		err = statement.Decode(data, &m)
	}
	if err != nil || m.Format != exportFormat {
		return m, errExportRead.At(manifestName).Because(err)
	}
	for _, e := range m.Tables {
		if e.File != "tables/"+e.Name+".jsonl" && e.File != "keys/"+e.Name+".jsonl" || strings.ContainsAny(e.Name, "/\\.") {
			return m, errExportRead.At(manifestName)
		}
		f, err := files.Open(filepath.Join(dir, filepath.FromSlash(e.File)))
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

// tablesOf demands that the store has the export's tables and no rows.
func (a *App) tablesOf(ctx context.Context, m Exported) (map[string]store.Table, error) {
	tables := map[string]store.Table{}
	return tables, a.Store.Read(ctx, func(tx *store.Tx) error {
		list, err := tx.Tables(ctx)
		if err != nil {
			return err
		}
		for _, t := range list {
			tables[t.Name] = t
			same := func(e ExportedTable) bool { return e.Name == t.Name && slices.Equal(e.Columns, t.Columns) }
			if !slices.ContainsFunc(m.Tables, same) {
				return errExportSchema.At(t.Name)
			}
		}
		if len(list) != len(m.Tables) {
			return errExportSchema
		}
		return emptyStore(ctx, tx, tables)
	})
}

// emptyStore is asked early, for a quick answer, and again in the transaction that fills it.
func emptyStore(ctx context.Context, tx *store.Tx, tables map[string]store.Table) error {
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		some := errStoreNotEmpty.At(name)
		if err := tx.EachRow(ctx, tables[name], func(store.RawRow) error { return some }); err != nil {
			return err
		}
	}
	return nil
}

func fill(ctx context.Context, tx *store.Tx, path string, t store.Table) error {
	f, err := files.Open(path)
	if err != nil {
		return errExportRead.At(t.Name).Because(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxRowBytes)
	for lines.Scan() {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := rawRow(t, lines.Bytes())
		if err != nil {
			return err
		}
		if err := tx.PutRaw(ctx, r); err != nil {
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

// maxErasures bounds a journal of erasures, in lines: more than a deployment has people.
const maxErasures = 5_000_000

// readErasures reads a journal of erasures to its end, nil for none: the time of each person's erasure.
func readErasures(journal io.Reader) (map[string]time.Time, error) {
	if journal == nil {
		return nil, nil
	}
	erased := map[string]time.Time{}
	lines := bufio.NewScanner(journal) // of at most 64 KiB
	n := 0
	for lines.Scan() {
		n++
		var e Erased
		err := statement.Decode(lines.Bytes(), &e)
		if err != nil || identifier.CheckID(e.Subject) != nil || e.ErasedAt <= 0 || n > maxErasures {
			return nil, errErasures.Atf("line %d", n).Because(err)
		}
		if _, known := erased[e.Subject]; !known {
			erased[e.Subject] = time.UnixMilli(e.ErasedAt)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, errErasures.Atf("line %d", n+1).Because(err)
	}
	return erased, nil
}

// eraseAgain erases everybody whom a journal of erasures names, as of when it was done first. A journal that lacks
// somebody who was erased already when the backup was made is an older one, and would bring others back.
func (a *App) eraseAgain(ctx context.Context, tx *store.Tx, journal map[string]time.Time) error {
	if journal == nil {
		return nil
	}
	subjects, err := tx.Table(ctx, keysTable)
	if err != nil {
		return err
	}
	err = tx.EachRow(ctx, subjects, func(r store.RawRow) error {
		if _, known := journal[r.Text("id")]; !known && r.Number("erased_at") != 0 {
			return errErasuresOld
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, subject := range slices.Sorted(maps.Keys(journal)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := a.Vault.Erase(ctx, tx, subject, journal[subject]); err != nil {
			return err
		}
	}
	return nil
}
