package cli

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/menshen-project/menshen/examples/city"
)

// scriptWorld gives each script what publishers and operators would hand to it: $WORLD, a world in
// which nothing runs, $CITY, the example city's sheets, and $COURSES, its courses.
func scriptWorld(e *testscript.Env) error {
	world, sheets := filepath.Join(e.WorkDir, "world"), filepath.Join(e.WorkDir, "sheets")
	e.Setenv("WORLD", world)
	e.Setenv("CITY", sheets)
	lessons := filepath.Join(e.WorkDir, "lessons")
	e.Setenv("COURSES", filepath.Join(lessons, "courses"))
	if err := os.CopyFS(lessons, city.Courses); err != nil {
		return err
	}
	w, err := newWorld(world, staging{wanted: anyAddress(), patience: 1})
	if err != nil {
		return err
	}
	w.close()
	return os.CopyFS(sheets, city.Files)
}

// scriptCommands are what the scripts can do beside running programs.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"rows":   writeRows,
	"sql":    runSQL,
	"spoil":  spoil,
	"secret": checkSecret,
}

// runSQL changes a database behind the server's back: sql DATABASE STATEMENT.
func runSQL(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(args[1])
	ts.Check(err)
}

// writeRows writes how many rows each table of a database has: rows DATABASE FILE.
func writeRows(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	names, err := column(db, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
	ts.Check(err)
	var out strings.Builder
	for _, name := range names {
		var n int
		ts.Check(db.QueryRow("SELECT count(*) FROM " + string(name)).Scan(&n))
		fmt.Fprintf(&out, "%s %d\n", name, n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(out.String()), 0o600))
}

// spoil copies the city with one thing wrong in each of several sheets: spoil FROM TO.
func spoil(ts *testscript.TestScript, _ bool, args []string) {
	to := ts.MkAbs(args[1])
	ts.Check(os.CopyFS(to, os.DirFS(ts.MkAbs(args[0]))))
	for _, edit := range []struct{ sheet, old, new string }{
		{"staff.csv", "15400000001", "hunter2"}, {"merchants.csv", "32999919780315101X", "329999197803151011"},
		{"merchants.csv", "\nmei,", "\n,"}, {"shops.csv", "wei-1,wei,", "wei-1,hunter2,"},
	} {
		path := filepath.Join(to, edit.sheet)
		data, err := os.ReadFile(path)
		ts.Check(err)
		spoilt := bytes.Replace(data, []byte(edit.old), []byte(edit.new), 1)
		if bytes.Equal(spoilt, data) {
			ts.Fatalf("%s has no %q", edit.sheet, edit.old)
		}
		ts.Check(os.WriteFile(path, spoilt, 0o600))
	}
}

// checkSecret looks for a secret in every file of a folder and fails when one holds it:
// secret FILE FOLDER.
func checkSecret(ts *testscript.TestScript, _ bool, args []string) {
	secret := strings.TrimSpace(ts.ReadFile(args[0]))
	files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[1]), "*"))
	ts.Check(err)
	for _, f := range files {
		data, err := os.ReadFile(f)
		ts.Check(err)
		if bytes.Contains(data, []byte(secret)) {
			ts.Fatalf("%s holds the token itself", filepath.Base(f))
		}
	}
	if len(secret) < 40 || len(files) == 0 {
		ts.Fatalf("nothing to look for or in")
	}
}

func column(db *sql.DB, query string) (out [][]byte, err error) {
	rows, err := db.Query(query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var v []byte
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
