package scenario

import (
	"context"
	"testing"

	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/visit"
)

// The merchant's page reports a place 150.1 m from the shop, the radius being 150 m: a part of a metre
// outside is outside.
func TestAPartOfAMetreOutside(t *testing.T) {
	for position, code := range map[string]string{"+31.23174/+121.47370": "", "+31.23175/+121.47370": "place_outside"} { // 149.0 m, 150.1 m
		p, _ := newPlay(t, visit.Install, 0)
		ctx := context.Background()
		if err := Run(ctx, Until(p.Install(), "door")); err != nil {
			t.Fatal(err)
		}
		d, err := p.HonestDoor(ctx)
		if err != nil {
			t.Fatal(err)
		}
		d.Position = position
		if err := p.Answer(ctx, d); err != nil {
			t.Fatal(err)
		}
		answer, err := p.Ask(ctx, visit.AskAdmit)
		if err != nil || answer.Granted != (code == "") || answer.Failing[gate.PlaceMatches] != code {
			t.Errorf("%s: granted %v, %v, %v", position, answer.Granted, answer.Failing, err)
		}
	}
}
