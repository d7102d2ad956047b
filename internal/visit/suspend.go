package visit

import (
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// Suspension stops a provider, a merchant or a person as a whole, in his own stream. Parties to an order
// stop a visit; only an acquirer's risk desk or the regulator stops more (design §12), and says why and how
// to appeal (反诈法 art. 32).
type Suspension struct {
	Subject string `json:"subject"` // id of the stream's organisation or person
	Reason  string `json:"reason"`  // a code
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
