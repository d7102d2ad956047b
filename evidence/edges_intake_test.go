package evidence_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// candidate takes a stream's last event out of the dossier, as Intake gets it: with the lists and
// enrolments, and what an order's stream held before.
func (e *edge) candidate(stream string) ([]evidence.Entry, evidence.Entry) {
	e.t.Helper()
	var context []evidence.Entry
	var last evidence.Entry
	n := len(e.ledger.Stream(stream))
	for _, x := range e.dossier().Entries {
		x.Receipt = ""
		switch event := eventOf(e.t, x); {
		case event.Stream == stream && event.Number == n:
			last = x
		case strings.HasPrefix(event.Stream, visit.StreamOrganisation+"/"), event.Stream == stream && strings.HasPrefix(stream, visit.StreamOrder+"/"):
			context = append(context, x)
		}
	}
	return context, last
}

func (e *edge) intake(stream string) (statement.Verified, error) {
	context, last := e.candidate(stream)
	return evidence.Intake(context, last, e.Trust, e.Now())
}

func TestEdgesOfIntake(t *testing.T) {
	e := upTo(t, visit.Install, 0, "ask dispatch")
	v, err := e.intake(e.VisitStream())
	if err != nil || v.Type() != visit.TypeDispatch || v.Header().Signer != e.Cast.Dispatcher.ID {
		t.Errorf("%q %v", v.Type(), err)
	}
	if v, err := e.intake(e.OrderStream()); err != nil || v.Type() != agreement.TypeAgreement {
		t.Errorf("%q %v", v.Type(), err)
	}
	context, last := e.candidate(e.VisitStream())
	none := func(what string, v statement.Verified, err error, code, where string) {
		t.Helper()
		isFault(t, what, err, code, where)
		if v.OK() {
			t.Errorf("%s: proven all the same", what)
		}
	}
	v, err = evidence.Intake(context, evidence.Entry{}, e.Trust, e.Now())
	none("an empty candidate", v, err, "event_malformed", "entry")
	v, err = evidence.Intake(nil, last, e.Trust, e.Now())
	none("no trust list", v, err, "trust_list_absent", "")
	list := slices.IndexFunc(context, func(x evidence.Entry) bool { return eventOf(t, x).Stream == org(e.Cast.Association) })
	v, err = evidence.Intake(context[list:list+1], last, e.Trust, e.Now())
	none("no enrolments", v, err, "key_not_enrolled", place(e.VisitStream(), 2))

	twin := scenario.NewActor(e.Cast.Approver.ID, e.Cast.Approver.Organisation, e.Cast.Approver.Role)
	twin.Key = e.Cast.Approver.Key // the same hand, forgetting what it signed before
	at := e.put(twin, visit.Agree, e.OrderStream(), agreement.TypeAgreement, agreement.Offer(e.Order.Order, e.Sheet))
	v, err = e.intake(e.OrderStream())
	none("a statement that names no previous one", v, err, "signer_chain_broken", at)
}

// Whoever was struck off still stops a device, and lets none go on.
func TestEdgesOfTheStruck(t *testing.T) {
	e := upTo(t, visit.Install, 0, "ask trial")
	mark := e.put(e.Cast.Technician, visit.Freeze, e.DeviceStream(), visit.TypeSuspension,
		visit.Suspension{Subject: e.Device.Serial, Reason: visit.MarkLost, Appeal: "12363"})
	marked := e.ledger.Stream(e.DeviceStream())
	digest := statement.Digest(marked[len(marked)-1].Envelope)
	lift := visit.Reinstatement{Subject: e.Device.Serial, Reason: "inspected", Closes: []string{digest}}
	list := e.Cast.TrustList(e.Now())
	struck := slices.IndexFunc(list.Organisations, func(o credential.Organisation) bool { return o.ID == e.Cast.Acquirer.ID })
	list.Organisations[struck].Struck = &credential.Struck{At: statement.At(e.Now()), Reason: "fraud"}
	if err := e.PublishTrustList(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	if _, err := e.intake(e.DeviceStream()); err != nil {
		t.Errorf("%s: %v", mark, err)
	}
	at := e.put(e.Cast.Risk, visit.Resume, e.DeviceStream(), visit.TypeReinstatement, lift)
	_, err := e.intake(e.DeviceStream())
	isFault(t, "lifted by the struck", err, "organisation_struck", at)
	// Recorded behind everybody's back, it lifts nothing either.
	a, err := e.Ask(t.Context(), visit.AskTrial)
	if got := a.Failing[gate.NothingOpen]; err != nil || got != "device_lost" {
		t.Errorf("nothing-open: %q, %v", got, err)
	}
}

// With a trust list past its date nothing is granted, but evidence and brakes still come in.
func TestEdgesOfAStaleTrustList(t *testing.T) {
	e := upTo(t, visit.Install, 0, "ask dispatch")
	early := e.Now().Add(-time.Hour)
	context, last := e.candidate(e.VisitStream())
	_, err := evidence.Intake(context, last, e.Trust, early)
	isFault(t, "before the list was made", err, "trust_list_not_yet", "")
	e.Wait(8 * 24 * time.Hour)
	r := evidence.Judge(e.dossier(), e.Trust, visit.AskDispatch, e.Now())
	if r.Granted || fault.CodeOf(r.Refusal) != "trust_list_stale" {
		t.Errorf("%v", r.Refusal)
	}
	e.put(e.Cast.Merchant, visit.Freeze, e.VisitStream(), visit.TypeBrake, visit.Brake{Visit: e.ID, Reason: "stranger"})
	if v, err := e.intake(e.VisitStream()); err != nil || v.Type() != visit.TypeBrake {
		t.Errorf("a brake does not come in: %v", err)
	}
	s, err := evidence.Stand(e.dossier(), e.Trust, e.Now())
	if err != nil || !s.Frozen() {
		t.Errorf("the visit does not stand: %v", err)
	}
	d := e.dossier()
	d.Entries[0].Event = "?"
	_, err = evidence.Stand(d, e.Trust, e.Now())
	isFault(t, "stand", err, "entry_malformed", "entry 1")
}

func TestEdgesOfJudge(t *testing.T) {
	e := upTo(t, visit.Install, 0, "ask trial")
	judge := func(edit func(*evidence.Dossier)) evidence.Report {
		d := e.dossier()
		edit(&d)
		r := evidence.Judge(d, e.Trust, visit.AskTrial, e.Now())
		if r.Granted || len(r.Conditions) > 0 || r.Decision().Ask != "" {
			t.Errorf("judged all the same: %+v", r)
		}
		return r
	}
	isFault(t, "no log size", judge(func(d *evidence.Dossier) { d.LogSize = 0 }).Refusal, "log_size_absent", "")
	at := 0
	isFault(t, "no receipt", judge(func(d *evidence.Dossier) {
		at = len(d.Entries) - 1
		d.Entries[at].Receipt = ""
	}).Refusal, "receipt_absent", "visit/")
	isFault(t, "an event is missing", judge(func(d *evidence.Dossier) { d.Entries = append(d.Entries[:at-1], d.Entries[at]) }).Refusal, "chain_gap", "visit/")
	isFault(t, "too many", judge(func(d *evidence.Dossier) { d.Entries = make([]evidence.Entry, 2001) }).Refusal, "bundle_too_many_entries", "")
}

func TestEdgesOfAConditionByName(t *testing.T) {
	e := upTo(t, visit.Install, 0, "ask dispatch")
	r := evidence.Preview(e.dossier(), e.Trust, visit.AskDispatch, e.Now())
	for _, want := range r.Conditions {
		if got, ok := r.Condition(want.Name); !ok || got.Name != want.Name || got.Verdict != want.Verdict {
			t.Errorf("%s: %+v", want.Name, got)
		}
	}
	if _, ok := r.Condition("asked-nicely"); ok || len(r.Conditions) == 0 {
		t.Error("a condition that nobody asks has an answer")
	}
	if d := r.Decision(); r.Granted || d.Ask != "" {
		t.Error("a preview decides")
	}
}
