package pages

import (
	"context"

	"github.com/menshen-project/menshen/internal/visit"
)

// Home gives everything of the merchant's that is not one order's.
func (f FromApp) Home(ctx context.Context, v Viewer) (ShopHome, error) {
	h := ShopHome{Demonstration: f.Demonstration}
	var err error
	if h.Phrase, err = f.App.Phrase(ctx, actorOf(v)); err != nil {
		return ShopHome{}, err
	}
	list, err := f.Visits(ctx, v, Filter{Limit: rowsPerPage})
	if err != nil {
		return ShopHome{}, err
	}
	for _, r := range list.Rows {
		h.Orders = append(h.Orders, shopRow(r))
	}
	if err := f.shopPlaces(ctx, v, &h); err != nil {
		return ShopHome{}, err
	}
	if h.Clerks, err = f.shopClerks(ctx, v); err != nil {
		return ShopHome{}, err
	}
	if h.Charges, err = f.openCharges(ctx, v); err != nil {
		return ShopHome{}, err
	}
	firms, err := f.firms(ctx, v.Organisation)
	for _, firm := range firms {
		h.Contacts = append(h.Contacts, ShopContact{Name: firm.Name, Phone: firm.Phone})
	}
	return h, err
}

func (f FromApp) shopPlaces(ctx context.Context, v Viewer, h *ShopHome) error {
	shops, err := f.App.Shops(ctx, actorOf(v))
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, s := range shops {
		if names[s.ID], err = f.shopName(ctx, v, s.ID); err != nil {
			return err
		}
		h.Shops = append(h.Shops, ShopPlace{Code: s.ID, Name: names[s.ID]})
	}
	calls, err := f.App.DoorCalls(ctx, actorOf(v))
	for _, c := range calls {
		h.Calls = append(h.Calls, ShopCalled{ID: c.ID, At: c.CalledAt.Time(), Shop: names[c.Shop], Kind: c.Kind, Expected: c.Expected, Ticket: c.Ticket})
	}
	return err
}

func shopRow(r VisitRow) ShopOrderRow {
	return ShopOrderRow{Visit: r.ID, Kind: r.Kind, Stage: r.Stage, Shop: r.Shop, Frozen: r.Frozen, From: r.From, Until: r.Until, Head: r.Head}
}

// shopName is a shop's name where the viewer may read it, else its code.
func (f FromApp) shopName(ctx context.Context, v Viewer, shop string) (string, error) {
	name, err := f.App.ShopName(ctx, actorOf(v), shop)
	if name == "" {
		name = shop
	}
	return name, err
}

func (f FromApp) firms(ctx context.Context, ids ...string) (map[string]ShopFirm, error) {
	firms, err := f.App.Firms(ctx, ids...)
	out := map[string]ShopFirm{}
	for id, firm := range firms {
		out[id] = ShopFirm(firm)
	}
	return out, err
}

// Order gives one visit as its merchant sees it.
func (f FromApp) Order(ctx context.Context, v Viewer, visitID string) (ShopOrder, error) {
	d, err := f.App.Unopened(ctx, actorOf(v), visitID)
	if err != nil {
		return ShopOrder{}, err
	}
	m := ShopMaterial{Viewer: v, Dossier: d, Report: f.App.Examine(d, f.App.Now()), Now: f.App.Now(), Demonstration: f.Demonstration}
	o := m.Report.Order()
	if m.Shop, err = f.shopName(ctx, v, o.Shop); err != nil {
		return ShopOrder{}, err
	}
	if m.Report.Stage == string(visit.RolledBack) {
		if m.Coming, err = f.coming(ctx, v); err != nil {
			return ShopOrder{}, err
		}
	}
	if m.Firms, err = f.firms(ctx, o.Acquirer, o.Provider, m.Report.Lost().Organisation); err != nil {
		return ShopOrder{}, err
	}
	if m.Phrase, err = f.App.Phrase(ctx, actorOf(v)); err != nil {
		return ShopOrder{}, err
	}
	if o.Kind == visit.Removal {
		if m.Held, m.HeldUntil, err = f.App.DepositHeld(ctx, actorOf(v), visitID); err != nil {
			return ShopOrder{}, err
		}
	}
	return ShopOrderOf(m)
}

// coming lists the newest of the merchant's visits, among which the ones on their way are.
func (f FromApp) coming(ctx context.Context, v Viewer) (out []ShopOrderRow, err error) {
	list, err := f.Visits(ctx, v, Filter{Limit: rowsPerPage})
	for _, r := range list.Rows {
		out = append(out, shopRow(r))
	}
	return out, err
}

// SetPhrase keeps the merchant's phrase.
func (f FromApp) SetPhrase(ctx context.Context, v Viewer, phrase string) error {
	return f.App.SetPhrase(ctx, actorOf(v), phrase)
}

func (f FromApp) shopClerks(ctx context.Context, v Viewer) (out []ShopClerk, err error) {
	if v.Role != visit.RoleMerchant {
		return nil, nil
	}
	list, err := f.App.Clerks(ctx, actorOf(v))
	for _, c := range list {
		if c.Ended {
			continue
		}
		since, err := c.Since.Parse()
		if err != nil {
			return nil, err
		}
		out = append(out, ShopClerk{Clerk: c.Clerk, Key: c.Key, Since: since})
	}
	return out, err
}

// Leave ends the session that asks.
func (f FromApp) Leave(ctx context.Context, v Viewer) error {
	return f.App.EndSession(ctx, actorOf(v), v.Token)
}

// Called queues what a stranger typed.
func (f FromApp) Called(ctx context.Context, c ShopCall) error {
	return f.App.TakeDoorCall(ctx, c.Code, c.Kind)
}

// Sticker gives what is printed for a shop's door.
func (f FromApp) Sticker(ctx context.Context, v Viewer, shop string) (ShopSticker, error) {
	s, err := f.App.StickerShop(ctx, actorOf(v), shop)
	if err != nil {
		return ShopSticker{}, err
	}
	name, err := f.shopName(ctx, v, s.ID)
	return ShopSticker{Code: s.ID, Name: name}, err
}
