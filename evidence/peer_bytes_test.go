//go:build openapi

package evidence_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// changed is a way to make a changed file; it is made only if it is drawn.
type changed struct {
	what string
	make func() file
}

// layers lists changes of one honest bundle and its trust file, by the layer that is changed. What a changer can make to
// fit without other people's keys is made to fit: the event's digest of its statement, and the closing.
func layers(t *testing.T, p *played) map[string][]changed {
	t.Helper()
	out := map[string][]changed{}
	trust := trustOf(t, p.play)
	add := func(layer, what string, make func() file) {
		out[layer] = append(out[layer], changed{layer + " " + what, make})
	}
	bundle := func(layer, what string, edit func(*evidence.Bundle)) {
		add(layer, what, func() file {
			b := p.opened(t)
			edit(b)
			return file{layer + " " + what, reclosed(t, p, b), trust}
		})
	}
	for i, e := range p.opened(t).Entries {
		at := fmt.Sprintf("%d", i)
		parseTree(t, decoded(t, e.Event)).spoil(func(where string, data []byte) {
			bundle("event", at+where, func(b *evidence.Bundle) { b.Entries[i].Event = encoded(data) })
		})
		parseTree(t, decoded(t, e.Statement)).spoil(func(where string, data []byte) {
			bundle("envelope", at+where, func(b *evidence.Bundle) { fit(t, &b.Entries[i], data) })
		})
		parseTree(t, payloadOf(t, e)).spoil(func(where string, data []byte) {
			bundle("payload", at+where, func(b *evidence.Bundle) {
				fit(t, &b.Entries[i], []byte(strings.Replace(string(decoded(t, e.Statement)), encoded(payloadOf(t, e)), encoded(data), 1)))
			})
		})
		for where, text := range spoiltLines(e.Receipt) {
			bundle("receipt", at+" "+where, func(b *evidence.Bundle) { b.Entries[i].Receipt = text })
		}
	}
	openings, err := statement.Canonical(p.opened(t).Openings)
	if err != nil {
		t.Fatal(err)
	}
	parseTree(t, openings).spoil(func(where string, data []byte) {
		add("openings", where, func() file {
			return file{"openings " + where, []byte(strings.Replace(string(p.bundle), string(openings), string(data), 1)), trust}
		})
		bundle("openings closed again", where, func(b *evidence.Bundle) {
			var list []statement.Opening
			if statement.Decode([]byte(`{"list":`+string(data)+`}`), &struct {
				List *[]statement.Opening `json:"list"`
			}{&list}) == nil {
				b.Openings = list
			}
		})
	})
	parseTree(t, trust).spoil(func(where string, data []byte) {
		add("trust file", where, func() file { return file{"trust file" + where, p.bundle, data} })
	})
	closing := decoded(t, p.opened(t).Closing)
	with := func(envelope []byte) []byte {
		return []byte(strings.Replace(string(p.bundle), encoded(closing), encoded(envelope), 1))
	}
	parseTree(t, closing).spoil(func(where string, data []byte) {
		add("closing", where, func() file { return file{"closing" + where, with(data), trust} })
	})
	parseTree(t, payloadOf(t, evidence.Entry{Statement: encoded(closing)})).spoil(func(where string, data []byte) {
		add("closing signed again", where, func() file {
			return file{"closing signed again" + where, with(seal(t, p.play.Cast.Platform, data)), trust}
		})
	})
	for at := 0; at < len(p.bundle); at += 211 {
		add("bit", fmt.Sprint(at), func() file {
			turned := slices.Clone(p.bundle)
			turned[at] ^= 1 << (at % 8)
			return file{fmt.Sprint("bit of byte ", at), turned, trust}
		})
	}
	return out
}

// reclosed writes a bundle that the platform closes.
func reclosed(t *testing.T, p *played, b *evidence.Bundle) []byte {
	t.Helper()
	body, err := b.ClosingFor(visit.RoleMerchant, p.ledger.Log.Size())
	if err != nil {
		t.Fatal(err)
	}
	b.Closing = encoded(p.play.Cast.Platform.Forge(closingDraft(p, body)))
	data, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// fit puts an envelope into an entry, and its digest into the event.
func fit(t *testing.T, e *evidence.Entry, envelope []byte) {
	t.Helper()
	event, err := record.ParseEvent(decoded(t, e.Event))
	if err != nil {
		t.Fatal(err)
	}
	event.Statement = statement.Digest(envelope)
	e.Statement, e.Event = encoded(envelope), encoded(event.Bytes())
}

// spoiltLines changes, drops, doubles and exchanges every line of a text.
func spoiltLines(text string) map[string]string {
	out := map[string]string{"with a line more": text + "spare\n", "without its end": strings.TrimSuffix(text, "\n"), "with returns": strings.ReplaceAll(text, "\n", "\r\n")}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		rest := func(middle ...string) string {
			return strings.Join(slices.Concat(lines[:i], middle, lines[i+1:]), "\n")
		}
		out[fmt.Sprintf("line %d dropped", i)] = rest()
		out[fmt.Sprintf("line %d doubled", i)] = rest(line, line)
		out[fmt.Sprintf("line %d with a space", i)] = rest(line + " ")
		out[fmt.Sprintf("line %d with a zero", i)] = rest("0" + line)
		if line != "" {
			turned := []byte(line)
			turned[len(line)/2] ^= 1
			out[fmt.Sprintf("line %d turned", i)] = rest(string(turned))
		}
		if i > 0 {
			swapped := slices.Clone(lines)
			swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
			out[fmt.Sprintf("line %d exchanged", i)] = strings.Join(swapped, "\n")
		}
	}
	return out
}

// Whatever byte of whatever layer is changed, both readers say the same.
func TestASecondReaderOfChangedBytes(t *testing.T) {
	p := install(t)
	var files []file
	all := layers(t, p)
	for _, layer := range []string{"event", "envelope", "payload", "receipt", "openings", "openings closed again", "trust file", "closing", "closing signed again", "bit"} {
		list := all[layer]
		slices.SortFunc(list, func(a, b changed) int { return strings.Compare(a.what, b.what) })
		if len(list) < 20 {
			t.Errorf("%s: only %d changes", layer, len(list))
		}
		for _, c := range seeded(list, 26) {
			files = append(files, c.make())
		}
	}
	agree(t, files, 250)
}

// A witness's key that ended at some size of the log, before, amid and after the visit's receipts.
func TestASecondReaderOfAnEndedWitnessKey(t *testing.T) {
	p := install(t)
	old, fresh := p.ledger.Log.Witnesses[1], scenario.NewLogKey("witness-b-2", p.ledger.Log.Witnesses[1].Party)
	var files []file
	for _, size := range []int64{0, 1, 16, 40, p.ledger.Log.Size() - 1, p.ledger.Log.Size(), 1 << 40, -1} {
		f := p.play.Trust.File()
		f.Witnesses = append(f.Witnesses, evidence.WitnessTrust{Party: fresh.Party, Key: fresh.VKey()})
		for i := range f.Witnesses {
			if f.Witnesses[i].Key == old.VKey() {
				f.Witnesses[i].UntilSize = size
			}
		}
		data, err := statement.Canonical(f)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file{fmt.Sprint("ended at ", size), p.bundle, data})
	}
	agree(t, files, 8)
}
