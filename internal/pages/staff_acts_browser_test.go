//go:build browser

package pages

import (
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// signTwice clicks a form's button twice, as impatient people do, and once more after it was done.
func (o *office) signTwice(form string) {
	o.t.Helper()
	o.until(`document.querySelector('` + form + ` button[type=submit]')?.disabled === false`)
	o.js(`(() => { const b = document.querySelector('` + form + ` button[type=submit]'); b.closest("details") && (b.closest("details").open = true); b.click(); b.click(); })()`)
	o.until(`document.querySelector("#signing").open`)
	o.js(`(() => { const yes = document.querySelector("#signing button[value=sign]"); yes.click(); yes.click(); })()`)
}

// events counts what a visit's stream holds under a verb.
func (o *office) events(id, verb string) int {
	o.t.Helper()
	a := o.Cast.Approver
	d, err := o.App.Visit(o.t.Context(), app.Actor{Person: a.ID, Organisation: a.Organisation, Role: a.Role}, id)
	if err != nil {
		o.t.Fatal(err)
	}
	n := 0
	for _, e := range d.Events {
		if e.Verb == verb {
			n++
		}
	}
	return n
}

// act signs one brake on a visit's page and comes back to it by reload and by the back button: it was done once.
func (o *office) act(id, verb string) {
	o.t.Helper()
	before := o.events(id, verb)
	o.open("/staff/visits?open=" + id + "&lang=zh")
	o.signTwice("form[data-verb=" + verb + "]")
	for began := time.Now(); o.events(id, verb) == before && time.Since(began) < 15*time.Second; time.Sleep(50 * time.Millisecond) {
	}
	o.until(`document.readyState === "complete" && document.querySelector("[data-live]") !== null && !document.querySelector("#signing").open && !document.querySelector("[aria-busy=true]")`)
	o.open("/staff/visits?open=" + id)
	o.js(`history.back()`)
	o.until(`document.readyState === "complete" && document.querySelector("[data-live]") !== null`)
	if n := o.events(id, verb); n != before+1 {
		o.t.Errorf("%s on %s was recorded %d times; the page says %s", verb, id, n-before, o.js(`document.querySelector("[data-problem]:not([hidden])")?.textContent ?? "nothing"`))
	}
}

// The provider's dispatcher and the acquirer's approver, each with a key of his own in the browser, play every
// brake that their consoles offer: each once, however often it is tapped. What is refused says why.
func TestStaffPlaysEveryBrakeOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, d := t.Context(), o.Cast.Dispatcher
	scenes := scenario.Until(o.play.Install(), "work")
	for _, s := range scenes {
		if err := s.Run(ctx); err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
	}
	later := o.another("v2")
	o.join(d.ID, d.Organisation, d.Role)
	o.makeKey(d, o.Cast.Provider)
	o.answerLost("v1")
	o.staleForm("v1")
	o.act("v1", visit.Cancel)
	o.act("v1", visit.RollBack)
	if got := o.stage("v1"); got != visit.RolledBack {
		t.Errorf("after the roll-back: %s", got)
	}
	o.act(later, visit.Abort)
	if got := o.stage(later); got != visit.Aborted {
		t.Errorf("after the abort: %s", got)
	}
	o.refusedSaysWhy(later)
}

// answerLost signs a freeze whose answer never comes: the page says so, and a reload sends the same bytes.
func (o *office) answerLost(id string) {
	o.t.Helper()
	o.js(`sessionStorage.setItem("menshen-live-off", "1")`) // or the page would show by itself that it arrived
	o.open("/staff/visits?open=" + id + "&lang=zh")
	o.until(`document.querySelector("form[data-verb=freeze] button")?.disabled === false`)
	o.js(`(() => { const real = fetch; window.fetch = async (path, how) => { if (String(path).endsWith("/freeze")) { await real(path, how); throw new TypeError("lost"); } return real(path, how); };
		const b = document.querySelector("form[data-verb=freeze] button"); b.closest("details").open = true; b.click(); })()`)
	o.until(`document.querySelector("#signing").open`)
	o.js(`document.querySelector("#signing button[value=sign]").click()`)
	o.until(`document.querySelector("form[data-verb=freeze] [data-problem]:not([hidden])")?.dataset.code === "offline"`)
	o.js(`document.querySelector("form[data-verb=freeze] button").click()`) // again, still without an answer
	o.until(`document.querySelector("form[data-verb=freeze]").getAttribute("aria-busy") === null`)
	o.open("/staff/visits?open=" + id + "&lang=zh")
	o.until(`/送到了/.test(document.querySelector("[data-unanswered]").textContent)`)
	o.shot("unanswered")
	o.open("/staff/visits?open=" + id + "&lang=zh")
	o.until(`document.querySelector("[data-unanswered]").hidden`)
	if n := o.events(id, visit.Freeze); n != 1 {
		o.t.Errorf("a freeze whose answer was lost was recorded %d times", n)
	}
}

// staleForm signs on a page that is older than the visit: nothing is signed, and the page shows the newest.
func (o *office) staleForm(id string) {
	o.t.Helper()
	before := o.events(id, visit.Cancel)
	o.open("/staff/visits?open=" + id + "&lang=zh")
	o.until(`document.querySelector("form[data-verb=cancel] button")?.disabled === false`)
	o.js(`(() => { const on = document.querySelector("[data-live-on]"); on.click(); document.querySelector("[data-live]").dataset.number = "3"; const b = document.querySelector("form[data-verb=cancel] button"); b.closest("details").open = true; b.click(); })()`)
	o.until(`document.querySelector("form[data-verb=cancel] [data-problem]:not([hidden])")?.dataset.code === "page_outdated" || document.querySelector("#signing").open`)
	if o.js(`document.querySelector("#signing").open`) == "true" || o.events(id, visit.Cancel) != before {
		o.t.Error("an old page signs")
	}
	o.js(`sessionStorage.clear()`)
}

// refusedSaysWhy signs under a key that nobody enrolled: the server's reason stands on the page, in the
// reader's language, and nothing is recorded.
func (o *office) refusedSaysWhy(id string) {
	o.t.Helper()
	before := o.events(id, visit.Freeze)
	a := o.Cast.Approver
	o.forgetPasskeys()
	o.join(a.ID, a.Organisation, a.Role)
	o.open("/staff/key")
	o.until(`!document.querySelector("[data-when-key=no]").hidden && !document.querySelector("[data-do=make-key] button").disabled`)
	o.js(`document.querySelector("[data-do=make-key] button").click()`)
	o.until(`document.querySelector("[data-thumbprint]")?.textContent.length === 43`)
	another := o.another("v3")
	for _, lang := range []string{zh, en} {
		o.open("/staff/visits?open=" + another + "&lang=" + lang)
		o.signTwice("form[data-verb=freeze]")
		o.until(`document.querySelector("form[data-verb=freeze] [data-problem]:not([hidden])")?.dataset.code === "key_not_enrolled"`)
		said := o.js(`document.querySelector("form[data-verb=freeze] [data-problem]").textContent`)
		if chinese := strings.ContainsAny(said, "没密钥的"); chinese != (lang == zh) {
			o.t.Errorf("refused in another language than %s: %s", lang, said)
		}
	}
	if n := o.events(id, visit.Freeze); n != before {
		o.t.Error("a refused freeze was recorded")
	}
}

// another books one more visit, as far as dispatch.
func (o *office) another(id string) string {
	o.t.Helper()
	p := o.play.Next(visit.Inspection, id, o.play.Device.Serial, o.play.Order.Terminal)
	if err := p.Book(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
	return id
}

func (o *office) stage(id string) visit.Stage {
	o.t.Helper()
	a := o.Cast.Approver
	d, err := o.App.Visit(o.t.Context(), app.Actor{Person: a.ID, Organisation: a.Organisation, Role: a.Role}, id)
	if err != nil {
		o.t.Fatal(err)
	}
	return d.State.Stage()
}

// The supervisor watches a visit without touching the page: what the technician and the merchant do shows by
// itself and is said to a screen reader; what he is filling in is left alone. Then he signs off, once.
func TestTheSupervisorWatchesAndSignsOff(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, s := t.Context(), o.Cast.Supervisor
	run := func(scenes []scenario.Scene) {
		t.Helper()
		for _, scene := range scenes {
			if err := scene.Run(ctx); err != nil {
				t.Fatalf("%s: %v", scene.Name, err)
			}
		}
	}
	all := o.play.Install()
	before := len(scenario.Until(all, "door"))
	run(all[:before])
	o.join(s.ID, s.Organisation, s.Role)
	o.makeKey(s, o.Cast.Watch)
	o.open("/staff/visits?open=v1&lang=zh")
	o.until(`document.querySelector("[data-live-on]").checked && document.querySelector("form[data-verb=sign_off] button")?.disabled === false`)
	number := o.js(`document.querySelector("[data-live]").dataset.number`)
	// What he has opened and where he is stay; what he is pressing is not taken from under the finger.
	o.js(`(() => { window.stayed = true; const d = document.querySelector("[data-part=conditions] details"); d.open = true; window.aimed = d.querySelector("summary"); aimed.focus();
		aimed.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true })); return ""; })()`)
	run(all[before : before+1])
	o.js(`new Promise((later) => setTimeout(() => { window.lost = !aimed.isConnected; aimed.dispatchEvent(new PointerEvent("pointerup", { bubbles: true })); later(""); }, 800))`)
	o.until(`!window.aimed.isConnected`)
	if got := o.js(`[window.lost, document.activeElement.tagName === "SUMMARY", document.querySelector("[data-part=conditions] details").open].join()`); got != "false,true,true" {
		t.Errorf("the page took away what was in hand: %s", got)
	}
	o.until(`document.querySelector("[data-live]").dataset.number > "` + number + `" && document.querySelector("[data-live-says]").textContent !== ""`)
	o.look("supervisor", "/staff/visits?open=v1")
	o.act("v1", visit.SignOffVerb)
	o.act("v1", visit.Freeze)
	o.open("/staff/visits?open=v1&lang=zh")
	o.until(`document.querySelector("form[data-verb=sign_off] button")?.disabled === false`)
	o.js(`(() => { window.stayed = true; const f = document.querySelector("[data-body=satisfied]"); f.value = "false"; f.dispatchEvent(new Event("input", { bubbles: true })); })()`)
	if err := o.play.Venue.File(ctx, o.Cast.Approver, scenario.Filing{Stream: "visit/v1", Verb: visit.Abort, Envelope: o.Cast.Approver.Sign(scenario.Draft{Stream: "visit/v1",
		Type: visit.TypeBrake, At: time.Now(), Body: visit.Brake{Visit: "v1", Reason: "other"}})}); err != nil {
		t.Fatal(err)
	}
	o.until(`!document.querySelector("[data-live-held]").hidden`)
	if o.js(`window.stayed && document.querySelector("[data-body=satisfied]").value`) != "false" {
		t.Error("what was being filled in is gone")
	}
	o.shot("supervisor-held")
	if got := o.js(`fetch("/staff/visits/none/news?after=0&wait=0").then((r) => r.status)`); got != "404" {
		t.Errorf("news of no visit: %s", got)
	}
	if got := o.js(`fetch("/staff/visits/v1/news?after=x&wait=0").then((r) => r.status)`); got != "400" {
		t.Errorf("news after nothing: %s", got)
	}
}
