package scenario

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/visit"
)

// clock is a server's clock that somebody sets wrong; phones, log, witnesses and host keep the right time.
type clock struct{ off atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.off.Load())) }
func (c *clock) set(wrong time.Duration) { c.off.Store(int64(wrong)) }

// wrongClock is a visit at a deployment whose server's clock a test sets.
func wrongClock(t *testing.T) (*Play, *clock) {
	t.Helper()
	c := &clock{}
	d := newDeployment(t, DeploymentConfig{Now: time.Now, Server: c.now})
	p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	p.Now = time.Now
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p, c
}

// A server whose clock differs from its witnesses' gives no power, and says which clock is wrong. Nothing of it
// is recorded, so the same ask is granted as soon as the clock is right, and the visit goes on to its end.
func TestAServersClockThatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		wrong time.Duration
		code  string
		kind  fault.Kind
	}{
		"an hour back":     {-time.Hour, "trust_list_not_yet", fault.Refused}, // it was issued minutes ago
		"three minutes on": {3 * time.Minute, "clock_differs", fault.Unavailable},
		"two days on":      {48 * time.Hour, "clock_differs", fault.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			p, clock := wrongClock(t)
			if err := Run(t.Context(), Until(p.Install(), "ask trial")); err != nil {
				t.Fatal(err)
			}
			clock.set(c.wrong)
			if _, err := p.Ask(t.Context(), visit.AskTrial); fault.CodeOf(err) != c.code || fault.KindOf(err) != c.kind {
				t.Fatalf("with a wrong clock: %v", err)
			}
			clock.set(0)
			if err := Run(t.Context(), From(p.Install(), "ask trial")); err != nil {
				t.Fatalf("with the clock right again: %v", err)
			}
		})
	}
}

// What people signed while the server's clock was ahead is evidence all the same: it stands in the log, below
// every later decision. Only what must be fresh is asked for again: here the device answers a new nonce.
func TestWhatWasRecordedWhileTheClockWasAhead(t *testing.T) {
	for _, c := range []struct {
		from, again, code string
		mend              func(*Play, context.Context) error
	}{
		{"book", "ask dispatch", "", nil},
		{"arrive", "ask trial", "attestation_from_future", (*Play).AttestDevice},
		{"work", "ask live", "attestation_from_future", (*Play).AttestDevice},
	} {
		t.Run("from "+c.from, func(t *testing.T) {
			p, clock := wrongClock(t)
			if err := Run(t.Context(), Until(p.Install(), c.from)); err != nil {
				t.Fatal(err)
			}
			clock.set(2 * time.Hour)
			if err := Run(t.Context(), Until(From(p.Install(), c.from), c.again)); err != nil {
				t.Fatalf("evidence while the clock is ahead: %v", err)
			}
			clock.set(0)
			if c.mend != nil {
				ask := map[string]string{"ask trial": visit.AskTrial, "ask live": visit.AskLive}[c.again]
				if err := p.MustAsk(t.Context(), ask); RefusalOf(err).Code != c.code {
					t.Fatalf("with the clock right again: %v, want %s", err, c.code)
				}
				if err := c.mend(p, t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if err := Run(t.Context(), From(p.Install(), c.again)); err != nil {
				t.Fatalf("afterwards: %v", err)
			}
		})
	}
}
