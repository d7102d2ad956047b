package httpapi

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// describe begins the OpenAPI description. Huma's own pages are off: they load scripts from elsewhere.
func describe(version string) huma.Config {
	if version == "" {
		version = "unknown"
	}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "门神 · menshen", Version: version, License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
				Description: "没有证据，就不启用。签名在手机和机构自己的系统里完成，这里只收签好的文件。\n\n" +
					"No proof, no activation. Statements are signed on phones and in the organisations' own systems; this API receives what is signed. " +
					"Every request under /v1 needs a token, or the cookie of a page's session; every one that writes needs an Idempotency-Key, and the same key with the same request gets the same answer. " +
					"Personal values travel only as openings, beside the statement that commits to them."},
			Servers: []*huma.Server{{URL: "/"}},
			Tags: []*huma.Tag{
				{Name: "visits", Description: "上门 · visits"}, {Name: "orders", Description: "订单 · orders"}, {Name: "devices", Description: "机具 · devices"},
				{Name: "people", Description: "人员 · people"}, {Name: "organisations", Description: "机构 · organisations"}, {Name: "merchants", Description: "商户 · merchants"}, {Name: "tickets", Description: "工单 · after-sales service"}, {Name: "service", Description: "服务 · the service itself"},
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{securityBearer: {Type: "http", Scheme: "bearer", Description: "访问凭证 · a token"},
					securityCookie: {Type: "apiKey", In: "cookie", Name: SessionCookie, Description: "网页登录以后浏览器带上的；写入只认本站网页 · what a browser brings after sign-in; writes only from this site's own pages"}},
			},
		},
		Formats:       map[string]huma.Format{contentJSON: strictJSON, "json": strictJSON},
		DefaultFormat: contentJSON, RejectUnknownQueryParameters: true,
	}
}

const (
	securityBearer = "bearer"
	securityCookie = "cookie"
)

// operation is what routes says of one operation; describe it whole or the description's test fails.
type operation struct {
	id      string
	method  string
	path    string
	tag     string
	zh, en  string // what it does, one line each
	more    string // description, "" for none
	success int
	request any // example body, nil for none
	answer  any // example
	open    bool
	unkept  bool // answers the same request in the same way by itself: the answer is not kept
}

// noReadTimeout keeps huma from setting a deadline of its own once the body is read: five seconds later
// it would end the request's context, however long the log needs. The server bounds how bodies arrive.
const noReadTimeout = -1

// register gives huma an operation with everything that all have in common.
func register[I, O any](a *API, o operation, handler func(ctx context.Context, in *I) (*O, error)) {
	op := huma.Operation{OperationID: o.id, Method: o.method, Path: o.path, Tags: []string{o.tag}, Summary: o.zh + " · " + o.en, Description: o.more,
		DefaultStatus: o.success, SkipValidateBody: true, MaxBodyBytes: a.maxBody + 1, BodyReadTimeout: noReadTimeout, Responses: map[string]*huma.Response{},
		Security: []map[string][]string{{securityBearer: {}}, {securityCookie: {}}}}
	if o.unkept {
		op.Metadata = map[string]any{unkept: true}
	}
	if o.open {
		op.Security = []map[string][]string{}
	}
	a.responses(&op, o)
	if o.request != nil {
		op.RequestBody = &huma.RequestBody{Description: "严格的 JSON：不许有重复或不认识的字段 · strict JSON: no duplicate or unknown names",
			Content: map[string]*huma.MediaType{contentJSON: {Example: o.request}}}
	}
	huma.Register(a.huma, op, handler)
}

// responses describes the answers: the good one with its example, and every problem that can come.
func (a *API) responses(op *huma.Operation, o operation) {
	good := &huma.Response{Description: http.StatusText(o.success), Headers: map[string]*huma.Param{}, Content: map[string]*huma.MediaType{contentJSON: {Example: o.answer}}}
	if o.method == http.MethodPost {
		good.Headers[headerReplayed] = &huma.Param{Description: "true when the answer is a remembered one", Schema: &huma.Schema{Type: "string", Enum: []any{"true"}}}
	}
	op.Responses[strconv.Itoa(o.success)] = good
	if o.success == http.StatusCreated {
		op.Responses["200"] = &huma.Response{Description: "already recorded, here it is again", Headers: good.Headers, Content: good.Content}
	}
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	for _, f := range faultsOf(o) {
		p := problemOf(f, chinese)
		r := &huma.Response{Description: http.StatusText(p.Status), Content: map[string]*huma.MediaType{contentProblem: {Schema: schema, Example: p}}}
		if p.Status == http.StatusTooManyRequests {
			r.Headers = map[string]*huma.Param{"Retry-After": {Description: "seconds", Schema: &huma.Schema{Type: "integer"}}}
		}
		op.Responses[strconv.Itoa(p.Status)] = r
	}
}

// Examples of faults that other packages raise.
var (
	egUnknown = fault.New(fault.Unauthenticated, "token_unknown", "登录已失效，请重新登录。", "This sign-in is unknown or over; sign in again.")
	egDenied  = fault.New(fault.Forbidden, "access_denied", "您没有权限做这件事。", "You may not do this here.")
	egNoVisit = fault.New(fault.NotFound, "visit_not_found", "没有这次上门，或者您无权查看。", "There is no such visit, or you may not see it.")
	egStage   = fault.New(fault.Conflict, "stage_not_fitting", "这次上门还没到（或已过了）这一步。", "The visit is not at a stage where this can be done.")
	egFrozen  = fault.New(fault.Refused, "visit_frozen", "这次上门已被停止，先要由风控处理。", "The visit is frozen; the acquirer's risk desk must decide first.")
	egLog     = fault.New(fault.Unavailable, "log_not_witnessed", "日志或公证人暂时没有响应，事情已排队，请稍后再试。", "The log or its witnesses do not answer yet; everything is queued, try again shortly.")
)

// faultsOf gives one example fault for every status that an operation can answer with.
func faultsOf(o operation) []*fault.Fault {
	list := []*fault.Fault{errRequest, errTooMany, fault.Of(errNoFault)}
	if !o.open {
		list = append(list, egUnknown, egDenied, egNoVisit)
	}
	if !o.open || o.id == "readyz" {
		list = append(list, egLog)
	}
	if o.method == http.MethodPost {
		list = append(list, errBodySlow, egStage, errBodyLarge, errNotJSON, egFrozen)
	}
	return list
}

// Values of examples.
const (
	egVisit  = "v-2026-0042"
	egOrder  = "o-2026-0042"
	egDigest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	egThumb  = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
	egSerial = "00005704280117028119"
	egNonce  = "AAECAwQFBgcICQoLDA0ODw=="
)

var egTime = statement.At(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
