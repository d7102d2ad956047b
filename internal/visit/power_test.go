package visit_test

import (
	"slices"
	"testing"

	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

func TestADecisionOutOfPlace(t *testing.T) {
	filed := func(verb, ask string, edit func(*visit.Decision)) func(*story) error {
		return func(s *story) error {
			d := decision(ask)
			if edit != nil {
				edit(&d)
			}
			return s.try(platform, verb, visit.TypeDecision, d)
		}
	}
	grant := func(d *visit.Decision) { d.Permit = &visit.Permit{} }
	strip := func(d *visit.Decision) { d.Permit = nil }
	for name, c := range map[string]struct {
		stage visit.Stage
		try   func(*story) error
		code  string
	}{
		"live without a trial":               {visit.Admitted, filed(visit.RequestPermit, visit.AskLive, nil), "stage_not_fitting"},
		"trial again after live":             {visit.Live, filed(visit.RequestPermit, visit.AskTrial, nil), "stage_not_fitting"},
		"live again after live":              {visit.Live, filed(visit.RequestPermit, visit.AskLive, nil), "stage_not_fitting"},
		"end in the middle of a trial":       {visit.Trial, filed(visit.RequestPermit, visit.AskEnd, nil), "stage_not_fitting"},
		"close in the middle of a trial":     {visit.Trial, filed(visit.Close, visit.AskClose, nil), "stage_not_fitting"},
		"live filed as an admission":         {visit.Dispatched, filed(visit.Admit, visit.AskLive, nil), "decision_other_verb"},
		"close filed as a permit":            {visit.Live, filed(visit.RequestPermit, visit.AskClose, nil), "decision_other_verb"},
		"admission filed as a dispatch":      {visit.Booked, filed(visit.DispatchVerb, visit.AskAdmit, nil), "decision_other_verb"},
		"an ask that does not exist":         {visit.Admitted, filed(visit.RequestPermit, "wave", nil), "decision_other_verb"},
		"trial without a permit":             {visit.Admitted, filed(visit.RequestPermit, visit.AskTrial, strip), "permit_malformed"},
		"a permit slipped into an admission": {visit.Dispatched, filed(visit.Admit, visit.AskAdmit, grant), "permit_malformed"},
		"a permit slipped into a close":      {visit.Live, filed(visit.Close, visit.AskClose, grant), "permit_malformed"},
		"nobody is assigned":                 {visit.Booked, filed(visit.DispatchVerb, visit.AskDispatch, nil), "nobody_assigned"},
	} {
		t.Run(name, func(t *testing.T) {
			s := at(t, c.stage)
			before := s.state.Stage()
			wantCode(t, c.try(s), c.code)
			if s.state.Stage() != before {
				t.Errorf("stage %q", s.state.Stage())
			}
		})
	}
}

func TestThreeTrialsAreEnough(t *testing.T) {
	s := at(t, visit.Admitted) // one trial permit waits
	s.decide(visit.AskTrial)
	s.decide(visit.AskTrial)
	wantCode(t, s.try(platform, visit.RequestPermit, visit.TypeDecision, decision(visit.AskTrial)), "trials_used_up")
	if n := len(s.state.Decisions()); n != 2+visit.MaxTrials {
		t.Errorf("%d decisions", n)
	}
	s.host(lastPermit(s.state), visit.Loaded)
	s.decide(visit.AskLive) // the third may still pass
}

// Only the host of the acquirer that booked the visit moves it to trial and live, and only by "loaded".
func TestOnlyALoadedOutcomeMovesTheStage(t *testing.T) {
	for _, word := range []string{visit.OutcomeRefused, visit.OutcomeCanceled} {
		for _, stage := range []visit.Stage{visit.Admitted, visit.Trial} {
			s := at(t, stage)
			s.host(lastPermit(s.state), word)
			if s.state.Stage() != stage || s.state.Frozen() {
				t.Errorf("%s at %s: stage %s, frozen %v", word, stage, s.state.Stage(), s.state.Frozen())
			}
		}
	}
	for name, c := range map[string]struct {
		stage visit.Stage
		ask   string
		after visit.Stage
	}{
		"the first trial":             {visit.Admitted, visit.AskTrial, visit.Trial},
		"a removal's keys end":        {visit.Admitted, visit.AskEnd, visit.Admitted},
		"a second trial is not live":  {visit.Trial, visit.AskTrial, visit.Trial},
		"live":                        {visit.Trial, visit.AskLive, visit.Live},
		"the old terminal's keys end": {visit.Live, visit.AskEnd, visit.Live},
	} {
		s := at(t, c.stage)
		s.host(s.decide(c.ask), map[bool]string{true: visit.KeysEnded, false: visit.Loaded}[c.ask == visit.AskEnd])
		if s.state.Stage() != c.after || s.state.Frozen() {
			t.Errorf("%s: stage %s, frozen %v", name, s.state.Stage(), s.state.Frozen())
		}
	}
}

func TestAnOutcomeThatIsNotOne(t *testing.T) {
	s := at(t, visit.Admitted)
	permit := lastPermit(s.state)
	admitted, _ := s.state.Decision(visit.AskAdmit)
	for name, c := range map[string]struct {
		by   person
		body visit.Outcome
		code string
	}{
		"of a permit nobody decided":      {host, outcomeOf(statement.Digest(nil), visit.Loaded), "permit_unknown"},
		"of a decision without power":     {host, outcomeOf(admitted.Event.Statement.Digest(), visit.Loaded), "permit_unknown"},
		"a word that the host never says": {host, outcomeOf(permit, "done"), "outcome_unknown"},
		"another acquirer's host":         {rivalHost, outcomeOf(permit, visit.Loaded), "signer_of_another_acquirer"},
	} {
		t.Run(name, func(t *testing.T) {
			wantCode(t, s.try(c.by, visit.ReleasePermit, visit.TypeOutcome, c.body), c.code)
		})
	}
	if s.state.Stage() != visit.Admitted || len(s.state.Outcomes()) != 0 {
		t.Error("something moved")
	}
}

// A server that shows the host's trial answer once more, or late, does not bring a live visit back.
func TestAReplayedOutcomeMovesNothing(t *testing.T) {
	s := at(t, visit.Admitted)
	first := lastPermit(s.state)
	second := s.decide(visit.AskTrial)
	s.host(second, visit.Loaded)
	live := s.decide(visit.AskLive)
	s.host(live, visit.Loaded)
	s.host(second, visit.Loaded)
	if s.state.Stage() != visit.Live || s.state.Frozen() {
		t.Errorf("after a replay: %s, frozen %v", s.state.Stage(), s.state.Frozen())
	}
	s.host(first, visit.Loaded) // never answered before: the host is late
	if s.state.Stage() != visit.Live || s.state.Frozen() {
		t.Errorf("after a late answer: %s, frozen %v", s.state.Stage(), s.state.Frozen())
	}
}

// A host answers a permit once and repeats itself. When it says another thing, both are kept, the
// first counts, and a person must look.
func TestAHostThatContradictsItself(t *testing.T) {
	s := at(t, visit.Admitted)
	permit := lastPermit(s.state)
	cancelled := s.host(permit, visit.OutcomeCanceled)
	loaded := s.host(permit, visit.Loaded)
	if s.state.Stage() != visit.Admitted || !s.state.Frozen() || !slices.Equal(s.state.Open(), []string{loaded}) {
		t.Errorf("stage %s, open %v", s.state.Stage(), s.state.Open())
	}
	if o, ok := s.state.Outcome(permit); !ok || o.Event.Statement.Digest() != cancelled || len(s.state.Outcomes()) != 2 {
		t.Errorf("counts: %v of %d", o.Body, len(s.state.Outcomes()))
	}
}

// "Loaded", but into something else than the permit names: kept, counts for nothing, opens a conflict.
func TestLoadedIntoAnotherDevice(t *testing.T) {
	for name, edit := range map[string]func(*visit.Outcome){
		"another serial": func(o *visit.Outcome) { o.Serial = "1" },
		"another key":    func(o *visit.Outcome) { o.DeviceKey = "key-2" },
	} {
		t.Run(name, func(t *testing.T) {
			s := at(t, visit.Admitted)
			o := outcomeOf(lastPermit(s.state), visit.Loaded)
			edit(&o)
			digest := s.must(host, visit.ReleasePermit, visit.TypeOutcome, o)
			if s.state.Stage() != visit.Admitted || !slices.Equal(s.state.Open(), []string{digest}) {
				t.Errorf("stage %s, open %v", s.state.Stage(), s.state.Open())
			}
		})
	}
}

// The host's answer says what is so, frozen or not; an ended visit stays ended.
func TestAnOutcomeAfterTheBrake(t *testing.T) {
	s := at(t, visit.Admitted)
	s.must(wei, visit.Freeze, visit.TypeBrake, brake())
	s.host(lastPermit(s.state), visit.Loaded)
	if s.state.Stage() != visit.Trial || !s.state.Frozen() {
		t.Errorf("stage %s, frozen %v", s.state.Stage(), s.state.Frozen())
	}
	for _, from := range []visit.Stage{visit.Admitted, visit.Trial} { // a trial permit waits, or a live one
		for _, end := range []visit.Stage{visit.Refused, visit.Aborted, visit.RolledBack} {
			s := at(t, from).end(end)
			before := len(s.state.Outcomes())
			s.host(lastPermit(s.state), visit.Loaded)
			if s.state.Stage() != end || len(s.state.Outcomes()) != before+1 {
				t.Errorf("%s from %s: stage %s", end, from, s.state.Stage())
			}
		}
	}
}

func TestAnIntentNeedsAPermitThatStillStands(t *testing.T) {
	intent := func(permit string) visit.Intent { return visit.Intent{Visit: visitID, Permit: permit} }
	cancel := func(permit string) visit.Brake {
		return visit.Brake{Visit: visitID, Reason: "changed", Permit: permit}
	}
	for name, c := range map[string]struct {
		play func(*story) string // gives the permit that menshen is about to call with
		code string
	}{
		"the last one":            {func(s *story) string { return lastPermit(s.state) }, ""},
		"none":                    {func(s *story) string { return "" }, "permit_unknown"},
		"one that nobody decided": {func(s *story) string { return statement.Digest(nil) }, "permit_unknown"},
		"one before the last":     {func(s *story) string { p := lastPermit(s.state); s.decide(visit.AskTrial); return p }, "permit_superseded"},
		"cancelled by name": {func(s *story) string {
			p := lastPermit(s.state)
			s.must(fang, visit.Cancel, visit.TypeBrake, cancel(p))
			return p
		}, "permit_cancelled"},
		"cancelled with all": {func(s *story) string {
			s.must(qiu, visit.Cancel, visit.TypeBrake, cancel(""))
			return lastPermit(s.state)
		}, "permit_cancelled"},
		"decided after the cancel": {func(s *story) string {
			s.must(qiu, visit.Cancel, visit.TypeBrake, cancel(""))
			return s.decide(visit.AskTrial)
		}, ""},
		"another is cancelled": {func(s *story) string {
			s.must(qiu, visit.Cancel, visit.TypeBrake, cancel(statement.Digest(nil)))
			return lastPermit(s.state)
		}, ""},
		"frozen":      {func(s *story) string { s.must(gu, visit.Freeze, visit.TypeBrake, brake()); return lastPermit(s.state) }, "visit_frozen"},
		"rolled back": {func(s *story) string { s.end(visit.RolledBack); return lastPermit(s.state) }, "stage_not_fitting"},
		"asked again": {func(s *story) string {
			s.must(platform, visit.ReleasePermit, visit.TypeIntent, intent(lastPermit(s.state)))
			return lastPermit(s.state)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := at(t, visit.Admitted)
			permit := c.play(s)
			if got := s.state.Cancelled(permit); got != (c.code == "permit_cancelled") {
				t.Errorf("cancelled: %v", got)
			}
			wantCode(t, s.try(platform, visit.ReleasePermit, visit.TypeIntent, intent(permit)), c.code)
		})
	}
}

func TestReassigningStartsOver(t *testing.T) {
	s := at(t, visit.Dispatched)
	d := dispatch()
	d.Technician = "bo"
	s.must(qiu, visit.Reassign, visit.TypeDispatch, d)
	if s.state.Stage() != visit.Booked || s.state.Dispatched().Technician != "bo" {
		t.Errorf("stage %s, %s", s.state.Stage(), s.state.Dispatched().Technician)
	}
	wantCode(t, s.try(platform, visit.Admit, visit.TypeDecision, decision(visit.AskAdmit)), "stage_not_fitting")
	wantCode(t, at(t, visit.Admitted).try(qiu, visit.Reassign, visit.TypeDispatch, d), "stage_not_fitting")
}
