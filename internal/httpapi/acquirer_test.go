package httpapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/scenario"
)

// The registers of an acquirer are open to its own approver and risk desk, and to nobody else; whoever asks about
// a merchant who is not his is told that there is none.
func TestTheRegistersAreTheAcquirersOwn(t *testing.T) {
	w := dispatched(t, nil)
	if r, err := w.Register(t.Context(), w.play.Device.Model); err != nil {
		t.Fatal(err, r.Problems)
	}
	for _, who := range w.everyone(t) {
		may := access.Decide(access.Role(who.Role), access.ReadRegistry, access.OwnOrganisation).Allowed()
		list := w.do(t, request{method: http.MethodGet, path: "/v1/merchants?limit=10", by: who.Actor})
		if (list.status == http.StatusOK) != may {
			t.Errorf("%s (%s) lists: %d %s", who.ID, who.Role, list.status, list.body)
			continue
		}
		own := may && who.Organisation == w.Cast.Acquirer.ID
		one := w.do(t, request{method: http.MethodGet, path: "/v1/merchants/" + w.Cast.Merchant.ID, by: who.Actor})
		if (one.status == http.StatusOK) != own || may && !own && one.status != http.StatusNotFound {
			t.Errorf("%s (%s) reads: %d %s", who.ID, who.Role, one.status, one.body)
		}
		if !may {
			continue
		}
		var page httpapi.MerchantPage
		if err := json.Unmarshal(list.body, &page); err != nil || (len(page.Items) == 1) != own {
			t.Errorf("%s: %s, %v", who.ID, list.body, err)
		}
		var m httpapi.Merchant
		if err := json.Unmarshal(one.body, &m); own && (err != nil || len(m.ShopIDs) != 1 || len(m.OrderIDs) != 1 || len(m.Phones) != 1 || !m.Identity.Accepted || m.Name != w.play.Shop.Name) {
			t.Errorf("%s: %s, %v", who.ID, one.body, err)
		}
	}
	if got := w.do(t, request{method: http.MethodGet, path: "/v1/merchants?q=%E9%AD%8F", by: w.Cast.Approver}); got.status != http.StatusBadRequest {
		t.Errorf("a name in an address: %d", got.status)
	}
}

// Orders and drafts go by the same rule: read by the acquirer's own, written by its approver.
func TestOrdersAndSheetsAreTheAcquirersOwn(t *testing.T) {
	w := dispatched(t, nil)
	body, err := json.Marshal(httpapi.SaveSheet{Title: "标准装机", Sheet: w.play.Sheet})
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range w.everyone(t) {
		role := access.Role(who.Role)
		own := who.Organisation == w.Cast.Acquirer.ID
		reads, writes := access.Decide(role, access.ReadRegistry, access.OwnOrganisation).Allowed(), access.Decide(role, access.DraftSheet, access.OwnOrganisation).Allowed()
		for _, c := range []struct {
			request
			may bool
		}{
			{request{method: http.MethodGet, path: "/v1/orders?turn=merchant"}, reads}, {request{method: http.MethodGet, path: "/v1/orders/" + w.play.Order.Order}, reads && own},
			{request{method: http.MethodGet, path: "/v1/orders/" + w.play.Order.Order + "/previous/" + who.Public().Thumbprint()}, reads && own},
			{request{path: "/v1/sheets/s1/save", body: string(body)}, writes && own}, {request{method: http.MethodGet, path: "/v1/sheets"}, reads},
			{request{path: "/v1/sheets/s1/send", body: `{"order":"` + w.play.Order.Order + `"}`}, writes && own}, {request{path: "/v1/sheets/s1/drop", body: `{}`}, writes},
		} {
			c.by = who.Actor
			if got := w.do(t, c.request); (got.status == http.StatusOK) != c.may {
				t.Errorf("%s (%s) %s: %d %s", who.ID, who.Role, c.path, got.status, got.body)
			}
		}
	}
}

// A merchant is registered over the API by the acquirer's approver: every wrong field is named in both languages
// without its value, and the same request again is the same merchant.
func TestAMerchantIsRegisteredOverTheAPI(t *testing.T) {
	w := dispatched(t, nil)
	if r, err := w.Register(t.Context(), w.play.Device.Model); err != nil {
		t.Fatal(err, r.Problems)
	}
	body := `{"name":"示例花店","credit_code":"91310000MAP0CRUTY0","principal":"示例梅","principal_id":"360426199101010071","phone":"15400000102","account_kind":"company","account":"310066661018800012345",` +
		`"merchant_code":"531000012973385","shop":{"name":"示例花店","address":"槐山路 2 号","position":"+31.23/+121.47","province":"31","region":"3050","category":"5992","opening_hours":"09:00-21:00"}}`
	wrong := strings.NewReplacer("91310000MAP0CRUTY0", "91350100M000100Y4Z", `"category":"5992"`, `"category":"59"`).Replace(body)
	p := w.do(t, request{path: "/v1/merchants", by: w.Cast.Approver, body: wrong})
	var problem httpapi.Problem
	if err := json.Unmarshal(p.body, &problem); err != nil || p.status != http.StatusBadRequest || problem.Code != "merchant_fields" || problem.Where != "credit_code" || len(problem.Rules) != 2 {
		t.Fatalf("%d %s, %v", p.status, p.body, err)
	}
	if second := problem.Rules[1]; second.Where != "shop.category" || second.Rule != "mcc_shape" || second.Zh == "" || second.En == "" || strings.Contains(string(p.body), "91350100M000100Y4Z") {
		t.Errorf("%s", p.body)
	}
	first := w.do(t, request{path: "/v1/merchants", by: w.Cast.Approver, body: body, key: "k-mei"})
	again := w.do(t, request{path: "/v1/merchants", by: w.Cast.Approver, body: body, key: "k-mei"})
	if first.status != http.StatusCreated || string(first.body) != string(again.body) {
		t.Errorf("%d %s, again %d %s", first.status, first.body, again.status, again.body)
	}
	for _, by := range []*scenario.Actor{w.Cast.Risk, w.Cast.Dispatcher, w.Cast.Merchant} {
		if got := w.do(t, request{path: "/v1/merchants", by: by, body: body}); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", by.Role, got.status)
		}
	}
}
