package evidence_test

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/ticket"
	"github.com/menshen-project/menshen/internal/visit"
)

func TestWhatASheetPromises(t *testing.T) {
	p := install(t)
	got, err := evidence.NewReader(p.play.Trust).Promised(p.ledger.Dossier(p.play.ID, 0), p.play.Now())
	if err != nil {
		t.Fatal(err)
	}
	s := p.play.Sheet
	if got.Response != time.Duration(s.ResponseHours)*time.Hour || got.Resolution != time.Duration(s.ResolutionHours)*time.Hour {
		t.Errorf("%+v", got)
	}
	if months := got.Warranty.AddDate(0, -s.WarrantyMonths, 0); months.Before(began) || months.After(p.play.Now()) {
		t.Errorf("warranty until %v", got.Warranty)
	}
}

// Before it is live there is no warranty; without a sheet there is no promise; what cannot be read promises
// nothing and says so.
func TestNoPromise(t *testing.T) {
	p := open(t, visit.Install, 0)
	half := run(t, p, scenario.Until(p.Install(), "ask trial"))
	got, err := evidence.NewReader(p.Trust).Promised(half.ledger.Dossier(p.ID, 0), p.Now())
	if err != nil || !got.Warranty.IsZero() || got.Resolution == 0 {
		t.Errorf("before it is live: %+v, %v", got, err)
	}
	q := open(t, visit.Inspection, 0)
	looked := run(t, q, q.Inspect())
	if got, err := evidence.NewReader(q.Trust).Promised(looked.ledger.Dossier(q.ID, 0), q.Now()); err != nil || got != (ticket.Levels{}) {
		t.Errorf("an inspection: %+v, %v", got, err)
	}
	if _, err := evidence.NewReader(q.Trust).Promised(evidence.Dossier{Visit: q.ID, Entries: []evidence.Entry{{}}}, q.Now()); fault.CodeOf(err) != "event_malformed" {
		t.Error(err)
	}
	if _, err := new(evidence.Reader).Promised(looked.ledger.Dossier(q.ID, 0), q.Now()); fault.CodeOf(err) != "trust_file_absent" {
		t.Error(err)
	}
}
