package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// deploy starts a deployment with an open city.
func deploy(t *testing.T) (*scenario.Deployment, *scenario.Play) {
	t.Helper()
	return deployOn(t, "")
}

// deployOn is deploy over a database; "" for SQLite in a folder of its own.
func deployOn(t *testing.T, database string) (*scenario.Deployment, *scenario.Play) {
	t.Helper()
	d, err := scenario.NewDeployment(t.Context(), scenario.DeploymentConfig{Dir: t.TempDir(), Database: database, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d, p
}

// enrolled is another organisation's person with a key that it vouches for.
func enrolled(t *testing.T, d *scenario.Deployment, org *scenario.Actor, id, role string) *scenario.Actor {
	t.Helper()
	a := scenario.NewActor(id, org.ID, role)
	submit(t, d, org, visit.StreamOrganisation+"/"+org.ID, visit.Enrol, statement.TypeEnrolment, scenario.Enrolment(a, time.Now()), "")
	return a
}

// submit signs a body and hands it to the app; want is the fault's code, "" for none. It gives the statement's
// digest.
func submit(t *testing.T, d *scenario.Deployment, by *scenario.Actor, stream, verb, kind string, body any, want string) string {
	t.Helper()
	envelope := by.Forge(scenario.Draft{Stream: stream, Type: kind, At: time.Now(), Body: body})
	_, err := d.App.Submit(t.Context(), app.Actor{Person: by.ID, Organisation: by.Organisation, Role: by.Role}, app.Submission{Stream: stream, Verb: verb, Envelope: envelope})
	if got := fault.CodeOf(err); got != want {
		t.Fatalf("%s %s by %s: %v, want %q", verb, stream, by.ID, err, want)
	}
	return statement.Digest(envelope)
}

func orderRow(t *testing.T, d *scenario.Deployment, id string) (store.Order, error) {
	t.Helper()
	var o store.Order
	err := d.Store.Read(t.Context(), func(tx *store.Tx) error {
		var err error
		o, err = tx.Order(t.Context(), id)
		return err
	})
	return o, err
}

func TestABookingSpeaksOfItsOwnOrderAlone(t *testing.T) {
	d, p := deploy(t)
	if err := p.Book(t.Context()); err != nil {
		t.Fatal(err)
	}
	rival := enrolled(t, d, d.Cast.Other, "hao", visit.RoleApprover)
	stolen := p.Order // another acquirer's order in the rival's own stream
	stolen.Acquirer = rival.Organisation
	submit(t, d, rival, "order/o-own", visit.Book, visit.TypeOrder, stolen, "order_of_other_acquirer")
	submit(t, d, rival, p.OrderStream(), visit.Book, visit.TypeOrder, stolen, "order_of_other_acquirer")
	foreign := p.Order // in the other acquirer's name
	foreign.Order = "o-own"
	submit(t, d, rival, "order/o-own", visit.Book, visit.TypeOrder, foreign, "order_of_other_acquirer")
	if o, err := orderRow(t, d, p.Order.Order); err != nil || o.Org != d.Cast.Acquirer.ID {
		t.Errorf("the order is now %q's: %v", o.Org, err)
	}
	if _, err := orderRow(t, d, "o-own"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a refused booking left a row: %v", err)
	}
	own := stolen
	own.Order = "o-own"
	submit(t, d, rival, "order/o-own", visit.Book, visit.TypeOrder, own, "")
}

func TestAPlannedOrderIsBookedByItsPlannerOnly(t *testing.T) {
	d, p := deploy(t)
	rival := enrolled(t, d, d.Cast.Other, "hao", visit.RoleApprover)
	plan(t, d, p)
	taken := p.Order
	taken.Acquirer = rival.Organisation
	submit(t, d, rival, p.OrderStream(), visit.Book, visit.TypeOrder, taken, "order_of_other_acquirer")
	submit(t, d, d.Cast.Approver, p.VisitStream(), visit.Book, visit.TypeOpened, visit.Opened{Visit: p.ID, Order: p.Order.Order, Basis: statement.Digest(nil)}, "order_not_found")
	if err := p.Book(t.Context()); err != nil {
		t.Fatal(err)
	}
	if o, err := orderRow(t, d, p.Order.Order); err != nil || o.State != app.OrderBooked {
		t.Errorf("the order is %q: %v", o.State, err)
	}
}

// plan writes the order's row as an imported sheet would.
func plan(t *testing.T, d *scenario.Deployment, p *scenario.Play) {
	t.Helper()
	err := d.Store.Write(t.Context(), func(tx *store.Tx) error {
		return tx.PutOrder(t.Context(), store.Order{Org: d.Cast.Acquirer.ID, ID: p.Order.Order, Provider: p.Order.Provider, Merchant: p.Order.Merchant,
			Shop: p.Order.Shop, Kind: p.Order.Kind, State: app.OrderPlanned, Doc: `{"机型":"TD20"}`})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatOneMayNotSeeDoesNotExistForHisStatementsEither(t *testing.T) {
	d, p := deploy(t)
	if err := p.Book(t.Context()); err != nil {
		t.Fatal(err)
	}
	rival := enrolled(t, d, d.Cast.Other, "hao", visit.RoleApprover)
	brake := visit.Brake{Visit: p.ID, Reason: "curious"}
	submit(t, d, rival, p.VisitStream(), visit.Freeze, visit.TypeBrake, brake, "visit_not_found")
	brake.Visit = "v-none"
	submit(t, d, rival, "visit/v-none", visit.Freeze, visit.TypeBrake, brake, "visit_not_found")
	submit(t, d, rival, p.OrderStream(), visit.Agree, "agreement", struct{}{}, "order_not_found")
	submit(t, d, rival, "order/o-none", visit.Agree, "agreement", struct{}{}, "order_not_found")
	// A party that may see the visit is told that it may not do this.
	submit(t, d, d.Cast.Dispatcher, p.VisitStream(), visit.Confirm, visit.TypeConfirmation, visit.Confirmation{Visit: p.ID}, "access_denied")
}

func TestAnOrdersValuesAreItsMerchants(t *testing.T) {
	d, p := deploy(t)
	if err := p.Book(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := d.Store.Read(context.Background(), func(tx *store.Tx) error {
		values, err := tx.VaultValues(t.Context(), d.Cast.Merchant.ID)
		if len(values) < 5 {
			t.Errorf("%d of the order's values are kept as the merchant's", len(values))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
