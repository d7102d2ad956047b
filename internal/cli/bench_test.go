//go:build processes

package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/bench"
)

// TestBenchSaysEveryFigure runs a quick measurement as a person would and reads what machines get. It looks
// at the shape only: how fast this machine is, is nobody's defect.
func TestBenchSaysEveryFigure(t *testing.T) {
	var out, told bytes.Buffer
	profile := filepath.Join(t.TempDir(), "server.prof")
	cmd := exec.CommandContext(t.Context(), program(t, "menshen"), "bench", "--quick", "--json", "--crews", "4", "--visits", "300", "--dir", t.TempDir(), "--profile", profile)
	cmd.Stdout, cmd.Stderr = &out, &told
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, told.Bytes())
	}
	var r bench.Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	got := map[string]bench.Figure{}
	for _, f := range r.Figures {
		few := strings.HasPrefix(f.Name, "cpu_") // below the system's tick of ten milliseconds for so few visits
		if f.Value < 0 || f.Value == 0 && !few || f.Title.Zh == "" || f.Title.En == "" {
			t.Errorf("%+v says nothing", f)
		}
		got[f.Name] = f
	}
	for _, name := range []string{"badge_check", "judge", "verify_bundle", "events", "log_entries", "door_checks"} {
		if f := got[name]; f.Floor <= 0 || f.Ratio <= 0 || f.Bare.En == "" {
			t.Errorf("%s has no floor: %+v", name, f)
		}
	}
	for _, name := range []string{"gate_decision", "badge_check", "judge", "events", "log_entries", "visits", "list_page"} {
		if f := got[name]; f.Aim == nil || f.Met == nil {
			t.Errorf("%s has no aim: %+v", name, f)
		}
	}
	for _, name := range []string{"bundle_size", "events_p99", "visit_took", "wait_ask_trial", "wait_ask_live", "wait_release_permit", "wait_admit", "door_checks",
		"memory_idle", "memory_busy", "cpu_server", "cpu_witness", "cpu_host", "cpu_organisations", "cpu_people", "visits_free", "visits_server", "disk_per_visit", "filled_visits"} {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	if r.Machine.Cores == 0 || r.Machine.Go == "" || !r.Quick || r.At == "" {
		t.Errorf("%+v", r.Machine)
	}
	if data, err := os.ReadFile(profile); err != nil || !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) { // pprof's form is gzip
		t.Errorf("no profile: %v, %d bytes", err, len(data))
	}
	if !strings.Contains(told.String(), "300") {
		t.Errorf("no progress: %s", told.String())
	}
}
