package evidence_test

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// tamperer reads one honest bundle again and again, each time with one thing changed. Its reader
// remembers what it proved; a change must be found all the same.
type tamperer struct {
	t      *testing.T
	p      *played
	honest *evidence.Bundle
	reader *evidence.Reader
	tried  int
	codes  map[string]int
}

func newTamperer(t *testing.T) *tamperer {
	t.Helper()
	x := &tamperer{t: t, p: install(t), reader: evidence.NewReader(install(t).play.Trust), codes: map[string]int{}}
	x.honest = x.p.opened(t)
	if r := x.reader.Verify(x.honest); !r.Accepted() || r.NotOpened != 0 {
		t.Fatalf("the honest bundle is refused: %v", r.Refusal)
	}
	return x
}

// refused counts a change that must be refused with a code and a place.
func (x *tamperer) refused(what string, err error) {
	x.t.Helper()
	x.tried++
	f := fault.Of(err)
	if f == nil {
		x.t.Fatalf("%s: nobody noticed", what)
	}
	x.codes[f.Code]++
	if f.Code == "" || f.Code == "internal" || f.Where == "" {
		x.t.Errorf("%s: refused as %q at %q", what, f.Code, f.Where)
	}
}

// json tries a whole file.
func (x *tamperer) json(what string, data []byte) {
	x.t.Helper()
	b, err := evidence.Open(data)
	if err == nil {
		err = x.reader.Verify(b).Refusal
	}
	x.refused(what, err)
}

// bundle tries a bundle whose parts were changed; reclose lets the platform itself be the attacker.
func (x *tamperer) bundle(what string, reclose bool, change func(*evidence.Bundle)) {
	x.t.Helper()
	b := *x.honest
	b.Entries = append([]evidence.Entry{}, b.Entries...)
	b.Openings = append([]statement.Opening{}, b.Openings...)
	change(&b)
	err := x.reader.Verify(&b).Refusal
	if reclose && strings.HasPrefix(fault.CodeOf(err), "closing_") { // the rest must hold without the closing
		x.close(&b)
		err = x.reader.Verify(&b).Refusal
	}
	x.refused(what, err)
}

func (x *tamperer) close(b *evidence.Bundle) {
	body, err := b.ClosingFor(visit.RoleMerchant, x.p.ledger.Log.Size())
	if err != nil {
		x.t.Fatal(err)
	}
	b.Closing = base64.StdEncoding.EncodeToString(x.p.play.Cast.Platform.Forge(closingDraft(x.p, body)))
}

func (x *tamperer) report(least int) {
	x.t.Helper()
	x.t.Logf("%d changes, all refused, for %d reasons: %v", x.tried, len(x.codes), x.codes)
	if x.tried < least {
		x.t.Errorf("only %d changes were tried", x.tried)
	}
}

// TestNoValueOfABundleCanBeChanged changes, drops, doubles, exchanges and adds to every value of the
// bundle's own JSON.
func TestNoValueOfABundleCanBeChanged(t *testing.T) {
	x := newTamperer(t)
	top := parseTree(t, x.p.bundle)
	for i, name := range top.names {
		if name == "entries" {
			top.kids[i].kids = top.kids[i].kids[:0] // their own members follow
		}
	}
	top.spoil(func(where string, data []byte) {
		whole := strings.Replace(string(data), `"entries":[`, `"entries":[`+entriesOf(x.p.bundle), 1)
		x.json("bundle"+where, []byte(whole))
	})
	x.report(150)
}

// entriesOf gives the text between the brackets of a bundle's entries.
func entriesOf(bundle []byte) string {
	_, rest, _ := strings.Cut(string(bundle), `"entries":[`)
	entries, _, _ := strings.Cut(rest, `],"openings"`)
	return entries
}

// TestNoEntryCanBeMovedDroppedOrDoubled treats each entry as one value, closed again by the platform.
func TestNoEntryCanBeMovedDroppedOrDoubled(t *testing.T) {
	x := newTamperer(t)
	n := len(x.honest.Entries)
	last := n - 1 // dropping the end is another, honest bundle once the platform closes it again
	for i := range n {
		at := "entry " + strconv.Itoa(i+1)
		x.bundle(at+" dropped", i != last, func(b *evidence.Bundle) { b.Entries = append(b.Entries[:i], b.Entries[i+1:]...) })
		x.bundle(at+" doubled", true, func(b *evidence.Bundle) { b.Entries = append(b.Entries[:i+1], b.Entries[i:]...) })
		if i > 0 {
			x.bundle(at+" exchanged", true, func(b *evidence.Bundle) { b.Entries[i-1], b.Entries[i] = b.Entries[i], b.Entries[i-1] })
		}
		if i < last {
			x.bundle(at+" moved to the end", true, func(b *evidence.Bundle) {
				b.Entries = append(append(b.Entries[:i:i], b.Entries[i+1:]...), x.honest.Entries[i])
			})
		}
	}
	x.report(4*n - 2)
}

// TestNoValueInsideAnEntryCanBeChanged takes every event, envelope and payload apart and spoils every
// value in it, once as it is and once with all digests beside it made to fit and the bundle closed
// again by the platform: then only signatures and receipts are left to notice.
func TestNoValueInsideAnEntryCanBeChanged(t *testing.T) {
	x := newTamperer(t)
	for i, e := range x.honest.Entries {
		at := "entry " + strconv.Itoa(i+1)
		event, envelope := decoded(t, e.Event), decoded(t, e.Statement)
		parseTree(t, event).spoil(func(where string, data []byte) {
			x.bundle(at+" event"+where, true, func(b *evidence.Bundle) { b.Entries[i].Event = encoded(data) })
		})
		outside := parseTree(t, envelope)
		outside.spoil(func(where string, data []byte) { x.statement(at+" envelope"+where, i, event, data) })
		payload := outside.kids[1]
		inside := decoded(t, strings.Trim(payload.leaf, `"`))
		parseTree(t, inside).spoil(func(where string, data []byte) {
			payload.leaf = `"` + encoded(data) + `"`
			x.statement(at+" payload"+where, i, event, outside.bytes())
		})
		x.fields(at, i)
	}
	x.report(10000)
}

func encoded(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// statement tries a changed envelope, alone and with the event's digest of it made to fit.
func (x *tamperer) statement(what string, i int, event, envelope []byte) {
	x.t.Helper()
	x.bundle(what, true, func(b *evidence.Bundle) { b.Entries[i].Statement = encoded(envelope) })
	parsed, err := record.ParseEvent(event)
	if err != nil {
		x.t.Fatal(err)
	}
	parsed.Statement = statement.Digest(envelope)
	x.bundle(what+", digests made to fit", true, func(b *evidence.Bundle) {
		b.Entries[i].Statement, b.Entries[i].Event = encoded(envelope), encoded(parsed.Bytes())
	})
}

// fields spoils what stands beside an entry's event and statement.
func (x *tamperer) fields(at string, i int) {
	x.t.Helper()
	for name, field := range map[string]func(*evidence.Entry) *string{
		"salt": func(e *evidence.Entry) *string { return &e.Salt }, "day": func(e *evidence.Entry) *string { return &e.Day },
		"province": func(e *evidence.Entry) *string { return &e.Province }, "receipt": func(e *evidence.Entry) *string { return &e.Receipt },
		"event": func(e *evidence.Entry) *string { return &e.Event }, "statement": func(e *evidence.Entry) *string { return &e.Statement },
	} {
		for _, value := range []string{"", "0", *field(&x.honest.Entries[(i+1)%len(x.honest.Entries)])} {
			if value == *field(&x.honest.Entries[i]) {
				continue // days and provinces are the same everywhere
			}
			x.bundle(at+" "+name+" replaced", true, func(b *evidence.Bundle) { *field(&b.Entries[i]) = value })
		}
	}
}

// TestOnlySignaturesAreLeft changes every value of every payload and makes all else fit: digests,
// the chain of events, and no receipt is asked for. What is left to notice is the signature.
func TestOnlySignaturesAreLeft(t *testing.T) {
	x := newTamperer(t)
	for i, e := range x.honest.Entries {
		outside := parseTree(t, decoded(t, e.Statement))
		payload := outside.kids[1]
		parseTree(t, decoded(t, strings.Trim(payload.leaf, `"`))).spoil(func(where string, data []byte) {
			if !strings.HasSuffix(where, " changed 1") {
				return
			}
			payload.leaf = `"` + encoded(data) + `"`
			d := evidence.Dossier{Visit: x.honest.Visit, Entries: x.refit(i, outside.bytes())}
			_, err := x.reader.Stand(d, x.p.play.Now())
			x.refused("entry "+strconv.Itoa(i+1)+" payload"+where, err)
		})
	}
	x.report(1500)
}

// refit puts another statement into an entry and makes the event and those after it in its stream
// name what they then must.
func (x *tamperer) refit(i int, envelope []byte) []evidence.Entry {
	x.t.Helper()
	entries := append([]evidence.Entry{}, x.honest.Entries...)
	first, err := record.ParseEvent(decoded(x.t, entries[i].Event))
	if err != nil {
		x.t.Fatal(err)
	}
	first.Statement, entries[i].Statement = statement.Digest(envelope), encoded(envelope)
	entries[i].Event = encoded(first.Bytes())
	for previous := first; i+1 < len(entries); i++ {
		e, err := record.ParseEvent(decoded(x.t, entries[i+1].Event))
		if err != nil {
			x.t.Fatal(err)
		}
		if e.Stream != previous.Stream || e.Number != previous.Number+1 {
			break
		}
		e.Previous = previous.Digest()
		entries[i+1].Event, previous = encoded(e.Bytes()), e
	}
	return entries
}

// TestNoByteOfAnEntryCanBeFlipped flips bits all over the bundle, stepping through every field from
// its first byte to its last. The whole file is 180 kB; every thirteenth byte keeps this in seconds.
func TestNoByteOfAnEntryCanBeFlipped(t *testing.T) {
	const step = 13
	x := newTamperer(t)
	flip := func(what, value string, set func(*evidence.Bundle, string)) {
		for at := 0; at < len(value); at = next(at, step, len(value)) {
			turned := []byte(value)
			turned[at] ^= 1 << (at % 7)
			x.bundle(what+" byte "+strconv.Itoa(at), false, func(b *evidence.Bundle) { set(b, string(turned)) })
		}
	}
	for i, e := range x.honest.Entries {
		at := "entry " + strconv.Itoa(i+1)
		flip(at+" event", e.Event, func(b *evidence.Bundle, v string) { b.Entries[i].Event = v })
		flip(at+" statement", e.Statement, func(b *evidence.Bundle, v string) { b.Entries[i].Statement = v })
		flip(at+" salt", e.Salt, func(b *evidence.Bundle, v string) { b.Entries[i].Salt = v })
		flip(at+" day", e.Day, func(b *evidence.Bundle, v string) { b.Entries[i].Day = v })
		flip(at+" province", e.Province, func(b *evidence.Bundle, v string) { b.Entries[i].Province = v })
		flip(at+" receipt", e.Receipt, func(b *evidence.Bundle, v string) { b.Entries[i].Receipt = v })
	}
	for i, o := range x.honest.Openings {
		at := "opening " + strconv.Itoa(i+1)
		flip(at+" kind", o.Kind, func(b *evidence.Bundle, v string) { b.Openings[i].Kind = v })
		flip(at+" salt", o.Salt, func(b *evidence.Bundle, v string) { b.Openings[i].Salt = v })
		flip(at+" value", o.Value, func(b *evidence.Bundle, v string) { b.Openings[i].Value = v })
	}
	flip("visit", x.honest.Visit, func(b *evidence.Bundle, v string) { b.Visit = v })
	flip("closing", x.honest.Closing, func(b *evidence.Bundle, v string) { b.Closing = v })
	x.report(12000)
}

// next steps through a field and never leaves out its last byte.
func next(at, step, length int) int {
	if at < length-1 && at+step >= length {
		return length - 1
	}
	return at + step
}

// TestNoByteOfTheFileCanBeFlipped does the same to the file as it travels, where most flips already
// break its form; the file is read from the start each time, so there are fewer.
func TestNoByteOfTheFileCanBeFlipped(t *testing.T) {
	x := newTamperer(t)
	const step = 601 // no multiple of anything in the file
	for at := 0; at < len(x.p.bundle); at = next(at, step, len(x.p.bundle)) {
		turned := append([]byte{}, x.p.bundle...)
		turned[at] ^= 1 << (at % 8)
		x.json("file byte "+strconv.Itoa(at), turned)
	}
	for _, end := range []int{0, 1, len(x.p.bundle) / 2, len(x.p.bundle) - 1} {
		x.json("file cut at "+strconv.Itoa(end), x.p.bundle[:end])
	}
	x.json("file with a newline", append(append([]byte{}, x.p.bundle...), '\n'))
	x.json("file twice", append(append([]byte{}, x.p.bundle...), x.p.bundle...))
	x.report(300)
}
