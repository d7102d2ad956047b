package app

import (
	"context"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// JobSuspendBadge asks a technician's employer to suspend his badges after a party stopped a visit. Its key is
// the statement's digest, its payload a badgeStop.
const JobSuspendBadge = "suspend_badge"

// badgeStop names whose badges stop.
type badgeStop struct {
	Issuer string `json:"issuer"`
	Holder string `json:"holder"`
}

// queueSuspension has the badges of whoever is at the shop suspended in the employer's status list, so that
// no other shop lets him in either. The register stops him at every ask from this transaction on; the list is
// what phones without signal go by.
func (w *writing) queueSuspension(ctx context.Context, tx *store.Tx, issuer, holder string) error {
	if issuer == "" || holder == "" {
		return nil
	}
	payload, err := statement.Canonical(badgeStop{Issuer: issuer, Holder: holder})
	if err != nil {
		return err
	}
	_, err = tx.EnqueueJob(ctx, JobSuspendBadge, w.claims.Digest(), payload, w.now, w.now, 0)
	return err
}

// SuspendBadge is the job. An employer without a service of its own here publishes its list itself.
func (a *App) SuspendBadge(ctx context.Context, payload, _ string) error {
	var stop badgeStop
	if err := statement.Decode([]byte(payload), &stop); err != nil {
		return err
	}
	o, err := a.service(stop.Issuer)
	if fault.CodeOf(err) == errNoService.Code {
		return nil
	}
	if err != nil {
		return err
	}
	answer, err := o.EndBadges(ctx, orgapi.BadgeEnd{Holder: stop.Holder, Reason: "suspended", By: a.Operator})
	if err != nil {
		return err
	}
	return a.takeAllSigned(ctx, stop.Issuer, answer.Statements)
}

var errBadgeHeld = fault.New(fault.Refused, "badge_held", "您名下有没处理完的停止或举报，收单机构风控处理完之前不发工作证。", "A freeze or incident about you is open; no badge is issued before the acquirer's risk desk has decided.")

// notStopped refuses a badge while something is open against its holder: a suspended badge is not replaced by
// a fresh one.
func (a *App) notStopped(ctx context.Context, person string) error {
	return a.Store.Read(ctx, func(tx *store.Tx) error {
		open, err := tx.MattersOf(ctx, subjectPerson, person, 1)
		if err == nil && len(open) > 0 {
			err = errBadgeHeld
		}
		return err
	})
}

// matterSuspension is the kind of matter that a suspension opens against its subject.
const matterSuspension = "suspension"

var errNotSuspended = fault.New(fault.Refused, "reinstatement_names_nothing", "要解除的停用不存在，或者不是停这一家的。", "A reinstatement names a suspension of its subject, and no other statement.")

// indexSuspension opens a matter against a provider, merchant or person. The statement was signed by a risk
// desk or the regulator; for whose orders it counts is asked when an ask looks it up. A device's mark is a matter of
// its own kind and counts for everybody's orders.
func (w *writing) indexSuspension(ctx context.Context, tx *store.Tx) error {
	read, matter := visit.ReadSuspension, matterSuspension
	if w.kind == visit.StreamDevice {
		read = visit.ReadMark
	}
	s, err := read(w.envelope)
	if err != nil {
		return err
	}
	if w.kind == visit.StreamDevice {
		matter = s.Reason
	}
	if err := w.tellMarked(ctx, tx, s.Reason); err != nil {
		return err
	}
	return tx.AddMatter(ctx, store.OpenMatter{Statement: w.claims.Digest(), SubjectKind: w.kind, Subject: s.Subject, Matter: matter,
		FoundIn: w.in.Stream, SinceAt: w.entry.ReceivedAt})
}

// mayLift is the rule by which a suspension in a kind of stream is lifted.
func mayLift(stream string) func(suspended, lifts statement.Header) error {
	if stream == visit.StreamDevice {
		return visit.MayLiftMark
	}
	return visit.MayLift
}

// indexReinstatement closes the suspensions that it names, if whoever signed it may lift them.
func (w *writing) indexReinstatement(ctx context.Context, tx *store.Tx) error {
	r, err := visit.ReadReinstatement(w.envelope)
	if err != nil {
		return err
	}
	for _, digest := range r.Closes {
		by, err := recordedClaims(ctx, tx, digest)
		if fault.KindOf(err) == fault.NotFound {
			return errNotSuspended
		}
		if err != nil {
			return err
		}
		if by.Subject != w.in.Stream || by.Type != visit.TypeSuspension {
			return errNotSuspended
		}
		if err := mayLift(w.kind)(by.Header, w.claims.Header); err != nil {
			return err
		}
		if err := tx.CloseMatter(ctx, digest, w.now); err != nil {
			return err
		}
	}
	return nil
}
