package app_test

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

// registered gives wei a shop of a code in the registry.
func registered(t *testing.T, d *scenario.Deployment, p *scenario.Play, code string) {
	t.Helper()
	err := d.App.Store.Write(t.Context(), func(tx *store.Tx) error {
		if err := tx.PutMerchant(t.Context(), store.Merchant{ID: p.Cast.Merchant.ID, Org: p.Cast.Acquirer.ID, Doc: "{}"}); err != nil {
			return err
		}
		return tx.PutShop(t.Context(), store.Shop{ID: code, Merchant: p.Cast.Merchant.ID, Province: "31", Region: "2900", Doc: "{}"})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// answerAll works out every call that waits, as the loop does.
func answerAll(t *testing.T, a *app.App) {
	t.Helper()
	var due []store.Job
	err := a.Store.Write(t.Context(), func(tx *store.Tx) error {
		var err error
		due, err = tx.LeaseJobs(t.Context(), app.JobDoorCall, 100, a.Now().Add(time.Second), time.Minute)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range due {
		if err := a.AnswerDoorCall(t.Context(), string(j.Payload), j.Key); err != nil {
			t.Fatal(err)
		}
	}
}

// What is asked of the database does not tell a shop's code from another: neither while the public page answers, nor afterwards
// while the call is worked out, but for the last lines that keep a real one. It counts statements; a clock would prove nothing.
func TestAsMuchIsAskedAboutACodeOfNoShop(t *testing.T) {
	d, p := dispatched(t)
	registered(t, d, p, "wei-2") // somebody is expected at another shop of this merchant, not at this one
	asked := func(work func(ctx context.Context) error) (list []string) {
		t.Helper()
		if err := work(store.Traced(t.Context(), func(query string) { list = append(list, query) })); err != nil {
			t.Fatal(err)
		}
		return list
	}
	take := func(code string) []string {
		return asked(func(ctx context.Context) error { return d.App.TakeDoorCall(ctx, code, "asks_money") })
	}
	work := func(code string) []string {
		return asked(func(ctx context.Context) error { return d.App.AnswerDoorCall(ctx, "asks_money\n"+code, "call-"+code) })
	}
	work("first-of-all") // reads the catalogue, once in a process
	taken, none := take("wei-2"), work("no-such-shop")
	if len(taken) == 0 || len(none) < 4 {
		t.Fatalf("%d and %d statements: nobody counted", len(taken), len(none))
	}
	for _, code := range []string{"no-such-shop", "", "../x", "门神"} {
		if got := take(code); !slices.Equal(got, taken) {
			t.Errorf("the page asks otherwise about %q:\n%q\n%q", code, got, taken)
		}
		if got := work(code); !slices.Equal(got, none) {
			t.Errorf("%q is worked out otherwise:\n%q\n%q", code, got, none)
		}
	}
	if got := work("wei-2"); len(got) <= len(none) || !slices.Equal(got[:len(none)], none) {
		t.Errorf("a shop's code is worked out otherwise before it is kept:\n%q\n%q", got, none)
	}
}

func TestAStrangersCallIsAnsweredToTheShopAlone(t *testing.T) {
	d, p := dispatched(t)
	wei := actor(p.Cast.Merchant)
	registered(t, d, p, p.Order.Shop)
	registered(t, d, p, "wei-2")
	for _, code := range []string{p.Order.Shop, "wei-2", "no-such-shop", "", "../x"} {
		if err := d.App.TakeDoorCall(t.Context(), code, "asks_money"); err != nil {
			t.Errorf("%q: %v", code, err)
		}
	}
	answerAll(t, d.App)
	calls, err := d.App.DoorCalls(t.Context(), wei)
	if err != nil || len(calls) != 2 {
		t.Fatalf("%d calls, %v", len(calls), err)
	}
	for _, c := range calls {
		if c.Expected != (c.Shop == p.Order.Shop) || c.Kind != "asks_money" {
			t.Errorf("%+v", c)
		}
	}
	if calls, _ := d.App.DoorCalls(t.Context(), actor(p.Cast.Technician)); len(calls) != 0 {
		t.Error("somebody else was told")
	}
}

// What a stranger typed becomes one ticket, which the acquirer's risk desk sees, when owner or clerk says so; a second
// tap and the other phone's tap find the same one.
func TestACallBecomesOneTicket(t *testing.T) {
	d, p := dispatched(t)
	wei := actor(p.Cast.Merchant)
	ming := app.Actor{Person: wei.Person + ".k1", Organisation: p.Cast.Acquirer.ID, Role: visit.RoleClerk}
	registered(t, d, p, "wei-2")
	if err := d.App.TakeDoorCall(t.Context(), "wei-2", "asks_money"); err != nil {
		t.Fatal(err)
	}
	answerAll(t, d.App)
	calls, err := d.App.DoorCalls(t.Context(), ming)
	if err != nil || len(calls) != 1 || calls[0].Ticket != "" || calls[0].Expected {
		t.Fatalf("the clerk at the counter sees %+v, %v", calls, err)
	}
	var ids []string
	for _, who := range []app.Actor{ming, wei, wei} {
		id, err := d.App.ReportDoorCall(t.Context(), who, calls[0].ID, "对方要钱")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if ids[0] != ids[1] || ids[1] != ids[2] {
		t.Errorf("three tickets: %v", ids)
	}
	if calls, _ = d.App.DoorCalls(t.Context(), wei); calls[0].Ticket != ids[0] {
		t.Errorf("the page does not know it: %+v", calls)
	}
	list, _, err := d.App.Tickets(t.Context(), actor(p.Cast.Risk), "", "", 0)
	if err != nil || len(list) != 1 || list[0].Row.ID != ids[0] || list[0].Row.Kind != "stranger" || list[0].Row.Shop != "wei-2" {
		t.Errorf("the risk desk sees %+v, %v", list, err)
	}
	if got, err := d.App.Ticket(t.Context(), actor(p.Cast.Risk), ids[0]); err != nil || got.Events[0].Note != "对方要钱" {
		t.Errorf("the risk desk reads %+v, %v", got, err)
	}
	for _, c := range []struct {
		who  app.Actor
		call string
		want string
	}{{wei, "call-none", "door_call_not_found"}, {actor(p.Cast.Technician), calls[0].ID, "door_call_not_found"},
		{app.Actor{Person: "mei", Organisation: p.Cast.Acquirer.ID, Role: visit.RoleMerchant}, calls[0].ID, "door_call_not_found"}} {
		if _, err := d.App.ReportDoorCall(t.Context(), c.who, c.call, ""); fault.CodeOf(err) != c.want {
			t.Errorf("%+v: %v, want %s", c, err, c.want)
		}
	}
}

func TestOneShopIsNotFlooded(t *testing.T) {
	d, p := dispatched(t)
	registered(t, d, p, "wei-2")
	for range 30 {
		if err := d.App.TakeDoorCall(t.Context(), "wei-2", "someone_here"); err != nil {
			t.Fatal(err)
		}
	}
	answerAll(t, d.App)
	if calls, err := d.App.DoorCalls(t.Context(), actor(p.Cast.Merchant)); err != nil || len(calls) != 20 {
		t.Errorf("%d calls, %v", len(calls), err)
	}
	if err := d.App.TakeDoorCall(t.Context(), string(make([]byte, 65)), "x"); fault.CodeOf(err) != "door_call_malformed" {
		t.Error(err)
	}
}

func TestAPhraseIsItsMerchantsOnly(t *testing.T) {
	d, p := dispatched(t)
	wei, lan := actor(p.Cast.Merchant), actor(p.Cast.Technician)
	phrase := func(who app.Actor) string {
		t.Helper()
		got, err := d.App.Phrase(context.Background(), who)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := phrase(wei); got != "" {
		t.Errorf("before any: %q", got)
	}
	for _, chosen := range []string{"灯笼下的猫", "门口的石榴"} {
		if err := d.App.SetPhrase(t.Context(), wei, chosen); err != nil {
			t.Fatal(err)
		}
		if got := phrase(wei); got != chosen {
			t.Errorf("%q, want %q", got, chosen)
		}
	}
	if got := phrase(lan); got != "" {
		t.Errorf("lan reads %q", got)
	}
	if err := d.App.SetPhrase(t.Context(), lan, "x"); fault.CodeOf(err) != "shop_not_found" {
		t.Error(err)
	}
}

func TestWhoPrintsASticker(t *testing.T) {
	d, p := dispatched(t)
	registered(t, d, p, "wei-2")
	for _, c := range []struct {
		who  app.Actor
		shop string
		want string
	}{
		{actor(p.Cast.Merchant), "wei-2", ""}, {actor(p.Cast.Approver), "wei-2", ""}, {actor(p.Cast.Merchant), "none", "shop_not_found"},
		{actor(p.Cast.Dispatcher), "wei-2", "shop_not_found"}, {app.Actor{Person: "mei", Organisation: p.Cast.Acquirer.ID, Role: visit.RoleMerchant}, "wei-2", "shop_not_found"},
	} {
		if _, err := d.App.StickerShop(t.Context(), c.who, c.shop); fault.CodeOf(err) != c.want {
			t.Errorf("%+v: %v, want %q", c, err, c.want)
		}
	}
}

// A shop's own people read its name; to others it is a code, and where it could be another shop's, too.
func TestAShopsNameForThoseEntitled(t *testing.T) {
	d, p := dispatched(t)
	wei := actor(p.Cast.Merchant)
	ming := app.Actor{Person: wei.Person + ".k1", Organisation: p.Cast.Acquirer.ID, Role: visit.RoleClerk}
	registered(t, d, p, "wei-1")
	err := d.App.Store.Write(t.Context(), func(tx *store.Tx) error {
		for i, name := range []string{"旧面馆", "示例面馆"} {
			_, err := d.App.Vault.Put(t.Context(), tx, wei.Person, statement.NewOpening("shop_name", [16]byte{byte(i)}, name), vault.Tag{Purposes: []string{"registry"}}, d.App.Now().Add(time.Duration(i)*time.Second))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	name := func(who app.Actor, shop string) string {
		t.Helper()
		got, err := d.App.ShopName(t.Context(), who, shop)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, who := range []app.Actor{wei, ming, actor(p.Cast.Approver)} {
		if got := name(who, "wei-1"); got != "示例面馆" {
			t.Errorf("%s reads %q", who.Person, got)
		}
	}
	for _, who := range []app.Actor{actor(p.Cast.Technician), actor(p.Cast.Dispatcher), {Person: "mei", Organisation: p.Cast.Acquirer.ID, Role: visit.RoleMerchant}} {
		if got := name(who, "wei-1"); got != "" {
			t.Errorf("%s reads %q", who.Person, got)
		}
	}
	if got := name(wei, "none"); got != "" {
		t.Errorf("no shop is called %q", got)
	}
	registered(t, d, p, "wei-2")
	if got := name(wei, "wei-1"); got != "" {
		t.Errorf("one of two shops is called %q", got)
	}
	// Each shop's own row names one of the merchant's values; what it names and nobody keeps is no name.
	for shop, its := range map[string]statement.Opening{"wei-2": statement.NewOpening("shop_name", [16]byte{0}, "旧面馆"), "wei-3": statement.NewOpening("shop_name", [16]byte{1}, "示例面馆"), "wei-4": statement.NewOpening("shop_name", [16]byte{9}, "别家")} {
		commitment, err := its.Commitment()
		if err != nil {
			t.Fatal(err)
		}
		err = d.App.Store.Write(t.Context(), func(tx *store.Tx) error {
			return tx.PutShop(t.Context(), store.Shop{ID: shop, Merchant: wei.Person, Province: "31", Region: "2900", Doc: `{"commitment.shop_name":"` + commitment + `"}`})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for shop, want := range map[string]string{"wei-1": "", "wei-2": "旧面馆", "wei-3": "示例面馆", "wei-4": ""} {
		if got := name(wei, shop); got != want {
			t.Errorf("%s is called %q, want %q", shop, got, want)
		}
	}
}

// A dispatcher is rung up by a shop, not by a shop's code. Whoever may see a visit reads what stands over the door, until the
// merchant is erased.
func TestThePartiesOfAVisitReadTheShopsName(t *testing.T) {
	d, p := dispatched(t)
	ctx, wei := t.Context(), actor(p.Cast.Merchant)
	registered(t, d, p, p.Shop.ID)
	err := d.App.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := d.App.Vault.Put(ctx, tx, wei.Person, statement.NewOpening("shop_name", [16]byte{1}, "示例面馆"), vault.Tag{Purposes: []string{"registry"}}, d.App.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	reads := func(want string, who ...app.Actor) {
		t.Helper()
		for _, w := range who {
			rows, _, err := d.App.Board(ctx, w, app.BoardFilter{})
			if err != nil || len(rows) != 1 || rows[0].ShopName != want || rows[0].Place() != cmp.Or(want, p.Shop.ID) {
				t.Errorf("%s's board: %+v, %v", w.Role, rows, err)
			}
			if got, err := d.App.VisitShop(ctx, w, p.ID); got != want || err != nil {
				t.Errorf("%s's visit: %q, %v", w.Role, got, err)
			}
		}
	}
	reads("示例面馆", actor(p.Cast.Dispatcher), actor(p.Cast.Technician), actor(p.Cast.Approver), wei)
	orders, _, err := d.App.Orders(ctx, actor(p.Cast.Approver), app.OrdersFilter{})
	if err != nil || len(orders) != 1 || orders[0].Place() != "示例面馆" {
		t.Errorf("%+v, %v", orders, err)
	}
	stranger := app.Actor{Person: "mei", Organisation: p.Cast.Acquirer.ID, Role: visit.RoleMerchant}
	if got, err := d.App.VisitShop(ctx, stranger, p.ID); got != "" || fault.CodeOf(err) != "visit_not_found" {
		t.Errorf("a stranger reads %q, %v", got, err)
	}
	err = d.App.Store.Write(ctx, func(tx *store.Tx) error {
		looks, err := d.App.Vault.Looks(ctx, tx, wei.Person, 100)
		if slices.ContainsFunc(looks, func(l store.VaultLook) bool { return l.Field == "shop_name" }) {
			t.Errorf("looks for what stands over the door: %+v", looks)
		}
		if err == nil {
			_, err = d.App.Vault.Erase(ctx, tx, wei.Person, d.App.Now())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	reads("", actor(p.Cast.Dispatcher), wei)
}

// An acquirer's own sheet may say any licence; what a shop is told of a company is what the signed trust list says. A
// telephone number stands in the sheet alone.
func TestAFirmIsWhatTheTrustListSays(t *testing.T) {
	d, p := deploy(t)
	acquirer, provider := p.Cast.Acquirer.ID, p.Cast.Provider.ID
	want := map[string]app.Firm{
		acquirer: {ID: acquirer, Name: "槐山支付（演示）", Licence: "Z2099931000010"},
		provider: {ID: provider, Name: "安装到家（演示）", Filing: "W-2026-0031"},
		"nobody": {ID: "nobody", Name: "nobody"},
	}
	compare := func() {
		t.Helper()
		got, err := d.App.Firms(t.Context(), acquirer, provider, "nobody")
		if err != nil || len(got) != len(want) {
			t.Fatalf("%v, %v", got, err)
		}
		for id, firm := range want {
			if got[id] != firm {
				t.Errorf("%s: got %+v, want %+v", id, got[id], firm)
			}
		}
	}
	compare() // nobody imported a sheet

	if r, err := d.Register(t.Context(), p.Device.Model); err != nil {
		t.Fatal(err, r.Problems)
	}
	err := d.App.Store.Write(t.Context(), func(tx *store.Tx) error {
		return tx.PutOrganisation(t.Context(), store.Organisation{ID: "nobody", Kind: "acquirer", Name: "自称支付", Doc: `{"支付业务许可证":"Z2990132000099","服务电话":"0529-65550009"}`})
	})
	if err != nil {
		t.Fatal(err)
	}
	want[acquirer] = app.Firm{ID: acquirer, Name: "槐山支付（演示）", Licence: "Z2099931000010", Phone: "0529-65550001"}
	want[provider] = app.Firm{ID: provider, Name: "安装到家（演示）", Filing: "W-2026-0031", Phone: "0529-65550101"}
	want["nobody"] = app.Firm{ID: "nobody", Name: "自称支付", Phone: "0529-65550009"}
	compare()
}
