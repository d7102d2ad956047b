//go:build processes

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// lies are what a witness that is another party's may do, and what the server says of it.
var lies = []struct{ lie, code string }{
	{"fork", "witness_cosignature_differs"}, {"rollback", "witness_cosignature_differs"}, {"another log", "witness_cosignature_differs"},
	{"larger", "witness_saw_another_log"}, {"slow", "witness_unreachable"},
}

// liar puts a lying witness into the place of the association's, with its key, and gives what makes it lie and what
// puts the honest one back.
func (s *stage) liar() (lie func(how string), mend func()) {
	s.t.Helper()
	self, err := os.Executable()
	s.must(err)
	dir := s.t.TempDir()
	program, word := filepath.Join(dir, "lying-witness"), filepath.Join(dir, "lie")
	s.must(os.Symlink(self, program))
	lie = func(how string) {
		s.must(os.WriteFile(word+".new", []byte(how), 0o600))
		s.must(os.Rename(word+".new", word))
	}
	lie("")
	liars := &children{program: program, dir: s.children.dir}
	s.t.Cleanup(liars.stop)
	args := s.args["witness-assoc"]
	s.kill("witness-assoc")
	s.must(liars.start(s.t.Context(), "lying-witness", filepath.Join(s.witnessDir("assoc"), "witness.key"), args[4], word))
	return lie, func() {
		liars.stop()
		s.again("witness-assoc")
	}
}

// TestAWitnessThatLiesWhileAQuorumStands: one of two witnesses lies in turn in every way; one is quorum enough. The
// city goes on, whoever watches the server reads which witness and why.
func TestAWitnessThatLiesWhileAQuorumStands(t *testing.T) {
	t.Parallel()
	s := newStage(t, staging{quorum: 1})
	p := s.play()
	scenes := p.Install()
	lie, mend := s.liar()
	for i, l := range lies {
		lie(l.lie)
		s.must(scenario.Run(t.Context(), scenes[i:i+1]))
		if l.lie != "slow" { // the log does not wait for one more than it needs
			s.eventually(l.lie+" is shown", func() bool { return s.ready().Witnesses["assoc"] == l.code })
		}
		if log := s.ready().Log; log != "" {
			t.Errorf("%s: the log is said to be %s", l.lie, log)
		}
	}
	s.must(scenario.Run(t.Context(), scenes[len(lies):len(scenes)-3]))
	if said := s.serverSaid(); !strings.Contains(said, `"party":"assoc"`) || strings.Contains(said, `"party":"mingjing"`) {
		t.Errorf("the log names another than the one that lies")
	}
	mend()
	s.must(scenario.Run(t.Context(), scenes[len(scenes)-3:]))
	s.eventually("the mended witness counts", func() bool { return len(s.ready().Witnesses) == 0 })
	s.closed(p)
}

// TestAWitnessThatLiesWithoutAQuorum: both are needed. Evidence is taken, nothing is decided, the sentence says whose
// turn it is; with the honest witness back all goes on by itself. So it does when that one comes back with a state
// of yesterday, or with none: the log proves to it what was between.
func TestAWitnessThatLiesWithoutAQuorum(t *testing.T) {
	t.Parallel()
	s := newStage(t, staging{patience: 2})
	p := s.play()
	scenes := p.Install()
	yesterday := filepath.Join(t.TempDir(), "state")
	state := filepath.Join(s.witnessDir("assoc"), "state")
	s.allReceipted()
	s.must(os.CopyFS(yesterday, os.DirFS(state)))
	before := scenario.Until(scenes, "ask trial")
	s.must(scenario.Run(t.Context(), before[:len(before)-len(lies)]))
	rest := before[len(before)-len(lies):]
	s.allReceipted()
	lie, mend := s.liar()
	for i, l := range lies {
		lie(l.lie)
		s.must(scenario.Run(t.Context(), rest[i:i+1]))
		s.eventually(l.lie+" is shown", func() bool { return s.ready().Witnesses["assoc"] == l.code })
		s.eventually(l.lie+" stops the log", func() bool { return s.ready().Log == "log_not_witnessed" })
	}
	if _, err := p.Ask(t.Context(), visit.AskTrial); fault.CodeOf(err) != "log_not_witnessed" {
		t.Fatalf("without a quorum: %v", err)
	}
	if n := s.permits(p); n != 0 {
		t.Fatalf("%d permits", n)
	}
	mend()
	s.allReceipted()
	s.must(scenario.Run(t.Context(), scenario.Until(scenario.From(scenes, "ask trial"), "ask live")))

	s.kill("witness-assoc")
	s.must(os.RemoveAll(state))
	s.must(os.CopyFS(state, os.DirFS(yesterday)))
	s.again("witness-assoc")
	s.must(scenario.Run(t.Context(), scenario.From(scenes, "ask live")))
	s.kill("witness-assoc")
	s.must(os.RemoveAll(state))
	s.again("witness-assoc")
	s.closed(p)
	s.allReceipted()
	s.eventually("all is well", func() bool { return s.ready().Log == "" && len(s.ready().Witnesses) == 0 })
}
