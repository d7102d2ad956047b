// Package service is what small HTTP services of one process have in common: strict, bounded bodies,
// problems (RFC 9457) with the same members as menshen's own API, and serving until told to stop.
package service

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// MaxBody bounds a request's JSON in bytes.
const MaxBody = 64 << 10

var (
	errNoRoute   = fault.New(fault.NotFound, "route_unknown", "没有这个地址。", "There is nothing at this address.")
	errMethod    = fault.New(fault.Invalid, "method_not_allowed", "这个地址不支持这种请求方法。", "This address does not take this method.")
	errBodyLarge = fault.New(fault.TooLarge, "body_too_large", "请求的内容太大了。", "The request's body is over the size bound.")
	errBodyCut   = fault.New(fault.Invalid, "body_unreadable", "请求的内容没有收完整。", "The request's body did not arrive whole.")
)

// statusOf is the HTTP status of each kind of fault.
var statusOf = map[fault.Kind]int{
	fault.Invalid: http.StatusBadRequest, fault.Unauthenticated: http.StatusUnauthorized, fault.Forbidden: http.StatusForbidden,
	fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict, fault.TooLarge: http.StatusRequestEntityTooLarge,
	fault.Refused: http.StatusUnprocessableEntity, fault.TooMany: http.StatusTooManyRequests, fault.Unavailable: http.StatusServiceUnavailable,
	fault.Internal: http.StatusInternalServerError,
}

// Problem is an error as RFC 9457 writes it, with the same members as menshen's own API.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Zh     string `json:"zh"`
	En     string `json:"en"`
	Where  string `json:"where,omitempty"`
}

// Fault gives back the fault that a problem was made of, without its cause.
func (p Problem) Fault() *fault.Fault {
	kind := fault.Internal
	for k, status := range statusOf {
		if status == p.Status {
			kind = k
		}
	}
	f := fault.New(kind, p.Code, p.Zh, p.En)
	f.Where = p.Where
	return f
}

// WriteProblem answers with a fault. Its cause stays here.
func WriteProblem(w http.ResponseWriter, err error) {
	f := fault.Of(err)
	status, ok := statusOf[f.Kind]
	if !ok {
		status = http.StatusInternalServerError
	}
	if f.Code == errMethod.Code {
		status = http.StatusMethodNotAllowed
	}
	body, err := json.Marshal(Problem{Type: "urn:menshen:fault:" + f.Code, Title: http.StatusText(status), Status: status, Code: f.Code,
		Detail: f.Text.Zh, Zh: f.Text.Zh, En: f.Text.En, Where: f.Where})
	if err != nil {
		panic(err) // strings and a number
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have gone
}

// WriteJSON answers with canonical JSON.
func WriteJSON(w http.ResponseWriter, v any) error {
	data, err := statement.Canonical(v)
	if err != nil {
		return err
	}
	return Write(w, "application/json", data)
}

// Write answers with bytes that nobody may keep.
func Write(w http.ResponseWriter, kind string, data []byte) error {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(data) // the client may have gone
	return nil
}

// ReadBody reads a bounded body whole.
func ReadBody(r *http.Request, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		return nil, errBodyCut.Because(err)
	case int64(len(data)) > limit:
		return nil, errBodyLarge
	}
	return data, nil
}

// Decode reads a bounded, strict JSON body.
func Decode(r *http.Request, v any) error {
	data, err := ReadBody(r, MaxBody)
	if err != nil {
		return err
	}
	return statement.Decode(data, v)
}

// DecodeLarge reads a strict JSON body in canonical form with a bound of its own, in bytes.
func DecodeLarge(r *http.Request, v any, limit int) error {
	data, err := ReadBody(r, int64(limit))
	if err != nil {
		return err
	}
	return statement.DecodeCanonicalWithin(data, v, limit)
}

// Bearer is the token that a request carries, "" for none.
func Bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

// Unrouted answers a request that has no route, or not this method: ServeMux's own refusals as problems.
// own is what ServeMux would answer with.
func Unrouted(w http.ResponseWriter, r *http.Request, own http.Handler) {
	probe := &probe{header: http.Header{}}
	own.ServeHTTP(probe, r)
	if probe.status != http.StatusMethodNotAllowed {
		WriteProblem(w, errNoRoute)
		return
	}
	w.Header().Set("Allow", probe.header.Get("Allow"))
	WriteProblem(w, errMethod)
}

// Routed serves what the mux has a route for, and problems for the rest.
func Routed(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h, pattern := mux.Handler(r); pattern == "" {
			Unrouted(w, r, h)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// Answering makes a handler of a function that answers or fails.
func Answering(serve func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := serve(w, r); err != nil {
			WriteProblem(w, err)
		}
	}
}

// probe takes an answer that is not sent.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header            { return p.header }
func (p *probe) WriteHeader(status int)         { p.status = status }
func (p *probe) Write(data []byte) (int, error) { return len(data), nil }
