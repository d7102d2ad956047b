package app

import "context"

// Shrink is what thumbnails are made with.
var Shrink = shrink

// StoppedBadge says whether a new badge is held back from somebody.
func (a *App) StoppedBadge(ctx context.Context, person string) error {
	return a.notStopped(ctx, person)
}
