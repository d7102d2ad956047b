package httpapi

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"path"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/menshen-project/menshen/internal/app"
)

// Config is what an API is made of. App is required; for the others the zero value is a default.
type Config struct {
	App         *app.App
	Log         *slog.Logger   // nil is silent
	Version     string         // of the program, for the description
	MaxBody     int64          // bytes; 1 MiB
	PerToken    Rate           // 20 a second, 100 at once
	PerAddress  Rate           // 500 a second, 1000 at once
	PerEnroller Rate           // of one network with codes to try; one in five seconds, 20 at once
	Proxies     []netip.Prefix // whose X-Forwarded-For is believed
}

// API serves /v1/, /openapi.json, /healthz and /readyz.
type API struct {
	app         *app.App
	log         *slog.Logger
	maxBody     int64
	proxies     []netip.Prefix
	origin      *http.CrossOriginProtection
	perToken    *limiter
	perAddress  *limiter
	perEnroller *limiter // strangers who bring a code
	perHolder   *limiter // whom they speak of
	flights     flights
	mux         *http.ServeMux
	huma        huma.API
	spec        []byte
	serve       http.HandlerFunc
}

const defaultMaxBody = 1 << 20

// New makes an API.
func New(c Config) *API {
	a := &API{app: c.App, log: c.Log, maxBody: c.MaxBody, proxies: c.Proxies, origin: http.NewCrossOriginProtection(), mux: http.NewServeMux(), flights: flights{now: map[string]chan struct{}{}}}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.maxBody == 0 {
		a.maxBody = defaultMaxBody
	}
	if c.PerToken == (Rate{}) {
		c.PerToken = defaultPerToken
	}
	if c.PerAddress == (Rate{}) {
		c.PerAddress = defaultPerAddress
	}
	if c.PerEnroller == (Rate{}) {
		c.PerEnroller = enrolRate
	}
	a.perToken, a.perAddress = newLimiter(c.PerToken), newLimiter(c.PerAddress)
	a.perEnroller, a.perHolder = newLimiter(c.PerEnroller), newLimiter(holderRate)
	hookHuma()
	a.huma = humago.New(a.mux, describe(c.Version))
	a.huma.UseMiddleware(a.authenticate, a.idempotent)
	a.routes()
	a.serve = a.observe(a.route)
	return a
}

// routes is every operation there is.
func (a *API) routes() {
	a.fileOperations()
	a.visitOperations()
	a.workOperations()
	a.doorOperations()
	a.readOperations()
	a.enrolOperations()
	a.phoneOperations()
	a.ticketOperations()
	a.clerkOperations()
	a.courseOperations()
	a.settlementOperations()
	a.acquirerOperations()
	a.feedOperations()
	a.orderOperations()
	a.operationsOperations()
	a.deadLetterOperations()
	a.healthOperations()
	spec, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		panic(err) // a description that cannot be written is a defect found by any test
	}
	a.spec = spec
	a.mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(a.spec) // the client may have gone
	})
}

// Spec is the OpenAPI 3.1 description as it is served.
func (a *API) Spec() []byte { return a.spec }

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.serve(w, r) }

// route bounds the rate of the client's network and finds the operation. The mux's own answers
// (unknown path, wrong method, redirects to a cleaner path) become problems.
func (a *API) route(w http.ResponseWriter, r *http.Request) {
	if wait, ok := a.perAddress.take(clientOf(r, a.proxies)); !ok {
		w.Header().Set("Retry-After", retryAfter(wait))
		writeProblem(w, r, errTooMany)
		return
	}
	handler, pattern := a.mux.Handler(r)
	see(r.Context()).route = pattern
	switch {
	case pattern == "":
		refuseRoute(w, r, handler)
	case path.Clean(r.URL.Path) != r.URL.Path:
		writeProblem(w, r, errNoRoute)
	default:
		a.mux.ServeHTTP(w, r)
	}
}

// refuseRoute asks the mux's own handler whether path or method is wrong.
func refuseRoute(w http.ResponseWriter, r *http.Request, own http.Handler) {
	probe := &probeWriter{header: http.Header{}}
	own.ServeHTTP(probe, r)
	if probe.status != http.StatusMethodNotAllowed {
		writeProblem(w, r, errNoRoute)
		return
	}
	w.Header().Set("Allow", probe.header.Get("Allow"))
	writeProblem(w, r, errMethod)
}

// probeWriter takes an answer that is not sent.
type probeWriter struct {
	header http.Header
	status int
}

func (p *probeWriter) Header() http.Header            { return p.header }
func (p *probeWriter) WriteHeader(status int)         { p.status = status }
func (p *probeWriter) Write(data []byte) (int, error) { return len(data), nil }

// Bounds of a connection. An answer may wait for the log and its witnesses, so writing has longer
// than any App's patience; a body of the largest size has a minute, which is 17 kB a second.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = time.Minute
	writeTimeout  = 3 * time.Minute
	idleTimeout   = 2 * time.Minute
	maxHeader     = 16 << 10
)

// Server is an http.Server with every bound set; the caller gives it a listener.
func Server(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ConnState: newConnections(maxConnections).changed}
}
