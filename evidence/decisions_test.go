package evidence_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// A monitor judges a visit's decisions again from the leaves that were opened to it.
func TestDecisionsAreJudgedAgainFromTheLog(t *testing.T) {
	e := upTo(t, visit.Install, 1, "ask trial")
	if err := scenario.Run(context.Background(), []scenario.Scene{{Name: "ask trial", Run: func(ctx context.Context) error { return e.MustAsk(ctx, visit.AskTrial) }}}); err != nil {
		t.Fatal(err)
	}
	bundle, err := e.Venue.Bundle(context.Background(), e.Cast.Approver, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	b, err := evidence.Open(bundle)
	if err != nil {
		t.Fatal(err)
	}
	got := evidence.Decisions(e.ID, b.Entries, e.Trust)
	if got.Refusal != nil || len(got.Decisions) != 3 || got.NotOpened == 0 {
		t.Errorf("%d decisions, %d not opened: %v", len(got.Decisions), got.NotOpened, got.Refusal)
	}
	streamOf := func(x evidence.Entry) string {
		data, err := statement.Base64(x.Event)
		if err != nil {
			t.Fatal(err)
		}
		event, err := record.ParseEvent(data)
		if err != nil {
			t.Fatal(err)
		}
		return event.Stream
	}
	without := func(kind string) []evidence.Entry {
		return slices.DeleteFunc(slices.Clone(b.Entries), func(x evidence.Entry) bool { return strings.HasPrefix(streamOf(x), kind) })
	}
	torn := slices.Clone(b.Entries)
	torn[0].Event = "torn"
	for name, c := range map[string]struct {
		entries []evidence.Entry
		trust   evidence.Trust
		code    string
	}{
		"no trust file":          {b.Entries, evidence.Trust{}, "trust_file_absent"},
		"an event is unreadable": {torn, e.Trust, "event_malformed"},
		"the order is missing":   {without(visit.StreamOrder), e.Trust, "event_missing"},
	} {
		if got := evidence.Decisions(e.ID, c.entries, c.trust); fault.CodeOf(got.Refusal) != c.code {
			t.Errorf("%s: %v, want %s", name, got.Refusal, c.code)
		}
	}
}
