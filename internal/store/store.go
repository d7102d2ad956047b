package store

import (
	"context"
	"strings"
	"sync"
)

// Store is an open database with its schema up to date. Its methods may be called from anywhere.
type Store struct {
	engine  engine
	sealKey []byte
	schema  sync.Map // name → Table
}

// engine is what SQLite and PostgreSQL do differently.
type engine interface {
	write(ctx context.Context, command func(*Tx) error) error
	fill(ctx context.Context, command func(*Tx) error) error
	read(ctx context.Context, query func(*Tx) error) error
	snapshot(ctx context.Context, query func(*Tx) error) error
	catalogue() string
	scrub(ctx context.Context) error
	close() error
}

// Open opens `sqlite:PATH` (made when missing) or `postgres://…` and brings its schema up to date.
// Faults: store_address_unknown, store_cannot_open, store_newer_than_program.
func Open(ctx context.Context, dsn string) (*Store, error) {
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok && path != "" {
		return opened(openSQLite(ctx, path))
	}
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		return opened(openPostgres(ctx, dsn))
	}
	return nil, errAddress
}

func opened(e engine, err error) (*Store, error) {
	if err != nil {
		return nil, err
	}
	return &Store{engine: e}, nil
}

// OpenScratch opens an empty SQLite store that may be lost at any moment, for a check's own copy.
func OpenScratch(ctx context.Context, path string) (*Store, error) {
	return opened(openSQLite(ctx, path, "synchronous(0)"))
}

// Close waits for the commands under way and refuses later ones with store_closed.
func (s *Store) Close() error { return s.engine.close() }

// Write runs command as if in a transaction of its own and returns only once its rows are on disk. An
// error or a panic of command undoes all it did and nothing else. A conflict with another process makes
// it run again, so command must be re-runnable: it may touch nothing but tx and variables that it
// sets anew. It must be short, use no network, and never call Write (there is one writer).
// Once it has begun, ctx no longer ends it.
//
// Any error that a method of Tx returned because the database failed ends the command, even if
// command itself returns nil. Faults: command's own; store_failed (nothing kept, except that on
// PostgreSQL a connection lost during commit leaves it unknown: idempotency keys tell), store_busy,
// store_closed.
func (s *Store) Write(ctx context.Context, command func(tx *Tx) error) error {
	return s.engine.write(ctx, func(tx *Tx) error { return command(s.equip(tx)) })
}

// Fill is Write for a command that takes long and nobody writes beside: a restore. Cancelling ctx undoes all of it,
// if command looks at ctx; a process that dies leaves nothing of it.
func (s *Store) Fill(ctx context.Context, command func(tx *Tx) error) error {
	return s.engine.fill(ctx, func(tx *Tx) error { return command(s.equip(tx)) })
}

// Read runs query over one snapshot of the rows, beside writers and other readers.
func (s *Store) Read(ctx context.Context, query func(tx *Tx) error) error {
	return s.engine.read(ctx, func(tx *Tx) error { return query(s.equip(tx)) })
}

// Scrub overwrites what deleted and replaced rows left behind (SQLite's journal, PostgreSQL's dead
// rows), so that a destroyed key is gone from the database's own files.
func (s *Store) Scrub(ctx context.Context) error { return s.engine.scrub(ctx) }
