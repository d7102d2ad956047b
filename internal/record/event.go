package record

import (
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
)

var (
	errEvent      = fault.New(fault.Invalid, "event_malformed", "事件的格式不对。", "The event is malformed.")
	errChainGap   = fault.New(fault.Refused, "chain_gap", "事件的编号不连续，中间少了。", "The stream's numbers have a gap.")
	errChainOther = fault.New(fault.Refused, "chain_broken", "事件和前一个接不上：前一个被改过或换过。", "The event does not name the one before it.")
)

// Event is menshen's numbered record, in one stream, that a statement was received under a verb.
// It never changes; a correction is a new event.
type Event struct {
	Stream     string         `json:"stream"`   // kind/id
	Number     int            `json:"number"`   // from 1
	Previous   string         `json:"previous"` // digest of the event before, "" for the first
	Verb       string         `json:"verb"`
	ReceivedAt statement.Time `json:"received_at"`
	Statement  string         `json:"statement"` // digest of the envelope
}

// StreamKinds are the kinds of stream there are.
var StreamKinds = []string{"visit", "order", "device", "person", "organisation"}

// Bytes is the event's one form, which its digest and leaf are made from.
func (e Event) Bytes() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	return statement.Canonical(e)
}

// ParseEvent reads an event in its one form.
func ParseEvent(data []byte) (Event, error) {
	var e Event
	if err := statement.DecodeCanonical(data, &e); err != nil {
		return Event{}, errEvent.Because(err)
	}
	return e, e.check()
}

func (e Event) check() error {
	if err := CheckStream(e.Stream); err != nil {
		return err
	}
	first := e.Number == 1
	switch {
	case e.Number < 1:
		return errEvent.At("number")
	case first != (e.Previous == "") || (!first && !statement.IsDigest(e.Previous)):
		return errEvent.At("previous")
	case !plainVerb(e.Verb):
		return errEvent.At("verb")
	case !statement.IsDigest(e.Statement):
		return errEvent.At("statement")
	}
	if _, err := e.ReceivedAt.Parse(); err != nil {
		return errEvent.At("received_at")
	}
	return nil
}

// CheckStream says whether a stream's name is well formed: a known kind and an opaque id.
func CheckStream(name string) error {
	kind, id, ok := strings.Cut(name, "/")
	if !ok || identifier.CheckID(id) != nil {
		return errEvent.At("stream")
	}
	for _, k := range StreamKinds {
		if k == kind {
			return nil
		}
	}
	return errEvent.At("stream")
}

func plainVerb(v string) bool {
	for _, r := range v {
		if r != '_' && (r < 'a' || r > 'z') {
			return false
		}
	}
	return v != "" && len(v) <= 40
}

// CheckChain says whether next follows prev in its stream.
func CheckChain(prev, next Event) error {
	if next.Stream != prev.Stream || next.Number != prev.Number+1 {
		return errChainGap
	}
	data, err := prev.Bytes()
	if err != nil {
		return err
	}
	if next.Previous != statement.Digest(data) {
		return errChainOther
	}
	return nil
}
