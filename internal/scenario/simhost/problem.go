package simhost

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// Bounds on requests in bytes.
const (
	maxBundle = evidence.MaxBundle
	maxBody   = 64 << 10
)

var (
	errNoRoute   = fault.New(fault.NotFound, "route_unknown", "没有这个地址。", "There is nothing at this address.")
	errMethod    = fault.New(fault.Invalid, "method_not_allowed", "这个地址不支持这种请求方法。", "This address does not take this method.")
	errToken     = fault.New(fault.Unauthenticated, "host_token_wrong", "没有带上主机认识的口令。", "The request carries no token that this host knows.")
	errSide      = fault.New(fault.Forbidden, "host_token_other_side", "这个口令不能用来做这件事。", "This token belongs to the other side and opens this address not.")
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

// writeProblem answers with a fault. Its cause stays here.
func writeProblem(w http.ResponseWriter, err error) {
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

func writeJSON(w http.ResponseWriter, v any) error {
	data, err := statement.Canonical(v)
	if err != nil {
		return err
	}
	return write(w, "application/json", data)
}

func write(w http.ResponseWriter, kind string, data []byte) error {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(data) // the client may have gone
	return nil
}

// readBody reads a bounded body whole.
func readBody(r *http.Request, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		return nil, errBodyCut.Because(err)
	case int64(len(data)) > limit:
		return nil, errBodyLarge
	}
	return data, nil
}

// decode reads a bounded, strict JSON body.
func decode(r *http.Request, v any) error {
	data, err := readBody(r, maxBody)
	if err != nil {
		return err
	}
	return statement.Decode(data, v)
}

func bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}
