package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/menshen-project/menshen/internal/fault"
)

// Tx is one transaction, for one goroutine, until the function that got it returns; after that
// every method answers store_transaction_over.
type Tx struct {
	q     *Queries
	db    *session
	heads map[streamKey]Head // read or written by this transaction
	reads bool               // made to read only

	sealKey      []byte    // nil: rows are not sealed
	schema       *sync.Map // of the store
	catalogueSQL string    // of the engine
}

func newTx(db DBTX) *Tx {
	s := &session{db: db}
	return &Tx{q: New(s), db: s, heads: map[streamKey]Head{}}
}

// wrap makes a fault of what a query gave; where names the table.
func (t *Tx) wrap(err error, where string) error {
	if err != nil && t.db.over.Load() {
		return errTxOver
	}
	if err != nil && errors.Is(t.db.failed, errText) {
		return errText.At(where) // a row that was not asked for carries another error
	}
	wrapped := wrap(err, where)
	if t.reads && fault.CodeOf(wrapped) == errReadOnly.Code {
		return errDatabase.At(where).Because(err) // what tried to write here is our defect: no disk is to blame
	}
	return wrapped
}

// closed answers every query with an error: a sql.Row that holds one cannot be made otherwise.
var closed = func() *sql.DB {
	db := sql.OpenDB(noConnector{})
	_ = db.Close() // nothing is open; Close only ends its goroutine
	return db
}()

type noConnector struct{}

func (noConnector) Connect(context.Context) (driver.Conn, error) { return nil, errTxOver }
func (noConnector) Driver() driver.Driver                        { return nil }

// session stands between queries and the engine. After the first failure it refuses everything, as
// PostgreSQL does: SQLite may have undone the transaction by itself (a full disk), and would keep
// the next statement on its own. And it closes with its transaction, since the connection then
// belongs to somebody else.
type session struct {
	db     DBTX
	over   atomic.Bool
	failed error
}

func (s *session) note(err error) error {
	if err != nil && s.failed == nil && !errors.Is(err, sql.ErrNoRows) {
		s.failed = err
	}
	return err
}

// usable is nil until the transaction failed or ended. Texts that PostgreSQL does not take are refused on both
// engines, by a reason of their own: it would call them an error of the database.
func (s *session) usable(args ...any) error {
	if s.over.Load() {
		return errTxOver
	}
	for _, arg := range args {
		if text, ok := arg.(string); ok && s.failed == nil && (!utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0) {
			s.failed = errText
		}
	}
	return s.failed
}

type tracing struct{}

// Traced hands every statement that is asked under a context to a function, without its values: what a request
// asks of the database can be compared with what another asks.
func Traced(ctx context.Context, seen func(query string)) context.Context {
	return context.WithValue(ctx, tracing{}, seen)
}

func traced(ctx context.Context, query string) {
	if seen, ok := ctx.Value(tracing{}).(func(string)); ok {
		seen(query)
	}
}

func (s *session) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	traced(ctx, query)
	if err := s.usable(args...); err != nil {
		return nil, err
	}
	result, err := s.db.ExecContext(ctx, query, args...)
	return result, s.note(err)
}

func (s *session) PrepareContext(context.Context, string) (*sql.Stmt, error) {
	return nil, errTxOver // a prepared statement would outlive the transaction; no query needs one
}

func (s *session) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	traced(ctx, query)
	if err := s.usable(args...); err != nil {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, query, args...)
	return rows, s.note(err)
}

func (s *session) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	traced(ctx, query)
	if s.usable(args...) != nil {
		return closed.QueryRowContext(ctx, query)
	}
	row := s.db.QueryRowContext(ctx, query, args...)
	_ = s.note(row.Err())
	return row
}

// finish closes the session and gives the command's verdict.
func (s *session) finish(err error) error {
	s.over.Store(true)
	if err == nil && s.failed != nil {
		return wrap(s.failed, "command")
	}
	return err
}

// maxRows bounds every list, whatever a caller asks for.
const maxRows = 10_000

func rows(limit int) int32 { return int32(min(max(limit, 0), maxRows)) }
