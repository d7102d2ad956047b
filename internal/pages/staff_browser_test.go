//go:build browser

package pages

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// office is a whole deployment with its pages, and the browser of one member of staff.
type office struct {
	*scenario.Deployment
	t      *testing.T
	play   *scenario.Play
	ctx    context.Context
	origin string
	client *http.Client
	keeper webauthn.AuthenticatorID
}

func newOffice(t *testing.T) *office {
	t.Helper()
	return openOffice(t, scenario.DeploymentConfig{}, Desk{})
}

// openOffice is newOffice with more: services beside it, or a bound on sign-in.
func openOffice(t *testing.T, c scenario.DeploymentConfig, desk Desk) *office {
	t.Helper()
	c.Dir, c.Now = t.TempDir(), time.Now
	d, err := scenario.NewDeployment(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := &office{Deployment: d, t: t, play: p}
	desk.App, desk.Origin = d.App, func(*http.Request) string { return o.origin }
	site := New(Config{Source: FromApp{App: d.App}, Authenticate: BySession(d.App), Now: time.Now, Desk: desk})
	mux := http.NewServeMux()
	mux.Handle("/v1/", d.API)
	mux.Handle("/", site.Routes())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	o.origin, o.client = strings.Replace(server.URL, "127.0.0.1", "localhost", 1), server.Client()
	o.ctx = browser(t)
	o.desk()
	return o
}

// desk is a desktop with a passkey keeper that verifies its user.
func (o *office) desk() {
	o.t.Helper()
	o.do(send(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1280, Height: 900, DeviceScaleFactor: 1}),
		send(webauthn.Enable, webauthn.EnableParams{}))
	made, err := chromedp.Run(o.ctx, func(ctx context.Context, t *chromedp.Target) (webauthn.AddVirtualAuthenticatorResult, error) {
		return cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
	})
	if err != nil {
		o.t.Fatal(err)
	}
	o.keeper = made.AuthenticatorID
}

// forgetPasskeys empties the keeper: chromium's holds three.
func (o *office) forgetPasskeys() {
	o.t.Helper()
	o.do(send(webauthn.ClearCredentials, webauthn.ClearCredentialsParams{AuthenticatorID: o.keeper}))
}

func (o *office) do(steps ...chromedp.Action[chromedp.Void]) {
	o.t.Helper()
	if err := chromedp.Do(o.ctx, steps...); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) open(path string) { o.t.Helper(); o.do(chromedp.Navigate(o.origin + path)) }

// js gives what an expression is in the page, as text.
func (o *office) js(expression string) string {
	o.t.Helper()
	out, err := chromedp.Run(o.ctx, chromedp.Evaluate[string]("(async () => String(await ("+expression+")))()", chromedp.EvalAwaitPromise))
	if err != nil {
		o.t.Fatal(expression, err)
	}
	return out
}

// until waits for an expression to be true; what it is instead fails the test with the page's text.
func (o *office) until(expression string) {
	o.t.Helper()
	for began := time.Now(); time.Since(began) < 15*time.Second; time.Sleep(50 * time.Millisecond) {
		out, err := chromedp.Run(o.ctx, chromedp.Evaluate[string]("String("+expression+")"))
		if err == nil && out == "true" {
			return
		}
	}
	o.t.Fatalf("%s never came; at %s: %.600s", expression, o.js("location.href"), o.js("document.body.innerText"))
}

// join signs the browser in as somebody, by an invitation and a new passkey.
func (o *office) join(person, organisation, role string) {
	o.t.Helper()
	code, err := o.App.Invite(o.t.Context(), "operator", app.Invitation{Person: person, Organisation: organisation, Role: role, Until: time.Now().Add(time.Hour)})
	if err != nil {
		o.t.Fatal(err)
	}
	o.open("/join#" + code)
	o.until(`document.querySelector("input[name=code]")?.value.length > 20 && location.hash === ""`)
	o.until(`!document.querySelector("form[data-act] button").disabled`)
	o.js(`document.querySelector("form[data-act] button").click()`)
	o.until(`location.pathname === "/staff/visits"`)
}

// look takes pictures of a page in both languages and sizes and asks axe.
func (o *office) look(name, path string) {
	o.t.Helper()
	for _, lang := range []string{zh, en} {
		o.do(held("light", sizes[0]), chromedp.Navigate(o.origin+withLang(path, lang)))
		for _, s := range sizes {
			for _, scheme := range []string{"light", "dark"} {
				if scheme == "dark" && lang == en {
					continue
				}
				s.axe = lang == zh
				image, problems := lookIn(o.ctx, scheme, s)
				for _, p := range problems {
					o.t.Errorf("%s %s %s %s: %s", name, lang, scheme, s.name, p)
				}
				keep(o.t, strings.Join([]string{name, lang, scheme, s.name}, "-")+".png", image)
			}
		}
		for _, p := range enlarged(o.ctx, name+"-"+lang) {
			o.t.Error(p)
		}
	}
}

// A member of staff comes by invitation, leaves, comes back with the passkey, sees both sessions and ends one.
func TestStaffSignIn(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	d := o.Cast.Dispatcher
	o.look("sign-in", "/sign-in")
	o.look("join", "/join")
	o.join(d.ID, d.Organisation, d.Role)
	if o.js("document.cookie") != "" {
		t.Error("a script can read the session")
	}
	_, other, err := o.App.IssueToken(t.Context(), app.TokenGrant{Kind: store.TokenSession, Person: d.ID, Organisation: d.Organisation, Role: d.Role, Label: "Firefox · Windows", Until: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	o.look("account", "/account")
	o.look("invitations", "/staff/invitations")
	o.open("/account?lang=zh")
	o.until(`document.querySelectorAll("[aria-labelledby=sessions] li").length === 2`)
	o.js(`document.querySelector("form[action$='/end'] button").click()`)
	o.until(`document.querySelectorAll("[aria-labelledby=sessions] li").length === 1`)
	if _, err := o.App.Authenticate(t.Context(), other, store.TokenSession); err == nil {
		t.Error("an ended session goes on")
	}
	o.js(`document.querySelector("form[action='/account/sign-out'] button").click()`)
	o.until(`location.pathname === "/" && !document.querySelector("a.viewer")`)
	o.open("/sign-in")
	o.until(`!document.querySelector("form[data-act] button").disabled`)
	o.js(`document.querySelector("form[data-act] button").click()`)
	o.until(`location.pathname === "/staff/visits" && !!document.querySelector("a.viewer")`)
	if strings.Contains(o.js("location.href+document.documentElement.outerHTML"), "menshen_") {
		t.Error("a secret is in an address or page")
	}
	o.open("/staff/invitations")
	o.until(`!document.querySelector("form[data-act] button").disabled`)
	o.js(`(() => { document.querySelector("#person").value = "lan"; document.querySelector("#role").value = "technician"; document.querySelector("form[data-act] button").click(); })()`)
	o.until(`/^[A-Z2-7-]{23}$/.test(document.querySelector("#made-code").textContent)`)
	o.foreign("/account/sign-out")
	o.foreign("/sign-in/options")
}

// foreign posts to a path as a page of another site would: nothing happens.
func (o *office) foreign(path string) {
	o.t.Helper()
	r, err := http.NewRequestWithContext(o.t.Context(), http.MethodPost, strings.Replace(o.origin, "localhost", "127.0.0.1", 1)+path, strings.NewReader("{}"))
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Content-Type", "application/json")
	res, err := o.client.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		o.t.Errorf("%s from another site: %d", path, res.StatusCode)
	}
}

// A dispatcher makes a signing key on his device, his organisation enrols it, and he sends lan: the gate
// grants it on that signature.
func TestDispatchFromTheConsole(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, d := t.Context(), o.Cast.Dispatcher
	for _, act := range []func(context.Context) error{o.play.Book, func(ctx context.Context) error { return o.play.AgreeApprover(ctx, o.play.Sheet) },
		func(ctx context.Context) error { return o.play.AgreeMerchant(ctx, o.play.Sheet) }, o.play.ShipDevice} {
		if err := act(ctx); err != nil {
			t.Fatal(err)
		}
	}
	o.join(d.ID, d.Organisation, d.Role)
	o.makeKey(d, o.Cast.Provider)
	o.look("key", "/staff/key")
	o.open("/staff/visits?day=today")
	o.until(`document.querySelectorAll("table[data-rows] tbody tr").length === 1`)
	o.look("board", "/staff/visits?day=today")
	o.open("/staff/visits?day=today&lang=zh")
	o.until(`document.querySelector("table[data-rows] tbody").innerText.includes("服务商派单员")`) // both have signed the price: it is up to him
	o.until(`document.querySelectorAll("table[data-rows] tbody tr").length === 1`)
	o.press("j")
	o.until(`document.activeElement.dataset.open !== undefined`)
	o.press("/")
	o.until(`document.activeElement.id === "q"`)
	o.look("board-open", "/staff/visits?day=today&open=v1")
	o.look("technicians", "/staff/technicians")
	o.writeDown(o.Cast.Technician.ID, "蓝师傅")
	o.open("/staff/visits?day=today&open=v1&lang=zh")
	o.until(`!document.querySelector("form[data-dispatch] button").disabled`)
	o.js(`(() => { const f = document.querySelector("form[data-dispatch]"); const set = (q, v) => { const e = f.querySelector(q); e.value = v; e.dispatchEvent(new Event("change")); };
		set("[data-technician]", "` + o.Cast.Technician.ID + `"); set("[data-body=serial]", "` + o.play.Device.Serial + `"); set("[data-body=supervisor]", "` + o.Cast.Supervisor.ID + `"); })()`)
	o.until(`document.querySelector("[data-photo-state]").textContent !== "" && document.querySelector("[data-commit=name]").value === "蓝师傅"`)
	o.js(`document.querySelector("form[data-dispatch] button").click()`)
	o.until(`document.querySelector("#signing").open`)
	if said := o.js(`document.querySelector("#signing").innerText`); !strings.Contains(said, "蓝师傅") || !strings.Contains(said, o.play.Device.Serial) {
		t.Errorf("signed without saying what: %s", said)
	}
	o.shot("signing")
	o.js(`document.querySelector("#signing button[value=sign]").click()`)
	o.until(`document.querySelector("form[data-dispatch][data-verb=reassign]") !== null || document.querySelector("[data-problem]:not([hidden])") !== null`)
	o.until(`document.querySelector("table[data-rows] tbody").innerText.includes("店主")`)
	got, err := o.App.Visit(ctx, app.Actor{Person: d.ID, Organisation: d.Organisation, Role: d.Role}, "v1")
	if err != nil {
		t.Fatal(err)
	}
	if got.State.Stage() != visit.Dispatched || got.State.Dispatched().Technician != o.Cast.Technician.ID {
		t.Errorf("stage %s; the page says %s", got.State.Stage(), o.js(`document.querySelector("[data-problem]:not([hidden])")?.textContent ?? location.href`))
	}
	list, _, err := o.App.Technicians(ctx, app.Actor{Person: d.ID, Organisation: d.Organisation, Role: d.Role})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(s app.Staff) bool { return s.Person == o.Cast.Technician.ID })
	if sent := got.State.Dispatched(); i < 0 || sent.Name != list[i].Name || sent.Photo != list[i].Photo {
		t.Errorf("the dispatch commits to another likeness than the badge will: %+v, %+v", sent, list)
	}
	o.look("board-dispatched", "/staff/visits?open=v1")
}

// writeDown puts a technician on the list from the page, with a picture that is made smaller there.
func (o *office) writeDown(id, name string) {
	o.t.Helper()
	o.open("/staff/technicians?lang=zh")
	o.until(`document.querySelector("form[data-do=technician] button")?.disabled === false`)
	o.js(`(async () => { const f = document.querySelector("form[data-do=technician]"); f.closest("details").open = true;
		f.elements.person.value = "` + id + `"; f.elements.staff_no.value = "A-17"; f.elements.name.value = "` + name + `";
		const c = document.createElement("canvas"); c.width = c.height = 900; const x = c.getContext("2d"); for (let i = 0; i < 900; i++) { x.fillStyle = "hsl(" + i + " 80% 50%)"; x.fillRect(i, 0, 1, 900); }
		const blob = await new Promise((r) => c.toBlob(r, "image/png")); const t = new DataTransfer(); t.items.add(new File([blob], "face.png", { type: "image/png" }));
		f.elements.photo.files = t.files; f.querySelector("button").click(); })()`)
	o.until(`location.search.includes("q=` + id + `") && document.querySelectorAll("table tbody tr").length === 1 && document.querySelector("code[id=put-` + id + `]") !== null`)
}

// enrol has the organisation vouch for a key that a page shows, as its own service would.
func (o *office) enrol(who, org *scenario.Actor, public string) {
	o.t.Helper()
	var key statement.Key
	if err := json.Unmarshal([]byte(public), &key); err != nil {
		o.t.Fatal(err, public)
	}
	now := time.Now()
	envelope := org.Forge(scenario.Draft{Stream: "organisation/" + org.ID, Type: statement.TypeEnrolment, At: now, Body: statement.Enrolment{Holder: who.ID, Organisation: who.Organisation,
		Role: who.Role, Key: key, HeldBy: statement.HeldByHolder, From: statement.At(now.Add(-time.Minute)), Until: statement.At(now.AddDate(1, 0, 0))}})
	if err := o.Venue.File(o.t.Context(), org, scenario.Filing{Stream: "organisation/" + org.ID, Verb: visit.Enrol, Envelope: envelope}); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) press(key string) {
	o.t.Helper()
	o.js(`(document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", { key: "` + key + `", bubbles: true, cancelable: true }))`)
}

// shot keeps a picture of what is on the screen.
func (o *office) shot(name string) {
	o.t.Helper()
	image, err := picture(o.ctx)
	if err != nil {
		o.t.Fatal(err)
	}
	keep(o.t, name+".png", image)
}

// makeKey has the device make its owner's signing key and the organisation enrol it.
func (o *office) makeKey(who, org *scenario.Actor) {
	o.t.Helper()
	o.open("/staff/key")
	o.until(`!document.querySelector("[data-when-key=no]").hidden && !document.querySelector("[data-do=make-key] button").disabled`)
	o.js(`document.querySelector("[data-do=make-key] button").click()`)
	o.until(`document.querySelector("[data-thumbprint]")?.textContent.length === 43`)
	o.enrol(who, org, o.js(`document.querySelector("[data-public]").textContent`))
}

// A visit is stopped; the risk desk finds it, decides with reason and appeal, and signs in the browser.
func TestTheRiskDeskDecides(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, risk := t.Context(), o.Cast.Risk
	for _, act := range []func(context.Context) error{o.play.Book, func(ctx context.Context) error { return o.play.Freeze(ctx, o.Cast.Dispatcher, "other") }} {
		if err := act(ctx); err != nil {
			t.Fatal(err)
		}
	}
	o.join(risk.ID, risk.Organisation, risk.Role)
	o.makeKey(risk, o.Cast.Acquirer)
	o.look("risk", "/staff/visits?frozen=1&open=v1")
	o.open("/staff/visits?frozen=1&open=v1&lang=zh")
	o.until(`document.querySelectorAll("table[data-rows] tbody tr").length === 1 && !document.querySelector("form[data-verb=resume] button").disabled`)
	o.js(`(() => { const f = document.querySelector("form[data-verb=resume]"); f.querySelector("[data-body=reason]").value = "核实过，是误报"; f.querySelector("[data-body=appeal]").value = "打 12363，十五日内"; f.querySelector("button").click(); })()`)
	o.until(`document.querySelector("#signing").open`)
	if said := o.js(`document.querySelector("#signing").innerText`); !strings.Contains(said, "误报") || !strings.Contains(said, "12363") {
		t.Errorf("signed without saying what: %s", said)
	}
	o.js(`document.querySelector("#signing button[value=sign]").click()`)
	o.until(`document.querySelector("form[data-verb=resume]") === null`)
	got, err := o.App.Visit(ctx, app.Actor{Person: risk.ID, Organisation: risk.Organisation, Role: risk.Role}, "v1")
	if err != nil || got.State.Frozen() {
		t.Errorf("frozen %v, %v", got.State.Frozen(), err)
	}
}

// The acquirer's approver gets the order's address; the dispatcher's page does not have the button, and
// his request is refused.
func TestTheOrderLinkIsTheAcquirers(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if err := o.play.Book(t.Context()); err != nil {
		t.Fatal(err)
	}
	d, a := o.Cast.Dispatcher, o.Cast.Approver
	o.join(d.ID, d.Organisation, d.Role)
	o.open("/staff/visits?open=v1")
	if o.js(`document.querySelector("form[data-do=link]") === null`) != "true" {
		t.Error("the dispatcher has the button")
	}
	if got := o.js(`fetch("/staff/visits/v1/link", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" }).then((r) => r.status)`); got != "403" {
		t.Errorf("the dispatcher asks: %s", got)
	}
	o.join(a.ID, a.Organisation, a.Role)
	o.open("/staff/visits?open=v1")
	o.until(`!document.querySelector("form[data-do=link] button").disabled`)
	o.js(`(() => { const f = document.querySelector("form[data-do=link]"); f.closest("details").open = true; f.querySelector("button").click(); })()`)
	o.until(`document.querySelector("[data-address]").textContent.includes("/enter/menshen_")`)
	o.shot("link")
}
