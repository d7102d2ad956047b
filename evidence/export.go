package evidence

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Export makes a visit's bundle for a reader: everything its decisions rest on, and the outcomes
// after the last one, closed by the platform's signature. What came in after the last decision is
// not in it: nothing rests on that yet. Of the openings it takes those that open something in it.
func Export(d Dossier, reader string, logSize int64, sign func(Closing) ([]byte, error)) ([]byte, error) {
	b, err := new(Reader).Export(d, reader, logSize, sign)
	if err != nil {
		return nil, err
	}
	return b.Bytes()
}

// Export is the function of this name, with the reader's memory, and gives the bundle before it is bytes.
func (r *Reader) Export(d Dossier, reader string, logSize int64, sign func(Closing) ([]byte, error)) (*Bundle, error) {
	items, err := r.parse(d.Entries)
	if err != nil {
		return nil, err
	}
	kept, err := exported(items, d.Visit)
	if err != nil {
		return nil, err
	}
	b := &Bundle{Format: BundleFormat, Visit: d.Visit, Entries: []Entry{}, Openings: []statement.Opening{}}
	for _, it := range kept {
		if it.entry.Receipt == "" {
			return nil, fault.At(errReceiptAbsent, it.place)
		}
		b.Entries = append(b.Entries, it.entry)
	}
	committed := committedIn(kept)
	for _, o := range d.Openings {
		if c, err := o.Commitment(); err == nil && committed[c] {
			b.Openings = append(b.Openings, o)
		}
	}
	slices.SortFunc(b.Openings, func(a, c statement.Opening) int { return strings.Compare(a.Salt, c.Salt) })
	body, err := b.ClosingFor(reader, logSize)
	var envelope []byte
	if err == nil {
		envelope, err = sign(body)
	}
	if err != nil {
		return nil, err
	}
	b.Closing = base64.StdEncoding.EncodeToString(envelope)
	return b, nil
}

// exported selects what some decision names, the decisions themselves, and intents and outcomes
// that follow the last one without a gap.
func exported(items []item, visitID string) ([]item, error) {
	stream := visit.StreamVisit + "/" + visitID
	slices.SortStableFunc(items, func(a, b item) int {
		if c := strings.Compare(a.event.Stream, b.event.Stream); c != 0 {
			return c
		}
		return a.event.Number - b.event.Number
	})
	if err := wholeStreams(items); err != nil {
		return nil, err
	}
	named := map[string]bool{}
	out := &Result{items: items}
	last := 0
	for _, it := range items {
		if it.event.Stream != stream || it.claims.Type != visit.TypeDecision {
			continue
		}
		var d visit.Decision
		if err := it.claims.UntrustedBody(&d); err != nil {
			return nil, fault.At(err, it.place)
		}
		if _, err := out.cut(d, named); err != nil {
			return nil, fault.At(err, it.place)
		}
		last = it.event.Number
	}
	if last == 0 {
		return nil, errNoDecision.At(stream)
	}
	var kept []item
	for _, it := range items {
		follows := it.event.Stream == stream && it.event.Number == last+1 && (it.claims.Type == visit.TypeIntent || it.claims.Type == visit.TypeOutcome)
		if follows {
			last++
		}
		if named[it.digest] || (it.event.Stream == stream && it.event.Number <= last) {
			kept = append(kept, it)
		}
	}
	return kept, nil
}
