package app_test

import (
	"strings"
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
)

// A witness's key is taken out of the trust file, another stands there. Nobody touched the database, and
// verify-store does not say that somebody did; with the key put back beside the new one all is well.
func TestVerifyStoreTellsAWitnessGoneFromAChangedRow(t *testing.T) {
	l := live(t)
	other := scenario.NewLogKey("witness-c", "witness-b")
	file := l.config.Trust.File()
	before := file.Witnesses
	under := func(witnesses ...evidence.WitnessTrust) map[string]int {
		file.Witnesses = witnesses
		data, err := statement.Canonical(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := l
		if changed.config.Trust, err = evidence.ParseTrust(data); err != nil {
			t.Fatal(err)
		}
		codes := map[string]int{}
		for _, f := range changed.spoiled(t).Found {
			codes[f.Code]++
		}
		return codes
	}
	beside := evidence.WitnessTrust{Party: other.Party, Key: other.VKey()}
	if got := under(before[0], beside); got["event_receipt_witnesses"] == 0 || got["event_receipt_wrong"] != 0 {
		t.Errorf("a key replaced: %v", got)
	}
	if got := under(before[0], before[1], beside); len(got) != 0 {
		t.Errorf("a key added: %v", got)
	}
	report := l.spoiled(t, "UPDATE events SET receipt = replace(receipt, 'index 3', 'index 2') WHERE leaf_index = 3")
	if codes := report.Found; len(codes) == 0 || !strings.Contains(codes[0].Code, "event_receipt_wrong") {
		t.Errorf("a receipt changed: %v", codes)
	}
}
