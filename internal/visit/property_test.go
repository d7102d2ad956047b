package visit_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// hostile is a visit at the mercy of a server, a technician and everybody else: anybody says anything
// under any verb, in any order, beside steps of an honest visit that keep it going.
type hostile struct {
	*story
	rows   []visit.Row
	nonces int
}

// filing is one statement on its way.
type filing struct {
	by   person
	verb string
	kind string
	body any
}

// honestStep is what an honest visit would do next; it brings the play to its later stages.
func (h *hostile) honestStep() filing {
	decide := func(ask string) filing {
		return filing{platform, visit.VerbOf(ask), visit.TypeDecision, decision(ask)}
	}
	s := h.state
	if s.Frozen() {
		return filing{fang, visit.Resume, visit.TypeResumption, visit.Resumption{Visit: visitID, Reason: "checked", Appeal: "desk", Closes: s.Open()}}
	}
	permit := lastPermit(s)
	_, answered := s.Outcome(permit)
	switch s.Stage() {
	case visit.None:
		return filing{chen, visit.Book, visit.TypeOpened, opened()}
	case visit.Booked:
		if s.Dispatched().Visit == "" {
			return filing{qiu, visit.DispatchVerb, visit.TypeDispatch, dispatch()}
		}
		return decide(visit.AskDispatch)
	case visit.Dispatched:
		return decide(visit.AskAdmit)
	case visit.Admitted, visit.Trial:
		if permit != "" && !answered {
			return filing{host, visit.ReleasePermit, visit.TypeOutcome, outcomeOf(permit, visit.Loaded)}
		}
		if s.Stage() == visit.Admitted {
			return decide(visit.AskTrial)
		}
		return decide(visit.AskLive)
	}
	return decide(visit.AskClose)
}

// anything draws a row and a signer, and a body that is well formed but may fit nothing.
func (h *hostile) anything(t *rapid.T) filing {
	row := rapid.SampledFrom(h.rows).Draw(t, "row")
	by := rapid.SampledFrom(append(slices.Clone(everybody), rivalRisk, rivalHost)).Draw(t, "by")
	if rapid.IntRange(0, 3).Draw(t, "entitled") > 0 {
		by = inRole(rapid.SampledFrom(row.Roles).Draw(t, "role"))
	}
	body := plainBody(row.Type)
	digests := append(h.state.Open(), statement.Digest(nil), lastPermit(h.state))
	for _, d := range h.state.Decisions() {
		digests = append(digests, d.Event.Statement.Digest())
	}
	digest := rapid.SampledFrom(digests).Draw(t, "digest")
	h.nonces++
	switch row.Type {
	case visit.TypeOpened:
		body = opened()
	case visit.TypeDispatch:
		body = dispatch()
	case registry.TypeExtract:
		body = extract()
	case visit.TypeChallenge:
		body = visit.Challenge{Visit: visitID, Nonce: fmt.Sprint("n", h.nonces)}
	case visit.TypeAdmission:
		body = visit.Admission{Challenge: statement.Digest([]byte{byte(h.nonces)})}
	case visit.TypeDecision:
		body = decision(rapid.SampledFrom(allAsks).Draw(t, "ask"))
	case visit.TypeIntent:
		body = visit.Intent{Visit: visitID, Permit: digest}
	case visit.TypeOutcome:
		body = outcomeOf(digest, rapid.SampledFrom([]string{visit.Loaded, visit.OutcomeRefused, visit.OutcomeCanceled}).Draw(t, "word"))
	case visit.TypeBrake:
		body = visit.Brake{Visit: visitID, Permit: rapid.SampledFrom([]string{"", digest}).Draw(t, "named")}
	case visit.TypeResumption:
		body = visit.Resumption{Visit: visitID, Reason: "checked", Appeal: "desk", Closes: []string{digest}}
	}
	return filing{by, row.Verb, row.Type, body}
}

var allAsks = []string{visit.AskDispatch, visit.AskAdmit, visit.AskTrial, visit.AskLive, visit.AskEnd, visit.AskClose}

// file tries a statement and checks everything that must be true of the step, whatever it was.
func (h *hostile) file(t *rapid.T, f filing) {
	before, events := h.state, len(h.events)
	v := f.by.says(t, before, f.kind, f.body)
	next, err := visit.Decide(before, f.verb, v, noon)
	row, known := visit.Find(visit.StreamVisit, f.verb, f.kind)
	if known && row.Allows(f.by.role) && before.Stage() != visit.None {
		neverRefused(t, row, f, err)
	}
	if err != nil {
		if !reflect.DeepEqual(next, visit.State{}) {
			t.Fatalf("%s refused, and yet a state", f.verb)
		}
		return
	}
	if row.Sort == visit.GivesPower && f.verb != visit.Resume && before.Frozen() {
		t.Fatalf("%s %s while frozen", f.verb, f.kind)
	}
	stageMoves(t, before, next, f)
	h.state = next
	h.events = append(h.events, visit.Event{Number: events + 1, Verb: f.verb, ReceivedAt: noon, Statement: v})
}

// neverRefused: what takes power away is always recorded; evidence is refused for what it is, never
// for the stage or a freeze.
func neverRefused(t *rapid.T, row visit.Row, f filing, err error) {
	code := fault.CodeOf(err)
	switch {
	case row.Sort == visit.TakesPower && code != "":
		t.Fatalf("%s by %s refused: %s", f.verb, f.by.role, code)
	case row.Sort == visit.BringsEvidence && row.From == nil && (code == "stage_not_fitting" || code == "visit_frozen"):
		t.Fatalf("%s %s by %s refused: %s", f.verb, f.kind, f.by.role, code)
	}
}

// stageMoves holds every move of the stage to the one thing that may cause it.
func stageMoves(t *rapid.T, before, next visit.State, f filing) {
	if next.Stage() == before.Stage() {
		return
	}
	if before.Stage().Ended() {
		t.Fatalf("%s brought %s back to %s", f.verb, before.Stage(), next.Stage())
	}
	loadedFor := ""
	if o, ok := f.body.(visit.Outcome); ok && o.Outcome == visit.Loaded && f.by.name == host.name {
		if permit, ok := before.Permit(o.Permit); ok {
			loadedFor = permit.Body.Ask
		}
	}
	decided := ""
	if d, ok := f.body.(visit.Decision); ok && f.by.role == visit.RolePlatform {
		decided = d.Ask
	}
	ok := false
	switch next.Stage() {
	case visit.Booked:
		ok = f.kind == visit.TypeOpened && before.Stage() == visit.None || f.kind == visit.TypeDispatch && before.Stage() == visit.Dispatched
	case visit.Dispatched:
		ok = decided == visit.AskDispatch && before.Stage() == visit.Booked
	case visit.Admitted:
		ok = decided == visit.AskAdmit && before.Stage() == visit.Dispatched
	case visit.Trial:
		ok = loadedFor == visit.AskTrial && before.Stage() == visit.Admitted
	case visit.Live:
		ok = loadedFor == visit.AskLive && before.Stage() == visit.Trial
	case visit.Closed:
		ok = decided == visit.AskClose
	case visit.Refused:
		ok = f.verb == visit.Refuse && before.Stage() != visit.Live
	case visit.Aborted:
		ok = f.verb == visit.Abort && before.Stage() != visit.Live
	case visit.RolledBack:
		ok = f.verb == visit.RollBack
	}
	if !ok {
		t.Fatalf("%s %s by %s moved %q to %q", f.verb, f.kind, f.by.name, before.Stage(), next.Stage())
	}
}

// check holds the state as a whole to its events.
func (h *hostile) check(t *rapid.T) {
	folded, err := visit.Fold(visitID, h.events)
	if err != nil || !reflect.DeepEqual(folded, h.state) {
		t.Fatalf("fold differs from the steps: %v", err)
	}
	trials := 0
	for _, d := range h.state.Decisions() {
		if d.Body.Ask == visit.AskTrial {
			trials++
		}
	}
	if trials > visit.MaxTrials {
		t.Fatalf("%d trials", trials)
	}
	if h.state.Frozen() != (len(h.state.Open()) > 0) {
		t.Fatalf("frozen %v, open %v", h.state.Frozen(), h.state.Open())
	}
	for _, live := range []visit.Stage{visit.Trial, visit.Live} {
		if h.state.Stage() == live && !h.loadedOnce(string(live)) {
			t.Fatalf("%s without a loaded permit", live)
		}
	}
}

func (h *hostile) loadedOnce(ask string) bool {
	for _, o := range h.state.Outcomes() {
		if p, ok := h.state.Permit(o.Body.Permit); ok && p.Body.Ask == ask && o.Body.Outcome == visit.Loaded {
			return true
		}
	}
	return false
}

func TestNothingSaidBreaksTheRules(t *testing.T) {
	var rows []visit.Row
	for _, r := range wantedRows(t) {
		if r.Stream == visit.StreamVisit {
			rows = append(rows, r)
		}
	}
	reached := map[visit.Stage]int{}
	rapid.Check(t, func(t *rapid.T) {
		h := &hostile{story: newStory(t), rows: rows}
		honest := func(t *rapid.T) { h.file(t, h.honestStep()) }
		t.Repeat(map[string]func(*rapid.T){
			"go on":     honest,
			"go on too": honest,
			"try again": func(t *rapid.T) {
				h.file(t, filing{platform, visit.RequestPermit, visit.TypeDecision, decision(visit.AskTrial)})
			},
			"be late": func(t *rapid.T) {
				h.file(t, filing{host, visit.ReleasePermit, visit.TypeOutcome, outcomeOf(lastPermit(h.state), visit.Loaded)})
			},
			"say a thing": func(t *rapid.T) { h.file(t, h.anything(t)) },
			"": func(t *rapid.T) {
				h.check(t)
				reached[h.state.Stage()]++
			},
		})
	})
	for _, stage := range []visit.Stage{visit.Admitted, visit.Trial, visit.Live, visit.Closed} {
		if reached[stage] == 0 {
			t.Errorf("no play reached %q: the property says nothing about it", stage)
		}
	}
}
