package evidence_test

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// clerkOf is a clerk of the play's merchant, with an enrolment that a test may spoil.
func (e *edge) clerkOf(name string) (*scenario.Actor, statement.Enrolment) {
	a := scenario.NewActor(e.Cast.Merchant.ID+"."+name, e.Cast.Acquirer.ID, visit.RoleClerk)
	return a, scenario.Enrolment(a, e.Now())
}

func TestEdgesOfClerks(t *testing.T) {
	for _, c := range []struct {
		name, code string
		act        func(*edge) string // gives the place
	}{
		{"let in by nobody's key", "key_not_enrolled", func(e *edge) string {
			_, body := e.clerkOf("anna")
			stranger := scenario.NewActor(e.Cast.Merchant.ID, e.Cast.Acquirer.ID, visit.RoleMerchant)
			return e.put(stranger, visit.Enrol, person(stranger), statement.TypeEnrolment, body)
		}},
		{"signed with another key", "signature_wrong", func(e *edge) string {
			_, body := e.clerkOf("anna")
			good := e.Cast.Merchant.Sign(scenario.Draft{Stream: person(e.Cast.Merchant), Type: statement.TypeEnrolment, Body: body, At: e.Now()})
			claims, err := statement.Parse(good)
			if err != nil {
				e.t.Fatal(err)
			}
			sig, err := statement.SignES256(e.Cast.Stranger.Key, statement.PAE(statement.PayloadType, claims.Payload()))
			if err != nil {
				e.t.Fatal(err)
			}
			bad, err := statement.Seal(claims.Payload(), e.Cast.Merchant.Public(), sig)
			if err != nil {
				e.t.Fatal(err)
			}
			return e.record(person(e.Cast.Merchant), visit.Enrol, bad)
		}},
		{"malformed", "json_unknown_name", func(e *edge) string {
			return e.put(e.Cast.Merchant, visit.Enrol, person(e.Cast.Merchant), statement.TypeEnrolment, nonsense)
		}},
		{"incomplete", "enrolment_malformed", func(e *edge) string {
			_, body := e.clerkOf("anna")
			body.HeldBy = "the shop"
			return e.put(e.Cast.Merchant, visit.Enrol, person(e.Cast.Merchant), statement.TypeEnrolment, body)
		}},
		{"of another name", "enroller_not_entitled", func(e *edge) string {
			_, body := e.clerkOf("anna")
			body.Holder = "he.anna"
			return e.put(e.Cast.Merchant, visit.Enrol, person(e.Cast.Merchant), statement.TypeEnrolment, body)
		}},
		{"with the technician's phone", "key_enrolled_twice", func(e *edge) string {
			_, body := e.clerkOf("anna")
			body.Key = e.Cast.Technician.Public()
			return e.put(e.Cast.Merchant, visit.Enrol, person(e.Cast.Merchant), statement.TypeEnrolment, body)
		}},
		{"with an organisation's key", "key_enrolled_twice", func(e *edge) string {
			_, body := e.clerkOf("anna")
			body.Key = e.Cast.Provider.Public()
			return e.put(e.Cast.Merchant, visit.Enrol, person(e.Cast.Merchant), statement.TypeEnrolment, body)
		}},
		{"end malformed", "json_unknown_name", func(e *edge) string {
			return e.put(e.Cast.Merchant, visit.EndEnrolment, person(e.Cast.Merchant), statement.TypeEnrolmentEnd, nonsense)
		}},
		{"end without a time", "time_malformed", func(e *edge) string {
			return e.put(e.Cast.Merchant, visit.EndEnrolment, person(e.Cast.Merchant), statement.TypeEnrolmentEnd, statement.EnrolmentEnd{Key: "k", From: "now", Reason: "left"})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := upTo(t, visit.Install, 0, "")
			e.refused(c.code, c.act(e))
		})
	}
}

// admits has the clerk sign the honest door check, and asks.
func (e *edge) admitsBy(clerk *scenario.Actor) {
	e.t.Helper()
	d, err := e.HonestDoor(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	d.Signer = clerk
	if err := e.Answer(e.t.Context(), d); err != nil {
		e.t.Fatal(err)
	}
}

// A merchant lets nobody else's people out.
func TestAMerchantEndsOnlyHisOwnClerks(t *testing.T) {
	e := upTo(t, visit.Install, 0, "door")
	anna, body := e.clerkOf("anna")
	e.put(e.Cast.Merchant, visit.Enrol, person(e.Cast.Merchant), statement.TypeEnrolment, body)
	end := statement.EnrolmentEnd{Key: e.Cast.Technician.Public().Thumbprint(), From: statement.At(e.Now().Add(-time.Hour)), Reason: "left"}
	e.put(e.Cast.Merchant, visit.EndEnrolment, person(e.Cast.Merchant), statement.TypeEnrolmentEnd, end)
	end.Key = "a key that is not here"
	e.put(e.Cast.Merchant, visit.EndEnrolment, person(e.Cast.Merchant), statement.TypeEnrolmentEnd, end)
	e.admitsBy(anna)
	if err := e.MustAsk(t.Context(), visit.AskAdmit); err != nil {
		t.Error(err)
	}
}

// A clerk's key counts no longer than the merchant's own: the acquirer ends that, and both are out.
func TestAClerkGoesWithTheMerchant(t *testing.T) {
	e := upTo(t, visit.Install, 0, "door")
	anna, body := e.clerkOf("anna")
	e.put(e.Cast.Merchant, visit.Enrol, person(e.Cast.Merchant), statement.TypeEnrolment, body)
	e.Wait(time.Hour)
	end := statement.EnrolmentEnd{Key: e.Cast.Merchant.Public().Thumbprint(), From: statement.At(e.Now().Add(-time.Minute)), Reason: "lost"}
	e.put(e.Cast.Acquirer, visit.EndEnrolment, org(e.Cast.Acquirer), statement.TypeEnrolmentEnd, end)
	where := e.put(anna, visit.Freeze, e.VisitStream(), visit.TypeBrake, visit.Brake{Visit: e.ID, Reason: "door"})
	e.refused("statement_before_or_after_key", where)
}

// An enrolment that reaches beyond the merchant's own ends with that.
func TestAClerkIsLetInNoLongerThanTheMerchant(t *testing.T) {
	e := upTo(t, visit.Install, 0, "")
	owner := scenario.NewActor("he", e.Cast.Acquirer.ID, visit.RoleMerchant)
	short := scenario.Enrolment(owner, e.Now())
	short.Organisation, short.Until = e.Cast.Acquirer.ID, statement.At(e.Now().Add(time.Hour))
	e.put(e.Cast.Acquirer, visit.Enrol, org(e.Cast.Acquirer), statement.TypeEnrolment, short)
	clerk := scenario.NewActor("he.bo", e.Cast.Acquirer.ID, visit.RoleClerk)
	e.put(owner, visit.Enrol, person(owner), statement.TypeEnrolment, scenario.Enrolment(clerk, e.Now()))
	e.Wait(2 * time.Hour)
	where := e.put(clerk, visit.Freeze, e.VisitStream(), visit.TypeBrake, visit.Brake{Visit: e.ID, Reason: "door"})
	e.refused("statement_before_or_after_key", where)
}

// Who is sent to the shop does not open its door himself, whatever the merchant calls him.
func TestTheTechnicianIsNoClerk(t *testing.T) {
	e := upTo(t, visit.Install, 0, "")
	lan := scenario.NewActor(e.Cast.Merchant.ID+"."+"lan", e.Cast.Provider.ID, visit.RoleTechnician)
	e.Cast.Technician = lan
	if err := e.OpenCity(t.Context()); err != nil { // the city's lists again, with this technician
		t.Fatal(err)
	}
	clerk := scenario.NewActor(lan.ID, e.Cast.Acquirer.ID, visit.RoleClerk)
	e.NewOrder(visit.Install, 0)
	if err := scenario.Run(t.Context(), scenario.Until(e.Install(), "ask dispatch")); err != nil {
		t.Fatal(err)
	}
	e.put(e.Cast.Merchant, visit.Enrol, person(e.Cast.Merchant), statement.TypeEnrolment, scenario.Enrolment(clerk, e.Now()))
	e.admitsBy(clerk)
	r := e.dossier()
	e.failsOn(r, visit.AskAdmit, gate.TechnicianAdmitted, "signer_not_party")
}

func TestEdgesOfTranscripts(t *testing.T) {
	e := upTo(t, visit.Install, 0, "dispatch") // nobody is sent yet
	d := e.Offline()
	d.Badge = []byte("~")
	if err := e.Answer(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	e.fails(visit.AskAdmit, gate.TechnicianAdmitted, "organisation_not_listed")
}

// A trust list that was replaced more than a day before the check confirms nothing, whenever the page
// says that it fetched it.
func TestASupersededTrustListConfirmsNothing(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		code  string
	}{{23 * time.Hour, ""}, {25 * time.Hour, "offline_trust_list_superseded"}} {
		e := upTo(t, visit.Install, 0, "")
		old := e.Cast.TrustNumber
		e.Cast.TrustNumber++
		if err := e.PublishTrustList(t.Context(), e.Cast.TrustList(e.Now())); err != nil {
			t.Fatal(err)
		}
		e.Wait(c.after)
		if err := e.PublishStatus(t.Context()); err != nil {
			t.Fatal(err)
		}
		e.NewOrder(visit.Install, 0)
		if err := scenario.Run(t.Context(), scenario.Until(e.Install(), "door")); err != nil {
			t.Fatal(err)
		}
		d := e.Offline()
		d.Transcript.TrustList = old
		if err := e.Answer(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if c.code != "" {
			e.fails(visit.AskAdmit, gate.TechnicianAdmitted, c.code)
		} else if err := e.MustAsk(t.Context(), visit.AskAdmit); err != nil {
			t.Error(err)
		}
	}
}

// honestAnswer is a door check that the technician has answered and nobody has signed yet.
func (e *edge) honestAnswer(t *testing.T) (*scenario.Door, evidence.DoorAnswer) {
	t.Helper()
	d, err := e.HonestDoor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shown, err := d.Present(e.Play)
	if err != nil {
		t.Fatal(err)
	}
	return d, evidence.DoorAnswer{Challenge: d.Challenge.Digest, Presentation: shown, AnsweredAt: e.Now()}
}

// What the merchant's screen shows before anybody signed is what the gate would say.
func TestAVerdictBeforeTheMerchantSigns(t *testing.T) {
	e := upTo(t, visit.Install, 0, "door")
	reader := evidence.NewReader(e.Trust)
	_, answer := e.honestAnswer(t)
	v := reader.Door(e.dossier(), answer)
	if v.Err() != nil || !statement.IsDigest(v.Position()) || v.ListAt().IsZero() {
		t.Errorf("%v, position %q, list of %v", v.Err(), v.Position(), v.ListAt())
	}
	for _, c := range []struct {
		name, code string
		dossier    func() evidence.Dossier
		spoil      func(*evidence.DoorAnswer)
	}{
		{"no challenge", "challenge_unknown", e.dossier, func(a *evidence.DoorAnswer) { a.Challenge = statement.Digest(nil) }},
		{"no answer", "badge_malformed", e.dossier, func(a *evidence.DoorAnswer) { a.Presentation = "" }},
		{"no entry", "event_malformed", func() evidence.Dossier { return evidence.Dossier{Visit: e.ID, Entries: []evidence.Entry{{}}} }, func(*evidence.DoorAnswer) {}},
		{"no list", "trust_list_absent", func() evidence.Dossier { return evidence.Dossier{Visit: e.ID} }, func(*evidence.DoorAnswer) {}},
		{"no order", "order_absent", func() evidence.Dossier {
			e.ledger.Hide = func(told scenario.Told) bool { return told.Stream == e.OrderStream() }
			defer func() { e.ledger.Hide = nil }()
			return e.dossier()
		}, func(*evidence.DoorAnswer) {}},
	} {
		a := answer
		c.spoil(&a)
		v := reader.Door(c.dossier(), a)
		isFault(t, c.name, v.Err(), c.code, "")
		if v.Position() != "" || !v.ListAt().IsZero() {
			t.Errorf("%s: says more than that", c.name)
		}
	}
	if err := e.RevokeBadge(t.Context(), e.Cast.Technician, 7); err != nil {
		t.Fatal(err)
	}
	isFault(t, "revoked", reader.Door(e.dossier(), answer).Err(), "badge_revoked", "")
	var none evidence.DoorVerdict
	isFault(t, "the zero value", none.Err(), "door_not_judged", "")
}

// A record of a badge that nobody can read may be the one that says whose it is: it is not "no record".
func TestABadgesRecordThatCannotBeRead(t *testing.T) {
	e := upTo(t, visit.Install, 0, "badge")
	e.put(e.Cast.Provider, visit.IssueBadge, person(e.Cast.Technician), registry.TypeBadgeIssued, nonsense)
	if err := scenario.Run(t.Context(), scenario.Until(scenario.From(e.Install(), "badge"), "door")); err != nil {
		t.Fatal(err)
	}
	d, answer := e.honestAnswer(t)
	v := evidence.NewReader(e.Trust).Door(e.dossier(), answer)
	isFault(t, "before the merchant signs", v.Err(), "json_unknown_name", "")
	if err := e.Answer(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	e.fails(visit.AskAdmit, gate.TechnicianAdmitted, "json_unknown_name")
}
