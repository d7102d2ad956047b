package app

import (
	"context"
	"slices"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// How a difference was set right.
const (
	DifferenceRefunded    = "refunded"    // the shop got back what was taken beyond its sheet
	DifferenceMisreported = "misreported" // the file was wrong: this was not taken
)

// DifferenceOutcomes are the ways in which a difference can be settled, in the order in which pages offer them.
var DifferenceOutcomes = []string{DifferenceRefunded, DifferenceMisreported}

var (
	errNoDifference      = fault.New(fault.NotFound, "difference_not_found", "没有这一笔，或者您无权处理。", "There is no such difference, or it is not yours.")
	errDifferenceOutcome = fault.New(fault.Invalid, "difference_outcome_unknown", "要选怎么处理的：退还了，或者明细写错了。", "Say how it was settled: refunded, or misreported.")
)

// Differences lists what the actor's own acquirer took beyond its sheets, newest first, and the next page's cursor.
func (a *App) Differences(ctx context.Context, actor Actor, open bool, cursor string, limit int) ([]store.SettlementLine, string, error) {
	if err := ofAcquirer(actor); err != nil {
		return nil, "", err
	}
	return a.differencesBy(ctx, cursor, limit, func(tx *store.Tx, before string, limit int) ([]store.SettlementLine, error) {
		return tx.DifferencesOfOrg(ctx, actor.Organisation, open, before, limit)
	})
}

// MyDifferences is Differences for the merchant himself, over every acquirer.
func (a *App) MyDifferences(ctx context.Context, actor Actor, cursor string, limit int) ([]store.SettlementLine, string, error) {
	if err := access.Require(access.Role(actor.Role), access.ReadCharges, access.PartyMerchant); err != nil {
		return nil, "", err
	}
	return a.differencesBy(ctx, cursor, limit, func(tx *store.Tx, before string, limit int) ([]store.SettlementLine, error) {
		return tx.DifferencesOfMerchant(ctx, actor.Person, before, limit)
	})
}

func (a *App) differencesBy(ctx context.Context, cursor string, limit int, find func(tx *store.Tx, before string, limit int) ([]store.SettlementLine, error)) (out []store.SettlementLine, next string, err error) {
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	if cursor == "" {
		cursor = store.Newest
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		out, err = find(tx, cursor, limit+1)
		return err
	})
	if len(out) > limit {
		out, next = out[:limit], out[limit-1].ID
	}
	return out, next, err
}

// Settlements lists the files that the actor's own acquirer laid against its sheets, the last one first, and the next
// page's cursor.
func (a *App) Settlements(ctx context.Context, actor Actor, cursor string, limit int) (out []store.SettlementFile, next string, err error) {
	if err := ofAcquirer(actor); err != nil {
		return nil, "", err
	}
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		out, next, err = tx.SettlementFilesOfOrg(ctx, actor.Organisation, cursor, limit)
		return err
	})
	return out, next, err
}

// SettleDifference says how one was set right; the shop reads it. Faults: access_denied, difference_not_found,
// difference_settled, difference_outcome_unknown.
func (a *App) SettleDifference(ctx context.Context, actor Actor, id, outcome string) error {
	if err := access.Require(access.Role(actor.Role), access.CompareCharges, access.OwnOrganisation); err != nil {
		return err
	}
	if !slices.Contains(DifferenceOutcomes, outcome) {
		return errDifferenceOutcome
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		l, err := tx.SettlementLine(ctx, id)
		if fault.KindOf(err) == fault.NotFound || err == nil && (l.Org != actor.Organisation || l.Code == "") {
			return errNoDifference
		}
		if err != nil {
			return err
		}
		return tx.SettleDifference(ctx, id, actor.Person, outcome, a.Now())
	})
}

// ReportSettlement is the platform's word to a visit whose terminal took more than was signed within its thirty
// days of watch: an incident about the sheet that both signed, which stops the visit for the risk desk and shows
// red to the shop. A visit that is stopped already is not stopped twice, and one that is out of its watch is left
// to the lists.
func (a *App) ReportSettlement(ctx context.Context, visitID, _ string) error {
	leave, err := a.telling.take(ctx, visitID)
	if err != nil {
		return err
	}
	defer leave()
	w, err := a.Watch(ctx, visitID)
	if fault.CodeOf(err) == "watch_not_live" || err == nil && a.Now().After(w.Until) {
		return nil
	}
	if err != nil {
		return err
	}
	standing, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return err
	}
	row, stopped := OrderRow{Order: store.Order{ID: standing.order.Order}}, false
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		open, err := tx.MattersOf(ctx, subjectVisit, visitID, 1)
		if stopped = len(open) > 0; err != nil {
			return err
		}
		return a.agreements(ctx, tx, &row)
	})
	if err != nil || stopped || row.Accept == nil {
		return err
	}
	return a.recordOwn(ctx, visit.StreamVisit+"/"+visitID, visit.ReportIncident, visit.TypeIncident, row.Accept.Statement, visit.Incident{Visit: visitID, Kind: incidentCharged})
}
