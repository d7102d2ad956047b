package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"
)

// AddChallenge keeps an issued challenge; UsedBy and UsedAt are not read. Fault: record_exists.
func (t *Tx) AddChallenge(ctx context.Context, c Challenge) error {
	n, err := t.q.insertChallenge(ctx, insertChallengeParams{
		NonceHash: c.NonceHash, Visit: c.Visit, Purpose: c.Purpose, IssuedAt: c.IssuedAt, ExpiresAt: c.ExpiresAt,
	})
	if err == nil && n != 1 {
		return errExists.At("challenge")
	}
	return t.wrap(err, "challenge")
}

// Challenge finds one. Fault: challenge_unknown.
func (t *Tx) Challenge(ctx context.Context, nonceHash string) (Challenge, error) {
	c, err := t.q.challenge(ctx, nonceHash)
	if errors.Is(err, sql.ErrNoRows) {
		return Challenge{}, errChallengeUnknown
	}
	return c, t.wrap(err, "challenge")
}

// BurnChallenge uses a challenge up, exactly once, and gives it; by is the digest of what uses it.
// Faults: challenge_unknown, challenge_used, challenge_expired (at ExpiresAt itself already).
func (t *Tx) BurnChallenge(ctx context.Context, nonceHash, by string, now time.Time) (Challenge, error) {
	burned, err := t.q.burnChallenge(ctx, nonceHash, by, At(now))
	if err != nil {
		return Challenge{}, t.wrap(err, "challenge")
	}
	c, err := t.Challenge(ctx, nonceHash)
	switch {
	case err != nil:
		return Challenge{}, err
	case burned == 1:
		return c, nil
	case c.UsedBy != "":
		return Challenge{}, errChallengeUsed
	default:
		return Challenge{}, errChallengeExpired
	}
}

// ForgetChallenges removes challenges that expired before a time.
func (t *Tx) ForgetChallenges(ctx context.Context, before time.Time) (int, error) {
	n, err := t.q.deleteChallenges(ctx, At(before))
	return int(n), t.wrap(err, "challenges")
}

// Binding states.
const (
	BindingReserved = "reserved"
	BindingOpen     = "open"
	BindingEnded    = "ended"
)

// ReserveBinding reserves b.Serial for b.Visit and gives the binding as it then is; b.State and
// b.SinceAt are not read. Device key and firmware stay as they are known where b has none. An open binding with the same tuple, terminal code and merchant stays open
// and passes to the visit (a repair), and the same visit may reserve again. Faults: serial_bound_elsewhere, terminal_code_taken.
func (t *Tx) ReserveBinding(ctx context.Context, b Binding, now time.Time) (Binding, error) {
	old, found, err := optional(t.q.binding(ctx, b.Serial))
	if err != nil {
		return Binding{}, t.wrap(err, "binding")
	}
	if b.DeviceKey == "" {
		b.DeviceKey, b.Firmware = old.DeviceKey, old.Firmware
	}
	if found && old.State != BindingEnded {
		if !sameTerminal(old, b) || old.State == BindingReserved && old.Visit != b.Visit {
			return Binding{}, errBoundElsewhere
		}
		old.Visit, old.DeviceKey, old.Firmware = b.Visit, b.DeviceKey, b.Firmware
		return old, t.wrap(t.q.putBinding(ctx, putBindingParams(old)), "binding")
	}
	_, taken, err := optional(t.q.bindingByTerminal(ctx, b.Acquirer, b.MerchantCodeDigest, b.TerminalCode))
	if err != nil {
		return Binding{}, t.wrap(err, "binding")
	}
	if taken {
		return Binding{}, errTerminalTaken
	}
	b.State, b.SinceAt = BindingReserved, At(now)
	return b, t.wrap(t.q.putBinding(ctx, putBindingParams(b)), "binding")
}

func sameTerminal(a, b Binding) bool {
	return a.Acquirer == b.Acquirer && a.TupleDigest == b.TupleDigest && a.TerminalCode == b.TerminalCode &&
		a.Merchant == b.Merchant && a.MerchantCodeDigest == b.MerchantCodeDigest
}

// OpenBinding opens what visit reserved; open already is fine for the visit that has it. Fault:
// binding_not_reserved.
func (t *Tx) OpenBinding(ctx context.Context, serial, visit string, now time.Time) error {
	b, found, err := optional(t.q.binding(ctx, serial))
	if err != nil {
		return t.wrap(err, "binding")
	}
	if !found || b.Visit != visit || b.State == BindingEnded {
		return errBindingState
	}
	if b.State == BindingOpen {
		return nil
	}
	_, err = t.q.moveBinding(ctx, serial, BindingOpen, At(now))
	return t.wrap(err, "binding")
}

// EndBinding ends a serial's binding or reservation; one that is ended or was never there stays so.
func (t *Tx) EndBinding(ctx context.Context, serial string, now time.Time) error {
	b, found, err := optional(t.q.binding(ctx, serial))
	if err != nil || !found || b.State == BindingEnded {
		return t.wrap(err, "binding")
	}
	_, err = t.q.moveBinding(ctx, serial, BindingEnded, At(now))
	return t.wrap(err, "binding")
}

// EndReservation ends what a visit reserved and never opened; an open binding stays.
func (t *Tx) EndReservation(ctx context.Context, serial, visit string, now time.Time) error {
	b, found, err := optional(t.q.binding(ctx, serial))
	if err != nil || !found || b.State != BindingReserved || b.Visit != visit {
		return t.wrap(err, "binding")
	}
	_, err = t.q.moveBinding(ctx, serial, BindingEnded, At(now))
	return t.wrap(err, "binding")
}

// Binding finds a serial's present or last binding. Fault: record_not_found.
func (t *Tx) Binding(ctx context.Context, serial string) (Binding, error) {
	b, err := t.q.binding(ctx, serial)
	return b, t.wrap(err, "binding")
}

// BindingByTerminal finds which serial holds a terminal code now. Fault: record_not_found.
func (t *Tx) BindingByTerminal(ctx context.Context, acquirer, merchantCodeDigest, terminalCode string) (Binding, error) {
	b, err := t.q.bindingByTerminal(ctx, acquirer, merchantCodeDigest, terminalCode)
	return b, t.wrap(err, "binding")
}

// BindingsOfMerchant gives a merchant's bindings, ended ones too, by serial.
func (t *Tx) BindingsOfMerchant(ctx context.Context, merchant string) ([]Binding, error) {
	list, err := t.q.bindingsOfMerchant(ctx, merchant)
	return list, t.wrap(err, "bindings")
}

// ClaimPhoto says whether a picture belongs to p's visit and step: mine is true when this is its
// first use or the same visit and step again. Otherwise first tells where it was used before.
func (t *Tx) ClaimPhoto(ctx context.Context, p Photo) (first Photo, mine bool, err error) {
	if _, err := t.q.insertPhoto(ctx, p.Sha256, p.Visit, p.Step, p.ClaimedAt); err != nil {
		return Photo{}, false, t.wrap(err, "photo")
	}
	first, err = t.q.photo(ctx, p.Sha256)
	if err != nil {
		return Photo{}, false, t.wrap(err, "photo")
	}
	return first, first.Visit == p.Visit && first.Step == p.Step, nil
}

// PhotosOfVisit gives a visit's claimed pictures, by step.
func (t *Tx) PhotosOfVisit(ctx context.Context, visit string) ([]Photo, error) {
	list, err := t.q.photosOfVisit(ctx, visit)
	return list, t.wrap(err, "photos")
}

// AddIdentity notes that a person has the value behind a keyed hash and says how many people have
// it now, this one included.
func (t *Tx) AddIdentity(ctx context.Context, i Identity) (holders int, err error) {
	if err := t.q.insertIdentity(ctx, i.Field, i.KeyedHash, i.Person, i.AddedAt); err != nil {
		return 0, t.wrap(err, "identity")
	}
	return t.CountIdentity(ctx, i.Field, i.KeyedHash)
}

// CountIdentity says how many people have the value behind a keyed hash.
func (t *Tx) CountIdentity(ctx context.Context, field, keyedHash string) (int, error) {
	n, err := t.q.countIdentity(ctx, field, keyedHash)
	return int(n), t.wrap(err, "identity")
}

// IdentityHolders gives up to limit people who have the value behind a keyed hash, first come first.
func (t *Tx) IdentityHolders(ctx context.Context, field, keyedHash string, limit int) ([]string, error) {
	list, err := t.q.identityHolders(ctx, field, keyedHash, rows(limit))
	return list, t.wrap(err, "identities")
}

// DropIdentities forgets a person's keyed hashes, except those of the fields in keep.
func (t *Tx) DropIdentities(ctx context.Context, person string, keep ...string) error {
	fields, err := t.q.identityFields(ctx, person)
	if err != nil {
		return t.wrap(err, "identities")
	}
	for _, field := range fields {
		if slices.Contains(keep, field) {
			continue
		}
		if _, err := t.q.deleteIdentities(ctx, person, field); err != nil {
			return t.wrap(err, "identities")
		}
	}
	return nil
}

// Permit call states.
const (
	PermitWanted    = "wanted"
	PermitIntended  = "intended"
	PermitCalled    = "called"
	PermitAnswered  = "answered"
	PermitCancelled = "cancelled"
)

// AddPermit keeps a permit as wanted. Fault: record_exists.
func (t *Tx) AddPermit(ctx context.Context, p Permit) error {
	p.State, p.Attempts, p.OutcomeDigest, p.UpdatedAt = PermitWanted, 0, "", p.CreatedAt
	n, err := t.q.insertPermit(ctx, insertPermitParams(p))
	if err == nil && n != 1 {
		return errExists.At("permit")
	}
	return t.wrap(err, "permit")
}

// MovePermit moves a permit from one state to another; a move to intended counts as an attempt.
// outcomeDigest is the host's signed answer, empty before. Fault: permit_state_changed when the
// permit is not in state from (or not there).
func (t *Tx) MovePermit(ctx context.Context, permitDigest, from, to, outcomeDigest string, now time.Time) error {
	attempt := int64(0)
	if to == PermitIntended {
		attempt = 1
	}
	n, err := t.q.movePermit(ctx, movePermitParams{
		PermitDigest: permitDigest, OldState: from, NewState: to, MoreAttempts: attempt,
		OutcomeDigest: outcomeDigest, Now: At(now),
	})
	if err == nil && n != 1 {
		return errPermitState
	}
	return t.wrap(err, "permit")
}

// Permit finds one by its statement's digest. Fault: record_not_found.
func (t *Tx) Permit(ctx context.Context, permitDigest string) (Permit, error) {
	p, err := t.q.permit(ctx, permitDigest)
	return p, t.wrap(err, "permit")
}

// PermitsOfVisit gives a visit's permits, oldest first.
func (t *Tx) PermitsOfVisit(ctx context.Context, visit string) ([]Permit, error) {
	list, err := t.q.permitsOfVisit(ctx, visit)
	return list, t.wrap(err, "permits")
}

// PermitsInState gives up to limit permits in a state, longest there first.
func (t *Tx) PermitsInState(ctx context.Context, state string, limit int) ([]Permit, error) {
	list, err := t.q.permitsInState(ctx, state, rows(limit))
	return list, t.wrap(err, "permits")
}

// optional turns "no rows" into found=false.
func optional[T any](row T, err error) (T, bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return row, false, nil
	}
	return row, err == nil, err
}
