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

// Accepting measures accepted events with 64 callers, each durable before its answer, beside bare inserts of the
// same rows into the same tables, one goroutine and a commit for every 64. Each in a database of its own.
func Accepting(ctx context.Context, on *Databases, dir string, budget time.Duration) ([]Figure, error) {
	durable, err := on.durability(ctx)
	if err != nil {
		return nil, err
	}
	in := func(measure func(context.Context, string, time.Duration) (float64, error)) func(string, time.Duration) (float64, error) {
		return func(dir string, budget time.Duration) (float64, error) {
			address, err := on.New(ctx, dir+".db")
			if err != nil {
				return 0, err
			}
			return measure(ctx, address, budget)
		}
	}
	var waits Waits // of all turns
	best, err := rounds(filepath.Join(dir, "events"), budget, in(func(ctx context.Context, address string, budget time.Duration) (float64, error) {
		rate, waited, err := accepted(ctx, address, budget)
		waits = append(waits, waited...)
		return rate, err
	}), in(bareInserts))
	if err != nil {
		return nil, err
	}
	slices.Sort(waits)
	return []Figure{
		figure("events", "每秒记下的事件（64 人同时，"+durable+"）", "events accepted, 64 callers, "+durable, best[0], "/s").
			Beside(best[1], "同样的行直接成批插入", "bare group-commit inserts of the same rows").Aimed(Aim{Bound: 0.5, AtLeast: true, OfRatio: true}),
		figure("events_p99", "记一个事件要等多久 p99", "wait for one accepted event, p99", waits.At(0.99), "ms"),
	}, nil
}

func accepted(ctx context.Context, address string, budget time.Duration) (rate float64, waits Waits, err error) {
	s, err := store.Open(ctx, address)
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
func bareInserts(ctx context.Context, address string, budget time.Duration) (perSecond float64, err error) {
	db, err := opened(ctx, address)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
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
