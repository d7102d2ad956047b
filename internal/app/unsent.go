package app

import (
	"context"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// Bounds of what one phone says at once.
const (
	mostUnsentVisits = 100
	mostUnsent       = 100_000
	mostOnVisit      = 4 // phones, shown
)

var errUnsent = fault.New(fault.Invalid, "unsent_malformed", "手机报的没发送的数目不对。", "What the phone says of its unsent things is malformed.")

// Unsent is what a technician's phone has not sent yet for one visit.
type Unsent struct {
	Visit      string `json:"visit"`
	Statements int64  `json:"statements"`
	Photos     int64  `json:"photos"`
}

// TellUnsent notes what the actor's phone has not sent. It is the phone's own word: it decides nothing, and shows the
// dispatcher whom to call. Visits that are not his employer's are passed over, so that nobody learns of them.
// Faults: access_denied, unsent_malformed.
func (a *App) TellUnsent(ctx context.Context, actor Actor, list []Unsent) error {
	if err := access.Require(access.Role(actor.Role), access.AnswerDoor, access.Assigned); err != nil {
		return err
	}
	if len(list) > mostUnsentVisits {
		return errUnsent
	}
	for _, u := range list {
		if identifier.CheckID(u.Visit) != nil || u.Statements < 0 || u.Photos < 0 || u.Statements > mostUnsent || u.Photos > mostUnsent {
			return errUnsent
		}
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		for _, u := range list {
			v, err := tx.Visit(ctx, u.Visit)
			if fault.KindOf(err) == fault.NotFound || err == nil && v.Provider != actor.Organisation {
				continue
			}
			if err != nil {
				return err
			}
			if err := tx.PutPhoneUnsent(ctx, store.PhoneUnsent{Visit: u.Visit, Technician: actor.Person, Statements: u.Statements, Photos: u.Photos, HeardAt: store.At(a.Now())}); err != nil {
				return err
			}
		}
		return nil
	})
}

// unsentFor is how each role stands to the visits in its list, whose phones it may ask about.
var unsentFor = map[string]access.Relation{visit.RoleTechnician: access.Assigned, visit.RoleSupervisor: access.Assigned, visit.RoleDispatcher: access.OwnOrganisation,
	visit.RoleApprover: access.OwnOrganisation, visit.RoleRisk: access.OwnOrganisation, visit.RoleRegulator: access.None}

// AllUnsent lists the phones that said last that they hold something unsent of a visit in the actor's list, by visit as
// Visits has them, and the next page's cursor. A page looks at up to limit visits, so it may hold fewer phones, even
// none, while there are more.
func (a *App) AllUnsent(ctx context.Context, actor Actor, cursor string, limit int) (out []store.PhoneUnsent, next string, err error) {
	if err := access.Require(access.Role(actor.Role), access.ReadUnsent, unsentFor[actor.Role]); err != nil {
		return nil, "", err
	}
	visits, next, err := a.Visits(ctx, actor, Filter{Cursor: cursor, Limit: limit})
	if err != nil {
		return nil, "", err
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		for _, v := range visits {
			phones, err := tx.PhonesUnsent(ctx, v.ID, mostOnVisit)
			if err != nil {
				return err
			}
			for _, p := range phones {
				if p.Statements+p.Photos > 0 {
					out = append(out, p)
				}
			}
		}
		return nil
	})
	return out, next, err
}

// StatusAge says which status list stands for a technician's badge, and since when menshen has it.
type StatusAge struct {
	Number int
	Since  store.Instant // zero: there is none
}

// VisitPhones gives what the phones on a visit said last, and the status list by which its technician's badge is
// judged there.
func (a *App) VisitPhones(ctx context.Context, actor Actor, visitID string) (phones []store.PhoneUnsent, age StatusAge, err error) {
	if err := a.maySee(ctx, actor, visitID, access.ReadVisit); err != nil {
		return nil, age, err
	}
	s, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return nil, age, err
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		if phones, err = tx.PhonesUnsent(ctx, visitID, mostOnVisit); err != nil {
			return err
		}
		age, err = statusAge(ctx, tx, s.state.Dispatched())
		return err
	})
	return phones, age, err
}

func statusAge(ctx context.Context, tx *store.Tx, d visit.Dispatch) (StatusAge, error) {
	badges, err := tx.Refs(ctx, refBadge, d.Technician, 1)
	if err != nil || d.Technician == "" || len(badges) == 0 {
		return StatusAge{}, err
	}
	var badge registry.BadgeIssued
	if err := recordedBody(ctx, tx, badges[0], &badge); err != nil {
		return StatusAge{}, err
	}
	lists, err := tx.Refs(ctx, refStatusList, badge.StatusURI, 1)
	if err != nil || len(lists) == 0 {
		return StatusAge{}, err
	}
	var list registry.StatusList
	if err := recordedBody(ctx, tx, lists[0], &list); err != nil {
		return StatusAge{}, err
	}
	e, err := tx.EventByDigest(ctx, lists[0])
	return StatusAge{Number: list.Number, Since: e.ReceivedAt}, err
}
