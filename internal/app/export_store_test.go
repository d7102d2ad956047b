package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

// over is an app with a lived deployment's keys over a store.
func (l lived) over(t *testing.T, s *store.Store) *app.App {
	t.Helper()
	c := l.config
	c.Store = s
	return app.New(c)
}

func quiet(string, int64) {}

func TestMain(m *testing.M) { storetest.Main(m) }

// What was exported goes into an empty deployment, and comes out of it again byte for byte; bundles
// made there verify, and the check of the store finds nothing.
func TestExportedStoreIsTheSameStore(t *testing.T) {
	l := live(t)
	first := filepath.Join(t.TempDir(), "first")
	if _, err := l.over(t, storetest.Open(t, "sqlite:"+l.path)).ExportStore(t.Context(), first, quiet); err != nil {
		t.Fatal(err)
	}
	for _, e := range storetest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			a, second := l.over(t, e.Open(t)), filepath.Join(t.TempDir(), "second")
			if _, err := a.RestoreStore(t.Context(), first, nil, quiet); err != nil {
				t.Fatal(err)
			}
			if _, err := a.ExportStore(t.Context(), second, quiet); err != nil {
				t.Fatal(err)
			}
			if e.Name == "sqlite" { // another engine orders text its own way
				sameFolder(t, first, second)
			}
			report, err := a.VerifyStore(t.Context(), t.TempDir(), l.log, func(string) {})
			if err != nil || !report.OK() {
				t.Errorf("%v, %+v", err, report.Found)
			}
			merchant := scenario.NewCast().Merchant
			data, err := a.Bundle(t.Context(), app.Actor{Person: merchant.ID + "-2", Organisation: merchant.Organisation, Role: visit.RoleMerchant}, "v1")
			if err != nil {
				t.Fatal(err)
			}
			b, err := evidence.Open(data)
			if err != nil {
				t.Fatal(err)
			}
			if r := evidence.Verify(b, l.config.Trust); !r.Accepted() {
				t.Errorf("bundle: %v", r.Refusal)
			}
			if _, err := a.RestoreStore(t.Context(), first, nil, quiet); fault.CodeOf(err) != "store_not_empty" {
				t.Errorf("into a store that is used: %v", err)
			}
		})
	}
	if _, err := l.over(t, storetest.SQLite(t)).ExportStore(t.Context(), first, quiet); fault.CodeOf(err) != "export_not_written" {
		t.Errorf("over another export: %v", err)
	}
	spoilt := filepath.Join(first, "tables", "events.jsonl")
	data, err := os.ReadFile(spoilt)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(spoilt, bytes.Replace(data, []byte("visit"), []byte("Visit"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.over(t, storetest.SQLite(t)).RestoreStore(t.Context(), first, nil, quiet); fault.CodeOf(err) != "export_unreadable" {
		t.Errorf("a changed export: %v", err)
	}
}

func sameFolder(t *testing.T, a, b string) {
	t.Helper()
	err := filepath.WalkDir(a, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		one, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		two, err := os.ReadFile(filepath.Join(b, strings.TrimPrefix(path, a)))
		if err != nil || !bytes.Equal(one, two) {
			t.Errorf("%s differs: %v", path, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Somebody is erased after the backup. Restored, he is erased again; what was signed about him still stands.
func TestRestoreErasesAgain(t *testing.T) {
	l := live(t)
	dir := t.TempDir()
	a := l.over(t, storetest.Open(t, "sqlite:"+l.path))
	if _, err := a.ExportStore(t.Context(), filepath.Join(dir, "backup"), quiet); err != nil {
		t.Fatal(err)
	}
	who := erase(t, a)
	if _, err := a.ExportStore(t.Context(), filepath.Join(dir, "later"), quiet); err != nil {
		t.Fatal(err)
	}
	journal, err := os.Open(filepath.Join(dir, "later", "erasures.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	b := l.over(t, storetest.SQLite(t))
	n, err := b.RestoreStore(t.Context(), filepath.Join(dir, "backup"), journal, quiet)
	if err != nil || n != 1 {
		t.Fatal(n, err)
	}
	err = b.Store.Write(t.Context(), func(tx *store.Tx) error {
		values, err := tx.VaultValues(t.Context(), who)
		if err != nil || len(values) == 0 {
			t.Errorf("%d tombstones, %v", len(values), err)
		}
		for _, v := range values {
			if _, err := b.Vault.Get(t.Context(), tx, who, v.Commitment, vault.Look{Who: "x", Purpose: "visit", At: time.Now()}); fault.CodeOf(err) != "vault_value_erased" {
				t.Errorf("%s: %v", v.Field, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	report, err := b.VerifyStore(t.Context(), t.TempDir(), l.log, func(string) {})
	if err != nil || !report.OK() {
		t.Errorf("%v, %+v", err, report.Found)
	}
}

// erase erases the merchant, when no law keeps anything of his any more.
func erase(t *testing.T, a *app.App) (who string) {
	t.Helper()
	who = scenario.NewCast().Merchant.ID + "-2"
	if err := a.Store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := a.Vault.Erase(t.Context(), tx, who, time.Now().AddDate(10, 0, 0))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return who
}
