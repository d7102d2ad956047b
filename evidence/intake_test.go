package evidence_test

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// split takes a dossier's last entry of a stream off as the candidate, and drops its receipt.
func split(t *testing.T, p *scenario.Play, stream string) ([]evidence.Entry, evidence.Entry) {
	t.Helper()
	var context []evidence.Entry
	var candidate *evidence.Entry
	for _, e := range ledgerOf(p).Dossier(p.ID, 0).Entries {
		if claims(t, e.Statement).Subject == stream {
			if candidate != nil {
				context = append(context, *candidate)
			}
			candidate = &e
			continue
		}
		context = append(context, e)
	}
	candidate.Receipt = ""
	return context, *candidate
}

func TestIntake(t *testing.T) {
	p := open(t, visit.Install, 0)
	if err := scenario.Run(t.Context(), scenario.Until(p.Install(), "ship")); err != nil {
		t.Fatal(err)
	}
	context, candidate := split(t, p, p.OrderStream())
	v, err := evidence.Intake(context, candidate, p.Trust, p.Now())
	if err != nil || !v.OK() || v.Header().Signer != p.Cast.Merchant.ID {
		t.Fatalf("%v by %q", err, v.Header().Signer)
	}
	if v, err := evidence.Intake(context, candidate, p.Trust, p.Now().AddDate(0, 0, 8)); err != nil || !v.OK() {
		t.Errorf("a trust list past its date must not keep evidence out: %v", err)
	}
	unsound := candidate
	unsound.Salt = "AAAA"
	say(t, p, p.Cast.Approver, p.OrderStream(), visit.Admit, visit.TypeOrder, p.Order)
	before, misfiled := split(t, p, p.OrderStream())
	for name, test := range map[string]struct {
		context   []evidence.Entry
		candidate evidence.Entry
		code      string
	}{
		"no trust list":              {context[:0], candidate, "trust_list_absent"},
		"a salt that is none":        {context, unsound, "entry_malformed"},
		"a statement already there":  {append(context, candidate), candidate, "event_doubled"},
		"a context that is unsound":  {append(context[:0:0], unsound), candidate, "entry_malformed"},
		"without the signer's key":   {without(t, context, visit.Enrol), candidate, "key_not_enrolled"},
		"without what came before":   {without(t, before, visit.Book), misfiled, "signer_chain_broken"},
		"a verb that nobody may use": {before, misfiled, "verb_unknown"},
	} {
		if v, err := evidence.Intake(test.context, test.candidate, p.Trust, p.Now()); fault.CodeOf(err) != test.code || v.OK() {
			t.Errorf("%s: %v, want %s", name, err, test.code)
		}
	}
}

// without leaves the events of a verb out.
func without(t *testing.T, entries []evidence.Entry, verb string) []evidence.Entry {
	t.Helper()
	var out []evidence.Entry
	for _, e := range entries {
		if eventOf(t, e).Verb != verb {
			out = append(out, e)
		}
	}
	return out
}

func TestStandAndPreview(t *testing.T) {
	p := open(t, visit.Install, 0)
	if err := scenario.Run(t.Context(), scenario.Until(p.Install(), "ask trial")); err != nil {
		t.Fatal(err)
	}
	d := ledgerOf(p).Dossier(p.ID, 0)
	for name, at := range map[string]time.Time{"now": p.Now(), "under a list past its date": p.Now().AddDate(0, 0, 8)} {
		s, err := evidence.Stand(d, p.Trust, at)
		if err != nil || s.Stage() != visit.Admitted {
			t.Errorf("%s: %v, stage %s", name, err, s.Stage())
		}
	}
	if _, err := evidence.Stand(d, p.Trust, p.Now().AddDate(-1, 0, 0)); fault.CodeOf(err) != "trust_list_not_yet" {
		t.Errorf("before the list: %v", err)
	}
	spoiled := d
	spoiled.Entries = append([]evidence.Entry{}, d.Entries...)
	spoiled.Entries[0].Event = "!"
	if _, err := evidence.Stand(spoiled, p.Trust, p.Now()); fault.CodeOf(err) != "entry_malformed" {
		t.Errorf("an entry that cannot be read: %v", err)
	}
	r := evidence.Preview(d, p.Trust, visit.AskLive, p.Now())
	if r.Granted || r.Refusal != nil || len(r.Conditions) == 0 || r.Decision().Ask != "" {
		t.Errorf("a preview of what is not due: granted %v, %v, %d conditions", r.Granted, r.Refusal, len(r.Conditions))
	}
	if c, ok := r.Condition("place-matches"); !ok || c.Verdict != "holds" || c.Title.Zh == "" {
		t.Errorf("%+v", c)
	}
	if _, ok := r.Condition("keys-ended"); ok {
		t.Error("an installation has no keys to end")
	}
	// The same dossier is not enough for a decision: nothing in it is below a named log size.
	if r := evidence.Judge(d, p.Trust, visit.AskTrial, p.Now()); r.Granted || fault.CodeOf(r.Refusal) != "log_size_absent" {
		t.Errorf("without a log size: %v", r.Refusal)
	}
	d.LogSize = ledgerOf(p).Log.Size()
	for i := range d.Entries {
		d.Entries[i].Receipt = ""
	}
	if r := evidence.Judge(d, p.Trust, visit.AskTrial, p.Now()); r.Granted || fault.CodeOf(r.Refusal) != "receipt_absent" {
		t.Errorf("without receipts: %v", r.Refusal)
	}
}

// A dossier with an event missing from a stream that must be whole is not judged.
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
	}
}
