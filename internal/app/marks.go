package app

import (
	"context"
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/notify"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// deviceRelation finds how whoever marks a device, or lifts a mark, stands to it. Handing over asks custody itself.
func (w *writing) deviceRelation(ctx context.Context, tx *store.Tx) error {
	if w.kind != visit.StreamDevice || w.in.Verb == visit.Transfer || w.actor == nil {
		return nil
	}
	var err error
	w.toDevice, err = w.app.deviceRelation(ctx, tx, *w.actor, w.id)
	return err
}

// deviceRelation says how an actor stands to a device: he holds it, his organisation's people do, or his is the
// acquirer whom it concerns: it is bound to one of its merchants, or one of those or a provider with its mandate holds
// it. Whose open visit is to bring it, provider or acquirer, is concerned too.
func (a *App) deviceRelation(ctx context.Context, tx *store.Tx, actor Actor, serial string) (access.Relation, error) {
	d, err := tx.Device(ctx, serial)
	if err != nil && fault.KindOf(err) != fault.NotFound { // one that nobody handed over yet may still be on its way
		return "", err
	}
	org, err := organisationOf(ctx, tx, d.Holder)
	if d.Holder != "" && d.Holder == actor.Person && (org == actor.Organisation || org == d.Holder) {
		return access.Self, err
	}
	if err != nil || org == actor.Organisation {
		return access.OwnOrganisation, err
	}
	for _, concerns := range []func() (bool, error){
		func() (bool, error) { return boundTo(ctx, tx, actor.Organisation, serial) },
		func() (bool, error) { return mandates(ctx, tx, actor.Organisation, org) },
		func() (bool, error) { return a.sentTo(ctx, tx, actor.Organisation, serial) },
	} {
		if yes, err := concerns(); yes || err != nil {
			return access.OwnOrganisation, err
		}
	}
	return access.None, nil
}

// isMark says whether a matter is a device's mark.
func isMark(matter string) bool { return matter == visit.MarkLost || matter == visit.MarkQuarantined }

// marksOf gives a device's open marks.
func marksOf(ctx context.Context, tx *store.Tx, serial string) ([]store.OpenMatter, error) {
	matters, err := tx.MattersOf(ctx, subjectDevice, serial, maxPage)
	return slices.DeleteFunc(matters, func(m store.OpenMatter) bool { return !isMark(m.Matter) }), err
}

// organisationOf is whose person, merchant or organisation a holder is; the holder himself for one nobody has on file.
func organisationOf(ctx context.Context, tx *store.Tx, holder string) (string, error) {
	p, err := tx.Person(ctx, holder)
	if err == nil || fault.KindOf(err) != fault.NotFound {
		return p.Org, err
	}
	m, err := tx.Merchant(ctx, holder)
	if err == nil || fault.KindOf(err) != fault.NotFound {
		return m.Org, err
	}
	return holder, nil
}

// boundTo says whether a device takes money, or is about to, for one of an acquirer's merchants.
func boundTo(ctx context.Context, tx *store.Tx, org, serial string) (bool, error) {
	b, err := tx.Binding(ctx, serial)
	if fault.KindOf(err) == fault.NotFound || err == nil && b.State == store.BindingEnded {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	v, err := tx.Visit(ctx, b.Visit)
	return v.Org == org, err
}

// mandates says whether an acquirer has mandated a provider.
func mandates(ctx context.Context, tx *store.Tx, acquirer, provider string) (bool, error) {
	list, err := tx.Refs(ctx, refMandate, provider, mostMandates)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list, func(digest string) bool {
		c, failed := eventClaims(ctx, tx, digest)
		if failed != nil {
			err = failed
		}
		return c.Header.Organisation == acquirer
	}), err
}

// sentTo says whether an open visit of an acquirer's or provider's is to bring a device.
func (a *App) sentTo(ctx context.Context, tx *store.Tx, org, serial string) (bool, error) {
	list, err := a.bringing(ctx, tx, serial, store.VisitFilter{Org: org})
	if err != nil || len(list) > 0 {
		return err == nil, err
	}
	list, err = a.bringing(ctx, tx, serial, store.VisitFilter{Provider: org})
	return len(list) > 0, err
}

// bringing lists the open visits that are to bring a device.
func (a *App) bringing(ctx context.Context, tx *store.Tx, serial string, f store.VisitFilter) (out []store.Visit, err error) {
	f.Query = deviceWord(serial)
	list, _, err := tx.ListVisits(ctx, f, "", maxPage)
	if err != nil {
		return nil, err
	}
	for _, v := range list { // found by its last six digits
		if visit.Stage(v.State).Ended() {
			continue
		}
		s, err := a.standing(ctx, tx, v.ID)
		if err != nil {
			return nil, err
		}
		if s.state.Dispatched().Serial == serial {
			out = append(out, v)
		}
	}
	return out, nil
}

// tellMarked tells everybody with an open visit that is to bring a marked device: the desks of acquirer and provider, and
// the merchant on his own number; him once a day for each kind of mark, however many people report it.
func (w *writing) tellMarked(ctx context.Context, tx *store.Tx, reason string) error {
	if len(w.app.Receivers) == 0 || w.kind != visit.StreamDevice {
		return nil
	}
	visits, err := w.app.bringing(ctx, tx, w.id, store.VisitFilter{})
	if err != nil {
		return err
	}
	for _, v := range visits {
		about, what := visit.StreamVisit+"/"+v.ID, v.ID+"/"+w.claims.Digest()
		if err := w.tellAll(ctx, tx, []string{v.Org, v.Provider}, what, notify.Notice{Kind: notify.DeviceMarked, About: about, Code: reason}); err != nil {
			return err
		}
		what = v.ID + "/" + reason + "/" + w.now.In(china).Format(time.DateOnly)
		if err := w.tellAll(ctx, tx, []string{v.Org}, what, notify.Notice{Kind: notify.ShopDevice, About: about, Code: reason, By: w.app.Operator}); err != nil {
			return err
		}
	}
	return nil
}
