//go:build browser

package pages

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/notify"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// On risk level 2 a sign-off from afar is taken down and does not count, and the page says that somebody must be in the shop;
// signed there, it counts.
func TestTheSupervisorSignsInTheShop(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, s := t.Context(), o.Cast.Supervisor
	o.play.NewOrder(visit.Install, 2)
	if err := scenario.Run(ctx, scenario.Until(o.play.Install(), "sign off")); err != nil {
		t.Fatal(err)
	}
	o.join(s.ID, s.Organisation, s.Role)
	o.makeKey(s, o.Cast.Watch)
	signs := func(mode, word string) {
		t.Helper()
		before := o.events("v1", visit.SignOffVerb)
		o.open("/staff/visits?open=v1&lang=zh")
		o.until(`document.querySelector("form[data-verb=sign_off] button")?.disabled === false`)
		if got := o.js(`document.querySelector("form[data-verb=sign_off] [data-body=mode]").value + document.querySelector("form[data-verb=sign_off]").innerText.includes("要人在现场看着")`); got != "presenttrue" {
			t.Errorf("the form on risk level 2: %s", got)
		}
		o.fill(map[string]string{"form[data-verb=sign_off] [data-body=mode]": mode})
		o.sign("form[data-verb=sign_off]", word)
		for began := time.Now(); o.events("v1", visit.SignOffVerb) == before && time.Since(began) < 15*time.Second; time.Sleep(50 * time.Millisecond) {
		}
		o.until(`document.readyState === "complete" && !document.querySelector("#signing").open && !document.querySelector("[aria-busy=true]")`)
	}
	counts := func() bool {
		t.Helper()
		answer, err := o.play.Ask(ctx, visit.AskLive)
		if err != nil {
			t.Fatal(err)
		}
		return answer.Failing[string(gate.Supervised)] == "" && answer.Holding[string(gate.Supervised)] != ""
	}
	signs("remote", "远程")
	if counts() {
		t.Error("a sign-off from afar counts on risk level 2")
	}
	o.open("/staff/visits?open=v1&lang=zh")
	o.until(`document.querySelector("[data-part=conditions]").innerText.includes("要求监督人员到场")`)
	o.shot("sign-off-remote")
	signs("present", "在现场")
	if !counts() {
		t.Error("a sign-off in the shop does not count")
	}
}

// gateway is the acquirer's own, which writes to merchants.
type gateway struct {
	mu  sync.Mutex
	got []notify.Message
}

func (g *gateway) Send(m notify.Message) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.got = append(g.got, m)
	return nil
}

func (g *gateway) sent() []notify.Message {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]notify.Message(nil), g.got...)
}

// The approver has the acquirer's gateway write the order's address to the merchant: two impatient presses are one message. By
// hand, the page makes the address and says to which number it goes. Where there is no gateway, only the second is there.
func TestTheOrdersAddressIsSent(t *testing.T) {
	t.Parallel()
	var sms gateway
	c := scenario.NewCast()
	o := openOffice(t, scenario.DeploymentConfig{Receivers: []notify.Receiver{{Name: "gateway", Organisation: c.Acquirer.ID, Kinds: []string{notify.OrderLink}, Phones: true, Sender: &sms}}}, Desk{})
	ctx, a, d := t.Context(), o.Cast.Approver, o.Cast.Dispatcher
	if r, err := o.Register(ctx, o.play.Device.Model); err != nil {
		t.Fatal(err, r.Problems)
	}
	if err := o.play.Book(ctx); err != nil {
		t.Fatal(err)
	}
	o.join(a.ID, a.Organisation, a.Role)
	o.open("/staff/visits?open=v1&lang=zh")
	o.until(`document.querySelector("form[data-do=send-link] button")?.disabled === false`)
	o.js(`(() => { const b = document.querySelector("form[data-do=send-link] button"); b.closest("details").open = true; b.click(); b.click(); })()`)
	o.until(`document.querySelector("[data-sent]")?.checkVisibility()`)
	o.shot("link-sent")
	for began := time.Now(); len(sms.sent()) == 0 && time.Since(began) < 15*time.Second; time.Sleep(50 * time.Millisecond) {
	}
	got := sms.sent()
	if len(got) != 1 || got[0].To != "15400000101" || !strings.HasPrefix(got[0].Link, "https://menshen.example/enter/") {
		t.Errorf("sent: %+v", got)
	}
	o.js(`document.querySelector("form[data-do=link] button").click()`)
	o.until(`document.querySelector("[data-made]")?.checkVisibility() && document.querySelector("[data-address]").textContent.includes("/enter/")`)
	if said := o.js(`document.querySelector("[data-made]").innerText`); strings.Contains(said, "15400000101") {
		t.Errorf("the whole number is on the page: %s", said)
	}
	o.shot("link-made")
	o.forgetPasskeys()
	o.join(d.ID, d.Organisation, d.Role)
	o.open("/staff/visits?open=v1&lang=zh")
	o.until(`document.querySelector("[data-live]") !== null`)
	if o.js(`document.querySelector("form[data-do=link], form[data-do=send-link]")`) != "null" {
		t.Error("the provider can send the merchant's address")
	}
	if got := o.js(`fetch("/staff/visits/v1/send-link", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" }).then((r) => r.status)`); !strings.HasPrefix(got, "4") || len(sms.sent()) != 1 {
		t.Errorf("the provider sends it past the page: %s", got)
	}
}

// An invitation that is over, was used, was withdrawn, is another role's or of nobody lets nobody in and says so; it is kept in no address.
func TestInvitationsThatLetNobodyIn(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	o := openOffice(t, scenario.DeploymentConfig{Server: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}, Desk{})
	d, lan := o.Cast.Dispatcher, o.Cast.Technician
	invite := func(who *scenario.Actor, role string, holds time.Duration) string {
		t.Helper()
		code, err := o.App.Invite(t.Context(), "operator", app.Invitation{Person: who.ID, Organisation: who.Organisation, Role: role, Until: time.Now().Add(time.Duration(ahead.Load()) + holds)})
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	refused := func(what, code, lang, says string) {
		t.Helper()
		o.open("/sign-in") // a fragment alone would load nothing anew
		o.open("/join?lang=" + lang + "#" + code)
		o.until(`document.querySelector("input[name=code]")?.value.length > 3 && location.hash === "" && !document.querySelector("form[data-act] button").disabled`)
		o.js(`document.querySelector("form[data-act] button").click()`)
		o.until(`document.querySelector("[data-problem]:not([hidden])")?.dataset.code === "invitation_not_open"`)
		if said := o.js(`document.querySelector("[data-problem]").textContent`); !strings.Contains(said, says) {
			t.Errorf("%s: %s", what, said)
		}
		if o.js(`document.querySelector("a.viewer")`) != "null" {
			t.Errorf("%s lets in", what)
		}
	}
	short := invite(d, d.Role, time.Hour)
	ahead.Add(int64(61 * time.Minute))
	refused("over", short, zh, "过期")
	o.shot("invitation-over")
	refused("of nobody", strings.Repeat("A", 20), en, "used or over")

	used := invite(d, d.Role, time.Hour)
	o.open("/join#" + used)
	o.until(`document.querySelector("input[name=code]")?.value.length > 20 && !document.querySelector("form[data-act] button").disabled`)
	o.js(`(() => { const b = document.querySelector("form[data-act] button"); b.click(); b.click(); })()`) // twice at once is once
	o.until(`location.pathname === "/staff/visits"`)
	o.js(`fetch("/account/sign-out", { method: "POST" }).then(() => "")`)
	refused("used", used, zh, "用过了")

	// Another role: a technician's invitation makes a technician of whoever has it, and opens no console.
	o.forgetPasskeys()
	other := invite(lan, visit.RoleTechnician, time.Hour)
	o.open("/sign-in")
	o.open("/join#" + other)
	o.until(`document.querySelector("input[name=code]")?.value.length > 20 && !document.querySelector("form[data-act] button").disabled`)
	o.js(`document.querySelector("form[data-act] button").click()`)
	o.until(`location.pathname === "/app"`)
	if got := o.js(`Promise.all(["/staff/visits", "/staff/merchants", "/staff/invitations"].map((p) => fetch(p).then((r) => r.status))).then((all) => all.join())`); strings.Contains(got, "200") {
		t.Errorf("a technician opens consoles: %s", got)
	}
}
