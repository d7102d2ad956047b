package agreement_test

import (
	"slices"
	"testing"

	"github.com/menshen-project/menshen/internal/agreement"
)

func TestWhatOfTheSumComesBack(t *testing.T) {
	s := agreement.Sheet{Items: []agreement.Item{
		{Code: "deposit", AmountFen: 29900, When: agreement.WhenLive, ReturnCondition: "with the terminal"},
		{Code: "deposit.scanner", AmountFen: 100, When: agreement.WhenSigning, ReturnCondition: "with the scanner"},
		{Code: "deposit.later", AmountFen: 5000, When: agreement.WhenEvent, ReturnCondition: "never asked for now"},
		{Code: "service", AmountFen: 700, When: agreement.WhenSigning},
	}}
	fen, when := s.Deposit()
	if fen != 30000 || !slices.Equal(when, []string{"with the terminal", "with the scanner"}) {
		t.Errorf("%d, %v", fen, when)
	}
	if fen, when := (agreement.Sheet{}).Deposit(); fen != 0 || len(when) != 0 {
		t.Errorf("of nothing: %d, %v", fen, when)
	}
}
