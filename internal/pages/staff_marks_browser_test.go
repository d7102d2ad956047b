//go:build browser

package pages

import (
	"context"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// A technician's device is gone. His dispatcher says so on the page of devices and signs; it stands there in red, the visit
// is refused for that reason, and he has no way to lift it. It is found; the risk desk looks at it, reads what that means,
// and signs; then it may be used again.
func TestALostDeviceIsReportedFoundAndCleared(t *testing.T) {
	t.Parallel()
	o, _ := acquirersOffice(t)
	ctx, p, serial := t.Context(), o.play, o.play.Device.Serial
	agree := func(by func(context.Context, agreement.Sheet) error) func(context.Context) error {
		return func(ctx context.Context) error { return by(ctx, p.Sheet) }
	}
	for _, act := range []func(context.Context) error{p.Book, agree(p.AgreeApprover), agree(p.AgreeMerchant), p.ShipDevice, p.Assign} {
		if err := act(ctx); err != nil {
			t.Fatal(err)
		}
	}
	nothingOpen := func(want string) {
		t.Helper()
		a, err := p.Venue.Ask(ctx, o.Cast.Dispatcher, p.ID, visit.AskDispatch)
		if err != nil || a.Failing["nothing-open"] != want {
			t.Errorf("nothing-open: %q, want %q, %v", a.Failing["nothing-open"], want, err)
		}
	}
	d, r := o.Cast.Dispatcher, o.Cast.Risk
	o.join(d.ID, d.Organisation, d.Role)
	o.makeKey(d, o.Cast.Provider)
	o.look("devices", "/staff/devices")
	o.open("/staff/devices?lang=zh")
	o.until(`document.querySelector("form[data-type=suspension] button")?.disabled === false`)
	o.js(`document.querySelector("form[data-type=suspension]").closest("details").open = true`)
	o.js(`document.querySelector("[data-body=appeal]").value = "0529-65550001"`)
	o.shot("device-mark")
	o.sign("form[data-type=suspension]", serial, "说不清在谁手里", "0529-65550001")
	o.until(`document.querySelector("[data-mark=lost]") !== null && document.querySelector("form[data-type=suspension]") === null`)
	o.look("devices-lost", "/staff/devices")
	nothingOpen("device_lost")
	if file := o.js(`fetch("/staff/devices.csv").then((r) => r.text())`); !strings.Contains(file, serial) || !strings.Contains(file, ",lost") {
		t.Error(file)
	}
	o.open("/staff/suspensions?lang=zh")
	if said := o.js(`document.querySelector("table[data-rows]").innerText`); !strings.Contains(said, serial) || !strings.Contains(said, "已报丢失") {
		t.Error(said)
	}
	if o.js(`document.querySelector("form[data-type=reinstatement]") === null`) != "true" {
		t.Error("the dispatcher is offered to lift it")
	}

	o.forgetPasskeys()
	o.join(r.ID, r.Organisation, r.Role)
	o.makeKey(r, o.Cast.Acquirer)
	o.open("/staff/suspensions?kind=device&id=" + serial + "&lang=zh")
	o.until(`document.querySelector("form[data-verb=freeze]")?.innerText.includes("已经有 1 件没处理完")`)
	o.look("suspensions-device", "/staff/suspensions?kind=device&id="+serial)
	o.open("/staff/suspensions?lang=zh")
	o.until(`document.querySelector("form[data-type=reinstatement] button")?.disabled === false`)
	o.js(`document.querySelector("form[data-type=reinstatement]").closest("details").open = true`)
	o.shot("device-lift")
	o.sign("form[data-type=reinstatement]", serial, "找到了，查验过，没有动过")
	o.until(`document.querySelector("table[data-rows]") === null && document.querySelector(".empty") !== null`)
	nothingOpen("")
}

// A terminal that takes money is quarantined by its acquirer's approver: the page says that its keys go on, and the history
// names the mark. It is nobody's who has nothing to do with it.
func TestATerminalInUseIsQuarantined(t *testing.T) {
	t.Parallel()
	o, _ := acquirersOffice(t)
	if err := scenario.Run(t.Context(), o.play.Install()); err != nil {
		t.Fatal(err)
	}
	a, serial := o.Cast.Approver, o.play.Device.Serial
	o.join(a.ID, a.Organisation, a.Role)
	o.makeKey(a, o.Cast.Acquirer)
	o.open("/staff/terminals/" + serial + "?lang=zh")
	o.until(`document.querySelector("form[data-type=suspension] button")?.disabled === false`)
	o.js(`document.querySelector("form[data-type=suspension]").closest("details").open = true`)
	o.fill(map[string]string{"[data-body=reason]": visit.MarkQuarantined, "[data-body=appeal]": "0529-65550001"})
	o.sign("form[data-type=suspension]", serial, "像被动过")
	o.until(`document.querySelector("[data-mark=quarantined]") !== null`)
	if said := o.js(`document.querySelector("main").innerText`); !strings.Contains(said, "这台机还在收钱") || !strings.Contains(said, "标记 "+a.ID) {
		t.Error(said)
	}
	o.look("terminal-quarantined", "/staff/terminals/"+serial)
}
