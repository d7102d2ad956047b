package visit

import (
	"slices"
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// Suspension stops a provider, a merchant or a person as a whole, in his own stream. Parties to an order
// stop a visit; only an acquirer's risk desk or the regulator stops more (design §12), and says why and how
// to appeal (反诈法 art. 32). In a device's stream it marks the device lost or quarantined (design §8).
type Suspension struct {
	Subject string `json:"subject"` // id of the stream's organisation or person, or the device's serial
	Reason  string `json:"reason"`  // a code; of a device a mark
	Appeal  string `json:"appeal"`  // how the one who is stopped may object
}

// Reinstatement lifts suspensions, each named.
type Reinstatement struct {
	Subject string   `json:"subject"`
	Reason  string   `json:"reason"`
	Closes  []string `json:"closes"` // digests of the suspensions it lifts
}

var (
	errSuspensionBare    = fault.New(fault.Invalid, "suspension_incomplete", "停用要写明停的是谁、为什么、怎么申诉。", "A suspension says whom it stops, why, and how to appeal.")
	errReinstateBare     = fault.New(fault.Invalid, "reinstatement_incomplete", "恢复要写明恢复的是谁、为什么，一件件写明解除哪些停用。", "A reinstatement says whom it restores, why, and which suspensions it lifts.")
	errReinstateStranger = fault.New(fault.Forbidden, "reinstatement_by_another", "谁停的由谁恢复；监管可以恢复任何一家停的。", "A suspension is lifted by the organisation that signed it, or by the regulator.")
)

// ReadSuspension reads a proven suspension that was filed in a stream.
func ReadSuspension(v statement.Verified) (Suspension, error) {
	var b Suspension
	if err := v.Body(TypeSuspension, &b); err != nil {
		return Suspension{}, err
	}
	if b.Reason == "" || b.Appeal == "" || !names(v, b.Subject) {
		return Suspension{}, errSuspensionBare
	}
	return b, nil
}

// ReadReinstatement reads a proven reinstatement that was filed in a stream.
func ReadReinstatement(v statement.Verified) (Reinstatement, error) {
	var b Reinstatement
	if err := v.Body(TypeReinstatement, &b); err != nil {
		return Reinstatement{}, err
	}
	if b.Reason == "" || len(b.Closes) == 0 || !names(v, b.Subject) {
		return Reinstatement{}, errReinstateBare
	}
	return b, nil
}

// names says whether a statement's stream is the subject's own.
func names(v statement.Verified, subject string) bool {
	_, id, _ := strings.Cut(v.Subject(), "/")
	return subject != "" && id == subject
}

// MayLift refuses a reinstatement by anybody but the organisation that suspended, or a regulator. An
// acquirer's suspension is its own affair, so no other acquirer lifts it.
func MayLift(suspended, lifts statement.Header) error {
	if lifts.Role == RoleRegulator || (suspended.Role != RoleRegulator && lifts.Organisation == suspended.Organisation) {
		return nil
	}
	return errReinstateStranger
}

// SuspendsFor says whether a suspension counts against an acquirer's orders: the regulator's counts for
// everybody, an acquirer's for itself. Otherwise one acquirer could stop another's provider.
func SuspendsFor(suspended statement.Header, acquirer string) bool {
	return suspended.Role == RoleRegulator || suspended.Organisation == acquirer
}

// Marks of a device. Whoever holds it or is its acquirer sets one; while it stands, no visit gives the device
// power.
const (
	MarkLost        = "lost"        // nobody knows who had it since
	MarkQuarantined = "quarantined" // in somebody's hands, and not to be used
)

// Mark is a mark that stands.
type Mark struct {
	Reason    string // MarkLost or MarkQuarantined; anything else is one that cannot be read, and stands
	Statement string // digest
}

var (
	errMarkOther     = fault.New(fault.Invalid, "device_mark_unknown", "机具只能标成丢失（lost）或隔离（quarantined）。", "A device is marked lost or quarantined, nothing else.")
	errLiftOther     = fault.New(fault.Forbidden, "device_mark_lifted_by_another", "机具的标记由收单机构的风控解除；别的收单机构标的、监管标的，由它们自己或监管解除。", "A device's mark is lifted by an acquirer's risk desk; another acquirer's by that one, the regulator's by the regulator.")
	errLiftBySelfish = fault.New(fault.Forbidden, "device_mark_lifted_by_marker", "谁标的不能自己解除：要另一个人看过机具。", "Whoever set a mark does not lift it: another person has to have looked at the device.")
)

// ReadMark reads a proven suspension in a device's stream.
func ReadMark(v statement.Verified) (Suspension, error) {
	s, err := ReadSuspension(v)
	if err == nil && s.Reason != MarkLost && s.Reason != MarkQuarantined {
		err = errMarkOther
	}
	return s, err
}

// MayLiftMark refuses a reinstatement of a device by anybody but a risk desk or the regulator. Whoever holds the
// device gains by its use and has no risk desk, so he never lifts; what an acquirer's people marked is that acquirer's
// to lift, by another person than who set it.
func MayLiftMark(marked, lifts statement.Header) error {
	switch {
	case lifts.Role == RoleRegulator:
		return nil
	case lifts.Role != RoleRisk || marked.Role == RoleRegulator:
		return errLiftOther
	case slices.Contains([]string{RoleApprover, RoleRisk}, marked.Role) && marked.Organisation != lifts.Organisation:
		return errLiftOther
	case marked.Signer == lifts.Signer && marked.Organisation == lifts.Organisation:
		return errLiftBySelfish
	}
	return nil
}

// OpenMarks replays a device's stream: proven statements in their order, of which all but suspensions and
// reinstatements are passed over. A suspension that cannot be read stands, a reinstatement that cannot lifts nothing.
func OpenMarks(stream []statement.Verified) []Mark {
	var open []Mark
	by := map[string]statement.Header{}
	for _, v := range stream {
		switch v.Type() {
		case TypeSuspension:
			s, _ := ReadMark(v)
			open, by[v.Digest()] = append(open, Mark{Reason: s.Reason, Statement: v.Digest()}), v.Header()
		case TypeReinstatement:
			r, err := ReadReinstatement(v)
			if err != nil {
				continue
			}
			open = slices.DeleteFunc(open, func(m Mark) bool {
				return slices.Contains(r.Closes, m.Statement) && MayLiftMark(by[m.Statement], v.Header()) == nil
			})
		}
	}
	return open
}
