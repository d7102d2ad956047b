package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrateTries is how often a node tries again when another one is migrating the same database:
// the loser of the race finds the work done. Shared SQL has no lock to wait on.
const migrateTries = 6

// migrate brings the schema up to date and refuses one from a newer program.
func migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB) error {
	var err error
	for try := range migrateTries {
		if err = migrateOnce(ctx, dialect, db); err == nil || ctx.Err() != nil {
			return err
		}
		if errors.Is(err, errNewer) {
			return err
		}
		if !sleep(ctx, time.Duration(1<<try)*20*time.Millisecond) {
			break
		}
	}
	return err
}

func migrateOnce(ctx context.Context, dialect goose.Dialect, db *sql.DB) error {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return errOpen.Because(err)
	}
	provider, err := goose.NewProvider(dialect, db, files)
	if err != nil {
		return errOpen.Because(err)
	}
	have, err := provider.GetDBVersion(ctx)
	if err != nil {
		return errOpen.Because(err)
	}
	sources := provider.ListSources()
	if have > sources[len(sources)-1].Version {
		return errNewer
	}
	if _, err = provider.Up(ctx); err != nil {
		return errOpen.Because(err)
	}
	return nil
}

// sleep waits for d, or says false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
