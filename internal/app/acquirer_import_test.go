package app_test

import (
	"bytes"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

func uploaded(files map[string]string, dry bool) app.ImportRequest {
	return app.ImportRequest{Dry: dry, Tell: func(string, int) {}, Open: func(name string) (io.ReadCloser, error) {
		text, given := files[name]
		if !given {
			return nil, fs.ErrNotExist
		}
		return io.NopCloser(bytes.NewReader([]byte(text))), nil
	}}
}

// An approver brings his own institution's sheets. Another's line, another's id and the operator's sheets are
// refused by name, and nothing is written.
func TestAnApproverImportsHisOwnInstitutionsSheetsAlone(t *testing.T) {
	d, p := onFile(t)
	ctx, c, own := t.Context(), d.Cast, d.Cast.Sheets(p.Device.Model)
	chen := as(c.Approver)
	mine := map[string]string{"merchants.csv": own["merchants.csv"], "shops.csv": own["shops.csv"]}
	if r, err := d.App.ImportOwn(ctx, chen, uploaded(mine, false)); err != nil || r.Imported["merchants.csv"] != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	second := strings.Replace(own["institutions.csv"], c.Acquirer.ID, c.Other.ID, 1)
	if r, err := d.App.ImportSheets(ctx, app.ImportRequest{Partial: true, Tell: func(string, int) {}, Open: uploaded(map[string]string{"institutions.csv": second}, false).Open}); err != nil {
		t.Fatal(err, r.Problems)
	}
	rival := app.Actor{Person: "x", Organisation: c.Other.ID, Role: visit.RoleApprover}
	stolen := strings.Replace(own["merchants.csv"], ","+c.Acquirer.ID+",", ","+c.Other.ID+",", 1)
	for name, q := range map[string]struct {
		who   app.Actor
		files map[string]string
		want  string
	}{
		"another's line":        {rival, map[string]string{"merchants.csv": own["merchants.csv"]}, "line_of_other_organisation"},
		"another's merchant":    {rival, map[string]string{"merchants.csv": stolen}, "line_of_other_organisation"},
		"a shop of another's":   {rival, map[string]string{"shops.csv": own["shops.csv"]}, "line_of_other_organisation"},
		"the operator's sheets": {chen, map[string]string{"providers.csv": own["providers.csv"]}, "sheet_not_yours"},
	} {
		r, err := d.App.ImportOwn(ctx, q.who, uploaded(q.files, false))
		if fault.CodeOf(err) != "import_problems" || !slices.Contains(problemCodes(r.Problems), q.want) || r.Imported != nil {
			t.Errorf("%s: %v, %v", name, problemCodes(r.Problems), err)
		}
	}
	if _, err := d.App.ImportOwn(ctx, chen, uploaded(map[string]string{"providers.csv": own["providers.csv"]}, true)); err != nil {
		t.Errorf("a dry run of the operator's sheet: %v", err)
	}
	if _, err := d.App.ImportOwn(ctx, as(c.Risk), uploaded(mine, true)); fault.CodeOf(err) != "access_denied" {
		t.Error(err)
	}
	if m, err := d.App.Merchant(ctx, chen, c.Merchant.ID); err != nil || len(m.ShopList) != 1 {
		t.Errorf("%+v, %v", m, err)
	}
}

// The risk desk sees what is stopped with its clock, and a terminal with its history; another acquirer sees neither.
func TestTheRiskDesksClockAndATerminalsHistory(t *testing.T) {
	d, p := onFile(t)
	ctx, c := t.Context(), d.Cast
	if err := p.Freeze(ctx, c.Dispatcher, "other"); err != nil {
		t.Fatal(err)
	}
	stops, _, err := d.App.Stops(ctx, as(c.Risk), "", 0)
	if err != nil || len(stops) != 1 || len(stops[0].Matters) != 1 || stops[0].Late || stops[0].DueAt.Sub(stops[0].Matters[0].SinceAt.Time()).Hours() != 2 {
		t.Errorf("%+v, %v", stops, err)
	}
	if list, err := d.App.StrangerTickets(ctx, as(c.Risk)); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if _, _, err := d.App.Stops(ctx, as(c.Dispatcher), "", 0); fault.CodeOf(err) != "access_denied" {
		t.Error(err)
	}
	if list, _, err := d.App.Terminals(ctx, as(c.Approver), "", "", 0); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := d.App.Terminal(ctx, as(c.Approver), p.Device.Serial); fault.CodeOf(err) != "terminal_not_found" {
		t.Error(err)
	}
}

// After an honest installation the terminal is found by its serial, with its custody from the maker and the watch on
// its charges.
func TestALiveTerminalHasItsHistory(t *testing.T) {
	d, p := deploy(t)
	ctx, c := t.Context(), d.Cast
	if r, err := d.Register(ctx, p.Device.Model); err != nil {
		t.Fatal(err, r.Problems)
	}
	if err := scenario.Run(ctx, p.Install()); err != nil {
		t.Fatal(err)
	}
	got, err := d.App.Terminal(ctx, as(c.Approver), p.Device.Serial)
	if err != nil || got.State != "open" || got.Merchant != c.Merchant.ID || got.Visit != p.ID || len(got.History) < 2 || got.History[0].Organisation != c.Maker.ID || len(got.Matters) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if !got.Watched || got.NoWatch != nil || len(got.Watch.Outside) != 0 {
		t.Errorf("the watch: %+v, %v", got.Watch, got.NoWatch)
	}
	other := app.Actor{Person: "x", Organisation: c.Other.ID, Role: visit.RoleApprover}
	if _, err := d.App.Terminal(ctx, other, p.Device.Serial); fault.CodeOf(err) != "terminal_not_found" {
		t.Error(err)
	}
	if rows, _, err := d.App.Merchants(ctx, as(c.Approver), app.MerchantFilter{Query: p.Device.Serial}); err != nil || len(rows) != 1 || rows[0].Terminals != 1 {
		t.Errorf("%+v, %v", rows, err)
	}
}
