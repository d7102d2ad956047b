package store

import (
	"context"
	"strconv"
	"testing"
	"time"
)

// LowerScanRows makes pages look at n rows at most, for one test.
func LowerScanRows(t *testing.T, n int32) {
	before := scanRows
	scanRows = n
	t.Cleanup(func() { scanRows = before })
}

// ListSQL gives the statements that a page of a filter runs, with their arguments.
func ListSQL(f VisitFilter, cursor, horizon string, words []string) ([]string, [][]any, error) {
	q, err := f.plan(cursor, words)
	if err != nil {
		return nil, nil, err
	}
	page, pageArgs := q.page(horizon, 50)
	edge, edgeArgs := q.horizon()
	return []string{page, edge}, [][]any{pageArgs, edgeArgs}, nil
}

// IndexTerms and QueryTerms cut a text into words.
var (
	IndexTerms = indexTerms
	QueryTerms = queryTerms
)

// LoseTransaction undoes everything that SQLite has not committed yet, as SQLite itself does when
// the disk fails it.
func LoseTransaction(tx *Tx) error {
	_, err := tx.db.db.ExecContext(context.Background(), "ROLLBACK")
	return err
}

// SetMaxPages bounds the file of a SQLite store, as a full disk does.
func SetMaxPages(t *testing.T, s *Store, pages int) {
	t.Helper()
	e := s.engine.(*sqliteEngine)
	err := e.write(t.Context(), func(*Tx) error {
		return e.conn.conn.QueryRowContext(t.Context(), "PRAGMA max_page_count = "+strconv.Itoa(pages)).Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// SetReadOnly lets nobody write a SQLite store that is at rest, as a disk that was remounted does.
func SetReadOnly(t *testing.T, s *Store, on bool) {
	t.Helper()
	if err := s.engine.(*sqliteEngine).conn.exec("PRAGMA query_only = " + strconv.FormatBool(on)); err != nil {
		t.Fatal(err)
	}
}

// WaitAtMost bounds how long a SQLite store waits for another process that holds its file.
func WaitAtMost(t *testing.T, s *Store, wait time.Duration) {
	t.Helper()
	if err := s.engine.(*sqliteEngine).conn.exec("PRAGMA busy_timeout = " + strconv.FormatInt(wait.Milliseconds(), 10)); err != nil {
		t.Fatal(err)
	}
}

// Ask runs a statement of a test's own in a command's transaction and gives its one value.
func Ask(tx *Tx, query string) (answer string, err error) {
	err = tx.db.QueryRowContext(context.Background(), query).Scan(&answer)
	return answer, tx.wrap(tx.db.note(err), "test")
}

// LowerPostgresTime bounds how long a transaction of PostgreSQL may take, for one test.
func LowerPostgresTime(t *testing.T, d time.Duration) {
	before := postgresTime
	postgresTime = d
	t.Cleanup(func() { postgresTime = before })
}
