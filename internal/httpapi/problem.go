package httpapi

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/text/language"

	"github.com/menshen-project/menshen/internal/fault"
)

var (
	errSignedOut  = fault.New(fault.Unauthenticated, "signed_out", "请先登录：没有带上访问凭证。", "Sign in first: the request carries no token.")
	errOfAnother  = fault.New(fault.Unauthenticated, "session_of_another", "现在登录的是另一个人，这一份不能替他发。", "Somebody else is signed in now; this cannot be sent in that name.")
	errOrigin     = fault.New(fault.Forbidden, "cross_origin", "这个请求来自别的网站。", "The request comes from another site.")
	errKeyAbsent  = fault.New(fault.Invalid, "idempotency_key_missing", "写入的请求必须带 Idempotency-Key。", "A request that writes needs an Idempotency-Key header.")
	errKeyForm    = fault.New(fault.Invalid, "idempotency_key_malformed", "Idempotency-Key 只能是 1 到 64 位的字母、数字、点、横线和下划线。", "An Idempotency-Key is 1 to 64 letters, digits, dots, dashes and underscores.")
	errBodyLarge  = fault.New(fault.TooLarge, "body_too_large", "请求的内容太大了。", "The request's body is over the size bound.")
	errBodyAbsent = fault.New(fault.Invalid, "body_missing", "请求没有内容。", "The request has no body.")
	errBodyBroken = fault.New(fault.Invalid, "body_unreadable", "请求的内容没有收完整。", "The request's body did not arrive whole.")
	errBodySlow   = fault.New(fault.Invalid, "body_too_slow", "请求的内容发送得太慢。", "The request's body arrived too slowly.")
	errNotJSON    = fault.New(fault.Invalid, "content_type_not_json", "请求的内容必须是 application/json。", "The request's body must be application/json.")
	errRequest    = fault.New(fault.Invalid, "request_malformed", "请求里有参数不符合规定。", "A parameter of the request breaks a rule.")
	errNoRoute    = fault.New(fault.NotFound, "route_unknown", "没有这个地址。", "There is nothing at this address.")
	errMethod     = fault.New(fault.Invalid, "method_not_allowed", "这个地址不支持这种请求方法。", "This address does not take this method.")
	errTooMany    = fault.New(fault.TooMany, "rate_limited", "请求太频繁，请稍后再试。", "Too many requests; try again shortly.")
)

// statusOf is the HTTP status of each kind of fault.
var statusOf = map[fault.Kind]int{
	fault.Invalid:         http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.Refused:         http.StatusUnprocessableEntity,
	fault.TooMany:         http.StatusTooManyRequests,
	fault.Unavailable:     http.StatusServiceUnavailable,
	fault.Internal:        http.StatusInternalServerError,
}

// ownStatus is for faults that HTTP has a word of its own for.
var ownStatus = map[string]int{
	errMethod.Code:   http.StatusMethodNotAllowed,
	errNotJSON.Code:  http.StatusUnsupportedMediaType,
	errBodySlow.Code: http.StatusRequestTimeout,
}

func status(f *fault.Fault) int {
	if s := ownStatus[f.Code]; s != 0 {
		return s
	}
	if s := statusOf[f.Kind]; s != 0 {
		return s
	}
	return http.StatusInternalServerError
}

// KindOfStatus is the kind of fault that a status stands for, Internal for those that none does.
func KindOfStatus(status int) fault.Kind {
	for kind, s := range statusOf {
		if s == status {
			return kind
		}
	}
	if status >= 400 && status < 500 {
		return fault.Invalid
	}
	return fault.Internal
}

// problemType begins every problem's type; the fault's code ends it.
const problemType = "urn:menshen:fault:"

// Problem is an error as RFC 9457 writes it, with the fault's code, place and both sentences.
type Problem struct {
	Type   string   `json:"type" format:"uri" doc:"urn:menshen:fault: and the code"`
	Title  string   `json:"title" doc:"what the status means"`
	Status int      `json:"status" doc:"the HTTP status"`
	Code   string   `json:"code" doc:"stable, one for each rule · 稳定的代码，一条规则一个"`
	Detail string   `json:"detail" doc:"zh or en, as Accept-Language asks; zh by default"`
	Zh     string   `json:"zh" doc:"给人看的一句话"`
	En     string   `json:"en" doc:"one sentence for people"`
	Where  string   `json:"where,omitempty" doc:"the field, entry or parameter it is about; never its value"`
	Rules  []Broken `json:"rules,omitempty" nullable:"false" doc:"every parameter or field that broke a rule"`
}

// Broken names a parameter or field and the rule that it broke; never the value.
type Broken struct {
	Where string `json:"where"`
	Rule  string `json:"rule" doc:"of a field: its code"`
	Zh    string `json:"zh,omitempty" doc:"of a field: 给人看的一句话"`
	En    string `json:"en,omitempty" doc:"of a field: one sentence for people"`
}

func problemOf(f *fault.Fault, lang string) *Problem {
	p := &Problem{Type: problemType + f.Code, Status: status(f), Code: f.Code, Detail: f.Text.Zh, Zh: f.Text.Zh, En: f.Text.En, Where: whereOf(f)}
	p.Title = http.StatusText(p.Status)
	if lang == english {
		p.Detail = f.Text.En
	}
	return p
}

var (
	jsonName  = regexp.MustCompile(`[^.: \[\]]+`)
	ourName   = regexp.MustCompile(`^[A-Za-z_]+[0-9]{0,3}$`)
	lastNames = regexp.MustCompile(`[^.: ]+$`)
)

// whereOf is a fault's place. The place of a fault in JSON is made of the document's own names: one
// that the form does not have, or that looks like no name of ours, may be somebody's number or name.
func whereOf(f *fault.Fault) string {
	if !strings.HasPrefix(f.Code, "json_") {
		return f.Where
	}
	where := jsonName.ReplaceAllStringFunc(f.Where, func(name string) string {
		if ourName.MatchString(name) {
			return name
		}
		return hidden
	})
	if f.Code == "json_unknown_name" {
		where = lastNames.ReplaceAllString(where, hidden)
	}
	return where
}

const hidden = "…"

// Error, GetStatus and ContentType let huma write a Problem.
func (p *Problem) Error() string             { return p.Code }
func (p *Problem) GetStatus() int            { return p.Status }
func (p *Problem) ContentType(string) string { return contentProblem }

// Fault gives back the fault that a problem was made of, without its cause.
func (p *Problem) Fault() *fault.Fault {
	f := fault.New(KindOfStatus(p.Status), p.Code, p.Zh, p.En)
	f.Where = p.Where
	return f
}

const (
	contentJSON    = "application/json"
	contentProblem = "application/problem+json"
	chinese        = "zh"
	english        = "en"
)

var languages = language.NewMatcher([]language.Tag{language.Chinese, language.English})

// languageOf answers an Accept-Language header with zh or en; zh when in doubt.
func languageOf(header string) string {
	_, at := language.MatchStrings(languages, header)
	return []string{chinese, english}[at]
}

// writeProblem answers outside of huma.
func writeProblem(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
	see(r.Context()).fault = f
	p := problemOf(f, languageOf(r.Header.Get("Accept-Language")))
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers
	}
	w.Header().Set("Content-Type", contentProblem)
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client may have gone
}

var hook sync.Once

// hookHuma makes huma's own refusals problems too. Its default repeats the rejected value in the
// answer. The hook is huma's, for the whole process; it holds no state of ours.
func hookHuma() {
	hook.Do(func() {
		huma.NewErrorWithContext = problemFor
		huma.NewError = func(status int, _ string, errs ...error) huma.StatusError {
			return problemOf(faultFor(status, errs), chinese)
		}
	})
}

func problemFor(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
	f := faultFor(status, errs)
	p := problemOf(f, languageOf(ctx.Header("Accept-Language")))
	if f.Code == errRequest.Code {
		p.Rules = broken(ctx.Operation(), errs)
		p.Where = p.Rules[0].Where
	}
	see(ctx.Context()).fault = f
	return p
}

// faultFor finds the fault among what huma collected. Without one, huma itself refused a parameter.
func faultFor(status int, errs []error) *fault.Fault {
	details := false
	for _, err := range errs {
		if _, isDetail := err.(huma.ErrorDetailer); isDetail {
			details = true
			continue
		}
		if err != nil {
			return fault.Of(err)
		}
	}
	switch {
	case details && status < 500:
		return errRequest
	case status == http.StatusRequestEntityTooLarge:
		return errBodyLarge
	case status == http.StatusRequestTimeout:
		return errBodySlow
	case status == http.StatusBadRequest:
		return errBodyAbsent
	}
	return fault.Of(errNoFault)
}

// broken lists the parameters that huma refused. Huma's rules are texts of the schema; its locations
// may hold a name that the caller made up, and its values are left out.
func broken(op *huma.Operation, errs []error) []Broken {
	var out []Broken
	for _, err := range errs {
		detailer, ok := err.(huma.ErrorDetailer)
		if !ok {
			continue
		}
		d := detailer.ErrorDetail()
		out = append(out, Broken{Where: knownPlace(op, d.Location), Rule: d.Message})
	}
	return out
}

// knownPlace gives a location only if the operation declares it, else the part of the request alone.
func knownPlace(op *huma.Operation, location string) string {
	in, name, _ := strings.Cut(location, ".")
	for _, p := range op.Parameters {
		if p.In == in && p.Name == name {
			return location
		}
	}
	return in
}
