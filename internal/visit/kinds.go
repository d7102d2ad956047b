package visit

import (
	"slices"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// Statement types that only some kinds of visit need.
const (
	TypeDeviceWork     = "device_work"
	TypeTerminalState  = "terminal_state"
	TypeEndConsent     = "end_consent"
	TypeOutageAccepted = "outage_accepted"
)

// OldTerminal is what an order takes over from: on a swap the terminal that is replaced, on a
// relocation the same device at its old place.
type OldTerminal struct {
	Serial   string `json:"serial"`
	Terminal string `json:"terminal"`          // terminal code
	Address  string `json:"address,omitempty"` // commitment of the old place, on a relocation
}

// DeviceWork says what a repair did to the device. Who once says that it was opened, or that a seal
// is not whole, cannot un-say it: the visit stays in the stricter column of the table.
type DeviceWork struct {
	Visit       string `json:"visit"`
	Serial      string `json:"serial"`
	Opened      bool   `json:"opened"` // the housing, or a part or software changed
	SealsIntact bool   `json:"seals_intact"`
}

// Touched says whether the device is no longer the one that was there before.
func (w DeviceWork) Touched() bool { return w.Opened || !w.SealsIntact }

// What a host may say of a terminal.
const (
	TerminalLive  = "live"  // its keys are loaded and it answers
	TerminalDead  = "dead"  // it does not answer
	TerminalEnded = "ended" // its keys are gone; the acquirer may end them itself at any time
)

// TerminalState is the host's word about a terminal. Nobody else can say that one is dead.
type TerminalState struct {
	Visit    string         `json:"visit"`
	Serial   string         `json:"serial"`
	Terminal string         `json:"terminal"`
	State    string         `json:"state"`
	At       statement.Time `json:"at"`
}

// EndConsent is the merchant's signature that a terminal's keys may end.
type EndConsent struct {
	Visit    string `json:"visit"`
	Serial   string `json:"serial"`
	Terminal string `json:"terminal"`
}

// OutageAccepted is the merchant's signature for a time without the terminal, or with a loaner.
type OutageAccepted struct {
	Visit  string `json:"visit"`
	Serial string `json:"serial"`           // the terminal that does not work
	Loaner string `json:"loaner,omitempty"` // serial of the one that stands in for it
}

var errStateWord = fault.New(fault.Invalid, "terminal_state_unknown", "主机说的终端状态不是规定的几种之一。", "The host's word about the terminal is none of live, dead and ended.")

// work keeps that somebody called the device opened; nobody un-says it.
func (s State) work(e Event) (State, error) {
	var w DeviceWork
	err := e.Statement.Body(TypeDeviceWork, &w)
	s.touched = s.touched || w.Touched()
	return s, err
}

// Touched says whether anybody called the device opened. The gate asks more: see package evidence.
func (s State) Touched() bool { return s.touched }

// report takes the host's word about a terminal of its own acquirer.
func (s State) report(e Event) (State, error) {
	r := Recorded[TerminalState]{Event: e}
	if err := e.Statement.Body(TypeTerminalState, &r.Body); err != nil {
		return State{}, err
	}
	switch {
	case r.Body.Visit != s.id:
		return State{}, errOtherVisit
	case e.Statement.Header().Organisation != s.acquirer:
		return State{}, errOtherAcquirer
	case !slices.Contains([]string{TerminalLive, TerminalDead, TerminalEnded}, r.Body.State):
		return State{}, errStateWord
	}
	s.terminals = append(slices.Clip(s.terminals), r)
	return s, nil
}

// Terminals are the host's reports about terminals, in order.
func (s State) Terminals() []Recorded[TerminalState] { return slices.Clone(s.terminals) }

// Ended finds what says that a terminal's keys are gone: the host's answer to an end permit, or its
// own report. False while nothing does, and again once the host reports the terminal live.
func (s State) Ended(serial, terminal string) (Event, bool) {
	var last Event
	ended := false
	for _, o := range s.outcomes {
		if p, ok := s.Permit(o.Body.Permit); ok && o.Body.Outcome == KeysEnded && p.Body.Ask == AskEnd &&
			p.Body.Permit.Serial == serial && p.Body.Permit.Terminal == terminal && o.Body.Serial == serial {
			last, ended = o.Event, true
		}
	}
	for _, r := range s.terminals {
		if r.Body.Serial == serial && r.Body.Terminal == terminal && r.Event.Number > last.Number {
			last, ended = r.Event, r.Body.State == TerminalEnded
		}
	}
	return last, ended
}

// anyEnded says whether some terminal's keys ended on this visit: after that, there is nothing to roll
// back to.
func (s State) anyEnded() bool {
	return slices.ContainsFunc(s.outcomes, func(o Recorded[Outcome]) bool { return o.Body.Outcome == KeysEnded }) ||
		slices.ContainsFunc(s.terminals, func(r Recorded[TerminalState]) bool { return r.Body.State == TerminalEnded })
}

// RollbackAt is when a visit that is not live by then goes back to the old terminal, "" for no timer.
// The first trial permit sets it and no later one moves it.
func (s State) RollbackAt() statement.Time {
	for _, d := range s.decisions {
		if d.Body.Ask == AskTrial {
			return d.Body.Permit.RollbackAt
		}
	}
	return ""
}
