package record_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
)

func TestADrawIsAWitnesssWord(t *testing.T) {
	log := grown(t, 3)
	data := log.Checkpoint(3, at(t, noon))
	d, err := log.Policy().VerifyDraw(data, "bank")
	if err != nil || !d.OK() || d.Party() != "bank" || !d.At().Equal(at(t, noon)) || len(d.Digest()) != 64 {
		t.Fatalf("draw %+v, %v", d, err)
	}
	l := lines(data)
	alone := strings.Join([]string{l[0], l[1], l[2], l[3], l[4], l[6]}, "") // the log and the bank, no quorum
	one, err := log.Policy().VerifyDraw([]byte(alone), "bank")
	if err != nil || one.Number("v1") != d.Number("v1") {
		t.Fatalf("what the witness alone gives out draws otherwise: %v", err)
	}
	other, err := log.Policy().VerifyDraw(data, "regulator")
	if err != nil || other.Number("v1") == d.Number("v1") && other.Number("v2") == d.Number("v2") {
		t.Fatalf("another witness draws the same: %v", err)
	}
	for name, c := range map[string]struct {
		policy record.Policy
		data   []byte
		party  string
		code   string
	}{
		"no policy":         {record.Policy{}, data, "bank", "policy_missing"},
		"not a checkpoint":  {log.Policy(), []byte("x"), "bank", "checkpoint_malformed"},
		"nobody's":          {log.Policy(), data, "stranger", "audit_witness_absent"},
		"not by the log":    {log.Policy(), []byte(strings.Join([]string{l[0], l[1], l[2], l[3], l[6]}, "")), "bank", "receipt_log_signature"},
		"a spoiled witness": {log.Policy(), []byte(strings.Join([]string{l[0], l[1], l[2], l[3], l[4], flipped(l[6])}, "")), "bank", "receipt_cosignature_wrong"},
	} {
		if _, err := c.policy.VerifyDraw(c.data, c.party); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

// flipped changes a character in the middle of a signature line.
func flipped(line string) string {
	raw := []byte(line)
	at := len(raw) - 20
	raw[at] = map[bool]byte{true: 'B', false: 'A'}[raw[at] == 'A']
	return string(raw)
}

func TestWhichVisitsAreAudited(t *testing.T) {
	log := grown(t, 1)
	closed := at(t, noon)
	midnight := record.NextMidnight(closed)
	if want := closed.Truncate(24 * time.Hour).Add(24 * time.Hour); !midnight.Equal(want) || !record.NextMidnight(midnight).Equal(midnight.Add(24*time.Hour)) {
		t.Fatalf("the next midnight after %v is %v", closed, midnight)
	}
	d, err := log.Policy().VerifyDraw(log.Checkpoint(1, midnight), "bank")
	if err != nil {
		t.Fatal(err)
	}
	drawn := 0
	for i := range 2000 {
		id := fmt.Sprintf("v%d", i)
		yes, err := d.Audits(id, closed, 100)
		if err != nil || yes != (d.Number(id) < 100) {
			t.Fatalf("%s: %v %v", id, yes, err)
		}
		if yes {
			drawn++
		}
	}
	if drawn < 120 || drawn > 280 {
		t.Errorf("%d of 2000 visits drawn at a tenth", drawn)
	}
	early, err := log.Policy().VerifyDraw(log.Checkpoint(1, midnight.Add(-time.Second)), "bank")
	if err != nil {
		t.Fatal(err)
	}
	if yes, err := early.Audits("v1", closed, 0); !yes || fault.CodeOf(err) != "audit_checkpoint_early" {
		t.Errorf("a checkpoint of before midnight: %v, %v", yes, err)
	}
	if yes, err := (record.Draw{}).Audits("v1", closed, 0); !yes || fault.CodeOf(err) != "receipt_unverified" {
		t.Errorf("the zero draw: %v, %v", yes, err)
	}
}

// Whatever the visit, its number is below a thousand, and a higher rate never lets one go that a lower
// one drew.
func TestAHigherRateDrawsMore(t *testing.T) {
	log := grown(t, 1)
	d, err := log.Policy().VerifyDraw(log.Checkpoint(1, record.NextMidnight(at(t, noon))), "bank")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.String().Draw(t, "visit")
		low := rapid.IntRange(0, 1000).Draw(t, "low")
		high := rapid.IntRange(low, 1000).Draw(t, "high")
		a, errA := d.Audits(id, time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), low)
		b, errB := d.Audits(id, time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), high)
		if n := d.Number(id); n < 0 || n > 999 || errA != nil || errB != nil || a && !b {
			t.Fatalf("number %d, %v at %d, %v at %d, %v %v", n, a, low, b, high, errA, errB)
		}
	})
}
