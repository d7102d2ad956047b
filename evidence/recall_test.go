package evidence_test

import (
	"slices"
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Whoever asks again gets every decision as it was: its ask, its time and its conditions.
func TestADecisionIsRecalled(t *testing.T) {
	p := install(t)
	d := p.ledger.Dossier(p.play.ID, 0)
	whole := evidence.Verify(p.opened(t), p.play.Trust)
	r := evidence.NewReader(p.play.Trust)
	for i, decided := range whole.State().Decisions() {
		got, was := r.Recall(d, decided.Event.Statement.Digest()), whole.Decisions[i]
		if got.Refusal != nil || !got.Granted || got.Ask != was.Ask || !got.Now.Equal(was.Now) || len(got.Conditions) != len(was.Conditions) {
			t.Fatalf("%s: %v, %+v", decided.Body.Ask, got.Refusal, got)
		}
		for j, c := range got.Conditions {
			if w := was.Conditions[j]; c.Name != w.Name || c.Verdict != w.Verdict || c.Basis != w.Basis || !slices.Equal(c.Evidence, w.Evidence) {
				t.Errorf("%s: %+v, want %+v", decided.Body.Ask, c, w)
			}
		}
	}
}

// Whose position was erased since: the decision stands, and its verdict is not called re-run any more.
func TestADecisionIsRecalledAfterAnErasure(t *testing.T) {
	p := install(t)
	d := p.ledger.Dossier(p.play.ID, 0)
	d.Openings = nil
	decisions := evidence.Verify(p.opened(t), p.play.Trust).State().Decisions()
	got := evidence.NewReader(p.play.Trust).Recall(d, decisions[1].Event.Statement.Digest())
	place, _ := got.Condition(gate.PlaceMatches)
	if got.Refusal != nil || !got.Granted || place.Verdict != string(gate.NotOpened) {
		t.Errorf("%+v, %v", place, got.Refusal)
	}
}

// Whoever asks for a trial again once its keys are loaded is told of the same one, unless the host said that it failed:
// an earlier trial's failure is no reason for a third.
func TestATrialFailsByItsOwnReport(t *testing.T) {
	p := open(t, visit.Install, 1)
	l := p.Venue.(*scenario.Ledger)
	r := evidence.NewReader(p.Trust)
	want := func(when string, failed bool) {
		t.Helper()
		if got, err := r.TrialFailed(l.Dossier(p.ID, 0), p.Now()); err != nil || got != failed {
			t.Errorf("%s: failed %v, %v", when, got, err)
		}
	}
	run := func(scenes []scenario.Scene) {
		t.Helper()
		if err := scenario.Run(t.Context(), scenes); err != nil {
			t.Fatal(err)
		}
	}
	run(scenario.Until(p.Install(), "ask trial"))
	want("before any trial", false)
	trial := slices.DeleteFunc(p.Install(), func(s scenario.Scene) bool { return s.Name != "ask trial" && s.Name != "release trial" })
	run(trial)
	want("loaded", false)
	host := p.Host.(*scenario.InMemory)
	host.Habits = scenario.Habits{ForgetsLost: true}
	run([]scenario.Scene{{Name: "acceptance", Run: p.Accept}})
	want("its script failed", true)
	run(trial)
	want("the second, loaded", false)
	host.Habits = scenario.Habits{}
	run([]scenario.Scene{{Name: "acceptance", Run: p.Accept}})
	want("the second passed", false)
	if _, err := r.TrialFailed(evidence.Dossier{Visit: p.ID, Entries: []evidence.Entry{{Event: "torn"}}}, p.Now()); fault.CodeOf(err) != "event_malformed" {
		t.Errorf("an unreadable entry: %v", err)
	}
}

func TestWhatIsNotRecalled(t *testing.T) {
	p := install(t)
	whole := p.ledger.Dossier(p.play.ID, 0)
	last := evidence.Verify(p.opened(t), p.play.Trust).State().Decisions()[4].Event.Statement.Digest()
	for name, c := range map[string]struct {
		edit     func(*evidence.Dossier)
		decision string
		code     string
	}{
		"no decision":           {func(*evidence.Dossier) {}, statement.Digest(nil), "decision_absent"},
		"an unreadable entry":   {func(d *evidence.Dossier) { d.Entries[0].Event = "torn" }, last, "event_malformed"},
		"an opening of no form": {func(d *evidence.Dossier) { d.Openings[0].Salt = "torn" }, last, "opening_malformed"},
		"an entry is gone":      {func(d *evidence.Dossier) { d.Entries = d.Entries[1:] }, last, "event_missing"},
		"a receipt is gone":     {func(d *evidence.Dossier) { d.Entries[0].Receipt = "" }, last, "receipt_absent"},
	} {
		d := evidence.Dossier{Visit: whole.Visit, Entries: slices.Clone(whole.Entries), Openings: slices.Clone(whole.Openings)}
		c.edit(&d)
		if got := evidence.NewReader(p.play.Trust).Recall(d, c.decision); fault.CodeOf(got.Refusal) != c.code || got.Granted {
			t.Errorf("%s: %v, want %s", name, got.Refusal, c.code)
		}
	}
}

// A row that somebody changed behind the server's back, signed again by the platform, is not repeated to anybody.
func TestAForgedDecisionIsNotRecalled(t *testing.T) {
	honest := func(e *edge) (d visit.Decision) {
		state, err := evidence.NewReader(e.Trust).Stand(e.dossier(), e.Now())
		if err != nil {
			t.Fatal(err)
		}
		last, _ := state.Decision(visit.AskDispatch)
		return last.Body
	}
	for code, edit := range map[string]func(*visit.Decision){
		"decision_differs": func(d *visit.Decision) { d.Conditions = d.Conditions[1:] },
		"time_malformed":   func(d *visit.Decision) { d.DecidedAt = "noon" },
		"event_missing":    func(d *visit.Decision) { d.Evidence = append(d.Evidence, statement.Digest(nil)) },
	} {
		e := upTo(t, visit.Install, 1, "badge")
		body := honest(e)
		edit(&body)
		e.put(e.Cast.Platform, visit.DispatchVerb, e.VisitStream(), visit.TypeDecision, body)
		stream := e.ledger.Stream(e.VisitStream())
		if got := evidence.NewReader(e.Trust).Recall(e.ledger.Dossier(e.ID, 0), statement.Digest(stream[len(stream)-1].Envelope)); fault.CodeOf(got.Refusal) != code || got.Granted {
			t.Errorf("%v, want %s", got.Refusal, code)
		}
	}
}
