// Package scenario plays people, devices, hosts and attackers, so that tests and the demonstration
// run whole visits. It simulates only what cannot exist here: a terminal's secure hardware and an
// acquirer's host. Nothing on the server's ordinary path imports it.
//
// A Cast signs; a Venue records. The same play runs in memory (Ledger) and over HTTP.
package scenario

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"sync"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
)

// Actor is somebody with a key. Organisations are actors too: their signer is themselves.
type Actor struct {
	ID           string
	Organisation string
	Role         string
	Key          *ecdsa.PrivateKey
	Passkey      bool // signs through WebAuthn assertions

	mu   sync.Mutex
	last map[string]string // stream → digest of this actor's previous statement in it
}

// NewActor makes an actor with a fresh key.
func NewActor(id, organisation, role string) *Actor {
	return &Actor{ID: id, Organisation: organisation, Role: role, Key: NewKey(), last: map[string]string{}}
}

// NewKey makes a P-256 key. It panics only if the machine has no randomness.
func NewKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// Public is the actor's key as enrolments write it.
func (a *Actor) Public() statement.Key {
	if a.Passkey {
		return a.passkey()
	}
	return statement.KeyOf(&a.Key.PublicKey)
}

// Draft is a statement before an actor signs it.
type Draft struct {
	Stream  string
	Type    string
	Answers string
	Body    any
	At      time.Time
	As      string // role to claim; "" for the actor's own
}

// Sign signs a draft in the actor's name and chains it to the actor's previous statement in the
// stream, as a phone without signal would.
func (a *Actor) Sign(d Draft) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	envelope := a.sign(d, a.last[d.Stream])
	a.last[d.Stream] = statement.Digest(envelope)
	return envelope
}

// Forge signs a draft without taking it into the actor's chain: what an attacker tries and what is
// refused leaves no trace there.
func (a *Actor) Forge(d Draft) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sign(d, a.last[d.Stream])
}

// accept takes a statement that was recorded into the actor's chain.
func (a *Actor) accept(stream string, envelope []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last[stream] = statement.Digest(envelope)
}

func (a *Actor) sign(d Draft, previous string) []byte {
	if a.Passkey {
		return a.assert(d, previous, nil)
	}
	role := a.Role
	if d.As != "" {
		role = d.As
	}
	envelope, err := statement.Sign(a.Key, statement.Unsigned{Type: d.Type, Subject: d.Stream, Body: d.Body,
		Header: statement.Header{Signer: a.ID, Organisation: a.Organisation, Role: role, At: statement.At(d.At), Previous: previous, Answers: d.Answers}})
	if err != nil {
		panic(err) // a body that cannot be written as JSON is a defect of the play
	}
	return envelope
}

// Salt makes 128 random bits.
func Salt() [16]byte {
	var s [16]byte
	if _, err := rand.Read(s[:]); err != nil {
		panic(err)
	}
	return s
}

// Hidden is a personal value behind its commitment.
type Hidden struct {
	Opening    statement.Opening
	Commitment string
}

// Hide commits to a value under a fresh salt.
func Hide(kind, value string) Hidden {
	salt := Salt()
	return Hidden{Opening: statement.NewOpening(kind, salt, value), Commitment: statement.Commit(kind, salt, []byte(value))}
}
