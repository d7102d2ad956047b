package visit_test

import (
	"slices"
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

// Whoever has most to gain lifts nothing: a holder has no risk desk, a marker needs a second person, and what one
// acquirer's people marked is no other acquirer's to lift.
func TestWhoLiftsADevicesMark(t *testing.T) {
	qiuMarks := statement.Header{Role: visit.RoleDispatcher, Organisation: "svc-anzhuang", Signer: "qiu"}
	fangMarks := statement.Header{Role: visit.RoleRisk, Organisation: acquirer, Signer: "fang"}
	chenMarks := statement.Header{Role: visit.RoleApprover, Organisation: acquirer, Signer: "chen"}
	regulator := statement.Header{Role: visit.RoleRegulator, Organisation: "assoc", Signer: "assoc"}
	desk := func(org, who string) statement.Header {
		return statement.Header{Role: visit.RoleRisk, Organisation: org, Signer: who}
	}
	for _, c := range []struct {
		name         string
		marked, lift statement.Header
		code         string
	}{
		{"the holder's, by an acquirer's risk desk", qiuMarks, desk(acquirer, "fang"), ""},
		{"the holder's, by the regulator", qiuMarks, regulator, ""},
		{"the holder's, by himself", qiuMarks, qiuMarks, "device_mark_lifted_by_another"},
		{"the approver's, by his risk desk", chenMarks, desk(acquirer, "fang"), ""},
		{"the approver's, by another acquirer's", chenMarks, desk(rival, "rong"), "device_mark_lifted_by_another"},
		{"the risk desk's, by the same person", fangMarks, desk(acquirer, "fang"), "device_mark_lifted_by_marker"},
		{"the risk desk's, by a colleague", fangMarks, desk(acquirer, "fu"), ""},
		{"the risk desk's, by another acquirer's", fangMarks, desk(rival, "fang"), "device_mark_lifted_by_another"},
		{"the risk desk's, by the regulator", fangMarks, regulator, ""},
		{"the regulator's, by a risk desk", regulator, desk(acquirer, "fang"), "device_mark_lifted_by_another"},
		{"the regulator's, by it", regulator, regulator, ""},
	} {
		if got := fault.CodeOf(visit.MayLiftMark(c.marked, c.lift)); got != c.code {
			t.Errorf("%s: %q, want %q", c.name, got, c.code)
		}
	}
}

// What stands of a device's marks is read from its stream alone. A mark that cannot be read stands; a reinstatement that
// cannot, or by the wrong person, or of another statement, lifts nothing.
func TestWhichMarksOfADeviceStand(t *testing.T) {
	const serial, stream = "00005704LAN0001", "device/00005704LAN0001"
	mark := func(by person, reason string) statement.Verified {
		return by.saysIn(t, stream, "", visit.TypeSuspension, visit.Suspension{Subject: serial, Reason: reason, Appeal: "call the desk"})
	}
	lift := func(by person, closes ...string) statement.Verified {
		return by.saysIn(t, stream, "", visit.TypeReinstatement, visit.Reinstatement{Subject: serial, Reason: "inspected", Closes: append([]string{}, closes...)})
	}
	if _, err := visit.ReadMark(mark(qiu, "fraud")); fault.CodeOf(err) != "device_mark_unknown" {
		t.Error(err)
	}
	if s, err := visit.ReadMark(mark(qiu, visit.MarkLost)); err != nil || s.Subject != serial {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := visit.ReadMark(statement.Verified{}); err == nil {
		t.Error("the zero value was read")
	}
	lost, held, odd := mark(qiu, visit.MarkLost), mark(fang, visit.MarkQuarantined), fang.saysIn(t, stream, "", visit.TypeSuspension, struct{}{})
	transfer := qiu.saysIn(t, stream, "", "transfer", struct{}{})
	for _, c := range []struct {
		name   string
		stream []statement.Verified
		want   []visit.Mark
	}{
		{"nothing was said", []statement.Verified{transfer}, nil},
		{"two marks", []statement.Verified{transfer, lost, held}, []visit.Mark{{visit.MarkLost, lost.Digest()}, {visit.MarkQuarantined, held.Digest()}}},
		{"one lifted", []statement.Verified{lost, held, lift(fang, lost.Digest())}, []visit.Mark{{visit.MarkQuarantined, held.Digest()}}},
		{"the marker lifts his own", []statement.Verified{held, lift(fang, held.Digest())}, []visit.Mark{{visit.MarkQuarantined, held.Digest()}}},
		{"another statement is named", []statement.Verified{lost, lift(fang, statement.Digest([]byte("x")))}, []visit.Mark{{visit.MarkLost, lost.Digest()}}},
		{"lifted before it was set", []statement.Verified{lift(fang, lost.Digest()), lost}, []visit.Mark{{visit.MarkLost, lost.Digest()}}},
		{"a reinstatement that says nothing", []statement.Verified{lost, fang.saysIn(t, stream, "", visit.TypeReinstatement, struct{}{})}, []visit.Mark{{visit.MarkLost, lost.Digest()}}},
		{"a mark that says nothing", []statement.Verified{odd}, []visit.Mark{{"", odd.Digest()}}},
	} {
		if got := visit.OpenMarks(c.stream); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
