package httpapi_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/scenario"
)

// Somebody outside has photographed the shop's code: without an account he warns nobody. With one, the page that
// waits is told at once, by more than it has seen and no name.
func TestAnOutsiderWarnsNobody(t *testing.T) {
	w := newWorld(t, nil)
	if err := scenario.Run(t.Context(), scenario.Until(scenario.Without(w.play.Install(), "book"), "door")); err != nil {
		t.Fatal(err)
	}
	var c app.Issued
	w.do(t, request{path: "/v1/visits/v1/challenge", by: w.Cast.Merchant, body: `{"purpose":"door"}`}).read(t, http.StatusCreated, &c)
	result := func(seen string) (r httpapi.DoorResult) {
		t.Helper()
		w.do(t, request{method: http.MethodGet, path: "/v1/visits/v1/door/" + c.Statement + "?seen=" + seen, by: w.Cast.Merchant, secret: c.ResultSecret}).read(t, http.StatusOK, &r)
		return r
	}
	scan := request{path: "/v1/door/answers", body: fmt.Sprintf(`{"qr":%q,"presentation":""}`, c.QR)}
	w.do(t, scan).want(t, http.StatusUnauthorized, "signed_out")
	if r := result("0"); r.Verdict != app.DoorWaiting || r.Scans != 0 {
		t.Errorf("an outsider warned the shop: %+v", r)
	}
	scan.by = w.Cast.Stranger
	w.do(t, scan).want(t, http.StatusForbidden, "door_not_assigned")
	if r := result("0"); r.Verdict != app.DoorWaiting || r.Scans != 1 || r.Code != "door_other_person" || r.Reason.En == "" || r.Company == "" || r.Name != "" {
		t.Errorf("the page is told %+v", r)
	}
	w.do(t, request{method: http.MethodGet, path: "/v1/visits/v1/door/" + c.Statement + "?seen=6", by: w.Cast.Merchant}).want(t, http.StatusBadRequest, "request_malformed")
}
