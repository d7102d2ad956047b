package visit_test

import (
	"testing"

	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

const code = "W1489724"

func (s *story) reports(state string) string {
	s.t.Helper()
	return s.must(host, visit.ReportTerminal, visit.TypeTerminalState, visit.TerminalState{Visit: visitID, Serial: serial, Terminal: code, State: state, At: statement.At(noon)})
}

// A host that answers an end permit with "loaded", or another one with "keys ended", did something else than
// it was permitted: a person has to look.
func TestAnAnswerOfTheWrongKindOpensAMatter(t *testing.T) {
	for ask, word := range map[string]string{visit.AskEnd: visit.Loaded, visit.AskTrial: visit.KeysEnded} {
		s := at(t, visit.Admitted)
		s.host(s.decide(ask), word)
		if s.state.Stage() != visit.Admitted || !s.state.Frozen() {
			t.Errorf("%s at %s: stage %s, frozen %v", word, ask, s.state.Stage(), s.state.Frozen())
		}
		if _, ended := s.state.Ended(serial, code); ended {
			t.Errorf("%s at %s: the keys count as ended", word, ask)
		}
	}
}

func TestKeysEndedOfAnotherSerialOpensAMatter(t *testing.T) {
	s := at(t, visit.Live)
	o := outcomeOf(lastPermit(s.state), visit.KeysEnded)
	o.Serial = "00005704280117028127"
	s.must(host, visit.ReleasePermit, visit.TypeOutcome, o)
	if _, ended := s.state.Ended(serial, code); ended || !s.state.Frozen() {
		t.Errorf("ended %v, frozen %v", ended, s.state.Frozen())
	}
}

func TestWhatEndsKeys(t *testing.T) {
	s := at(t, visit.Live)
	if _, ended := s.state.Ended(serial, code); ended {
		t.Error("ended before anybody said so")
	}
	s.reports(visit.TerminalDead)
	if _, ended := s.state.Ended(serial, code); ended {
		t.Error("dead is not ended")
	}
	s.host(lastPermit(s.state), visit.KeysEnded)
	e, ended := s.state.Ended(serial, code)
	if !ended || e.Number != s.state.Number() {
		t.Errorf("ended %v by event %d", ended, e.Number)
	}
	for _, other := range [][2]string{{"1", code}, {serial, "1"}} {
		if _, ended := s.state.Ended(other[0], other[1]); ended {
			t.Errorf("%v ended too", other)
		}
	}
	s.reports(visit.TerminalLive) // and loaded again since
	if _, ended := s.state.Ended(serial, code); ended {
		t.Error("a terminal that is live again counts as ended")
	}
	own := s.reports(visit.TerminalEnded) // the acquirer by itself, without a permit
	if e, ended := s.state.Ended(serial, code); !ended || e.Statement.Digest() != own {
		t.Errorf("ended %v", ended)
	}
	if n := len(s.state.Terminals()); n != 3 {
		t.Errorf("%d reports", n)
	}
}

func TestAReportThatIsNotOne(t *testing.T) {
	s := at(t, visit.Admitted)
	body := visit.TerminalState{Visit: visitID, Serial: serial, Terminal: code, State: visit.TerminalDead}
	other, word := body, body
	other.Visit, word.State = "v9", "asleep"
	for name, c := range map[string]struct {
		by   person
		body any
		code string
	}{
		"by the technician":   {lan, body, "role_not_allowed"},
		"by the merchant":     {wei, body, "role_not_allowed"},
		"by another acquirer": {rivalHost, body, "signer_of_another_acquirer"},
		"about another visit": {host, other, "statement_other_visit"},
		"a word of its own":   {host, word, "terminal_state_unknown"},
		"of another shape":    {host, brake(), "json_unknown_name"},
	} {
		t.Run(name, func(t *testing.T) {
			wantCode(t, s.try(c.by, visit.ReportTerminal, visit.TypeTerminalState, c.body), c.code)
		})
	}
}

// Rolled back after live, a visit gives the old terminal back; once that one's keys are gone there is
// nothing to go back to, and a person has to look before the shop is left with neither.
func TestRollingBackAfterTheOldKeysEnded(t *testing.T) {
	for name, end := range map[string]func(*story){
		"by permit":          func(s *story) { s.host(lastPermit(s.state), visit.KeysEnded) },
		"by the host itself": func(s *story) { s.reports(visit.TerminalEnded) },
	} {
		s := at(t, visit.Live)
		end(s)
		s.must(lan, visit.RollBack, visit.TypeBrake, brake())
		if s.state.Stage() != visit.Live || !s.state.Frozen() {
			t.Errorf("%s: stage %s, frozen %v", name, s.state.Stage(), s.state.Frozen())
		}
	}
	s := at(t, visit.Live)
	s.reports(visit.TerminalLive)
	s.must(platform, visit.RollBack, visit.TypeBrake, brake())
	if s.state.Stage() != visit.RolledBack {
		t.Errorf("stage %s", s.state.Stage())
	}
}

func TestTheFirstTrialSetsTheTimer(t *testing.T) {
	s := newStory(t).book().dispatch()
	s.decide(visit.AskAdmit)
	if at := s.state.RollbackAt(); at != "" {
		t.Errorf("set at %s by nothing", at)
	}
	for i, want := range []statement.Time{"2026-11-22T14:00:00Z", "2026-11-22T15:00:00Z"} {
		d := decision(visit.AskTrial)
		d.Permit.RollbackAt = want
		s.must(platform, visit.RequestPermit, visit.TypeDecision, d)
		if at := s.state.RollbackAt(); at != "2026-11-22T14:00:00Z" {
			t.Errorf("after trial %d: %s", i+1, at)
		}
	}
}

func TestTouched(t *testing.T) {
	for w, want := range map[visit.DeviceWork]bool{{SealsIntact: true}: false, {Opened: true, SealsIntact: true}: true, {}: true} {
		if w.Touched() != want {
			t.Errorf("%+v: %v", w, w.Touched())
		}
	}
}

// A device that one person called opened stays so, whoever calls it untouched afterwards.
func TestNobodyUnsaysThatADeviceWasOpened(t *testing.T) {
	s := at(t, visit.Admitted)
	for i, step := range []struct {
		by   person
		work visit.DeviceWork
		want bool
	}{
		{lan, visit.DeviceWork{Visit: visitID, Serial: serial, SealsIntact: true}, false},
		{wei, visit.DeviceWork{Visit: visitID, Serial: serial, Opened: true, SealsIntact: true}, true},
		{lan, visit.DeviceWork{Visit: visitID, Serial: serial, SealsIntact: true}, true},
	} {
		s.must(step.by, visit.RecordStep, visit.TypeDeviceWork, step.work)
		if got := s.state.Touched(); got != step.want {
			t.Errorf("after step %d: touched %v", i+1, got)
		}
	}
}
