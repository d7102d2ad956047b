package app

import (
	"context"

	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

// recordedClaims reads a recorded statement by its digest. It was proven when it came in.
func recordedClaims(ctx context.Context, tx *store.Tx, digest string) (statement.Claims, error) {
	envelope, err := tx.Statement(ctx, digest)
	if err != nil {
		return statement.Claims{}, err
	}
	return statement.Parse(envelope)
}

// eventClaims reads the statement of an event, by the event's digest.
func eventClaims(ctx context.Context, tx *store.Tx, event string) (statement.Claims, error) {
	e, err := tx.EventByDigest(ctx, event)
	if err != nil {
		return statement.Claims{}, err
	}
	return recordedClaims(ctx, tx, e.StatementDigest)
}

// recordedBody reads the body of an event's statement.
func recordedBody(ctx context.Context, tx *store.Tx, event string, into any) error {
	c, err := eventClaims(ctx, tx, event)
	if err != nil {
		return err
	}
	return c.UntrustedBody(into)
}
