package scenario

import (
	"sync"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Watch is a clock that a play moves; it stands still in between, so that plays repeat exactly.
type Watch struct {
	mu  sync.Mutex
	now time.Time
}

// NewWatch starts a watch, at whole seconds.
func NewWatch(at time.Time) *Watch { return &Watch{now: at.UTC().Truncate(time.Second)} }

// Now is the watch's time.
func (w *Watch) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Advance lets time pass.
func (w *Watch) Advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// InMemoryPlay sets up a city, a ledger and one visit, ready for its first scene. edit may change the
// trust file that every reader will use; nil leaves it.
func InMemoryPlay(kind string, risk int, began time.Time, edit func(*evidence.TrustFile)) (*Play, error) {
	w := NewWatch(began)
	c := NewCast()
	c.Parameters = c.AcquirerParameters(w.Now())
	f := NewFoundry(c.Maker.ID, w.Now())
	l, err := newLedger(c, f, w.Now, edit)
	if err != nil {
		return nil, err
	}
	p := &Play{Cast: c, Venue: l, Now: w.Now, Wait: w.Advance, Host: &InMemory{Core: l.Host}, Foundry: f, Trust: l.Trust,
		Device: f.Make("00005704280117028119", w.Now()), ID: "v1"}
	p.NewOrder(kind, risk)
	return p, nil
}

// Another is a second visit of the same people to the same shop, with a device and a terminal code of
// its own.
func (p *Play) Another(id, serial, terminal string) *Play {
	id = p.apart(id)
	if serial != p.Device.Serial {
		serial = p.apart(serial)
	}
	if terminal != p.Order.Terminal {
		terminal = p.apart(terminal)
	}
	q := &Play{Cast: p.Cast, Venue: p.Venue, Now: p.Now, Wait: p.Wait, Host: p.Host, Foundry: p.Foundry, Trust: p.Trust, Apart: p.Apart,
		Device: p.Foundry.Make(serial, p.Now()), ID: id, Shop: p.Shop}
	q.Device.Model, q.Device.Hardware, q.Device.Firmware = p.Device.Model, p.Device.Hardware, p.Device.Firmware
	q.Shop.Terminal = terminal
	q.NewOrder(p.Order.Kind, p.Order.Risk)
	return q
}

func (p *Play) apart(what string) string {
	if p.Apart == nil {
		return what
	}
	return p.Apart(what)
}

// Enter writes an order into the acquirer's own books.
func (m *InMemory) Enter(o visit.Order) {
	must(m.Core.PutRecord(o.Order, RowOf(o)))
}

// Revocations is a list of revoked device certificates as of now, with nothing on it.
func noRevocations(now time.Time) evidence.Revocations {
	return evidence.Revocations{Number: 1, IssuedAt: statement.At(now.Add(-time.Hour)), NextAt: statement.At(now.AddDate(0, 0, 30)),
		Serials: []string{}, Keys: []string{}}
}
