package visit_test

import (
	"testing"

	"github.com/menshen-project/menshen/internal/visit"
)

func TestExactlyOneItemSaysWhoseATerminalIs(t *testing.T) {
	for _, c := range []struct{ credit, principal, want string }{
		{"a code", "", visit.ItemCreditCode}, {"", "a number", visit.ItemPrincipal}, {"", "", ""}, {"a code", "a number", ""},
	} {
		if got := (visit.FiveItems{CreditCode: c.credit, Principal: c.principal}).Whose(); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
