package app_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

func as(a *scenario.Actor) app.Actor {
	return app.Actor{Person: a.ID, Organisation: a.Organisation, Role: a.Role}
}

// booked is a deployment with one booked visit of today.
func bookedVisit(t *testing.T) (*scenario.Deployment, *scenario.Play) {
	t.Helper()
	d, p := deploy(t)
	if err := p.Book(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d, p
}

func TestTheBoardIsFoundByDayAndStop(t *testing.T) {
	d, p := bookedVisit(t)
	from, err := p.Order.WindowFrom.Parse()
	if err != nil {
		t.Fatal(err)
	}
	china := time.FixedZone("China", 8*60*60)
	day := from.In(china).Format(time.DateOnly)
	count := func(who *scenario.Actor, f app.BoardFilter) int {
		t.Helper()
		rows, _, err := d.App.Board(t.Context(), as(who), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if !r.Window.From.Equal(from) {
				t.Errorf("window from %s, want %s", r.Window.From, from)
			}
		}
		return len(rows)
	}
	c := d.Cast
	for name, q := range map[string]struct {
		who  *scenario.Actor
		f    app.BoardFilter
		want int
	}{
		"that day": {c.Dispatcher, app.BoardFilter{Day: day}, 1}, "the day before": {c.Dispatcher, app.BoardFilter{Day: from.In(china).AddDate(0, 0, -1).Format(time.DateOnly)}, 0},
		"no day at all": {c.Dispatcher, app.BoardFilter{Day: "2026-02-30"}, 0}, "stopped": {c.Dispatcher, app.BoardFilter{Frozen: true}, 0},
		"all": {c.Approver, app.BoardFilter{}, 1}, "by stage": {c.Approver, app.BoardFilter{Filter: app.Filter{State: string(visit.Booked)}}, 1},
		"of another acquirer": {&scenario.Actor{ID: "x", Organisation: c.Other.ID, Role: visit.RoleApprover}, app.BoardFilter{Day: day}, 0},
		"of another provider": {&scenario.Actor{ID: "x", Organisation: c.Rival.ID, Role: visit.RoleDispatcher}, app.BoardFilter{Day: day}, 0},
		"the regulator":       {c.Association, app.BoardFilter{Day: day}, 1},
	} {
		if got := count(q.who, q.f); got != q.want {
			t.Errorf("%s: %d, want %d", name, got, q.want)
		}
	}
	if err := p.Freeze(t.Context(), c.Dispatcher, "other"); err != nil {
		t.Fatal(err)
	}
	if count(c.Risk, app.BoardFilter{Frozen: true}) != 1 || count(c.Risk, app.BoardFilter{Frozen: true, Day: day}) != 1 {
		t.Error("the risk desk does not find what is stopped")
	}
}

// A dispatcher sees whom each visit waits for: not himself while the price is not written or signed, since he could send nobody.
func TestTheBoardSaysWhoMustAct(t *testing.T) {
	d, p := deploy(t)
	scenes := append(scenario.Until(p.Install(), "door"), scenario.Scene{Name: "freeze", Run: func(ctx context.Context) error { return p.Freeze(ctx, d.Cast.Dispatcher, "other") }})
	want := map[string]string{"book": visit.RoleApprover, "offer": visit.RoleMerchant, "agree": visit.RoleDispatcher, "dispatch": visit.RoleDispatcher,
		"ask dispatch": visit.RoleMerchant, "freeze": visit.RoleRisk}
	for _, scene := range scenes {
		if err := scene.Run(t.Context()); err != nil {
			t.Fatalf("%s: %v", scene.Name, err)
		}
		role, there := want[scene.Name]
		if !there {
			continue
		}
		delete(want, scene.Name)
		for _, who := range []*scenario.Actor{d.Cast.Dispatcher, d.Cast.Approver} {
			if rows, _, err := d.App.Board(t.Context(), as(who), app.BoardFilter{}); err != nil || len(rows) != 1 || rows[0].Turn != role {
				t.Errorf("after %q %s sees %+v, %v; want %s", scene.Name, who.ID, rows, err, role)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("never came: %v", want)
	}
}

func TestWhomADispatcherMaySend(t *testing.T) {
	d, _ := bookedVisit(t)
	c := d.Cast
	list, err := d.App.Candidates(t.Context(), as(c.Dispatcher), "v1")
	if err != nil {
		t.Fatal(err)
	}
	find := func(id string) app.Candidate {
		i := slices.IndexFunc(list, func(k app.Candidate) bool { return k.Person == id })
		if i < 0 {
			t.Fatalf("%s is not among %+v", id, list)
		}
		return list[i]
	}
	if lan := find(c.Technician.ID); len(lan.Missing) != 0 || len(lan.Busy) != 0 || lan.Stopped || !lan.NoBadge || len(lan.Courses) != 2 {
		t.Errorf("%+v", lan)
	}
	if bo := find(c.Stranger.ID); len(bo.Missing) != 2 {
		t.Errorf("an untrained one: %+v", bo)
	}
	for _, who := range []*scenario.Actor{c.Approver, c.Merchant, c.Technician, {ID: "x", Organisation: c.Rival.ID, Role: visit.RoleDispatcher}} {
		if _, err := d.App.Candidates(t.Context(), as(who), "v1"); fault.CodeOf(err) != "visit_not_found" {
			t.Errorf("%s %s: %v", who.ID, who.Role, err)
		}
	}
	for _, who := range []*scenario.Actor{c.Approver, c.Technician} {
		if _, _, err := d.App.Technicians(t.Context(), as(who)); fault.CodeOf(err) != "access_denied" {
			t.Errorf("%s: %v", who.Role, err)
		}
	}
	_, err = d.App.Face(t.Context(), app.Actor{Person: "x", Organisation: c.Rival.ID, Role: visit.RoleDispatcher}, c.Technician.ID)
	code(t, err, "person_not_found")
	_, err = d.App.Face(t.Context(), as(c.Approver), c.Technician.ID)
	code(t, err, "access_denied")
}

// A technician's face is kept from his first dispatch on; every look at it is recorded.
func TestAFaceIsKeptAndLooksAreRecorded(t *testing.T) {
	d, p := bookedVisit(t)
	who := as(d.Cast.Dispatcher)
	if f, err := d.App.Face(t.Context(), who, d.Cast.Technician.ID); err != nil || f != (app.Face{}) {
		t.Errorf("%+v, %v", f, err)
	}
	if err := p.Assign(t.Context()); err != nil {
		t.Fatal(err)
	}
	f, err := d.App.Face(t.Context(), who, d.Cast.Technician.ID)
	if err != nil || f.Name.Value != d.Cast.NameOf(d.Cast.Technician) || f.Photo.Value == "" {
		t.Errorf("%+v, %v", f, err)
	}
}

// The address of the merchant's page is the acquirer's to send: nobody of the provider's gets it, and
// whoever may not see the visit does not learn that it exists.
func TestWhoMayMakeTheOrderLink(t *testing.T) {
	d, p := bookedVisit(t)
	if err := p.Assign(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := d.Cast
	link, err := d.App.OrderLink(t.Context(), as(c.Approver), "v1")
	if err != nil {
		t.Fatal(err)
	}
	who, err := d.App.Authenticate(t.Context(), link.Token, store.TokenLink)
	if err != nil || who.Person != c.Merchant.ID || who.Role != visit.RoleMerchant {
		t.Errorf("%+v, %v", who, err)
	}
	for want, list := range map[string][]*scenario.Actor{
		"access_denied":   {c.Dispatcher, c.Technician, c.Supervisor, c.Risk, c.Association},
		"visit_not_found": {{ID: "x", Organisation: c.Other.ID, Role: visit.RoleApprover}, {ID: "x", Organisation: c.Rival.ID, Role: visit.RoleDispatcher}},
	} {
		for _, by := range list {
			if l, err := d.App.OrderLink(t.Context(), as(by), "v1"); fault.CodeOf(err) != want || l.Token != "" {
				t.Errorf("%s %s: %v, want %s", by.ID, by.Role, err, want)
			}
		}
	}
}
