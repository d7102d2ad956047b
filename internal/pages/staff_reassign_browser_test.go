//go:build browser

package pages

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// atDesk is the dispatcher's own browser, with a signing key.
func (o *office) atDesk() *office {
	o.t.Helper()
	desk := *o
	desk.ctx = browser(o.t)
	desk.desk()
	d := o.Cast.Dispatcher
	desk.join(d.ID, d.Organisation, d.Role)
	desk.makeKey(d, o.Cast.Provider)
	return &desk
}

// trains gives bo the courses that lan has.
func (o *office) trains(who *scenario.Actor) {
	o.t.Helper()
	for _, course := range []string{scenario.SecurityCourse, o.Cast.Family()} {
		if err := o.play.Train(o.t.Context(), who, course, time.Now().AddDate(1, 0, 0)); err != nil {
			o.t.Fatal(err)
		}
	}
}

// sendsBy signs that somebody goes, on the form of a verb, and waits for what the page says then: "" or why the gate does not let it yet.
func (o *office) sendsBy(verb, id, who string) (problem string) {
	o.t.Helper()
	form := `form[data-dispatch][data-verb=` + verb + `]`
	o.open("/staff/visits?open=" + id + "&lang=zh")
	o.until(`document.querySelector("` + form + ` button")?.disabled === false`)
	o.js(`(() => { const f = document.querySelector("` + form + `"); f.closest("details") && (f.closest("details").open = true); const set = (q, v) => { const e = f.querySelector(q); e.value = v; e.dispatchEvent(new Event("change")); };
		set("[data-technician]", "` + who + `"); set("[data-body=serial]", "` + o.play.Device.Serial + `"); set("[data-body=supervisor]", "` + o.Cast.Supervisor.ID + `"); })()`)
	o.until(`document.querySelector("` + form + ` [data-photo-state]").textContent !== ""`)
	before := o.events(id, verb)
	o.js(`document.querySelector("` + form + ` button").click()`)
	o.until(`document.querySelector("#signing").open`)
	if said := o.js(`document.querySelector("#signing").innerText`); !strings.Contains(said, who) {
		o.t.Errorf("signed without saying who: %s", said)
	}
	o.js(`document.querySelector("#signing button[value=sign]").click()`)
	o.until(`document.querySelector("[data-problem]:not([hidden])") !== null || document.querySelector("#signing")?.open === false && document.querySelector("form[data-dispatch][aria-busy]") === null && document.readyState === "complete"`)
	for began := time.Now(); o.events(id, verb) == before && time.Since(began) < 15*time.Second; time.Sleep(50 * time.Millisecond) {
	}
	o.until(`document.querySelector("form[data-dispatch][aria-busy]") === null`)
	return o.js(`document.querySelector("[data-problem]:not([hidden])")?.textContent ?? ""`)
}

// sent is who goes, and how far the visit is.
func (o *office) sent(id string) string {
	o.t.Helper()
	a := o.Cast.Approver
	d, err := o.App.Visit(o.t.Context(), app.Actor{Person: a.ID, Organisation: a.Organisation, Role: a.Role}, id)
	if err != nil {
		o.t.Fatal(err)
	}
	return d.State.Dispatched().Technician + " " + string(d.State.Stage())
}

// Before the merchant has signed the price, the dispatcher names lan, then bo: both stand in the record and nobody goes; the
// page says why. When the price is signed, one press asks again, and bo is sent.
func TestAnotherIsNamedBeforeThePriceIsSigned(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, c := t.Context(), o.Cast
	for _, act := range []func(context.Context) error{o.play.Book, func(ctx context.Context) error { return o.play.AgreeApprover(ctx, o.play.Sheet) }, o.play.ShipDevice} {
		if err := act(ctx); err != nil {
			t.Fatal(err)
		}
	}
	o.trains(c.Stranger)
	o.join(c.Dispatcher.ID, c.Dispatcher.Organisation, c.Dispatcher.Role)
	o.makeKey(c.Dispatcher, c.Provider)
	o.writeDown(c.Technician.ID, "蓝师傅")
	o.writeDown(c.Stranger.ID, "薄师傅")
	for _, send := range []struct{ verb, who string }{{visit.DispatchVerb, c.Technician.ID}, {visit.Reassign, c.Stranger.ID}} {
		if said := o.sendsBy(send.verb, "v1", send.who); !strings.Contains(said, "已签字记下") || !strings.Contains(said, "价") {
			t.Errorf("%s of %s: %s", send.verb, send.who, said)
		}
		if got := o.sent("v1"); got != send.who+" booked" {
			t.Errorf("after %s: %s", send.verb, got)
		}
	}
	if err := o.play.AgreeMerchant(ctx, o.play.Sheet); err != nil {
		t.Fatal(err)
	}
	o.open("/staff/visits?open=v1&lang=zh")
	o.until(`document.querySelector("form[data-do=ask] button")?.disabled === false`)
	o.shot("ask-again")
	o.js(`(() => { const b = document.querySelector("form[data-do=ask] button"); b.click(); b.click(); })()`)
	o.until(`document.readyState === "complete" && document.querySelector("[data-live]") !== null && document.querySelector("form[data-do=ask]") === null`)
	if got := o.sent("v1"); got != c.Stranger.ID+" dispatched" {
		t.Errorf("after the price was signed: %s", got)
	}
}

// lan has the visit on his phone and is on his way when somebody else is sent: his phone says so by itself, on the visit and
// under today, until he has read it. When he is sent after all, the visit is back.
func TestAnotherIsSentInHisPlace(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.enrolled()
	f.trains(f.Cast.Stranger)
	desk := f.atDesk()
	desk.writeDown(f.Cast.Stranger.ID, "薄师傅")
	f.press("去做")
	f.sees("扫店主的码")
	if said := desk.sendsBy(visit.Reassign, "v1", f.Cast.Stranger.ID); said != "" {
		t.Error(said)
	}
	if got := f.sent("v1"); got != f.Cast.Stranger.ID+" dispatched" {
		t.Fatalf("after the change: %s", got)
	}
	f.sees("这一单派给别人了") // by itself
	f.shot("former-visit")
	f.press("今天")
	f.sees("这一单派给别人了")
	f.sees("没有派给您的上门")
	f.shot("former-today")
	f.open("/app") // it stays until it was read
	f.sees("这一单派给别人了")
	f.press("知道了")
	f.until(`!document.body.innerText.includes("这一单派给别人了")`)
	desk.writeDown("lan", "蓝师傅")
	if said := desk.sendsBy(visit.Reassign, "v1", "lan"); said != "" {
		t.Error(said)
	}
	f.press("刷新")
	f.sees("下一站")
	if f.js(`document.body.innerText.includes("这一单派给别人了")`) != "false" {
		t.Error("the visit is his again, and the page says that it is not")
	}
}
