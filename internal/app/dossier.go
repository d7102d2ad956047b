package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

// Kinds of event reference: under what single events of other streams are found.
const (
	refTrustList  = "trust_list"  // ref "": the list's number ranks it
	refParameters = "parameters"  // acquirer
	refMandate    = "mandate"     // provider
	refStatusList = "status_list" // uri
	refKey        = "key"         // thumbprint → enrolment
	refHolder     = "holder"      // holder/role → enrolment
	refKeyEnd     = "key_end"     // thumbprint
	refCourse     = "course"      // holder
	refPublished  = "published"   // issuer/course: its version ranks it
	refOffered    = "offered"     // issuer → his published courses
	refBadge      = "badge"       // holder
	refRevoked    = "revoked"     // holder

	numbered = "_number" // after a list's kind: reference/number
)

// maxEvents bounds one stream of a dossier; a visit has a few dozen.
const maxEvents = 1000

// gather collects entries without doubling any.
type gather struct {
	logged  *loggedEvents
	tx      *store.Tx
	ctx     context.Context
	seen    map[string]bool
	entries []evidence.Entry
	events  []store.Event
	keys    map[string]bool // thumbprints of signers met
	asked   map[string]bool // of these, whose enrolments were taken
}

func (a *App) gather(ctx context.Context, tx *store.Tx) *gather {
	return &gather{logged: &a.logged, tx: tx, ctx: ctx, seen: map[string]bool{}, keys: map[string]bool{}, asked: map[string]bool{}}
}

// add takes one event with its statement.
func (g *gather) add(e store.Event) (statement.Claims, error) {
	known, ok := g.logged.get(e.Digest)
	if !ok {
		var err error
		if known, err = g.read(e); err != nil {
			return statement.Claims{}, err
		}
	}
	if known.event.Receipt != e.Receipt || !known.event.LeafIndex.Valid {
		known.event = e // the row as it is now: sequenced, or with its receipt
		g.logged.keep(known)
	}
	if g.seen[e.Digest] {
		return known.claims, nil
	}
	g.seen[e.Digest] = true
	g.keys[known.claims.Header.Key] = true
	g.events = append(g.events, e)
	known.entry.Receipt = e.Receipt
	g.entries = append(g.entries, known.entry)
	return known.claims, nil
}

// read reads an event's statement.
func (g *gather) read(e store.Event) (loggedEvent, error) {
	envelope, err := g.tx.Statement(g.ctx, e.StatementDigest)
	if err != nil {
		return loggedEvent{}, err
	}
	claims, err := statement.Parse(envelope)
	if err != nil {
		return loggedEvent{}, fault.At(err, e.Stream().String())
	}
	k := loggedEvent{event: e, claims: claims, entry: evidence.EntryOf(e.Bytes, envelope, [16]byte(e.Salt), e.Day, e.Province, "")}
	g.logged.keep(k)
	return k, nil
}

// stream takes a whole stream.
func (g *gather) stream(kind, id string) ([]statement.Claims, error) {
	if id == "" {
		return nil, nil
	}
	events, err := g.tx.Events(g.ctx, store.Stream{Kind: kind, ID: id}, 1, maxEvents)
	if err != nil {
		return nil, err
	}
	out := make([]statement.Claims, 0, len(events))
	for _, e := range events {
		c, err := g.add(e)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// refs takes up to limit single events of a kind and reference, the highest rank first.
func (g *gather) refs(kind, ref string, limit int) error {
	digests, err := g.tx.Refs(g.ctx, kind, ref, limit)
	if err != nil {
		return err
	}
	return g.digests(digests)
}

// all is refs of several kinds and references at once.
func (g *gather) all(wants []store.RefWant) error {
	digests, err := g.tx.AllRefs(g.ctx, wants)
	if err != nil {
		return err
	}
	return g.digests(digests)
}

// newest takes the list with the highest number. Where two versions carry it, it takes both, so that
// whoever judges sees that nobody can say which of them counts.
func (g *gather) newest(kind, ref string) error {
	top, err := g.tx.TopRank(g.ctx, kind, ref)
	if err != nil {
		return err
	}
	return g.refs(kind+numbered, fmt.Sprintf("%s/%d", ref, top), 2)
}

func (g *gather) digests(list []string) error {
	for _, d := range list {
		if g.seen[d] {
			continue
		}
		e, err := g.byDigest(d)
		if err != nil {
			return err
		}
		if _, err := g.add(e); err != nil {
			return err
		}
	}
	return nil
}

// byDigest finds an event; one that has its receipt has everything that it will ever have.
func (g *gather) byDigest(digest string) (store.Event, error) {
	if known, ok := g.logged.get(digest); ok && known.event.Receipt != "" {
		return known.event, nil
	}
	return g.tx.EventByDigest(g.ctx, digest)
}

// signers takes the enrolments of every key met so far, and what ended them; then those of the merchants
// who let clerks in, whose keys were met only there.
func (g *gather) signers() error {
	for range 2 {
		if err := g.enrolments(); err != nil {
			return err
		}
	}
	return nil
}

func (g *gather) enrolments() error {
	wants := make([]store.RefWant, 0, 2*len(g.keys))
	for _, thumb := range sortedKeys(g.keys) {
		if g.asked[thumb] {
			continue
		}
		g.asked[thumb] = true
		wants = append(wants, store.RefWant{Kind: refKey, Ref: thumb, Limit: 4}, store.RefWant{Kind: refKeyEnd, Ref: thumb, Limit: 4})
	}
	return g.all(wants)
}

func sortedKeys(m map[string]bool) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// party is what a visit's own statements say about who and what it concerns; read without proof,
// only to know what to fetch.
type party struct {
	opened   visit.Opened
	dispatch visit.Dispatch
	order    visit.Order
}

// streams takes the visit's, its order's and its device's whole streams.
func (g *gather) streams(visitID string) (party, error) {
	var p party
	claims, err := g.stream(visit.StreamVisit, visitID)
	if err != nil {
		return party{}, err
	}
	for _, c := range claims {
		switch c.Type {
		case visit.TypeOpened:
			err = c.UntrustedBody(&p.opened)
		case visit.TypeDispatch:
			err = c.UntrustedBody(&p.dispatch)
		}
		if err != nil {
			return party{}, err
		}
	}
	orders, err := g.stream(visit.StreamOrder, p.opened.Order)
	if err != nil {
		return party{}, err
	}
	for _, c := range orders {
		if c.Type == visit.TypeOrder {
			if err := c.UntrustedBody(&p.order); err != nil {
				return party{}, err
			}
		}
	}
	if _, err = g.stream(visit.StreamDevice, p.dispatch.Serial); err != nil || p.order.Old == nil || p.order.Old.Serial == p.dispatch.Serial {
		return p, err
	}
	_, err = g.stream(visit.StreamDevice, p.order.Old.Serial) // the device that a swap takes away
	return p, err
}

// badgesKept is how many of a technician's last badges and revocations travel: he gets one a day.
const badgesKept = 8

// current takes the newest lists and everything about the people of the visit.
func (g *gather) current(p party) error {
	tech := p.dispatch.Technician
	if err := g.newest(refTrustList, ""); err != nil {
		return err
	}
	if err := g.newest(refParameters, p.order.Acquirer); err != nil {
		return err
	}
	if err := g.all([]store.RefWant{
		{Kind: refMandate, Ref: p.order.Provider, Limit: 8},
		{Kind: refCourse, Ref: tech, Limit: coursesKept}, {Kind: refBadge, Ref: tech, Limit: badgesKept}, {Kind: refRevoked, Ref: tech, Limit: badgesKept},
		{Kind: refHolder, Ref: p.order.Merchant + "/" + visit.RoleMerchant, Limit: 4}, {Kind: refHolder, Ref: tech + "/" + visit.RoleTechnician, Limit: 4},
		{Kind: refHolder, Ref: p.dispatch.Supervisor + "/" + visit.RoleSupervisor, Limit: 4}, {Kind: refHolder, Ref: p.order.Acquirer + "/" + visit.RoleHost, Limit: 4},
	}); err != nil {
		return err
	}
	if err := g.tests(tech); err != nil {
		return err
	}
	uris, err := g.statusURIs(tech)
	if err != nil {
		return err
	}
	for _, uri := range uris {
		if err := g.newest(refStatusList, uri); err != nil {
			return err
		}
	}
	return g.signers()
}

// statusURIs lists the status lists that the technician's badges name.
func (g *gather) statusURIs(technician string) ([]string, error) {
	found := map[string]bool{}
	for _, e := range g.events {
		if e.StreamKind != visit.StreamPerson || e.StreamID != technician || e.Verb != visit.IssueBadge {
			continue
		}
		c, err := g.add(e)
		if err != nil {
			return nil, err
		}
		var b registry.BadgeIssued
		if err := c.UntrustedBody(&b); err != nil {
			return nil, err
		}
		found[b.StatusURI] = true
	}
	return sortedKeys(found), nil
}

// named takes what earlier decisions of the visit name, for an export.
func (g *gather) named(claims []statement.Claims) error {
	for _, c := range claims {
		if c.Type != visit.TypeDecision {
			continue
		}
		var d visit.Decision
		if err := c.UntrustedBody(&d); err != nil {
			return err
		}
		if err := g.digests(d.Evidence); err != nil {
			return err
		}
	}
	return nil
}

// sorted gives the entries in the one order that bundles have: by stream, then number.
func (g *gather) sorted() []evidence.Entry {
	at := make([]int, len(g.entries))
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(i, j int) int {
		a, b := g.events[i], g.events[j]
		if c := strings.Compare(a.Stream().String(), b.Stream().String()); c != 0 {
			return c
		}
		return int(a.Number - b.Number)
	})
	out := make([]evidence.Entry, len(at))
	for i, j := range at {
		out[i] = g.entries[j]
	}
	return out
}

// logSize is the smallest log size that every gathered event lies below, and which of them still lack
// their receipts.
func (g *gather) logSize() (size int64, missing []string) {
	for _, e := range g.events {
		if e.Receipt == "" {
			missing = append(missing, e.Digest)
		}
		if e.LeafIndex.Valid {
			size = max(size, e.LeafIndex.Int64+1)
		}
	}
	return size, missing
}

// purposePlace tags positions: they serve the check of the place and nothing else (反诈法 art. 18).
const purposePlace = "place_check"

// positions opens the commitments that the gate reads. Every opening is a look that its owner can
// see; the node remembers what it opened for judging, so that one judgement after another is one look.
func (a *App) positions(ctx context.Context, entries []evidence.Entry, reader string) ([]statement.Opening, error) {
	commitments, err := a.reader.Commitments(entries)
	if err != nil {
		return nil, err
	}
	own := reader == a.Operator
	if known, ok := a.opened.all(commitments); own && ok {
		return known, nil
	}
	var got vault.Openings
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		var err error
		got, err = a.Vault.GetByCommitments(ctx, tx, commitments, vault.Look{Who: reader, Purpose: purposePlace, At: a.Now()})
		return err
	})
	if err != nil {
		return nil, err
	}
	list := make([]statement.Opening, 0, len(got.Open))
	for _, c := range commitments {
		if o, ok := got.Open[c]; ok {
			list = append(list, o)
		}
	}
	if own {
		a.opened.keep(got.Open)
	}
	return list, nil
}
