package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
)

type actorKey struct{}

// actorOf is who asks; authenticate has put him there, before any handler runs.
func actorOf(ctx context.Context) app.Actor {
	actor, _ := ctx.Value(actorKey{}).(app.Actor)
	return actor
}

// isOpen says whether an operation needs no token.
func isOpen(op *huma.Operation) bool { return len(op.Security) == 0 }

// authenticate finds who asks, by a program's token or a browser's session, and counts the request against it.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	if isOpen(ctx.Operation()) {
		next(ctx)
		return
	}
	r, _ := humago.Unwrap(ctx)
	secret, kinds, err := a.credential(r)
	if err != nil {
		if fault.KindOf(err) == fault.Unauthenticated {
			ctx.SetHeader("WWW-Authenticate", "Bearer")
		}
		a.refuse(ctx, err)
		return
	}
	find := a.app.Authenticate
	if r.Method == http.MethodGet && r.Header.Get(unattendedHeader) != "" {
		find = a.app.AuthenticateUnattended
	}
	actor, err := find(ctx.Context(), secret, kinds...)
	if err != nil {
		ctx.SetHeader("WWW-Authenticate", `Bearer error="invalid_token"`)
		a.refuse(ctx, err)
		return
	}
	if meant := ctx.Header(headerPerson); meant != "" && meant != actor.Person {
		a.refuse(ctx, errOfAnother)
		return
	}
	see(ctx.Context()).token = actor.Token
	if wait, ok := a.perToken.take(actor.Token); !ok {
		ctx.SetHeader("Retry-After", retryAfter(wait))
		a.refuse(ctx, errTooMany)
		return
	}
	next(huma.WithValue(ctx, actorKey{}, actor))
}

// headerPerson names whose session a program believes this to be. What a phone kept of one person must not go out in the
// name of the next one who signed in on it.
const headerPerson = "Menshen-Person"

// unattendedHeader is sent with what a page asks by itself, as on pages: it is no use of the session.
const unattendedHeader = "Menshen-Unattended"

// SessionCookie is where a browser keeps its session, for pages and API alike.
const SessionCookie = app.SessionCookie

// SessionOf is the secret of the session that a browser has, "" for none.
func SessionOf(r *http.Request) string {
	cookie, err := r.Cookie(SessionCookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// credential finds a request's secret and the kinds of token that may come this way. A header goes
// first and alone. A browser sends a cookie whoever wrote the page that asks: what writes with one must
// come from our own pages. Faults: signed_out, cross_origin.
func (a *API) credential(r *http.Request) (secret string, kinds []string, err error) {
	if header := r.Header.Get("Authorization"); header != "" {
		secret, ok := bearer(header)
		if !ok {
			return "", nil, errSignedOut
		}
		return secret, []string{store.TokenAPI, store.TokenSession}, nil
	}
	if secret = SessionOf(r); secret == "" {
		return "", nil, errSignedOut
	}
	if err := a.origin.Check(r); err != nil {
		return "", nil, errOrigin.Because(err)
	}
	return secret, []string{store.TokenSession}, nil
}

// bearer reads an Authorization header (RFC 6750 §2.1).
func bearer(header string) (string, bool) {
	scheme, secret, ok := strings.Cut(header, " ")
	return secret, ok && strings.EqualFold(scheme, "Bearer") && secret != ""
}

// refuse answers with an error's problem.
func (a *API) refuse(ctx huma.Context, err error) {
	_ = huma.WriteErr(a.huma, ctx, 0, "", err) // the client may have gone
}
