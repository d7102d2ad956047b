package evidence_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
	"pgregory.net/rapid"
)

// before is an installation that stands before an ask, its dossier with receipts.
func before(t *testing.T, ask, scene string) (*scenario.Play, evidence.Dossier) {
	t.Helper()
	p := open(t, visit.Install, 1)
	if err := scenario.Run(t.Context(), scenario.Until(p.Install(), scene)); err != nil {
		t.Fatal(err)
	}
	l := p.Venue.(*scenario.Ledger)
	decide := l.Decide
	l.Decide = func(*visit.Decision) {}
	defer func() { l.Decide = decide }()
	answer, err := p.Ask(t.Context(), ask)
	if err != nil || !answer.Granted {
		t.Fatalf("%v, %+v", err, answer)
	}
	// The decision itself came last: without it the dossier is what was judged.
	d := l.Dossier(p.ID, l.Log.Size()-1)
	last := len(d.Entries) - 1
	if eventOf(t, d.Entries[last]).Verb != visit.VerbOf(ask) {
		t.Fatal("the last event is not the decision")
	}
	d.Entries = d.Entries[:last]
	if r := evidence.Judge(d, p.Trust, ask, p.Now()); !r.Granted {
		t.Fatalf("%v", r.Refusal)
	}
	return p, d
}

// Taking evidence away from a visit without a blemish never gives a decision that was not there; and
// without any one piece that a decision names, it is another decision or none.
func TestLessEvidenceNeverGivesMore(t *testing.T) {
	p, d := before(t, visit.AskLive, "ask live")
	reader := evidence.NewReader(p.Trust)
	whole := reader.Judge(d, visit.AskLive, p.Now()).Decision()
	rapid.Check(t, func(r *rapid.T) {
		short := evidence.Dossier{Visit: d.Visit, LogSize: d.LogSize}
		kept := rapid.SliceOfN(rapid.IntRange(0, 9), len(d.Entries), len(d.Entries)).Draw(r, "kept")
		for i, e := range d.Entries {
			if kept[i] > 0 {
				short.Entries = append(short.Entries, e)
			}
		}
		for _, o := range d.Openings {
			if rapid.IntRange(0, 9).Draw(r, "opened") > 0 {
				short.Openings = append(short.Openings, o)
			}
		}
		got := reader.Judge(short, visit.AskLive, p.Now())
		if got.Granted && len(short.Entries) < len(d.Entries) && len(got.Decision().Evidence)+len(got.Decision().Heads) >= len(whole.Evidence)+len(whole.Heads) &&
			headsTotal(got.Decision()) >= headsTotal(whole) {
			r.Fatal("less evidence, and as much named")
		}
		if got.Granted && len(got.Conditions) != len(whole.Conditions) {
			r.Fatal("granted over fewer conditions")
		}
	})
}

func headsTotal(d visit.Decision) int {
	total := 0
	for _, h := range d.Heads {
		total += h.Number
	}
	return total
}

// The answer depends on the evidence and the time alone: not on the order in which streams come, nor on
// what the reader was asked before.
func TestTheAnswerDependsOnTheEvidenceAlone(t *testing.T) {
	p, d := before(t, visit.AskTrial, "ask trial")
	memory := evidence.NewReader(p.Trust)
	rapid.Check(t, func(r *rapid.T) {
		at := p.Now().Add(time.Duration(rapid.IntRange(-72*60, 72*60).Draw(r, "minutes")) * time.Minute)
		ask := rapid.SampledFrom([]string{visit.AskDispatch, visit.AskAdmit, visit.AskTrial, visit.AskLive, visit.AskClose, "bypass"}).Draw(r, "ask")
		mixed := d
		cut := rapid.IntRange(0, len(d.Entries)).Draw(r, "cut")
		cut = streamStart(t, d.Entries, cut)
		mixed.Entries = append(append([]evidence.Entry{}, d.Entries[cut:]...), d.Entries[:cut]...)
		a, b := evidence.Judge(d, p.Trust, ask, at), memory.Judge(mixed, ask, at)
		if a.Granted != b.Granted || fault.CodeOf(a.Refusal) != fault.CodeOf(b.Refusal) || len(a.Conditions) != len(b.Conditions) {
			r.Fatalf("%v %v, then %v %v", a.Granted, a.Refusal, b.Granted, b.Refusal)
		}
		for i := range a.Conditions {
			if a.Conditions[i].Verdict != b.Conditions[i].Verdict || a.Conditions[i].Code != b.Conditions[i].Code {
				r.Fatalf("%+v, then %+v", a.Conditions[i], b.Conditions[i])
			}
		}
		if a.Granted && (ask != visit.AskTrial || at.Sub(p.Now()).Abs() > 30*time.Minute) {
			r.Fatalf("%s granted at %v", ask, at)
		}
	})
}

// streamStart moves a cut back to where a stream begins: events of one stream stay in their order.
func streamStart(t *testing.T, entries []evidence.Entry, cut int) int {
	t.Helper()
	for cut > 0 && cut < len(entries) && eventOf(t, entries[cut]).Stream == eventOf(t, entries[cut-1]).Stream {
		cut--
	}
	return cut
}

// A reader that remembers gives the same answer about a spoiled bundle as one that does not.
func TestMemoryChangesNoAnswer(t *testing.T) {
	p := install(t)
	memory := evidence.NewReader(p.play.Trust)
	honest := p.opened(t)
	memory.Verify(honest)
	rapid.Check(t, func(r *rapid.T) {
		b := *honest
		b.Entries = append([]evidence.Entry{}, honest.Entries...)
		for range rapid.IntRange(1, 3).Draw(r, "changes") {
			i, j := rapid.IntRange(0, len(b.Entries)-1).Draw(r, "i"), rapid.IntRange(0, len(b.Entries)-1).Draw(r, "j")
			switch rapid.IntRange(0, 4).Draw(r, "how") {
			case 0:
				b.Entries[i].Receipt = b.Entries[j].Receipt
			case 1:
				b.Entries[i].Salt = b.Entries[j].Salt
			case 2:
				b.Entries[i].Statement = b.Entries[j].Statement
			case 3:
				b.Entries[i], b.Entries[j] = b.Entries[j], b.Entries[i]
			case 4:
				b.Entries[i].Event = b.Entries[j].Event
			}
		}
		a, c := evidence.Verify(&b, p.play.Trust), memory.Verify(&b)
		if a.Accepted() != c.Accepted() || fmt.Sprint(a.Refusal) != fmt.Sprint(c.Refusal) {
			r.Fatalf("%v, with memory %v", a.Refusal, c.Refusal)
		}
	})
	if r := memory.Verify(honest); !r.Accepted() {
		t.Errorf("the honest bundle after all that: %v", r.Refusal)
	}
}

// An unopened commitment is never called proven, and never decides.
func TestUnopenedIsNeverGranted(t *testing.T) {
	p, d := before(t, visit.AskTrial, "ask trial")
	d.Openings = nil
	r := evidence.Judge(d, p.Trust, visit.AskTrial, p.Now())
	c, ok := r.Condition(gate.PlaceMatches)
	if r.Granted || !ok || c.Verdict != string(gate.NotOpened) || c.Basis != gate.Unopened || r.Decision().Permit != nil {
		t.Errorf("granted %v: %+v", r.Granted, c)
	}
	played := install(t)
	b := played.opened(t)
	b.Openings = b.Openings[:0]
	x := &tamperer{t: t, p: played}
	x.close(b)
	got := evidence.Verify(b, played.play.Trust)
	if !got.Accepted() || got.NotOpened != 3 {
		t.Errorf("%v: %d not opened", got.Refusal, got.NotOpened)
	}
	if _, _, permit := got.Permit(); permit {
		t.Error("a permit for a reader to whom nothing was opened")
	}
}
