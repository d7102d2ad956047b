//go:build browser

package pages

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// counter is a whole deployment with its acquirer's own service, and two phones in one shop.
type counter struct {
	keeper       *scenario.Keeper
	owner, clerk *office
}

func newCounter(t *testing.T, more ...func(*scenario.DeploymentConfig)) *counter {
	t.Helper()
	c := &counter{}
	fast := httpapi.Rate{PerSecond: 1e6, Burst: 1e6}
	config := scenario.DeploymentConfig{Dir: t.TempDir(), Now: time.Now, API: httpapi.Config{PerEnroller: fast},
		Organisations: func(cast *scenario.Cast) (map[string]app.Organisation, error) {
			var err error
			c.keeper, err = scenario.Keep(filepath.Join(t.TempDir(), "acquirer"), cast.Acquirer, nil, credential.KindAcquirer, time.Now)
			return map[string]app.Organisation{cast.Acquirer.ID: c.keeper.Client}, err
		}}
	for _, change := range more {
		change(&config)
	}
	d, err := scenario.NewDeployment(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(d.Close(), c.keeper.Close()); err != nil {
			t.Error(err)
		}
	})
	p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, scene := range scenario.Until(p.Install(), "door") {
		if err := scene.Run(t.Context()); err != nil {
			t.Fatalf("%s: %v", scene.Name, err)
		}
	}
	source := FromApp{App: d.App}
	site := New(Config{Source: source, Shops: source, Authenticate: BySession(d.App), Now: time.Now})
	mux := http.NewServeMux()
	mux.Handle("/v1/", d.API)
	mux.Handle("/", site.Routes())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	origin := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	c.owner = &office{Deployment: d, t: t, play: p, origin: origin, ctx: browser(t)}
	c.clerk = &office{Deployment: d, t: t, play: p, origin: origin, ctx: browser(t)}
	return c
}

// setUp enrols the owner's phone by the acquirer's real one-time code.
func (c *counter) setUp(t *testing.T) {
	t.Helper()
	wei := c.owner.Cast.Merchant
	made, err := c.keeper.MakeCode(wei.ID, wei.Role, "replaced")
	if err != nil {
		t.Fatal(err)
	}
	c.owner.open(PhoneAddress(wei.ID, wei.Organisation))
	c.owner.until(`[...document.querySelectorAll(".kind")].some((k) => !k.hidden)`)
	c.owner.js(`document.getElementById("code").value = "` + made.Code.Printed() + `", document.querySelector("[data-enrol] button").click()`)
	c.owner.until(`!document.querySelector('#phone [data-state="has"]')?.hidden && location.search === ""`)
}

// letsIn has the owner let the clerk's phone in, from screen to screen; it gives the address of the code.
func (c *counter) letsIn(t *testing.T) string {
	t.Helper()
	owner, clerk := c.owner, c.clerk
	owner.open("/shop/clerks")
	owner.js(`document.querySelector('[data-act="begin"]').click()`)
	owner.until(state + ` === "code"`)
	address := owner.js(`document.querySelector("[data-qr]").dataset.address`)
	clerk.do(chromedp.Navigate(address))
	clerk.until(`document.getElementById("code").value.length === 12 && location.hash === "" && !document.querySelector("form[data-join] button").disabled`)
	clerk.js(`document.querySelector("form[data-join] button").click()`)
	clerk.until(state + ` === "compare"`)
	owner.until(state + ` === "compare"`)
	const digits = `document.querySelector("[data-digits]").textContent`
	if a, b := owner.js(digits), clerk.js(digits); a != b || len(a) != 4 {
		t.Fatalf("the owner sees %q, the clerk %q", a, b)
	}
	owner.js(`document.querySelector('[data-act="same"]').click()`)
	owner.until(state + ` === "done"`)
	clerk.until(`location.pathname === "/shop"`)
	return address
}

const state = `document.querySelector("[data-state]:not([hidden])").dataset.state`

// The owner lets a clerk's phone in: a code from screen to screen, the same four digits on both, the owner's
// own signature. The clerk then has the door and not the price; when the owner ends the phone, it is out.
func TestAnOwnerLetsAClerksPhoneIn(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	owner, clerk := c.owner, c.clerk
	c.setUp(t)

	address := c.letsIn(t)
	if text := clerk.js(`document.body.innerText`); !strings.Contains(text, "新装") && clerk.js(`document.querySelector("[data-turn]")?.dataset.turn ?? ""`) != "v1" {
		t.Errorf("the clerk's home lacks the visit: %.300s", text)
	}

	t.Run("the door is the clerk's, the price is not", func(t *testing.T) {
		clerk.open("/shop/visits/v1")
		clerk.until(`document.querySelector('a[href="/shop/visits/v1/door"]') !== null`)
		clerk.open("/shop/visits/v1/price")
		if text := clerk.js(`document.body.innerText`); !strings.Contains(text, "店员的手机不能签价格") {
			t.Errorf("%.300s", text)
		}
		clerk.open("/shop/visits/v1/report")
		clerk.until(`document.querySelector("form[data-sign]") !== null`)
	})
	t.Run("a session that ended is renewed by the key", func(t *testing.T) {
		clerk.js(`fetch("/shop/leave", { method: "POST", redirect: "manual" })`)
		clerk.do(chromedp.Navigate(address[:strings.IndexByte(address, '#')]))
		clerk.until(state + ` === "renew"`)
		clerk.js(`document.querySelector('[data-act="renew"]').click()`)
		clerk.until(`location.pathname === "/shop"`)
	})
	t.Run("the owner ends it", func(t *testing.T) {
		owner.open("/shop/clerks")
		owner.until(`document.querySelector("[data-end]") !== null`)
		owner.js(`document.querySelector("[data-end]").click()`)
		owner.until(`document.querySelector("[data-end]") === null`)
		clerk.open("/shop")
		clerk.until(`document.querySelector(".phrase, [data-turn]") === null`)
		clerk.do(chromedp.Navigate(address[:strings.IndexByte(address, '#')]))
		clerk.until(state + ` === "renew"`)
		clerk.js(`document.querySelector('[data-act="renew"]').click()`)
		clerk.until(`!document.querySelector('[data-state="renew"] [data-problem]').hidden`)
	})
	t.Run("the owner's phone ends for good", func(t *testing.T) {
		owner.open("/shop/phone")
		owner.until(`!document.querySelector('#phone [data-state="has"]').hidden`)
		owner.js(`window.confirm = () => true, document.querySelector('[data-act="forget"]').click()`)
		owner.until(`location.search.includes("holder=wei")`)
		wei := owner.Cast.Merchant
		people, err := c.keeper.Client.People(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range people.People {
			if p.Holder == wei.ID && p.Key != "" && p.State == "active" {
				t.Errorf("its acquirer still vouches: %+v", p)
			}
		}
		if got := owner.js(`fetch("/v1/visits").then((r) => r.status)`); got != "401" {
			t.Errorf("signed out, the phone gets %s", got)
		}
	})
}

// Another phone that saw the code first is shown for what it is: the digits differ from the clerk's, or the proof does not hold.
func TestAStrangersKeyIsNotLetIn(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.setUp(t)
	c.owner.open("/shop/clerks")
	c.owner.js(`document.querySelector('[data-act="begin"]').click()`)
	c.owner.until(state + ` === "code"`)
	address := c.owner.js(`document.querySelector("[data-qr]").dataset.address`)
	c.clerk.do(chromedp.Navigate(address[:strings.IndexByte(address, '#')])) // has the place, and not the code
	c.clerk.until(`document.querySelector("form[data-join] button")?.disabled === false`)
	c.clerk.js(`document.getElementById("code").value = "` + credential.NewCode().Printed() + `", document.querySelector("form[data-join] button").click()`)
	c.owner.until(state + ` === "stopped"`)
}
