package app

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/internal/access"
)

// followPause is how often a visit is looked at again while nothing happens in this process: another node may
// have written, and the reader's rights may have ended.
const followPause = time.Second

// Follow gives the number of a visit's newest event as soon as it is over after, or when wait is over.
// Whether the actor may read the visit is asked at every look, so that who lost that right learns nothing more.
func (a *App) Follow(ctx context.Context, actor Actor, visitID string, after int, wait time.Duration) (int, error) {
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		moved := a.moved.wait() // taken before reading, so that nothing is missed in between
		if err := a.maySee(ctx, actor, visitID, access.ReadVisit); err != nil {
			return 0, err
		}
		s, err := a.visitStanding(ctx, visitID)
		if err != nil || s.state.Number() > after {
			return s.state.Number(), err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-over.C:
			return s.state.Number(), nil
		case <-moved:
		case <-time.After(followPause):
		}
	}
}
