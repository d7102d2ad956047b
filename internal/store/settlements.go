package store

import (
	"context"
	"math"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

var errDifferenceSettled = fault.New(fault.Conflict, "difference_settled", "这一笔已经处理过了。", "This difference is settled already.")

// Newest comes after every id of a settlement's line.
const Newest = "~"

// PutSettlementFile notes that a file was laid against the sheets, also again.
func (t *Tx) PutSettlementFile(ctx context.Context, f SettlementFile) error {
	err := t.q.putSettlementFile(ctx, putSettlementFileParams(f))
	return t.sealed(ctx, t.wrap(err, "settlement file"), "settlement_files", "id", f.ID)
}

// SettlementFilesOfOrg lists an acquirer's files, the one laid last first, and the cursor of the next page, "" at the
// end. Start with cursor "". Fault: cursor_malformed.
func (t *Tx) SettlementFilesOfOrg(ctx context.Context, org, cursor string, limit int) (list []SettlementFile, next string, err error) {
	at, err := parseCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	if !at.set {
		at = position{at: math.MaxInt64}
	}
	limit = max(1, int(rows(limit)))
	list, err = t.q.settlementFilesOfOrg(ctx, org, at.at, at.id, int32(limit)+1)
	if len(list) > limit {
		list = list[:limit]
		next = cursorOf(list[limit-1].MadeAt, list[limit-1].ID)
	}
	return list, next, t.wrap(err, "settlement files")
}

// PutSettlementLine keeps a line; one that is there keeps all but what the rules say of it.
func (t *Tx) PutSettlementLine(ctx context.Context, l SettlementLine) error {
	err := t.q.putSettlementLine(ctx, putSettlementLineParams{ID: l.ID, Org: l.Org, File: l.File, Merchant: l.Merchant, Terminal: l.Terminal, Visit: l.Visit, Item: l.Item, Reference: l.Reference,
		ChargedAt: l.ChargedAt, TradeFen: l.TradeFen, TakenFen: l.TakenFen, Code: l.Code, SignedFen: l.SignedFen, SignedPpm: l.SignedPpm, TakenPpm: l.TakenPpm})
	return t.sealed(ctx, t.wrap(err, "settlement line"), "settlement_lines", "id", l.ID)
}

// SettlementLine finds one. Fault: record_not_found.
func (t *Tx) SettlementLine(ctx context.Context, id string) (SettlementLine, error) {
	l, err := t.q.settlementLine(ctx, id)
	return l, t.wrap(err, "settlement line")
}

// SettlementLineByReference finds the line that an acquirer's reference and item name. Fault: record_not_found.
func (t *Tx) SettlementLineByReference(ctx context.Context, org, reference, item string) (SettlementLine, error) {
	l, err := t.q.settlementLineByReference(ctx, org, reference, item)
	return l, t.wrap(err, "settlement line")
}

// SettlementLinesOfTerminal gives what is kept of one merchant's terminal, oldest first.
func (t *Tx) SettlementLinesOfTerminal(ctx context.Context, org, merchant, terminal string, limit int) ([]SettlementLine, error) {
	list, err := t.q.settlementLinesOfTerminal(ctx, org, merchant, terminal, rows(limit))
	return list, t.wrap(err, "settlement lines")
}

// DifferencesOfOrg lists what took more than was signed, newest first, before the given id; open alone leaves out
// what is settled.
func (t *Tx) DifferencesOfOrg(ctx context.Context, org string, open bool, before string, limit int) ([]SettlementLine, error) {
	find := t.q.differencesOfOrg
	if open {
		find = t.q.openDifferencesOfOrg
	}
	list, err := find(ctx, org, before, rows(limit))
	return list, t.wrap(err, "differences")
}

// DifferencesOfMerchant is DifferencesOfOrg for a shop's owner, settled ones too.
func (t *Tx) DifferencesOfMerchant(ctx context.Context, merchant, before string, limit int) ([]SettlementLine, error) {
	list, err := t.q.differencesOfMerchant(ctx, merchant, before, rows(limit))
	return list, t.wrap(err, "differences")
}

// SettleDifference notes how one was set right. Fault: difference_settled.
func (t *Tx) SettleDifference(ctx context.Context, id, by, outcome string, now time.Time) error {
	n, err := t.q.settleDifference(ctx, id, At(now), by, outcome)
	if err == nil && n == 0 {
		return errDifferenceSettled
	}
	return t.sealed(ctx, t.wrap(err, "difference"), "settlement_lines", "id", id)
}

// BindingsOfTerminal gives the bindings under an acquirer's code and a terminal code, of whichever merchant.
func (t *Tx) BindingsOfTerminal(ctx context.Context, acquirer, terminal string, limit int) ([]Binding, error) {
	list, err := t.q.bindingsOfTerminal(ctx, acquirer, terminal, rows(limit))
	return list, t.wrap(err, "bindings")
}
