package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// turns lets costs take turns for some time and gives the best round of each, per call. A round is as
// many calls as take about two milliseconds.
func turns(ctx context.Context, budget time.Duration, parts ...func() error) ([]time.Duration, error) {
	calls, best := make([]int, len(parts)), make([]time.Duration, len(parts))
	for i, part := range parts {
		n, err := callsFor(2*time.Millisecond, part)
		if err != nil {
			return nil, err
		}
		calls[i], best[i] = n, time.Hour
	}
	end := time.Now().Add(budget)
	for n := 0; n < leastRounds || time.Now().Before(end); n++ {
		for i, part := range parts {
			took, err := round(calls[i], part)
			if err = errors.Join(err, ctx.Err()); err != nil {
				return nil, err
			}
			best[i] = min(best[i], took/time.Duration(calls[i]))
		}
	}
	return best, nil
}

// leastRounds is how many rounds each cost has, however short the time: the best of one is no best.
const leastRounds = 7

// callsFor finds how many calls fill a time.
func callsFor(want time.Duration, part func() error) (int, error) {
	for n := 1; ; n *= 2 {
		took, err := round(n, part)
		if err != nil || took >= want {
			return n, err
		}
	}
}

func round(n int, part func() error) (time.Duration, error) {
	began := time.Now()
	for range n {
		if err := part(); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// rounds lets two rates take turns, three times in folders of their own, and gives the best of each: what
// disturbs a machine for some seconds then meets both, and neither is blamed for it.
func rounds(dir string, budget time.Duration, ours, bare func(dir string, budget time.Duration) (float64, error)) (best [2]float64, err error) {
	const turns = 3
	for turn := range turns {
		for i, rate := range []func(string, time.Duration) (float64, error){ours, bare} {
			got, err := rate(fmt.Sprintf("%s-%d-%d", dir, turn, i), budget/(2*turns))
			if err != nil {
				return best, err
			}
			best[i] = max(best[i], got)
		}
	}
	return best, nil
}

// Waits are how long calls took, sorted.
type Waits []time.Duration

// At gives the wait that a share of calls did not exceed, in milliseconds.
func (w Waits) At(share float64) float64 {
	if len(w) == 0 {
		return 0
	}
	return float64(w[int(share*float64(len(w)-1))].Microseconds()) / 1000
}

// Loop has clients call again and again for some time, and gives calls a second within that time and the
// waits of all. A call that the time's end cuts counts by its part before it: calls may be long beside the
// time, and those that are still under way when it ends are let finish. The first error ends it.
func Loop(ctx context.Context, clients int, budget time.Duration, call func(ctx context.Context, client int) error) (perSecond float64, waits Waits, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	l := &looping{end: time.Now().Add(budget), stop: stop}
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() { l.client(ctx, func() error { return call(ctx, client) }) })
	}
	all.Wait()
	slices.Sort(l.waits)
	return l.within / budget.Seconds(), l.waits, l.err
}

// looping is one Loop under way.
type looping struct {
	end  time.Time
	stop func()

	mu     sync.Mutex
	within float64 // calls before the end, the last ones by their part
	waits  Waits
	err    error
}

func (l *looping) client(ctx context.Context, call func() error) {
	var mine Waits
	var within float64
	var failed error
	for start := time.Now(); start.Before(l.end) && ctx.Err() == nil; start = time.Now() {
		if failed = call(); failed != nil {
			l.stop()
			break
		}
		took := time.Since(start)
		mine = append(mine, took)
		within += min(1, l.end.Sub(start).Seconds()/took.Seconds())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waits = append(l.waits, mine...)
	l.within += within
	if l.err == nil {
		l.err = failed
	}
}
