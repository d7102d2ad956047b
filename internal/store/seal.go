package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
)

// Sealed are the tables whose rows no signed event speaks for, so that each row has a seal: a keyed
// hash under a key that the database does not hold. Who writes to the database behind the server's
// back and has no key can spoil a seal and not make one.
var Sealed = []string{"organisations", "people", "merchants", "shops", "models", "devices", "orders", "tokens", "settings",
	"accounts", "passkeys", "invitations", "ceremonies", "photo_files", "clerk_asks", "tickets", "ticket_events", "door_checks", "door_verdicts", "door_secrets",
	"vault_subjects", "vault_values", "vault_looks", "door_calls", "conflicts", "sheet_drafts", "settlement_files", "settlement_lines", "door_scans", "phone_unsent", "dead_letter_acts"}

// unsealed are the columns of sealed tables that the server touches at every use and nothing rests on.
var unsealed = map[string]string{"tokens": "seen_at"}

// SealWith makes every later transaction seal what it writes to the tables of Sealed. It must be
// called before the first of them.
func (s *Store) SealWith(key []byte) { s.sealKey = key }

// SealOf gives a row's seal under a key.
func SealOf(key []byte, r RawRow) (string, error) {
	if i := slices.Index(r.Table.Columns, unsealed[r.Table.Name]); i >= 0 {
		r.Values = slices.Clone(r.Values)
		r.Values[i] = nil
	}
	data, err := r.JSON()
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(r.Table.Name + "\x00"))
	mac.Write(data)
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// seal reads back the rows of a table that have a value in a column, and seals each.
func (t *Tx) seal(ctx context.Context, name, column string, value any) error {
	if t.sealKey == nil {
		return nil
	}
	return t.sealWhere(ctx, name, []string{column}, value)
}

func (t *Tx) sealWhere(ctx context.Context, name string, columns []string, values ...any) error {
	if t.sealKey == nil {
		return nil
	}
	table, err := t.sealTable(ctx, name)
	if err != nil {
		return err
	}
	list, err := t.Where(ctx, table, columns, values...)
	if err != nil {
		return err
	}
	for _, r := range list {
		if err := t.SealRow(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// sealTable remembers the catalogue: a schema does not change while a process runs.
func (t *Tx) sealTable(ctx context.Context, name string) (Table, error) {
	if known, ok := t.schema.Load(name); ok {
		return known.(Table), nil
	}
	table, err := t.Table(ctx, name)
	if err == nil {
		t.schema.Store(name, table)
	}
	return table, err
}

// SealRow seals a row as it is now: what an import, and an operator who has looked, does.
func (t *Tx) SealRow(ctx context.Context, r RawRow) error {
	seal, err := SealOf(t.sealKey, r)
	if err != nil {
		return err
	}
	return t.wrap(t.q.putSeal(ctx, r.Table.Name, r.Key(), seal), "seal")
}

// Seal gives the seal that a row is stored with, "" for none.
func (t *Tx) Seal(ctx context.Context, table, key string) (string, error) {
	seal, _, err := optional(t.q.seal(ctx, table, key))
	return seal, t.wrap(err, "seal")
}

// sealed is for the methods that write one row: it seals unless the write itself failed.
func (t *Tx) sealed(ctx context.Context, err error, name, column string, value any) error {
	if err != nil {
		return err
	}
	return t.seal(ctx, name, column, value)
}

// Snapshot is Read without a bound on its time, for checks and exports of the whole store.
func (s *Store) Snapshot(ctx context.Context, query func(tx *Tx) error) error {
	return s.engine.snapshot(ctx, func(tx *Tx) error { return query(s.equip(tx)) })
}

// equip gives a transaction what the store knows and the engines do not.
func (s *Store) equip(tx *Tx) *Tx {
	tx.sealKey, tx.schema, tx.catalogueSQL = s.sealKey, &s.schema, s.engine.catalogue()
	return tx
}

// Backup writes a consistent copy of a SQLite store to a new file while others read and write. Other
// engines have tools of their own. Fault: store_backup_elsewhere.
func (s *Store) Backup(ctx context.Context, path string) error {
	e, ok := s.engine.(*sqliteEngine)
	if !ok {
		return errBackupElsewhere
	}
	conn, err := e.readerDB.Conn(ctx)
	if err != nil {
		return errDatabase.At("backup").Because(err)
	}
	_, err = conn.ExecContext(ctx, "VACUUM INTO $1", path)
	if err = errors.Join(err, conn.Close()); err != nil {
		return errDatabase.At("backup").Because(err)
	}
	return nil
}
