package transparency

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

const (
	defaultInterval = time.Second
	minInterval     = 100 * time.Millisecond // Tessera's own bound
	maxInterval     = time.Minute
	defaultTimeout  = 5 * time.Second
	republish       = time.Minute // a log that does not grow is still cosigned this often

	batchEntries   = 256
	batchAge       = 50 * time.Millisecond
	rememberLeaves = 1 << 14 // adding one of the latest leaves again gives its index, also after a restart
)

var (
	errSigner    = fault.New(fault.Invalid, "log_signer_differs", "日志的签名密钥和策略里写的公钥不是一对。", "The log's signing key is not the one its policy names.")
	errInterval  = fault.New(fault.Invalid, "log_interval", "检查点间隔要在 0.1 秒到 1 分钟之间。", "The checkpoint interval is 100 ms to a minute.")
	errEndpoint  = fault.New(fault.Invalid, "witness_endpoint_malformed", "见证方的网址不对。", "A witness's address is not an http or https URL.")
	errEndpoints = fault.New(fault.Invalid, "witness_endpoints_differ", "每个见证方要有一个、也只能有一个网址。", "Every witness of the policy has exactly one address of its own.")
	errStarting  = fault.New(fault.Unavailable, "log_starting", "日志还没有启动好。", "The log has not started yet.")
	errClosed    = fault.New(fault.Unavailable, "log_closed", "日志已经关闭。", "The log is closed.")
)

// WitnessEndpoint is where a witness of the policy listens.
type WitnessEndpoint struct {
	VKey string
	URL  string // submission prefix, without "add-checkpoint"
}

// Config is what a log needs.
type Config struct {
	Dir            string              // the log's own folder; made if missing
	Signer         note.Signer         // of Policy.LogKey, from ParseLogSigner
	Policy         record.PolicyConfig // what verifiers will ask of this log
	Witnesses      []WitnessEndpoint   // one for each witness of the policy
	Interval       time.Duration       // between checkpoints; 0 means 1 s
	WitnessTimeout time.Duration       // for one round of witnesses; 0 means 5 s
	Logger         *slog.Logger        // nil means slog.Default()
	Known          *KnownLeaf          // the last leaf whose place the caller was told; nil for none
}

// Log sequences leaves and gets them witnessed. It is safe for concurrent use.
type Log struct {
	config    Config
	policy    record.Policy
	verifier  *record.Verifier // checks the log's own receipts, each checkpoint once
	witnesses *gateway
	logger    *slog.Logger

	ctx    context.Context // Open's values; ends with Close, after the last leaf that was being added
	cancel context.CancelFunc
	unlock func() error
	tasks  sync.WaitGroup // start, then watch, sequence and answer
	ready  chan struct{}  // closed when appender, reader and before are set
	done   chan struct{}  // closed by Close

	appender *tessera.Appender
	reader   tessera.LogReader
	before   map[[32]byte]uint64 // index of each of the latest leaves of before this process, by hash

	jobs chan addJob // leaves on their way to sequence

	mu       sync.Mutex
	adding   sync.WaitGroup // Adds under way; grows only while not closed
	closed   bool
	latest   witnessed
	prover   *prover       // of the latest tree that something was proven in
	changed  chan struct{} // closed and replaced at every new witnessed checkpoint
	size     uint64        // leaves in the tree, as last seen
	behindAt time.Time     // since when leaves wait for witnesses; zero when none do

	key      note.Verifier // the log's own
	floor    atomic.Uint64 // the tree is never smaller
	soundAt  atomic.Int64  // nanoseconds; until when the last look holds, if it found nothing
	looking  sync.Mutex    // for the following three
	lookedAt time.Time
	heldFor  []byte // the checkpoint that was last compared with the tree
	trampled error  // a place was given twice; nothing heals that
	trouble  error  // under mu: why nothing is sequenced

	warned string // last warning, only touched by the background task
	seen   []byte // last published bytes, likewise
}

// witnessed is a checkpoint that the policy accepts.
type witnessed struct {
	checkpoint record.Checkpoint
	data       []byte
	seen       time.Time
}

// Open takes the folder and starts the log. It does not wait for witnesses: a new log, which
// cannot begin before they cosign its emptiness, begins in the background as soon as they answer,
// and Add waits until then. ctx gives values only; Close ends the log. Faults: policy_*,
// log_signer_differs, log_interval, witness_endpoint_malformed, witness_endpoints_differ,
// log_folder, log_folder_in_use.
func Open(ctx context.Context, c Config) (*Log, error) {
	policy, err := record.NewPolicy(c.Policy)
	if err != nil {
		return nil, err
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	witnesses, err := newGateway(policy, c.Witnesses, c.WitnessTimeout, c.Logger)
	if err != nil {
		return nil, err
	}
	unlock, err := lockFolder(c.Dir)
	if err != nil {
		return nil, err
	}
	if err := sweepFolder(c.Dir); err != nil {
		return nil, errors.Join(err, unlock())
	}
	key, err := note.NewVerifier(c.Policy.LogKey)
	if err != nil {
		return nil, errors.Join(errSigner.Because(err), unlock())
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &Log{config: c, key: key, policy: policy, verifier: record.NewVerifier(policy), witnesses: witnesses, logger: c.Logger,
		ctx: ctx, cancel: cancel, jobs: make(chan addJob, underWay), unlock: unlock, ready: make(chan struct{}), done: make(chan struct{}), changed: make(chan struct{})}
	l.tasks.Go(func() {
		if l.start(ctx) {
			l.tasks.Go(func() { l.sequence(ctx, l.appender.Add) })
			l.watch(ctx)
		}
	})
	return l, nil
}

// complete fills in defaults and checks the rest.
func (c *Config) complete() error {
	verifier, err := note.NewVerifier(c.Policy.LogKey)
	if err != nil || c.Signer == nil || c.Signer.Name() != verifier.Name() || c.Signer.KeyHash() != verifier.KeyHash() {
		return errSigner.Because(err)
	}
	if c.Interval == 0 {
		c.Interval = defaultInterval
	}
	if c.Interval < minInterval || c.Interval > maxInterval {
		return errInterval
	}
	if c.WitnessTimeout <= 0 {
		c.WitnessTimeout = defaultTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return nil
}

// start examines the folder, opens Tessera on it and reads the latest leaves, each again and again until it
// succeeds or the log is closed. Tessera wants witnesses for the first, empty checkpoint of a new
// folder and fails without them. A folder that is damaged is said to be so at once, and left as it is.
func (l *Log) start(ctx context.Context) bool {
	opened := l.retry(ctx, func() error {
		err := l.examineBegun()
		if l.tell(err); err != nil {
			return err
		}
		driver, err := posix.New(ctx, posix.Config{Path: l.config.Dir, HTTPClient: l.witnesses.client})
		if err != nil {
			return err
		}
		l.appender, _, l.reader, err = tessera.NewAppender(ctx, driver, l.options())
		return err
	})
	started := opened && l.retry(ctx, func() (err error) {
		l.before, err = l.latestLeaves(ctx)
		return err
	})
	if started {
		close(l.ready)
	}
	return started
}

// retry calls try until it succeeds; false when the log is closed first.
func (l *Log) retry(ctx context.Context, try func() error) bool {
	for {
		err := try()
		if err == nil {
			return true
		}
		if l.Trouble() == nil { // which was told
			l.warn(ctx, "log has not started", err)
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(l.config.Interval):
		}
	}
}

func (l *Log) options() *tessera.AppendOptions {
	return tessera.NewAppendOptions().
		WithCheckpointSigner(l.config.Signer).
		WithCheckpointInterval(l.config.Interval).
		WithCheckpointRepublishInterval(republish).
		WithBatching(batchEntries, batchAge).
		WithWitnesses(l.witnesses.group(), &tessera.WitnessOptions{Timeout: l.config.WitnessTimeout})
}

// warn logs a trouble once, not at every try.
func (l *Log) warn(ctx context.Context, message string, cause error) {
	if text := message + cause.Error(); text != l.warned && ctx.Err() == nil {
		l.warned = text
		l.logger.WarnContext(ctx, message, "cause", cause)
	}
}

// started waits until the log has started. Faults: log_starting when ctx ends first, log_closed.
func (l *Log) started(ctx context.Context) error {
	// Of several that hold, select takes any: a closed log is closed, a started one has started.
	select {
	case <-l.done:
		return errClosed
	default:
	}
	select {
	case <-l.ready:
		return nil
	default:
	}
	select {
	case <-l.ready:
		return nil
	case <-l.done:
		return errClosed
	case <-ctx.Done():
		return errStarting.Because(ctx.Err())
	}
}

// Close waits for leaves that are being added, stops, and lets go of the folder. What is sequenced
// and not yet witnessed stays in the folder and is witnessed after the next Open.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	close(l.done)
	l.mu.Unlock()
	l.adding.Wait()
	l.cancel()
	l.tasks.Wait()
	l.witnesses.transport.CloseIdleConnections()
	return l.unlock()
}
