package vault_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"reflect"
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
		for subject, want := range map[string]string{"wei": "", "lan": "vault_value_unknown"} {
			do(t, s, func(tx *store.Tx) error {
				one, err := v.Masked(t.Context(), tx, subject, commitment(t, weiPhone))
				if fault.CodeOf(err) != want || err == nil && !reflect.DeepEqual(one, list[1]) {
					t.Errorf("%s's alone: %+v, %v", subject, one, err)
				}
				return nil
			})
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

func TestPrintingAVaultHidesItsKeys(t *testing.T) {
	v := newVault(t, 'K')
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, v); got != "vault" {
			t.Errorf("%s: got %q", format, got)
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
