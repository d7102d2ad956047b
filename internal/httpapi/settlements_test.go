package httpapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// lay lays a settlement with two charges beyond the sheet, and then one with none.
func (w *world) lay(t *testing.T) {
	t.Helper()
	chen := app.Actor{Person: w.Cast.Approver.ID, Organisation: w.Cast.Acquirer.ID, Role: visit.RoleApprover}
	at := string(statement.At(time.Now().Add(time.Minute)))
	line := func(reference, item, trade, taken string) string {
		return strings.Join([]string{reference, w.play.Shop.MerchantCode, w.play.Order.Terminal, at, item, trade, taken}, ",") + "\n"
	}
	const head = "流水号,商户编码,终端号,扣款时间,收费项目,交易金额（分）,实收（分）\n"
	for _, text := range []string{head + line("r-2", "贷记卡", "10000", "72") + line("f-1", "other.member", "", "29900"), head + line("r-3", "借记卡", "10000", "50")} {
		in := app.SettlementRequest{Tell: func(string, int) {}, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
		if r, err := w.App.CompareSettlement(t.Context(), chen, in); err != nil {
			t.Fatal(err, r.Problems)
		}
	}
}

// read gets a page of a list, nil where it is refused.
func read[T any](t *testing.T, w *world, who *scenario.Actor, path string) *T {
	t.Helper()
	got := w.do(t, request{method: http.MethodGet, path: path, by: who})
	if got.status != http.StatusOK {
		return nil
	}
	page := new(T)
	if err := json.Unmarshal(got.body, page); err != nil {
		t.Fatal(err)
	}
	return page
}

// What a shop was charged beyond its sheet is read by its acquirer's approver and risk desk and by the merchant who paid it,
// a page at a time; the files by the acquirer alone. Another acquirer's desk, which may ask, finds nothing.
func TestSettlementsAreReadOverTheAPI(t *testing.T) {
	w := newWorld(t, nil)
	if r, err := w.Register(t.Context(), w.play.Device.Model); err != nil {
		t.Fatal(err, r.Problems)
	}
	if err := scenario.Run(t.Context(), w.play.Install()[1:]); err != nil {
		t.Fatal(err)
	}
	w.lay(t)
	for _, who := range w.everyone(t) {
		desk := access.Decide(access.Role(who.Role), access.ReadRegistry, access.OwnOrganisation).Allowed()
		own := who.Organisation == w.Cast.Acquirer.ID
		files := read[httpapi.SettlementPage](t, w, who.Actor, "/v1/settlements?limit=1")
		if (files != nil) != desk || desk && (len(files.Items) == 1 && files.Next != "") != own {
			t.Errorf("%s (%s) reads the files %+v", who.ID, who.Role, files)
		}
		lines := read[httpapi.ChargedPage](t, w, who.Actor, "/v1/differences?limit=1&open=true")
		sees := desk && own || who.ID == w.Cast.Merchant.ID
		if (lines != nil) != (desk || who.Role == visit.RoleMerchant) || lines != nil && (len(lines.Items) == 1 && lines.Next != "") != sees {
			t.Errorf("%s (%s) reads the charges %+v", who.ID, who.Role, lines)
			continue
		}
		if !sees {
			continue
		}
		rest := read[httpapi.ChargedPage](t, w, who.Actor, "/v1/differences?limit=1&cursor="+lines.Next)
		if rest == nil || len(rest.Items) != 1 || rest.Next != "" || rest.Items[0].ID == lines.Items[0].ID || rest.Items[0].Merchant != w.Cast.Merchant.ID || rest.Items[0].SettledAt != "" {
			t.Errorf("%s reads on: %+v after %+v", who.ID, rest, lines)
		}
		if !desk {
			continue
		}
		older := read[httpapi.SettlementPage](t, w, who.Actor, "/v1/settlements?limit=1&cursor="+files.Next)
		if older == nil || len(older.Items) != 1 || older.Next != "" || files.Items[0].Differing != 0 || older.Items[0].Differing != 2 || older.Items[0].MadeBy != w.Cast.Approver.ID {
			t.Errorf("%s reads on: %+v after %+v", who.ID, older, files)
		}
		if got := w.do(t, request{method: http.MethodGet, path: "/v1/settlements?cursor=x", by: who.Actor}); got.status != http.StatusBadRequest {
			t.Errorf("a cursor of nobody's: %d %s", got.status, got.body)
		}
	}
}

// What a technician's phone has not sent is read by those who watch over the visit, and by nobody who only has the same role
// elsewhere; a merchant reads it beside his visit, and has no list of phones.
func TestWhatPhonesHoldIsReadOverTheAPI(t *testing.T) {
	w := dispatched(t, nil)
	lan := app.Actor{Person: w.Cast.Technician.ID, Organisation: w.Cast.Provider.ID, Role: visit.RoleTechnician}
	if err := w.App.TellUnsent(t.Context(), lan, []app.Unsent{{Visit: "v1", Statements: 2, Photos: 3}}); err != nil {
		t.Fatal(err)
	}
	for _, who := range w.everyone(t) {
		role := access.Role(who.Role)
		list := read[httpapi.PhonePage](t, w, who.Actor, "/v1/unsent")
		if sees := list != nil && len(list.Items) == 1 && list.Items[0].Statements == 2 && list.Items[0].Photos == 3 && list.Items[0].HeardAt != ""; sees != access.Decide(role, access.ReadUnsent, who.toVisit).Allowed() {
			t.Errorf("%s (%s, %s) is told %+v", who.ID, who.Role, who.toVisit, list)
		}
		one := read[httpapi.VisitPhones](t, w, who.Actor, "/v1/visits/v1/phones")
		if sees := one != nil && len(one.Phones) == 1; sees != access.Decide(role, access.ReadVisit, who.toVisit).Allowed() {
			t.Errorf("%s (%s, %s) is told %+v of the visit", who.ID, who.Role, who.toVisit, one)
		}
	}
	if err := w.App.TellUnsent(t.Context(), lan, []app.Unsent{{Visit: "v1"}}); err != nil {
		t.Fatal(err)
	}
	if list := read[httpapi.PhonePage](t, w, w.Cast.Dispatcher, "/v1/unsent"); list == nil || len(list.Items) != 0 || list.Next != "" {
		t.Errorf("nothing is unsent: %+v", list)
	}
}
