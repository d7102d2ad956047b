package app_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

// rows counts what is in a store.
func rows(t *testing.T, s *store.Store) (n int) {
	t.Helper()
	err := s.Read(t.Context(), func(tx *store.Tx) error {
		list, err := tx.Tables(t.Context())
		if err != nil {
			return err
		}
		for _, table := range list {
			if err := tx.EachRow(t.Context(), table, func(store.RawRow) error { n++; return nil }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// exported is a lived deployment's export.
func (l lived) exported(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "backup")
	if _, err := l.over(t, storetest.Open(t, "sqlite:"+l.path)).ExportStore(t.Context(), dir, quiet); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Whatever is wrong with the journal of erasures is found before a row goes in: those who were erased must not be
// back in the database because a file was the wrong one.
func TestAWrongJournalOfErasuresLeavesTheStoreEmpty(t *testing.T) {
	l := live(t)
	backup := l.exported(t)
	for _, r := range []struct{ name, journal string }{
		{"another table", `{"id":"wei","kek":{"b64":"AA=="}}` + "\n"},
		{"cut off", `{"subject":"wei","erased_at":1764300000000}` + "\n" + `{"subject":"me`},
		{"a name twice", `{"subject":"wei","subject":"mei","erased_at":1764300000000}` + "\n"},
		{"other case", `{"Subject":"wei","erased_at":1764300000000}` + "\n"},
		{"more beside", `{"subject":"wei","erased_at":1764300000000,"why":"x"}` + "\n"},
		{"no time", `{"subject":"wei"}` + "\n"},
		{"before all time", `{"subject":"wei","erased_at":-1}` + "\n"},
		{"no id", `{"subject":"","erased_at":1764300000000}` + "\n"},
		{"an id that is none", `{"subject":"../wei","erased_at":1764300000000}` + "\n"},
		{"an empty line", "\n"},
		{"a line without end", strings.Repeat("x", 1<<20)},
		{"not text", "\x00\xff\n"},
		{"a list", "[]\n"},
	} {
		s := storetest.SQLite(t)
		if _, err := l.over(t, s).RestoreStore(t.Context(), backup, strings.NewReader(r.journal), quiet); fault.CodeOf(err) != "erasures_unreadable" {
			t.Errorf("%s: %v", r.name, err)
		}
		if n := rows(t, s); n != 0 {
			t.Errorf("%s: %d rows are in", r.name, n)
		}
	}
}

// A journal from before the backup lacks whoever was erased in between. It is refused, and nothing is in.
func TestAJournalOfErasuresThatIsOlderThanTheBackupIsRefused(t *testing.T) {
	for _, e := range storetest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			l, s := live(t), e.Open(t)
			a := l.over(t, storetest.Open(t, "sqlite:"+l.path))
			erase(t, a)
			backup := filepath.Join(t.TempDir(), "backup")
			if _, err := a.ExportStore(t.Context(), backup, quiet); err != nil {
				t.Fatal(err)
			}
			b := l.over(t, s)
			if _, err := b.RestoreStore(t.Context(), backup, strings.NewReader(""), quiet); fault.CodeOf(err) != "erasures_older_than_backup" {
				t.Errorf("%v", err)
			}
			if n := rows(t, s); n != 0 {
				t.Errorf("%d rows are in", n)
			}
			newest, err := os.Open(filepath.Join(backup, "erasures.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			defer newest.Close()
			if n, err := b.RestoreStore(t.Context(), backup, newest, quiet); err != nil || n != 1 {
				t.Errorf("the right one, into the same store: %d, %v", n, err)
			}
		})
	}
}

// A restore that is stopped half-way, or meets a row that does not fit, leaves the database as empty as it was, and
// the next try needs no other one.
func TestARestoreThatIsStoppedLeavesNothing(t *testing.T) {
	for _, e := range storetest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			l, s := live(t), e.Open(t)
			backup, a := l.exported(t), l.over(t, s)
			ctx, interrupt := context.WithCancel(t.Context())
			tables := 0
			_, err := a.RestoreStore(ctx, backup, nil, func(string, int64) {
				if tables++; tables == 5 {
					interrupt()
				}
			})
			if fault.CodeOf(err) != "restore_stopped" {
				t.Errorf("%v", err)
			}
			if n := rows(t, s); n != 0 {
				t.Errorf("%d rows are in", n)
			}
			if _, err := a.RestoreStore(t.Context(), backup, nil, quiet); err != nil {
				t.Error(err)
			}
		})
	}
}

// A pipe where a file should be would be waited for until somebody writes to it.
func TestAnExportIsPlainFiles(t *testing.T) {
	l := live(t)
	for name, spoil := range map[string]func(backup string) error{
		"no manifest":          func(b string) error { return os.Remove(filepath.Join(b, "manifest.json")) },
		"manifest is a folder": func(b string) error { return folderFor(filepath.Join(b, "manifest.json")) },
		"manifest without end": func(b string) error { return linkFor(filepath.Join(b, "manifest.json"), "/dev/zero") },
		"manifest twice":       func(b string) error { return twice(filepath.Join(b, "manifest.json")) },
		"manifest of old case": func(b string) error { return changed(filepath.Join(b, "manifest.json"), `"format"`, `"Format"`) },
		"manifest names a path": func(b string) error {
			return changed(filepath.Join(b, "manifest.json"), `tables/events`, `tables/../../events`)
		},
		"table without end": func(b string) error { return linkFor(filepath.Join(b, "tables", "events.jsonl"), "/dev/zero") },
		"table is a folder": func(b string) error { return folderFor(filepath.Join(b, "tables", "events.jsonl")) },
		"table is gone":     func(b string) error { return os.Remove(filepath.Join(b, "tables", "events.jsonl")) },
		"table is cut":      func(b string) error { return os.Truncate(filepath.Join(b, "tables", "events.jsonl"), 100) },
	} {
		backup, s := l.exported(t), storetest.SQLite(t)
		if err := spoil(backup); err != nil {
			t.Fatal(name, err)
		}
		if _, err := l.over(t, s).RestoreStore(t.Context(), backup, nil, quiet); fault.CodeOf(err) != "export_unreadable" || fault.Of(err).Where == "" {
			t.Errorf("%s: %v", name, err)
		}
		if n := rows(t, s); n != 0 {
			t.Errorf("%s: %d rows are in", name, n)
		}
	}
}

func folderFor(path string) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return os.Mkdir(path, 0o700)
}

func linkFor(path, to string) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return os.Symlink(to, path)
}

func twice(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, data...), 0o600)
}

func changed(path, old, with string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.Replace(string(data), old, with, 1)), 0o600)
}

// An export that ends half-way leaves neither its folder nor a part of it, and the next one is not mixed with it.
func TestAnExportThatIsStoppedLeavesNothing(t *testing.T) {
	l := live(t)
	a, dir := l.over(t, storetest.Open(t, "sqlite:"+l.path)), t.TempDir()
	ctx, interrupt := context.WithCancel(t.Context())
	tables := 0
	_, err := a.ExportStore(ctx, filepath.Join(dir, "out"), func(string, int64) {
		if tables++; tables == 3 {
			interrupt()
		}
	})
	if fault.CodeOf(err) != "export_stopped" {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := a.ExportStore(t.Context(), filepath.Join(dir, "none", "out"), quiet); fault.CodeOf(err) != "export_not_written" {
		t.Error(err)
	}
}
