package app_test

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Owner and clerk both begin a check. Each page has a result of its own, and neither can read, answer for or burn the other's.
func TestTwoPhonesOfOneShopAskAtOnce(t *testing.T) {
	d := doorOpened(t)
	anna := scenario.NewActor(d.Cast.Merchant.ID+".anna", d.Cast.Acquirer.ID, visit.RoleClerk)
	if err := d.play.LetIn(t.Context(), anna); err != nil {
		t.Fatal(err)
	}
	owners := d.ask()
	clerks, err := d.App.Challenge(t.Context(), actor(anna), d.play.ID, visit.PurposeDoor)
	if err != nil {
		t.Fatal(err)
	}
	lan := d.Cast.Technician
	// The owner reads his six digits out; they are not those of the last code, which is the one that is tried, once.
	_, err = d.App.SpokenDoor(t.Context(), actor(lan), d.play.ID, owners.SixDigits)
	wantCode(t, err, "door_digits_wrong")
	_, err = d.App.AnswerDoor(t.Context(), actor(lan), d.answer(clerks, lan, d.play.Shop.Position))
	wantCode(t, err, "door_challenge_used")

	if done, err := d.App.AnswerDoor(t.Context(), actor(lan), d.answer(owners, lan, d.play.Shop.Position)); err != nil || !done.Genuine {
		t.Fatalf("%+v, %v", done, err)
	}
	if r := d.result(owners); r.Verdict != app.DoorGenuine {
		t.Errorf("the owner's page shows %+v", r)
	}
	read := func(challenge, secret string) (app.DoorResult, error) {
		return d.App.Door(t.Context(), actor(anna), d.play.ID, challenge, secret, 0, 0)
	}
	if r, err := read(clerks.Statement, clerks.ResultSecret); err != nil || r.Verdict != app.DoorWaiting || r.Name+r.Photo+r.Presentation != "" {
		t.Errorf("the clerk's page shows %+v, %v", r, err)
	}
	_, err = read(owners.Statement, clerks.ResultSecret)
	wantCode(t, err, "door_result_secret")
}

// One technician, two visits at one shop on one day: what he answers for the one is red at the other, and the result of
// the one is no result of the other.
func TestAnswersAreOfOneVisit(t *testing.T) {
	d := doorOpened(t)
	other := d.Play(visit.Install, 1, "v2", "00005704280117028127", "W1489725")
	if err := scenario.Run(t.Context(), scenario.Until(other.Install(), "door")); err != nil {
		t.Fatal(err)
	}
	here, lan := d.ask(), d.Cast.Technician
	there, err := d.App.Challenge(t.Context(), actor(d.Cast.Merchant), other.ID, visit.PurposeDoor)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.App.Door(t.Context(), actor(d.Cast.Merchant), other.ID, here.Statement, here.ResultSecret, 0, 0)
	wantCode(t, err, "door_challenge_unknown")
	_, err = d.App.SpokenDoor(t.Context(), actor(lan), other.ID, here.SixDigits)
	wantCode(t, err, "door_digits_wrong")

	where := scenario.Hide(evidence.KindPosition, d.play.Shop.Position)
	crossed, err := credential.Present(lan.Key, other.Badge, credential.Binding{Audience: evidence.DoorAudience(other.ID), Nonce: here.Nonce, Order: other.Order.Order,
		Position: where.Commitment, At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	done, err := d.App.AnswerDoor(t.Context(), actor(lan), app.DoorAnswer{QR: here.QR, Presentation: string(crossed)})
	if err != nil || done.Genuine || done.Code != "kb_audience" {
		t.Errorf("%+v, %v", done, err)
	}
	if r := d.result(here); r.Verdict != app.DoorRefused || r.Code != "kb_audience" || r.Name != "" {
		t.Errorf("the page shows %+v", r)
	}
	if r, err := d.App.Door(t.Context(), actor(d.Cast.Merchant), other.ID, there.Statement, there.ResultSecret, 0, 0); err != nil || r.Verdict != app.DoorWaiting {
		t.Errorf("the other visit's page shows %+v, %v", r, err)
	}
}

// A phone that heard no answer sends its transcript again, and again: it is one statement and one matter for a person.
func TestATranscriptThatComesTwiceIsOneMatter(t *testing.T) {
	d := doorOpened(t)
	if err := d.play.RevokeBadge(t.Context(), d.Cast.Technician, 7); err != nil {
		t.Fatal(err)
	}
	off := d.play.Offline()
	shown, err := off.Present(d.play)
	if err != nil {
		t.Fatal(err)
	}
	wei := d.Cast.Merchant
	envelope := wei.Sign(scenario.Draft{Stream: d.play.VisitStream(), Type: visit.TypeAdmission, Answers: off.Transcript.Dispatch, At: time.Now(), Body: visit.Admission{
		Answer: statement.Digest([]byte(shown)), Presentation: shown, Genuine: true, SameFace: true, Mode: visit.ModeOffline, Offline: off.Transcript}})
	var first app.Accepted
	for i := range 3 {
		got, err := d.App.Submit(t.Context(), actor(wei), app.Submission{Stream: d.play.VisitStream(), Verb: visit.Admit, Envelope: envelope})
		if err != nil || got.Known != (i > 0) || i > 0 && got.Event != first.Event {
			t.Errorf("sent %d times: %+v, %v", i+1, got, err)
		}
		if i == 0 {
			first = got
		}
	}
	detail, err := d.App.Visit(t.Context(), actor(wei), d.play.ID)
	if err != nil || !detail.State.Frozen() || len(detail.State.Open()) != 1 {
		t.Errorf("frozen %v, open %v, %v", detail.State.Frozen(), detail.State.Open(), err)
	}
}
