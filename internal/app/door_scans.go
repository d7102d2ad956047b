package app

import (
	"context"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/door"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
)

// What the merchant's page is warned of while it waits. Neither is a verdict: the one who was sent may still answer.
var (
	errDoorOtherPerson  = fault.New(fault.Refused, "door_other_person", "扫码的是这家公司的人，但没有派他来您店里。", "Whoever scanned works for that company, but was not sent to you.")
	errDoorOtherCompany = fault.New(fault.Refused, "door_other_company", "扫码的是别的公司的人，没有派他来您店里。", "Whoever scanned is of another company, and was not sent to you.")
	errDoorYours        = fault.New(fault.Conflict, "door_yours", "这一单就是派给您的，请刷新后再答。", "This visit is assigned to you; refresh, then answer.")
)

// notSent notes that a technician who was not sent scanned a check's code, so that the shop is warned at once
// and not told after ninety seconds that nobody answered. The challenge lives on: whoever has a picture of the
// code and an account can warn the shop and can spoil nothing (decisions/0048).
func (a *App) notSent(ctx context.Context, actor Actor, c door.Challenge, s cachedState) error {
	if actor.Role != string(access.Technician) {
		return nil
	}
	code := errDoorOtherCompany.Code
	if actor.Organisation == s.state.Dispatched().Issuer {
		code = errDoorOtherPerson.Code
	}
	hash, added := hashHex(c.Nonce), false
	err := a.Store.Write(ctx, func(tx *store.Tx) (err error) {
		added, err = tx.AddDoorScan(ctx, store.DoorScan{ID: hashHex(hash + "\n" + actor.Organisation + "\n" + actor.Person), NonceHash: hash, Person: actor.Person,
			Org: actor.Organisation, Code: code, ScannedAt: store.At(a.Now())})
		return err
	})
	if added {
		a.doors.tell()
	}
	return err
}

// warned is a check that nobody has answered, with who scanned its code and was not sent: their number, and of the last one the
// company. Name and photo of somebody who is no party to the order are not the shop's to see.
func (a *App) warned(ctx context.Context, scans []store.DoorScan) (DoorResult, error) {
	out := DoorResult{Verdict: DoorWaiting, Metres: -1, ListAgeSeconds: -1, Scans: len(scans)}
	if len(scans) == 0 {
		return out, nil
	}
	last, why := scans[len(scans)-1], errDoorOtherCompany
	if last.Code == errDoorOtherPerson.Code {
		why = errDoorOtherPerson
	}
	var err error
	out.Code, out.Reason = why.Code, why.Text
	out.Company, err = a.companyOf(ctx, last.Org)
	return out, err
}
