package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// index keeps the tables that lists, extracts and dossiers are read from. All of it repeats what
// signed events say and could be rebuilt from them; none of it is believed by a decision.
func (w *writing) index(ctx context.Context, tx *store.Tx) error {
	var err error
	switch w.claims.Type {
	case credential.TypeTrustList, registry.TypeParameters, registry.TypeMandate, registry.TypeStatusList, registry.TypeCourse:
		err = w.indexList(ctx, tx)
	case statement.TypeEnrolment, statement.TypeEnrolmentEnd, registry.TypeCertificate, registry.TypeBadgeIssued, registry.TypeBadgeRevoked:
		err = w.indexPerson(ctx, tx)
	case visit.TypeOrder:
		err = w.indexOrder(ctx, tx)
	case visit.TypeChallenge:
		err = w.indexChallenge(ctx, tx)
	case visit.TypeDispatch:
		err = w.newSecret(ctx, tx)
	case visit.TypeAdmission:
		err = w.burn(ctx, tx)
	case visit.TypeStep:
		err = w.claimPhotos(ctx, tx)
	case attest.TypeAttestation:
		err = w.onceAttested(ctx, tx)
	case visit.TypeDecision:
		err = w.indexDecision(ctx, tx)
	case visit.TypeOutcome:
		err = w.indexOutcome(ctx, tx)
	case visit.TypeBrake, visit.TypeIncident, visit.TypeRefusal:
		err = w.indexBrake(ctx, tx)
	case visit.TypeTerminalState:
		err = w.indexTerminal(ctx, tx)
	case visit.TypeResumption:
		err = w.indexResumption(ctx, tx)
	case visit.TypeRuling:
		err = w.indexRuling(ctx, tx)
	case visit.TypeSuspension:
		err = w.indexSuspension(ctx, tx)
	case visit.TypeReinstatement:
		err = w.indexReinstatement(ctx, tx)
	case custody.TypeTransfer:
		err = w.indexTransfer(ctx, tx)
	}
	if err != nil || w.kind != visit.StreamVisit {
		return err
	}
	return w.project(ctx, tx)
}

// body reads the proven statement's body.
func body[T any](w *writing) (T, error) {
	var b T
	err := w.envelope.Body(w.claims.Type, &b)
	return b, err
}

func (w *writing) ref(ctx context.Context, tx *store.Tx, kind, ref string, rank int64) error {
	return tx.AddRef(ctx, kind, ref, w.entry.Digest, rank)
}

// list notes a numbered list: its number ranks it, and the lists that carry one number are found by it.
func (w *writing) list(ctx context.Context, tx *store.Tx, kind, ref string, number int) error {
	if err := w.ref(ctx, tx, kind, ref, int64(number)); err != nil {
		return err
	}
	return w.ref(ctx, tx, kind+numbered, fmt.Sprintf("%s/%d", ref, number), w.entry.Number)
}

func (w *writing) indexList(ctx context.Context, tx *store.Tx) error {
	switch w.claims.Type {
	case credential.TypeTrustList:
		l, err := body[credential.TrustList](w)
		if err != nil {
			return err
		}
		return w.list(ctx, tx, refTrustList, "", l.Number)
	case registry.TypeParameters:
		p, err := registry.ReadParameters(w.envelope, w.claims.Header.Organisation)
		if err != nil {
			return err // an empty or absurd document is refused at the door, not found out at a shop
		}
		return w.list(ctx, tx, refParameters, p.Acquirer, p.Number)
	case registry.TypeMandate:
		m, err := body[registry.Mandate](w)
		if err != nil {
			return err
		}
		return w.ref(ctx, tx, refMandate, m.Provider, w.entry.Number)
	case registry.TypeCourse:
		return w.indexCourse(ctx, tx)
	}
	l, err := body[registry.StatusList](w)
	if err != nil {
		return err
	}
	return w.list(ctx, tx, refStatusList, l.URI, l.Number)
}

func (w *writing) indexPerson(ctx context.Context, tx *store.Tx) error {
	at := int64(w.entry.ReceivedAt)
	switch w.claims.Type {
	case statement.TypeEnrolment:
		e, err := body[statement.Enrolment](w)
		if err != nil {
			return err
		}
		if err := w.ref(ctx, tx, refKey, e.Key.Thumbprint(), at); err != nil {
			return err
		}
		if err := w.ref(ctx, tx, refHolder, e.Holder+"/"+e.Role, at); err != nil {
			return err
		}
		return listPerson(ctx, tx, e)
	case statement.TypeEnrolmentEnd:
		e, err := body[statement.EnrolmentEnd](w)
		if err != nil {
			return err
		}
		if err := w.endPhone(ctx, tx, e.Key); err != nil {
			return err
		}
		if counts, err := w.countsAsEnd(ctx, tx, e.Key); err != nil || !counts {
			return err
		}
		return w.ref(ctx, tx, refKeyEnd, e.Key, at)
	case registry.TypeCertificate:
		c, err := body[registry.Certificate](w)
		if err != nil {
			return err
		}
		return w.ref(ctx, tx, refCourse, c.Holder, at)
	case registry.TypeBadgeIssued:
		b, err := body[registry.BadgeIssued](w)
		if err != nil {
			return err
		}
		return w.ref(ctx, tx, refBadge, b.Holder, at)
	}
	b, err := body[registry.BadgeRevoked](w)
	if err != nil {
		return err
	}
	if err := w.tellRevoked(ctx, tx, b); err != nil {
		return err
	}
	return w.ref(ctx, tx, refRevoked, b.Holder, at)
}

// listed are the roles of people whom their organisation finds in its console.
var listed = []string{visit.RoleApprover, visit.RoleRisk, visit.RoleDispatcher, visit.RoleTechnician, visit.RoleSupervisor, visit.RoleCustodian}

// listPerson puts somebody whom his organisation enrolled on its list of people, unless he is on one.
func listPerson(ctx context.Context, tx *store.Tx, e statement.Enrolment) error {
	if !slices.Contains(listed, e.Role) {
		return nil
	}
	_, err := tx.Person(ctx, e.Holder)
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	return tx.PutPerson(ctx, store.Person{ID: e.Holder, Org: e.Organisation, Role: e.Role, State: "active", Doc: "{}"})
}

// fieldPrincipal is the keyed-hash table that counts terminals under one identity.
const fieldPrincipal = "resident_id"

func (w *writing) indexOrder(ctx context.Context, tx *store.Tx) error {
	o, err := body[visit.Order](w)
	if err != nil {
		return err
	}
	from, err := o.WindowFrom.Parse()
	if err != nil {
		return err
	}
	until, err := o.WindowUntil.Parse()
	if err != nil {
		return err
	}
	doc, err := statement.Canonical(o)
	if err != nil {
		return err
	}
	if err := w.itemsOnFile(ctx, tx, o); err != nil {
		return err
	}
	for _, opening := range w.in.Openings {
		if opening.Kind != fieldPrincipal {
			continue
		}
		if _, err := w.app.Vault.AddIdentity(ctx, tx, o.Merchant, fieldPrincipal, opening.Value, w.now); err != nil {
			return err
		}
	}
	return tx.PutOrder(ctx, store.Order{Org: o.Acquirer, ID: o.Order, Provider: o.Provider, Merchant: o.Merchant, Shop: o.Shop, Kind: o.Kind,
		Risk: int64(o.Risk), State: OrderBooked, WindowStartAt: store.At(from), WindowEndAt: store.At(until), CreatedAt: w.entry.ReceivedAt, Doc: string(doc)})
}

func (w *writing) indexChallenge(ctx context.Context, tx *store.Tx) error {
	c, err := body[visit.Challenge](w)
	if err != nil {
		return err
	}
	until, err := c.Until.Parse()
	if err != nil {
		return err
	}
	return tx.AddChallenge(ctx, store.Challenge{NonceHash: hashHex(c.Nonce), Visit: w.id, Purpose: c.Purpose, IssuedAt: w.entry.ReceivedAt, ExpiresAt: store.At(until)})
}

// burn uses the door's nonce up in the transaction that stores the verdict.
func (w *writing) burn(ctx context.Context, tx *store.Tx) error {
	a, err := body[visit.Admission](w)
	if err != nil {
		return err
	}
	if a.Offline != nil {
		return w.burnOffline(ctx, tx, a.Offline.Nonce)
	}
	c, ok := w.after.Challenge(a.Challenge)
	if !ok {
		return nil // a challenge nobody issued: recorded, and judged as what it is
	}
	_, err = tx.BurnChallenge(ctx, hashHex(c.Body.Nonce), w.claims.Digest(), w.now)
	if fault.CodeOf(err) == "challenge_expired" {
		return nil // evidence is received; that it came too late is the judge's to say
	}
	return err
}

var errNonceUsed = fault.New(fault.Conflict, "door_nonce_used", "这个核对码在别处用过了。", "This nonce of a check without signal was used elsewhere.")

// burnOffline takes a nonce that a merchant's page made: once in the whole deployment, beside the
// server's own.
func (w *writing) burnOffline(ctx context.Context, tx *store.Tx, nonce string) error {
	c := store.Challenge{NonceHash: hashHex(nonce), Visit: w.id, Purpose: visit.PurposeDoor, IssuedAt: w.entry.ReceivedAt, ExpiresAt: store.At(w.now.Add(doorNonceHolds))}
	err := tx.AddChallenge(ctx, c)
	if fault.CodeOf(err) == "record_exists" {
		return errNonceUsed
	}
	if err == nil {
		_, err = tx.BurnChallenge(ctx, c.NonceHash, w.claims.Digest(), w.now)
	}
	return err
}

// refAttested finds a device's answer by what it says.
const refAttested = "attested"

var errAttested = fault.New(fault.Conflict, "attestation_recorded", "机具的这个回答已经收到了。", "This answer of the device is recorded already.")

// onceAttested keeps one answer of a device from being recorded twice, in one transaction with the
// event: whoever lost our answer sends it again.
func (w *writing) onceAttested(ctx context.Context, tx *store.Tx) error {
	a, err := body[attest.Attestation](w)
	if err != nil {
		return err
	}
	known, err := tx.Refs(ctx, refAttested, attestedAs(w.id, a), 1)
	if err != nil {
		return err
	}
	if len(known) > 0 {
		return errAttested
	}
	return w.ref(ctx, tx, refAttested, attestedAs(w.id, a), 0)
}

// attestedAs names one answer of a device in one visit.
func attestedAs(visitID string, a attest.Attestation) string {
	return hashHex(visitID + "/" + a.Challenge + "/" + a.Serial + "/" + a.Format + "/" + a.Proof)
}

func (w *writing) claimPhotos(ctx context.Context, tx *store.Tx) error {
	s, err := body[visit.Step](w)
	if err != nil {
		return err
	}
	for _, p := range s.Photos {
		if _, _, err := tx.ClaimPhoto(ctx, store.Photo{Sha256: p.Digest, Visit: w.id, Step: s.Step, ClaimedAt: w.entry.ReceivedAt}); err != nil {
			return err
		}
	}
	if len(s.Photos) == 0 {
		return nil
	}
	return w.queuePhotos(ctx, tx)
}

// indexDecision reserves the binding in the transaction of the permit, and queues the release.
func (w *writing) indexDecision(ctx context.Context, tx *store.Tx) error {
	d, err := body[visit.Decision](w)
	if err == nil && d.Ask == visit.AskClose {
		err = w.queueFailures(ctx, tx, d)
	}
	if err != nil || d.Permit == nil {
		return err
	}
	if d.Ask != visit.AskEnd {
		err = w.reserve(ctx, tx, d)
	}
	if err == nil && d.Permit.RollbackAt != "" {
		err = w.queueRollback(ctx, tx, *d.Permit)
	}
	if err != nil {
		return err
	}
	err = tx.AddPermit(ctx, store.Permit{PermitDigest: w.claims.Digest(), Org: w.entry.Org, Visit: w.id, Ask: d.Ask, CreatedAt: w.entry.ReceivedAt})
	if err != nil {
		return err
	}
	_, err = tx.EnqueueJob(ctx, JobRelease, w.claims.Digest(), []byte(w.id), w.now, w.now.Add(releaseGrace), 0)
	return err
}

// reserve keeps the serial and its terminal code for this visit; once live, the device's key and software
// are what later visits are held to.
func (w *writing) reserve(ctx context.Context, tx *store.Tx, d visit.Decision) error {
	tuple, err := statement.Canonical(d.Permit.Items)
	if err != nil {
		return err
	}
	b := store.Binding{Serial: d.Permit.Serial, Acquirer: d.Permit.Items.AcquirerCode, TupleDigest: statement.Digest(tuple),
		TerminalCode: d.Permit.Terminal, Merchant: w.before.order.Merchant, MerchantCodeDigest: d.Permit.Items.MerchantCode, Visit: w.id}
	if w.before.order.Kind == visit.Repair {
		// Commitments to the same five items differ from order to order: a repair keeps the binding that there is.
		old, err := tx.Binding(ctx, b.Serial)
		if err != nil {
			return err
		}
		b.TupleDigest = old.TupleDigest
	}
	if d.Ask == visit.AskLive {
		b.DeviceKey = d.Permit.DeviceKey
		if b.Firmware, err = w.firmware(ctx, tx); err != nil {
			return err
		}
	}
	_, err = tx.ReserveBinding(ctx, b, w.now)
	return err
}

func (w *writing) indexOutcome(ctx context.Context, tx *store.Tx) error {
	o, err := body[visit.Outcome](w)
	if err != nil {
		return err
	}
	p, err := tx.Permit(ctx, o.Permit)
	if err != nil {
		return err
	}
	if p.State != store.PermitAnswered {
		if err := tx.MovePermit(ctx, o.Permit, p.State, store.PermitAnswered, w.claims.Digest(), w.now); err != nil {
			return err
		}
	}
	if o.Outcome == visit.Loaded && p.Ask == visit.AskLive {
		if err := queueWatch(ctx, tx, w.id, 1, w.now, w.now.Add(watchEvery)); err != nil {
			return err
		}
		return tx.OpenBinding(ctx, o.Serial, w.id, w.now)
	}
	if o.Outcome == visit.KeysEnded && p.Ask == visit.AskEnd {
		return w.endBinding(ctx, tx, o.Serial)
	}
	return nil
}

// Kinds of subject that a matter may be open against.
const (
	subjectVisit        = "visit"
	subjectDevice       = "device"
	subjectPerson       = "person"
	subjectOrganisation = "organisation"
)

// indexBrake opens a matter against visit, device and badge holder for a freeze or an incident, and
// tells the host to cancel what it has not acted on.
func (w *writing) indexBrake(ctx context.Context, tx *store.Tx) error {
	if err := w.queueCancels(ctx, tx); err != nil {
		return err
	}
	if err := w.rolledBack(ctx, tx); err != nil {
		return err
	}
	if err := w.tellStopped(ctx, tx); err != nil {
		return err
	}
	matter := map[string]string{visit.Freeze: "freeze", visit.ReportIncident: "incident"}[w.in.Verb]
	if matter == "" {
		return nil
	}
	d := w.after.Dispatched()
	person := d.Technician
	if w.claims.Header.Role == visit.RolePlatform {
		person = "" // what menshen finds about charges or a device says nothing about whoever came
	}
	if err := w.queueSuspension(ctx, tx, d.Issuer, person); err != nil {
		return err
	}
	for kind, subject := range map[string]string{subjectVisit: w.id, subjectDevice: d.Serial, subjectPerson: person} {
		if subject == "" {
			continue
		}
		err := tx.AddMatter(ctx, store.OpenMatter{Statement: w.claims.Digest(), SubjectKind: kind, Subject: subject, Matter: matter, FoundIn: w.in.Stream, SinceAt: w.entry.ReceivedAt})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writing) queueCancels(ctx context.Context, tx *store.Tx) error {
	permits, err := tx.PermitsOfVisit(ctx, w.id)
	if err != nil {
		return err
	}
	for _, p := range permits {
		if p.State == store.PermitAnswered || p.State == store.PermitCancelled {
			continue
		}
		if _, err := tx.EnqueueJob(ctx, JobCancel, p.PermitDigest, []byte(w.id), w.now, w.now, 0); err != nil {
			return err
		}
	}
	return nil
}

func (w *writing) indexResumption(ctx context.Context, tx *store.Tx) error {
	r, err := body[visit.Resumption](w)
	if err != nil {
		return err
	}
	for _, closed := range r.Closes {
		if err := tx.CloseMatter(ctx, closed, w.now); err != nil {
			return err
		}
	}
	return nil
}

func (w *writing) indexTransfer(ctx context.Context, tx *store.Tx) error {
	t, err := body[custody.Transfer](w)
	if err != nil {
		return err
	}
	d := store.Device{Serial: t.Serial, Holder: t.ToHolder, State: "in_custody", Maker: w.entry.Org, Doc: "{}"}
	known, err := tx.Device(ctx, t.Serial)
	switch {
	case t.First != nil:
		d.Model = t.First.Model
	case err == nil:
		d.Model, d.Maker, d.Doc = known.Model, known.Maker, known.Doc
	case fault.KindOf(err) != fault.NotFound:
		return err
	}
	return tx.PutDevice(ctx, d)
}

// project keeps the row that lists show.
func (w *writing) project(ctx context.Context, tx *store.Tx) error {
	o, s := w.before.order, w.after
	d := s.Dispatched()
	return tx.PutVisit(ctx, store.Visit{Org: o.Acquirer, ID: w.id, OrderID: o.Order, Provider: o.Provider, Merchant: o.Merchant, Shop: o.Shop,
		Technician: d.Technician, Kind: o.Kind, State: string(s.Stage()), Frozen: s.Frozen(), Head: int64(s.Number()),
		OpenedAt: w.entry.ReceivedAt, UpdatedAt: w.entry.ReceivedAt,
		Search: w.id + " " + o.Order + " " + o.Merchant + " " + o.Shop + " " + d.Technician + serialWord + lastSix(d.Serial) + supervisorWord(d.Supervisor) + boardWords(o, s)})
}
