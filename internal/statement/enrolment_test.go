package statement

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

func lansEnrolment() Enrolment {
	return Enrolment{Holder: "lan", Organisation: "provider-c", Role: "technician", Key: rfc7515, HeldBy: HeldByHolder,
		From: "2026-11-01T00:00:00Z", Until: "2026-12-01T00:00:00Z"}
}

func moment(t *testing.T, s Time) time.Time {
	t.Helper()
	m, err := s.Parse()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEnrolmentIsInForceFromUntil(t *testing.T) {
	e := lansEnrolment()
	tests := []struct {
		name string
		at   Time
		want string
	}{
		{"the second before", "2026-10-31T23:59:59Z", "enrolment_not_yet"},
		{"the first second", "2026-11-01T00:00:00Z", ""},
		{"the last second", "2026-11-30T23:59:59Z", ""},
		{"the second after", "2026-12-01T00:00:00Z", "enrolment_lapsed"},
	}
	for _, test := range tests {
		if err := e.InForce(moment(t, test.at)); fault.CodeOf(err) != test.want {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	e.HeldBy = HeldByOperator
	if err := e.InForce(moment(t, "2026-11-22T12:00:00Z")); err != nil {
		t.Errorf("kept by the operator: %v", err)
	}
}

func TestEnrolmentRefuses(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*Enrolment)
		want  string
		where string
	}{
		{"zero value", func(e *Enrolment) { *e = Enrolment{} }, "enrolment_malformed", ""},
		{"nobody", func(e *Enrolment) { e.Holder = "" }, "enrolment_malformed", ""},
		{"no organisation", func(e *Enrolment) { e.Organisation = "" }, "enrolment_malformed", ""},
		{"no role", func(e *Enrolment) { e.Role = "" }, "enrolment_malformed", ""},
		{"nobody keeps the key", func(e *Enrolment) { e.HeldBy = "" }, "enrolment_malformed", "held_by"},
		{"the provider keeps the key", func(e *Enrolment) { e.HeldBy = "provider" }, "enrolment_malformed", "held_by"},
		{"no key", func(e *Enrolment) { e.Key = Key{} }, "key_kind_unknown", "key"},
		{"no beginning", func(e *Enrolment) { e.From = "" }, "enrolment_malformed", "until"},
		{"no end", func(e *Enrolment) { e.Until = "" }, "enrolment_malformed", "until"},
		{"ends as it begins", func(e *Enrolment) { e.Until = e.From }, "enrolment_malformed", "until"},
		{"ends before it begins", func(e *Enrolment) { e.Until = "2026-10-01T00:00:00Z" }, "enrolment_malformed", "until"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := lansEnrolment()
			test.spoil(&e)
			err := e.InForce(moment(t, "2026-11-22T12:00:00Z"))
			if fault.CodeOf(err) != test.want || fault.Of(err).Where != test.where {
				t.Errorf("got %v, want %s at %q", err, test.want, test.where)
			}
		})
	}
}
