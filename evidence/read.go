package evidence

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

var (
	errStatementOther = fault.New(fault.Refused, "event_statement_differs", "事件里记的文件和附上的文件不是同一份。", "The event records another statement than the one beside it.")
	errStreamOther    = fault.New(fault.Refused, "statement_other_stream", "文件说的是另一件事，被放错了地方。", "The statement belongs to another stream than the event's.")
	errEventTwice     = fault.New(fault.Refused, "event_doubled", "同一个事件出现了两次。", "An event is there twice.")
	errStatementTwice = fault.New(fault.Refused, "statement_doubled", "同一份签名文件被登记了两次。", "One statement is recorded twice: an old word would count as said again.")
	errOrderChain     = fault.New(fault.Conflict, "signer_chain_broken", "同一个人前后两份文件接不上，中间还有一份没到。", "The statement does not name its signer's previous one in this order; one is missing or out of place.")
	errReceiptAbsent  = fault.New(fault.Refused, "receipt_absent", "有一条证据还没有进公开日志。", "A piece of evidence has no receipt from the log yet.")
	errStreamStart    = fault.New(fault.Refused, "event_missing", "事件不是从第一条开始连续的。", "A stream that must be whole lacks an event.")
	errOpeningTwice   = fault.New(fault.Refused, "opening_doubled", "同一个承诺打开了两次。", "One commitment is opened twice.")
)

// item is one entry with everything that reading it showed.
type item struct {
	place     string // where a fault about it points: the stream and number
	event     record.Event
	digest    string // of the event bytes
	claims    statement.Claims
	signed    statement.Verified
	received  time.Time
	inclusion record.Inclusion
	entry     Entry
	leaf      []byte
}

func (it item) streamKind() string { kind, _, _ := strings.Cut(it.event.Stream, "/"); return kind }

// parseEntry reads an entry's bytes. What it returns is untrusted: see reader.prove.
func parseEntry(e Entry, at int) (item, error) {
	it := item{place: "entry " + strconv.Itoa(at+1), entry: e}
	fail := func(err error) (item, error) { return item{}, fault.At(err, it.place) }
	event, err := statement.Base64(e.Event)
	if err != nil {
		return fail(errEntryMissing.At("event").Because(err))
	}
	if it.event, err = record.ParseEvent(event); err != nil {
		return fail(err)
	}
	it.place = it.event.Stream + " event " + strconv.Itoa(it.event.Number)
	it.digest = statement.Digest(event)
	envelope, err := statement.Base64(e.Statement)
	if err != nil {
		return fail(errEntryMissing.At("statement").Because(err))
	}
	if it.event.Statement != statement.Digest(envelope) {
		return fail(errStatementOther)
	}
	if it.claims, err = statement.Parse(envelope); err != nil {
		return fail(err)
	}
	if it.claims.Subject != it.event.Stream {
		return fail(errStreamOther)
	}
	it.received, _ = it.event.ReceivedAt.Parse() // ParseEvent has checked it
	salt, err := statement.Base64(e.Salt)
	if err != nil || len(salt) != 16 {
		return fail(errEntryMissing.At("salt"))
	}
	leaf, err := record.LeafFor(event, [16]byte(salt), e.Day, e.Province)
	if err != nil {
		return fail(err)
	}
	it.leaf = leaf.Bytes()
	return it, nil
}

// below demands a receipt for every item, with its leaf below size.
func (r *Reader) below(items []item, size int64) error {
	for i := range items {
		if err := r.include(&items[i]); err != nil {
			return fault.At(err, items[i].place)
		}
		if err := items[i].inclusion.Below(uint64(size)); err != nil {
			return fault.At(err, items[i].place)
		}
	}
	return nil
}

// wholeStreams checks that visit, order and device streams are there from event 1 without a gap,
// each event naming the digest of the one before. Other streams are too long to travel: from them
// come single events, and of those only neighbours can be held to their chain.
func wholeStreams(items []item) error {
	last := map[string]*item{}
	for i := range items {
		it := &items[i]
		prev := last[it.event.Stream]
		last[it.event.Stream] = it
		switch it.streamKind() {
		case visit.StreamVisit, visit.StreamOrder, visit.StreamDevice:
		default:
			if prev == nil || it.event.Number != prev.event.Number+1 {
				continue
			}
		}
		if prev == nil {
			if it.event.Number != 1 {
				return fault.At(errStreamStart, it.place)
			}
			continue
		}
		if err := record.CheckChain(&prev.event, it.event); err != nil {
			return fault.At(err, it.place)
		}
	}
	return nil
}

// orderChains holds everybody's statements on an order to their order: each names its signer's
// previous one. Of two price sheets that one side signed, the later one is then his word, whatever
// the order in which they were recorded. (In a visit's stream package visit asks the same.)
func orderChains(items []item) error {
	last := map[string]string{}
	for _, it := range items {
		if it.streamKind() != visit.StreamOrder {
			continue
		}
		who := it.event.Stream + " " + it.claims.Header.Key
		if it.claims.Header.Previous != last[who] {
			return fault.At(errOrderChain, it.place)
		}
		last[who] = it.claims.Digest()
	}
	return nil
}

// openings indexes openings by the commitment each one opens.
func openings(list []statement.Opening) (map[string]statement.Opening, error) {
	out := make(map[string]statement.Opening, len(list))
	for i, o := range list {
		c, err := o.Commitment()
		if err != nil {
			return nil, fault.Of(err).Atf("opening %d", i+1)
		}
		if _, twice := out[c]; twice {
			return nil, errOpeningTwice.Atf("opening %d", i+1)
		}
		out[c] = o
	}
	return out, nil
}

// EntryOf writes an entry down.
func EntryOf(event, envelope []byte, salt [16]byte, day, province, receipt string) Entry {
	enc := base64.StdEncoding.EncodeToString
	return Entry{Event: enc(event), Statement: enc(envelope), Salt: enc(salt[:]), Day: day, Province: province, Receipt: receipt}
}
