package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/ticket"
	"github.com/menshen-project/menshen/internal/visit"
)

// act does something about a ticket and wants a state, or a refusal's code.
func act(t *testing.T, d *scenario.Deployment, by *scenario.Actor, id, verb, reason, want string) {
	t.Helper()
	k, err := d.App.ActOnTicket(t.Context(), as(by), id, verb, reason, "")
	if err == nil && k.Row.State != want || err != nil && fault.CodeOf(err) != want {
		t.Fatalf("%s by %s: %q, %v, want %s", verb, by.ID, k.Row.State, err, want)
	}
}

// The printer stops: the shop says so, the provider answers, waits for a part, repairs; the shop says that it is
// not so, and in the end that it is.
func TestATicketFromReportToClose(t *testing.T) {
	d, p := deploy(t)
	if err := scenario.Run(t.Context(), p.Install()); err != nil {
		t.Fatal(err)
	}
	c := d.Cast
	const note = "打不出小票，客人在等"
	k, err := d.App.OpenTicket(t.Context(), as(c.Merchant), "", p.ID, "printing", note)
	if err != nil || k.Row.State != ticket.Opened || !k.Free || k.Response.DueAt.IsZero() || k.Resolution.DueAt.IsZero() {
		t.Fatalf("%+v, %v", k, err)
	}
	id := k.Row.ID
	act(t, d, c.Merchant, id, ticket.Answer, "", "access_denied")
	act(t, d, c.Dispatcher, id, ticket.Resolve, "", "ticket_not_at_that")
	act(t, d, c.Dispatcher, id, ticket.Answer, "", ticket.Answered)
	act(t, d, c.Dispatcher, id, ticket.Pause, "busy", "ticket_pause_reason")
	act(t, d, c.Dispatcher, id, ticket.Pause, "waits_for_part", ticket.Paused)
	act(t, d, c.Dispatcher, id, ticket.Continue, "", ticket.Answered)
	act(t, d, c.Dispatcher, id, ticket.Resolve, "", ticket.Resolved)
	act(t, d, c.Dispatcher, id, ticket.Close, "", "access_denied")
	act(t, d, c.Merchant, id, ticket.Reopen, "", ticket.Answered)
	act(t, d, c.Dispatcher, id, ticket.Resolve, "", ticket.Resolved)
	act(t, d, c.Merchant, id, ticket.Close, "", ticket.Closed)

	got, err := d.App.Ticket(t.Context(), as(c.Dispatcher), id)
	if err != nil || len(got.Events) != 8 || got.Events[0].Note != note || got.Events[2].Reason != "waits_for_part" {
		t.Errorf("%+v, %v", got.Events, err)
	}
	for _, who := range []*scenario.Actor{c.Merchant, c.Dispatcher, c.Approver, c.Risk, c.Association} {
		list, _, err := d.App.Tickets(t.Context(), as(who), "", "", 0)
		if err != nil || len(list) != 1 || list[0].State.Name() != ticket.Closed {
			t.Errorf("%s lists %d, %v", who.ID, len(list), err)
		}
	}
}

// A clerk at the till asks for help and reads the answer; whether it is mended the owner says.
func TestAClerkAsksForHelp(t *testing.T) {
	d, p := deploy(t)
	if err := p.Book(t.Context()); err != nil {
		t.Fatal(err)
	}
	ming := app.Actor{Person: d.Cast.Merchant.ID + ".k1", Organisation: d.Cast.Acquirer.ID, Role: visit.RoleClerk}
	elsewhere := app.Actor{Person: ming.Person, Organisation: d.Cast.Rival.ID, Role: visit.RoleClerk}
	k, err := d.App.OpenTicket(t.Context(), ming, "", p.ID, "printing", "打不出小票")
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := d.App.Tickets(t.Context(), ming, "", "", 0)
	if err != nil || len(list) != 1 || list[0].Row.ID != k.Row.ID {
		t.Errorf("the clerk lists %+v, %v", list, err)
	}
	if got, err := d.App.Ticket(t.Context(), ming, k.Row.ID); err != nil || got.Events[0].Note != "打不出小票" {
		t.Errorf("the clerk reads %+v, %v", got, err)
	}
	if _, err := d.App.ActOnTicket(t.Context(), ming, k.Row.ID, ticket.Close, "", ""); fault.CodeOf(err) != "access_denied" {
		t.Errorf("the clerk closes it: %v", err)
	}
	if list, _, err := d.App.Tickets(t.Context(), elsewhere, "", "", 0); err != nil || len(list) != 0 {
		t.Errorf("a clerk of another acquirer lists %d, %v", len(list), err)
	}
	if _, err := d.App.Ticket(t.Context(), elsewhere, k.Row.ID); fault.CodeOf(err) != "ticket_not_found" {
		t.Errorf("a clerk of another acquirer reads it: %v", err)
	}
	if _, _, err := d.App.Tickets(t.Context(), app.Actor{Person: "nobody", Role: visit.RoleClerk}, "", "", 0); fault.CodeOf(err) != "ticket_not_found" {
		t.Errorf("a clerk of nobody: %v", err)
	}
}

// What one has no part in does not exist; what is malformed is refused and leaves nothing.
func TestTicketsOfOthers(t *testing.T) {
	d, p := deploy(t)
	if err := p.Book(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := d.Cast
	k, err := d.App.OpenTicket(t.Context(), as(c.Merchant), "", p.ID, "other", "")
	if err != nil || !k.Response.DueAt.IsZero() || k.Free {
		t.Fatalf("without a signed sheet nothing is promised: %+v, %v", k, err)
	}
	rival := enrolled(t, d, c.Rival, "hai", visit.RoleDispatcher)
	for _, who := range []*scenario.Actor{rival, c.Technician} {
		if _, err := d.App.Ticket(t.Context(), as(who), k.Row.ID); fault.CodeOf(err) != "ticket_not_found" {
			t.Errorf("%s reads it: %v", who.ID, err)
		}
		act(t, d, who, k.Row.ID, ticket.Answer, "", "ticket_not_found")
	}
	if list, _, err := d.App.Tickets(t.Context(), as(rival), "", "", 0); err != nil || len(list) != 0 {
		t.Errorf("a rival lists %d, %v", len(list), err)
	}
	if _, _, err := d.App.Tickets(t.Context(), as(c.Technician), "", "", 0); fault.CodeOf(err) != "ticket_not_found" {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		by         *scenario.Actor
		visit      string
		kind, note string
		code       string
	}{
		"a kind nobody knows": {c.Merchant, p.ID, "weather", "", "ticket_kind_unknown"},
		"a stranger's kind":   {c.Merchant, p.ID, "device", strings.Repeat("长", 700), "ticket_note_too_long"},
		"another's visit":     {rival, p.ID, "device", "", "visit_not_found"},
		"no visit":            {c.Merchant, "v-none", "device", "", "visit_not_found"},
	} {
		if _, err := d.App.OpenTicket(t.Context(), as(c.by), "", c.visit, c.kind, c.note); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if list, _, err := d.App.Tickets(t.Context(), as(c.Merchant), ticket.Opened, "", 1); err != nil || len(list) != 1 {
		t.Errorf("refused tickets were kept: %d, %v", len(list), err)
	}
}

// A passer-by's report opens a ticket for the acquirer and freezes nothing.
func TestAStrangersReportFreezesNothing(t *testing.T) {
	d, p := deploy(t)
	if err := p.Book(t.Context()); err != nil {
		t.Fatal(err)
	}
	shop := store.Shop{ID: p.Order.Shop, Merchant: d.Cast.Merchant.ID}
	if _, err := d.App.OpenStrangerTicket(t.Context(), shop, d.Cast.Acquirer.ID, "有人在换机器"); err != nil {
		t.Fatal(err)
	}
	list, _, err := d.App.Tickets(t.Context(), as(d.Cast.Risk), "", "", 0)
	if err != nil || len(list) != 1 || list[0].Row.Kind != "stranger" {
		t.Errorf("%+v, %v", list, err)
	}
	if row, err := visitRow(t, d, p.ID); err != nil || row.Frozen {
		t.Errorf("a stranger froze a visit: %v", err)
	}
}

// A clerk's phone that the owner let in does not count, and is not shown to count, once the owner's own key ended.
func TestAClerksPhoneEndsWithTheOwnersKey(t *testing.T) {
	d, _ := deploy(t)
	c, wei := d.Cast, d.Cast.Merchant
	anna := scenario.NewActor(wei.ID+".anna", wei.Organisation, visit.RoleClerk)
	submit(t, d, wei, "person/"+wei.ID, visit.Enrol, statement.TypeEnrolment, scenario.Enrolment(anna, time.Now()), "")
	ended := func(want bool) {
		t.Helper()
		list, err := d.App.Clerks(t.Context(), as(wei))
		if err != nil || len(list) != 1 || list[0].Ended != want {
			t.Errorf("%+v, %v, want ended %v", list, err, want)
		}
	}
	ended(false)
	submit(t, d, c.Acquirer, "organisation/"+c.Acquirer.ID, visit.EndEnrolment, statement.TypeEnrolmentEnd,
		statement.EnrolmentEnd{Key: wei.Public().Thumbprint(), From: statement.At(time.Now()), Reason: "lost"}, "")
	ended(true)
}

// The server dies after it opened the ticket and before the shop hears of it. Asked again under the same name, it is
// the same ticket; under the same name for something else it is none.
func TestATicketWhoseAnswerIsLostIsOne(t *testing.T) {
	d, p := deploy(t)
	if err := p.Book(t.Context()); err != nil {
		t.Fatal(err)
	}
	by := as(d.Cast.Merchant)
	first, err := d.App.OpenTicket(t.Context(), by, "ask-1", p.ID, "printing", "打不出小票")
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.App.OpenTicket(t.Context(), by, "ask-1", p.ID, "printing", "打不出小票")
	if err != nil || again.Row != first.Row || again.State != first.State {
		t.Errorf("asked again: %+v, %v", again, err)
	}
	if _, err := d.App.OpenTicket(t.Context(), by, "ask-1", p.ID, "refund", ""); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the same name for something else: %v", err)
	}
	other := by
	other.Token = "another-sign-in"
	if k, err := d.App.OpenTicket(t.Context(), other, "ask-1", p.ID, "printing", ""); err != nil || k.Row.ID == first.Row.ID {
		t.Errorf("the same name of another sign-in: %v, %v", k.Row.ID, err)
	}
	if list, _, err := d.App.Tickets(t.Context(), by, "", "", 0); err != nil || len(list) != 2 {
		t.Errorf("%d tickets, %v", len(list), err)
	}
}
