package cli

import (
	"context"
	"log/slog"
)

// onlyWarnings is a log handler for a library's own lines: Tessera tells each second that it waits for its witnesses, which
// the server says once, by its own codes, and again when it is over.
type onlyWarnings struct{ slog.Handler }

// Enabled takes warnings and errors.
func (h onlyWarnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

// WithAttrs keeps it quiet.
func (h onlyWarnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return onlyWarnings{h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps it quiet.
func (h onlyWarnings) WithGroup(name string) slog.Handler {
	return onlyWarnings{h.Handler.WithGroup(name)}
}
