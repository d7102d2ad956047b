//go:build openapi

package credential

import (
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
)

// Of each round: the badges of one day, at how many doors each is shown, and how many are in hand where many are.
const (
	badgesOfADay = 250
	doorsOfADay  = 8
	atOnce       = 64
)

// costs of one presentation, in nanoseconds: the mean over all of a round.
type costs struct {
	Clock   float64 `json:"clock_ns"`    // by the clock, one after the other
	CPU     float64 `json:"cpu_ns"`      // processor time of all threads, one after the other
	Many    float64 `json:"many_ns"`     // by the clock, with atOnce in hand in one process
	ManyCPU float64 `json:"many_cpu_ns"` // processor time of all threads, with atOnce in hand
}

// best keeps the better of each.
func (c costs) best(o costs) costs {
	return costs{min(c.Clock, o.Clock), min(c.CPU, o.CPU), min(c.Many, o.Many), min(c.ManyCPU, o.ManyCPU)}
}

// BenchmarkBesideAnotherImplementation prints how many times as long the other takes over the same
// presentations in one run: as a server verifies a day of them, each badge at eight doors, which computes an
// issuer's signature once a badge; and with no memory, as if each badge were shown once. Each by measures that
// do not say the same: one presentation after the other by the clock, where WebCrypto's second thread gives the
// other a second core; what one process does with 64 in hand at once; and the processor time of all threads.
// All take turns, and the best round of each counts: -benchtime 5x.
func BenchmarkBesideAnotherImplementation(b *testing.B) {
	day := aDay(b)
	question := asked("times", day...)
	question["at_once"] = atOnce
	var theirs, server, bare costs
	for round := 0; b.Loop(); round++ {
		var they costs
		npm(b, question, &they)
		s := timed(b, day, new(Verifier))
		m := timed(b, day, nil)
		if round == 0 {
			theirs, server, bare = they, s, m
		}
		theirs, server, bare = theirs.best(they), server.best(s), bare.best(m)
	}
	for _, m := range []struct {
		name string
		of   func(costs) float64
	}{
		{"clock", func(c costs) float64 { return c.Clock }},
		{"cpu", func(c costs) float64 { return c.CPU }},
		{"64-at-once", func(c costs) float64 { return c.Many }},
		{"64-at-once-cpu", func(c costs) float64 { return c.ManyCPU }},
	} {
		b.ReportMetric(m.of(theirs)/1e3, m.name+"-theirs-µs")
		b.ReportMetric(m.of(server)/1e3, m.name+"-server-µs")
		b.ReportMetric(m.of(theirs)/m.of(server), m.name+"-server-times")
		b.ReportMetric(m.of(bare)/1e3, m.name+"-no-memory-µs")
		b.ReportMetric(m.of(theirs)/m.of(bare), m.name+"-no-memory-times")
	}
}

// aDay is each badge shown at its doors, in turns: all at their first, then all at their second.
func aDay(b *testing.B) []string {
	b.Helper()
	var badges [badgesOfADay][]byte
	for i := range badges {
		c := lanClaims()
		c.StaffNumber, c.StatusIndex = "staff-"+strconv.Itoa(i), i
		c.NameCommitment = statement.Digest([]byte(c.StaffNumber))
		var err error
		if badges[i], err = Issue(providerKey, c); err != nil {
			b.Fatal(err)
		}
	}
	var day []string
	for range doorsOfADay {
		for _, badge := range badges {
			day = append(day, string(present(b, badge, lanAnswer())))
		}
	}
	return day
}

// timed is what our verification of a day costs in this process: first one after the other, then, from an empty
// memory again, with atOnce in hand. A nil verifier has no memory.
func timed(b *testing.B, day []string, v *Verifier) costs {
	b.Helper()
	want := wanted()
	verify := func(v *Verifier, i int) {
		if _, err := v.VerifyPresentation([]byte(day[i]), want); err != nil {
			b.Error(err)
		}
	}
	measured := func(work func()) (clock, cpu float64) {
		began, before := time.Now(), used(b)
		work()
		return float64(time.Since(began)) / float64(len(day)), float64(used(b)-before) / float64(len(day))
	}
	var c costs
	c.Clock, c.CPU = measured(func() {
		for i := range day {
			verify(v, i)
		}
	})
	if v != nil {
		v = new(Verifier)
	}
	c.Many, c.ManyCPU = measured(func() {
		var next atomic.Int64
		var all sync.WaitGroup
		for range atOnce {
			all.Go(func() {
				for i := next.Add(1) - 1; i < int64(len(day)); i = next.Add(1) - 1 {
					verify(v, int(i))
				}
			})
		}
		all.Wait()
	})
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
