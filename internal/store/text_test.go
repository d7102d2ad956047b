package store_test

import (
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

// TestTextsThatOneEngineDoesNotTakeAreRefusedByBoth writes, lists and looks up by texts from outside that are
// no text: the reason is theirs, not the database's, and nothing of the command is kept.
func TestTextsThatOneEngineDoesNotTakeAreRefusedByBoth(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, text := range []string{"a\x00b", "\xff", "\xb5\xea"} {
			for name, command := range map[string]func(tx *store.Tx) error{
				"written":   func(tx *store.Tx) error { return tx.AddRef(t.Context(), "key", text, digest("x"), 1) },
				"listed":    func(tx *store.Tx) error { _, err := tx.Refs(t.Context(), "key", text, 4); return err },
				"looked up": func(tx *store.Tx) error { _, err := tx.Visit(t.Context(), text); return err },
				"swallowed": func(tx *store.Tx) error {
					if err := tx.AddRef(t.Context(), "key", "ref", digest("y"), 1); err != nil {
						return err
					}
					_, _ = tx.Visit(t.Context(), text)
					return nil
				},
			} {
				if err := s.Write(t.Context(), command); fault.CodeOf(err) != "text_not_storable" || fault.KindOf(err) != fault.Invalid {
					t.Errorf("%s %q: %v", name, text, err)
				}
			}
			do(t, s, func(tx *store.Tx) error {
				found, err := tx.Refs(t.Context(), "key", "ref", 4)
				if len(found) != 0 {
					t.Errorf("%q: something was kept", text)
				}
				return err
			})
		}
	})
}
