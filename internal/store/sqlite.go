package store

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver named "sqlite"
)

// sqliteEngine is one writer connection and a pool of readers over one file.
type sqliteEngine struct {
	writerDB, readerDB *sql.DB
	conn               *preparedConn // the only one that writes
	writer             *groupWriter
	readers            chan *preparedConn // idle readers; nil stands for one not opened yet
	closing            chan struct{}
	closeOnce          sync.Once
	closeErr           error
}

// busyTimeout is how long another process may hold the file's write lock, in milliseconds.
const busyTimeout = 5000

// writerPragmas keep what savepoints remember in memory instead of a file, keep 64 MiB of pages, and
// write the journal back every 16 MiB: together a quarter more events a second, measured.
var writerPragmas = []string{"temp_store(2)", "cache_size(-65536)", "wal_autocheckpoint(4000)"}

// sqliteAddress gives the driver's address of path with the settings of every connection.
// synchronous=FULL makes a commit in WAL survive a power cut, not only a crash; secure_delete
// overwrites what is deleted, so that a destroyed key does not stay in a free page.
func sqliteAddress(path string, pragmas ...string) string {
	query := url.Values{"_pragma": append([]string{
		"busy_timeout(" + strconv.Itoa(busyTimeout) + ")", "journal_mode(WAL)", "synchronous(FULL)",
		"foreign_keys(1)", "secure_delete(1)",
	}, pragmas...)}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}

func openSQLite(ctx context.Context, path string, pragmas ...string) (engine, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, errOpen.Because(err)
	}
	// Made here because SQLite would let everybody on the machine read it; -wal and -shm follow.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, syscall.EROFS) {
		return nil, errReadOnly.Because(err)
	}
	if err != nil {
		return nil, errOpen.Because(err)
	}
	if err := file.Close(); err != nil {
		return nil, errOpen.Because(err)
	}
	if err := migrateSQLite(ctx, path); err != nil {
		return nil, err
	}
	e := &sqliteEngine{
		readers: make(chan *preparedConn, max(4, 2*runtime.GOMAXPROCS(0))),
		closing: make(chan struct{}),
	}
	if err := e.connect(ctx, path, append(slices.Clone(writerPragmas), pragmas...)); err != nil {
		_ = e.close() // the first error says more
		return nil, err
	}
	return e, nil
}

func migrateSQLite(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", sqliteAddress(path))
	if err != nil {
		return errOpen.Because(err)
	}
	defer db.Close()
	return migrate(ctx, goose.DialectSQLite3, db)
}

func (e *sqliteEngine) connect(ctx context.Context, path string, pragmas []string) (err error) {
	if e.writerDB, err = sql.Open("sqlite", sqliteAddress(path, pragmas...)); err != nil {
		return errOpen.Because(err)
	}
	if e.readerDB, err = sql.Open("sqlite", sqliteAddress(path, "query_only(1)", "cache_size(-16384)")); err != nil {
		return errOpen.Because(err)
	}
	// Idle connections are kept here, not there: one whose state is unsure must be gone when closed.
	e.readerDB.SetMaxIdleConns(-1)
	conn, err := e.writerDB.Conn(ctx)
	if err != nil {
		return errOpen.Because(err)
	}
	for range cap(e.readers) {
		e.readers <- nil
	}
	e.conn = prepared(conn)
	e.writer = startGroupWriter(sqliteBatch, e.begin)
	return nil
}

// sqliteTx is a transaction of the writing connection.
type sqliteTx struct {
	*preparedConn
	marked bool
}

// begin takes the file's write lock at once: a lock that is asked for later cannot be waited for.
func (e *sqliteEngine) begin() (sharedTx, error) {
	return &sqliteTx{preparedConn: e.conn}, e.conn.exec("BEGIN IMMEDIATE")
}

func (t *sqliteTx) mark() error {
	if t.marked {
		if err := t.exec("RELEASE command"); err != nil {
			return err
		}
	}
	t.marked = true
	return t.exec("SAVEPOINT command")
}

func (t *sqliteTx) undo() error { return t.exec("ROLLBACK TO command") }

func (t *sqliteTx) commit() error {
	err := t.exec("COMMIT")
	if err != nil {
		t.rollback()
	}
	return err
}

// rollback may fail because SQLite rolled back by itself; either way nothing is left.
func (t *sqliteTx) rollback() { _ = t.exec("ROLLBACK") }

// expired is never: a statement cannot be ended without ending the transaction under everybody's feet.
func (t *sqliteTx) expired() <-chan struct{} { return nil }

func (e *sqliteEngine) write(ctx context.Context, command func(*Tx) error) error {
	return e.writer.write(ctx, command)
}

// fill is write: SQLite has one writer anyway, and what it writes goes to the journal's file, not to memory.
func (e *sqliteEngine) fill(ctx context.Context, command func(*Tx) error) error {
	return e.writer.write(ctx, command)
}

// read takes an idle reader, and gives it back unless its state is unsure.
func (e *sqliteEngine) read(ctx context.Context, query func(*Tx) error) error {
	var conn *preparedConn
	select {
	case conn = <-e.readers:
	case <-ctx.Done():
		return errBusy.Because(ctx.Err())
	case <-e.closing:
		return errClosed
	}
	sound := false
	defer func() {
		if conn != nil && !sound {
			conn.close()
			conn = nil
		}
		e.readers <- conn
	}()
	if conn == nil {
		fresh, err := e.readerDB.Conn(ctx)
		if err != nil {
			return errDatabase.At("reader").Because(err)
		}
		conn = prepared(fresh)
	}
	err := readSnapshot(ctx, conn, query)
	sound = conn.exec("ROLLBACK") == nil
	return err
}

func (e *sqliteEngine) snapshot(ctx context.Context, query func(*Tx) error) error {
	return e.read(ctx, query)
}

func (e *sqliteEngine) catalogue() string { return sqliteCatalogue }

func readSnapshot(ctx context.Context, conn *preparedConn, query func(*Tx) error) error {
	if err := conn.exec("BEGIN"); err != nil {
		return errDatabase.At("reader").Because(err)
	}
	tx := newTx(conn)
	tx.reads = true
	defer tx.db.over.Store(true) // also when query panics
	return tx.db.finish(query(tx))
}

// scrub writes the journal back and cuts it to nothing; readers of older rows make it wait.
func (e *sqliteEngine) scrub(ctx context.Context) error {
	var busy, journalled, written int64
	conn, err := e.readerDB.Conn(ctx)
	if err != nil {
		return errDatabase.At("scrub").Because(err)
	}
	defer conn.Close()
	err = conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &journalled, &written)
	if err != nil {
		return errDatabase.At("scrub").Because(err)
	}
	if busy != 0 {
		return errBusy.At("scrub")
	}
	return nil
}

// close stops the writer first, then collects every reader, so that nothing is cut off.
func (e *sqliteEngine) close() error {
	e.closeOnce.Do(func() { e.closeErr = e.closeAll() })
	return e.closeErr
}

func (e *sqliteEngine) closeAll() error {
	close(e.closing)
	if e.writer != nil {
		e.writer.stop()
		e.conn.close()
		for range cap(e.readers) {
			if conn := <-e.readers; conn != nil {
				conn.close()
			}
		}
	}
	var first error
	for _, db := range []*sql.DB{e.readerDB, e.writerDB} {
		if db == nil {
			continue
		}
		if err := db.Close(); err != nil && first == nil {
			first = errDatabase.At("close").Because(err)
		}
	}
	return first
}

// preparedConn is one SQLite connection that keeps its compiled statements: SQLite has no plan
// cache of its own. One goroutine at a time.
type preparedConn struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func prepared(conn *sql.Conn) *preparedConn {
	return &preparedConn{conn: conn, stmts: map[string]*sql.Stmt{}}
}

func (c *preparedConn) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt, ok := c.stmts[query]; ok {
		return stmt, nil
	}
	// A cancelled caller must not spoil the statement for the next one.
	stmt, err := c.conn.PrepareContext(context.WithoutCancel(ctx), query)
	if err != nil {
		return nil, err
	}
	c.stmts[query] = stmt
	return stmt, nil
}

func (c *preparedConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(context.WithoutCancel(ctx), args...)
}

// QueryContext ignores cancelling, as all of preparedConn does: SQLite answers an interrupt within
// a transaction by rolling all of it back, other callers' commands included. Queries are bounded.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(context.WithoutCancel(ctx), args...)
}

func (c *preparedConn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return c.conn.QueryRowContext(context.WithoutCancel(ctx), query, args...) // carries the error
	}
	return stmt.QueryRowContext(context.WithoutCancel(ctx), args...)
}

func (c *preparedConn) exec(query string) error {
	_, err := c.ExecContext(context.Background(), query)
	return err
}

func (c *preparedConn) close() {
	for _, stmt := range c.stmts {
		_ = stmt.Close() // the connection goes anyway
	}
	_ = c.conn.Close()
}
