package httpapi_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/httpapi"
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
		if err := json.Unmarshal(one.body, &m); own && (err != nil || len(m.ShopIDs) != 1 || len(m.OrderIDs) != 1 || len(m.Phones) != 1 || !m.Identity.Accepted || m.Name == w.play.Shop.Name) {
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
