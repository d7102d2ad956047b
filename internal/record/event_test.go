package record_test

import (
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
	"pgregory.net/rapid"
)

var (
	envelopeOfBooking = statement.Digest([]byte("wei's booking"))
	envelopeOfVerdict = statement.Digest([]byte("wei's verdict at the door"))
)

func booked() record.Event {
	return record.Event{Stream: "visit/v1", Number: 1, Verb: "book", ReceivedAt: "2026-11-22T12:00:00Z", Statement: envelopeOfBooking}
}

func admitted() record.Event {
	return record.Event{Stream: "visit/v1", Number: 2, Previous: booked().Digest(), Verb: "admit",
		ReceivedAt: "2026-11-22T12:05:00Z", Statement: envelopeOfVerdict}
}

func TestEventHasOneForm(t *testing.T) {
	want := `{"stream":"visit/v1","number":1,"previous":"","verb":"book","received_at":"2026-11-22T12:00:00Z","statement":"` + envelopeOfBooking + `"}`
	if got := string(booked().Bytes()); got != want {
		t.Fatalf("event bytes\n%s\nwant\n%s", got, want)
	}
	got, err := record.ParseEvent([]byte(want))
	if err != nil || got != booked() {
		t.Fatalf("ParseEvent = %+v, %v", got, err)
	}
	if booked().Digest() != statement.Digest([]byte(want)) {
		t.Fatal("an event's digest is the SHA-256 of its bytes")
	}
}

func TestEventRefuses(t *testing.T) {
	for _, c := range []struct {
		name, old, new, code string
	}{
		{"space after a colon", `"number":2`, `"number": 2`, "event_malformed"},
		{"unknown name", `{"stream"`, `{"place":"x","stream"`, "event_malformed"},
		{"case variant", `"verb"`, `"Verb"`, "event_malformed"},
		{"name twice", `"number":2`, `"number":2,"number":2`, "event_malformed"},
		{"name missing", `"number":2,`, ``, "event_malformed"},
		{"fraction", `"number":2`, `"number":2.0`, "event_malformed"},
		{"escaped letter", `admit`, `\u0061dmit`, "event_malformed"},
		{"trailing newline", `"}`, "\"}\n", "event_malformed"},
		{"over the bound", `admit`, strings.Repeat("a", 1024), "event_malformed"},
		{"unknown kind of stream", `visit/v1`, `shop/v1`, "stream_malformed"},
		{"stream without id", `visit/v1`, `visit`, "stream_malformed"},
		{"id that climbs", `visit/v1`, `visit/../v1`, "stream_malformed"},
		{"number zero", `"number":2`, `"number":0`, "event_number_malformed"},
		{"number negative", `"number":2`, `"number":-2`, "event_number_malformed"},
		{"number too high", `"number":2`, `"number":1000000001`, "event_number_malformed"},
		{"verb empty", `"admit"`, `""`, "verb_malformed"},
		{"verb in capitals", `"admit"`, `"Admit"`, "verb_malformed"},
		{"verb with underscore first", `"admit"`, `"_admit"`, "verb_malformed"},
		{"verb too long", `"admit"`, `"` + strings.Repeat("a", 33) + `"`, "verb_malformed"},
		{"second event without previous", booked().Digest(), "", "event_previous_malformed"},
		{"first event with previous", `"number":2`, `"number":1`, "event_previous_malformed"},
		{"previous in capitals", booked().Digest(), strings.ToUpper(booked().Digest()), "event_previous_malformed"},
		{"statement cut", envelopeOfVerdict, envelopeOfVerdict[1:], "event_statement_malformed"},
		{"local time", `12:05:00Z`, `12:05:00+08:00`, "time_malformed"},
		{"fraction of a second", `12:05:00Z`, `12:05:00.5Z`, "time_malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			whole := string(admitted().Bytes())
			if !strings.Contains(whole, c.old) {
				t.Fatalf("test spoils nothing: %q not in %s", c.old, whole)
			}
			e, err := record.ParseEvent([]byte(strings.Replace(whole, c.old, c.new, 1)))
			if got := fault.CodeOf(err); got != c.code {
				t.Fatalf("code %q, want %q (%v)", got, c.code, err)
			}
			if e != (record.Event{}) {
				t.Fatal("a refused event leaves something behind")
			}
		})
	}
	if err := (record.Event{}).Check(); err == nil {
		t.Fatal("the zero event passes")
	}
}

func TestEventBoundsAreInclusive(t *testing.T) {
	e := admitted()
	e.Number, e.Verb = record.MaxEventNumber, "a"+strings.Repeat("_", 31)
	if err := e.Check(); err != nil {
		t.Fatal(err)
	}
}

func TestStreamKinds(t *testing.T) {
	for _, kind := range []string{"visit", "order", "device", "person", "organisation"} {
		got, id, err := record.SplitStream(kind + "/lan-7")
		if err != nil || got != kind || id != "lan-7" {
			t.Fatalf("SplitStream(%s/lan-7) = %q, %q, %v", kind, got, id, err)
		}
	}
}

func TestChain(t *testing.T) {
	first, second := booked(), admitted()
	if err := record.CheckChain(nil, first); err != nil {
		t.Fatal(err)
	}
	if err := record.CheckChain(&first, second); err != nil {
		t.Fatal(err)
	}
	edited := booked()
	edited.Statement = envelopeOfVerdict
	elsewhere := booked()
	elsewhere.Stream = "visit/v2"
	third := admitted()
	third.Number, third.Previous = 3, second.Digest()
	for _, c := range []struct {
		name string
		prev *record.Event
		next record.Event
		code string
	}{
		{"stream that begins at event 2", nil, second, "chain_gap"},
		{"event 2 missing", &first, third, "chain_gap"},
		{"event 1 again", &first, first, "chain_gap"},
		{"event before edited", &edited, second, "chain_broken"},
		{"event before of another stream", &elsewhere, second, "chain_other_stream"},
		{"event before never checked", &record.Event{}, second, "stream_malformed"},
		{"next never checked", &first, record.Event{}, "stream_malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := fault.CodeOf(record.CheckChain(c.prev, c.next)); got != c.code {
				t.Fatalf("code %q, want %q", got, c.code)
			}
		})
	}
}

func TestAnyEditOfAnEventBreaksItsChain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first, second := booked(), admitted()
		data := first.Bytes()
		edited := edit(t, data)
		if string(edited) == string(data) {
			return // nothing changed
		}
		e, err := record.ParseEvent(edited)
		if err != nil {
			return
		}
		if record.CheckChain(&e, second) == nil {
			t.Fatalf("%s still chains", edited)
		}
	})
}

func FuzzParseEvent(f *testing.F) {
	f.Add(booked().Bytes())
	f.Add(admitted().Bytes())
	f.Add([]byte(`{"stream":"visit/v1","number":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := record.ParseEvent(data)
		if err == nil && string(e.Bytes()) != string(data) {
			t.Fatalf("%q has a second form %q", data, e.Bytes())
		}
	})
}
