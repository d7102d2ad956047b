package evidence_test

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// overhead is the design's bound: judging may cost this much more than the bare signature and hash
// checks that it cannot do without, each distinct one once.
const overhead = 1.5

func BenchmarkBareChecks(b *testing.B) {
	checks := scenario.BareChecks(install(b).opened(b), install(b).play.Trust, install(b).play.Cast)
	for b.Loop() {
		for _, c := range checks {
			c()
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	p := install(b)
	for b.Loop() {
		opened, err := evidence.Open(p.bundle)
		if err != nil || !evidence.Verify(opened, p.play.Trust).Accepted() {
			b.Fatal(err)
		}
	}
}

func BenchmarkJudge(b *testing.B) {
	p := install(b)
	d := p.ledger.Dossier(p.play.ID, p.ledger.Log.Size())
	for b.Loop() {
		// The visit is closed; what is asked for costs the same.
		if r := evidence.Judge(d, p.play.Trust, visit.AskClose, p.play.Now()); r.State().Number() == 0 {
			b.Fatal(r.Refusal)
		}
	}
}

func BenchmarkPreviewAgain(b *testing.B) {
	p := install(b)
	d := p.ledger.Dossier(p.play.ID, 0)
	r := evidence.NewReader(p.play.Trust)
	for b.Loop() {
		r.Preview(d, visit.AskLive, p.play.Now())
	}
}

// TestOverhead reports what Verify and Judge cost beside the bare checks. It takes turns and keeps the
// best of each, because the machine is shared; the figure is for people, and far from the bound that
// would show a defect.
func TestOverhead(t *testing.T) {
	p := install(t)
	checks := scenario.BareChecks(p.opened(t), p.play.Trust, p.play.Cast)
	d := p.ledger.Dossier(p.play.ID, p.ledger.Log.Size())
	parts := []func(){
		func() {
			for _, c := range checks {
				c()
			}
		},
		func() {
			b, err := evidence.Open(p.bundle)
			if err != nil || !evidence.Verify(b, p.play.Trust).Accepted() {
				t.Fatal(err)
			}
		},
		func() { evidence.Judge(d, p.play.Trust, visit.AskClose, p.play.Now()) },
	}
	best := []time.Duration{time.Hour, time.Hour, time.Hour}
	for range 25 {
		for i, part := range parts {
			start := time.Now()
			part()
			best[i] = min(best[i], time.Since(start))
		}
	}
	verify, judge := float64(best[1])/float64(best[0]), float64(best[2])/float64(best[0])
	t.Logf("%d bare checks %v; Verify of 5 decisions %v (%.2f); Judge %v (%.2f); design figure %.1f", len(checks), best[0], best[1], verify, best[2], judge, overhead)
	if verify > 10*overhead || judge > 10*overhead {
		t.Errorf("Verify costs %.1f and Judge %.1f times the bare checks", verify, judge)
	}
}

// The gate alone gives the judgement's own answer, and denies where nothing was judged.
func TestTheGateAloneSaysTheSame(t *testing.T) {
	p := open(t, visit.Install, 1)
	ready := run(t, p, scenario.Until(p.Install(), "ask live"))
	d := ready.ledger.Dossier(p.ID, ready.ledger.Log.Size())
	if r := evidence.Judge(d, p.Trust, visit.AskLive, p.Now()); r.Granted != r.Regate() {
		t.Errorf("judged %v, the gate alone says %v: %v", r.Granted, r.Regate(), r.Refusal)
	}
	if (evidence.Report{}).Regate() {
		t.Error("the zero report grants")
	}
}

// BenchmarkGate is the gate's own decision at the live ask, which asks the most conditions.
func BenchmarkGate(b *testing.B) {
	p := open(b, visit.Install, 1)
	ready := run(b, p, scenario.Until(p.Install(), "ask live"))
	d := ready.ledger.Dossier(p.ID, ready.ledger.Log.Size())
	r := evidence.Judge(d, p.Trust, visit.AskLive, p.Now())
	b.ReportAllocs()
	for b.Loop() {
		r.Regate()
	}
}
