package store

import (
	"context"
	"time"
)

// Kinds of ceremony.
const (
	CeremonySignIn = "sign_in" // with a passkey that is there
	CeremonyJoin   = "join"    // the first passkey, by an invitation
	CeremonyAdd    = "add"     // one more, by somebody signed in
)

// AccountOf gives the account of a person in a role, made with this handle if there is none yet.
func (t *Tx) AccountOf(ctx context.Context, a Account) (Account, error) {
	if err := t.q.insertAccount(ctx, insertAccountParams(a)); err != nil {
		return Account{}, t.wrap(err, "account")
	}
	found, err := t.q.accountOf(ctx, a.Person, a.Org, a.Role)
	return found, t.sealed(ctx, t.wrap(err, "account"), "accounts", "handle", found.Handle)
}

// FindAccount finds the account of a person in a role. Fault: record_not_found.
func (t *Tx) FindAccount(ctx context.Context, person, org, role string) (Account, error) {
	a, err := t.q.accountOf(ctx, person, org, role)
	return a, t.wrap(err, "account")
}

// Account finds an account by its handle. Fault: record_not_found.
func (t *Tx) Account(ctx context.Context, handle string) (Account, error) {
	a, err := t.q.account(ctx, handle)
	return a, t.wrap(err, "account")
}

// AddPasskey keeps a passkey of an account. Fault: record_exists when its credential id is taken, by whomever.
func (t *Tx) AddPasskey(ctx context.Context, p Passkey) error {
	n, err := t.q.insertPasskey(ctx, insertPasskeyParams{ID: p.ID, Handle: p.Handle, Name: p.Name, Doc: filled(p.Doc), CreatedAt: p.CreatedAt})
	if err == nil && n != 1 {
		return errExists.At("passkey")
	}
	return t.sealed(ctx, t.wrap(err, "passkey"), "passkeys", "id", p.ID)
}

// PasskeysOf gives the passkeys of an account that are not removed, oldest first.
func (t *Tx) PasskeysOf(ctx context.Context, handle string) ([]Passkey, error) {
	list, err := t.q.passkeysOf(ctx, handle)
	return list, t.wrap(err, "passkeys")
}

// UsePasskey keeps what the library now says of a passkey, its counter above all. Fault:
// record_not_found when it was removed meanwhile.
func (t *Tx) UsePasskey(ctx context.Context, id string, doc []byte, now time.Time) error {
	n, err := t.q.usePasskey(ctx, id, filled(doc), At(now))
	return t.sealed(ctx, t.one(n, err, "passkey"), "passkeys", "id", id)
}

// RenamePasskey names a passkey of an account. Fault: record_not_found.
func (t *Tx) RenamePasskey(ctx context.Context, id, handle, name string) error {
	n, err := t.q.renamePasskey(ctx, id, handle, name)
	return t.sealed(ctx, t.one(n, err, "passkey"), "passkeys", "id", id)
}

// RemovePasskey ends a passkey of an account. Fault: record_not_found.
func (t *Tx) RemovePasskey(ctx context.Context, id, handle string, now time.Time) error {
	n, err := t.q.removePasskey(ctx, id, handle, At(now))
	return t.sealed(ctx, t.one(n, err, "passkey"), "passkeys", "id", id)
}

// RemovePasskeysOf ends all passkeys of an account.
func (t *Tx) RemovePasskeysOf(ctx context.Context, handle string, now time.Time) error {
	return t.sealed(ctx, t.wrap(t.q.removePasskeysOf(ctx, handle, At(now)), "passkeys"), "passkeys", "handle", handle)
}

// AddInvitation keeps an invitation by the hash of its code, and ends those before it for the same
// account. Fault: record_exists.
func (t *Tx) AddInvitation(ctx context.Context, i Invitation) error {
	if err := t.q.endInvitationsOf(ctx, i.Person, i.Org, i.Role, i.CreatedAt); err != nil {
		return t.wrap(err, "invitation")
	}
	n, err := t.q.insertInvitation(ctx, insertInvitationParams{ID: i.ID, Hash: i.Hash, Person: i.Person, Org: i.Org, Role: i.Role,
		MadeBy: i.MadeBy, Recovers: i.Recovers, CreatedAt: i.CreatedAt, ExpiresAt: i.ExpiresAt})
	if err == nil && n != 1 {
		return errExists.At("invitation")
	}
	if err != nil {
		return t.wrap(err, "invitation")
	}
	return t.sealWhere(ctx, "invitations", []string{"person", "org", "role"}, i.Person, i.Org, i.Role)
}

// OpenInvitation finds an invitation by its code's hash, if it is neither used nor over. Fault: record_not_found.
func (t *Tx) OpenInvitation(ctx context.Context, hash string, now time.Time) (Invitation, error) {
	i, err := t.q.openInvitation(ctx, hash, At(now))
	return i, t.wrap(err, "invitation")
}

// OpenInvitationByID is OpenInvitation by id.
func (t *Tx) OpenInvitationByID(ctx context.Context, id string, now time.Time) (Invitation, error) {
	i, err := t.q.openInvitationByID(ctx, id, At(now))
	return i, t.wrap(err, "invitation")
}

// EndInvitation uses up or withdraws an invitation. Fault: record_not_found when that was done already.
func (t *Tx) EndInvitation(ctx context.Context, id string, now time.Time) error {
	n, err := t.q.endInvitation(ctx, id, At(now))
	return t.sealed(ctx, t.one(n, err, "invitation"), "invitations", "id", id)
}

// InvitationsOf gives an organisation's invitations, newest first.
func (t *Tx) InvitationsOf(ctx context.Context, org string, limit int) ([]Invitation, error) {
	list, err := t.q.invitationsOfOrg(ctx, org, rows(limit))
	return list, t.wrap(err, "invitations")
}

// AddCeremony keeps a challenge until it is answered, and forgets those that are long over.
func (t *Tx) AddCeremony(ctx context.Context, c Ceremony, now time.Time) error {
	if err := t.q.deleteCeremonies(ctx, At(now.Add(-time.Hour))); err != nil {
		return t.wrap(err, "ceremony")
	}
	if err := t.q.deleteSealsOfCeremonies(ctx); err != nil {
		return t.wrap(err, "ceremony")
	}
	err := t.q.insertCeremony(ctx, insertCeremonyParams{Hash: c.Hash, Kind: c.Kind, Subject: c.Subject, Doc: filled(c.Doc), ExpiresAt: c.ExpiresAt})
	return t.sealed(ctx, t.wrap(err, "ceremony"), "ceremonies", "hash", c.Hash)
}

// TakeCeremony gives a challenge to the first who answers it; from then on it is used, whatever comes
// of the answer. Fault: record_not_found when it is used, over, of another kind or never was.
func (t *Tx) TakeCeremony(ctx context.Context, hash, kind string, now time.Time) (Ceremony, error) {
	c, err := t.q.ceremony(ctx, hash, kind, At(now))
	if err != nil {
		return Ceremony{}, t.wrap(err, "ceremony")
	}
	n, err := t.q.useCeremony(ctx, hash, At(now))
	return c, t.sealed(ctx, t.one(n, err, "ceremony"), "ceremonies", "hash", hash)
}

// TouchToken notes that a token was used.
func (t *Tx) TouchToken(ctx context.Context, id string, now time.Time) error {
	return t.wrap(t.q.touchToken(ctx, id, At(now)), "token")
}

// SessionsOf gives the sessions of a person in a role that are not over, oldest first.
func (t *Tx) SessionsOf(ctx context.Context, person, org, role string, now time.Time) ([]Token, error) {
	list, err := t.q.liveSessionsOf(ctx, person, org, role, At(now))
	return list, t.wrap(err, "sessions")
}

// EndSession ends one session of a person in a role. Fault: record_not_found.
func (t *Tx) EndSession(ctx context.Context, id, person, org, role string, now time.Time) error {
	n, err := t.q.revokeSessionOf(ctx, revokeSessionOfParams{Now: At(now), ID: id, Person: person, Org: org, Role: role})
	return t.sealed(ctx, t.one(n, err, "session"), "tokens", "id", id)
}

// EndSessions ends all sessions of a person in a role but one, "" for all; it says how many.
func (t *Tx) EndSessions(ctx context.Context, but, person, org, role string, now time.Time) (int, error) {
	n, err := t.q.revokeSessionsBut(ctx, revokeSessionsButParams{Now: At(now), But: but, Person: person, Org: org, Role: role})
	return int(n), t.sealed(ctx, t.wrap(err, "sessions"), "tokens", "person", person)
}

// one wants exactly one row to have changed.
func (t *Tx) one(n int64, err error, what string) error {
	if err == nil && n != 1 {
		return errNotFound.At(what)
	}
	return t.wrap(err, what)
}
