package visit_test

import (
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

func TestAReviewIsGivenOnce(t *testing.T) {
	s := at(t, visit.Closed)
	for _, p := range []person{wei, lan, qiu, chen, gu} {
		s.must(p, visit.ReviewVerb, visit.TypeReview, visit.Review{Visit: visitID, Stars: 1})
	}
	for _, p := range []person{wei, gu} {
		wantCode(t, s.try(p, visit.ReviewVerb, visit.TypeReview, visit.Review{Visit: visitID, Stars: 5}), "review_given_before")
	}
	for _, stars := range []int{-1, 0, visit.MaxStars + 1} {
		wantCode(t, at(t, visit.Closed).try(wei, visit.ReviewVerb, visit.TypeReview, visit.Review{Visit: visitID, Stars: stars}), "review_stars_out_of_bounds")
	}
	wantCode(t, at(t, visit.Closed).try(wei, visit.ReviewVerb, visit.TypeReview, struct{}{}), "json_missing_name")
}

func TestASuspensionSaysWhomAndWhy(t *testing.T) {
	const provider = "organisation/svc-anzhuang"
	whole := visit.Suspension{Subject: "svc-anzhuang", Reason: "rating_failed", Appeal: "letters to the risk desk"}
	if got, err := visit.ReadSuspension(fang.saysIn(t, provider, "", visit.TypeSuspension, whole)); err != nil || got != whole {
		t.Errorf("%+v, %v", got, err)
	}
	lift := visit.Reinstatement{Subject: "svc-anzhuang", Reason: "rating_passed", Closes: []string{statement.Digest(nil)}}
	if got, err := visit.ReadReinstatement(fang.saysIn(t, provider, "", visit.TypeReinstatement, lift)); err != nil || got.Subject != lift.Subject {
		t.Errorf("%+v, %v", got, err)
	}
	for name, b := range map[string]visit.Suspension{
		"nobody":       {Reason: "r", Appeal: "a"},
		"another":      {Subject: "svc-kuaida", Reason: "r", Appeal: "a"},
		"no reason":    {Subject: "svc-anzhuang", Appeal: "a"},
		"no appeal":    {Subject: "svc-anzhuang", Reason: "r"},
		"nothing said": {},
	} {
		if _, err := visit.ReadSuspension(fang.saysIn(t, provider, "", visit.TypeSuspension, b)); fault.CodeOf(err) != "suspension_incomplete" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, b := range map[string]visit.Reinstatement{
		"nobody":    {Reason: "r", Closes: lift.Closes},
		"another":   {Subject: "svc-kuaida", Reason: "r", Closes: lift.Closes},
		"no reason": {Subject: "svc-anzhuang", Closes: lift.Closes},
		"nothing":   {Subject: "svc-anzhuang", Reason: "r", Closes: []string{}},
	} {
		if _, err := visit.ReadReinstatement(fang.saysIn(t, provider, "", visit.TypeReinstatement, b)); fault.CodeOf(err) != "reinstatement_incomplete" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for kind, read := range map[string]func(statement.Verified) error{
		visit.TypeSuspension:    func(v statement.Verified) error { _, err := visit.ReadSuspension(v); return err },
		visit.TypeReinstatement: func(v statement.Verified) error { _, err := visit.ReadReinstatement(v); return err },
	} {
		if err := read(fang.saysIn(t, provider, "", kind, struct{}{})); fault.CodeOf(err) != "json_missing_name" {
			t.Errorf("%s: %v", kind, err)
		}
		if err := read(statement.Verified{}); err == nil {
			t.Errorf("%s: the zero value was read", kind)
		}
	}
}

func TestWhoseSuspensionCountsAndWhoLiftsIt(t *testing.T) {
	own := statement.Header{Role: visit.RoleRisk, Organisation: acquirer}
	other := statement.Header{Role: visit.RoleRisk, Organisation: rival}
	regulator := statement.Header{Role: visit.RoleRegulator, Organisation: "assoc"}
	for _, c := range []struct {
		name            string
		suspended, lift statement.Header
		counts          bool // for orders of the first acquirer
		code            string
	}{
		{"its own, lifted by itself", own, own, true, ""},
		{"its own, lifted by the regulator", own, regulator, true, ""},
		{"its own, lifted by a rival", own, other, true, "reinstatement_by_another"},
		{"a rival's, lifted by the rival", other, other, false, ""},
		{"the regulator's, lifted by an acquirer", regulator, own, true, "reinstatement_by_another"},
		{"the regulator's, lifted by it", regulator, regulator, true, ""},
		{"the regulator's, by its own risk desk", regulator, statement.Header{Role: visit.RoleRisk, Organisation: "assoc"}, true, "reinstatement_by_another"},
	} {
		if got := visit.SuspendsFor(c.suspended, acquirer); got != c.counts {
			t.Errorf("%s: counts %v", c.name, got)
		}
		if got := fault.CodeOf(visit.MayLift(c.suspended, c.lift)); got != c.code {
			t.Errorf("%s: %q, want %q", c.name, got, c.code)
		}
	}
}
