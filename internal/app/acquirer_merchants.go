package app

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

var errNoMerchant = fault.New(fault.NotFound, "merchant_not_found", "没有这家商户，或者您无权查看。", "There is no such merchant, or you may not see it.")

// MerchantFilter narrows an acquirer's list of merchants. Query is one whole id of a merchant, shop, order or
// device; never a name or a number of a person.
type MerchantFilter struct {
	Query, Cursor string
	Limit         int
}

// MerchantRow is a merchant as its acquirer's list shows it; personal values are masked.
type MerchantRow struct {
	ID        string
	Name      string // masked, "" for none kept
	Code      string // merchant code
	Account   string // kind of settlement account, as the sheet says it
	Shops     int
	Terminals int    // open bindings
	Phone     string // PhoneNone, PhoneEnrolled or PhoneEnded
}

// States of a merchant's phone.
const (
	PhoneNone     = "none"     // no key was ever enrolled
	PhoneEnrolled = "enrolled" // at least one counts now
	PhoneEnded    = "ended"    // all are over
)

// ofAcquirer wants somebody who may read the registers of his own acquirer.
func ofAcquirer(actor Actor) error {
	return access.Require(access.Role(actor.Role), access.ReadRegistry, access.OwnOrganisation)
}

// Merchants lists the actor's own acquirer's merchants by id, and the next page's cursor.
func (a *App) Merchants(ctx context.Context, actor Actor, f MerchantFilter) (out []MerchantRow, next string, err error) {
	if err := ofAcquirer(actor); err != nil {
		return nil, "", err
	}
	limit := f.Limit
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		list, err := merchantsBy(ctx, tx, actor.Organisation, f, limit+1)
		if err != nil {
			return err
		}
		if len(list) > limit {
			list, next = list[:limit], list[limit-1].ID
		}
		for _, m := range list {
			row, err := a.merchantRow(ctx, tx, m)
			if err != nil {
				return err
			}
			out = append(out, row)
		}
		return nil
	})
	return out, next, err
}

func merchantsBy(ctx context.Context, tx *store.Tx, org string, f MerchantFilter, limit int) ([]store.Merchant, error) {
	if f.Query == "" {
		return tx.MerchantsOfOrg(ctx, org, f.Cursor, limit)
	}
	id, err := merchantNamed(ctx, tx, f.Query)
	if err != nil || id == "" {
		return nil, err
	}
	m, err := tx.Merchant(ctx, id)
	if fault.KindOf(err) == fault.NotFound || err == nil && m.Org != org {
		return nil, nil
	}
	return []store.Merchant{m}, err
}

// merchantNamed finds whose an id is: a merchant's, or of what belongs to one. "" for nobody's.
func merchantNamed(ctx context.Context, tx *store.Tx, id string) (string, error) {
	finds := []func() (string, error){
		func() (string, error) { m, err := tx.Merchant(ctx, id); return m.ID, err },
		func() (string, error) { s, err := tx.Shop(ctx, id); return s.Merchant, err },
		func() (string, error) { o, err := tx.Order(ctx, id); return o.Merchant, err },
		func() (string, error) { v, err := tx.Visit(ctx, id); return v.Merchant, err },
		func() (string, error) { b, err := tx.Binding(ctx, id); return b.Merchant, err },
	}
	for _, find := range finds {
		found, err := find()
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		return found, err
	}
	return "", nil
}

// FindMerchants gives the ids of the actor's own acquirer's merchants to whom a whole personal value belongs: a
// phone, a name of a shop or business, a credit code, a resident's number. The value is compared by its keyed
// hash and goes nowhere.
func (a *App) FindMerchants(ctx context.Context, actor Actor, value string) ([]string, error) {
	if err := ofAcquirer(actor); err != nil {
		return nil, err
	}
	var out []string
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		for _, field := range foundFields {
			hash, err := a.Vault.Fingerprint(field, value)
			if err != nil {
				return err
			}
			holders, err := tx.IdentityHolders(ctx, field, hash, maxPage)
			if err != nil {
				return err
			}
			for _, id := range holders {
				_, err := ownMerchant(ctx, tx, actor, id)
				if fault.CodeOf(err) == errNoMerchant.Code || slices.Contains(out, id) {
					continue
				}
				if err != nil {
					return err
				}
				out = append(out, id)
			}
		}
		return nil
	})
	return out, err
}

func (a *App) merchantRow(ctx context.Context, tx *store.Tx, m store.Merchant) (MerchantRow, error) {
	row := MerchantRow{ID: m.ID}
	doc, err := docOf(m.Doc)
	if err != nil {
		return row, err
	}
	row.Code, row.Account = doc["商户编码"], doc["结算账户类型"]
	masked, err := a.masked(ctx, tx, m.ID, doc)
	if err != nil {
		return row, err
	}
	row.Name = masked["merchant_name"].Text
	shops, err := tx.ShopsOfMerchant(ctx, m.ID, "", maxPage)
	if err != nil {
		return row, err
	}
	row.Shops = len(shops)
	bindings, err := tx.BindingsOfMerchant(ctx, m.ID)
	if err != nil {
		return row, err
	}
	for _, b := range bindings {
		if b.State == store.BindingOpen {
			row.Terminals++
		}
	}
	phones, err := a.phonesOf(ctx, tx, m)
	row.Phone = phoneState(phones)
	return row, err
}

// docOf reads the columns of the sheet that a registry's row came from.
func docOf(text string) (map[string]string, error) {
	doc := map[string]string{}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return nil, err
	}
	return doc, nil
}

// MaskedValue is a personal value that may be asked for by its commitment.
type MaskedValue struct {
	Field, Text, Commitment string
	Purposes                []string
	Public                  bool // Text is all of it
}

// masked gives the values that a row of the registry names, by field.
func (a *App) masked(ctx context.Context, tx *store.Tx, subject string, doc map[string]string) (map[string]MaskedValue, error) {
	list, err := a.Vault.List(ctx, tx, subject)
	out := map[string]MaskedValue{}
	for _, m := range list {
		if !m.Erased && doc[commitmentOf+m.Field] == m.Commitment {
			out[m.Field] = MaskedValue{Field: m.Field, Text: m.Text, Commitment: m.Commitment, Purposes: m.Purposes, Public: vault.Public(m.Field)}
		}
	}
	return out, err
}

// Phone is one enrolled key of a merchant or clerk.
type Phone struct {
	Holder, Key string
	From, Until time.Time
	Kind        string    // es256 or webauthn
	HeldBy      string    // as the enrolment says
	Ended       bool      // an end of it counts now
	EndedAt     time.Time // zero while none was recorded
	InForce     bool
}

func phoneState(list []Phone) string {
	switch {
	case len(list) == 0:
		return PhoneNone
	case slices.ContainsFunc(list, func(p Phone) bool { return p.InForce }):
		return PhoneEnrolled
	}
	return PhoneEnded
}

// mostPhones bounds the enrolments that are looked at, newest first.
const mostPhones = 16

// phonesOf lists the phones that the acquirer's own service enrolled for a merchant, newest first.
func (a *App) phonesOf(ctx context.Context, tx *store.Tx, m store.Merchant) ([]Phone, error) {
	digests, err := tx.Refs(ctx, refHolder, m.ID+"/"+visit.RoleMerchant, mostPhones)
	if err != nil {
		return nil, err
	}
	var out []Phone
	for _, d := range digests {
		c, err := eventClaims(ctx, tx, d)
		if err != nil {
			return nil, err
		}
		var e statement.Enrolment
		if err := c.UntrustedBody(&e); err != nil {
			return nil, err
		}
		if e.Organisation != m.Org {
			continue // another acquirer's, of the same id
		}
		p, err := a.phoneOf(ctx, tx, voucher{by: c.Header, body: e})
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func (a *App) phoneOf(ctx context.Context, tx *store.Tx, v voucher) (Phone, error) {
	e := v.body
	p := Phone{Holder: e.Holder, Key: e.Key.Thumbprint(), Kind: e.Key.Kind, HeldBy: e.HeldBy}
	var err error
	if p.From, err = e.From.Parse(); err != nil {
		return p, err
	}
	if p.Until, err = e.Until.Parse(); err != nil {
		return p, err
	}
	if p.Ended, p.EndedAt, err = a.endOf(ctx, tx, p.Key, v); err != nil {
		return p, err
	}
	p.InForce = !p.Ended && e.InForce(a.Now()) == nil
	return p, nil
}

// clerksOf lists the clerks' phones that a merchant let in.
func (a *App) clerksOf(ctx context.Context, tx *store.Tx, m store.Merchant) ([]Phone, error) {
	list, err := a.clerkEnrolments(ctx, tx, m.ID)
	if err != nil {
		return nil, err
	}
	var out []Phone
	for _, e := range list {
		p, err := a.phoneOf(ctx, tx, voucher{by: statement.Header{Signer: m.ID, Organisation: m.Org, Role: visit.RoleMerchant}, body: e})
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	slices.Reverse(out)
	return out, nil
}

// MerchantDetail is one merchant as his acquirer sees him.
type MerchantDetail struct {
	MerchantRow
	Values   []MaskedValue // by field, in the page's order
	ShopList []ShopRow
	Orders   []store.Order
	Bindings []store.Binding
	Phones   []Phone
	Clerks   []Phone
	Check    visit.IdentityCheck // of the newest signed order; the zero value for none
	Code     CodeState
}

// ShopRow is one shop with its masked values.
type ShopRow struct {
	ID, Province, Region, Category, Hours string
	Name, Address                         MaskedValue
}

func (a *App) shopRow(ctx context.Context, tx *store.Tx, s store.Shop) (ShopRow, error) {
	doc, err := docOf(s.Doc)
	if err != nil {
		return ShopRow{}, err
	}
	masked, err := a.masked(ctx, tx, s.Merchant, doc)
	return ShopRow{ID: s.ID, Province: s.Province, Region: s.Region, Category: doc["商户类别码"], Hours: doc["营业时间"], Name: masked["shop_name"], Address: masked["address"]}, err
}

// CodeState is what the acquirer's own service says about the one-time code of a merchant. The code itself is
// never here.
type CodeState struct {
	Known             bool // the service answered
	OnRoll            bool
	State             string // live, locked, expired, used, revoked, "" for none
	Made, Used, Until statement.Time
}

// mostOrders bounds the orders that a merchant's page lists.
const mostOrders = 50

// Merchant gives one of the actor's own acquirer's merchants. Fault: merchant_not_found.
func (a *App) Merchant(ctx context.Context, actor Actor, id string) (MerchantDetail, error) {
	if err := ofAcquirer(actor); err != nil {
		return MerchantDetail{}, err
	}
	var d MerchantDetail
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		m, err := ownMerchant(ctx, tx, actor, id)
		if err != nil {
			return err
		}
		if d.MerchantRow, err = a.merchantRow(ctx, tx, m); err != nil {
			return err
		}
		return a.fillMerchant(ctx, tx, m, &d)
	})
	if err != nil {
		return MerchantDetail{}, err
	}
	d.Code = a.codeState(ctx, actor, id)
	return d, nil
}

func ownMerchant(ctx context.Context, tx *store.Tx, actor Actor, id string) (store.Merchant, error) {
	if identifier.CheckID(id) != nil {
		return store.Merchant{}, errNoMerchant
	}
	m, err := tx.Merchant(ctx, id)
	if fault.KindOf(err) == fault.NotFound || err == nil && m.Org != actor.Organisation {
		return m, errNoMerchant
	}
	return m, err
}

func (a *App) fillMerchant(ctx context.Context, tx *store.Tx, m store.Merchant, d *MerchantDetail) error {
	doc, err := docOf(m.Doc)
	if err != nil {
		return err
	}
	values, err := a.masked(ctx, tx, m.ID, doc)
	if err != nil {
		return err
	}
	for _, field := range merchantFields {
		if v, kept := values[field]; kept {
			d.Values = append(d.Values, v)
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
		d.ShopList = append(d.ShopList, row)
	}
	if d.Orders, _, err = tx.ListOrders(ctx, store.OrderFilter{Merchant: m.ID, Org: m.Org}, "", mostOrders); err != nil {
		return err
	}
	if d.Check, err = lastCheck(ctx, tx, d.Orders); err != nil {
		return err
	}
	if d.Bindings, err = tx.BindingsOfMerchant(ctx, m.ID); err != nil {
		return err
	}
	if d.Phones, err = a.phonesOf(ctx, tx, m); err != nil {
		return err
	}
	d.Clerks, err = a.clerksOf(ctx, tx, m)
	return err
}

// merchantFields are the personal values that a merchant's page names, in its order.
var merchantFields = []string{"merchant_name", "principal", fieldPrincipal, "phone", "credit_code", "account"}

// lastCheck is the identity check that the approver signed with the newest order.
func lastCheck(ctx context.Context, tx *store.Tx, orders []store.Order) (visit.IdentityCheck, error) {
	for _, o := range orders {
		if o.State == OrderPlanned {
			continue
		}
		var body visit.Order
		events, err := tx.Events(ctx, store.Stream{Kind: visit.StreamOrder, ID: o.ID}, 1, 1)
		if err != nil {
			return visit.IdentityCheck{}, err
		}
		if len(events) == 0 {
			continue
		}
		err = recordedBody(ctx, tx, events[0].Digest, &body)
		return body.Identity, err
	}
	return visit.IdentityCheck{}, nil
}

// codeState asks the acquirer's own service. A service that is away or not connected hides nothing else.
func (a *App) codeState(ctx context.Context, actor Actor, id string) CodeState {
	roll, err := a.Roll(ctx, actor)
	if err != nil {
		return CodeState{}
	}
	c := CodeState{Known: true}
	for _, p := range roll {
		if p.Holder == id && p.Role == visit.RoleMerchant {
			c.OnRoll, c.State, c.Made, c.Used, c.Until = true, p.CodeState, p.CodeMade, p.CodeUsed, p.CodeUntil
		}
	}
	return c
}

// ShowValue opens one personal value of a merchant of the actor's own acquirer for a purpose that it was kept
// for. The look is recorded for the merchant to see. Faults: access_denied, merchant_not_found, vault_*.
func (a *App) ShowValue(ctx context.Context, actor Actor, merchant, commitment, purpose string) (string, error) {
	if err := access.Require(access.Role(actor.Role), access.ReadOpenings, access.OwnOrganisation); err != nil {
		return "", err
	}
	var value string
	err := a.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := ownMerchant(ctx, tx, actor, merchant); err != nil {
			return err
		}
		o, err := a.Vault.Get(ctx, tx, merchant, commitment, vault.Look{Who: actor.Person, Purpose: purpose, At: a.Now()})
		value = o.Value
		return err
	})
	return value, err
}
