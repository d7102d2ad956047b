package app

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// clerkWaits is how long an owner's page waits for the clerk's phone beside it.
const clerkWaits = 10 * time.Minute

// maxClerks bounds how many clerks' enrolments of one merchant are listed.
const maxClerks = 1000

var (
	errNoInvitation = fault.New(fault.NotFound, "clerk_invitation_over", "店主的邀请没有了或者过期了，请店主再点一次。", "The owner's invitation is gone or over; ask the owner to make another.")
	errClerkTaken   = fault.New(fault.Conflict, "clerk_invitation_taken", "这个邀请已经有一部手机用了，请店主再点一次。", "Another phone has answered this invitation; ask the owner to make another.")
	errClerkAsk     = fault.New(fault.Invalid, "clerk_ask_malformed", "申请写得不完整，或者不是用新密钥签的。", "The request is incomplete, or not signed with the key that it brings.")
	errNotLetIn     = fault.New(fault.Forbidden, "clerk_not_let_in", "店主还没有签字同意，或者已经不让进了。", "The owner has not signed yet, or has ended it.")
)

// ClerkOffer is an owner's offer to one clerk's phone. The code that goes with it is made on the owner's
// page and shown to the clerk; menshen never sees it, so it cannot put another key in between.
type ClerkOffer struct {
	Clerk        string // holder id: the merchant's, a dot, and a name made here
	Organisation string // the merchant's acquirer
	Until        time.Time
}

// InviteClerk opens a place for one clerk's phone, for ten minutes.
func (a *App) InviteClerk(ctx context.Context, actor Actor) (ClerkOffer, error) {
	if err := ownersOnly(actor); err != nil {
		return ClerkOffer{}, err
	}
	now := a.Now()
	i := ClerkOffer{Clerk: actor.Person + "." + strings.ToLower(rand.Text()[:10]), Organisation: actor.Organisation, Until: now.Add(clerkWaits)}
	err := a.Store.Write(ctx, func(tx *store.Tx) error {
		return tx.AddClerkAsk(ctx, store.ClerkAsk{Clerk: i.Clerk, Merchant: actor.Person, Org: actor.Organisation, CreatedAt: store.At(now), ExpiresAt: store.At(i.Until)})
	})
	return i, err
}

// ownersOnly keeps to merchants what the table grants organisations too: an organisation has no clerks.
func ownersOnly(actor Actor) error {
	if actor.Role != visit.RoleMerchant {
		return access.Require("", visit.Enrol, access.Self)
	}
	return access.Require(access.Merchant, visit.Enrol, access.Self)
}

// AskAsClerk takes what a clerk's phone sends after the code is typed or scanned. The first phone takes the
// place; the same request again is the same. The proof is for the owner's page to check.
func (a *App) AskAsClerk(ctx context.Context, ask orgapi.EnrolmentAsk) error {
	if err := checkClerkAsk(ask); err != nil {
		return err
	}
	data, err := statement.Canonical(ask)
	if err != nil {
		return err
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		row, err := a.invitation(ctx, tx, ask.Holder)
		if err != nil {
			return err
		}
		if row.Org != ask.Organisation {
			return errClerkAsk.At("organisation")
		}
		if row.Ask != "" {
			return sameClerk(row, ask)
		}
		filled, err := tx.FillClerkAsk(ctx, ask.Holder, string(data))
		if err == nil && !filled {
			return errClerkTaken
		}
		return err
	})
}

// checkClerkAsk refuses a phone that cannot sign with what it brings.
func checkClerkAsk(ask orgapi.EnrolmentAsk) error {
	proof, err := statement.Base64(ask.Proof)
	if err != nil || len(proof) != len(credential.CodeKey{}) || ask.Role != string(access.Clerk) || ask.HeldBy != statement.HeldByHolder {
		return errClerkAsk
	}
	envelope, err := statement.Base64(ask.Possession)
	if err != nil {
		return errClerkAsk.At("possession")
	}
	v, err := statement.Verify(envelope, ask.Key)
	if err != nil {
		return errClerkAsk.At("possession").Because(err)
	}
	var body registry.EnrolmentRequest
	err = v.Body(registry.TypeEnrolmentRequest, &body)
	if h := v.Header(); err != nil || body.Proof != ask.Proof || h.Signer != ask.Holder || h.Organisation != ask.Organisation || h.Role != ask.Role {
		return errClerkAsk.At("possession")
	}
	return nil
}

func (a *App) invitation(ctx context.Context, tx *store.Tx, clerk string) (store.ClerkAsk, error) {
	row, err := tx.ClerkAsk(ctx, clerk, a.Now())
	if fault.KindOf(err) == fault.NotFound {
		return row, errNoInvitation
	}
	return row, err
}

// sameClerk lets the phone that took the place ask again.
func sameClerk(row store.ClerkAsk, ask orgapi.EnrolmentAsk) error {
	var kept orgapi.EnrolmentAsk
	if err := statement.Decode([]byte(row.Ask), &kept); err != nil {
		return err
	}
	if kept.Proof != ask.Proof || kept.Key.Thumbprint() != ask.Key.Thumbprint() {
		return errClerkTaken
	}
	return nil
}

// ClerkAsk gives the owner's page what the clerk's phone sent; nil for nothing yet. Only the owner who
// invited sees it.
func (a *App) ClerkAsk(ctx context.Context, actor Actor, clerk string) (*orgapi.EnrolmentAsk, error) {
	var row store.ClerkAsk
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		var err error
		row, err = a.invitation(ctx, tx, clerk)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case row.Merchant != actor.Person || row.Org != actor.Organisation || actor.Role != visit.RoleMerchant:
		return nil, errNoInvitation
	case row.Ask == "":
		return nil, nil
	}
	var ask orgapi.EnrolmentAsk
	return &ask, statement.Decode([]byte(row.Ask), &ask)
}

// SignInClerk signs a clerk's phone in once the owner has signed its key. The proof that it sent names it:
// only this phone and the owner's page can make it.
func (a *App) SignInClerk(ctx context.Context, clerk, proof string) (secret string, until time.Time, err error) {
	var ask orgapi.EnrolmentAsk
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		row, err := a.invitation(ctx, tx, clerk)
		if err != nil {
			return err
		}
		if row.Ask == "" {
			return errNotLetIn
		}
		return statement.Decode([]byte(row.Ask), &ask)
	})
	if err != nil {
		return "", time.Time{}, err
	}
	if !hmac.Equal([]byte(ask.Proof), []byte(proof)) {
		return "", time.Time{}, errNotLetIn
	}
	who := Actor{Person: clerk, Organisation: ask.Organisation, Role: ask.Role}
	in, err := a.letIn(ctx, who, ask.Key.Thumbprint())
	if err == nil && !in {
		err = errNotLetIn
	}
	if err != nil {
		return "", time.Time{}, err
	}
	return a.phoneSession(ctx, who, ask.Key.Thumbprint())
}

// letIn says whether the clerk's key counts now: the owner signed it, nothing ended it, and the owner's own
// key still counts.
func (a *App) letIn(ctx context.Context, who Actor, thumb string) (in bool, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		_, err := a.keyInForce(ctx, tx, who, thumb)
		in = err == nil
		if fault.CodeOf(err) == errPhoneKey.Code {
			return nil
		}
		return err
	})
	return in, err
}

// Clerk is one phone that an owner let in.
type Clerk struct {
	Clerk string
	Key   string // thumbprint
	Since statement.Time
	Until statement.Time
	Ended bool
}

// Clerks lists the phones that the merchant let in, the oldest first.
func (a *App) Clerks(ctx context.Context, actor Actor) ([]Clerk, error) {
	if err := ownersOnly(actor); err != nil {
		return nil, err
	}
	var list []Clerk
	inForce := map[string]bool{}
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		events, err := tx.Events(ctx, store.Stream{Kind: visit.StreamPerson, ID: actor.Person}, 1, maxClerks)
		if err != nil {
			return err
		}
		for _, e := range events {
			envelope, err := tx.Statement(ctx, e.StatementDigest)
			if err != nil {
				return err
			}
			if list, err = addClerk(list, envelope); err != nil {
				return err
			}
		}
		for _, c := range list {
			_, err := a.keyInForce(ctx, tx, Actor{Person: c.Clerk, Organisation: actor.Organisation, Role: visit.RoleClerk}, c.Key)
			if err != nil && fault.CodeOf(err) != errPhoneKey.Code {
				return err
			}
			inForce[c.Key] = err == nil
		}
		return nil
	})
	for i := range list {
		list[i].Ended = list[i].Ended || !inForce[list[i].Key] // also where the owner's own key, which let it in, ended
	}
	return list, err
}

func addClerk(list []Clerk, envelope []byte) ([]Clerk, error) {
	c, err := statement.Parse(envelope)
	if err != nil {
		return nil, err
	}
	switch c.Type {
	case statement.TypeEnrolment:
		var e statement.Enrolment
		if err := c.UntrustedBody(&e); err != nil {
			return nil, err
		}
		list = append(list, Clerk{Clerk: e.Holder, Key: e.Key.Thumbprint(), Since: e.From, Until: e.Until})
	case statement.TypeEnrolmentEnd:
		var e statement.EnrolmentEnd
		if err := c.UntrustedBody(&e); err != nil {
			return nil, err
		}
		for i := range list {
			list[i].Ended = list[i].Ended || list[i].Key == e.Key
		}
	}
	return list, nil
}
