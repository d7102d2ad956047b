package app_test

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// namesakes are people of other organisations who are called as those of a visit are: each is somebody whom his own
// organisation lets in, as a rival's dispatcher lets in a technician of any id.
func namesakes(c *scenario.Cast) []*scenario.Actor {
	return []*scenario.Actor{scenario.NewActor(c.Merchant.ID, c.Other.ID, visit.RoleMerchant), scenario.NewActor(c.Merchant.ID+".anna", c.Other.ID, visit.RoleClerk),
		scenario.NewActor(c.Technician.ID, c.Rival.ID, visit.RoleTechnician), scenario.NewActor(c.Supervisor.ID, "sup-other", visit.RoleSupervisor)}
}

// A rival's dispatcher invites a technician of his own and calls him lan: an id that lan's employer has on file signs in
// for nobody else, by no invitation and by no token, and a token from before is over at once.
func TestAnIdOnFileSignsInForItsOwnOrganisationAlone(t *testing.T) {
	d, p := deploy(t)
	c, until := d.Cast, time.Now().Add(time.Hour)
	issue := func(a *scenario.Actor) (string, error) {
		_, secret, err := d.App.IssueToken(t.Context(), app.TokenGrant{Kind: store.TokenSession, Person: a.ID, Organisation: a.Organisation, Role: a.Role, Label: "x", Until: until})
		return secret, err
	}
	var early []string // before the merchant is on file
	for _, a := range namesakes(c)[:2] {
		secret, err := issue(a)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.App.Authenticate(t.Context(), secret, store.TokenSession); err != nil {
			t.Fatal(err)
		}
		early = append(early, secret)
	}
	if r, err := d.Register(t.Context(), p.Device.Model); err != nil {
		t.Fatal(err, r.Problems)
	}
	for _, secret := range early {
		if _, err := d.App.Authenticate(t.Context(), secret, store.TokenSession); fault.CodeOf(err) != "person_of_another_organisation" {
			t.Errorf("a session from before: %v", err)
		}
	}
	for _, a := range namesakes(c) {
		if _, err := issue(a); fault.CodeOf(err) != "person_id_taken" {
			t.Errorf("a token for %s of %s: %v", a.ID, a.Organisation, err)
		}
		if _, err := d.App.Invite(t.Context(), "operator", app.Invitation{Person: a.ID, Organisation: a.Organisation, Role: a.Role, Until: until}); fault.CodeOf(err) != "person_id_taken" {
			t.Errorf("an invitation for %s of %s: %v", a.ID, a.Organisation, err)
		}
	}
	rival := app.Actor{Person: "hai", Organisation: c.Rival.ID, Role: visit.RoleDispatcher}
	if _, err := d.App.InviteColleague(t.Context(), rival, app.Invitation{Person: c.Technician.ID, Role: visit.RoleTechnician, Until: until}); fault.CodeOf(err) != "person_id_taken" {
		t.Errorf("a rival's dispatcher invites lan: %v", err)
	}
	for _, a := range []*scenario.Actor{c.Merchant, c.Technician, c.Supervisor} {
		if _, err := issue(a); err != nil {
			t.Errorf("%s himself: %v", a.ID, err)
		}
	}
}

// Where nobody has the id on file yet, a name is still nobody: the namesake sees no visit, no list and no ticket, and a
// device in lan's hands is not in his.
func TestANamesakeIsNobody(t *testing.T) {
	d, p := deploy(t)
	if err := scenario.Run(t.Context(), p.Install()); err != nil {
		t.Fatal(err)
	}
	k, err := d.App.OpenTicket(t.Context(), as(d.Cast.Merchant), "", p.ID, "printing", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range namesakes(d.Cast)[:3] {
		by := as(a)
		if _, err := d.App.Visit(t.Context(), by, p.ID); fault.CodeOf(err) != "visit_not_found" {
			t.Errorf("%s of %s reads the visit: %v", a.ID, a.Organisation, err)
		}
		if list, _, err := d.App.Visits(t.Context(), by, app.Filter{}); err != nil || len(list) != 0 {
			t.Errorf("%s of %s lists %d, %v", a.ID, a.Organisation, len(list), err)
		}
		if _, err := d.App.Ticket(t.Context(), by, k.Row.ID); fault.CodeOf(err) != "ticket_not_found" {
			t.Errorf("%s of %s reads the ticket: %v", a.ID, a.Organisation, err)
		}
		if list, _, _ := d.App.Tickets(t.Context(), by, "", "", 0); len(list) != 0 {
			t.Errorf("%s of %s lists %d tickets", a.ID, a.Organisation, len(list))
		}
		if access.Decide(access.Role(a.Role), access.AnswerDoor, app.Relation(by, p.Order, visit.Dispatch{Technician: a.ID})).Allowed() {
			t.Errorf("%s of %s answers at the door", a.ID, a.Organisation)
		}
	}
}
