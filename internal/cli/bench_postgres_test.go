//go:build processes && postgres

package cli

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/bench"
)

// TestBenchOnPostgres runs a quick measurement over a PostgreSQL server, as a person would who means to run on one:
// events beside bare inserts into the same server, whole visits of a real server process, and nothing left behind.
func TestBenchOnPostgres(t *testing.T) {
	address := os.Getenv("MENSHEN_TEST_POSTGRES")
	if address == "" {
		t.Fatal("run this under script/with-postgres, as make test does")
	}
	var out, told bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program(t, "menshen"), "bench", "--quick", "--json", "--crews", "2", "--dir", t.TempDir(), "--postgres", address)
	cmd.Stdout, cmd.Stderr = &out, &told
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, told.Bytes())
	}
	var r bench.Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Database != "PostgreSQL" {
		t.Errorf("measured on %q", r.Database)
	}
	got := map[string]bench.Figure{}
	for _, f := range r.Figures {
		got[f.Name] = f
	}
	if f := got["events"]; f.Value <= 0 || f.Floor <= 0 || f.Aim == nil || !strings.Contains(f.Title.En, "fsync=") {
		t.Errorf("events: %+v", f)
	}
	for _, name := range []string{"visits", "visit_took", "door_checks", "disk_per_visit"} {
		if got[name].Value <= 0 {
			t.Errorf("%s: %+v", name, got[name])
		}
	}
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var left int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_database WHERE datname LIKE 'menshen_bench_%'").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d databases are left, %v", left, err)
	}
}

func TestBenchRefusesWhatIsNoServer(t *testing.T) {
	for _, address := range []string{"sqlite:x.db", "mysql://x/y", "postgres://"} {
		out, err := exec.CommandContext(t.Context(), program(t, "menshen"), "bench", "--quick", "--postgres", address).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "--postgres") {
			t.Errorf("%s: %v\n%s", address, err, out)
		}
	}
}
