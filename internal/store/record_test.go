package store_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

var visit1 = store.Stream{Kind: "visit", ID: "v1"}

func TestStreamKeepsEventsInOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var wrote []store.Event
		for _, verb := range []string{"book", "dispatch", "admit"} {
			do(t, s, func(tx *store.Tx) error {
				e, err := receive(t, tx, "bank", visit1, verb)
				wrote = append(wrote, e)
				return err
			})
		}
		look(t, s, func(tx *store.Tx) error {
			ctx := t.Context()
			got, err := tx.Events(ctx, visit1, 2, 10)
			if err != nil {
				return err
			}
			if len(got) != 2 || !sameEvent(got[0], wrote[1]) || !sameEvent(got[1], wrote[2]) {
				t.Errorf("events from 2 on: got %+v", got)
			}
			first, err := tx.Events(ctx, visit1, 1, 1)
			if err != nil || len(first) != 1 || first[0].Number != 1 {
				t.Errorf("a limit of one: got %d events, %v", len(first), err)
			}
			head, err := tx.Head(ctx, visit1)
			if want := (store.Head{Number: 3, Digest: wrote[2].Digest}); head != want || err != nil {
				t.Errorf("head: got %v %v, want %v", head, err, want)
			}
			byDigest, err := tx.EventByDigest(ctx, wrote[1].Digest)
			if err != nil || !sameEvent(byDigest, wrote[1]) {
				t.Errorf("by digest: got %+v %v", byDigest, err)
			}
			byStatement, err := tx.EventsByStatement(ctx, wrote[0].StatementDigest)
			if err != nil || len(byStatement) != 1 || !sameEvent(byStatement[0], wrote[0]) {
				t.Errorf("by statement: got %+v %v", byStatement, err)
			}
			envelope, err := tx.Statement(ctx, wrote[0].StatementDigest)
			if err != nil || digest(string(envelope)) != wrote[0].StatementDigest {
				t.Errorf("statement: got %q %v", envelope, err)
			}
			org, err := tx.StreamOrg(ctx, visit1)
			if org != "bank" || err != nil {
				t.Errorf("owner: got %q %v", org, err)
			}
			return nil
		})
	})
}

func sameEvent(a, b store.Event) bool {
	return a.Org == b.Org && a.Stream() == b.Stream() && a.Number == b.Number && a.Digest == b.Digest &&
		a.Previous == b.Previous && a.Verb == b.Verb && a.ReceivedAt == b.ReceivedAt && bytes.Equal(a.Bytes, b.Bytes) &&
		a.StatementDigest == b.StatementDigest && bytes.Equal(a.Salt, b.Salt) && a.Day == b.Day && a.Province == b.Province
}

func TestAppendRefusesWhatDoesNotFollowTheHead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var first store.Event
		do(t, s, func(tx *store.Tx) (err error) {
			first, err = receive(t, tx, "bank", visit1, "book")
			return err
		})
		head := store.Head{Number: 1, Digest: first.Digest}
		for name, change := range map[string]struct {
			code string
			edit func(e *store.Event)
		}{
			"number taken":          {"stream_conflict", func(e *store.Event) { e.Number, e.Previous = 1, "" }},
			"number skipped":        {"stream_conflict", func(e *store.Event) { e.Number = 3 }},
			"number zero":           {"stream_conflict", func(e *store.Event) { e.Number = 0 }},
			"previous of a fork":    {"stream_conflict", func(e *store.Event) { e.Previous = digest("a fork") }},
			"previous missing":      {"stream_conflict", func(e *store.Event) { e.Previous = "" }},
			"digest of another":     {"stream_conflict", func(e *store.Event) { e.Digest = first.Digest }},
			"other owner continues": {"stream_of_other_organisation", func(e *store.Event) { e.Org = "other-bank" }},
			"other owner begins": {"stream_of_other_organisation", func(e *store.Event) {
				e.Org, e.Number, e.Previous = "other-bank", 1, ""
			}},
			"new stream begins at two": {"stream_conflict", func(e *store.Event) { e.StreamID = "v2" }},
			"statement not there":      {"store_failed", func(e *store.Event) { e.StatementDigest = digest("nowhere") }},
		} {
			e, envelope := eventAfter("bank", visit1, head, "dispatch")
			change.edit(&e)
			err := s.Write(t.Context(), func(tx *store.Tx) error {
				if err := tx.PutStatement(t.Context(), digest(string(envelope)), envelope); err != nil {
					return err
				}
				return tx.AppendEvent(t.Context(), e, []byte("leaf"))
			})
			if got := fault.CodeOf(err); got != change.code {
				t.Errorf("%s: got fault %q, want %q", name, got, change.code)
			}
		}
		look(t, s, func(tx *store.Tx) error {
			if got, err := tx.Head(t.Context(), visit1); got != head || err != nil {
				t.Errorf("head: got %v %v, want %v", got, err, head)
			}
			leaves, err := tx.PendingLeaves(t.Context(), 10)
			if len(leaves) != 1 {
				t.Errorf("outbox: got %d leaves, want 1", len(leaves))
			}
			return err
		})
	})
}

func TestNothingIsNotFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		look(t, s, func(tx *store.Tx) error {
			ctx := t.Context()
			if head, err := tx.Head(ctx, visit1); head != (store.Head{}) || err != nil {
				t.Errorf("head of nothing: got %v %v", head, err)
			}
			if events, err := tx.Events(ctx, visit1, 1, 10); len(events) != 0 || err != nil {
				t.Errorf("events of nothing: got %v %v", events, err)
			}
			if n, err := tx.MaxSequencedBelow(ctx, visit1, 100); n != 0 || err != nil {
				t.Errorf("sequenced of nothing: got %v %v", n, err)
			}
			if n, err := tx.HighestLeafBelow(ctx, 100); n != -1 || err != nil {
				t.Errorf("highest leaf of nothing: got %v %v", n, err)
			}
			for name, err := range map[string]error{
				"statement": second(tx.Statement(ctx, digest("x"))),
				"event":     second(tx.EventByDigest(ctx, digest("x"))),
				"owner":     second(tx.StreamOrg(ctx, visit1)),
				"setting":   second(tx.Setting(ctx, "x")),
				"job":       second(tx.Job(ctx, "log", "x")),
				"visit":     second(tx.Visit(ctx, "x")),
				"order":     second(tx.Order(ctx, "x")),
				"person":    second(tx.Person(ctx, "x")),
				"by key":    second(tx.PersonByKey(ctx, "")),
				"device":    second(tx.Device(ctx, "x")),
				"binding":   second(tx.Binding(ctx, "x")),
				"permit":    second(tx.Permit(ctx, "x")),
			} {
				if got := fault.CodeOf(err); got != "record_not_found" {
					t.Errorf("%s: got fault %q, want record_not_found", name, got)
				}
			}
			return nil
		})
	})
}

func second[T any](_ T, err error) error { return err }

func TestLeafGoesFromOutboxToReceipt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var events []store.Event
		for i := range 3 {
			do(t, s, func(tx *store.Tx) error {
				e, err := receive(t, tx, "bank", visit1, fmt.Sprint("step", i))
				events = append(events, e)
				return err
			})
		}
		var pending []store.QueuedLeaf
		look(t, s, func(tx *store.Tx) (err error) {
			pending, err = tx.PendingLeaves(t.Context(), 2)
			return err
		})
		if len(pending) != 2 || pending[0].EventDigest != events[0].Digest || pending[1].EventDigest != events[1].Digest ||
			string(pending[0].Leaf) != "leaf of "+events[0].Digest {
			t.Fatalf("pending: got %+v", pending)
		}
		do(t, s, func(tx *store.Tx) error { return tx.MarkSequenced(t.Context(), events[0].Digest, 0) })
		do(t, s, func(tx *store.Tx) error { return tx.MarkSequenced(t.Context(), events[0].Digest, 0) })
		do(t, s, func(tx *store.Tx) error { return tx.MarkSequenced(t.Context(), events[2].Digest, 7) })
		refused(t, s, "leaf_already_sequenced", func(tx *store.Tx) error {
			return tx.MarkSequenced(t.Context(), events[0].Digest, 1)
		})
		refused(t, s, "record_not_found", func(tx *store.Tx) error {
			return tx.SetReceipt(t.Context(), events[1].Digest, "too early")
		})
		do(t, s, func(tx *store.Tx) error { return tx.SetReceipt(t.Context(), events[0].Digest, "receipt 0") })

		look(t, s, func(tx *store.Tx) error {
			ctx := t.Context()
			waiting, err := tx.PendingLeaves(ctx, 10)
			if err != nil || len(waiting) != 1 || waiting[0].EventDigest != events[1].Digest {
				t.Errorf("still pending: got %+v %v", waiting, err)
			}
			bare, err := tx.Unreceipted(ctx, 10)
			if err != nil || len(bare) != 1 || bare[0].EventDigest != events[2].Digest || bare[0].LeafIndex.Int64 != 7 {
				t.Errorf("without receipt: got %+v %v", bare, err)
			}
			e, err := tx.EventByDigest(ctx, events[0].Digest)
			if err != nil || !e.LeafIndex.Valid || e.LeafIndex.Int64 != 0 || e.Receipt != "receipt 0" {
				t.Errorf("receipted event: got %+v %v", e, err)
			}
			return err
		})
	})
}

func TestSequencedBelowALogSizeHasNoGap(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		// Leaf order within a batch is not promised: event 2 lies above event 3.
		for i, index := range []int64{4, 9, 6} {
			do(t, s, func(tx *store.Tx) error {
				e, err := receive(t, tx, "bank", visit1, fmt.Sprint("step", i))
				if err != nil {
					return err
				}
				return tx.MarkSequenced(t.Context(), e.Digest, index)
			})
		}
		do(t, s, func(tx *store.Tx) error { return second(receive(t, tx, "bank", visit1, "unsequenced")) })
		look(t, s, func(tx *store.Tx) error {
			for _, c := range []struct{ logSize, number, leaf int64 }{
				{0, 0, -1}, {4, 0, -1}, {5, 1, 4}, {7, 1, 6}, {9, 1, 6}, {10, 3, 9}, {100, 3, 9},
			} {
				number, err := tx.MaxSequencedBelow(t.Context(), visit1, c.logSize)
				if err != nil || number != c.number {
					t.Errorf("log size %d: got event %d %v, want %d", c.logSize, number, err, c.number)
				}
				leaf, err := tx.HighestLeafBelow(t.Context(), c.logSize)
				if err != nil || leaf != c.leaf {
					t.Errorf("log size %d: got leaf %d %v, want %d", c.logSize, leaf, err, c.leaf)
				}
			}
			return nil
		})
	})
}
