package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

var errNoValue = fault.New(fault.Refused, "shop_value_absent", "商户或店铺的资料不全，不能下订单：请把表格补齐再导入。", "The merchant's or shop's values on file are incomplete; complete the sheets and import them again.")

// Booking is what the registers say about a shop, for an order that is to be signed.
type Booking struct {
	Merchant     MerchantRow
	Shop         ShopRow
	AcquirerCode string
	Businesses   []string // what the acquirer is licensed for, as its sheet says
	Providers    []Firm
	Models       []string
	Bindings     []store.Binding // open, of this merchant
	Shops        []ShopRow       // of this merchant: a terminal may come from another
	Missing      []string        // fields that are not on file
	Item         string          // which of the five items says who the merchant is: visit.ItemCreditCode or ItemPrincipal
}

// bookedFields are the personal values that an order commits to: of the merchant, and of the shop.
var (
	bookedOfMerchant = []string{"merchant_name", "account", fieldPrincipal}
	bookedOfShop     = []string{"address", "position"}
)

// Booking gathers what an order for a shop says. Fault: shop_not_found.
func (a *App) Booking(ctx context.Context, actor Actor, shop string) (Booking, error) {
	if err := ofAcquirer(actor); err != nil {
		return Booking{}, err
	}
	var b Booking
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		s, m, err := ownShop(ctx, tx, actor, shop)
		if err != nil {
			return err
		}
		for _, missing := range []func() error{
			func() error { b.Merchant, err = a.merchantRow(ctx, tx, m); return err },
			func() error { b.Shop, err = a.shopRow(ctx, tx, s); return err },
			func() error { return b.choices(ctx, tx, actor.Organisation, a.Now()) },
			func() error { return a.ofMerchant(ctx, tx, m, &b) },
			func() error { b.Missing, err = missingValues(m, s); return err },
			func() error { b.Item, err = itemOnFile(ctx, tx, m.ID); return err },
		} {
			if err := missing(); err != nil {
				return err
			}
		}
		return nil
	})
	return b, err
}

func ownShop(ctx context.Context, tx *store.Tx, actor Actor, id string) (store.Shop, store.Merchant, error) {
	if identifier.CheckID(id) != nil {
		return store.Shop{}, store.Merchant{}, errNotShop
	}
	s, err := tx.Shop(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		return s, store.Merchant{}, errNotShop
	}
	if err != nil {
		return s, store.Merchant{}, err
	}
	m, err := ownMerchant(ctx, tx, actor, s.Merchant)
	if fault.CodeOf(err) == errNoMerchant.Code {
		err = errNotShop
	}
	return s, m, err
}

// choices are what an acquirer may choose among: its licence, its providers, the models on file.
func (b *Booking) choices(ctx context.Context, tx *store.Tx, org string, now time.Time) error {
	own, err := tx.Organisation(ctx, org)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	if err == nil {
		doc, err := docOf(own.Doc)
		if err != nil {
			return err
		}
		b.AcquirerCode, b.Businesses = doc["收单机构代码"], strings.Split(doc["许可业务"], ";")
	}
	providers, err := tx.OrganisationsByKind(ctx, "provider")
	if err != nil {
		return err
	}
	list, err := newestTrustList(ctx, tx)
	if err != nil {
		return err
	}
	for _, p := range providers {
		doc, err := docOf(p.Doc)
		if err != nil {
			return err
		}
		firm, err := firmOf(p, list, now)
		if err != nil {
			return err
		}
		if doc["备案状态"] == "有效" && slices.Contains(strings.Split(doc["授权收单机构"], ";"), org) {
			b.Providers = append(b.Providers, firm)
		}
	}
	models, err := tx.Models(ctx)
	for _, m := range models {
		b.Models = append(b.Models, m.ID)
	}
	return err
}

func (a *App) ofMerchant(ctx context.Context, tx *store.Tx, m store.Merchant, b *Booking) error {
	bindings, err := tx.BindingsOfMerchant(ctx, m.ID)
	if err != nil {
		return err
	}
	for _, one := range bindings {
		if one.State == store.BindingOpen {
			b.Bindings = append(b.Bindings, one)
		}
	}
	shops, err := tx.ShopsOfMerchant(ctx, m.ID, "", maxPage)
	if err != nil {
		return err
	}
	for _, s := range shops {
		row, err := a.shopRow(ctx, tx, s)
		if err != nil {
			return err
		}
		b.Shops = append(b.Shops, row)
	}
	return nil
}

func missingValues(m store.Merchant, s store.Shop) ([]string, error) {
	var out []string
	for _, part := range []struct {
		doc    string
		fields []string
	}{{m.Doc, bookedOfMerchant}, {s.Doc, bookedOfShop}} {
		doc, err := docOf(part.doc)
		if err != nil {
			return nil, err
		}
		for _, f := range part.fields {
			if doc[commitmentOf+f] == "" {
				out = append(out, f)
			}
		}
	}
	return out, nil
}

// BookedValue is a personal value that an order is to commit to.
type BookedValue struct {
	Kind, Value string
}

// BookingValues opens what an order for a shop commits to, for the approver's browser to commit to it afresh.
// Each look is recorded for the merchant to see. Faults: access_denied, shop_not_found, shop_value_absent.
func (a *App) BookingValues(ctx context.Context, actor Actor, shop string) ([]BookedValue, error) {
	role := access.Role(actor.Role)
	if err := access.Require(role, visit.Book, access.OwnOrganisation); err != nil {
		return nil, err
	}
	if err := access.Require(role, access.ReadOpenings, access.OwnOrganisation); err != nil {
		return nil, err
	}
	var out []BookedValue
	err := a.Store.Write(ctx, func(tx *store.Tx) error {
		out = nil
		s, m, err := ownShop(ctx, tx, actor, shop)
		if err != nil {
			return err
		}
		for _, part := range []struct {
			doc    string
			fields []string
		}{{m.Doc, bookedOfMerchant}, {s.Doc, bookedOfShop}} {
			doc, err := docOf(part.doc)
			if err != nil {
				return err
			}
			fields := part.fields
			if itemOf(doc) == visit.ItemCreditCode {
				fields = append(slices.Clone(fields), fieldCredit)
			}
			for _, f := range fields {
				if doc[commitmentOf+f] == "" {
					return errNoValue.At(f)
				}
				o, err := a.Vault.Get(ctx, tx, m.ID, doc[commitmentOf+f], vault.Look{Who: actor.Person, Purpose: purposeRegistry, At: a.Now()})
				if err != nil {
					return err
				}
				out = append(out, BookedValue{Kind: f, Value: o.Value})
			}
		}
		return nil
	})
	return out, err
}

// NewOrderID proposes an id for an order of now that no other has: its day, and what makes it its own.
func NewOrderID(now time.Time, own string) string {
	return "o-" + now.In(china).Format("20060102") + "-" + own
}

// AcquirersProviders gives the actor's own acquirer and the filed providers that it has mandated, as the sheets
// say; the gate goes by signed lists.
func (a *App) AcquirersProviders(ctx context.Context, actor Actor) (own Firm, providers []Firm, err error) {
	if err := ofAcquirer(actor); err != nil {
		return Firm{}, nil, err
	}
	var b Booking
	err = a.Store.Read(ctx, func(tx *store.Tx) error { return b.choices(ctx, tx, actor.Organisation, a.Now()) })
	if err != nil {
		return Firm{}, nil, err
	}
	firms, err := a.Firms(ctx, actor.Organisation)
	return firms[actor.Organisation], b.Providers, err
}
