//go:build browser

package pages

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	chromebrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// field is a deployment whose server can really stop, the employer's own service beside it, and a
// technician's phone.
type field struct {
	*office
	address string
	mux     http.Handler
	server  *http.Server
	code    credential.Code
	dir     string          // what the phone keeps, over a restart too
	camera  string          // the file that its camera films
	shots   int             // photos taken so far
	seen    map[string]bool // states that were pictured
	english bool            // what the phone speaks
	ahead   *atomic.Int64   // how far the course issuer's clock is ahead
}

// newField plays a visit up to the technician's coming, and gives lan a phone.
func newField(t *testing.T) *field {
	t.Helper()
	var keeper *scenario.Keeper
	var ahead atomic.Int64
	d, err := scenario.NewDeployment(t.Context(), scenario.DeploymentConfig{Dir: t.TempDir(), Now: time.Now, API: httpapi.Config{PerEnroller: httpapi.Rate{PerSecond: 1e3, Burst: 1e3}},
		School: filepath.Join(t.TempDir(), "school"), SchoolNow: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
		Organisations: func(c *scenario.Cast) (services map[string]app.Organisation, err error) {
			keeper, err = scenario.Keep(filepath.Join(t.TempDir(), "provider"), c.Provider, c.BadgeKey, credential.KindProvider, time.Now)
			return map[string]app.Organisation{c.Provider.ID: keeper.Client}, err
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
	for _, scene := range scenario.Until(p.Install(), "badge") {
		if err := scene.Run(t.Context()); err != nil {
			t.Fatalf("%s: %v", scene.Name, err)
		}
	}
	// The roll holds the same likeness that the dispatch commits to.
	if err := keeper.PutPerson("lan", visit.RoleTechnician, p.Dispatch.Name, p.Dispatch.Photo); err != nil {
		t.Fatal(err)
	}
	made, err := keeper.MakeCode("lan", visit.RoleTechnician, "replaced")
	if err != nil {
		t.Fatal(err)
	}
	f := &field{office: &office{Deployment: d, t: t, play: p}, code: made.Code, ahead: &ahead}
	site := New(Config{Source: FromApp{App: d.App}, Authenticate: BySession(d.App), Now: time.Now, Desk: Desk{App: d.App, Origin: func(*http.Request) string { return f.origin }}})
	mux := http.NewServeMux()
	mux.Handle("/v1/", d.API)
	mux.Handle("/healthz", d.API)
	mux.Handle("/", site.Routes())
	f.mux = mux
	f.up()
	t.Cleanup(f.down)
	f.unpacks()
	f.pocket()
	return f
}

// unpacks takes a new phone out of its box and switches it on, in front of something that is no code.
func (f *field) unpacks(more ...chromedp.ExecAllocatorOption) {
	f.t.Helper()
	f.dir, f.camera = f.t.TempDir(), filepath.Join(f.t.TempDir(), "camera.y4m")
	f.views(0)
	f.starts(more...)
}

// up lets the server listen, at the address that it had before.
func (f *field) up() {
	f.t.Helper()
	if f.address == "" {
		f.address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", f.address)
	if err != nil {
		f.t.Fatal(err)
	}
	f.address = l.Addr().String()
	f.origin = "http://localhost:" + f.address[strings.LastIndexByte(f.address, ':')+1:]
	f.server = &http.Server{Handler: f.mux}
	go f.server.Serve(l)
}

// down stops it, connections and all.
func (f *field) down() { _ = f.server.Close() }

func (f *field) file(ctx context.Context, verb, stream, kind string, body any) {
	by := f.Cast.Provider
	if err := f.Venue.File(ctx, by, scenario.Filing{Stream: stream, Verb: verb, Envelope: by.Sign(scenario.Draft{Stream: stream, Type: kind, At: time.Now(), Body: body})}); err != nil {
		f.t.Error(verb, err)
	}
}

// starts switches the phone on: a browser over a folder of its own, so that a test can start it again.
func (f *field) starts(more ...chromedp.ExecAllocatorOption) {
	f.t.Helper()
	t, dir := f.t, f.dir
	// The film is read anew each time that the page opens the camera, so that each photo can be another.
	camera := []chromedp.ExecAllocatorOption{chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", f.camera)}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), append(append(camera, more...), chromedp.ExecPath("chromium"), chromedp.Headless, chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.UserDataDir(dir), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("font-render-hinting", "none"))...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	f.ctx = ctx
}

// dies loses its battery, and is the same phone again with the same store: passkeys of the test's own keeper are gone,
// page keys are not.
func (f *field) dies() {
	f.t.Helper()
	if err := chromedp.Cancel(f.ctx); err != nil {
		f.t.Fatal(err)
	}
	f.starts()
	f.pocket()
}

// pocket makes the browser a phone that may know where it is: in the shop.
func (f *field) pocket() {
	f.t.Helper()
	f.desk()
	f.do(send(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}), // a phone in the hand, whichever browser of the machine is in front
		send(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 360, Height: 640, DeviceScaleFactor: 1, Mobile: true}),
		send(chromebrowser.SetPermission, chromebrowser.SetPermissionParams{Permission: &chromebrowser.PermissionDescriptor{Name: "geolocation"}, Setting: "granted", Origin: f.origin}))
	f.stands()
}

// stands puts the phone into the play's shop.
func (f *field) stands() { f.t.Helper(); f.standsOff(0.0001) }

// standsOff puts the phone some degrees north of the shop.
func (f *field) standsOff(north float64) {
	f.t.Helper()
	at, err := identifier.ParsePosition(f.play.Shop.Position)
	if err != nil {
		f.t.Fatal(err)
	}
	lat, lon, metres := at.Lat()+north, at.Lon(), 20.0
	f.do(send(emulation.SetGeolocationOverride, emulation.SetGeolocationOverrideParams{Latitude: &lat, Longitude: &lon, Accuracy: &metres}))
}

// press clicks the first button or link that says this.
func (f *field) press(text string) {
	f.t.Helper()
	pressable := `[...document.querySelectorAll("main button, main a, header button, header a, summary")].find(e => e.checkVisibility() && !e.disabled && ` + f.said(text) + `(e.textContent))`
	f.until(pressable + ` !== undefined`)
	f.js(pressable + `.click()`)
}

// keys does by keyboard what press does: Tab until that is in focus, then Enter.
func (f *field) keys(text string) {
	f.t.Helper()
	f.sees(text)
	for range 60 {
		f.do(chromedp.KeyEvent(kb.Tab))
		if f.js(`(() => { const e = document.activeElement; return String(e !== null && e !== document.body && !e.disabled && `+f.said(text)+`(e.textContent)); })()`) == "true" {
			f.do(chromedp.KeyEvent(kb.Enter))
			return
		}
	}
	f.t.Fatalf("the Tab key never reaches %q", text)
}

// sees waits until the page says this.
func (f *field) sees(text string) {
	f.t.Helper()
	f.until(f.said(text) + `(document.body.innerText)`)
}

// shot takes a picture of the page as it is, and asks axe and whether anything sticks out; then the same on the narrowest
// phone and in English.
func (f *field) shot(name string) {
	f.t.Helper()
	if f.english {
		f.shotIn(name, "light")
		f.fits(name)
		f.large(name)
		return
	}
	f.shotIn(name, "light", "dark")
	f.large(name)
	f.shotEnglish(name)
}

// large looks at the same state with letters twice as large.
func (f *field) large(name string) {
	f.t.Helper()
	for _, p := range enlarged(f.ctx, "app-"+name) {
		f.t.Error(p)
	}
	f.narrow(f.english)
}

// shotIn does so in the colour schemes given.
func (f *field) shotIn(name string, schemes ...string) {
	f.t.Helper()
	for _, scheme := range schemes {
		f.do(send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}))
		for _, p := range askAxe(f.ctx) {
			f.t.Errorf("%s %s: %s", name, scheme, p)
		}
		if overflow := f.js(wide); overflow != "" {
			f.t.Errorf("%s scrolls sideways: %s", name, overflow)
		}
		if small := f.js(smallTargets); small != "" {
			f.t.Errorf("%s: too small to press: %s", name, small)
		}
		image, err := picture(f.ctx)
		if err != nil {
			f.t.Fatal(err)
		}
		keep(f.t, "app-"+name+"-"+scheme+".png", image)
	}
}

// smallTargets lists what one presses with a thumb and is lower than 44 pixels; links inside a sentence
// are exempt (WCAG 2.2, 2.5.8).
const smallTargets = `[...document.querySelectorAll("button, nav a, a.button, a.go, summary, .choice, input:not([type=radio]):not([type=checkbox]):not(.unseen)")]
  .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44).map(e => e.tagName + " " + e.textContent.slice(0, 20)).join("; ")`

// signal takes the phone's signal away or gives it back.
func (f *field) signal(there bool) {
	f.t.Helper()
	gone := !there
	f.do(send(network.Enable, network.EnableParams{}))
	if _, err := chromedp.Run(f.ctx, func(ctx context.Context, t *chromedp.Target) (network.EmulateNetworkConditionsByRuleResult, error) {
		return cdp.Call(ctx, t, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{EmulateOfflineServiceWorker: &gone,
			MatchedNetworkConditions: []*network.Conditions{{Offline: gone, DownloadThroughput: -1, UploadThroughput: -1}}})
	}); err != nil {
		f.t.Fatal(err)
	}
}

// enrolled brings lan to the point where the phone signs: signed in, enrolled by a code, on shift.
func (f *field) enrolled() { f.t.Helper(); f.enrolledBy("登记（用指纹或面容签字）") }

// enrolledBy chooses how: a browser that is started again has lost its passkeys, a page key stays.
func (f *field) enrolledBy(way string) {
	f.t.Helper()
	f.joins("lan", "svc-anzhuang", visit.RoleTechnician)
	f.open("/app")
	f.press("登记这部手机")
	f.until(`document.getElementById("code") !== null`)
	f.js(`(() => { const i = document.getElementById("code"); i.value = "` + f.code.Printed() + `"; i.dispatchEvent(new Event("input", {bubbles: true})); })()`)
	f.press(way)
	f.sees("已登记，可以签字。")
	f.press("今天")
	f.press("开工")
	f.sees("有效到")
}

// A technician's morning: signs in, enrols the phone, starts the shift, and has the day in the pocket.
func TestTheShiftBegins(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.open("/app")
	f.sees("请先登录")
	f.shot("signed-out")
	f.joins("lan", "svc-anzhuang", visit.RoleTechnician)
	f.open("/app")
	f.sees("还没登记")
	f.shot("not-enrolled")
	f.press("登记这部手机")
	f.until(`document.getElementById("code") !== null`)
	f.js(`document.getElementById("code").value = "ABCD-EFGH-JKMN"`)
	f.press("登记（用指纹或面容签字）")
	f.until(`document.querySelector(".problem")?.dataset.code === "code_mistyped"`)
	f.shotIn("code-mistyped", "light", "dark") // in English in TestTheAppInEnglish: an answer stays in the language in which it was given
	f.js(`document.getElementById("code").value = "` + credential.NewCode().Printed() + `"`)
	f.press("登记（用指纹或面容签字）")
	f.until(`document.querySelector(".problem")?.dataset.code === "code_wrong"`)
	f.js(`document.getElementById("code").value = "` + strings.ToLower(f.code.Printed()) + `"`)
	f.press("登记（用指纹或面容签字）")
	f.sees("已登记，可以签字。")
	f.shot("enrolled")
	f.press("今天")
	f.sees("还没开工")
	f.shot("before-shift")
	f.press("开工")
	f.sees("有效到")
	f.sees("下一站")
	f.sees("出示工作证 · 等店主")
	f.shot("today")
	f.press("去做")
	f.sees("扫店主的码")
	f.shot("visit-door")
}

// joins signs the browser in as somebody, by an invitation and a new passkey, wherever that leads.
func (f *field) joins(person, organisation, role string) {
	f.t.Helper()
	code, err := f.App.Invite(f.t.Context(), "operator", app.Invitation{Person: person, Organisation: organisation, Role: role, Until: time.Now().Add(time.Hour)})
	if err != nil {
		f.t.Fatal(err)
	}
	f.joinsBy(code)
}

func (f *field) joinsBy(code string) {
	f.t.Helper()
	f.open("/join#" + code)
	f.until(`document.querySelector("input[name=code]")?.value.length > 20 && location.hash === "" && !document.querySelector("form[data-act] button").disabled`)
	f.js(`document.querySelector("form[data-act] button").click()`)
	f.until(`location.pathname !== "/join"`)
}
