//go:build browser

package pages

import (
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// Two phones of lan's said two things. The dispatcher sees both side by side and settles it, once; a dispatcher of
// another provider sees nothing of it, nor of anything else that is this one's, whatever address he tries.
func TestConflictsAndTheHousesOwnWalls(t *testing.T) {
	t.Parallel()
	limit := httpapi.Limit(httpapi.Rate{PerSecond: 0.001, Burst: 12}, nil)
	o := openOffice(t, scenario.DeploymentConfig{}, Desk{Limit: limit})
	ctx, d, lan := t.Context(), o.Cast.Dispatcher, o.Cast.Technician
	if err := scenario.Run(ctx, scenario.Until(o.play.Install(), "arrive")); err != nil {
		t.Fatal(err)
	}
	o.step(lan, "mount", "")
	o.step(lan, "counter", "signer_chain_broken")
	o.join(d.ID, d.Organisation, d.Role)
	o.makeKey(d, o.Cast.Provider)
	o.look("conflicts", "/staff/conflicts")
	o.open("/staff/conflicts?lang=zh")
	if said := o.js(`document.querySelector(".sides").innerText`); !strings.Contains(said, "mount") || !strings.Contains(said, "counter") {
		t.Errorf("both sides: %s", said)
	}
	late := o.js(`document.querySelector("[data-body=late]").value`)
	o.fill(map[string]string{"[data-body=reason]": "two_phones"})
	o.signTwice("form[data-verb=settle]")
	o.until(`document.readyState === "complete" && document.querySelector("form[data-verb=settle]") === null && document.body.innerText.includes("两部手机都签了")`)
	if n := o.events("v1", visit.Settle); n != 1 {
		o.t.Errorf("tapped twice, the ruling is recorded %d times", n)
	}
	o.look("conflicts-settled", "/staff/conflicts")
	o.foreigners(late)
	// Guessing at codes stops after a few tries, before anything is looked up.
	got := o.js(`(async () => { let s = 0; for (let i = 0; i < 14 && s !== 429; i++) s = (await fetch("/join/options", { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"code":"AAAAA-AAAAA-AAAAA-AAAAA"}' })).status; return s; })()`)
	if got != "429" {
		t.Errorf("guessing goes on: %s", got)
	}
	o.open("/sign-in?lang=zh")
	o.until(`document.querySelector("form[data-act] button")?.disabled === false`)
	o.js(`document.querySelector("form[data-act] button").click()`)
	o.until(`document.querySelector("[data-problem]:not([hidden])")?.dataset.code === "rate_limited"`)
}

// step files a step in a technician's name, without his scenario's own chain moving on.
func (o *office) step(by *scenario.Actor, name, want string) {
	o.t.Helper()
	envelope := by.Forge(scenario.Draft{Stream: "visit/v1", Type: visit.TypeStep, At: time.Now(), Body: visit.Step{Visit: "v1", Step: name, Photos: []visit.Photo{}}})
	_, err := o.App.Submit(o.t.Context(), app.Actor{Person: by.ID, Organisation: by.Organisation, Role: by.Role}, app.Submission{Stream: "visit/v1", Verb: visit.RecordStep, Envelope: envelope})
	if got := fault.CodeOf(err); got != want {
		o.t.Fatalf("%s: %v, want %q", name, err, want)
	}
}

// foreigners try what is another house's: its visit, its people, its conflict, its invitations.
func (o *office) foreigners(conflict string) {
	o.t.Helper()
	rival := o.Cast.Rival.ID
	o.join("ri", rival, visit.RoleDispatcher)
	for path, want := range map[string]string{
		"/staff/visits?open=v1": "404", "/staff/visits/v1/news?after=0&wait=0": "404", "/visits/v1": "404", "/visits/v1/pack": "404",
		"/staff/technicians/lan/face": "404", "/staff/technicians.csv": "200", "/staff/devices.csv": "200", "/staff/visits.csv": "200", "/staff/conflicts": "200", "/staff/invitations": "200",
	} {
		got := o.js(`(async () => { const r = await fetch("` + path + `"); return r.status + " " + (await r.text()); })()`)
		status, text, _ := strings.Cut(got, " ")
		if status != want {
			o.t.Errorf("%s: %s", path, status)
		}
		for _, secret := range []string{o.play.Device.Serial, "两部手机都签了", o.play.Order.Order, o.Cast.Provider.ID} {
			if strings.Contains(text, secret) {
				o.t.Errorf("%s shows %s to another house", path, secret)
			}
		}
	}
	for path, body := range map[string]string{"/v1/visits/v1/settle": `{"statement":"` + conflict + `","openings":[]}`, "/staff/visits/v1/link": `{}`, "/staff/visits/v1/send-link": `{}`,
		"/v1/people/lan/revoke_badge": `{"reason":"fraud"}`, "/account/sessions/none/end": ``} {
		if got := o.js(`fetch("` + path + `", { method: "POST", redirect: "manual", headers: { "Content-Type": "application/json", "Idempotency-Key": "k1" }, body: '` + body + `' }).then((r) => r.status)`); got == "200" || got == "201" {
			o.t.Errorf("%s is done for another house: %s", path, got)
		}
	}
}
