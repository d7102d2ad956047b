package evidence

import (
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/visit"
)

var (
	errAuditOpen    = fault.New(fault.Refused, "audit_visit_not_closed", "这次上门还没有结案，谈不上抽查。", "The visit is not closed yet, so it cannot be drawn for an audit.")
	errAuditRefused = fault.New(fault.Refused, "audit_bundle_refused", "证据包本身不可信，抽查结果不算数。", "The bundle itself is refused; a draw over it says nothing.")
)

// Audit says whether a closed visit is looked at again by somebody who was not there (design §10). Whoever
// has the bundle and the checkpoint that the named witness gives out for that day gets the same answer.
type Audit struct {
	Drawn      bool
	Number     int       // of 0 to 999; drawn when below PerMille
	PerMille   int       // the acquirer's published rate
	Witness    string    // party whose cosignature draws
	After      time.Time // the midnight UTC from which a cosignature counts
	CosignedAt time.Time
}

// Audit draws. checkpoint is the first one that the rule's witness cosigned from After on, as the witness
// itself gives it out (menshen witness: GET /first/DAY); that it is the first cannot be seen from it, and is
// the witness's word. Faults: audit_bundle_refused, audit_visit_not_closed, those of record.VerifyDraw and
// Draw.Audits.
func (r Result) Audit(checkpoint []byte, t Trust) (Audit, error) {
	if !r.Accepted() {
		return Audit{}, errAuditRefused
	}
	last := r.Last()
	closing, ok := r.state.Decision(visit.AskClose)
	if !ok || last.Ask != visit.AskClose {
		return Audit{}, errAuditOpen
	}
	closed := closing.Event.ReceivedAt
	a := Audit{PerMille: last.audits.PerMille, Witness: last.audits.Witness, After: record.NextMidnight(closed)}
	d, err := t.policy.VerifyDraw(checkpoint, a.Witness)
	if err != nil {
		return Audit{}, err
	}
	a.CosignedAt, a.Number = d.At(), d.Number(r.Visit)
	a.Drawn, err = d.Audits(r.Visit, closed, a.PerMille)
	return a, err
}
