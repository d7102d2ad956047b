package app

import (
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

// clock is a scratch app's time: that of the event that is being replayed.
type clock struct{ now atomic.Int64 }

// openScratch makes an app over an empty store, with the same trust and the same rules.
func (k *checker) openScratch(dir string) (closing func() error, err error) {
	s, err := store.OpenScratch(k.ctx, filepath.Join(dir, "scratch.db"))
	if err != nil {
		return nil, err
	}
	k.clock = &clock{}
	c := k.app.Config
	c.Store, c.Vault, c.Log, c.Hosts, c.Receivers = s, nil, nil, nil, nil // who is told is config, not events
	c.Now = func() time.Time { return time.UnixMilli(k.clock.now.Load()).UTC() }
	k.scratch = New(c)
	return s.Close, nil
}

// projection says how a table that repeats signed events is compared with what they give.
type projection struct {
	table  string
	ignore []string                     // columns that carry more than the events say
	rests  func(live store.RawRow) bool // nil: every row rests on events
	passes func(gone store.RawRow) bool // a recomputed row that may be missing: cleared away since
}

func (k *checker) projectionsOf() []projection {
	now := k.app.Now()
	before := func(column string, keep time.Duration) func(store.RawRow) bool {
		return func(r store.RawRow) bool { return r.Number(column) < int64(store.At(now.Add(-keep))) }
	}
	return []projection{
		{table: "streams"}, {table: "event_refs"}, {table: "open_matters"}, {table: "visits"}, {table: "visit_terms"}, {table: "bindings"}, {table: "photos"},
		{table: "challenges", rests: func(r store.RawRow) bool { return r.Text("purpose") != purposePhone }, passes: before("expires_at", keepChallenges)},
		{table: "permits", ignore: []string{"attempts", "state", "updated_at"}},
		{table: "jobs", ignore: []string{"state", "run_at", "lease_until", "attempts", "max_attempts", "last_error", "created_at"},
			rests: jobOfEvent, passes: before("created_at", keepDoneJobs)},
		{table: "devices", ignore: []string{"model", "maker", "doc"}, rests: func(r store.RawRow) bool { return r.Text("state") != "made" }},
		{table: "orders", ignore: []string{"created_at"}, rests: func(r store.RawRow) bool { return r.Text("state") != OrderPlanned }},
	}
}

// jobOfEvent says whether a job was queued with an event: not one that tries again to record what an
// organisation's service signed, nor a notice, a ticket's clock or a settlement's finding, nor a look at charges after the first, which the look before it plans.
func jobOfEvent(r store.RawRow) bool {
	kind := r.Text("kind")
	return kind != JobStatement && kind != JobDoorCall && kind != JobTicketClock && kind != JobSettlement && !strings.HasPrefix(kind, noticeJobs) && (kind != JobWatch || strings.HasSuffix(r.Text("key"), "#1"))
}

// projections receives every event again, in the log's order, into the scratch store, by the code
// that received it first, and compares the tables. Where rows of events themselves were changed, what follows
// from them says nothing more, and is named as skipped; an event that is whole and that the rules refuse is stepped over.
func (k *checker) projections() error {
	wrong := slices.ContainsFunc(k.report.Found, func(f Found) bool { return f.Table == "events" || f.Table == "statements" || f.Table == "streams" })
	if !wrong {
		if err := k.replayAll(); err != nil {
			return err
		}
		wrong = k.lost
	}
	for _, p := range k.projectionsOf() {
		if wrong {
			k.report.Skipped = append(k.report.Skipped, p.table)
			continue
		}
		if err := k.compare(p); err != nil {
			return err
		}
	}
	return nil
}

func (k *checker) compare(p projection) error {
	err := k.rows(p.table, func(live store.RawRow) error {
		if p.rests != nil && !p.rests(live) {
			return nil
		}
		var want store.RawRow
		var found bool
		err := k.scratch.Store.Read(k.ctx, func(tx *store.Tx) (err error) {
			want, found, err = tx.RowByKey(k.ctx, live)
			return err
		})
		switch {
		case err != nil:
			return err
		case !found:
			k.found(p.table, live.Key(), k.rowOr(live, errRowStray))
		case !sameBut(live, want, p.ignore) || p.table == "permits" && (live.Text("state") == store.PermitAnswered) != (want.Text("state") == store.PermitAnswered):
			k.found(p.table, live.Key(), k.rowOr(live, errRowDiffers))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return k.scratch.Store.Read(k.ctx, func(tx *store.Tx) error {
		return tx.EachRow(k.ctx, k.tables[p.table], func(want store.RawRow) error {
			_, found, err := k.tx.RowByKey(k.ctx, want)
			if err == nil && !found && (p.passes == nil || !p.passes(want)) {
				k.found(p.table, want.Key(), k.rowOr(want, errRowGone))
			}
			return err
		})
	})
}

func sameBut(a, b store.RawRow, ignore []string) bool {
	for _, c := range a.Table.Columns {
		if !slices.Contains(ignore, c) && a.Text(c) != b.Text(c) {
			return false
		}
	}
	return true
}

// replay is the order in which events can be received again: the log's, but for the few that a batch
// of the log turned round, which wait for what they rest on.
type replay struct {
	k    *checker
	held []store.Event
	last map[store.Stream]int64 // number of the last event that each stream has again
}

func (k *checker) replayAll() error {
	p := &replay{k: k, last: map[store.Stream]int64{}}
	for after := int64(-1); ; {
		page, err := k.tx.EventsByLeaf(k.ctx, after, replayPage)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1].LeafIndex.Int64
		p.receive(page)
	}
	rest, err := k.tx.EventsUnsequenced(k.ctx)
	if err != nil {
		return err
	}
	p.receive(rest)
	return p.stepOver()
}

const replayPage = 500

// receive takes a page, and what is held, for as long as anything moves.
func (p *replay) receive(page []store.Event) {
	waiting := append(p.held, page...)
	slices.SortStableFunc(waiting, func(a, b store.Event) int { return int(a.ReceivedAt - b.ReceivedAt) })
	for moved := true; moved && len(waiting) > 0; {
		moved = false
		var still []store.Event
		for _, e := range waiting {
			// Times do not order a stream: two of one second are the rule, and a clock can be set back.
			if e.Number != p.last[e.Stream()]+1 || p.k.receiveAgain(e) != nil {
				still = append(still, e)
				continue
			}
			moved, p.last[e.Stream()] = true, e.Number
		}
		waiting = still
	}
	p.held = waiting
}

// receiveAgain records an event in the scratch store as it was recorded at first.
func (k *checker) receiveAgain(e store.Event) error {
	envelope, err := k.tx.Statement(k.ctx, e.StatementDigest)
	if err != nil {
		return err
	}
	claims, err := statement.Parse(envelope)
	if err != nil {
		return err
	}
	kind, id, err := record.SplitStream(e.Stream().String())
	if err != nil {
		return err
	}
	now := e.ReceivedAt.Time()
	k.clock.now.Store(now.UnixMilli())
	w := &writing{app: k.scratch, in: Submission{Stream: e.Stream().String(), Verb: e.Verb, Envelope: envelope}, claims: claims, kind: kind, id: id, now: now, fixed: &e}
	done, err := w.run(k.ctx)
	if err == nil && done.Event != e.Digest {
		return errEventProof
	}
	return err
}
