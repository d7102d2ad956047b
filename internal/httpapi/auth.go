package httpapi

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/menshen-project/menshen/internal/app"
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

// authenticate finds who asks by the token, and counts the request against it.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	if isOpen(ctx.Operation()) {
		next(ctx)
		return
	}
	secret, ok := bearer(ctx.Header("Authorization"))
	if !ok {
		ctx.SetHeader("WWW-Authenticate", "Bearer")
		a.refuse(ctx, errSignedOut)
		return
	}
	actor, err := a.app.Authenticate(ctx.Context(), secret, store.TokenAPI, store.TokenSession)
	if err != nil {
		ctx.SetHeader("WWW-Authenticate", `Bearer error="invalid_token"`)
		a.refuse(ctx, err)
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

// bearer reads an Authorization header (RFC 6750 §2.1).
func bearer(header string) (string, bool) {
	scheme, secret, ok := strings.Cut(header, " ")
	return secret, ok && strings.EqualFold(scheme, "Bearer") && secret != ""
}

// refuse answers with an error's problem.
func (a *API) refuse(ctx huma.Context, err error) {
	_ = huma.WriteErr(a.huma, ctx, 0, "", err) // the client may have gone
}
