package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
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

// scanRows bounds how many rows one page looks at when no index serves the whole filter.
const scanRows = 5000

// ListVisits gives up to limit visits, newest first, and the cursor of the next page, "" at the
// end. Start with cursor "". Following the cursors gives every visit exactly once, whatever is
// written meanwhile, except those opened after the first page.
//
// One of the filter's fields, or two that have an index together, drive the scan; for the others a
// page looks at 5000 rows at most, so it may hold fewer than limit visits, even none, while next
// says that there are more. Fault: cursor_malformed.
func (t *Tx) ListVisits(ctx context.Context, f VisitFilter, cursor string, limit int) (visits []Visit, next string, err error) {
	words, err := t.byRarity(ctx, queryTerms(f.Query))
	if err != nil {
		return nil, "", err
	}
	q, err := f.plan(cursor, words)
	if err != nil {
		return nil, "", err
	}
	limit = max(1, int(rows(limit)))
	horizon := ""
	if len(q.rest)+len(q.words) > 0 {
		if horizon, err = t.horizon(ctx, q); err != nil {
			return nil, "", err
		}
	}
	text, args := q.page(horizon, limit+1)
	visits, err = t.visitRows(ctx, text, args)
	if err != nil {
		return nil, "", t.wrap(err, "visits")
	}
	if len(visits) > limit {
		visits = visits[:limit]
		return visits, cursorOf(visits[limit-1].OpenedAt, visits[limit-1].ID), nil
	}
	return visits, horizon, nil
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

// horizon gives the position of the last row that this page may look at, "" when there are fewer.
func (t *Tx) horizon(ctx context.Context, q listPlan) (string, error) {
	text, args := q.horizon()
	var opened Instant
	var id string
	err := t.db.QueryRowContext(ctx, text, args...).Scan(&opened, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return cursorOf(opened, id), t.wrap(err, "visits")
}

func (t *Tx) visitRows(ctx context.Context, text string, args []any) ([]Visit, error) {
	found, err := t.db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var visits []Visit
	for found.Next() {
		var v Visit
		if err := found.Scan(&v.Org, &v.ID, &v.OrderID, &v.Provider, &v.Merchant, &v.Shop, &v.Technician, &v.Kind,
			&v.State, &v.Frozen, &v.Head, &v.OpenedAt, &v.UpdatedAt, &v.Search); err != nil {
			return nil, err
		}
		visits = append(visits, v)
	}
	return visits, found.Err()
}

// VisitCount is how many visits a state has; More says that counting stopped there.
type VisitCount struct {
	State string
	Count int
	More  bool
}

// CountVisits counts by state, in the order of states, looking at no more than most visits of each
// (at most 10,000). f.State and f.Query are not read.
func (t *Tx) CountVisits(ctx context.Context, f VisitFilter, states []string, most int) ([]VisitCount, error) {
	bound := int(rows(most))
	counts := make([]VisitCount, 0, len(states))
	for _, state := range states {
		f.State = state
		q, err := f.plan("", nil)
		if err != nil {
			return nil, err
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

// equal is one condition: a column and the value it must have.
type equal struct{ column, value string }

// listPlan is a filter, split into what an index serves and the rest. The split is made here and
// not by a planner: SQLite has no statistics to choose well, and both engines then do the same.
type listPlan struct {
	term   string  // the word whose rows drive; "" when visits themselves do
	drive  []equal // served, in order, by an index that ends in (opened_at, id)
	rest   []equal
	words  []string // other words that must be there
	cursor position
}

type position struct {
	opened Instant
	id     string
	set    bool
}

// driving lists the filters that have an index, best first (migrations/00004_visits.sql).
var driving = [][]string{
	{"technician"}, {"merchant"}, {"provider", "state"}, {"org", "state"}, {"provider", "kind"}, {"org", "kind"},
	{"provider"}, {"org"}, {"state"}, {"kind"}, {},
}

// plan splits the filter; words are those of f.Query, the rarest first.
func (f VisitFilter) plan(cursor string, words []string) (listPlan, error) {
	at, err := parseCursor(cursor)
	if err != nil {
		return listPlan{}, err
	}
	asked := slices.DeleteFunc([]equal{
		{"org", f.Org}, {"provider", f.Provider}, {"merchant", f.Merchant}, {"technician", f.Technician},
		{"state", f.State}, {"kind", f.Kind},
	}, func(e equal) bool { return e.value == "" })
	q := listPlan{cursor: at}
	if len(words) > 0 {
		q.term, q.words, q.rest = words[0], words[1:], asked
		return q, nil
	}
	for _, columns := range driving {
		if q.take(asked, columns) {
			return q, nil
		}
	}
	return q, nil // not reached: the last driver takes no column
}

// take splits asked by a driver's columns, if all of them are asked for.
func (q *listPlan) take(asked []equal, columns []string) bool {
	q.drive, q.rest = nil, nil
	for _, e := range asked {
		if slices.Contains(columns, e.column) {
			q.drive = append(q.drive, e)
		} else {
			q.rest = append(q.rest, e)
		}
	}
	return len(q.drive) == len(columns)
}

// statement is SQL under construction, its placeholders numbered as they come.
type statement struct {
	text strings.Builder
	args []any
}

func (s *statement) add(format string, args ...any) {
	marks := make([]any, len(args))
	for i, arg := range args {
		s.args = append(s.args, arg)
		marks[i] = "$" + strconv.Itoa(len(s.args))
	}
	fmt.Fprintf(&s.text, format, marks...)
}

const visitColumns = `v.org, v.id, v.order_id, v.provider, v.merchant, v.shop, v.technician, v.kind, v.state, v.frozen,
	v.head, v.opened_at, v.updated_at, v.search`

// page gives the rows after the cursor, down to the horizon.
func (q listPlan) page(horizon string, limit int) (string, []any) {
	var s statement
	opened, id := "v.opened_at", "v.id"
	if q.term == "" {
		s.add("SELECT " + visitColumns + " FROM visits v WHERE 1 = 1")
	} else {
		opened, id = "t.opened_at", "t.visit"
		// CROSS JOIN tells SQLite to begin at the words; PostgreSQL takes it as a plain join.
		s.add("SELECT "+visitColumns+" FROM visit_terms t CROSS JOIN visits v"+
			" WHERE v.org = t.org AND v.id = t.visit AND t.term = %s", q.term)
	}
	q.bounds(&s, opened, id, horizon)
	for _, e := range q.rest {
		s.add(" AND v."+e.column+" || '' = %s", e.value) // the || keeps planners from another index
	}
	for _, w := range q.words {
		s.add(" AND EXISTS (SELECT 1 FROM visit_terms w WHERE w.visit = v.id AND w.org = v.org AND w.term = %s)", w)
	}
	s.add(" ORDER BY "+opened+" DESC, "+id+" DESC LIMIT %s", limit)
	return s.text.String(), s.args
}

// bounds adds the driver, the cursor and the horizon.
func (q listPlan) bounds(s *statement, opened, id, horizon string) {
	for _, e := range q.drive {
		s.add(" AND v."+e.column+" = %s", e.value)
	}
	if q.cursor.set {
		s.add(" AND ("+opened+", "+id+") < (%s, %s)", q.cursor.opened, q.cursor.id)
	}
	if horizon != "" {
		last, _ := parseCursor(horizon) // made by cursorOf
		s.add(" AND ("+opened+", "+id+") >= (%s, %s)", last.opened, last.id)
	}
}

// horizon gives the scanRows-th row after the cursor, from an index alone.
func (q listPlan) horizon() (string, []any) {
	var s statement
	opened, id := "v.opened_at", "v.id"
	if q.term == "" {
		s.add("SELECT v.opened_at, v.id FROM visits v WHERE 1 = 1")
	} else {
		opened, id = "t.opened_at", "t.visit"
		s.add("SELECT t.opened_at, t.visit FROM visit_terms t WHERE t.term = %s", q.term)
	}
	q.bounds(&s, opened, id, "")
	s.add(" ORDER BY "+opened+" DESC, "+id+" DESC LIMIT 1 OFFSET %s", scanRows-1)
	return s.text.String(), s.args
}

// count gives how many rows were looked at, up to bound, and how many of them match the rest.
func (q listPlan) count(bound int) (string, []any) {
	var s statement
	s.add("SELECT COUNT(*), COALESCE(SUM(CASE WHEN 1 = 1")
	for _, e := range q.rest {
		s.add(" AND c."+e.column+" = %s", e.value)
	}
	s.add(" THEN 1 ELSE 0 END), 0) FROM (SELECT v.org, v.provider, v.merchant, v.technician, v.state, v.kind" +
		" FROM visits v WHERE 1 = 1")
	q.bounds(&s, "v.opened_at", "v.id", "")
	s.add(" LIMIT %s) AS c", bound)
	return s.text.String(), s.args
}

// cursorOf names a position in a list: opening in unix milliseconds, a dot, id.
func cursorOf(opened Instant, id string) string {
	return strconv.FormatInt(int64(opened), 10) + "." + id
}

func parseCursor(cursor string) (position, error) {
	if cursor == "" {
		return position{}, nil
	}
	opened, id, _ := strings.Cut(cursor, ".")
	ms, err := strconv.ParseInt(opened, 10, 64)
	if err != nil || id == "" || cursorOf(Instant(ms), id) != cursor {
		return position{}, errCursor
	}
	return position{opened: Instant(ms), id: id, set: true}, nil
}
