package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

// TestManyReferencesAtOnce asks for one, for more than one query takes, and for none: each finds what Refs
// finds, within its own limit.
func TestManyReferencesAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		do(t, s, func(tx *store.Tx) error {
			for i := range 150 {
				if err := tx.AddRef(t.Context(), "key", fmt.Sprint(i/2), digest(fmt.Sprint("event ", i)), int64(i)); err != nil {
					return err
				}
			}
			return nil
		})
		for _, n := range []int{0, 1, 7, 8, 9, 64, 75} {
			var wants []store.RefWant
			want := map[string]bool{}
			do(t, s, func(tx *store.Tx) error {
				for i := range n {
					w := store.RefWant{Kind: "key", Ref: fmt.Sprint(i), Limit: 1 + i%2}
					list, err := tx.Refs(t.Context(), w.Kind, w.Ref, w.Limit)
					if err != nil || len(list) != w.Limit {
						t.Fatal(list, err)
					}
					for _, d := range list {
						want[d] = true
					}
					wants = append(wants, w)
				}
				wants = append(wants, store.RefWant{Kind: "other", Ref: "0", Limit: 4})
				got, err := tx.AllRefs(t.Context(), wants)
				slices.Sort(got)
				if got = slices.Compact(got); len(got) != len(want) || slices.ContainsFunc(got, func(d string) bool { return !want[d] }) {
					t.Errorf("%d wanted: %d found, %d by Refs", n, len(got), len(want))
				}
				return err
			})
		}
	})
}

// TestLimitsAreCast holds queries to a form that SQLite compiles once: it looks into a bare parameter of a LIMIT
// while it compiles, and compiles again at every new value, which was a tenth of a server's time.
func TestLimitsAreCast(t *testing.T) {
	files, err := filepath.Glob("queries/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	bare := regexp.MustCompile(`(?i)(LIMIT|OFFSET) +(\$|sqlc)`)
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if at := bare.FindIndex(data); at != nil {
			t.Errorf("%s: %q is not cast", name, data[at[0]:at[1]])
		}
	}
}
