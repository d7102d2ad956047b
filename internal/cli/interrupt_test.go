//go:build processes

package cli

import (
	"bufio"
	"bytes"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/menshen-project/menshen/examples/city"
)

// manyRows is so many that no machine exports or restores them before a signal arrives.
const manyRows = 100_000

// crowd puts rows into a table in the middle of all, behind the server's back: only their number matters.
func crowd(t *testing.T, database string) {
	t.Helper()
	db, err := sql.Open("sqlite", database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO settings SELECT 'crowd-' || i, 'x' FROM n`, manyRows)
	if err != nil {
		t.Fatal(err)
	}
}

// struck runs menshen as a process, sends it a signal when it has said what, and gives how it ended.
func struck(t *testing.T, s syscall.Signal, what string, args ...string) (code int, errs string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t, "menshen"), args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sent := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if !sent && strings.Contains(lines.Text(), what) {
			sent = true
			_ = cmd.Process.Signal(s) // gone already is a way to end, too
		}
	}
	_ = cmd.Wait() // how it ended is its code
	if !sent {
		t.Fatalf("%s never said %q: %s", args[0], what, said.String())
	}
	return cmd.ProcessState.ExitCode(), said.String()
}

var strikes = map[string]syscall.Signal{"interrupted": syscall.SIGINT, "told to end": syscall.SIGTERM, "killed": syscall.SIGKILL}

// An export, a backup and a restore that are struck in the middle leave nothing that looks whole, and the same command
// again goes through, on the same database and to the same name. Killed, a folder called .part-… may stay.
func TestStruckInTheMiddle(t *testing.T) {
	w := theatre(t)
	at(t, exitDone, "token", "--config", w.config, "--person", "lan", "--organisation", "qingluo", "--role", "technician")
	crowd(t, filepath.Join(w.dir, "server", "menshen.db"))
	const before = "row_seals" // told just before the table of many rows is begun
	whole := filepath.Join(w.dir, "whole")
	at(t, exitDone, "export", "--config", w.config, "--out", whole)
	config, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range strikes {
		for _, command := range []string{"export", "backup"} {
			dir := filepath.Join(w.dir, name+" "+command)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(dir, "out")
			code, errs := struck(t, s, before, command, "--config", w.config, "--out", out)
			left, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if s == syscall.SIGKILL {
				if len(left) > 1 || len(left) == 1 && !strings.HasPrefix(left[0].Name(), "out.part-") {
					t.Errorf("%s %s: left %v", command, name, left)
				}
			} else if code != exitUnavailable || !strings.Contains(errs, "error export_stopped") || len(left) != 0 {
				t.Errorf("%s %s: exits %d, left %v: %s", command, name, code, left, errs)
			}
			at(t, exitDone, command, "--config", w.config, "--out", out)
		}
		fresh := strings.ReplaceAll(name, " ", "-") + ".db"
		w.reconfigure(t, func(c *Config) { c.Database = "sqlite:" + fresh })
		code, errs := struck(t, s, before, "restore", "--config", w.config, "--from", whole)
		if s != syscall.SIGKILL && (code != exitUnavailable || !strings.Contains(errs, "error restore_stopped")) {
			t.Errorf("restore %s: exits %d: %s", name, code, errs)
		}
		rows := map[string]string{}
		if err := rowsOf(filepath.Join(w.dir, "server", fresh), rows); err != nil {
			t.Fatal(err)
		}
		for table, n := range rows {
			if n != "0" && !strings.Contains(table, "goose") && !strings.Contains(table, "sqlite_") {
				t.Errorf("restore %s: %s has %s rows", name, table, n)
			}
		}
		again := filepath.Join(w.dir, "again "+name)
		at(t, exitDone, "restore", "--config", w.config, "--from", whole)
		at(t, exitDone, "export", "--config", w.config, "--out", again)
		if one, two := manifest(t, whole), manifest(t, again); one != two {
			t.Errorf("restore %s: what was restored then is not the same", name)
		}
		if err := os.WriteFile(w.config, config, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func manifest(t *testing.T, dir string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// An import that is struck has written everything or nothing, and again it goes through.
func TestAnImportStruckInTheMiddle(t *testing.T) {
	w := theatre(t)
	sheets := filepath.Join(w.dir, "sheets")
	if err := os.CopyFS(sheets, city.Files); err != nil {
		t.Fatal(err)
	}
	counted := func(database string) map[string]string {
		rows := map[string]string{}
		if err := rowsOf(filepath.Join(w.dir, "server", database), rows); err != nil {
			t.Fatal(err)
		}
		bare := map[string]string{}
		for table, n := range rows {
			bare[strings.TrimPrefix(table, filepath.Join(w.dir, "server", database)+" ")] = n
		}
		return bare
	}
	at(t, exitDone, "import", "--config", w.config, "--dir", sheets)
	all := counted("menshen.db")
	for name, s := range strikes {
		fresh := strings.ReplaceAll(name, " ", "-") + ".db"
		w.reconfigure(t, func(c *Config) { c.Database = "sqlite:" + fresh })
		code, errs := struck(t, s, "staff.csv", "import", "--config", w.config, "--dir", sheets)
		got := counted(fresh)
		if got["people"] != "0" && got["people"] != all["people"] || got["orders"] != "0" && got["orders"] != all["orders"] || (got["people"] == "0") != (got["orders"] == "0") {
			t.Errorf("%s: people %s of %s, orders %s of %s", name, got["people"], all["people"], got["orders"], all["orders"])
		}
		if s != syscall.SIGKILL && (code == exitDone) != (got["people"] == all["people"]) {
			t.Errorf("%s: exits %d with %s people: %s", name, code, got["people"], errs)
		}
		at(t, exitDone, "import", "--config", w.config, "--dir", sheets)
		for table, n := range counted(fresh) {
			if n != all[table] {
				t.Errorf("%s: again, %s has %s rows, want %s", name, table, n, all[table])
			}
		}
	}
}
