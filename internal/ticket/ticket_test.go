package ticket_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/ticket"
)

var nine = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func at(hours float64) time.Time { return nine.Add(time.Duration(hours * float64(time.Hour))) }

func story(t *testing.T, events ...ticket.Event) ticket.State {
	t.Helper()
	s, err := ticket.Fold(events)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var promised = ticket.Levels{Response: 2 * time.Hour, Resolution: 24 * time.Hour, Warranty: at(1000)}

// The terminal prints nothing: answered after an hour, waiting ten hours for a part, repaired after thirty.
// Twenty of them count, so the promise of twenty-four was kept.
func TestARepairThatWaitedForAPart(t *testing.T) {
	s := story(t, ticket.Event{Verb: ticket.Open, At: at(0)}, ticket.Event{Verb: ticket.Answer, At: at(1)},
		ticket.Event{Verb: ticket.Pause, At: at(5), Reason: "waits_for_part"}, ticket.Event{Verb: ticket.Continue, At: at(15)},
		ticket.Event{Verb: ticket.Resolve, At: at(30)})
	if r := s.Response(promised, at(40)); !r.DueAt.Equal(at(2)) || !r.Stopped.Equal(at(1)) || r.Late || r.Stands {
		t.Errorf("response %+v", r)
	}
	if r := s.Resolution(promised, at(40)); !r.DueAt.Equal(at(34)) || !r.Stopped.Equal(at(30)) || r.Late || r.Stands {
		t.Errorf("resolution %+v", r)
	}
	if s.Name() != ticket.Resolved || !s.OpenedAt().Equal(nine) || !s.Free(promised) || s.Reason() != "" {
		t.Errorf("%s", s.Name())
	}
}

func TestClocks(t *testing.T) {
	opened := ticket.Event{Verb: ticket.Open, At: at(0)}
	answered := ticket.Event{Verb: ticket.Answer, At: at(3)}
	paused := ticket.Event{Verb: ticket.Pause, At: at(4), Reason: "shop_closed"}
	for name, c := range map[string]struct {
		events           []ticket.Event
		now              time.Time
		levels           ticket.Levels
		state            string
		late, repairLate bool
		repairDue        time.Time
		stands           bool
	}{
		"nobody opened it":                     {nil, at(99), promised, "", false, false, time.Time{}, false},
		"open in time":                         {[]ticket.Event{opened}, at(2), promised, ticket.Opened, false, false, at(24), false},
		"open and late":                        {[]ticket.Event{opened}, at(2.1), promised, ticket.Opened, true, false, at(24), false},
		"answered late":                        {[]ticket.Event{opened, answered}, at(3), promised, ticket.Answered, true, false, at(24), false},
		"repair late":                          {[]ticket.Event{opened, answered}, at(25), promised, ticket.Answered, true, true, at(24), false},
		"paused: the clock stands":             {[]ticket.Event{opened, answered, paused}, at(90), promised, ticket.Paused, true, false, at(24 + 86), true},
		"nothing was promised":                 {[]ticket.Event{opened}, at(99), ticket.Levels{}, ticket.Opened, false, false, time.Time{}, false},
		"resolved out of a pause":              {[]ticket.Event{opened, answered, paused, {Verb: ticket.Resolve, At: at(30)}}, at(99), promised, ticket.Resolved, true, false, at(50), false},
		"reopened: the clock runs on":          {[]ticket.Event{opened, answered, {Verb: ticket.Resolve, At: at(5)}, {Verb: ticket.Reopen, At: at(26)}}, at(27), promised, ticket.Answered, true, true, at(24), false},
		"paused before an answer, went on":     {[]ticket.Event{opened, paused, {Verb: ticket.Continue, At: at(6)}}, at(6), promised, ticket.Opened, true, false, at(26), false},
		"closed by whoever opened it":          {[]ticket.Event{opened, answered, {Verb: ticket.Resolve, At: at(5)}, {Verb: ticket.Close, At: at(6)}}, at(99), promised, ticket.Closed, true, false, at(24), false},
		"paused before an answer is no excuse": {[]ticket.Event{opened, paused}, at(5), promised, ticket.Paused, true, false, at(25), true},
	} {
		t.Run(name, func(t *testing.T) {
			s := story(t, c.events...)
			response, repair := s.Response(c.levels, c.now), s.Resolution(c.levels, c.now)
			if s.Name() != c.state || response.Late != c.late || repair.Late != c.repairLate || !repair.DueAt.Equal(c.repairDue) || repair.Stands != c.stands {
				t.Errorf("%q, response %+v, repair %+v", s.Name(), response, repair)
			}
		})
	}
}

func TestWhatCannotBeDone(t *testing.T) {
	opened := []ticket.Event{{Verb: ticket.Open, At: at(1)}}
	for name, c := range map[string]struct {
		before []ticket.Event
		event  ticket.Event
		code   string
	}{
		"no such verb":          {opened, ticket.Event{Verb: "delete", At: at(2)}, "ticket_verb_unknown"},
		"before it is opened":   {nil, ticket.Event{Verb: ticket.Answer, At: at(2)}, "ticket_not_at_that"},
		"opened twice":          {opened, ticket.Event{Verb: ticket.Open, At: at(2)}, "ticket_not_at_that"},
		"resolved unanswered":   {opened, ticket.Event{Verb: ticket.Resolve, At: at(2)}, "ticket_not_at_that"},
		"closed unresolved":     {opened, ticket.Event{Verb: ticket.Close, At: at(2)}, "ticket_not_at_that"},
		"a pause for nobody":    {opened, ticket.Event{Verb: ticket.Pause, At: at(2)}, "ticket_pause_reason"},
		"a pause of one's own":  {opened, ticket.Event{Verb: ticket.Pause, At: at(2), Reason: "busy"}, "ticket_pause_reason"},
		"before the last event": {opened, ticket.Event{Verb: ticket.Answer, At: at(0)}, "ticket_time_backwards"},
	} {
		s := story(t, c.before...)
		if got, err := ticket.Next(s, c.event); fault.CodeOf(err) != c.code || got != (ticket.State{}) {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
		if _, err := ticket.Fold(append(c.before[:len(c.before):len(c.before)], c.event)); fault.CodeOf(err) != c.code {
			t.Errorf("%s, folded: %v, want %s", name, err, c.code)
		}
	}
	for _, reason := range ticket.PauseReasons() {
		if _, err := ticket.Next(story(t, opened...), ticket.Event{Verb: ticket.Pause, At: at(2), Reason: reason}); err != nil {
			t.Errorf("%s: %v", reason, err)
		}
	}
	if (ticket.State{}).Free(promised) || story(t, ticket.Event{Verb: ticket.Open, At: at(1000)}).Free(promised) {
		t.Error("free without a warranty")
	}
}

// Whatever people do, in whatever order: a pause only ever moves the repair's due time later, and a clock that
// was kept in time does not become late afterwards.
func TestClocksOnlyMoveOneWay(t *testing.T) {
	verbs := []string{ticket.Answer, ticket.Pause, ticket.Continue, ticket.Resolve, ticket.Close}
	rapid.Check(t, func(t *rapid.T) {
		now := nine
		s, _ := ticket.Next(ticket.State{}, ticket.Event{Verb: ticket.Open, At: now})
		due := s.Resolution(promised, now).DueAt
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "minutes")) * time.Minute)
			next, err := ticket.Next(s, ticket.Event{Verb: rapid.SampledFrom(verbs).Draw(t, "verb"), At: now, Reason: "waits_for_part"})
			if err != nil {
				continue
			}
			s = next
			c := s.Resolution(promised, now)
			if c.DueAt.Before(due) {
				t.Fatalf("due %v, before %v", c.DueAt, due)
			}
			due = c.DueAt
			if !c.Stopped.IsZero() && c.Late != s.Resolution(promised, now.Add(1000*time.Hour)).Late {
				t.Fatal("a clock that stopped runs on")
			}
		}
	})
}
