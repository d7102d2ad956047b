package evidence_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/visit"
)

// TestAVerdictIsRememberedWithAllThatItRestsOn grants a permit and then asks the same reader again with one
// thing changed at a time: it must say what a reader says that remembers nothing.
func TestAVerdictIsRememberedWithAllThatItRestsOn(t *testing.T) {
	p, d := before(t, visit.AskLive, "ask live")
	now := p.Now()
	r := evidence.NewReader(p.Trust)
	first := r.Judge(d, visit.AskLive, now)
	if !first.Granted {
		t.Fatal(first.Refusal, first.Conditions)
	}
	first.Conditions[0].Verdict, first.Conditions[0].Evidence[0] = "spoiled", "by its reader"
	first.Decision().Heads[0].Number, first.Decision().Permit.CapFen = 7777, 7777
	for name, change := range map[string]func(d *evidence.Dossier, ask *string, now *time.Time){
		"nothing":          func(*evidence.Dossier, *string, *time.Time) {},
		"another zone":     func(_ *evidence.Dossier, _ *string, now *time.Time) { *now = now.In(time.FixedZone("", 8*3600)) },
		"a second later":   func(_ *evidence.Dossier, _ *string, now *time.Time) { *now = now.Add(time.Second) },
		"a day later":      func(_ *evidence.Dossier, _ *string, now *time.Time) { *now = now.Add(24 * time.Hour) },
		"another ask":      func(_ *evidence.Dossier, ask *string, _ *time.Time) { *ask = visit.AskClose },
		"a smaller log":    func(d *evidence.Dossier, _ *string, _ *time.Time) { d.LogSize-- },
		"another visit":    func(d *evidence.Dossier, _ *string, _ *time.Time) { d.Visit = "another" },
		"no openings":      func(d *evidence.Dossier, _ *string, _ *time.Time) { d.Openings = nil },
		"one opening less": func(d *evidence.Dossier, _ *string, _ *time.Time) { d.Openings = d.Openings[1:] },
		"no receipt":       func(d *evidence.Dossier, _ *string, _ *time.Time) { d.Entries[7].Receipt = "" },
		"another receipt":  func(d *evidence.Dossier, _ *string, _ *time.Time) { d.Entries[7].Receipt = d.Entries[8].Receipt },
		"another salt":     func(d *evidence.Dossier, _ *string, _ *time.Time) { d.Entries[7].Salt = d.Entries[8].Salt },
		"another day":      func(d *evidence.Dossier, _ *string, _ *time.Time) { d.Entries[7].Day = "2026-01-01" },
		"an entry less":    func(d *evidence.Dossier, _ *string, _ *time.Time) { d.Entries = d.Entries[:len(d.Entries)-1] },
		"two swapped": func(d *evidence.Dossier, _ *string, _ *time.Time) {
			d.Entries[2], d.Entries[3] = d.Entries[3], d.Entries[2]
		},
	} {
		d2, ask, at := d, visit.AskLive, now
		d2.Entries, d2.Openings = slices.Clone(d.Entries), slices.Clone(d.Openings)
		change(&d2, &ask, &at)
		got, want := r.Judge(d2, ask, at), evidence.Judge(d2, p.Trust, ask, at)
		if got.Granted != want.Granted || fault.CodeOf(got.Refusal) != fault.CodeOf(want.Refusal) || !reflect.DeepEqual(got.Conditions, want.Conditions) ||
			!reflect.DeepEqual(got.Decision(), want.Decision()) || !got.Now.Equal(at) {
			t.Errorf("%s: remembered %v %v, anew %v %v", name, got.Granted, got.Refusal, want.Granted, want.Refusal)
		}
		if granted := name == "nothing" || name == "another zone" || name == "a second later"; want.Granted && !granted && name != "two swapped" && name != "one opening less" {
			t.Errorf("%s: granted", name)
		}
	}
	if r := r.Preview(d, visit.AskLive, now); r.Granted {
		t.Error("a preview grants")
	}
}

// TestAVerdictIsGivenOnce counts what a judgement allocates: the same question again is an answer from memory.
func TestAVerdictIsGivenOnce(t *testing.T) {
	p, d := before(t, visit.AskLive, "ask live")
	now, r := p.Now(), evidence.NewReader(p.Trust)
	for range 2 { // the second with everything proven, and nothing judged at that second
		now = now.Add(time.Second)
		r.Judge(d, visit.AskLive, now)
	}
	at := now
	anew := testing.AllocsPerRun(5, func() { at = at.Add(time.Second); r.Judge(d, visit.AskLive, at) })
	again := testing.AllocsPerRun(5, func() { r.Judge(d, visit.AskLive, now) })
	if again > anew/3 {
		t.Errorf("%v allocations again, %v anew", again, anew)
	}
}
