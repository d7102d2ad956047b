package evidence

import (
	"time"

	"github.com/menshen-project/menshen/internal/ticket"
)

// Promised is what a visit's signed price sheet promises for afterwards: hours to an answer and to a repair, and
// until when a repair costs nothing, counted from when the host says that live keys are loaded. A visit without
// a signed sheet promises nothing.
func (r *Reader) Promised(d Dossier, now time.Time) (ticket.Levels, error) {
	b, err := r.afterwards(d, now)
	if err != nil {
		return ticket.Levels{}, err
	}
	a := b.facts.Agreement
	if a.Err != nil || !a.Value.OK() {
		return ticket.Levels{}, nil
	}
	sheet := a.Value.Sheet()
	out := ticket.Levels{Response: time.Duration(sheet.ResponseHours) * time.Hour, Resolution: time.Duration(sheet.ResolutionHours) * time.Hour}
	if live, err := b.liveSince(); err == nil {
		out.Warranty = live.Since.AddDate(0, sheet.WarrantyMonths, 0)
	}
	return out, nil
}
