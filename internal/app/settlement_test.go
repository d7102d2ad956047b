package app_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

const settlementHead = "流水号,商户编码,终端号,扣款时间,收费项目,交易金额（分）,实收（分）\n"

func settlement(text string, dry bool) app.SettlementRequest {
	return app.SettlementRequest{Dry: dry, Tell: func(string, int) {}, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

// openShop is a deployment whose corner shop is live under a signed sheet, with how its lines begin.
func openShop(t *testing.T) (*scenario.Deployment, *scenario.Play, func(reference, item, trade, taken string) string) {
	t.Helper()
	d, p := deploy(t)
	if r, err := d.Register(t.Context(), p.Device.Model); err != nil {
		t.Fatal(err, r.Problems)
	}
	if err := scenario.Run(t.Context(), p.Install()); err != nil {
		t.Fatal(err)
	}
	at := string(statement.At(time.Now().Add(time.Minute)))
	return d, p, func(reference, item, trade, taken string) string {
		return strings.Join([]string{reference, p.Shop.MerchantCode, p.Order.Terminal, at, item, trade, taken}, ",") + "\n"
	}
}

func differenceCodes(list []app.Difference) (out []string) {
	for _, d := range list {
		out = append(out, d.Code)
	}
	return out
}

// A rate that is higher than signed and a fee that nobody signed are found, kept, shown to the shop that paid them and
// to its own acquirer alone, and stop the visit for the risk desk once. The same file again changes nothing.
func TestASettlementIsComparedWithTheSignedSheet(t *testing.T) {
	d, p, line := openShop(t)
	ctx, c := t.Context(), d.Cast
	text := settlementHead + line("r-1", "借记卡", "10000", "50") + line("r-2", "贷记卡", "10000", "72") + line("f-1", "other.member", "", "29900") +
		strings.Replace(line("r-9", "借记卡", "10000", "99"), p.Order.Terminal, "W9999999", 1)
	if r, err := d.App.CompareSettlement(ctx, as(c.Approver), settlement(text, true)); err != nil || len(r.Differences) != 2 || r.Lines != 4 || r.Compared != 3 {
		t.Fatalf("a dry run: %+v, %v", r, err)
	}
	if list, _, err := d.App.Differences(ctx, as(c.Approver), false, "", 0); err != nil || len(list) != 0 {
		t.Fatalf("a dry run kept %+v, %v", list, err)
	}
	for range 2 {
		r, err := d.App.CompareSettlement(ctx, as(c.Approver), settlement(text, false))
		if err != nil || !slices.Equal(differenceCodes(r.Differences), []string{"rate_over_sheet", "charge_not_on_sheet"}) || r.Differences[0].Line != 3 || len(r.Notes) != 1 || r.Notes[0].Line != 5 {
			t.Fatalf("%+v, %v", r, err)
		}
		if r.Differences[0].SignedPpm != 6000 || r.Differences[0].TakenPpm != 7200 {
			t.Errorf("%+v", r.Differences[0])
		}
	}
	mine, next, err := d.App.MyDifferences(ctx, as(c.Merchant), "", 1)
	if err != nil || len(mine) != 1 || next == "" {
		t.Fatalf("%+v, %s, %v", mine, next, err)
	}
	if rest, last, err := d.App.MyDifferences(ctx, as(c.Merchant), next, 1); err != nil || len(rest) != 1 || last != "" || rest[0].ID == mine[0].ID {
		t.Errorf("%+v, %v", rest, err)
	}
	other := app.Actor{Person: "x", Organisation: c.Other.ID, Role: visit.RoleApprover}
	if list, _, err := d.App.Differences(ctx, other, false, "", 0); err != nil || len(list) != 0 {
		t.Errorf("another acquirer sees %+v, %v", list, err)
	}
	reported := make(chan error)
	for range 8 { // whoever comes second finds the visit stopped
		go func() { reported <- d.App.ReportSettlement(ctx, p.ID, "") }()
	}
	for range 8 {
		if err := <-reported; err != nil {
			t.Fatal(err)
		}
	}
	if row, err := visitRow(t, d, p.ID); err != nil || !row.Frozen || incidents(t, d, p.ID) != 1 {
		t.Errorf("%+v, %d incidents, %v", row, incidents(t, d, p.ID), err)
	}
	for _, q := range []struct {
		who         app.Actor
		id, outcome string
		want        string
	}{{as(c.Dispatcher), mine[0].ID, app.DifferenceRefunded, "access_denied"}, {other, mine[0].ID, app.DifferenceRefunded, "difference_not_found"}, {as(c.Approver), "x", app.DifferenceRefunded, "difference_not_found"},
		{as(c.Approver), mine[0].ID, "forgotten", "difference_outcome_unknown"}, {as(c.Approver), mine[0].ID, app.DifferenceRefunded, ""}, {as(c.Risk), mine[0].ID, app.DifferenceMisreported, "difference_settled"}} {
		if err := d.App.SettleDifference(ctx, q.who, q.id, q.outcome); fault.CodeOf(err) != q.want {
			t.Errorf("%v, want %s", err, q.want)
		}
	}
	if list, _, err := d.App.Differences(ctx, as(c.Risk), true, "", 0); err != nil || len(list) != 1 || list[0].ID == mine[0].ID {
		t.Errorf("open ones: %+v, %v", list, err)
	}
	if files, next, err := d.App.Settlements(ctx, as(c.Risk), "", 0); err != nil || len(files) != 1 || next != "" || files[0].Differing != 2 {
		t.Errorf("%+v, %v", files, err)
	}
}

// A monthly fee that a later file takes again in the same month is found by what the earlier file said.
func TestALaterFileIsJudgedWithTheEarlier(t *testing.T) {
	d, _, line := openShop(t)
	ctx, chen := t.Context(), as(d.Cast.Approver)
	first := settlementHead + line("f-1", "押金", "", "29900")
	if r, err := d.App.CompareSettlement(ctx, chen, settlement(first, false)); err != nil || len(r.Differences) != 0 || r.Compared != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	r, err := d.App.CompareSettlement(ctx, chen, settlement(settlementHead+line("f-2", "押金", "", "29900"), false))
	if err != nil || !slices.Equal(differenceCodes(r.Differences), []string{"charge_too_often"}) {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = d.App.CompareSettlement(ctx, chen, settlement(settlementHead+line("f-1", "押金", "", "100"), false))
	if fault.CodeOf(err) != "import_problems" || !slices.Equal(problemCodes(r.Problems), []string{"settlement_line_changed"}) {
		t.Errorf("%+v, %v", r, err)
	}
}

// Everything that is wrong with a file is told at once, by line and column, and no value of it is repeated.
func TestASettlementThatCannotBeRead(t *testing.T) {
	d, p := deploy(t)
	ctx, chen := t.Context(), as(d.Cast.Approver)
	at := string(statement.At(time.Now()))
	rows := []string{"r-1," + p.Shop.MerchantCode + ",W1489724," + at + ",借记卡,,60", "r-2," + p.Shop.MerchantCode + ",W1489724," + at + ",押金,100,60", "r-3," + p.Shop.MerchantCode + ",W1489724," + at + ",小费,,60",
		"r-4,12,W1489724,yesterday,扫码,100,-1", "r-4," + p.Shop.MerchantCode + ",W1489724," + at + ",扫码,100,99999999999"}
	r, err := d.App.CompareSettlement(ctx, chen, settlement(settlementHead+strings.Join(rows[2:4], "\n"), true))
	codes := problemCodes(r.Problems)
	if fault.CodeOf(err) != "import_problems" || len(codes) != 4 || r.Problems[0].Line != 2 || r.Problems[0].Column != "收费项目" {
		t.Errorf("%+v, %v", r.Problems, err)
	}
	r, err = d.App.CompareSettlement(ctx, chen, settlement(settlementHead+strings.Join(append(rows[:2:2], rows[4]), "\n"), true))
	if fault.CodeOf(err) != "import_problems" || !slices.Equal(problemCodes(r.Problems), []string{"settlement_trade_amount", "settlement_trade_amount", "settlement_line_malformed"}) {
		t.Errorf("%+v, %v", r.Problems, err)
	}
	if _, err := d.App.CompareSettlement(ctx, as(d.Cast.Dispatcher), settlement(settlementHead, true)); fault.CodeOf(err) != "access_denied" {
		t.Error(err)
	}
	if table, _, err := app.SheetTemplate("settlement.csv"); err != nil || strings.TrimPrefix(string(table), "\ufeff") != settlementHead {
		t.Errorf("%q, %v", table, err)
	}
}

// The merchant whose terminal is taken away reads what deposit was signed for it when it came; nobody else's visit says so.
func TestADepositIsRememberedAtTheRemoval(t *testing.T) {
	d, p, _ := openShop(t)
	ctx := t.Context()
	if err := p.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	q := p.Next(visit.Removal, "v2", "", "")
	if err := q.Book(ctx); err != nil {
		t.Fatal(err)
	}
	fen, when, err := d.App.DepositHeld(ctx, as(d.Cast.Merchant), q.ID)
	if err != nil || fen != 29900 || len(when) != 1 || when[0] == "" {
		t.Errorf("%d, %v, %v", fen, when, err)
	}
	rival := app.Actor{Person: "x", Organisation: d.Cast.Rival.ID, Role: visit.RoleDispatcher}
	if _, _, err := d.App.DepositHeld(ctx, rival, q.ID); fault.CodeOf(err) != "visit_not_found" {
		t.Errorf("a rival: %v", err)
	}
}
