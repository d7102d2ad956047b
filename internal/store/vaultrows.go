package store

import (
	"context"
	"time"
)

// The vault's rows as package vault reads and writes them: nothing here can open a value.

// AddVaultSubject makes a person's row; added is false when it is there already.
func (t *Tx) AddVaultSubject(ctx context.Context, id string, wrappedKey []byte) (added bool, err error) {
	n, err := t.q.insertSubject(ctx, id, wrappedKey, 0)
	return n == 1, t.sealed(ctx, t.wrap(err, "vault subject"), "vault_subjects", "id", id)
}

// VaultSubject finds a person's row; found is false when there is none.
func (t *Tx) VaultSubject(ctx context.Context, id string) (subject VaultSubject, found bool, err error) {
	subject, found, err = optional(t.q.vaultSubject(ctx, id))
	return subject, found, t.wrap(err, "vault subject")
}

// SetVaultKey replaces a person's wrapped key; empty destroys it. Fault: record_not_found.
func (t *Tx) SetVaultKey(ctx context.Context, id string, wrappedKey []byte, erasedAt Instant) error {
	n, err := t.q.setSubjectKey(ctx, id, filled(wrappedKey), erasedAt)
	if err == nil && n != 1 {
		return errNotFound.At("vault subject")
	}
	return t.sealed(ctx, t.wrap(err, "vault subject"), "vault_subjects", "id", id)
}

// AddVaultValue keeps a sealed value; added is false when subject, field and commitment are there.
func (t *Tx) AddVaultValue(ctx context.Context, v VaultValue) (added bool, err error) {
	n, err := t.q.insertVaultValue(ctx, insertVaultValueParams(v))
	return n == 1, t.sealedValue(ctx, t.wrap(err, "vault value"), v)
}

func (t *Tx) sealedValue(ctx context.Context, err error, v VaultValue) error {
	if err != nil {
		return err
	}
	return t.sealWhere(ctx, "vault_values", []string{"subject", "field", "commitment"}, v.Subject, v.Field, v.Commitment)
}

// VaultValues gives all values of a person by field, oldest first, erased ones too.
func (t *Tx) VaultValues(ctx context.Context, subject string) ([]VaultValue, error) {
	values, err := t.q.vaultValuesOf(ctx, subject)
	return values, t.wrap(err, "vault values")
}

// VaultValueByCommitment finds a sealed value; found is false when there is none.
func (t *Tx) VaultValueByCommitment(ctx context.Context, commitment string) (value VaultValue, found bool, err error) {
	value, found, err = optional(t.q.vaultValueByCommitment(ctx, commitment))
	return value, found, t.wrap(err, "vault value")
}

// SetVaultCiphertext replaces what is sealed; empty erases it.
func (t *Tx) SetVaultCiphertext(ctx context.Context, v VaultValue, ciphertext []byte) error {
	n, err := t.q.setCiphertext(ctx, v.Subject, v.Field, v.Commitment, filled(ciphertext))
	if err == nil && n != 1 {
		return errNotFound.At("vault value")
	}
	return t.sealedValue(ctx, t.wrap(err, "vault value"), v)
}

// SetVaultTags replaces the purposes and the time until which law keeps a value.
func (t *Tx) SetVaultTags(ctx context.Context, v VaultValue) error {
	n, err := t.q.setVaultTags(ctx, setVaultTagsParams{
		Subject: v.Subject, Field: v.Field, Commitment: v.Commitment, Purpose: v.Purpose, KeepUntil: v.KeepUntil,
	})
	if err == nil && n != 1 {
		return errNotFound.At("vault value")
	}
	return t.sealedValue(ctx, t.wrap(err, "vault value"), v)
}

// ErasedSubjectsDue gives up to limit erased people, by id after the given one, of whom a value was
// kept by law until now and no longer.
func (t *Tx) ErasedSubjectsDue(ctx context.Context, afterID string, now time.Time, limit int) ([]string, error) {
	ids, err := t.q.erasedSubjectsWithKey(ctx, afterID, At(now), rows(limit))
	return ids, t.wrap(err, "vault subjects")
}

// AddVaultLook records a showing.
func (t *Tx) AddVaultLook(ctx context.Context, l VaultLook) error {
	if err := t.wrap(t.q.insertLook(ctx, insertLookParams(l)), "vault look"); err != nil {
		return err
	}
	return t.sealWhere(ctx, "vault_looks", []string{"subject", "field", "commitment", "who", "purpose", "looked_at"},
		l.Subject, l.Field, l.Commitment, l.Who, l.Purpose, int64(l.LookedAt))
}

// VaultLooks gives up to limit showings of a person's values, oldest first.
func (t *Tx) VaultLooks(ctx context.Context, subject string, limit int) ([]VaultLook, error) {
	looks, err := t.q.looksAt(ctx, subject, rows(limit))
	return looks, t.wrap(err, "vault looks")
}
