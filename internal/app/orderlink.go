package app

import (
	"context"
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

// OrderLink is the address of a merchant's page, for the acquirer to send to the number that its own
// check confirmed. An address is never a proof (design §6): what the merchant signs needs a key.
type OrderLink struct {
	Token string
	Phone string // where it goes, masked; "" where none was kept
	Until time.Time
}

// linkHolds is how long a link stays good after the appointment.
const linkHolds = 7 * 24 * time.Hour

// OrderLink makes the link of a visit's order. Only the order's own acquirer may: provider roles can
// neither make, see nor resend it.
func (a *App) OrderLink(ctx context.Context, actor Actor, visitID string) (OrderLink, error) {
	var o visit.Order
	var phone string
	err := a.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if o, err = a.linkable(ctx, tx, actor, visitID); err != nil {
			return err
		}
		kept, err := a.Vault.List(ctx, tx, o.Merchant)
		if i := slices.IndexFunc(kept, func(m vault.Masked) bool { return m.Field == "phone" && !m.Erased }); i >= 0 {
			phone = kept[i].Text
		}
		return err
	})
	if err != nil {
		return OrderLink{}, err
	}
	l, err := a.makeLink(ctx, o)
	l.Phone = phone
	return l, err
}

// linkable is a visit's order, for somebody who may send its link.
func (a *App) linkable(ctx context.Context, tx *store.Tx, actor Actor, visitID string) (visit.Order, error) {
	s, err := a.standing(ctx, tx, visitID)
	if err != nil {
		return visit.Order{}, err
	}
	rel := Relation(actor, s.order, s.state.Dispatched())
	if !access.Decide(access.Role(actor.Role), access.ReadVisit, rel).Allowed() {
		return visit.Order{}, errNoVisit
	}
	return s.order, access.Require(access.Role(actor.Role), access.ReadOrderLink, rel)
}

func (a *App) makeLink(ctx context.Context, o visit.Order) (OrderLink, error) {
	until, err := o.WindowUntil.Parse()
	if err != nil {
		return OrderLink{}, err
	}
	l := OrderLink{Until: later(until, a.Now()).Add(linkHolds)}
	if most := a.Now().Add(tokenHolds[store.TokenLink]); l.Until.After(most) {
		l.Until = most
	}
	_, l.Token, err = a.IssueToken(ctx, TokenGrant{Kind: store.TokenLink, Person: o.Merchant, Organisation: o.Acquirer, Role: visit.RoleMerchant,
		Label: "order " + o.Order, Until: l.Until})
	return l, err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
