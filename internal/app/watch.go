package app

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/acquirer"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// watchEvery is how often the charges of a terminal that went live are looked at.
const watchEvery = 24 * time.Hour

// incidentCharged is the kind of incident that the platform reports when money was taken outside the sheet.
const incidentCharged = "charged_outside"

// watchKey names one day's look at a visit's charges.
func watchKey(visitID string, day int) string { return visitID + "#" + strconv.Itoa(day) }

// queueWatch plans a day's look, counted from when the terminal went live.
func queueWatch(ctx context.Context, tx *store.Tx, visitID string, day int, now, due time.Time) error {
	_, err := tx.EnqueueJob(ctx, JobWatch, watchKey(visitID, day), []byte(visitID), now, due, 0)
	return err
}

// WatchCharges is the daily look at a terminal that went live within the last thirty days: the host's signed
// list is recorded and compared with the sheet, and what nothing explains becomes an incident, which freezes
// the visit for the acquirer's risk desk and shows red on the merchant's page. The next day's look is planned
// first, so that a host that is away for a day ends no watch.
func (a *App) WatchCharges(ctx context.Context, visitID, key string) error {
	before, err := a.Watch(ctx, visitID)
	if err != nil {
		return err
	}
	if err := a.planNext(ctx, visitID, key, before); err != nil {
		return err
	}
	if err := a.fetchCharges(ctx, visitID); err != nil {
		return err
	}
	w, err := a.Watch(ctx, visitID)
	if err != nil || len(w.New) == 0 {
		return err
	}
	return a.recordOwn(ctx, visit.StreamVisit+"/"+visitID, visit.ReportIncident, visit.TypeIncident, w.List, visit.Incident{Visit: visitID, Kind: incidentCharged})
}

// Watch says how a live terminal's charges stand against its sheet.
func (a *App) Watch(ctx context.Context, visitID string) (evidence.Watch, error) {
	d, err := a.settled(ctx, visitID, false)
	if err != nil {
		return evidence.Watch{}, err
	}
	return a.reader.Watch(d, a.Now())
}

func (a *App) planNext(ctx context.Context, visitID, key string, w evidence.Watch) error {
	_, number, _ := strings.Cut(key, "#")
	day, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	next := w.Since.Add(time.Duration(day+1) * watchEvery)
	if next.After(w.Until) {
		return nil
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error { return queueWatch(ctx, tx, visitID, day+1, a.Now(), next) })
}

// fetchCharges asks the acquirer's host for its list since before anybody could come, and records it. The
// same list again is the same statement, which is recorded once.
func (a *App) fetchCharges(ctx context.Context, visitID string) error {
	host, acquirerID, err := a.hostOf(ctx, visitID)
	if err != nil {
		return err
	}
	s, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return err
	}
	since, err := a.chargesSince(ctx, visitID, s.order)
	if err != nil {
		return err
	}
	list, err := host.Charges(ctx, acquirer.Query{Visit: visitID, Order: s.order.Order, Serial: s.state.Dispatched().Serial, Since: since})
	if err != nil {
		return fault.At(err, acquirerID)
	}
	claims, err := statement.Parse(list)
	if err != nil {
		return fault.At(err, acquirerID)
	}
	_, err = a.record(ctx, nil, Submission{Stream: visit.StreamVisit + "/" + visitID, Verb: visit.ReportAcceptance, Envelope: list}, claims)
	return err
}

// chargesSince is before anybody could come: when the visit was opened or its window begins, whichever was first.
func (a *App) chargesSince(ctx context.Context, visitID string, o visit.Order) (statement.Time, error) {
	from, err := o.WindowFrom.Parse()
	if err != nil {
		return "", err
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		v, err := tx.Visit(ctx, visitID)
		if opened := v.OpenedAt.Time(); err == nil && opened.Before(from) {
			from = opened
		}
		return err
	})
	return statement.At(from), err
}
