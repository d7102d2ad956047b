package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnAimIsMetOrNot(t *testing.T) {
	f := Of("x", "某数", "a figure", 30, "ms").Beside(20, "底线", "floor")
	for name, r := range map[string]struct {
		aim Aim
		met bool
	}{
		"below a bound":       {Aim{Bound: 31}, true},
		"above a bound":       {Aim{Bound: 29}, false},
		"reaches a bound":     {Aim{Bound: 30, AtLeast: true}, true},
		"misses a bound":      {Aim{Bound: 31, AtLeast: true}, false},
		"ratio below a bound": {Aim{Bound: 1.5, OfRatio: true}, true},
		"ratio above a bound": {Aim{Bound: 1.4, OfRatio: true}, false},
	} {
		if got := f.Aimed(r.aim); *got.Met != r.met || got.Ratio != 1.5 {
			t.Errorf("%s: met %v, ratio %v", name, *got.Met, got.Ratio)
		}
	}
}

func TestATableForPeople(t *testing.T) {
	r := Report{Machine: ThisMachine(), Database: "SQLite", At: "2026-11-28T02:00:00Z", TookMS: 2300, Figures: []Figure{
		Of("a", "某数", "a figure", 30, "ms").Beside(20, "底线", "its floor").Aimed(Aim{Bound: 1.4, OfRatio: true}),
		Of("b", "大小", "a size", 0.0123, "kB").Aimed(Aim{Bound: 1}),
		Of("c", "等待", "a wait", 12.34, "ms").Tail(Waits{time.Millisecond, 2 * time.Second}),
	}}
	var out strings.Builder
	if err := r.Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"· SQLite · 2026", "✗ 某数  a figure", "30 ms   底线 floor 20 ms", "ratio 1.50", "aim ≤ 1.40 ×", "✓ 大小", "0.0123 kB", "12.3 ms   p99 1", "took 2.3s"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestALoopEndsWithItsFirstError(t *testing.T) {
	broken := errors.New("broken")
	rate, _, err := Loop(t.Context(), 4, time.Hour, func(context.Context, int) error { return broken })
	if !errors.Is(err, broken) || rate != 0 {
		t.Errorf("%v, %v", rate, err)
	}
	if (Waits{}).At(0.99) != 0 {
		t.Error("nobody waited")
	}
}

// A call that the end cuts counts by its part: of a thousand seconds' work in one second, a thousandth. In
// a bubble, whose clock moves only when everybody sleeps.
func TestALoopCountsWithinItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sleep := func(d time.Duration) func(context.Context, int) error {
			return func(context.Context, int) error { time.Sleep(d); return nil }
		}
		for _, r := range []struct {
			clients int
			took    time.Duration
			rate    float64
			calls   int
		}{
			{1, time.Second / 4, 4, 4},
			{8, time.Second / 4, 32, 32},
			{1, 10 * time.Second, 0.1, 1},
			{3, 10 * time.Second, 0.3, 3},
		} {
			rate, waits, err := Loop(t.Context(), r.clients, time.Second, sleep(r.took))
			if err != nil || math.Abs(rate-r.rate) > 1e-9 || len(waits) != r.calls || waits.At(0.5) != float64(r.took.Milliseconds()) {
				t.Errorf("%d clients, %v each: %v a second of %d calls, %v", r.clients, r.took, rate, len(waits), err)
			}
		}
	})
}

// The best of each counts, in folders of their own, and the first error ends it.
func TestRatesTakeTurns(t *testing.T) {
	var seen []string
	give := func(rates ...float64) func(string, time.Duration) (float64, error) {
		return func(dir string, budget time.Duration) (float64, error) {
			seen = append(seen, fmt.Sprint(dir, budget))
			rate := rates[0]
			rates = append(rates[1:], rate)
			return rate, nil
		}
	}
	best, err := rounds("d", 6*time.Second, give(1, 3, 2), give(9, 7, 8))
	if err != nil || best != [2]float64{3, 9} || fmt.Sprint(seen) != "[d-0-01s d-0-11s d-1-01s d-1-11s d-2-01s d-2-11s]" {
		t.Errorf("%v, %v, %v", best, err, seen)
	}
	broken := errors.New("broken")
	if _, err := rounds("d", time.Second, give(1), func(string, time.Duration) (float64, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestWhatDecidesIsMeasured(t *testing.T) {
	figures, err := Deciding(t.Context(), 30*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if len(figures) != 5 {
		t.Errorf("%d figures", len(figures))
	}
	for _, f := range figures {
		if f.Value <= 0 {
			t.Errorf("%+v", f)
		}
	}
}
