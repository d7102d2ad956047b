package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
	"github.com/menshen-project/menshen/internal/visit"
)

// morgue is a deployment of nothing but its queues, which die here.
type morgue struct {
	t   *testing.T
	app *app.App
	s   *store.Store
	now time.Time
}

func (m *morgue) Now() time.Time { return m.now }

// dies has a job used up all its attempts.
func (m *morgue) dies(kind, key, code string, payload []byte) {
	m.t.Helper()
	m.now = m.now.Add(time.Second)
	err := m.s.Write(m.t.Context(), func(tx *store.Tx) error {
		if _, err := tx.EnqueueJob(m.t.Context(), kind, key, payload, m.now, m.now, 1); err != nil {
			return err
		}
		leased, err := tx.LeaseJobs(m.t.Context(), kind, 1, m.now, time.Minute)
		if err != nil || len(leased) != 1 {
			m.t.Fatalf("%d leased, %v", len(leased), err)
		}
		return tx.FailJob(m.t.Context(), leased[0], code, m.now)
	})
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *morgue) seen() app.Operations {
	m.t.Helper()
	o, err := m.app.Operations(m.t.Context(), ning)
	if err != nil {
		m.t.Fatal(err)
	}
	return o
}

func (m *morgue) settles(s app.DeadLetterSettlement, n int, want string) {
	m.t.Helper()
	got, err := m.app.SettleDeadLetter(m.t.Context(), ning, s)
	if fault.CodeOf(err) != want || got != n {
		m.t.Fatalf("%+v: %d, %v; want %d, %q", s, got, err, n, want)
	}
}

// ning runs the deployment.
var ning = app.Actor{Person: "ning", Organisation: "menshen", Role: app.RoleOperations}

func inTheMorgue(t *testing.T, play func(t *testing.T, m *morgue)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		m := &morgue{t: t, s: s, now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
		m.app = app.New(app.Config{Store: s, Now: m.Now, Operator: "menshen"})
		play(t, m)
	})
}

// The desk's receiver was away for half a day. ning mends it and queues the notice again; pressed twice, it queues once.
// It dies again, which is another letter; that one is set aside for good, and who did what stays.
func TestADeadLetterIsQueuedAgainAndSetAside(t *testing.T) {
	inTheMorgue(t, func(t *testing.T, m *morgue) {
		desk := app.JobNotice("desk")
		m.dies(desk, "n-1", "notify_unreachable", []byte("{}"))
		first := m.seen().Dead[0]
		if first.Kind != desk || first.Code != "notify_unreachable" || first.Tries != 1 || !first.MayAside || !first.DiedAt.Equal(m.now) {
			t.Fatalf("%+v", first)
		}
		again := app.DeadLetterSettlement{Letter: first.Letter, Outcome: store.LetterQueuedAgain, Reason: "mended"}
		m.settles(again, 1, "")
		m.settles(again, 1, "")
		m.settles(app.DeadLetterSettlement{Letter: first.Letter, Outcome: store.LetterSetAside, Reason: "too_late"}, 0, "dead_letter_settled")
		o := m.seen()
		if len(o.Dead) != 0 || len(o.Queues) != 1 || o.Queues[0].Ready != 1 || len(o.DeadActs) != 1 {
			t.Fatalf("%+v", o)
		}
		if act := o.DeadActs[0]; act.By != "ning" || act.Reason != "mended" || act.Outcome != store.LetterQueuedAgain || act.Code != "notify_unreachable" || !act.At.Equal(m.now) {
			t.Errorf("%+v", act)
		}
		m.dies(desk, "n-1", "notify_declined", nil) // the job of that key is there: it is leased, and fails
		m.lastTries(desk)
		second := m.seen().Dead
		if len(second) != 1 || second[0].Letter == first.Letter {
			t.Fatalf("%+v", second)
		}
		m.settles(app.DeadLetterSettlement{Letter: second[0].Letter, Outcome: store.LetterSetAside, Reason: "receiver_gone"}, 1, "")
		if o := m.seen(); len(o.Dead)+len(o.Queues) != 0 || len(o.DeadActs) != 2 || o.DeadActs[0].Outcome != store.LetterSetAside {
			t.Errorf("%+v", o)
		}
		m.settles(app.DeadLetterSettlement{Letter: second[0].Letter, Outcome: store.LetterQueuedAgain, Reason: "mended"}, 0, "dead_letter_settled")
		if _, err := m.app.DeadLetters(t.Context(), ning, second[0].Letter, ""); fault.CodeOf(err) != "dead_letter_not_found" {
			t.Errorf("%v", err)
		}
	})
}

// lastTries uses up what a queue has left.
func (m *morgue) lastTries(kind string) {
	for len(m.seen().Dead) == 0 {
		m.now = m.now.Add(2 * time.Hour)
		err := m.s.Write(m.t.Context(), func(tx *store.Tx) error {
			leased, err := tx.LeaseJobs(m.t.Context(), kind, 1, m.now, time.Minute)
			if err != nil || len(leased) != 1 {
				m.t.Fatalf("%d leased, %v", len(leased), err)
			}
			return tx.FailJob(m.t.Context(), leased[0], "notify_declined", m.now)
		})
		if err != nil {
			m.t.Fatal(err)
		}
	}
}

// A whole queue is settled at once; a second press finds nothing, and says so.
func TestAQueueOfDeadLettersIsSettledAtOnce(t *testing.T) {
	inTheMorgue(t, func(t *testing.T, m *morgue) {
		desk := app.JobNotice("desk")
		for _, key := range []string{"n-1", "n-2", "n-3"} {
			m.dies(desk, key, "notify_unreachable", []byte("{}"))
		}
		m.dies(app.JobDoorCall, "call-1", "notify_unreachable", nil)
		if list, err := m.app.DeadLetters(t.Context(), ning, "", desk); err != nil || len(list) != 3 {
			t.Fatalf("%+v, %v", list, err)
		}
		all := app.DeadLetterSettlement{Queue: desk, Outcome: store.LetterQueuedAgain, Reason: "answers_again"}
		m.settles(all, 3, "")
		m.settles(all, 0, "")
		if o := m.seen(); len(o.Dead) != 1 || o.Dead[0].Kind != app.JobDoorCall || len(o.DeadActs) != 3 {
			t.Errorf("%+v", o)
		}
	})
}

// What takes power back, stops or reports something is never left undone, whoever decides so; what gives power, tells or
// watches may be. Of what an organisation's service signed, that depends on what it signed.
func TestWhatTakesPowerBackIsNotSetAside(t *testing.T) {
	signed := func(verb string) []byte {
		data, err := statement.Canonical(orgapi.Signed{Number: 1, Stream: "person/lan", Verb: verb, Statement: "e30="})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	inTheMorgue(t, func(t *testing.T, m *morgue) {
		for _, c := range []struct {
			kind    string
			payload []byte
			may     bool
		}{
			{app.JobCancel, []byte("v1"), false}, {app.JobRollback, []byte("v1"), false}, {app.JobSuspendBadge, nil, false},
			{app.JobFailures, []byte("v1"), false}, {app.JobSettlement, []byte("v1"), false}, {"not-known", nil, false},
			{app.JobStatement, []byte("no JSON"), false}, {app.JobStatement, signed(visit.RevokeBadge), false},
			{app.JobStatement, signed(visit.EndEnrolment), false}, {app.JobStatement, signed(visit.Freeze), false},
			{app.JobStatement, signed("issue_badge"), true}, {app.JobRelease, []byte("v1"), true}, {app.JobWatch, []byte("v1"), true},
			{app.JobTicketClock, nil, true}, {app.JobNotice("desk"), nil, true},
		} {
			m.dies(c.kind, m.now.Format("150405"), "host_unreachable", c.payload)
			dead := m.seen().Dead
			letter := dead[len(dead)-1] // those before it stay
			aside := app.DeadLetterSettlement{Letter: letter.Letter, Outcome: store.LetterSetAside, Reason: "done_otherwise"}
			if letter.MayAside != c.may {
				t.Errorf("%s %s: %v", c.kind, c.payload, letter.MayAside)
			}
			if c.may {
				m.settles(aside, 1, "")
			} else {
				m.settles(aside, 0, "dead_letter_not_to_set_aside")
			}
		}
		if o := m.seen(); len(o.Dead) != 10 {
			t.Errorf("%d left", len(o.Dead))
		}
		m.settles(app.DeadLetterSettlement{Queue: app.JobStatement, Outcome: store.LetterSetAside, Reason: "mistake"}, 0, "dead_letter_not_to_set_aside")
		m.settles(app.DeadLetterSettlement{Queue: app.JobCancel, Outcome: store.LetterQueuedAgain, Reason: "mended"}, 1, "")
	})
}

// Nobody else settles one, and only what the page offers is taken.
func TestWhoSettlesDeadLettersAndHow(t *testing.T) {
	inTheMorgue(t, func(t *testing.T, m *morgue) {
		m.dies(app.JobNotice("desk"), "n-1", "notify_unreachable", nil)
		letter := m.seen().Dead[0].Letter
		good := app.DeadLetterSettlement{Letter: letter, Outcome: store.LetterQueuedAgain, Reason: "mended"}
		for _, who := range []app.Actor{{}, {Person: "ning", Organisation: "acq-other", Role: app.RoleOperations}, {Person: "ning", Organisation: "menshen", Role: visit.RoleRisk}} {
			if _, err := m.app.SettleDeadLetter(t.Context(), who, good); fault.CodeOf(err) != "access_denied" {
				t.Errorf("%+v: %v", who, err)
			}
			if _, err := m.app.DeadLetters(context.Background(), who, letter, ""); fault.CodeOf(err) != "access_denied" {
				t.Errorf("%+v: %v", who, err)
			}
		}
		for _, spoil := range []func(*app.DeadLetterSettlement){
			func(s *app.DeadLetterSettlement) { s.Reason = "" },
			func(s *app.DeadLetterSettlement) { s.Reason = "too_late" },
			func(s *app.DeadLetterSettlement) { s.Outcome = "done" },
			func(s *app.DeadLetterSettlement) { s.Letter = "" },
			func(s *app.DeadLetterSettlement) { s.Queue = app.JobNotice("desk") },
		} {
			s := good
			spoil(&s)
			m.settles(s, 0, "dead_letter_outcome_unknown")
		}
		m.settles(app.DeadLetterSettlement{Letter: "1-0000000000000000", Outcome: store.LetterQueuedAgain, Reason: "mended"}, 0, "dead_letter_not_found")
		if o := m.seen(); len(o.Dead) != 1 || len(o.DeadActs) != 0 {
			t.Errorf("%+v", o)
		}
	})
}
