package app

import (
	"context"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// matterSuspension is the kind of matter that a suspension opens against its subject.
const matterSuspension = "suspension"

var errNotSuspended = fault.New(fault.Refused, "reinstatement_names_nothing", "要解除的停用不存在，或者不是停这一家的。", "A reinstatement names a suspension of its subject, and no other statement.")

// indexSuspension opens a matter against a provider, merchant or person. The statement was signed by a risk
// desk or the regulator; for whose orders it counts is asked when an ask looks it up.
func (w *writing) indexSuspension(ctx context.Context, tx *store.Tx) error {
	s, err := visit.ReadSuspension(w.envelope)
	if err != nil {
		return err
	}
	return tx.AddMatter(ctx, store.OpenMatter{Statement: w.claims.Digest(), SubjectKind: w.kind, Subject: s.Subject, Matter: matterSuspension,
		FoundIn: w.in.Stream, SinceAt: w.entry.ReceivedAt})
}

// indexReinstatement closes the suspensions that it names, if whoever signed it may lift them.
func (w *writing) indexReinstatement(ctx context.Context, tx *store.Tx) error {
	r, err := visit.ReadReinstatement(w.envelope)
	if err != nil {
		return err
	}
	for _, digest := range r.Closes {
		by, err := headerOf(ctx, tx, digest)
		if fault.KindOf(err) == fault.NotFound {
			return errNotSuspended
		}
		if err != nil {
			return err
		}
		if by.subject != w.in.Stream || by.kind != visit.TypeSuspension {
			return errNotSuspended
		}
		if err := visit.MayLift(by.Header, w.claims.Header); err != nil {
			return err
		}
		if err := tx.CloseMatter(ctx, digest, w.now); err != nil {
			return err
		}
	}
	return nil
}

// recordedClaims is what the record says of a statement; it was proven when it came in.
type recordedClaims struct {
	statement.Header
	kind    string
	subject string
}

func headerOf(ctx context.Context, tx *store.Tx, digest string) (recordedClaims, error) {
	envelope, err := tx.Statement(ctx, digest)
	if err != nil {
		return recordedClaims{}, err
	}
	c, err := statement.Parse(envelope)
	return recordedClaims{Header: c.Header, kind: c.Type, subject: c.Subject}, err
}
