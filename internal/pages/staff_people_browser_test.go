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
}
