package app_test

import (
	"testing"

	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// What menshen has just recorded it need not replay for the next request.
func TestAVisitIsNotReplayedAfterEveryWrite(t *testing.T) {
	d, p := deploy(t)
	for _, s := range p.Install() {
		if err := scenario.Run(t.Context(), []scenario.Scene{s}); err != nil {
			t.Fatal(err)
		}
		var head store.Head
		err := d.Store.Read(t.Context(), func(tx *store.Tx) (err error) {
			head, err = tx.Head(t.Context(), store.Stream{Kind: visit.StreamVisit, ID: p.ID})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if head.Number > 0 && !d.App.Remembers(p.ID, head.Digest) {
			t.Errorf("after %s the visit must be replayed", s.Name)
		}
	}
}
