package app

import (
	"context"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// Ids of people are the whole deployment's, and every organisation chooses those of its own: what one has on file under an
// id, no other signs in as (decision 74).
var errOfAnother = fault.New(fault.Unauthenticated, "person_of_another_organisation", "这个编号在这里登记的是另一家机构的人，不能用它登录。请联系您的机构换一个编号。",
	"Another organisation has this id on file here, so it does not sign in for yours; ask your organisation for another id.")

// onFileElsewhere says whether another organisation than the actor's has his id on file: as its merchant's for merchants
// and their clerks, as somebody of its own for everybody else.
func onFileElsewhere(ctx context.Context, tx *store.Tx, actor Actor) (bool, error) {
	if actor.Role == visit.RoleMerchant || actor.Role == string(access.Clerk) {
		m, err := tx.Merchant(ctx, merchantOf(actor))
		if fault.KindOf(err) == fault.NotFound {
			return false, nil
		}
		return m.Org != actor.Organisation, err
	}
	p, err := tx.Person(ctx, actor.Person)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return p.Org != actor.Organisation, err
}

// notOfAnother refuses to let somebody in under an id that another organisation has on file. Fault: person_id_taken.
func notOfAnother(ctx context.Context, tx *store.Tx, actor Actor) error {
	elsewhere, err := onFileElsewhere(ctx, tx, actor)
	if err == nil && elsewhere {
		err = errPersonTaken
	}
	return err
}

// personRelation finds whether the stream of a person is of somebody whom the actor's organisation has on file: a person
// of its own, or a merchant. Nobody is told which ids others have.
func (w *writing) personRelation(ctx context.Context, tx *store.Tx) error {
	if w.kind != visit.StreamPerson || w.actor == nil || w.id == w.actor.Person {
		return nil
	}
	org, err := organisationOf(ctx, tx, w.id)
	w.ofOthers = org != w.actor.Organisation
	return err
}

var errNoOrganisation = fault.New(fault.Refused, "organisation_not_here", "这里没有这个编号的机构：没有导入过，不在信任名单上，配置里也没有。写错了编号的凭证谁也用不了，所以没有签发。",
	"There is no organisation of this id here: not imported, not on the trust list, not in the configuration. A token or code under a mistyped id would be of no use, so none was made.")

// KnowsOrganisation refuses an organisation that this deployment has never heard of: one that runs it, has a host or a
// service here, was imported, or stands on the newest trust list is one. Fault: organisation_not_here.
func (a *App) KnowsOrganisation(ctx context.Context, id string) error {
	if _, ok := a.Organisations[id]; ok || id == a.Operator || a.Hosts[id] != nil {
		return nil
	}
	return a.Store.Read(ctx, func(tx *store.Tx) error {
		_, err := tx.Organisation(ctx, id)
		if fault.KindOf(err) != fault.NotFound {
			return err
		}
		listed, err := listedNow(ctx, tx, id)
		if err == nil && listed == nil {
			err = errNoOrganisation.At("--organisation")
		}
		return err
	})
}
