package evidence

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Intake proves one statement as it comes in, with the same keyring and verb table as Judge: its
// signer is enrolled for what it claims, and may use the verb in that stream. context holds the
// newest trust list, the enrolments of the signer's key and, for an order's stream, the events that
// are already in it; candidate is the entry as it would be
// recorded, its receipt empty.
func Intake(context []Entry, candidate Entry, t Trust, now time.Time) (statement.Verified, error) {
	return NewReader(t).Intake(context, candidate, now)
}

// Intake is the function of this name, with the reader's memory.
func (r *Reader) Intake(context []Entry, candidate Entry, now time.Time) (statement.Verified, error) {
	if !r.trust.ok {
		return statement.Verified{}, errNoTrust
	}
	items, err := r.parse(append(slices.Clone(context), candidate))
	if err != nil {
		return statement.Verified{}, err
	}
	if err := orderChains(items); err != nil {
		return statement.Verified{}, err
	}
	keys, err := r.standingKeyring(items, now)
	if err != nil {
		return statement.Verified{}, err
	}
	last := &items[len(items)-1]
	err = r.proveOne(&keys, last)
	if err == nil && last.claims.Type == visit.TypeReinstatement {
		err = keys.mayLift(*last)
	}
	if err != nil {
		return statement.Verified{}, fault.At(err, last.place)
	}
	return last.signed, nil
}

// Stand replays a visit as its events stand now, without judging any condition and without
// demanding receipts.
func Stand(d Dossier, t Trust, now time.Time) (visit.State, error) {
	return NewReader(t).Stand(d, now)
}

// Stand is the function of this name, with the reader's memory.
func (r *Reader) Stand(d Dossier, now time.Time) (visit.State, error) {
	items, err := r.parse(d.Entries)
	if err != nil {
		return visit.State{}, err
	}
	b, err := r.prepare(question{visit: d.Visit, items: items, ask: visit.AskDispatch, now: now, standing: true})
	if err != nil {
		return visit.State{}, err
	}
	return b.state, nil
}

// standingKeyring is the keyring for receiving, not for deciding: with a trust list past its date
// nothing is granted, but evidence and brakes must still come in.
func (r *Reader) standingKeyring(items []item, now time.Time) (keyring, error) {
	k, err := r.keyring(items, now)
	if err != nil && !k.nextAt.IsZero() && !now.Before(k.nextAt) {
		return r.keyring(items, k.nextAt.Add(-time.Second))
	}
	return k, err
}
