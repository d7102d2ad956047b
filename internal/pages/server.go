package pages

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/fault"
)

// Config is what pages are made from. Every field but SignIn, Log and Secure is required.
type Config struct {
	Source       Source
	Shops        ShopSource                          // of merchants' own pages and the public page; nil: there are none here
	Authenticate func(*http.Request) (Viewer, error) // fault.Unauthenticated or the zero Viewer: signed out
	// SignIn takes the token of a link, sets its own cookie and gives the path to go to; nil means
	// that nobody signs in by link here.
	SignIn   func(w http.ResponseWriter, r *http.Request, token string) (next string, err error)
	Desk     Desk
	Now      func() time.Time
	Log      *slog.Logger             // gets causes of errors; nil discards them
	Secure   func(*http.Request) bool // the browser came over TLS: cookies say so; nil is never
	Contacts []Contact                // whom to call, on pages and in packs; nil for DefaultContacts
	// Verifier holds menshen-verify for browsers, as script/verifier makes it; nil: what was built in.
	Verifier fs.FS
	// CallLimit counts one call of the public page against the request's network; nil counts nothing.
	CallLimit func(*http.Request) (wait time.Duration, ok bool)
}

// Server shows pages.
type Server struct {
	Config
	assets *assets
	origin *http.CrossOriginProtection
}

// New makes a server.
func New(c Config) *Server {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Contacts == nil {
		c.Contacts = DefaultContacts()
	}
	if c.Secure == nil {
		c.Secure = func(*http.Request) bool { return false }
	}
	return &Server{Config: c, assets: loadAssets(), origin: http.NewCrossOriginProtection()}
}

// Routes are all pages there are.
func (s *Server) Routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range s.routes() {
		mux.Handle(pattern, s.page(h))
	}
	return mux
}

// routes is every pattern with its handler.
func (s *Server) routes() map[string]handler {
	routes := map[string]handler{
		"GET /{$}":                         s.start,
		"GET /visits/{id}":                 s.visit,
		"GET /visits/{id}/bundle":          s.bundle,
		"GET /visits/{id}/pack":            s.pack,
		"GET /visits/{id}/report":          s.report,
		"GET /visits/{id}/photos/{digest}": s.photo,
		"GET /enter/{token}":               s.askToEnter,
		"POST /enter/{token}":              s.enter,
		"GET /assets/{path...}":            s.serveAsset,
		"/":                                func(http.ResponseWriter, *http.Request) error { return errNoRoute },
	}
	maps.Copy(routes, s.staffRoutes())
	maps.Copy(routes, s.acquirerRoutes())
	maps.Copy(routes, s.appRoutes())
	maps.Copy(routes, s.shopRoutes())
	maps.Copy(routes, s.verifyRoutes())
	return routes
}

// What tells the service worker whose answer it has: a sign-in page of somebody's network, a gateway or a cache does not say it.
// Which release it is of keeps a page and the files that it needs together; for whom it was written keeps it from the next one.
const (
	headerRelease = "Menshen-Release" // the set of assets
	headerViewer  = "Menshen-Viewer"  // opaque id of who is signed in; absent on pages that know nobody
)

// handler answers a request or says why not; page turns the error into what people see.
type handler func(http.ResponseWriter, *http.Request) error

func (s *Server) page(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		allow(w, needs{}) // a page that needs more says so before it is shown
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("X-Robots-Tag", "noindex, nofollow")
		head.Set("Strict-Transport-Security", "max-age=31536000") // as the API says; browsers read it over TLS alone
		head.Set(headerRelease, s.assets.set)
		head.Set("Cache-Control", "no-store")
		head.Set("Vary", "Cookie")
		if err := s.origin.Check(r); err != nil {
			s.fail(w, r, errOrigin.Because(err))
			return
		}
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// look makes what every template needs. A viewer nobody knows is signed out; any other failure to
// know him is an error.
func (s *Server) look(w http.ResponseWriter, r *http.Request) (*page, error) {
	v, err := s.Authenticate(r)
	if err != nil {
		if fault.KindOf(err) != fault.Unauthenticated {
			return nil, err
		}
		v = Viewer{}
	}
	p := s.plain(r)
	if p.viewer = v; v.SignedIn() {
		w.Header().Set(headerViewer, v.Person)
	}
	if lang, chosen := language(r); chosen {
		http.SetCookie(w, &http.Cookie{Name: langCookie, Value: lang, Path: "/", MaxAge: 365 * 24 * 60 * 60, HttpOnly: true, Secure: s.Secure(r), SameSite: http.SameSiteLaxMode})
	}
	return p, nil
}

// plain is a page that knows nobody and sets nothing.
func (s *Server) plain(r *http.Request) *page {
	lang, _ := language(r)
	return &page{lang: lang, now: s.Now(), here: r.URL, assets: s.assets}
}

// show renders a whole page before it sends the first byte, so that a failure is never half a page.
func (s *Server) show(ctx context.Context, w http.ResponseWriter, status int, c templ.Component) error {
	var b bytes.Buffer
	if err := c.Render(ctx, &b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err := w.Write(b.Bytes())
	if err != nil {
		s.Log.Info("the browser went away", "error", err)
	}
	return nil
}

// statusOf is the HTTP status that a kind of failure has, and the page that tells of it.
var statusOf = map[fault.Kind]int{
	fault.Invalid: http.StatusBadRequest, fault.TooLarge: http.StatusBadRequest, fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden: http.StatusForbidden, fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict,
	fault.Refused: http.StatusConflict, fault.TooMany: http.StatusTooManyRequests, fault.Unavailable: http.StatusServiceUnavailable,
	fault.Internal: http.StatusInternalServerError,
}

// fail tells of an error in words of the table alone: nothing of the request or of the cause. What was
// a defect gets a reference under which the operator finds the cause.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) {
		return // nobody is there to read it
	}
	allow(w, needs{})
	f := fault.Of(err)
	status, known := statusOf[f.Kind]
	if !known {
		status = http.StatusInternalServerError
	}
	ref := ""
	if status >= http.StatusInternalServerError {
		ref = reference()
		s.Log.Error("a page failed", "reference", ref, "code", f.Code, "error", err)
	}
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "60")
	}
	if err := s.show(r.Context(), w, status, errorPage(s.plain(r), status, ref)); err != nil {
		s.Log.Error("the error page failed", "error", err)
		http.Error(w, http.StatusText(status), status)
	}
}

func reference() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails, says its documentation
	return hex.EncodeToString(b[:])
}
