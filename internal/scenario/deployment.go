package scenario

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/acquirer"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/jobs"
	"github.com/menshen-project/menshen/internal/notify"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
)

// Deployment is a whole menshen on this machine: store, vault, app and API as they are shipped, on a
// loopback address, with a log in memory and a simulated host beside them.
type Deployment struct {
	Cast    *Cast
	Foundry *Foundry
	Trust   evidence.Trust
	Now     Clock
	Log     *MemoryLog
	Host    *HostCore
	Store   *store.Store
	App     *app.App
	API     *httpapi.API
	Venue   *HTTPVenue
	School  *Keeper // the course issuer's own service, nil for none

	server *http.Server
	stop   context.CancelFunc
	ended  sync.WaitGroup
	failed error // of the listener, read after ended

	mu     sync.Mutex
	tokens map[string]string // who → secret
}

// DeploymentConfig is what a Deployment can differ in.
type DeploymentConfig struct {
	Dir           string // for the database; the caller removes it
	Database      string // its address; "" for SQLite in Dir
	Now           Clock
	Server        Clock         // the server's own, where it differs from everybody else's; nil for Now
	Patience      time.Duration // of the app; 10 s when 0
	Log           *slog.Logger
	API           httpapi.Config                                   // App and Log are filled in
	Wrap          func(http.Handler) http.Handler                  // between the network and the API; nil for nothing
	Outbox        func(app.Log) app.Log                            // between the app and its log; nil for nothing
	Organisations func(*Cast) (map[string]app.Organisation, error) // their own signing services; nil for none
	School        string                                           // folder in which the cast's course issuer keeps its own service; "" for none
	SchoolNow     Clock                                            // the school's own, where it differs; nil for Now
	Receivers     []notify.Receiver                                // who outside hears of what; nil for nobody
	Hosts         func(map[string]app.Host)                        // edits who is called; nil for the cast's own host
}

// NewDeployment starts one.
func NewDeployment(ctx context.Context, c DeploymentConfig) (*Deployment, error) {
	if c.Patience == 0 {
		c.Patience = 10 * time.Second
	}
	if c.Server == nil {
		c.Server = c.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	d := &Deployment{Cast: NewCast(), Now: c.Now, tokens: map[string]string{}}
	d.Cast.Parameters = d.Cast.AcquirerParameters(c.Now())
	d.Foundry = NewFoundry(d.Cast.Maker.ID, c.Now())
	d.Log = NewMemoryLog("menshen.example/log", c.Now, "witness-a", "witness-b")
	var err error
	if d.Trust, err = trustFor(d.Cast, d.Foundry, d.Log, c.Now()); err != nil {
		return nil, err
	}
	d.Host = NewHostCore(d.Cast.Host, d.Trust, c.Now)
	if c.Database == "" {
		c.Database = "sqlite:" + filepath.Join(c.Dir, "menshen.db")
	}
	if d.Store, err = store.Open(ctx, c.Database); err != nil {
		return nil, err
	}
	if err := d.wire(c); err != nil {
		return nil, errors.Join(err, d.Store.Close())
	}
	return d, nil
}

func trustFor(c *Cast, f *Foundry, l *MemoryLog, now time.Time) (evidence.Trust, error) {
	file := TrustFileFor(c, f, now)
	l.Trust(&file)
	data, err := statement.Canonical(file)
	if err != nil {
		return evidence.Trust{}, err
	}
	return evidence.ParseTrust(data)
}

// wire puts app and API on the store and starts serving and sequencing.
func (d *Deployment) wire(c DeploymentConfig) error {
	v, err := vault.New(make([]byte, 32)) // a demonstration's key-encryption key
	if err != nil {
		return err
	}
	var log app.Log = &servedLog{log: d.Log, at: map[string]uint64{}}
	if c.Outbox != nil {
		log = c.Outbox(log)
	}
	hosts := map[string]app.Host{d.Cast.Acquirer.ID: servedHost{d.Host}}
	if c.Hosts != nil {
		c.Hosts(hosts)
	}
	var services map[string]app.Organisation
	if c.Organisations != nil {
		if services, err = c.Organisations(d.Cast); err != nil {
			return err
		}
	}
	if c.School != "" {
		if c.SchoolNow == nil {
			c.SchoolNow = c.Now
		}
		if d.School, err = KeepSchool(c.School, d.Cast, d.Trust, c.SchoolNow); err != nil {
			return err
		}
		if services == nil {
			services = map[string]app.Organisation{}
		}
		services[d.Cast.School.ID] = d.School.Client
	}
	d.App = app.New(app.Config{Store: d.Store, Vault: v, Log: log, Hosts: hosts, Organisations: services, Receivers: c.Receivers, Site: "https://menshen.example", Platform: d.Cast.Platform.Key, Operator: d.Cast.Platform.ID,
		Province: "31", Trust: d.Trust, Now: c.Server, Patience: c.Patience})
	c.API.App, c.API.Log = d.App, c.Log
	d.API = httpapi.New(c.API)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var handler http.Handler = d.API
	if c.Wrap != nil {
		handler = c.Wrap(handler)
	}
	d.server = httpapi.Server(handler)
	d.Venue = &HTTPVenue{URL: "http://" + listener.Addr().String(), Client: &http.Client{}, Technician: d.Cast.Technician, Token: d.Token}
	ctx, stop := context.WithCancel(context.Background())
	d.stop = stop
	d.ended.Go(func() {
		if err := d.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			d.failed = err
		}
	})
	d.ended.Go(func() { jobs.Run(ctx, d.App, c.Log) })
	return nil
}

// Close stops serving, then sequencing, then the store.
func (d *Deployment) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// First: the server would wait for a connection that was dialled and never asked anything.
	d.Venue.Client.CloseIdleConnections()
	err := d.server.Shutdown(ctx)
	d.stop()
	d.ended.Wait()
	if d.School != nil {
		err = errors.Join(err, d.School.Close())
	}
	return errors.Join(err, d.failed, d.Store.Close())
}

// Token signs an actor in: a token of his own, issued once.
func (d *Deployment) Token(ctx context.Context, by *Actor) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	who := by.ID + " " + by.Organisation + " " + by.Role
	if secret := d.tokens[who]; secret != "" {
		return secret, nil
	}
	_, secret, err := d.App.IssueToken(ctx, app.TokenGrant{Kind: store.TokenAPI, Person: by.ID, Organisation: by.Organisation, Role: by.Role,
		Label: "scenario", Until: d.App.Now().AddDate(0, 6, 0)})
	if err == nil {
		d.tokens[who] = secret
	}
	return secret, err
}

// Play is a visit at this deployment, with a new device. The city must be open: see Play.OpenCity.
func (d *Deployment) Play(kind string, risk int, id, serial, terminal string) *Play {
	p := &Play{Cast: d.Cast, Venue: d.Venue, Now: d.Now, Host: &InMemory{Core: d.Host}, Foundry: d.Foundry, Trust: d.Trust,
		Device: d.Foundry.Make(serial, d.Now()), ID: id, Shop: CornerShop(d.Cast.Merchant.ID)}
	p.Shop.Terminal = terminal
	p.NewOrder(kind, risk)
	return p
}

// servedLog lets a server use a MemoryLog as it uses the real one.
type servedLog struct {
	log *MemoryLog
	mu  sync.Mutex
	at  map[string]uint64 // leaf → index
}

// Add appends a leaf; one that is there keeps its place.
func (s *servedLog) Add(_ context.Context, leaf []byte) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, known := s.at[string(leaf)]; known {
		return at, nil
	}
	at := uint64(s.log.Add(leaf))
	s.at[string(leaf)] = at
	return at, nil
}

// Receipt proves a leaf against the latest checkpoint.
func (s *servedLog) Receipt(_ context.Context, index uint64) ([]byte, error) {
	return []byte(s.log.Receipt(int64(index))), nil
}

// Witnessed gives the latest checkpoint.
func (s *servedLog) Witnessed(context.Context) (uint64, []byte, error) {
	size, checkpoint := s.log.Latest()
	return size, checkpoint, nil
}

// servedHost is a simulated host as app calls it.
type servedHost struct{ core *HostCore }

// Release hands the bundle to the host.
func (h servedHost) Release(_ context.Context, permit string, bundle []byte) ([]byte, error) {
	return h.core.Release(bundle, permit)
}

// Charges lists what was charged on an order's terminal.
func (h servedHost) Charges(_ context.Context, q acquirer.Query) ([]byte, error) {
	since, err := q.Since.Parse()
	if err != nil {
		return nil, err
	}
	return h.core.ChargesOf(Asked{Visit: q.Visit, Order: q.Order, Serial: q.Serial, Since: since})
}

// Cancel takes a permit back.
func (h servedHost) Cancel(_ context.Context, permit, visitID string) ([]byte, error) {
	return h.core.Cancel(visitID, permit)
}
