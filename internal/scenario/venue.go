package scenario

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
)

// Filing is one statement on its way to menshen.
type Filing struct {
	Stream   string
	Verb     string
	Envelope []byte
	Openings []statement.Opening // personal values behind its commitments, for the vault
}

// Answer is what the gate says to an ask.
type Answer struct {
	Granted  bool
	Code     string            // of the refusal, or of the first condition that does not hold
	By       string            // the condition that refused, "" when the evidence itself was refused
	Failing  map[string]string // condition → code
	Holding  map[string]string // condition → basis
	Decision string            // digest of the decision statement
	Took     time.Duration
}

// Challenge is a nonce from menshen.
type Challenge struct {
	Digest string // of the challenge statement
	Nonce  string
	asker  *Actor // who got it from a server; nil elsewhere
}

// Venue is where a play's statements are recorded and its questions decided: a Ledger in memory or a
// server over HTTP. Errors carry fault codes.
type Venue interface {
	// File records a statement under a verb.
	File(ctx context.Context, by *Actor, f Filing) error
	// Challenge asks for a nonce for a visit.
	Challenge(ctx context.Context, by *Actor, visitID, purpose string) (Challenge, error)
	// Attest brings a device's answer to a challenge.
	Attest(ctx context.Context, visitID string, d *Device, c Challenge) error
	// Ask puts an ask to the gate; granted, the decision is recorded.
	Ask(ctx context.Context, by *Actor, visitID, ask string) (Answer, error)
	// Release has menshen call the acquirer's host with the visit's last permit and gives the
	// host's outcome.
	Release(ctx context.Context, by *Actor, visitID string) (string, error)
	// Bundle exports the visit for a reader.
	Bundle(ctx context.Context, by *Actor, visitID string) ([]byte, error)
}
