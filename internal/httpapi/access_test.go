package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// someone is an actor with the relation in which he stands to the visit v1 and its order, as a reader
// of the design would say; the server finds it by itself.
type someone struct {
	*scenario.Actor
	toVisit access.Relation
}

// everyone is an actor of every role, related to the visit and not.
func (w *world) everyone(t *testing.T) []someone {
	t.Helper()
	c := w.Cast
	enrolled := func(org *scenario.Actor, id, role string) *scenario.Actor {
		a := scenario.NewActor(id, org.ID, role)
		got := w.do(t, request{path: httpapi.PathOf(visit.StreamOrganisation, org.ID, visit.Enrol), by: org,
			body: signed(org, "organisation/"+org.ID, statement.TypeEnrolment, scenario.Enrolment(a, time.Now()))})
		if got.status != http.StatusCreated {
			t.Fatalf("%s: %d %s", id, got.status, got.body)
		}
		return a
	}
	return []someone{
		{c.Merchant, access.PartyMerchant}, {enrolled(c.Acquirer, "m-other", visit.RoleMerchant), access.None},
		{c.Technician, access.Assigned}, {c.Stranger, access.None}, {enrolled(c.Rival, "t-rival", visit.RoleTechnician), access.None},
		{c.Dispatcher, access.OwnOrganisation}, {enrolled(c.Rival, "d-rival", visit.RoleDispatcher), access.None},
		{c.Custodian, access.OwnOrganisation}, {enrolled(c.Rival, "w-rival", visit.RoleCustodian), access.None},
		{c.Approver, access.OwnOrganisation}, {enrolled(c.Other, "a-other", visit.RoleApprover), access.None},
		{c.Risk, access.OwnOrganisation}, {enrolled(c.Other, "r-other", visit.RoleRisk), access.None},
		{c.Host, access.OwnOrganisation}, {enrolled(c.Other, "h-other", visit.RoleHost), access.None},
		{c.Supervisor, access.Assigned}, {enrolled(c.Watch, "s-other", visit.RoleSupervisor), access.None},
		{c.Association, access.None}, {c.Maker, access.None}, {c.School, access.None}, {c.Acquirer, access.None}, {c.Provider, access.None},
		{scenario.NewActor(c.Merchant.ID+".anna", c.Acquirer.ID, "clerk"), access.PartyClerk},
		{scenario.NewActor("k-1", c.Acquirer.ID, "clerk"), access.None}, // nobody has let this clerk in
	}
}

// relation is how somebody stands to a stream of the walk.
func (s someone) relation(c *scenario.Cast, stream string) access.Relation {
	kind, id, _ := strings.Cut(stream, "/")
	switch kind {
	case visit.StreamOrganisation:
		if id == s.Organisation {
			return access.Self
		}
		return access.None
	case visit.StreamPerson:
		switch {
		case id == s.ID:
			return access.Self
		case s.Organisation == c.Provider.ID: // lan and bo are its people
			return access.OwnOrganisation
		}
		return access.None
	case visit.StreamDevice:
		return access.Self // who hands it over is custody's to say; who marks it, see marking
	}
	if s.toVisit == access.Assigned && strings.HasPrefix(stream, "order/") {
		return access.None // an order has no technician; a visit does
	}
	return s.toVisit
}

// marking is how somebody stands to the visit's device, which lan carries, to say that it is lost.
func (w *world) marking(who someone) access.Relation {
	switch {
	case who.ID == w.Cast.Technician.ID:
		return access.Self
	case who.Organisation == w.Cast.Provider.ID || who.Organisation == w.Cast.Acquirer.ID:
		return access.OwnOrganisation
	}
	return access.None
}

// streams of the walk, by kind; all of them exist.
func (w *world) streams() map[string][]string {
	return map[string][]string{visit.StreamVisit: {"visit/v1"}, visit.StreamOrder: {w.play.OrderStream()}, visit.StreamDevice: {w.play.DeviceStream()},
		visit.StreamPerson: {"person/lan", "person/bo"}, visit.StreamOrganisation: {"organisation/" + w.Cast.Acquirer.ID, "organisation/" + w.Cast.Association.ID}}
}

// denied says whether an answer hides or forbids; anything else comes from rules behind the door.
func denied(r reply) bool {
	return r.status == http.StatusForbidden || r.status == http.StatusNotFound || r.status == http.StatusUnauthorized
}

// Every role, every verb that is filed, related and not: the door of the API is the access table.
func TestEveryRoleAtEveryFilingVerb(t *testing.T) {
	w := dispatched(t, nil)
	if err := w.play.ShipDevice(t.Context()); err != nil {
		t.Fatal(err)
	}
	asked, let := 0, 0
	seen := map[string]bool{}
	for _, who := range w.everyone(t) {
		for _, row := range httpapi.Filed() {
			for _, stream := range w.streams()[row.Stream] {
				rel := who.relation(w.Cast, stream)
				if row.Stream == visit.StreamDevice && row.Verb != visit.Transfer {
					rel = w.marking(who)
				}
				_, id, _ := strings.Cut(stream, "/")
				got := w.do(t, request{path: httpapi.PathOf(row.Stream, id, row.Verb), by: who.Actor, body: signed(who.Actor, stream, row.Type, w.bodyFor(row, who.Actor))})
				want := !access.Decide(access.Role(who.Role), access.On(row.Stream, row.Verb), rel).Allowed()
				if denied(got) != want {
					t.Errorf("%s (%s, %s) files %s/%s on %s: %d %s", who.ID, who.Role, rel, row.Verb, row.Type, stream, got.status, got.body)
				}
				if hidden := row.Stream == visit.StreamVisit && want && !access.Decide(access.Role(who.Role), access.ReadVisit, rel).Allowed(); hidden && got.status != http.StatusNotFound {
					t.Errorf("%s learns from %d that the visit exists", who.ID, got.status)
				}
				asked++
				seen[row.Stream+row.Verb+who.Role] = true
				if !want {
					let++
				}
			}
		}
	}
	if asked < 500 || let < 80 {
		t.Errorf("%d asked, %d let in, %d pairs", asked, let, len(seen))
	}
}

// bodyFor is a body that gets as far as the question who may: malformed behind it, except where
// the relation itself is in the body.
func (w *world) bodyFor(row visit.Row, by *scenario.Actor) any {
	if row.Type != visit.TypeOrder {
		return struct{}{}
	}
	o := w.play.Order
	o.Acquirer = by.Organisation
	return o
}

// The operations that menshen carries out itself, and reading.
func TestEveryRoleAtEveryOtherOperation(t *testing.T) {
	w := dispatched(t, nil)
	if err := w.play.AgreeApprover(t.Context(), w.play.Sheet); err != nil {
		t.Fatal(err)
	}
	attestation := `{"challenge":"` + statement.Digest(nil) + `","purpose":"device","serial":"` + w.play.Device.Serial + `","format":"x509","proof":"AAAA"}`
	for _, who := range w.everyone(t) {
		for _, op := range []struct {
			verb         string
			method, path string
			body         string
		}{
			{visit.ChallengeVerb, http.MethodPost, "/v1/visits/v1/challenge", `{"purpose":"device"}`},
			{visit.AttestDevice, http.MethodPost, "/v1/visits/v1/attest_device", attestation},
			{visit.RequestPermit, http.MethodPost, "/v1/visits/v1/asks", `{"ask":"trial"}`},
			{visit.Close, http.MethodPost, "/v1/visits/v1/asks", `{"ask":"close"}`},
			{visit.Admit, http.MethodPost, "/v1/visits/v1/asks", `{"ask":"admit"}`},
			{visit.DispatchVerb, http.MethodPost, "/v1/visits/v1/asks", `{"ask":"dispatch"}`},
			{visit.RequestPermit, http.MethodPost, "/v1/visits/v1/release_permit", `{}`},
			{access.ReadVisit, http.MethodGet, "/v1/visits/v1", ""},
			{access.ReadPackage, http.MethodGet, "/v1/visits/v1/package", ""},
			{access.ReadVisit, http.MethodGet, "/v1/visits/v1/previous/" + who.Public().Thumbprint(), ""},
		} {
			got := w.do(t, request{method: op.method, path: op.path, by: who.Actor, body: op.body})
			role := access.Role(who.Role)
			want := !access.Decide(role, op.verb, who.toVisit).Allowed()
			if denied(got) != want {
				t.Errorf("%s (%s, %s) %s %s %s: %d %s", who.ID, who.Role, who.toVisit, op.method, op.path, op.body, got.status, got.body)
			}
			if !access.Decide(role, access.ReadVisit, who.toVisit).Allowed() && got.status != http.StatusNotFound {
				t.Errorf("%s learns from %d that the visit exists", who.ID, got.status)
			}
		}
		w.checkList(t, who)
	}
}

// checkList wants the visit in the list of exactly those who may read it.
func (w *world) checkList(t *testing.T, who someone) {
	t.Helper()
	got := w.do(t, request{method: http.MethodGet, path: "/v1/visits", by: who.Actor})
	sees := strings.Contains(string(got.body), `"id":"v1"`)
	may := access.Decide(access.Role(who.Role), access.ListVisits, who.toVisit).Allowed()
	if sees != may {
		t.Errorf("%s (%s, %s) sees the visit in the list: %v, may: %v (%d)", who.ID, who.Role, who.toVisit, sees, may, got.status)
	}
}
