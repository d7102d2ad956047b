package evidence_test

import (
	"context"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// watching is an installation of its own that is live and closed, and whose terminal is charged on.
type watching struct {
	*testing.T
	play   *scenario.Play
	ledger *scenario.Ledger
}

func (w watching) look() evidence.Watch {
	w.Helper()
	got, err := evidence.NewReader(w.play.Trust).Watch(w.ledger.Dossier(w.play.ID, 0), w.play.Now())
	if err != nil {
		w.Fatal(err)
	}
	return got
}

// listed has the host sign its list, and files it.
func (w watching) listed() {
	w.Helper()
	list, err := w.play.Host.ListCharges(context.Background(), w.play)
	if err == nil {
		err = w.play.FileReport(context.Background(), list)
	}
	if err != nil {
		w.Fatal(err)
	}
}

func (w watching) charged(c agreement.Charge) {
	w.Helper()
	if err := w.play.Host.(*scenario.InMemory).Core.Charge(w.play.Order.Terminal, c); err != nil {
		w.Fatal(err)
	}
}

// reported files the platform's incident about the newest list.
func (w watching) reported(list string) {
	w.Helper()
	p := w.play
	envelope := p.Cast.Platform.Sign(scenario.Draft{Stream: p.VisitStream(), Type: visit.TypeIncident, Answers: list, At: p.Now(),
		Body: visit.Incident{Visit: p.ID, Kind: "charged_outside"}})
	if err := p.Venue.File(context.Background(), p.Cast.Platform, scenario.Filing{Stream: p.VisitStream(), Verb: visit.ReportIncident, Envelope: envelope}); err != nil {
		w.Fatal(err)
	}
}

// For thirty days after a terminal went live, money that the sheet does not explain is found, and found to be
// new only until it was reported.
func TestChargesAreWatchedAfterwards(t *testing.T) {
	p := open(t, visit.Install, 0)
	whole := run(t, p, p.Install())
	w := watching{t, p, whole.ledger}
	if got := w.look(); got.List != "" || len(got.Outside) != 0 || got.Until.Sub(got.Since) != evidence.WatchedFor {
		t.Fatalf("before any list: %+v", got)
	}
	p.Wait(24 * time.Hour)
	w.listed()
	if got := w.look(); got.List == "" || len(got.Outside) != 0 || !got.Listed.Equal(p.Now().Truncate(time.Second)) {
		t.Fatalf("after an honest day: %+v", got)
	}
	p.Wait(24 * time.Hour)
	w.charged(agreement.Charge{At: statement.At(p.Now()), Code: "membership", AmountFen: 29900, Kind: agreement.ChargeOther, Reference: "m-1"})
	w.listed()
	got := w.look()
	if len(got.New) != 1 || got.New[0].Code != "charge_unlisted" || got.New[0].Charge.Reference != "m-1" {
		t.Fatalf("after a membership was taken: %+v", got)
	}
	w.reported(got.List)
	w.listed()
	if got := w.look(); len(got.Outside) != 1 || len(got.New) != 0 {
		t.Fatalf("what was reported is new again: %+v", got)
	}
	w.charged(agreement.Charge{At: statement.At(p.Now()), Code: "membership", AmountFen: 29900, Kind: agreement.ChargeOther, Reference: "m-2"})
	p.Wait(time.Hour)
	w.listed()
	if got := w.look(); len(got.Outside) != 2 || len(got.New) != 1 || got.New[0].Charge.Reference != "m-2" {
		t.Fatalf("after a second one: %+v", got)
	}
}

// A terminal that never went live has no charges to watch.
func TestNothingToWatchBeforeLive(t *testing.T) {
	p := open(t, visit.Install, 0)
	scenes := p.Install()
	w := watching{t, p, p.Venue.(*scenario.Ledger)}
	for i, s := range scenes[:len(scenes)-2] { // at the end live is granted, and the host has not answered
		if err := s.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if i > 6 {
			w.refused("watch_not_live")
		}
	}
}

func (w watching) refused(code string) {
	w.Helper()
	if _, err := evidence.NewReader(w.play.Trust).Watch(w.ledger.Dossier(w.play.ID, 0), w.play.Now()); fault.CodeOf(err) != code {
		w.Errorf("%v, want %s", err, code)
	}
}

// What cannot be compared is not called fine.
func TestAWatchThatCannotCompare(t *testing.T) {
	p := open(t, visit.Install, 0)
	w := watching{t, p, run(t, p, p.Install()).ledger}
	if _, err := evidence.NewReader(p.Trust).Watch(evidence.Dossier{Visit: p.ID, Entries: []evidence.Entry{{}}}, p.Now()); fault.CodeOf(err) != "event_malformed" {
		t.Error(err)
	}
	if _, err := new(evidence.Reader).Watch(w.ledger.Dossier(p.ID, 0), p.Now()); fault.CodeOf(err) != "trust_file_absent" {
		t.Error(err)
	}
	stranger := agreement.ChargeList{Visit: p.ID, Serial: p.Device.Serial, Terminal: "00000000", MerchantCode: p.Order.Items.MerchantCode,
		Since: p.Order.WindowFrom, ListedAt: statement.At(p.Now()), Charges: []agreement.Charge{}}
	envelope := p.Cast.Host.Sign(scenario.Draft{Stream: p.VisitStream(), Type: agreement.TypeChargeList, At: p.Now(), Body: stranger})
	if err := p.FileReport(context.Background(), envelope); err != nil {
		t.Fatal(err)
	}
	w.refused("signer_not_party")
	dearer := p.Sheet
	dearer.WarrantyMonths++
	if err := p.AgreeApprover(context.Background(), dearer); err != nil {
		t.Fatal(err)
	}
	w.refused("sheet_differs")
}
