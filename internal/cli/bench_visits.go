package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/menshen-project/menshen/internal/bench"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

const (
	benchInterval = 1000 // ms between checkpoints, as a real log has
	nationsPeak   = 20   // visits a second (facts.md §3)
)

// yard is a world of processes with crews that install in it: each crew is a technician, a dispatcher
// and the others of a visit, at a network address of its own.
type yard struct {
	*world
	address string // of the server's database
	crews   []*crew
	played  atomic.Int64
	waits   stopwatch
}

// crew are people who do one visit after the other, each at another shop.
type crew struct {
	cast  *scenario.Cast
	line  http.RoundTripper
	begun bool // touched by its own client alone
}

// apart is how long after the one before a crew begins: all at once, they would meet the bound that each
// institution's token has, and at every later step each other.
const apart = time.Second / nationsPeak

// wholeVisits measures installations from booking to close by many crews at once.
func (b *benching) wholeVisits(ctx context.Context, dir string, budget time.Duration) (out []bench.Figure, err error) {
	y, err := b.newYard(ctx, filepath.Join(dir, "world"))
	if y != nil {
		defer y.close()
	}
	if err != nil {
		return nil, err
	}
	if out, err = b.fill(ctx, y.office.store); err != nil {
		return nil, err
	}
	if err := y.start(ctx); err != nil {
		return nil, err
	}
	if err := y.call(ctx, b.crews); err != nil {
		return nil, err
	}
	figures, err := y.measure(ctx, budget)
	return append(out, figures...), err
}

func (b *benching) newYard(ctx context.Context, dir string) (*yard, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	address, err := b.databases.New(ctx, filepath.Join(dir, "server", "menshen.db"))
	if err != nil {
		return nil, err
	}
	database := address
	if b.databases.Postgres == "" {
		database = "" // the server's own default is this very file, named from its folder
	}
	w, err := newWorld(dir, staging{wanted: anyAddress(), program: program, patience: 60, interval: benchInterval, steady: true, profile: b.profile, database: database})
	if err != nil {
		return nil, err
	}
	return &yard{world: w, address: address}, w.register(ctx, io.Discard)
}

// call brings the crews: their keys are enrolled before the clock runs.
func (y *yard) call(ctx context.Context, n int) error {
	for i := range n {
		c := &crew{cast: y.city.Fresh(fmt.Sprintf("c%d", i))}
		dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(i+1))}}
		c.line = &timed{through: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 4}, waits: &y.waits}
		y.city.Begin(c.cast, time.Now())
		if err := y.playOf(c).OpenCity(ctx); err != nil {
			return err
		}
		y.crews = append(y.crews, c)
	}
	return nil
}

// playOf is the crew's next visit, at a shop of its own.
func (y *yard) playOf(c *crew) *scenario.Play {
	n := int(y.played.Add(1))
	cast := *c.cast
	cast.Merchant = scenario.NewActor(fmt.Sprintf("shop-owner-%d", n), cast.Acquirer.ID, visit.RoleMerchant)
	p := y.newPlay(nil, &cast, fmt.Sprintf("bench-%d", n), visit.Install, 1, 100_000+n)
	p.Venue.(*scenario.HTTPVenue).Client = &http.Client{Transport: c.line, Timeout: time.Minute}
	return p
}

// whole plays one visit from the merchant's enrolment to close.
func (y *yard) whole(ctx context.Context, client int) error {
	c := y.crews[client]
	if !c.begun {
		c.begun = true
		time.Sleep(time.Duration(client) * apart)
	}
	p := y.playOf(c)
	if err := p.Enrol(ctx, p.Cast.Merchant); err != nil {
		return err
	}
	return scenario.Run(ctx, p.Install())
}

func (y *yard) measure(ctx context.Context, budget time.Duration) ([]bench.Figure, error) {
	idle := y.memory("VmRSS")
	before, err := y.onDisk(ctx)
	if err != nil {
		return nil, err
	}
	spent := y.spent()
	y.tellServer()
	y.waits.start()
	rate, waits, err := bench.Loop(ctx, len(y.crews), budget, y.whole)
	if err != nil {
		return nil, err
	}
	y.waits.stop()
	y.tellServer()
	costs := spent.until(y.spent(), len(waits))
	after, err := y.onDisk(ctx)
	if err != nil {
		return nil, err
	}
	busy := y.memory("VmHWM")
	out := []bench.Figure{
		bench.Of("visits", "每秒办完的安装（服务、公证人、主机和所有人都在这台机器上）", "whole installations; server, witnesses, host and all people on this machine", rate, "/s").
			Aimed(bench.Aim{Bound: nationsPeak, AtLeast: true}),
		bench.Of("visit_took", "一次安装从开单到办结", "one installation, from booking to close", waits.At(0.5), "ms").Tail(waits),
	}
	out = append(append(out, costs...), y.waits.figures()...)
	door, err := y.doors(ctx, budget/3)
	if err != nil {
		return nil, err
	}
	out = append(out, door...)
	if idle > 0 {
		out = append(out, bench.Of("memory_idle", "服务闲着占内存", "memory of an idle server", idle, "MB"), bench.Of("memory_busy", "服务忙时占内存，最高", "memory of a busy server, at most", busy, "MB"))
	}
	return append(out, bench.Of("disk_per_visit", "每次上门占磁盘（库和日志）", "bytes on disk per visit, database and log", (after-before)/float64(len(waits))/1000, "kB")), nil
}

// tellServer has the server begin or end its profile, if it was asked for one.
func (y *yard) tellServer() {
	y.children.mu.Lock()
	defer y.children.mu.Unlock()
	for _, k := range y.children.all {
		if k.name == "server" && y.profile != "" {
			_ = k.cmd.Process.Signal(syscall.SIGUSR1) // a server that is gone is an error elsewhere
		}
	}
}

// doorsAVisit is below what a server lets one visit ask for within ten minutes.
const doorsAVisit = 25

var errEnough = errors.New("the server's bound on one visit is near")

// doors measures door checks: challenge, presentation, the merchant's signature, stored. Their floor is what
// they cannot be without: the badge's and the binding's signature and the merchant's, verified and nothing
// else, on every core at once, in this process and at the same place of the run.
func (y *yard) doors(ctx context.Context, budget time.Duration) ([]bench.Figure, error) {
	plays := make([]*scenario.Play, len(y.crews))
	errs := make([]error, len(y.crews))
	var all sync.WaitGroup
	for i, c := range y.crews {
		plays[i] = y.playOf(c)
		all.Go(func() {
			time.Sleep(time.Duration(i) * apart)
			if errs[i] = plays[i].Enrol(ctx, plays[i].Cast.Merchant); errs[i] == nil {
				errs[i] = scenario.Run(ctx, scenario.Until(plays[i].Install(), "door"))
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	bare, err := bench.ThreeSignatures(ctx, budget/4)
	if err != nil {
		return nil, err
	}
	checks := make([]int, len(plays)) // each written by its own client alone
	rate, waits, err := bench.Loop(ctx, len(plays), budget, func(ctx context.Context, i int) error {
		if checks[i]++; checks[i] > doorsAVisit {
			return errEnough
		}
		return plays[i].CheckDoor(ctx)
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return []bench.Figure{bench.Of("door_checks", "每秒存下的上门核对（出题、作答、店主签字）", "door checks stored: challenge, answer, the merchant's signature", rate, "/s").
		Tail(waits).Beside(bare, "只验这三个签名，所有核一起", "its three signatures verified, on every core")}, err
}

// memory reads a line of the server's own account, in MB; 0 where the system keeps none.
func (y *yard) memory(line string) float64 {
	y.children.mu.Lock()
	defer y.children.mu.Unlock()
	for _, k := range y.children.all {
		if k.name != "server" {
			continue
		}
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", k.cmd.Process.Pid))
		if err != nil {
			return 0
		}
		for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
			if value, ok := strings.CutPrefix(s.Text(), line+":"); ok {
				kb, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
				return kb * 1024 / 1e6
			}
		}
	}
	return 0
}

// onDisk is what the server keeps: the database and the log.
func (y *yard) onDisk(ctx context.Context) (float64, error) {
	pages, err := bench.DatabaseBytes(ctx, y.address)
	if err != nil {
		return 0, err
	}
	log, err := sizeOf(filepath.Join(y.dir, "server", "log"))
	return float64(pages + log), err
}

// stopwatch keeps the waits of requests by verb while it runs.
type stopwatch struct {
	mu    sync.Mutex
	runs  bool
	waits map[string]bench.Waits
}

func (s *stopwatch) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs, s.waits = true, map[string]bench.Waits{}
}

func (s *stopwatch) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = false
}

func (s *stopwatch) note(verb string, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs {
		s.waits[verb] = append(s.waits[verb], took)
	}
}

func (s *stopwatch) figures() []bench.Figure {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []bench.Figure
	for _, verb := range slices.Sorted(maps.Keys(s.waits)) {
		w := s.waits[verb]
		slices.Sort(w)
		out = append(out, bench.Of("wait_"+verb, "等待 "+verb, "wait for "+verb, w.At(0.5), "ms").Tail(w))
	}
	return out
}

// timed notes how long each request waits.
type timed struct {
	through http.RoundTripper
	waits   *stopwatch
}

// RoundTrip sends the request and reads the answer whole, as its caller does.
func (t *timed) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	res, err := t.through.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	res.Body = io.NopCloser(bytes.NewReader(data))
	t.waits.note(verbOf(r), time.Since(began))
	return res, err
}

// verbOf is the last word of a request's path; of an ask, what was asked for.
func verbOf(r *http.Request) string {
	verb := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if verb != "asks" || r.GetBody == nil {
		return verb
	}
	var asked struct{ Ask string }
	if body, err := r.GetBody(); err == nil {
		_ = json.NewDecoder(body).Decode(&asked) // a label: an unreadable one is the bare verb
	}
	return "ask_" + asked.Ask
}
