// Package vault stub.
package vault

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

type Vault struct{}

func (v *Vault) Put(ctx context.Context, tx *store.Tx, subject string, o statement.Opening, purpose string, now time.Time) error {
	return nil
}
func (v *Vault) GetByCommitments(ctx context.Context, tx *store.Tx, commitments []string, who, purpose string, now time.Time) ([]statement.Opening, error) {
	return nil, nil
}
func (v *Vault) Lookup(field, value string) string { return "" }
