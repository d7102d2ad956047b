package evidence_test

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/visit"
)

// Whoever has the bundle and the day's first checkpoint of the named witness knows whether the visit is
// audited; a checkpoint of before midnight, of another witness or of another log says nothing.
func TestAClosedVisitIsDrawn(t *testing.T) {
	p := install(t)
	result := evidence.Verify(p.opened(t), p.play.Trust)
	log, midnight := p.ledger.Log, record.NextMidnight(p.play.Now())
	a, err := result.Audit(log.CheckpointBy(log.Witnesses[0], midnight.Add(3*time.Second)), p.play.Trust)
	if err != nil {
		t.Fatal(err)
	}
	if a.Witness != "witness-a" || a.PerMille != 50 || !a.After.Equal(midnight) || !a.CosignedAt.Equal(midnight.Add(3*time.Second)) || a.Drawn != (a.Number < 50) {
		t.Errorf("%+v", a)
	}
	for name, c := range map[string]struct {
		checkpoint []byte
		result     evidence.Result
		code       string
	}{
		"before midnight":  {log.CheckpointBy(log.Witnesses[0], midnight.Add(-time.Second)), result, "audit_checkpoint_early"},
		"another witness":  {log.CheckpointBy(log.Witnesses[1], midnight), result, "audit_witness_absent"},
		"no checkpoint":    {nil, result, "checkpoint_malformed"},
		"a refused bundle": {log.CheckpointBy(log.Witnesses[0], midnight), evidence.Result{}, "audit_bundle_refused"},
	} {
		if got, err := c.result.Audit(c.checkpoint, p.play.Trust); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %+v, %v, want %s", name, got, err, c.code)
		}
	}
}

// A visit that is only live is nobody's to audit yet.
func TestAnOpenVisitIsNotDrawn(t *testing.T) {
	p := open(t, visit.Install, 1)
	scenes := p.Install()
	half := run(t, p, scenes[:len(scenes)-1])
	result := evidence.Verify(half.opened(t), p.Trust)
	if !result.Accepted() || result.Stage != string(visit.Live) {
		t.Fatalf("%s, %v", result.Stage, result.Refusal)
	}
	log := half.ledger.Log
	if _, err := result.Audit(log.CheckpointBy(log.Witnesses[0], record.NextMidnight(p.Now())), p.Trust); fault.CodeOf(err) != "audit_visit_not_closed" {
		t.Error(err)
	}
}
