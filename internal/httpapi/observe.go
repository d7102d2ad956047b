package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

var errNoFault = errors.New("refused without a fault")

// seen is what a request's log line needs and only deeper layers know.
type seen struct {
	route string // pattern, never the path: paths hold ids
	token string // id
	fault *fault.Fault
}

type seenKey struct{}

// see gives the request's notes; outside a request, notes that nobody reads.
func see(ctx context.Context) *seen {
	if s, ok := ctx.Value(seenKey{}).(*seen); ok {
		return s
	}
	return &seen{}
}

// statusWriter remembers what was answered.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(data []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController and huma reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// observe logs each request once, turns a panic into an answer and puts the security headers on
// every answer.
func (a *API) observe(next http.HandlerFunc) http.HandlerFunc {
	return func(inner http.ResponseWriter, r *http.Request) {
		began := time.Now()
		notes := &seen{}
		r = r.WithContext(context.WithValue(r.Context(), seenKey{}, notes))
		w := &statusWriter{ResponseWriter: inner}
		guard(w.Header())
		defer func() {
			broke := recover()
			if broke != nil && broke != http.ErrAbortHandler {
				a.caught(w, r, broke)
			}
			a.line(r, notes, w.status, time.Since(began))
			if broke == http.ErrAbortHandler || (broke != nil && w.status != http.StatusInternalServerError) {
				panic(http.ErrAbortHandler) // an answer was begun: end the connection, not a half answer
			}
		}()
		next(w, r)
	}
}

// guard sets the headers of every answer: nothing here is a page, to be framed, kept or guessed at.
func guard(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Strict-Transport-Security", "max-age=31536000")
	h.Set("Cache-Control", "no-store")
}

// caught answers a panic without a word of it. The log gets the stack and, of the panic's value, the
// text only if the runtime wrote it: a library's may hold anything.
func (a *API) caught(w *statusWriter, r *http.Request, broke any) {
	what := fmt.Sprintf("%T", broke)
	if err, ok := broke.(runtime.Error); ok {
		what = err.Error()
	}
	a.log.LogAttrs(r.Context(), slog.LevelError, "panic", slog.String("route", see(r.Context()).route), slog.String("what", what), slog.String("stack", string(debug.Stack())))
	if w.status == 0 {
		writeProblem(w, r, fault.Of(errNoFault))
	}
}

// line writes the request's log line: no path, no query, no header, no body. A cause is logged only
// where an operator has to act on it, as in package cli.
func (a *API) line(r *http.Request, notes *seen, status int, took time.Duration) {
	level := slog.LevelInfo
	attrs := []slog.Attr{slog.String("method", r.Method), slog.String("route", notes.route), slog.Int("status", status),
		slog.Int64("took_ms", took.Milliseconds()), slog.String("token", notes.token)}
	if f := notes.fault; f != nil {
		attrs = append(attrs, slog.String("code", f.Code))
		if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
			level = slog.LevelError
			attrs = append(attrs, slog.String("where", f.Where), slog.Any("cause", errors.Unwrap(f)))
		}
	}
	a.log.LogAttrs(r.Context(), level, "request", attrs...)
}
