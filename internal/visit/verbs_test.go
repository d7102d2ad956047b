package visit_test

import (
	_ "embed"
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

//go:embed testdata/verbs.txt
var verbsFile string

var sortNames = map[string]visit.Sort{"gives": visit.GivesPower, "evidence": visit.BringsEvidence, "takes": visit.TakesPower}

// wantedRows reads the hand-written table.
func wantedRows(t *testing.T) []visit.Row {
	t.Helper()
	var rows []visit.Row
	for line := range strings.Lines(verbsFile) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "|")
		if len(cells) != 4 || len(strings.Fields(cells[0])) != 3 {
			t.Fatalf("line %q", line)
		}
		name := strings.Fields(cells[0])
		sort, known := sortNames[strings.TrimSpace(cells[3])]
		if !known {
			t.Fatalf("line %q: sort", line)
		}
		rows = append(rows, visit.Row{Stream: name[0], Verb: name[1], Type: name[2], Roles: strings.Fields(cells[1]), From: stagesOf(cells[2]), Sort: sort})
	}
	return rows
}

func stagesOf(cell string) []visit.Stage {
	var out []visit.Stage
	for _, name := range strings.Fields(cell) {
		switch name {
		case "any":
			return nil
		case "none":
			out = append(out, visit.None)
		default:
			out = append(out, visit.Stage(name))
		}
	}
	return out
}

func TestTheVerbTableIsTheWrittenOne(t *testing.T) {
	want, got := wantedRows(t), visit.Table()
	if len(got) != len(want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
	for _, w := range want {
		row, ok := visit.Find(w.Stream, w.Verb, w.Type)
		if !ok {
			t.Errorf("%s %s %s is missing", w.Stream, w.Verb, w.Type)
			continue
		}
		slices.Sort(row.Roles)
		slices.Sort(w.Roles)
		if !slices.Equal(row.Roles, w.Roles) || !slices.Equal(row.From, w.From) || row.Sort != w.Sort {
			t.Errorf("%s %s %s is %v, want %v", w.Stream, w.Verb, w.Type, row, w)
		}
	}
}

func TestAVerbTakesOnlyItsOwnTypesInItsOwnStream(t *testing.T) {
	for name, c := range map[string][3]string{
		"brake filed as a refusal":     {visit.StreamVisit, visit.Refuse, visit.TypeBrake},
		"refusal filed as a freeze":    {visit.StreamVisit, visit.Freeze, visit.TypeRefusal},
		"decision filed as evidence":   {visit.StreamVisit, visit.RecordStep, visit.TypeDecision},
		"trust list filed in a visit":  {visit.StreamVisit, visit.Publish, "trust_list"},
		"enrolment filed in a visit":   {visit.StreamVisit, visit.Enrol, statement.TypeEnrolment},
		"transfer filed in a visit":    {visit.StreamVisit, visit.Transfer, "transfer"},
		"nothing at all":               {"", "", ""},
		"extract filed as a challenge": {visit.StreamVisit, visit.ChallengeVerb, registry.TypeExtract},
	} {
		if row, ok := visit.Find(c[0], c[1], c[2]); ok || row.Allows("") || row.Allows(visit.RolePlatform) {
			t.Errorf("%s: found %v", name, row)
		}
	}
}

// Whoever gets rows must not be able to write into the table.
func TestTheTableIsNotGivenAway(t *testing.T) {
	row, _ := visit.Find(visit.StreamVisit, visit.RequestPermit, visit.TypeDecision)
	row.Roles[0], row.From[0] = visit.RoleTechnician, visit.None
	for _, r := range visit.Table() {
		for i := range r.Roles {
			r.Roles[i] = visit.RoleTechnician
		}
		for i := range r.From {
			r.From[i] = visit.None
		}
	}
	TestTheVerbTableIsTheWrittenOne(t)
}

// bodyFor gives a body that fits a row at this point of a story, and the code of the refusal that it
// must meet for another reason than role and stage, "" for none.
func bodyFor(s *story, row visit.Row) (body any, refusal string) {
	state := s.state
	switch row.Type {
	case visit.TypeOpened:
		return opened(), ""
	case visit.TypeDispatch:
		return dispatch(), ""
	case registry.TypeExtract:
		return extract(), ""
	case visit.TypeChallenge:
		return visit.Challenge{Visit: visitID, Purpose: visit.PurposeDoor, Nonce: "fresh", Until: statement.At(noon)}, ""
	case visit.TypeAdmission:
		return visit.Admission{Challenge: statement.Digest(nil), Mode: "online"}, ""
	case visit.TypeDecision:
		d := decision(askFor(state, row.Verb))
		if d.Ask == visit.AskDispatch && state.Dispatched().Visit == "" {
			return d, "nobody_assigned"
		}
		return d, ""
	case visit.TypeIntent:
		return visit.Intent{Visit: visitID, Permit: lastPermit(state)}, ""
	case visit.TypeOutcome:
		permit := lastPermit(state)
		if permit == "" {
			return outcomeOf(statement.Digest(nil), visit.Loaded), "permit_unknown"
		}
		return outcomeOf(permit, visit.OutcomeRefused), ""
	case visit.TypeResumption:
		return visit.Resumption{Visit: visitID, Reason: "checked", Appeal: "letters to the risk desk", Closes: append([]string{}, state.Open()...)}, resumable(state)
	}
	if row.Type == visit.TypeRuling && state.Dispatched().Visit == "" {
		return ruling(), "nobody_assigned"
	}
	return plainBody(row.Type), ""
}

func resumable(s visit.State) string {
	if len(s.Open()) == 0 {
		return "resumption_names_nothing"
	}
	return ""
}

// askFor is the ask whose decision fits a verb and a stage.
func askFor(s visit.State, verb string) string {
	switch {
	case verb == visit.RequestPermit && s.Stage() == visit.Trial:
		return visit.AskLive
	case verb == visit.RequestPermit && s.Stage() == visit.Live:
		return visit.AskEnd
	}
	return map[string]string{visit.DispatchVerb: visit.AskDispatch, visit.Admit: visit.AskAdmit, visit.RequestPermit: visit.AskTrial, visit.Close: visit.AskClose}[verb]
}

// plainBody is the body of a type that changes no state, or the same state whatever it says. The
// bodies of other packages' types are not read here.
func plainBody(kind string) any {
	switch kind {
	case visit.TypeRefusal:
		return visit.Refusal{Visit: visitID, Reason: "unsafe"}
	case visit.TypeBrake:
		return brake()
	case visit.TypeIncident:
		return visit.Incident{Visit: visitID, Kind: "device"}
	case visit.TypeStep:
		return visit.Step{Visit: visitID, Step: "mount", Photos: []visit.Photo{}}
	case visit.TypeBackup:
		return visit.Backup{Visit: visitID, Manifest: statement.Digest(nil), Restored: statement.Digest(nil)}
	case visit.TypeNothingToKeep:
		return visit.NothingToKeep{Visit: visitID}
	case visit.TypeSignOff:
		return visit.SignOff{Visit: visitID}
	case visit.TypeConfirmation:
		return visit.Confirmation{Visit: visitID}
	case visit.TypeDeviceWork:
		return visit.DeviceWork{Visit: visitID, Serial: serial}
	case visit.TypeEndConsent:
		return visit.EndConsent{Visit: visitID, Serial: serial}
	case visit.TypeOutageAccepted:
		return visit.OutageAccepted{Visit: visitID, Serial: serial}
	case visit.TypeTerminalState:
		return visit.TerminalState{Visit: visitID, Serial: serial, State: visit.TerminalLive}
	case visit.TypeRuling:
		return ruling()
	case visit.TypeReview:
		return visit.Review{Visit: visitID, Stars: 4}
	}
	return struct{}{}
}

func extract() registry.Extract {
	return registry.Extract{Visit: visitID, Ask: visit.AskDispatch, LookedAt: statement.At(noon), Lists: []registry.ListNumber{},
		People: []registry.Person{}, Open: []registry.OpenMatter{}, Photos: []registry.PhotoLook{}}
}

// Every row of a visit's stream, in every role and at every stage, frozen and not.
func TestEveryRowRoleAndStage(t *testing.T) {
	rows := wantedRows(t)
	for _, stage := range stageNames {
		for _, frozen := range []bool{false, true} {
			s := at(t, stage)
			if s.state.Stage() != stage {
				t.Fatalf("stage %q, want %q", s.state.Stage(), stage)
			}
			if frozen && stage != visit.None {
				s.must(gu, visit.Freeze, visit.TypeBrake, brake())
			}
			for _, row := range rows {
				if row.Stream == visit.StreamVisit {
					walkRow(t, s, row)
				}
			}
		}
	}
}

func walkRow(t *testing.T, s *story, row visit.Row) {
	t.Helper()
	stage := s.state.Stage()
	for _, p := range everybody {
		body, special := bodyFor(s, row)
		_, err := visit.Decide(s.state, row.Verb, p.says(t, s.state, row.Type, body), noon)
		want := special
		switch {
		case !slices.Contains(row.Roles, p.role):
			want = "role_not_allowed"
		case row.From == nil && stage == visit.None, row.From != nil && !slices.Contains(row.From, stage):
			want = "stage_not_fitting"
		case row.Sort == visit.GivesPower && row.Verb != visit.Resume && s.state.Frozen():
			want = "visit_frozen"
		}
		if got := fault.CodeOf(err); got != want {
			t.Errorf("%s %s by %s at %q (frozen %v): %q, want %q", row.Verb, row.Type, p.role, stage, s.state.Frozen(), got, want)
		}
	}
}

func TestEveryAskHasOneVerb(t *testing.T) {
	for ask, want := range map[string]string{visit.AskDispatch: visit.DispatchVerb, visit.AskAdmit: visit.Admit, visit.AskTrial: visit.RequestPermit,
		visit.AskLive: visit.RequestPermit, visit.AskEnd: visit.RequestPermit, visit.AskClose: visit.Close, "": "", "wave": ""} {
		if got := visit.VerbOf(ask); got != want {
			t.Errorf("%q goes under %q, want %q", ask, got, want)
		}
	}
}
