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

// migrateTries is how often a node tries again when another one is migrating the same database and
// gets no further: the loser of the race finds the work done. Shared SQL has no lock to wait on.
const migrateTries = 6

// migrate brings the schema up to date and refuses one from a newer program.
func migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB) error {
	var err error
	var reached int64
	for try := 0; try < migrateTries; try++ {
		var have int64
		if have, err = migrateOnce(ctx, dialect, db); err == nil || ctx.Err() != nil {
			return err
		}
		if have > reached {
			reached, try = have, 0 // somebody gets on, however slowly
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

// migrateOnce also says which version the schema had when it began, 0 when it cannot be read.
func migrateOnce(ctx context.Context, dialect goose.Dialect, db *sql.DB) (have int64, err error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return have, errOpen.Because(err)
	}
	provider, err := goose.NewProvider(dialect, db, files)
	if err != nil {
		return have, errOpen.Because(err)
	}
	have, err = provider.GetDBVersion(ctx)
	if err != nil {
		return have, errOpen.Because(err)
	}
	sources := provider.ListSources()
	if have > sources[len(sources)-1].Version {
		return have, errNewer
	}
	if _, err = provider.Up(ctx); err != nil {
		return have, errOpen.Because(err)
	}
	return have, nil
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
