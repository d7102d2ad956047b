package visit_test

import (
	"testing"

	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// ruling answers a statement of lan's that was kept aside.
func ruling() visit.Ruling {
	return visit.Ruling{Visit: visitID, Signer: lan.name, Stands: statement.Digest([]byte("first")), Late: statement.Digest([]byte("late")), Outcome: visit.RuledStands, Reason: "two_phones"}
}

// Who rules on a contradiction, and what a ruling has to say.
func TestAContradictionIsRuledOn(t *testing.T) {
	rivalDispatcher := newPerson("ri", "svc-linjiang", visit.RoleDispatcher)
	lanAtTheDesk := newPerson(lan.name, lan.organisation, visit.RoleDispatcher)
	for name, c := range map[string]struct {
		by   person
		edit func(*visit.Ruling)
		code string
	}{
		"her dispatcher":                  {qiu, func(*visit.Ruling) {}, ""},
		"the acquirer's risk desk":        {fang, func(r *visit.Ruling) { r.Outcome = visit.RuledLate }, ""},
		"she herself":                     {lan, func(*visit.Ruling) {}, "role_not_allowed"},
		"she herself, under another role": {lanAtTheDesk, func(*visit.Ruling) {}, "ruling_on_own_statements"},
		"another provider's dispatcher":   {rivalDispatcher, func(*visit.Ruling) {}, "signer_of_another_provider"},
		"another acquirer's risk desk":    {rivalRisk, func(*visit.Ruling) {}, "signer_of_another_acquirer"},
		"the platform":                    {platform, func(*visit.Ruling) {}, "role_not_allowed"},
		"about another visit":             {qiu, func(r *visit.Ruling) { r.Visit = "v2" }, "statement_other_visit"},
		"about nobody":                    {qiu, func(r *visit.Ruling) { r.Signer = "" }, "ruling_incomplete"},
		"without a reason":                {qiu, func(r *visit.Ruling) { r.Reason = "" }, "ruling_incomplete"},
		"that names nothing that stands":  {qiu, func(r *visit.Ruling) { r.Stands = "" }, "ruling_incomplete"},
		"that names nothing late":         {qiu, func(r *visit.Ruling) { r.Late = "late" }, "ruling_incomplete"},
		"that names one statement twice":  {qiu, func(r *visit.Ruling) { r.Late = r.Stands }, "ruling_incomplete"},
		"by which both count":             {qiu, func(r *visit.Ruling) { r.Outcome = "both" }, "ruling_incomplete"},
	} {
		t.Run(name, func(t *testing.T) {
			s := at(t, visit.Admitted)
			s.must(wei, visit.Freeze, visit.TypeBrake, brake()) // a stopped visit's contradictions are looked at, too
			r := ruling()
			c.edit(&r)
			wantCode(t, s.try(c.by, visit.Settle, visit.TypeRuling, r), c.code)
			if s.state.Stage() != visit.Admitted || !s.state.Frozen() {
				t.Errorf("a ruling moved the visit: %s, frozen %v", s.state.Stage(), s.state.Frozen())
			}
		})
	}
	wantCode(t, at(t, visit.Booked).try(qiu, visit.Settle, visit.TypeRuling, ruling()), "nobody_assigned")
	wantCode(t, at(t, visit.Closed).try(qiu, visit.Settle, visit.TypeRuling, struct{}{}), "json_missing_name")
}

// The first ruling stands, whoever would like another; of another statement there is another one.
func TestARulingIsNotChanged(t *testing.T) {
	s := at(t, visit.Closed)
	s.must(qiu, visit.Settle, visit.TypeRuling, ruling())
	other := ruling()
	other.Outcome = visit.RuledLate
	wantCode(t, s.try(fang, visit.Settle, visit.TypeRuling, other), "ruling_given_before")
	wantCode(t, s.try(qiu, visit.Settle, visit.TypeRuling, ruling()), "ruling_given_before")
	other.Late = statement.Digest([]byte("a third"))
	s.must(fang, visit.Settle, visit.TypeRuling, other)
}

// Somebody of another provider was sent instead: whoever sends now rules.
func TestWhoSendsNowRules(t *testing.T) {
	s := at(t, visit.Dispatched)
	other := newPerson("bo", "svc-second", visit.RoleDispatcher)
	s.must(other, visit.Reassign, visit.TypeDispatch, dispatch())
	wantCode(t, s.try(qiu, visit.Settle, visit.TypeRuling, ruling()), "signer_of_another_provider")
	s.must(other, visit.Settle, visit.TypeRuling, ruling())
}
