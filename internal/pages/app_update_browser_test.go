//go:build browser

package pages

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/internal/visit"
)

// released is the same site as another release: every address of the set is another, the files the same.
func released(next http.Handler, old, set string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = strings.Replace(r.URL.Path, "/assets/"+set+"/", "/assets/"+old+"/", 1)
		seen := &rewriting{ResponseWriter: w, old: old, set: set}
		next.ServeHTTP(seen, r)
		_ = seen.close()
	})
}

// rewriting puts another set's name into whatever pages and scripts say.
type rewriting struct {
	http.ResponseWriter
	old, set string
	status   int
	body     []byte
}

func (w *rewriting) WriteHeader(status int) { w.status = status }

func (w *rewriting) Write(b []byte) (int, error) {
	w.body = append(w.body, b...)
	return len(b), nil
}

func (w *rewriting) close() error {
	if kind := w.Header().Get("Content-Type"); w.Header().Get("Content-Encoding") == "" && (strings.HasPrefix(kind, "text/") || strings.Contains(kind, "json")) {
		w.body = []byte(strings.ReplaceAll(string(w.body), w.old, w.set))
		w.Header().Del("Content-Length")
	}
	if w.Header().Get(headerRelease) == w.old {
		w.Header().Set(headerRelease, w.set)
	}
	if w.status != 0 {
		w.ResponseWriter.WriteHeader(w.status)
	}
	_, err := w.ResponseWriter.Write(w.body)
	return err
}

// A new release arrives while work waits to be sent: the app says so and what it keeps, nothing is lost by taking it,
// and the new one opens without signal. At the end of the shift the badge leaves the phone, and the work stays.
func TestANewReleaseKeepsWhatIsUnsent(t *testing.T) {
	t.Parallel()
	f := newField(t)
	var newer, away atomic.Bool
	old := loadAssets().set
	const set = "0123456789ab"
	site, api, next := f.mux, f.Deployment.API, released(f.mux, old, set)
	f.mux = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case away.Load() && r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/v1/visits/"):
			w.WriteHeader(http.StatusServiceUnavailable) // pages come, what is signed does not go
		case strings.HasPrefix(r.URL.Path, "/v1/"):
			api.ServeHTTP(w, r)
		case newer.Load():
			next.ServeHTTP(w, r)
		default:
			site.ServeHTTP(w, r)
		}
	})
	f.down()
	f.up()
	f.enrolled()
	f.nothingToKeep()
	f.admitted()
	f.press("去做")
	f.sees("在柜台上")
	away.Store(true)
	f.parcel()
	f.sees("1 项待发送")
	newer.Store(true)
	f.js(`navigator.serviceWorker.ready.then((r) => r.update()).then(() => "")`)
	f.sees("有新版本。没发的 1 项都留着。")
	f.shot("new-release")
	f.press("现在换")
	f.until(`document.body.dataset.assets === "/assets/` + set + `/" && document.body.dataset.kept === "whole"`)
	f.sees("1 项待发送")

	f.press("今天")
	f.press("有效到")
	f.shot("shift-end")
	f.press("收工")
	f.sees("还没开工")
	if n := f.js(`import(document.body.dataset.assets + "keys.mjs").then((k) => k.signerNames()).then((n) => n.filter((x) => x.startsWith("badge-")).length)`); n != "0" {
		t.Errorf("%s keys of the day are still there", n)
	}

	f.signal(false)
	f.down()
	f.do(chromedp.Reload())
	f.sees("离线，1 项待发送")
	away.Store(false)
	f.upstairs()
	f.until(`!document.querySelector(".state").innerText.includes("待发送")`)
	if w := f.work(); len(w.Done) != 3 || w.Done[2].Type != "arrival" {
		t.Errorf("%+v", w.Done)
	}
}

// The badge runs out in the middle of the day: the phone says what to do before anybody sees it refused.
func TestABadgeRunsOut(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.enrolled()
	f.js(`import(document.body.dataset.assets + "app-store.mjs").then(async (s) => { await s.setAbout("shift", { ...await s.about("shift"), until: "2026-01-01T00:00:00Z" }); return ""; })`)
	f.do(chromedp.Reload())
	f.sees("工作证过期了")
	f.sees("已经进店的上门不受影响")
	f.shot("badge-over")
	f.press("开工")
	f.sees("有效到")
}

// A part of the app that did not come is said to be missing, and is there as soon as it can be had.
func TestAPartOfTheAppThatDidNotCome(t *testing.T) {
	t.Parallel()
	f := newField(t)
	site := f.mux
	var away atomic.Bool
	away.Store(true)
	f.down()
	f.mux = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() && strings.HasSuffix(r.URL.Path, "/app-more.mjs") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		site.ServeHTTP(w, r)
	})
	f.up()
	f.joins("lan", "svc-anzhuang", visit.RoleTechnician)
	f.open("/app")
	f.sees("还没登记")
	f.press("登记这部手机")
	f.until(`document.querySelector(".problem")?.dataset.code === "app_part_absent"`)
	f.shot("part-absent")
	away.Store(false)
	f.press("今天")
	f.press("登记这部手机")
	f.until(`document.getElementById("code") !== null`)
}
