package app

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/internal/store"
)

// How long what is over stays before it is cleared away. Nothing signed is among it.
const (
	keepChallenges = 24 * time.Hour
	keepDoor       = 7 * 24 * time.Hour
	keepAnswers    = 7 * 24 * time.Hour
	keepTokens     = 30 * 24 * time.Hour
	keepDoneJobs   = 7 * 24 * time.Hour
)

// Clear removes challenges, door checks, remembered answers, tokens and jobs that are long over.
func (a *App) Clear(ctx context.Context) error {
	now := a.Now()
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.ForgetChallenges(ctx, now.Add(-keepChallenges)); err != nil {
			return err
		}
		if _, err := tx.ForgetDoorChecks(ctx, now.Add(-keepDoor)); err != nil {
			return err
		}
		if _, err := tx.ForgetAnswers(ctx, now.Add(-keepAnswers)); err != nil {
			return err
		}
		if _, err := tx.ForgetTokens(ctx, now.Add(-keepTokens)); err != nil {
			return err
		}
		if _, err := tx.ForgetClerkAsks(ctx, now.Add(-keepChallenges)); err != nil {
			return err
		}
		if _, err := tx.ForgetDoorCalls(ctx, now.Add(-keepCalls)); err != nil {
			return err
		}
		_, err := tx.ForgetDoneJobs(ctx, now.Add(-keepDoneJobs))
		return err
	})
}
