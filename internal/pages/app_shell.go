package pages

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/menshen-project/menshen/internal/app"
)

// appRoutes are the technician's app and what carries for it.
func (s *Server) appRoutes() map[string]handler {
	return map[string]handler{
		"GET /app": s.appShell, "GET /app.webmanifest": s.manifest, "GET /sw.js": s.serviceWorker, "GET /carry": s.carryPage, "POST /app/unsent": s.answer(s.tellUnsent),
		"GET /learn": s.learn,
	}
}

// tellUnsent takes a phone's word on what it has not sent yet.
func (s *Server) tellUnsent(w http.ResponseWriter, r *http.Request) (any, error) {
	if s.Desk.App == nil {
		return nil, errNoRoute
	}
	p, err := s.signedIn(w, r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Visits []app.Unsent `json:"visits"`
	}
	if err := readForm(w, r, &in); err != nil {
		return nil, err
	}
	return struct{}{}, s.Desk.App.TellUnsent(r.Context(), actorOf(p.viewer), in.Visits)
}

// appNeeds is what the technician's app uses: it signs, takes photos, scans, and works without signal.
var appNeeds = needs{api: true, worker: true, manifest: true, camera: true, location: true, pictures: true, scanner: true, passkey: true}

// appShell is the technician's app: one page without anybody's data, so that the phone may keep it. All
// else is fetched by its scripts or comes out of the phone's own store.
func (s *Server) appShell(w http.ResponseWriter, r *http.Request) error {
	allow(w, appNeeds)
	p := s.plain(r)
	return s.show(r.Context(), w, http.StatusOK, appPage(p, s.appKeeps()))
}

// others are the beginnings of files that only other audiences' pages use.
var others = []string{"merchant", "staff", "public", "verify", "menshen.js", "learn", "courses"}

// appKeeps lists what a phone keeps to open the app without signal: its page, and every file that its
// scripts may want, the scanner's too.
func (s *Server) appKeeps() string {
	keep := []string{"/app"}
	for _, name := range s.assets.names() {
		if !startsWithAny(name, others) {
			keep = append(keep, s.assets.href(name))
		}
	}
	return jsonText(keep)
}

func startsWithAny(name string, beginnings []string) bool {
	for _, b := range beginnings {
		if strings.HasPrefix(name, b) {
			return true
		}
	}
	return false
}

func jsonText(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // lists and maps of strings
	}
	return string(data)
}

// serviceWorker is served at the root, since a worker rules only over what lies below its own address.
// Browsers ask for it again and again; it must never come out of a cache.
func (s *Server) serviceWorker(w http.ResponseWriter, _ *http.Request) error {
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	// The worker's own policy is what counts for what it fetches.
	h.Set("Content-Security-Policy", "default-src 'none'; connect-src 'self'")
	head := "const SET = " + jsonText(s.assets.set) + ";\nconst FILES = " + jsonText(s.assets.sums()) + ";\n"
	_, err := w.Write(append([]byte(head), s.assets.files["sw.js"].data...))
	return err
}

// manifest lets a phone install the app.
func (s *Server) manifest(w http.ResponseWriter, r *http.Request) error {
	p := s.plain(r)
	icon := func(name, sizes, purpose string) map[string]string {
		return map[string]string{"src": p.asset(name), "sizes": sizes, "type": kindOf(name), "purpose": purpose}
	}
	m := map[string]any{
		"id": "/app", "start_url": "/app", "scope": "/", "display": "standalone", "orientation": "portrait", "lang": p.htmlLang(),
		"name": p.t("name") + " · " + p.t("app.title"), "short_name": p.t("app.short"), "background_color": "#111111", "theme_color": "#a61b1b",
		"icons": []map[string]string{icon("app-192.png", "192x192", "any"), icon("app-512.png", "512x512", "any"), icon("app-512.png", "512x512", "maskable"), icon("door.svg", "any", "any")},
	}
	w.Header().Set("Content-Type", kinds[".webmanifest"])
	_, err := w.Write([]byte(jsonText(m)))
	return err
}

func kindOf(name string) string { return kinds[name[strings.LastIndexByte(name, '.'):]] }

// carryPage takes a phone's exported file from a dispatcher; the file is opened in his browser.
func (s *Server) carryPage(w http.ResponseWriter, r *http.Request) error {
	p, err := s.look(w, r)
	if err != nil {
		return err
	}
	if !p.viewer.SignedIn() {
		return errSignedOut
	}
	allow(w, needs{api: true})
	return s.show(r.Context(), w, http.StatusOK, carryPage(p))
}
