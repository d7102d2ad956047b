package visit_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

func TestAnHonestVisit(t *testing.T) {
	s := newStory(t)
	stages := []visit.Stage{}
	seen := func() { stages = append(stages, s.state.Stage()) }
	s.book()
	seen()
	sent := s.must(qiu, visit.DispatchVerb, visit.TypeDispatch, dispatch())
	dispatched := s.decide(visit.AskDispatch)
	seen()
	s.decide(visit.AskAdmit)
	seen()
	trial := s.decide(visit.AskTrial)
	s.must(platform, visit.ReleasePermit, visit.TypeIntent, visit.Intent{Visit: visitID, Permit: trial})
	seen()
	loaded := s.host(trial, visit.Loaded)
	seen()
	live := s.decide(visit.AskLive)
	s.host(live, visit.Loaded)
	seen()
	s.decide(visit.AskClose)
	seen()
	want := []visit.Stage{visit.Booked, visit.Dispatched, visit.Admitted, visit.Admitted, visit.Trial, visit.Live, visit.Closed}
	if !slices.Equal(stages, want) {
		t.Errorf("stages %v, want %v", stages, want)
	}
	if s.state.ID() != visitID || s.state.Opened() != opened() || s.state.Dispatched() != dispatch() || s.state.Acquirer() != acquirer {
		t.Errorf("state says %v %v %v %v", s.state.ID(), s.state.Opened(), s.state.Dispatched(), s.state.Acquirer())
	}
	if s.state.Number() != len(s.events) || s.state.LastBy(qiu.thumb) != sent || s.state.LastBy(lan.thumb) != "" {
		t.Errorf("number %d, last %q", s.state.Number(), s.state.LastBy(qiu.thumb))
	}
	if d, ok := s.state.Decision(visit.AskDispatch); !ok || d.Event.Statement.Digest() != dispatched || d.Body.Ask != visit.AskDispatch {
		t.Errorf("decision %v", d)
	}
	if p, ok := s.state.Permit(trial); !ok || p.Body.Ask != visit.AskTrial {
		t.Errorf("permit %v", p)
	}
	if _, ok := s.state.Permit(dispatched); ok {
		t.Error("a decision that gives no power is a permit")
	}
	if o, ok := s.state.Outcome(trial); !ok || o.Event.Statement.Digest() != loaded {
		t.Errorf("outcome %v", o)
	}
	if len(s.state.Decisions()) != 5 || len(s.state.Outcomes()) != 2 {
		t.Errorf("%d decisions, %d outcomes", len(s.state.Decisions()), len(s.state.Outcomes()))
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	var zero visit.State
	if _, ok := zero.Decision(visit.AskTrial); ok {
		t.Error("a decision")
	}
	if _, ok := zero.Permit(""); ok {
		t.Error("a permit")
	}
	if _, ok := zero.Outcome(""); ok {
		t.Error("an outcome")
	}
	if _, ok := zero.Challenge(""); ok {
		t.Error("a challenge")
	}
	if zero.ID() != "" || zero.Stage() != visit.None || zero.Head() != "" || zero.Number() != 0 || zero.Acquirer() != "" || zero.Stage().Ended() {
		t.Error("the zero state says something")
	}
}

// Nobody booked the zero State: it takes nothing at all, not even a booking.
func TestTheZeroStateRefuses(t *testing.T) {
	for _, row := range visit.Table() {
		by := inRole(row.Roles[0])
		body, _ := bodyFor(newStory(t), row)
		if row.Type == visit.TypeOpened {
			body = visit.Opened{Visit: "", Order: "o1"}
		}
		state, err := visit.Decide(visit.State{}, row.Verb, by.saysIn(t, "visit/", "", row.Type, body), noon)
		wantCode(t, err, "statement_other_visit")
		if !reflect.DeepEqual(state, visit.State{}) {
			t.Errorf("%s %s: refused and yet a state", row.Verb, row.Type)
		}
	}
}

func TestOnlyVerifiedStatementsOfThisVisit(t *testing.T) {
	s := at(t, visit.Admitted)
	_, err := visit.Decide(s.state, visit.Freeze, statement.Verified{}, noon)
	wantCode(t, err, "statement_unverified")
	_, err = visit.Decide(s.state, visit.Freeze, gu.saysIn(t, "visit/v2", "", visit.TypeBrake, brake()), noon)
	wantCode(t, err, "statement_other_visit")
	_, err = visit.Decide(s.state, "wave", gu.says(t, s.state, visit.TypeBrake, brake()), noon)
	wantCode(t, err, "verb_unknown")
}

// Every body that names its visit must name this one: a statement about another visit, put into this
// stream, is refused whatever it is.
func TestABodyOfAnotherVisit(t *testing.T) {
	s := at(t, visit.Trial)
	other := decision(visit.AskLive)
	other.Visit = "v2"
	x := extract()
	x.Visit = "v2"
	for _, c := range []struct {
		by   person
		verb string
		kind string
		body any
	}{
		{gu, visit.Freeze, visit.TypeBrake, visit.Brake{Visit: "v2"}},
		{lan, visit.Refuse, visit.TypeRefusal, visit.Refusal{Visit: "v2"}},
		{wei, visit.ReportIncident, visit.TypeIncident, visit.Incident{Visit: "v2"}},
		{lan, visit.RecordStep, visit.TypeStep, visit.Step{Visit: "v2", Photos: []visit.Photo{}}},
		{lan, visit.BackUp, visit.TypeBackup, visit.Backup{Visit: "v2", Manifest: statement.Digest(nil), Restored: statement.Digest(nil)}},
		{wei, visit.BackUp, visit.TypeNothingToKeep, visit.NothingToKeep{Visit: "v2"}},
		{gu, visit.SignOffVerb, visit.TypeSignOff, visit.SignOff{Visit: "v2"}},
		{wei, visit.Confirm, visit.TypeConfirmation, visit.Confirmation{Visit: "v2"}},
		{platform, visit.ChallengeVerb, visit.TypeChallenge, visit.Challenge{Visit: "v2"}},
		{platform, visit.Publish, registry.TypeExtract, x},
		{platform, visit.RequestPermit, visit.TypeDecision, other},
		{platform, visit.ReleasePermit, visit.TypeIntent, visit.Intent{Visit: "v2", Permit: lastPermit(s.state)}},
		{host, visit.ReleasePermit, visit.TypeOutcome, visit.Outcome{Visit: "v2", Permit: lastPermit(s.state), Outcome: visit.Loaded}},
		{fang, visit.Resume, visit.TypeResumption, visit.Resumption{Visit: "v2", Closes: []string{}}},
	} {
		err := s.try(c.by, c.verb, c.kind, c.body)
		if err == nil {
			t.Errorf("%s %s of another visit was recorded", c.verb, c.kind)
			continue
		}
		wantCode(t, err, "statement_other_visit")
	}
	closed := at(t, visit.Closed)
	wantCode(t, closed.try(wei, visit.ReviewVerb, visit.TypeReview, visit.Review{Visit: "v2"}), "statement_other_visit")
	booked := at(t, visit.Booked)
	d := dispatch()
	d.Visit = "v2"
	wantCode(t, booked.try(qiu, visit.DispatchVerb, visit.TypeDispatch, d), "statement_other_visit")
	o := opened()
	o.Visit = "v2"
	wantCode(t, newStory(t).try(chen, visit.Book, visit.TypeOpened, o), "statement_other_visit")
}

// A body that cannot be read is never recorded, brakes included: their reason would be lost.
func TestABodyThatCannotBeRead(t *testing.T) {
	stageFor := map[string]visit.Stage{visit.TypeOpened: visit.None, visit.TypeDispatch: visit.Booked, visit.TypeReview: visit.Closed}
	foreign := []string{"arrival", "attestation", "acceptance", "charge_list"} // read by their own packages
	for _, row := range visit.Table() {
		if row.Stream != visit.StreamVisit || slices.Contains(foreign, row.Type) {
			continue
		}
		stage, special := stageFor[row.Type]
		if !special {
			stage = visit.Admitted
			if row.From != nil {
				stage = row.From[0]
			}
		}
		err := at(t, stage).try(inRole(row.Roles[0]), row.Verb, row.Type, map[string]int{"stray": 1})
		if err == nil {
			t.Errorf("%s %s: a stray body was recorded", row.Verb, row.Type)
			continue
		}
		wantCode(t, err, "json_unknown_name")
	}
}

// One step at a time gives the state that a fold of everything gives, its head too.
func TestAdvanceIsAStepOfFold(t *testing.T) {
	s := newStory(t)
	s.book()
	s.must(qiu, visit.DispatchVerb, visit.TypeDispatch, dispatch())
	s.decide(visit.AskDispatch)
	state := visit.New(visitID)
	for i, e := range s.events {
		e.Digest = string(rune('a' + i))
		s.events[i] = e
		var err error
		if state, err = visit.Advance(state, e); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := visit.Fold(visitID, s.events)
	if err != nil || !reflect.DeepEqual(state, whole) || state.Head() != s.events[len(s.events)-1].Digest {
		t.Errorf("step by step %+v\nat once %+v, %v", state, whole, err)
	}
}

func TestFoldNamesTheEventThatDoesNotFit(t *testing.T) {
	s := at(t, visit.Trial)
	state, err := visit.Fold(visitID, s.events)
	if err != nil || !reflect.DeepEqual(state, s.state) {
		t.Fatalf("fold differs from the steps: %v", err)
	}
	for name, c := range map[string]struct {
		spoil func([]visit.Event) []visit.Event
		code  string
	}{
		"first event missing": {func(e []visit.Event) []visit.Event { return e[1:] }, "event_number_gap"},
		"an event missing":    {func(e []visit.Event) []visit.Event { return slices.Delete(e, 2, 3) }, "event_number_gap"},
		"an event twice":      {func(e []visit.Event) []visit.Event { return slices.Insert(e, 1, e[1]) }, "event_number_gap"},
		"renumbered": {func(e []visit.Event) []visit.Event {
			e = slices.Delete(e, 1, 2) // nobody was dispatched
			for i := range e {
				e[i].Number = i + 1
			}
			return e
		}, "nobody_assigned"},
	} {
		state, err := visit.Fold(visitID, c.spoil(slices.Clone(s.events)))
		if err == nil || !reflect.DeepEqual(state, visit.State{}) {
			t.Errorf("%s: folded", name)
			continue
		}
		wantCode(t, err, c.code)
	}
	if _, err := visit.Fold("v2", s.events); err == nil {
		t.Error("another visit's events folded")
	}
}

func TestHeadIsTheLastEvent(t *testing.T) {
	s := at(t, visit.Booked)
	events := slices.Clone(s.events)
	events[0].Digest = statement.Digest([]byte("event 1"))
	state, err := visit.Fold(visitID, events)
	if err != nil || state.Head() != events[0].Digest {
		t.Errorf("head %q, %v", state.Head(), err)
	}
}

// What an accessor gives out can be written to without changing the state.
func TestAccessorsGiveCopies(t *testing.T) {
	s := at(t, visit.Trial)
	s.must(wei, visit.ReportIncident, visit.TypeIncident, visit.Incident{Visit: visitID})
	fresh, err := visit.Fold(visitID, s.events)
	if err != nil {
		t.Fatal(err)
	}
	spoil := func(d visit.Recorded[visit.Decision]) {
		d.Body.Heads[0].Number, d.Body.Evidence[0], d.Body.Conditions[0].Verdict = 99, "spoilt", "spoilt"
		if d.Body.Permit != nil {
			d.Body.Permit.DeviceKey = "counterfeit"
		}
	}
	for _, d := range s.state.Decisions() {
		spoil(d)
	}
	last, _ := s.state.Decision(visit.AskLive)
	spoil(last)
	permit, _ := s.state.Permit(lastPermit(s.state))
	spoil(permit)
	s.state.Decisions()[0] = visit.Recorded[visit.Decision]{}
	s.state.Outcomes()[0] = visit.Recorded[visit.Outcome]{}
	s.state.Open()[0] = "spoilt"
	if !reflect.DeepEqual(s.state, fresh) {
		t.Error("an accessor gave away the state itself")
	}
}

// Two futures of one state do not share memory.
func TestAStateHasManyFutures(t *testing.T) {
	s := at(t, visit.Admitted)
	s.must(platform, visit.ChallengeVerb, visit.TypeChallenge, visit.Challenge{Visit: visitID, Nonce: "n1"})
	one := *s
	one.events = slices.Clone(s.events)
	two := *s
	two.events = slices.Clone(s.events)
	for _, future := range []*story{&one, &two} {
		future.must(wei, visit.Freeze, visit.TypeBrake, visit.Brake{Visit: visitID, Reason: future.state.Head()})
		future.must(platform, visit.ChallengeVerb, visit.TypeChallenge, visit.Challenge{Visit: visitID, Nonce: "n2"})
		future.must(wei, visit.Admit, visit.TypeAdmission, visit.Admission{Challenge: statement.Digest(nil)})
		future.must(host, visit.ReleasePermit, visit.TypeOutcome, outcomeOf(lastPermit(future.state), visit.OutcomeRefused))
		future.must(fang, visit.Cancel, visit.TypeBrake, brake())
	}
	for _, future := range []*story{&one, &two} {
		again, err := visit.Fold(visitID, future.events)
		if err != nil || !reflect.DeepEqual(again, future.state) {
			t.Errorf("one future wrote into the other: %v", err)
		}
	}
}
