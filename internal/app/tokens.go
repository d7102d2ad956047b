package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/store"
)

// tokenPrefix lets people and scanners of leaked files see what a secret is for.
const tokenPrefix = "menshen_"

// SessionCookie is where a browser keeps its session, for pages and API alike.
const SessionCookie = "menshen_session"

// tokenHolds is how long a token of a kind may live. An order's link is used for weeks, a session for
// a working day; a program's token is changed once a year.
var tokenHolds = map[string]time.Duration{
	store.TokenAPI:     366 * 24 * time.Hour,
	store.TokenLink:    90 * 24 * time.Hour,
	store.TokenSession: 24 * time.Hour,
}

var (
	errTokenMalformed = fault.New(fault.Invalid, "token_malformed", "要签发的凭证写得不完整，或者有效期太长。", "The token to be issued is incomplete, or would live too long.")
	errTokenKind      = fault.New(fault.Unauthenticated, "token_kind_not_accepted", "这种凭证不能用在这里，请登录。", "A token of this kind does not open this door; sign in.")
)

// NewToken makes a secret of 256 random bits and the hash that it is kept under.
func NewToken() (secret, hash string) {
	raw := make([]byte, 32)
	rand.Read(raw) // never fails (Go 1.24)
	secret = tokenPrefix + base64.RawURLEncoding.EncodeToString(raw)
	return secret, hashToken(secret)
}

// hashToken is plain SHA-256: a secret of 256 random bits needs no salt and no slow hash.
func hashToken(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// TokenGrant says for whom a token is issued, and until when.
type TokenGrant struct {
	Kind         string // store.TokenAPI, store.TokenLink or store.TokenSession
	Person       string
	Organisation string
	Role         string
	Label        string // what its owner calls it; no personal value
	Until        time.Time
	Phone        bool          // a session of a phone that showed its enrolled key: PhoneHolds long
	Idle         time.Duration // a session that is not used for so long is over; 0 is never
}

// IssueToken keeps a new token and gives its id and its secret, which nobody can read again. Whoever
// calls it has made sure of the person: a command line at the server, or a sign-in.
func (a *App) IssueToken(ctx context.Context, g TokenGrant) (id, secret string, err error) {
	token, secret, err := a.mint(g)
	if err != nil {
		return "", "", err
	}
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		if err := notOfAnother(ctx, tx, actorOf(token)); err != nil {
			return err
		}
		return tx.AddToken(ctx, token)
	})
	if err != nil {
		return "", "", err
	}
	return token.ID, secret, nil
}

// mint makes a token that is not kept yet.
func (a *App) mint(g TokenGrant) (store.Token, string, error) {
	now := a.Now()
	if err := g.check(now); err != nil {
		return store.Token{}, "", err
	}
	secret, hash := NewToken()
	return store.Token{ID: "tok-" + rand.Text(), Hash: hash, Kind: g.Kind, Person: g.Person, Org: g.Organisation, Role: g.Role, Label: g.Label,
		CreatedAt: store.At(now), ExpiresAt: store.At(g.Until), SeenAt: store.At(now), IdleMs: g.Idle.Milliseconds()}, secret, nil
}

func (g TokenGrant) check(now time.Time) error {
	switch {
	case tokenHolds[g.Kind] == 0:
		return errTokenMalformed.At("kind")
	case identifier.CheckID(g.Person) != nil:
		return errTokenMalformed.At("person")
	case identifier.CheckID(g.Organisation) != nil:
		return errTokenMalformed.At("organisation")
	case !slices.Contains(access.Roles(), access.Role(g.Role)) || g.Role == string(access.Platform):
		return errTokenMalformed.At("role") // nobody signs in as menshen itself
	case len(g.Label) > 100:
		return errTokenMalformed.At("label")
	case !g.Until.After(now) || g.Until.After(now.Add(g.longest())):
		return errTokenMalformed.At("until")
	}
	return nil
}

// longest is how long this token may live.
func (g TokenGrant) longest() time.Duration {
	if g.Phone && g.Kind == store.TokenSession {
		return PhoneHolds
	}
	return tokenHolds[g.Kind]
}

// Authenticate finds who a secret belongs to. Only tokens of the given kinds count: an order's link
// is an address, never a proof (design §6). Faults: token_unknown, token_kind_not_accepted, person_of_another_organisation.
func (a *App) Authenticate(ctx context.Context, secret string, kinds ...string) (Actor, error) {
	t, err := a.live(ctx, secret, kinds)
	if err == nil {
		err = a.touch(ctx, t)
	}
	if err != nil {
		return Actor{}, err
	}
	return actorOf(t), nil
}

// AuthenticateUnattended is Authenticate for what a page asks by itself: it is no use of the session, or a page
// left open would keep a forgotten desk signed in.
func (a *App) AuthenticateUnattended(ctx context.Context, secret string, kinds ...string) (Actor, error) {
	t, err := a.live(ctx, secret, kinds)
	if err != nil {
		return Actor{}, err
	}
	return actorOf(t), nil
}

func (a *App) live(ctx context.Context, secret string, kinds []string) (t store.Token, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		if t, err = tx.LiveToken(ctx, hashToken(secret), a.Now()); err != nil {
			return err
		}
		elsewhere, err := onFileElsewhere(ctx, tx, actorOf(t)) // perhaps since the token was issued
		if err == nil && elsewhere {
			err = errOfAnother
		}
		return err
	})
	if err == nil && !slices.Contains(kinds, t.Kind) {
		err = errTokenKind
	}
	return t, err
}

func actorOf(t store.Token) Actor {
	return Actor{Person: t.Person, Organisation: t.Org, Role: t.Role, Token: t.ID}
}

// seenEvery is how exactly a session's last use is kept: each note costs a write.
const seenEvery = time.Minute

// touch notes that a session is in use.
func (a *App) touch(ctx context.Context, t store.Token) error {
	now := a.Now()
	if t.Kind != store.TokenSession || now.Sub(t.SeenAt.Time()) < seenEvery {
		return nil
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error { return tx.TouchToken(ctx, t.ID, now) })
}

// RevokeToken ends a token by its id.
func (a *App) RevokeToken(ctx context.Context, id string) error {
	return a.Store.Write(ctx, func(tx *store.Tx) error { return tx.RevokeToken(ctx, id, a.Now()) })
}

// EndReplaced ends the session that a browser had until somebody signed in on it: its cookie is about to be replaced, and
// nobody could sign out of it, on a phone that several people use least of all. secret is the cookie's, "" for none; one
// that opens nothing any more is no fault.
func (a *App) EndReplaced(ctx context.Context, secret string) error {
	if secret == "" {
		return nil
	}
	before, err := a.live(ctx, secret, []string{store.TokenSession})
	if fault.KindOf(err) == fault.Unauthenticated {
		return nil
	}
	if err != nil {
		return err
	}
	err = a.EndSession(ctx, actorOf(before), before.ID)
	if fault.KindOf(err) == fault.NotFound { // it ended meanwhile
		return nil
	}
	return err
}
