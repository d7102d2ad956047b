package vault_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
	"github.com/menshen-project/menshen/internal/vault"
)

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
