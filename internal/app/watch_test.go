package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/acquirer"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

func jobOf(t *testing.T, d *scenario.Deployment, key string) (store.Job, error) {
	t.Helper()
	var j store.Job
	err := d.Store.Read(t.Context(), func(tx *store.Tx) error {
		var err error
		j, err = tx.Job(t.Context(), app.JobWatch, key)
		return err
	})
	return j, err
}

// A terminal that went live is looked at every day. A membership that somebody takes in the second week
// becomes one incident, however often it is looked at, and freezes the visit for the risk desk.
func TestThirtyDaysOfWatch(t *testing.T) {
	d, p := deploy(t)
	if err := scenario.Run(t.Context(), p.Install()); err != nil {
		t.Fatal(err)
	}
	first, err := jobOf(t, d, p.ID+"#1")
	if err != nil || first.RunAt.Time().Before(time.Now().Add(23*time.Hour)) {
		t.Fatalf("the first look: %+v, %v", first, err)
	}
	look := func(day string) {
		t.Helper()
		if err := d.App.WatchCharges(t.Context(), p.ID, p.ID+"#"+day); err != nil {
			t.Fatal(err)
		}
	}
	look("1")
	if _, err := jobOf(t, d, p.ID+"#2"); err != nil {
		t.Fatalf("the second look is not planned: %v", err)
	}
	charge := agreement.Charge{At: statement.At(time.Now()), Code: "membership", AmountFen: 29900, Kind: agreement.ChargeOther, Reference: "m-1"}
	if err := d.Host.ChargeOrder(p.Order.Order, charge); err != nil {
		t.Fatal(err)
	}
	look("2")
	look("3")
	w, err := d.App.Watch(t.Context(), p.ID)
	if err != nil || len(w.Outside) != 1 || len(w.New) != 0 {
		t.Fatalf("%+v, %v", w, err)
	}
	if n := incidents(t, d, p.ID); n != 1 {
		t.Errorf("%d incidents about one charge", n)
	}
	row, err := visitRow(t, d, p.ID)
	if err != nil || !row.Frozen {
		t.Errorf("the visit is not frozen: %+v, %v", row, err)
	}
	look("29")
	look("30")
	if _, err := jobOf(t, d, p.ID+"#31"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a look after thirty days: %v", err)
	}
}

// A host that is away ends no watch: the next look is planned before it is asked.
func TestAHostThatIsAwayEndsNoWatch(t *testing.T) {
	d, p := deploy(t)
	if err := scenario.Run(t.Context(), p.Install()); err != nil {
		t.Fatal(err)
	}
	d.App.Hosts[d.Cast.Acquirer.ID] = awayHost{}
	if err := d.App.WatchCharges(t.Context(), p.ID, p.ID+"#1"); fault.CodeOf(err) != "host_away" {
		t.Fatal(err)
	}
	if _, err := jobOf(t, d, p.ID+"#2"); err != nil {
		t.Error(err)
	}
}

var errAway = fault.New(fault.Unavailable, "host_away", "主机没有应答。", "The host does not answer.")

// awayHost answers nothing.
type awayHost struct{ app.Host }

func (awayHost) Charges(context.Context, acquirer.Query) ([]byte, error) { return nil, errAway }

func incidents(t *testing.T, d *scenario.Deployment, visitID string) int {
	t.Helper()
	n := 0
	err := d.Store.Read(t.Context(), func(tx *store.Tx) error {
		events, err := tx.Events(t.Context(), store.Stream{Kind: visit.StreamVisit, ID: visitID}, 1, 1000)
		for _, e := range events {
			if e.Verb == visit.ReportIncident {
				n++
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func visitRow(t *testing.T, d *scenario.Deployment, visitID string) (store.Visit, error) {
	t.Helper()
	var v store.Visit
	err := d.Store.Read(t.Context(), func(tx *store.Tx) error {
		var err error
		v, err = tx.Visit(t.Context(), visitID)
		return err
	})
	return v, err
}
