package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// onFile is a deployment with the corner shop on file and one booked order.
func onFile(t *testing.T) (*scenario.Deployment, *scenario.Play) {
	t.Helper()
	d, p := deploy(t)
	if r, err := d.Register(t.Context(), p.Device.Model); err != nil {
		t.Fatal(err, r.Problems)
	}
	if err := p.Book(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d, p
}

// The acquirer's people find wei by what is his; nobody else's people find him at all.
func TestAnAcquirerFindsItsOwnMerchants(t *testing.T) {
	d, p := onFile(t)
	ctx, c := t.Context(), d.Cast
	for _, q := range []string{"", c.Merchant.ID, p.Shop.ID, p.Order.Order, p.ID} {
		rows, next, err := d.App.Merchants(ctx, as(c.Approver), app.MerchantFilter{Query: q})
		if err != nil || len(rows) != 1 || next != "" || rows[0].ID != c.Merchant.ID {
			t.Errorf("%q: %+v, %v", q, rows, err)
			continue
		}
		if m := rows[0]; m.Name != "示****" || m.Code != p.Shop.MerchantCode || m.Shops != 1 || m.Phone != app.PhoneEnrolled {
			t.Errorf("%+v", m)
		}
	}
	if rows, _, err := d.App.Merchants(ctx, as(c.Approver), app.MerchantFilter{Query: "nobody"}); err != nil || len(rows) != 0 {
		t.Error(rows, err)
	}
	other := app.Actor{Person: "x", Organisation: c.Other.ID, Role: visit.RoleApprover}
	if rows, _, err := d.App.Merchants(ctx, other, app.MerchantFilter{Query: c.Merchant.ID}); err != nil || len(rows) != 0 {
		t.Errorf("another acquirer sees %+v, %v", rows, err)
	}
	if _, err := d.App.Merchant(ctx, other, c.Merchant.ID); fault.CodeOf(err) != "merchant_not_found" {
		t.Error(err)
	}
	for _, who := range []*scenario.Actor{c.Dispatcher, c.Technician, c.Supervisor, c.Merchant} {
		if _, _, err := d.App.Merchants(ctx, as(who), app.MerchantFilter{}); fault.CodeOf(err) != "access_denied" {
			t.Errorf("%s: %v", who.Role, err)
		}
	}
}

func TestAMerchantIsFoundByAWholePersonalValue(t *testing.T) {
	d, p := onFile(t)
	ctx, c := t.Context(), d.Cast
	for _, value := range []string{p.Shop.Name, "15400000101", p.Shop.CreditCode, p.Shop.Principal} {
		if ids, err := d.App.FindMerchants(ctx, as(c.Risk), value); err != nil || !slices.Equal(ids, []string{c.Merchant.ID}) {
			t.Errorf("%d bytes: %v, %v", len(value), ids, err)
		}
		if ids, err := d.App.FindMerchants(ctx, app.Actor{Person: "x", Organisation: c.Other.ID, Role: visit.RoleRisk}, value); err != nil || len(ids) != 0 {
			t.Errorf("another acquirer finds %v, %v", ids, err)
		}
	}
	if ids, err := d.App.FindMerchants(ctx, as(c.Risk), "1540000010"); err != nil || len(ids) != 0 {
		t.Errorf("part of a number finds %v, %v", ids, err)
	}
	if _, err := d.App.FindMerchants(ctx, as(c.Dispatcher), p.Shop.Name); fault.CodeOf(err) != "access_denied" {
		t.Error(err)
	}
}

// What is masked is opened one by one, for a purpose, and the merchant sees who looked.
func TestAMerchantsPageShowsNothingPersonalUnasked(t *testing.T) {
	d, p := onFile(t)
	ctx, c := t.Context(), d.Cast
	m, err := d.App.Merchant(ctx, as(c.Approver), c.Merchant.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Values) != 6 || len(m.ShopList) != 1 || len(m.Orders) != 1 || len(m.Phones) != 1 || !m.Phones[0].InForce || !m.Check.Accepted || m.Check.Method != "in_person" || m.Code.Known {
		t.Errorf("%+v", m)
	}
	for _, v := range m.Values {
		for _, secret := range []string{p.Shop.Name, p.Shop.CreditCode, p.Shop.Account, p.Shop.Principal, "15400000101", "魏安"} {
			if strings.Contains(v.Text, secret) {
				t.Errorf("%s is shown whole", v.Field)
			}
		}
	}
	phone := m.Values[slices.IndexFunc(m.Values, func(v app.MaskedValue) bool { return v.Field == "phone" })]
	if got, err := d.App.ShowValue(ctx, as(c.Approver), c.Merchant.ID, phone.Commitment, "registry"); err != nil || got != "15400000101" {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := d.App.ShowValue(ctx, as(c.Approver), c.Merchant.ID, phone.Commitment, "marketing"); fault.CodeOf(err) != "vault_purpose_not_allowed" {
		t.Error(err)
	}
	if _, err := d.App.ShowValue(ctx, as(c.Dispatcher), c.Merchant.ID, phone.Commitment, "registry"); fault.CodeOf(err) != "access_denied" {
		t.Error(err)
	}
	other := app.Actor{Person: "x", Organisation: c.Other.ID, Role: visit.RoleApprover}
	if _, err := d.App.ShowValue(ctx, other, c.Merchant.ID, phone.Commitment, "registry"); fault.CodeOf(err) != "merchant_not_found" {
		t.Error(err)
	}
}
