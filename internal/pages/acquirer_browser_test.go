//go:build browser

package pages

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// acquirersOffice is an office where the corner shop is on file and the acquirer runs its own service.
func acquirersOffice(t *testing.T) (*office, *scenario.Keeper) {
	t.Helper()
	var keeper *scenario.Keeper
	d, err := scenario.NewDeployment(t.Context(), scenario.DeploymentConfig{Dir: t.TempDir(), Now: time.Now, Organisations: func(c *scenario.Cast) (map[string]app.Organisation, error) {
		var err error
		if keeper, err = scenario.Keep(t.TempDir(), c.Acquirer, nil, credential.KindAcquirer, time.Now); err != nil {
			return nil, err
		}
		return map[string]app.Organisation{c.Acquirer.ID: keeper.Client}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(d.Close(), keeper.Close()); err != nil {
			t.Error(err)
		}
	})
	p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r, err := d.Register(t.Context(), p.Device.Model); err != nil {
		t.Fatal(err, r.Problems)
	}
	o := &office{Deployment: d, t: t, play: p}
	source := FromApp{App: d.App}
	site := New(Config{Source: source, Shops: source, Authenticate: BySession(d.App), Now: time.Now, Desk: Desk{App: d.App, Origin: func(*http.Request) string { return o.origin },
		Services: map[string]string{d.Cast.Acquirer.ID: "https://keys.huaishan.example/"}}})
	mux := http.NewServeMux()
	mux.Handle("/v1/", d.API)
	mux.Handle("/", site.Routes())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	o.origin, o.client = strings.Replace(server.URL, "127.0.0.1", "localhost", 1), server.Client()
	o.ctx = browser(t)
	o.desk()
	return o, keeper
}

// The approver finds the corner shop by its name, which is in no address, sees what is missing before anybody may
// go, and is led to the acquirer's own service for the code.
func TestTheApproverFindsAMerchant(t *testing.T) {
	o, keeper := acquirersOffice(t)
	a := o.Cast.Approver
	o.join(a.ID, a.Organisation, a.Role)
	o.open("/staff/merchants?lang=zh")
	o.until(`document.querySelectorAll("table[data-rows] tbody tr").length === 1`)
	o.look("merchants", "/staff/merchants")
	o.open("/staff/merchants?lang=zh")
	o.until(`document.readyState === "complete"`)
	o.press("j")
	o.until(`document.activeElement.dataset.open !== undefined`)
	o.js(`(() => { const f = document.querySelector("form[data-find]"); f.elements.q.value = "` + o.play.Shop.Name + `"; f.requestSubmit(); })()`)
	o.until(`location.pathname === "/staff/merchants/wei" && location.search === ""`)
	if state := o.js(`document.querySelector("[data-code-state]").dataset.codeState`); state != "" {
		t.Errorf("a code before there is one: %s", state)
	}
	if _, err := keeper.MakeCode(o.Cast.Merchant.ID, visit.RoleMerchant, "replaced"); err != nil {
		t.Fatal(err)
	}
	o.open("/staff/merchants/wei?lang=zh")
	o.until(`document.querySelector("[data-code-state]").dataset.codeState === "live"`)
	if o.js(`document.querySelector("main a[target=_blank]").href`) != "https://keys.huaishan.example/" {
		t.Error("nothing leads to the acquirer's own service")
	}
	o.until(`!document.querySelector("button[data-show]").hidden`)
	o.js(`[...document.querySelectorAll("button[data-show]")].find((b) => b.previousElementSibling.textContent.startsWith("154")).click()`)
	o.until(`document.querySelector("[data-merchant]").innerText.includes("15400000101")`)
	o.look("merchant", "/staff/merchants/wei")
	o.open("/staff/merchants?q=15400000101")
	if o.js(`document.querySelectorAll("table[data-rows]").length`) != "0" {
		t.Error("a phone in an address finds somebody")
	}
	d := o.Cast.Dispatcher
	o.join(d.ID, d.Organisation, d.Role)
	if got := o.js(`fetch("/staff/merchants").then((r) => r.status)`); got != "403" {
		t.Errorf("the dispatcher sees the merchants: %s", got)
	}
}
