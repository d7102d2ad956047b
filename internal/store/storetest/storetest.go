// Package storetest gives tests an empty store on a real database: SQLite always, and with the
// build tag postgres also a throw-away PostgreSQL server that only this process can reach.
//
// A package that uses it needs
//
//	func TestMain(m *testing.M) { storetest.Main(m) }
//
// so that the server is stopped and its files are removed.
package storetest

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/menshen-project/menshen/internal/store"
)

// An Engine makes databases of one kind.
type Engine struct {
	Name string
	// DSN gives the address of a new, empty database, gone after the test.
	DSN func(t testing.TB) string
}

var sqlite = Engine{Name: "sqlite", DSN: func(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "menshen.db")
}}

var mainRuns atomic.Bool

// Main runs a package's tests and leaves no server behind. It does not return.
func Main(m *testing.M) {
	mainRuns.Store(true)
	code := m.Run()
	if err := stopServer(); err != nil {
		fmt.Fprintln(os.Stderr, "storetest:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// Engines gives every engine that this build tests.
func Engines() []Engine { return engines }

// Each runs test on an empty store of every engine.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	for _, e := range engines {
		t.Run(e.Name, func(t *testing.T) { test(t, e.Open(t)) })
	}
}

// SQLite opens an empty store that is closed after the test.
func SQLite(t testing.TB) *store.Store { return sqlite.Open(t) }

// Open opens an empty store that is closed after the test.
func (e Engine) Open(t testing.TB) *store.Store {
	t.Helper()
	return Open(t, e.DSN(t))
}

// Open opens the store at dsn and closes it after the test.
func Open(t testing.TB, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
