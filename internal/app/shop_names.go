package app

import (
	"context"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

// fieldShopName is the shop's name as its sheet brought it into the vault.
const fieldShopName = "shop_name"

// ShopName gives the name of a shop to its merchant, to his clerks and to its acquirer's approver; "" to others, and where it
// cannot be told: the vault keeps names by merchant, so that of one who has several shops a name is one's only where the shop's
// own row says which.
// The node remembers what it opened: one look, not one for each page.
func (a *App) ShopName(ctx context.Context, actor Actor, shop string) (string, error) {
	merchant, commitment, err := a.shopNameOf(ctx, actor, shop)
	if err != nil || commitment == "" {
		return "", err
	}
	if kept, ok := a.opened.all([]string{commitment}); ok {
		return kept[0].Value, nil
	}
	var o statement.Opening
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		o, err = a.Vault.Get(ctx, tx, merchant, commitment, vault.Look{Who: actor.Person, Purpose: purposeRegistry, At: a.Now()})
		return err
	})
	if err != nil {
		return "", err
	}
	a.opened.keep(map[string]statement.Opening{commitment: o})
	return o.Value, nil
}

func (a *App) shopNameOf(ctx context.Context, actor Actor, id string) (merchant, commitment string, err error) {
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
		if !own && !its {
			return nil
		}
		doc, err := docOf(shop.Doc)
		if err != nil {
			return err
		}
		shops, err := tx.ShopsOfMerchant(ctx, m.ID, "", 2)
		chosen, named := doc[commitmentOf+fieldShopName]
		if err != nil || !named && len(shops) != 1 {
			return err
		}
		merchant = m.ID
		values, err := a.Vault.List(ctx, tx, m.ID)
		for _, v := range values {
			if v.Field == fieldShopName && !v.Erased && (!named || v.Commitment == chosen) {
				commitment = v.Commitment // oldest first: the newest stands
			}
		}
		return err
	})
	return merchant, commitment, err
}
