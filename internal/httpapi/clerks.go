package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/statement"
)

// ClerkInvitation is an owner's offer to one clerk's phone. The code that goes with it is made on the
// owner's page, in the form of formats.md, and never sent here.
type ClerkInvitation struct {
	Clerk        string         `json:"clerk" doc:"店员的编号，也是这次邀请的编号 · the clerk's holder id, and the invitation's"`
	Organisation string         `json:"organisation"`
	Until        statement.Time `json:"until"`
}

// ClerkKey is what a clerk's phone sends once the code is typed or scanned.
type ClerkKey struct {
	Organisation string    `json:"organisation"`
	Key          PublicKey `json:"key"`
	Proof        string    `json:"proof" doc:"base64; over organisation, this clerk, role clerk, key and held_by holder"`
	Possession   string    `json:"possession" doc:"base64; an enrolment_request signed with the new key"`
}

// ClerkStanding is how an invitation stands, for the owner's page.
type ClerkStanding struct {
	Asked bool      `json:"asked" doc:"店员的手机已经来了 · the clerk's phone has asked"`
	Ask   *ClerkKey `json:"ask,omitempty"`
}

// ClerkProof names the phone that asked.
type ClerkProof struct {
	Proof string `json:"proof"`
}

// ClerkSignedIn says that the phone is signed in.
type ClerkSignedIn struct {
	SignedIn bool      `json:"signed_in"`
	TrustKey PublicKey `json:"trust_list_key" doc:"签信任名单的公钥，手机从此只认它 · what signs trust lists; the phone pins it"`
}

// ClerkRow is one phone that the owner let in.
type ClerkRow struct {
	Clerk string         `json:"clerk"`
	Key   string         `json:"key" doc:"thumbprint"`
	Since statement.Time `json:"since"`
	Until statement.Time `json:"until"`
	Ended bool           `json:"ended"`
}

// ClerkList is every phone that the owner let in.
type ClerkList struct {
	Clerks []ClerkRow `json:"clerks" nullable:"false"`
}

// InviteRequest has nothing to say.
type InviteRequest struct{}

// clerkInput is a stranger's request about one invitation.
type clerkInput[T any] struct {
	Writing
	Body    strict[T]
	request *http.Request
}

// Resolve keeps the request, as for strangers.
func (c *clerkInput[T]) Resolve(ctx huma.Context) []error {
	c.request, _ = humago.Unwrap(ctx)
	return nil
}

// clerkSession is an answer that comes with a session.
type clerkSession struct {
	Status int
	Cookie string `header:"Set-Cookie"`
	Body   ClerkSignedIn
}

// clerkOperations are how an owner lets a clerk's phone in for door and till.
func (a *API) clerkOperations() {
	invite := operation{id: "clerks_invite", method: http.MethodPost, path: "/v1/clerks", tag: "people", zh: "店主请店员的手机进来", en: "open a place for one clerk's phone",
		success: http.StatusCreated, request: InviteRequest{}, answer: ClerkInvitation{Clerk: "wei.anna", Organisation: "jianghe", Until: egTime}}
	invite.more = "Ten minutes. The owner's page makes a code, shows it to the clerk, checks the proof that comes back, and signs an enrolment, filed under /v1/people/{merchant}/enrol."
	register(a, invite, a.inviteClerk)

	key := operation{id: "clerk_key", method: http.MethodPost, path: "/v1/clerks/{id}/key", tag: "people", zh: "店员的手机交上新密钥", en: "a clerk's phone brings its key",
		success: http.StatusOK, open: true, request: ClerkKey{Organisation: "jianghe", Key: egKey, Proof: egNonce, Possession: egEnvelope}, answer: ClerkStanding{Asked: true}}
	register(a, key, a.clerkKey)

	session := operation{id: "clerk_session", method: http.MethodPost, path: "/v1/clerks/{id}/session", tag: "people", zh: "店主签字以后，店员的手机登录", en: "sign the clerk's phone in, once the owner has signed",
		success: http.StatusOK, open: true, request: ClerkProof{Proof: egNonce}, answer: ClerkSignedIn{SignedIn: true, TrustKey: egKey}}
	register(a, session, a.clerkSignIn)

	standing := operation{id: "read_clerk_ask", method: http.MethodGet, path: "/v1/clerks/{id}", tag: "people", zh: "店主看店员的手机来了没有", en: "what the clerk's phone brought, for the owner who invited",
		success: http.StatusOK, answer: ClerkStanding{Asked: true}}
	register(a, standing, a.clerkStanding)

	list := operation{id: "list_clerks", method: http.MethodGet, path: "/v1/clerks", tag: "people", zh: "店主让进来的手机", en: "the phones that the owner let in", success: http.StatusOK,
		answer: ClerkList{Clerks: []ClerkRow{{Clerk: "wei.anna", Key: egThumb, Since: egTime, Until: egTime}}}}
	register(a, list, a.clerks)
}

func (a *API) inviteClerk(ctx context.Context, _ *written[InviteRequest]) (*answered[ClerkInvitation], error) {
	i, err := a.app.InviteClerk(ctx, actorOf(ctx))
	return &answered[ClerkInvitation]{Status: http.StatusCreated, Body: ClerkInvitation{Clerk: i.Clerk, Organisation: i.Organisation, Until: statement.At(i.Until)}}, err
}

func (a *API) clerkKey(ctx context.Context, in *clerkInput[ClerkKey]) (*answered[ClerkStanding], error) {
	if err := a.throttle(in.request, in.ID); err != nil {
		return nil, err
	}
	b := in.Body.value
	err := a.app.AskAsClerk(ctx, orgapi.EnrolmentAsk{Organisation: b.Organisation, Holder: in.ID, Role: "clerk", Key: statement.Key(b.Key),
		HeldBy: statement.HeldByHolder, Proof: b.Proof, Possession: b.Possession})
	return &answered[ClerkStanding]{Status: http.StatusOK, Body: ClerkStanding{Asked: true}}, err
}

func (a *API) clerkSignIn(ctx context.Context, in *clerkInput[ClerkProof]) (*clerkSession, error) {
	if err := a.origin.Check(in.request); err != nil {
		return nil, errOrigin.Because(err)
	}
	secret, until, err := a.app.SignInClerk(ctx, in.ID, in.Body.value.Proof)
	if err != nil {
		return nil, err
	}
	cookie, err := a.newSession(ctx, in.request, secret, until)
	if err != nil {
		return nil, err
	}
	return &clerkSession{Status: http.StatusOK, Cookie: cookie, Body: ClerkSignedIn{SignedIn: true, TrustKey: PublicKey(a.app.Trust.File().TrustListKey)}}, nil
}

func (a *API) clerkStanding(ctx context.Context, in *Subject) (*answered[ClerkStanding], error) {
	ask, err := a.app.ClerkAsk(ctx, actorOf(ctx), in.ID)
	out := ClerkStanding{Asked: ask != nil}
	if ask != nil {
		out.Ask = &ClerkKey{Organisation: ask.Organisation, Key: PublicKey(ask.Key), Proof: ask.Proof, Possession: ask.Possession}
	}
	return &answered[ClerkStanding]{Status: http.StatusOK, Body: out}, err
}

func (a *API) clerks(ctx context.Context, _ *struct{}) (*answered[ClerkList], error) {
	list, err := a.app.Clerks(ctx, actorOf(ctx))
	out := ClerkList{Clerks: []ClerkRow{}}
	for _, c := range list {
		out.Clerks = append(out.Clerks, ClerkRow(c))
	}
	return &answered[ClerkList]{Status: http.StatusOK, Body: out}, err
}
