package visit_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// person is somebody with a role and a key.
type person struct {
	name, organisation, role string
	key                      *ecdsa.PrivateKey
	thumb                    string
}

func newPerson(name, organisation, role string) person {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return person{name, organisation, role, key, statement.KeyOf(&key.PublicKey).Thumbprint()}
}

const (
	visitID  = "v1"
	stream   = "visit/" + visitID
	acquirer = "acq-huaishan"
	rival    = "acq-linjiang"
	serial   = "00005704280117028119"
)

// noon is when everything happens: the state machine reads no clock, only order.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// The cast, made once. Everybody of the acquirer's side belongs to one acquirer; the two of a rival
// acquirer have keys and roles that are just as real.
var (
	chen       = newPerson("chen", acquirer, visit.RoleApprover)
	fang       = newPerson("fang", acquirer, visit.RoleRisk)
	host       = newPerson("host-huaishan", acquirer, visit.RoleHost)
	wei        = newPerson("wei", acquirer, visit.RoleMerchant)
	anna       = newPerson("wei.anna", acquirer, visit.RoleClerk)
	qiu        = newPerson("qiu", "svc-anzhuang", visit.RoleDispatcher)
	lan        = newPerson("lan", "svc-anzhuang", visit.RoleTechnician)
	gu         = newPerson("gu", "sup-mingjian", visit.RoleSupervisor)
	regulator  = newPerson("assoc", "assoc", visit.RoleRegulator)
	platform   = newPerson("menshen", "menshen", visit.RolePlatform)
	maker      = newPerson("mkr-tiandun", "mkr-tiandun", visit.RoleMaker)
	school     = newPerson("crs-pujiang", "crs-pujiang", visit.RoleCourseIssuer)
	custodian  = newPerson("store", "svc-anzhuang", visit.RoleCustodian)
	provider   = newPerson("svc-anzhuang", "svc-anzhuang", visit.RoleOrganisation)
	rivalRisk  = newPerson("yuan", rival, visit.RoleRisk)
	rivalHost  = newPerson("host-linjiang", rival, visit.RoleHost)
	everybody  = []person{chen, fang, host, wei, anna, qiu, lan, gu, regulator, platform, maker, school, custodian, provider}
	stageNames = []visit.Stage{visit.None, visit.Booked, visit.Dispatched, visit.Admitted, visit.Trial, visit.Live,
		visit.Closed, visit.Refused, visit.Aborted, visit.RolledBack}
)

// inRole finds the person of the cast who has a role.
func inRole(role string) person {
	return everybody[slices.IndexFunc(everybody, func(p person) bool { return p.role == role })]
}

// tester is what testing.T and rapid.T have in common here.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// says signs body in the person's name, after his last statement in the visit's state, and gives the
// verified statement.
func (p person) says(t tester, s visit.State, kind string, body any) statement.Verified {
	t.Helper()
	return p.saysIn(t, stream, s.LastBy(p.thumb), kind, body)
}

func (p person) saysIn(t tester, subject, previous, kind string, body any) statement.Verified {
	t.Helper()
	data, err := statement.Sign(p.key, statement.Unsigned{Type: kind, Subject: subject, Body: body,
		Header: statement.Header{Signer: p.name, Organisation: p.organisation, Role: p.role, At: statement.At(noon), Previous: previous}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := statement.Verify(data, statement.KeyOf(&p.key.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// story is a visit as it goes on: its state and the events that led there.
type story struct {
	t      tester
	state  visit.State
	events []visit.Event
}

func newStory(t tester) *story { return &story{t: t, state: visit.New(visitID)} }

// try decides and, if the statement may be recorded, records it.
func (s *story) try(by person, verb, kind string, body any) error {
	s.t.Helper()
	return s.record(verb, by.says(s.t, s.state, kind, body))
}

func (s *story) record(verb string, v statement.Verified) error {
	next, err := visit.Decide(s.state, verb, v, noon)
	if err != nil {
		return err
	}
	s.state = next
	s.events = append(s.events, visit.Event{Number: len(s.events) + 1, Verb: verb, ReceivedAt: noon, Statement: v})
	return nil
}

// must is try, and a refusal ends the test. It gives the statement's digest.
func (s *story) must(by person, verb, kind string, body any) string {
	s.t.Helper()
	v := by.says(s.t, s.state, kind, body)
	if err := s.record(verb, v); err != nil {
		s.t.Fatalf("%s %s by %s at %q: %v", verb, kind, by.role, s.state.Stage(), err)
	}
	return v.Digest()
}

func (s *story) book() *story {
	s.must(chen, visit.Book, visit.TypeOpened, opened())
	return s
}

func (s *story) dispatch() *story {
	s.must(qiu, visit.DispatchVerb, visit.TypeDispatch, dispatch())
	s.decide(visit.AskDispatch)
	return s
}

// decide records a decision at an ask under its own verb and gives its digest.
func (s *story) decide(ask string) string {
	s.t.Helper()
	return s.must(platform, visit.VerbOf(ask), visit.TypeDecision, decision(ask))
}

func (s *story) host(permit, outcome string) string {
	s.t.Helper()
	return s.must(host, visit.ReleasePermit, visit.TypeOutcome, outcomeOf(permit, outcome))
}

// at brings a new visit to a stage by the shortest honest way. From admitted on, a permit waits to be
// released.
func at(t tester, stage visit.Stage) *story {
	t.Helper()
	s := newStory(t)
	if stage == visit.None {
		return s
	}
	s.book()
	if stage == visit.Booked {
		return s
	}
	if stage == visit.Refused || stage == visit.Aborted || stage == visit.RolledBack {
		return s.end(stage)
	}
	s.dispatch()
	if stage == visit.Dispatched {
		return s
	}
	s.decide(visit.AskAdmit)
	trial := s.decide(visit.AskTrial)
	if stage == visit.Admitted {
		return s
	}
	s.host(trial, visit.Loaded)
	live := s.decide(visit.AskLive)
	if stage == visit.Trial {
		return s
	}
	s.host(live, visit.Loaded)
	if stage == visit.Closed {
		s.decide(visit.AskClose)
		return s
	}
	s.decide(visit.AskEnd)
	return s
}

func (s *story) end(stage visit.Stage) *story {
	switch stage {
	case visit.Refused:
		s.must(wei, visit.Refuse, visit.TypeRefusal, visit.Refusal{Visit: visitID, Reason: "wrong_person"})
	case visit.Aborted:
		s.must(qiu, visit.Abort, visit.TypeBrake, brake())
	default:
		s.must(lan, visit.RollBack, visit.TypeBrake, brake())
	}
	return s
}

func opened() visit.Opened {
	return visit.Opened{Visit: visitID, Order: "o1", Basis: statement.Digest([]byte("order"))}
}

func dispatch() visit.Dispatch {
	return visit.Dispatch{Visit: visitID, Technician: lan.name, Issuer: lan.organisation, Serial: serial,
		From: statement.At(noon), Until: statement.At(noon.Add(2 * time.Hour))}
}

func brake() visit.Brake { return visit.Brake{Visit: visitID, Reason: "unsafe"} }

// decision is a positive answer at an ask, with a permit exactly where the ask gives power.
func decision(ask string) visit.Decision {
	d := visit.Decision{Visit: visitID, Ask: ask, DecidedAt: statement.At(noon), Rules: visit.RulesVersion,
		Heads: []visit.Head{{Stream: stream, Number: 1, Event: statement.Digest(nil)}}, Evidence: []string{statement.Digest(nil)},
		Conditions: []visit.Held{{Condition: "nothing-open", Verdict: "holds", Basis: "attested"}}}
	if visit.VerbOf(ask) == visit.RequestPermit {
		d.Permit = &visit.Permit{Order: "o1", Serial: serial, DeviceKey: "key-1", Terminal: "W1489724", CapFen: 1, Until: statement.At(noon.Add(30 * time.Minute))}
		if ask == visit.AskEnd {
			d.Permit.DeviceKey, d.Permit.CapFen = "", 0
		}
	}
	return d
}

func outcomeOf(permit, outcome string) visit.Outcome {
	o := visit.Outcome{Visit: visitID, Permit: permit, Outcome: outcome, At: statement.At(noon)}
	if outcome == visit.Loaded {
		o.Serial, o.DeviceKey = serial, "key-1"
	}
	if outcome == visit.KeysEnded {
		o.Serial = serial
	}
	return o
}

// lastPermit is the digest of the last decision that gives power, "" for none.
func lastPermit(s visit.State) string {
	for _, d := range slices.Backward(s.Decisions()) {
		if d.Body.Permit != nil {
			return d.Event.Statement.Digest()
		}
	}
	return ""
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Fatalf("code %q, want %q (%v)", got, code, err)
	}
}
