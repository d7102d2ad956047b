package httpapi

import (
	"context"
	"net/http"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// ChallengeRequest asks for a nonce.
type ChallengeRequest struct {
	Purpose string `json:"purpose" enum:"door,device" doc:"门口核对或机具证明 · what the nonce is for"`
}

// Challenge is a nonce that menshen recorded, to be answered once.
type Challenge struct {
	Statement string         `json:"statement" doc:"digest of the challenge; what the answer answers"`
	Nonce     string         `json:"nonce" doc:"base64, 16 bytes"`
	Until     statement.Time `json:"until" doc:"RFC 3339, UTC"`

	QR           string `json:"qr,omitempty" doc:"of a door challenge: the text of the QR code (docs/door.md)"`
	SixDigits    string `json:"six_digits,omitempty" doc:"of a door challenge: to read out where no camera works; one try"`
	ResultSecret string `json:"result_secret,omitempty" doc:"of a door challenge: fetches its result"`
}

// AttestRequest is a device's answer to a challenge.
type AttestRequest struct {
	Challenge string `json:"challenge" doc:"digest of the challenge that it answers"`
	Purpose   string `json:"purpose" enum:"device"`
	Serial    string `json:"serial"`
	Format    string `json:"format" doc:"x509, …"`
	Proof     string `json:"proof" doc:"base64 of the format's proof"`
}

// AskRequest puts an ask to the gate.
type AskRequest struct {
	Ask string `json:"ask" enum:"dispatch,admit,trial,live,end,close"`
}

// Text is one sentence in both languages.
type Text = fault.Text

// Condition is one thing the gate asked.
type Condition struct {
	Name    string `json:"name" doc:"as in the condition table"`
	Title   Text   `json:"title"`
	Verdict string `json:"verdict" enum:"holds,fails,not_opened"`
	Basis   string `json:"basis" doc:"re-run, attested or not opened"`
	Code    string `json:"code" doc:"why it does not hold, empty when it does"`
	Reason  Text   `json:"reason"`
	Blocks  bool   `json:"blocks" doc:"false: reported, but it stops nothing"`
}

// Refusal says why the gate did not ask at all.
type Refusal struct {
	Code string `json:"code"`
	Zh   string `json:"zh"`
	En   string `json:"en"`
}

// AskAnswer is the gate's answer, with every condition, granted or not.
type AskAnswer struct {
	Granted    bool        `json:"granted"`
	Decision   string      `json:"decision" doc:"digest of the signed decision, empty when refused"`
	Conditions []Condition `json:"conditions" nullable:"false"`
	Refusal    *Refusal    `json:"refusal,omitempty" doc:"only where the evidence was not judged, or this ask is not for this visit now"`
	TookMS     int64       `json:"took_ms"`
}

// ReleaseRequest has nothing to say: which permit it is, the visit knows.
type ReleaseRequest struct{}

// Outcome is what the acquirer's host signed about a permit.
type Outcome struct {
	Visit     string         `json:"visit"`
	Permit    string         `json:"permit" doc:"digest of the decision"`
	Outcome   string         `json:"outcome" enum:"loaded,refused,cancelled,keys_ended"`
	Reason    string         `json:"reason" doc:"a code, empty when loaded"`
	Serial    string         `json:"serial"`
	DeviceKey string         `json:"device_key"`
	At        statement.Time `json:"at"`
}

// visitOperations are what menshen itself does on a visit when somebody asks.
func (a *API) visitOperations() {
	on := func(id, zh, en string) operation {
		return operation{id: "visit_" + id, method: http.MethodPost, path: "/v1/visits/{id}/" + id, tag: "visits", zh: zh, en: en, success: http.StatusCreated}
	}
	challenge := on(visit.ChallengeVerb, "要一个核对用的随机数", "ask for a nonce")
	challenge.request, challenge.answer = ChallengeRequest{Purpose: visit.PurposeDoor}, Challenge{Statement: egDigest, Nonce: egNonce, Until: egTime}
	register(a, challenge, a.challenge)

	attestation := on(visit.AttestDevice, "交上机具的证明", "bring a device's answer to a nonce")
	attestation.request = AttestRequest{Challenge: egDigest, Purpose: visit.PurposeDevice, Serial: egSerial, Format: attest.FormatX509, Proof: egNonce}
	attestation.answer = Accepted{Stream: "visit/" + egVisit, Number: 12, Event: egDigest, Statement: egDigest}
	register(a, attestation, a.attest)

	asks := on("asks", "问一步能不能走", "put an ask to the gate")
	asks.success, asks.request = http.StatusOK, AskRequest{Ask: visit.AskTrial}
	asks.more = "200 also when the answer is no: read granted. Asking again needs a new Idempotency-Key."
	asks.answer = AskAnswer{Conditions: []Condition{egCondition}, TookMS: 41}
	register(a, asks, a.ask)

	release := on(visit.ReleasePermit, "请收单主机执行许可", "have the acquirer's host act on the last permit")
	release.success, release.request = http.StatusOK, ReleaseRequest{}
	release.answer = Outcome{Visit: egVisit, Permit: egDigest, Outcome: visit.Loaded, Serial: egSerial, DeviceKey: egThumb, At: egTime}
	register(a, release, a.release)
}

var egCondition = Condition{Name: "custody-unbroken", Title: Text{Zh: "机具一手一手交接清楚", En: "The device's custody is unbroken"}, Verdict: "fails", Basis: "re-run",
	Code: "custody_seal_broken", Reason: Text{Zh: "封签不完整。", En: "A seal is broken."}, Blocks: true}

func (a *API) challenge(ctx context.Context, in *posted[ChallengeRequest]) (*answered[Challenge], error) {
	c, err := a.app.Challenge(ctx, actorOf(ctx), in.ID, in.Body.value.Purpose)
	return &answered[Challenge]{Status: http.StatusCreated, Body: Challenge(c)}, err
}

func (a *API) attest(ctx context.Context, in *posted[AttestRequest]) (*answered[Accepted], error) {
	done, err := a.app.AttestDevice(ctx, actorOf(ctx), in.ID, attest.Attestation(in.Body.value))
	return recorded(done), err
}

func (a *API) ask(ctx context.Context, in *posted[AskRequest]) (*answered[AskAnswer], error) {
	got, err := a.app.Ask(ctx, actorOf(ctx), in.ID, in.Body.value.Ask)
	if err != nil {
		return nil, err
	}
	out := AskAnswer{Granted: got.Report.Granted, Decision: got.Decision, Conditions: conditions(got.Report.Conditions), TookMS: got.Took.Milliseconds()}
	if f := fault.Of(got.Report.Refusal); f != nil {
		out.Refusal = &Refusal{Code: f.Code, Zh: f.Text.Zh, En: f.Text.En}
	}
	return &answered[AskAnswer]{Status: http.StatusOK, Body: out}, nil
}

func conditions(list []evidence.Condition) []Condition {
	out := make([]Condition, 0, len(list))
	for _, c := range list {
		out = append(out, Condition{Name: c.Name, Title: c.Title, Verdict: c.Verdict, Basis: c.Basis, Code: c.Code, Reason: c.Reason, Blocks: c.Blocks})
	}
	return out
}

func (a *API) release(ctx context.Context, in *posted[ReleaseRequest]) (*answered[Outcome], error) {
	o, err := a.app.ReleasePermit(ctx, actorOf(ctx), in.ID)
	return &answered[Outcome]{Status: http.StatusOK, Body: outcome(o)}, err
}

func outcome(o visit.Outcome) Outcome {
	return Outcome{Visit: o.Visit, Permit: o.Permit, Outcome: o.Outcome, Reason: o.Reason, Serial: o.Serial, DeviceKey: o.DeviceKey, At: o.At}
}
