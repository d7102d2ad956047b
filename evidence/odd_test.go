package evidence_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// ledgerOf is the play's server, which records whatever it is given.
func ledgerOf(p *scenario.Play) *scenario.Ledger { return p.Venue.(*scenario.Ledger) }

// say has somebody sign a body and the server record it, past every check at intake.
func say(tb testing.TB, p *scenario.Play, who *scenario.Actor, stream, verb, kind string, body any) []byte {
	tb.Helper()
	return sayAs(tb, p, who, verb, scenario.Draft{Stream: stream, Type: kind, At: p.Now(), Body: body})
}

func sayAs(tb testing.TB, p *scenario.Play, who *scenario.Actor, verb string, d scenario.Draft) []byte {
	tb.Helper()
	envelope := who.Sign(d)
	if _, err := ledgerOf(p).Append(d.Stream, verb, envelope); err != nil {
		tb.Fatal(err)
	}
	return envelope
}

func of(who *scenario.Actor) string { return visit.StreamOrganisation + "/" + who.ID }

// nonsense is a body that no type has.
var nonsense = json.RawMessage(`{"nonsense":1}`)

// odd is one way in which a dossier is not in order, and what must come of it.
type odd struct {
	name string
	kind string // of visit; "" is an installation
	at   string // scene before which it is put in
	put  func(testing.TB, *scenario.Play)
	ask  string // what is then asked for
	by   string // condition that must fail; "" when the evidence itself is refused
	code string
}

func (o odd) run(t *testing.T) {
	t.Helper()
	kind := o.kind
	if kind == "" {
		kind = visit.Install
	}
	p := open(t, kind, 0)
	scenes := p.Install()
	if kind == visit.Inspection {
		scenes = p.Inspect()
	}
	ctx := context.Background()
	if err := scenario.Run(ctx, scenario.Until(scenes, o.at)); err != nil {
		t.Fatal(err)
	}
	o.put(t, p)
	answer, err := p.Ask(ctx, o.ask)
	if err != nil {
		t.Fatal(err)
	}
	if o.by == "" {
		if answer.Granted || answer.By != "" || answer.Code != o.code {
			t.Errorf("granted %v, %s by %q, want the evidence refused as %s", answer.Granted, answer.Code, answer.By, o.code)
		}
		return
	}
	if answer.Granted || answer.Failing[o.by] != o.code {
		t.Errorf("granted %v, %v, want %s to fail as %s", answer.Granted, answer.Failing, o.by, o.code)
	}
}

func TestEvidenceThatIsNotInOrderIsRefusedWhole(t *testing.T) {
	technician := func(p *scenario.Play) string { return visit.StreamPerson + "/" + p.Cast.Technician.ID }
	end := func(body any) func(testing.TB, *scenario.Play) {
		return func(tb testing.TB, p *scenario.Play) {
			say(tb, p, p.Cast.Provider, of(p.Cast.Provider), visit.EndEnrolment, statement.TypeEnrolmentEnd, body)
		}
	}
	enrol := func(edit func(*scenario.Play, *statement.Enrolment)) func(testing.TB, *scenario.Play) {
		return func(tb testing.TB, p *scenario.Play) {
			e := scenario.Enrolment(scenario.NewActor("new", p.Cast.Provider.ID, visit.RoleTechnician), p.Now())
			edit(p, &e)
			say(tb, p, p.Cast.Provider, of(p.Cast.Provider), visit.Enrol, statement.TypeEnrolment, e)
		}
	}
	for _, o := range []odd{
		{name: "a trust list that cannot be read", code: "json_unknown_name", put: func(tb testing.TB, p *scenario.Play) {
			say(tb, p, p.Cast.Association, of(p.Cast.Association), visit.Publish, credential.TypeTrustList, nonsense)
		}},
		{name: "a trust list in another role", code: "trust_list_wrong_role", put: func(tb testing.TB, p *scenario.Play) {
			sayAs(tb, p, p.Cast.Association, visit.Publish, scenario.Draft{Stream: of(p.Cast.Association), Type: credential.TypeTrustList, At: p.Now(),
				As: visit.RoleOrganisation, Body: p.Cast.TrustList(p.Now())})
		}},
		{name: "an enrolment that cannot be read", code: "json_unknown_name", put: func(tb testing.TB, p *scenario.Play) {
			say(tb, p, p.Cast.Provider, of(p.Cast.Provider), visit.Enrol, statement.TypeEnrolment, nonsense)
		}},
		{name: "an enrolment by nobody on the list", code: "key_not_enrolled", put: func(tb testing.TB, p *scenario.Play) {
			ghost := scenario.NewActor("svc-ghost", "svc-ghost", visit.RoleOrganisation)
			say(tb, p, ghost, of(ghost), visit.Enrol, statement.TypeEnrolment, scenario.Enrolment(ghost, p.Now()))
		}},
		{name: "an enrolment in another's name", code: "signer_role_differs", put: func(tb testing.TB, p *scenario.Play) {
			mask := scenario.NewActor(p.Cast.Provider.ID, p.Cast.Provider.ID, visit.RoleOrganisation)
			mask.Key = p.Cast.Rival.Key
			say(tb, p, mask, of(mask), visit.Enrol, statement.TypeEnrolment, scenario.Enrolment(p.Cast.Stranger, p.Now()))
		}},
		{name: "an enrolment kept by nobody", code: "enrolment_malformed", put: enrol(func(_ *scenario.Play, e *statement.Enrolment) { e.HeldBy = "somebody" })},
		{name: "an organisation's own key enrolled", code: "key_enrolled_twice", put: enrol(func(p *scenario.Play, e *statement.Enrolment) { e.Key = p.Cast.Rival.Public() })},
		{name: "an enrolment into another organisation", code: "enroller_not_entitled", put: enrol(func(p *scenario.Play, e *statement.Enrolment) { e.Organisation = p.Cast.Rival.ID })},
		{name: "an enrolment for a role that nobody enrols", code: "enroller_not_entitled", put: enrol(func(_ *scenario.Play, e *statement.Enrolment) { e.Role = visit.RolePlatform })},
		{name: "an end that cannot be read", code: "json_unknown_name", put: end(nonsense)},
		{name: "an end without a time", code: "time_malformed", put: end(statement.EnrolmentEnd{Key: "k", From: "soon", Reason: "left"})},
		{name: "an end by nobody on the list", code: "key_not_enrolled", put: func(tb testing.TB, p *scenario.Play) {
			ghost := scenario.NewActor("svc-ghost", "svc-ghost", visit.RoleOrganisation)
			say(tb, p, ghost, of(ghost), visit.EndEnrolment, statement.TypeEnrolmentEnd, statement.EnrolmentEnd{Key: "k", From: statement.At(p.Now()), Reason: "left"})
		}},
		{name: "a key used after its end", code: "statement_before_or_after_key", put: func(tb testing.TB, p *scenario.Play) {
			key := p.Cast.Dispatcher.Public().Thumbprint()
			end(statement.EnrolmentEnd{Key: key, From: statement.At(p.Now().Add(-time.Hour)), Reason: "compromised"})(tb, p)
			say(tb, p, p.Cast.Dispatcher, p.VisitStream(), visit.DispatchVerb, visit.TypeDispatch, p.Dispatch)
		}},
		{name: "a key used before it was enrolled", code: "enrolment_not_yet", put: func(tb testing.TB, p *scenario.Play) {
			early := scenario.NewActor("early", p.Cast.Provider.ID, visit.RoleDispatcher)
			e := scenario.Enrolment(early, p.Now())
			e.From = statement.At(p.Now().Add(time.Hour))
			say(tb, p, p.Cast.Provider, of(p.Cast.Provider), visit.Enrol, statement.TypeEnrolment, e)
			say(tb, p, early, p.VisitStream(), visit.DispatchVerb, visit.TypeDispatch, p.Dispatch)
		}},
		{name: "a key that lapsed before the statement came in", code: "enrolment_lapsed", put: func(tb testing.TB, p *scenario.Play) {
			short := scenario.NewActor("short", p.Cast.Provider.ID, visit.RoleDispatcher)
			e := scenario.Enrolment(short, p.Now())
			e.Until = statement.At(p.Now().Add(time.Minute))
			say(tb, p, p.Cast.Provider, of(p.Cast.Provider), visit.Enrol, statement.TypeEnrolment, e)
			d := scenario.Draft{Stream: p.VisitStream(), Type: visit.TypeDispatch, At: p.Now(), Body: p.Dispatch}
			p.Wait(time.Hour)
			sayAs(tb, p, short, visit.DispatchVerb, d)
		}},
		{name: "a statement from the future", code: "statement_from_future", put: func(tb testing.TB, p *scenario.Play) {
			sayAs(tb, p, p.Cast.Dispatcher, visit.DispatchVerb, scenario.Draft{Stream: p.VisitStream(), Type: visit.TypeDispatch, At: p.Now().Add(time.Hour), Body: p.Dispatch})
		}},
		{name: "a verb that is in no table", code: "verb_unknown", put: func(tb testing.TB, p *scenario.Play) {
			say(tb, p, p.Cast.Provider, of(p.Cast.Provider), "bypass", statement.TypeEnrolment, scenario.Enrolment(p.Cast.Stranger, p.Now()))
		}},
		{name: "a role that may not use its verb", code: "role_not_allowed", put: func(tb testing.TB, p *scenario.Play) {
			say(tb, p, p.Cast.Stranger, technician(p), visit.Train, registry.TypeCertificate, nonsense)
		}},
		{name: "publishing in another's name", code: "stream_of_another", put: func(tb testing.TB, p *scenario.Play) {
			say(tb, p, p.Cast.Rival, of(p.Cast.Acquirer), visit.Publish, registry.TypeMandate, nonsense)
		}},
		{name: "somebody enrolled whose signature is wrong", code: "signature_wrong", put: func(tb testing.TB, p *scenario.Play) {
			d := scenario.Draft{Stream: p.VisitStream(), Type: visit.TypeDispatch, At: p.Now(), Body: p.Dispatch}
			one, other := p.Cast.Dispatcher.Forge(d), p.Cast.Dispatcher.Forge(d)
			if _, err := ledgerOf(p).Append(d.Stream, visit.DispatchVerb, withSignatureOf(tb, one, other, p)); err != nil {
				tb.Fatal(err)
			}
		}},
	} {
		t.Run(o.name, func(t *testing.T) {
			o.at, o.ask = "dispatch", visit.AskDispatch
			o.run(t)
		})
	}
}

// withSignatureOf puts another statement's payload under an envelope's signature.
func withSignatureOf(tb testing.TB, one, _ []byte, p *scenario.Play) []byte {
	tb.Helper()
	d := p.Dispatch
	d.Serial = "00005704280117020000"
	other := p.Cast.Dispatcher.Forge(scenario.Draft{Stream: p.VisitStream(), Type: visit.TypeDispatch, At: p.Now(), Body: d})
	a, b := parseTree(tb, one), parseTree(tb, other)
	a.kids[1] = b.kids[1]
	return a.bytes()
}

func TestFactsThatAreNotInOrderFailTheirCondition(t *testing.T) {
	org := func(who func(*scenario.Cast) *scenario.Actor, kind string, body any) func(testing.TB, *scenario.Play) {
		return func(tb testing.TB, p *scenario.Play) {
			say(tb, p, who(p.Cast), of(who(p.Cast)), visit.Publish, kind, body)
		}
	}
	acquirer := func(c *scenario.Cast) *scenario.Actor { return c.Acquirer }
	for _, o := range []odd{
		{name: "a visit without its order", at: "book", ask: visit.AskDispatch, code: "kind_not_supported", put: func(tb testing.TB, p *scenario.Play) {
			say(tb, p, p.Cast.Approver, p.VisitStream(), visit.Book, visit.TypeOpened, visit.Opened{Visit: p.ID, Order: "o-nowhere", Basis: statement.Digest(nil)})
		}},
		{name: "parameters that cannot be read", at: "dispatch", ask: visit.AskDispatch, by: gate.TechnicianTrained, code: "json_unknown_name", put: org(acquirer, registry.TypeParameters, nonsense)},
		{name: "a certificate that cannot be read", at: "ask dispatch", ask: visit.AskDispatch, by: gate.TechnicianTrained, code: "json_unknown_name", put: func(tb testing.TB, p *scenario.Play) {
			say(tb, p, p.Cast.School, visit.StreamPerson+"/"+p.Cast.Technician.ID, visit.Train, registry.TypeCertificate, nonsense)
		}},
		{name: "somebody without any certificate", at: "dispatch", ask: visit.AskDispatch, by: gate.TechnicianTrained, code: "course_missing", put: func(_ testing.TB, p *scenario.Play) {
			p.Dispatch.Technician = p.Cast.Stranger.ID
			_ = p.Assign(context.Background())
		}},
		{name: "a mandate for no time", at: "dispatch", ask: visit.AskDispatch, by: gate.ProviderFiled, code: "mandate_two_hops", put: func(tb testing.TB, p *scenario.Play) {
			// The acquirer's mandate has no period and is passed over; of the others, one is the provider's own.
			p.Order.Provider = p.Cast.Rival.ID
			body := registry.Mandate{Provider: p.Cast.Provider.ID, From: statement.At(p.Now()), Until: statement.At(p.Now())}
			say(tb, p, p.Cast.Acquirer, of(p.Cast.Acquirer), visit.Publish, registry.TypeMandate, body)
			ledgerOf(p).Hide = func(e scenario.Told) bool { return e.Type == registry.TypeMandate && e.Number == 2 }
			if err := p.Mandate(context.Background(), p.Cast.Rival, p.Cast.Provider); err != nil {
				tb.Fatal(err)
			}
		}},
		{name: "a shop whose position was committed to as something else", at: "book", ask: visit.AskAdmit, by: gate.PlaceMatches, code: "opening_other_kind", put: func(tb testing.TB, p *scenario.Play) {
			shop := scenario.Hide("address", scenario.ShopPosition)
			p.Order.Position = shop.Commitment
			scenes := scenario.Instead(p.Install(), "book", func(ctx context.Context) error {
				d := scenario.Draft{Stream: p.OrderStream(), Type: visit.TypeOrder, At: p.Now(), Body: p.Order}
				order := p.Cast.Approver.Sign(d)
				if err := p.Venue.File(ctx, p.Cast.Approver, scenario.Filing{Stream: d.Stream, Verb: visit.Book, Envelope: order, Openings: []statement.Opening{shop.Opening}}); err != nil {
					return err
				}
				say(tb, p, p.Cast.Approver, p.VisitStream(), visit.Book, visit.TypeOpened, visit.Opened{Visit: p.ID, Order: p.Order.Order, Basis: statement.Digest(order)})
				return nil
			})
			if err := scenario.Run(context.Background(), scenario.Until(scenes, "ask admit")); err != nil {
				tb.Fatal(err)
			}
		}},
		{name: "nobody signed a sheet", at: "offer", ask: visit.AskDispatch, by: gate.AgreementSigned, code: "evidence_absent", put: func(testing.TB, *scenario.Play) {}},
		{name: "a revocation that cannot be read", at: "ask admit", ask: visit.AskAdmit, by: gate.TechnicianAdmitted, code: "json_unknown_name", put: func(tb testing.TB, p *scenario.Play) {
			say(tb, p, p.Cast.Provider, visit.StreamPerson+"/"+p.Cast.Technician.ID, visit.RevokeBadge, registry.TypeBadgeRevoked, nonsense)
		}},
		{name: "two status lists with one number", at: "ask admit", ask: visit.AskAdmit, by: gate.TechnicianAdmitted, code: "list_number_twice", put: func(tb testing.TB, p *scenario.Play) {
			p.Cast.ListNumber--
			if err := p.PublishStatus(context.Background()); err != nil {
				tb.Fatal(err)
			}
		}},
		{name: "a status list of another name", at: "ask admit", ask: visit.AskAdmit, by: gate.PlaceMatches, code: "place_outside", put: func(tb testing.TB, p *scenario.Play) {
			// It is passed over; what fails is the position of another phone at the door.
			say(tb, p, p.Cast.Provider, of(p.Cast.Provider), visit.Publish, registry.TypeStatusList, registry.StatusList{URI: "urn:other", Number: 9, Token: "x"})
			d, err := p.HonestDoor(context.Background())
			if err != nil {
				tb.Fatal(err)
			}
			d.PhoneAt = scenario.Elsewhere
			if err := p.Answer(context.Background(), d); err != nil {
				tb.Fatal(err)
			}
		}},
		{name: "an attestation that cannot be read", at: "ask trial", ask: visit.AskTrial, by: gate.DeviceGenuine, code: "json_unknown_name", put: func(tb testing.TB, p *scenario.Play) {
			say(tb, p, p.Cast.Platform, p.VisitStream(), visit.AttestDevice, attest.TypeAttestation, nonsense)
		}},
		{name: "an attestation of no challenge", at: "ask trial", ask: visit.AskTrial, by: gate.DeviceGenuine, code: "challenge_unknown", put: func(tb testing.TB, p *scenario.Play) {
			c := scenario.Challenge{Digest: statement.Digest(nil), Nonce: "AAAAAAAAAAAAAAAAAAAAAA=="}
			if err := p.Venue.Attest(context.Background(), p.ID, p.Device, c); err != nil {
				tb.Fatal(err)
			}
		}},
		{name: "an attestation of a door challenge", at: "ask trial", ask: visit.AskTrial, by: gate.DeviceGenuine, code: "challenge_other_purpose", put: func(tb testing.TB, p *scenario.Play) {
			ctx := context.Background()
			c, err := p.Venue.Challenge(ctx, p.Cast.Merchant, p.ID, visit.PurposeDoor)
			if err == nil {
				err = p.Venue.Attest(ctx, p.ID, p.Device, c)
			}
			if err != nil {
				tb.Fatal(err)
			}
		}},
		{name: "a backup by somebody else", at: "nothing to keep", ask: visit.AskTrial, by: gate.DataBackedUp, code: "signer_not_party", put: func(tb testing.TB, p *scenario.Play) {
			digest := statement.Digest([]byte("all"))
			say(tb, p, p.Cast.Stranger, p.VisitStream(), visit.BackUp, visit.TypeBackup, visit.Backup{Visit: p.ID, Manifest: digest, Restored: digest})
		}},
		{name: "an acceptance before any trial", at: "ask trial", ask: visit.AskTrial, by: "", code: "stage_not_fitting", put: func(tb testing.TB, p *scenario.Play) {
			say(tb, p, p.Cast.Host, p.VisitStream(), visit.ReportAcceptance, agreement.TypeAcceptance, nonsense)
			say(tb, p, p.Cast.Merchant, p.VisitStream(), visit.Abort, visit.TypeBrake, visit.Brake{Visit: p.ID, Reason: "enough"})
		}},
		{name: "charges by another acquirer's host", kind: visit.Inspection, at: "charges", ask: visit.AskClose, by: gate.FeesWithinSheet, code: "host_of_another", put: func(tb testing.TB, p *scenario.Play) {
			foreign := scenario.NewActor("host-linjiang", p.Cast.Other.ID, visit.RoleHost)
			say(tb, p, p.Cast.Other, of(p.Cast.Other), visit.Enrol, statement.TypeEnrolment, scenario.Enrolment(foreign, p.Now()))
			say(tb, p, foreign, p.VisitStream(), visit.ReportAcceptance, agreement.TypeChargeList, nonsense)
			confirm(tb, p)
		}},
		{name: "charges that cannot be read", kind: visit.Inspection, at: "charges", ask: visit.AskClose, by: gate.FeesWithinSheet, code: "json_unknown_name", put: func(tb testing.TB, p *scenario.Play) {
			say(tb, p, p.Cast.Host, p.VisitStream(), visit.ReportAcceptance, agreement.TypeChargeList, nonsense)
			confirm(tb, p)
		}},
		{name: "charges of another terminal", kind: visit.Inspection, at: "charges", ask: visit.AskClose, by: gate.FeesWithinSheet, code: "signer_not_party", put: func(tb testing.TB, p *scenario.Play) {
			p.Order.Terminal = "W9999999"
			list, err := p.Host.ListCharges(context.Background(), p)
			if err == nil {
				err = p.FileReport(context.Background(), list)
			}
			if err != nil {
				tb.Fatal(err)
			}
			confirm(tb, p)
		}},
		{name: "no charges at all", kind: visit.Inspection, at: "charges", ask: visit.AskClose, by: gate.FeesWithinSheet, code: "evidence_absent", put: confirm},
	} {
		t.Run(o.name, func(t *testing.T) { o.run(t) })
	}
}

func confirm(tb testing.TB, p *scenario.Play) {
	tb.Helper()
	if err := p.Confirm(context.Background(), nil); err != nil {
		tb.Fatal(err)
	}
}

// An order that was signed twice, or cannot be read, is no order.
func TestOneReadableOrder(t *testing.T) {
	for name, put := range map[string]func(*scenario.Play){
		"signed twice": func(p *scenario.Play) {
			say(t, p, p.Cast.Approver, p.OrderStream(), visit.Book, visit.TypeOrder, p.Order)
		},
	} {
		p := open(t, visit.Install, 0)
		if err := scenario.Run(t.Context(), scenario.Until(p.Install(), "ask dispatch")); err != nil {
			t.Fatal(err)
		}
		put(p)
		r := evidence.Judge(ledgerOf(p).Dossier(p.ID, 0), p.Trust, visit.AskDispatch, p.Now())
		if c, _ := r.Condition(gate.InstitutionLicensed); c.Code != "order_differs" {
			t.Errorf("%s: %+v", name, c)
		}
	}
	p := open(t, visit.Install, 0)
	order := say(t, p, p.Cast.Approver, p.OrderStream(), visit.Book, visit.TypeOrder, nonsense)
	say(t, p, p.Cast.Approver, p.VisitStream(), visit.Book, visit.TypeOpened, visit.Opened{Visit: p.ID, Order: p.Order.Order, Basis: statement.Digest(order)})
	r := evidence.Judge(ledgerOf(p).Dossier(p.ID, 0), p.Trust, visit.AskDispatch, p.Now())
	if r.Granted || fault.CodeOf(r.Refusal) != "kind_not_supported" {
		t.Errorf("an order that cannot be read: %v", r.Refusal)
	}
}

// A host's earlier report that fits no trial of this visit is passed over: what it says it took would
// count as outside the sheet.
func TestAnEarlierReportOfNoTrialIsPassedOver(t *testing.T) {
	p := open(t, visit.Install, 0)
	scenes := scenario.Before(p.Install(), "acceptance", func(ctx context.Context) error {
		stray, err := p.Host.(*scenario.InMemory).Core.Acceptance(p.ID, p.Order.Name, func(a *agreement.Acceptance) { a.Permit = statement.Digest(nil) })
		if err != nil {
			return err
		}
		return p.FileReport(ctx, stray)
	})
	if r := evidence.Verify(run(t, p, scenes).opened(t), p.Trust); !r.Accepted() || r.Stage != string(visit.Closed) {
		t.Errorf("%v", r.Refusal)
	}
}
