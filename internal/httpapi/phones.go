package httpapi

import (
	"context"
	"net/http"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// PhoneChallenge is what a phone signs to sign in.
type PhoneChallenge struct {
	Challenge string         `json:"challenge"`
	Until     statement.Time `json:"until"`
}

// PhoneSession is a phone's answer.
type PhoneSession struct {
	Challenge    string `json:"challenge"`
	Holder       string `json:"holder"`
	Organisation string `json:"organisation"`
	Role         string `json:"role" enum:"merchant,clerk"`
	Key          string `json:"key" doc:"thumbprint"`
	Signature    string `json:"signature" doc:"base64；不是文件的签名，见 formats.md · over a payload that is no statement; see formats.md"`
}

// PhoneSignedIn says until when.
type PhoneSignedIn struct {
	Until statement.Time `json:"until"`
}

type phoneSignedIn struct {
	Status int
	Cookie string `header:"Set-Cookie"`
	Body   PhoneSignedIn
}

// nothing is the body of a request that says nothing.
type nothing struct{}

// phoneOperations are how phones sign in again.
func (a *API) phoneOperations() {
	challenge := operation{id: "challenge_phone", method: http.MethodPost, path: "/v1/phone_challenges", tag: "people", zh: "要一个登录用的随机数", en: "get a challenge to sign in with", success: http.StatusCreated,
		open: true, request: nothing{}, answer: PhoneChallenge{Challenge: egNonce, Until: egTime}}
	register(a, challenge, a.challengePhone)
	session := operation{id: "sign_phone_in", method: http.MethodPost, path: "/v1/phone_sessions", tag: "people", zh: "用手机的密钥登录（商户和店员）", en: "sign in with the phone's key (merchants and clerks)", success: http.StatusCreated,
		open: true, request: PhoneSession{Challenge: egNonce, Holder: "wei", Organisation: "jianghe", Role: visit.RoleMerchant, Key: egThumb, Signature: egNonce}, answer: PhoneSignedIn{Until: egTime}}
	register(a, session, a.signPhoneIn)
}

func (a *API) challengePhone(ctx context.Context, in *strangers[nothing]) (*answered[PhoneChallenge], error) {
	if err := a.throttleNetwork(in.request); err != nil {
		return nil, err
	}
	challenge, until, err := a.app.ChallengePhone(ctx)
	return &answered[PhoneChallenge]{Status: http.StatusCreated, Body: PhoneChallenge{challenge, statement.At(until)}}, err
}

func (a *API) signPhoneIn(ctx context.Context, in *strangers[PhoneSession]) (*phoneSignedIn, error) {
	b := in.Body.value
	if err := a.throttle(in.request, "session/"+b.Holder); err != nil {
		return nil, err
	}
	sig, err := statement.Base64(b.Signature)
	if err != nil {
		return nil, fault.At(err, "signature")
	}
	secret, until, err := a.app.SignPhoneIn(ctx, app.PhoneAnswer{Challenge: b.Challenge, Holder: b.Holder, Organisation: b.Organisation, Role: b.Role, Key: b.Key}, sig)
	if err != nil {
		return nil, err
	}
	cookie, err := a.newSession(ctx, in.request, secret, until)
	if err != nil {
		return nil, err
	}
	return &phoneSignedIn{Status: http.StatusCreated, Cookie: cookie, Body: PhoneSignedIn{statement.At(until)}}, nil
}
