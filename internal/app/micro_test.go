package app_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// bookedAs books a visit's order for the merchant of the play as if the shop had this code and principal.
func bookedAs(t *testing.T, d *scenario.Deployment, id, credit, principal string) error {
	t.Helper()
	p := d.Play(visit.Install, 1, id, "00005704280117028120", "W1489725")
	p.Shop.CreditCode, p.Shop.Principal = credit, principal
	p.NewOrder(visit.Install, 1)
	return p.Book(t.Context())
}

// A merchant without a credit code is put on file by the word 小微, booked, visited and brought live under his principal; an
// order that has him otherwise, or under somebody else, is not recorded.
func TestAMerchantWithoutACreditCodeGoesLive(t *testing.T) {
	d, p := deploy(t)
	ctx := t.Context()
	p.Shop.CreditCode = ""
	if r, err := d.RegisterAs(ctx, p.Device.Model, p.Shop); err != nil {
		t.Fatal(err, r.Problems)
	}
	p.NewOrder(visit.Install, 1)
	if p.Order.Items.Principal == "" || p.Order.Items.Principal != p.Order.Identity.Principal || p.Order.Items.CreditCode != "" {
		t.Fatalf("%+v", p.Order)
	}
	b, err := d.App.Booking(ctx, as(d.Cast.Approver), p.Shop.ID)
	if err != nil || b.Item != visit.ItemPrincipal || len(b.Missing) != 0 {
		t.Errorf("%+v, %v", b, err)
	}
	values, err := d.App.BookingValues(ctx, as(d.Cast.Approver), p.Shop.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		if v.Kind == "credit_code" {
			t.Error("a credit code is handed out for signing")
		}
	}
	if err := scenario.Run(ctx, p.Install()); err != nil {
		t.Fatal(err)
	}
	if row, err := visitRow(t, d, p.ID); err != nil || row.State != string(visit.Closed) {
		t.Errorf("%+v, %v", row, err)
	}
	for _, c := range []struct{ name, credit, principal, want string }{
		{"a credit code that he has not", "91310000MA19NUKJJ0", p.Shop.Principal, "order_item_not_on_file"},
		{"somebody else", "", "11010519491231002X", "order_principal_not_on_file"},
		{"as he is on file", "", p.Shop.Principal, ""},
	} {
		if err := bookedAs(t, d, "v-"+c.want, c.credit, c.principal); fault.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// A merchant that has a credit code is not booked without it.
func TestAFirmIsNotBookedAsOneWithoutACode(t *testing.T) {
	d, p := deploy(t)
	if r, err := d.Register(t.Context(), p.Device.Model); err != nil {
		t.Fatal(err, r.Problems)
	}
	if err := bookedAs(t, d, "v2", "", p.Shop.Principal); fault.CodeOf(err) != "order_item_not_on_file" {
		t.Errorf("%v", err)
	}
	if err := bookedAs(t, d, "v3", p.Shop.CreditCode, p.Shop.Principal); err != nil {
		t.Error(err)
	}
}

// The form's rules: one without a code says so and writes none; the same principal twice is asked about; a cell that
// was left empty is no 小微.
func TestOneMerchantWithoutACodeIsRegistered(t *testing.T) {
	d, p := deploy(t)
	ctx, chen := t.Context(), as(d.Cast.Approver)
	if r, err := d.Register(ctx, p.Device.Model); err != nil {
		t.Fatal(err, r.Problems)
	}
	for _, c := range []struct {
		edit func(*app.NewMerchant)
		want string
	}{
		{func(m *app.NewMerchant) { m.CreditCode = "" }, "credit_code field_empty"},
		{func(m *app.NewMerchant) { m.Micro = true }, "credit_code credit_code_of_micro"},
		{func(m *app.NewMerchant) { micro(m); m.Phone = "1" }, "phone phone_shape"},
		{func(m *app.NewMerchant) { m.CreditCode, m.Micro = "", true }, "account company_account_of_micro"},
	} {
		m := mei()
		c.edit(&m)
		_, wrong, err := d.App.RegisterMerchant(ctx, chen, m)
		if fault.CodeOf(err) != "merchant_fields" || len(wrong) != 1 || wrong[0].Field+" "+wrong[0].Code != c.want {
			t.Errorf("%+v, %v, want %s", wrong, err, c.want)
		}
	}
	m := mei()
	micro(&m)
	done, wrong, err := d.App.RegisterMerchant(ctx, chen, m)
	if err != nil {
		t.Fatal(wrong, err)
	}
	b, err := d.App.Booking(ctx, chen, done.Shop)
	if err != nil || b.Item != visit.ItemPrincipal || len(b.Missing) != 0 {
		t.Errorf("%+v, %v", b, err)
	}
	again := m
	again.ID, again.Shop = "", ""
	if _, _, err := d.App.RegisterMerchant(ctx, chen, again); fault.CodeOf(err) != "merchant_on_file" {
		t.Errorf("the same principal again: %v", err)
	}
	again.Another = true
	if _, _, err := d.App.RegisterMerchant(ctx, chen, again); err != nil {
		t.Error(err)
	}
	firm := mei()
	firm.ID, firm.Shop = "", ""
	if _, _, err := d.App.RegisterMerchant(ctx, chen, firm); err != nil {
		t.Errorf("a firm of the same principal: %v", err)
	}
}

// What a 小微 order puts into signed bytes says nobody's number.
func TestNoNumberOfAPrincipalIsInSignedBytes(t *testing.T) {
	d, p := deploy(t)
	p.Shop.CreditCode = ""
	if r, err := d.RegisterAs(t.Context(), p.Device.Model, p.Shop); err != nil {
		t.Fatal(err, r.Problems)
	}
	p.NewOrder(visit.Install, 1)
	if err := scenario.Run(t.Context(), p.Install()); err != nil {
		t.Fatal(err)
	}
	dossier, err := d.App.Dossier(t.Context(), as(d.Cast.Dispatcher), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	orders := 0
	for _, e := range dossier.Entries {
		envelope, err := statement.Base64(e.Statement)
		if err != nil {
			t.Fatal(err)
		}
		claims, err := statement.Parse(envelope)
		if err != nil {
			t.Fatal(err)
		}
		var raw json.RawMessage
		if err := claims.UntrustedBody(&raw); err != nil {
			t.Fatal(err)
		}
		if body := string(raw); strings.Contains(body, p.Shop.Principal) {
			t.Error("a resident number stands in a statement")
		} else if strings.Contains(body, p.Order.Items.Principal) {
			orders++
		}
	}
	if orders < 2 { // the order and its permits
		t.Errorf("the principal's commitment is in %d statements", orders)
	}
}

// micro makes a new merchant one without a credit code, whose money goes to his own card.
func micro(m *app.NewMerchant) {
	m.CreditCode, m.Micro, m.AccountKind, m.Account = "", true, "card", "6200000000000005"
}

// One whom an older deployment put on file with a company's account is not booked, nor sent anybody, until that is set right.
func TestAMerchantWithoutACodeIsNotPaidToACompany(t *testing.T) {
	d, p := deploy(t)
	ctx := t.Context()
	p.Shop.CreditCode = ""
	if r, err := d.RegisterAs(ctx, p.Device.Model, p.Shop); err != nil {
		t.Fatal(err, r.Problems)
	}
	if err := bookedAs(t, d, "v-before", "", p.Shop.Principal); err != nil {
		t.Fatal(err)
	}
	settled := func(from, to string) {
		err := d.Store.Write(ctx, func(tx *store.Tx) error {
			m, err := tx.Merchant(ctx, p.Order.Merchant)
			if err != nil {
				return err
			}
			m.Doc = strings.Replace(m.Doc, from, to, 1)
			return tx.PutMerchant(ctx, m)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	settled("银行卡", "对公账户")
	if err := bookedAs(t, d, "v-company", "", p.Shop.Principal); fault.CodeOf(err) != "order_account_not_principals" {
		t.Errorf("booked: %v", err)
	}
	settled("对公账户", "银行卡")
	if err := bookedAs(t, d, "v-card", "", p.Shop.Principal); err != nil {
		t.Error(err)
	}
	p.NewOrder(visit.Install, 1)
	if err := scenario.Run(ctx, scenario.Until(p.Install(), "ask dispatch")); err != nil {
		t.Fatal(err)
	}
	settled("银行卡", "对公账户")
	if err := p.MustAsk(ctx, visit.AskDispatch); scenario.RefusalOf(err).Code != "principal_company_account" {
		t.Errorf("sent: %v", err)
	}
}
