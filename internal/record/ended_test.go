package record_test

import (
	"slices"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/record/recordtest"
)

// endedAt is the policy of a log whose named parties' keys ended when it had so many leaves.
func endedAt(t *testing.T, log *recordtest.Log, size int64, parties ...string) record.Policy {
	t.Helper()
	c := log.Config()
	c.Witnesses = slices.Clone(c.Witnesses)
	for i, w := range c.Witnesses {
		if slices.Contains(parties, w.Party) {
			c.Witnesses[i].UntilSize = size
		}
	}
	p, err := record.NewPolicy(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The association's key is stolen when the log has three leaves. What was cosigned before still counts, also where only one
// more party had cosigned. Nothing that the thief signs does: not over a larger tree; not over one of before, however he
// dates it, unless a witness whose key stands says the same; not the time, and not an audit.
func TestAWitnessKeyThatEnded(t *testing.T) {
	log := grown(t, 5)
	ws, now := log.Witnesses(), at(t, noon)
	stolen, bank, regulator := ws[0], ws[1], ws[2]
	one := endedAt(t, log, 3, "association")
	two := endedAt(t, log.Quorum(1), 3, "association", "bank")
	for _, k := range []struct {
		name   string
		policy record.Policy
		size   uint64
		by     []recordtest.Signer
		code   string
	}{
		{"before, with one that stands", one, 3, []recordtest.Signer{stolen, bank}, ""},
		{"long before", one, 1, []recordtest.Signer{stolen, regulator}, ""},
		{"after, with one that stands", one, 4, []recordtest.Signer{stolen, bank}, "receipt_quorum_missing"},
		{"after, with two that stand", one, 5, []recordtest.Signer{stolen, bank, regulator}, ""},
		{"before, by ended keys alone", two, 2, []recordtest.Signer{stolen, bank}, "receipt_quorum_missing"},
		{"before, by ended keys and one that stands", two, 2, []recordtest.Signer{stolen, regulator}, ""},
		{"after, by one that stands", two, 5, []recordtest.Signer{stolen, bank, regulator}, ""},
	} {
		data := log.CheckpointBy(k.size, now, k.by...)
		got, err := k.policy.VerifyCheckpoint(data)
		if fault.CodeOf(err) != k.code {
			t.Errorf("%s: %v, want %q", k.name, err, k.code)
		}
		for _, s := range got.Cosigned() {
			if k.size > 3 && s.Party == "association" {
				t.Errorf("%s: the thief is named as a witness", k.name)
			}
		}
	}
	if _, err := one.VerifyDraw(log.CheckpointBy(2, now, stolen), "association"); fault.CodeOf(err) != "audit_witness_absent" {
		t.Errorf("the thief draws audits: %v", err)
	}
	// He dates his own half an hour back; the other, honest one says when it was.
	text := log.Head(3).Text()
	back := now.Add(-30 * time.Minute)
	data := []byte(text + "\n" + log.Signer().Sign(text) + stolen.Cosign(text, back) + regulator.Cosign(text, now))
	dated, err := two.VerifyCheckpoint(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := dated.CosignedNear(back, time.Minute); fault.CodeOf(err) != "receipt_other_time" {
		t.Errorf("the thief's own time counts: %v", err)
	}
	if err := dated.CosignedNear(now, time.Minute); err != nil {
		t.Error(err)
	}
}

func TestAPolicyWithEndedKeys(t *testing.T) {
	log := grown(t, 1)
	c := log.Config()
	c.Witnesses = slices.Clone(c.Witnesses)
	c.Witnesses[0].UntilSize = -1
	if _, err := record.NewPolicy(c); fault.CodeOf(err) != "policy_witness_end" {
		t.Error(err)
	}
	c.Witnesses[0].UntilSize, c.Witnesses[1].UntilSize = 1, 1
	if _, err := record.NewPolicy(c); fault.CodeOf(err) != "policy_quorum_unreachable" {
		t.Errorf("one party stands and two are asked for: %v", err)
	}
}

// What the log collected is put in order without what an ended key said of a larger tree.
func TestCanonicalCheckpointLeavesOutEndedKeys(t *testing.T) {
	log := grown(t, 5)
	p := endedAt(t, log, 3, "association")
	for size, kept := range map[uint64]int{3: 3, 5: 2} {
		data, err := p.CanonicalCheckpoint(log.Checkpoint(size, at(t, noon)))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(lines(data)) - 6; n != kept {
			t.Errorf("of %d leaves: %d cosignatures, want %d", size, n, kept)
		}
	}
}
