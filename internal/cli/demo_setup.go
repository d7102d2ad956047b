package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/examples/city"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

// world is the demonstration's parties, each with a folder of its own.
type world struct {
	staging
	dir       string
	city      *scenario.City
	foundry   *scenario.Foundry
	trust     evidence.Trust
	trustFile string
	server    string // address
	host      string // address
	hostToken string
	config    string // the server's config file
	office    *node  // the operator's own hands: tokens
	mu        sync.Mutex
	tokens    map[string]string          // by person, organisation and role
	links     map[*scenario.Actor]string // tokens of links to the pages
	played    int                        // attacks over the API
	atHost    scenario.SimulatedHost
	children  *children
	args      map[string][]string // of each process, by name
}

// witnessesOf are the demonstration's witnesses: parties other than the log's operator.
var witnessesOf = []string{"assoc", "mingjing"}

// demoInterval is the demonstration's pause between checkpoints; a real log takes a second.
const demoInterval = 200

// demoPatience is how many seconds a request of the demonstration waits for log and witnesses.
const demoPatience = 20

// staging is what a world can differ in.
type staging struct {
	disk     int64                    // bytes of a file system of its own under the server, 0 for none; only tests mount
	wanted   string                   // the address that the server would like to serve on
	program  string                   // menshen's own, for the processes
	patience int                      // of the server, in seconds
	interval int                      // between checkpoints, in milliseconds; demoInterval when 0
	quorum   int                      // of the witnesses; all when 0
	school   bool                     // a course issuer runs its service, too
	steady   bool                     // the host loses no answers
	database string                   // the server's; SQLite in its folder when ""
	profile  string                   // where the server writes its processor time, "" for nowhere
	between  func(host string) string // what the server calls the host's address by; nil for the address itself
}

// newWorld makes everybody's keys and files; nothing runs yet.
func newWorld(dir string, st staging) (*world, error) {
	now := time.Now()
	c, err := scenario.NewCity(now)
	if err != nil {
		return nil, err
	}
	w := &world{dir: dir, staging: st, city: c, foundry: scenario.NewFoundry(c.Cast.Maker.ID, now), tokens: map[string]string{}, args: map[string][]string{},
		children: &children{program: st.program, dir: filepath.Join(dir, "logs")}}
	for _, sub := range []string{"logs", "city", "host"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, errFolder.Because(err)
		}
	}
	return w, w.parties()
}

// parties sets up the server's folder, the witnesses', the association's trust file and the host's.
func (w *world) parties() error {
	s := setup{dir: filepath.Join(w.dir, "server"), operator: w.city.Cast.Platform.ID, province: "32", origin: "log.menshen.example", database: cmp.Or(w.database, "sqlite:menshen.db")}
	public, err := s.make(w.city.Cast.Platform.Key)
	if err != nil {
		return err
	}
	file := scenario.TrustFileFor(w.city.Cast, w.foundry, time.Now())
	file.Log = evidence.LogTrust{Origin: public.LogOrigin, Key: public.LogKey, Operator: s.operator}
	conf := s.config()
	for _, party := range witnessesOf {
		vkey, err := witnessing{dir: w.witnessDir(party), name: "witness." + party}.init()
		if err != nil {
			return err
		}
		address, err := freeAddress(anyAddress())
		if err != nil {
			return err
		}
		file.Witnesses = append(file.Witnesses, evidence.WitnessTrust{Party: party, Key: vkey})
		conf.Log.Witnesses = append(conf.Log.Witnesses, WitnessConfig{Key: vkey, URL: "http://" + address})
	}
	file.Quorum = cmp.Or(w.quorum, len(witnessesOf))
	if err := w.publishTrust(file); err != nil {
		return err
	}
	return w.configure(conf)
}

func (w *world) witnessDir(party string) string { return filepath.Join(w.dir, "witness-"+party) }

// publishTrust writes the association's trust file where every reader takes it from.
func (w *world) publishTrust(file evidence.TrustFile) error {
	data, err := statement.Canonical(file)
	if err != nil {
		return err
	}
	if w.trust, err = evidence.ParseTrust(data); err != nil {
		return err
	}
	w.trustFile = filepath.Join(w.dir, "trust.json")
	return os.WriteFile(w.trustFile, data, 0o644)
}

// configure writes the server's config, as an operator would fill it in.
func (w *world) configure(conf Config) error {
	var err error
	if w.server, err = freeAddress(w.wanted); err != nil {
		return err
	}
	if w.host, err = freeAddress(anyAddress()); err != nil {
		return err
	}
	w.hostToken, _ = app.NewToken()
	if err := writeSecret(filepath.Join(w.dir, "server", "host.token"), []byte(w.hostToken+"\n")); err != nil {
		return err
	}
	conf.Listen, conf.PublicURL, conf.TrustFile, conf.Demonstration = w.server, w.site(), "../trust.json", true
	conf.Log.IntervalMS, conf.PatienceSeconds = cmp.Or(w.interval, demoInterval), w.patience
	called := w.host
	if w.between != nil {
		called = w.between(w.host)
	}
	conf.Hosts = []HostConfig{{Acquirer: w.city.Cast.Acquirer.ID, URL: "http://" + called, TokenFile: "host.token"}}
	if err := w.keepers(&conf); err != nil {
		return err
	}
	w.config = filepath.Join(w.dir, "server", "config.yaml")
	if err := os.Remove(w.config); err != nil { // init's, without witnesses and hosts
		return err
	}
	return writeConfig(w.config, conf)
}

// register imports the city's sheets and gives everybody in the play a token.
func (w *world) register(ctx context.Context, out io.Writer) error {
	entries, err := city.Files.ReadDir(".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		data, err := city.Files.ReadFile(e.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(w.dir, "city", e.Name()), data, 0o600); err != nil {
			return err
		}
	}
	if err := w.children.run(ctx, out, "import", "--config", w.config, "--dir", filepath.Join(w.dir, "city")); err != nil {
		return err
	}
	c, err := loadConfig(w.config)
	if err != nil {
		return err
	}
	if w.office, err = openNode(ctx, c, nil); err != nil {
		return err
	}
	return w.link(ctx, w.office.app)
}

// close stops every process and lets go of the store.
func (w *world) close() {
	w.children.stop()
	if w.office != nil {
		_ = w.office.close() // the folder is about to go
	}
}

// token signs an actor in at the API; his first use gets him one, as `menshen token` would.
func (w *world) token(ctx context.Context, who *scenario.Actor) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := who.ID + " " + who.Organisation + " " + who.Role
	if secret, ok := w.tokens[name]; ok {
		return secret, nil
	}
	_, secret, err := w.office.app.IssueToken(ctx, app.TokenGrant{Kind: store.TokenAPI, Person: who.ID, Organisation: who.Organisation, Role: who.Role,
		Label: "demonstration", Until: time.Now().Add(7 * 24 * time.Hour)})
	if err == nil {
		w.tokens[name] = secret
	}
	return secret, err
}

func (w *world) venue(cast *scenario.Cast) scenario.Venue {
	return &scenario.HTTPVenue{URL: w.base(), Client: &http.Client{Timeout: time.Minute}, Technician: cast.Technician, Token: w.token}
}

// start runs witnesses, host, the organisations' own services and server as processes of their own.
func (w *world) start(ctx context.Context) error {
	c, err := loadConfig(w.config)
	if err != nil {
		return err
	}
	file := w.trust.File()
	for i, party := range witnessesOf {
		w.args["witness-"+party] = []string{"witness", "--dir", w.witnessDir(party), "--listen", strings.TrimPrefix(c.Log.Witnesses[i].URL, "http://"),
			"--origin", file.Log.Origin, "--log-key", file.Log.Key}
	}
	w.args["server"] = []string{"serve", "--config", w.config}
	if w.profile != "" {
		w.args["server"] = append(w.args["server"], "--profile", w.profile)
	}
	if err := w.settleHost(); err != nil {
		return err
	}
	names := []string{"witness-" + witnessesOf[0], "witness-" + witnessesOf[1], "host"}
	for _, k := range w.keepings() {
		names = append(names, k.name)
	}
	for _, name := range append(names, "server") {
		if err := w.run(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// run starts one process of the world; again after it ended.
func (w *world) run(ctx context.Context, name string) error {
	return w.children.start(ctx, name, w.args[name]...)
}

func (w *world) base() string { return fmt.Sprintf("http://%s", w.server) }

// site is where people open the pages: passkeys work at a name, not at a number (WebAuthn §5.1.3).
func (w *world) site() string {
	_, port, _ := strings.Cut(w.server, ":")
	return "http://localhost:" + port
}
