package evidence_test

import (
	"context"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

func TestAVerifiedBundleSaysWhatHappened(t *testing.T) {
	p := install(t)
	r := evidence.Verify(p.opened(t), p.play.Trust)
	if !r.Accepted() || r.NotOpened != 0 || r.Visit != p.play.ID || r.Kind != visit.Install || r.Order != p.play.Order.Order || r.Stage != string(visit.Closed) {
		t.Fatalf("%v: %+v", r.Refusal, r)
	}
	if r.State().Stage() != visit.Closed || r.Events != r.State().Number() || r.TrustListNumber() != 1 || r.ParametersNumber() != 1 || len(r.KeptByUs) != 0 {
		t.Errorf("%+v", r)
	}
	asks := []string{visit.AskDispatch, visit.AskAdmit, visit.AskTrial, visit.AskLive, visit.AskClose}
	for i, d := range r.Decisions {
		if d.Ask != asks[i] || !d.Granted || d.Decision().Ask != asks[i] || d.Order().Order != p.play.Order.Order {
			t.Errorf("decision %d: %+v", i+1, d)
		}
	}
	if _, _, ok := r.Permit(); ok {
		t.Error("closing gives no power")
	}
	if last := r.Last(); last.Ask != visit.AskClose || r.LogSize != last.Decision().LogSize {
		t.Errorf("the last decision is %s at log size %d", last.Ask, r.LogSize)
	}
	story := r.Story()
	if len(story) != r.Events || story[0].Verb != visit.Book || story[len(story)-1].Type != visit.TypeDecision || story[3].LeafIndex <= story[2].LeafIndex {
		t.Errorf("%d events told", len(story))
	}
	if len(evidence.CannotProve()) < 6 {
		t.Error("the report must say what it cannot prove")
	}
}

func TestCosigned(t *testing.T) {
	p := install(t)
	b := p.opened(t)
	got, err := evidence.Cosigned(b.Entries[0], p.play.Trust)
	if err != nil || len(got) != 2 || got[0].Party != "witness-a" {
		t.Errorf("%v, %v", got, err)
	}
	e := b.Entries[0]
	e.Receipt = b.Entries[1].Receipt
	if got, err := evidence.Cosigned(e, p.play.Trust); err == nil || len(got) != 0 {
		t.Errorf("another's receipt: %v, %v", got, err)
	}
	e.Event = ""
	if _, err := evidence.Cosigned(e, p.play.Trust); fault.CodeOf(err) != "event_malformed" {
		t.Errorf("no event: %v", err)
	}
}

// The report says whose keys the operator keeps.
func TestKeysKeptByTheOperatorAreNamed(t *testing.T) {
	p := open(t, visit.Install, 0)
	kept := scenario.NewActor("kept", p.Cast.Provider.ID, visit.RoleTechnician)
	e := scenario.Enrolment(kept, p.Now())
	e.HeldBy = statement.HeldByOperator
	say(t, p, p.Cast.Provider, of(p.Cast.Provider), visit.Enrol, statement.TypeEnrolment, e)
	played := run(t, p, scenario.Until(p.Install(), "badge"))
	r := evidence.Verify(played.opened(t), p.Trust)
	if !r.Accepted() || len(r.KeptByUs) != 1 || r.KeptByUs[0] != visit.RoleTechnician {
		t.Errorf("%v: %v", r.Refusal, r.KeptByUs)
	}
}

// Of several keys for one name the newest counts; of two of one second, always the same.
func TestOfSeveralKeysTheNewestCounts(t *testing.T) {
	p := open(t, visit.Install, 0)
	for range 2 { // as old as the first, so that the thumbprint decides
		again := scenario.NewActor(p.Cast.Technician.ID, p.Cast.Provider.ID, visit.RoleTechnician)
		say(t, p, p.Cast.Provider, of(p.Cast.Provider), visit.Enrol, statement.TypeEnrolment, scenario.Enrolment(again, p.Now()))
	}
	newest := scenario.NewActor(p.Cast.Technician.ID, p.Cast.Provider.ID, visit.RoleTechnician)
	e := scenario.Enrolment(newest, p.Now())
	e.From = statement.At(p.Now())
	say(t, p, p.Cast.Provider, of(p.Cast.Provider), visit.Enrol, statement.TypeEnrolment, e)
	// A rival's of the same name is older, newer, as you like: it is passed over.
	rival := scenario.NewActor(p.Cast.Technician.ID, p.Cast.Rival.ID, visit.RoleTechnician)
	say(t, p, p.Cast.Rival, of(p.Cast.Rival), visit.Enrol, statement.TypeEnrolment, scenario.Enrolment(rival, p.Now().AddDate(0, 0, 1)))
	say(t, p, p.Cast.Rival, of(p.Cast.Rival), visit.EndEnrolment, statement.TypeEnrolmentEnd,
		statement.EnrolmentEnd{Key: newest.Public().Thumbprint(), From: statement.At(p.Now()), Reason: "left"}) // not his to end
	p.Cast.Technician = newest
	// Custody and steps go by name and employer; the badge and the duties go by the newest key.
	if err := scenario.Run(t.Context(), scenario.Until(p.Install(), "arrive")); err != nil {
		t.Fatal(err)
	}
}

// badDecision runs an installation whose decisions at one ask the platform changes before it signs,
// and gives what a verifier says of the rest.
func badDecision(t *testing.T, ask string, edit func(*visit.Decision)) evidence.Result {
	t.Helper()
	p := open(t, visit.Install, 0)
	ledgerOf(p).Decide = func(d *visit.Decision) {
		if d.Ask == ask {
			edit(d)
		}
	}
	if err := scenario.Run(t.Context(), scenario.Until(p.Install(), "badge")); err != nil {
		t.Fatal(err)
	}
	return evidence.Verify(wholeBundle(t, p), p.Trust)
}

// wholeBundle is everything that the ledger has, closed by the platform, without the checks of Export.
func wholeBundle(t *testing.T, p *scenario.Play) *evidence.Bundle {
	t.Helper()
	d := ledgerOf(p).Dossier(p.ID, 0)
	b := &evidence.Bundle{Format: evidence.BundleFormat, Visit: p.ID, Entries: d.Entries, Openings: []statement.Opening{}}
	body, err := b.ClosingFor(visit.RoleHost, ledgerOf(p).Log.Size())
	if err != nil {
		t.Fatal(err)
	}
	b.Closing = encoded(p.Cast.Platform.Forge(scenario.Draft{Stream: p.VisitStream(), Type: evidence.TypeClosing, At: p.Now(), Body: body}))
	return b
}

func TestDecisionsThatAreNotInOrder(t *testing.T) {
	for _, test := range []struct {
		name, code string
		edit       func(*visit.Decision)
	}{
		{"decided at no time", "time_malformed", func(d *visit.Decision) { d.DecidedAt = "now" }},
		{"naming another event as head", "event_differs", func(d *visit.Decision) { d.Heads[0].Event = statement.Digest(nil) }},
		{"naming a head that is not there", "event_missing", func(d *visit.Decision) { d.Heads[0].Number = 99 }},
		{"naming evidence that is not there", "event_missing", func(d *visit.Decision) { d.Evidence[0] = statement.Digest(nil) }},
		{"naming evidence twice", "event_missing", func(d *visit.Decision) { d.Evidence[0] = d.Evidence[1] }},
		{"holding a condition that was not asked", "decision_differs", func(d *visit.Decision) { d.Conditions[0].Condition = "keys-ended" }},
		{"of another visit", "decision_differs", func(d *visit.Decision) { d.Visit = "v9" }},
	} {
		refuses(t, test.name, badDecision(t, visit.AskDispatch, test.edit), test.code)
	}
	p := open(t, visit.Install, 0)
	if err := scenario.Run(t.Context(), scenario.Until(p.Install(), "badge")); err != nil {
		t.Fatal(err)
	}
	say(t, p, p.Cast.Platform, p.VisitStream(), visit.Admit, visit.TypeDecision, nonsense)
	refuses(t, "one that cannot be read", evidence.Verify(wholeBundle(t, p), p.Trust), "json_unknown_name")
}

func TestAClosingThatCannotBeRead(t *testing.T) {
	p := install(t)
	platform := p.play.Cast.Platform
	draft := scenario.Draft{Stream: p.play.VisitStream(), Type: evidence.TypeClosing, At: p.play.Now(), Body: nonsense}
	other := draft
	other.Type = "review"
	for code, envelope := range map[string][]byte{
		"json_unknown_name":      platform.Forge(draft),
		"statement_type_differs": platform.Forge(other),
		"json_syntax":            []byte("no JSON"),
		"signature_wrong":        withoutSignature(t, platform.Forge(draft)),
	} {
		b := p.opened(t)
		b.Closing = base64.StdEncoding.EncodeToString(envelope)
		refuses(t, "closing", evidence.Verify(b, p.play.Trust), code)
	}
}

func withoutSignature(t *testing.T, envelope []byte) []byte {
	t.Helper()
	tree := parseTree(t, envelope)
	tree.kids[2].kids[0].kids[1].leaf = `"` + encoded(make([]byte, 64)) + `"`
	return tree.bytes()
}

func TestExport(t *testing.T) {
	p := install(t)
	sign := func(evidence.Closing) ([]byte, error) { return []byte("signed"), nil }
	whole := p.ledger.Dossier(p.play.ID, 0)
	data, err := evidence.Export(whole, visit.RoleMerchant, 1, sign)
	if err != nil {
		t.Fatal(err)
	}
	b, err := evidence.Open(data)
	if err != nil || len(b.Entries) == 0 || len(b.Openings) == 0 {
		t.Fatalf("%v, %d entries", err, len(b.Entries))
	}
	shuffled := whole
	shuffled.Entries = append(append([]evidence.Entry{}, whole.Entries[20:]...), whole.Entries[:20]...)
	shuffled.Openings = append(append([]statement.Opening{}, whole.Openings...), statement.NewOpening("address", [16]byte{1}, "nobody's"), statement.Opening{Kind: "!"})
	again, err := evidence.Export(shuffled, visit.RoleMerchant, 1, sign)
	if err != nil || string(again) != string(data) {
		t.Errorf("order or spare openings make another bundle: %v", err)
	}
	broken := errors.New("no key")
	for name, test := range map[string]struct {
		edit func(*evidence.Dossier)
		sign func(evidence.Closing) ([]byte, error)
		code string
	}{
		"an entry that cannot be read": {func(d *evidence.Dossier) { d.Entries[0].Salt = "" }, sign, "entry_malformed"},
		"no decision":                  {func(d *evidence.Dossier) { d.Visit = "v9" }, sign, "decision_absent"},
		"no receipt":                   {func(d *evidence.Dossier) { d.Entries[0].Receipt = "" }, sign, "receipt_absent"},
		"a stream cut short":           {func(d *evidence.Dossier) { d.Entries = d.Entries[1:] }, sign, "event_missing"},
		"evidence missing":             {func(d *evidence.Dossier) { d.Entries = without(t, d.Entries, visit.Enrol) }, sign, "event_missing"},
		"no signature":                 {func(*evidence.Dossier) {}, func(evidence.Closing) ([]byte, error) { return nil, broken }, "internal"},
	} {
		d := whole
		d.Entries = append([]evidence.Entry{}, whole.Entries...)
		test.edit(&d)
		if _, err := evidence.Export(d, visit.RoleMerchant, 1, test.sign); fault.CodeOf(err) != test.code {
			t.Errorf("%s: %v, want %s", name, err, test.code)
		}
	}
	q := open(t, visit.Install, 0)
	if err := scenario.Run(context.Background(), scenario.Until(q.Install(), "badge")); err != nil {
		t.Fatal(err)
	}
	say(t, q, q.Cast.Platform, q.VisitStream(), visit.Admit, visit.TypeDecision, nonsense)
	if _, err := evidence.Export(ledgerOf(q).Dossier(q.ID, 0), visit.RoleHost, 1, sign); fault.CodeOf(err) != "json_unknown_name" {
		t.Errorf("a decision that cannot be read: %v", err)
	}
}

// What a server must open for the gate: the shop, the merchant's page, the phone at the door and at
// each step.
func TestCommitments(t *testing.T) {
	p := install(t)
	entries := p.ledger.Dossier(p.play.ID, 0).Entries
	got, err := evidence.Commitments(entries)
	if err != nil {
		t.Fatal(err)
	}
	opens := map[string]bool{}
	for _, o := range p.opened(t).Openings {
		c, err := o.Commitment()
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind == evidence.KindPosition {
			opens[c] = true
		}
	}
	for _, c := range got {
		if !opens[c] {
			t.Errorf("%s is no position", c)
		}
	}
	if len(got) != len(opens) || len(got) < 4 {
		t.Errorf("%d of %d positions", len(got), len(opens))
	}
	if _, err := evidence.Commitments(append(entries, evidence.Entry{})); err == nil {
		t.Error("an entry that is none was read")
	}
	q := open(t, visit.Install, 0)
	stream := q.VisitStream()
	for kind, body := range map[string]any{
		visit.TypeAdmission: visit.Admission{Presentation: "x~a.!.b"}, visit.TypeStep: nonsense, visit.TypeOrder: nonsense, agreement.TypeAgreement: nonsense,
	} {
		say(t, q, q.Cast.Merchant, stream, visit.Admit, kind, body)
	}
	say(t, q, q.Cast.Merchant, stream, visit.Admit, visit.TypeAdmission, visit.Admission{Presentation: "x~a"})
	say(t, q, q.Cast.Merchant, stream, visit.Admit, visit.TypeAdmission, visit.Admission{Presentation: "x~a." + base64.RawURLEncoding.EncodeToString([]byte("no JSON")) + ".b"})
	if got, err := evidence.Commitments(ledgerOf(q).Dossier(q.ID, 0).Entries); err != nil || len(got) != 0 {
		t.Errorf("%v, %v from what holds none", got, err)
	}
}
