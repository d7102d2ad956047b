package vault

import (
	"context"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/store"
)

// Erasure says what is left of an erased person, for him to be told.
type Erasure struct {
	Subject string
	At      time.Time // when he was first erased; zero when the vault never knew him
	Kept    []Kept
}

// Kept is a value that law keeps, and until when.
type Kept struct {
	Field     string
	Purposes  []string
	KeepUntil time.Time
}

// Erase destroys a person's data key and with it every value and salt. What law keeps beyond now is
// sealed again under a new key and shown for PurposeRetention only; Sweep ends it. Erasing again is
// fine, as after a restore. The tombstones stay: field, commitment, purposes, and who looked.
//
// Call store.Scrub afterwards, so that the old key leaves the database's files as well.
func (v *Vault) Erase(ctx context.Context, tx *store.Tx, subject string, now time.Time) (Erasure, error) {
	if v.keys == nil {
		return Erasure{}, errKey
	}
	done := Erasure{Subject: subject}
	person, found, err := tx.VaultSubject(ctx, subject)
	if err != nil || !found {
		return done, err
	}
	if person.ErasedAt == 0 {
		person.ErasedAt = store.At(now)
	}
	done.At = person.ErasedAt.Time()
	rows, err := tx.VaultValues(ctx, subject)
	if err != nil {
		return done, err
	}
	key, wrapped := v.keys.newDataKey(subject)
	for _, row := range rows {
		kept, err := v.eraseValue(ctx, tx, row, key, now)
		if err != nil {
			return done, err
		}
		if kept {
			done.Kept = append(done.Kept, Kept{Field: row.Field, Purposes: strings.Fields(row.Purpose), KeepUntil: row.KeepUntil.Time()})
		}
	}
	if len(done.Kept) == 0 {
		wrapped = nil
	}
	if err := tx.SetVaultKey(ctx, subject, wrapped, person.ErasedAt); err != nil {
		return done, err
	}
	return done, tx.DropIdentities(ctx, subject, keptFields(done.Kept)...)
}

// eraseValue empties a value, or seals it again under key when law keeps it.
func (v *Vault) eraseValue(ctx context.Context, tx *store.Tx, row store.VaultValue, key []byte, now time.Time) (kept bool, err error) {
	if len(row.Ciphertext) == 0 {
		return false, nil
	}
	if row.KeepUntil <= store.At(now) {
		return false, tx.SetVaultCiphertext(ctx, row, nil)
	}
	_, opening, err := v.open(ctx, tx, row)
	if err != nil {
		return false, err
	}
	sealed, err := sealOpening(key, row.Subject, opening)
	if err != nil {
		return false, err
	}
	return true, tx.SetVaultCiphertext(ctx, row, sealed)
}

// Sweep ends up to limit erased people's values that law kept until now, and says how many people
// were looked at; less than limit means that none are left.
func (v *Vault) Sweep(ctx context.Context, tx *store.Tx, now time.Time, limit int) (int, error) {
	due, err := tx.ErasedSubjectsDue(ctx, "", now, limit)
	if err != nil {
		return 0, err
	}
	for _, subject := range due {
		if _, err := v.Erase(ctx, tx, subject, now); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

func keptFields(kept []Kept) []string {
	var names []string
	for _, k := range kept {
		names = append(names, k.Field)
	}
	return names
}
