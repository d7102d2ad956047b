package app_test

import (
	"context"
	"testing"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// sent is a visit whose technician is named but not yet allowed to go.
func sent(t *testing.T) (*scenario.Deployment, *scenario.Play) {
	t.Helper()
	d, p := deploy(t)
	agree := func(by func(context.Context, agreement.Sheet) error) func(context.Context) error {
		return func(ctx context.Context) error { return by(ctx, p.Sheet) }
	}
	for _, act := range []func(context.Context) error{p.Book, agree(p.AgreeApprover), agree(p.AgreeMerchant), p.ShipDevice, p.Assign} {
		if err := act(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return d, p
}

// nothingOpen asks for dispatch; want is why nothing-open fails, "" when all is granted.
func nothingOpen(t *testing.T, p *scenario.Play, want string) {
	t.Helper()
	a, err := p.Venue.Ask(t.Context(), p.Cast.Dispatcher, p.ID, visit.AskDispatch)
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Failing["nothing-open"]; got != want || a.Granted != (want == "") {
		t.Fatalf("nothing-open: %q, want %q (all: %v)", got, want, a.Failing)
	}
}

// A rival acquirer's risk desk can stop a provider for its own orders, and for nobody else's.
func TestAnotherAcquirersSuspensionCountsNotHere(t *testing.T) {
	d, p := sent(t)
	rong := enrolled(t, d, d.Cast.Other, "rong", visit.RoleRisk)
	submit(t, d, rong, "organisation/"+d.Cast.Provider.ID, visit.Freeze, visit.TypeSuspension,
		visit.Suspension{Subject: d.Cast.Provider.ID, Reason: "rating_failed", Appeal: "write to the risk desk"}, "")
	nothingOpen(t, p, "")
}

// A provider is stopped by its acquirer's risk desk and by the regulator, each for itself; and goes on when
// both have said so.
func TestASuspendedProviderSendsNobody(t *testing.T) {
	d, p := sent(t)
	id := d.Cast.Provider.ID
	stream := "organisation/" + id
	stop := visit.Suspension{Subject: id, Reason: "rating_failed", Appeal: "write to the risk desk"}
	lift := func(closes ...string) visit.Reinstatement {
		return visit.Reinstatement{Subject: id, Reason: "rating_passed", Closes: append([]string{}, closes...)}
	}
	submit(t, d, d.Cast.Dispatcher, stream, visit.Freeze, visit.TypeSuspension, stop, "access_denied")
	submit(t, d, d.Cast.Risk, stream, visit.Freeze, visit.TypeSuspension, visit.Suspension{Subject: d.Cast.Rival.ID, Reason: "r", Appeal: "a"}, "suspension_incomplete")
	own := submit(t, d, d.Cast.Risk, stream, visit.Freeze, visit.TypeSuspension, stop, "")
	regulators := submit(t, d, d.Cast.Association, stream, visit.Freeze, visit.TypeSuspension, stop, "")
	nothingOpen(t, p, "matter_open")

	for closes, want := range map[string]string{regulators: "reinstatement_by_another", statement.Digest([]byte("x")): "reinstatement_names_nothing"} {
		submit(t, d, d.Cast.Risk, stream, visit.Resume, visit.TypeReinstatement, lift(closes), want)
	}
	submit(t, d, d.Cast.Risk, stream, visit.Resume, visit.TypeReinstatement, lift(), "reinstatement_incomplete")
	submit(t, d, d.Cast.Risk, stream, visit.Resume, visit.TypeReinstatement, lift(own), "")
	nothingOpen(t, p, "matter_open")
	submit(t, d, d.Cast.Association, stream, visit.Resume, visit.TypeReinstatement, lift(regulators), "")
	nothingOpen(t, p, "")
}

func TestASuspendedMerchantGetsNoTerminal(t *testing.T) {
	d, p := sent(t)
	id := d.Cast.Merchant.ID
	own := submit(t, d, d.Cast.Risk, "person/"+id, visit.Freeze, visit.TypeSuspension, visit.Suspension{Subject: id, Reason: "fraud", Appeal: "write to the risk desk"}, "")
	nothingOpen(t, p, "matter_open")
	// It is nobody else's suspension either.
	submit(t, d, d.Cast.Risk, "organisation/"+d.Cast.Provider.ID, visit.Resume, visit.TypeReinstatement,
		visit.Reinstatement{Subject: d.Cast.Provider.ID, Reason: "r", Closes: []string{own}}, "reinstatement_names_nothing")
	submit(t, d, d.Cast.Risk, "person/"+id, visit.Resume, visit.TypeReinstatement, visit.Reinstatement{Subject: id, Reason: "cleared", Closes: []string{own}}, "")
	nothingOpen(t, p, "")
}
