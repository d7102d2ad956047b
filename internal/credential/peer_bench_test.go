//go:build openapi

package credential

import (
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Of each round: how many presentations are verified one after the other, and as many again with atOnce in hand.
const (
	callsOfARound = 2000
	atOnce        = 64
)

// costs of one presentation, in nanoseconds.
type costs struct {
	Median  float64 `json:"median_ns"`   // by the clock, one after the other
	CPU     float64 `json:"cpu_ns"`      // processor time of all threads, one after the other
	Many    float64 `json:"many_ns"`     // by the clock, with atOnce in hand in one process
	ManyCPU float64 `json:"many_cpu_ns"` // processor time of all threads, with atOnce in hand
}

// best keeps the better of each.
func (c costs) best(o costs) costs {
	return costs{min(c.Median, o.Median), min(c.CPU, o.CPU), min(c.Many, o.Many), min(c.ManyCPU, o.ManyCPU)}
}

// BenchmarkBesideAnotherImplementation prints how many times as long the other takes, in one run and by three
// measures that do not say the same: one presentation after the other by the clock, where WebCrypto's second
// thread gives the other a second core; what one server process does with 64 in hand at once; and the processor
// time of all threads. The two take turns, and the best round of each counts: -benchtime 5x.
func BenchmarkBesideAnotherImplementation(b *testing.B) {
	data := present(b, lanBadge(b), lanAnswer())
	question := asked("times", string(data))
	question["calls"], question["at_once"] = callsOfARound, atOnce
	var ours, theirs costs
	for round := 0; b.Loop(); round++ {
		var they costs
		npm(b, question, &they)
		we := timed(b, data)
		if round == 0 {
			ours, theirs = we, they
		}
		ours, theirs = ours.best(we), theirs.best(they)
	}
	for _, m := range []struct {
		name         string
		ours, theirs float64
	}{
		{"one-after-the-other", ours.Median, theirs.Median},
		{"64-at-once", ours.Many, theirs.Many},
		{"cpu", ours.CPU, theirs.CPU},
		{"cpu-64-at-once", ours.ManyCPU, theirs.ManyCPU},
	} {
		b.ReportMetric(m.ours/1e3, m.name+"-ours-µs")
		b.ReportMetric(m.theirs/1e3, m.name+"-theirs-µs")
		b.ReportMetric(m.theirs/m.ours, m.name+"-times")
	}
}

// timed is what our verification costs in this process.
func timed(b *testing.B, data []byte) costs {
	b.Helper()
	want := wanted()
	verify := func() {
		if _, err := VerifyPresentation(data, want); err != nil {
			b.Error(err)
		}
	}
	var took []time.Duration
	before := used(b)
	for range callsOfARound {
		began := time.Now()
		verify()
		took = append(took, time.Since(began))
	}
	c := costs{CPU: float64(used(b)-before) / callsOfARound}
	slices.Sort(took)
	c.Median = float64(took[len(took)/2])

	var left atomic.Int64
	left.Store(callsOfARound)
	var all sync.WaitGroup
	began, before := time.Now(), used(b)
	for range atOnce {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				verify()
			}
		})
	}
	all.Wait()
	c.Many = float64(time.Since(began)) / callsOfARound
	c.ManyCPU = float64(used(b)-before) / callsOfARound
	return c
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
