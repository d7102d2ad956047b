//go:build attacks

package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

var full = flag.Bool("full", false, "play every generated attack, not a sample")

// gateway is a venue behind which a server's intake stands: whatever is filed is first tried in many spoiled
// forms, each of which must be refused, and then recorded as it is, which must succeed.
type gateway struct {
	*Ledger
	t       *testing.T
	server  *evidence.Reader
	own     string // the visit that is played
	sister  string // another visit, open at the same time
	actors  []*Actor
	refused map[string]int // by form
	codes   map[string]bool
	types   map[string]bool
	honest  int
	wrong   int // honest ones that were refused
	tried   int // spoiled ones
}

// admit is what a server does with a filing before it records it: its signer is who carries it, and intake
// and state machine agree.
func (g *gateway) admit(by *Actor, f Filing) error {
	claims, err := statement.Parse(f.Envelope)
	if err != nil {
		return err
	}
	if h := claims.Header; h.Signer != by.ID || h.Organisation != by.Organisation || h.Role != by.Role {
		return fault.New(fault.Forbidden, "actor_not_signer", "", "")
	}
	l := g.Ledger
	id := strings.TrimPrefix(f.Stream, visit.StreamVisit+"/")
	d := l.Dossier(g.visitOf(f.Stream), 0)
	e := record.Event{Stream: f.Stream, Number: len(l.Stream(f.Stream)) + 1, Verb: f.Verb, ReceivedAt: statement.At(l.Now()), Statement: claims.Digest()}
	if e.Number > 1 {
		e.Previous = statement.Digest(l.Stream(f.Stream)[e.Number-2].Event)
	}
	if err := e.Check(); err != nil {
		return err
	}
	v, err := g.server.Intake(g.context(d.Entries, f.Stream), evidence.EntryOf(e.Bytes(), f.Envelope, Salt(), l.Now().UTC().Format("2006-01-02"), "31", ""), l.Now())
	if err != nil || id == f.Stream {
		return err
	}
	state := visit.New(id)
	if e.Number > 1 {
		if state, err = g.server.Stand(l.Dossier(id, 0), l.Now()); err != nil {
			return err
		}
	}
	_, err = visit.Decide(state, f.Verb, v, l.Now())
	return err
}

func (g *gateway) visitOf(stream string) string {
	if id, ok := strings.CutPrefix(stream, visit.StreamVisit+"/"); ok {
		return id
	}
	return g.own
}

// context is what a server gathers for intake: lists and enrolments, and an order's own stream.
func (g *gateway) context(entries []evidence.Entry, stream string) []evidence.Entry {
	return slices.DeleteFunc(slices.Clone(entries), func(e evidence.Entry) bool {
		raw, err := statement.Base64(e.Event)
		must(err)
		ev, err := record.ParseEvent(raw)
		must(err)
		kind, _, _ := strings.Cut(ev.Stream, "/")
		return kind != visit.StreamOrganisation && ev.Stream != stream || kind == visit.StreamVisit
	})
}

func (g *gateway) mustRefuse(form string, by *Actor, f Filing) {
	err := g.admit(by, f)
	g.tried++
	if err == nil {
		g.t.Errorf("%s of %s (%s) is let in", form, f.Verb, f.Stream)
		return
	}
	code := fault.CodeOf(err)
	if code == "" || code == "internal" {
		g.t.Errorf("%s of %s: refused without a reason: %v", form, f.Verb, err)
	}
	g.refused[form]++
	g.codes[code] = true
}

// File tries the forms and records the honest one.
func (g *gateway) File(ctx context.Context, by *Actor, f Filing) error {
	claims, err := statement.Parse(f.Envelope)
	if err != nil {
		return err
	}
	if err := g.admit(by, f); err != nil {
		g.t.Errorf("the honest %s (%s) is refused: %v", f.Verb, claims.Type, err)
		g.wrong++
	}
	g.honest++
	g.types[claims.Type] = true
	g.fields(by, f, claims)
	g.signers(by, f, claims)
	g.elsewhere(by, f, claims)
	return g.Ledger.File(ctx, by, f)
}

// fields changes every value inside the signed bytes, the signature left as it is.
func (g *gateway) fields(by *Actor, f Filing, claims statement.Claims) {
	payload := claims.Payload()
	for i, v := range valuesIn(payload) {
		if !*full && i%4 != g.honest%4 {
			continue
		}
		spoiled := slices.Concat(payload[:v.from], v.other, payload[v.to:])
		f.Envelope = withPayload(f.Envelope, payload, spoiled)
		g.mustRefuse("field changed", by, f)
		f.Envelope = withPayload(f.Envelope, spoiled, payload)
	}
}

// signers has everybody else sign the same body: in the signer's name, and in their own.
func (g *gateway) signers(by *Actor, f Filing, claims statement.Claims) {
	var body json.RawMessage
	must(claims.UntrustedBody(&body))
	h := claims.Header
	for _, other := range g.actors {
		if other.Public().Thumbprint() == h.Key {
			continue
		}
		u := statement.Unsigned{Type: claims.Type, Subject: claims.Subject, Body: body, Header: h}
		inHisName := f
		inHisName.Envelope = g.sign(other, u)
		g.mustRefuse("signer swapped", by, inHisName)
		if mayToo(f, claims.Type, other.Role) {
			continue // the verb table gives it to that role, too
		}
		u.Header = statement.Header{Signer: other.ID, Organisation: other.Organisation, Role: other.Role, At: h.At, Answers: h.Answers}
		inOwnName := f
		inOwnName.Envelope = g.sign(other, u)
		g.mustRefuse("role swapped", other, inOwnName)
	}
	for _, role := range rolesOfAll(g.actors) {
		if role == h.Role {
			continue
		}
		claim := &Actor{ID: by.ID, Organisation: by.Organisation, Role: role, Key: by.Key}
		u := statement.Unsigned{Type: claims.Type, Subject: claims.Subject, Body: body, Header: h}
		u.Header.Role = role
		f.Envelope = g.sign(by, u)
		g.mustRefuse("role claimed", claim, f)
	}
}

// elsewhere replays the same bytes where they do not belong.
func (g *gateway) elsewhere(by *Actor, f Filing, _ statement.Claims) {
	kind, id, _ := strings.Cut(f.Stream, "/")
	for _, stream := range []string{kind + "/" + g.sister, kind + "/" + id + "-2", kind + "/o-" + g.sister} {
		there := f
		there.Stream = stream
		g.mustRefuse("replayed elsewhere", by, there)
	}
	for _, verb := range []string{visit.Book, visit.Agree, visit.DispatchVerb, visit.Admit, visit.RecordStep, visit.Confirm, visit.Freeze, visit.ReleasePermit, visit.Publish, visit.Enrol} {
		if verb == f.Verb || verb == visit.Reassign {
			continue
		}
		under := f
		under.Verb = verb
		g.mustRefuse("under another verb", by, under)
	}
}

// sign signs anew, so that the only thing wrong is what the test changed.
func (g *gateway) sign(by *Actor, u statement.Unsigned) []byte {
	envelope, err := statement.Sign(by.Key, u)
	must(err)
	return envelope
}

func mayToo(f Filing, typ, role string) bool {
	kind, _, _ := strings.Cut(f.Stream, "/")
	row, ok := visit.Find(kind, f.Verb, typ)
	return ok && row.Allows(role)
}

func rolesOfAll(actors []*Actor) []string {
	seen := map[string]bool{visit.RoleClerk: true, visit.RoleRegulator: true}
	for _, a := range actors {
		seen[a.Role] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// span is one value in a JSON text, and another of the same kind to put there.
type span struct {
	from, to int
	other    []byte
}

// valuesIn finds every string, number and truth value, those of keys apart.
func valuesIn(data []byte) (out []span) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	type level struct{ object, key bool }
	var in []level
	for {
		from := dec.InputOffset()
		token, err := dec.Token()
		if err != nil {
			return out
		}
		to := dec.InputOffset()
		if d, ok := token.(json.Delim); ok {
			switch d {
			case '{', '[':
				in = append(in, level{d == '{', d == '{'})
				continue
			}
			in = in[:len(in)-1]
		} else if top := &in[len(in)-1]; top.object && top.key {
			top.key = false
			continue
		} else if s, ok := spanOf(data, int(from), int(to), token); ok {
			out = append(out, s)
		}
		if len(in) > 0 && in[len(in)-1].object {
			in[len(in)-1].key = true
		}
	}
}

func spanOf(data []byte, from, to int, token json.Token) (span, bool) {
	for data[from] == ':' || data[from] == ',' || data[from] == ' ' {
		from++
	}
	switch v := token.(type) {
	case string:
		if v == "" {
			return span{from, to, []byte(`"x"`)}, true
		}
		r := []rune(v)
		last := &r[len(r)-1]
		switch {
		case *last == '0' || *last == 'a':
			*last++
		case *last >= '1' && *last <= '9' || *last >= 'b' && *last <= 'z' || *last > 'A' && *last <= 'Z':
			*last--
		default:
			*last = 'x'
		}
		other, err := json.Marshal(string(r))
		must(err)
		return span{from, to, other}, true
	case json.Number:
		return span{from, to, append([]byte("1"), data[from:to]...)}, data[from] != '-'
	case bool:
		return span{from, to, fmt.Append(nil, !v)}, true
	}
	return span{}, false
}

// withPayload puts other bytes into an envelope, whatever they are.
func withPayload(envelope, old, other []byte) []byte {
	out := bytes.Replace(envelope, []byte(b64(old)), []byte(b64(other)), 1)
	if bytes.Equal(out, envelope) && !bytes.Equal(old, other) {
		panic("the payload is not in the envelope")
	}
	return out
}

// TestGeneratedAttacks plays honest visits of every kind; at each statement every spoiled form of it is
// tried first. All of them are refused, and no honest one is.
func TestGeneratedAttacks(t *testing.T) {
	refused, codes, types, honest := map[string]int{}, map[string]bool{}, map[string]bool{}, 0
	wrong, tried := 0, 0
	play := func(name string, scenes func(*Play) []Scene, p *Play, l *Ledger) {
		t.Run(name, func(t *testing.T) {
			c := p.Cast
			g := &gateway{Ledger: l, t: t, server: evidence.NewReader(l.Trust), own: p.ID, sister: "sister", refused: refused, codes: codes, types: types,
				actors: slices.Concat(c.People(), []*Actor{c.Other, c.Provider, c.Rival, c.Maker, c.School})}
			p.Venue = g
			if err := Run(t.Context(), scenes(p)); err != nil {
				t.Fatal(err)
			}
			bundle, err := p.Venue.Bundle(t.Context(), p.Cast.Merchant, p.ID)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Check(bundle, p.Trust); err != nil {
				t.Error(err)
			}
			honest, wrong, tried = honest+g.honest, wrong+g.wrong, tried+g.tried
			p.Venue = l
		})
	}
	first, l := newPlay(t, visit.Install, 1)
	play("install", func(p *Play) []Scene { return append(p.Install(), Scene{"settle", p.Settle}) }, first, l)
	for _, k := range kindsAfter {
		p, l := settled(t, 1)
		play(k.name, k.scenes, p.Next(k.kind, "v2", secondSerial, secondTerminal), l)
	}
	total := 0
	for _, form := range slices.Sorted(maps.Keys(refused)) {
		t.Logf("%-20s %6d refused", form, refused[form])
		total += refused[form]
	}
	t.Logf("refused attacks %d of %d; false refusals %d of %d honest statements of %d types; reasons: %v", total, tried, wrong, honest, len(types), slices.Sorted(maps.Keys(codes)))
	if total < 1000 || len(types) < 15 {
		t.Errorf("only %d attacks on %d types were generated", total, len(types))
	}
}
