package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
)

const (
	headerKey      = "Idempotency-Key"
	headerReplayed = "Idempotent-Replayed"
)

// unkept marks an operation whose answers are not kept.
const unkept = "unkept"

// idempotent answers a write that was answered before with the same status and body. Operations that
// only read pass through.
func (a *API) idempotent(ctx huma.Context, next func(huma.Context)) {
	if ctx.Operation().Method != http.MethodPost {
		next(ctx)
		return
	}
	r, w := humago.Unwrap(ctx)
	r = r.WithContext(ctx.Context())
	key := r.Header.Get(headerKey)
	body, err := a.read(w, r)
	if err == nil {
		err = checkKey(key)
	}
	if err != nil {
		a.refuse(ctx, err)
		return
	}
	if isOpen(ctx.Operation()) || ctx.Operation().Metadata[unkept] != nil {
		// What is open answers the same request in the same way by itself, and nobody is signed in whose answers
		// could be kept apart. What is unkept does so too, and its answers are nothing to store.
		a.answer(ctx.Operation(), w, r, body, next, func(app.KeptAnswer) {})
		return
	}
	actor, request := actorOf(r.Context()), requestDigest(r, body)
	done, err := a.flights.enter(r.Context(), actor.Token+" "+key)
	if err != nil {
		return // the client is gone
	}
	defer done()
	kept, found, err := a.app.Answered(r.Context(), actor, key, request)
	switch {
	case err != nil:
		a.refuse(ctx, err)
	case found:
		w.Header().Set(headerReplayed, "true")
		send(w, kept)
	default:
		a.answer(ctx.Operation(), w, r, body, next, func(k app.KeptAnswer) { a.keep(r.Context(), actor, key, request, k) })
	}
}

// answer runs the operation, keeps what is final, and only then sends it.
func (a *API) answer(op *huma.Operation, w http.ResponseWriter, r *http.Request, body []byte, next func(huma.Context), keep func(app.KeptAnswer)) {
	r.Body = io.NopCloser(bytes.NewReader(body))
	held := &heldWriter{ResponseWriter: w}
	next(humago.NewContext(op, r, held))
	if final(held.status) {
		keep(app.KeptAnswer{Status: held.status, Body: held.body.Bytes()})
	}
	w.WriteHeader(held.status)
	_, _ = w.Write(held.body.Bytes()) // the client may have gone
}

// final says whether an answer can be kept: what was done, and what is wrong with the request's own
// bytes. Every other refusal may turn out otherwise once somebody is enrolled, a visit is resumed or a
// host is back: the same key then asks anew.
func final(status int) bool {
	return status/100 == 2 || status == http.StatusBadRequest
}

func (a *API) keep(ctx context.Context, actor app.Actor, key, request string, k app.KeptAnswer) {
	// What was done is done, also when the client is gone; that is when he will ask again.
	err := a.app.KeepAnswer(context.WithoutCancel(ctx), actor, key, request, k)
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "answer not kept", slog.String("token", actor.Token), slog.String("code", fault.CodeOf(err)))
	}
}

// send writes a kept answer. Its status says of which type it is.
func send(w http.ResponseWriter, k app.KeptAnswer) {
	w.Header().Set("Content-Type", contentJSON)
	if k.Status >= 400 {
		w.Header().Set("Content-Type", contentProblem)
	}
	w.WriteHeader(k.Status)
	_, _ = w.Write(k.Body) // the client may have gone
}

func checkKey(key string) error {
	if key == "" {
		return errKeyAbsent.At("header." + headerKey)
	}
	if identifier.CheckID(key) != nil {
		return errKeyForm.At("header." + headerKey)
	}
	return nil
}

// requestDigest names everything that makes a request what it is, beside who asks.
func requestDigest(r *http.Request, body []byte) string {
	h := sha256.New()
	for _, part := range []string{r.Method, r.URL.Path, r.URL.RawQuery} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// read takes the whole body, within its bound, if it says that it is JSON. A picture may come as it is: a
// phone sends the bytes that it has.
func (a *API) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	picture := kind == contentJPEG && strings.HasSuffix(r.URL.Path, "/photos")
	if picture {
		kind = contentJSON // what it is made into, below
	}
	if charset := params["charset"]; err != nil || kind != contentJSON || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return nil, errNotJSON.At("header.Content-Type")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, a.maxBody))
	var large *http.MaxBytesError
	var slow net.Error
	switch {
	case errors.As(err, &large):
		return nil, errBodyLarge
	case errors.As(err, &slow) && slow.Timeout():
		return nil, errBodySlow
	case err != nil:
		return nil, errBodyBroken.Because(err)
	case len(body) == 0:
		return nil, errBodyAbsent
	}
	if picture {
		r.Header.Set("Content-Type", contentJSON)
		return json.Marshal(PhotoFiling{Photo: base64.StdEncoding.EncodeToString(body)})
	}
	return body, nil
}

// heldWriter holds an answer back until it is kept.
type heldWriter struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (h *heldWriter) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

func (h *heldWriter) Write(data []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	return h.body.Write(data)
}

// Unwrap lets huma reach the connection.
func (h *heldWriter) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// flights lets one request per key run at a time: the second waits and finds the first one's answer.
type flights struct {
	mu  sync.Mutex
	now map[string]chan struct{}
}

func (f *flights) enter(ctx context.Context, key string) (done func(), err error) {
	for {
		f.mu.Lock()
		other := f.now[key]
		if other == nil {
			mine := make(chan struct{})
			f.now[key] = mine
			f.mu.Unlock()
			return func() { f.leave(key, mine) }, nil
		}
		f.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (f *flights) leave(key string, mine chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.now, key)
	close(mine)
}
