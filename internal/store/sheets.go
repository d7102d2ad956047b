package store

import "context"

// PutSheetDraft writes a draft. One that another organisation has under this id stays. Fault: record_exists.
func (t *Tx) PutSheetDraft(ctx context.Context, d SheetDraft) error {
	n, err := t.q.putSheetDraft(ctx, putSheetDraftParams(d))
	if err == nil && n == 0 {
		return errExists.At("sheet draft")
	}
	return t.sealed(ctx, t.wrap(err, "sheet draft"), "sheet_drafts", "id", d.ID)
}

// SheetDraft finds one. Fault: record_not_found.
func (t *Tx) SheetDraft(ctx context.Context, id string) (SheetDraft, error) {
	d, err := t.q.sheetDraft(ctx, id)
	return d, t.wrap(err, "sheet draft")
}

// SheetDraftsOfOrg lists an organisation's drafts by id, after the given one.
func (t *Tx) SheetDraftsOfOrg(ctx context.Context, org, afterID string, limit int) ([]SheetDraft, error) {
	list, err := t.q.sheetDraftsOfOrg(ctx, org, afterID, rows(limit))
	return list, t.wrap(err, "sheet drafts")
}

// SheetDraftsOfOrder lists what was sent for signing on an order, newest first.
func (t *Tx) SheetDraftsOfOrder(ctx context.Context, order string, limit int) ([]SheetDraft, error) {
	list, err := t.q.sheetDraftsOfOrder(ctx, order, rows(limit))
	return list, t.wrap(err, "sheet drafts")
}

// DropSheetDraft forgets a draft of an organisation. One that is not there is forgotten already.
func (t *Tx) DropSheetDraft(ctx context.Context, id, org string) error {
	n, err := t.q.deleteSheetDraft(ctx, id, org)
	if err == nil && n > 0 {
		err = t.q.deleteSealsOfSheetDrafts(ctx)
	}
	return t.wrap(err, "sheet draft")
}

// BindingsOfAcquirer lists the bindings under an acquirer's code by serial, after the given one.
func (t *Tx) BindingsOfAcquirer(ctx context.Context, code, afterSerial string, limit int) ([]Binding, error) {
	list, err := t.q.bindingsOfAcquirer(ctx, code, afterSerial, rows(limit))
	return list, t.wrap(err, "bindings")
}
