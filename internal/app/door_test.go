package app_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/door"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
	"github.com/menshen-project/menshen/internal/visit"
)

// atDoor is a visit whose technician stands at the door.
type atDoor struct {
	*scenario.Deployment
	play *scenario.Play
	t    testing.TB
}

func doorOpened(t *testing.T) *atDoor {
	t.Helper()
	return doorOpenedOn(t, "")
}

func doorOpenedOn(t *testing.T, database string) *atDoor {
	t.Helper()
	d, p := deployOn(t, database)
	if err := scenario.Run(t.Context(), scenario.Until(p.Install(), "door")); err != nil {
		t.Fatal(err)
	}
	return &atDoor{d, p, t}
}

func (d *atDoor) ask() app.Issued {
	d.t.Helper()
	c, err := d.App.Challenge(d.t.Context(), actor(d.Cast.Merchant), d.play.ID, visit.PurposeDoor)
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

// answer is the technician's, at a position, with badge and key of somebody.
func (d *atDoor) answer(c app.Issued, by *scenario.Actor, where string) app.DoorAnswer {
	d.t.Helper()
	here := scenario.Hide(evidence.KindPosition, where)
	p, err := credential.Present(by.Key, d.play.Badge, credential.Binding{Audience: evidence.DoorAudience(d.play.ID), Nonce: c.Nonce, Order: d.play.Order.Order,
		Position: here.Commitment, At: time.Now()})
	if err != nil {
		d.t.Fatal(err)
	}
	return app.DoorAnswer{QR: c.QR, Presentation: string(p), Opening: &here.Opening}
}

func (d *atDoor) result(c app.Issued) app.DoorResult {
	d.t.Helper()
	r, err := d.App.Door(d.t.Context(), actor(d.Cast.Merchant), d.play.ID, c.Statement, c.ResultSecret, 0, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Errorf("got %v, want %q", err, code)
	}
}

func TestDoorCheckWithSignal(t *testing.T) {
	d := doorOpened(t)
	c := d.ask()
	if parsed, err := door.Parse(c.QR); err != nil || parsed.Nonce != c.Nonce || parsed.Visit != d.play.ID || c.SixDigits != door.SixDigits(d.play.ID, c.Nonce) {
		t.Errorf("the code says %+v, %v", parsed, err)
	}
	if r := d.result(c); r.Verdict != app.DoorWaiting || r.Name != "" {
		t.Errorf("before anybody answered: %+v", r)
	}
	in := d.answer(c, d.Cast.Technician, d.play.Shop.Position)
	done, err := d.App.AnswerDoor(t.Context(), actor(d.Cast.Technician), in)
	if err != nil || !done.Genuine || done.Code != "" {
		t.Fatalf("%+v, %v", done, err)
	}
	r := d.result(c)
	if r.Verdict != app.DoorGenuine || r.Name != d.Cast.NameOf(d.Cast.Technician) || r.PhotoType != "image/jpeg" || r.Company == "" || r.Job != visit.Install ||
		r.Metres != 0 || r.ListAgeSeconds < 0 || r.Grade != door.Confirmed {
		t.Errorf("the page shows %+v", r)
	}
	if r.Digits != done.Digits || r.Answer != statement.Digest([]byte(in.Presentation)) || r.Presentation != in.Presentation {
		t.Error("page and app do not show the same answer")
	}
	// What the page got is what the merchant's key signs; only that admits.
	submitAnswering(t, d.Deployment, d.Cast.Merchant, d.play.VisitStream(), c.Statement, visit.Admission{Challenge: c.Statement, Answer: r.Answer, Presentation: r.Presentation,
		Genuine: true, SameFace: true, Mode: visit.ModeOnline})
	if err := d.play.MustAsk(t.Context(), visit.AskAdmit); err != nil {
		t.Error(err)
	}
}

func submitAnswering(t *testing.T, d *scenario.Deployment, by *scenario.Actor, stream, answers string, body visit.Admission) {
	t.Helper()
	envelope := by.Sign(scenario.Draft{Stream: stream, Type: visit.TypeAdmission, Answers: answers, At: time.Now(), Body: body})
	if _, err := d.App.Submit(t.Context(), actor(by), app.Submission{Stream: stream, Verb: visit.Admit, Envelope: envelope}); err != nil {
		t.Fatal(err)
	}
}

func TestWhoMayAnswerAtTheDoor(t *testing.T) {
	d := doorOpened(t)
	c := d.ask()
	try := func(by *scenario.Actor, qr, code string) {
		t.Helper()
		in := d.answer(c, d.Cast.Technician, d.play.Shop.Position)
		in.QR = qr
		_, err := d.App.AnswerDoor(t.Context(), actor(by), in)
		wantCode(t, err, code)
	}
	parsed, err := door.Parse(c.QR)
	if err != nil {
		t.Fatal(err)
	}
	other := func(change func(*door.Challenge)) string {
		p := parsed
		change(&p)
		return p.Text()
	}
	try(d.Cast.Stranger, c.QR, "door_not_assigned")
	try(d.Cast.Merchant, c.QR, "door_not_assigned")
	try(d.Cast.Technician, "https://evil.example/", "challenge_text_foreign")
	try(d.Cast.Technician, other(func(p *door.Challenge) { p.Nonce = "AAAAAAAAAAAAAAAAAAAAAA==" }), "door_challenge_unknown")
	try(d.Cast.Technician, other(func(p *door.Challenge) { p.Visit = "v2" }), "door_challenge_unknown")
	try(d.Cast.Technician, other(func(p *door.Challenge) { p.Asked = p.Asked.Add(time.Second) }), "door_challenge_unknown")
	try(d.Cast.Technician, other(func(p *door.Challenge) { *p, _ = p.Seal(make([]byte, 32)) }), "door_answer_unfiled")
	stray := d.answer(c, d.Cast.Technician, d.play.Shop.Position)
	elsewhere := scenario.Hide(evidence.KindPosition, scenario.Elsewhere)
	stray.Opening = &elsewhere.Opening
	_, err = d.App.AnswerDoor(t.Context(), actor(d.Cast.Technician), stray)
	wantCode(t, err, "opening_stray")
	if r := d.result(c); r.Verdict != app.DoorWaiting {
		t.Errorf("a refused request used the challenge up: %+v", r)
	}
	try(d.Cast.Technician, c.QR, "")
	try(d.Cast.Technician, c.QR, "door_challenge_used")
}

// A wrong answer is a verdict: the merchant sees red and why, and the challenge is used up.
func TestAWrongAnswerIsRed(t *testing.T) {
	d := doorOpened(t)
	c := d.ask()
	done, err := d.App.AnswerDoor(t.Context(), actor(d.Cast.Technician), d.answer(c, d.Cast.Stranger, scenario.Elsewhere))
	if err != nil || done.Genuine || done.Code != "kb_signature" {
		t.Fatalf("%+v, %v", done, err)
	}
	r := d.result(c)
	if r.Verdict != app.DoorRefused || r.Code != "kb_signature" || r.Reason.Zh == "" || r.Name != "" || r.Photo != "" || r.Metres != -1 {
		t.Errorf("the page shows %+v", r)
	}
	_, err = d.App.AnswerDoor(t.Context(), actor(d.Cast.Technician), d.answer(c, d.Cast.Technician, d.play.Shop.Position))
	wantCode(t, err, "door_challenge_used")
}

// Whoever scans and was not sent warns the shop at once, and spoils nothing: the one who was sent answers the same code. An
// outsider, a shop and a crowd cannot make more of it.
func TestAScanByAnotherWarnsAndBurnsNothing(t *testing.T) {
	d := doorOpened(t)
	c := d.ask()
	scan := func(by app.Actor, code string) {
		t.Helper()
		_, err := d.App.AnswerDoor(t.Context(), by, app.DoorAnswer{QR: c.QR})
		wantCode(t, err, code)
	}
	warned := func(scans int, code, company string) {
		t.Helper()
		if r := d.result(c); r.Verdict != app.DoorWaiting || r.Scans != scans || r.Code != code || (r.Reason.Zh != "") != (code != "") || r.Company != company || r.Name+r.Photo != "" {
			t.Errorf("the page is told %+v", r)
		}
	}
	scan(actor(d.Cast.Merchant), "door_not_assigned")
	scan(app.Actor{Person: "hu", Organisation: d.Cast.Provider.ID, Role: visit.RoleDispatcher}, "door_not_assigned")
	scan(actor(d.Cast.Technician), "door_yours") // his phone is behind: he refreshes, and nobody is alarmed
	warned(0, "", "")

	rival := app.Actor{Person: "xu", Organisation: "svc-rival", Role: visit.RoleTechnician}
	scan(rival, "door_not_assigned")
	warned(1, "door_other_company", rival.Organisation)
	scan(rival, "door_not_assigned")
	warned(1, "door_other_company", rival.Organisation)
	for _, colleague := range []string{"bo", "cai", "di", "er", "fu", "guo"} {
		scan(app.Actor{Person: colleague, Organisation: d.Cast.Provider.ID, Role: visit.RoleTechnician}, "door_not_assigned")
	}
	warned(store.MaxDoorScans, "door_other_person", "安装到家（演示）")

	lan := d.Cast.Technician
	if done, err := d.App.AnswerDoor(t.Context(), actor(lan), d.answer(c, lan, d.play.Shop.Position)); err != nil || !done.Genuine {
		t.Fatalf("after all that, the one who was sent: %+v, %v", done, err)
	}
	if r := d.result(c); r.Verdict != app.DoorGenuine || r.Code != "" {
		t.Errorf("the page shows %+v", r)
	}
	scan(rival, "door_not_assigned") // and later ones are told to nobody
	if r := d.result(c); r.Verdict != app.DoorGenuine || r.Scans != 0 {
		t.Errorf("the page shows %+v", r)
	}
}

// A page that waits is told of a scan at once, and of each one once.
func TestAWaitingPageIsToldOfAScan(t *testing.T) {
	d := doorOpened(t)
	c := d.ask()
	told := make(chan app.DoorResult, 1)
	go func() {
		r, err := d.App.Door(t.Context(), actor(d.Cast.Merchant), d.play.ID, c.Statement, c.ResultSecret, 0, time.Minute)
		if err != nil {
			t.Error(err)
		}
		told <- r
	}()
	_, err := d.App.AnswerDoor(t.Context(), actor(d.Cast.Stranger), app.DoorAnswer{QR: c.QR})
	wantCode(t, err, "door_not_assigned")
	if r := <-told; r.Scans != 1 || r.Code != "door_other_person" {
		t.Errorf("told of %+v", r)
	}
	if r, err := d.App.Door(t.Context(), actor(d.Cast.Merchant), d.play.ID, c.Statement, c.ResultSecret, 1, time.Millisecond); err != nil || r.Verdict != app.DoorWaiting {
		t.Errorf("%+v, %v", r, err)
	}
}

// Two hundred different answers at once, to two nodes over one database, give one verdict: the one that was answered as stored.
func TestParallelAnswersGiveOneVerdict(t *testing.T) {
	for _, e := range storetest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			database := e.DSN(t)
			d := doorOpenedOn(t, database)
			second := d.App.Config
			second.Store = storetest.Open(t, database)
			nodes := []*app.App{d.App, app.New(second)}
			c := d.ask()
			var stored, used atomic.Int64
			var digits string
			var wg sync.WaitGroup
			for i := range 200 {
				in := d.answer(c, d.Cast.Technician, d.play.Shop.Position)
				wg.Go(func() {
					done, err := nodes[i%2].AnswerDoor(t.Context(), actor(d.Cast.Technician), in)
					switch fault.CodeOf(err) {
					case "":
						stored.Add(1)
						digits = done.Digits
					case "door_challenge_used":
						used.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if stored.Load() != 1 || used.Load() != 199 {
				t.Errorf("%d verdicts, %d refused", stored.Load(), used.Load())
			}
			if r := d.result(c); r.Verdict != app.DoorGenuine || r.Digits != digits {
				t.Errorf("%s with digits %s, the phone shows %s", r.Verdict, r.Digits, digits)
			}
		})
	}
}

func TestSixDigitsAreTriedOnce(t *testing.T) {
	d := doorOpened(t)
	spoken := func(by *scenario.Actor, digits, code string) string {
		t.Helper()
		text, err := d.App.SpokenDoor(t.Context(), actor(by), d.play.ID, digits)
		wantCode(t, err, code)
		return text
	}
	lan := d.Cast.Technician
	spoken(lan, "000000", "door_challenge_unknown")
	c := d.ask()
	spoken(d.Cast.Stranger, c.SixDigits, "visit_not_found")
	spoken(d.Cast.Dispatcher, c.SixDigits, "door_not_assigned")
	if got := spoken(lan, c.SixDigits, ""); got != c.QR {
		t.Errorf("got %q, want %q", got, c.QR)
	}
	spoken(lan, c.SixDigits, "door_challenge_used")
	if done, err := d.App.AnswerDoor(t.Context(), actor(lan), d.answer(c, lan, d.play.Shop.Position)); err != nil || !done.Genuine {
		t.Errorf("%+v, %v", done, err)
	}
	c = d.ask()
	spoken(lan, "12345", "door_digits_wrong")
	spoken(lan, c.SixDigits, "door_challenge_used")
	_, err := d.App.AnswerDoor(t.Context(), actor(lan), d.answer(c, lan, d.play.Shop.Position))
	wantCode(t, err, "door_challenge_used")
}

func TestOnlyThePageThatAskedReadsTheResult(t *testing.T) {
	d := doorOpened(t)
	c := d.ask()
	read := func(by *scenario.Actor, visitID, challenge, secret, code string) {
		t.Helper()
		_, err := d.App.Door(t.Context(), actor(by), visitID, challenge, secret, 0, 0)
		wantCode(t, err, code)
	}
	read(d.Cast.Merchant, d.play.ID, c.Statement, "another", "door_result_secret")
	read(d.Cast.Merchant, d.play.ID, statement.Digest(nil), c.ResultSecret, "door_challenge_unknown")
	read(d.Cast.Technician, d.play.ID, c.Statement, c.ResultSecret, "visit_not_found")
	read(d.Cast.Merchant, "v9", c.Statement, c.ResultSecret, "visit_not_found")
}

// Whoever waits is woken by the answer.
func TestTheResultComesByItself(t *testing.T) {
	d := doorOpened(t)
	c := d.ask()
	got := make(chan app.DoorResult, 1)
	go func() {
		r, err := d.App.Door(t.Context(), actor(d.Cast.Merchant), d.play.ID, c.Statement, c.ResultSecret, 0, time.Minute)
		if err != nil {
			t.Error(err)
		}
		got <- r
	}()
	if _, err := d.App.AnswerDoor(t.Context(), actor(d.Cast.Technician), d.answer(c, d.Cast.Technician, d.play.Shop.Position)); err != nil {
		t.Fatal(err)
	}
	if r := <-got; r.Verdict != app.DoorGenuine {
		t.Errorf("woken with %+v", r)
	}
}

func TestChallengesOfAVisitAreBounded(t *testing.T) {
	d := doorOpened(t)
	for range 30 {
		d.ask()
	}
	_, err := d.App.Challenge(t.Context(), actor(d.Cast.Merchant), d.play.ID, visit.PurposeDoor)
	wantCode(t, err, "door_too_many")
}

func TestTheOrderPackage(t *testing.T) {
	d := doorOpened(t)
	pack := func(by *scenario.Actor, code string) app.Package {
		t.Helper()
		p, err := d.App.Package(t.Context(), actor(by), d.play.ID)
		wantCode(t, err, code)
		return p
	}
	m, l := pack(d.Cast.Merchant, ""), pack(d.Cast.Technician, "")
	if m.OrderSecret == "" || m.OrderSecret != l.OrderSecret {
		t.Error("the two phones do not share a secret")
	}
	if m.Dispatch.TechnicianKey != d.Cast.Technician.Public().Thumbprint() || m.Issuer.Name == "" || m.TrustList.Number == 0 || m.StatusList.Token == "" || m.Openings.Name == nil || m.Openings.Shop == nil {
		t.Errorf("the package lacks something: %+v", m)
	}
	for commitment, opening := range map[string]statement.Opening{m.Dispatch.Name: *m.Openings.Name, m.Dispatch.Shop: *m.Openings.Shop, m.Dispatch.Photo: m.Photo} {
		if got, err := opening.Commitment(); err != nil || got != commitment {
			t.Errorf("%s opens another commitment", opening.Kind)
		}
	}
	pack(d.Cast.Dispatcher, "visit_not_found")
	pack(d.Cast.Stranger, "visit_not_found")
	err := d.Store.Read(t.Context(), func(tx *store.Tx) error {
		looks, err := tx.VaultLooks(t.Context(), d.Cast.Technician.ID, 10)
		if len(looks) == 0 {
			t.Error("nobody wrote down who looked at the photo")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// A check without signal by this package, on both sides.
	secret, err := statement.Base64(m.OrderSecret)
	if err != nil {
		t.Fatal(err)
	}
	c, err := door.Challenge{Visit: m.Visit, Nonce: "c2l4dGVlbiBieXRlcy4uLg==", Asked: time.Now()}.Seal(secret)
	if err != nil || c.Sealed(secret) != nil {
		t.Error(err)
	}
	// Reassigned, even to the same technician: the old secret seals nothing any more.
	again := d.play.Dispatch
	submit(t, d.Deployment, d.Cast.Dispatcher, d.play.VisitStream(), visit.Reassign, visit.TypeDispatch, again, "")
	if n := pack(d.Cast.Merchant, ""); n.OrderSecret == m.OrderSecret {
		t.Error("the secret survived a reassignment")
	}
}

func TestNobodySentNoPackage(t *testing.T) {
	d, p := deploy(t)
	if err := scenario.Run(t.Context(), scenario.Until(p.Install(), "dispatch")); err != nil {
		t.Fatal(err)
	}
	_, err := d.App.Package(t.Context(), actor(d.Cast.Merchant), p.ID)
	wantCode(t, err, "package_nobody_sent")
}

// The page found somebody genuine; the lists of now do not. The visit stops for a person to look.
func TestASecondJudgementThatDiffersStopsTheVisit(t *testing.T) {
	d := doorOpened(t)
	if err := d.play.RevokeBadge(t.Context(), d.Cast.Technician, 7); err != nil {
		t.Fatal(err)
	}
	if err := d.play.Answer(t.Context(), d.play.Offline()); err != nil {
		t.Fatal(err)
	}
	detail, err := d.App.Visit(t.Context(), actor(d.Cast.Merchant), d.play.ID)
	if err != nil || !detail.State.Frozen() || len(detail.State.Open()) != 1 {
		t.Errorf("frozen %v, open %v, %v", detail.State.Frozen(), detail.State.Open(), err)
	}
}

func TestAnHonestCheckWithoutSignalStopsNothing(t *testing.T) {
	d := doorOpened(t)
	if err := d.play.Answer(t.Context(), d.play.Offline()); err != nil {
		t.Fatal(err)
	}
	if err := d.play.MustAsk(t.Context(), visit.AskAdmit); err != nil {
		t.Error(err)
	}
}

// A nonce that a page made counts once in the whole deployment, whichever visit it stands in.
func TestAnOfflineNonceCountsOnceEverywhere(t *testing.T) {
	d := doorOpened(t)
	first := d.play.Offline()
	if err := d.play.Answer(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	other := d.Play(visit.Install, 1, "v2", "00005704280117028127", "W1489725")
	if err := scenario.Run(t.Context(), scenario.Until(other.Install(), "door")); err != nil {
		t.Fatal(err)
	}
	second := other.Offline()
	second.Transcript.Nonce = first.Transcript.Nonce
	wantCode(t, other.Answer(t.Context(), second), "door_nonce_used")
}

// The merchant's phone sees only the commitment to where the technician's is: the place cannot be judged until
// the technician's phone says what is behind it, and it may say so only of an answer that the merchant filed.
func TestAnAnswerWithoutSignalIsOpenedLater(t *testing.T) {
	d := doorOpened(t)
	off := d.play.Offline()
	c := app.Issued{Nonce: off.Transcript.Nonce}
	sealed, err := door.Challenge{Visit: d.play.ID, Nonce: c.Nonce, Asked: time.Now()}.Seal(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	c.QR = sealed.Text()
	in := d.answer(c, d.Cast.Technician, d.play.Shop.Position)
	open := func(by *scenario.Actor, in app.DoorAnswer, code string) {
		t.Helper()
		_, err := d.App.AnswerDoor(t.Context(), actor(by), in)
		wantCode(t, err, code)
	}
	open(d.Cast.Technician, in, "door_answer_unfiled")
	off.Replay = in.Presentation
	if err := d.play.Answer(t.Context(), off); err != nil {
		t.Fatal(err)
	}
	var denied *scenario.Denied
	if err := d.play.MustAsk(t.Context(), visit.AskAdmit); !errors.As(err, &denied) || denied.Answer.Failing["place-matches"] != "not_opened" {
		t.Fatalf("before the position is open: %v", err)
	}
	open(d.Cast.Stranger, in, "door_not_assigned")
	elsewhere, none := scenario.Hide(evidence.KindPosition, scenario.Elsewhere), in
	none.Opening = nil
	open(d.Cast.Technician, none, "opening_stray")
	none.Opening = &elsewhere.Opening
	open(d.Cast.Technician, none, "opening_stray")
	open(d.Cast.Technician, in, "")
	if err := d.play.MustAsk(t.Context(), visit.AskAdmit); err != nil {
		t.Error(err)
	}
}
