package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

// benchClients is how many callers wait for their answers at the same time.
const benchClients = 64

// envelopeSize is about a signed statement's size in bytes.
const envelopeSize = 1500

func benchEvent(n int64, head store.Head, stream store.Stream) (store.Event, []byte) {
	envelope := fmt.Appendf(make([]byte, 0, envelopeSize), "%0*d", envelopeSize, n)
	data := fmt.Appendf(nil, `{"stream":"%s","number":%d,"previous":"%s","verb":"record_step","statement":"%d"}`,
		stream, head.Number+1, head.Digest, n)
	return store.Event{
		Org: "bank", StreamKind: stream.Kind, StreamID: stream.ID, Number: head.Number + 1, Digest: digest(string(data)),
		Previous: head.Digest, Verb: "record_step", ReceivedAt: store.At(noon), Bytes: data,
		StatementDigest: digest(string(envelope)), Salt: make([]byte, 16), Day: "2026-11-22", Province: "31",
	}, envelope
}

// BenchmarkAcceptedEvents is the whole way of an event: head, statement, event, leaf, commit, answer.
func BenchmarkAcceptedEvents(b *testing.B) {
	for _, e := range storetest.Engines() {
		b.Run(e.Name, func(b *testing.B) {
			s := e.Open(b)
			var n atomic.Int64
			waits := closedLoop(b, func(client int) error {
				stream := store.Stream{Kind: "visit", ID: fmt.Sprintf("v%d-%d", client, n.Load()/2000)}
				return s.Write(b.Context(), func(tx *store.Tx) error {
					head, err := tx.Head(b.Context(), stream)
					if err != nil {
						return err
					}
					e, envelope := benchEvent(n.Add(1), head, stream)
					return errors.Join(tx.PutStatement(b.Context(), e.StatementDigest, envelope),
						tx.AppendEvent(b.Context(), e, []byte("leaf of "+e.Digest)))
				})
			})
			report(b, "events/s", waits)
		})
	}
}

// closedLoop shares b.N calls among the clients and gives how long each call took.
func closedLoop(b *testing.B, call func(client int) error) []time.Duration {
	waits := make([]time.Duration, b.N)
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for client := range benchClients {
		wg.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= int64(b.N) {
					return
				}
				start := time.Now()
				if err := call(client); err != nil {
					b.Error(err)
					return
				}
				waits[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	return waits
}

func report(b *testing.B, unit string, waits []time.Duration) {
	slices.Sort(waits)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), unit)
	b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkBareInserts puts the same rows into the same SQLite tables with nothing around them: one
// goroutine, prepared inserts, a commit for every 64 events. It is the ceiling of the one above.
func BenchmarkBareInserts(b *testing.B) {
	path := filepath.Join(b.TempDir(), "bare.db")
	s, err := store.Open(b.Context(), "sqlite:"+path)
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=secure_delete(1)"+
		"&_pragma=temp_store(2)&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(4000)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	inserts := []*sql.Stmt{
		prepare(b, conn, "INSERT INTO statements (digest, bytes) VALUES ($1, $2)"),
		prepare(b, conn, `INSERT INTO events (org, stream_kind, stream_id, number, digest, previous, verb, received_at, bytes,
			statement_digest, salt, day, province) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`),
		prepare(b, conn, "INSERT INTO outbox (event_digest, org, number, leaf, queued_at) VALUES ($1, $2, $3, $4, $5)"),
	}
	begin, commit := prepare(b, conn, "BEGIN IMMEDIATE"), prepare(b, conn, "COMMIT")
	heads := [benchClients]store.Head{}
	b.ResetTimer()
	for i := range b.N {
		client := i % benchClients
		stream := store.Stream{Kind: "visit", ID: fmt.Sprintf("v%d-%d", client, i/2000/benchClients)}
		if heads[client].Number == 2000 {
			heads[client] = store.Head{}
		}
		e, envelope := benchEvent(int64(i), heads[client], stream)
		heads[client] = store.Head{Number: e.Number, Digest: e.Digest}
		if client == 0 {
			run(b, begin)
		}
		run(b, inserts[0], e.StatementDigest, envelope)
		run(b, inserts[1], e.Org, e.StreamKind, e.StreamID, e.Number, e.Digest, e.Previous, e.Verb, int64(e.ReceivedAt), e.Bytes,
			e.StatementDigest, e.Salt, e.Day, e.Province)
		run(b, inserts[2], e.Digest, e.Org, e.Number, []byte("leaf of "+e.Digest), int64(e.ReceivedAt))
		if client == benchClients-1 || i == b.N-1 {
			run(b, commit)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(0, "ns/op")
}

func prepare(b *testing.B, conn *sql.Conn, text string) *sql.Stmt {
	b.Helper()
	stmt, err := conn.PrepareContext(b.Context(), text)
	if err != nil {
		b.Fatal(err)
	}
	return stmt
}

func run(b *testing.B, stmt *sql.Stmt, args ...any) {
	if _, err := stmt.ExecContext(context.Background(), args...); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkListVisits reads first and deep pages of 50 from a million visits, by every filter, and
// reports the slowest.
func BenchmarkListVisits(b *testing.B) {
	const n = 1_000_000
	for _, e := range storetest.Engines() {
		b.Run(fmt.Sprintf("%s/%d", e.Name, n), func(b *testing.B) {
			s := e.Open(b)
			start := time.Now()
			for first := 0; first < n; first += 2000 {
				putVisits(b, s, first, min(2000, n-first))
			}
			b.Logf("wrote %d visits in %s", n, time.Since(start).Round(time.Second))
			runtime.GC()
			filters := someFilters()
			deep := fmt.Sprintf("%d.v%07d", store.At(noon.Add(time.Duration(n/6)*time.Second)), n/2)
			slowest := make(map[string]time.Duration)
			for b.Loop() {
				for _, f := range filters {
					for _, cursor := range []string{"", deep} {
						start := time.Now()
						look(b, s, func(tx *store.Tx) error {
							_, _, err := tx.ListVisits(b.Context(), f, cursor, 50)
							return err
						})
						name := fmt.Sprintf("%+v from %q", f, cursor)
						took := time.Since(start)
						if best, seen := slowest[name]; !seen || took < best {
							slowest[name] = took // the best of its rounds
						}
					}
				}
			}
			reportSlowest(b, s, slowest)
		})
	}
}

func reportSlowest(b *testing.B, s *store.Store, slowest map[string]time.Duration) {
	names := make([]string, 0, len(slowest))
	for name := range slowest {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return int(slowest[b] - slowest[a]) })
	for _, name := range names[:5] {
		b.Logf("%8.2f ms  %s", float64(slowest[name].Microseconds())/1000, strings.ReplaceAll(name, "\n", " "))
	}
	start := time.Now()
	look(b, s, func(tx *store.Tx) error {
		return second(tx.CountVisits(b.Context(), store.VisitFilter{Org: "bank0"}, visitStates, 10_000))
	})
	b.ReportMetric(float64(slowest[names[0]].Microseconds())/1000, "slowest-ms")
	b.ReportMetric(float64(time.Since(start).Microseconds())/1000, "count-ms")
	b.ReportMetric(0, "ns/op")
}
