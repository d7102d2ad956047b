package simhost

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/acquirer"
	"github.com/menshen-project/menshen/internal/journal"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// childConfig makes the test program a host: the folder of a config to run. childDies makes it kill
// itself after it has acted on a path that ends so, and before anybody hears.
const (
	childConfig = "SIMHOST_TEST_CONFIG"
	childDies   = "SIMHOST_TEST_DIES"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childConfig); path != "" {
		if err := beHost(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func beHost(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var c Config
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	c.Now = func() time.Time { return began } // as the play's watch, which stands still
	c.Listening = func(url string) { fmt.Println(url) }
	if where := os.Getenv(childDies); where != "" {
		c.acted = func(path string) {
			if strings.HasSuffix(path, where) {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}
	}
	return Run(context.Background(), c)
}

// child starts the host as a process and points the play at it.
func (s *stage) child(dies string) *exec.Cmd {
	s.Helper()
	config := s.config
	config.Now, config.Log, config.Listening = nil, nil, nil
	data, err := json.Marshal(config)
	if err != nil {
		s.Fatal(err)
	}
	path := filepath.Join(s.TempDir(), "config.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		s.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childConfig+"="+path, childDies+"="+dies)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have killed itself
		_ = cmd.Wait()
	})
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.Fatal(err)
	}
	s.connect(strings.TrimSpace(url))
	return cmd
}

// outcomesKept reads the signed outcomes that the journal holds for a permit.
func (s *stage) outcomesKept(permit string) (out [][]byte) {
	s.Helper()
	f, err := os.Open(filepath.Join(s.config.Dir, journal.Name))
	if err != nil {
		s.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		_, line, _ := bytes.Cut(lines.Bytes(), []byte(" "))
		var c struct{ Kind, Permit, Envelope string }
		if json.Unmarshal(line, &c) == nil && c.Kind == "outcome" && c.Permit == permit {
			envelope, err := base64.StdEncoding.DecodeString(c.Envelope)
			if err != nil {
				s.Fatal(err)
			}
			out = append(out, envelope)
		}
	}
	return out
}

// The machine of the acquirer dies between the load and the answer. Menshen does not know, asks again,
// and hears of one load, in the bytes that were signed before the crash.
func TestAHostThatDiesBeforeAnsweringHasLoadedOnce(t *testing.T) {
	p, err := scenario.InMemoryPlay(visit.Install, 0, began, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &stage{T: t, play: p, ledger: p.Venue.(*scenario.Ledger), config: filesFor(t, p)}
	s.run(scenario.Until(p.Install(), "ask trial"))
	answer, err := p.Ask(t.Context(), visit.AskTrial)
	if err != nil || !answer.Granted {
		t.Fatal(answer, err)
	}
	permit := answer.Decision
	bundle, err := s.ledger.Bundle(t.Context(), p.Cast.Host, p.ID)
	if err != nil {
		t.Fatal(err)
	}

	first := s.child("/permits/" + permit)
	if err := p.Host.OpenSession(t.Context(), p.Device); err != nil {
		t.Fatal(err)
	}
	if _, err := s.host.Release(t.Context(), permit, bundle); !acquirer.Unknown(err) {
		t.Fatalf("the host died and menshen thinks it knows: %v", err)
	}
	if err := first.Wait(); err == nil || first.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the host ended otherwise: %v", err)
	}
	kept := s.outcomesKept(permit)
	if len(kept) != 1 {
		t.Fatalf("%d outcomes were kept", len(kept))
	}

	s.child("")
	for range 2 {
		again, err := s.host.Release(t.Context(), permit, bundle)
		if err != nil || !bytes.Equal(again, kept[0]) || scenario.OutcomeOf(again) != visit.Loaded {
			t.Errorf("after the restart: %s, same bytes %t, %v", scenario.OutcomeOf(again), bytes.Equal(again, kept[0]), err)
		}
	}
	if loads, _, err := s.desk.Standing(t.Context(), permit); err != nil || loads != 1 {
		t.Errorf("%d loads, %v", loads, err)
	}
	// The load is there too: the device takes part in its trial after the restart.
	if _, err := s.desk.RunAcceptance(t.Context(), p, ""); err != nil {
		t.Error(err)
	}
}

// It also dies in the middle of the script; the terminal goes on after the restart.
func TestAHostThatDiesWithAReportSignsItOnce(t *testing.T) {
	p, err := scenario.InMemoryPlay(visit.Install, 0, began, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &stage{T: t, play: p, ledger: p.Venue.(*scenario.Ledger), config: filesFor(t, p)}
	first := s.child("/acceptance")
	s.run(scenario.Until(p.Install(), "acceptance"))
	if _, err := s.desk.RunAcceptance(t.Context(), p, ""); err == nil {
		t.Fatal("the report arrived")
	}
	if err := first.Wait(); err == nil {
		t.Fatal("the host did not die")
	}
	s.child("")
	s.run(scenario.From(p.Install(), "acceptance"))
	if permits := s.permits(); len(permits) != 2 {
		t.Errorf("%d permits", len(permits))
	}
}
