package app

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/store"
)

var (
	errInvitation = fault.New(fault.Refused, "invitation_not_open", "邀请码不对、用过了，或者过期了。请向发邀请的人要一个新的。",
		"The code is wrong, used or over. Ask whoever invited you for a new one.")
	errNoInvite = fault.New(fault.NotFound, "invitation_not_found", "本单位没有这张还能用的邀请。", "Your organisation has no such invitation open.")
	errInvite   = fault.New(fault.Invalid, "invitation_malformed", "邀请写得不完整，或者有效期太长。", "The invitation is incomplete, or would hold too long.")
)

// invitationHolds is the longest that an invitation may wait.
const invitationHolds = 7 * 24 * time.Hour

// Invitation says who is let in to the pages, as what, and until when the code may be used.
type Invitation struct {
	Person, Organisation, Role string
	// Recover ends the account's earlier passkeys and sessions when the code is used: for somebody
	// who lost his phone.
	Recover bool
	Until   time.Time
}

// Invite makes an invitation in the name of by and gives its code, which nobody can read again. An
// earlier open one for the same account ends.
func (a *App) Invite(ctx context.Context, by string, i Invitation) (code string, err error) {
	now := a.Now()
	switch {
	case identifier.CheckID(i.Person) != nil:
		return "", errInvite.At("person")
	case identifier.CheckID(i.Organisation) != nil:
		return "", errInvite.At("organisation")
	case !slices.Contains(access.Roles(), access.Role(i.Role)) || i.Role == string(access.Platform):
		return "", errInvite.At("role")
	case !i.Until.After(now) || i.Until.After(now.Add(invitationHolds)):
		return "", errInvite.At("until")
	}
	code = rand.Text()[:20] // 100 bits, to be typed once
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		if err := notOfAnother(ctx, tx, Actor{Person: i.Person, Organisation: i.Organisation, Role: i.Role}); err != nil {
			return err
		}
		return tx.AddInvitation(ctx, store.Invitation{ID: "inv-" + rand.Text(), Hash: hashToken(code), Person: i.Person, Org: i.Organisation, Role: i.Role,
			MadeBy: by, Recovers: i.Recover, CreatedAt: store.At(now), ExpiresAt: store.At(i.Until)})
	})
	if err != nil {
		return "", err
	}
	return strings.Join([]string{code[:5], code[5:10], code[10:15], code[15:]}, "-"), nil
}

// InviteColleague is Invite by somebody signed in: for his own organisation, and only for roles that his
// own may let in.
func (a *App) InviteColleague(ctx context.Context, actor Actor, i Invitation) (string, error) {
	i.Organisation = actor.Organisation
	if err := access.RequireInvite(access.Role(actor.Role), access.Role(i.Role)); err != nil {
		return "", err
	}
	return a.Invite(ctx, actor.Person, i)
}

// Invitations gives those of the actor's organisation, newest first.
func (a *App) Invitations(ctx context.Context, actor Actor) (list []store.Invitation, err error) {
	if len(access.Invites(access.Role(actor.Role))) == 0 {
		return nil, access.RequireInvite(access.Role(actor.Role), "")
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		list, err = tx.InvitationsOf(ctx, actor.Organisation, maxPage)
		return err
	})
	return list, err
}

// WithdrawInvitation ends one of the actor's organisation before it is used. Fault: invitation_not_found, also of another's.
func (a *App) WithdrawInvitation(ctx context.Context, actor Actor, id string) error {
	if len(access.Invites(access.Role(actor.Role))) == 0 {
		return access.RequireInvite(access.Role(actor.Role), "")
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		i, err := tx.OpenInvitationByID(ctx, id, a.Now())
		if fault.KindOf(err) == fault.NotFound {
			return errNoInvite
		}
		if err != nil {
			return err
		}
		if i.Org != actor.Organisation {
			return errNoInvite
		}
		if err := access.RequireInvite(access.Role(actor.Role), access.Role(i.Role)); err != nil {
			return err
		}
		return tx.EndInvitation(ctx, id, a.Now())
	})
}

// plainCode takes a code as people type it.
func plainCode(code string) string {
	return strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
}

// BeginJoin asks for the first passkey of whoever was invited. Fault: invitation_not_open.
func (a *App) BeginJoin(ctx context.Context, origin, code string) (Options, error) {
	var i store.Invitation
	var account store.Account
	err := a.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if i, err = tx.OpenInvitation(ctx, hashToken(plainCode(code)), a.Now()); err != nil {
			return err
		}
		account, err = tx.AccountOf(ctx, store.Account{Handle: newHandle(), Person: i.Person, Org: i.Org, Role: i.Role, CreatedAt: store.At(a.Now())})
		return err
	})
	if fault.KindOf(err) == fault.NotFound {
		return Options{}, errInvitation
	}
	if err != nil {
		return Options{}, err
	}
	u, err := a.user(ctx, account.Handle)
	if err != nil {
		return Options{}, err
	}
	if i.Recovers {
		u.keys = nil // the old ones end with it; the same phone may come again
	}
	return a.beginRegistration(ctx, origin, store.CeremonyJoin, i.ID, u)
}

// FinishJoin keeps the first passkey, uses the invitation up and begins a session, all or nothing.
func (a *App) FinishJoin(ctx context.Context, origin, secret, name string, answer []byte, device string) (SignedIn, error) {
	c, session, err := a.take(ctx, secret, store.CeremonyJoin)
	if err != nil {
		return SignedIn{}, err
	}
	var i store.Invitation
	var account store.Account
	err = a.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if i, err = tx.OpenInvitationByID(ctx, c.Subject, a.Now()); err != nil {
			return err
		}
		account, err = tx.FindAccount(ctx, i.Person, i.Org, i.Role)
		return err
	})
	if fault.KindOf(err) == fault.NotFound {
		return SignedIn{}, errInvitation
	}
	if err != nil {
		return SignedIn{}, err
	}
	p, err := a.register(origin, name, accountUser{Account: account}, session, answer)
	if err != nil {
		return SignedIn{}, err
	}
	signed, err := a.begin(ctx, account, device, func(tx *store.Tx) error { return a.join(ctx, tx, i, account, p) })
	if fault.KindOf(err) == fault.NotFound {
		return SignedIn{}, errInvitation // somebody was faster
	}
	return signed, err
}

func (a *App) join(ctx context.Context, tx *store.Tx, i store.Invitation, account store.Account, p store.Passkey) error {
	if err := tx.EndInvitation(ctx, i.ID, a.Now()); err != nil {
		return err
	}
	if i.Recovers {
		if err := tx.RemovePasskeysOf(ctx, account.Handle, a.Now()); err != nil {
			return err
		}
		if _, err := tx.EndSessions(ctx, "", i.Person, i.Org, i.Role, a.Now()); err != nil {
			return err
		}
	}
	return tx.AddPasskey(ctx, p)
}
