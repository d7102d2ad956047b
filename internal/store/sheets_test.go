package store_test

import (
	"testing"

	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

func TestSheetDraftsAreTheirOrganisationsOwn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		put := func(id, org, order, doc string, at store.Instant) func(*store.Tx) error {
			return func(tx *store.Tx) error {
				return tx.PutSheetDraft(ctx, store.SheetDraft{ID: id, Org: org, OrderID: order, Doc: doc, MadeBy: "chen", MadeAt: at, UpdatedAt: at})
			}
		}
		do(t, s, put("s1", "acq", "", "{}", 1))
		do(t, s, put("s2", "acq", "o1", "{}", 2))
		do(t, s, put("s1", "acq", "o1", `{"a":1}`, 3))
		refused(t, s, "record_exists", put("s1", "other", "o1", "{}", 4))
		look(t, s, func(tx *store.Tx) error {
			d, err := tx.SheetDraft(ctx, "s1")
			if err != nil || d.Doc != `{"a":1}` || d.MadeAt != 1 || d.UpdatedAt != 3 {
				t.Errorf("%+v, %v", d, err)
			}
			list, err := tx.SheetDraftsOfOrder(ctx, "o1", 10)
			if err != nil || len(list) != 2 || list[0].ID != "s1" {
				t.Errorf("%+v, %v", list, err)
			}
			list, err = tx.SheetDraftsOfOrg(ctx, "acq", "s1", 10)
			if err != nil || len(list) != 1 || list[0].ID != "s2" {
				t.Errorf("%+v, %v", list, err)
			}
			return nil
		})
		do(t, s, func(tx *store.Tx) error { return tx.DropSheetDraft(ctx, "s1", "other") })
		do(t, s, func(tx *store.Tx) error { return tx.DropSheetDraft(ctx, "s2", "acq") })
		look(t, s, func(tx *store.Tx) error {
			list, err := tx.SheetDraftsOfOrg(ctx, "acq", "", 10)
			if err != nil || len(list) != 1 || list[0].ID != "s1" {
				t.Errorf("%+v, %v", list, err)
			}
			return nil
		})
	})
}
