package app

import (
	"crypto/sha256"
	"fmt"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

// statements finds envelopes whose bytes are not their digest's, and those that nothing received.
func (k *checker) statements() error {
	return k.rows("statements", func(r store.RawRow) error {
		bytes, _ := r.Value("bytes").([]byte)
		if statement.Digest(bytes) != r.Text("digest") {
			k.found("statements", r.Key(), errRowBytes)
		}
		received, err := k.has("events", "statement_digest", r.Text("digest"))
		if err == nil && !received {
			k.found("statements", r.Key(), errRowStray)
		}
		return err
	})
}

// events finds events that are not their bytes, do not chain, or that their receipt does not prove.
func (k *checker) events() error {
	var before *record.Event
	return k.rows("events", func(r store.RawRow) error {
		k.report.Events++
		e, err := k.event(r)
		if err != nil {
			before = nil
			k.found("events", eventKey(r), err)
			return nil
		}
		if before != nil && before.Stream != e.Stream {
			before = nil
		}
		if before == nil {
			if err := k.owner(r); err != nil {
				return err
			}
		}
		if before == nil && e.Number != 1 || before != nil && record.CheckChain(before, e) != nil {
			k.found("events", eventKey(r), errEventChain)
		}
		before = &e
		if err := k.receipt(r); fault.KindOf(err) == fault.Refused {
			k.found("events", eventKey(r), err)
		} else if err != nil {
			return err
		}
		received, err := k.has("statements", "digest", e.Statement)
		if err == nil && !received {
			k.found("statements", e.Statement, errRowGone)
		}
		return err
	})
}

// event reads a row's bytes and compares every column that repeats them.
func (k *checker) event(r store.RawRow) (record.Event, error) {
	bytes, _ := r.Value("bytes").([]byte)
	salt, _ := r.Value("salt").([]byte)
	e, err := record.ParseEvent(bytes)
	if err != nil || len(salt) != 16 || statement.Digest(bytes) != r.Text("digest") {
		return e, errRowBytes
	}
	received, err := e.ReceivedAt.Parse()
	if err != nil {
		return e, errRowBytes
	}
	same := e.Stream == r.Text("stream_kind")+"/"+r.Text("stream_id") && int64(e.Number) == r.Number("number") && e.Previous == r.Text("previous") &&
		e.Verb == r.Text("verb") && e.Statement == r.Text("statement_digest") && r.Number("received_at")/1000 == received.Unix()
	if !same {
		return e, errRowDiffers
	}
	return e, nil
}

// owner demands that a stream belongs to the organisation that its events are kept under.
func (k *checker) owner(r store.RawRow) error {
	s := store.Stream{Kind: r.Text("stream_kind"), ID: r.Text("stream_id")}
	owner, err := k.tx.StreamOrg(k.ctx, s)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		k.found("streams", s.Kind+"|"+s.ID, errRowGone)
		return nil
	case err == nil && owner != r.Text("org"):
		k.found("streams", s.Kind+"|"+s.ID, errRowDiffers)
		k.found("events", eventKey(r), errRowDiffers)
	}
	return err
}

// streams finds streams without events.
func (k *checker) streams() error {
	return k.tx.EachRow(k.ctx, k.tables["streams"], func(r store.RawRow) error {
		list, err := k.tx.Where(k.ctx, k.tables["events"], []string{"stream_kind", "stream_id", "number"}, r.Text("stream_kind"), r.Text("stream_id"), int64(1))
		if err == nil && len(list) == 0 {
			k.found("streams", r.Key(), errRowStray)
		}
		return err
	})
}

// leafOf makes the leaf that a row's event must have in the log.
func leafOf(r store.RawRow) ([]byte, error) {
	bytes, _ := r.Value("bytes").([]byte)
	salt, _ := r.Value("salt").([]byte)
	if len(salt) != 16 {
		return nil, errRowBytes
	}
	leaf, err := record.LeafFor(bytes, [16]byte(salt), r.Text("day"), r.Text("province"))
	return leaf.Bytes(), err
}

// receipt proves an event's receipt, or asks that its leaf waits in the outbox.
func (k *checker) receipt(r store.RawRow) error {
	leaf, err := leafOf(r)
	if err != nil {
		return errEventReceipt
	}
	if r.Text("receipt") == "" {
		waits, err := k.has("outbox", "event_digest", r.Text("digest"))
		if err == nil && !waits {
			k.found("outbox", r.Text("digest"), errRowGone)
		}
		return err
	}
	proven, err := k.policy.VerifyReceipt([]byte(r.Text("receipt")), leaf)
	switch fault.CodeOf(err) {
	case "receipt_unknown_signature", "receipt_quorum_missing": // told apart from a changed row: nobody need have touched it
		return errEventWitness
	}
	if err != nil || r.Value("leaf_index") == nil || int64(proven.Index()) != r.Number("leaf_index") {
		return errEventReceipt
	}
	if proven.Size() > k.report.Leaves {
		return errLogShort
	}
	return nil
}

// outbox compares what waits with the events it is of.
func (k *checker) outbox() error {
	return k.rows("outbox", func(r store.RawRow) error {
		list, err := k.tx.Where(k.ctx, k.tables["events"], []string{"org", "digest"}, r.Text("org"), r.Text("event_digest"))
		if err != nil {
			return err
		}
		if len(list) == 0 {
			k.found("outbox", r.Key(), errRowStray)
			return nil
		}
		e := list[0]
		leaf, err := leafOf(e)
		waiting, _ := r.Value("leaf").([]byte)
		same := err == nil && string(leaf) == string(waiting) && e.Number("number") == r.Number("number") && e.Number("received_at") == r.Number("queued_at") &&
			e.Text("leaf_index") == r.Text("leaf_index") && e.Text("receipt") == ""
		if !same {
			k.found("outbox", r.Key(), errRowDiffers)
		}
		return nil
	})
}

// log compares the witnessed leaves with the events, each way: an event's leaf lies where its row
// says, and every leaf is some event's. A leaf that was added twice after a crash is its event's.
func (k *checker) log(leaves [][32]byte) error {
	met := make([]bool, len(leaves))
	err := k.eachLeaf(func(r store.RawRow, digest [32]byte) {
		index := uint64(r.Number("leaf_index"))
		if r.Value("leaf_index") == nil || index >= uint64(len(leaves)) {
			return
		}
		met[index] = true
		if leaves[index] != digest {
			k.found("events", eventKey(r), errLeafOther)
		}
	})
	if err != nil {
		return err
	}
	lonely := map[[32]byte][]int{}
	for i, known := range met {
		if !known && uint64(i) < k.before {
			lonely[leaves[i]] = append(lonely[leaves[i]], i)
		}
	}
	if len(lonely) == 0 {
		return nil
	}
	if err := k.eachLeaf(func(_ store.RawRow, digest [32]byte) { delete(lonely, digest) }); err != nil {
		return err
	}
	for _, at := range lonely {
		for _, i := range at {
			k.found("events", fmt.Sprintf("leaf %d", i), errLeafForeign)
		}
	}
	return nil
}

// eachLeaf gives every event's row and what its leaf must hash to; rows that make none were found before.
func (k *checker) eachLeaf(each func(store.RawRow, [32]byte)) error {
	return k.tx.EachRow(k.ctx, k.tables["events"], func(r store.RawRow) error {
		if leaf, err := leafOf(r); err == nil {
			each(r, sha256.Sum256(leaf))
		}
		return nil
	})
}
