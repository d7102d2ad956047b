package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// VisitRow is a visit in a list.
type VisitRow struct {
	ID         string         `json:"id"`
	Order      string         `json:"order"`
	Kind       string         `json:"kind"`
	State      string         `json:"state"`
	Frozen     bool           `json:"frozen"`
	Acquirer   string         `json:"acquirer"`
	Provider   string         `json:"provider"`
	Merchant   string         `json:"merchant" doc:"id, never a name"`
	Shop       string         `json:"shop"`
	Technician string         `json:"technician" doc:"id, empty before dispatch"`
	OpenedAt   statement.Time `json:"opened_at"`
	UpdatedAt  statement.Time `json:"updated_at"`
}

// VisitPage is one page of a list.
type VisitPage struct {
	Items []VisitRow `json:"items" nullable:"false"`
	Next  string     `json:"next" doc:"cursor of the next page, empty at the end; a page may be short and still have a next"`
}

// Happened is one event of a visit.
type Happened struct {
	Number     int            `json:"number"`
	Verb       string         `json:"verb"`
	Type       string         `json:"type"`
	Role       string         `json:"role"`
	ReceivedAt statement.Time `json:"received_at"`
	Statement  string         `json:"statement"`
	LeafIndex  int64          `json:"leaf_index" doc:"-1 while it is not in the log"`
	Receipted  bool           `json:"receipted"`
}

// DecisionRow is one positive answer of the gate so far.
type DecisionRow struct {
	Ask       string         `json:"ask"`
	DecidedAt statement.Time `json:"decided_at"`
	Statement string         `json:"statement"`
	Permit    bool           `json:"permit"`
	Until     statement.Time `json:"until" doc:"of a permit: the host acts before this or not at all"`
}

// VisitDetail is a visit with what happened and what its next ask still lacks.
type VisitDetail struct {
	VisitRow
	Risk        int               `json:"risk"`
	Province    string            `json:"province"`
	WindowFrom  statement.Time    `json:"window_from"`
	WindowUntil statement.Time    `json:"window_until"`
	Model       string            `json:"model"`
	Terminal    string            `json:"terminal"`
	Serial      string            `json:"serial"`
	Supervisor  string            `json:"supervisor"`
	Names       map[string]string `json:"names" doc:"public names of the organisations concerned"`
	Head        string            `json:"head" doc:"digest of the last event"`
	Events      []Happened        `json:"events" nullable:"false"`
	Decisions   []DecisionRow     `json:"decisions" nullable:"false"`
	Outcomes    []Outcome         `json:"outcomes" nullable:"false"`
	Open        []string          `json:"open" nullable:"false" doc:"digests of unanswered freezes and incidents"`
	Ask         string            `json:"ask" doc:"the next ask, empty for none"`
	Conditions  []Condition       `json:"conditions" nullable:"false" doc:"of the next ask, as of now; never a decision"`
	Lost        *Lost             `json:"lost,omitempty" doc:"absent while the shop lost no time"`
	LogSize     int64             `json:"log_size"`
	Cosigned    []Cosigned        `json:"cosigned" nullable:"false" doc:"whose cosignatures the newest receipt carries"`
}

// Lost is the time in which the shop could take no money because of the visit, and who answers for it by the sheet's
// responsibility table.
type Lost struct {
	From         statement.Time `json:"from"`
	Until        statement.Time `json:"until" doc:"now, while it is open"`
	Minutes      int64          `json:"minutes" doc:"begun ones counted"`
	Open         bool           `json:"open" doc:"it still cannot"`
	Cause        string         `json:"cause" enum:"old_terminal_dead,keys_ended,device_under_trial"`
	Step         string         `json:"step" doc:"of the responsibility table, empty where it has no line"`
	Organisation string         `json:"organisation" doc:"who answers: the step's, else the acquirer"`
}

// Cosigned is one witness's cosignature.
type Cosigned struct {
	Party string         `json:"party"`
	At    statement.Time `json:"at"`
}

// Previous names a signer's last statement.
type Previous struct {
	Previous string `json:"previous" doc:"digest, empty when this key has signed nothing here"`
}

// VerbRow is one row of the verb table.
type VerbRow struct {
	Stream string   `json:"stream"`
	Verb   string   `json:"verb"`
	Type   string   `json:"type" doc:"urn:menshen:<type>:v1"`
	Roles  []string `json:"roles" nullable:"false"`
	From   []string `json:"from" nullable:"false" doc:"stages it may be used from; empty means any"`
	Sort   string   `json:"sort" enum:"gives_power,brings_evidence,takes_power"`
	Path   string   `json:"path" doc:"of its operation, empty where menshen or a host records it"`
}

// Verbs is the verb table.
type Verbs struct {
	Verbs []VerbRow `json:"verbs" nullable:"false"`
}

type listInput struct {
	State  string `query:"state" enum:"booked,dispatched,admitted,trial,live,closed,refused,aborted,rolled_back" doc:"阶段 · stage"`
	Kind   string `query:"kind" enum:"install,swap,relocation,repair,removal,inspection" doc:"种类 · kind"`
	Query  string `query:"q" maxLength:"100" doc:"编号或序列号后六位，不要写姓名 · ids or a serial's last six; never a name"`
	Cursor string `query:"cursor" maxLength:"200" doc:"上一页给的 · from the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"每页几条 · rows a page"`
}

type previousInput struct {
	Subject
	Key string `path:"key" pattern:"^[A-Za-z0-9_-]{43}$" maxLength:"43" doc:"密钥指纹 · key thumbprint (RFC 7638)" example:"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"`
}

type bundleOutput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Disposition string `header:"Content-Disposition" doc:"attachment, with a file name"`
	Body        []byte
}

func (a *API) readOperations() {
	get := func(id, path, tag, zh, en string, answer any) operation {
		return operation{id: id, method: http.MethodGet, path: path, tag: tag, zh: zh, en: en, success: http.StatusOK, answer: answer}
	}
	register(a, get("list_visits", "/v1/visits", "visits", "列出看得到的上门", "list the visits you may see", VisitPage{Items: []VisitRow{egRow}}), a.list)
	register(a, get("read_visit", "/v1/visits/{id}", "visits", "看一次上门", "read one visit", egDetail()), a.detail)
	register(a, get("read_previous", "/v1/visits/{id}/previous/{key}", "visits", "这把密钥上一份文件的摘要", "the digest of a key's last statement in a visit",
		Previous{Previous: egDigest}), a.previous)
	register(a, get("list_verbs", "/v1/verbs", "service", "全部操作", "the verb table", Verbs{Verbs: []VerbRow{verbRow(Filed()[0])}}), a.verbs)
	bundle := get("read_bundle", "/v1/visits/{id}/bundle", "visits", "下载证据包", "download a visit's bundle",
		evidence.Bundle{Format: evidence.BundleFormat, Visit: egVisit, Entries: []evidence.Entry{}, Openings: []statement.Opening{}, Closing: egEnvelope})
	bundle.more = "The exact canonical bytes that menshen-verify and hosts check, with the openings that the reader's role may have. It waits until the log has witnessed everything."
	register(a, bundle, a.bundle)
	a.describeBundle(bundle.path)
}

// describeBundle gives the bundle's own form to what huma only knows as bytes.
func (a *API) describeBundle(path string) {
	schemas := a.huma.OpenAPI().Components.Schemas
	a.huma.OpenAPI().Paths[path].Get.Responses["200"].Content[contentJSON].Schema = schemas.Schema(reflect.TypeFor[evidence.Bundle](), true, "")
	for _, list := range []string{"entries", "openings"} {
		schemas.Map()["Bundle"].Properties[list].Nullable = false
	}
}

func (a *API) list(ctx context.Context, in *listInput) (*answered[VisitPage], error) {
	rows, next, err := a.app.Visits(ctx, actorOf(ctx), app.Filter{State: in.State, Kind: in.Kind, Query: in.Query, Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	page := VisitPage{Items: make([]VisitRow, 0, len(rows)), Next: next}
	for _, v := range rows {
		page.Items = append(page.Items, visitRow(v))
	}
	return &answered[VisitPage]{Status: http.StatusOK, Body: page}, nil
}

func visitRow(v store.Visit) VisitRow {
	return VisitRow{ID: v.ID, Order: v.OrderID, Kind: v.Kind, State: v.State, Frozen: v.Frozen, Acquirer: v.Org, Provider: v.Provider, Merchant: v.Merchant,
		Shop: v.Shop, Technician: v.Technician, OpenedAt: statement.At(v.OpenedAt.Time()), UpdatedAt: statement.At(v.UpdatedAt.Time())}
}

func (a *API) previous(ctx context.Context, in *previousInput) (*answered[Previous], error) {
	digest, err := a.app.Previous(ctx, actorOf(ctx), in.ID, in.Key)
	return &answered[Previous]{Status: http.StatusOK, Body: Previous{digest}}, err
}

func (a *API) bundle(ctx context.Context, in *Subject) (*bundleOutput, error) {
	data, err := a.app.Bundle(ctx, actorOf(ctx), in.ID)
	return &bundleOutput{ContentType: contentJSON, Disposition: fmt.Sprintf("attachment; filename=%q", "menshen-"+in.ID+".json"), Body: data}, err
}

func (a *API) verbs(context.Context, *struct{}) (*answered[Verbs], error) {
	var out Verbs
	for _, r := range visit.Table() {
		out.Verbs = append(out.Verbs, verbRow(r))
	}
	return &answered[Verbs]{Status: http.StatusOK, Body: out}, nil
}

func verbRow(r visit.Row) VerbRow {
	row := VerbRow{Stream: r.Stream, Verb: r.Verb, Type: r.Type, Roles: r.Roles, From: []string{},
		Sort: map[visit.Sort]string{visit.GivesPower: "gives_power", visit.BringsEvidence: "brings_evidence", visit.TakesPower: "takes_power"}[r.Sort]}
	for _, s := range r.From {
		row.From = append(row.From, string(s))
	}
	for _, f := range Filed() {
		if f.Stream == r.Stream && f.Verb == r.Verb && f.Type == r.Type {
			row.Path = "/v1/" + plural[r.Stream] + "/{id}/" + r.Verb
		}
	}
	return row
}

// Health is the service's word about itself.
type Health struct {
	Status string `json:"status" enum:"ok"`
	Log    string `json:"log,omitempty" doc:"code of why nothing is sequenced or receipted; absent when all is well"`
	State  string `json:"log_state,omitempty" enum:"starting,ok,waiting_for_witnesses,damaged,closed" doc:"absent: this node runs no log"`
	Behind uint64 `json:"log_behind,omitempty" doc:"leaves that no witnessed checkpoint covers yet"`
	// WitnessedAt is absent for never.
	WitnessedAt statement.Time `json:"log_witnessed_at,omitempty" doc:"when the latest witnessed checkpoint was seen"`
	// Witnesses is by party, in no order.
	Witnesses map[string]string `json:"witnesses,omitempty" doc:"by party, the code of why the last answer of its witness did not count"`
}

func (a *API) healthOperations() {
	ok := &answered[Health]{Status: http.StatusOK, Body: Health{Status: "ok"}}
	op := operation{id: "healthz", method: http.MethodGet, path: "/healthz", tag: "service", zh: "进程活着", en: "the process is alive", success: http.StatusOK, answer: ok.Body, open: true}
	register(a, op, func(context.Context, *struct{}) (*answered[Health], error) { return ok, nil })
	op.id, op.path, op.zh, op.en = "readyz", "/readyz", "可以接受请求", "the store answers"
	register(a, op, func(ctx context.Context, _ *struct{}) (*answered[Health], error) {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		ready := *ok
		log := a.app.LogStanding()
		ready.Body.Log, ready.Body.Witnesses = log.Why, log.Witnesses
		ready.Body.State, ready.Body.Behind, ready.Body.WitnessedAt = log.State, log.Behind, moment(log.WitnessedAt)
		return &ready, a.app.Ready(ctx)
	})
}
