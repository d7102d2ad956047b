package gate_test

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/visit"
)

// way is one way for a condition to come out, with the code of why it fails, "" where it holds.
type way struct {
	name  string
	spoil func(*gate.Facts)
	code  string

	later time.Duration // after noon
	ask   string        // "" for the condition's usual one
	kind  string        // "" for an installation
	basis string        // "" for the condition's usual one
}

// walk asks one condition in every way. A way that fails must deny the whole ask, whatever else holds.
func walk(t *testing.T, condition, ask, basis string, ways []way) {
	t.Helper()
	holds := 0
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			w = w.filled(ask, basis)
			f := honest(w.kind, w.ask)
			w.spoil(&f)
			d := gate.Decide(f, w.ask, noon.Add(w.later))
			got := find(d, condition)
			want := gate.Fails
			switch {
			case w.code == "":
				want = gate.Holds
				holds++
			case w.basis == gate.Unopened:
				want = gate.NotOpened
			}
			if got.Verdict != want || got.Code != w.code || got.Basis != w.basis {
				t.Errorf("%s %q on %q, want %s %q on %q", got.Verdict, got.Code, got.Basis, want, w.code, w.basis)
			}
			if w.code != "" && (got.Text.Zh == "" || got.Text.En == "" || d.Granted() && got.Blocks) {
				t.Errorf("granted %v, %q", d.Granted(), got.Text)
			}
		})
	}
	if holds == 0 {
		t.Error("no way holds")
	}
}

func (w way) filled(ask, basis string) way {
	if w.ask == "" {
		w.ask = ask
	}
	if w.kind == "" {
		w.kind = visit.Install
	}
	if w.basis == "" {
		w.basis = basis
	}
	if w.spoil == nil {
		w.spoil = func(*gate.Facts) {}
	}
	return w
}

var errWhy = fault.New(fault.Refused, "why", "因为。", "Because.")

// unknown gives a way in which a fact could not be computed: its own reason is the condition's.
func unknown[T any](name string, field func(*gate.Facts) *gate.Fact[T]) way {
	return way{name: name, code: "why", spoil: func(f *gate.Facts) { *field(f) = gate.Unknown[T](errWhy) }}
}

// absent gives a way in which there is no evidence at all.
func absent[T any](name string, field func(*gate.Facts) *gate.Fact[T], code string) way {
	return way{name: name, code: code, spoil: func(f *gate.Facts) { *field(f) = gate.Fact[T]{} }}
}

// edit changes a known fact.
func edit[T any](field func(*gate.Facts) *gate.Fact[T], change func(*T)) func(*gate.Facts) {
	return func(f *gate.Facts) { change(&field(f).Value) }
}
