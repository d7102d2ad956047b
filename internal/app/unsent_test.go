package app_test

import (
	"testing"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// A technician's phone says what it has not sent; his dispatcher reads it on the board and on the visit, with when it
// was heard and the status list that stands. Nobody else's phone says anything about the visit.
func TestTheBoardShowsWhatAPhoneHasNotSent(t *testing.T) {
	d, p := onFile(t)
	ctx, c := t.Context(), d.Cast
	if err := scenario.Run(ctx, scenario.Until(p.Install(), "door")[1:]); err != nil {
		t.Fatal(err)
	}
	tell := func(who app.Actor, statements, photos int64, want string) {
		t.Helper()
		if err := d.App.TellUnsent(ctx, who, []app.Unsent{{Visit: p.ID, Statements: statements, Photos: photos}, {Visit: "nowhere"}}); fault.CodeOf(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	tell(as(c.Technician), 2, 3, "")
	tell(as(c.Dispatcher), 1, 0, "access_denied")
	tell(as(c.Technician), -1, 0, "unsent_malformed")
	tell(app.Actor{Person: "x", Organisation: c.Rival.ID, Role: visit.RoleTechnician}, 9, 9, "")
	if err := d.App.TellUnsent(ctx, as(c.Technician), make([]app.Unsent, 101)); fault.CodeOf(err) != "unsent_malformed" {
		t.Error(err)
	}
	rows, _, err := d.App.Board(ctx, as(c.Dispatcher), app.BoardFilter{})
	if err != nil || len(rows) != 1 || rows[0].Phone.Statements != 2 || rows[0].Phone.Photos != 3 || rows[0].Phone.HeardAt == 0 {
		t.Errorf("%+v, %v", rows, err)
	}
	tell(as(c.Technician), 0, 0, "")
	phones, status, err := d.App.VisitPhones(ctx, as(c.Dispatcher), p.ID)
	if err != nil || len(phones) != 1 || phones[0].Statements != 0 || phones[0].Technician != c.Technician.ID || status.Number < 1 || status.Since == 0 {
		t.Errorf("%+v, %+v, %v", phones, status, err)
	}
	if _, _, err := d.App.VisitPhones(ctx, app.Actor{Person: "x", Organisation: c.Rival.ID, Role: visit.RoleDispatcher}, p.ID); fault.CodeOf(err) != "visit_not_found" {
		t.Error(err)
	}
}
