package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/statement"
)

// DoorAnswerRequest is a technician's answer to a door challenge.
type DoorAnswerRequest struct {
	QR           string             `json:"qr" doc:"the challenge's text, as the camera read it (docs/door.md)"`
	Presentation string             `json:"presentation" doc:"badge and key binding; empty: the order is none of the holder's, and the shop is warned"`
	Opening      *statement.Opening `json:"opening,omitempty" doc:"of the position that the key binding commits to"`
}

// DoorAnswered is the verdict as the technician's app shows it.
type DoorAnswered struct {
	Visit   string `json:"visit"`
	Genuine bool   `json:"genuine"`
	Code    string `json:"code" doc:"why not, empty when genuine"`
	Digits  string `json:"digits" doc:"two, to compare with the merchant's screen"`
}

// DoorDigitsRequest is what the merchant read out.
type DoorDigitsRequest struct {
	Digits string `json:"digits" doc:"six"`
}

// DoorDigits is the challenge that they are of.
type DoorDigits struct {
	QR string `json:"qr" doc:"the challenge's text, as if the camera had read it"`
}

// DoorResult is a door check as the merchant's page shows it.
type DoorResult struct {
	Verdict        string `json:"verdict" enum:"waiting,genuine,refused"`
	Scans          int    `json:"scans" doc:"while waiting: how many scanned the code who were not sent; code, reason and company are then of the last"`
	Code           string `json:"code" doc:"why not, empty when genuine"`
	Reason         Text   `json:"reason"`
	Name           string `json:"name" doc:"of who was sent; only when genuine, and each look is recorded"`
	Photo          string `json:"photo" doc:"base64"`
	PhotoType      string `json:"photo_type" enum:",image/jpeg,image/webp"`
	Company        string `json:"company"`
	Job            string `json:"job" doc:"the order's kind"`
	DistanceMetres int64  `json:"distance_metres" doc:"between shop and phone, as the phone says; -1 where not known"`
	Digits         string `json:"digits" doc:"two, to compare with the technician's screen"`
	Grade          string `json:"grade" enum:",confirmed,refused"`
	ListAgeSeconds int64  `json:"list_age_seconds" doc:"of the status list that was asked; -1 where none was"`
	Presentation   string `json:"presentation" doc:"what the merchant's key signs, with its digest"`
	Answer         string `json:"answer" doc:"digest of the presentation"`
}

type doorAnswerInput struct {
	Key  string `header:"Idempotency-Key" required:"true" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" maxLength:"64" doc:"同一个键、同一个请求，得到同一个回答 · same key, same request, same answer" example:"0193-5d1c-7a2b"`
	Body strict[DoorAnswerRequest]
}

type doorResultInput struct {
	Subject
	Challenge string `path:"challenge" pattern:"^[0-9a-f]{64}$" maxLength:"64" doc:"核对的摘要 · digest of the challenge statement" example:"3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b"`
	Wait      int    `query:"wait" minimum:"0" maximum:"25" default:"0" doc:"最多等几秒 · seconds to wait for an answer"`
	Seen      int    `query:"seen" minimum:"0" maximum:"5" default:"0" doc:"已经知道的 scans；多了就马上回答 · the scans that the page knows; more of them are told at once"`
	Secret    string `header:"Menshen-Result-Secret" maxLength:"64" doc:"发起核对时得到的 · from the challenge"`
}

// doorOperations are the door check with signal, and what it needs without.
func (a *API) doorOperations() {
	answer := operation{id: "answer_door", method: http.MethodPost, path: "/v1/door/answers", tag: "door", zh: "回答门口的核对", en: "answer a door challenge", success: http.StatusCreated}
	answer.more = "By the assigned technician: the first answer that is stored is the only one, whatever its verdict. Any other technician's is refused and warns the shop that somebody scanned who was not sent; it uses nothing up."
	answer.request, answer.answer = DoorAnswerRequest{QR: egChallengeText, Presentation: egPresentation}, DoorAnswered{Visit: egVisit, Genuine: true, Digits: "47"}
	register(a, answer, a.answerDoor)

	spoken := operation{id: "speak_door", method: http.MethodPost, path: "/v1/visits/{id}/door/digits", tag: "door", zh: "没有摄像头：报六位数字", en: "without a camera: the six digits that the merchant read out", success: http.StatusOK}
	spoken.more = "One try: wrong digits burn the challenge."
	spoken.request, spoken.answer = DoorDigitsRequest{Digits: "027164"}, DoorDigits{QR: egChallengeText}
	register(a, spoken, a.speakDoor)

	result := operation{id: "read_door", method: http.MethodGet, path: "/v1/visits/{id}/door/{challenge}", tag: "door", zh: "等门口核对的结果", en: "wait for a door check's verdict", success: http.StatusOK}
	result.answer = DoorResult{Verdict: app.DoorWaiting, DistanceMetres: -1, ListAgeSeconds: -1}
	register(a, result, a.readDoor)

	pack := operation{id: "read_package", method: http.MethodGet, path: "/v1/visits/{id}/package", tag: "door", zh: "取订单资料，没信号时核对用", en: "the order package, for checking without signal", success: http.StatusOK}
	opening := &statement.Opening{Kind: "name", Salt: egNonce, Value: "…"}
	pack.answer = app.Package{Visit: egVisit, Order: "o-1", Kind: "install", Merchant: "m-1", FetchedAt: egTime,
		Openings: app.PackageOpenings{Shop: opening, Name: opening}}
	register(a, pack, a.readPackage)
	a.huma.OpenAPI().Components.Schemas.Map()["Key"].Properties["origins"].Nullable = false
}

const (
	egChallengeText = "MSD1~N~v-1~c2l4dGVlbiBieXRlcy4uLg==~1795348800"
	egPresentation  = "eyJ…~WyJ…~eyJ…"
)

func (a *API) answerDoor(ctx context.Context, in *doorAnswerInput) (*answered[DoorAnswered], error) {
	body := in.Body.value
	done, err := a.app.AnswerDoor(ctx, actorOf(ctx), app.DoorAnswer(body))
	return &answered[DoorAnswered]{Status: http.StatusCreated, Body: DoorAnswered(done)}, err
}

func (a *API) speakDoor(ctx context.Context, in *posted[DoorDigitsRequest]) (*answered[DoorDigits], error) {
	text, err := a.app.SpokenDoor(ctx, actorOf(ctx), in.ID, in.Body.value.Digits)
	return &answered[DoorDigits]{Status: http.StatusOK, Body: DoorDigits{QR: text}}, err
}

func (a *API) readDoor(ctx context.Context, in *doorResultInput) (*answered[DoorResult], error) {
	r, err := a.app.Door(ctx, actorOf(ctx), in.ID, in.Challenge, in.Secret, in.Seen, time.Duration(in.Wait)*time.Second)
	return &answered[DoorResult]{Status: http.StatusOK, Body: DoorResult{Verdict: r.Verdict, Scans: r.Scans, Code: r.Code, Reason: r.Reason, Name: r.Name, Photo: r.Photo, PhotoType: r.PhotoType,
		Company: r.Company, Job: r.Job, DistanceMetres: r.Metres, Digits: r.Digits, Grade: r.Grade, ListAgeSeconds: r.ListAgeSeconds, Presentation: r.Presentation, Answer: r.Answer}}, err
}

func (a *API) readPackage(ctx context.Context, in *Subject) (*answered[app.Package], error) {
	p, err := a.app.Package(ctx, actorOf(ctx), in.ID)
	return &answered[app.Package]{Status: http.StatusOK, Body: p}, err
}
