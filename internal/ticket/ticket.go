// Package ticket keeps the clocks of after-sales service: one for the first answer, one for the repair, both
// from the hours that the price sheet promised (design §9, §12). Pure: it folds what people did and says
// where the clocks stand. A ticket is no evidence and gives no power; what a ticket leads to (a visit, an
// incident) is signed on its own.
package ticket

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

// Verbs, one name each.
const (
	Open     = "open_ticket"
	Answer   = "answer_ticket"   // a person has looked and said what comes next: stops the response clock
	Pause    = "pause_ticket"    // waits for somebody else; the repair clock stands, and the reason is kept
	Continue = "continue_ticket" // ends a pause
	Resolve  = "resolve_ticket"  // the shop can take money again: stops the repair clock
	Reopen   = "reopen_ticket"   // it was not resolved: the clock runs on
	Close    = "close_ticket"    // by whoever opened it, or by time
)

// States. The zero value is a ticket that nobody opened.
const (
	Opened   = "open"
	Answered = "answered"
	Paused   = "paused"
	Resolved = "resolved"
	Closed   = "closed"
)

// Reasons for a pause: who is waited for. Anything else is refused, so that "paused" never means "forgotten".
var pauseReasons = []string{"shop_closed", "waits_for_acquirer", "waits_for_merchant", "waits_for_part", "waits_for_visit"}

// PauseReasons lists them, sorted.
func PauseReasons() []string { return slices.Clone(pauseReasons) }

// Event is one thing that somebody did.
type Event struct {
	Verb   string
	At     time.Time
	Reason string // of a pause
}

// Levels are what the sheet promised. Zero hours promise nothing, and that clock never runs out.
type Levels struct {
	Response   time.Duration
	Resolution time.Duration
	Warranty   time.Time // until when a repair costs nothing; the zero time for none
}

// State is what a ticket's events add up to.
type State struct {
	state      string
	openedAt   time.Time
	answeredAt time.Time
	resolvedAt time.Time
	pausedAt   time.Time
	paused     time.Duration // whole pauses that are over
	reason     string
	last       time.Time
}

// Name is one of the states, "" for the zero value.
func (s State) Name() string { return s.state }

// Reason is why it is paused, "" when it is not.
func (s State) Reason() string { return s.reason }

// OpenedAt is when it was opened.
func (s State) OpenedAt() time.Time { return s.openedAt }

var (
	errVerb    = fault.New(fault.Conflict, "ticket_not_at_that", "工单现在不能这样做。", "The ticket is not in a state where this can be done.")
	errUnknown = fault.New(fault.Invalid, "ticket_verb_unknown", "工单没有这种操作。", "There is no such thing to do with a ticket.")
	errReason  = fault.New(fault.Invalid, "ticket_pause_reason", "暂停要说明在等谁：店铺没开门、等商户、等配件、等收单机构、等上门。", "A pause says who is waited for: shop_closed, waits_for_merchant, waits_for_part, waits_for_acquirer or waits_for_visit.")
	errBack    = fault.New(fault.Conflict, "ticket_time_backwards", "时间比上一步还早。", "The time is before the ticket's last event.")
)

// from says in which states a verb may be used.
var from = map[string][]string{
	Open: {""}, Answer: {Opened}, Pause: {Opened, Answered}, Continue: {Paused}, Resolve: {Answered, Paused}, Reopen: {Resolved}, Close: {Resolved},
}

// Next applies one event. Faults: ticket_verb_unknown, ticket_not_at_that, ticket_pause_reason,
// ticket_time_backwards.
func Next(s State, e Event) (State, error) {
	states, known := from[e.Verb]
	if !known {
		return State{}, errUnknown
	}
	if !slices.Contains(states, s.state) {
		return State{}, errVerb.At(s.state)
	}
	if e.At.Before(s.last) {
		return State{}, errBack
	}
	if e.Verb == Pause && !slices.Contains(pauseReasons, e.Reason) {
		return State{}, errReason
	}
	return s.apply(e), nil
}

func (s State) apply(e Event) State {
	s.last = e.At
	switch e.Verb {
	case Open:
		s.state, s.openedAt = Opened, e.At
	case Answer:
		s.state, s.answeredAt = Answered, e.At
	case Pause:
		s.state, s.pausedAt, s.reason = Paused, e.At, e.Reason
	case Continue:
		s = s.unpaused(e.At)
		s.state = Opened
		if !s.answeredAt.IsZero() {
			s.state = Answered
		}
	case Resolve:
		s = s.unpaused(e.At)
		s.state, s.resolvedAt = Resolved, e.At
	case Reopen:
		s.state, s.resolvedAt = Answered, time.Time{}
	case Close:
		s.state = Closed
	}
	return s
}

// unpaused ends a pause, if there is one.
func (s State) unpaused(now time.Time) State {
	if !s.pausedAt.IsZero() {
		s.paused += now.Sub(s.pausedAt)
	}
	s.pausedAt, s.reason = time.Time{}, ""
	return s
}

// Fold replays a ticket's events.
func Fold(events []Event) (State, error) {
	var s State
	for _, e := range events {
		var err error
		if s, err = Next(s, e); err != nil {
			return State{}, err
		}
	}
	return s, nil
}

// Clock is one promise: when it falls due and whether it was kept.
type Clock struct {
	DueAt   time.Time // the zero time when nothing was promised
	Stopped time.Time // when it was kept; the zero time while it runs
	Stands  bool      // paused
	Late    bool      // kept after DueAt, or not kept and past it
}

// Response is the clock of the first answer. A pause does not stop it: an answer is a call, not a visit.
func (s State) Response(l Levels, now time.Time) Clock {
	return clock(s.openedAt, l.Response, 0, s.answeredAt, now)
}

// Resolution is the clock of the repair, without the pauses.
func (s State) Resolution(l Levels, now time.Time) Clock {
	pauses := s.paused
	if s.state == Paused {
		pauses += now.Sub(s.pausedAt)
	}
	c := clock(s.openedAt, l.Resolution, pauses, s.resolvedAt, now)
	c.Stands = s.state == Paused
	return c
}

func clock(begun time.Time, promised, pauses time.Duration, kept, now time.Time) Clock {
	c := Clock{Stopped: kept}
	if promised <= 0 || begun.IsZero() {
		return c
	}
	c.DueAt = begun.Add(promised + pauses)
	end := kept
	if end.IsZero() {
		end = now
	}
	c.Late = end.After(c.DueAt)
	return c
}

// Free says whether the repair is under warranty when the ticket was opened.
func (s State) Free(l Levels) bool { return s.state != "" && s.openedAt.Before(l.Warranty) }
