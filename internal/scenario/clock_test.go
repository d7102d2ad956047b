package scenario

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/visit"
)

// A server whose clock is set wrong in the middle of a visit grants nothing and says why. Set back, the visit
// goes on to its end once the clock is right. Set forward, what was recorded meanwhile is from the future: the
// visit grants nothing until then, says so, and can still be stopped.
func TestAServersClockThatIsWrong(t *testing.T) {
	for name, wrong := range map[string]time.Duration{"an hour back": -time.Hour, "two days on": 48 * time.Hour} {
		forward := wrong > 0
		t.Run(name, func(t *testing.T) {
			var offset atomic.Int64
			d := newDeployment(t, DeploymentConfig{Now: func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }})
			p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
			p.Now = time.Now
			if err := p.OpenCity(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := Run(t.Context(), Until(p.Install(), "ask trial")); err != nil {
				t.Fatal(err)
			}
			offset.Store(int64(wrong))
			err := p.MustAsk(t.Context(), visit.AskTrial)
			if want := map[bool]string{false: "trust_list_not_yet", true: "admission_too_old"}[forward]; RefusalOf(err).Code != want {
				t.Fatalf("with a wrong clock: %v, want %s", err, want)
			}
			offset.Store(0)
			if forward {
				if err := p.MustAsk(t.Context(), visit.AskTrial); RefusalOf(err).Code != "evidence_after_decision" {
					t.Errorf("over evidence of the future: %v", err)
				}
				if err := p.Freeze(t.Context(), p.Cast.Risk, "clock_wrong"); err != nil {
					t.Errorf("the brake: %v", err)
				}
				return
			}
			if err := Run(t.Context(), From(p.Install(), "ask trial")); err != nil {
				t.Fatalf("with the clock right again: %v", err)
			}
		})
	}
}
