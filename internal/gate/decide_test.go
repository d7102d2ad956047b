package gate_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/visit"
)

// question is one ask that this version decides, and the facts that it rests on: the fields of
// gate.Facts, written down by hand from the design's §5.
type question struct {
	kind, ask string
	uses      string
}

const (
	usedAtDispatch = "Order Assigned Trust Parameters Mandate Certificates Merchant Approver Technician Supervisor Extract"
	usedAtDoor     = usedAtDispatch + " Admission Place"
	usedAtTrial    = usedAtDoor + " Agreement Custody Quotes Backup"
	everyFact      = usedAtLive + " Charges Work OldState Ended EndConsent Outage Returned Places"
	usedAtLive     = usedAtTrial + " Steps SignOff TrialPermit Acceptance Confirmation"
)

var decided = []question{
	{visit.Install, visit.AskDispatch, usedAtDispatch + " Agreement"},
	{visit.Install, visit.AskAdmit, usedAtDoor + " Agreement"},
	{visit.Install, visit.AskTrial, usedAtTrial},
	{visit.Install, visit.AskLive, usedAtLive},
	{visit.Install, visit.AskClose, "Order Extract"},
	{visit.Swap, visit.AskDispatch, usedAtDispatch + " Agreement"},
	{visit.Swap, visit.AskAdmit, usedAtDoor + " Agreement"},
	{visit.Swap, visit.AskTrial, usedAtTrial + " OldState"},
	{visit.Swap, visit.AskLive, usedAtLive + " OldState"},
	{visit.Swap, visit.AskEnd, usedAtDoor + " Agreement EndConsent"},
	{visit.Swap, visit.AskClose, "Order Extract Returned Ended"},
	{visit.Relocation, visit.AskDispatch, usedAtDispatch + " Agreement"},
	{visit.Relocation, visit.AskAdmit, usedAtDoor + " Agreement"},
	{visit.Relocation, visit.AskEnd, usedAtDoor + " Agreement EndConsent"},
	{visit.Relocation, visit.AskTrial, usedAtTrial + " OldState Outage Ended Places"},
	{visit.Relocation, visit.AskLive, usedAtLive + " OldState Outage Ended Places"},
	{visit.Relocation, visit.AskClose, "Order Extract"},
	{visit.Repair, visit.AskDispatch, usedAtDispatch + " Agreement"},
	{visit.Repair, visit.AskAdmit, usedAtDoor + " Agreement"},
	{visit.Repair, visit.AskTrial, usedAtTrial + " OldState"},
	{visit.Repair, visit.AskLive, usedAtLive + " OldState"},
	{visit.Repair, visit.AskClose, "Order Extract"},
	{visit.Removal, visit.AskDispatch, usedAtDispatch + " Agreement"},
	{visit.Removal, visit.AskAdmit, usedAtDoor + " Agreement"},
	{visit.Removal, visit.AskEnd, usedAtDoor + " Agreement EndConsent"},
	{visit.Removal, visit.AskClose, "Order Assigned Extract Parameters Agreement Backup Steps SignOff Confirmation Charges Returned Ended"},
	{gate.RepairUntouched, visit.AskDispatch, usedAtDispatch},
	{gate.RepairUntouched, visit.AskAdmit, usedAtDoor},
	{gate.RepairUntouched, visit.AskClose, "Order Extract Parameters Steps SignOff Confirmation Charges Work"},
	{visit.Inspection, visit.AskDispatch, usedAtDispatch},
	{visit.Inspection, visit.AskAdmit, usedAtDoor},
	{visit.Inspection, visit.AskClose, "Order Extract Parameters Steps SignOff Confirmation Charges"},
}

func TestAnHonestVisitIsGranted(t *testing.T) {
	for _, q := range decided {
		d := gate.Decide(honest(q.kind, q.ask), q.ask, noon)
		if !d.Granted() || d.Refusal() != nil || d.Ask() != q.ask || len(d.Findings()) != len(gate.Asked(q.kind, q.ask)) {
			t.Errorf("%s at %s: refused by %v, %v", q.kind, q.ask, d.Refusal(), failing(d))
		}
		for _, f := range d.Findings() {
			if f.Verdict != gate.Holds || f.Code != "" || f.Text != (fault.Text{}) || (f.Basis != gate.Rerun && f.Basis != gate.Attested) || len(f.Evidence) == 0 {
				t.Errorf("%s at %s: %+v", q.kind, q.ask, f)
			}
		}
	}
	again := honest(visit.Install, visit.AskTrial)
	again.Stage = visit.Trial // a second trial
	if d := gate.Decide(again, visit.AskTrial, noon); !d.Granted() {
		t.Errorf("a second trial: %v", failing(d))
	}
}

// failing lists what does not hold, as condition:code.
func failing(d gate.Decision) []string {
	var out []string
	for _, f := range d.Findings() {
		if f.Verdict != gate.Holds {
			out = append(out, f.Condition+":"+f.Code)
		}
	}
	return out
}

func TestZeroFactsHoldNothing(t *testing.T) {
	for _, q := range decided {
		f := gate.Facts{Kind: q.kind, Opened: q.kind == visit.Repair, Stage: stageOf(q.kind, q.ask)}
		if q.kind == gate.RepairUntouched {
			f.Kind = visit.Repair
		}
		d := gate.Decide(f, q.ask, noon)
		if d.Granted() || len(d.Findings()) == 0 {
			t.Errorf("%s at %s is granted to nobody", q.kind, q.ask)
		}
		for _, f := range d.Findings() {
			if f.Verdict != gate.Fails || f.Code == "" || f.Code == "internal" || f.Text.Zh == "" || f.Text.En == "" {
				t.Errorf("%s at %s: %+v", q.kind, q.ask, f)
			}
		}
	}
	if d := gate.Decide(gate.Facts{}, visit.AskDispatch, noon); d.Granted() || fault.CodeOf(d.Refusal()) != "kind_not_supported" || d.Findings() != nil {
		t.Errorf("no facts at all: %v", d.Refusal())
	}
}

// Wherever a verified type is expected, its zero value, which anybody can write, holds nothing.
func TestZeroVerifiedTypesHoldNothing(t *testing.T) {
	for _, c := range []struct {
		condition string
		spoil     func(*gate.Facts)
		code      string
	}{
		{gate.InstitutionLicensed, func(f *gate.Facts) { zeroed(&f.Trust) }, "trust_list_unverified"},
		{gate.ProviderFiled, func(f *gate.Facts) { zeroed(&f.Trust) }, "trust_list_unverified"},
		{gate.TechnicianTrained, func(f *gate.Facts) { zeroed(&f.Parameters) }, "parameters_empty"},
		{gate.AgreementSigned, func(f *gate.Facts) { zeroed(&f.Agreement); f.Order.Value.Order = "" }, "evidence_unverified"},
		{gate.CustodyUnbroken, func(f *gate.Facts) { zeroed(&f.Custody) }, "evidence_unverified"},
		{gate.ModelApproved, func(f *gate.Facts) { f.Quotes = gate.Known([]gate.Attestation{{}}) }, "evidence_unverified"},
		{gate.DeviceGenuine, func(f *gate.Facts) { f.Quotes = gate.Known([]gate.Attestation{{}}) }, "evidence_unverified"},
		{gate.AcceptancePassed, func(f *gate.Facts) { zeroed(&f.Acceptance) }, "evidence_unverified"},
		{gate.AcceptancePassed, func(f *gate.Facts) { zeroed(&f.TrialPermit) }, "trial_not_loaded"},
		{gate.AcceptancePassed, func(f *gate.Facts) { zeroed(&f.TrialPermit); zeroed(&f.Acceptance) }, "trial_not_loaded"},
		{gate.DeviceGenuine, func(f *gate.Facts) { zeroed(&f.TrialPermit) }, "trial_not_loaded"},
		{gate.FeesWithinSheet, func(f *gate.Facts) { zeroed(&f.Acceptance) }, "acceptance_unverified"},
		{gate.TechnicianAdmitted, func(f *gate.Facts) { zeroed(&f.Admission) }, "door_not_genuine"},
		{gate.ProviderFiled, func(f *gate.Facts) { zeroed(&f.Mandate) }, "mandate_two_hops"},
		{gate.ProviderFiled, func(f *gate.Facts) { f.Mandate = gate.Known(gate.Mandate{SignedBy: acquirer}) }, "mandate_lapsed"},
	} {
		f := honest(visit.Install, visit.AskLive)
		c.spoil(&f)
		if got := find(gate.Decide(f, visit.AskLive, noon), c.condition); got.Verdict != gate.Fails || got.Code != c.code {
			t.Errorf("%s: %s %q, want %q", c.condition, got.Verdict, got.Code, c.code)
		}
	}
}

// zeroed makes a fact one that claims to be known and holds the zero value.
func zeroed[T any](f *gate.Fact[T]) {
	var zero T
	*f = gate.Known(zero)
}

func find(d gate.Decision, condition string) gate.Finding {
	for _, f := range d.Findings() {
		if f.Condition == condition {
			return f
		}
	}
	return gate.Finding{}
}

func TestTheZeroDecisionDenies(t *testing.T) {
	var d gate.Decision
	if d.Granted() || d.Ask() != "" || d.Findings() != nil || d.Refusal() != nil {
		t.Errorf("the zero decision says %v", d)
	}
	var v gate.Verdict
	if v == gate.Holds {
		t.Error("the zero verdict holds")
	}
}

func TestAsksThatAreNotJudged(t *testing.T) {
	for _, c := range []struct {
		kind, ask string
		stage     visit.Stage
		code      string
	}{
		{"wave", visit.AskDispatch, visit.Booked, "kind_not_supported"},
		{visit.Install, "", visit.Booked, "ask_unknown"},
		{visit.Install, "wave", visit.Booked, "ask_unknown"},
		{visit.Install, visit.AskEnd, visit.Live, "ask_unknown"},
		{visit.Inspection, visit.AskTrial, visit.Admitted, "ask_unknown"},
		{visit.Inspection, visit.AskEnd, visit.Admitted, "ask_unknown"},
		{visit.Removal, visit.AskTrial, visit.Admitted, "ask_unknown"},
		{visit.Repair, visit.AskTrial, visit.Admitted, "ask_unknown"}, // untouched: say first that it was opened
		{visit.Repair, visit.AskEnd, visit.Admitted, "ask_unknown"},
		{visit.Swap, visit.AskEnd, visit.Admitted, "stage_not_fitting"}, // the new one is not live yet
		{visit.Swap, visit.AskEnd, visit.Trial, "stage_not_fitting"},
		{visit.Removal, visit.AskClose, visit.Live, "stage_not_fitting"},
		{visit.Inspection, visit.AskLive, visit.Trial, "ask_unknown"},
		{visit.Install, visit.AskClose, visit.Admitted, "stage_not_fitting"}, // an installation that never went live
		{visit.Inspection, visit.AskClose, visit.Live, "stage_not_fitting"},
	} {
		f := honest(visit.Install, visit.AskLive)
		f.Kind, f.Stage = c.kind, c.stage
		notJudged(t, c.kind+" "+c.ask, gate.Decide(f, c.ask, noon), c.code)
	}
}

func notJudged(t *testing.T, name string, d gate.Decision, code string) {
	t.Helper()
	if d.Granted() || d.Findings() != nil || fault.CodeOf(d.Refusal()) != code {
		t.Errorf("%s: granted %v, %v, want %q", name, d.Granted(), d.Refusal(), code)
	}
}

// Every ask at every stage but its own.
func TestEveryAskWaitsForItsStage(t *testing.T) {
	stages := []visit.Stage{visit.None, visit.Booked, visit.Dispatched, visit.Admitted, visit.Trial, visit.Live,
		visit.Closed, visit.Refused, visit.Aborted, visit.RolledBack}
	for _, q := range decided {
		for _, stage := range stages {
			f := honest(q.kind, q.ask)
			f.Stage = stage
			fits := stage == stageOf(q.kind, q.ask) || q.ask == visit.AskTrial && stage == visit.Trial
			d := gate.Decide(f, q.ask, noon)
			if d.Granted() != fits {
				t.Errorf("%s %s at %q: granted %v", q.kind, q.ask, stage, d.Granted())
			}
			if !fits {
				notJudged(t, q.kind+" "+q.ask, d, "stage_not_fitting")
			}
			if found := gate.Findings(f, q.ask, noon); len(found) != len(gate.Asked(q.kind, q.ask)) {
				t.Errorf("%s %s at %q: pages see %d findings", q.kind, q.ask, stage, len(found))
			}
		}
	}
}

var errGone = fault.New(fault.Refused, "gone", "没有了。", "It is gone.")

// without takes one fact away: forgotten, or present and marked as unproven.
func without(f *gate.Facts, name string, marked bool) {
	field := reflect.ValueOf(f).Elem().FieldByName(name)
	if marked && field.Kind() == reflect.Struct && field.FieldByName("Err").IsValid() {
		field.FieldByName("Err").Set(reflect.ValueOf(error(errGone)))
		return
	}
	field.SetZero()
}

// Each fact that a decision rests on is needed; no other is.
func TestEveryFactIsNeeded(t *testing.T) {
	facts := strings.Fields(everyFact)
	for _, q := range decided {
		uses := strings.Fields(q.uses)
		for _, name := range facts {
			for _, marked := range []bool{false, true} {
				f := honest(q.kind, q.ask)
				without(&f, name, marked)
				d := gate.Decide(f, q.ask, noon)
				if want := !slices.Contains(uses, name); d.Granted() != want {
					t.Errorf("%s at %s without %s (marked %v): granted %v, %v", q.kind, q.ask, name, marked, d.Granted(), failing(d))
				}
			}
		}
	}
}

// Whatever is taken away, together and in whatever way: it is granted only if nothing used is missing.
func TestNothingMakesUpForAMissingFact(t *testing.T) {
	facts := strings.Fields(everyFact + " Kind Stage")
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.SampledFrom(decided).Draw(t, "question")
		f := honest(q.kind, q.ask)
		uses := append(strings.Fields(q.uses), "Kind", "Stage")
		want := true
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(facts), 0, 4, rapid.ID).Draw(t, "missing") {
			without(&f, name, rapid.Bool().Draw(t, "marked"))
			want = want && !slices.Contains(uses, name)
		}
		if rapid.IntRange(0, 9).Draw(t, "frozen") == 0 {
			f.Frozen, want = true, false
		}
		d := gate.Decide(f, q.ask, noon)
		if d.Granted() != want {
			t.Fatalf("%s at %s: granted %v, want %v, %v %v", q.kind, q.ask, d.Granted(), want, d.Refusal(), failing(d))
		}
		for _, found := range d.Findings() {
			if (found.Verdict == gate.Holds) != (found.Code == "") {
				t.Fatalf("%+v", found)
			}
		}
	})
}

// The rules read the facts through a pointer, so that six kilobytes are not copied for each. None of them changes
// anything, not even behind a pointer or in a list that the caller's facts share.
func TestDecidingChangesNoFact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.SampledFrom(decided).Draw(t, "question")
		f, twin := honest(q.kind, q.ask), honest(q.kind, q.ask)
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(strings.Fields(everyFact)), 0, 4, rapid.ID).Draw(t, "missing") {
			marked := rapid.Bool().Draw(t, "marked")
			without(&f, name, marked)
			without(&twin, name, marked)
		}
		first := gate.Decide(f, q.ask, noon)
		gate.Findings(f, q.ask, noon)
		if !reflect.DeepEqual(f, twin) {
			t.Fatalf("%s at %s: the facts are no longer what they were", q.kind, q.ask)
		}
		if again := gate.Decide(f, q.ask, noon); !reflect.DeepEqual(first, again) {
			t.Fatalf("%s at %s: the same facts, another answer: %v and %v", q.kind, q.ask, failing(first), failing(again))
		}
	})
}

// A failure that only reports opens an incident elsewhere, and does not block.
func TestReportsNeverBlock(t *testing.T) {
	reports := []string{gate.ModelApproved, gate.BindingUnique, gate.DeviceGenuine}
	f := honest(visit.Inspection, visit.AskClose)
	without(&f, "Quotes", false)
	without(&f, "Custody", false)
	x := f.Extract.Value
	x.Binding.BoundMerchant = "another"
	f.Extract = gate.Known(x)
	d := gate.Decide(f, visit.AskClose, noon)
	if !d.Granted() || len(failing(d)) != len(reports) {
		t.Errorf("granted %v, %v", d.Granted(), failing(d))
	}
	for _, found := range d.Findings() {
		if reported := slices.Contains(reports, found.Condition); found.Blocks == reported || (found.Verdict == gate.Holds) == reported {
			t.Errorf("%+v", found)
		}
	}
}

// An error that is no fault is our own defect; its text is not for people.
func TestAnUnexpectedErrorIsNotShown(t *testing.T) {
	f := honest(visit.Install, visit.AskTrial)
	f.Custody = gate.Unknown[custodyVerified](errors.New("disk on fire at 示例路 8 号"))
	got := find(gate.Decide(f, visit.AskTrial, noon), gate.CustodyUnbroken)
	if got.Verdict != gate.Fails || got.Code != "internal" || strings.Contains(got.Text.Zh+got.Text.En, "示例路") {
		t.Errorf("%+v", got)
	}
}

func TestFindingsAreNotGivenAway(t *testing.T) {
	d := gate.Decide(honest(visit.Install, visit.AskDispatch), visit.AskDispatch, noon)
	d.Findings()[0].Verdict = gate.Fails
	d.Findings()[0].Evidence[0] = "spoilt"
	if f := d.Findings()[0]; f.Verdict != gate.Holds || f.Evidence[0] != "trust" {
		t.Errorf("%+v", f)
	}
}
