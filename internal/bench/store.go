package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

const (
	clients      = 64   // callers who wait for their answers at the same time
	perStream    = 2000 // events
	envelopeSize = 1500 // bytes, about a signed statement's
)

// rows makes the n-th event after a head, with its statement.
func rows(n int64, head store.Head, stream store.Stream) (store.Event, []byte) {
	envelope := fmt.Appendf(make([]byte, 0, envelopeSize), "%0*d", envelopeSize, n)
	data := fmt.Appendf(nil, `{"stream":"%s","number":%d,"previous":"%s","verb":"record_step","statement":"%d"}`, stream, head.Number+1, head.Digest, n)
	now := time.Now()
	return store.Event{
		Org: "bank", StreamKind: stream.Kind, StreamID: stream.ID, Number: head.Number + 1, Digest: statement.Digest(data), Previous: head.Digest,
		Verb: "record_step", ReceivedAt: store.At(now), Bytes: data, StatementDigest: statement.Digest(envelope), Salt: make([]byte, 16),
		Day: now.UTC().Format(time.DateOnly), Province: "31",
	}, envelope
}

// Accepting measures accepted events with 64 callers and synchronous=FULL, beside bare inserts of the
// same rows into the same tables, one goroutine and a commit for every 64. Each in its own file in dir.
func Accepting(ctx context.Context, dir string, budget time.Duration) ([]Figure, error) {
	var waits Waits // of all turns
	best, err := rounds(filepath.Join(dir, "events"), budget, func(dir string, budget time.Duration) (float64, error) {
		rate, waited, err := accepted(ctx, dir+".db", budget)
		waits = append(waits, waited...)
		return rate, err
	}, func(dir string, budget time.Duration) (float64, error) { return bareInserts(ctx, dir+".db", budget) })
	if err != nil {
		return nil, err
	}
	slices.Sort(waits)
	return []Figure{
		figure("events", "每秒记下的事件（64 人同时）", "events accepted, 64 callers, synchronous=FULL", best[0], "/s").
			Beside(best[1], "同样的行直接成批插入", "bare group-commit inserts of the same rows").Aimed(Aim{Bound: 0.5, AtLeast: true, OfRatio: true}),
		figure("events_p99", "记一个事件要等多久 p99", "wait for one accepted event, p99", waits.At(0.99), "ms"),
	}, nil
}

func accepted(ctx context.Context, path string, budget time.Duration) (rate float64, waits Waits, err error) {
	s, err := store.Open(ctx, "sqlite:"+path)
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var n atomic.Int64
	return Loop(ctx, clients, budget, func(ctx context.Context, client int) error {
		stream := store.Stream{Kind: "visit", ID: fmt.Sprintf("v%d-%d", client, n.Load()/perStream)}
		return s.Write(ctx, func(tx *store.Tx) error {
			head, err := tx.Head(ctx, stream)
			if err != nil {
				return err
			}
			e, envelope := rows(n.Add(1), head, stream)
			return errors.Join(tx.PutStatement(ctx, e.StatementDigest, envelope), tx.AppendEvent(ctx, e, []byte("leaf of "+e.Digest)))
		})
	})
}

// inserts are what an accepted event adds, in order.
var inserts = []string{
	"INSERT INTO statements (digest, bytes) VALUES ($1, $2)",
	`INSERT INTO events (org, stream_kind, stream_id, number, digest, previous, verb, received_at, bytes, statement_digest, salt, day, province)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
	"INSERT INTO outbox (event_digest, org, number, leaf, queued_at) VALUES ($1, $2, $3, $4, $5)",
}

// bareInserts is the ceiling: prepared inserts on one connection with the store's own settings.
func bareInserts(ctx context.Context, path string, budget time.Duration) (perSecond float64, err error) {
	s, err := store.Open(ctx, "sqlite:"+path) // makes the tables
	if err != nil {
		return 0, err
	}
	if err := s.Close(); err != nil {
		return 0, err
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=secure_delete(1)"+
		"&_pragma=temp_store(2)&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(4000)")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	began, n := time.Now(), int64(0)
	heads := [clients]store.Head{}
	for time.Since(began) < budget {
		if err := batch(ctx, db, &n, &heads); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// batch commits one event of every caller.
func batch(ctx context.Context, db *sql.DB, n *int64, heads *[clients]store.Head) (err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	var into [3]*sql.Stmt
	for i, text := range inserts {
		if into[i], err = tx.PrepareContext(ctx, text); err != nil {
			return err
		}
	}
	for client := range clients {
		e, envelope := rows(*n, heads[client], store.Stream{Kind: "visit", ID: fmt.Sprintf("v%d", client)})
		heads[client] = store.Head{Number: e.Number, Digest: e.Digest}
		*n++
		_, first := into[0].ExecContext(ctx, e.StatementDigest, envelope)
		_, second := into[1].ExecContext(ctx, e.Org, e.StreamKind, e.StreamID, e.Number, e.Digest, e.Previous, e.Verb, int64(e.ReceivedAt), e.Bytes,
			e.StatementDigest, e.Salt, e.Day, e.Province)
		_, third := into[2].ExecContext(ctx, e.Digest, e.Org, e.Number, []byte("leaf of "+e.Digest), int64(e.ReceivedAt))
		if err := errors.Join(first, second, third); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// DatabaseBytes is the size of an SQLite database that others have open: its pages, those that are
// still in its journal too.
func DatabaseBytes(ctx context.Context, path string) (bytes int64, err error) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var pages, size int64
	if err := db.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		return 0, err
	}
	err = db.QueryRowContext(ctx, "PRAGMA page_size").Scan(&size)
	return pages * size, err
}
