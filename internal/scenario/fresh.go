package scenario

import (
	"context"
	"fmt"
	"time"
)

// numbersApart is how far the lists of one play keep from those of the one before, so that a play
// may publish lists of its own.
const numbersApart = 10

// Fresh is a cast of the same institutions with people of its own, so that what happens to one play's
// people does not touch the next one's. tag tells them apart.
func (c *City) Fresh(tag string) *Cast {
	k := *c.Cast
	for _, who := range []**Actor{&k.Approver, &k.Risk, &k.Merchant, &k.Dispatcher, &k.Custodian, &k.Technician, &k.Stranger, &k.Supervisor} {
		*who = NewActor((*who).ID+"-"+tag, (*who).Organisation, (*who).Role)
	}
	k.StatusURI += ":" + tag
	k.Statuses, k.ListNumber = freshStatuses(), 0
	return &k
}

// Begin gives a cast the next numbers of the lists that all plays of the city share.
func (c *City) Begin(k *Cast, now time.Time) {
	c.Cast.TrustNumber += numbersApart
	k.TrustNumber = c.Cast.TrustNumber
	number := c.Cast.Parameters.Number + numbersApart
	k.Parameters = k.AcquirerParameters(now)
	k.Parameters.Number = number
	c.Cast.Parameters.Number = number
}

// CornerShop is a made-up shop for a fresh merchant: codes of its own, nobody's values.
func (c *City) CornerShop(k *Cast, n int) Shop {
	s := c.Shops[c.Cast.Merchant.ID]
	s.ID, s.MerchantCode, s.Terminal = "shop-"+k.Merchant.ID, fmt.Sprintf("9013059%08d", n), fmt.Sprintf("A%07d", n)
	s.Name, s.Address, s.CreditCode, s.Account = "示例小店", "示例路 1 号", "91310000MA19NUKJJ0", "6222020000000000000"
	s.Principal = fmt.Sprintf("demonstration-%d", n)
	return s
}

// ApartFrom makes the names of play n its own: visits by the play's id, serials and terminal codes by
// their shape.
func (c *City) ApartFrom(playID string, n int) func(string) string {
	return func(what string) string {
		switch {
		case len(what) > 12:
			return c.Serial(500_000 + n)
		case len(what) == 8:
			return fmt.Sprintf("B%07d", n)
		}
		return playID + "-" + what
	}
}

// At plays an attack at a venue that others share, with the people and the device of the play.
func (a Attack) At(ctx context.Context, p *Play) Ran {
	if err := p.OpenCity(ctx); err != nil {
		return a.ended(err)
	}
	return a.ended(a.Run(ctx, p))
}

// first names the attacks of the first table: one for each way in that the design tells of.
var first = []string{
	"badge-replayed", "badge-expired", "badge-revoked", "badge-for-another-order", "badge-of-an-unlisted-issuer", "trust-list-stale",
	"trust-list-superseded", "provider-unfiled", "provider-two-hops", "course-expired", "approver-is-the-technician", "technician-signs-as-merchant",
	"sheet-changed-after-trial", "amount-in-another-spelling", "sign-in-used-as-agreement", "serial-bound-elsewhere", "box-differs", "transfer-missing",
	"device-nonce-replayed", "another-key-same-serial", "step-skipped", "photo-used-before", "photo-of-yesterday", "acceptance-of-another-device", "activation-swipe",
	"permit-without-evidence", "permit-asked-again", "frozen-pushed-on", "late-evidence-while-frozen", "event-inserted", "event-removed", "events-reordered",
	"event-edited", "evidence-above-the-permit", "receipt-from-a-fork", "one-witness-counted-twice", "unknown-rules", "parameters-empty",
	"provider-struck-after-trial", "badge-revoked-after-trial", "second-till",
}

// FirstAttacks are the attacks of the first table, in its order.
func FirstAttacks() []Attack {
	var out []Attack
	for _, name := range first {
		for _, a := range Attacks() {
			if a.Name == name {
				out = append(out, a)
			}
		}
	}
	return out
}
