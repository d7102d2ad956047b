package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
)

// VisitFilter says which visits; an empty field asks for nothing. Query is words of the search
// text, all of which must be there: whole for letters and digits, any part for Chinese. Words
// beyond the sixteenth are not looked at.
type VisitFilter struct {
	Org, Provider, Merchant, Technician, State, Kind, Query string
}

// PutVisit writes a visit's projection and its search words. Order, merchant, shop, kind and
// opening stay as first written.
func (t *Tx) PutVisit(ctx context.Context, v Visit) error {
	old, found, err := optional(t.q.visit(ctx, v.Org, v.ID))
	if err != nil {
		return t.wrap(err, "visit")
	}
	if found {
		v.OpenedAt = old.OpenedAt
	}
	if err := t.q.putVisit(ctx, putVisitParams(v)); err != nil {
		return t.wrap(err, "visit")
	}
	if found && old.Search == v.Search {
		return nil
	}
	if err := t.q.deleteTerms(ctx, v.ID, v.Org); err != nil {
		return t.wrap(err, "visit words")
	}
	for _, term := range indexTerms(v.Search) {
		if err := t.q.insertTerm(ctx, term, v.OpenedAt, v.ID, v.Org); err != nil {
			return t.wrap(err, "visit words")
		}
	}
	return nil
}

// Visit finds one by id. Fault: record_not_found.
func (t *Tx) Visit(ctx context.Context, id string) (Visit, error) {
	v, err := t.q.visitByID(ctx, id)
	return v, t.wrap(err, "visit")
}

// VisitsOfOrder gives an order's visits, oldest first.
func (t *Tx) VisitsOfOrder(ctx context.Context, order string) ([]Visit, error) {
	list, err := t.q.visitsOfOrder(ctx, order)
	return list, t.wrap(err, "visits")
}

// visitList names the indexes of migrations/00004_visits.sql.
var visitList = listed{
	table: "visits", when: "opened_at",
	columns: "v.org, v.id, v.order_id, v.provider, v.merchant, v.shop, v.technician, v.kind, v.state, v.frozen," +
		" v.head, v.opened_at, v.updated_at, v.search",
	driving: [][]string{
		{"technician"}, {"merchant"}, {"provider", "state"}, {"org", "state"}, {"provider", "kind"}, {"org", "kind"},
		{"provider"}, {"org"}, {"state"}, {"kind"}, {},
	},
}

func scanVisit(row *sql.Rows, v *Visit) error {
	return row.Scan(&v.Org, &v.ID, &v.OrderID, &v.Provider, &v.Merchant, &v.Shop, &v.Technician, &v.Kind,
		&v.State, &v.Frozen, &v.Head, &v.OpenedAt, &v.UpdatedAt, &v.Search)
}

func (f VisitFilter) plan(cursor string, words []string) (listPlan, error) {
	return visitList.plan(cursor, words, equal{"org", f.Org}, equal{"provider", f.Provider},
		equal{"merchant", f.Merchant}, equal{"technician", f.Technician}, equal{"state", f.State}, equal{"kind", f.Kind})
}

// ListVisits gives up to limit visits, newest first, and the cursor of the next page, "" at the
// end. Start with cursor "". Following the cursors gives every visit exactly once, whatever is
// written meanwhile, except those opened after the first page.
//
// One of the filter's fields, or two that have an index together, drive the scan; for the others a
// page looks at 2000 rows at most, so it may hold fewer than limit visits, even none, while next
// says that there are more. Fault: cursor_malformed.
func (t *Tx) ListVisits(ctx context.Context, f VisitFilter, cursor string, limit int) (visits []Visit, next string, err error) {
	words, err := t.byRarity(ctx, queryTerms(f.Query))
	if err != nil {
		return nil, "", err
	}
	if f.Query != "" && len(words) == 0 {
		return nil, "", nil // signs only: no visit has such a word
	}
	q, err := f.plan(cursor, words)
	if err != nil {
		return nil, "", err
	}
	return list(ctx, t, q, limit, scanVisit, func(v Visit) string { return cursorOf(v.OpenedAt, v.ID) })
}

// byRarity puts the word with the fewest visits first: its rows drive the scan.
func (t *Tx) byRarity(ctx context.Context, words []string) ([]string, error) {
	if len(words) < 2 {
		return words, nil
	}
	counts := make(map[string]int64, len(words))
	for _, word := range words {
		n, err := t.q.countTerm(ctx, word, scanRows)
		if err != nil {
			return nil, t.wrap(err, "visit words")
		}
		counts[word] = n
	}
	slices.SortStableFunc(words, func(a, b string) int { return cmp.Compare(counts[a], counts[b]) })
	return words, nil
}

// VisitCount is how many visits a state has; More says that counting stopped there.
type VisitCount struct {
	State string
	Count int
	More  bool
}

// CountVisits counts by state, in the order of states, looking at no more than most visits of each,
// at most 10,000, or 2000 when no index serves the filter. f.State and f.Query are not read.
func (t *Tx) CountVisits(ctx context.Context, f VisitFilter, states []string, most int) ([]VisitCount, error) {
	counts := make([]VisitCount, 0, len(states))
	for _, state := range states {
		f.State = state
		q, err := f.plan("", nil)
		if err != nil {
			return nil, err
		}
		bound := int(rows(most))
		if len(q.rest) > 0 {
			bound = min(bound, int(scanRows))
		}
		var looked, counted int
		text, args := q.count(bound)
		if err := t.db.QueryRowContext(ctx, text, args...).Scan(&looked, &counted); err != nil {
			return nil, t.wrap(err, "visits")
		}
		counts = append(counts, VisitCount{State: state, Count: counted, More: looked == bound})
	}
	return counts, nil
}
