package app

import (
	"context"

	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// PackagePapers let a technician's phone check by itself that the order is genuine: the order as the
// acquirer's approver signed it, and who vouches for his and for the dispatcher's key. With the trust
// list that is the whole chain (docs/door.md).
type PackagePapers struct {
	Order       string `json:"order"`        // base64 of the order's envelope
	OrderKey    string `json:"order_key"`    // of the enrolment of its signer's key
	DispatchKey string `json:"dispatch_key"` // of the enrolment of the dispatcher's key
}

// packPapers takes the order that the visit was booked on, and the two enrolments.
func (a *App) packPapers(ctx context.Context, tx *store.Tx, p *Package, _ visit.Dispatch) error {
	claims, err := a.gather(ctx, tx).stream(visit.StreamVisit, p.Visit)
	if err != nil {
		return err
	}
	for _, c := range claims {
		if c.Type != visit.TypeOpened {
			continue
		}
		var opened visit.Opened
		if err := c.UntrustedBody(&opened); err != nil {
			return err
		}
		if p.Papers.Order, p.Papers.OrderKey, err = vouchedStatement(ctx, tx, opened.Basis); err != nil {
			return err
		}
	}
	_, p.Papers.DispatchKey, err = vouchedStatement(ctx, tx, p.Dispatch.Digest)
	return err
}

// vouchedStatement gives a statement and the enrolment of the key that signed it, "" where none is
// recorded for just this person, organisation and role.
func vouchedStatement(ctx context.Context, tx *store.Tx, digest string) (envelope, enrolment string, err error) {
	raw, err := tx.Statement(ctx, digest)
	if err != nil {
		return "", "", err
	}
	signed, err := statement.Parse(raw)
	if err != nil {
		return "", "", err
	}
	events, err := tx.Refs(ctx, refKey, signed.Header.Key, 4)
	if err != nil {
		return "", "", err
	}
	for _, event := range events {
		var e statement.Enrolment
		if err := recordedBody(ctx, tx, event, &e); err != nil {
			return "", "", err
		}
		if e.Holder != signed.Header.Signer || e.Organisation != signed.Header.Organisation || e.Role != signed.Header.Role {
			continue
		}
		at, err := tx.EventByDigest(ctx, event)
		if err != nil {
			return "", "", err
		}
		vouch, err := tx.Statement(ctx, at.StatementDigest)
		return b64(raw), b64(vouch), err
	}
	return b64(raw), "", nil
}
