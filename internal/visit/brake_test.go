package visit_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

func TestWhatABrakeDoes(t *testing.T) {
	refusal := visit.Refusal{Visit: visitID, Reason: "unsafe"}
	for name, c := range map[string]struct {
		stage  visit.Stage
		by     person
		verb   string
		kind   string
		body   any
		after  visit.Stage
		frozen bool
	}{
		"merchant refuses at the door":          {visit.Dispatched, wei, visit.Refuse, visit.TypeRefusal, refusal, visit.Refused, false},
		"technician refuses unsafe premises":    {visit.Admitted, lan, visit.Refuse, visit.TypeRefusal, refusal, visit.Refused, false},
		"dispatcher aborts":                     {visit.Trial, qiu, visit.Abort, visit.TypeBrake, brake(), visit.Aborted, false},
		"technician rolls back":                 {visit.Trial, lan, visit.RollBack, visit.TypeBrake, brake(), visit.RolledBack, false},
		"merchant rolls back":                   {visit.Live, wei, visit.RollBack, visit.TypeBrake, brake(), visit.RolledBack, false},
		"supervisor freezes":                    {visit.Admitted, gu, visit.Freeze, visit.TypeBrake, brake(), visit.Admitted, true},
		"clerk reports an incident":             {visit.Live, wei, visit.ReportIncident, visit.TypeIncident, visit.Incident{Visit: visitID}, visit.Live, true},
		"risk desk cancels":                     {visit.Admitted, fang, visit.Cancel, visit.TypeBrake, brake(), visit.Admitted, false},
		"freeze after the end":                  {visit.Closed, wei, visit.Freeze, visit.TypeBrake, brake(), visit.Closed, true},
		"closed visit cannot be rolled back":    {visit.Closed, lan, visit.RollBack, visit.TypeBrake, brake(), visit.Closed, false},
		"rolled back visit cannot be refused":   {visit.RolledBack, lan, visit.Refuse, visit.TypeRefusal, refusal, visit.RolledBack, false},
		"aborted visit cannot be rolled back":   {visit.Aborted, lan, visit.RollBack, visit.TypeBrake, brake(), visit.Aborted, false},
		"technician cannot hide a live shop":    {visit.Live, lan, visit.Refuse, visit.TypeRefusal, refusal, visit.Live, true},
		"nor by calling it off":                 {visit.Live, lan, visit.Abort, visit.TypeBrake, brake(), visit.Live, true},
		"merchant aborts a live visit: stopped": {visit.Live, wei, visit.Abort, visit.TypeBrake, brake(), visit.Live, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := at(t, c.stage)
			digest := s.must(c.by, c.verb, c.kind, c.body)
			if s.state.Stage() != c.after || s.state.Frozen() != c.frozen {
				t.Errorf("stage %s, frozen %v", s.state.Stage(), s.state.Frozen())
			}
			if open := s.state.Open(); c.frozen && !slices.Equal(open, []string{digest}) || !c.frozen && len(open) > 0 {
				t.Errorf("open %v", open)
			}
		})
	}
}

func TestStagesThatEnd(t *testing.T) {
	for _, stage := range stageNames {
		want := stage == visit.Closed || stage == visit.Refused || stage == visit.Aborted || stage == visit.RolledBack
		if stage.Ended() != want {
			t.Errorf("%q ended: %v", stage, stage.Ended())
		}
	}
}

// A freeze is lifted by the acquirer's risk desk, matter by matter, with a reason and a way to appeal.
func TestResuming(t *testing.T) {
	whole := func(s *story) visit.Resumption {
		return visit.Resumption{Visit: visitID, Reason: "checked", Appeal: "risk desk", Closes: s.state.Open()}
	}
	for name, c := range map[string]struct {
		by   person
		edit func(*visit.Resumption)
		code string
	}{
		"all matters named":               {fang, func(*visit.Resumption) {}, ""},
		"no matter named":                 {fang, func(r *visit.Resumption) { r.Closes = []string{} }, "resumption_names_nothing"},
		"a matter that nobody opened":     {fang, func(r *visit.Resumption) { r.Closes = append(r.Closes, statement.Digest(nil)) }, "resumption_names_nothing"},
		"no reason":                       {fang, func(r *visit.Resumption) { r.Reason = "" }, "resumption_incomplete"},
		"no way to appeal":                {fang, func(r *visit.Resumption) { r.Appeal = "" }, "resumption_incomplete"},
		"another acquirer's risk desk":    {rivalRisk, func(*visit.Resumption) {}, "signer_of_another_acquirer"},
		"the technician lifts it himself": {lan, func(*visit.Resumption) {}, "role_not_allowed"},
		"the platform lifts it":           {platform, func(*visit.Resumption) {}, "role_not_allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			s := at(t, visit.Admitted)
			s.must(wei, visit.Freeze, visit.TypeBrake, brake())
			s.must(gu, visit.ReportIncident, visit.TypeIncident, visit.Incident{Visit: visitID})
			r := whole(s)
			c.edit(&r)
			wantCode(t, s.try(c.by, visit.Resume, visit.TypeResumption, r), c.code)
			if s.state.Frozen() != (c.code != "") || (len(s.state.Open()) == 0) != (c.code == "") {
				t.Errorf("frozen %v, open %v", s.state.Frozen(), s.state.Open())
			}
		})
	}
}

func TestOneMatterLeftKeepsTheVisitFrozen(t *testing.T) {
	s := at(t, visit.Admitted)
	first := s.must(wei, visit.Freeze, visit.TypeBrake, brake())
	second := s.must(gu, visit.ReportIncident, visit.TypeIncident, visit.Incident{Visit: visitID})
	s.must(fang, visit.Resume, visit.TypeResumption, visit.Resumption{Visit: visitID, Reason: "checked", Appeal: "desk", Closes: []string{first}})
	if !s.state.Frozen() || !slices.Equal(s.state.Open(), []string{second}) {
		t.Errorf("open %v", s.state.Open())
	}
	wantCode(t, s.try(platform, visit.RequestPermit, visit.TypeDecision, decision(visit.AskTrial)), "visit_frozen")
	s.must(fang, visit.Resume, visit.TypeResumption, visit.Resumption{Visit: visitID, Reason: "checked", Appeal: "desk", Closes: []string{second}})
	s.decide(visit.AskTrial)
	wantCode(t, s.try(fang, visit.Resume, visit.TypeResumption, visit.Resumption{Visit: visitID, Reason: "checked", Appeal: "desk", Closes: []string{first}}), "resumption_names_nothing")
}

func TestChallengesAreUsedOnce(t *testing.T) {
	s := at(t, visit.Dispatched)
	challenge := func(nonce string) visit.Challenge {
		return visit.Challenge{Visit: visitID, Purpose: visit.PurposeDoor, Nonce: nonce, Until: statement.At(noon)}
	}
	digest := s.must(platform, visit.ChallengeVerb, visit.TypeChallenge, challenge("n1"))
	if c, ok := s.state.Challenge(digest); !ok || c.Body.Nonce != "n1" {
		t.Errorf("challenge %v", c)
	}
	if _, ok := s.state.Challenge(statement.Digest(nil)); ok {
		t.Error("found a challenge that nobody made")
	}
	// A second challenge with the old nonce would let an old answer pass for a new one.
	wantCode(t, s.try(platform, visit.ChallengeVerb, visit.TypeChallenge, visit.Challenge{Visit: visitID, Purpose: visit.PurposeDevice, Nonce: "n1"}), "challenge_nonce_reused")
	s.must(platform, visit.ChallengeVerb, visit.TypeChallenge, challenge("n2"))
	admission := visit.Admission{Challenge: digest, Genuine: false, Mode: "online"}
	s.must(wei, visit.Admit, visit.TypeAdmission, admission)
	admission.Genuine, admission.SameFace = true, true // a second try at the same nonce, whoever was at the door
	wantCode(t, s.try(wei, visit.Admit, visit.TypeAdmission, admission), "challenge_answered_before")
}

// A photo that is named by no digest is none, and two equal words prove no restore.
func TestDigestsAreDigests(t *testing.T) {
	s := at(t, visit.Admitted)
	good := statement.Digest([]byte("all"))
	step := func(digest string) visit.Step {
		return visit.Step{Visit: visitID, Step: "mount", Done: true, Photos: []visit.Photo{{Digest: good}, {Digest: digest}}}
	}
	for _, bad := range []string{"", "mount.jpg", good[:63], "A" + good[1:]} {
		wantCode(t, s.try(lan, visit.RecordStep, visit.TypeStep, step(bad)), "step_photo_malformed")
		wantCode(t, s.try(lan, visit.BackUp, visit.TypeBackup, visit.Backup{Visit: visitID, Manifest: good, Restored: bad}), "backup_malformed")
		wantCode(t, s.try(lan, visit.BackUp, visit.TypeBackup, visit.Backup{Visit: visitID, Manifest: bad, Restored: bad}), "backup_malformed")
	}
	s.must(lan, visit.RecordStep, visit.TypeStep, step(good))
	s.must(lan, visit.BackUp, visit.TypeBackup, visit.Backup{Visit: visitID, Manifest: good, Restored: good})
}

// A statement names its signer's previous one. What gives nothing away when it waits, waits; a brake
// never does.
func TestASignersOrder(t *testing.T) {
	s := at(t, visit.Admitted)
	step := visit.Step{Visit: visitID, Step: "mount", Photos: []visit.Photo{}}
	s.must(lan, visit.RecordStep, visit.TypeStep, step)
	gap := statement.Digest([]byte("still on the phone"))
	wantCode(t, s.record(visit.RecordStep, lan.saysIn(t, stream, gap, visit.TypeStep, step)), "signer_chain_broken")
	wantCode(t, s.record(visit.RecordStep, lan.saysIn(t, stream, "", visit.TypeStep, step)), "signer_chain_broken")
	wantCode(t, s.record(visit.Freeze, lan.saysIn(t, stream, gap, visit.TypeBrake, brake())), "")
	// The platform's order is the stream's, the host's the permit's: what they name as previous counts for
	// nothing.
	wantCode(t, s.record(visit.ChallengeVerb, platform.saysIn(t, stream, gap, visit.TypeChallenge, visit.Challenge{Visit: visitID, Nonce: "n"})), "")
	outcome := host.saysIn(t, stream, gap, visit.TypeOutcome, outcomeOf(lastPermit(s.state), visit.OutcomeRefused))
	wantCode(t, s.record(visit.ReleasePermit, outcome), "")
	if s.state.LastBy(host.thumb) != outcome.Digest() {
		t.Errorf("the host's last statement is %q", s.state.LastBy(host.thumb))
	}
}

// A brake that overtakes a statement still on the phone is recorded at once; the late one is taken
// when it comes, and the order goes on behind the brake.
func TestABrakeOvertakes(t *testing.T) {
	s := at(t, visit.Admitted)
	step := func(name string) visit.Step {
		return visit.Step{Visit: visitID, Step: name, Photos: []visit.Photo{}}
	}
	before := s.state.LastBy(lan.thumb)
	late := lan.saysIn(t, stream, before, visit.TypeStep, step("mount"))
	freeze := lan.saysIn(t, stream, late.Digest(), visit.TypeBrake, brake())
	cancel := lan.saysIn(t, stream, freeze.Digest(), visit.TypeBrake, brake())
	next := lan.saysIn(t, stream, cancel.Digest(), visit.TypeStep, step("counter"))
	for _, c := range []struct {
		verb string
		v    statement.Verified
		code string
		last string
	}{
		{visit.Freeze, freeze, "", before},
		{visit.Abort, cancel, "", before},
		{visit.RecordStep, next, "signer_chain_broken", before},
		{visit.RecordStep, late, "", cancel.Digest()},
		{visit.RecordStep, next, "", next.Digest()},
	} {
		wantCode(t, s.record(c.verb, c.v), c.code)
		if got := s.state.LastBy(lan.thumb); got != c.last {
			t.Errorf("%s: last %q, want %q", c.verb, got, c.last)
		}
	}
	again, err := visit.Fold(visitID, s.events)
	if err != nil || !reflect.DeepEqual(again, s.state) {
		t.Errorf("fold differs: %v", err)
	}
}
