// Package app carries out the verbs: it proves what comes in, records it, asks the gate and calls
// the acquirer's host. It is the only package that opens a transaction. It decides nothing itself:
// whether a statement may be recorded is asked of evidence.Intake and visit.Decide, whether an ask
// is granted of evidence.Judge, who may do what of access.Decide.
package app

import (
	"context"
	"crypto/ecdsa"
	"sync"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/acquirer"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/notify"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

// Log is what app needs of the transparency log; transparency.Log is one.
type Log interface {
	// Add sequences a leaf and gives its index.
	Add(ctx context.Context, leaf []byte) (uint64, error)
	// Receipt proves a leaf against the latest checkpoint that the witnesses cosigned.
	Receipt(ctx context.Context, index uint64) ([]byte, error)
	// Witnessed gives the latest checkpoint that the witnesses cosigned.
	Witnessed(ctx context.Context) (size uint64, checkpoint []byte, err error)
}

// Host is an acquirer's host; acquirer.Client is one.
type Host interface {
	Release(ctx context.Context, permit string, bundle []byte) ([]byte, error)
	Cancel(ctx context.Context, permit, visitID string) ([]byte, error)
	// Charges gives the host's signed list of everything charged since a time on an order's terminal.
	Charges(ctx context.Context, q acquirer.Query) ([]byte, error)
}

// Config is what an App is made of. Every member is required, but organisations may sign elsewhere and nobody needs to be told anything.
type Config struct {
	Store         *store.Store
	Vault         *vault.Vault
	Log           Log
	Hosts         map[string]Host         // by acquirer
	Organisations map[string]Organisation // own signing services, by organisation
	Receivers     []notify.Receiver       // who outside hears of what; none for nobody
	Site          string                  // where browsers find the pages, for links in messages
	Platform      *ecdsa.PrivateKey
	Operator      string // organisation id under which the platform's key is on the trust list
	Province      string // two digits, for leaves of streams that belong to no shop
	Trust         evidence.Trust
	Now           func() time.Time
	Patience      time.Duration // how long a request waits for the log and its witnesses
}

// App is one node. It may be used from many goroutines.
type App struct {
	Config
	states  stateCache
	streams turns
	calling turns // permit digest: one release at a time in this process
	telling turns // visit: one report of its settlements at a time in this process
	news    broadcast
	doors   broadcast // somebody answered at a door
	moved   broadcast // something was recorded about a visit
	opened  openedCache
	logged  loggedEvents
	waits   waits
	reached reachedList      // what this process's calls to others came to
	reader  *evidence.Reader // remembers what it proved: signatures, receipts
}

// New makes an App.
func New(c Config) *App {
	if c.Store != nil {
		c.Store.SealWith(c.Vault.RowKey())
	}
	return &App{Config: c, states: stateCache{kept: map[string]cachedState{}}, news: broadcast{ch: make(chan struct{})}, doors: broadcast{ch: make(chan struct{})},
		moved: broadcast{ch: make(chan struct{})}, reader: evidence.NewReader(c.Trust)}
}

// Actor is who asks, as a token says. Statements are believed for their signatures; the actor only
// opens the door to the endpoint.
type Actor struct {
	Person       string
	Organisation string
	Role         string
	Token        string // id, the scope of idempotency keys
}

var (
	errNotSigner = fault.New(fault.Forbidden, "actor_not_signer", "只能提交自己签的文件。", "A statement is filed by the one who signed it.")
	errNoVisit   = fault.New(fault.NotFound, "visit_not_found", "没有这次上门，或者您无权查看。", "There is no such visit, or you may not see it.")
	errNotReady  = fault.New(fault.Unavailable, "log_not_witnessed", "日志或公证人暂时没有响应，事情已排队，请稍后再试。", "The log or its witnesses do not answer yet; everything is queued, try again shortly.")
	errPaused    = fault.New(fault.Unavailable, "log_paused", "日志停住了，要等运营方处理。已经记下的不会丢，处理好以后再办这一步。", "The log has stopped and waits for its operator. What is recorded stays; do this step again when it is mended.")
	errBusy      = fault.New(fault.Conflict, "visit_busy", "同时有别的操作，请再试一次。", "Others write to this visit at the same time; try again.")
)

// sign signs a statement in the platform's name.
func (a *App) sign(stream, kind, answers string, body any) ([]byte, error) {
	return statement.Sign(a.Platform, statement.Unsigned{Type: kind, Subject: stream, Body: body,
		Header: statement.Header{Signer: a.Operator, Organisation: a.Operator, Role: visit.RolePlatform, At: statement.At(a.Now()), Answers: answers}})
}

// broadcast wakes everybody who waits for receipts.
type broadcast struct {
	mu sync.Mutex
	ch chan struct{}
}

func (b *broadcast) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ch
}

func (b *broadcast) tell() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.ch)
	b.ch = make(chan struct{})
}

// stateCache remembers how visits stood at a head, so that a statement that comes in costs its own
// signature and not those of all before it. A head that differs is replayed from the store.
type stateCache struct {
	mu   sync.Mutex
	kept map[string]cachedState
}

type cachedState struct {
	state visit.State
	order visit.Order
}

// maxStates bounds the cache; it is emptied whole when full, which costs one replay a visit.
const maxStates = 4096

func (c *stateCache) get(visitID, head string) (cachedState, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.kept[visitID]
	return s, ok && s.state.Head() == head
}

func (c *stateCache) put(visitID string, s cachedState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) >= maxStates {
		c.kept = map[string]cachedState{}
	}
	c.kept[visitID] = s
}

// openedCache holds positions that this node opened for judging, for as long as it runs; bounded.
type openedCache struct {
	mu   sync.Mutex
	kept map[string]statement.Opening
}

// maxOpened bounds the cache; it is emptied whole when full.
const maxOpened = 16384

// all gives the openings of all commitments, or false if one is not known.
func (c *openedCache) all(commitments []string) ([]statement.Opening, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]statement.Opening, 0, len(commitments))
	for _, k := range commitments {
		o, ok := c.kept[k]
		if !ok {
			return nil, false
		}
		out = append(out, o)
	}
	return out, true
}

func (c *openedCache) keep(opened map[string]statement.Opening) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept)+len(opened) > maxOpened {
		c.kept = map[string]statement.Opening{}
	}
	for k, o := range opened {
		c.kept[k] = o
	}
}
