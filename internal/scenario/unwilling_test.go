package scenario

import (
	"context"
	"testing"

	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/visit"
)

// A merchant who will not sign the end of the old keys keeps both terminals: nothing ends them in his place, the
// swap stays live and open, and whenever he does sign it goes on.
func TestAMerchantWhoWillNotSignTheEnd(t *testing.T) {
	p, l := settled(t, 1)
	q := p.Next(visit.Swap, "v2", secondSerial, secondTerminal)
	if err := Run(t.Context(), Until(q.Swap(), "consent")); err != nil {
		t.Fatal(err)
	}
	for ask, want := range map[string]Refusal{
		visit.AskEnd:   {Code: "end_not_consented", By: gate.MerchantConfirmed},
		visit.AskClose: {Code: "device_not_handed_back", By: gate.CustodyUnbroken}, // it stays on the counter
	} {
		if got := RefusalOf(q.MustAsk(t.Context(), ask)); got != want {
			t.Errorf("%s: %+v, want %+v", ask, got, want)
		}
	}
	for _, serial := range []string{p.Device.Serial, secondSerial} {
		if _, live := l.Host.live[serial]; !live {
			t.Errorf("%s is not live", serial)
		}
	}
	if err := q.shopIsServed(l); err != nil {
		t.Error(err)
	}
	if err := Run(context.WithoutCancel(t.Context()), From(q.Swap(), "consent")); err != nil {
		t.Errorf("when he signs after all: %v", err)
	}
}
