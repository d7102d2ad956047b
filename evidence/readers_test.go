package evidence_test

import (
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// A reader whose trust file names other keys believes none of it.
func TestAnotherTrustFileRefusesTheSameBundle(t *testing.T) {
	p, other := install(t), open(t, visit.Install, 0)
	if r := evidence.Verify(p.opened(t), other.Trust); r.Accepted() || fault.CodeOf(r.Refusal) != "receipt_log_signature" {
		t.Errorf("a stranger's trust file: %v", r.Refusal)
	}
	f := p.play.Trust.File()
	f.TrustListKey = other.Cast.Association.Public()
	data, err := statement.Canonical(f)
	if err != nil {
		t.Fatal(err)
	}
	mixed, err := evidence.ParseTrust(data)
	if err != nil {
		t.Fatal(err)
	}
	if r := evidence.Verify(p.opened(t), mixed); r.Accepted() || fault.CodeOf(r.Refusal) != "signer_key_differs" {
		t.Errorf("another compiler of lists: %v", r.Refusal)
	}
}

func TestATrustFileIsNotWrittenInto(t *testing.T) {
	trust := install(t).play.Trust
	f := trust.File()
	f.Witnesses[0].Key, f.DeviceRoots[0].Maker = "", ""
	if again := trust.File(); again.Witnesses[0].Key == "" || again.DeviceRoots[0].Maker == "" {
		t.Error("what was read was written into")
	}
}

// A dossier with an event missing from a stream that must be whole is neither judged nor exported.
func TestStreamsTravelWhole(t *testing.T) {
	p := install(t)
	d := p.ledger.Dossier(p.play.ID, p.ledger.Log.Size())
	for i, e := range d.Entries {
		event := eventOf(t, e)
		if event.Verb != visit.Book && event.Verb != visit.Admit {
			continue
		}
		short := d
		short.Entries = append(append([]evidence.Entry{}, d.Entries[:i]...), d.Entries[i+1:]...)
		r := evidence.Judge(short, p.play.Trust, visit.AskClose, p.play.Now())
		if code := fault.CodeOf(r.Refusal); r.Granted || code != "event_missing" && code != "chain_gap" && code != "signer_chain_broken" {
			t.Errorf("without %s event %d: %v", event.Stream, event.Number, r.Refusal)
		}
		sign := func(evidence.Closing) ([]byte, error) { return []byte("signed"), nil }
		if _, err := evidence.Export(short, visit.RoleHost, 1, sign); fault.CodeOf(err) != "event_missing" && fault.CodeOf(err) != "chain_gap" {
			t.Errorf("exported without %s event %d: %v", event.Stream, event.Number, err)
		}
	}
}

// A report that was written by hand, not by Judge, carries no decision.
func TestAReportThatSaysGrantedCarriesNoDecision(t *testing.T) {
	if d := (evidence.Report{Granted: true}).Decision(); d.Ask != "" || d.Permit != nil || d.Rules != "" {
		t.Errorf("%+v", d)
	}
}

func TestAnAcceptedBundleNamesItsLists(t *testing.T) {
	p := install(t)
	r := evidence.Verify(p.opened(t), p.play.Trust)
	if !r.Accepted() || r.TrustListNumber() != 1 || r.ParametersNumber() != 1 {
		t.Errorf("%v: trust list %d, parameters %d", r.Refusal, r.TrustListNumber(), r.ParametersNumber())
	}
	var zero evidence.Result
	if zero.TrustListNumber() != 0 || zero.ParametersNumber() != 0 {
		t.Error("the zero result names a list")
	}
}
