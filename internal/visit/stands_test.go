package visit_test

import (
	"slices"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/visit"
)

// Each decision, asked for again after its answer was lost: which one stands, at every stage of an honest visit.
func TestADecisionStandsUntilTheNextIsAskedFor(t *testing.T) {
	trial := []string{visit.AskDispatch, visit.AskAdmit, visit.AskTrial}
	for _, c := range []struct {
		stage  visit.Stage
		stands []string
	}{
		{visit.None, nil},
		{visit.Booked, nil},
		{visit.Dispatched, trial[:1]},
		{visit.Admitted, trial}, // the trial permit waits for its host
		{visit.Trial, []string{visit.AskDispatch, visit.AskAdmit, visit.AskLive}},              // the live permit came after the trial's
		{visit.Live, []string{visit.AskDispatch, visit.AskAdmit, visit.AskLive, visit.AskEnd}}, // the old keys' permit waits
		{visit.Closed, []string{visit.AskClose}},
		{visit.Aborted, nil},
	} {
		s := at(t, c.stage)
		var got []string
		for _, ask := range []string{visit.AskDispatch, visit.AskAdmit, visit.AskTrial, visit.AskLive, visit.AskEnd, visit.AskClose, "wave", ""} {
			d, ok := s.state.Stands(ask, noon)
			if ok && d.Body.Ask != ask {
				t.Errorf("at %q: %s is answered with %s", c.stage, ask, d.Body.Ask)
			}
			if ok {
				got = append(got, ask)
			}
		}
		if !slices.Equal(got, c.stands) {
			t.Errorf("at %q: %v stand, want %v", c.stage, got, c.stands)
		}
	}
}

func TestWhatMakesADecisionFall(t *testing.T) {
	for name, c := range map[string]struct {
		stage visit.Stage
		ask   string
		after time.Duration
		play  func(*story)
		want  bool
	}{
		"nothing":                    {visit.Admitted, visit.AskTrial, 0, func(*story) {}, true},
		"its time is over":           {visit.Admitted, visit.AskTrial, 30 * time.Minute, func(*story) {}, false},
		"a freeze":                   {visit.Admitted, visit.AskTrial, 0, func(s *story) { s.must(gu, visit.Freeze, visit.TypeBrake, brake()) }, false},
		"a freeze, also of the door": {visit.Admitted, visit.AskAdmit, 0, func(s *story) { s.must(gu, visit.Freeze, visit.TypeBrake, brake()) }, false},
		"it is cancelled":            {visit.Admitted, visit.AskTrial, 0, func(s *story) { s.must(qiu, visit.Cancel, visit.TypeBrake, visit.Brake{Visit: visitID, Reason: "r"}) }, false},
		"the host refused it":        {visit.Admitted, visit.AskTrial, 0, func(s *story) { s.host(lastPermit(s.state), visit.OutcomeRefused) }, false},
		"the host loaded the trial":  {visit.Admitted, visit.AskTrial, 0, func(s *story) { s.host(lastPermit(s.state), visit.Loaded) }, true},
		"loaded, and time is over":   {visit.Admitted, visit.AskTrial, 30 * time.Minute, func(s *story) { s.host(lastPermit(s.state), visit.Loaded) }, false},
		"loaded, and taken back": {visit.Admitted, visit.AskTrial, 0, func(s *story) {
			s.host(lastPermit(s.state), visit.Loaded)
			s.must(qiu, visit.Cancel, visit.TypeBrake, visit.Brake{Visit: visitID, Reason: "r"})
		}, false},
		"menshen is about to call": {visit.Admitted, visit.AskTrial, 0, func(s *story) {
			s.must(platform, visit.ReleasePermit, visit.TypeIntent, visit.Intent{Visit: visitID, Permit: lastPermit(s.state)})
		}, true},
		"live, and loaded since":      {visit.Live, visit.AskLive, time.Hour, func(*story) {}, true},
		"live, and refused":           {visit.Trial, visit.AskLive, 0, func(s *story) { s.host(lastPermit(s.state), visit.OutcomeRefused) }, false},
		"live, and rolled back since": {visit.Live, visit.AskLive, 0, func(s *story) { s.end(visit.RolledBack) }, false},
		"the old keys have ended":     {visit.Live, visit.AskEnd, time.Hour, func(s *story) { s.host(s.decide(visit.AskEnd), visit.KeysEnded) }, true},
		"the old keys are about to":   {visit.Live, visit.AskEnd, 0, func(s *story) { s.decide(visit.AskEnd) }, true},
		"another permit came":         {visit.Admitted, visit.AskTrial, 0, func(s *story) { s.decide(visit.AskEnd) }, false},
		"somebody else is sent": {visit.Dispatched, visit.AskDispatch, 0, func(s *story) {
			s.must(qiu, visit.Reassign, visit.TypeDispatch, dispatch())
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := at(t, c.stage)
			c.play(s)
			if _, ok := s.state.Stands(c.ask, noon.Add(c.after)); ok != c.want {
				t.Errorf("stands: %v", ok)
			}
		})
	}
}
