package vault_test

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

// Rows that somebody changed behind the vault's back are refused, not shown.
func TestTamperedRowsAreRefused(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "v.db")
	s := storetest.Open(t, dsn)
	v := newVault(t, 7)
	for name, damage := range map[string]string{
		"value moved to another field":  "UPDATE vault_values SET field = 'resident_id' WHERE subject = $1 AND field = 'phone'",
		"value of another person":       "UPDATE vault_values SET ciphertext = (SELECT ciphertext FROM vault_values WHERE subject = 'other') WHERE subject = $1",
		"another value of the person":   "UPDATE vault_values SET ciphertext = (SELECT ciphertext FROM vault_values WHERE subject = $1 AND commitment <> 'x' ORDER BY stored_at DESC LIMIT 1) WHERE subject = $1",
		"key of another person":         "UPDATE vault_subjects SET wrapped_key = (SELECT wrapped_key FROM vault_subjects WHERE id = 'other') WHERE id = $1",
		"value cut short":               "UPDATE vault_values SET ciphertext = substr(ciphertext, 1, 20) WHERE subject = $1",
		"other version":                 "UPDATE vault_values SET ciphertext = CAST(x'02' || substr(ciphertext, 2) AS BLOB) WHERE subject = $1",
		"key cut short":                 "UPDATE vault_subjects SET wrapped_key = substr(wrapped_key, 1, 5) WHERE id = $1",
		"commitment of something else":  "UPDATE vault_values SET commitment = '" + strings.Repeat("0", 64) + "' WHERE subject = $1 AND stored_at = (SELECT MIN(stored_at) FROM vault_values)",
		"person is back from the grave": "UPDATE vault_subjects SET wrapped_key = x'' WHERE id = $1",
	} {
		subject := strings.ReplaceAll(name, " ", "-")
		first, last := opening("phone", "13800015678"), opening("phone", "13900000000")
		put(t, v, s, subject, first, contact)
		put(t, v, s, "other", weiName, contact)
		do(t, s, func(tx *store.Tx) error {
			_, err := v.Put(t.Context(), tx, subject, last, contact, noon.Add(time.Hour))
			return err
		})
		exec(t, dsn, damage, subject)
		asked := commitment(t, first)
		if name == "commitment of something else" {
			asked = strings.Repeat("0", 64)
		}
		want := "vault_value_damaged"
		if name == "person is back from the grave" {
			want = "vault_value_erased"
		}
		got, err := get(t, v, s, subject, asked, byRisk)
		if fault.CodeOf(err) != want || got != (statement.Opening{}) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
		if err != nil && strings.Contains(err.Error(), first.Value) {
			t.Errorf("%s: the error tells the value: %v", name, err)
		}
		exec(t, dsn, "DELETE FROM vault_values WHERE subject = $1", subject)
	}
}

func exec(t *testing.T, dsn, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(dsn, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement, args...); err != nil {
		t.Fatal(err)
	}
}

// The files hold no value while it lives, and no wrapped key or ciphertext once it is erased.
func TestFilesTellNothing(t *testing.T) {
	dir := t.TempDir()
	s := storetest.Open(t, "sqlite:"+filepath.Join(dir, "v.db"))
	v := newVault(t, 7)
	secret := opening("name", "A-VALUE-THAT-NOBODY-MAY-FIND")
	put(t, v, s, "wei", secret, contact)
	do(t, s, func(tx *store.Tx) error {
		_, err := v.AddIdentity(t.Context(), tx, "wei", "name", secret.Value, noon)
		return err
	})
	salt, err := statement.Base64(secret.Salt)
	if err != nil {
		t.Fatal(err)
	}
	for name, needle := range map[string][]byte{"value": []byte(secret.Value), "salt": salt} {
		if found := filesWith(t, dir, needle); found != "" {
			t.Errorf("%s is in %s", name, found)
		}
	}
	key := wrappedKey(t, s, "wei")
	if filesWith(t, dir, key) == "" {
		t.Fatal("the search does not find a wrapped key that is there")
	}
	do(t, s, func(tx *store.Tx) error { _, err := v.Erase(t.Context(), tx, "wei", noon); return err })
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := filesWith(t, dir, key); found != "" {
		t.Errorf("the destroyed key is in %s", found)
	}
}

func filesWith(t *testing.T, dir string, needle []byte) string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, needle) {
			return file.Name()
		}
	}
	return ""
}

func TestScrubRunsOnEveryEngine(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		put(t, newVault(t, 7), s, "wei", weiPhone, contact)
		if err := s.Scrub(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
