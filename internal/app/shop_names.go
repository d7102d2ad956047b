package app

import (
	"context"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// fieldShopName is the shop's name as its sheet brought it into the vault.
const fieldShopName = "shop_name"

// ShopName gives the name of a shop to its merchant, to his clerks and to its acquirer's approver; "" to others, and where it
// cannot be told.
func (a *App) ShopName(ctx context.Context, actor Actor, id string) (name string, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		shop, err := tx.Shop(ctx, id)
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		m, err := tx.Merchant(ctx, shop.Merchant)
		if err != nil {
			return err
		}
		own := merchantOf(actor) == m.ID && actor.Organisation == m.Org
		its := actor.Role == visit.RoleApprover && actor.Organisation == m.Org
		if own || its {
			name, err = a.nameOf(ctx, tx, shop)
		}
		return err
	})
	return name, err
}

// VisitShop gives the name of the shop of a visit to whoever may see the visit, "" where it cannot be told. Fault: visit_not_found.
func (a *App) VisitShop(ctx context.Context, actor Actor, visitID string) (name string, err error) {
	if err := a.maySee(ctx, actor, visitID, access.ReadVisit); err != nil {
		return "", err
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		v, err := tx.Visit(ctx, visitID)
		if err != nil {
			return err
		}
		name, err = a.shopCalled(ctx, tx, v.Shop)
		return err
	})
	return name, err
}

// shopCalled gives the name of a shop whose visit or order the caller has been found to be allowed to see.
func (a *App) shopCalled(ctx context.Context, tx *store.Tx, id string) (string, error) {
	shop, err := tx.Shop(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return a.nameOf(ctx, tx, shop)
}

// nameOf reads what stands over the door (decision 68). The vault keeps names by merchant, so that of one who has several shops
// a name is one's only where the shop's own row says which.
func (a *App) nameOf(ctx context.Context, tx *store.Tx, shop store.Shop) (name string, err error) {
	doc, err := docOf(shop.Doc)
	if err != nil {
		return "", err
	}
	chosen, named := doc[commitmentOf+fieldShopName]
	if named {
		m, err := a.Vault.Masked(ctx, tx, shop.Merchant, chosen)
		if fault.KindOf(err) == fault.NotFound {
			return "", nil
		}
		return m.Text, err
	}
	shops, err := tx.ShopsOfMerchant(ctx, shop.Merchant, "", 2)
	if err != nil || len(shops) != 1 {
		return "", err
	}
	values, err := a.Vault.List(ctx, tx, shop.Merchant)
	for _, v := range values {
		if v.Field == fieldShopName && !v.Erased {
			name = v.Text // oldest first: the newest stands
		}
	}
	return name, err
}
