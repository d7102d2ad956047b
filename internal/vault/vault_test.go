package vault_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
	"github.com/menshen-project/menshen/internal/vault"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	noon     = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	contact  = vault.Tag{Purposes: []string{"contact", "evidence"}}
	byRisk   = vault.Look{Who: "risk-desk", Purpose: "contact", At: noon}
	byLaw    = vault.Look{Who: "regulator", Purpose: vault.PurposeRetention, At: noon}
	weiPhone = opening("phone", "13800015678")
	weiName  = opening("name", "王小微")
)

func opening(kind, value string) statement.Opening {
	var salt [16]byte
	rand.Read(salt[:])
	return statement.NewOpening(kind, salt, value)
}

func commitment(t testing.TB, o statement.Opening) string {
	t.Helper()
	c, err := o.Commitment()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newVault gives a vault with the key of b's 32 times.
func newVault(t testing.TB, b byte) *vault.Vault {
	t.Helper()
	v, err := vault.New(bytes.Repeat([]byte{b}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func do(t testing.TB, s *store.Store, command func(tx *store.Tx) error) {
	t.Helper()
	if err := s.Write(t.Context(), command); err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, v *vault.Vault, s *store.Store, subject string, o statement.Opening, tag vault.Tag) {
	t.Helper()
	do(t, s, func(tx *store.Tx) error {
		got, err := v.Put(t.Context(), tx, subject, o, tag, noon)
		if err == nil && got != commitment(t, o) {
			t.Errorf("put: got commitment %s, want %s", got, commitment(t, o))
		}
		return err
	})
}

func get(t testing.TB, v *vault.Vault, s *store.Store, subject, commitment string, look vault.Look) (o statement.Opening, err error) {
	t.Helper()
	err = s.Write(t.Context(), func(tx *store.Tx) (err error) {
		o, err = v.Get(t.Context(), tx, subject, commitment, look)
		return err
	})
	return o, err
}

func looks(t testing.TB, v *vault.Vault, s *store.Store, subject string) (list []store.VaultLook) {
	t.Helper()
	if err := s.Read(t.Context(), func(tx *store.Tx) (err error) {
		list, err = v.Looks(t.Context(), tx, subject, 100)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestValueComesBackAndTheLookIsRecorded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := newVault(t, 7)
		put(t, v, s, "wei", weiPhone, contact)
		put(t, v, s, "wei", weiName, contact)
		got, err := get(t, v, s, "wei", commitment(t, weiPhone), byRisk)
		if err != nil || got != weiPhone {
			t.Errorf("got %v %v", got, err)
		}
		want := store.VaultLook{Subject: "wei", Field: "phone", Commitment: commitment(t, weiPhone), Who: "risk-desk",
			Purpose: "contact", LookedAt: store.At(noon)}
		if list := looks(t, v, s, "wei"); len(list) != 1 || list[0] != want {
			t.Errorf("looks: got %+v, want %+v", list, want)
		}
	})
}

func TestShowingIsRefused(t *testing.T) {
	s := storetest.SQLite(t)
	v := newVault(t, 7)
	put(t, v, s, "wei", weiPhone, contact)
	put(t, v, s, "lan", weiName, contact)
	phone := commitment(t, weiPhone)
	for name, c := range map[string]struct {
		vault               *vault.Vault
		subject, commitment string
		look                vault.Look
		code                string
	}{
		"for another purpose":   {v, "wei", phone, vault.Look{Who: "seller", Purpose: "advertising", At: noon}, "vault_purpose_not_allowed"},
		"by law before erasure": {v, "wei", phone, byLaw, "vault_purpose_not_allowed"},
		"without a purpose":     {v, "wei", phone, vault.Look{Who: "risk-desk", At: noon}, "vault_purpose_missing"},
		"without a name":        {v, "wei", phone, vault.Look{Purpose: "contact", At: noon}, "vault_purpose_missing"},
		"without a time":        {v, "wei", phone, vault.Look{Who: "risk-desk", Purpose: "contact"}, "vault_purpose_missing"},
		"of another person":     {v, "lan", phone, byRisk, "vault_value_unknown"},
		"of nobody":             {v, "wei", commitment(t, opening("phone", "1")), byRisk, "vault_value_unknown"},
		"with another key":      {newVault(t, 8), "wei", phone, byRisk, "vault_value_damaged"},
		"with the zero vault":   {&vault.Vault{}, "wei", phone, byRisk, "vault_key_size"},
	} {
		got, err := get(t, c.vault, s, c.subject, c.commitment, c.look)
		if fault.CodeOf(err) != c.code || got != (statement.Opening{}) {
			t.Errorf("%s: got %v, want fault %q", name, err, c.code)
		}
	}
	if list := looks(t, v, s, "wei"); len(list) != 0 {
		t.Errorf("a refused look was recorded: %+v", list)
	}
}

func TestPutRefuses(t *testing.T) {
	s := storetest.SQLite(t)
	v := newVault(t, 7)
	for name, c := range map[string]struct {
		vault   *vault.Vault
		subject string
		opening statement.Opening
		tag     vault.Tag
		code    string
	}{
		"nobody":              {v, "", weiPhone, contact, "vault_subject_malformed"},
		"a bar in the id":     {v, "wei|phone", weiPhone, contact, "vault_subject_malformed"},
		"a dot first":         {v, ".wei", weiPhone, contact, "vault_subject_malformed"},
		"an id too long":      {v, strings.Repeat("w", 65), weiPhone, contact, "vault_subject_malformed"},
		"no purpose":          {v, "wei", weiPhone, vault.Tag{}, "vault_purpose_missing"},
		"two purposes as one": {v, "wei", weiPhone, vault.Tag{Purposes: []string{"a b"}}, "vault_purpose_missing"},
		"an empty purpose":    {v, "wei", weiPhone, vault.Tag{Purposes: []string{"contact", ""}}, "vault_purpose_missing"},
		"a field with a bar":  {v, "wei", opening("pho|ne", "x"), contact, "opening_malformed"},
		"a short salt":        {v, "wei", statement.Opening{Kind: "phone", Salt: "AAAA", Value: "x"}, contact, "opening_malformed"},
		"too large":           {v, "wei", opening("photo", strings.Repeat("x", 256<<10+1)), contact, "vault_value_too_large"},
		"the zero vault":      {&vault.Vault{}, "wei", weiPhone, contact, "vault_key_size"},
	} {
		err := s.Write(t.Context(), func(tx *store.Tx) error {
			_, err := c.vault.Put(t.Context(), tx, c.subject, c.opening, c.tag, noon)
			return err
		})
		if got := fault.CodeOf(err); got != c.code {
			t.Errorf("%s: got fault %q, want %q", name, got, c.code)
		}
	}
	put(t, v, s, "w", opening("photo", strings.Repeat("x", 256<<10)), contact)
}

func TestKeyHasOneSize(t *testing.T) {
	for _, size := range []int{0, 16, 31, 33} {
		if v, err := vault.New(make([]byte, size)); fault.CodeOf(err) != "vault_key_size" || v != nil {
			t.Errorf("%d bytes: got %v", size, err)
		}
	}
}

func TestZeroVaultRefusesEverything(t *testing.T) {
	s := storetest.SQLite(t)
	var zero vault.Vault
	ctx := t.Context()
	for name, call := range map[string]func(tx *store.Tx) error{
		"put":         func(tx *store.Tx) error { _, err := zero.Put(ctx, tx, "wei", weiPhone, contact, noon); return err },
		"erase":       func(tx *store.Tx) error { _, err := zero.Erase(ctx, tx, "wei", noon); return err },
		"fingerprint": func(tx *store.Tx) error { _, err := zero.Fingerprint("phone", "1"); return err },
		"add":         func(tx *store.Tx) error { _, err := zero.AddIdentity(ctx, tx, "wei", "phone", "1", noon); return err },
		"count":       func(tx *store.Tx) error { _, err := zero.CountIdentity(ctx, tx, "phone", "1"); return err },
	} {
		if got := fault.CodeOf(s.Write(ctx, call)); got != "vault_key_size" {
			t.Errorf("%s: got fault %q, want vault_key_size", name, got)
		}
	}
}

func TestSameOpeningAgainAddsItsTags(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := newVault(t, 7)
		later := noon.AddDate(5, 0, 0)
		put(t, v, s, "wei", weiPhone, vault.Tag{Purposes: []string{"contact"}, KeepUntil: later})
		put(t, v, s, "wei", weiPhone, vault.Tag{Purposes: []string{"alarm", "contact"}})
		list := listed(t, v, s, "wei")
		if len(list) != 1 || fmt.Sprint(list[0].Purposes) != "[alarm contact]" || !list[0].KeepUntil.Equal(later) {
			t.Errorf("got %+v", list)
		}
	})
}

func listed(t testing.TB, v *vault.Vault, s *store.Store, subject string) (list []vault.Masked) {
	t.Helper()
	if err := s.Read(t.Context(), func(tx *store.Tx) (err error) {
		list, err = v.List(t.Context(), tx, subject)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestListIsMaskedAndNoLook(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := newVault(t, 7)
		put(t, v, s, "wei", weiPhone, contact)
		put(t, v, s, "wei", weiName, contact)
		list := listed(t, v, s, "wei")
		if len(list) != 2 || list[0].Field != "name" || list[0].Text != "王****" || list[1].Text != "138****5678" ||
			list[1].Commitment != commitment(t, weiPhone) || !list[1].StoredAt.Equal(noon) || list[1].Erased {
			t.Errorf("got %+v", list)
		}
		if seen := looks(t, v, s, "wei"); len(seen) != 0 {
			t.Errorf("a masked list was recorded as a look: %+v", seen)
		}
	})
}

func TestReaderGetsTheOpeningsHeIsEntitledTo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := newVault(t, 7)
		place := opening("location", "31.2304,121.4737")
		gone := opening("name", "被删的人")
		put(t, v, s, "wei", weiPhone, contact)
		put(t, v, s, "lan", weiName, contact)
		put(t, v, s, "wei", place, vault.Tag{Purposes: []string{"door_check"}})
		put(t, v, s, "gone", gone, contact)
		do(t, s, func(tx *store.Tx) error { _, err := v.Erase(t.Context(), tx, "gone", noon); return err })
		unknown := commitment(t, opening("phone", "1"))
		asked := []string{commitment(t, weiPhone), commitment(t, weiName), commitment(t, place), commitment(t, gone), unknown,
			commitment(t, weiPhone)}
		var got vault.Openings
		do(t, s, func(tx *store.Tx) (err error) {
			got, err = v.GetByCommitments(t.Context(), tx, asked, vault.Look{Who: "host", Purpose: "evidence", At: noon})
			return err
		})
		if len(got.Open) != 2 || got.Open[asked[0]] != weiPhone || got.Open[asked[1]] != weiName {
			t.Errorf("open: got %v", got.Open)
		}
		if len(got.Closed) != 3 || got.Closed[asked[2]] != vault.ClosedPurpose || got.Closed[asked[3]] != vault.ClosedErased ||
			got.Closed[unknown] != vault.ClosedUnknown {
			t.Errorf("closed: got %v", got.Closed)
		}
		if len(looks(t, v, s, "wei")) != 1 || len(looks(t, v, s, "lan")) != 1 || len(looks(t, v, s, "gone")) != 0 {
			t.Error("not one look for each value that was given")
		}
		err := s.Write(t.Context(), func(tx *store.Tx) error {
			_, err := v.GetByCommitments(t.Context(), tx, asked, vault.Look{Who: "host", At: noon})
			return err
		})
		if fault.CodeOf(err) != "vault_purpose_missing" {
			t.Errorf("without a purpose: got %v", err)
		}
	})
}

func TestErasedPersonCannotBeRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := newVault(t, 7)
		ctx := t.Context()
		put(t, v, s, "wei", weiPhone, contact)
		put(t, v, s, "lan", weiName, contact)
		do(t, s, func(tx *store.Tx) error {
			_, err := v.AddIdentity(ctx, tx, "wei", "phone", weiPhone.Value, noon)
			return err
		})
		for round := range 2 {
			do(t, s, func(tx *store.Tx) error {
				done, err := v.Erase(ctx, tx, "wei", noon.Add(time.Duration(round)*time.Hour))
				if !done.At.Equal(noon) || len(done.Kept) != 0 || done.Subject != "wei" {
					t.Errorf("round %d: got %+v", round, done)
				}
				return err
			})
		}
		for _, look := range []vault.Look{byRisk, byLaw} {
			if _, err := get(t, v, s, "wei", commitment(t, weiPhone), look); fault.CodeOf(err) != "vault_value_erased" {
				t.Errorf("%s: got %v, want vault_value_erased", look.Purpose, err)
			}
		}
		if list := listed(t, v, s, "wei"); len(list) != 1 || !list[0].Erased || list[0].Text != "" || list[0].Commitment != commitment(t, weiPhone) {
			t.Errorf("tombstone: got %+v", list)
		}
		err := s.Write(ctx, func(tx *store.Tx) error {
			_, err := v.Put(ctx, tx, "wei", opening("phone", "2"), contact, noon)
			return err
		})
		if fault.CodeOf(err) != "vault_subject_erased" {
			t.Errorf("put after erasure: got %v", err)
		}
		if got, err := get(t, v, s, "lan", commitment(t, weiName), byRisk); err != nil || got != weiName {
			t.Errorf("another person: got %v %v", got, err)
		}
		do(t, s, func(tx *store.Tx) error {
			n, err := v.CountIdentity(ctx, tx, "phone", weiPhone.Value)
			if n != 0 {
				t.Errorf("the keyed hash outlived its person: %d", n)
			}
			return err
		})
		do(t, s, func(tx *store.Tx) error {
			done, err := v.Erase(ctx, tx, "stranger", noon)
			if !done.At.IsZero() {
				t.Errorf("erasing a stranger: got %+v", done)
			}
			return err
		})
	})
}

func TestWhatLawKeepsOutlivesErasureUntilItsTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := newVault(t, 7)
		ctx := t.Context()
		until := noon.AddDate(5, 0, 0)
		contract := opening("name", "王小微")
		put(t, v, s, "wei", weiPhone, contact)
		put(t, v, s, "wei", contract, vault.Tag{Purposes: []string{"contract"}, KeepUntil: until})
		do(t, s, func(tx *store.Tx) error {
			if _, err := v.AddIdentity(ctx, tx, "wei", "phone", weiPhone.Value, noon); err != nil {
				return err
			}
			_, err := v.AddIdentity(ctx, tx, "wei", "name", contract.Value, noon)
			return err
		})
		before := wrappedKey(t, s, "wei")
		do(t, s, func(tx *store.Tx) error {
			done, err := v.Erase(ctx, tx, "wei", noon)
			if len(done.Kept) != 1 || done.Kept[0].Field != "name" || !done.Kept[0].KeepUntil.Equal(until) || fmt.Sprint(done.Kept[0].Purposes) != "[contract]" {
				t.Errorf("kept: got %+v", done.Kept)
			}
			return err
		})
		if bytes.Equal(wrappedKey(t, s, "wei"), before) {
			t.Error("the data key was not replaced")
		}
		if got, err := get(t, v, s, "wei", commitment(t, contract), byLaw); err != nil || got != contract {
			t.Errorf("by law: got %v %v", got, err)
		}
		if _, err := get(t, v, s, "wei", commitment(t, contract), vault.Look{Who: "seller", Purpose: "contract", At: noon}); fault.CodeOf(err) != "vault_value_erased" {
			t.Errorf("for its old purpose: got %v", err)
		}
		if _, err := get(t, v, s, "wei", commitment(t, weiPhone), byLaw); fault.CodeOf(err) != "vault_value_erased" {
			t.Errorf("what law does not keep: got %v", err)
		}
		if list := listed(t, v, s, "wei"); len(list) != 2 || !list[0].Erased || list[0].Text != "" || !list[1].Erased {
			t.Errorf("list: got %+v", list)
		}
		sweep := func(now time.Time, want int) {
			t.Helper()
			do(t, s, func(tx *store.Tx) error {
				n, err := v.Sweep(ctx, tx, now, 10)
				if n != want {
					t.Errorf("sweep at %s: got %d people, want %d", now, n, want)
				}
				return err
			})
		}
		identities := func(field, value string, want int) {
			t.Helper()
			do(t, s, func(tx *store.Tx) error {
				n, err := v.CountIdentity(ctx, tx, field, value)
				if n != want {
					t.Errorf("%s: got %d holders, want %d", field, n, want)
				}
				return err
			})
		}
		identities("phone", weiPhone.Value, 0)
		identities("name", contract.Value, 1)
		sweep(until.Add(-time.Millisecond), 0)
		sweep(until, 1)
		sweep(until, 0)
		identities("name", contract.Value, 0)
		if len(wrappedKey(t, s, "wei")) != 0 {
			t.Error("a data key is left after the sweep")
		}
		if _, err := get(t, v, s, "wei", commitment(t, contract), byLaw); fault.CodeOf(err) != "vault_value_erased" {
			t.Errorf("after its time: got %v", err)
		}
	})
}

func wrappedKey(t testing.TB, s *store.Store, subject string) (key []byte) {
	t.Helper()
	if err := s.Read(t.Context(), func(tx *store.Tx) error {
		row, found, err := tx.VaultSubject(t.Context(), subject)
		if !found {
			err = errors.Join(err, errors.New("no such subject"))
		}
		key = row.WrappedKey
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return key
}

func TestIdentityIsCountedByFieldAndKey(t *testing.T) {
	s := storetest.SQLite(t)
	ctx := t.Context()
	v := newVault(t, 7)
	for _, c := range []struct {
		person, field, value string
		holders              int
	}{
		{"wei", "phone", "13800015678", 1}, {"wei", "phone", "13800015678", 1}, {"mallory", "phone", "13800015678", 2},
		{"mallory", "phone", "13900000000", 1}, {"wei", "account", "13800015678", 1},
	} {
		do(t, s, func(tx *store.Tx) error {
			n, err := v.AddIdentity(ctx, tx, c.person, c.field, c.value, noon)
			if n != c.holders {
				t.Errorf("%+v: got %d", c, n)
			}
			return err
		})
	}
	phone, _ := v.Fingerprint("phone", "1")
	again, _ := v.Fingerprint("phone", "1")
	account, _ := v.Fingerprint("account", "1")
	otherKey, _ := newVault(t, 8).Fingerprint("phone", "1")
	if phone != again || phone == account || phone == otherKey || len(phone) != 64 {
		t.Errorf("fingerprints: %s %s %s %s", phone, again, account, otherKey)
	}
}

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

func TestPrintingAVaultHidesItsKeys(t *testing.T) {
	v := newVault(t, 'K')
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, v); got != "vault" {
			t.Errorf("%s: got %q", format, got)
		}
	}
}

func TestMask(t *testing.T) {
	for _, c := range []struct{ field, value, want string }{
		{"phone", "13800015678", "138****5678"},
		{"merchant_phone", "13800015678", "138****5678"},
		{"phone", "1380001567", "****"}, // too short to hide four
		{"name", "王小微", "王****"},
		{"technician_name", "欧阳", "欧****"},
		{"name", "王", "****"},
		{"name", "", "****"},
		{"resident_id", "310101199001011234", "3****4"},
		{"account", "6222020200000006789", "****6789"},
		{"settlement_account", "1234567", "****"},
		{"address", "上海市黄浦区南京东路1号", "上海市黄浦区****"},
		{"address", "上海", "****"},
		{"credit_code", "91310000123456789X", "91****789X"},
		{"licence", "3101010000007", "31****07"},
		{"location", "31.2304,121.4737", "****"},
		{"microphone", "13800015678", "****"}, // a rule's name within a word is not the rule
		{"", "x", "****"},
	} {
		if got := vault.Mask(c.field, c.value); got != c.want {
			t.Errorf("%s: got %q, want %q", c.field, got, c.want)
		}
	}
}

func BenchmarkSealAndOpen(b *testing.B) {
	s := storetest.SQLite(b)
	v := newVault(b, 7)
	put(b, v, s, "wei", weiPhone, contact)
	c := commitment(b, weiPhone)
	do(b, s, func(tx *store.Tx) error {
		for b.Loop() {
			if _, err := v.Get(b.Context(), tx, "wei", c, byRisk); err != nil {
				return err
			}
		}
		return nil
	})
}
