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
	leave, err := a.waits.enter(actor, wait)
	if err != nil {
		return 0, err
	}
	defer leave()
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

// workPause is the least time between two looks of one phone that waits, however much is recorded meanwhile.
const workPause = 200 * time.Millisecond

// FollowWork gives a visit's work as soon as it is other than the caller's, by its tag, or when wait is over. What
// happens beside the visit, such as a device handed over, is seen within a second.
func (a *App) FollowWork(ctx context.Context, actor Actor, visitID, tag string, wait time.Duration) (Work, error) {
	leave, err := a.waits.enter(actor, wait)
	if err != nil {
		return Work{}, err
	}
	defer leave()
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		moved := a.moved.wait() // as in Follow
		w, err := a.Work(ctx, actor, visitID)
		if err != nil || w.Tag != tag {
			return w, err
		}
		pause := time.After(workPause)
		select {
		case <-ctx.Done():
			return Work{}, ctx.Err()
		case <-over.C:
			return w, nil
		case <-moved:
		case <-time.After(followPause):
		}
		select {
		case <-ctx.Done():
			return Work{}, ctx.Err()
		case <-pause:
		}
	}
}
