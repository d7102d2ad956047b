package evidence

import (
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
)

var errClock = fault.New(fault.Unavailable, "clock_differs", "服务器的时钟和公证方的差了两分钟以上：请运营方校准时钟，再问一次。",
	"The server's clock and the witnesses' are more than two minutes apart: the operator sets the clock, then ask again.")

// InStep asks that the newest receipt of a dossier was cosigned within two minutes of now, as the decision's
// own must be (design §10). Whoever is about to decide asks it first: a decision of a wrong clock would be
// refused by every reader, and as nothing is ever taken out of a visit, so would the visit be from then on.
func (r *Reader) InStep(d Dossier, now time.Time) error {
	items, err := r.parse(d.Entries)
	if err != nil {
		return err
	}
	var newest record.Checkpoint
	for i := range items {
		if err := r.include(&items[i]); err != nil {
			return fault.At(err, items[i].place)
		}
		if c := items[i].inclusion.Checkpoint(); c.Size() >= newest.Size() {
			newest = c
		}
	}
	if err := newest.CosignedNear(now, cosignedWithin); err != nil {
		return errClock.Because(err)
	}
	return nil
}
