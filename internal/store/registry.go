package store

import (
	"context"
	"database/sql"
)

// The registry's rows are plain: what they mean, and who may change them, is for their owners.
// Each Put writes the whole row, new or not. Lists go by id, after the given one.

// PutOrganisation writes an organisation.
func (t *Tx) PutOrganisation(ctx context.Context, o Organisation) error {
	return t.sealed(ctx, t.wrap(t.q.putOrganisation(ctx, o.ID, o.Kind, o.Name, o.Doc), "organisation"), "organisations", "id", o.ID)
}

// Organisation finds one. Fault: record_not_found.
func (t *Tx) Organisation(ctx context.Context, id string) (Organisation, error) {
	o, err := t.q.organisation(ctx, id)
	return o, t.wrap(err, "organisation")
}

// OrganisationsByKind gives all of a kind, by id.
func (t *Tx) OrganisationsByKind(ctx context.Context, kind string) ([]Organisation, error) {
	list, err := t.q.organisationsByKind(ctx, kind)
	return list, t.wrap(err, "organisations")
}

// PutPerson writes a person. Fault: key_in_use when another person has the key.
func (t *Tx) PutPerson(ctx context.Context, p Person) error {
	if p.KeyThumbprint != "" {
		owner, found, err := optional(t.q.personByKey(ctx, p.KeyThumbprint))
		if err != nil {
			return t.wrap(err, "person")
		}
		if found && owner.ID != p.ID {
			return errKeyInUse
		}
	}
	return t.sealed(ctx, t.wrap(t.q.putPerson(ctx, putPersonParams(p)), "person"), "people", "id", p.ID)
}

// Person finds one. Fault: record_not_found.
func (t *Tx) Person(ctx context.Context, id string) (Person, error) {
	p, err := t.q.person(ctx, id)
	return p, t.wrap(err, "person")
}

// PersonByKey finds whose key a thumbprint (RFC 7638) is. Fault: record_not_found.
func (t *Tx) PersonByKey(ctx context.Context, thumbprint string) (Person, error) {
	p, err := t.q.personByKey(ctx, thumbprint)
	return p, t.wrap(err, "person")
}

// PeopleOfOrg lists an organisation's people.
func (t *Tx) PeopleOfOrg(ctx context.Context, org, afterID string, limit int) ([]Person, error) {
	list, err := t.q.peopleOfOrg(ctx, org, afterID, rows(limit))
	return list, t.wrap(err, "people")
}

// PutMerchant writes a merchant.
func (t *Tx) PutMerchant(ctx context.Context, m Merchant) error {
	return t.sealed(ctx, t.wrap(t.q.putMerchant(ctx, m.ID, m.Org, m.Doc), "merchant"), "merchants", "id", m.ID)
}

// Merchant finds one. Fault: record_not_found.
func (t *Tx) Merchant(ctx context.Context, id string) (Merchant, error) {
	m, err := t.q.merchant(ctx, id)
	return m, t.wrap(err, "merchant")
}

// MerchantsOfOrg lists an acquirer's merchants.
func (t *Tx) MerchantsOfOrg(ctx context.Context, org, afterID string, limit int) ([]Merchant, error) {
	list, err := t.q.merchantsOfOrg(ctx, org, afterID, rows(limit))
	return list, t.wrap(err, "merchants")
}

// PutShop writes a shop; its merchant must be there.
func (t *Tx) PutShop(ctx context.Context, s Shop) error {
	return t.sealed(ctx, t.wrap(t.q.putShop(ctx, putShopParams(s)), "shop"), "shops", "id", s.ID)
}

// Shop finds one. Fault: record_not_found.
func (t *Tx) Shop(ctx context.Context, id string) (Shop, error) {
	s, err := t.q.shop(ctx, id)
	return s, t.wrap(err, "shop")
}

// ShopsOfMerchant lists a merchant's shops.
func (t *Tx) ShopsOfMerchant(ctx context.Context, merchant, afterID string, limit int) ([]Shop, error) {
	list, err := t.q.shopsOfMerchant(ctx, merchant, afterID, rows(limit))
	return list, t.wrap(err, "shops")
}

// PutModel writes an approved listing.
func (t *Tx) PutModel(ctx context.Context, m Model) error {
	return t.sealed(ctx, t.wrap(t.q.putModel(ctx, m.ID, m.Doc), "model"), "models", "id", m.ID)
}

// Model finds one. Fault: record_not_found.
func (t *Tx) Model(ctx context.Context, id string) (Model, error) {
	m, err := t.q.model(ctx, id)
	return m, t.wrap(err, "model")
}

// Models gives every listing, by id.
func (t *Tx) Models(ctx context.Context) ([]Model, error) {
	list, err := t.q.models(ctx)
	return list, t.wrap(err, "models")
}

// PutDevice writes a device.
func (t *Tx) PutDevice(ctx context.Context, d Device) error {
	return t.sealed(ctx, t.wrap(t.q.putDevice(ctx, putDeviceParams(d)), "device"), "devices", "serial", d.Serial)
}

// Device finds one by serial. Fault: record_not_found.
func (t *Tx) Device(ctx context.Context, serial string) (Device, error) {
	d, err := t.q.device(ctx, serial)
	return d, t.wrap(err, "device")
}

// DevicesOfHolder lists what an organisation or person holds, by serial.
func (t *Tx) DevicesOfHolder(ctx context.Context, holder, afterSerial string, limit int) ([]Device, error) {
	list, err := t.q.devicesOfHolder(ctx, holder, afterSerial, rows(limit))
	return list, t.wrap(err, "devices")
}

// PutOrder writes an order. Merchant, shop, kind and creation stay as first written.
func (t *Tx) PutOrder(ctx context.Context, o Order) error {
	return t.sealed(ctx, t.wrap(t.q.putOrder(ctx, putOrderParams(o)), "order"), "orders", "id", o.ID)
}

// Order finds one. Fault: record_not_found.
func (t *Tx) Order(ctx context.Context, id string) (Order, error) {
	o, err := t.q.orderByID(ctx, id)
	return o, t.wrap(err, "order")
}

// OrderFilter says which orders; an empty field asks for nothing.
type OrderFilter struct {
	Org, Provider, Merchant, Shop, State, Kind string
}

// orderList names the indexes of migrations/00003_registry.sql.
var orderList = listed{
	table: "orders", when: "created_at",
	columns: "v.org, v.id, v.provider, v.merchant, v.shop, v.kind, v.risk, v.state, v.window_start_at, v.window_end_at," +
		" v.created_at, v.doc",
	driving: [][]string{
		{"shop"}, {"merchant"}, {"provider", "state"}, {"org", "state"}, {"provider"}, {"org"}, {"state"}, {},
	},
}

// ListOrders gives up to limit orders, newest first, as ListVisits does.
func (t *Tx) ListOrders(ctx context.Context, f OrderFilter, cursor string, limit int) (orders []Order, next string, err error) {
	q, err := orderList.plan(cursor, nil, equal{"org", f.Org}, equal{"provider", f.Provider},
		equal{"merchant", f.Merchant}, equal{"shop", f.Shop}, equal{"state", f.State}, equal{"kind", f.Kind})
	if err != nil {
		return nil, "", err
	}
	scan := func(row *sql.Rows, o *Order) error {
		return row.Scan(&o.Org, &o.ID, &o.Provider, &o.Merchant, &o.Shop, &o.Kind, &o.Risk, &o.State,
			&o.WindowStartAt, &o.WindowEndAt, &o.CreatedAt, &o.Doc)
	}
	return list(ctx, t, q, limit, scan, func(o Order) string { return cursorOf(o.CreatedAt, o.ID) })
}
