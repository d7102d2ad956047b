package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// PublicKey is a statement.Key, described.
type PublicKey struct {
	Kind    string   `json:"kind" enum:"es256,webauthn"`
	X       string   `json:"x" doc:"base64url, 32 bytes"`
	Y       string   `json:"y" doc:"base64url, 32 bytes"`
	RPID    string   `json:"rp_id,omitempty" doc:"webauthn only"`
	Origins []string `json:"origins,omitempty" nullable:"false" doc:"webauthn only"`
}

// EnrolRequest is a new phone's request to have its key vouched for.
type EnrolRequest struct {
	Organisation string    `json:"organisation" doc:"谁来担保 · who is to vouch"`
	Holder       string    `json:"holder" doc:"给谁 · for whom"`
	Role         string    `json:"role"`
	Key          PublicKey `json:"key" doc:"新公钥 · the new public key"`
	HeldBy       string    `json:"held_by" enum:"holder"`
	Proof        string    `json:"proof" doc:"base64；用开通码算的证明，开通码本身不发送 · made with the one-time code, which is never sent; see formats.md"`
	Possession   string    `json:"possession" doc:"base64；用新密钥签的 enrolment_request · an enrolment_request signed with the new key"`
}

// Enrolled is what the organisation signed.
type Enrolled struct {
	Enrolment string         `json:"enrolment" doc:"digest of the signed enrolment"`
	From      statement.Time `json:"from"`
	Until     statement.Time `json:"until"`
	SignedIn  bool           `json:"signed_in" doc:"本机已登录（商户和店员） · this phone is signed in now (merchants and clerks)"`
	TrustKey  PublicKey      `json:"trust_list_key" doc:"签信任名单的公钥，手机从此只认它 · what signs trust lists; the phone pins it"`
}

// BadgeRequest asks for the day's badge.
type BadgeRequest struct {
	Key     PublicKey `json:"key" doc:"今天的新密钥 · a fresh es256 key"`
	Request string    `json:"request" doc:"base64；用登记的密钥签的 badge_request · signed with the enrolled key"`
}

// IssuedBadge is the day's badge and the list that it is held to.
type IssuedBadge struct {
	Badge      string         `json:"badge" doc:"SD-JWT, without key binding"`
	From       statement.Time `json:"from"`
	Until      statement.Time `json:"until"`
	StatusURI  string         `json:"status_uri"`
	StatusList string         `json:"status_list" doc:"the newest token of that list"`
}

// EndBadges takes a person's badges back, through the employer's own service or with its statement.
type EndBadges struct {
	Reason    string              `json:"reason,omitempty" enum:"left,lost,suspended,fraud" doc:"由雇主自己的服务来停 · the employer's own service ends them"`
	Statement string              `json:"statement,omitempty" doc:"或者交上雇主签好的文件 · or the employer's signed envelope, base64"`
	Openings  []statement.Opening `json:"openings,omitempty" nullable:"false"`
}

// EndKey ends an enrolled key, through the organisation's own service or with its statement.
type EndKey struct {
	Key       string              `json:"key,omitempty" doc:"thumbprint"`
	Reason    string              `json:"reason,omitempty" enum:"lost,left,replaced,compromised"`
	Statement string              `json:"statement,omitempty" doc:"或者交上机构签好的文件 · or the organisation's signed envelope, base64"`
	Openings  []statement.Opening `json:"openings,omitempty" nullable:"false"`
}

// Ended says what ended.
type Ended struct {
	Ended     int    `json:"ended" doc:"how many"`
	Statement string `json:"statement,omitempty" doc:"digest, where one was handed in"`
}

// RollPerson is one line of an organisation's roll.
type RollPerson = orgapi.Person

// Roll is an organisation's roll.
type Roll struct {
	People []RollPerson `json:"people" nullable:"false"`
}

var errWay = fault.New(fault.Invalid, "end_ambiguous", "要么写原因，由机构的服务来停；要么交签好的文件。", "Give a reason, for the organisation's service, or a signed statement, not both.")

// enrolRate bounds tries from one network, holderRate those for one holder: codes are typed by people.
var (
	enrolRate  = Rate{PerSecond: 0.2, Burst: 20}
	holderRate = Rate{PerSecond: 0.05, Burst: 8}
)

// strangers is a request of somebody who is not signed in.
type strangers[T any] struct {
	Key     string `header:"Idempotency-Key" required:"true" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" maxLength:"64" doc:"每次申请一个 · one for each request" example:"0193-5d1c-7a2b"`
	Body    strict[T]
	request *http.Request
}

// Resolve keeps the request: a stranger is bounded by the network that he comes from.
func (s *strangers[T]) Resolve(ctx huma.Context) []error {
	s.request, _ = humago.Unwrap(ctx)
	return nil
}

// signedIn is an answer that may come with a session.
type signedIn struct {
	Status int
	Cookie string `header:"Set-Cookie"`
	Body   Enrolled
}

// enrolOperations are how phones get their keys, and how those end.
func (a *API) enrolOperations() {
	enrol := operation{id: "enrol", method: http.MethodPost, path: "/v1/enrolments", tag: "people", zh: "登记新手机的密钥", en: "have a new phone's key vouched for",
		success: http.StatusCreated, open: true, request: EnrolRequest{Organisation: "jianghe", Holder: "wei", Role: visit.RoleMerchant, Key: egKey, HeldBy: statement.HeldByHolder, Proof: egNonce, Possession: egEnvelope},
		answer: Enrolled{Enrolment: egDigest, From: egTime, Until: egTime, SignedIn: true, TrustKey: egKey}}
	enrol.more = "Open: what counts is the proof of a one-time code, which only the organisation's own service can check. The same request again gets the same answer."
	register(a, enrol, a.enrol)

	badge := operation{id: "badges", method: http.MethodPost, path: "/v1/badges", tag: "people", zh: "上班领当天的工作证", en: "get the day's badge, at shift start",
		success: http.StatusCreated, request: BadgeRequest{Key: egKey, Request: egEnvelope}, answer: IssuedBadge{From: egTime, Until: egTime, StatusURI: "urn:menshen:badges:qingluo:1"}}
	register(a, badge, a.badge)

	revoke := operation{id: "person_revoke_badge", method: http.MethodPost, path: "/v1/people/{id}/revoke_badge", tag: "people", zh: "停用一个人的工作证", en: "take somebody's badges back",
		success: http.StatusOK, request: EndBadges{Reason: "lost"}, answer: Ended{Ended: 1}}
	revoke.more = "With a reason, the employer's own service is asked; with a statement, what it signed is filed (urn:menshen:badge_revoked:v1, signed by organisation)."
	register(a, revoke, a.revokeBadges)

	end := operation{id: "organisation_end_enrolment", method: http.MethodPost, path: "/v1/organisations/{id}/end_enrolment", tag: "organisations", zh: "终止密钥", en: "end a key",
		success: http.StatusOK, request: EndKey{Key: egThumb, Reason: "lost"}, answer: Ended{Ended: 1}}
	end.more = "With key and reason, the organisation's own service is asked; with a statement, what it signed is filed (urn:menshen:enrolment_end:v1)."
	register(a, end, a.endKey)

	roll := operation{id: "read_roll", method: http.MethodGet, path: "/v1/people", tag: "people", zh: "本机构的名册：谁有密钥，谁还没有", en: "one's own organisation's roll: who has a key and who lacks one",
		success: http.StatusOK, answer: Roll{People: []RollPerson{{Holder: "lan", Role: visit.RoleTechnician, State: orgapi.Active, Key: egThumb, KeyUntil: egTime}}}}
	register(a, roll, a.roll)
}

var egKey = PublicKey{Kind: statement.ES256, X: "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY", Y: "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}

// throttle bounds a stranger by network and by whom he speaks of.
func (a *API) throttle(r *http.Request, about string) error {
	if err := a.throttleNetwork(r); err != nil {
		return err
	}
	if _, ok := a.perHolder.take(about); !ok {
		return errTooMany
	}
	return nil
}

// throttleNetwork bounds a stranger who speaks of nobody yet.
func (a *API) throttleNetwork(r *http.Request) error {
	if err := a.origin.Check(r); err != nil {
		return errOrigin.Because(err)
	}
	if _, ok := a.perEnroller.take(clientOf(r, a.proxies)); !ok {
		return errTooMany
	}
	return nil
}

func (a *API) enrol(ctx context.Context, in *strangers[EnrolRequest]) (*signedIn, error) {
	b := in.Body.value
	if err := a.throttle(in.request, strings.Join([]string{b.Organisation, b.Holder, b.Role}, "/")); err != nil {
		return nil, err
	}
	done, err := a.app.Enrol(ctx, orgapi.EnrolmentAsk{Organisation: b.Organisation, Holder: b.Holder, Role: b.Role, Key: statement.Key(b.Key),
		HeldBy: b.HeldBy, Proof: b.Proof, Possession: b.Possession})
	if err != nil {
		return nil, err
	}
	out := &signedIn{Status: http.StatusCreated, Body: Enrolled{Enrolment: done.Enrolment, From: done.From, Until: done.Until, SignedIn: done.Session != "",
		TrustKey: PublicKey(a.app.Trust.File().TrustListKey)}}
	if done.Session != "" {
		if out.Cookie, err = a.newSession(ctx, in.request, done.Session, done.Expires); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// newSession ends the session that a phone had and gives the cookie of its new one, which its pages' scripts cannot read.
func (a *API) newSession(ctx context.Context, r *http.Request, secret string, until time.Time) (string, error) {
	c := http.Cookie{Name: SessionCookie, Value: secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: Secure(r, a.proxies), Expires: until.UTC()}
	return c.String(), a.app.EndReplaced(ctx, SessionOf(r))
}

func (a *API) badge(ctx context.Context, in *written[BadgeRequest]) (*answered[IssuedBadge], error) {
	b, err := a.app.IssueBadge(ctx, actorOf(ctx), statement.Key(in.Body.value.Key), in.Body.value.Request)
	return &answered[IssuedBadge]{Status: http.StatusCreated, Body: IssuedBadge{Badge: b.Badge, From: statement.At(b.From), Until: statement.At(b.Until),
		StatusURI: b.StatusURI, StatusList: b.StatusList}}, err
}

// written is a request that writes and is about no id in its path.
type written[T any] struct {
	Key  string `header:"Idempotency-Key" required:"true" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" maxLength:"64" doc:"同一个键、同一个请求，得到同一个回答 · same key, same request, same answer" example:"0193-5d1c-7a2b"`
	Body strict[T]
}

func (a *API) revokeBadges(ctx context.Context, in *posted[EndBadges]) (*answered[Ended], error) {
	b := in.Body.value
	if (b.Reason == "") == (b.Statement == "") {
		return nil, errWay
	}
	if b.Statement != "" {
		return a.endedBy(ctx, visit.StreamPerson+"/"+in.ID, visit.RevokeBadge, Filing{Statement: b.Statement, Openings: b.Openings})
	}
	n, err := a.app.EndBadges(ctx, actorOf(ctx), in.ID, b.Reason)
	return &answered[Ended]{Status: http.StatusOK, Body: Ended{Ended: n}}, err
}

func (a *API) endKey(ctx context.Context, in *posted[EndKey]) (*answered[Ended], error) {
	b := in.Body.value
	asked := b.Key != "" && b.Reason != ""
	if asked == (b.Statement != "") {
		return nil, errWay
	}
	if b.Statement != "" {
		return a.endedBy(ctx, visit.StreamOrganisation+"/"+in.ID, visit.EndEnrolment, Filing{Statement: b.Statement, Openings: b.Openings})
	}
	err := a.app.EndKey(ctx, actorOf(ctx), in.ID, b.Key, b.Reason)
	return &answered[Ended]{Status: http.StatusOK, Body: Ended{Ended: 1}}, err
}

// endedBy files a signed end.
func (a *API) endedBy(ctx context.Context, stream, verb string, f Filing) (*answered[Ended], error) {
	done, err := a.file(ctx, stream, verb, f)
	if err != nil {
		return nil, err
	}
	return &answered[Ended]{Status: done.Status, Body: Ended{Ended: 1, Statement: done.Body.Statement}}, nil
}

func (a *API) roll(ctx context.Context, _ *struct{}) (*answered[Roll], error) {
	people, err := a.app.Roll(ctx, actorOf(ctx))
	return &answered[Roll]{Status: http.StatusOK, Body: Roll{People: append([]RollPerson{}, people...)}}, err
}
