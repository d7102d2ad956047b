package httpapi

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Filing is a signed statement on its way in.
type Filing struct {
	Statement string              `json:"statement" doc:"签好的文件（DSSE 信封）的 base64 · base64 of the signed DSSE envelope"`
	Openings  []statement.Opening `json:"openings,omitempty" nullable:"false" doc:"承诺的原文，只进保险库 · what its commitments hide; goes into the vault and nowhere else"`
}

// Accepted says where a statement was recorded.
type Accepted struct {
	Stream    string `json:"stream" doc:"kind/id"`
	Number    int64  `json:"number" doc:"the event's number in its stream, from 1"`
	Event     string `json:"event" doc:"SHA-256 of the event, hex"`
	Statement string `json:"statement" doc:"SHA-256 of the envelope, hex"`
}

// plural names each kind of stream in a path.
var plural = map[string]string{visit.StreamVisit: "visits", visit.StreamOrder: "orders", visit.StreamDevice: "devices",
	visit.StreamPerson: "people", visit.StreamOrganisation: "organisations"}

// notFiled are verbs of the table that menshen or a host records; people ask for them elsewhere.
var notFiled = []string{visit.ChallengeVerb, visit.AttestDevice, visit.ReleasePermit}

// saying is what an operation does, in both languages.
type saying struct{ zh, en string }

// endable are verbs that an organisation's own service can be asked for as well: see enrolOperations.
var endable = []string{"person/revoke_badge", "organisation/end_enrolment"}

// sayings has a line for every verb that people or organisations file under, by stream and verb.
var sayings = map[string]saying{
	"order/book":                 {"签下订单", "book an order"},
	"order/agree":                {"签价目单", "sign the price sheet"},
	"visit/book":                 {"为订单安排一次上门", "open a visit for an order"},
	"visit/dispatch":             {"派人", "dispatch a technician"},
	"visit/reassign":             {"换人", "send somebody else"},
	"visit/admit":                {"店主签门口核对的结果", "sign the door check's verdict"},
	"visit/refuse":               {"不让进，或拒绝施工", "turn the visit away"},
	"visit/record_step":          {"记录一步工作或到货核对", "record a step of work or the parcel's arrival"},
	"visit/back_up":              {"备份已证实，或没有要保留的数据", "a backup proven by restore, or nothing to keep"},
	"visit/sign_off":             {"监督人签字", "sign off as supervisor"},
	"visit/report_acceptance":    {"主机签的验收报告或扣费清单", "a host's acceptance report or charge list"},
	"visit/report_terminal":      {"主机说明一台终端能不能用", "a host's word about a terminal: live, dead or without keys"},
	"visit/confirm":              {"店主最后确认", "confirm at the end, as merchant"},
	"visit/freeze":               {"马上停住", "freeze at once"},
	"visit/cancel":               {"收回许可", "take a permit back"},
	"visit/roll_back":            {"退回旧机", "roll back to the old terminal"},
	"visit/abort":                {"中止", "abort"},
	"visit/settle":               {"裁定两份对不上的记录哪份算数", "rule which of two contradicting statements says what was so"},
	"visit/report_incident":      {"报告事故", "report an incident"},
	"visit/resume":               {"风控解除停止", "lift a freeze, as risk desk"},
	"visit/review":               {"评价", "review a closed visit"},
	"device/transfer":            {"交接机具", "hand a device over"},
	"device/freeze":              {"报机具丢失，或隔离", "mark a device lost or quarantined"},
	"device/resume":              {"解除机具的丢失或隔离标记", "lift a device's mark, as risk desk or regulator"},
	"person/train":               {"发培训证书", "certify a course"},
	"person/take_test":           {"交考试答卷", "hand in a course's test"},
	"person/issue_badge":         {"发工作证", "issue a badge"},
	"person/revoke_badge":        {"吊销工作证", "revoke a badge"},
	"person/freeze":              {"停用商户或人员", "suspend a merchant or person, as risk desk or regulator"},
	"person/resume":              {"恢复商户或人员", "lift a suspension of a merchant or person"},
	"organisation/freeze":        {"停用服务商", "suspend a provider, as risk desk or regulator"},
	"organisation/resume":        {"恢复服务商", "lift a suspension of a provider"},
	"person/enrol":               {"店主让店员的手机进来", "let a clerk's phone in, as its owner"},
	"person/end_enrolment":       {"店主不再让一部手机进来", "end a clerk's phone, as its owner"},
	"organisation/publish":       {"发布名单、参数、授权或状态表", "publish a list, parameters, a mandate or a status list"},
	"organisation/enrol":         {"登记密钥", "vouch for a key"},
	"organisation/end_enrolment": {"终止密钥", "end a key"},
}

// Filed lists the rows of the verb table that have an operation here: a statement type that somebody
// other than the platform signs, under a verb that is not menshen's own.
func Filed() []visit.Row {
	return slices.DeleteFunc(visit.Table(), func(r visit.Row) bool {
		return slices.Contains(notFiled, r.Verb) || slices.Equal(r.Roles, []string{visit.RolePlatform})
	})
}

// fileOperations makes one operation of each stream and verb, whatever types of statement it takes.
func (a *API) fileOperations() {
	byVerb := map[string][]visit.Row{}
	var order []string
	for _, r := range Filed() {
		name := r.Stream + "/" + r.Verb
		if byVerb[name] == nil {
			order = append(order, name)
		}
		byVerb[name] = append(byVerb[name], r)
	}
	for _, name := range order {
		if !slices.Contains(endable, name) {
			a.fileOperation(byVerb[name])
		}
	}
}

func (a *API) fileOperation(rows []visit.Row) {
	stream, verb := rows[0].Stream, rows[0].Verb
	say := sayings[stream+"/"+verb]
	register(a, operation{id: stream + "_" + verb, method: http.MethodPost, path: "/v1/" + plural[stream] + "/{id}/" + verb, tag: plural[stream],
		zh: say.zh, en: say.en, more: typesOf(rows), success: http.StatusCreated,
		request: Filing{Statement: egEnvelope},
		answer:  Accepted{Stream: stream + "/" + egVisit, Number: 7, Event: egDigest, Statement: egDigest},
	}, func(ctx context.Context, in *posted[Filing]) (*answered[Accepted], error) {
		return a.file(ctx, stream+"/"+in.ID, verb, in.Body.value)
	})
}

// typesOf says which statements an operation takes and who signs them, from the verb table.
func typesOf(rows []visit.Row) string {
	var lines []string
	for _, r := range rows {
		lines = append(lines, "urn:menshen:"+r.Type+":v1, signed by "+strings.Join(r.Roles, ", "))
	}
	return strings.Join(lines, "; ")
}

func (a *API) file(ctx context.Context, stream, verb string, f Filing) (*answered[Accepted], error) {
	envelope, err := statement.Base64(f.Statement)
	if err != nil {
		return nil, fault.At(err, "statement")
	}
	done, err := a.app.Submit(ctx, actorOf(ctx), app.Submission{Stream: stream, Verb: verb, Envelope: envelope, Openings: f.Openings})
	if err != nil {
		return nil, err
	}
	return recorded(done), nil
}

// recorded answers 201, or 200 for what was there already.
func recorded(done app.Accepted) *answered[Accepted] {
	out := &answered[Accepted]{Status: http.StatusCreated, Body: Accepted{Stream: done.Stream, Number: done.Number, Event: done.Event, Statement: done.Statement}}
	if done.Known {
		out.Status = http.StatusOK
	}
	return out
}

// egEnvelope shows the outer form of a statement.
var egEnvelope = base64.StdEncoding.EncodeToString([]byte(
	`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"keyid":"` + egThumb + `","sig":"` + egNonce + `"}]}`))

// PathOf is where an operation on a stream is: its verb, or asks.
func PathOf(stream, id, verb string) string { return "/v1/" + plural[stream] + "/" + id + "/" + verb }
