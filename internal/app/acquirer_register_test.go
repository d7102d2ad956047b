package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/visit"
)

// mei is a shop that nobody has on file yet.
func mei() app.NewMerchant {
	return app.NewMerchant{Name: "示例花店", CreditCode: "91310000MAP0CRUTY0", Principal: "示例梅", PrincipalID: "360426199101010071", Phone: "15400000102",
		AccountKind: "company", Account: "310066661018800012345", Code: "531000012973385", ShopName: "示例花店", Address: "槐山路 2 号", Position: "+31.23/+121.47", Province: "31", Region: "3050", Category: "5992", Opening: "09:00-21:00"}
}

func wrongFields(list []app.Wrong) (out []string) {
	for _, w := range list {
		out = append(out, w.Field+" "+w.Code)
	}
	return out
}

// One merchant is registered by hand, as a sheet of one line would, and is found by what is his. A full-width number
// is read as what it must be.
func TestAnApproverRegistersOneMerchant(t *testing.T) {
	d, _ := onFile(t)
	ctx, chen := t.Context(), as(d.Cast.Approver)
	m := mei()
	m.Phone = "１５４０００００１０２"
	done, wrong, err := d.App.RegisterMerchant(ctx, chen, m)
	if err != nil || len(wrong) != 0 || !strings.HasPrefix(done.ID, "m-") || !strings.HasPrefix(done.Shop, "s-") {
		t.Fatalf("%+v, %v, %v", done, wrong, err)
	}
	for _, value := range []string{m.CreditCode, "15400000102", m.Name} {
		if ids, err := d.App.FindMerchants(ctx, chen, value); err != nil || !slices.Equal(ids, []string{done.ID}) {
			t.Errorf("found %v, %v", ids, err)
		}
	}
	seen, err := d.App.Merchant(ctx, chen, done.ID)
	if err != nil || seen.MerchantRow.Code != m.Code || len(seen.ShopList) != 1 || seen.ShopList[0].ID != done.Shop || len(seen.Values) != 6 || seen.Phone != app.PhoneNone {
		t.Errorf("%+v, %v", seen, err)
	}
	for _, v := range append(seen.Values, seen.ShopList[0].Name, seen.ShopList[0].Address) {
		if v.Text == m.PrincipalID || v.Text == m.Address || v.Text == m.Account || v.Text == m.Phone {
			t.Errorf("%s is not masked", v.Field)
		}
	}
}

// Everything that is wrong is told at once, each at its field, and nothing is kept. No answer holds a value.
func TestEveryWrongFieldIsToldAtOnce(t *testing.T) {
	d, _ := onFile(t)
	ctx, chen := t.Context(), as(d.Cast.Approver)
	_, wrong, err := d.App.RegisterMerchant(ctx, chen, app.NewMerchant{ID: "a b", Name: "示例\u202e店", CreditCode: "91350100M000100Y4Z", Principal: strings.Repeat("长", 200), PrincipalID: "360426199101010072",
		Phone: "1540000010", AccountKind: "gold", Account: "6200000000000006", Code: "53100001297338", Position: "31.23,121.47", Province: "31;32", Region: " ", Category: "59", Opening: "全天"})
	want := []string{"id id_shape", "name field_text", "credit_code credit_code_shape", "principal field_text", "principal_id resident_id_check", "phone phone_shape", "account_kind cell_not_listed",
		"account account_card_check", "merchant_code merchant_code_shape", "shop.name field_empty", "shop.address field_empty", "shop.position position_shape", "shop.province field_one_only", "shop.region field_empty", "shop.category mcc_shape"}
	if got := wrongFields(wrong); !slices.Equal(got, want) || fault.CodeOf(err) != "merchant_fields" {
		t.Errorf("%q, %v", got, err)
	}
	for _, w := range wrong {
		if w.Text.Zh == "" || w.Text.En == "" || strings.Contains(w.Text.Zh+w.Text.En, "91350100M000100Y4Z") {
			t.Errorf("%+v", w)
		}
	}
	if rows, _, err := d.App.Merchants(ctx, chen, app.MerchantFilter{}); err != nil || len(rows) != 1 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

// Who is there already stays as he is: an id, a shop's id and a credit code that are on file are refused by name. A
// second merchant under one credit code is one that somebody asked for knowingly.
func TestRegisteringChangesNobody(t *testing.T) {
	d, p := onFile(t)
	ctx, chen := t.Context(), as(d.Cast.Approver)
	for want, change := range map[string]func(*app.NewMerchant){
		"merchant_id_taken": func(m *app.NewMerchant) { m.ID = d.Cast.Merchant.ID },
		"shop_id_taken":     func(m *app.NewMerchant) { m.Shop = p.Shop.ID },
		"merchant_on_file":  func(m *app.NewMerchant) { m.CreditCode = p.Shop.CreditCode },
	} {
		m := mei()
		change(&m)
		if _, _, err := d.App.RegisterMerchant(ctx, chen, m); fault.CodeOf(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	m := mei()
	m.CreditCode, m.Another = p.Shop.CreditCode, true
	if done, _, err := d.App.RegisterMerchant(ctx, chen, m); err != nil || done.ID == d.Cast.Merchant.ID {
		t.Error(done.ID, err)
	}
}

// Only an approver registers, for an institution that is on file.
func TestOnlyAnApproverRegisters(t *testing.T) {
	d, _ := onFile(t)
	ctx := t.Context()
	for _, who := range []app.Actor{as(d.Cast.Risk), as(d.Cast.Dispatcher), as(d.Cast.Technician), as(d.Cast.Merchant)} {
		if _, _, err := d.App.RegisterMerchant(ctx, who, mei()); fault.CodeOf(err) != "access_denied" {
			t.Errorf("%s: %v", who.Role, err)
		}
	}
	if _, _, err := d.App.RegisterMerchant(ctx, app.Actor{Person: "x", Organisation: d.Cast.Other.ID, Role: visit.RoleApprover}, mei()); fault.CodeOf(err) != "institution_not_on_file" {
		t.Error(err)
	}
	if err := d.Store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.App.RegisterMerchant(ctx, as(d.Cast.Approver), mei()); fault.CodeOf(err) != "store_closed" {
		t.Error(err)
	}
}
