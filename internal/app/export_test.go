package app

import "context"

// Shrink is what thumbnails are made with.
var Shrink = shrink

// StoppedBadge says whether a new badge is held back from somebody.
func (a *App) StoppedBadge(ctx context.Context, person string) error {
	return a.notStopped(ctx, person)
}

// Remembers says whether a visit's state at a head is at hand without a replay.
func (a *App) Remembers(visitID, head string) bool {
	_, ok := a.states.get(visitID, head)
	return ok
}
