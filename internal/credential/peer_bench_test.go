//go:build openapi

package credential

import (
	"slices"
	"testing"
	"time"
)

// BenchmarkBesideAnotherImplementation prints how many times as long the other takes, in one run.
func BenchmarkBesideAnotherImplementation(b *testing.B) {
	data := present(b, lanBadge(b), lanAnswer())
	var theirs struct {
		MedianNS float64 `json:"median_ns"`
	}
	npm(b, asked("times", string(data)), &theirs)
	want := wanted()
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		if _, err := VerifyPresentation(data, want); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	ours := float64(took[len(took)/2]) // medians on both sides: a busy machine is busy for both
	b.ReportMetric(ours, "ours-ns")
	b.ReportMetric(theirs.MedianNS, "theirs-ns")
	b.ReportMetric(theirs.MedianNS/ours, "times")
}
