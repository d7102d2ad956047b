package store

import (
	"context"
	"time"
)

// AddDoorCall keeps a call of the public page; added is false when it is there already, and of a code that is no
// shop's: the same statement is asked of both. The merchant is the shop's own, whatever c says.
func (t *Tx) AddDoorCall(ctx context.Context, c DoorCall) (added bool, err error) {
	n, err := t.q.insertDoorCall(ctx, insertDoorCallParams{ID: c.ID, Shop: c.Shop, Kind: c.Kind, Called: int64(c.CalledAt), Expected: c.Expected})
	return n == 1, t.sealed(ctx, t.wrap(err, "door call"), "door_calls", "id", c.ID)
}

// DoorCalls gives a merchant's calls since a time, newest first.
func (t *Tx) DoorCalls(ctx context.Context, merchant string, since time.Time, limit int) ([]DoorCall, error) {
	list, err := t.q.doorCallsOfMerchant(ctx, merchant, At(since), rows(limit))
	return list, t.wrap(err, "door calls")
}

// CountDoorCalls says how often a shop was called about since a time.
func (t *Tx) CountDoorCalls(ctx context.Context, shop string, since time.Time) (int, error) {
	n, err := t.q.countDoorCalls(ctx, shop, At(since))
	return int(n), t.wrap(err, "door calls")
}

// ForgetDoorCalls drops calls from before a time.
func (t *Tx) ForgetDoorCalls(ctx context.Context, before time.Time) (int, error) {
	n, err := t.q.deleteDoorCalls(ctx, At(before))
	if err == nil && n > 0 {
		err = t.q.deleteSealsOfDoorCalls(ctx)
	}
	return int(n), t.wrap(err, "door calls")
}
