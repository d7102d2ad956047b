package store

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

const (
	// postgresConns is how many may read at once.
	postgresConns = 16
	// postgresWriters is for the batch, and for what runs beside it.
	postgresWriters = 2
	// postgresTries bounds the runs of one command.
	postgresTries = 40
	// From this run on a command is alone in its transaction, and no other of this process runs beside it, so
	// that it gets through.
	crowdedTries = 6
	// A retry waits a random time below a bound that doubles from first to longest.
	firstRetry, longestRetry = 2 * time.Millisecond, 250 * time.Millisecond
)

// postgresTime bounds one transaction; tests lower it.
var postgresTime = 30 * time.Second

// postgresEngine runs commands in serializable transactions that they share, one after the other: those of one
// process never conflict with each other, those of several processes may. It uses nothing that CockroachDB or
// YugabyteDB lack.
type postgresEngine struct {
	db      *sql.DB // of readers
	writes  *sql.DB // apart from them, so that no writer waits behind many readers
	writer  *groupWriter
	mu      sync.Mutex
	shut    bool
	running sync.WaitGroup
	alone   sync.Mutex // held by whoever writes: a batch, or one command that did not get through with others
}

func openPostgres(ctx context.Context, dsn string) (engine, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errAddress // not Because: the error quotes the address, which may hold a password
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(max(postgresConns, 4*runtime.GOMAXPROCS(0)))
	db.SetMaxIdleConns(postgresConns)
	if err := migrate(ctx, goose.DialectPostgres, db); err != nil {
		_ = db.Close() // the first error says more
		return nil, err
	}
	e := &postgresEngine{db: db, writes: stdlib.OpenDB(*config)}
	e.writes.SetMaxOpenConns(postgresWriters)
	e.writes.SetMaxIdleConns(postgresWriters)
	e.writer = startGroupWriter(postgresBatch, e.begin)
	return e, nil
}

func (e *postgresEngine) write(ctx context.Context, command func(*Tx) error) error {
	return e.retried(ctx, func(try int) (bool, error) {
		if try < crowdedTries {
			err := e.writer.write(ctx, command)
			return retryable(err) || errors.As(err, new(undone)), err
		}
		e.alone.Lock()
		defer e.alone.Unlock()
		return e.once(ctx, sql.TxOptions{Isolation: sql.LevelSerializable}, command)
	})
}

// postgresTx is a transaction that ends by itself after postgresTime.
type postgresTx struct {
	tx     *sql.Tx
	ctx    context.Context
	end    func()
	marked bool
}

func (e *postgresEngine) begin() (sharedTx, error) {
	e.alone.Lock()
	ctx, cancel := context.WithTimeout(context.Background(), postgresTime)
	end := func() { cancel(); e.alone.Unlock() }
	tx, err := e.writes.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		end()
		return nil, err
	}
	return &postgresTx{tx: tx, ctx: ctx, end: end}, nil
}

func (t *postgresTx) mark() error {
	set := "SAVEPOINT command"
	if t.marked {
		set = "RELEASE SAVEPOINT command; SAVEPOINT command" // one round trip
	}
	t.marked = true
	_, err := t.tx.ExecContext(t.ctx, set)
	return err
}

func (t *postgresTx) undo() error {
	_, err := t.tx.ExecContext(t.ctx, "ROLLBACK TO SAVEPOINT command")
	return err
}

func (t *postgresTx) commit() error {
	defer t.end()
	return t.tx.Commit()
}

func (t *postgresTx) rollback() {
	defer t.end()
	_ = t.tx.Rollback() // if it fails, the connection's end undoes all
}

func (t *postgresTx) expired() <-chan struct{} { return t.ctx.Done() }

func (t *postgresTx) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	return t.tx.ExecContext(t.ctx, query, args...)
}

func (t *postgresTx) PrepareContext(_ context.Context, query string) (*sql.Stmt, error) {
	return t.tx.PrepareContext(t.ctx, query)
}

func (t *postgresTx) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(t.ctx, query, args...)
}

func (t *postgresTx) QueryRowContext(_ context.Context, query string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(t.ctx, query, args...)
}

func (e *postgresEngine) read(ctx context.Context, query func(*Tx) error) error {
	return e.retried(ctx, func(int) (bool, error) {
		return e.once(ctx, sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, query)
	})
}

// fill is write for as long as it takes, once.
func (e *postgresEngine) fill(ctx context.Context, command func(*Tx) error) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.running.Done()
	_, err := e.within(ctx, sql.TxOptions{Isolation: sql.LevelSerializable}, command)
	return err
}

// snapshot is read for as long as it takes.
func (e *postgresEngine) snapshot(ctx context.Context, query func(*Tx) error) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.running.Done()
	_, err := e.within(ctx, sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, query)
	return err
}

func (e *postgresEngine) catalogue() string { return postgresCatalogue }

// enter counts a command in, unless the store is closing.
func (e *postgresEngine) enter() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.shut {
		return errClosed
	}
	e.running.Add(1)
	return nil
}

// retried runs once until it meets no other writer; once says whether to run it again.
func (e *postgresEngine) retried(ctx context.Context, once func(try int) (again bool, err error)) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.running.Done()
	bound := firstRetry
	for try := range postgresTries {
		again, err := once(try)
		if !again {
			return err
		}
		if !sleep(ctx, rand.N(bound)) {
			return errBusy.Because(err)
		}
		bound = min(2*bound, longestRetry)
	}
	return errBusy
}

// once runs fn in one transaction; again means that a conflict undid it and err is not its verdict.
func (e *postgresEngine) once(ctx context.Context, options sql.TxOptions, fn func(*Tx) error) (again bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, errBusy.Because(err)
	}
	// A caller that goes away must not leave a commit's outcome unknown.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), postgresTime)
	defer cancel()
	return e.within(bounded, options, fn)
}

func (e *postgresEngine) within(ctx context.Context, options sql.TxOptions, fn func(*Tx) error) (again bool, err error) {
	db := e.writes
	if options.ReadOnly {
		db = e.db
	}
	sqlTx, err := db.BeginTx(ctx, &options)
	if err != nil {
		return retryable(err), failed("begin", err)
	}
	defer sqlTx.Rollback() // after a commit it does nothing; else the connection's end undoes all
	var statements DBTX = sqlTx
	if !options.ReadOnly {
		statements = &postgresTx{tx: sqlTx, ctx: ctx} // a caller who goes away ends a look, but nothing that he writes
	}
	tx := newTx(statements)
	tx.reads = options.ReadOnly
	defer tx.db.over.Store(true) // also when fn panics
	verdict := tx.db.finish(fn(tx))
	if retryable(tx.db.failed) || retryable(verdict) {
		return true, verdict
	}
	if verdict != nil {
		return false, verdict
	}
	if err := sqlTx.Commit(); err != nil {
		return retryable(err), failed("commit", err)
	}
	return false, nil
}

// retryable says whether the engine undid the transaction for the sake of another one:
// serialization_failure or deadlock_detected.
func retryable(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

// scrub lets the engine drop dead rows of the tables that hold keys and sealed values. What its
// own journal and archives still hold is the operator's to expire.
func (e *postgresEngine) scrub(ctx context.Context) error {
	for _, table := range []string{"vault_subjects", "vault_values"} {
		if _, err := e.db.ExecContext(ctx, "VACUUM "+table); err != nil {
			return errDatabase.At("scrub").Because(err)
		}
	}
	return nil
}

func (e *postgresEngine) close() error {
	e.mu.Lock()
	closed := e.shut
	e.shut = true
	e.mu.Unlock()
	e.running.Wait()
	if !closed {
		e.writer.stop()
	}
	if err := errors.Join(e.writes.Close(), e.db.Close()); err != nil {
		return errDatabase.At("close").Because(err)
	}
	return nil
}
