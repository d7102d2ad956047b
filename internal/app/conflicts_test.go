package app_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// asked is what the gate says to an ask, in all words.
func asked(t *testing.T, p *scenario.Play, ask string) string {
	t.Helper()
	a, err := p.Ask(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%+v", a)
}

// signed submits what is recorded, and what its signer signs next follows it.
func signed(t *testing.T, d *scenario.Deployment, by *scenario.Actor, stream, verb, kind string, body any) string {
	t.Helper()
	envelope := by.Sign(scenario.Draft{Stream: stream, Type: kind, At: time.Now(), Body: body})
	if _, err := d.App.Submit(t.Context(), as(by), app.Submission{Stream: stream, Verb: verb, Envelope: envelope}); err != nil {
		t.Fatal(err)
	}
	return statement.Digest(envelope)
}

// lan's two phones each said another thing for one place. The second is kept, holds the visit up, and his dispatcher
// or the risk desk rules on it, signed; nothing is dropped, and nobody else may.
func TestTwoPhonesContradictEachOther(t *testing.T) {
	d, p := deploy(t)
	ctx, c := t.Context(), d.Cast
	if err := scenario.Run(ctx, scenario.Until(p.Install(), "arrive")); err != nil {
		t.Fatal(err)
	}
	step := func(name, want string) string {
		t.Helper()
		return submit(t, d, c.Technician, "visit/"+p.ID, visit.RecordStep, visit.TypeStep, visit.Step{Visit: p.ID, Step: name, Photos: []visit.Photo{}}, want)
	}
	first := step("mount", "")
	second := step("counter", "signer_chain_broken")
	step("counter-again", "signer_chain_broken")
	list, err := d.App.Conflicts(ctx, as(c.Dispatcher))
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, k := range list {
		if !k.Open() || k.Stands.Statement != first || !strings.Contains(k.Stands.Body, "mount") || !strings.Contains(k.Late.Body, "counter") || k.Late.Type != visit.TypeStep {
			t.Errorf("%+v", k)
		}
	}
	if said := asked(t, p, visit.AskTrial); !strings.Contains(said, "matter_open") {
		t.Errorf("asked over an open conflict: %s", said)
	}
	rival := app.Actor{Person: "x", Organisation: c.Rival.ID, Role: visit.RoleDispatcher}
	if list, err := d.App.Conflicts(ctx, rival); err != nil || len(list) != 0 {
		t.Errorf("a rival sees %d, %v", len(list), err)
	}
	if _, err := d.App.Conflicts(ctx, as(c.Technician)); fault.CodeOf(err) != "access_denied" {
		t.Errorf("the technician lists: %v", err)
	}
	rule := func(who *scenario.Actor, late, outcome, want string, edits ...func(*visit.Ruling)) string {
		t.Helper()
		r := visit.Ruling{Visit: p.ID, Signer: c.Technician.ID, Stands: first, Late: late, Outcome: outcome, Reason: "two_phones"}
		for _, edit := range edits {
			edit(&r)
		}
		return submit(t, d, who, "visit/"+p.ID, visit.Settle, visit.TypeRuling, r, want)
	}
	for _, who := range []*scenario.Actor{c.Technician, c.Approver, c.Merchant} {
		rule(who, second, visit.RuledStands, "access_denied")
	}
	rule(c.Dispatcher, second, "both", "ruling_incomplete")
	rule(c.Dispatcher, first, visit.RuledStands, "ruling_incomplete") // it cannot be late against itself
	for want, edit := range map[string]func(*visit.Ruling){
		"conflict_not_found":   func(r *visit.Ruling) { r.Late = statement.Digest([]byte("another")) },
		"conflict_not_found ":  func(r *visit.Ruling) { r.Stands = statement.Digest([]byte("another")) },
		"conflict_not_found  ": func(r *visit.Ruling) { r.Signer = "bo" },
	} {
		rule(c.Dispatcher, second, visit.RuledStands, strings.TrimSpace(want), edit)
	}
	if list, err := d.App.Conflicts(ctx, as(c.Risk)); err != nil || !list[0].Open() || !list[1].Open() {
		t.Errorf("settled by who may not: %+v, %v", list, err)
	}
	rulings := map[string]string{}
	for who, k := range map[*scenario.Actor]app.Conflict{c.Dispatcher: list[0], c.Risk: list[1]} {
		rulings[k.Late.Statement] = who.ID
		signed(t, d, who, "visit/"+p.ID, visit.Settle, visit.TypeRuling,
			visit.Ruling{Visit: p.ID, Signer: c.Technician.ID, Stands: first, Late: k.Late.Statement, Outcome: visit.RuledStands, Reason: "two_phones"})
		rule(who, k.Late.Statement, visit.RuledLate, "ruling_given_before")
	}
	list, err = d.App.Conflicts(ctx, as(c.Risk))
	if err != nil || len(list) != 2 {
		t.Fatalf("%d, %v", len(list), err)
	}
	for _, k := range list {
		if k.Open() || k.Row.Reason != "two_phones" || k.Row.SettledBy != rulings[k.Late.Statement] || !statement.IsDigest(k.Ruling) {
			t.Errorf("%+v", k)
		}
	}
	if said := asked(t, p, visit.AskTrial); strings.Contains(said, "matter_open") {
		t.Errorf("a settled conflict holds up: %s", said)
	}
}

// A statement whose predecessor is still under way is no conflict: it waits on the phone.
func TestAGapIsNoConflict(t *testing.T) {
	d, p := deploy(t)
	ctx, lan := t.Context(), d.Cast.Technician
	if err := scenario.Run(ctx, scenario.Until(p.Install(), "arrive")); err != nil {
		t.Fatal(err)
	}
	lan.Sign(scenario.Draft{Stream: "visit/" + p.ID, Type: visit.TypeStep, At: time.Now(), Body: visit.Step{Visit: p.ID, Step: "mount", Photos: []visit.Photo{}}}) // never sent
	submit(t, d, lan, "visit/"+p.ID, visit.RecordStep, visit.TypeStep, visit.Step{Visit: p.ID, Step: "counter", Photos: []visit.Photo{}}, "signer_chain_broken")
	if list, err := d.App.Conflicts(ctx, as(d.Cast.Dispatcher)); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

// Somebody else was sent while lan's phone had no signal. What she signed meanwhile is kept for her dispatcher, told as
// kept, and holds the visit up until he looked; a stranger's is no visit's at all.
func TestWhatAFormerTechnicianSignedIsKept(t *testing.T) {
	d, p := deploy(t)
	ctx, c := t.Context(), d.Cast
	if err := scenario.Run(ctx, scenario.Until(p.Install(), "ask dispatch")); err != nil {
		t.Fatal(err)
	}
	stream := "visit/" + p.ID
	step := visit.Step{Visit: p.ID, Step: "mount", Photos: []visit.Photo{}}
	instead := p.Dispatch
	instead.Technician = c.Stranger.ID
	submit(t, d, c.Stranger, stream, visit.RecordStep, visit.TypeStep, step, "visit_not_found")
	sent := signed(t, d, c.Dispatcher, stream, visit.Reassign, visit.TypeDispatch, instead)
	late := submit(t, d, c.Technician, stream, visit.RecordStep, visit.TypeStep, step, "statement_of_former_technician")
	list, err := d.App.Conflicts(ctx, as(c.Dispatcher))
	if err != nil || len(list) != 1 || list[0].Late.Statement != late || list[0].Stands.Statement != sent {
		t.Fatalf("%+v, %v", list, err)
	}
	if said := asked(t, p, visit.AskDispatch); !strings.Contains(said, "matter_open") {
		t.Errorf("nobody has looked, and it goes on: %s", said)
	}
	signed(t, d, c.Dispatcher, stream, visit.Settle, visit.TypeRuling,
		visit.Ruling{Visit: p.ID, Signer: c.Technician.ID, Stands: sent, Late: late, Outcome: visit.RuledStands, Reason: "another_was_sent"})
	if said := asked(t, p, visit.AskDispatch); strings.Contains(said, "matter_open") {
		t.Errorf("settled, and it holds up: %s", said)
	}
}

// A store that cannot be read is no stranger: whoever was told that there is no such visit would throw away what he signed.
func TestAFormerTechnicianIsNotRefusedUnread(t *testing.T) {
	dir := t.TempDir()
	d, err := scenario.NewDeployment(t.Context(), scenario.DeploymentConfig{Dir: dir, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := d.Cast
	if err := scenario.Run(t.Context(), scenario.Until(p.Install(), "ask dispatch")); err != nil {
		t.Fatal(err)
	}
	stream := "visit/" + p.ID
	instead := p.Dispatch
	instead.Technician = c.Stranger.ID
	submit(t, d, c.Dispatcher, stream, visit.Reassign, visit.TypeDispatch, instead, "")
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "menshen.db")+"?_pragma=busy_timeout(20000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("ALTER TABLE conflicts RENAME TO unreadable"); err != nil {
		t.Fatal(err)
	}
	submit(t, d, c.Technician, stream, visit.RecordStep, visit.TypeStep, visit.Step{Visit: p.ID, Step: "mount", Photos: []visit.Photo{}}, "store_failed")
}
