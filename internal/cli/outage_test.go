//go:build processes

package cli

import (
	"net/http/httptest"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// TestWitnessAway stops one of two witnesses. Evidence is taken all the same; no permit is given, and
// nothing is released. When the witness is back, what waited goes out by itself.
func TestWitnessAway(t *testing.T) {
	t.Parallel()
	s := newStage(t, staging{patience: 2})
	p := s.play()
	scenes := p.Install()
	s.must(scenario.Run(t.Context(), scenario.Until(scenes, "arrive")))
	s.kill("witness-assoc")
	s.must(scenario.Run(t.Context(), scenario.Until(scenario.From(scenes, "arrive"), "ask trial")))
	if s.waiting() == 0 {
		t.Fatal("nothing waits for the witness")
	}

	_, err := p.Ask(t.Context(), visit.AskTrial)
	if fault.CodeOf(err) != "log_not_witnessed" || fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("without a quorum the trial is asked for and the answer is %v", err)
	}
	if _, err := p.Venue.Release(t.Context(), p.Cast.Technician, p.ID); fault.CodeOf(err) != "nothing_to_release" {
		t.Fatalf("without a permit: %v", err)
	}
	if n := s.permits(p); n != 0 {
		t.Fatalf("%d permits", n)
	}

	s.again("witness-assoc")
	s.until("receipts for everything that waited", func(tx *store.Tx) (bool, error) {
		list, err := tx.Unreceipted(t.Context(), 1)
		return len(list) == 0, err
	})
	s.must(scenario.Run(t.Context(), scenario.From(scenes, "ask trial")))
	s.closed(p)
}

// waiting counts the leaves that have no receipt.
func (s *stage) waiting() int {
	s.t.Helper()
	var pending, bare []store.QueuedLeaf
	s.must(s.office.store.Read(s.t.Context(), func(tx *store.Tx) (err error) {
		if pending, err = tx.PendingLeaves(s.t.Context(), 100); err == nil {
			bare, err = tx.Unreceipted(s.t.Context(), 100)
		}
		return err
	}))
	return len(pending) + len(bare)
}

func (s *stage) permits(p *scenario.Play) int {
	s.t.Helper()
	var list []store.Permit
	s.must(s.office.store.Read(s.t.Context(), func(tx *store.Tx) (err error) {
		list, err = tx.PermitsOfVisit(s.t.Context(), p.ID)
		return err
	}))
	return len(list)
}

// TestHostAway stops the host before each permit reaches it. The trial's permit waits and loads once
// when the host is back. The live one is overtaken by a freeze: the host then gets the cancel, and the
// visit never goes live.
func TestHostAway(t *testing.T) {
	t.Parallel()
	line := &between{}
	proxy := httptest.NewServer(line)
	defer proxy.Close()
	s := newStage(t, staging{between: func(host string) string { line.host = host; return proxy.Listener.Addr().String() }})
	p := s.play()
	scenes := p.Install()
	s.must(scenario.Run(t.Context(), scenario.Until(scenes, "release trial")))

	trial := s.releaseToNobody(p)
	s.again("host")
	outcome, err := p.Venue.Release(t.Context(), p.Cast.Technician, p.ID)
	if err != nil || outcome != visit.Loaded || s.loads(trial) != 1 {
		t.Fatalf("with the host back: %q, %v, %d loads", outcome, err, s.loads(trial))
	}

	s.must(scenario.Run(t.Context(), scenario.Until(scenario.From(scenes, "acceptance"), "release live")))
	live := s.releaseToNobody(p)
	s.must(p.Freeze(t.Context(), p.Cast.Risk, "shop_called"))
	s.again("host")
	s.until("the cancel answered without being asked for", func(tx *store.Tx) (bool, error) {
		permit, err := tx.Permit(t.Context(), live)
		return permit.State == store.PermitAnswered, err
	})
	if n := s.loads(live); n != 0 {
		t.Errorf("live keys were loaded %d times in a frozen visit", n)
	}
	if outcome, err := p.Venue.Release(t.Context(), p.Cast.Technician, p.ID); outcome != visit.OutcomeCanceled {
		t.Errorf("the frozen permit asked for again: %q, %v", outcome, err)
	}
	s.until("still on trial, frozen", func(tx *store.Tx) (bool, error) {
		v, err := tx.Visit(t.Context(), p.ID)
		if v.State == string(visit.Live) || v.State == string(visit.Closed) {
			t.Fatalf("a frozen visit is %s", v.State)
		}
		return v.State == string(visit.Trial) && v.Frozen, err
	})
}

// releaseToNobody asks for the release of the visit's last permit after the host has gone, and gives
// the permit, which must still be waiting.
func (s *stage) releaseToNobody(p *scenario.Play) string {
	s.t.Helper()
	s.must(p.Host.OpenSession(s.t.Context(), p.Device))
	s.kill("host")
	outcome, err := p.Venue.Release(s.t.Context(), p.Cast.Technician, p.ID)
	if outcome != "" || fault.CodeOf(err) != "host_outcome_unknown" {
		s.t.Fatalf("without a host: %q, %v", outcome, err)
	}
	permit := s.permit(p)
	if permit.State == store.PermitAnswered || permit.State == store.PermitCancelled {
		s.t.Fatalf("the permit is %s", permit.State)
	}
	return permit.PermitDigest
}
