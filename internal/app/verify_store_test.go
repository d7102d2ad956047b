package app_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/examples/city"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

// kept is a log that also keeps its leaves, as the real one does.
type kept struct {
	app.Log
	mu     sync.Mutex
	leaves map[uint64][]byte
	silent atomic.Bool
}

func (l *kept) Add(ctx context.Context, leaf []byte) (uint64, error) {
	if l.silent.Load() {
		return 0, context.DeadlineExceeded
	}
	at, err := l.Log.Add(ctx, leaf)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.leaves[at] = slices.Clone(leaf)
	}
	return at, err
}

func (l *kept) Size(context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.leaves)), nil
}

func (l *kept) Leaves(_ context.Context, each func(uint64, []byte) error) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range uint64(len(l.leaves)) {
		if err := each(i, l.leaves[i]); err != nil {
			return 0, err
		}
	}
	return uint64(len(l.leaves)), nil
}

// lived is a deployment in which everything happened once, closed again, and its database.
type lived struct {
	config app.Config
	log    *kept
	path   string
}

// live plays the deployment; acts come before the log stops answering.
func live(t *testing.T, acts ...func(*scenario.Deployment, *scenario.Play)) lived {
	t.Helper()
	l := lived{log: &kept{leaves: map[uint64][]byte{}}, path: filepath.Join(t.TempDir(), "menshen.db")}
	d, err := scenario.NewDeployment(t.Context(), scenario.DeploymentConfig{Database: "sqlite:" + l.path, Now: time.Now,
		Outbox: func(to app.Log) app.Log { l.log.Log = to; return l.log }})
	if err != nil {
		t.Fatal(err)
	}
	_, problems, err := d.App.Import(t.Context(), func(name string) (io.ReadCloser, error) { return city.Files.Open(name) }, func(string, int) {})
	if err != nil {
		t.Fatal(err, problems)
	}
	besideTheCity(d)
	p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := scenario.Run(t.Context(), p.Install()); err != nil {
		t.Fatal(err)
	}
	brake := d.Play(visit.Inspection, 0, "v2", p.Device.Serial, "W1489724")
	if err := scenario.Run(t.Context(), brake.Inspect()); err != nil {
		t.Fatal(err)
	}
	l.more(t, d)
	for _, act := range acts {
		act(d, brake)
	}
	for more := true; more; {
		var err error
		if more, err = d.App.Sequence(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	l.log.silent.Store(true) // the freeze waits in the outbox, and a matter stays open
	if err := brake.Freeze(t.Context(), d.Cast.Merchant, "asked_for_money"); err != nil {
		t.Fatal(err)
	}
	l.config = d.App.Config
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return l
}

// besideTheCity gives the cast's people ids that nobody of the example city has: one organisation has an id.
func besideTheCity(d *scenario.Deployment) {
	c := d.Cast
	for _, a := range []**scenario.Actor{&c.Merchant, &c.Technician, &c.Stranger} {
		*a = scenario.NewActor((*a).ID+"-2", (*a).Organisation, (*a).Role)
	}
	d.Venue.Technician = c.Technician
}

// more fills the tables that two visits leave empty.
func (l lived) more(t *testing.T, d *scenario.Deployment) {
	t.Helper()
	err := d.Store.Write(t.Context(), func(tx *store.Tx) error {
		if err := tx.SetSetting(t.Context(), "theme", "red"); err != nil {
			return err
		}
		tokens, err := tx.TokensOfPerson(t.Context(), d.Cast.Merchant.ID)
		if err != nil {
			return err
		}
		values, err := tx.VaultValues(t.Context(), d.Cast.Merchant.ID)
		if err != nil || len(values) == 0 {
			return fmt.Errorf("%d values: %w", len(values), err)
		}
		if _, err := d.App.Vault.Get(t.Context(), tx, values[0].Subject, values[0].Commitment, vault.Look{Who: "audit", Purpose: strings.Fields(values[0].Purpose)[0], At: time.Now()}); err != nil {
			return err
		}
		return tx.RememberAnswer(t.Context(), store.Answer{Scope: tokens[0].ID, Key: "k", RequestDigest: statement.Digest([]byte("r")), Status: 201, Response: []byte("{}"), CreatedAt: store.At(time.Now())})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// spoiled is a copy of the database in which somebody ran SQL behind the server's back.
func (l lived) spoiled(t *testing.T, commands ...string) app.StoreReport {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "copy.db")
	data, err := os.ReadFile(l.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, path, commands...)
	s, err := store.Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := l.config
	c.Store = s
	report, err := app.New(c).VerifyStore(t.Context(), dir, l.log, func(string) {})
	if err != nil {
		t.Fatalf("%v: %v", commands, err)
	}
	return report
}

func run(t *testing.T, path string, commands ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path+"?_pragma=ignore_check_constraints(1)") // as a thief would
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, c := range commands {
		if r, err := db.Exec(c); err != nil {
			t.Fatalf("%s: %v", c, err)
		} else if n, _ := r.RowsAffected(); n == 0 {
			t.Fatalf("%s: nobody's row", c)
		}
	}
}

func named(r app.StoreReport, table string) bool {
	return slices.ContainsFunc(r.Found, func(f app.Found) bool { return f.Table == table && f.Key != "" && f.Code != "" })
}

// rolledBack wants a log that was replaced by an older one found by the receipts that it can no longer
// give, and an event that was removed whole found by its leaf.
func (l lived) rolledBack(t *testing.T) {
	t.Helper()
	r := l.spoiled(t, "DELETE FROM events WHERE digest = (SELECT digest FROM events ORDER BY leaf_index DESC LIMIT 1)")
	if !slices.ContainsFunc(r.Found, func(f app.Found) bool { return f.Code == "leaf_without_event" }) {
		t.Errorf("an event removed whole: %+v", r.Found)
	}
	whole := l.log
	l.log = &kept{leaves: map[uint64][]byte{0: whole.leaves[0], 1: whole.leaves[1]}}
	r = l.spoiled(t)
	if !slices.ContainsFunc(r.Found, func(f app.Found) bool { return f.Code == "log_shorter_than_receipt" }) {
		t.Errorf("a log rolled back: %+v", r.Found)
	}
}

// unjudged are the columns that the server itself moves without a signed record, or that nothing rests on: whoever changes
// one of them gains nothing that lasts. Decision 26 lists them with the reason.
var unjudged = map[string]bool{
	"jobs.state": true, "jobs.run_at": true, "jobs.lease_until": true, "jobs.attempts": true, "jobs.max_attempts": true, "jobs.last_error": true, "jobs.created_at": true,
	"permits.attempts": true, "permits.updated_at": true, "answers.key": true, "answers.response": true, "answers.created_at": true,
	"answers.status": true, "answers.request_digest": true, "identities.added_at": true, "tokens.seen_at": true,
}

// Each column that the check passes over stands in the decision with its reason, and is a column that there is.
func TestWhatTheCheckOfTheStorePassesOverIsWrittenDown(t *testing.T) {
	data, err := os.ReadFile("../../docs/decisions/0026-verify-store-replays-and-seals.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, name := range regexp.MustCompile("`([a-z_]+\\.[a-z_]+)`").FindAllStringSubmatch(string(data), -1) {
		listed[name[1]] = true
	}
	columns := map[string]bool{}
	for _, table := range tablesOf(t, filepath.Join(t.TempDir(), "empty.db")) {
		for _, c := range table.Columns {
			columns[table.Name+"."+c] = true
		}
	}
	for name := range unjudged {
		if !columns[name] || !listed[name] {
			t.Errorf("%s: a column %v, in the decision %v", name, columns[name], listed[name])
		}
	}
	for name := range listed {
		if columns[name] && !unjudged[name] {
			t.Errorf("%s is checked, and the decision says that it is not", name)
		}
	}
}

func TestVerifyStoreNamesWhateverChangedBehindTheServersBack(t *testing.T) {
	l := live(t)
	whole := l.spoiled(t)
	if !whole.OK() || len(whole.Unchecked) != 0 || len(whole.Skipped) != 0 || whole.Events == 0 || whole.Leaves+1 != uint64(whole.Events) {
		t.Fatalf("untouched: %+v", whole)
	}
	// Where a signed record itself is wrong, what follows from it is not compared: those tables alone.
	var rest []store.Table
	l.rolledBack(t)
	for _, table := range tablesOf(t, l.path) {
		if slices.Contains(needless, table.Name) {
			continue // TestVerifyStoreNamesTheRowsThatNoVisitNeeds
		}
		switch table.Name {
		case "statements", "events", "streams", "outbox", "answers", "identities": // and those whose token or value would go with them
			l.spoilAll(t, []store.Table{table})
		default:
			rest = append(rest, table)
		}
	}
	l.spoilAll(t, rest)
}

// needless are the sealed tables of which no visit needs a row.
var needless = []string{"accounts", "passkeys", "invitations", "ceremonies", "photo_files", "clerk_asks", "door_verdicts", "tickets", "ticket_events",
	"sheet_drafts", "settlement_files", "settlement_lines", "phone_unsent", "dead_letter_acts", "door_calls", "conflicts", "door_scans"}

// A row of each table that no visit needs is sealed, and every column of it is swept as those of the other tables are: the
// columns are the schema's own, so that one which somebody adds is in it.
func TestVerifyStoreNamesTheRowsThatNoVisitNeeds(t *testing.T) {
	l := live(t)
	var tables []store.Table
	for _, table := range tablesOf(t, l.path) {
		if slices.Contains(needless, table.Name) {
			tables = append(tables, table)
			run(t, l.path, filled(t, l.path, table.Name))
		}
	}
	if len(tables) != len(needless) {
		t.Fatalf("%d tables", len(tables))
	}
	s, err := store.Open(t.Context(), "sqlite:"+l.path)
	if err != nil {
		t.Fatal(err)
	}
	n, err := l.over(t, s).AdoptSeals(t.Context())
	if err := errors.Join(err, s.Close()); err != nil || n != len(tables) {
		t.Fatalf("%d sealed, %v", n, err)
	}
	if whole := l.spoiled(t); !whole.OK() {
		t.Fatalf("untouched: %+v", whole.Found)
	}
	l.spoilAll(t, tables)
}

// filled is a statement that puts one row into a table, by the schema's own word on its columns.
func filled(t *testing.T, path, table string) string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	found, err := db.Query("SELECT name, type FROM pragma_table_info('" + table + "')")
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	var names, values []string
	for found.Next() {
		var name, kind string
		if err := found.Scan(&name, &kind); err != nil {
			t.Fatal(err)
		}
		value := "'a'"
		switch kind = strings.ToUpper(kind); {
		case strings.Contains(kind, "INT"), strings.Contains(kind, "BOOL"):
			value = "1"
		case strings.Contains(kind, "BLOB"), strings.Contains(kind, "BYTEA"):
			value = "x'01'"
		}
		names, values = append(names, name), append(values, value)
	}
	return "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(values, ", ") + ")"
}

// spoilAll changes every column, and removes and adds a row, in all tables at once, and wants each table
// named each time.
func (l lived) spoilAll(t *testing.T, tables []store.Table) {
	t.Helper()
	first := func(table string) string { return fmt.Sprintf(" WHERE rowid = (SELECT MIN(rowid) FROM %s)", table) }
	var added, removed, want []string
	columns := 0
	for _, table := range tables {
		added = append(added, inserted(table))
		want = append(want, table.Name)
		if table.Name != "answers" && table.Name != "row_seals" { // an answer is forgotten after a week: its absence says nothing
			removed = append(removed, "DELETE FROM "+table.Name+first(table.Name))
		}
		columns = max(columns, len(table.Columns))
	}
	check := func(what string, want []string, r app.StoreReport) {
		for _, table := range want {
			if !named(r, table) {
				t.Errorf("%s: %s is not named among %d", what, table, len(r.Found))
			}
		}
	}
	check("a row added", want, l.spoiled(t, added...))
	check("a row removed", slices.DeleteFunc(want, func(n string) bool { return n == "answers" || n == "row_seals" }), l.spoiled(t, removed...))
	for at := range columns {
		var changed, want []string
		for _, table := range tables {
			if at >= len(table.Columns) || unjudged[table.Name+"."+table.Columns[at]] || table.Name == "row_seals" && at < 2 {
				continue
			}
			c := table.Columns[at]
			changed = append(changed, "UPDATE "+table.Name+" SET "+c+" = "+altered(table.Name, c)+first(table.Name))
			if table.Name != "row_seals" { // a seal that changed is its row's
				want = append(want, table.Name)
			}
		}
		check(fmt.Sprintf("column %d changed", at), want, l.spoiled(t, changed...))
	}
}

// altered gives another value of a column's own shape.
func altered(table, column string) string {
	other := map[string]string{"tokens.kind": "'session'", "bindings.state": "'ended'", "permits.state": "'cancelled'", "events.leaf_index": "leaf_index + 1", "visits.frozen": "1 - frozen", "outbox.leaf_index": "7"}
	if to := other[table+"."+column]; to != "" {
		return to
	}
	return fmt.Sprintf("CASE typeof(%[1]s) WHEN 'integer' THEN %[1]s + 1000 WHEN 'blob' THEN CAST(%[1]s || x'00' AS BLOB) ELSE %[1]s || 'x' END", column)
}

// inserted copies a table's first row under another key.
func inserted(t store.Table) string {
	list := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		list[i] = c
		unique := slices.Contains(t.Key, c) || t.Name == "tokens" && c == "hash" || t.Name == "people" && c == "key_thumbprint" ||
			t.Name == "bindings" && c == "terminal_code" || t.Name == "events" && c == "digest" || t.Name == "accounts" && c == "person" ||
			t.Name == "invitations" && c == "hash" || t.Name == "settlement_lines" && c == "reference"
		if unique {
			list[i] = altered(t.Name, c)
		}
	}
	return "INSERT INTO " + t.Name + " (" + strings.Join(t.Columns, ", ") + ") SELECT " + strings.Join(list, ", ") + " FROM " + t.Name + " ORDER BY rowid LIMIT 1"
}

func tablesOf(t *testing.T, path string) (list []store.Table) {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Read(t.Context(), func(tx *store.Tx) (err error) { list, err = tx.Tables(t.Context()); return err }); err != nil {
		t.Fatal(err)
	}
	return list
}

// A clock that stands still, or is set ahead and back while people work, changes nothing about what can be
// received again.
func TestVerifyStoreUnderAnyClock(t *testing.T) {
	watch := scenario.NewWatch(time.Now())
	ahead := &atomic.Int64{}
	for name, c := range map[string]struct{ now, server scenario.Clock }{
		"stands still":       {watch.Now, watch.Now},
		"set ahead and back": {time.Now, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }},
	} {
		t.Run(name, func(t *testing.T) {
			log := &kept{leaves: map[uint64][]byte{}}
			d, err := scenario.NewDeployment(t.Context(), scenario.DeploymentConfig{Dir: t.TempDir(), Now: c.now, Server: c.server,
				Outbox: func(to app.Log) app.Log { log.Log = to; return log }})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
			scenes := append([]scenario.Scene{{Name: "city", Run: p.OpenCity}}, p.Install()...)
			scenes = scenario.Before(scenes, "arrive", func(context.Context) error { ahead.Store(int64(time.Hour)); return nil })
			scenes = scenario.Before(scenes, "attest", func(context.Context) error { ahead.Store(0); return nil })
			if err := scenario.Run(t.Context(), scenes); err != nil {
				t.Fatal(err)
			}
			for more := true; more; {
				if more, err = d.App.Sequence(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			report, err := d.App.VerifyStore(t.Context(), t.TempDir(), log, func(string) {})
			if err != nil || len(report.Found) > 0 || len(report.Skipped) > 0 {
				t.Errorf("%v: found %v, skipped %v", err, report.Found, report.Skipped)
			}
		})
	}
}
