package menshen_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

const trace = "docs/trace-a-visit.md"

// cells takes a table's line apart, without the code marks.
func cells(line string) []string {
	parts := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
	for i := range parts {
		parts[i] = strings.TrimSpace(strings.ReplaceAll(parts[i], "`", ""))
	}
	return parts
}

// tables gives the lines of a document's tables below a heading, without their head.
func tables(text, heading string) [][]string {
	var out [][]string
	now := ""
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "#"):
			now = strings.TrimSpace(strings.TrimLeft(line, "#"))
		case now == heading && strings.HasPrefix(line, "|---"):
			out = out[:len(out)-1]
		case now == heading && strings.HasPrefix(line, "|"):
			out = append(out, cells(line))
		}
	}
	return out
}

// The tables of events are the example bundle's own.
func TestTraceTellsTheExampleVisit(t *testing.T) {
	bundle, _, _ := exampleBundle(t)
	told := map[string][]string{}
	for _, e := range bundle.Entries {
		data, err := statement.Base64(e.Event)
		if err != nil {
			t.Fatal(err)
		}
		event, err := record.ParseEvent(data)
		if err != nil {
			t.Fatal(err)
		}
		envelope, err := statement.Base64(e.Statement)
		if err != nil {
			t.Fatal(err)
		}
		c, err := statement.Parse(envelope)
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := strings.Cut(event.Stream, "/")
		told[kind] = append(told[kind], fmt.Sprint(event.Number, " ", event.Verb, " ", c.Type, " ", c.Header.Signer))
	}
	text := read(t, trace)
	for heading, want := range map[string][]string{"The visit": told[visit.StreamVisit], "The order": slices.Concat(told[visit.StreamOrder], told[visit.StreamDevice])} {
		var got []string
		for _, row := range tables(text, heading) {
			got = append(got, strings.Join(row[:4], " "))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s, %s:\n got %q\nwant %q", trace, heading, got, want)
		}
	}
	counted := fmt.Sprintf("%d events of the visit, %d of order and device, %d of organisations and people", len(told[visit.StreamVisit]),
		len(told[visit.StreamOrder])+len(told[visit.StreamDevice]), len(told[visit.StreamOrganisation])+len(told[visit.StreamPerson]))
	if !strings.Contains(strings.ReplaceAll(text, "\n", " "), counted) {
		t.Errorf("%s does not say: %s", trace, counted)
	}
}

// Conditions, when each is first asked and on what basis it holds are the example decisions' own; the
// named file holds the condition's rule.
func TestTraceNamesEveryCondition(t *testing.T) {
	_, _, result := exampleBundle(t)
	first, basis := map[string]string{}, map[string]string{}
	for _, d := range result.Decisions {
		for _, c := range d.Conditions {
			if first[c.Name] == "" {
				first[c.Name] = d.Ask
			}
			basis[c.Name] = c.Basis
		}
	}
	seen := map[string]bool{}
	for _, row := range tables(read(t, trace), "What turns green, and on what basis") {
		name := row[0]
		seen[name] = true
		if row[1] != first[name] || row[2] != basis[name] {
			t.Errorf("%s: first asked at %s on %q, the page says %s on %q", name, first[name], basis[name], row[1], row[2])
		}
		file, _, _ := strings.Cut(row[4], ",")
		words := strings.Split(name, "-")
		rule := words[0]
		for _, w := range words[1:] {
			rule += strings.ToUpper(w[:1]) + w[1:]
		}
		if !strings.Contains(read(t, file), "\nfunc "+rule+"(") {
			t.Errorf("%s does not hold the rule of %s", file, name)
		}
	}
	if want := slices.Sorted(maps.Keys(first)); !slices.Equal(slices.Sorted(maps.Keys(seen)), want) {
		t.Errorf("%s tells of %q, the example asks %q", trace, slices.Sorted(maps.Keys(seen)), want)
	}
	for _, q := range gate.Asked(visit.Install, visit.AskLive) {
		if !seen[q.Condition] {
			t.Errorf("%s does not tell of %s", trace, q.Condition)
		}
	}
}

// What no bundle can prove stands, word for word, in the README, in the language of each.
func TestReadmesSayWhatCannotBeProven(t *testing.T) {
	en, zh := read(t, "README.md"), read(t, "README.zh.md")
	for _, limit := range evidence.CannotProve() {
		if !strings.Contains(en, limit.En) {
			t.Errorf("README.md does not say: %s", limit.En)
		}
		if !strings.Contains(zh, limit.Zh) {
			t.Errorf("README.zh.md does not say: %s", limit.Zh)
		}
	}
}

// The table of kinds is what honest visits of each kind record, in that order.
func TestTraceTellsEveryKind(t *testing.T) {
	scenes := map[string]func(*scenario.Play) []scenario.Scene{visit.Install: (*scenario.Play).Install, visit.Swap: (*scenario.Play).Swap, visit.Repair: (*scenario.Play).Repair,
		visit.Relocation: (*scenario.Play).Relocate, visit.Removal: (*scenario.Play).Remove, visit.Inspection: (*scenario.Play).InspectAgain}
	told := map[string]string{}
	for _, row := range tables(read(t, trace), "The other kinds") {
		told[row[0]] = row[1]
	}
	if len(told) != len(scenes) {
		t.Fatalf("%d kinds are told", len(told))
	}
	for kind, honest := range scenes {
		p, err := scenario.InMemoryPlay(visit.Install, 0, time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), nil)
		if err != nil {
			t.Fatal(err)
		}
		steps := []scenario.Scene{{Name: "open", Run: p.OpenCity}}
		if err := scenario.Run(t.Context(), append(append(steps, p.Install()...), scenario.Scene{Name: "settle", Run: p.Settle})); err != nil {
			t.Fatal(err)
		}
		if kind != visit.Install {
			p.Wait(time.Hour)
			p = p.Next(kind, "v2", "00005704280117028143", "W1489732")
			if err := scenario.Run(t.Context(), honest(p)); err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
		}
		data, err := p.Venue.Bundle(t.Context(), p.Cast.Merchant, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		b, err := evidence.Open(data)
		if err != nil {
			t.Fatal(err)
		}
		var asks []string
		for _, d := range evidence.Verify(b, p.Trust).Decisions {
			asks = append(asks, d.Ask)
		}
		if got := strings.Join(asks, " "); got != told[kind] {
			t.Errorf("%s records %q, and %q is told", kind, got, told[kind])
		}
	}
}
