package app

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
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
	errExportStopped = fault.New(fault.Unavailable, "export_stopped", "中途停下了，什么也没有留下：再运行一次。", "It was stopped half-way and nothing is left of it: run it again.")
)

// ExportStore writes every row of one snapshot to dir, which must not be there yet, while the server goes
// on. It appears whole or not at all.
func (a *App) ExportStore(ctx context.Context, dir string, tell func(table string, rows int64)) (Exported, error) {
	m := Exported{Format: exportFormat}
	err := exportFolder(dir, func(work string) error { return a.exportTables(ctx, work, &m, tell) })
	return m, err
}

// exportFolder makes an export's folder, whole or not at all.
func exportFolder(dir string, fill func(work string) error) error {
	var filled error
	err := files.NewFolder(dir, func(work string) error {
		filled = fill(work)
		return filled
	})
	if err != nil && filled == nil {
		told := errExportWrite.At(dir).Because(err)
		if fault.KindOf(err) == fault.Invalid { // the name is taken; trying again later does not help
			told.Kind = fault.Invalid
		}
		return told
	}
	return filled
}

func (a *App) exportTables(ctx context.Context, work string, m *Exported, tell func(table string, rows int64)) error {
	for _, d := range []string{"tables", "keys"} {
		if err := os.Mkdir(filepath.Join(work, d), 0o700); err != nil {
			return errExportWrite.At(d).Because(err)
		}
	}
	err := a.Store.Snapshot(ctx, func(tx *store.Tx) error {
		list, err := tx.Tables(ctx)
		if err != nil {
			return err
		}
		for _, t := range list {
			if err := ctx.Err(); err != nil {
				return err
			}
			written, err := exportTable(ctx, tx, t, work)
			if err != nil {
				return err
			}
			m.Tables = append(m.Tables, written)
			tell(t.Name, written.Rows)
		}
		return exportErasures(ctx, tx, work)
	})
	if ctx.Err() != nil { // whatever else it is told as
		return errExportStopped.Because(err)
	}
	if err != nil {
		return err
	}
	return writeManifest(work, m)
}

// writeManifest writes last what says that the rest is whole.
func writeManifest(work string, m any) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err == nil {
		err = files.NewFile(filepath.Join(work, manifestName), func(w io.Writer) error {
			_, err := w.Write(append(data, '\n'))
			return err
		})
	}
	if err != nil {
		return errExportWrite.At(manifestName).Because(err)
	}
	return nil
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
			if err := ctx.Err(); err != nil {
				return err
			}
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
