package app_test

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// mount is a step as a phone signed it where there was no signal.
func mount(p *scenario.Play, sign func(scenario.Draft) []byte) app.Submission {
	body := visit.Step{Visit: p.ID, Step: "mount", Done: true, Photos: []visit.Photo{}}
	return app.Submission{Stream: p.VisitStream(), Verb: visit.RecordStep,
		Envelope: sign(scenario.Draft{Stream: p.VisitStream(), Type: visit.TypeStep, At: time.Now(), Body: body})}
}

func codes(list []app.Carried) []string {
	var out []string
	for _, c := range list {
		out = append(out, fault.CodeOf(c.Fault))
	}
	return out
}

func TestADispatcherCarriesWhatHisTechniciansSigned(t *testing.T) {
	d, p := dispatched(t)
	c := p.Cast
	first, second := mount(p, c.Technician.Sign), mount(p, c.Technician.Sign)
	mount(p, c.Technician.Sign) // lost with the phone's storage
	third := mount(p, c.Technician.Sign)
	list := []app.Submission{first, second, second, third, mount(p, c.Stranger.Forge), mount(p, c.Merchant.Forge), {Stream: p.VisitStream(), Verb: visit.RecordStep, Envelope: []byte("?")}}
	got, err := d.App.Carry(t.Context(), actor(c.Dispatcher), list)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"", "", "", "signer_chain_broken", "visit_not_found", "carried_of_another", "json_syntax"}
	for i, code := range codes(got) {
		if code != want[i] {
			t.Errorf("%d: %q, want %q", i, code, want[i])
		}
	}
	if !got[2].Accepted.Known || got[1].Accepted.Known {
		t.Errorf("the second time it was there already: %+v", got)
	}
	// It stands in the signer's name, as if he had brought it himself.
	w, err := d.App.Work(t.Context(), actor(c.Technician), p.ID)
	if err != nil || len(w.Done) != 2 || w.Done[0].By != visit.RoleTechnician {
		t.Errorf("%+v, %v", w.Done, err)
	}
}

func TestWhoCarries(t *testing.T) {
	d, p := dispatched(t)
	for _, who := range []*scenario.Actor{p.Cast.Technician, p.Cast.Merchant, p.Cast.Approver, p.Cast.Association} {
		if _, err := d.App.Carry(t.Context(), actor(who), nil); fault.CodeOf(err) != "carrier_not_dispatcher" {
			t.Errorf("%s: %v", who.ID, err)
		}
	}
	rival := scenario.NewActor("d-rival", p.Cast.Rival.ID, visit.RoleDispatcher)
	got, err := d.App.Carry(t.Context(), actor(rival), []app.Submission{mount(p, p.Cast.Technician.Forge)})
	if err != nil || codes(got)[0] != "carried_of_another" {
		t.Errorf("%v %v", got, err)
	}
	if _, err := d.App.Carry(t.Context(), actor(p.Cast.Dispatcher), make([]app.Submission, app.MaxCarried+1)); fault.CodeOf(err) != "carried_too_many" {
		t.Error(err)
	}
}

func TestWorkSaysWhatIsToDoAndWhatWasDone(t *testing.T) {
	d, p := dispatched(t)
	lan := actor(p.Cast.Technician)
	w, err := d.App.Work(t.Context(), lan, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if w.Kind != visit.Install || w.Ask != visit.AskAdmit || w.Watched != "remote" || len(w.Steps) != 4 || w.Steps[0] != (app.WorkStep{Step: "shopfront", By: visit.RoleTechnician, Photos: 1}) {
		t.Errorf("%+v", w)
	}
	if w.Parcel == nil || w.Parcel.Notice != p.Notice(p.Order.Order) {
		t.Errorf("the parcel is %+v", w.Parcel)
	}
	if err := p.CheckDoor(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := p.Notice(p.Order.Order)
	other.BagSeal = "B0000000"
	for _, n := range []custody.Notice{other, p.Notice(p.Order.Order)} {
		if err := p.Arrive(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	if w, err = d.App.Work(t.Context(), lan, p.ID); err != nil {
		t.Fatal(err)
	}
	if len(w.Done) != 3 || w.Done[0].Type != visit.TypeAdmission || w.Done[1].Good || !w.Done[2].Good {
		t.Errorf("%+v", w.Done)
	}
	if _, err := d.App.Work(t.Context(), actor(p.Cast.Stranger), p.ID); fault.CodeOf(err) != "visit_not_found" {
		t.Error(err)
	}
}

// A whole visit's work, up to the live terminal.
func TestWorkOfAWholeVisit(t *testing.T) {
	d, p := deploy(t)
	for _, scene := range p.Install() {
		if err := scene.Run(t.Context()); err != nil {
			t.Fatalf("%s: %v", scene.Name, err)
		}
	}
	w, err := d.App.Work(t.Context(), actor(p.Cast.Technician), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if w.Stage != string(visit.Closed) || w.Ask != "" || len(w.Permits) != 2 || w.Permits[0].Outcome != visit.Loaded || w.Permits[1].Ask != visit.AskLive {
		t.Errorf("%s, next %q, permits %+v", w.Stage, w.Ask, w.Permits)
	}
	if len(w.Attested) != 2 || w.Attested[0].AfterReport || !w.Attested[1].AfterReport || len(w.Reported) != 8 || w.Reported[0].Result != "passed" {
		t.Errorf("attested %v, reported %v", w.Attested, w.Reported)
	}
	for _, done := range w.Done {
		if !done.Good {
			t.Errorf("%+v", done)
		}
	}
}
