package app

import (
	"slices"
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

// seals compares each row that no signed event speaks for with its seal, and each seal with its row.
func (k *checker) seals() error {
	seen := map[string]bool{}
	for _, name := range store.Sealed {
		err := k.rows(name, func(r store.RawRow) error {
			seen[name+"|"+r.Key()] = true
			seal, err := k.tx.Seal(k.ctx, name, r.Key())
			if err != nil {
				return err
			}
			want, err := store.SealOf(k.app.Vault.RowKey(), r)
			switch {
			case err != nil:
				return err
			case seal == "":
				k.found(name, r.Key(), errRowUnsealed)
			case seal != want:
				k.found(name, r.Key(), errRowSeal)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return k.rows("row_seals", func(r store.RawRow) error {
		table, key := r.Text("table_name"), r.Text("row_key")
		switch {
		case !slices.Contains(store.Sealed, table):
			k.found("row_seals", r.Key(), errRowStray)
		case !seen[table+"|"+key]:
			k.found(table, key, errRowOrphan)
		}
		return nil
	})
}

// vault opens every sealed value and compares it with its commitment and with the keyed hashes.
func (k *checker) vault() error {
	hashes := map[string]bool{} // field|hash|person that a value stands behind
	err := k.tx.EachRow(k.ctx, k.tables["vault_values"], func(r store.RawRow) error {
		ciphertext, _ := r.Value("ciphertext").([]byte)
		row := store.VaultValue{Subject: r.Text("subject"), Field: r.Text("field"), Commitment: r.Text("commitment"), Ciphertext: ciphertext}
		opening, err := k.app.Vault.Recheck(k.ctx, k.tx, row)
		switch {
		case fault.CodeOf(err) == "vault_value_erased":
			return k.erased(r)
		case err != nil:
			k.found("vault_values", r.Key(), errVaultUnopened)
			return nil
		}
		if !slices.Contains(foundFields, row.Field) {
			return nil
		}
		return k.identity(r, opening, hashes)
	})
	if err != nil {
		return err
	}
	return k.rows("identities", func(r store.RawRow) error {
		if !hashes[r.Key()] {
			k.found("identities", r.Key(), errRowStray)
		}
		return nil
	})
}

// erased demands that a value that cannot be opened belongs to somebody who was erased.
func (k *checker) erased(r store.RawRow) error {
	person, found, err := k.tx.VaultSubject(k.ctx, r.Text("subject"))
	if err == nil && (!found || person.ErasedAt == 0) {
		k.found("vault_values", r.Key(), errVaultUnopened)
	}
	return err
}

// identity demands the keyed hash of a value that the registers compare: of a sheet's values and of
// the principal's number on an order.
func (k *checker) identity(r store.RawRow, o statement.Opening, hashes map[string]bool) error {
	hash, err := k.app.Vault.Fingerprint(o.Kind, o.Value)
	if err != nil {
		return err
	}
	key := strings.Join([]string{o.Kind, hash, r.Text("subject")}, "|")
	hashes[key] = true
	if o.Kind != fieldPrincipal && !slices.Contains(strings.Fields(r.Text("purpose")), purposeRegistry) {
		return nil
	}
	list, err := k.tx.Where(k.ctx, k.tables["identities"], []string{"field", "keyed_hash", "person"}, o.Kind, hash, r.Text("subject"))
	if err == nil && len(list) == 0 {
		k.found("identities", key, errRowGone)
	}
	return err
}

// service looks at rows that come and go: a remembered answer belongs to a token, and has the shape
// that the server gives it. What an answer says cannot be checked, and nothing rests on it.
func (k *checker) service() error {
	return k.rows("answers", func(r store.RawRow) error {
		known, err := k.has("tokens", "id", r.Text("scope"))
		if err != nil {
			return err
		}
		if !known {
			k.found("answers", r.Key(), errRowStray)
		} else if status := r.Number("status"); status < 200 || status > 599 || !statement.IsDigest(r.Text("request_digest")) {
			k.found("answers", r.Key(), errRowShape)
		}
		return nil
	})
}
