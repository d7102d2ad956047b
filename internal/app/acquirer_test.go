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
		if m := rows[0]; m.Name != p.Shop.Name || m.Code != p.Shop.MerchantCode || m.Shops != 1 || m.Phone != app.PhoneEnrolled {
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
		if v.Public != (v.Field == "merchant_name") || v.Public && v.Text != p.Shop.Name {
			t.Errorf("%+v", v)
		}
		for _, secret := range []string{p.Shop.CreditCode, p.Shop.Account, p.Shop.Principal, "15400000101", "魏安"} {
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

// An order's turn moves from whoever must sign next to whoever must go; the sheet that both signed is compared
// with what this merchant agreed to before.
func TestAnOrderSaysWhoseTurnItIs(t *testing.T) {
	d, p := onFile(t)
	ctx, c := t.Context(), d.Cast
	turn := func(want string) app.OrderDetail {
		t.Helper()
		o, err := d.App.Order(ctx, as(c.Approver), p.Order.Order)
		if err != nil || o.Turn != want {
			t.Errorf("turn %q, %v, want %q", o.Turn, err, want)
		}
		rows, _, err := d.App.Orders(ctx, as(c.Risk), app.OrdersFilter{Turn: want})
		if err != nil || len(rows) != 1 || rows[0].ID != p.Order.Order {
			t.Errorf("by turn %s: %+v, %v", want, rows, err)
		}
		return o
	}
	if o := turn(visit.RoleApprover); o.Booker != c.Approver.ID || len(o.Duties) != 2 || o.Duties[0].Twice {
		t.Errorf("%+v", o)
	}
	if err := p.AgreeApprover(ctx, p.Sheet); err != nil {
		t.Fatal(err)
	}
	turn(visit.RoleMerchant)
	if err := p.AgreeMerchant(ctx, p.Sheet); err != nil {
		t.Fatal(err)
	}
	if o := turn(visit.RoleDispatcher); !o.Agreed() || o.Earlier != nil {
		t.Errorf("%+v", o)
	}
	if err := p.Freeze(ctx, c.Risk, "other"); err != nil {
		t.Fatal(err)
	}
	turn(visit.RoleRisk)
	later := d.Play(visit.Repair, 0, "v2", "00005704280117028120", "W1489725")
	if err := later.Book(ctx); err != nil {
		t.Fatal(err)
	}
	if o, err := d.App.Order(ctx, as(c.Approver), later.Order.Order); err != nil || o.Earlier == nil || o.Earlier.Sheet.Digest() != p.Sheet.Digest() {
		t.Errorf("what was agreed before: %+v, %v", o.Earlier, err)
	}
	other := app.Actor{Person: "x", Organisation: c.Other.ID, Role: visit.RoleApprover}
	if _, err := d.App.Order(ctx, other, p.Order.Order); fault.CodeOf(err) != "order_not_found" {
		t.Error(err)
	}
	if _, err := d.App.Order(ctx, as(c.Dispatcher), p.Order.Order); fault.CodeOf(err) != "access_denied" {
		t.Error(err)
	}
	key := c.Approver.Public().Thumbprint()
	if last, err := d.App.LastOnOrder(ctx, as(c.Approver), p.Order.Order, key); err != nil || len(last) != 64 {
		t.Errorf("%q, %v", last, err)
	}
}

// A draft may be unfinished; what is sent for signing may not, and goes to an order that somebody signed.
func TestSheetsAreDraftedAndSent(t *testing.T) {
	d, p := onFile(t)
	ctx, chen := t.Context(), as(d.Cast.Approver)
	draft := app.SheetDraft{ID: "s1", Title: "标准装机", Sheet: p.Sheet}
	for code, edit := range map[string]func(*app.SheetDraft){
		"sheet_draft_malformed":   func(s *app.SheetDraft) { s.Title = "" },
		"sheet_of_other_acquirer": func(s *app.SheetDraft) { s.Sheet.Acquirer = d.Cast.Other.ID },
	} {
		bad := draft
		edit(&bad)
		if err := d.App.SaveSheet(ctx, chen, bad); fault.CodeOf(err) != code {
			t.Errorf("%v, want %s", err, code)
		}
	}
	unfinished := draft
	unfinished.Sheet.Terms, unfinished.Sheet.Items = "", nil
	if err := d.App.SaveSheet(ctx, chen, unfinished); err != nil {
		t.Fatal(err)
	}
	if err := d.App.SendSheet(ctx, chen, "s1", p.Order.Order); fault.CodeOf(err) != "sheet_terms_malformed" {
		t.Error(err)
	}
	if err := d.App.SaveSheet(ctx, chen, draft); err != nil {
		t.Fatal(err)
	}
	if err := d.App.SendSheet(ctx, chen, "s1", "o-none"); fault.CodeOf(err) != "sheet_order_not_booked" {
		t.Error(err)
	}
	if err := d.App.SendSheet(ctx, chen, "s1", p.Order.Order); err != nil {
		t.Fatal(err)
	}
	if o, err := d.App.Order(ctx, chen, p.Order.Order); err != nil || len(o.Sent) != 1 || o.Sent[0].Sheet.Digest() != p.Sheet.Digest() {
		t.Errorf("%+v, %v", o.Sent, err)
	}
	if list, _, err := d.App.Sheets(ctx, as(d.Cast.Risk), "", 0); err != nil || len(list) != 1 || list[0].Order != p.Order.Order {
		t.Errorf("%+v, %v", list, err)
	}
	if err := d.App.SaveSheet(ctx, as(d.Cast.Risk), draft); fault.CodeOf(err) != "access_denied" {
		t.Error(err)
	}
	other := app.Actor{Person: "x", Organisation: d.Cast.Other.ID, Role: visit.RoleApprover}
	if _, err := d.App.Sheet(ctx, other, "s1"); fault.CodeOf(err) != "sheet_not_found" {
		t.Error(err)
	}
	if err := d.App.DropSheet(ctx, other, "s1"); err != nil {
		t.Error(err)
	}
	if err := d.App.DropSheet(ctx, chen, "s1"); err != nil {
		t.Error(err)
	}
	if _, err := d.App.Sheet(ctx, chen, "s1"); fault.CodeOf(err) != "sheet_not_found" {
		t.Error(err)
	}
}

// What an order commits to is opened for the approver of that acquirer, and the look is on record.
func TestWhatAnOrderCommitsToIsOpenedForItsApprover(t *testing.T) {
	d, p := onFile(t)
	ctx, c := t.Context(), d.Cast
	b, err := d.App.Booking(ctx, as(c.Approver), p.Shop.ID)
	if err != nil || len(b.Missing) != 0 || b.AcquirerCode != p.Shop.AcquirerCode || len(b.Providers) != 1 || !slices.Contains(b.Models, p.Device.Model) {
		t.Fatalf("%+v, %v", b, err)
	}
	values, err := d.App.BookingValues(ctx, as(c.Approver), p.Shop.ID)
	got := map[string]string{}
	for _, v := range values {
		got[v.Kind] = v.Value
	}
	for kind, want := range map[string]string{"merchant_name": p.Shop.Name, "credit_code": p.Shop.CreditCode, "account": p.Shop.Account, "resident_id": p.Shop.Principal, "address": p.Shop.Address, "position": p.Shop.Position} {
		if err != nil || got[kind] != want {
			t.Errorf("%s is not what is on file: %v", kind, err)
		}
	}
	for _, who := range []app.Actor{as(c.Risk), as(c.Dispatcher), as(c.Technician)} {
		if _, err := d.App.BookingValues(ctx, who, p.Shop.ID); fault.CodeOf(err) != "access_denied" {
			t.Errorf("%s: %v", who.Role, err)
		}
	}
	other := app.Actor{Person: "x", Organisation: c.Other.ID, Role: visit.RoleApprover}
	if _, err := d.App.BookingValues(ctx, other, p.Shop.ID); fault.CodeOf(err) != "shop_not_found" {
		t.Error(err)
	}
	if _, err := d.App.Booking(ctx, other, p.Shop.ID); fault.CodeOf(err) != "shop_not_found" {
		t.Error(err)
	}
}
