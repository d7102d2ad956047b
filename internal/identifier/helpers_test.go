package identifier

import (
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
)

// row is one input and the fault code it must give, "" for none.
type row struct{ name, in, code string }

// table runs rows against a parser; every row must be able to fail it.
func table(t *testing.T, parse func(string) error, rows []row) {
	t.Helper()
	for _, r := range rows {
		if got := fault.CodeOf(parse(r.in)); got != r.code {
			t.Errorf("%s: %q gives fault %q, want %q", r.name, r.in, got, r.code)
		}
	}
}

func errOf[T any](parse func(string) (T, error)) func(string) error {
	return func(s string) error { _, err := parse(s); return err }
}
