package app

import (
	"context"
	"slices"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// publishExtract looks into the registers for an ask and records what was found, in the platform's
// name: findings, no verdicts.
func (a *App) publishExtract(ctx context.Context, visitID, ask string) error {
	var x registry.Extract
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		l := &looker{app: a, ctx: ctx, tx: tx}
		var err error
		x, err = l.look(visitID, ask)
		return err
	})
	if err != nil {
		return err
	}
	return a.recordOwn(ctx, visit.StreamVisit+"/"+visitID, visit.Publish, registry.TypeExtract, "", x)
}

// recordOwn signs and records a statement of the platform.
func (a *App) recordOwn(ctx context.Context, stream, verb, kind, answers string, body any) error {
	_, err := a.recordOwnAs(ctx, stream, verb, kind, answers, body)
	return err
}

func (a *App) recordOwnAs(ctx context.Context, stream, verb, kind, answers string, body any) (Accepted, error) {
	return a.recordOwnWith(ctx, Submission{Stream: stream, Verb: verb}, kind, answers, body)
}

// recordOwnWith does so with what is kept beside the event.
func (a *App) recordOwnWith(ctx context.Context, in Submission, kind, answers string, body any) (Accepted, error) {
	envelope, err := a.sign(in.Stream, kind, answers, body)
	if err != nil {
		return Accepted{}, err
	}
	claims, err := statement.Parse(envelope)
	if err != nil {
		return Accepted{}, err
	}
	in.Envelope = envelope
	return a.record(ctx, nil, in, claims)
}

// looker reads the registers within one snapshot.
type looker struct {
	app *App
	ctx context.Context
	tx  *store.Tx
}

func (l *looker) look(visitID, ask string) (registry.Extract, error) {
	standing, err := l.app.standing(l.ctx, l.tx, visitID)
	if err != nil {
		return registry.Extract{}, err
	}
	o, d := standing.order, standing.state.Dispatched()
	x := registry.Extract{Visit: visitID, Ask: ask, LookedAt: statement.At(l.app.Now()), Lists: []registry.ListNumber{}, People: []registry.Person{},
		Open: []registry.OpenMatter{}, Photos: []registry.PhotoLook{}}
	for _, part := range []func(*registry.Extract, visit.Order, visit.Dispatch) error{l.size, l.lists, l.people, l.identity, l.binding, l.open} {
		if err := part(&x, o, d); err != nil {
			return registry.Extract{}, err
		}
	}
	return x, l.photos(&x, visitID)
}

// size notes the log's size as the store knows it.
func (l *looker) size(x *registry.Extract, _ visit.Order, _ visit.Dispatch) error {
	top, err := l.tx.HighestLeafBelow(l.ctx, 1<<62)
	x.LogSize = top + 1
	return err
}

func (l *looker) lists(x *registry.Extract, o visit.Order, d visit.Dispatch) error {
	add := func(list, issuer, kind, ref string) error {
		n, err := l.tx.TopRank(l.ctx, kind, ref)
		x.Lists = append(x.Lists, registry.ListNumber{List: list, Issuer: issuer, Number: int(n)})
		return err
	}
	publisher, err := l.publisher()
	if err != nil {
		return err
	}
	if err := add(registry.ListTrust, publisher, refTrustList, ""); err != nil {
		return err
	}
	if err := add(registry.ListParameters, o.Acquirer, refParameters, o.Acquirer); err != nil {
		return err
	}
	g := l.app.gather(l.ctx, l.tx)
	if err := l.courses(g, x, d.Technician); err != nil {
		return err
	}
	if err := g.refs(refBadge, d.Technician, badgesKept); err != nil {
		return err
	}
	uris, err := g.statusURIs(d.Technician)
	if err != nil {
		return err
	}
	for _, uri := range uris {
		if err := add(registry.ListStatus, uri, refStatusList, uri); err != nil {
			return err
		}
	}
	return nil
}

// courses numbers the courses with a test that the technician has certificates of.
func (l *looker) courses(g *gather, x *registry.Extract, technician string) error {
	if err := g.refs(refCourse, technician, coursesKept); err != nil {
		return err
	}
	held, err := g.certificates(technician)
	if err != nil {
		return err
	}
	for _, at := range coursesIn(held) {
		n, err := l.tx.TopRank(l.ctx, refPublished, at)
		if err != nil {
			return err
		}
		if n > 0 {
			x.Lists = append(x.Lists, registry.ListNumber{List: registry.ListCourse, Issuer: at, Number: int(n)})
		}
	}
	return nil
}

// publisher is who published the newest trust list.
func (l *looker) publisher() (string, error) {
	digests, err := l.tx.Refs(l.ctx, refTrustList, "", 1)
	if err != nil || len(digests) == 0 {
		return "", err
	}
	e, err := l.tx.EventByDigest(l.ctx, digests[0])
	return e.StreamID, err
}

// people compares everyone with a duty by the keyed hashes of their phone and identity numbers.
func (l *looker) people(x *registry.Extract, o visit.Order, d visit.Dispatch) error {
	approver, err := l.approver(o.Order)
	if err != nil {
		return err
	}
	var duty []string
	approved, err := l.approved(x.Visit, o.Order)
	if err != nil {
		return err
	}
	for _, id := range append([]string{o.Merchant, approver, d.Technician, d.Supervisor}, approved...) {
		if id != "" && !slices.Contains(duty, id) {
			duty = append(duty, id)
		}
	}
	for _, id := range duty {
		same, err := l.sameAs(id, duty)
		if err != nil {
			return err
		}
		x.People = append(x.People, registry.Person{Holder: id, Same: same})
	}
	return nil
}

func (l *looker) approver(orderID string) (string, error) {
	events, err := l.tx.Events(l.ctx, store.Stream{Kind: visit.StreamOrder, ID: orderID}, 1, 1)
	if err != nil || len(events) == 0 {
		return "", err
	}
	c, err := recordedClaims(l.ctx, l.tx, events[0].StatementDigest)
	return c.Header.Signer, err
}

// approved are those who signed an order's sheet or opened its visit for the acquirer.
func (l *looker) approved(visitID, order string) ([]string, error) {
	g := l.app.gather(l.ctx, l.tx)
	of, err := g.stream(visit.StreamVisit, visitID)
	if err != nil {
		return nil, err
	}
	signed, err := g.stream(visit.StreamOrder, order)
	var out []string
	for _, c := range append(of, signed...) {
		if c.Header.Role == visit.RoleApprover {
			out = append(out, c.Header.Signer)
		}
	}
	return out, err
}

// sharedFields are the personal values by which two ids are known to be one human being or phone.
var sharedFields = []string{"phone", fieldPrincipal}

// foundFields are the personal values of sheets by which an acquirer finds a merchant: whole values only, by
// their keyed hash.
var foundFields = append([]string{"merchant_name", "shop_name", fieldCredit}, sharedFields...)

// sameAs compares two and two, so that it does not matter how many others have the same number.
func (l *looker) sameAs(id string, duty []string) ([]string, error) {
	same := []string{}
	for _, field := range sharedFields {
		own, err := l.tx.IdentitiesOf(l.ctx, field, id)
		if err != nil {
			return nil, err
		}
		for _, other := range duty {
			if other == id || slices.Contains(same, other) {
				continue
			}
			theirs, err := l.tx.IdentitiesOf(l.ctx, field, other)
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(own, func(h string) bool { return slices.Contains(theirs, h) }) {
				same = append(same, other)
			}
		}
	}
	return same, nil
}

// identity counts the open terminals of every merchant under the same principal.
func (l *looker) identity(x *registry.Extract, o visit.Order, _ visit.Dispatch) error {
	x.Identity.Merchant = o.Merchant
	doc, err := merchantDoc(l.ctx, l.tx, o.Merchant)
	if err != nil {
		return err
	}
	x.Identity.Item, x.Identity.Account = itemOf(doc), accountOf(doc)
	merchants := []string{o.Merchant}
	hashes, err := l.tx.IdentitiesOf(l.ctx, fieldPrincipal, o.Merchant)
	if err != nil {
		return err
	}
	for _, h := range hashes {
		holders, err := l.tx.IdentityHolders(l.ctx, fieldPrincipal, h, mostNamesakes)
		if err != nil {
			return err
		}
		merchants = append(merchants, holders...)
	}
	slices.Sort(merchants)
	for _, m := range slices.Compact(merchants) {
		bindings, err := l.tx.BindingsOfMerchant(l.ctx, m)
		if err != nil {
			return err
		}
		for _, b := range bindings {
			if b.State == store.BindingOpen {
				x.Identity.Terminals++
			}
		}
	}
	return nil
}

func (l *looker) binding(x *registry.Extract, o visit.Order, d visit.Dispatch) error {
	var err error
	if x.Binding, err = l.lookAt(o, d.Serial, o.Terminal); err != nil || o.Kind != visit.Swap || o.Old == nil {
		return err
	}
	old, err := l.lookAt(o, o.Old.Serial, o.Old.Terminal)
	x.Old = &old
	return err
}

// lookAt says what the binding register holds for a serial and a terminal code of the order's merchant.
func (l *looker) lookAt(o visit.Order, serial, terminal string) (registry.BindingLook, error) {
	look := registry.BindingLook{Serial: serial, Terminal: terminal}
	if serial == "" {
		return look, nil
	}
	b, err := l.tx.Binding(l.ctx, serial)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return look, err
	}
	look.DeviceKey, look.Firmware = b.DeviceKey, b.Firmware
	if err == nil && b.State != store.BindingEnded {
		look.BoundAcquirer, look.BoundMerchant = b.Acquirer, b.MerchantCodeDigest
		v, err := l.tx.Visit(l.ctx, b.Visit)
		if err != nil {
			return look, err
		}
		look.SerialBoundTo = v.OrderID
	}
	if err == nil && b.State == store.BindingEnded && b.DeviceKey != "" && b.TerminalCode == terminal { // it was live here
		look.LastAcquirer, look.LastMerchant = b.Acquirer, b.MerchantCodeDigest
	}
	t, err := l.tx.BindingByTerminal(l.ctx, o.Items.AcquirerCode, o.Items.MerchantCode, terminal)
	if fault.KindOf(err) == fault.NotFound {
		return look, nil
	}
	look.TerminalOn = t.Serial
	return look, err
}

// Bounds of what a look reads. Whoever could fill one would hide what comes after, so past mostMatters all counts.
const (
	mostMatters   = 1024 // open against one subject, another acquirer's suspensions among them
	mostNamed     = 16   // of them in one extract: one is enough to refuse
	mostNamesakes = 1 << 16
)

// open lists what is unresolved against the visit, its device, its technician and its parties.
func (l *looker) open(x *registry.Extract, o visit.Order, d visit.Dispatch) error {
	// Those that stop every kind come first: what stands against device or merchant does not stop a removal (gate), and
	// whoever reports a device often enough to fill the list must not push out what stands against the technician.
	for _, s := range []struct{ kind, id, against string }{{subjectVisit, x.Visit, registry.AgainstVisit}, {subjectPerson, d.Technician, registry.AgainstTechnician},
		{subjectOrganisation, o.Provider, registry.AgainstProvider}, {subjectDevice, d.Serial, registry.AgainstDevice}, {subjectPerson, o.Merchant, registry.AgainstMerchant}} {
		if s.id == "" {
			continue
		}
		matters, err := l.tx.MattersOf(l.ctx, s.kind, s.id, mostMatters)
		if err != nil {
			return err
		}
		for _, m := range matters {
			against, err := l.countsAgainst(m, o.Acquirer)
			if err != nil {
				return err
			}
			if (!against && len(matters) < mostMatters) || len(x.Open) >= mostNamed {
				continue
			}
			look := registry.OpenMatter{Stream: m.FoundIn, Kind: m.Matter, Statement: m.Statement, Against: s.against}
			if !slices.Contains(x.Open, look) {
				x.Open = append(x.Open, look)
			}
		}
	}
	conflicts, err := l.tx.OpenConflicts(l.ctx, x.Visit, 16)
	for _, c := range conflicts {
		x.Open = append(x.Open, registry.OpenMatter{Stream: visit.StreamVisit + "/" + c.Visit, Kind: matterConflict, Statement: c.Statement})
	}
	return err
}

// countsAgainst leaves out a suspension by another acquirer than the order's.
func (l *looker) countsAgainst(m store.OpenMatter, acquirer string) (bool, error) {
	if m.Matter != matterSuspension {
		return true, nil
	}
	by, err := recordedClaims(l.ctx, l.tx, m.Statement)
	return visit.SuspendsFor(by.Header, acquirer), err
}

// photos looks up every photo that the visit's steps name.
func (l *looker) photos(x *registry.Extract, visitID string) error {
	g := l.app.gather(l.ctx, l.tx)
	claims, err := g.stream(visit.StreamVisit, visitID)
	if err != nil {
		return err
	}
	for _, c := range claims {
		if c.Type != visit.TypeStep {
			continue
		}
		var s visit.Step
		if err := c.UntrustedBody(&s); err != nil {
			return err
		}
		for _, p := range s.Photos {
			first, err := l.tx.Photo(l.ctx, p.Digest)
			if err != nil {
				return err
			}
			look := registry.PhotoLook{Digest: p.Digest}
			if first.Visit != visitID || first.Step != s.Step {
				look.SeenIn = first.Visit
			}
			x.Photos = append(x.Photos, look)
		}
	}
	return nil
}

// dossierFor gathers what an ask is judged on; the openings come after, in settled.
func (a *App) dossierFor(ctx context.Context, tx *store.Tx, visitID string) (evidence.Dossier, *gather, error) {
	g := a.gather(ctx, tx)
	p, err := g.streams(visitID)
	if err != nil {
		return evidence.Dossier{}, nil, err
	}
	if p.opened.Visit == "" {
		return evidence.Dossier{}, nil, errNoVisit
	}
	if err := g.current(p); err != nil {
		return evidence.Dossier{}, nil, err
	}
	return evidence.Dossier{Visit: visitID, Entries: g.sorted()}, g, nil
}
