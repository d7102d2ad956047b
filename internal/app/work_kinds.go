package app

import (
	"context"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// WorkOld is the terminal that a visit takes over from or takes away: on a swap the replaced one, else
// the device itself. What the host and the merchant said of it on this visit.
type WorkOld struct {
	Serial   string         `json:"serial"`
	Terminal string         `json:"terminal"`
	State    string         `json:"state"` // the host's last word: live, dead or ended; "" before it spoke
	StateAt  statement.Time `json:"state_at"`
	Accepted bool           `json:"accepted"` // the merchant signed for the time without it
	Consent  bool           `json:"consent"`  // the merchant signed that its keys may end
	Ended    bool           `json:"ended"`    // its keys are gone
	Returned bool           `json:"returned"` // the merchant signed it over for this order
	Parcel   *Parcel        `json:"parcel,omitempty"`
}

// WorkSaid is what was last signed about a repair's device.
type WorkSaid struct {
	Opened      bool `json:"opened"`
	SealsIntact bool `json:"seals_intact"`
}

// WorkLost is the time that the shop could not take money because of the visit, by now.
type WorkLost struct {
	Minutes int64  `json:"minutes"`
	Open    bool   `json:"open"`  // it still cannot
	Cause   string `json:"cause"` // old_terminal_dead, keys_ended or device_under_trial; "" for none
	Answers string `json:"answers"`
}

// oldOf begins what is known of the old terminal; an installation and an inspection have none.
func (w *Work) oldOf(s cachedState) {
	if w.Kind == visit.Install || w.Kind == visit.Inspection {
		return
	}
	old := WorkOld{Serial: w.Serial, Terminal: w.Terminal}
	if w.Kind == visit.Swap && s.order.Old != nil {
		old.Serial, old.Terminal = s.order.Old.Serial, s.order.Old.Terminal
	}
	for _, r := range s.state.Terminals() {
		if r.Body.Serial == old.Serial {
			old.State, old.StateAt = r.Body.State, r.Body.At
		}
	}
	_, old.Ended = s.state.Ended(old.Serial, old.Terminal)
	w.Old, w.RollbackAt = &old, s.state.RollbackAt()
	_, tried := s.state.Decision(visit.AskTrial)
	w.Touched = s.state.Touched() || tried
}

// kinds notes a statement that only some kinds have; false for every other.
func (w *Work) kinds(c statement.Claims) (bool, error) {
	switch c.Type {
	case visit.TypeDeviceWork:
		var b visit.DeviceWork
		err := c.UntrustedBody(&b)
		w.Said = &WorkSaid{Opened: b.Opened, SealsIntact: b.SealsIntact}
		return true, err
	case visit.TypeEndConsent:
		var b visit.EndConsent
		err := c.UntrustedBody(&b)
		if w.Old != nil {
			w.Old.Consent = b.Serial == w.Old.Serial && b.Terminal == w.Old.Terminal
		}
		return true, err
	case visit.TypeOutageAccepted:
		var b visit.OutageAccepted
		err := c.UntrustedBody(&b)
		if w.Old != nil {
			w.Old.Accepted = b.Serial == w.Old.Serial
		}
		return true, err
	case agreement.TypeChargeList:
		w.Charges = true
		return true, nil
	}
	return false, nil
}

// returned reads whether the merchant signed the old terminal over for this order, and its last notice.
func (w *Work) returned(g *gather) error {
	if w.Old == nil {
		return nil
	}
	claims, err := g.stream(visit.StreamDevice, w.Old.Serial)
	for _, c := range claims {
		var t custody.Transfer
		if c.Type != custody.TypeTransfer {
			continue
		}
		if err := c.UntrustedBody(&t); err != nil {
			return err
		}
		w.Old.Parcel = &Parcel{Transfer: c.Digest(), To: t.ToHolder, Notice: t.Notice}
		if c.Header.Role == visit.RoleMerchant && t.Notice.Tracking == w.Order {
			w.Old.Returned = true
		}
	}
	return err
}

// lose counts the shop's lost time, where there may be some.
func (a *App) lose(ctx context.Context, w *Work) error {
	if w.Old == nil || w.Kind == visit.Removal || (w.Old.State == visit.TerminalLive && !w.Old.Ended && w.RollbackAt == "") {
		return nil
	}
	l, err := a.Lost(ctx, w.Visit)
	if err == nil && l.Minutes > 0 {
		w.Lost = &WorkLost{Minutes: int64(l.Minutes), Open: l.Open, Cause: l.Cause, Answers: l.Organisation}
	}
	return err
}
