package httpapi

import (
	"context"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// PhotoFiling is a picture on its way in.
type PhotoFiling struct {
	Photo string `json:"photo" doc:"JPEG 的 base64，最多 240 KB · base64 of a JPEG, at most 240 kB, without metadata"`
}

// PhotoKept says that a picture's bytes are there.
type PhotoKept struct {
	Digest string `json:"digest" doc:"SHA-256 of the bytes, hex: what a step of this visit names"`
}

// CarriedStatement is one statement out of a phone's exported file.
type CarriedStatement struct {
	Stream    string              `json:"stream" doc:"kind/id"`
	Verb      string              `json:"verb"`
	Statement string              `json:"statement" doc:"base64 of the signed DSSE envelope"`
	Openings  []statement.Opening `json:"openings,omitempty" nullable:"false"`
}

// CarryRequest is what a dispatcher hands in for technicians of his organisation.
type CarryRequest struct {
	Statements []CarriedStatement `json:"statements" nullable:"false" doc:"按导出的先后，最多 100 份 · in the file's order, at most 100"`
}

// CarriedResult is what became of one of them.
type CarriedResult struct {
	Statement string   `json:"statement" doc:"digest of the envelope, empty where it cannot be read"`
	Number    int64    `json:"number" doc:"the event's number in its stream, 0 when refused"`
	Known     bool     `json:"known" doc:"it was there already"`
	Refusal   *Refusal `json:"refusal,omitempty"`
}

// CarryAnswer has one result for each statement, in order.
type CarryAnswer struct {
	Results []CarriedResult `json:"results" nullable:"false"`
}

type carryInput struct {
	Key  string `header:"Idempotency-Key" required:"true" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" maxLength:"64" doc:"同一个键、同一个请求，得到同一个回答 · same key, same request, same answer" example:"0193-5d1c-7a2b"`
	Body strict[CarryRequest]
}

type photoInput struct {
	Subject
	Digest string `path:"digest" pattern:"^[0-9a-f]{64}$" maxLength:"64" doc:"照片的摘要 · digest of the picture" example:"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"`
	Small  bool   `query:"small" doc:"要小图 · the thumbnail"`
}

// PhotoShown is a picture on its way out.
type PhotoShown struct {
	Photo string `json:"photo" doc:"JPEG 的 base64 · base64 of the JPEG"`
}

const contentJPEG = "image/jpeg"

// Me is who asks, as the session or token says.
type Me struct {
	Person       string `json:"person"`
	Organisation string `json:"organisation"`
	Role         string `json:"role"`
}

// workOperations are what a technician's phone asks, and what is carried for it.
func (a *API) workOperations() {
	work := operation{id: "read_work", method: http.MethodGet, path: "/v1/visits/{id}/work", tag: "visits", zh: "看一次上门要做什么、做了什么",
		en: "what a visit has to do and what was done", success: http.StatusOK, answer: egWork}
	work.more = "With tag and wait the answer comes when the work is other than that one, or when the wait is over."
	register(a, work, a.work)

	me := operation{id: "read_me", method: http.MethodGet, path: "/v1/me", tag: "service", zh: "看自己是谁", en: "who is signed in", success: http.StatusOK,
		answer: Me{Person: "lan", Organisation: "svc-anzhuang", Role: visit.RoleTechnician}}
	register(a, me, a.me)

	photo := operation{id: "visit_photos", method: http.MethodPost, path: "/v1/visits/{id}/photos", tag: "visits", zh: "交上一张照片", en: "bring a picture that a step names",
		success: http.StatusCreated, request: PhotoFiling{Photo: "/9j/"}, answer: PhotoKept{Digest: egDigest}}
	photo.more = "The bytes must have the digest that a recorded step of this visit names. They are sealed in the vault."
	register(a, photo, a.photo)

	look := operation{id: "read_photo", method: http.MethodGet, path: "/v1/visits/{id}/photos/{digest}", tag: "visits", zh: "看一张照片", en: "look at a picture", success: http.StatusOK, answer: PhotoShown{Photo: "/9j/"}}
	look.more = "Every look is recorded."
	register(a, look, a.lookAtPhoto)

	carry := operation{id: "carry", method: http.MethodPost, path: "/v1/carried", tag: "service", zh: "代交手机导出的文件", en: "hand in what a technician's phone exported",
		success: http.StatusOK, request: CarryRequest{Statements: []CarriedStatement{{Stream: "visit/" + egVisit, Verb: visit.RecordStep, Statement: egEnvelope}}},
		answer: CarryAnswer{Results: []CarriedResult{{Statement: egDigest, Number: 7}}}}
	carry.more = "Each statement is filed in the name of its signer, by his signature and his rights; who carried it is recorded. A refusal stands beside its statement; the others go on."
	register(a, carry, a.carry)
}

type workInput struct {
	Subject
	Wait int    `query:"wait" minimum:"0" maximum:"25" default:"0" doc:"最多等几秒 · seconds to wait for something new"`
	Tag  string `query:"tag" maxLength:"16" doc:"已经有的那一份的 tag · the tag of what the phone has"`
}

func (a *API) work(ctx context.Context, in *workInput) (*answered[app.Work], error) {
	w, err := a.app.FollowWork(ctx, actorOf(ctx), in.ID, in.Tag, time.Duration(in.Wait)*time.Second)
	return &answered[app.Work]{Status: http.StatusOK, Body: w}, err
}

func (a *API) me(ctx context.Context, _ *struct{}) (*answered[Me], error) {
	by := actorOf(ctx)
	return &answered[Me]{Status: http.StatusOK, Body: Me{by.Person, by.Organisation, by.Role}}, nil
}

func (a *API) photo(ctx context.Context, in *posted[PhotoFiling]) (*answered[PhotoKept], error) {
	data, err := statement.Base64(in.Body.value.Photo)
	if err != nil {
		return nil, fault.At(err, "photo")
	}
	digest, err := a.app.PutPhoto(ctx, actorOf(ctx), in.ID, data)
	return &answered[PhotoKept]{Status: http.StatusCreated, Body: PhotoKept{digest}}, err
}

func (a *API) lookAtPhoto(ctx context.Context, in *photoInput) (*answered[PhotoShown], error) {
	data, err := a.app.Photo(ctx, actorOf(ctx), in.ID, in.Digest, in.Small)
	return &answered[PhotoShown]{Status: http.StatusOK, Body: PhotoShown{base64.StdEncoding.EncodeToString(data)}}, err
}

func (a *API) carry(ctx context.Context, in *carryInput) (*answered[CarryAnswer], error) {
	list := make([]app.Submission, 0, len(in.Body.value.Statements))
	for _, s := range in.Body.value.Statements {
		envelope, err := statement.Base64(s.Statement)
		if err != nil {
			return nil, fault.At(err, "statement")
		}
		list = append(list, app.Submission{Stream: s.Stream, Verb: s.Verb, Envelope: envelope, Openings: s.Openings})
	}
	done, err := a.app.Carry(ctx, actorOf(ctx), list)
	if err != nil {
		return nil, err
	}
	out := CarryAnswer{Results: []CarriedResult{}}
	for _, d := range done {
		r := CarriedResult{Statement: d.Statement, Number: d.Accepted.Number, Known: d.Accepted.Known}
		if f := fault.Of(d.Fault); f != nil {
			r.Refusal = &Refusal{Code: f.Code, Zh: f.Text.Zh, En: f.Text.En}
		}
		out.Results = append(out.Results, r)
	}
	return &answered[CarryAnswer]{Status: http.StatusOK, Body: out}, nil
}

var egWork = app.Work{Visit: egVisit, Tag: "3a7bd3e2360a3d29", Order: egOrder, Kind: visit.Install, Stage: string(visit.Admitted), Ask: visit.AskTrial, Shop: "shop-wei", Merchant: "wei", Acquirer: "acq-huaishan", Serial: egSerial,
	Model: "TD20", Terminal: "W1489724", Watched: "remote", From: egTime, Until: egTime,
	Parcel: &app.Parcel{Transfer: egDigest, To: "lan", Notice: custody.Notice{Tracking: egOrder, BagSeal: "B7300112", BoxSerial: "X" + egSerial, DeviceSerial: egSerial}},
	Steps:  []app.WorkStep{{Step: "mount", By: visit.RoleTechnician, Photos: 1}}, Done: []app.WorkDone{}, Attested: []app.WorkAttested{},
	Permits: []app.WorkPermit{}, Reported: []app.WorkReport{}, UpdatedAt: egTime}
