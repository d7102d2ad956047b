package store

import (
	"context"
	"time"
)

// AddClerkAsk opens a place where one clerk's phone can ask to be let in. Fault: record_exists.
func (t *Tx) AddClerkAsk(ctx context.Context, c ClerkAsk) error {
	n, err := t.q.insertClerkAsk(ctx, insertClerkAskParams{Clerk: c.Clerk, Merchant: c.Merchant, Org: c.Org, CreatedAt: c.CreatedAt, ExpiresAt: c.ExpiresAt})
	if err == nil && n != 1 {
		return errExists.At("clerk")
	}
	return t.sealed(ctx, t.wrap(err, "clerk"), "clerk_asks", "clerk", c.Clerk)
}

// ClerkAsk finds what a clerk's phone asked, "" for nothing yet. Fault: record_not_found, also when its
// time is up.
func (t *Tx) ClerkAsk(ctx context.Context, clerk string, now time.Time) (ClerkAsk, error) {
	c, err := t.q.clerkAsk(ctx, clerk, At(now))
	return c, t.wrap(err, "clerk")
}

// FillClerkAsk keeps the first ask; a second one finds the place taken.
func (t *Tx) FillClerkAsk(ctx context.Context, clerk, ask string) (filled bool, err error) {
	n, err := t.q.fillClerkAsk(ctx, clerk, ask)
	return n == 1, t.sealed(ctx, t.wrap(err, "clerk"), "clerk_asks", "clerk", clerk)
}

// ForgetClerkAsks removes those whose time was up before a time.
func (t *Tx) ForgetClerkAsks(ctx context.Context, before time.Time) (int, error) {
	n, err := t.q.deleteClerkAsks(ctx, At(before))
	if err == nil && n > 0 {
		err = t.q.deleteSealsOfClerkAsks(ctx)
	}
	return int(n), t.wrap(err, "clerks")
}
