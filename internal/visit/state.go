package visit

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
)

// Event is one event of a visit's stream as Fold reads it.
type Event struct {
	Number     int
	Digest     string // of the event bytes
	Verb       string
	ReceivedAt time.Time
	Statement  statement.Verified
}

// State is what a visit's events add up to. Only Decide and Fold make one that is not empty; the zero
// value is nobody's visit and takes nothing at all.
type State struct {
	id         string
	stage      Stage
	frozen     bool
	number     int
	head       string
	acquirer   string // organisation of the approver who opened the visit
	opened     Opened
	dispatch   Dispatch
	decisions  []Recorded[Decision]
	outcomes   []Recorded[Outcome]
	terminals  []Recorded[TerminalState]
	touched    bool
	cancelled  []string // digests of permits that nobody may act on any more
	challenges []Recorded[Challenge]
	answered   []string // digests of challenges
	nonces     []string // that merchants' pages made without signal
	incidents  []string // digests of unresolved freezes, incidents and contradictions
	trials     int
	reviewed   []string          // holders who have judged the visit
	sentBy     string            // organisation of the dispatcher who sent whoever is on the visit
	ruled      []string          // digests of kept statements that somebody has ruled on
	last       map[string]string // signer's key → digest of his last statement here; never written in place
	ahead      map[string]string // digest that has not come yet → the brake that names it as previous; as last
}

// Recorded is a body with the event that brought it.
type Recorded[T any] struct {
	Body  T
	Event Event
}

// New is the state of a visit that nobody booked yet.
func New(id string) State { return State{id: id} }

// ID is the visit's id, "" for the zero value.
func (s State) ID() string { return s.id }

// Stage is where the visit stands.
func (s State) Stage() Stage { return s.stage }

// Frozen says whether what gives power is stopped.
func (s State) Frozen() bool { return s.frozen }

// Number is the last event's number, 0 for none.
func (s State) Number() int { return s.number }

// Head is the digest of the last event as Fold was given it; "" for none and after Decide, when the
// event has not been made yet.
func (s State) Head() string { return s.head }

// Acquirer is the organisation whose approver opened the visit, "" for none. That it is the order's
// own acquirer is for package evidence to check: the order is in another stream.
func (s State) Acquirer() string { return s.acquirer }

// Opened is what started the visit.
func (s State) Opened() Opened { return s.opened }

// Dispatched is the latest assignment.
func (s State) Dispatched() Dispatch { return s.dispatch }

// LastBy is the digest of the last statement that a key signed in this visit, "" for none: what its
// next statement must name as previous.
func (s State) LastBy(key string) string { return s.last[key] }

// Open lists the digests of freezes, incidents and contradictions that nobody has answered.
func (s State) Open() []string { return slices.Clone(s.incidents) }

// Decisions are the gate's positive answers so far, in order.
func (s State) Decisions() []Recorded[Decision] {
	out := slices.Clone(s.decisions)
	for i := range out {
		out[i] = copied(out[i])
	}
	return out
}

// copied keeps a caller from writing into the state through a decision's lists and permit.
func copied(d Recorded[Decision]) Recorded[Decision] {
	d.Body.Heads = slices.Clone(d.Body.Heads)
	d.Body.Evidence = slices.Clone(d.Body.Evidence)
	d.Body.Conditions = slices.Clone(d.Body.Conditions)
	if d.Body.Permit != nil {
		p := *d.Body.Permit
		d.Body.Permit = &p
	}
	return d
}

// Outcomes are the host's signed answers so far, in order.
func (s State) Outcomes() []Recorded[Outcome] { return slices.Clone(s.outcomes) }

// Challenge finds a challenge by its statement's digest.
func (s State) Challenge(digest string) (Recorded[Challenge], bool) {
	for _, c := range s.challenges {
		if c.Event.Statement.Digest() == digest {
			return c, true
		}
	}
	return Recorded[Challenge]{}, false
}

// Decision finds the latest decision at an ask.
func (s State) Decision(ask string) (Recorded[Decision], bool) {
	for _, d := range slices.Backward(s.decisions) {
		if d.Body.Ask == ask {
			return copied(d), true
		}
	}
	return Recorded[Decision]{}, false
}

// Permit finds a decision that gives power by its statement's digest.
func (s State) Permit(digest string) (Recorded[Decision], bool) {
	for _, d := range s.decisions {
		if d.Event.Statement.Digest() == digest && d.Body.Permit != nil {
			return copied(d), true
		}
	}
	return Recorded[Decision]{}, false
}

// Cancelled says whether somebody took a permit's power away. What the host loaded on it before is not undone by that.
func (s State) Cancelled(permit string) bool { return slices.Contains(s.cancelled, permit) }

// Outcome finds the host's answer to a permit: the first one counts, because a host answers a permit
// once and then repeats itself.
func (s State) Outcome(permit string) (Recorded[Outcome], bool) {
	for _, o := range s.outcomes {
		if o.Body.Permit == permit {
			return o, true
		}
	}
	return Recorded[Outcome]{}, false
}
