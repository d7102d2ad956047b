package evidence_test

import (
	"strings"
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Anybody can write these values; none of them grants, accepts or trusts anything.
func TestZeroValuesRefuse(t *testing.T) {
	var trust evidence.Trust
	if trust.OK() || trust.Fingerprint() != "" {
		t.Error("the zero trust trusts")
	}
	p := install(t)
	d := p.ledger.Dossier(p.play.ID, p.ledger.Log.Size())
	if r := evidence.Judge(d, trust, visit.AskLive, p.play.Now()); r.Granted || fault.CodeOf(r.Refusal) != "trust_file_absent" {
		t.Errorf("judged without trust: %v", r.Refusal)
	}
	if r := evidence.Preview(d, trust, visit.AskLive, p.play.Now()); fault.CodeOf(r.Refusal) != "trust_file_absent" {
		t.Errorf("previewed without trust: %v", r.Refusal)
	}
	refuses(t, "verified without trust", evidence.Verify(p.opened(t), trust), "trust_file_absent")
	refuses(t, "verified by the zero reader", new(evidence.Reader).Verify(p.opened(t)), "trust_file_absent")
	if _, err := evidence.Stand(d, trust, p.play.Now()); fault.CodeOf(err) != "trust_file_absent" {
		t.Errorf("replayed without trust: %v", err)
	}
	if _, err := evidence.Intake(d.Entries[:1], d.Entries[1], trust, p.play.Now()); fault.CodeOf(err) != "trust_file_absent" {
		t.Errorf("taken in without trust: %v", err)
	}
	if _, err := evidence.Cosigned(d.Entries[0], trust); fault.CodeOf(err) != "trust_file_absent" {
		t.Errorf("cosigned without trust: %v", err)
	}

	var result evidence.Result
	if _, _, ok := result.Permit(); ok || result.Accepted() || result.Last().Granted || result.State().Number() != 0 || result.TrustListNumber() != 0 || result.ParametersNumber() != 0 {
		t.Error("the zero result accepts something")
	}
	var report evidence.Report
	if report.Granted || report.Decision().Permit != nil || report.Decision().Ask != "" || report.State().Stage() != visit.None || report.Order().Order != "" {
		t.Error("the zero report grants something")
	}
	if _, ok := report.Condition("place-matches"); ok {
		t.Error("the zero report holds a condition")
	}
	refuses(t, "the zero bundle", evidence.Verify(&evidence.Bundle{}, p.play.Trust), "decision_absent")
}

// A report that was written by hand, not by Judge, carries no decision.
func TestAReportThatSaysGrantedCarriesNoDecision(t *testing.T) {
	if d := (evidence.Report{Granted: true}).Decision(); d.Ask != "" || d.Permit != nil || d.Rules != "" {
		t.Errorf("%+v", d)
	}
}

func TestABundleIsBounded(t *testing.T) {
	many := evidence.Bundle{Format: evidence.BundleFormat, Visit: "v1", Entries: make([]evidence.Entry, 2001), Openings: []statement.Opening{}}
	data, err := many.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.Open(data); fault.CodeOf(err) != "bundle_too_many_entries" {
		t.Errorf("2001 entries: %v", err)
	}
	p := install(t)
	d := evidence.Dossier{Visit: "v1", Entries: many.Entries, LogSize: 1}
	if r := evidence.Judge(d, p.play.Trust, visit.AskLive, p.play.Now()); fault.CodeOf(r.Refusal) != "bundle_too_many_entries" {
		t.Errorf("a dossier of 2001 entries: %v", r.Refusal)
	}
	if _, err := evidence.Open([]byte(`{"format":"` + strings.Repeat("x", evidence.MaxBundle) + `"}`)); fault.CodeOf(err) != "json_too_large" {
		t.Errorf("over the bound: %v", err)
	}
}
