package pages

import (
	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// EventsOf lists the events of a visit's stream in a dossier, in their order there, and what the log
// and its witnesses say of them. It verifies receipts, not signatures: show it only beside a Report
// over the same dossier, which does.
func EventsOf(d evidence.Dossier, t evidence.Trust) ([]EventView, ReceiptsView, error) {
	var out []EventView
	var sum ReceiptsView
	v, err := verifierOf(t)
	if err != nil {
		return nil, sum, err
	}
	for _, e := range d.Entries {
		data, err := statement.Base64(e.Event)
		if err != nil {
			return nil, sum, err
		}
		event, err := record.ParseEvent(data)
		if err != nil {
			return nil, sum, err
		}
		if event.Stream != visit.StreamVisit+"/"+d.Visit {
			continue
		}
		view, err := eventView(event, e.Statement)
		if err != nil {
			return nil, sum, err
		}
		sum.take(&view, v, e, data)
		out = append(out, view)
	}
	return out, sum, nil
}

func verifierOf(t evidence.Trust) (*record.Verifier, error) {
	f := t.File()
	c := record.PolicyConfig{Origin: f.Log.Origin, LogKey: f.Log.Key, Operator: f.Log.Operator, Quorum: f.Quorum}
	for _, w := range f.Witnesses {
		c.Witnesses = append(c.Witnesses, w.InPolicy())
	}
	p, err := record.NewPolicy(c)
	if err != nil {
		return nil, err
	}
	return record.NewVerifier(p), nil
}

func eventView(e record.Event, envelope string) (EventView, error) {
	raw, err := statement.Base64(envelope)
	if err != nil {
		return EventView{}, err
	}
	claims, err := statement.Parse(raw)
	if err != nil {
		return EventView{}, err
	}
	at, err := e.ReceivedAt.Parse()
	if err != nil {
		return EventView{}, err
	}
	return EventView{Number: e.Number, At: at, Verb: e.Verb, Type: claims.Type, Words: eventWords(e.Verb, claims), Role: claims.Header.Role, Digest: e.Statement}, nil
}

// eventWords says what happened. Of the body only two closed words are read, an ask and an outcome.
func eventWords(verb string, c statement.Claims) Text {
	var d visit.Decision
	var o visit.Outcome
	switch {
	case c.Type == visit.TypeDecision && c.UntrustedBody(&d) == nil:
		return decisionWords[d.Ask]
	case c.Type == visit.TypeOutcome && c.UntrustedBody(&o) == nil:
		return outcomeWords[o.Outcome]
	}
	if w, ok := verbWords[verb+" "+c.Type]; ok {
		return w
	}
	return verbWords[verb]
}

// take counts an event's receipt, and keeps the newest checkpoint's size and witnesses.
func (r *ReceiptsView) take(e *EventView, v *record.Verifier, entry evidence.Entry, event []byte) {
	if entry.Receipt == "" {
		e.Receipt = ReceiptWaiting
		r.Waiting++
		return
	}
	in, err := inclusionOf(v, entry, event)
	if err != nil {
		e.Receipt = ReceiptBroken
		r.Broken++
		return
	}
	e.Receipt, e.Leaf = ReceiptLogged, in.Index()
	r.Logged++
	if in.Size() < r.LogSize {
		return
	}
	r.LogSize, r.Witnesses = in.Size(), nil
	for _, c := range in.Cosigned() {
		r.Witnesses = append(r.Witnesses, Witness{Party: c.Party, At: c.Time})
	}
}

func inclusionOf(v *record.Verifier, e evidence.Entry, event []byte) (record.Inclusion, error) {
	salt, err := statement.Base64(e.Salt)
	if err != nil || len(salt) != 16 {
		return record.Inclusion{}, errSalt.Because(err)
	}
	leaf, err := record.LeafFor(event, [16]byte(salt), e.Day, e.Province)
	if err != nil {
		return record.Inclusion{}, err
	}
	return v.VerifyReceipt([]byte(e.Receipt), leaf.Bytes())
}
