//go:build processes

package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
)

// TestMonitorsOnOtherMachines: with nothing but the trust file, the log's address and a token, the regulator reads
// every leaf with its opening, acquirer and provider what concerns them, and all judge every decision again. What
// the operator hands an organisation as a folder verifies in the same way.
func TestMonitorsOnOtherMachines(t *testing.T) {
	t.Parallel()
	s := newStage(t, staging{})
	p := s.play()
	s.must(scenario.Run(t.Context(), p.Install()))
	s.closed(p)
	s.until("receipts for everything", func(tx *store.Tx) (bool, error) {
		list, err := tx.Unreceipted(t.Context(), 1)
		return len(list) == 0, err
	})
	dir := t.TempDir()
	look := func(name string, args ...string) watchedLog {
		t.Helper()
		said := runs(t, 0, s.program, append([]string{"monitor", "--once", "--json", "--trust", s.trustFile, "--log", "http://" + s.server + "/log",
			"--state", filepath.Join(dir, name+".json"), "--openings", filepath.Join(dir, name)}, args...)...)
		var w watchedLog
		s.must(json.Unmarshal(said, &w))
		if w.Size == 0 || w.Opened == 0 || len(w.Alarms) > 0 {
			t.Errorf("%s: %s", name, said)
		}
		return w
	}
	fed := func(by *scenario.Actor, more ...string) watchedLog {
		t.Helper()
		secret, err := s.token(t.Context(), by)
		s.must(err)
		file := filepath.Join(dir, by.ID+".token")
		s.must(os.WriteFile(file, []byte(secret+"\n"), 0o600))
		return look(by.ID, append([]string{"--feed", "http://" + s.server, "--token", file}, more...)...)
	}
	if w := fed(p.Cast.Association, "--whole"); uint64(w.Opened) != w.Size {
		t.Errorf("the regulator read %d of %d leaves", w.Opened, w.Size)
	}
	if w := fed(p.Cast.Association, "--whole"); w.New != 0 || uint64(w.Opened) != w.Size {
		t.Errorf("looking again: %d new, %d of %d", w.New, w.Opened, w.Size)
	}
	risk, provider := fed(p.Cast.Risk), fed(p.Cast.Dispatcher)
	if uint64(risk.Opened) == risk.Size || uint64(provider.Opened) == provider.Size {
		t.Errorf("acquirer %d, provider %d of %d: nobody but the regulator reads everything", risk.Opened, provider.Opened, risk.Size)
	}
	runs(t, 0, s.program, "export", "--config", s.config, "--organisation", p.Cast.Acquirer.ID, "--out", filepath.Join(dir, "part"))
	if w := look("part"); w.Opened != risk.Opened {
		t.Errorf("the folder opens %d leaves, the feed %d", w.Opened, risk.Opened)
	}
}
