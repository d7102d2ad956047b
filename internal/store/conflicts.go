package store

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

var errConflictSettled = fault.New(fault.Conflict, "conflict_settled", "这处矛盾已经有人处理过了。", "Somebody has settled this conflict already.")

// AddConflict keeps a statement that contradicts what is recorded. The same one again changes nothing.
func (t *Tx) AddConflict(ctx context.Context, c Conflict) error {
	_, err := t.q.insertConflict(ctx, insertConflictParams{Statement: c.Statement, Org: c.Org, Provider: c.Provider, Visit: c.Visit, Signer: c.Signer, Verb: c.Verb,
		Stands: c.Stands, Envelope: c.Envelope, FoundAt: c.FoundAt})
	return t.sealed(ctx, t.wrap(err, "conflict"), "conflicts", "statement", c.Statement)
}

// Conflict finds one by the digest of its statement. Fault: record_not_found.
func (t *Tx) Conflict(ctx context.Context, statement string) (Conflict, error) {
	c, err := t.q.conflict(ctx, statement)
	return c, t.wrap(err, "conflict")
}

// OpenConflicts gives those of a visit that nobody settled.
func (t *Tx) OpenConflicts(ctx context.Context, visit string, limit int) ([]Conflict, error) {
	list, err := t.q.openConflictsOfVisit(ctx, visit, rows(limit))
	return list, t.wrap(err, "conflicts")
}

// ConflictsOfProvider gives a provider's, open ones first.
func (t *Tx) ConflictsOfProvider(ctx context.Context, provider string, limit int) ([]Conflict, error) {
	list, err := t.q.conflictsOfProvider(ctx, provider, rows(limit))
	return list, t.wrap(err, "conflicts")
}

// ConflictsOfOrg gives an acquirer's, open ones first.
func (t *Tx) ConflictsOfOrg(ctx context.Context, org string, limit int) ([]Conflict, error) {
	list, err := t.q.conflictsOfOrg(ctx, org, rows(limit))
	return list, t.wrap(err, "conflicts")
}

// SettleConflict notes who settled one, how and why. Fault: conflict_settled.
func (t *Tx) SettleConflict(ctx context.Context, statement, by, outcome, reason string, now time.Time) error {
	n, err := t.q.settleConflict(ctx, settleConflictParams{Statement: statement, SettledAt: At(now), SettledBy: by, Outcome: outcome, Reason: reason})
	if err == nil && n == 0 {
		return errConflictSettled
	}
	return t.sealed(ctx, t.wrap(err, "conflict"), "conflicts", "statement", statement)
}

// OpenConflictsInAll counts the conflicts that nobody has settled, and says since when the oldest waits.
func (t *Tx) OpenConflictsInAll(ctx context.Context) (open int64, oldest Instant, err error) {
	r, err := t.q.openConflictsInAll(ctx)
	return r.Conflicts, Instant(r.OldestFoundAt), t.wrap(err, "conflicts")
}
