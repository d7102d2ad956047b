//go:build openapi

package credential

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

// BenchmarkBesideAnotherImplementation prints how many times as long the other takes, in one run: by the
// clock, one after the other, and by the processor time of all its threads, which is what a busy server has.
func BenchmarkBesideAnotherImplementation(b *testing.B) {
	data := present(b, lanBadge(b), lanAnswer())
	var theirs struct {
		MedianNS float64 `json:"median_ns"`
		CPUNS    float64 `json:"cpu_ns"`
	}
	npm(b, asked("times", string(data)), &theirs)
	want := wanted()
	var took []time.Duration
	before := used(b)
	for b.Loop() {
		began := time.Now()
		if _, err := VerifyPresentation(data, want); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	cpu := float64(used(b)-before) / float64(b.N)
	slices.Sort(took)
	ours := float64(took[len(took)/2]) // medians on both sides: a busy machine is busy for both
	b.ReportMetric(ours, "ours-ns")
	b.ReportMetric(theirs.MedianNS, "theirs-ns")
	b.ReportMetric(theirs.MedianNS/ours, "times")
	b.ReportMetric(theirs.CPUNS/cpu, "times-cpu")
}

// used is the processor time of this process.
func used(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
