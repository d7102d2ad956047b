//go:build browser

package pages

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// providersOffice has the provider's own service beside it, with lan on its roll.
func providersOffice(t *testing.T) (*office, *scenario.Keeper) {
	t.Helper()
	var keeper *scenario.Keeper
	o := openOffice(t, scenario.DeploymentConfig{Organisations: func(c *scenario.Cast) (services map[string]app.Organisation, err error) {
		keeper, err = scenario.Keep(filepath.Join(t.TempDir(), "provider"), c.Provider, c.BadgeKey, credential.KindProvider, time.Now)
		return map[string]app.Organisation{c.Provider.ID: keeper.Client}, err
	}}, Desk{Services: map[string]string{scenario.NewCast().Provider.ID: "https://keys.anzhuang.example/"}})
	t.Cleanup(func() {
		if err := keeper.Close(); err != nil {
			t.Error(err)
		}
	})
	return o, keeper
}

// The dispatcher writes a newcomer down, sees why he may not be sent yet, gives his own service what the badge
// commits to, and takes lan's badge back: it is in the status list at once, whose age stands beside it.
func TestTheProvidersPeople(t *testing.T) {
	t.Parallel()
	o, keeper := providersOffice(t)
	ctx, d, lan := t.Context(), o.Cast.Dispatcher, o.Cast.Technician
	o.join(d.ID, d.Organisation, d.Role)
	o.writeDown("ming", "明师傅")
	if said := o.js(`document.querySelector("table tbody").innerText`); !strings.Contains(said, "不能派") || !strings.Contains(said, "缺课程或已过期") || !strings.Contains(said, "本单位的服务还不认得他") {
		t.Errorf("a newcomer: %s", said)
	}
	command := strings.Fields(o.js(`document.querySelector("code[id=put-ming]").textContent`))
	if err := keeper.PutPerson("ming", visit.RoleTechnician, command[len(command)-3], command[len(command)-1]); err != nil {
		t.Errorf("the service does not take %v: %v", command, err)
	}
	o.open("/staff/technicians?show=nokey&lang=zh")
	o.until(`document.querySelectorAll("table tbody tr").length === 1 && document.querySelector("table tbody").innerText.includes("没有密钥")`)
	if err := o.play.IssueBadge(ctx, lan, 7, time.Now()); err != nil {
		t.Fatal(err)
	}
	o.look("technicians-list", "/staff/technicians")
	o.look("technicians-none", "/staff/technicians?show=lapsing")
	if got := o.js(`fetch("/staff/technicians.csv?show=blocked").then((r) => r.text())`); !strings.Contains(got, "ming,A-17,no,") || strings.Contains(got, "lan,") || strings.Contains(got, "明师傅") {
		t.Errorf("exported: %s", got)
	}
	o.look("devices-none", "/staff/devices")
	if err := o.play.ShipDevice(ctx); err != nil {
		t.Fatal(err)
	}
	o.look("devices", "/staff/devices")
	if got := o.js(`fetch("/staff/devices.csv").then((r) => r.text())`); !strings.Contains(got, o.play.Device.Serial) {
		t.Errorf("exported: %s", got)
	}
	o.takeBack(keeper)
	o.secondPasskey()
}

// takeBack has the newcomer get the day's badge, and the dispatcher suspend it from the page: his own service has
// ended it, and the status list with it, when the page comes back.
func (o *office) takeBack(keeper *scenario.Keeper) {
	o.t.Helper()
	ctx := o.t.Context()
	ming := scenario.NewPhone("ming", o.Cast.Provider.ID, visit.RoleTechnician)
	if _, err := ming.EnrolAt(ctx, keeper, time.Now()); err != nil {
		o.t.Fatal(err)
	}
	ask, _, err := ming.AskBadge(time.Now())
	if err != nil {
		o.t.Fatal(err)
	}
	if _, err := keeper.Client.Badge(ctx, ask); err != nil {
		o.t.Fatal(err)
	}
	revoke := `document.querySelector("form[data-person=ming] button")`
	for began := time.Now(); time.Since(began) < 15*time.Second; time.Sleep(100 * time.Millisecond) {
		if o.open("/staff/technicians?q=ming&lang=zh"); o.js(revoke+` !== null`) == "true" {
			break // the feed has brought what the service signed
		}
	}
	o.until(revoke + `?.disabled === false`)
	o.js(`(() => { const f = document.querySelector("form[data-person=ming]"); f.closest("details").open = true; f.elements.reason.value = "suspended"; const b = f.querySelector("button"); b.click(); b.click(); })()`)
	o.until(`document.querySelector("table tbody")?.innerText.includes("没有或已吊销") && document.querySelector("table tbody").innerText.includes("分钟前的名单")`)
	roll, err := keeper.Client.People(ctx)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, p := range roll.People {
		if p.Holder == "ming" && p.Badges != 0 {
			o.t.Errorf("%d badges of his are in force", p.Badges)
		}
	}
}

// secondPasskey adds a passkey of another device and takes the first away; the last one stays.
func (o *office) secondPasskey() {
	o.t.Helper()
	o.forgetPasskeys() // another device's keeper
	o.open("/account?lang=zh")
	o.until(`document.querySelector("form[data-act=add-passkey] button")?.disabled === false`)
	o.js(`(() => { const f = document.querySelector("form[data-act=add-passkey]"); f.elements.name.value = "备用电脑"; f.querySelector("button").click(); })()`)
	o.until(`document.querySelectorAll("[aria-labelledby=passkeys] li").length === 2`)
	o.js(`document.querySelector("form[action$='/remove'] button").click()`)
	o.until(`document.querySelectorAll("[aria-labelledby=passkeys] li").length === 1 && document.querySelector("form[action$='/remove']") === null`)
}
