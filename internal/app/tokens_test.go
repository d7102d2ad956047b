package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

func grant(edit func(*app.TokenGrant)) app.TokenGrant {
	g := app.TokenGrant{Kind: store.TokenAPI, Person: "lan", Organisation: "svc-anzhuang", Role: visit.RoleTechnician, Label: "tablet", Until: time.Now().Add(time.Hour)}
	if edit != nil {
		edit(&g)
	}
	return g
}

func TestATokenSaysWhoAsks(t *testing.T) {
	d, _ := deploy(t)
	id, secret, err := d.App.IssueToken(t.Context(), grant(nil))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(secret, "menshen_") || len(secret) < 40 || strings.Contains(secret, id) {
		t.Errorf("secret %d long, id %s", len(secret), id)
	}
	who, err := d.App.Authenticate(t.Context(), secret, store.TokenAPI)
	if err != nil || who != (app.Actor{Person: "lan", Organisation: "svc-anzhuang", Role: visit.RoleTechnician, Token: id}) {
		t.Errorf("%+v, %v", who, err)
	}
	if _, err := d.App.Authenticate(t.Context(), secret, store.TokenSession, store.TokenLink); fault.CodeOf(err) != "token_kind_not_accepted" {
		t.Errorf("as another kind: %v", err)
	}
	if _, err := d.App.Authenticate(t.Context(), secret); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("as no kind: %v", err)
	}
	for _, wrong := range []string{"", id, secret + "x", strings.ToUpper(secret)} {
		if _, err := d.App.Authenticate(t.Context(), wrong, store.TokenAPI); fault.CodeOf(err) != "token_unknown" {
			t.Errorf("%v", err)
		}
	}
	if err := d.App.RevokeToken(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := d.App.Authenticate(t.Context(), secret, store.TokenAPI); fault.CodeOf(err) != "token_unknown" {
		t.Errorf("after it was revoked: %v", err)
	}
}

func TestATokenThatShouldNotBe(t *testing.T) {
	d, _ := deploy(t)
	for where, edit := range map[string]func(*app.TokenGrant){
		"kind":         func(g *app.TokenGrant) { g.Kind = "master" },
		"person":       func(g *app.TokenGrant) { g.Person = "" },
		"organisation": func(g *app.TokenGrant) { g.Organisation = "a b" },
		"role":         func(g *app.TokenGrant) { g.Role = visit.RolePlatform },
		"label":        func(g *app.TokenGrant) { g.Label = strings.Repeat("x", 101) },
		"until":        func(g *app.TokenGrant) { g.Until = time.Now().AddDate(2, 0, 0) },
	} {
		_, secret, err := d.App.IssueToken(t.Context(), grant(edit))
		if f := fault.Of(err); secret != "" || f == nil || f.Code != "token_malformed" || f.Where != where {
			t.Errorf("%s: %v", where, err)
		}
	}
	for name, edit := range map[string]func(*app.TokenGrant){
		"over already":        func(g *app.TokenGrant) { g.Until = time.Now().Add(-time.Second) },
		"a session for weeks": func(g *app.TokenGrant) { g.Kind, g.Until = store.TokenSession, time.Now().AddDate(0, 0, 14) },
		"no such role":        func(g *app.TokenGrant) { g.Role = "king" },
	} {
		if _, _, err := d.App.IssueToken(t.Context(), grant(edit)); fault.CodeOf(err) != "token_malformed" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecretsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		secret, hash := app.NewToken()
		if seen[secret] || seen[hash] || strings.Contains(hash, secret) || len(hash) != 64 {
			t.Fatal("a secret came twice, or its hash is none")
		}
		seen[secret], seen[hash] = true, true
	}
}

func TestAnAnswerIsKeptOnce(t *testing.T) {
	d, _ := deploy(t)
	lan, bo := app.Actor{Token: "tok-lan"}, app.Actor{Token: "tok-bo"}
	if _, found, err := d.App.Answered(t.Context(), lan, "k", "request"); found || err != nil {
		t.Fatalf("%v %v", found, err)
	}
	if err := d.App.KeepAnswer(t.Context(), lan, "k", "request", app.KeptAnswer{Status: 201, Body: []byte("first")}); err != nil {
		t.Fatal(err)
	}
	if err := d.App.KeepAnswer(t.Context(), lan, "k", "request", app.KeptAnswer{Status: 201, Body: []byte("second")}); fault.CodeOf(err) != "idempotency_key_reused" {
		t.Errorf("kept twice: %v", err)
	}
	kept, found, err := d.App.Answered(t.Context(), lan, "k", "request")
	if err != nil || !found || kept.Status != 201 || string(kept.Body) != "first" {
		t.Errorf("%v %v %v", kept, found, err)
	}
	if _, _, err := d.App.Answered(t.Context(), lan, "k", "another"); fault.CodeOf(err) != "idempotency_key_reused" {
		t.Errorf("another request: %v", err)
	}
	if _, found, err := d.App.Answered(t.Context(), bo, "k", "request"); found || err != nil {
		t.Errorf("another token: %v %v", found, err)
	}
}
