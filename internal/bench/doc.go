// Package bench measures what menshen costs, each figure beside its floor: the work that cannot be
// left out, done bare in the same run on the same machine. `menshen bench` prints it.
//
// Where two costs are compared they take turns and the best round of each counts, because the machine
// is shared; where a rate is measured, callers run closed loops for a bounded time.
package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

// Figure is one measured number. The zero Floor, Ratio or Aim is none.
type Figure struct {
	Name  string     `json:"name"`
	Title fault.Text `json:"title"`
	Value float64    `json:"value"`
	Unit  string     `json:"unit"`
	P99   float64    `json:"p99_ms,omitempty"` // of the waits that Value is about or came with
	Floor float64    `json:"floor,omitempty"`  // in the same unit
	Bare  fault.Text `json:"bare,omitzero"`    // what the floor is
	Ratio float64    `json:"ratio,omitempty"`  // Value to Floor
	Aim   *Aim       `json:"aim,omitempty"`
	Met   *bool      `json:"met,omitempty"` // of the aim
}

// Aim is what a figure should reach: a bound on its ratio if OfRatio, on its value otherwise.
type Aim struct {
	Bound   float64 `json:"bound"`
	AtLeast bool    `json:"at_least,omitempty"` // at most, if not
	OfRatio bool    `json:"of_ratio,omitempty"`
}

// Report is one run.
type Report struct {
	Machine  Machine  `json:"machine"`
	Database string   `json:"database"` // SQLite or PostgreSQL
	At       string   `json:"at"`       // RFC 3339
	Quick    bool     `json:"quick,omitempty"`
	TookMS   int64    `json:"took_ms"`
	Figures  []Figure `json:"figures"`
}

// Machine is where it ran.
type Machine struct {
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	OS    string `json:"os"`
	Go    string `json:"go"`
}

// ThisMachine describes where this process runs.
func ThisMachine() Machine {
	return Machine{CPU: cpu(), Cores: runtime.GOMAXPROCS(0), OS: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
}

// cpu is the processor's name where Linux tells it; elsewhere the architecture must do.
func cpu() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		if name, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// Beside puts a figure beside its floor.
func (f Figure) Beside(floor float64, zh, en string) Figure {
	f.Floor, f.Bare = floor, fault.Text{Zh: zh, En: en}
	if floor != 0 {
		f.Ratio = f.Value / floor
	}
	return f
}

// Aimed says whether the figure reaches an aim.
func (f Figure) Aimed(a Aim) Figure {
	got := f.Value
	if a.OfRatio {
		got = f.Ratio
	}
	met := got <= a.Bound
	if a.AtLeast {
		met = got >= a.Bound
	}
	f.Aim, f.Met = &a, &met
	return f
}

// Tail adds how long all but one in a hundred calls waited at most.
func (f Figure) Tail(w Waits) Figure {
	f.P99 = w.At(0.99)
	return f
}

func figure(name, zh, en string, value float64, unit string) Figure {
	return Figure{Name: name, Title: fault.Text{Zh: zh, En: en}, Value: value, Unit: unit}
}

// Of is a figure without floor or aim.
func Of(name, zh, en string, value float64, unit string) Figure {
	return figure(name, zh, en, value, unit)
}

// Write prints the report as a table for people.
func (r Report) Write(out io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s · %d cores · %s · %s · %s · %s\n\n", r.Machine.CPU, r.Machine.Cores, r.Machine.OS, r.Machine.Go, r.Database, r.At)
	for _, f := range r.Figures {
		fmt.Fprintf(b, "%s %s  %s\n    %s %s", mark(f.Met), f.Title.Zh, f.Title.En, number(f.Value), f.Unit)
		if f.P99 != 0 {
			fmt.Fprintf(b, "   p99 %s ms", number(f.P99))
		}
		if f.Floor != 0 {
			fmt.Fprintf(b, "   底线 floor %s %s (%s %s)   比 ratio %.2f", number(f.Floor), f.Unit, f.Bare.Zh, f.Bare.En, f.Ratio)
		}
		if f.Aim != nil {
			fmt.Fprintf(b, "   目标 aim %s", f.Aim.text(f.Unit))
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(b, "\n用时 took %s\n", (time.Duration(r.TookMS) * time.Millisecond).Round(time.Second/10))
	_, err := io.WriteString(out, b.String())
	return err
}

func (a Aim) text(unit string) string {
	sign := map[bool]string{false: "≤", true: "≥"}[a.AtLeast]
	if a.OfRatio {
		return fmt.Sprintf("%s %.2f ×", sign, a.Bound)
	}
	return fmt.Sprintf("%s %s %s", sign, number(a.Bound), unit)
}

func mark(met *bool) string {
	switch {
	case met == nil:
		return " "
	case *met:
		return "✓"
	}
	return "✗"
}

// number prints three significant digits, and whole numbers above a hundred.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
