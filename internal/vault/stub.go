// Package vault stub: an in-memory map until the sealed vault lands.
package vault

import (
	"context"
	"sync"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

type Vault struct {
	mu       sync.Mutex
	openings map[string]statement.Opening
}

func New(keyEncryptionKey []byte) (*Vault, error) {
	return &Vault{openings: map[string]statement.Opening{}}, nil
}

func (v *Vault) Put(ctx context.Context, tx *store.Tx, subject string, o statement.Opening, purpose string, now time.Time) error {
	c, err := o.Commitment()
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.openings[c] = o
	return nil
}
func (v *Vault) GetByCommitments(ctx context.Context, tx *store.Tx, commitments []string, who, purpose string, now time.Time) ([]statement.Opening, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []statement.Opening
	for _, c := range commitments {
		if o, ok := v.openings[c]; ok {
			out = append(out, o)
		}
	}
	return out, nil
}
func (v *Vault) Lookup(field, value string) string { return field + value }
