package scenario

import (
	"context"
	"encoding/base64"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// InMemory is the host as a play in memory uses it.
type InMemory struct {
	Core   *HostCore
	Edit   func(*agreement.Acceptance) // makes the next report a lying one; nil is honest
	Habits Habits                      // of the play's device
}

// OpenSession lets the device prove its key.
func (m *InMemory) OpenSession(ctx context.Context, d *Device) error {
	_, err := OpenSession(ctx, memoryLine{m.Core}, d)
	return err
}

// RunAcceptance runs the script for the play's visit and gives the host's report.
func (m *InMemory) RunAcceptance(ctx context.Context, p *Play, _ string) ([]byte, error) {
	if err := RunScript(ctx, memoryLine{m.Core}, p.Device, m.Habits); err != nil {
		return nil, err
	}
	return m.Core.Acceptance(p.ID, p.Order.Name, m.Edit)
}

// ListCharges lists what was charged since the order's window opened.
func (m *InMemory) ListCharges(_ context.Context, p *Play) ([]byte, error) {
	since, err := p.Order.WindowFrom.Parse()
	if err != nil {
		return nil, err
	}
	return m.Core.ChargeList(p.ID, p.Device.Serial, p.Order.Terminal, p.Order.Items.MerchantCode, since), nil
}

// memoryLine is a line that is never busy.
type memoryLine struct{ core *HostCore }

func (l memoryLine) Nonce(_ context.Context, serial string) (string, error) {
	return l.core.Nonce(serial)
}

func (l memoryLine) Session(_ context.Context, serial string, key statement.Key, sig []byte) error {
	return l.core.Session(serial, key, sig)
}

func (l memoryLine) Collect(_ context.Context, serial string, point, sig []byte) (Handover, error) {
	return l.core.Collect(serial, point, sig)
}

func (l memoryLine) Send(_ context.Context, serial string, message []byte) ([]byte, error) {
	return l.core.Send(serial, message)
}

func (l memoryLine) Trial(_ context.Context, visitID string) (TrialView, error) {
	return l.core.Trial(visitID)
}

// OutcomeOf reads a signed outcome's word.
func OutcomeOf(envelope []byte) string {
	c, err := statement.Parse(envelope)
	var o visit.Outcome
	if err != nil || c.UntrustedBody(&o) != nil {
		return ""
	}
	if o.Outcome == visit.OutcomeRefused {
		return o.Outcome + ": " + o.Reason
	}
	return o.Outcome
}

func b64(raw []byte) string { return base64.StdEncoding.EncodeToString(raw) }

// AnswerOf condenses a report.
func AnswerOf(r evidence.Report) Answer {
	a := Answer{Granted: r.Granted, Failing: map[string]string{}, Holding: map[string]string{}}
	if r.Refusal != nil {
		a.Code = fault.CodeOf(r.Refusal)
	}
	for _, c := range r.Conditions {
		if c.Verdict == "holds" {
			a.Holding[c.Name] = c.Basis
			continue
		}
		a.Failing[c.Name] = c.Code
		if a.Code == "" && c.Blocks {
			a.Code, a.By = c.Code, c.Name
		}
	}
	return a
}
