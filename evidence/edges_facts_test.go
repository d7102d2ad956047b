package evidence_test

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

func TestEdgesOfTheOrder(t *testing.T) {
	t.Run("hidden", func(t *testing.T) {
		e := upTo(t, visit.Inspection, 0, "dispatch")
		e.hide(visit.TypeOrder)
		e.withoutOrder()
	})
	t.Run("twice", func(t *testing.T) {
		e := upTo(t, visit.Inspection, 0, "dispatch")
		e.put(e.Cast.Approver, visit.Book, e.OrderStream(), visit.TypeOrder, e.Order)
		e.fails(visit.AskDispatch, gate.InstitutionLicensed, "order_differs")
	})
	t.Run("malformed", func(t *testing.T) {
		e := upTo(t, visit.Inspection, 0, "")
		e.put(e.Cast.Approver, visit.Book, e.OrderStream(), visit.TypeOrder, nonsense)
		basis := statement.Digest(e.ledger.Stream(e.OrderStream())[0].Envelope)
		e.put(e.Cast.Approver, visit.Book, e.VisitStream(), visit.TypeOpened, visit.Opened{Visit: e.ID, Order: e.Order.Order, Basis: basis})
		e.withoutOrder()
	})
}

// withoutOrder demands that a visit whose order cannot be read is of no kind: nothing is even asked.
func (e *edge) withoutOrder() {
	e.t.Helper()
	r := evidence.Judge(e.dossier(), e.Trust, visit.AskDispatch, e.Now())
	if r.Granted || r.Kind != "" || r.Order().Order != "" || len(r.Conditions) > 0 || fault.CodeOf(r.Refusal) != "kind_not_supported" {
		e.t.Errorf("%+v: %v", r.Order(), r.Refusal)
	}
}

func TestEdgesOfDocuments(t *testing.T) {
	for _, c := range []struct {
		name, condition, code string
		act                   func(*edge)
	}{
		{"mandate reversed", gate.ProviderFiled, "mandate_absent", func(e *edge) {
			e.hideSoFar(registry.TypeMandate)
			e.put(e.Cast.Acquirer, visit.Publish, org(e.Cast.Acquirer), registry.TypeMandate,
				registry.Mandate{Provider: e.Cast.Provider.ID, From: statement.At(e.Now()), Until: statement.At(e.Now())})
		}},
		{"certificate malformed", gate.TechnicianTrained, "json_unknown_name", func(e *edge) {
			e.put(e.Cast.School, visit.Train, person(e.Cast.Technician), registry.TypeCertificate, nonsense)
		}},
		{"no certificate", gate.TechnicianTrained, "course_missing", func(e *edge) { e.hide(registry.TypeCertificate) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := upTo(t, visit.Install, 0, "ask dispatch")
			c.act(e)
			e.fails(visit.AskDispatch, c.condition, c.code)
		})
	}
}

func TestEdgesOfTheBadge(t *testing.T) {
	for _, c := range []struct {
		name, code string
		act        func(*edge)
	}{
		{"no status list", "status_list_absent", func(e *edge) { e.hide(registry.TypeStatusList) }},
		{"two versions of a number", "list_number_twice", func(e *edge) {
			e.Cast.ListNumber--
			e.put(e.Cast.Provider, visit.Publish, org(e.Cast.Provider), registry.TypeStatusList, e.Cast.StatusToken(e.Now()))
		}},
		{"status list malformed, the good one hidden", "status_list_absent", func(e *edge) {
			e.hideSoFar(registry.TypeStatusList)
			e.put(e.Cast.Provider, visit.Publish, org(e.Cast.Provider), registry.TypeStatusList, nonsense)
		}},
		{"revocation malformed", "json_unknown_name", func(e *edge) {
			e.put(e.Cast.Provider, visit.RevokeBadge, person(e.Cast.Technician), registry.TypeBadgeRevoked, nonsense)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := upTo(t, visit.Install, 0, "ask admit")
			c.act(e)
			e.fails(visit.AskAdmit, gate.TechnicianAdmitted, c.code)
		})
	}
}

func TestEdgesOfThePlace(t *testing.T) {
	e := upTo(t, visit.Install, 0, "")
	hidden := scenario.Hide("name", "not a position")
	e.Order.Position = hidden.Commitment
	if err := scenario.Run(t.Context(), scenario.Until(e.Install(), "ask dispatch")); err != nil {
		t.Fatal(err)
	}
	d := e.dossier()
	d.Openings = append(d.Openings, hidden.Opening)
	e.failsOn(d, visit.AskAdmit, gate.PlaceMatches, "opening_other_kind")
}

// A phone without a reading commits to the empty text: no reading, and no contradiction to the other phone's.
func TestAPhoneWithoutAReading(t *testing.T) {
	for _, c := range []struct{ page, code string }{{"", "place_no_reading"}, {"in the shop", ""}, {scenario.Elsewhere, "place_outside"}} {
		e := upTo(t, visit.Install, 0, "door")
		d, err := e.HonestDoor(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d.PhoneAt, d.Position = "", c.page
		if c.page == "in the shop" {
			d.Position = e.Shop.Position
		}
		if err := e.Answer(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if c.code != "" {
			e.fails(visit.AskAdmit, gate.PlaceMatches, c.code)
			continue
		}
		if got, ok := evidence.Preview(e.dossier(), e.Trust, visit.AskAdmit, e.Now()).Condition(gate.PlaceMatches); !ok || got.Verdict != string(gate.Holds) {
			t.Errorf("one reading in the shop: %+v", got)
		}
	}
}

func TestEdgesOfTheDevice(t *testing.T) {
	ctx := t.Context()
	put := func(e *edge, body any) {
		e.put(e.Cast.Platform, visit.AttestDevice, e.VisitStream(), attest.TypeAttestation, body)
	}
	for _, c := range []struct {
		name, code string
		act        func(*edge)
	}{
		{"malformed", "json_unknown_name", func(e *edge) { put(e, nonsense) }},
		{"challenge of nobody", "challenge_unknown", func(e *edge) {
			put(e, e.Device.Attestation(statement.Digest([]byte("no challenge")), visit.PurposeDevice, "AAAAAAAAAAAAAAAAAAAAAA=="))
		}},
		{"challenge for the door", "challenge_other_purpose", func(e *edge) {
			ch, err := e.Venue.Challenge(ctx, e.Cast.Merchant, e.ID, visit.PurposeDoor)
			if err != nil {
				e.t.Fatal(err)
			}
			put(e, e.Device.Attestation(ch.Digest, visit.PurposeDevice, ch.Nonce))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := upTo(t, visit.Install, 0, "attest")
			c.act(e)
			e.fails(visit.AskTrial, gate.DeviceGenuine, c.code)
		})
	}
}

func TestEdgesOfTheWork(t *testing.T) {
	t.Run("backup by a colleague", func(t *testing.T) {
		e := upTo(t, visit.Install, 0, "ask trial")
		e.put(e.Cast.Stranger, visit.BackUp, e.VisitStream(), visit.TypeBackup, visit.Backup{Visit: e.ID, Manifest: statement.Digest([]byte("m")), Restored: statement.Digest([]byte("m"))})
		e.fails(visit.AskTrial, gate.DataBackedUp, "signer_not_party")
	})
	t.Run("backup before the door", func(t *testing.T) {
		e := upTo(t, visit.Install, 0, "door")
		all := statement.Digest([]byte("all"))
		e.put(e.Cast.Technician, visit.BackUp, e.VisitStream(), visit.TypeBackup, visit.Backup{Visit: e.ID, Manifest: all, Restored: all})
		e.fails(visit.AskTrial, gate.DataBackedUp, "signed_too_early")
	})
	t.Run("acceptance before any trial permit", func(t *testing.T) {
		e := upTo(t, visit.Install, 0, "ask trial")
		e.put(e.Cast.Host, visit.ReportAcceptance, e.VisitStream(), agreement.TypeAcceptance, nonsense)
		e.fails(visit.AskLive, gate.AcceptancePassed, "trial_not_loaded")
	})
	list := func(e *edge) agreement.ChargeList {
		return agreement.ChargeList{Visit: e.ID, Serial: e.Device.Serial, Terminal: e.Order.Terminal, MerchantCode: e.Order.Items.MerchantCode,
			Since: e.Order.WindowFrom, ListedAt: statement.At(e.Now()), Charges: []agreement.Charge{}}
	}
	for _, c := range []struct {
		name, code string
		act        func(*edge)
	}{
		{"charges by another acquirer's host", "host_of_another", func(e *edge) {
			other := scenario.NewActor("host-linjiang", e.Cast.Other.ID, visit.RoleHost)
			e.put(e.Cast.Other, visit.Enrol, org(e.Cast.Other), statement.TypeEnrolment, scenario.Enrolment(other, e.Now()))
			e.put(other, visit.ReportAcceptance, e.VisitStream(), agreement.TypeChargeList, list(e))
		}},
		{"charges malformed", "json_unknown_name", func(e *edge) {
			e.put(e.Cast.Host, visit.ReportAcceptance, e.VisitStream(), agreement.TypeChargeList, nonsense)
		}},
		{"charges of another terminal", "signer_not_party", func(e *edge) {
			l := list(e)
			l.Terminal = "W0000000"
			e.put(e.Cast.Host, visit.ReportAcceptance, e.VisitStream(), agreement.TypeChargeList, l)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := upTo(t, visit.Inspection, 0, "charges")
			c.act(e)
			if err := e.Confirm(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			e.fails(visit.AskClose, gate.FeesWithinSheet, c.code)
		})
	}
}

func (e *edge) enrol(by *scenario.Actor, body any) string {
	return e.put(by, visit.Enrol, org(by), statement.TypeEnrolment, body)
}

func (e *edge) end(by *scenario.Actor, body any) string {
	return e.put(by, visit.EndEnrolment, org(by), statement.TypeEnrolmentEnd, body)
}

// keyringEdges record one statement each, for which no key of the keyring may answer.
var keyringEdges = []struct {
	name, code string
	act        func(*edge) string
}{
	{"trust list malformed", "json_unknown_name", func(e *edge) string {
		return e.put(e.Cast.Association, visit.Publish, org(e.Cast.Association), "trust_list", nonsense)
	}},
	{"trust list by a platform", "trust_list_wrong_role", func(e *edge) string {
		return e.put(e.Cast.Association, visit.Publish, org(e.Cast.Association), "trust_list", e.Cast.TrustList(e.Now()),
			func(d *scenario.Draft) { d.As = visit.RolePlatform })
	}},
	{"enrolment malformed", "json_unknown_name", func(e *edge) string { return e.enrol(e.Cast.Acquirer, nonsense) }},
	{"enrolment of nobody", "enrolment_malformed", func(e *edge) string {
		body := scenario.Enrolment(e.Cast.Merchant, e.Now())
		body.Holder = ""
		return e.enrol(e.Cast.Acquirer, body)
	}},
	{"enrolment of an organisation's own key", "key_enrolled_twice", func(e *edge) string {
		body := scenario.Enrolment(e.Cast.Merchant, e.Now())
		body.Key = e.Cast.Acquirer.Public()
		return e.enrol(e.Cast.Acquirer, body)
	}},
	{"end by an organisation that is not listed", "key_not_enrolled", func(e *edge) string {
		return e.end(scenario.NewActor("ghost", "ghost", visit.RoleOrganisation), statement.EnrolmentEnd{Key: "k", From: statement.At(e.Now()), Reason: "left"})
	}},
	{"end malformed", "json_unknown_name", func(e *edge) string { return e.end(e.Cast.Provider, nonsense) }},
	{"end at no time", "time_malformed", func(e *edge) string {
		return e.end(e.Cast.Provider, statement.EnrolmentEnd{Key: "k", From: "yesterday", Reason: "left"})
	}},
	{"a verb that does not take it", "verb_unknown", func(e *edge) string {
		return e.put(e.Cast.Dispatcher, visit.Freeze, e.VisitStream(), visit.TypeDispatch, e.Dispatch)
	}},
	{"a role that may not", "role_not_allowed", func(e *edge) string {
		return e.put(e.Cast.Merchant, visit.DispatchVerb, e.VisitStream(), visit.TypeDispatch, e.Dispatch)
	}},
	{"another organisation's stream", "stream_of_another", func(e *edge) string {
		return e.put(e.Cast.Rival, visit.Publish, org(e.Cast.Provider), registry.TypeMandate,
			registry.Mandate{Provider: "p", From: statement.At(e.Now()), Until: statement.At(e.Now().Add(time.Hour))})
	}},
	{"signed ahead of its receipt", "statement_from_future", func(e *edge) string {
		return e.put(e.Cast.Dispatcher, visit.DispatchVerb, e.VisitStream(), visit.TypeDispatch, e.Dispatch,
			func(d *scenario.Draft) { d.At = d.At.Add(6 * time.Minute) })
	}},
	{"signed before its key", "enrolment_not_yet", func(e *edge) string {
		return e.put(e.Cast.Dispatcher, visit.DispatchVerb, e.VisitStream(), visit.TypeDispatch, e.Dispatch,
			func(d *scenario.Draft) { d.At = d.At.Add(-25 * time.Hour) })
	}},
}

func TestEdgesOfTheKeyring(t *testing.T) {
	for _, c := range keyringEdges {
		t.Run(c.name, func(t *testing.T) {
			e := upTo(t, visit.Install, 0, "dispatch")
			e.refused(c.code, c.act(e))
		})
	}
}

// An organisation cannot end another's key: its word changes nothing.
func TestEdgesForeignEndOfAKey(t *testing.T) {
	e := upTo(t, visit.Install, 0, "ask dispatch")
	e.put(e.Cast.Rival, visit.EndEnrolment, org(e.Cast.Rival), statement.TypeEnrolmentEnd,
		statement.EnrolmentEnd{Key: e.Cast.Technician.Public().Thumbprint(), From: statement.At(e.Now().Add(-time.Hour)), Reason: "left"})
	if err := e.MustAsk(t.Context(), visit.AskDispatch); err != nil {
		t.Error(err)
	}
}
