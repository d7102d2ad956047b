package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
)

// People sign in with passkeys (WebAuthn level 3). A passkey here opens pages and nothing else: its
// challenges begin with signInDomain and are longer than a digest, so that no assertion of it is ever
// one over a statement, and it is enrolled nowhere, so that none would count (design §6).

var (
	errSignIn = fault.New(fault.Unauthenticated, "sign_in_failed", "没有登录成功。请再试一次；换过手机，找本单位的人要一个新的邀请。",
		"Sign-in failed. Try again; if you changed phones, ask your organisation for a new invitation.")
	errPasskey = fault.New(fault.Refused, "passkey_not_made", "通行密钥没有建成，请再试一次。手机要设了锁屏密码、指纹或人脸才能用。",
		"The passkey was not made; try again. The device needs a screen lock, fingerprint or face.")
	errPasskeyCopied = fault.New(fault.Refused, "passkey_counter_back", "这把通行密钥像是被复制过，不能用来登录。请要一个新的邀请。",
		"This passkey looks copied and signs nobody in. Ask for a new invitation.")
	errPasskeyName = fault.New(fault.Invalid, "passkey_name_malformed", "名字要有 1 到 40 个字。", "A name has 1 to 40 characters.")
	errPasskeyLast = fault.New(fault.Refused, "passkey_is_last", "这是最后一把，去掉就进不来了。先加一把新的。", "This is the last one; without it you could not get in. Add another first.")
	errNoSite      = fault.New(fault.Refused, "sign_in_not_configured", "还没有设置网址，不能用通行密钥登录。请运营方在配置里填 public_url。",
		"Passkeys need the site's address; the operator sets public_url in the config.")
)

// signInDomain begins every challenge of a sign-in passkey. A statement's challenge is 32 bytes of SHA-256.
const signInDomain = "menshen-sign-in-v1:"

// ceremonyHolds is how long a challenge waits for its answer.
const ceremonyHolds = 5 * time.Minute

// sessionLimit bounds a session of a role: whole, and while nobody uses it.
type sessionLimit struct{ whole, idle time.Duration }

// sessionLimits are stricter the more a role can do from somebody's unlocked desk.
var sessionLimits = map[string]sessionLimit{
	"risk": {12 * time.Hour, 30 * time.Minute}, "approver": {12 * time.Hour, time.Hour}, "regulator": {12 * time.Hour, time.Hour},
	"dispatcher": {12 * time.Hour, 2 * time.Hour}, "supervisor": {12 * time.Hour, 2 * time.Hour}, "technician": {18 * time.Hour, 8 * time.Hour},
}

var otherSession = sessionLimit{12 * time.Hour, time.Hour}

func limitOf(role string) sessionLimit {
	if l, ok := sessionLimits[role]; ok {
		return l
	}
	return otherSession
}

// Options is what the browser's credential API is called with, and the secret of the cookie that binds
// the challenge to this browser.
type Options struct {
	JSON   []byte
	Secret string
	Until  time.Time
}

// SignedIn is a session that has begun.
type SignedIn struct {
	Secret string
	Until  time.Time
	Actor  Actor
}

// accountUser shows an account to the library.
type accountUser struct {
	store.Account
	keys []webauthn.Credential
}

func (u accountUser) WebAuthnID() []byte {
	id, _ := base64.RawURLEncoding.DecodeString(u.Handle) // written by newHandle
	return id
}
func (u accountUser) WebAuthnName() string                       { return u.Person + " · " + u.Org + " · " + u.Role }
func (u accountUser) WebAuthnDisplayName() string                { return u.WebAuthnName() }
func (u accountUser) WebAuthnCredentials() []webauthn.Credential { return u.keys }

// newHandle names an account to authenticators: 64 random bytes that say nothing of the person.
func newHandle() string {
	var raw [64]byte
	rand.Read(raw[:]) // never fails (Go 1.24)
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

func challengeBytes() []byte {
	var raw [32]byte
	rand.Read(raw[:])
	return append([]byte(signInDomain), raw[:]...)
}

// relyingParty is the library for one origin: user verification always, credentials that the
// authenticator finds by itself, no attestation.
func relyingParty(origin string) (*webauthn.WebAuthn, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Hostname() == "" {
		return nil, errNoSite
	}
	rp, err := webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: "门神 menshen", RPOrigins: []string{origin}, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired}})
	if err != nil {
		return nil, errNoSite.Because(err)
	}
	return rp, nil
}

// BeginSignIn makes a challenge for whoever is at the browser. It names nobody and looks nobody up, so
// that nobody learns who has an account.
func (a *App) BeginSignIn(ctx context.Context, origin string) (Options, error) {
	rp, err := relyingParty(origin)
	if err != nil {
		return Options{}, err
	}
	request, session, err := rp.BeginDiscoverableLogin(webauthn.WithChallenge(challengeBytes()), webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return Options{}, errSignIn.Because(err)
	}
	return a.wait(ctx, store.CeremonySignIn, "", request.Response, session)
}

// FinishSignIn begins a session for whoever answered the challenge with a passkey of an account. A
// challenge counts once, right or wrong. Whatever the reason, an answer that does not fit is sign_in_failed.
func (a *App) FinishSignIn(ctx context.Context, origin, secret string, answer []byte, device string) (SignedIn, error) {
	rp, err := relyingParty(origin)
	if err != nil {
		return SignedIn{}, err
	}
	_, session, err := a.take(ctx, secret, store.CeremonySignIn)
	if err != nil {
		return SignedIn{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return SignedIn{}, errSignIn.Because(err)
	}
	var down error // a store that does not answer is no wrong passkey
	user, key, err := rp.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		u, err := a.user(ctx, base64.RawURLEncoding.EncodeToString(handle))
		if fault.KindOf(err) != fault.NotFound {
			down = err
		}
		return u, err
	}, session, parsed)
	switch {
	case down != nil:
		return SignedIn{}, down
	case err != nil:
		return SignedIn{}, errSignIn.Because(err)
	case key.Authenticator.CloneWarning:
		return SignedIn{}, errPasskeyCopied
	}
	account := user.(accountUser).Account
	doc, err := json.Marshal(key)
	if err != nil {
		return SignedIn{}, err
	}
	return a.begin(ctx, account, device, func(tx *store.Tx) error { return tx.UsePasskey(ctx, keyID(key.ID), doc, a.Now()) })
}

// begin writes a new session beside what else its sign-in writes.
func (a *App) begin(ctx context.Context, account store.Account, device string, also func(*store.Tx) error) (SignedIn, error) {
	limit := limitOf(account.Role)
	g := TokenGrant{Kind: store.TokenSession, Person: account.Person, Organisation: account.Org, Role: account.Role, Label: device,
		Until: a.Now().Add(limit.whole), Idle: limit.idle}
	token, secret, err := a.mint(g)
	if err != nil {
		return SignedIn{}, err
	}
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		if err := notOfAnother(ctx, tx, actorOf(token)); err != nil {
			return err
		}
		if err := also(tx); err != nil {
			return err
		}
		return tx.AddToken(ctx, token)
	})
	if err != nil {
		return SignedIn{}, err
	}
	return SignedIn{Secret: secret, Until: g.Until, Actor: Actor{Person: account.Person, Organisation: account.Org, Role: account.Role, Token: token.ID}}, nil
}

func (a *App) user(ctx context.Context, handle string) (accountUser, error) {
	var u accountUser
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		account, err := tx.Account(ctx, handle)
		if err != nil {
			return err
		}
		kept, err := tx.PasskeysOf(ctx, handle)
		u = accountUser{Account: account}
		for _, k := range kept {
			var c webauthn.Credential
			if err := json.Unmarshal(k.Doc, &c); err != nil {
				return err
			}
			u.keys = append(u.keys, c)
		}
		return err
	})
	return u, err
}

// wait keeps a challenge on the server until it is answered.
func (a *App) wait(ctx context.Context, kind, subject string, options any, session *webauthn.SessionData) (Options, error) {
	data, err := json.Marshal(options)
	if err != nil {
		return Options{}, err
	}
	doc, err := json.Marshal(session)
	if err != nil {
		return Options{}, err
	}
	secret, hash := NewToken()
	until := a.Now().Add(ceremonyHolds)
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		return tx.AddCeremony(ctx, store.Ceremony{Hash: hash, Kind: kind, Subject: subject, Doc: doc, ExpiresAt: store.At(until)}, a.Now())
	})
	return Options{JSON: data, Secret: secret, Until: until}, err
}

// take uses up a challenge, in a transaction of its own: a wrong answer does not bring it back.
func (a *App) take(ctx context.Context, secret, kind string) (store.Ceremony, webauthn.SessionData, error) {
	var c store.Ceremony
	var session webauthn.SessionData
	err := a.Store.Write(ctx, func(tx *store.Tx) (err error) {
		c, err = tx.TakeCeremony(ctx, hashToken(secret), kind, a.Now())
		return err
	})
	if fault.KindOf(err) == fault.NotFound {
		return c, session, errSignIn.Because(err)
	}
	if err == nil {
		err = json.Unmarshal(c.Doc, &session)
	}
	return c, session, err
}

func keyID(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }

// beginRegistration asks the browser for a passkey of an account.
func (a *App) beginRegistration(ctx context.Context, origin, kind, subject string, u accountUser) (Options, error) {
	rp, err := relyingParty(origin)
	if err != nil {
		return Options{}, err
	}
	creation, session, err := rp.BeginRegistration(u, webauthn.WithExclusions(webauthn.Credentials(u.keys).CredentialDescriptors()),
		webauthn.WithCredentialParameters([]protocol.CredentialParameter{{Type: protocol.PublicKeyCredentialType, Algorithm: -7}, {Type: protocol.PublicKeyCredentialType, Algorithm: -257}}))
	if err != nil {
		return Options{}, errPasskey.Because(err)
	}
	return a.wait(ctx, kind, subject, creation.Response, session)
}

// register checks the browser's answer and gives the row of the new passkey.
func (a *App) register(origin, name string, u accountUser, session webauthn.SessionData, answer []byte) (store.Passkey, error) {
	if n := len([]rune(name)); n < 1 || n > 40 {
		return store.Passkey{}, errPasskeyName
	}
	rp, err := relyingParty(origin)
	if err != nil {
		return store.Passkey{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return store.Passkey{}, errPasskey.Because(err)
	}
	key, err := rp.CreateCredential(u, session, parsed)
	if err != nil {
		return store.Passkey{}, errPasskey.Because(err)
	}
	if !key.Flags.UserVerified {
		return store.Passkey{}, errPasskey.Because(errors.New("user not verified"))
	}
	doc, err := json.Marshal(key)
	return store.Passkey{ID: keyID(key.ID), Handle: u.Handle, Name: name, Doc: doc, CreatedAt: store.At(a.Now())}, err
}

// Passkeys gives the actor's own passkeys.
func (a *App) Passkeys(ctx context.Context, actor Actor) (list []store.Passkey, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		account, err := tx.FindAccount(ctx, actor.Person, actor.Organisation, actor.Role)
		if fault.KindOf(err) == fault.NotFound {
			return nil // came by a link or token: has none
		}
		if err == nil {
			list, err = tx.PasskeysOf(ctx, account.Handle)
		}
		return err
	})
	return list, err
}

// BeginAddPasskey asks for one more passkey of somebody signed in.
func (a *App) BeginAddPasskey(ctx context.Context, actor Actor, origin string) (Options, error) {
	u, err := a.mine(ctx, actor)
	if err != nil {
		return Options{}, err
	}
	return a.beginRegistration(ctx, origin, store.CeremonyAdd, u.Handle, u)
}

// FinishAddPasskey keeps it.
func (a *App) FinishAddPasskey(ctx context.Context, actor Actor, origin, secret, name string, answer []byte) error {
	u, err := a.mine(ctx, actor)
	if err != nil {
		return err
	}
	c, session, err := a.take(ctx, secret, store.CeremonyAdd)
	if err != nil {
		return err
	}
	if c.Subject != u.Handle {
		return errSignIn
	}
	p, err := a.register(origin, name, u, session, answer)
	if err != nil {
		return err
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error { return tx.AddPasskey(ctx, p) })
}

// mine is the actor's own account.
func (a *App) mine(ctx context.Context, actor Actor) (accountUser, error) {
	var account store.Account
	err := a.Store.Read(ctx, func(tx *store.Tx) (err error) {
		account, err = tx.FindAccount(ctx, actor.Person, actor.Organisation, actor.Role)
		return err
	})
	if err != nil {
		return accountUser{}, err
	}
	return a.user(ctx, account.Handle)
}

// RenamePasskey names one of the actor's passkeys.
func (a *App) RenamePasskey(ctx context.Context, actor Actor, id, name string) error {
	if n := len([]rune(name)); n < 1 || n > 40 {
		return errPasskeyName
	}
	u, err := a.mine(ctx, actor)
	if err != nil {
		return err
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error { return tx.RenamePasskey(ctx, id, u.Handle, name) })
}

// RemovePasskey ends one of the actor's passkeys, never the last. Sessions that it began stay: they are
// listed and ended by themselves.
func (a *App) RemovePasskey(ctx context.Context, actor Actor, id string) error {
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		account, err := tx.FindAccount(ctx, actor.Person, actor.Organisation, actor.Role)
		if err != nil {
			return err
		}
		list, err := tx.PasskeysOf(ctx, account.Handle)
		if err != nil {
			return err
		}
		if len(list) == 1 && slices.ContainsFunc(list, func(p store.Passkey) bool { return p.ID == id }) {
			return errPasskeyLast
		}
		return tx.RemovePasskey(ctx, id, account.Handle, a.Now())
	})
}

// Sessions gives the actor's sessions, oldest first.
func (a *App) Sessions(ctx context.Context, actor Actor) (list []store.Token, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		list, err = tx.SessionsOf(ctx, actor.Person, actor.Organisation, actor.Role, a.Now())
		return err
	})
	return list, err
}

// EndSession ends one of the actor's sessions: its next request, anywhere, is signed out.
func (a *App) EndSession(ctx context.Context, actor Actor, id string) error {
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		return tx.EndSession(ctx, id, actor.Person, actor.Organisation, actor.Role, a.Now())
	})
}

// EndOtherSessions ends all of the actor's sessions but the one that asks.
func (a *App) EndOtherSessions(ctx context.Context, actor Actor) (n int, err error) {
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		n, err = tx.EndSessions(ctx, actor.Token, actor.Person, actor.Organisation, actor.Role, a.Now())
		return err
	})
	return n, err
}
