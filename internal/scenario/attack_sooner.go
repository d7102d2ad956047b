package scenario

import (
	"errors"
	"slices"

	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/visit"
)

// AsExpectedOfServer is AsExpected of an attack on a server, which refuses some of them before a judge sees them.
func (r Ran) AsExpectedOfServer() bool {
	if want, is := sooner[r.Attack.Name]; is {
		return r.Refusal == want || slices.Contains(merchantNamesakes, r.Attack.Name) && r.Refusal == Refusal{"person_id_taken", ByIntake}
	}
	return r.AsExpected() || r.frozenForIt()
}

// sooner are attacks that a server refuses before the judge gets to see them, or for which an honest
// server takes the permit back before the host can refuse it.
var sooner = map[string]Refusal{
	"agreement-by-another-merchant":           {"order_not_found", ByIntake},
	"amount-in-another-spelling":              {"json_case_variant", ByIntake},
	"approver-is-the-technician":              {"person_id_taken", ByIntake}, // decision 74
	"attempt-in-anothers-name":                {"access_denied", ByIntake},
	"attempt-of-a-namesake":                   {"person_id_taken", ByIntake}, // decision 74
	"badge-of-another-employer":               {"access_denied", ByIntake},
	"clerk-confirms":                          {"access_denied", ByIntake},
	"clerk-let-in-elsewhere":                  {"access_denied", ByIntake},
	"clerk-of-another-shop":                   {"visit_not_found", ByIntake},
	"clerk-signs-the-price":                   {"access_denied", ByIntake},
	"confirmed-by-another-acquirers-merchant": {"visit_not_found", ByIntake},
	"course-by-the-employer":                  {"actor_not_signer", ByIntake},
	"course-by-the-employer-published":        {"actor_not_signer", ByIntake},
	"dead-by-the-technicians-word":            {"access_denied", ByIntake},
	"dispatched-by-a-rival":                   {"visit_not_found", ByIntake},
	"frozen-before-release":                   {visit.OutcomeCanceled, ByHost},
	"mark-lifted-by-a-struck-acquirer":        {"access_denied", ByIntake},
	"mark-lifted-by-another-acquirer":         {"access_denied", ByIntake},
	"mark-lifted-by-its-marker":               {"device_mark_lifted_by_marker", ByIntake},
	"mark-lifted-by-the-holder":               {"access_denied", ByIntake},
	"marked-to-sell-a-swap":                   {"access_denied", ByIntake},
	"merchant-enrolled-by-another-acquirer":   {"visit_not_found", ByIntake},
	"opened-by-another-acquirer":              {"visit_not_found", ByIntake},
	"order-by-another-acquirer":               {"order_of_other_acquirer", ByIntake},
	"permit-expired":                          {visit.OutcomeCanceled, ByHost},
	"platform-enrols-a-host":                  {"token_malformed", ByIntake}, // nobody signs in as the platform
	"resumed-by-another-acquirer":             {"visit_not_found", ByIntake},
	"resumed-by-the-technician":               {"access_denied", ByIntake},
	"ruled-on-by-another-acquirer":            {"visit_not_found", ByIntake},
	"ruled-on-by-another-provider":            {"visit_not_found", ByIntake},
	"ruled-on-by-the-technician":              {"access_denied", ByIntake},
	"sheet-signed-by-the-technician":          {"person_id_taken", ByIntake}, // decision 74
	"trust-list-by-the-platform":              {"token_malformed", ByIntake},
	"visit-opened-by-the-technician":          {"person_id_taken", ByIntake}, // decision 74
	"work-by-another-providers-technician":    {"person_id_taken", ByIntake}, // decision 74
	"work-by-somebody-else":                   {"visit_not_found", ByIntake},
}

// merchantNamesakes are attacks by somebody whom another acquirer calls as the merchant is called: where his own acquirer has
// him on file, as in the demonstration, that one does not even sign in.
var merchantNamesakes = []string{"confirmed-by-another-acquirers-merchant", "merchant-enrolled-by-another-acquirer"}

// frozenForIt says whether the server froze the visit over a contradiction, which a ledger in memory does not do,
// and the attack's own reason stands beside that among the conditions that fail.
func (r Ran) frozenForIt() bool {
	var denied *Denied
	if r.Refusal != (Refusal{"visit_frozen", gate.NothingOpen}) || !errors.As(r.Err, &denied) {
		return false
	}
	return slices.ContainsFunc(r.Attack.Refused, func(want Refusal) bool { return denied.Answer.Failing[want.By] == want.Code })
}
