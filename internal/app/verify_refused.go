package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

// mostRefused bounds how many events are stepped over. A rule that came later refuses a few; past this many somebody
// rewrote the store, and the tables are not compared.
const mostRefused = 500

var (
	errEventRests = fault.New(fault.Refused, "event_rests_on_refused", "这个事件排在一个收不进去的事件后面，或提到它：那一个没弄清之前，说不准。", "This event comes after one that would not be received again, or names it: until that one is understood, nothing can be said of it.")
	errRowRests   = fault.New(fault.Refused, "row_rests_on_refused", "这一行说的事里有收不进去的事件：说不准它有没有被改过。", "This row is about something whose events would not all be received again: whether it was changed cannot be told.")
)

// stepOver goes on past the events that the rules refuse: each is kept in the scratch store as it is, so that those after it
// are tried on their own, and it says which tables' rows rest on one. It gives up where nothing can follow.
func (p *replay) stepOver() error {
	k := p.k
	for steps := 0; len(p.held) > 0 && steps < mostRefused; steps++ {
		at := slices.IndexFunc(p.held, func(e store.Event) bool { return e.Number == p.last[e.Stream()]+1 })
		if at < 0 {
			break
		}
		e := p.held[at]
		envelope, err := k.tx.Statement(k.ctx, e.StatementDigest)
		if err != nil {
			return err
		}
		reason := errEventRests
		if !k.restsOnRefused(e, envelope) {
			reason = errEventProof
		}
		k.found("events", eventKeyOf(e), reason.Because(k.receiveAgain(e)))
		if err := k.keepRefused(e, envelope); err != nil {
			return err
		}
		p.held, p.last[e.Stream()] = slices.Delete(p.held, at, at+1), e.Number
		p.receive(nil)
	}
	for _, e := range p.held {
		k.found("events", eventKeyOf(e), errEventProof)
	}
	k.lost = k.lost || len(p.held) > 0
	return nil
}

func eventKeyOf(e store.Event) string {
	return fmt.Sprintf("%s|%s|%d", e.StreamKind, e.StreamID, e.Number)
}

// restsOnRefused says whether an event comes after a refused one of its stream, or its statement names one.
func (k *checker) restsOnRefused(e store.Event, envelope []byte) bool {
	if slices.Contains(k.refused, e.StreamID) {
		return true
	}
	var sealed struct {
		Payload []byte `json:"payload"`
	}
	return json.Unmarshal(envelope, &sealed) == nil && slices.ContainsFunc(k.refused, func(r string) bool {
		return statement.IsDigest(r) && bytes.Contains(sealed.Payload, []byte(r))
	})
}

// keepRefused puts an event into the scratch store without asking, and notes what is about it.
func (k *checker) keepRefused(e store.Event, envelope []byte) error {
	k.refused = append(k.refused, e.StreamID, e.StatementDigest, e.Digest)
	if err := k.alsoAbout(e); err != nil {
		return err
	}
	return k.scratch.Store.Write(k.ctx, func(tx *store.Tx) error {
		if err := tx.PutStatement(k.ctx, e.StatementDigest, envelope); err != nil {
			return err
		}
		return tx.AppendEvent(k.ctx, e, []byte{})
	})
}

// alsoAbout adds what a refused visit's event may have moved beside the visit: its order and its device.
func (k *checker) alsoAbout(e store.Event) error {
	if e.StreamKind != subjectVisit {
		return nil
	}
	for table, columns := range map[string][]string{"visits": {"id", "order_id"}, "bindings": {"visit", "serial"}} {
		rows, err := k.tx.Where(k.ctx, k.tables[table], columns[:1], e.StreamID)
		if err != nil {
			return err
		}
		for _, r := range rows {
			k.refused = append(k.refused, r.Text(columns[1]))
		}
	}
	return nil
}

// rowOr is reason, or that the row rests on an event which would not be received again.
func (k *checker) rowOr(r store.RawRow, reason *fault.Fault) *fault.Fault {
	for _, c := range r.Table.Columns {
		if slices.ContainsFunc(k.refused, func(about string) bool { return about != "" && strings.Contains(r.Text(c), about) }) {
			return errRowRests
		}
	}
	return reason
}
