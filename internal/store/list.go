package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// scanRows bounds how many rows one page looks at when no index serves the whole filter. Tests
// lower it.
var scanRows int32 = 2000

// list reads one page: the rows, and the cursor of the next page, "" at the end.
func list[T any](ctx context.Context, t *Tx, q listPlan, limit int, scan func(*sql.Rows, *T) error,
	place func(T) string) (page []T, next string, err error) {
	limit = max(1, int(rows(limit)))
	horizon := ""
	if len(q.rest)+len(q.words) > 0 {
		if horizon, err = t.horizon(ctx, q); err != nil {
			return nil, "", err
		}
	}
	text, args := q.page(horizon, limit+1)
	found, err := t.db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, "", t.wrap(err, q.table)
	}
	defer found.Close()
	for found.Next() {
		var row T
		if err := scan(found, &row); err != nil {
			return nil, "", t.wrap(err, q.table)
		}
		page = append(page, row)
	}
	if err := found.Err(); err != nil {
		return nil, "", t.wrap(err, q.table)
	}
	if len(page) > limit {
		return page[:limit], place(page[limit-1]), nil
	}
	return page, horizon, nil
}

// horizon gives the position of the last row that a page may look at, "" when there are fewer.
func (t *Tx) horizon(ctx context.Context, q listPlan) (string, error) {
	text, args := q.horizon()
	var at Instant
	var id string
	err := t.db.QueryRowContext(ctx, text, args...).Scan(&at, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return cursorOf(at, id), t.wrap(err, q.table)
}

// equal is one condition: a column and the value it must have.
type equal struct{ column, value string }

// listPlan is a filter, split into what an index serves and the rest. The split is made here and
// not by a planner: SQLite has no statistics to choose well, and both engines then do the same.
type listPlan struct {
	listed
	term   string  // the word whose rows drive; "" when the listed rows themselves do
	drive  []equal // served by an index that ends in when and id
	rest   []equal
	words  []string // other words that must be there
	cursor position
}

type position struct {
	at  Instant
	id  string
	set bool
}

// listed is a table that has lists.
type listed struct {
	table, columns string
	when           string // the column that says when the row was made; it never changes
	// driving holds the filters that have an index, best first; the last one takes none.
	driving [][]string
}

// plan splits the conditions with a value; words are those that must be there, the rarest first.
func (l listed) plan(cursor string, words []string, conditions ...equal) (listPlan, error) {
	at, err := parseCursor(cursor)
	if err != nil {
		return listPlan{}, err
	}
	asked := slices.DeleteFunc(conditions, func(e equal) bool { return e.value == "" })
	q := listPlan{listed: l, cursor: at}
	if len(words) > 0 {
		q.term, q.words, q.rest = words[0], words[1:], asked
		return q, nil
	}
	for _, columns := range l.driving {
		if q.take(asked, columns) {
			break
		}
	}
	return q, nil
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

// page gives the rows after the cursor, down to the horizon.
func (q listPlan) page(horizon string, limit int) (string, []any) {
	var s statement
	when, id := "v."+q.when, "v.id"
	if q.term == "" {
		s.add("SELECT " + q.columns + " FROM " + q.table + " v WHERE 1 = 1")
	} else {
		when, id = "t.opened_at", "t.visit"
		// CROSS JOIN tells SQLite to begin at the words; PostgreSQL takes it as a plain join.
		s.add("SELECT "+q.columns+" FROM visit_terms t CROSS JOIN visits v"+
			" WHERE v.org = t.org AND v.id = t.visit AND t.term = %s", q.term)
	}
	q.bounds(&s, when, id, horizon)
	for _, e := range q.rest {
		s.add(" AND v."+e.column+" || '' = %s", e.value) // the || keeps planners from another index
	}
	for _, w := range q.words {
		s.add(" AND EXISTS (SELECT 1 FROM visit_terms w WHERE w.term = %s AND w.opened_at = t.opened_at"+
			" AND w.visit = t.visit AND w.org = t.org)", w) // the whole key: one look at the index
	}
	s.add(" ORDER BY "+when+" DESC, "+id+" DESC LIMIT %s", limit)
	return s.text.String(), s.args
}

// bounds adds the driver, the cursor and the horizon.
func (q listPlan) bounds(s *statement, when, id, horizon string) {
	for _, e := range q.drive {
		s.add(" AND v."+e.column+" = %s", e.value)
	}
	if q.cursor.set {
		s.add(" AND ("+when+", "+id+") < (%s, %s)", q.cursor.at, q.cursor.id)
	}
	if horizon != "" {
		last, _ := parseCursor(horizon) // made by cursorOf
		s.add(" AND ("+when+", "+id+") >= (%s, %s)", last.at, last.id)
	}
}

// horizon gives the scanRows-th row after the cursor, from an index alone.
func (q listPlan) horizon() (string, []any) {
	var s statement
	when, id := "v."+q.when, "v.id"
	if q.term == "" {
		s.add("SELECT v." + q.when + ", v.id FROM " + q.table + " v WHERE 1 = 1")
	} else {
		when, id = "t.opened_at", "t.visit"
		s.add("SELECT t.opened_at, t.visit FROM visit_terms t WHERE t.term = %s", q.term)
	}
	q.bounds(&s, when, id, "")
	s.add(" ORDER BY "+when+" DESC, "+id+" DESC LIMIT 1 OFFSET %s", scanRows-1)
	return s.text.String(), s.args
}

// count gives how many rows were looked at, up to bound, and how many of them match the rest.
func (q listPlan) count(bound int) (string, []any) {
	var s statement
	s.add("SELECT COUNT(*), COALESCE(SUM(CASE WHEN 1 = 1")
	for _, e := range q.rest {
		s.add(" AND c."+e.column+" = %s", e.value)
	}
	columns := "1" // then an index alone answers
	for _, e := range q.rest {
		columns += ", v." + e.column
	}
	s.add(" THEN 1 ELSE 0 END), 0) FROM (SELECT " + columns + " FROM " + q.table + " v WHERE 1 = 1")
	q.bounds(&s, "v."+q.when, "v.id", "")
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
	made, id, _ := strings.Cut(cursor, ".")
	ms, err := strconv.ParseInt(made, 10, 64)
	if err != nil || id == "" || cursorOf(Instant(ms), id) != cursor {
		return position{}, errCursor
	}
	return position{at: Instant(ms), id: id, set: true}, nil
}
