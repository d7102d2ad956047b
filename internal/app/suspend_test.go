package app_test

import (
	"context"
	"slices"
	"strconv"
	"testing"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
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

// However many suspensions of its own a friendly acquirer piles up, they hide nobody else's that comes after.
func TestSuspensionsDoNotHideEachOther(t *testing.T) {
	d, p := sent(t)
	stream := "organisation/" + d.Cast.Provider.ID
	rong := enrolled(t, d, d.Cast.Other, "rong", visit.RoleRisk)
	for i := range 20 {
		submit(t, d, rong, stream, visit.Freeze, visit.TypeSuspension, visit.Suspension{Subject: d.Cast.Provider.ID, Reason: "paperwork", Appeal: "desk " + strconv.Itoa(i)}, "")
	}
	submit(t, d, d.Cast.Association, stream, visit.Freeze, visit.TypeSuspension, visit.Suspension{Subject: d.Cast.Provider.ID, Reason: "fraud", Appeal: "write"}, "")
	nothingOpen(t, p, "matter_open")
}

// A risk desk whose acquirer was struck off lifts nothing any more; what stops somebody is received from it all the same.
func TestTheStruckLiftNothing(t *testing.T) {
	d, p := sent(t)
	id := d.Cast.Provider.ID
	stop := visit.Suspension{Subject: id, Reason: "rating_failed", Appeal: "write to the risk desk"}
	own := submit(t, d, d.Cast.Risk, "organisation/"+id, visit.Freeze, visit.TypeSuspension, stop, "")
	list := d.Cast.TrustList(p.Now())
	for i := range list.Organisations {
		if list.Organisations[i].ID == d.Cast.Acquirer.ID {
			list.Organisations[i].Struck = &credential.Struck{At: statement.At(p.Now()), Reason: "fraud"}
		}
	}
	if err := p.PublishTrustList(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	submit(t, d, d.Cast.Risk, "organisation/"+id, visit.Resume, visit.TypeReinstatement, visit.Reinstatement{Subject: id, Reason: "r", Closes: []string{own}}, "organisation_struck")
	submit(t, d, d.Cast.Risk, "organisation/"+id, visit.Freeze, visit.TypeSuspension, stop, "")
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

// Whoever is concerned sees who is stopped, by whom, why, and how to object; a rival sees none of it. It is gone from
// the list when it is lifted, and what was stopped with a visit is there with it.
func TestTheListOfWhatIsStopped(t *testing.T) {
	d, p := sent(t)
	ctx, c := t.Context(), d.Cast
	if r, err := d.Register(ctx, p.Device.Model); err != nil {
		t.Fatal(err, r.Problems)
	}
	stop := visit.Suspension{Subject: c.Provider.ID, Reason: "rating_failed", Appeal: "write to the risk desk"}
	own := submit(t, d, c.Risk, "organisation/"+c.Provider.ID, visit.Freeze, visit.TypeSuspension, stop, "")
	submit(t, d, c.Association, "person/"+c.Merchant.ID, visit.Freeze, visit.TypeSuspension, visit.Suspension{Subject: c.Merchant.ID, Reason: "fraud", Appeal: "write"}, "")
	if err := p.Freeze(ctx, c.Dispatcher, "other"); err != nil {
		t.Fatal(err)
	}
	rival := app.Actor{Person: "x", Organisation: c.Other.ID, Role: visit.RoleRisk}
	for _, q := range []struct {
		name string
		who  app.Actor
		want int
	}{{"the risk desk", as(c.Risk), 4}, {"the provider's dispatcher", as(c.Dispatcher), 4}, {"the regulator", app.Actor{Person: c.Association.ID, Organisation: c.Association.ID, Role: visit.RoleRegulator}, 4}, {"another acquirer", rival, 1}} {
		list, next, err := d.App.AllSuspended(ctx, q.who, "", 0)
		if err != nil || len(list) != q.want || next != "" {
			t.Errorf("%s: %+v, %s, %v", q.name, list, next, err)
		}
	}
	var seen []string
	for cursor := ""; ; {
		list, next, err := d.App.AllSuspended(ctx, as(c.Risk), cursor, 1)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		seen = append(seen, list[0].SubjectKind+" "+list[0].Subject)
		if s := list[0]; s.Statement == own && (s.Reason != "rating_failed" || s.Appeal == "" || s.Signer != c.Risk.ID || !s.MayLift) {
			t.Errorf("%+v", s)
		} else if s.Statement != own && s.MayLift {
			t.Errorf("the risk desk may lift what is not its own: %+v", s)
		}
		if cursor = next; next == "" {
			break
		}
	}
	slices.Sort(seen)
	if want := []string{"device " + p.Device.Serial, "organisation " + c.Provider.ID, "person " + c.Technician.ID, "person " + c.Merchant.ID}; !slices.Equal(seen, want) {
		t.Errorf("page by page: %v, want %v", seen, want)
	}
	submit(t, d, c.Risk, "organisation/"+c.Provider.ID, visit.Resume, visit.TypeReinstatement, visit.Reinstatement{Subject: c.Provider.ID, Reason: "rating_passed", Closes: []string{own}}, "")
	if list, _, err := d.App.AllSuspended(ctx, as(c.Risk), "", 0); err != nil || len(list) != 3 {
		t.Errorf("%+v, %v", list, err)
	}
	if _, _, err := d.App.AllSuspended(ctx, as(c.Technician), "", 0); fault.CodeOf(err) != "access_denied" {
		t.Error(err)
	}
	for id, want := range map[string]string{c.Provider.ID: "", "nobody": "suspension_subject_unknown", "..": "suspension_subject_unknown"} {
		if s, err := d.App.Suspendable(ctx, as(c.Risk), "organisation", id); fault.CodeOf(err) != want {
			t.Errorf("%+v, %v", s, err)
		}
	}
	// The course issuer is on the trust list and nobody ever imported it: it is there, by the name that the list has.
	for _, listed := range []*scenario.Actor{c.School, c.Association} {
		if s, err := d.App.Suspendable(ctx, as(c.Risk), "organisation", listed.Organisation); err != nil || s.Name == "" || s.ID != listed.Organisation {
			t.Errorf("%s: %+v, %v", listed.Organisation, s, err)
		}
	}
	if s, err := d.App.Suspendable(ctx, as(c.Risk), "person", c.Merchant.ID); err != nil || s.Of != c.Acquirer.ID || s.Open != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := d.App.Suspendable(ctx, as(c.Approver), "person", c.Merchant.ID); fault.CodeOf(err) != "access_denied" {
		t.Error(err)
	}
}
