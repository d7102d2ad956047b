package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/ticket"
	"github.com/menshen-project/menshen/internal/visit"
)

// photosWithin is how long the bytes of a picture may follow the step that names them. The gate takes the step, because
// signatures go out before pictures and a shop must not wait for a slow line (decision 73); what has not come by then
// is a matter with a name, and no green one.
const photosWithin = 24 * time.Hour

// kindPhotos is the platform's own ticket about pictures that were signed for and never brought.
const kindPhotos = "photos_missing"

// queuePhotos plans the look at whether the pictures of a step came.
func (w *writing) queuePhotos(ctx context.Context, tx *store.Tx) error {
	_, err := tx.EnqueueJob(ctx, JobPhotos, w.claims.Digest(), []byte(w.id), w.now, w.now.Add(photosWithin), 0)
	return err
}

// PhotosMissing counts the pictures that a visit's steps name and whose bytes nobody brought.
func (a *App) PhotosMissing(ctx context.Context, visitID string) (missing int, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		list, err := photosOf(ctx, tx, visitID)
		for _, p := range list {
			if !p.Stored {
				missing++
			}
		}
		return err
	})
	return missing, err
}

func photosOf(ctx context.Context, tx *store.Tx, visitID string) (out []Photo, err error) {
	named, err := tx.PhotosOfVisit(ctx, visitID)
	if err != nil {
		return nil, err
	}
	there, err := tx.PhotoFilesOfVisit(ctx, visitID)
	for _, p := range named {
		stored := slices.ContainsFunc(there, func(f store.PhotoFile) bool { return f.Sha256 == p.Sha256 })
		out = append(out, Photo{Digest: p.Sha256, Step: p.Step, Stored: stored})
	}
	return out, err
}

// ReportPhotos is the job: where a picture's bytes have not come in time, whoever carried out the visit gets a ticket
// about it, and merchant and acquirer see it. One stands for all of a visit's, until somebody has closed it.
func (a *App) ReportPhotos(ctx context.Context, visitID, step string) error {
	missing, err := a.PhotosMissing(ctx, visitID)
	if err != nil || missing == 0 {
		return err
	}
	s, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return err
	}
	o := s.order
	for _, id := range []string{ticketOfPhotos(visitID), ticketOfPhotos(visitID + "#" + step)} {
		row := store.Ticket{ID: id, Org: o.Acquirer, Provider: o.Provider, Merchant: o.Merchant, Shop: o.Shop, Visit: visitID, Kind: kindPhotos}
		_, err := a.openTicket(ctx, Actor{Role: visit.RolePlatform}, row, "")
		if fault.KindOf(err) != fault.Conflict {
			return err
		}
		if open, err := a.ticketOpen(ctx, id); err != nil || open {
			return err
		}
	}
	return nil
}

func (a *App) ticketOpen(ctx context.Context, id string) (open bool, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		row, err := tx.Ticket(ctx, id)
		open = row.State != ticket.Closed
		return err
	})
	return open, err
}

// ticketOfPhotos names the one ticket that a look can become.
func ticketOfPhotos(about string) string {
	sum := sha256.Sum256([]byte("menshen-ticket-photos-v1\x00" + about))
	return "t-" + hex.EncodeToString(sum[:13])
}
