package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

var (
	visitStates = []string{"booked", "dispatched", "admitted", "trial", "live", "closed", "refused", "aborted", "rolled_back"}
	visitKinds  = []string{"install", "swap", "repair", "removal", "relocation", "inspection"}
)

// visitNumber makes the i-th of many visits, much of a kind and now and then rare; several are
// opened in the same millisecond.
func visitNumber(i int) store.Visit {
	r := rand.New(rand.NewPCG(1, uint64(i)))
	skewed := func(n int) int { return int(float64(n) * r.Float64() * r.Float64() * r.Float64()) }
	return store.Visit{
		Org: fmt.Sprint("bank", skewed(4)), ID: fmt.Sprintf("v%07d", i), OrderID: fmt.Sprintf("o%07d", i),
		Provider: fmt.Sprint("provider", skewed(6)), Merchant: fmt.Sprint("merchant", r.IntN(200)),
		Shop: fmt.Sprint("shop", r.IntN(300)), Technician: fmt.Sprint("tech", r.IntN(100)),
		Kind: visitKinds[skewed(6)], State: visitStates[(5+skewed(9))%9], Head: int64(1 + r.IntN(30)),
		OpenedAt: store.At(noon.Add(time.Duration(i/3) * time.Second)), UpdatedAt: store.At(noon.Add(time.Duration(i) * time.Minute)),
		Search: fmt.Sprintf("SN-%05d 门神饭店%d city%d", i, r.IntN(50), skewed(3)),
	}
}

func putVisits(t testing.TB, s *store.Store, first, n int) []store.Visit {
	t.Helper()
	visits := make([]store.Visit, n)
	do(t, s, func(tx *store.Tx) error {
		for i := range visits {
			visits[i] = visitNumber(first + i)
			if err := tx.PutVisit(t.Context(), visits[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return visits
}

// allPages follows the cursors to the end.
func allPages(t *testing.T, s *store.Store, f store.VisitFilter, limit int, between func(page int)) (all []store.Visit, pages int) {
	t.Helper()
	cursor := ""
	for {
		var page []store.Visit
		look(t, s, func(tx *store.Tx) (err error) {
			page, cursor, err = tx.ListVisits(t.Context(), f, cursor, limit)
			return err
		})
		if len(page) > limit {
			t.Fatalf("a page of %d visits, limit %d", len(page), limit)
		}
		all = append(all, page...)
		pages++
		if cursor == "" {
			return all, pages
		}
		if between != nil {
			between(pages)
		}
		if pages > 10_000 {
			t.Fatal("the pages never end")
		}
	}
}

// someFilters gives every combination of the filter's fields, with values that many rows have or few.
func someFilters() []store.VisitFilter {
	var filters []store.VisitFilter
	for bits := range 1 << 7 {
		f := store.VisitFilter{}
		set := func(bit int, field *string, value string) {
			if bits&(1<<bit) != 0 {
				*field = value
			}
		}
		set(0, &f.Org, "bank0")
		set(1, &f.Provider, "provider1")
		set(2, &f.Merchant, "merchant7")
		set(3, &f.Technician, "tech7")
		set(4, &f.State, "closed")
		set(5, &f.Kind, "swap")
		set(6, &f.Query, "饭店 city0")
		filters = append(filters, f)
	}
	return append(filters, store.VisitFilter{Org: "bank3"}, store.VisitFilter{Provider: "nobody"},
		store.VisitFilter{Query: "SN-00042"}, store.VisitFilter{Query: "sn"}, store.VisitFilter{Query: "神"},
		store.VisitFilter{Query: "神仙"}, store.VisitFilter{Query: "---"}, store.VisitFilter{Query: "饭店7", Org: "bank1"})
}

// holds is the filter's meaning, written another way.
func holds(f store.VisitFilter, v store.Visit) bool {
	same := func(want, got string) bool { return want == "" || want == got }
	if f.Query == "---" {
		return false
	}
	for _, word := range store.QueryTerms(f.Query) {
		if !slices.Contains(store.IndexTerms(v.Search), word) {
			return false
		}
	}
	return same(f.Org, v.Org) && same(f.Provider, v.Provider) && same(f.Merchant, v.Merchant) &&
		same(f.Technician, v.Technician) && same(f.State, v.State) && same(f.Kind, v.Kind)
}

func newestFirst(a, b store.Visit) int {
	if a.OpenedAt != b.OpenedAt {
		return int(b.OpenedAt - a.OpenedAt)
	}
	return strings.Compare(b.ID, a.ID)
}

func TestListsAreCompleteAndInOrderForEveryFilter(t *testing.T) {
	store.LowerScanRows(t, 40)
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		visits := putVisits(t, s, 0, 600)
		slices.SortFunc(visits, newestFirst)
		for _, f := range someFilters() {
			var want []store.Visit
			for _, v := range visits {
				if holds(f, v) {
					want = append(want, v)
				}
			}
			got, pages := allPages(t, s, f, 7, nil)
			if !slices.Equal(got, want) {
				t.Errorf("%+v: got %d visits, want %d", f, len(got), len(want))
			}
			if most := len(want)/7 + 600/40 + 2; pages > most {
				t.Errorf("%+v: %d pages for %d visits", f, pages, len(want))
			}
		}
	})
}

// Rows written between pages neither push a visit out of the list nor show one twice.
func TestPagesHoldStillWhileVisitsChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		want := putVisits(t, s, 0, 60)
		slices.SortFunc(want, newestFirst)
		got, _ := allPages(t, s, store.VisitFilter{}, 10, func(page int) {
			putVisits(t, s, 60+page*10, 10) // newer ones
			changed := want[page*3]
			changed.State, changed.Technician, changed.UpdatedAt = "frozen", "somebody else", changed.UpdatedAt+1e9
			do(t, s, func(tx *store.Tx) error { return tx.PutVisit(t.Context(), changed) })
		})
		if !slices.EqualFunc(got, want, func(a, b store.Visit) bool { return a.ID == b.ID }) {
			t.Errorf("got %d visits, want the %d there were", len(got), len(want))
		}
	})
}

func TestVisitIsReplacedButNotItsBeginnings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		first := visitNumber(1)
		do(t, s, func(tx *store.Tx) error { return tx.PutVisit(ctx, first) })
		changed := first
		changed.State, changed.Frozen, changed.Head, changed.Technician = "closed", true, 99, "bo"
		changed.Provider, changed.UpdatedAt, changed.Search = "provider9", first.UpdatedAt+1, "SN-77777"
		want := changed
		changed.OpenedAt, changed.Kind, changed.Merchant = first.OpenedAt+5, "other kind", "other merchant"
		do(t, s, func(tx *store.Tx) error { return tx.PutVisit(ctx, changed) })
		look(t, s, func(tx *store.Tx) error {
			got, err := tx.Visit(ctx, first.ID)
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if err != nil {
				return err
			}
			ofOrder, err := tx.VisitsOfOrder(ctx, first.OrderID)
			if len(ofOrder) != 1 || ofOrder[0] != want {
				t.Errorf("of the order: got %+v", ofOrder)
			}
			for query, found := range map[string]int{"SN-77777": 1, first.Search: 0} {
				list, _, err := tx.ListVisits(ctx, store.VisitFilter{Query: query}, "", 10)
				if err != nil || len(list) != found {
					t.Errorf("search %q: got %d visits %v, want %d", query, len(list), err, found)
				}
			}
			return err
		})
	})
}

func TestVisitsAreCountedByState(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		visits := putVisits(t, s, 0, 300)
		for _, f := range []store.VisitFilter{{}, {Org: "bank0"}, {Provider: "provider1"}, {Org: "bank0", Kind: "swap"}, {Technician: "tech7"}} {
			look(t, s, func(tx *store.Tx) error {
				counts, err := tx.CountVisits(t.Context(), f, visitStates, 1000)
				if len(counts) != len(visitStates) {
					t.Errorf("%+v: got %d states", f, len(counts))
				}
				for _, c := range counts {
					want := 0
					for _, v := range visits {
						if v.State == c.State && holds(f, v) {
							want++
						}
					}
					if c.Count != want || c.More {
						t.Errorf("%+v: got %+v, want %d", f, c, want)
					}
				}
				return err
			})
		}
		look(t, s, func(tx *store.Tx) error {
			counts, err := tx.CountVisits(t.Context(), store.VisitFilter{}, []string{"closed"}, 10)
			if len(counts) != 1 || counts[0].Count != 10 || !counts[0].More {
				t.Errorf("bounded: got %+v", counts)
			}
			return err
		})
	})
}

func TestMalformedCursorIsRefused(t *testing.T) {
	s := storetest.SQLite(t)
	for _, cursor := range []string{"x", "1795348800000", "1795348800000.", ".v1", "+5.v1", "05.v1", " 5.v1", "9999999999999999999999.v1"} {
		err := s.Read(t.Context(), func(tx *store.Tx) error {
			_, _, err := tx.ListVisits(t.Context(), store.VisitFilter{}, cursor, 10)
			return err
		})
		if got := fault.CodeOf(err); got != "cursor_malformed" {
			t.Errorf("%q: got fault %q, want cursor_malformed", cursor, got)
		}
	}
}

func TestSearchWords(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "[]",
		"·—、 ！":                     "[]",
		"SN-00042 sn":               "[sn 00042]",
		"门神饭店":                      "[门神 门 神饭 神 饭店 饭 店]",
		"A馆B":                       "[a 馆 b]",
		"Ünïcode ٣":                 "[ünïcode ٣]",
		strings.Repeat("x", 100):    "[" + strings.Repeat("x", 64) + "]",
		strings.Repeat("é", 40):     "[" + strings.Repeat("é", 32) + "]",
		"x" + "é" + "\xff" + "tail": "[xé tail]",
	} {
		if got := fmt.Sprint(store.IndexTerms(text)); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	for query, want := range map[string]string{
		"门神饭店": "[门神 神饭 饭店]", "店": "[店]", "SN-00042": "[sn 00042]", strings.Repeat("a ", 9): "[a]",
	} {
		if got := fmt.Sprint(store.QueryTerms(query)); got != want {
			t.Errorf("query %q: got %s, want %s", query, got, want)
		}
	}
	many := ""
	for i := range 200 {
		many += fmt.Sprint(" w", i)
	}
	if index, query := len(store.IndexTerms(many)), len(store.QueryTerms(many)); index != 96 || query != 16 {
		t.Errorf("got %d and %d words, want 96 and 16", index, query)
	}
}

// Every page and every horizon walks one index in its own order: nothing is sorted or read whole.
func TestEveryListWalksAnIndex(t *testing.T) {
	dsn := storetest.Engines()[0].DSN(t)
	s := storetest.Open(t, dsn)
	putVisits(t, s, 0, 50)
	db, err := sql.Open("sqlite", strings.TrimPrefix(dsn, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, f := range someFilters() {
		for _, cursor := range []string{"", "1795348800000.v1"} {
			for _, horizon := range []string{"", "1.v0"} {
				statements, args, err := store.ListSQL(f, cursor, horizon, store.QueryTerms(f.Query))
				if err != nil {
					t.Fatal(err)
				}
				for i, statement := range statements {
					plan := queryPlan(t, db, statement, args[i])
					if strings.Contains(plan, "TEMP B-TREE") || strings.Contains(plan, "SCAN v\n") || strings.Contains(plan, "AUTOMATIC") ||
						strings.Contains(plan, "EXISTS") && !strings.Contains(plan, "(term=? AND opened_at=? AND visit=? AND org=?)") {
						t.Errorf("%+v: %s\n%s", f, statement, plan)
					}
				}
			}
		}
	}
}

func queryPlan(t *testing.T, db *sql.DB, statement string, args []any) string {
	t.Helper()
	found, err := db.Query("EXPLAIN QUERY PLAN "+statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	var plan strings.Builder
	for found.Next() {
		var id, parent, unused int
		var detail string
		if err := found.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(detail + "\n")
	}
	if plan.Len() == 0 {
		t.Fatalf("no plan for %s: %v", statement, found.Err())
	}
	return plan.String()
}

func TestOrdersAreListedForEverybodyConcerned(t *testing.T) {
	store.LowerScanRows(t, 5)
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var all []store.Order
		do(t, s, func(tx *store.Tx) error {
			for i := range 30 {
				o := store.Order{Org: fmt.Sprint("bank", i%2), ID: fmt.Sprintf("o%02d", i), Provider: fmt.Sprint("provider", i%3),
					Merchant: fmt.Sprint("merchant", i%5), Shop: fmt.Sprint("shop", i%7), Kind: visitKinds[i%6],
					State: []string{"booked", "agreed"}[i/2%2], CreatedAt: store.At(noon) + store.Instant(i/2)}
				all = append(all, o)
				if err := tx.PutOrder(t.Context(), o); err != nil {
					return err
				}
			}
			return nil
		})
		for _, f := range []store.OrderFilter{{}, {Org: "bank1"}, {Provider: "provider2"}, {Merchant: "merchant3"}, {Shop: "shop4"},
			{State: "agreed"}, {Org: "bank0", State: "booked"}, {Provider: "provider0", State: "agreed"}, {Kind: "swap"},
			{Org: "bank0", Provider: "provider0", Merchant: "merchant0", Shop: "shop0", State: "booked", Kind: "install"}} {
			var want []string
			for _, o := range slices.Backward(all) {
				same := func(want, got string) bool { return want == "" || want == got }
				if same(f.Org, o.Org) && same(f.Provider, o.Provider) && same(f.Merchant, o.Merchant) && same(f.Shop, o.Shop) &&
					same(f.State, o.State) && same(f.Kind, o.Kind) {
					want = append(want, o.ID)
				}
			}
			got, err := orderPages(t.Context(), s, f)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%+v: got %v %v, want %v", f, got, err, want)
			}
		}
	})
}

func orderPages(ctx context.Context, s *store.Store, f store.OrderFilter) (ids []string, err error) {
	cursor := ""
	for range 100 {
		err = s.Read(ctx, func(tx *store.Tx) error {
			page, next, err := tx.ListOrders(ctx, f, cursor, 3)
			for _, o := range page {
				ids = append(ids, o.ID)
			}
			cursor = next
			return err
		})
		if err != nil || cursor == "" {
			return ids, err
		}
	}
	return ids, errors.New("the pages never end")
}
