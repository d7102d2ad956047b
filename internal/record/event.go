package record

import (
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
)

const (
	maxEventBytes  = 1024
	maxEventNumber = 1_000_000_000 // no stream comes near; fits every machine's int
	maxVerbBytes   = 32
)

var (
	errEvent     = fault.New(fault.Invalid, "event_malformed", "事件记录的格式不对。", "The event is not in its one canonical form.")
	errStream    = fault.New(fault.Invalid, "stream_malformed", "事件所属的序列名不对。", "A stream is named kind/id: visit, order, device, person or organisation, then its id.")
	errNumber    = fault.New(fault.Invalid, "event_number_malformed", "事件的编号要从 1 开始。", "Events are numbered from 1.")
	errVerb      = fault.New(fault.Invalid, "verb_malformed", "操作名的格式不对。", "A verb is lower-case letters and underscores.")
	errPrevious  = fault.New(fault.Invalid, "event_previous_malformed", "第一个事件没有前一个，其他事件必须写明前一个的摘要。", "Event 1 names no previous event; every other event names one by digest.")
	errStatement = fault.New(fault.Invalid, "event_statement_malformed", "事件没有写明它收到的签名文件。", "The event does not name its statement by digest.")

	errChainBroken = fault.New(fault.Refused, "chain_broken", "事件接不上：前一个事件的内容不是它写的那个。", "The event names another previous event than the one before it.")
	errChainGap    = fault.New(fault.Refused, "chain_gap", "事件缺了一个，或者顺序不对。", "An event is missing or out of place.")
	errChainStream = fault.New(fault.Refused, "chain_other_stream", "这个事件属于别的序列。", "The event belongs to another stream.")
)

// streamKinds are the five kinds of stream; package visit names them for the verb table.
var streamKinds = map[string]bool{"visit": true, "order": true, "device": true, "person": true, "organisation": true}

// Event records that a statement was received under a verb. Its canonical JSON is hashed into the
// log and named by the next event of the stream.
type Event struct {
	Stream     string         `json:"stream"`      // kind/id
	Number     int            `json:"number"`      // from 1
	Previous   string         `json:"previous"`    // digest of the event before; "" for event 1
	Verb       string         `json:"verb"`        // as in the verb table
	ReceivedAt statement.Time `json:"received_at"` // server's clock, whole seconds
	Statement  string         `json:"statement"`   // digest of the envelope bytes
}

// ParseEvent reads canonical event bytes. Faults: event_malformed, and Check's.
func ParseEvent(data []byte) (Event, error) {
	var e Event
	if err := statement.DecodeCanonicalWithin(data, &e, maxEventBytes); err != nil {
		return Event{}, errEvent.Because(err)
	}
	if err := e.Check(); err != nil {
		return Event{}, err
	}
	return e, nil
}

// Check holds the event's fields to their shapes. Faults: stream_malformed,
// event_number_malformed, verb_malformed, event_previous_malformed, event_statement_malformed,
// time_malformed at received_at.
func (e Event) Check() error {
	if _, _, err := SplitStream(e.Stream); err != nil {
		return err
	}
	if e.Number < 1 || e.Number > maxEventNumber {
		return errNumber
	}
	if !plainVerb(e.Verb) {
		return errVerb
	}
	if first := e.Number == 1; first != (e.Previous == "") || !first && !statement.IsDigest(e.Previous) {
		return errPrevious
	}
	if !statement.IsDigest(e.Statement) {
		return errStatement
	}
	_, err := e.ReceivedAt.Parse()
	return fault.At(err, "received_at")
}

// Bytes is the event's one form. It has meaning only for an event that passes Check: ParseEvent
// refuses the bytes of any other.
func (e Event) Bytes() []byte {
	data, _ := statement.Canonical(e) // strings and an int always encode
	return data
}

// Digest is the hex SHA-256 of Bytes; the next event of the stream names it.
func (e Event) Digest() string { return statement.Digest(e.Bytes()) }

// SplitStream gives kind and id of a stream's name. Fault: stream_malformed.
func SplitStream(stream string) (kind, id string, err error) {
	kind, id, _ = strings.Cut(stream, "/")
	if !streamKinds[kind] || identifier.CheckID(id) != nil {
		return "", "", errStream
	}
	return kind, id, nil
}

func plainVerb(verb string) bool {
	for i, r := range verb {
		if (r < 'a' || r > 'z') && (r != '_' || i == 0) {
			return false
		}
	}
	return verb != "" && len(verb) <= maxVerbBytes
}

// CheckChain says whether next comes directly after prev in one stream; prev is nil before event
// 1. Events that were written out of order or edited afterwards do not chain. Faults:
// chain_other_stream, chain_gap, chain_broken, and Check's for either event.
func CheckChain(prev *Event, next Event) error {
	if err := next.Check(); err != nil {
		return err
	}
	if prev == nil {
		if next.Number != 1 {
			return errChainGap
		}
		return nil
	}
	if err := prev.Check(); err != nil {
		return fault.At(err, "previous event")
	}
	if prev.Stream != next.Stream {
		return errChainStream
	}
	if next.Number != prev.Number+1 {
		return errChainGap
	}
	if next.Previous != prev.Digest() {
		return errChainBroken
	}
	return nil
}
