package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
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
