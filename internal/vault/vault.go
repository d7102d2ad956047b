// Package vault keeps the openings of commitments: the personal values that signed bytes only
// commit to. Each person has a data key of his own, wrapped by the key-encryption key from the
// operator's configuration; each value is sealed under it with AES-256-GCM, bound to person and
// field. To destroy the data key is to erase the person, in every copy of the rows.
//
// A value is shown for a purpose that it was stored for, and every showing is recorded for its
// subject to see. What is masked needs neither. No error of this package holds a value.
//
// Whoever has the rows alone learns how many values of which field a person has, how long they are
// and who looked. Whoever has the key-encryption key too reads everything that is not erased.
package vault

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

var (
	errKey = fault.New(fault.Invalid, "vault_key_size",
		"保险库的密钥必须是 32 字节。", "The vault's key must be 32 bytes.")
	errSubject = fault.New(fault.Invalid, "vault_subject_malformed",
		"人员编号的格式不对。", "The person's id is malformed.")
	errTooLarge = fault.New(fault.TooLarge, "vault_value_too_large",
		"这项内容太大。", "This value is too large.")
	errPurpose = fault.New(fault.Invalid, "vault_purpose_missing",
		"存入或查看个人信息必须说明用途和查看人。", "To store or show a personal value takes a purpose and a name.")
	errNotAllowed = fault.New(fault.Forbidden, "vault_purpose_not_allowed",
		"这项个人信息不能用于这个用途。", "This personal value may not be shown for this purpose.")
	errUnknown = fault.New(fault.NotFound, "vault_value_unknown",
		"没有存过这项个人信息。", "No such personal value is stored.")
	errErased = fault.New(fault.Refused, "vault_value_erased",
		"这项个人信息已被删除。", "This personal value has been erased.")
	errSubjectErased = fault.New(fault.Refused, "vault_subject_erased",
		"此人的信息已被删除，不再接收新的内容。", "This person was erased; nothing more is stored.")
	errDamaged = fault.New(fault.Internal, "vault_value_damaged",
		"这项个人信息无法解开，请联系管理员。", "This personal value cannot be opened; call the operator.")
)

// PurposeRetention is the only purpose for which a value is shown that law keeps of an erased person.
const PurposeRetention = "legal_retention"

// maxValue bounds a value, in bytes: a name, a number, a small picture.
const maxValue = 256 << 10

// Vault seals and opens values. Only New makes one that does: the zero Vault refuses everything.
type Vault struct{ keys *keys }

// New takes the key-encryption key, 32 bytes. Fault: vault_key_size.
func New(keyEncryptionKey []byte) (*Vault, error) {
	k, err := deriveKeys(keyEncryptionKey)
	if err != nil {
		return nil, err
	}
	return &Vault{keys: k}, nil
}

// String hides the keys from whoever prints a Vault.
func (v *Vault) String() string { return "vault" }

// GoString hides the keys too.
func (v *Vault) GoString() string { return "vault" }

// Tag says what a value may be shown for and how long law keeps it.
type Tag struct {
	Purposes  []string  // words of a-z and _, at least one
	KeepUntil time.Time // zero when nothing keeps it
}

// Look is who wants to see a value, for which purpose, when.
type Look struct {
	Who     string // id of a person, organisation or host
	Purpose string
	At      time.Time
}

// Put stores an opening of a person and gives its commitment. The same opening again adds its
// purposes and the longer time. Faults: vault_subject_malformed, opening_malformed,
// vault_value_too_large, vault_purpose_missing, vault_subject_erased.
func (v *Vault) Put(ctx context.Context, tx *store.Tx, subject string, o statement.Opening, tag Tag, now time.Time) (string, error) {
	if v.keys == nil {
		return "", errKey
	}
	if !plainID(subject) {
		return "", errSubject
	}
	if len(tag.Purposes) == 0 || slices.ContainsFunc(tag.Purposes, func(p string) bool { return !plainWord(p) }) {
		return "", errPurpose
	}
	if len(o.Value) > maxValue {
		return "", errTooLarge
	}
	commitment, err := o.Commitment()
	if err != nil {
		return "", err
	}
	key, err := v.dataKey(ctx, tx, subject)
	if err != nil {
		return "", err
	}
	sealed, err := sealOpening(key, subject, o)
	if err != nil {
		return "", err
	}
	row := store.VaultValue{
		Subject: subject, Field: o.Kind, Commitment: commitment, Ciphertext: sealed,
		Purpose: joined(tag.Purposes), StoredAt: store.At(now), KeepUntil: store.At(tag.KeepUntil),
	}
	added, err := tx.AddVaultValue(ctx, row)
	if err != nil || added {
		return commitment, err
	}
	return commitment, widen(ctx, tx, row)
}

// widen adds row's purposes and time to those of the value that is there.
func widen(ctx context.Context, tx *store.Tx, row store.VaultValue) error {
	values, err := tx.VaultValues(ctx, row.Subject)
	if err != nil {
		return err
	}
	for _, old := range values {
		if old.Field == row.Field && old.Commitment == row.Commitment {
			row.Purpose = joined(append(strings.Fields(old.Purpose), strings.Fields(row.Purpose)...))
			row.KeepUntil = max(row.KeepUntil, old.KeepUntil)
		}
	}
	return tx.SetVaultTags(ctx, row)
}

// dataKey gives a person's data key, made at the first value.
func (v *Vault) dataKey(ctx context.Context, tx *store.Tx, subject string) ([]byte, error) {
	row, found, err := tx.VaultSubject(ctx, subject)
	if err != nil {
		return nil, err
	}
	if !found {
		key, wrapped := v.keys.newDataKey(subject)
		_, err := tx.AddVaultSubject(ctx, subject, wrapped)
		return key, err
	}
	if row.ErasedAt != 0 {
		return nil, errSubjectErased
	}
	return v.keys.unwrap(row)
}

// Get shows one value of a person and records the look, so it needs a writing transaction. Faults:
// vault_purpose_missing, vault_value_unknown, vault_value_erased, vault_purpose_not_allowed,
// vault_value_damaged.
func (v *Vault) Get(ctx context.Context, tx *store.Tx, subject, commitment string, look Look) (statement.Opening, error) {
	row, found, err := tx.VaultValueByCommitment(ctx, commitment)
	if err != nil {
		return statement.Opening{}, err
	}
	if !found || row.Subject != subject {
		return statement.Opening{}, errUnknown
	}
	return v.show(ctx, tx, row, look)
}

// show opens a value for a look and records it.
func (v *Vault) show(ctx context.Context, tx *store.Tx, row store.VaultValue, look Look) (statement.Opening, error) {
	if look.Who == "" || look.Purpose == "" || look.At.IsZero() {
		return statement.Opening{}, errPurpose
	}
	person, opening, err := v.open(ctx, tx, row)
	if err != nil {
		return statement.Opening{}, err
	}
	allowed := slices.Contains(strings.Fields(row.Purpose), look.Purpose)
	if person.ErasedAt != 0 {
		if allowed = look.Purpose == PurposeRetention; !allowed {
			return statement.Opening{}, errErased.At(row.Field)
		}
	}
	if !allowed {
		return statement.Opening{}, errNotAllowed.At(row.Field)
	}
	if err := tx.AddVaultLook(ctx, store.VaultLook{
		Subject: row.Subject, Field: row.Field, Commitment: row.Commitment, Who: look.Who, Purpose: look.Purpose,
		LookedAt: store.At(look.At),
	}); err != nil {
		return statement.Opening{}, err
	}
	return opening, nil
}

// open unseals a row for this package's own use.
func (v *Vault) open(ctx context.Context, tx *store.Tx, row store.VaultValue) (store.VaultSubject, statement.Opening, error) {
	if v.keys == nil {
		return store.VaultSubject{}, statement.Opening{}, errKey
	}
	if len(row.Ciphertext) == 0 {
		return store.VaultSubject{}, statement.Opening{}, errErased.At(row.Field)
	}
	person, found, err := tx.VaultSubject(ctx, row.Subject)
	if err != nil {
		return person, statement.Opening{}, err
	}
	if !found || len(person.WrappedKey) == 0 {
		return person, statement.Opening{}, errErased.At(row.Field)
	}
	key, err := v.keys.unwrap(person)
	if err != nil {
		return person, statement.Opening{}, err
	}
	opening, err := unsealOpening(key, row)
	return person, opening, err
}

// Why an opening is not among those of GetByCommitments.
const (
	ClosedUnknown = "unknown" // nothing is stored
	ClosedErased  = "erased"
	ClosedPurpose = "purpose" // not stored for what it is wanted for
)

// Recheck opens a value for menshen's own check of the store, without a look: what it gives is compared
// and goes nowhere. Faults: vault_value_erased, vault_value_damaged.
func (v *Vault) Recheck(ctx context.Context, tx *store.Tx, row store.VaultValue) (statement.Opening, error) {
	_, opening, err := v.open(ctx, tx, row)
	return opening, err
}

// RowKey is the key that seals database rows (store.SealWith); nil for the zero Vault.
func (v *Vault) RowKey() []byte {
	if v == nil || v.keys == nil {
		return nil
	}
	return v.keys.rows
}

// Openings is what a reader gets, by commitment, and why he does not get the rest.
type Openings struct {
	Open   map[string]statement.Opening
	Closed map[string]string
}

// GetByCommitments shows what stands behind commitments, as a bundle for a reader needs, and records
// a look for each value that it gives. It needs a writing transaction. Faults:
// vault_purpose_missing, vault_value_damaged.
func (v *Vault) GetByCommitments(ctx context.Context, tx *store.Tx, commitments []string, look Look) (Openings, error) {
	all := Openings{Open: map[string]statement.Opening{}, Closed: map[string]string{}}
	for _, commitment := range slices.Compact(slices.Sorted(slices.Values(commitments))) {
		row, found, err := tx.VaultValueByCommitment(ctx, commitment)
		if err != nil {
			return Openings{}, err
		}
		if !found {
			all.Closed[commitment] = ClosedUnknown
			continue
		}
		opening, err := v.show(ctx, tx, row, look)
		switch fault.CodeOf(err) {
		case "":
			all.Open[commitment] = opening
		case errErased.Code:
			all.Closed[commitment] = ClosedErased
		case errNotAllowed.Code:
			all.Closed[commitment] = ClosedPurpose
		default:
			return Openings{}, err
		}
	}
	return all, nil
}

// Masked is a value as everybody may see it who may see that it exists.
type Masked struct {
	Field      string
	Commitment string
	Text       string // "" when erased
	Purposes   []string
	StoredAt   time.Time
	KeepUntil  time.Time // zero when nothing keeps it
	Erased     bool
}

// List gives a person's values by field, oldest first, masked. A reading transaction will do: it
// is no look.
func (v *Vault) List(ctx context.Context, tx *store.Tx, subject string) ([]Masked, error) {
	rows, err := tx.VaultValues(ctx, subject)
	if err != nil {
		return nil, err
	}
	list := make([]Masked, len(rows))
	for i, row := range rows {
		if list[i], err = v.masked(ctx, tx, row); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Masked gives one value of a person as List does. Faults: vault_value_unknown, vault_value_damaged.
func (v *Vault) Masked(ctx context.Context, tx *store.Tx, subject, commitment string) (Masked, error) {
	row, found, err := tx.VaultValueByCommitment(ctx, commitment)
	if err != nil {
		return Masked{}, err
	}
	if !found || row.Subject != subject {
		return Masked{}, errUnknown
	}
	return v.masked(ctx, tx, row)
}

func (v *Vault) masked(ctx context.Context, tx *store.Tx, row store.VaultValue) (Masked, error) {
	m := Masked{
		Field: row.Field, Commitment: row.Commitment, Purposes: strings.Fields(row.Purpose),
		StoredAt: row.StoredAt.Time(), KeepUntil: row.KeepUntil.Time(),
	}
	person, opening, err := v.open(ctx, tx, row)
	switch {
	case err == nil && person.ErasedAt == 0:
		m.Text = Mask(row.Field, opening.Value)
	case err == nil || fault.CodeOf(err) == errErased.Code:
		m.Erased = true
	default:
		return Masked{}, err
	}
	return m, nil
}

// Looks gives up to limit showings of a person's values, oldest first, for that person to see.
func (v *Vault) Looks(ctx context.Context, tx *store.Tx, subject string, limit int) ([]store.VaultLook, error) {
	return tx.VaultLooks(ctx, subject, limit)
}

// Fingerprint gives the keyed hash by which equal values of a field are found: hex HMAC-SHA256 under
// a key of that field. Whoever lacks the key-encryption key cannot try values. The value must be in
// its one normal form. Fault: vault_key_size for the zero Vault.
func (v *Vault) Fingerprint(field, value string) (string, error) {
	if v.keys == nil {
		return "", errKey
	}
	return v.keys.fingerprint(field, value), nil
}

// AddIdentity notes that a person has this value of a field and says how many people have it now.
func (v *Vault) AddIdentity(ctx context.Context, tx *store.Tx, subject, field, value string, now time.Time) (holders int, err error) {
	hash, err := v.Fingerprint(field, value)
	if err != nil {
		return 0, err
	}
	return tx.AddIdentity(ctx, store.Identity{Field: field, KeyedHash: hash, Person: subject, AddedAt: store.At(now)})
}

// CountIdentity says how many people have this value of a field.
func (v *Vault) CountIdentity(ctx context.Context, tx *store.Tx, field, value string) (holders int, err error) {
	hash, err := v.Fingerprint(field, value)
	if err != nil {
		return 0, err
	}
	return tx.CountIdentity(ctx, field, hash)
}

// joined writes purposes down, sorted and each once.
func joined(purposes []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(purposes))), " ")
}

// plainID is the form of every id (design: ids are opaque ASCII). It has no bar, so that the
// associated data subject|field reads one way only.
func plainID(id string) bool {
	for i, r := range id {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && (i == 0 || r != '.' && r != '_' && r != '-') {
			return false
		}
	}
	return id != "" && len(id) <= 64
}

func plainWord(word string) bool {
	for _, r := range word {
		if r != '_' && (r < 'a' || r > 'z') {
			return false
		}
	}
	return word != "" && len(word) <= 40
}
