//go:build browser

package pages

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// sits signs somebody in on a browser that has no passkeys, by a session that he began elsewhere.
func (o *office) sits(who *scenario.Actor) {
	o.t.Helper()
	_, secret, err := o.App.IssueToken(o.t.Context(), app.TokenGrant{Kind: store.TokenSession, Person: who.ID, Organisation: who.Organisation, Role: who.Role, Label: "Chromium", Until: time.Now().Add(time.Hour)})
	if err != nil {
		o.t.Fatal(err)
	}
	o.as(secret)
}

// A supervisor's and a regulator's browser have no passkeys. The page says so and makes a key that stays in it; their organisations
// enrol that; what they sign with it counts as it would by a passkey, and every event says which kind of key it was.
func TestSupervisorAndRegulatorSignWithAPageKey(t *testing.T) {
	t.Parallel()
	o, _ := acquirersOffice(t)
	ctx, s := t.Context(), o.Cast.Supervisor
	o.do(send(webauthn.Disable, cdp.Empty{}))
	if err := scenario.Run(ctx, scenario.Until(o.play.Install(), "sign off")); err != nil {
		t.Fatal(err)
	}
	pageKey := func(who *scenario.Actor, org *scenario.Actor) {
		t.Helper()
		o.sits(who)
		o.open("/staff/key?lang=zh")
		o.until(`document.querySelector("[data-when-key=no]").innerText.includes("通行密钥")`)
		o.makeKey(who, org)
		if kind := o.js(`JSON.parse(document.querySelector("[data-public]").textContent).kind`); kind != statement.ES256 {
			t.Errorf("%s signs with %s", who.ID, kind)
		}
		o.shot("page-key-" + who.Role)
	}
	pageKey(s, o.Cast.Watch)
	o.open("/staff/visits?open=v1&lang=zh")
	o.until(`document.querySelector("form[data-verb=sign_off] button")?.disabled === false`)
	before := o.events("v1", visit.SignOffVerb)
	o.sign("form[data-verb=sign_off]")
	for began := time.Now(); o.events("v1", visit.SignOffVerb) == before && time.Since(began) < 15*time.Second; time.Sleep(50 * time.Millisecond) {
	}
	answer, err := o.play.Ask(ctx, visit.AskLive)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Holding[string(gate.Supervised)] == "" {
		t.Errorf("signed by a page's key: %q", answer.Failing[string(gate.Supervised)])
	}

	id := o.Cast.Provider.ID
	assoc := o.Cast.Association
	assoc.Role = visit.RoleOrganisation // as the house that enrols who sits in it
	pageKey(scenario.NewActor("gu-assoc", assoc.ID, visit.RoleRegulator), assoc)
	o.open("/staff/suspensions?kind=organisation&id=" + id + "&lang=zh")
	o.until(`document.querySelector("form[data-type=suspension] button[type=submit]")?.disabled === false`)
	o.fill(map[string]string{"#suspend-appeal": "0529-65550001"})
	o.sign("form[data-type=suspension]", id, "涉嫌欺诈")
	o.until(`document.querySelectorAll("table[data-rows] tbody tr").length === 1`)
	o.shot("page-key-suspended")
	if answer, err = o.play.Ask(ctx, visit.AskLive); err != nil || answer.Failing[string(gate.NothingOpen)] == "" {
		t.Errorf("the provider is suspended, and the gate sees %v, %v", answer.Failing, err)
	}
	o.open("/staff/suspensions?lang=en")
	o.until(`document.querySelector("form[data-type=reinstatement] button")?.disabled === false`)
	o.sign("form[data-type=reinstatement]", id)
	o.until(`document.querySelector("table[data-rows]") === null && document.querySelector(".empty") !== null`)
	if strings.Contains(o.js(`document.body.innerText`), id) {
		t.Error("a suspension that was lifted is still listed")
	}
}
