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
	// More connections would only make more conflicts to retry.
	postgresConns = 16
	// postgresTries bounds the runs of one command, postgresTime the time of one run.
	postgresTries = 40
	postgresTime  = 30 * time.Second
	// From this run on a command keeps this process's other writers out, so that it gets through.
	crowdedTries = 6
	// A retry waits a random time below a bound that doubles from first to longest.
	firstRetry, longestRetry = 2 * time.Millisecond, 250 * time.Millisecond
)

// postgresEngine runs each command in a serializable transaction of its own: the engine's own
// group commit shares fsyncs. It uses nothing that CockroachDB or YugabyteDB lack.
type postgresEngine struct {
	db      *sql.DB
	mu      sync.Mutex
	shut    bool
	running sync.WaitGroup
	alone   sync.RWMutex // held shared by a command's first runs, exclusively by its later ones
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
	return &postgresEngine{db: db}, nil
}

func (e *postgresEngine) write(ctx context.Context, command func(*Tx) error) error {
	return e.retried(ctx, func(try int) (bool, error) {
		if try < crowdedTries {
			e.alone.RLock()
			defer e.alone.RUnlock()
		} else {
			e.alone.Lock()
			defer e.alone.Unlock()
		}
		return e.once(ctx, sql.TxOptions{Isolation: sql.LevelSerializable}, command)
	})
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
	sqlTx, err := e.db.BeginTx(ctx, &options)
	if err != nil {
		return retryable(err), failed("begin", err)
	}
	defer sqlTx.Rollback() // after a commit it does nothing; else the connection's end undoes all
	tx := newTx(sqlTx)
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
	e.shut = true
	e.mu.Unlock()
	e.running.Wait()
	if err := e.db.Close(); err != nil {
		return errDatabase.At("close").Because(err)
	}
	return nil
}
