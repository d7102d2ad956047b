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

// lan's two phones each said another thing for one place. The second is kept, holds the visit up, and his dispatcher
// settles it; nothing is dropped, and nobody else may.
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
	for _, who := range []app.Actor{rival, as(c.Technician), as(c.Approver), as(c.Merchant)} {
		if err := d.App.SettleConflict(ctx, who, second, app.ConflictStands, "试过了"); fault.CodeOf(err) != "conflict_not_found" {
			t.Errorf("%s of %s settles: %v", who.Role, who.Organisation, err)
		}
	}
	if list, err := d.App.Conflicts(ctx, rival); err != nil || len(list) != 0 {
		t.Errorf("a rival sees %d, %v", len(list), err)
	}
	if _, err := d.App.Conflicts(ctx, as(c.Technician)); fault.CodeOf(err) != "access_denied" {
		t.Errorf("the technician lists: %v", err)
	}
	for reason, outcome := range map[string]string{"": app.ConflictStands, "好": "both", strings.Repeat("好", 201): app.ConflictLate} {
		if err := d.App.SettleConflict(ctx, as(c.Dispatcher), second, outcome, reason); fault.CodeOf(err) != "settlement_malformed" {
			t.Errorf("%q: %v", outcome, err)
		}
	}
	for who, k := range map[*scenario.Actor]app.Conflict{c.Dispatcher: list[0], c.Risk: list[1]} {
		if err := d.App.SettleConflict(ctx, as(who), k.Late.Statement, app.ConflictStands, "旧手机没收走"); err != nil {
			t.Errorf("%s: %v", who.Role, err)
		}
		if err := d.App.SettleConflict(ctx, as(who), k.Late.Statement, app.ConflictLate, "再改"); fault.CodeOf(err) != "conflict_settled" {
			t.Errorf("settled twice: %v", err)
		}
	}
	if list, err = d.App.Conflicts(ctx, as(c.Risk)); err != nil || len(list) != 2 || list[0].Open() || list[1].Row.Reason != "旧手机没收走" {
		t.Errorf("%+v, %v", list, err)
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
	sent := submit(t, d, c.Dispatcher, stream, visit.Reassign, visit.TypeDispatch, instead, "")
	late := submit(t, d, c.Technician, stream, visit.RecordStep, visit.TypeStep, step, "statement_of_former_technician")
	list, err := d.App.Conflicts(ctx, as(c.Dispatcher))
	if err != nil || len(list) != 1 || list[0].Late.Statement != late || list[0].Stands.Statement != sent {
		t.Fatalf("%+v, %v", list, err)
	}
	if said := asked(t, p, visit.AskDispatch); !strings.Contains(said, "matter_open") {
		t.Errorf("nobody has looked, and it goes on: %s", said)
	}
	if err := d.App.SettleConflict(ctx, as(c.Dispatcher), late, app.ConflictStands, "换人了"); err != nil {
		t.Error(err)
	}
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
	db, err := sql.Open("sqlite", filepath.Join(dir, "menshen.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("ALTER TABLE conflicts RENAME TO unreadable"); err != nil {
		t.Fatal(err)
	}
	submit(t, d, c.Technician, stream, visit.RecordStep, visit.TypeStep, visit.Step{Visit: p.ID, Step: "mount", Photos: []visit.Photo{}}, "store_failed")
}
