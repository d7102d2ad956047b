package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

// Submission is a statement on its way in.
type Submission struct {
	Stream   string // kind/id
	Verb     string
	Envelope []byte
	Openings []statement.Opening // personal values behind its commitments, for the vault

	carrier string                                                       // who brought it, where that is not the signer
	beside  func(ctx context.Context, tx *store.Tx, e store.Event) error // what is kept with the event, in its transaction; nil for nothing
}

// Accepted says where a statement was recorded.
type Accepted struct {
	Stream    string `json:"stream"`
	Number    int64  `json:"number"`
	Event     string `json:"event"`     // digest of the event
	Statement string `json:"statement"` // digest of the envelope
	Known     bool   `json:"-"`         // it was there already: a lost answer, asked for again
}

// retries is how often a write is tried again when others write to the same stream.
const retries = 8

// Submit proves and records a statement. The rules are evidence's and visit's; see Intake and
// Decide. The same envelope in the same stream again is answered with where it is.
func (a *App) Submit(ctx context.Context, actor Actor, in Submission) (Accepted, error) {
	claims, err := statement.Parse(in.Envelope)
	if err != nil {
		return Accepted{}, err
	}
	h := claims.Header
	if h.Signer != actor.Person || h.Organisation != actor.Organisation || h.Role != actor.Role {
		return Accepted{}, errNotSigner
	}
	done, err := a.record(ctx, &actor, in, claims)
	if err == nil && claims.Type == visit.TypeAdmission {
		err = a.secondLook(ctx, claims)
	}
	return done, err
}

// record is Submit without the question who carries the envelope: the platform's own statements and
// a host's answers come this way. actor is nil for them.
func (a *App) record(ctx context.Context, actor *Actor, in Submission, claims statement.Claims) (Accepted, error) {
	kind, id, err := record.SplitStream(in.Stream)
	if err != nil {
		return Accepted{}, err
	}
	if err := checkOpenings(in, claims); err != nil {
		return Accepted{}, err
	}
	leave, err := a.streams.take(ctx, in.Stream)
	if err != nil {
		return Accepted{}, err
	}
	defer leave()
	for range retries {
		w := &writing{app: a, actor: actor, in: in, claims: claims, kind: kind, id: id, now: a.Now()}
		done, err := w.run(ctx)
		if fault.CodeOf(err) == "stream_conflict" {
			continue
		}
		return done, err
	}
	return Accepted{}, errBusy
}

var errOpeningStray = fault.New(fault.Invalid, "opening_stray", "附上的原文不属于这份文件里的任何承诺。", "An opening fits no commitment of this statement.")

// checkOpenings keeps values out of the vault that no signed byte commits to.
func checkOpenings(in Submission, claims statement.Claims) error {
	for _, o := range in.Openings {
		c, err := o.Commitment()
		if err != nil {
			return err
		}
		// A phone's position is committed inside the badge's key binding, which is base64 itself.
		inside := claims.Type == visit.TypeAdmission && o.Kind == evidence.KindPosition
		if !inside && !bytes.Contains(claims.Payload(), []byte(c)) {
			return errOpeningStray
		}
	}
	return nil
}

// writing is one attempt to record one statement.
type writing struct {
	app    *App
	actor  *Actor
	in     Submission
	claims statement.Claims
	kind   string
	id     string
	now    time.Time
	fixed  *store.Event // a recorded event that is replayed: its time, salt, day and province are given

	toDevice access.Relation // of a device's stream: how the actor stands to the device, where that is asked
	ofOthers bool            // of a person's stream: the actor's organisation has nobody of this id on file
	entry    store.Event
	leaf     []byte
	envelope statement.Verified
	before   cachedState
	after    visit.State
	done     Accepted
}

func (w *writing) run(ctx context.Context) (Accepted, error) {
	if known, err := w.already(ctx); err != nil || known {
		return w.done, err
	}
	if err := w.prepare(ctx); err != nil {
		if kept := w.keepConflict(ctx, err); kept != nil {
			return Accepted{}, kept
		}
		return Accepted{}, err
	}
	err := w.app.Store.Write(ctx, func(tx *store.Tx) error { return w.commit(ctx, tx) })
	if err != nil {
		return Accepted{}, err
	}
	if w.kind == visit.StreamVisit {
		w.app.states.put(w.id, cachedState{state: w.after, order: w.before.order})
		w.app.moved.tell()
	}
	return w.done, nil
}

// already answers a statement that is recorded in this stream: a lost answer, asked for again.
func (w *writing) already(ctx context.Context) (bool, error) {
	found := false
	err := w.app.Store.Read(ctx, func(tx *store.Tx) error {
		events, err := tx.EventsByStatement(ctx, w.claims.Digest())
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Stream().String() == w.in.Stream && e.Verb == w.in.Verb {
				found = true
				w.done = Accepted{Stream: w.in.Stream, Number: e.Number, Event: e.Digest, Statement: e.StatementDigest, Known: true}
			}
		}
		return nil
	})
	return found, err
}

// prepare reads what the statement must fit, proves it, and asks whether it may be recorded. All
// that is costly happens here, outside the transaction.
func (w *writing) prepare(ctx context.Context) error {
	var context []evidence.Entry
	err := w.app.Store.Read(ctx, func(tx *store.Tx) error {
		g := w.app.gather(ctx, tx)
		g.keys[w.claims.Header.Key] = true
		w.enrolledKey(g.keys)
		if err := g.refs(refTrustList, "", 1); err != nil {
			return err
		}
		if w.kind == visit.StreamOrder { // each side's statements on an order follow each other
			if _, err := g.stream(w.kind, w.id); err != nil {
				return err
			}
		}
		if err := g.signers(); err != nil {
			return err
		}
		context = g.sorted()
		if err := w.standing(ctx, tx); err != nil {
			return err
		}
		if err := w.deviceRelation(ctx, tx); err != nil {
			return err
		}
		if err := w.personRelation(ctx, tx); err != nil {
			return err
		}
		return w.event(ctx, tx)
	})
	if err != nil {
		return err
	}
	former := false
	if denied := w.permitted(); denied != nil {
		if former, err = w.formerly(ctx); err != nil {
			return err // unread is not refused: whoever is refused throws away what he signed
		}
		if !former {
			return denied // before the proof: a stranger costs nothing and learns nothing
		}
	}
	candidate := evidence.EntryOf(w.entry.Bytes, w.in.Envelope, [16]byte(w.entry.Salt), w.entry.Day, w.entry.Province, "")
	if w.envelope, err = w.app.reader.Intake(context, candidate, w.now); err != nil {
		return w.uncounted(err)
	}
	if err := readable(w.claims); err != nil {
		return err
	}
	if former {
		return errFormer
	}
	if w.kind != visit.StreamVisit {
		return nil
	}
	received, err := statement.At(w.now).Parse()
	if err != nil {
		return err
	}
	// With the event's own digest, so that the state after it is found by the stream's head.
	w.after, err = visit.Advance(w.before.state, visit.Event{Number: int(w.entry.Number), Digest: w.entry.Digest, Verb: w.in.Verb, ReceivedAt: received, Statement: w.envelope})
	return err
}

// uncounted takes the number that the event would have had out of a refusal's place, for who files on somebody's person,
// device or organisation: he knows which statement it is, and not how much else was recorded there.
func (w *writing) uncounted(err error) error {
	if w.actor == nil || w.kind == visit.StreamVisit || w.kind == visit.StreamOrder {
		return err
	}
	f := fault.Of(err)
	kept := *f
	kept.Where = strings.Replace(f.Where, fmt.Sprintf("%s event %d", w.in.Stream, w.entry.Number), w.in.Stream, 1)
	return &kept
}

// enrolledKey adds the key that an enrolment is about: whether it is somebody else's already is asked
// before it is recorded, since a key that two hold counts for nobody.
func (w *writing) enrolledKey(keys map[string]bool) {
	var e statement.Enrolment
	if w.claims.Type == statement.TypeEnrolment && w.claims.UntrustedBody(&e) == nil {
		keys[e.Key.Thumbprint()] = true
	}
}

// standing finds how the visit stands now, from the cache or by replay.
func (w *writing) standing(ctx context.Context, tx *store.Tx) error {
	if w.kind != visit.StreamVisit {
		return nil
	}
	s, err := w.app.standing(ctx, tx, w.id)
	w.before = s
	return err
}

// standing gives a visit's state and order. A visit without events is new.
func (a *App) standing(ctx context.Context, tx *store.Tx, visitID string) (cachedState, error) {
	head, err := tx.Head(ctx, store.Stream{Kind: visit.StreamVisit, ID: visitID})
	if err != nil {
		return cachedState{}, err
	}
	if head.Number == 0 {
		return cachedState{state: visit.New(visitID)}, nil
	}
	if s, ok := a.states.get(visitID, head.Digest); ok {
		return s, nil
	}
	g := a.gather(ctx, tx)
	p, err := g.streams(visitID)
	if err != nil {
		return cachedState{}, err
	}
	if err := g.refs(refTrustList, "", 1); err != nil {
		return cachedState{}, err
	}
	if err := g.signers(); err != nil {
		return cachedState{}, err
	}
	state, err := a.reader.Stand(evidence.Dossier{Visit: visitID, Entries: g.sorted()}, a.Now())
	if err != nil {
		return cachedState{}, err
	}
	s := cachedState{state: state, order: p.order}
	a.states.put(visitID, s)
	return s, nil
}

// event writes the event that would record the statement.
func (w *writing) event(ctx context.Context, tx *store.Tx) error {
	s := store.Stream{Kind: w.kind, ID: w.id}
	head, err := tx.Head(ctx, s)
	if err != nil {
		return err
	}
	e := record.Event{Stream: w.in.Stream, Number: int(head.Number) + 1, Previous: head.Digest, Verb: w.in.Verb,
		ReceivedAt: statement.At(w.now), Statement: w.claims.Digest()}
	if err := e.Check(); err != nil {
		return err
	}
	owner, province, err := w.owner(ctx, tx, s, head.Number == 0)
	if err != nil {
		return err
	}
	day, salt, province, err := w.hidden(province)
	if err != nil {
		return err
	}
	leaf, err := record.LeafFor(e.Bytes(), salt, day, province)
	if err != nil {
		return err
	}
	w.leaf = leaf.Bytes()
	w.entry = store.Event{Org: owner, StreamKind: w.kind, StreamID: w.id, Number: head.Number + 1, Digest: e.Digest(), Previous: head.Digest,
		Verb: w.in.Verb, ReceivedAt: store.At(w.now), Bytes: e.Bytes(), StatementDigest: w.claims.Digest(), Salt: salt[:], Day: day, Province: province}
	return nil
}

// hidden gives what is beside an event and not in it: a new salt, or what a replayed event has.
func (w *writing) hidden(province string) (day string, salt [16]byte, of string, err error) {
	if w.fixed != nil {
		return w.fixed.Day, [16]byte(w.fixed.Salt), w.fixed.Province, nil
	}
	if _, err := rand.Read(salt[:]); err != nil {
		return "", salt, "", errNotReady.Because(err)
	}
	return w.now.UTC().Format(time.DateOnly), salt, province, nil
}

// owner says which organisation a stream belongs to and which province its leaf names. Visits and
// orders are their acquirer's; others belong to whoever wrote in them first.
func (w *writing) owner(ctx context.Context, tx *store.Tx, s store.Stream, first bool) (org, province string, err error) {
	province = w.app.Province
	order, err := w.orderOf(ctx, tx)
	if err != nil {
		return "", "", err
	}
	if order.Province != "" {
		province = order.Province
	}
	if !first {
		org, err = tx.StreamOrg(ctx, s)
		return org, province, err
	}
	if order.Acquirer != "" {
		return order.Acquirer, province, nil
	}
	return w.claims.Header.Organisation, province, nil
}

var (
	errNoOrder    = fault.New(fault.NotFound, "order_not_found", "没有这份订单，或者还没有人签。", "There is no such order, or nobody signed it yet.")
	errOrderOther = fault.New(fault.Forbidden, "order_of_other_acquirer", "订单的编号或收单机构对不上：只能给自己机构的订单签字。", "The order's id or acquirer does not fit: an approver books orders of his own acquirer only.")
)

// orderOf finds the order that a statement in a visit's or order's stream is about, the zero value
// elsewhere.
func (w *writing) orderOf(ctx context.Context, tx *store.Tx) (visit.Order, error) {
	if w.kind != visit.StreamVisit && w.kind != visit.StreamOrder {
		return visit.Order{}, nil
	}
	if w.before.order.Order != "" {
		return w.before.order, nil
	}
	id := w.id
	if w.kind == visit.StreamVisit {
		var opened visit.Opened
		if err := w.claims.UntrustedBody(&opened); err != nil {
			return visit.Order{}, errNoVisit // the first statement of a visit must open it
		}
		id = opened.Order
	}
	o, err := w.orderNamed(ctx, tx, id)
	w.before.order = o
	return o, err
}

// orderNamed gives an order as its record has it or, for a booking, as the statement has it. A booking
// speaks of its own stream's order in the name of the acquirer whose order it is, and of no other's:
// what is kept here says who may see and do what.
func (w *writing) orderNamed(ctx context.Context, tx *store.Tx, id string) (visit.Order, error) {
	var o visit.Order
	row, err := tx.Order(ctx, id)
	known := err == nil
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return o, err
	}
	if w.claims.Type != visit.TypeOrder {
		if !known || row.State == OrderPlanned {
			return o, errNoOrder
		}
		return o, statement.Decode([]byte(row.Doc), &o)
	}
	if w.actor != nil && !access.Decide(access.Role(w.actor.Role), visit.Book, access.OwnOrganisation).Allowed() {
		return o, errNoOrder // whoever books nothing learns of none
	}
	if err := w.claims.UntrustedBody(&o); err != nil {
		return visit.Order{}, err
	}
	if o.Order != id || o.Acquirer != w.claims.Header.Organisation || (known && o.Acquirer != row.Org) {
		return visit.Order{}, errOrderOther
	}
	return o, nil
}

// permitted asks access: role × verb × relation. What the platform and hosts record was asked for
// by somebody who was permitted.
func (w *writing) permitted() error {
	if w.actor == nil {
		return nil
	}
	role, rel := access.Role(w.actor.Role), w.relation()
	err := access.Require(role, access.On(w.kind, w.in.Verb), rel)
	if err == nil || access.Decide(role, access.ReadVisit, rel).Allowed() {
		return err
	}
	switch w.kind { // what one may not see does not exist, also for those who write
	case visit.StreamVisit:
		return errNoVisit
	case visit.StreamOrder:
		return errNoOrder
	}
	return err
}

func (w *writing) relation() access.Relation {
	if w.kind == visit.StreamVisit || w.kind == visit.StreamOrder {
		return Relation(*w.actor, w.before.order, w.before.state.Dispatched())
	}
	switch {
	case w.kind == visit.StreamOrganisation && w.id != w.actor.Organisation:
		return access.None
	case w.kind == visit.StreamPerson && w.id != w.actor.Person && w.ofOthers:
		return access.None
	case w.kind == visit.StreamPerson && w.id != w.actor.Person:
		return access.OwnOrganisation
	}
	if w.toDevice != "" {
		return w.toDevice
	}
	return access.Self // who hands a device over is decided by custody
}

// commit writes everything in one transaction. It may run again after a conflict.
func (w *writing) commit(ctx context.Context, tx *store.Tx) error {
	if err := tx.PutStatement(ctx, w.claims.Digest(), w.in.Envelope); err != nil {
		return err
	}
	if err := tx.AppendEvent(ctx, w.entry, w.leaf); err != nil {
		return err
	}
	for _, o := range w.in.Openings {
		if _, err := w.app.Vault.Put(ctx, tx, w.subject(), o, w.tag(o), w.now); err != nil {
			return err
		}
	}
	if err := w.index(ctx, tx); err != nil {
		return err
	}
	if err := w.carriedBy(ctx, tx); err != nil {
		return err
	}
	w.done = Accepted{Stream: w.in.Stream, Number: w.entry.Number, Event: w.entry.Digest, Statement: w.claims.Digest()}
	if w.in.beside == nil {
		return nil
	}
	return w.in.beside(ctx, tx, w.entry)
}

// keepRecords is how long law keeps what an order was made on (records of transactions, at least
// five years).
const keepRecords = 5 * 366 * 24 * time.Hour

// tag says what a value may be shown for. Positions serve the place check alone; what an order was
// made on is kept as long as law wants.
func (w *writing) tag(o statement.Opening) vault.Tag {
	if o.Kind == evidence.KindPosition {
		return vault.Tag{Purposes: []string{purposePlace}}
	}
	t := vault.Tag{Purposes: []string{"visit"}}
	if o.Kind == evidence.KindAddress { // a relocation's two addresses are compared, as positions are
		t.Purposes = append(t.Purposes, purposePlace)
	}
	if w.claims.Type == visit.TypeOrder {
		t.KeepUntil = w.now.Add(keepRecords)
	}
	return t
}

// subject is whose personal values a statement's openings are.
func (w *writing) subject() string {
	switch w.claims.Type {
	case visit.TypeOrder:
		return w.before.order.Merchant
	case visit.TypeDispatch:
		var d visit.Dispatch
		if w.envelope.Body(visit.TypeDispatch, &d) == nil {
			return d.Technician
		}
	}
	return w.claims.Header.Signer
}
