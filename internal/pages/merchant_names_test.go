package pages

import (
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Each charge has its word in both languages: nobody reads a program's code for his own money.
func TestAChargeIsNamedInWords(t *testing.T) {
	o := ShopOrder{Offer: &ShopPrice{Sheet: agreement.Sheet{Items: []agreement.Item{{Code: "data"}}}}}
	for _, c := range []struct {
		charge agreement.Charge
		zh, en string
	}{
		{agreement.Charge{Kind: agreement.ChargeSheet, Code: "data"}, "流量费", "Data"},
		{agreement.Charge{Kind: agreement.ChargeSheet, Code: "activation"}, "激活费（价格表上没有）", "Activation (not on the price sheet)"},
		{agreement.Charge{Kind: agreement.ChargeSheet, Code: agreement.CardCredit}, "信用卡，每笔", "Credit card, each"},
		{agreement.Charge{Kind: agreement.ChargeScript, Code: agreement.StepApprovedSale}, "试收一笔，收到了", "A test payment went through"},
		{agreement.Charge{Kind: agreement.ChargeScript, Code: "made_up"}, "价格表上没有的一笔（收单机构记的是“made_up”，打电话时可以问）", "Something that is not on the price sheet (the acquirer calls it “made_up”; ask about it)"},
		{agreement.Charge{Kind: agreement.ChargeSheet, Code: "membership"}, "价格表上没有的一笔（收单机构记的是“membership”，打电话时可以问）", "Something that is not on the price sheet (the acquirer calls it “membership”; ask about it)"},
		{agreement.Charge{Kind: agreement.ChargeOther, Code: "vip"}, "价格表上没有的一笔（收单机构记的是“vip”，打电话时可以问）", "Something that is not on the price sheet (the acquirer calls it “vip”; ask about it)"},
	} {
		if got := (&page{lang: zh}).chargeName(o, c.charge); got != c.zh {
			t.Errorf("%+v: %q, want %q", c.charge, got, c.zh)
		}
		if got := (&page{lang: en}).chargeName(o, c.charge); got != c.en {
			t.Errorf("%+v: %q, want %q", c.charge, got, c.en)
		}
	}
}

// A merchant of several shops reads at which one somebody is expected; one of a single shop knows.
func TestAnOrderNamesItsShop(t *testing.T) {
	source, s := shop(t)
	row := ShopOrderRow{Visit: "v1", Kind: visit.Install, Stage: string(visit.Dispatched), Shop: "wei-2", From: time.Unix(1795348800, 0), Until: time.Unix(1795352400, 0)}
	closed := row
	closed.Stage = string(visit.Closed)
	for _, c := range []struct {
		shops []ShopPlace
		want  int
	}{{[]ShopPlace{{"wei-2", "北门面馆"}}, 0}, {[]ShopPlace{{"wei-1", "南门面馆"}, {"wei-2", "北门面馆"}}, 2}} {
		source.home.Shops, source.home.Orders = c.shops, []ShopOrderRow{row, closed}
		page := body(t, ask{path: "/shop", viewer: "ming"}.of(s))
		if got := strings.Count(page, "北门面馆"); got != c.want || strings.Contains(page, "南门面馆") {
			t.Errorf("of %d shops, the order's is named %d times", len(c.shops), got)
		}
	}
	if got := (ShopHome{Shops: []ShopPlace{{"a", "甲"}, {"b", "乙"}}}).shopOf(ShopOrderRow{Shop: "c"}); got != "c" {
		t.Errorf("a shop that is listed nowhere is called %q", got)
	}
}
