package evidence_test

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

var errPen = errors.New("the pen broke")

// export exports a dossier, closed by the platform.
func (e *edge) export(d evidence.Dossier) ([]byte, error) {
	return evidence.Export(d, visit.RoleMerchant, e.ledger.Log.Size(), func(c evidence.Closing) ([]byte, error) {
		return e.Cast.Platform.Forge(scenario.Draft{Stream: e.VisitStream(), Type: evidence.TypeClosing, At: e.Now(), Body: c}), nil
	})
}

// loose is a bundle of everything in the dossier, which nobody closed.
func (e *edge) loose() *evidence.Bundle {
	d := e.dossier()
	return &evidence.Bundle{Format: evidence.BundleFormat, Visit: e.ID, Entries: d.Entries, Openings: []statement.Opening{}}
}

// eventOf reads an entry's event.
func eventOf(t testing.TB, e evidence.Entry) record.Event {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(e.Event)
	if err != nil {
		t.Fatal(err)
	}
	event, err := record.ParseEvent(data)
	if err != nil {
		t.Fatal(err)
	}
	return event
}

func TestEdgesOpenBoundsABundle(t *testing.T) {
	for what, b := range map[string]evidence.Bundle{
		"entries":  {Format: evidence.BundleFormat, Entries: make([]evidence.Entry, 2001), Openings: []statement.Opening{}},
		"openings": {Format: evidence.BundleFormat, Entries: []evidence.Entry{}, Openings: make([]statement.Opening, 2001)},
	} {
		data, err := b.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		_, err = evidence.Open(data)
		isFault(t, what, err, "bundle_too_many_entries", "bundle")
		if fault.KindOf(err) != fault.TooLarge {
			t.Errorf("%s: %s", what, fault.KindOf(err))
		}
	}
}

func TestEdgesOfExport(t *testing.T) {
	e := upTo(t, visit.Install, 0, "badge")
	t.Run("honest", func(t *testing.T) {
		data, err := e.export(e.dossier())
		if err != nil {
			t.Fatal(err)
		}
		b, err := evidence.Open(data)
		if err != nil {
			t.Fatal(err)
		}
		if r := evidence.Verify(b, e.Trust); !r.Accepted() {
			t.Error(r.Refusal)
		}
	})
	t.Run("an entry that cannot be read", func(t *testing.T) {
		d := e.dossier()
		d.Entries[0].Event = "?"
		_, err := e.export(d)
		isFault(t, "export", err, "entry_malformed", "entry 1")
	})
	t.Run("no receipt", func(t *testing.T) {
		d := e.dossier()
		at := slices.IndexFunc(d.Entries, func(x evidence.Entry) bool { return eventOf(t, x).Stream == e.VisitStream() })
		d.Entries[at].Receipt = ""
		_, err := e.export(d)
		isFault(t, "export", err, "receipt_absent", place(e.VisitStream(), 1))
	})
	t.Run("the platform does not sign", func(t *testing.T) {
		_, err := evidence.Export(e.dossier(), visit.RoleMerchant, 1, func(evidence.Closing) ([]byte, error) { return nil, errPen })
		if !errors.Is(err, errPen) {
			t.Error(err)
		}
	})
	t.Run("no decision", func(t *testing.T) {
		early := upTo(t, visit.Install, 0, "ask dispatch")
		_, err := early.export(early.dossier())
		isFault(t, "export", err, "decision_absent", early.VisitStream())
	})
}

// A platform that writes its decisions badly: neither its own export nor a verifier takes them.
func TestEdgesOfDecisions(t *testing.T) {
	for _, c := range []struct {
		name, code string
		exports    bool
		edit       func(*visit.Decision)
	}{
		{"made at no time", "time_malformed", true, func(d *visit.Decision) { d.DecidedAt = "yesterday" }},
		{"another condition", "decision_differs", true, func(d *visit.Decision) { d.Conditions[0].Condition = "asked-nicely" }},
		{"another event at a head", "event_differs", false, func(d *visit.Decision) { d.Heads[0].Event = statement.Digest(nil) }},
		{"an event that is not there", "event_missing", false, func(d *visit.Decision) { d.Evidence[0] = statement.Digest(nil) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := upTo(t, visit.Install, 0, "ask dispatch")
			e.ledger.Decide = c.edit
			if err := e.MustAsk(t.Context(), visit.AskDispatch); err != nil {
				t.Fatal(err)
			}
			at := place(e.VisitStream(), len(e.ledger.Stream(e.VisitStream())))
			if _, err := e.export(e.dossier()); (err == nil) != c.exports || (err != nil && fault.CodeOf(err) != c.code) {
				t.Errorf("export: %v", err)
			}
			r := evidence.Verify(e.loose(), e.Trust)
			isFault(t, "verify", r.Refusal, c.code, at)
			if r.Accepted() {
				t.Error("accepted")
			}
		})
	}
}

func TestEdgesOfAMalformedDecision(t *testing.T) {
	e := upTo(t, visit.Install, 0, "ask dispatch")
	at := e.put(e.Cast.Platform, visit.DispatchVerb, e.VisitStream(), visit.TypeDecision, nonsense)
	_, err := e.export(e.dossier())
	isFault(t, "export", err, "json_unknown_name", at)
	isFault(t, "verify", evidence.Verify(e.loose(), e.Trust).Refusal, "json_unknown_name", at)
}

func TestEdgesOfAMalformedClosing(t *testing.T) {
	p := install(t)
	b := p.opened(t)
	d := closingDraft(p, evidence.Closing{})
	d.Body = nonsense
	b.Closing = base64.StdEncoding.EncodeToString(p.play.Cast.Platform.Forge(d))
	r := evidence.Verify(b, p.play.Trust)
	isFault(t, "closing", r.Refusal, "json_unknown_name", "closing")
}

// Every report says whose keys the operator keeps, each role once.
func TestEdgesKeysThatTheOperatorKeeps(t *testing.T) {
	e := upTo(t, visit.Install, 0, "")
	for _, a := range []*scenario.Actor{e.Cast.Merchant, scenario.NewActor("mei", e.Cast.Acquirer.ID, visit.RoleMerchant)} {
		body := scenario.Enrolment(a, e.Now())
		body.HeldBy = statement.HeldByOperator
		e.put(e.Cast.Acquirer, visit.Enrol, org(e.Cast.Acquirer), statement.TypeEnrolment, body)
	}
	if err := scenario.Run(t.Context(), scenario.Until(e.Install(), "badge")); err != nil {
		t.Fatal(err)
	}
	data, err := e.export(e.dossier())
	if err != nil {
		t.Fatal(err)
	}
	b, err := evidence.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	r := evidence.Verify(b, e.Trust)
	if !r.Accepted() || !slices.Equal(r.KeptByUs, []string{visit.RoleMerchant}) {
		t.Errorf("%v: %v", r.KeptByUs, r.Refusal)
	}
}

func TestEdgesOfAResult(t *testing.T) {
	p := install(t)
	r := evidence.Verify(p.opened(t), p.play.Trust)
	if r.State().Stage() != visit.Closed || r.State().ID() != p.play.ID {
		t.Errorf("%s %q", r.State().Stage(), r.State().ID())
	}
	if _, _, ok := r.Permit(); ok {
		t.Error("a close gives power")
	}
	story := r.Story()
	if len(story) != r.Events || story[0].Type != visit.TypeOpened || story[0].Number != 1 || story[len(story)-1].Verb != visit.Close {
		t.Errorf("%d of %d events: %+v", len(story), r.Events, story)
	}
	for i, s := range story {
		if s.Number != i+1 || s.Role == "" || !statement.IsDigest(s.Statement) || (i > 0 && s.LeafIndex <= story[i-1].LeafIndex) {
			t.Errorf("event %d: %+v", i+1, s)
		}
	}
}

func TestEdgesZeroValuesRefuse(t *testing.T) {
	if (evidence.Trust{}).OK() || (evidence.Trust{}).Fingerprint() != "" {
		t.Error("an empty trust file is trusted")
	}
	var result evidence.Result
	_, _, power := result.Permit()
	if result.Accepted() || power || result.Last().Granted || len(result.Story()) > 0 || result.TrustListNumber() != 0 || result.ParametersNumber() != 0 {
		t.Error("an empty result says something")
	}
	if result.State().ID() != "" {
		t.Error("an empty result has a state")
	}
	var report evidence.Report
	if d := report.Decision(); report.Granted || d.Ask != "" || d.Permit != nil || len(d.Conditions) > 0 {
		t.Errorf("an empty report decides %+v", d)
	}
	if c, ok := report.Condition("institution-licensed"); ok || c.Verdict != "" {
		t.Error("an empty report answers")
	}
	p := install(t)
	d := p.ledger.Dossier(p.play.ID, p.ledger.Log.Size())
	var zero evidence.Trust
	isFault(t, "judge", evidence.Judge(d, zero, visit.AskClose, p.play.Now()).Refusal, "trust_file_absent", "")
	isFault(t, "preview", evidence.Preview(d, zero, visit.AskClose, p.play.Now()).Refusal, "trust_file_absent", "")
	isFault(t, "verify", evidence.Verify(p.opened(t), zero).Refusal, "trust_file_absent", "")
	_, err := evidence.Stand(d, zero, p.play.Now())
	isFault(t, "stand", err, "trust_file_absent", "")
	_, err = evidence.Intake(nil, d.Entries[0], zero, p.play.Now())
	isFault(t, "intake", err, "trust_file_absent", "")
	_, err = evidence.Cosigned(d.Entries[0], zero)
	isFault(t, "cosigned", err, "trust_file_absent", "")
	isFault(t, "an empty bundle", evidence.Verify(&evidence.Bundle{}, p.play.Trust).Refusal, "decision_absent", "visit/")
	bare := p.opened(t)
	bare.Openings = nil
	if evidence.Verify(bare, p.play.Trust).Accepted() {
		t.Error("a bundle without its openings is accepted")
	}
	bare = p.opened(t)
	bare.Closing = ""
	isFault(t, "no closing", evidence.Verify(bare, p.play.Trust).Refusal, "closing_absent", "closing")
}

func TestEdgesOfCosigned(t *testing.T) {
	p := install(t)
	entry := p.opened(t).Entries[0]
	got, err := evidence.Cosigned(entry, p.play.Trust)
	if err != nil || len(got) != 2 || got[0].Party == got[1].Party {
		t.Errorf("%v %v", got, err)
	}
	spoiled := entry
	spoiled.Salt = "?"
	_, err = evidence.Cosigned(spoiled, p.play.Trust)
	isFault(t, "salt", err, "entry_malformed", place(eventOf(t, entry).Stream, 1))
	spoiled = entry
	spoiled.Receipt = p.opened(t).Entries[1].Receipt
	if got, err := evidence.Cosigned(spoiled, p.play.Trust); err == nil || len(got) > 0 {
		t.Errorf("another leaf's receipt: %v", got)
	}
}

func TestEdgesOfCannotProve(t *testing.T) {
	said := evidence.CannotProve()
	if len(said) != 6 {
		t.Errorf("%d limits", len(said))
	}
	for _, s := range said {
		if s.Zh == "" || s.En == "" || strings.Contains(s.En, "—") {
			t.Errorf("%+v", s)
		}
	}
}

func TestEdgesOfCommitments(t *testing.T) {
	e := upTo(t, visit.Install, 0, "ask trial")
	d := e.dossier()
	got, err := evidence.Commitments(d.Entries)
	if err != nil {
		t.Fatal(err)
	}
	opens := map[string]bool{}
	for _, o := range d.Openings {
		if c, err := o.Commitment(); err == nil && o.Kind == evidence.KindPosition {
			opens[c] = true
		}
	}
	for _, c := range got {
		delete(opens, c)
	}
	if len(got) != 3 || len(opens) != 0 || got[0] != e.Order.Position {
		t.Errorf("%v, and not %v", got, opens)
	}
	step := visit.Step{Visit: e.ID, Step: "mount", Photos: []visit.Photo{}, Position: statement.Digest([]byte("here"))}
	for range 2 { // one commitment is listed once
		e.put(e.Cast.Technician, visit.RecordStep, e.VisitStream(), visit.TypeStep, step)
		step.Done = true
	}
	got, err = evidence.Commitments(e.dossier().Entries)
	if err != nil || len(got) != 4 || got[3] != step.Position {
		t.Errorf("%v %v", got, err)
	}
}

func TestEdgesOfCommitmentsThatCannotBeRead(t *testing.T) {
	enc := base64.RawURLEncoding.EncodeToString
	for name, presentation := range map[string]string{"no token": "x~y", "not base64": "a.?.c", "not json": "a." + enc([]byte("x")) + ".c", "no claim": "a." + enc([]byte("{}")) + ".c"} {
		t.Run(name, func(t *testing.T) {
			e := upTo(t, visit.Install, 0, "")
			e.put(e.Cast.Merchant, visit.Admit, e.VisitStream(), visit.TypeAdmission, visit.Admission{Presentation: presentation})
			if got, err := evidence.Commitments(e.dossier().Entries); err != nil || len(got) > 0 {
				t.Errorf("%v %v", got, err)
			}
		})
	}
	for kind, by := range map[string]func(*scenario.Cast) *scenario.Actor{
		visit.TypeOrder:     func(c *scenario.Cast) *scenario.Actor { return c.Approver },
		visit.TypeAdmission: func(c *scenario.Cast) *scenario.Actor { return c.Merchant },
		visit.TypeStep:      func(c *scenario.Cast) *scenario.Actor { return c.Technician },
	} {
		t.Run(kind, func(t *testing.T) {
			e := upTo(t, visit.Install, 0, "")
			at := e.put(by(e.Cast), visit.Book, e.VisitStream(), kind, nonsense)
			got, err := evidence.Commitments(e.dossier().Entries)
			isFault(t, kind, err, "json_unknown_name", at)
			if got != nil {
				t.Error(got)
			}
		})
	}
	_, err := evidence.Commitments([]evidence.Entry{{}})
	isFault(t, "an empty entry", err, "event_malformed", "entry 1")
}
