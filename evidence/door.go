package evidence

import (
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/visit"
)

var errDoorUnjudged = fault.New(fault.Refused, "door_not_judged", "这次回答没有核对过。", "This answer was never judged.")

// DoorAnswer is a technician's answer to a door challenge before the merchant has signed anything.
type DoorAnswer struct {
	Challenge    string // digest of the challenge statement
	Presentation string
	AnsweredAt   time.Time
}

// DoorVerdict is what the gate would say of an answer if the merchant signed that the face is the same:
// for the merchant's screen, never a decision. The zero value refuses.
type DoorVerdict struct {
	err      error
	ok       bool
	position string
	listAt   time.Time
}

// Err is nil if the badge admits its holder, else why not.
func (v DoorVerdict) Err() error {
	if v.err == nil && !v.ok {
		return errDoorUnjudged
	}
	return v.err
}

// Position is the hex commitment of the phone's position, "" if the answer could not be read.
func (v DoorVerdict) Position() string { return v.position }

// ListAt is when the status list that was asked was signed, the zero time if none was.
func (v DoorVerdict) ListAt() time.Time { return v.listAt }

// Door judges an answer at the door by the same rules as the condition technician-admitted.
func (r *Reader) Door(d Dossier, a DoorAnswer) DoorVerdict {
	v, err := r.atTheDoor(d, a)
	v.err, v.ok = err, err == nil
	return v
}

func (r *Reader) atTheDoor(d Dossier, a DoorAnswer) (DoorVerdict, error) {
	items, err := r.parse(d.Entries)
	if err != nil {
		return DoorVerdict{}, err
	}
	b, err := r.prepare(question{visit: d.Visit, items: items, ask: visit.AskAdmit, now: a.AnsweredAt})
	if err != nil {
		return DoorVerdict{}, err
	}
	b.order = b.readOrder()
	if b.order.Err != nil {
		return DoorVerdict{}, b.order.Err
	}
	b.facts = gate.Facts{Order: b.order, Assigned: b.state.Dispatched()}
	b.people()
	p, err := b.answered(a)
	if err != nil {
		return DoorVerdict{}, err
	}
	v := DoorVerdict{position: p.Position()}
	badge := p.Badge()
	holder, err := b.badgeRecorded(badge)
	if err != nil {
		return DoorVerdict{}, err
	}
	b.facts.Admission = gate.Known(gate.Admission{At: a.AnsweredAt, Genuine: true, SameFace: true, Mode: visit.ModeOnline, BadgeKey: badge.Holder().Thumbprint(), BadgeFor: holder,
		StaffOf: badge.Issuer(), Name: badge.NameCommitment(), Photo: badge.PhotoCommitment(), Status: b.badgeStatus(badge), TechnicianIn: b.facts.Technician.Err})
	v.listAt = b.statusAt
	return v, gate.Admits(b.facts, a.AnsweredAt)
}

// answered verifies the presentation against the challenge, as presentation does for a signed verdict.
func (b *builder) answered(a DoorAnswer) (credential.Presentation, error) {
	challenge, ok := b.state.Challenge(a.Challenge)
	if !ok {
		return credential.Presentation{}, errChallengeNone
	}
	return b.shownFor(a.Presentation, asking{nonce: challenge.Body.Nonce, asked: challenge.Event.ReceivedAt, answered: a.AnsweredAt})
}
