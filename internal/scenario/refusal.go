package scenario

import (
	"errors"
	"strings"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
)

// Places that refuse, beside the gate's conditions, which refuse in their own name.
const (
	ByIntake    = "intake"     // the statement was not even recorded
	ByEvidence  = "evidence"   // the evidence itself does not hold together
	ByHost      = "host"       // the acquirer's host, on its own
	ByVerifier  = "verifier"   // whoever reads the bundle later
	ByTrustFile = "trust file" // the file that says what to believe

	ByOrganisation = "organisation" // an organisation's own signing service
)

// Refusal is a no with its reason.
type Refusal struct {
	Code string // fault code
	By   string // condition, or one of the places above
}

func (r *Refusal) Error() string { return "refused by " + r.By + ": " + r.Code }

// RefusalOf reads a play's error as the refusal it is. Every condition that an ask failed for the
// same reason counts as having refused; the first one names it.
func RefusalOf(err error) Refusal {
	var direct *Refusal
	if errors.As(err, &direct) {
		return *direct
	}
	var denied *Denied
	if errors.As(err, &denied) {
		if denied.Answer.By == "" {
			return Refusal{Code: denied.Answer.Code, By: ByEvidence}
		}
		return Refusal{Code: denied.Answer.Code, By: denied.Answer.By}
	}
	return Refusal{Code: fault.CodeOf(err), By: ByIntake}
}

// hostRefused reads a host's outcome that is not "loaded".
func hostRefused(outcome string) error {
	code, refused := strings.CutPrefix(outcome, "refused: ")
	if !refused {
		code = outcome
	}
	return &Refusal{Code: code, By: ByHost}
}

// Check reads a bundle as an offline verifier does.
func Check(bundle []byte, t evidence.Trust) (evidence.Result, error) {
	b, err := evidence.Open(bundle)
	if err != nil {
		return evidence.Result{}, &Refusal{Code: fault.CodeOf(err), By: ByVerifier}
	}
	r := evidence.Verify(b, t)
	if !r.Accepted() {
		return r, &Refusal{Code: fault.CodeOf(r.Refusal), By: ByVerifier}
	}
	return r, nil
}
