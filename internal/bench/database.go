package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/menshen-project/menshen/internal/store"
)

// Databases makes the databases that are measured. The zero value makes SQLite files.
type Databases struct {
	Postgres string // address of a server whose user may make databases; "" for SQLite

	made []string
}

// Engine is the database's name.
func (d *Databases) Engine() string {
	if d.Postgres == "" {
		return "SQLite"
	}
	return "PostgreSQL"
}

// durability is what a commit survives, for people to compare like with like.
func (d *Databases) durability(ctx context.Context) (string, error) {
	if d.Postgres == "" {
		return "synchronous=FULL", nil
	}
	var version, fsync, commit string
	err := d.server(func(db *sql.DB) error {
		return db.QueryRowContext(ctx, "SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit')").Scan(&version, &fsync, &commit)
	})
	return fmt.Sprintf("PostgreSQL %s, fsync=%s, synchronous_commit=%s", version, fsync, commit), err
}

// New gives the address of a new, empty database; path is where SQLite keeps it.
func (d *Databases) New(ctx context.Context, path string) (string, error) {
	if d.Postgres == "" {
		return "sqlite:" + path, nil
	}
	address, err := url.Parse(d.Postgres)
	if err != nil {
		return "", errors.New("bench: the address is no URL") // whose error would quote a password
	}
	name := fmt.Sprintf("menshen_bench_%d_%d", os.Getpid(), len(d.made))
	if err := d.do(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	d.made = append(d.made, name)
	address.Path = "/" + name
	return address.String(), nil
}

// Drop removes every database that New made on a server.
func (d *Databases) Drop(ctx context.Context) error {
	var errs []error
	for _, name := range d.made {
		errs = append(errs, d.do(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"))
	}
	d.made = nil
	return errors.Join(errs...)
}

func (d *Databases) do(ctx context.Context, command string) error {
	return d.server(func(db *sql.DB) error { _, err := db.ExecContext(ctx, command); return err })
}

// server has a connection to the server used.
func (d *Databases) server(use func(*sql.DB) error) error {
	db, err := sql.Open(driver(d.Postgres))
	if err != nil {
		return err
	}
	return errors.Join(use(db), db.Close())
}

// driver is what package store opens an address with, and as whom.
func driver(address string) (name, source string) {
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		return "sqlite", "file:" + path
	}
	return "pgx", address
}

// DatabaseBytes is the size of a database that others have open: an SQLite file's pages, those that are still in its
// journal too, or what a PostgreSQL server says.
func DatabaseBytes(ctx context.Context, address string) (bytes int64, err error) {
	name, source := driver(address)
	ask := "SELECT pg_database_size(current_database())"
	if name == "sqlite" {
		source += "?mode=ro"
		ask = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
	}
	db, err := sql.Open(name, source)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, ask).Scan(&bytes)
	return bytes, err
}

// opened makes the tables of a database and gives a single bare connection to it, with the store's own settings.
func opened(ctx context.Context, address string) (*sql.DB, error) {
	s, err := store.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	name, source := driver(address)
	if name == "sqlite" {
		source += "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=secure_delete(1)" +
			"&_pragma=temp_store(2)&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(4000)"
	}
	db, err := sql.Open(name, source)
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}
