package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// takenByAnOlderVersion records a statement in a visit's stream without asking today's rules.
func takenByAnOlderVersion(t *testing.T, d *scenario.Deployment, by *scenario.Actor, id, verb string, draft scenario.Draft, beside func(tx *store.Tx) error) {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	draft.Stream, draft.At = "visit/"+id, now
	envelope := by.Forge(draft)
	digest := statement.Digest(envelope)
	err := d.Store.Write(ctx, func(tx *store.Tx) error {
		v, err := tx.Visit(ctx, id)
		if err != nil {
			return err
		}
		head, err := tx.Head(ctx, store.Stream{Kind: "visit", ID: id})
		if err != nil {
			return err
		}
		e := record.Event{Stream: "visit/" + id, Number: int(head.Number) + 1, Previous: head.Digest, Verb: verb, ReceivedAt: statement.At(now), Statement: digest}
		salt := [16]byte{byte(head.Number)}
		day := now.UTC().Format(time.DateOnly)
		leaf, err := record.LeafFor(e.Bytes(), salt, day, "31")
		if err != nil {
			return err
		}
		if err := tx.PutStatement(ctx, digest, envelope); err != nil {
			return err
		}
		if err := tx.AppendEvent(ctx, store.Event{Org: v.Org, StreamKind: "visit", StreamID: id, Number: head.Number + 1, Digest: e.Digest(), Previous: head.Digest,
			Verb: verb, ReceivedAt: store.At(now), Bytes: e.Bytes(), StatementDigest: digest, Salt: salt[:], Day: day, Province: "31"}, leaf.Bytes()); err != nil {
			return err
		}
		return beside(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A version before this one took a step whose photo has no digest, and a freeze after it. Today's rules refuse the step. The
// check names it with the rule, says of the freeze and of the visit's rows that they hang on it, and still finds a row of
// another visit that somebody changed.
func TestVerifyStoreGoesOnPastAnEventThatALaterRuleRefuses(t *testing.T) {
	const odd = "v-taken-before"
	l := live(t, func(d *scenario.Deployment, brake *scenario.Play) {
		p := d.Play(visit.Inspection, 0, odd, brake.Device.Serial, "W1489724")
		if err := p.Book(t.Context()); err != nil {
			t.Fatal(err)
		}
		takenByAnOlderVersion(t, d, d.Cast.Technician, odd, visit.RecordStep, scenario.Draft{Type: visit.TypeStep,
			Body: visit.Step{Visit: odd, Step: "mount", Done: true, Photos: []visit.Photo{{TakenAt: statement.At(time.Now()), Source: visit.PageCamera}}}},
			func(tx *store.Tx) error {
				_, _, err := tx.ClaimPhoto(t.Context(), store.Photo{Visit: odd, Step: "mount", ClaimedAt: store.At(time.Now())})
				return err
			})
		takenByAnOlderVersion(t, d, d.Cast.Merchant, odd, visit.Freeze, scenario.Draft{Type: visit.TypeBrake, Body: visit.Brake{Visit: odd, Reason: "asked_for_money"}},
			func(*store.Tx) error { return nil })
	})
	r := l.spoiled(t)
	if len(r.Skipped) != 0 || r.OK() {
		t.Fatalf("skipped %v, found %v", r.Skipped, r.Found)
	}
	codes := map[string]string{}
	for _, f := range r.Found {
		codes[f.Table+" "+f.Code] += " " + f.Key
		if f.Code == "event_not_provable" && f.Why != "step_photo_malformed" {
			t.Errorf("%s: refused as %q", f.Key, f.Why)
		}
	}
	if got := codes["events event_not_provable"]; strings.Count(got, odd) != 1 || strings.Count(got, "|") != 2 {
		t.Errorf("the step is named once: %q", got)
	}
	if got := codes["events event_rests_on_refused"]; !strings.Contains(got, odd) {
		t.Errorf("the freeze after it: %v", codes)
	}
	if got := codes["photos row_rests_on_refused"]; got == "" || len(codes) != 3 {
		t.Errorf("what hangs on it: %v", codes)
	}
	// And nobody hides behind it.
	r = l.spoiled(t, "UPDATE bindings SET merchant = 'somebody' WHERE visit = 'v1'", "DELETE FROM visit_terms WHERE visit = 'v1'")
	for _, want := range []app.Found{{Table: "bindings", Code: "row_changed"}, {Table: "visit_terms", Code: "row_removed"}} {
		if !slices.ContainsFunc(r.Found, func(f app.Found) bool { return f.Table == want.Table && f.Code == want.Code }) {
			t.Errorf("%s is not %s: %+v", want.Table, want.Code, r.Found)
		}
	}
}
