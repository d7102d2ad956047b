package app

import (
	"context"

	"github.com/menshen-project/menshen/internal/store"
)

// KeptAnswer is what a request was answered, kept so that its repetition gets the same.
type KeptAnswer struct {
	Status int
	Body   []byte // holds no personal value
}

// Answered finds the answer that a request with this idempotency key got before; found is false when
// the key is new to the actor's token. request is a digest of everything that makes the request what
// it is. Fault: idempotency_key_reused, when the key came with another request.
func (a *App) Answered(ctx context.Context, actor Actor, key, request string) (kept KeptAnswer, found bool, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		var answer store.Answer
		answer, found, err = tx.RememberedAnswer(ctx, actor.Token, key, request)
		kept = KeptAnswer{Status: int(answer.Status), Body: answer.Response}
		return err
	})
	return kept, found, err
}

// KeepAnswer remembers an answer. It is a transaction of its own: what a request does is idempotent by
// itself (by envelope, by permit, by the visit's head), so a crash in between costs no more than doing
// it again. Fault: idempotency_key_reused, when another node answered first.
func (a *App) KeepAnswer(ctx context.Context, actor Actor, key, request string, kept KeptAnswer) error {
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		return tx.RememberAnswer(ctx, store.Answer{Scope: actor.Token, Key: key, RequestDigest: request, Status: int64(kept.Status),
			Response: kept.Body, CreatedAt: store.At(a.Now())})
	})
}
