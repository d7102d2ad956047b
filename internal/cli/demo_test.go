//go:build processes

package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/visit"
)

// TestDemonstration is what a newcomer sees: the whole play on real processes, then the bundle checked
// by the verifier that is a program of its own, then a search for every personal value of the city. Of the attacks that only
// --all plays, each sixth is among them: another way of playing them that rotted would be among those.
func TestDemonstration(t *testing.T) {
	t.Parallel()
	out, work := t.TempDir(), filepath.Join(t.TempDir(), "parties")
	said := runs(t, 0, program(t, "menshen"), "demo", "--exit", "--each", strconv.Itoa(eachAttack), "--out", out, "--work", work)
	t.Run("every attack is refused by what it was meant for", func(t *testing.T) { checkAttacks(t, filepath.Join(out, "attacks.json")) })
	t.Run("the bundle verifies offline and no changed byte does", func(t *testing.T) {
		checkVerifier(t, filepath.Join(out, "trust.json"), filepath.Join(out, "bundle.json"))
	})
	t.Run("every later kind's bundle verifies offline", func(t *testing.T) {
		for _, k := range laterVisits {
			checkAccepted(t, filepath.Join(out, "trust.json"), filepath.Join(out, "bundle-"+k.kind+".json"), k.kind)
		}
	})
	t.Run("the pack holds the photos that were signed for", func(t *testing.T) {
		pack := filepath.Join(t.TempDir(), "pack")
		runs(t, 0, program(t, "menshen"), "pack", "--config", filepath.Join(work, "server", "config.yaml"), "--visit", "visit-wei-1", "--person", "ning", "--organisation", "jianghe", "--role", "risk", "--out", pack)
		if photos, err := filepath.Glob(filepath.Join(pack, "photos", "*.jpg")); err != nil || len(photos) != 3 {
			t.Errorf("it holds %v, %v", photos, err)
		}
	})
	t.Run("no personal value outside the vault", func(t *testing.T) { checkPrivacy(t, work, out, said) })
}

// eachAttack bounds the time: all take two minutes of two cores.
const eachAttack = 6

// runs runs a program to its end and gives what it said.
func runs(t *testing.T, want int, name string, args ...string) []byte {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Fatalf("%s %s exits %d, want %d\n%s", filepath.Base(name), strings.Join(args, " "), got, want, said.Bytes())
	}
	return said.Bytes()
}

func checkAttacks(t *testing.T, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []outcome
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	played := map[string]outcome{}
	for _, o := range list {
		played[o.Name] = o
	}
	table := demo{each: eachAttack}.table()
	if len(table) < 60 || len(table) > 100 {
		t.Errorf("%d attacks are no part of the whole that can be played here", len(table))
	}
	for _, a := range table {
		o, ok := played[a.Name]
		switch {
		case !ok:
			t.Errorf("%s was not played", a.Name)
		case !o.OK, (len(a.Refused) == 0) != (o.RefusedBy == ""):
			t.Errorf("%s: %+v", a.Name, o)
		}
	}
	if want := len(table); len(list) != want || len(played) != want {
		t.Errorf("%d lines about %d attacks, want %d of each", len(list), len(played), want)
	}
}

// checkAccepted has the verifier accept the bundle of a closed visit of a kind.
func checkAccepted(t *testing.T, trust, bundle, kind string) {
	t.Helper()
	var report struct {
		Accepted    bool
		Stage, Kind string
	}
	said := runs(t, 0, program(t, "menshen-verify"), "--json", "--trust", trust, bundle)
	if err := json.Unmarshal(said, &report); err != nil || !report.Accepted || report.Stage != string(visit.Closed) || report.Kind != kind {
		t.Errorf("%s: %+v, %v", kind, report, err)
	}
}

func checkVerifier(t *testing.T, trust, bundle string) {
	verifier := program(t, "menshen-verify")
	runs(t, 0, verifier, "--trust", trust, bundle)
	checkAccepted(t, trust, bundle, visit.Install)
	data, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(t.TempDir(), "changed.json")
	for i := range 12 { // every value is another test's; here one byte in each twelfth
		at := len(data)*i/12 + 7
		other := bytes.Clone(data)
		other[at] ^= 1
		if err := os.WriteFile(changed, other, 0o600); err != nil {
			t.Fatal(err)
		}
		err := exec.Command(verifier, "--trust", trust, changed).Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || (exit.ExitCode() != 1 && exit.ExitCode() != 2) {
			t.Errorf("byte %d of %d changed: %v", at, len(data), err)
		}
	}
}
