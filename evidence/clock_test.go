package evidence_test

import (
	"context"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// Whoever decides has the witnesses' time within two minutes, before or after.
func TestADeciderKeepsTheWitnessesTime(t *testing.T) {
	e := upTo(t, visit.Install, 1, "ask trial")
	if err := scenario.Run(context.Background(), []scenario.Scene{{Name: "ask trial", Run: func(ctx context.Context) error { return e.MustAsk(ctx, visit.AskTrial) }}}); err != nil {
		t.Fatal(err)
	}
	d, now := e.ledger.Dossier(e.ID, e.ledger.Log.Size()), e.Now()
	reader := evidence.NewReader(e.Trust)
	unlogged := evidence.Dossier{Entries: []evidence.Entry{d.Entries[0]}}
	unlogged.Entries[0].Receipt = ""
	torn := evidence.Dossier{Entries: []evidence.Entry{{Event: "torn"}}}
	for name, c := range map[string]struct {
		d    evidence.Dossier
		now  time.Time
		code string
	}{
		"the same time":          {d, now, ""},
		"two minutes ahead":      {d, now.Add(2 * time.Minute), ""},
		"two minutes behind":     {d, now.Add(-2 * time.Minute), ""},
		"more than that, ahead":  {d, now.Add(2*time.Minute + time.Second), "clock_differs"},
		"more than that, behind": {d, now.Add(-2*time.Minute - time.Second), "clock_differs"},
		"no receipt":             {unlogged, now, "receipt_absent"},
		"nothing logged":         {evidence.Dossier{}, now, "clock_differs"},
		"unreadable":             {torn, now, "event_malformed"},
	} {
		if err := reader.InStep(c.d, c.now); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
	}
}
