package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Table is one table as the database's own catalogue has it, so that no table that somebody adds
// is forgotten by a check, an export or a backup.
type Table struct {
	Name    string
	Columns []string
	Key     []string // of the primary key; all columns when there is none
	bools   []string // columns whose 0 and 1 are false and true: SQLite gives them as numbers
}

// RawRow is a row without its meaning. A value is nil, int64, bool, string or []byte.
type RawRow struct {
	Table  Table
	Values []any // in the order of Table.Columns
}

// Value gives a column's value, nil for a column that is not there.
func (r RawRow) Value(column string) any {
	if i := slices.Index(r.Table.Columns, column); i >= 0 && i < len(r.Values) {
		return r.Values[i]
	}
	return nil
}

// Text gives a column's value as text.
func (r RawRow) Text(column string) string {
	switch v := r.Value(column).(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	default:
		return fmt.Sprint(v)
	}
}

// Number gives a column's value as a number, 0 when it is none.
func (r RawRow) Number(column string) int64 {
	n, _ := r.Value(column).(int64)
	return n
}

// Key names the row within its table: its key columns joined by |. No key holds a personal value.
func (r RawRow) Key() string {
	parts := make([]string, len(r.Table.Key))
	for i, c := range r.Table.Key {
		parts[i] = r.Text(c)
	}
	return strings.Join(parts, "|")
}

func (r RawRow) keyValues() []any {
	values := make([]any, len(r.Table.Key))
	for i, c := range r.Table.Key {
		values[i] = r.Value(c)
	}
	return values
}

// cell writes a value so that bytes, text, numbers and NULL never look alike.
type cell struct {
	Bytes []byte `json:"b64"`
}

// JSON is the row's one form: an object from column to value, columns in their table's order, bytes
// as {"b64": …}. Exports are made of it, and seals.
func (r RawRow) JSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, c := range r.Table.Columns {
		v := r.Values[i]
		if raw, ok := v.([]byte); ok {
			v = cell{raw}
		}
		name, err := json.Marshal(c)
		if err != nil {
			return nil, errDatabase.At(r.Table.Name).Because(err)
		}
		value, err := json.Marshal(v)
		if err != nil {
			return nil, errDatabase.At(r.Table.Name).Because(err)
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Tables lists every table of the schema by name, but goose's own.
func (t *Tx) Tables(ctx context.Context) ([]Table, error) {
	found, err := t.db.QueryContext(ctx, t.catalogueSQL)
	if err != nil {
		return nil, t.wrap(err, "catalogue")
	}
	defer found.Close()
	var list []Table
	for found.Next() {
		var table, column string
		var kind string
		var place int
		if err := found.Scan(&table, &column, &kind, &place); err != nil {
			return nil, t.wrap(err, "catalogue")
		}
		if len(list) == 0 || list[len(list)-1].Name != table {
			list = append(list, Table{Name: table})
		}
		last := &list[len(list)-1]
		last.add(column, place)
		if strings.EqualFold(kind, "boolean") {
			last.bools = append(last.bools, column)
		}
	}
	for i := range list {
		if len(list[i].Key) == 0 {
			list[i].Key = slices.Clone(list[i].Columns)
		}
	}
	slices.SortFunc(list, func(a, b Table) int { return strings.Compare(a.Name, b.Name) })
	return list, t.wrap(found.Err(), "catalogue")
}

// add takes a column and its place in the primary key, from 1, 0 for none.
func (t *Table) add(column string, place int) {
	t.Columns = append(t.Columns, column)
	if place == 0 {
		return
	}
	for len(t.Key) < place {
		t.Key = append(t.Key, "")
	}
	t.Key[place-1] = column
}

// Catalogues give table, column, type and place in the primary key (0 for none), in order.
const (
	sqliteCatalogue = `SELECT m.name, c.name, c.type, c.pk FROM sqlite_master m, pragma_table_info(m.name) c
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND m.name NOT LIKE 'goose\_%' ESCAPE '\' ORDER BY m.name, c.cid`
	postgresCatalogue = `SELECT c.table_name, c.column_name, c.data_type, COALESCE((SELECT k.ordinal_position FROM information_schema.key_column_usage k,
    information_schema.table_constraints p WHERE p.constraint_type = 'PRIMARY KEY' AND p.constraint_schema = k.constraint_schema
    AND p.constraint_name = k.constraint_name AND p.table_name = k.table_name AND k.table_schema = c.table_schema
    AND k.table_name = c.table_name AND k.column_name = c.column_name), 0)
FROM information_schema.columns c, information_schema.tables t
WHERE c.table_schema = current_schema() AND t.table_schema = c.table_schema AND t.table_name = c.table_name
    AND t.table_type = 'BASE TABLE' AND c.table_name NOT LIKE 'goose!_%' ESCAPE '!' ORDER BY c.table_name, c.ordinal_position`
)

// Table finds one. Fault: record_not_found.
func (t *Tx) Table(ctx context.Context, name string) (Table, error) {
	list, err := t.Tables(ctx)
	if err != nil {
		return Table{}, err
	}
	for _, table := range list {
		if table.Name == name {
			return table, nil
		}
	}
	return Table{}, errNotFound.At("table " + name)
}

// rawPage is how many rows are held at once.
const rawPage = 500

// EachRow gives every row of a table in the order of its key, a page at a time: each may use the
// transaction meanwhile. Rows that are equal in every key column of a table without a primary key
// come together.
func (t *Tx) EachRow(ctx context.Context, table Table, each func(RawRow) error) error {
	if !slices.Equal(table.Key, table.Columns) {
		return t.eachByKey(ctx, table, each)
	}
	for offset := 0; ; offset += rawPage {
		page, err := t.rawRows(ctx, table, " ORDER BY "+strings.Join(table.Key, ", ")+" LIMIT %s OFFSET %s", rawPage, offset)
		if err != nil {
			return err
		}
		if done, err := eachOf(page, each); done || err != nil {
			return err
		}
	}
}

func (t *Tx) eachByKey(ctx context.Context, table Table, each func(RawRow) error) error {
	order := " ORDER BY " + strings.Join(table.Key, ", ") + " LIMIT %s"
	var last []any
	for {
		filter, args := "", []any{}
		if last != nil {
			filter = " WHERE (" + strings.Join(table.Key, ", ") + ") > (" + strings.TrimSuffix(strings.Repeat("%s, ", len(table.Key)), ", ") + ")"
			args = append(args, last...)
		}
		page, err := t.rawRows(ctx, table, filter+order, append(args, rawPage)...)
		if err != nil {
			return err
		}
		if done, err := eachOf(page, each); done || err != nil {
			return err
		}
		last = page[len(page)-1].keyValues()
	}
}

func eachOf(page []RawRow, each func(RawRow) error) (done bool, err error) {
	for _, r := range page {
		if err := each(r); err != nil {
			return true, err
		}
	}
	return len(page) < rawPage, nil
}

// RowByKey finds a row by the key of another one's, of this database or another.
func (t *Tx) RowByKey(ctx context.Context, of RawRow) (row RawRow, found bool, err error) {
	filter := make([]string, len(of.Table.Key))
	for i, c := range of.Table.Key {
		filter[i] = c + " = %s"
	}
	page, err := t.rawRows(ctx, of.Table, " WHERE "+strings.Join(filter, " AND ")+" LIMIT 1", of.keyValues()...)
	if err != nil || len(page) == 0 {
		return RawRow{}, false, err
	}
	return page[0], true, nil
}

// Where gives up to 10,000 rows of a table whose columns have values, in no order.
func (t *Tx) Where(ctx context.Context, table Table, columns []string, values ...any) ([]RawRow, error) {
	filter := make([]string, len(columns))
	for i, c := range columns {
		filter[i] = c + " = %s"
	}
	return t.rawRows(ctx, table, " WHERE "+strings.Join(filter, " AND ")+" LIMIT "+strconv.Itoa(maxRows), values...)
}

// PutRaw inserts a row as it is: only an import into an empty deployment and a check's scratch copy
// do so.
func (t *Tx) PutRaw(ctx context.Context, r RawRow) error {
	var s statement
	s.add("INSERT INTO " + r.Table.Name + " (" + strings.Join(r.Table.Columns, ", ") + ") VALUES (")
	for i, v := range r.Values {
		if i > 0 {
			s.add(", ")
		}
		s.add("%s", v)
	}
	s.add(")")
	_, err := t.db.ExecContext(ctx, s.text.String(), s.args...)
	return t.wrap(err, r.Table.Name)
}

// rawRows runs a query whose names come from the catalogue and whose values are bound.
func (t *Tx) rawRows(ctx context.Context, table Table, rest string, args ...any) ([]RawRow, error) {
	var s statement
	s.add("SELECT " + strings.Join(table.Columns, ", ") + " FROM " + table.Name)
	s.add(rest, args...)
	found, err := t.db.QueryContext(ctx, s.text.String(), s.args...)
	if err != nil {
		return nil, t.wrap(err, table.Name)
	}
	defer found.Close()
	var page []RawRow
	for found.Next() {
		row := RawRow{Table: table, Values: make([]any, len(table.Columns))}
		into := make([]any, len(row.Values))
		for i := range into {
			into[i] = &row.Values[i]
		}
		if err := found.Scan(into...); err != nil {
			return nil, t.wrap(err, table.Name)
		}
		for i, v := range row.Values {
			row.Values[i] = plain(v)
			if n, ok := row.Values[i].(int64); ok && (n == 0 || n == 1) && slices.Contains(table.bools, table.Columns[i]) {
				row.Values[i] = n == 1
			}
		}
		page = append(page, row)
	}
	return page, t.wrap(found.Err(), table.Name)
}

// plain makes a driver's value one of the five kinds.
func plain(v any) any {
	switch v := v.(type) {
	case nil, int64, bool, string:
		return v
	case []byte:
		return slices.Clone(filled(v))
	case int:
		return int64(v)
	case int32:
		return int64(v)
	}
	return fmt.Sprint(v)
}
