package scenario

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// This file is what a lying server can do: it holds the platform's key, runs the log and chooses what
// it records, leaves out, decides and exports. It does not hold anybody else's key, and witnesses
// cosign only one log.

// Told is one recorded event as a server chooses whether to show it.
type Told struct {
	Stream string
	Number int
	Type   string
	Index  int64 // of its leaf
}

// hideFromNow leaves statements of some types that are recorded from now on out of the evidence.
func (p *Play) hideFromNow(types ...string) {
	since := p.ledger().Log.Size()
	p.ledger().Hide = func(e Told) bool { return e.Index >= since && slices.Contains(types, e.Type) }
}

// Stream gives a stream's events as they were recorded.
func (l *Ledger) Stream(name string) []Recorded {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.streams[name])
}

// lastPermit is the visit's last permit and the digest of the decision that carries it.
func (p *Play) lastPermit() (visit.Permit, string, error) {
	state, err := p.ledger().reader.Stand(p.ledger().Dossier(p.ID, 0), p.Now())
	if err != nil {
		return visit.Permit{}, "", err
	}
	for _, d := range slices.Backward(state.Decisions()) {
		if d.Body.Permit != nil {
			return *d.Body.Permit, d.Event.Statement.Digest(), nil
		}
	}
	return visit.Permit{}, "", errNothingToRelease
}

// atHost hands a bundle and a permit straight to the host, while the device holds a session.
func (p *Play) atHost(ctx context.Context, bundle []byte, permit string) error {
	if err := p.Host.OpenSession(ctx, p.Device); err != nil {
		return err
	}
	signed, err := p.host().Release(bundle, permit)
	if err != nil {
		return &Refusal{Code: RefusalOf(err).Code, By: ByHost}
	}
	return p.released(OutcomeOf(signed), nil)
}

// forge records a decision that the gate did not make: true in form, signed by the platform, naming
// all that the dossier holds, every condition held to. edit changes it before it is signed.
func (p *Play) forge(ask string, edit func(*visit.Decision)) (string, error) {
	l, now := p.ledger(), p.Now()
	d := visit.Decision{Visit: p.ID, Ask: ask, DecidedAt: statement.At(now), Rules: visit.RulesVersion, Parameters: l.parameters(),
		Heads: []visit.Head{}, Evidence: []string{}, Conditions: held(p.Order.Kind, ask)}
	d.Heads, d.Evidence = l.named(p.ID)
	if ask != visit.AskDispatch && ask != visit.AskAdmit {
		d.LogSize = l.Log.Size()
	}
	if visit.VerbOf(ask) == visit.RequestPermit {
		d.Permit = &visit.Permit{Order: p.Order.Order, Serial: p.Device.Serial, DeviceKey: p.Device.Thumbprint(), Terminal: p.Order.Terminal,
			Items: p.Order.Items, Until: statement.At(now.Add(30 * time.Minute))}
		if ask == visit.AskTrial {
			d.Permit.CapFen = 1
		}
	}
	if edit != nil {
		edit(&d)
	}
	stream := p.VisitStream()
	envelope := l.Cast.Platform.Forge(Draft{Stream: stream, Type: visit.TypeDecision, At: now, Body: d})
	_, err := l.Append(stream, visit.VerbOf(ask), envelope)
	return statement.Digest(envelope), err
}

// forged gives a scene that forges a decision instead of asking, over a register extract that is in order.
func (p *Play) forged(ask string, edit func(*visit.Decision)) func(context.Context) error {
	return func(context.Context) error {
		if err := p.ledger().publishExtract(p.ID, ask); err != nil {
			return err
		}
		_, err := p.forge(ask, edit)
		return err
	}
}

// attestedOnly are the conditions whose verdict rests on the register's word.
var attestedOnly = []string{gate.MerchantVerified, gate.DutiesSeparated, gate.NothingOpen, gate.BindingUnique, gate.StepsComplete}

func held(kind, ask string) []visit.Held {
	var out []visit.Held
	for _, q := range gate.Asked(kind, ask) {
		basis := gate.Rerun
		if slices.Contains(attestedOnly, q.Condition) {
			basis = gate.Attested
		}
		out = append(out, visit.Held{Condition: q.Condition, Verdict: string(gate.Holds), Basis: basis})
	}
	return out
}

// named lists heads and single events as an honest decision over the whole dossier would.
func (l *Ledger) named(visitID string) ([]visit.Head, []string) {
	heads := map[string]visit.Head{}
	single := []string{}
	for _, e := range l.Dossier(visitID, 0).Entries {
		data, event := l.event(e)
		kind, _, _ := strings.Cut(event.Stream, "/")
		if kind == visit.StreamPerson || kind == visit.StreamOrganisation {
			single = append(single, statement.Digest(data))
			continue
		}
		heads[event.Stream] = visit.Head{Stream: event.Stream, Number: event.Number, Event: statement.Digest(data)}
	}
	out := []visit.Head{}
	for _, h := range heads {
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b visit.Head) int { return strings.Compare(a.Stream, b.Stream) })
	slices.Sort(single)
	return out, single
}

func (l *Ledger) event(e evidence.Entry) ([]byte, record.Event) {
	data, err := base64.StdEncoding.DecodeString(e.Event)
	must(err)
	event, err := record.ParseEvent(data)
	must(err)
	return data, event
}

// parameters is the digest of the newest parameters statement.
func (l *Ledger) parameters() string {
	out := ""
	for _, r := range l.Stream(visit.StreamOrganisation + "/" + l.Cast.Acquirer.ID) {
		if c, err := statement.Parse(r.Envelope); err == nil && c.Type == "parameters" {
			out = c.Digest()
		}
	}
	return out
}

// bundled makes a bundle past every check of an honest export: all of the dossier up to the visit's
// last decision, edited, then closed by the platform.
func (p *Play) bundled(edit func(*evidence.Bundle)) []byte {
	l := p.ledger()
	d := l.Dossier(p.ID, 0)
	b := &evidence.Bundle{Format: evidence.BundleFormat, Visit: p.ID, Entries: []evidence.Entry{}, Openings: d.Openings}
	for _, e := range d.Entries {
		_, event := l.event(e)
		if event.Stream != p.VisitStream() || event.Number <= l.lastDecision(p.VisitStream()) {
			b.Entries = append(b.Entries, e)
		}
	}
	if edit != nil {
		edit(b)
	}
	return p.closed(b, l.Cast.Platform)
}

func (l *Ledger) lastDecision(stream string) int {
	last := 0
	for i, r := range l.Stream(stream) {
		if c, err := statement.Parse(r.Envelope); err == nil && c.Type == visit.TypeDecision {
			last = i + 1
		}
	}
	return last
}

// closed has somebody sign the bundle as it is now.
func (p *Play) closed(b *evidence.Bundle, by *Actor) []byte {
	body, err := b.ClosingFor(visit.RoleHost, p.ledger().Log.Size())
	must(err)
	b.Closing = b64(by.Forge(Draft{Stream: p.VisitStream(), Type: evidence.TypeClosing, At: p.Now(), Body: body}))
	data, err := b.Bytes()
	must(err)
	return data
}

// reopened reads a bundle, edits it and writes it again; reclose has the platform close it anew.
func (p *Play) reopened(data []byte, reclose bool, edit func(*evidence.Bundle)) []byte {
	b, err := evidence.Open(data)
	must(err)
	edit(b)
	if reclose {
		return p.closed(b, p.Cast.Platform)
	}
	out, err := b.Bytes()
	must(err)
	return out
}

// lastDecided is the digest of the visit's last decision, whatever it is worth.
func (p *Play) lastDecided() string {
	last := p.ledger().lastDecision(p.VisitStream())
	return statement.Digest(p.ledger().Stream(p.VisitStream())[last-1].Envelope)
}
