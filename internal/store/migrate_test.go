package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

func TestOpenMakesASchemaFromNothingAndFindsItAgain(t *testing.T) {
	for _, e := range storetest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			dsn := e.DSN(t)
			s := storetest.Open(t, dsn)
			do(t, s, func(tx *store.Tx) error { return second(receive(t, tx, "bank", visit1, "book")) })
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			again := storetest.Open(t, dsn)
			look(t, again, func(tx *store.Tx) error { checkChain(t, tx, visit1, 1); return nil })
		})
	}
}

// Nodes of one deployment start at the same time on an empty database.
func TestNodesThatStartTogetherMigrateOnce(t *testing.T) {
	for _, e := range storetest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			dsn := e.DSN(t)
			var wg sync.WaitGroup
			for range 12 {
				wg.Go(func() {
					s, err := store.Open(t.Context(), dsn)
					if err != nil {
						t.Error(err)
						return
					}
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, e := range storetest.Engines() {
		t.Run("newer "+e.Name, func(t *testing.T) {
			dsn := e.DSN(t)
			s := storetest.Open(t, dsn)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			driver, address := "pgx", dsn
			if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
				driver, address = "sqlite", path
			}
			db, err := sql.Open(driver, address)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (90001, TRUE)"); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Open(t.Context(), dsn); fault.CodeOf(err) != "store_newer_than_program" {
				t.Errorf("got %v, want store_newer_than_program", err)
			}
		})
	}
	garbage := filepath.Join(t.TempDir(), "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ dsn, code string }{
		"no address":        {"", "store_address_unknown"},
		"no path":           {"sqlite:", "store_address_unknown"},
		"other engine":      {"mysql://x", "store_address_unknown"},
		"unreadable server": {"postgres://user:s3cret@host:port/x", "store_address_unknown"},
		"no directory":      {"sqlite:" + filepath.Join(t.TempDir(), "missing", "x.db"), "store_cannot_open"},
		"not a database":    {"sqlite:" + garbage, "store_cannot_open"},
		"nobody listens":    {"postgres://menshen:s3cret@/x?host=" + t.TempDir(), "store_cannot_open"},
	} {
		_, err := store.Open(t.Context(), c.dsn)
		if got := fault.CodeOf(err); got != c.code {
			t.Errorf("%s: got fault %q, want %q", name, got, c.code)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error tells the password: %v", name, err)
		}
	}
}

func TestSQLiteFileIsForItsOwnerOnlyWhateverItsName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "门神 a?b#c%20d&mode=memory.db")
	s := storetest.Open(t, "sqlite:"+path)
	do(t, s, func(tx *store.Tx) error { return tx.SetSetting(t.Context(), "k", "v") })
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%q: got mode %o, want 600", suffix, got)
		}
	}
}
